/* watching.c - backends that tell what happens: their plugin's watch(), and what follows from it.
 *
 * While a watch is healthy (it has said SYNCED, and neither LOST nor ended since) the backend is listed after
 * each SYNCED and every few minutes only, and a workload is inspected when the watch names it.  A watch is
 * believed as long as it proves itself: what we change ourselves must come back as an event. */
#include "manager_internal.h"

#include "clock.h"
#include "err.h"
#include "random.h"

#define WATCHED_LIST_EVERY_MS (INT64_C(5) * 60 * 1000)
#define PROOF_WITHIN_MS       10000
#define STRANGERS_MAX         20000
#define EVENTS_AT_ONCE        1000
#define STEADY_MS             60000 /* a watch that lasted so long was a good one */

bool
watching_is_healthy(const struct backend_side *b)
{
    return b->watch.wanted && b->watch.synced && !b->watch.blind;
}

int64_t
watching_list_period_ms(const struct backend_side *b)
{
    int64_t interval = b->manager->settings->interval_ms;
    return watching_is_healthy(b) ? MAX(WATCHED_LIST_EVERY_MS, interval) : interval;
}

static void
list_by(struct backend_side *b, int64_t at_ms)
{
    if (b->list.in_flight)
        b->stale = true; /* the one on its way may have missed it */
    else
        b->list.next_ms = MIN(b->list.next_ms, MAX(at_ms, b->listed_ms + LIST_GAP_MS));
}

/* ---- beginning and ending -------------------------------------------------------------------- */

void
watching_begin(struct backend_side *b)
{
    struct watching *w = &b->watch;
    w->wanted = true;
    w->synced = w->blind = false; /* one of an earlier run may still be on its way out */
    w->failures = 0;
    w->retry_ms = 0;
    w->proof_ms = NEVER_MS;
    (void)text_set(&w->problem, NULL);
}

void
watching_end(struct backend_side *b)
{
    b->watch.wanted = b->watch.synced = false;
    if (b->watch.running)
        runtime_watch_stop(b->backend);
}

void
watching_clear(struct backend_side *b)
{
    free(b->watch.problem);
    map_clear(&b->handles);
    map_clear(&b->strangers);
}

/* Whoever says SYNCED and fails soon after, again and again, is started ever more rarely. */
static void
forgive(struct watching *w)
{
    if (w->synced && !w->blind && clock_mono_ms() - w->synced_ms >= STEADY_MS)
        w->failures = 0;
}

/* It does not watch now: ask as if it could not, until it does. */
static void
not_watching(struct backend_side *b)
{
    forgive(&b->watch);
    b->watch.synced = false;
    b->watch.proof_ms = NEVER_MS;
    list_by(b, clock_mono_ms() + b->manager->settings->interval_ms);
}

static void
failed(struct backend_side *b, int code, const struct gantry_error *error)
{
    struct watching *w = &b->watch;
    struct log *log = &b->manager->log;
    if (code == GANTRY_E_UNSUPPORTED) {
        w->unsupported = true;
        log_debug(log, "backend cannot be watched: it is asked in each interval",
                  F_STR("backend", b->settings->name), F_STR("error", err_text(error)));
        return;
    }
    w->failures++;
    int64_t wait = reconcile_backoff_ms(w->failures, random_u64());
    w->retry_ms = clock_mono_ms() + wait;
    if (!text_eq(w->problem, err_text(error)))
        log_warn(log, "backend is not watched: it is asked in each interval until it is",
                 F_STR("backend", b->settings->name), F_STR("code", gantry_code_name(code)),
                 F_STR("error", err_text(error)), F_MS("retry_in", wait));
    (void)text_set(&w->problem, err_text(error));
}

static void
start(struct backend_side *b)
{
    AUTO_ERR struct gantry_error *error = NULL;
    struct gantry_pair label = {GANTRY_LABEL_MANAGER, b->manager->settings->id};
    int code = runtime_watch_start(b->backend, &label, 1, &error);
    b->watch.running = code == 0;
    if (code < 0)
        failed(b, code, error);
}

/* ---- what it tells --------------------------------------------------------------------------- */

/* A workload that is not known yet: does an action make it, which will name it?  An id may be listed by several
 * platforms. */
static bool
is_being_made(struct backend_side *b, const char *id)
{
    struct gantry_manager *m = b->manager;
    bool made = false;
    for (size_t i = 0; id && i < m->platform_count; i++) {
        struct connector *c =
            m->platforms[i].backend == b ? map_find(&m->platforms[i].connectors, str_of(id)) : NULL;
        if (!c || !c->job)
            continue;
        c->changed = ++m->asked;
        made = true;
    }
    return made;
}

/* It sees: what it tells is believed. */
static void
prove(struct backend_side *b, int64_t at_ms)
{
    struct watching *w = &b->watch;
    w->event_ms = MAX(w->event_ms, at_ms);
    w->proof_ms = NEVER_MS;
    if (!w->blind)
        return;
    w->blind = false;
    w->failures = 0;
    log_info(&b->manager->log, "backend's watch tells of changes again",
             F_STR("backend", b->settings->name));
}

static void
changed(struct backend_side *b, const struct runtime_event *event)
{
    struct gantry_manager *m = b->manager;
    prove(b, event->at_ms);
    struct connector *c = map_find(&b->handles, str_of(event->handle));
    struct seen *s = c ? connector_seen(c, event->handle) : NULL;
    if (s) {
        s->changed = ++m->asked;
        s->stale = true;
        connector_read_later(c); /* while its action is in flight: when that has ended */
        return;
    }
    /* Gone by our own hand, or nobody's: but a runtime may give the same handle again, so that one that is
     * known, or being made, comes first. */
    if (!is_being_made(b, event->id) && !map_find(&b->strangers, str_of(event->handle)))
        backend_side_refresh(b);
}

static void
synced(struct backend_side *b, int64_t at_ms)
{
    struct watching *w = &b->watch;
    w->synced_ms = w->synced ? w->synced_ms : clock_mono_ms();
    w->synced = true;
    w->event_ms = MAX(w->event_ms, at_ms); /* what was before it needs no event */
    w->proof_ms = NEVER_MS;
    if (w->problem)
        log_info(&b->manager->log, "backend is watched again", F_STR("backend", b->settings->name));
    (void)text_set(&w->problem, NULL);
    list_by(b, clock_mono_ms());
}

static void
ended(struct backend_side *b, const struct runtime_event *event)
{
    struct watching *w = &b->watch;
    w->running = false;
    if (!w->wanted)
        return;
    not_watching(b);
    if (event->code < 0 && event->code != GANTRY_E_CANCELLED)
        failed(b, event->code, event->error);
    else /* we ended it, as it was blind, or for the run before this one */
        w->retry_ms =
            w->blind ? clock_mono_ms() + reconcile_backoff_ms(w->failures, random_u64()) : 0;
}

static void
take(struct backend_side *b, const struct runtime_event *event)
{
    if (event->kind == RUNTIME_EVENT_ENDED)
        ended(b, event);
    if (!b->watch.wanted || !b->watch.running)
        return;
    switch (event->kind) {
    case RUNTIME_EVENT_CHANGED:
        changed(b, event);
        break;
    case RUNTIME_EVENT_SYNCED:
        synced(b, event->at_ms);
        break;
    case RUNTIME_EVENT_LOST:
        not_watching(b);
        break;
    case RUNTIME_EVENT_ENDED:
        break;
    }
}

/* A plugin may tell faster than we can hear: the rest is left to the next step, for which the runtime's
 * descriptor stays readable. */
void
watching_take(struct gantry_manager *m)
{
    struct runtime_event event;
    for (size_t n = 0; n < EVENTS_AT_ONCE && runtime_take_event(m->runtime, &event); n++) {
        for (size_t i = 0; i < m->backend_count; i++) {
            if (m->backends[i].backend == event.backend)
                take(&m->backends[i], &event);
        }
        runtime_event_clear(&event);
    }
}

/* ---- is it to be believed? ------------------------------------------------------------------- */

void
watching_acted(const struct connector *c)
{
    struct watching *w = &c->platform->backend->watch;
    if (w->wanted && w->synced && w->event_ms < c->acting_since_ms)
        w->proof_ms = MIN(w->proof_ms, clock_mono_ms() + PROOF_WITHIN_MS);
}

static void
disbelieve(struct backend_side *b)
{
    struct watching *w = &b->watch;
    if (!w->blind)
        log_warn(&b->manager->log,
                 "backend's watch did not tell of what was changed: it is started anew, and the "
                 "backend is asked in each interval until it tells",
                 F_STR("backend", b->settings->name));
    forgive(w);
    w->blind = true;
    w->failures++;
    w->proof_ms = NEVER_MS;
    if (w->running)
        runtime_watch_stop(b->backend);
    list_by(b, clock_mono_ms() + LIST_GAP_MS);
}

void
watching_step(struct backend_side *b, int64_t now_ms)
{
    struct watching *w = &b->watch;
    if (!w->wanted)
        return;
    if (!w->running && !w->unsupported && now_ms >= w->retry_ms)
        start(b);
    if (now_ms >= w->proof_ms)
        disbelieve(b);
}

int64_t
watching_due(const struct backend_side *b)
{
    const struct watching *w = &b->watch;
    if (!w->wanted)
        return NEVER_MS;
    return !w->running && !w->unsupported ? MIN(w->retry_ms, w->proof_ms) : w->proof_ms;
}

void
watching_ignore(struct backend_side *b, const char *handle)
{
    if (!b->watch.wanted || !handle)
        return;
    if (b->strangers.len >= STRANGERS_MAX)
        map_clear(&b->strangers);
    int code = map_set(&b->strangers, str_of(handle), b, NULL);
    (void)code; /* without memory its events cost a listing */
}
