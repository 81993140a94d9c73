/* watch.c - a plugin's watch(), on a thread of its own.
 *
 * It is no job: it lasts as long as its backend, needs no worker, and a serial plugin's other calls
 * run beside it.  What it emits goes into the queue of events.c.  When it was asked to end and does
 * not, the loop is told, and the thread is left behind with all memory that it may still touch, as
 * overtime.c does with calls. */
#include "runtime_internal.h"

#include "str.h"

#include <string.h>
#include <sys/eventfd.h>

/* Of the labels: two short strings each. */
#define WATCH_ARENA_MAX ((size_t)1 << 20)

static void
watch_free(struct watch *watch)
{
    runtime_event_node_free(watch->ended);
    arena_clear(&watch->arena);
    call_clear(&watch->call);
    free(watch);
}

/* ---- what it emits ---------------------------------------------------------------------------- */

static struct event_node *
node_of(const struct gantry_event *event)
{
    static const enum runtime_event_kind kinds[] = {
        [GANTRY_EVENT_CHANGED] = RUNTIME_EVENT_CHANGED,
        [GANTRY_EVENT_SYNCED] = RUNTIME_EVENT_SYNCED,
        [GANTRY_EVENT_LOST] = RUNTIME_EVENT_LOST,
    };
    struct event_node *node = calloc(1, sizeof *node);
    if (!node)
        return NULL;
    node->event.kind = kinds[event->kind];
    node->event.at_ms = clock_mono_ms();
    if (event->kind != GANTRY_EVENT_CHANGED)
        return node;
    node->event.handle = text_dup(event->handle);
    node->event.id = event->id ? text_dup(event->id) : NULL;
    if (!node->event.handle || (event->id && !node->event.id)) {
        runtime_event_node_free(node);
        return NULL;
    }
    return node;
}

/* The watch ends with that, whatever the plugin makes of it, so that no event is lost unseen. */
static int
out_of_memory(struct gantry_call *call)
{
    pthread_mutex_lock(&call->lock);
    call->forced = GANTRY_E_NOMEM;
    err_clear(&call->error);
    (void)err_nomem(&call->error);
    pthread_mutex_unlock(&call->lock);
    return GANTRY_E_NOMEM;
}

int
runtime_watch_emit(struct watch *watch, uint32_t kind, const void *item)
{
    struct gantry_call *call = &watch->call;
    struct gantry_event event = {0};
    pthread_mutex_lock(&call->lock);
    int rc = call->forced ? call->forced : emit_check_event(call, kind, item, &event);
    pthread_mutex_unlock(&call->lock);
    if (rc < 0)
        return rc;
    if (atomic_load(&call->cancelled))
        return GANTRY_E_CANCELLED;
    struct event_node *node = node_of(&event);
    if (!node)
        return out_of_memory(call);
    pthread_mutex_lock(&watch->runtime->lock);
    bool wanted = watch->state == WATCH_INSIDE;
    if (wanted)
        runtime_events_add_locked(watch->backend, node);
    pthread_mutex_unlock(&watch->runtime->lock);
    if (!wanted)
        runtime_event_node_free(node);
    return wanted ? 0 : GANTRY_E_CANCELLED;
}

/* ---- its thread ------------------------------------------------------------------------------- */

static void
trace(struct watch *watch, bool hung, int code, int64_t began_ms)
{
    struct log *log = runtime_log_borrow(watch->runtime);
    if (!log)
        return;
    const struct runtime_backend *backend = watch->backend;
    int64_t took = clock_mono_ms() - began_ms;
    if (hung)
        log_warn(log, "hanging plugin call has returned", F_STR("plugin", backend->table.name),
                 F_STR("backend", backend->name), F_STR("operation", watch->call.op),
                 F_MS("took", took));
    else
        log_debug(log, "plugin call", F_STR("plugin", backend->table.name),
                  F_STR("backend", backend->name), F_STR("operation", watch->call.op),
                  F_STR("returned", gantry_code_name(code)), F_MS("took", took));
    runtime_log_return(watch->runtime);
}

/* Why it ended.  Success that nobody asked for is none: the loop thinks that it is being told. */
static void
judge(struct watch *watch, int returned)
{
    struct runtime_event *ended = &watch->ended->event;
    ended->code = call_judge(&watch->call, returned, &ended->error);
    if (ended->code == 0 && !atomic_load(&watch->call.cancelled))
        ended->code = err_set(&ended->error, GANTRY_E_INTERNAL,
                              "plugin '%s' returned from watch, which nobody had asked for",
                              watch->call.backend->table.name);
    ended->at_ms = clock_mono_ms();
}

static void
remove_locked(struct watch *watch)
{
    for (struct watch **at = &watch->runtime->watches; *at; at = &(*at)->next)
        if (*at == watch) {
            *at = watch->next;
            return;
        }
}

/* Leave: tell the loop, close a backend that waited for that, and wait to be joined. */
static void
leave(struct watch *watch, bool hung)
{
    struct runtime *runtime = watch->runtime;
    struct runtime_backend *backend = watch->backend;
    pthread_mutex_lock(&runtime->lock);
    backend->watch = NULL;
    if (hung)
        (void)eventfd_write(runtime->done_fd, 1); /* the loop may start another one */
    else
        runtime_events_add_locked(backend, TAKE(watch->ended));
    if (backend_is_left_locked(backend)) {
        pthread_mutex_unlock(&runtime->lock);
        backend_destroy(backend);
        pthread_mutex_lock(&runtime->lock);
    }
    remove_locked(watch);
    bool orphan = watch->orphan;
    if (!orphan) {
        watch->next = runtime->ended;
        runtime->ended = watch;
    }
    pthread_cond_broadcast(&runtime->quiet);
    pthread_mutex_unlock(&runtime->lock);
    if (orphan) {
        watch_free(watch);
        runtime_unref(runtime);
    }
}

static void *
watch_main(void *context)
{
    struct watch *watch = context;
    struct runtime *runtime = watch->runtime;
    struct runtime_backend *backend = watch->backend;
    int64_t began_ms = clock_mono_ms();
    call_enter(&watch->call);
    int returned = backend->table.watch(backend->self, &watch->call, watch->labels,
                                        watch->label_count, sizeof(struct gantry_pair));
    call_leave(&watch->call);
    pthread_mutex_lock(&runtime->lock);
    bool hung = watch->state == WATCH_HUNG;
    watch->state = WATCH_RETURNED;
    watch->overtime_ms = 0;
    pthread_mutex_unlock(&runtime->lock);
    if (!hung)
        judge(watch, returned);
    trace(watch, hung, returned, began_ms);
    leave(watch, hung);
    return NULL;
}

/* ---- starting and ending ---------------------------------------------------------------------- */

static bool
copy_labels(struct watch *watch, const struct gantry_pair *labels, uint32_t count)
{
    if (count == 0)
        return true;
    struct gantry_pair *copy = arena_alloc_array(&watch->arena, count, sizeof *copy);
    for (uint32_t i = 0; copy && i < count; i++) {
        copy[i].key = arena_dup_text(&watch->arena, labels[i].key);
        copy[i].value = arena_dup_text(&watch->arena, labels[i].value);
        if (!copy[i].key || !copy[i].value)
            return false;
    }
    watch->labels = copy;
    watch->label_count = count;
    return copy != NULL;
}

static struct watch *
watch_new(struct runtime_backend *backend, const struct gantry_pair *labels, uint32_t count)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch || call_init(&watch->call, backend, "watch") < 0) {
        free(watch);
        return NULL;
    }
    watch->call.emits = GANTRY_EMIT_EVENT;
    watch->call.watch = watch;
    watch->backend = backend;
    watch->runtime = backend->runtime;
    arena_init(&watch->arena, WATCH_ARENA_MAX);
    watch->ended = calloc(1, sizeof *watch->ended);
    if (!watch->ended || !copy_labels(watch, labels, count)) {
        watch_free(watch);
        return NULL;
    }
    watch->ended->event.kind = RUNTIME_EVENT_ENDED;
    return watch;
}

/* Begin, unless there is one.  *error_number: why no thread could be started. */
static int
begin_locked(struct watch *watch, int *error_number)
{
    struct runtime *runtime = watch->runtime;
    if (watch->backend->watch)
        return GANTRY_E_CONFLICT;
    /* Nobody but this thread looks at watch->thread, and the new one waits for the lock to leave. */
    *error_number = runtime_thread_start(&watch->thread, "gantry-watch", watch_main, watch);
    if (*error_number)
        return GANTRY_E_UNAVAILABLE;
    watch->backend->watch = watch;
    watch->backend->watch_is_lost = false;
    watch->next = runtime->watches;
    runtime->watches = watch;
    return 0;
}

int
runtime_watch_start(struct runtime_backend *backend, const struct gantry_pair *labels,
                    uint32_t count, struct gantry_error **err)
{
    struct runtime *runtime = backend->runtime;
    const char *plugin = backend->table.name;
    int error_number = 0;
    if (!backend->table.watch)
        return err_set(err, GANTRY_E_UNSUPPORTED, "plugin '%s' has no operation 'watch'", plugin);
    runtime_watch_join_ended(runtime);
    struct watch *watch = watch_new(backend, labels, count);
    if (!watch)
        return err_nomem(err);
    pthread_mutex_lock(&runtime->lock);
    int rc = begin_locked(watch, &error_number);
    bool hangs = rc == GANTRY_E_CONFLICT && backend->watch->state == WATCH_HUNG;
    pthread_mutex_unlock(&runtime->lock);
    if (rc == 0)
        return 0;
    watch_free(watch);
    if (rc == GANTRY_E_CONFLICT)
        return err_set(err, rc, "plugin '%s': %s", plugin,
                       hangs ? "an earlier watch hangs; wait until it has returned"
                             : "a watch of this backend runs already");
    return err_set_errno(err, rc, error_number, "plugin '%s': no thread to watch on", plugin);
}

void
runtime_watch_cancel_locked(struct watch *watch)
{
    if (watch->state != WATCH_INSIDE || watch->overtime_ms)
        return;
    call_cancel(&watch->call);
    watch->overtime_ms = clock_mono_ms() + watch->runtime->overtime_allowed_ms;
    overtime_poke_locked(watch->runtime, watch->overtime_ms);
}

void
runtime_watch_cancel_all_locked(struct runtime *runtime)
{
    for (struct watch *watch = runtime->watches; watch; watch = watch->next)
        runtime_watch_cancel_locked(watch);
}

void
runtime_watch_stop(struct runtime_backend *backend)
{
    pthread_mutex_lock(&backend->runtime->lock);
    if (backend->watch)
        runtime_watch_cancel_locked(backend->watch);
    pthread_mutex_unlock(&backend->runtime->lock);
}

/* ---- those that hang -------------------------------------------------------------------------- */

static struct watch *
find_overdue(const struct runtime *runtime, bool all)
{
    int64_t now = clock_mono_ms();
    for (struct watch *watch = runtime->watches; watch; watch = watch->next)
        if (watch->state == WATCH_INSIDE &&
            (all || (watch->overtime_ms && watch->overtime_ms <= now)))
            return watch;
    return NULL;
}

static void
hand_back_locked(struct watch *watch)
{
    struct event_node *node = TAKE(watch->ended);
    watch->state = WATCH_HUNG;
    node->event.at_ms = clock_mono_ms();
    node->event.code = err_set(&node->event.error, GANTRY_E_TIMEOUT,
                               "plugin '%s' does not return from watch although it was told to",
                               watch->backend->table.name);
    runtime_events_add_locked(watch->backend, node);
    pthread_cond_broadcast(&watch->runtime->quiet);
}

void
runtime_watch_sweep_locked(struct runtime *runtime, bool all)
{
    struct watch *watch;
    while ((watch = find_overdue(runtime, all)))
        hand_back_locked(watch);
}

int64_t
runtime_watch_due_locked(const struct runtime *runtime)
{
    int64_t due = INT64_MAX;
    for (const struct watch *watch = runtime->watches; watch; watch = watch->next)
        if (watch->state == WATCH_INSIDE && watch->overtime_ms)
            due = MIN(due, watch->overtime_ms);
    return due;
}

bool
runtime_watch_is_busy_locked(const struct runtime *runtime)
{
    for (const struct watch *watch = runtime->watches; watch; watch = watch->next)
        if (watch->state != WATCH_HUNG)
            return true;
    return false;
}

void
runtime_watch_leave_hung(struct runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    for (struct watch *watch = runtime->watches; watch; watch = watch->next) {
        watch->orphan = true;
        runtime_ref_locked(runtime);
        pthread_detach(watch->thread);
    }
    pthread_mutex_unlock(&runtime->lock);
}

void
runtime_watch_join_ended(struct runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    struct watch *ended = TAKE(runtime->ended);
    pthread_mutex_unlock(&runtime->lock);
    while (ended) {
        struct watch *watch = ended;
        ended = watch->next;
        pthread_join(watch->thread, NULL);
        watch_free(watch);
    }
}
