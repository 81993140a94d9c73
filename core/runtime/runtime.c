/* runtime.c - the runtime's own life: made, shared with what may outlive it, freed. */
#include "runtime_internal.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>

static int
init_condition(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    int rc = pthread_condattr_init(&attributes);
    if (rc)
        return rc;
    rc = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (!rc)
        rc = pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
    return rc;
}

static void
destroy(struct runtime *runtime)
{
    if (runtime->done_fd >= 0)
        close(runtime->done_fd);
    pthread_cond_destroy(&runtime->work);
    pthread_cond_destroy(&runtime->quiet);
    pthread_cond_destroy(&runtime->poke);
    pthread_mutex_destroy(&runtime->lock);
    free(runtime->folder);
    free(runtime);
}

int
runtime_new(size_t workers, struct log *log, struct runtime **out, struct gantry_error **err)
{
    struct runtime *runtime = calloc(1, sizeof *runtime);
    if (!runtime)
        return err_nomem(err);
    runtime->worker_max = MAX(workers, 1);
    runtime->overtime_allowed_ms = RUNTIME_OVERTIME_MS;
    runtime->log = log;
    runtime->refs = 1;
    runtime->watched_ms = INT64_MAX;
    runtime->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int eventfd_errno = errno;
    if (pthread_mutex_init(&runtime->lock, NULL) || init_condition(&runtime->work) ||
        init_condition(&runtime->quiet) || init_condition(&runtime->poke)) {
        if (runtime->done_fd >= 0)
            close(runtime->done_fd);
        free(runtime);
        return err_nomem(err);
    }
    if (runtime->done_fd < 0) {
        destroy(runtime);
        return err_set_errno(err, GANTRY_E_UNAVAILABLE, eventfd_errno, "cannot make an eventfd");
    }
    int rc =
        runtime_thread_start(&runtime->overtime_thread, "gantry-overtime", overtime_main, runtime);
    if (rc) {
        destroy(runtime);
        return err_set_errno(err, err_code_of_errno(rc), rc, "cannot start a thread");
    }
    *out = runtime;
    return 0;
}

int
runtime_keep_in(struct runtime *runtime, const char *folder)
{
    runtime->folder = text_dup(folder);
    return runtime->folder ? 0 : GANTRY_E_NOMEM;
}

void
runtime_allow_overtime(struct runtime *runtime, int64_t ms)
{
    runtime->overtime_allowed_ms = ms;
}

int
runtime_fd(const struct runtime *runtime)
{
    return runtime->done_fd;
}

void
runtime_ref_locked(struct runtime *runtime)
{
    runtime->refs++;
}

void
runtime_unref(struct runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    bool last = --runtime->refs == 0;
    pthread_mutex_unlock(&runtime->lock);
    if (last)
        destroy(runtime);
}

/* A call that hangs may outlive the log, so it borrows it for each line, and runtime_free() waits
 * for what is borrowed. */
struct log *
runtime_log_borrow(struct runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    struct log *log = runtime->log;
    if (log)
        runtime->logging++;
    pthread_mutex_unlock(&runtime->lock);
    return log;
}

void
runtime_log_return(struct runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    runtime->logging--;
    pthread_cond_broadcast(&runtime->quiet);
    pthread_mutex_unlock(&runtime->lock);
}

bool
runtime_wait(struct runtime *runtime, pthread_cond_t *cond, int64_t until_ms)
{
    if (until_ms == INT64_MAX)
        return pthread_cond_wait(cond, &runtime->lock) == 0;
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = (long)(until_ms % 1000) * 1000000};
    return pthread_cond_timedwait(cond, &runtime->lock, &until) != ETIMEDOUT;
}

/* Is a call in progress that does not hang? */
static bool
is_busy_locked(const struct runtime *runtime)
{
    for (const struct runtime_job_private *p = runtime->running.first; p; p = p->next)
        if (p->state != JOB_HUNG)
            return true;
    return runtime_watch_is_busy_locked(runtime);
}

static void
end_calls(struct runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    runtime->stopping = true;
    while (runtime->queue.first)
        runtime_refuse_locked(runtime, runtime->queue.first, GANTRY_E_CANCELLED,
                              "cannot begin: the manager ends");
    for (struct runtime_job_private *p = runtime->running.first; p; p = p->next)
        runtime_cancel_locked(p);
    runtime_watch_cancel_all_locked(runtime);
    pthread_cond_broadcast(&runtime->work);
    pthread_cond_broadcast(&runtime->poke);
    int64_t until = clock_mono_ms() + runtime->overtime_allowed_ms;
    while (is_busy_locked(runtime))
        if (!runtime_wait(runtime, &runtime->quiet, until)) {
            overtime_sweep_locked(runtime, true);
            runtime_watch_sweep_locked(runtime, true);
            until = clock_mono_ms() +
                    runtime->overtime_allowed_ms; /* what is in our own code ends by itself */
        }
    pthread_mutex_unlock(&runtime->lock);
}

void
runtime_end(struct runtime *runtime)
{
    if (!runtime || runtime->stopping)
        return;
    end_calls(runtime);
    pthread_join(runtime->overtime_thread, NULL);
    workers_end(runtime);
    runtime_watch_leave_hung(runtime);
    runtime_watch_join_ended(runtime);
    struct runtime_job *job;
    while ((job = runtime_take_done(runtime)))
        runtime_job_free(job);
}

void
runtime_free(struct runtime *runtime)
{
    if (!runtime)
        return;
    runtime_end(runtime);
    pthread_mutex_lock(&runtime->lock);
    runtime_events_drop_locked(runtime, NULL);
    runtime->log = NULL;
    while (runtime->logging)
        pthread_cond_wait(&runtime->quiet, &runtime->lock);
    pthread_mutex_unlock(&runtime->lock);
    runtime_unref(runtime);
}
