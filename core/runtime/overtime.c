/* overtime.c - calls that stay inside the plugin after their time.
 *
 * C cannot end a thread that hangs in foreign code.  What can be done: say so, take the job back
 * from it, and let another worker take its place.  The call keeps all memory that it may still
 * touch. */
#include "runtime_internal.h"

void
overtime_poke_locked(struct runtime *runtime, int64_t at_ms)
{
    if (at_ms < runtime->watched_ms)
        pthread_cond_signal(&runtime->poke);
}

void
overtime_set_locked(struct runtime_job_private *p, int64_t at_ms)
{
    if (!p->overtime_ms || at_ms < p->overtime_ms)
        p->overtime_ms = at_ms;
    overtime_poke_locked(p->runtime, p->overtime_ms);
}

/* Take the job away from the call.  No lock is held; p->state is JOB_HUNG, so the worker keeps off
 * it. */
static void
hand_back(struct runtime_job_private *p)
{
    struct runtime_job *job = p->job;
    struct gantry_call *call = &p->call;
    struct runtime *runtime = p->runtime;
    pthread_mutex_lock(&call->lock);
    call->job = NULL; /* from here on emits are refused */
    p->kept = job->arena;
    pthread_mutex_unlock(&call->lock);
    arena_init(&job->arena, p->kept.max_bytes);
    job->statuses.len = 0;
    job->lines.len = 0;
    job->traits = (struct gantry_traits){0};
    job->fetched = (struct gantry_image){0};
    job->hung = true;
    job->ended_ms = clock_mono_ms();
    job->code =
        err_set(&job->error, GANTRY_E_TIMEOUT,
                "plugin '%s' does not return from %s; nothing is known of its backend until it "
                "does",
                call->backend->table.name, call->op);
    struct log *log = runtime_log_borrow(runtime);
    if (!log)
        return;
    log_error(log, "plugin call hangs", F_STR("plugin", call->backend->table.name),
              F_STR("backend", call->backend->name), F_STR("operation", call->op),
              F_STR("connector", call->id), F_MS("since", job->ended_ms - job->started_ms));
    runtime_log_return(runtime);
}

static void
mark_hung_locked(struct runtime *runtime, struct runtime_job_private *p)
{
    p->state = JOB_HUNG;
    p->call.backend->hung++;
    for (struct worker *w = runtime->workers; w; w = w->next)
        if (w->doing == p) {
            w->lost = true;
            runtime->live--;
        }
    runtime_refuse_stuck_locked(runtime);
    if (runtime->queue.first)
        runtime_wake_locked(runtime);
}

static struct runtime_job_private *
find_overdue(const struct runtime *runtime, bool all)
{
    int64_t now = clock_mono_ms();
    for (struct runtime_job_private *p = runtime->running.first; p; p = p->next)
        if (p->state == JOB_INSIDE && (all || (p->overtime_ms && p->overtime_ms <= now)))
            return p;
    return NULL;
}

void
overtime_sweep_locked(struct runtime *runtime, bool all)
{
    struct runtime_job_private *p;
    while ((p = find_overdue(runtime, all))) {
        mark_hung_locked(runtime, p);
        pthread_mutex_unlock(&runtime->lock);
        hand_back(p);
        pthread_mutex_lock(&runtime->lock);
        runtime_post_locked(runtime, p);
        pthread_cond_broadcast(&runtime->quiet);
    }
}

void *
overtime_main(void *context)
{
    struct runtime *runtime = context;
    pthread_mutex_lock(&runtime->lock);
    while (!runtime->stopping) {
        overtime_sweep_locked(runtime, false);
        runtime_watch_sweep_locked(runtime, false);
        int64_t next = runtime_watch_due_locked(runtime);
        for (const struct runtime_job_private *p = runtime->running.first; p; p = p->next)
            if (p->state != JOB_HUNG && p->overtime_ms && p->overtime_ms < next)
                next = p->overtime_ms;
        runtime->watched_ms = next;
        if (!runtime->stopping)
            runtime_wait(runtime, &runtime->poke, next);
    }
    pthread_mutex_unlock(&runtime->lock);
    return NULL;
}
