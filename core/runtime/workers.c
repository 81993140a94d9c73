/* workers.c - the queue, and the threads that take from it.
 *
 * A job waits in the queue until its backend's thread model lets it in; no worker waits for that.
 * Workers are started when there is something for them to do, up to the runtime's number.  One
 * whose call hangs no longer counts; when the call returns after all, it stays if it is needed,
 * else ends. */
#include "runtime_internal.h"

#include "str.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>

/* TLS, name resolution and plugins of third parties need some room; only what is touched costs
 * memory. */
#define STACK_SIZE ((size_t)512 << 10)

struct thread_start {
    char name[16];
    void *(*main)(void *);
    void *context;
};

static void *
thread_main(void *context)
{
    struct thread_start start = *(struct thread_start *)context;
    free(context);
    pthread_setname_np(pthread_self(), start.name);
    return start.main(start.context);
}

int
runtime_thread_start(pthread_t *thread, const char *name, void *(*main)(void *), void *context)
{
    struct thread_start *start = calloc(1, sizeof *start);
    if (!start)
        return ENOMEM;
    snprintf(start->name, sizeof start->name, "%s", name);
    start->main = main;
    start->context = context;
    pthread_attr_t attributes;
    int rc = pthread_attr_init(&attributes);
    if (rc) {
        free(start);
        return rc;
    }
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    /* The program's signals are its own affair, on its own threads. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(thread, &attributes, thread_main, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (rc)
        free(start);
    return rc;
}

/* ---- the queue ------------------------------------------------------------------------------- */

/* A call of the same workload that is inside. */
static const struct runtime_job_private *
same_workload(const struct runtime *runtime, const struct runtime_job_private *p)
{
    if (!p->call.id)
        return NULL;
    for (const struct runtime_job_private *r = runtime->running.first; r; r = r->next)
        if (r->call.backend == p->call.backend && text_eq(r->call.id, p->call.id))
            return r;
    return NULL;
}

static bool
may_enter(const struct runtime *runtime, const struct runtime_job_private *p)
{
    const struct runtime_backend *backend = p->call.backend;
    if (backend->table.threads == GANTRY_THREADS_SERIAL)
        return backend->inside == 0;
    if (backend->table.threads == GANTRY_THREADS_PER_WORKLOAD)
        return !same_workload(runtime, p);
    return true;
}

/* Would it wait for a call that hangs? */
static bool
is_stuck(const struct runtime *runtime, const struct runtime_job_private *p)
{
    const struct runtime_backend *backend = p->call.backend;
    if (backend->hung == 0)
        return false;
    if (backend->table.threads == GANTRY_THREADS_SERIAL || backend->hung >= BACKEND_HUNG_MAX)
        return true;
    if (backend->table.threads != GANTRY_THREADS_PER_WORKLOAD)
        return false;
    const struct runtime_job_private *r = same_workload(runtime, p);
    return r && r->state == JOB_HUNG;
}

void
runtime_post_locked(struct runtime *runtime, struct runtime_job_private *p)
{
    p->next_done = NULL;
    if (runtime->done_last)
        runtime->done_last->next_done = p;
    else
        runtime->done_first = p;
    runtime->done_last = p;
    (void)eventfd_write(runtime->done_fd, 1);
}

void
runtime_refuse_locked(struct runtime *runtime, struct runtime_job_private *p, int code,
                      const char *why)
{
    struct runtime_job *job = p->job;
    job_list_remove(&runtime->queue, p);
    runtime->queued--;
    p->state = JOB_DONE;
    job->ended_ms = clock_mono_ms();
    job->code = err_set(&job->error, code, "plugin '%s': %s %s", p->call.backend->table.name,
                        runtime_op_name(job->op), why);
    runtime_post_locked(runtime, p);
}

void
runtime_refuse_stuck_locked(struct runtime *runtime)
{
    struct runtime_job_private *next;
    for (struct runtime_job_private *p = runtime->queue.first; p; p = next) {
        next = p->next;
        if (is_stuck(runtime, p))
            runtime_refuse_locked(runtime, p, GANTRY_E_UNAVAILABLE,
                                  "cannot begin while an earlier call of its plugin hangs");
    }
}

static struct runtime_job_private *
next_job_locked(struct runtime *runtime)
{
    for (struct runtime_job_private *p = runtime->queue.first; p; p = p->next)
        if (may_enter(runtime, p))
            return p;
    return NULL;
}

/* ---- workers --------------------------------------------------------------------------------- */

static void
begin_locked(struct worker *w, struct runtime_job_private *p)
{
    struct runtime *runtime = w->runtime;
    job_list_remove(&runtime->queue, p);
    runtime->queued--;
    job_list_add(&runtime->running, p);
    p->state = JOB_STARTED;
    atomic_fetch_add(&p->refs, 1);
    p->call.backend->inside++;
    w->doing = p;
}

/* The call has returned.  Returns a backend that was waiting for that to be closed, or NULL. */
static struct runtime_backend *
end_locked(struct worker *w, struct runtime_job_private *p)
{
    struct runtime *runtime = w->runtime;
    struct runtime_backend *backend = p->call.backend;
    job_list_remove(&runtime->running, p);
    w->doing = NULL;
    backend->inside--;
    if (p->state == JOB_HUNG) {
        backend->hung--;
        (void)eventfd_write(runtime->done_fd, 1); /* the loop may ask the backend again */
    } else {
        p->state = JOB_DONE;
        p->job->ended_ms = clock_mono_ms();
        runtime_post_locked(runtime, p);
    }
    pthread_cond_broadcast(&runtime->quiet);
    return backend_is_left_locked(backend) ? backend : NULL;
}

static void
remove_worker_locked(struct worker *w)
{
    for (struct worker **at = &w->runtime->workers; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            return;
        }
}

/* After a call that was hanging: is this worker still wanted?  Otherwise it is gone. */
static bool
come_back_locked(struct worker *w)
{
    struct runtime *runtime = w->runtime;
    if (!w->lost)
        return true;
    w->lost = false;
    if (runtime->stopping || runtime->live < runtime->worker_max) {
        runtime->live++;
        return true;
    }
    remove_worker_locked(w);
    pthread_detach(w->thread);
    free(w);
    runtime_wake_locked(runtime); /* what has become eligible is another one's */
    return false;
}

static void *
worker_main(void *context)
{
    struct worker *w = context;
    struct runtime *runtime = w->runtime;
    pthread_mutex_lock(&runtime->lock);
    for (;;) {
        struct runtime_job_private *p = next_job_locked(runtime);
        if (!p) {
            if (runtime->stopping)
                break;
            runtime->idle++;
            pthread_cond_wait(&runtime->work, &runtime->lock);
            runtime->idle--;
            continue;
        }
        begin_locked(w, p);
        pthread_mutex_unlock(&runtime->lock);
        job_run(p);
        pthread_mutex_lock(&runtime->lock);
        struct runtime_backend *left_behind = end_locked(w, p);
        pthread_mutex_unlock(&runtime->lock);
        job_release(p);
        if (left_behind)
            backend_destroy(left_behind);
        pthread_mutex_lock(&runtime->lock);
        if (w->orphan) {
            pthread_mutex_unlock(&runtime->lock);
            free(w);
            runtime_unref(runtime);
            return NULL;
        }
        if (!come_back_locked(w))
            break;
    }
    pthread_mutex_unlock(&runtime->lock);
    return NULL;
}

/* Returns 0 or an errno. */
static int
add_worker_locked(struct runtime *runtime)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return ENOMEM;
    w->runtime = runtime;
    /* It begins by taking the lock, so w->thread is set before anybody looks at it. */
    int rc = runtime_thread_start(&w->thread, "gantry-worker", worker_main, w);
    if (rc) {
        free(w);
        return rc;
    }
    w->next = runtime->workers;
    runtime->workers = w;
    runtime->live++;
    return 0;
}

void
runtime_wake_locked(struct runtime *runtime)
{
    if (runtime->queued > runtime->idle && runtime->live < runtime->worker_max) {
        int rc = add_worker_locked(runtime);
        while (rc && runtime->live == 0 && runtime->queue.first)
            runtime_refuse_locked(runtime, runtime->queue.first, GANTRY_E_UNAVAILABLE,
                                  "cannot begin: no worker thread could be started");
    }
    pthread_cond_signal(&runtime->work);
}

void
workers_end(struct runtime *runtime)
{
    struct worker *ending = NULL;
    pthread_mutex_lock(&runtime->lock);
    for (struct worker *w = runtime->workers, *next; w; w = next) {
        next = w->next;
        if (w->doing && w->doing->state == JOB_HUNG) {
            w->orphan = true;
            runtime_ref_locked(runtime);
            pthread_detach(w->thread);
        } else {
            w->next = ending;
            ending = w;
        }
    }
    runtime->workers = NULL;
    pthread_mutex_unlock(&runtime->lock);
    while (ending) {
        struct worker *w = ending;
        ending = w->next;
        pthread_join(w->thread, NULL);
        free(w);
    }
}

/* ---- submitting ------------------------------------------------------------------------------ */

/* A call that hangs may read its labels when the caller has long forgotten them. */
static bool
own_labels(struct runtime_job *job)
{
    if (job->label_count == 0)
        return true;
    struct gantry_pair *copy = arena_alloc_array(&job->arena, job->label_count, sizeof *copy);
    for (uint32_t i = 0; copy && i < job->label_count; i++) {
        copy[i].key = arena_dup_text(&job->arena, job->labels[i].key);
        copy[i].value = arena_dup_text(&job->arena, job->labels[i].value);
        if (!copy[i].key || !copy[i].value)
            return false;
    }
    job->labels = copy;
    return copy != NULL;
}

void
runtime_submit(struct runtime *runtime, struct runtime_job *job)
{
    struct runtime_job_private *p = job->private_;
    bool owned = own_labels(job);
    job->limits.size = sizeof job->limits;
    job->image.size = sizeof job->image;
    job->queued_ms = clock_mono_ms();
    job_op_emits(job->op, &p->call.emits, &p->call.emits_max);
    p->call.id = job->id;
    pthread_mutex_lock(&runtime->lock);
    p->runtime = runtime;
    p->state = JOB_QUEUED;
    job_list_add(&runtime->queue, p);
    runtime->queued++;
    if (runtime->stopping)
        runtime_refuse_locked(runtime, p, GANTRY_E_CANCELLED, "cannot begin: the manager ends");
    else if (!owned)
        runtime_refuse_locked(runtime, p, GANTRY_E_NOMEM, "cannot begin: out of memory");
    else if (is_stuck(runtime, p))
        runtime_refuse_stuck_locked(runtime);
    else
        runtime_wake_locked(runtime);
    pthread_mutex_unlock(&runtime->lock);
}

void
runtime_cancel_locked(struct runtime_job_private *p)
{
    if (p->state == JOB_QUEUED) {
        runtime_refuse_locked(p->runtime, p, GANTRY_E_CANCELLED, "was cancelled before it began");
    } else if (p->state == JOB_STARTED || p->state == JOB_INSIDE) {
        call_cancel(&p->call);
        overtime_set_locked(p, clock_mono_ms() + p->runtime->overtime_allowed_ms);
    }
}

void
runtime_cancel(struct runtime_job *job)
{
    struct runtime_job_private *p = job->private_;
    struct runtime *runtime = p->runtime;
    if (!runtime) {
        call_cancel(&p->call); /* not submitted yet: it will come back at once */
        return;
    }
    pthread_mutex_lock(&runtime->lock);
    runtime_cancel_locked(p);
    pthread_mutex_unlock(&runtime->lock);
}

void
runtime_ask_to_end(struct runtime_job *job)
{
    struct runtime_job_private *p = job->private_;
    struct runtime *runtime = p->runtime;
    if (!runtime) {
        call_cancel(&p->call);
        return;
    }
    pthread_mutex_lock(&runtime->lock);
    if (p->state == JOB_QUEUED)
        runtime_refuse_locked(runtime, p, GANTRY_E_CANCELLED, "was cancelled before it began");
    else if (p->state == JOB_STARTED || p->state == JOB_INSIDE)
        call_cancel(&p->call);
    pthread_mutex_unlock(&runtime->lock);
}

struct runtime_job *
runtime_take_done(struct runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    struct runtime_job_private *p = runtime->done_first;
    if (p) {
        runtime->done_first = p->next_done;
        if (!runtime->done_first)
            runtime->done_last = NULL;
    }
    runtime_settle_fd_locked(runtime);
    pthread_mutex_unlock(&runtime->lock);
    return p ? p->job : NULL;
}
