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

void
read_inspected(struct connector *c, struct runtime_job *job)
{
    struct backend_side *b = c->platform->backend;
    c->inspecting = false;
    if (job->code == 0 && job->statuses.len > 0) {
        c->not_found = 0;
        if (!is_outdated(c) && observe_status(c, &job->statuses.ptr[0], true) < 0)
            c->observed = false;
    } else if (job->code == GANTRY_E_NOT_FOUND) {
        backend_side_refresh_in(b, reconcile_backoff_ms(++c->not_found, random_u64()));
    } else if (job->code < 0) {
        log_debug(&b->manager->log, "inspection failed", F_STR("connector", c->id),
                  F_STR("error", err_text(job->error)));
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
    if (c->logs_ms > now_ms)
        return waits;
    if (b->logs_in_flight >= LOGS_IN_FLIGHT)
        return true;
    c->logs_ms = connector_next(now_ms, c->platform->settings->logs_interval_ms);
    b->manager->scan_ms = MIN(b->manager->scan_ms, c->logs_ms);
    tail_read(c);
    return waits;
}

void
reads_run(struct backend_side *b)
{
    int64_t now = clock_mono_ms();
    size_t left = 0;
    for (size_t i = 0; i < b->read_queue.len; i++) {
        struct connector *c = b->read_queue.ptr[i];
        c->reads = serve(b, c, now);
        if (c->reads)
            b->read_queue.ptr[left++] = c;
    }
    b->read_queue.len = left;
}
