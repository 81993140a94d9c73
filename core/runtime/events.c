/* events.c - what plugins' watches have told and the loop has not taken yet.
 *
 * One queue in the order of arrival, bounded for each backend.  Nothing in it is worth keeping twice:
 * a CHANGED is answered by an inspection that is made later than all of them, a SYNCED by a listing.
 * So a handle waits once, and a queue that is too long becomes a SYNCED. */
#include "runtime_internal.h"

#include <string.h>
#include <sys/eventfd.h>

void
runtime_event_clear(struct runtime_event *event)
{
    free(event->handle);
    free(event->id);
    gantry_error_free(event->error);
    *event = (struct runtime_event){0};
}

void
runtime_event_node_free(struct event_node *node)
{
    if (!node)
        return;
    runtime_event_clear(&node->event);
    free(node);
}

void
runtime_settle_fd_locked(struct runtime *runtime)
{
    eventfd_t count;
    if (!runtime->done_first && !runtime->event_first)
        (void)eventfd_read(runtime->done_fd, &count);
}

static void
append(struct runtime_backend *backend, struct event_node *node)
{
    struct runtime *runtime = backend->runtime;
    node->event.backend = backend;
    node->next = NULL;
    node->before = runtime->event_last;
    if (runtime->event_last)
        runtime->event_last->next = node;
    else
        runtime->event_first = node;
    runtime->event_last = node;
    backend->events_waiting++;
    (void)eventfd_write(runtime->done_fd, 1);
}

static void
unlink_node(struct runtime *runtime, struct event_node *node)
{
    struct runtime_backend *backend = node->event.backend;
    if (node->before)
        node->before->next = node->next;
    else
        runtime->event_first = node->next;
    if (node->next)
        node->next->before = node->before;
    else
        runtime->event_last = node->before;
    backend->events_waiting--;
    if (node->event.kind == RUNTIME_EVENT_CHANGED)
        (void)map_take(&backend->changed, str_of(node->event.handle));
}

void
runtime_events_drop_locked(struct runtime *runtime, const struct runtime_backend *backend)
{
    struct event_node *next;
    for (struct event_node *node = runtime->event_first; node; node = next) {
        next = node->next;
        if (backend && node->event.backend != backend)
            continue;
        unlink_node(runtime, node);
        runtime_event_node_free(node);
    }
}

/* Make of all that waits, and of node, one SYNCED: the listing finds what they would have told.  The
 * end of an earlier watch stays. */
static void
become_synced(struct runtime_backend *backend, struct event_node *node)
{
    struct runtime *runtime = backend->runtime;
    struct event_node *spare = NULL,
                      *next; /* for the LOST behind it, so that nothing is allocated */
    for (struct event_node *at = runtime->event_first; at; at = next) {
        next = at->next;
        if (at->event.backend != backend || at->event.kind == RUNTIME_EVENT_ENDED)
            continue;
        unlink_node(runtime, at);
        runtime_event_clear(&at->event);
        if (spare)
            free(at);
        else
            spare = at;
    }
    int64_t now = node->event.at_ms;
    runtime_event_clear(&node->event);
    node->event = (struct runtime_event){.kind = RUNTIME_EVENT_SYNCED, .at_ms = now};
    append(backend, node);
    if (!spare || !backend->watch_is_lost) {
        free(spare);
        return;
    }
    spare->event = (struct runtime_event){.kind = RUNTIME_EVENT_LOST, .at_ms = now};
    append(backend, spare);
}

/* Does the same handle wait already?  Then that one serves both. */
static bool
merge(struct runtime_backend *backend, struct event_node *node)
{
    struct event_node *waiting = map_find(&backend->changed, str_of(node->event.handle));
    if (!waiting)
        return false;
    if (!waiting->event.id) {
        waiting->event.id = node->event.id;
        node->event.id = NULL;
    }
    runtime_event_node_free(node);
    return true;
}

void
runtime_events_add_locked(struct runtime_backend *backend, struct event_node *node)
{
    enum runtime_event_kind kind = node->event.kind;
    if (kind == RUNTIME_EVENT_SYNCED || kind == RUNTIME_EVENT_LOST)
        backend->watch_is_lost = kind == RUNTIME_EVENT_LOST;
    if (kind == RUNTIME_EVENT_CHANGED && merge(backend, node))
        return;
    if (kind == RUNTIME_EVENT_ENDED) {
        append(backend, node);
        return;
    }
    /* Without memory to find it again, the handle may not wait: the listing serves it too. */
    if (backend->events_waiting >= RUNTIME_EVENTS_MAX ||
        (kind == RUNTIME_EVENT_CHANGED &&
         map_set(&backend->changed, str_of(node->event.handle), node, NULL) < 0)) {
        become_synced(backend, node);
        return;
    }
    append(backend, node);
}

bool
runtime_take_event(struct runtime *runtime, struct runtime_event *event)
{
    pthread_mutex_lock(&runtime->lock);
    struct event_node *node = runtime->event_first;
    if (node)
        unlink_node(runtime, node);
    runtime_settle_fd_locked(runtime);
    pthread_mutex_unlock(&runtime->lock);
    if (!node)
        return false;
    *event = node->event;
    free(node);
    if (event->kind == RUNTIME_EVENT_ENDED)
        runtime_watch_join_ended(runtime);
    return true;
}
