/* down.c - stops and removes every workload that bears this manager's id, and asks no platform. */
#include "manager_internal.h"

#include "events.h"
#include "places.h"

#include "clock.h"
#include "err.h"

#include <poll.h>

#define REMOVE_TIMEOUT_MS 120000
#define STOP_EXTRA_MS     20000
#define PASSES            3 /* what came up while we removed is found by the next listing */

struct down {
    struct gantry_manager *m;
    struct backend_side *b;
    VEC(struct runtime_job *) jobs; /* in flight; owned by the runtime */
    size_t found;
    bool look_only, stopped;
    int code;
    struct gantry_error **err;
};

static void
keep_failure(struct down *d, const struct runtime_job *job)
{
    log_error(&d->m->log, "workload could not be taken down", F_STR("workload", job->name),
              F_STR("call", runtime_op_name(job->op)), F_STR("error", err_text(job->error)));
    if (d->code < 0)
        return;
    d->code = err_set(d->err, GANTRY_E_UNAVAILABLE, "backend '%s': %s%s%s", d->b->settings->name,
                      job->name ? job->name : "", job->name ? ": " : "", err_text(job->error));
}

static void
send(struct down *d, struct runtime_job *job)
{
    struct runtime_job **slot = vec_push(&d->jobs);
    if (!slot) {
        runtime_job_free(job);
        d->code = err_nomem(d->err);
        return;
    }
    *slot = job;
    runtime_submit(d->m->runtime, job);
}

static void
submit(struct down *d, enum runtime_op op, const struct gantry_status *s)
{
    struct runtime_job *job = runtime_job_new(op, d->b->backend);
    int64_t grace_ms = d->b->settings->stop_timeout_ms;
    if (!job) {
        d->code = err_nomem(d->err);
        return;
    }
    job->handle = arena_dup_text(&job->arena, s->handle);
    if (!job->handle) {
        runtime_job_free(job);
        d->code = err_nomem(d->err);
        return;
    }
    job->id = job->handle;
    job->name = arena_dup_text(&job->arena, s->name ? s->name : "");
    job->grace_ms = (uint32_t)grace_ms;
    job->timeout_ms = op == RUNTIME_STOP ? grace_ms + STOP_EXTRA_MS : REMOVE_TIMEOUT_MS;
    send(d, job);
}

static void
list(struct down *d)
{
    struct runtime_job *job = backend_side_list_job(d->b);
    if (job)
        send(d, job);
    else
        d->code = err_nomem(d->err);
}

static void
done(struct down *d, const struct runtime_job *job)
{
    if (d->stopped)
        return;
    if (job->code < 0) {
        keep_failure(d, job);
        return;
    }
    if (job->op == RUNTIME_LIST) {
        d->found = 0;
        vec_each (&job->statuses, s) {
            bool ours;
            if (!observe_owner(d->b, s, &ours))
                continue; /* of a platform that these settings do not have */
            d->found++;
            if (d->look_only)
                continue;
            submit(d, state_is_live((enum gantry_state)s->state) ? RUNTIME_STOP : RUNTIME_REMOVE,
                   s);
        }
    } else if (job->op == RUNTIME_STOP) {
        struct gantry_status s = {.handle = job->handle, .name = job->name};
        submit(d, RUNTIME_REMOVE, &s);
    } else {
        events_down(d->b, job->name);
        log_info(&d->m->log, "workload removed", F_STR("workload", job->name));
    }
}

static bool
take_own(struct down *d, const struct runtime_job *job)
{
    for (size_t i = 0; i < d->jobs.len; i++) {
        if (d->jobs.ptr[i] == job) {
            vec_remove(&d->jobs, i);
            return true;
        }
    }
    return false;
}

static void
take_results(struct down *d)
{
    struct runtime_job *job;
    while ((job = runtime_take_done(d->m->runtime))) {
        struct backend_side *b = manager_backend_of(d->m, job);
        if (take_own(d, job))
            done(d, job);
        else if (b) /* of a run before this one */
            backend_side_done(b, job);
        runtime_job_free(job);
    }
    watching_take(d->m); /* the end of one that an earlier run had */
}

static void
stop(struct down *d)
{
    d->stopped = true;
    if (d->code == 0)
        d->code = err_set(d->err, GANTRY_E_CANCELLED, "stopped before everything was taken down");
    vec_each (&d->jobs, job)
        runtime_cancel(*job);
}

/* Until nothing of ours is in flight; actions of a run before this one may still make something. */
static void
wait(struct down *d)
{
    while (d->jobs.len > 0 || (!d->stopped && d->m->actions_in_flight > 0)) {
        struct pollfd fds[] = {{.fd = runtime_fd(d->m->runtime), .events = POLLIN},
                               {.fd = d->m->wake_fd, .events = POLLIN}};
        eventfd_t count;
        (void)poll(fds, ARRAY_LENGTH(fds), 60000);
        (void)eventfd_read(d->m->wake_fd, &count);
        if (atomic_load(&d->m->stopping) && !d->stopped)
            stop(d);
        take_results(d);
    }
}

/* One pass over one backend: list, then stop and remove what was found, side by side. */
static void
pass(struct down *d)
{
    wait(d);
    if (!d->stopped)
        list(d);
    wait(d);
}

int
down_run(struct gantry_manager *m, struct gantry_error **err)
{
    int code = 0;
    for (size_t i = 0; i < m->backend_count; i++) {
        struct down d = {.m = m, .b = &m->backends[i], .err = code < 0 ? NULL : err};
        for (int n = 0; n <= PASSES; n++) {
            d.look_only = n == PASSES;
            pass(&d);
            if (d.code < 0 || d.found == 0)
                break;
        }
        if (d.code == 0 && d.found > 0)
            d.code = err_set(d.err, GANTRY_E_UNAVAILABLE,
                             "backend '%s': %zu workloads are still there; is another manager with "
                             "this id running?",
                             d.b->settings->name, d.found);
        vec_clear(&d.jobs);
        if (d.code == 0 && !d.stopped)
            places_taken_down(d.b);
        if (code == 0)
            code = d.code;
    }
    if (m->state_dirty)
        state_write(m);
    return code;
}
