/* backend_side.c - asks one backend: which workloads are there, and what has become of one.
 *
 * One listing serves all connectors; an inspection follows a change, and goes before a health
 * report. */
#include "manager_internal.h"

#include "drain.h"
#include "events.h"

#include "clock.h"
#include "err.h"

#define LIST_TIMEOUT_MS 60000

/* How a listing went.  Returns whether it went well. */
static bool
list_end(struct backend_side *b, int code, const struct gantry_error *error)
{
    struct gantry_manager *m = b->manager;
    bool was_well = b->list.answered && !b->list.failing;
    bool news = asking_end(&b->list, code, error, watching_list_period_ms(b));
    if (news)
        events_backend(b, code, error);
    if (news && code < 0)
        log_warn(&m->log, "backend cannot be asked", F_STR("backend", b->settings->name),
                 F_STR("code", gantry_code_name(code)), F_STR("error", err_text(error)),
                 F_MS("retry_in", b->list.next_ms - clock_mono_ms()));
    else if (news)
        log_info(&m->log, "backend answers again", F_STR("backend", b->settings->name));
    if (code < 0 && !m->first_error)
        (void)err_set(&m->first_error, code, "backend '%s': %s", b->settings->name,
                      err_text(error));
    m->changed |= news || was_well != (code == 0);
    if (was_well != (code == 0))
        drain_said(b);
    return code == 0;
}

struct runtime_job *
backend_side_list_job(struct backend_side *b)
{
    struct runtime_job *job = runtime_job_new(RUNTIME_LIST, b->backend);
    struct gantry_pair *label = job ? arena_alloc(&job->arena, sizeof *label) : NULL;
    if (!label) {
        runtime_job_free(job);
        return NULL;
    }
    *label = (struct gantry_pair){GANTRY_LABEL_MANAGER, b->manager->settings->id};
    job->labels = label;
    job->label_count = 1;
    job->timeout_ms = LIST_TIMEOUT_MS;
    return job;
}

static void
list_begin(struct backend_side *b)
{
    struct gantry_manager *m = b->manager;
    struct runtime_job *job = backend_side_list_job(b);
    if (!job) {
        AUTO_ERR struct gantry_error *error = NULL;
        (void)list_end(b, err_nomem(&error),
                       error); /* a run that ends by itself does not wait for it */
        return;
    }
    asking_begin(&b->list);
    b->stale = false;
    b->list_asked = ++m->asked;
    runtime_submit(m->runtime, job);
}

void
backend_side_step(struct backend_side *b, int64_t now_ms)
{
    watching_step(b, now_ms);
    if (asking_due(&b->list, now_ms))
        list_begin(b);
    reads_run(b);
    images_step(b);
}

int64_t
backend_side_due(const struct backend_side *b)
{
    return MIN(watching_due(b), b->list.in_flight ? NEVER_MS : b->list.next_ms);
}

void
backend_side_refresh(struct backend_side *b)
{
    backend_side_refresh_in(b, LIST_GAP_MS);
}

void
backend_side_refresh_in(struct backend_side *b, int64_t ms)
{
    if (b->list.in_flight) {
        b->stale = true; /* the one on its way may have missed it */
        return;
    }
    if (!b->list.failing)
        b->list.next_ms = MIN(b->list.next_ms, clock_mono_ms() + ms);
}

static void
list_done(struct backend_side *b, const struct runtime_job *job)
{
    b->listed_ms = clock_mono_ms();
    if (b->list_asked == 0) { /* by a run before this one */
        b->list.in_flight = false;
        return;
    }
    if (!list_end(b, job->code, job->error)) {
        int64_t pause_ms =
            job->retry_asked ? MIN(job->retry_after_ms, RECONCILE_BACKOFF_MAX_MS) : 0;
        b->list.next_ms = MAX(b->list.next_ms, clock_mono_ms() + pause_ms);
        return;
    }
    observe_list(b, job, b->list_asked);
    if (b->stale)
        b->list.next_ms = clock_mono_ms() + LIST_GAP_MS;
}

void
backend_side_done(struct backend_side *b, struct runtime_job *job)
{
    struct connector *c = job->owner;
    switch (job->op) {
    case RUNTIME_LIST:
        list_done(b, job);
        return;
    case RUNTIME_INSPECT:
        b->inspections_in_flight--;
        read_inspected(c, job);
        break;
    case RUNTIME_LOGS:
        b->logs_in_flight--;
        tail_done(c, job);
        break;
    case RUNTIME_REMOVE_IMAGE:
        images_removed(b, job);
        return;
    case RUNTIME_PROBE:
    case RUNTIME_START:
    case RUNTIME_STOP:
    case RUNTIME_REMOVE:
    case RUNTIME_PULL:
    case RUNTIME_OP_COUNT:
        if (c && drain_is_mine(c, job))
            drain_done(c, job);
        else if (c)
            act_done(c, job);
        return;
    }
    reads_run(b);
}
