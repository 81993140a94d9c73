/* reads.c - inspections and logs, a few at a time: those that wait stand in the backend's queue.
 *
 * An inspection follows a change, and goes before a health report. */
#include "manager_internal.h"

#include "clock.h"
#include "err.h"
#include "random.h"

#define INSPECT_TIMEOUT_MS 30000

static void
inspect(struct connector *c, const struct seen *s)
{
    struct backend_side *b = c->platform->backend;
    struct gantry_manager *m = b->manager;
    struct runtime_job *job = runtime_job_new(RUNTIME_INSPECT, b->backend);
    if (!job)
        return;
    job->handle = arena_dup_text(&job->arena, s->handle);
    job->id = arena_dup_text(&job->arena, c->id);
    job->name = arena_dup_text(&job->arena, s->name);
    if (!job->handle || !job->id || !job->name) {
        runtime_job_free(job);
        return;
    }
    job->timeout_ms = INSPECT_TIMEOUT_MS;
    job->owner = c;
    c->inspecting = true;
    c->inspect_asked = ++m->asked;
    b->inspections_in_flight++;
    runtime_submit(m->runtime, job);
}

/* An answer to a question older than an action or a listing says nothing any more. */
static bool
is_outdated(const struct connector *c)
{
    return c->job || c->acted >= c->inspect_asked ||
           c->platform->backend->list_applied > c->inspect_asked;
}

static void
take_inspection(struct connector *c, const struct gantry_status *status)
{
    if (observe_status(c, status, true) < 0)
        c->observed = false;
    struct seen *s = connector_seen(c, status->handle);
    if (s)
        s->told = c->inspect_asked;
}

/* We take it away, or have done so: if that fails, a listing follows it. */
static bool
is_our_removal(struct connector *c, const char *handle)
{
    return (c->job && c->doing == DO_REMOVE) || !connector_seen(c, handle);
}

void
read_inspected(struct connector *c, struct runtime_job *job)
{
    struct backend_side *b = c->platform->backend;
    c->inspecting = false;
    c->not_inspected = job->code == 0 ? 0 : c->not_inspected + 1;
    if (job->code == 0 && job->statuses.len > 0) {
        c->not_found = 0;
        if (!is_outdated(c))
            take_inspection(c, &job->statuses.ptr[0]);
        connector_still_changed(c, c->inspect_asked);
    } else if (job->code == GANTRY_E_NOT_FOUND && is_our_removal(c, job->handle)) {
        c->not_found = 0; /* that is no news */
    } else if (job->code == GANTRY_E_NOT_FOUND) {
        /* It has just gone: a listing says so at once, or else later and later. */
        uint32_t n = c->not_found++;
        backend_side_refresh_in(b, n == 0 ? LIST_GAP_MS : reconcile_backoff_ms(n, random_u64()));
    } else if (job->code < 0) {
        log_debug(&b->manager->log, "inspection failed", F_STR("connector", c->id),
                  F_STR("error", err_text(job->error)));
        /* The event that it followed does not come again: a listing looks, and has it asked anew. */
        if (watching_is_healthy(b))
            backend_side_refresh_in(b, reconcile_backoff_ms(c->not_inspected, random_u64()));
    }
    if (job->code == 0)
        connector_read_later(c); /* there may be another */
    connector_touch(c);
}

static const struct seen *
to_inspect(const struct connector *c)
{
    if (c->inspecting || c->job)
        return NULL;
    for (size_t i = 0; i < c->seen.len; i++) {
        if (!c->seen.ptr[i].inspected || c->seen.ptr[i].stale)
            return &c->seen.ptr[i];
    }
    return NULL;
}

/* Start what there is room for.  Returns whether it has to wait for more. */
static bool
serve(struct backend_side *b, struct connector *c, int64_t now_ms)
{
    const struct seen *s = to_inspect(c);
    bool waits = false;
    if (s && b->inspections_in_flight < INSPECTIONS_IN_FLIGHT)
        inspect(c, s);
    else
        waits = s != NULL;
    bool last = exits_want_lines(c);
    if (c->logs_ms > now_ms && !last)
        return waits;
    if (b->logs_in_flight >= LOGS_IN_FLIGHT || (last && c->reading))
        return true;
    if (last) {
        tail_read_last(c);
        return waits;
    }
    c->logs_ms = connector_next(now_ms, c->platform->settings->logs_interval_ms);
    b->manager->scan_ms = MIN(b->manager->scan_ms, c->logs_ms);
    tail_read(c);
    return waits;
}

/* So many that have to wait show that there is no room; the others are looked at next time, before these. */
enum { WAITING_LOOKED_AT = 64 };

void
reads_run(struct backend_side *b)
{
    int64_t now = clock_mono_ms();
    struct connector *waiting[WAITING_LOOKED_AT], **queue = b->read_queue.ptr;
    size_t looked_at = 0, left = 0, rest;
    while (looked_at < b->read_queue.len && left < WAITING_LOOKED_AT) {
        struct connector *c = queue[looked_at++];
        c->reads = serve(b, c, now);
        if (c->reads)
            waiting[left++] = c;
    }
    if (looked_at == 0)
        return;
    rest = b->read_queue.len - looked_at;
    memmove(queue, queue + looked_at, rest * sizeof(struct connector *));
    memcpy(queue + rest, waiting, left * sizeof(struct connector *));
    b->read_queue.len = rest + left;
    if (b->read_queue.len == 0)
        vec_reset(&b->read_queue);
}
