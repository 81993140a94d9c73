/* backend.c - a plugin that is open: its settings checked, its state made, its HTTP client beside
 * it. */
#include "runtime_internal.h"

#include "file.h"
#include "str.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static void
backend_free(struct runtime_backend *backend)
{
    if (backend->pool)
        http_pool_free(backend->pool);
    map_clear(&backend->changed);
    free(backend->name);
    free(backend->folder);
    free(backend);
}

/* open() and close() are entered on the caller's thread, and like every operation with all signals blocked: the
 * threads that they start inherit it. */
static sigset_t
block_signals(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    return before;
}

static void
call_close(struct runtime_backend *backend)
{
    const sigset_t before = block_signals();
    backend->table.close(backend->self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void
backend_destroy(struct runtime_backend *backend)
{
    struct runtime *runtime = backend->runtime;
    call_close(backend);
    backend_free(backend);
    runtime_unref(runtime);
}

/* PARENT/backend-NAME; NULL when memory ran out. */
static char *
folder_of(const char *parent, const char *name)
{
    AUTO_FREE char *base = NULL;
    if (asprintf(&base, "backend-%s", name) < 0)
        base = NULL;
    for (char *c = base; c && *c; c++)
        if (*c == '/')
            *c = '_';
    return base ? file_join(parent, base) : NULL;
}

static int
call_open(struct runtime_backend *backend, const struct gantry_settings *settings,
          struct gantry_error **err)
{
    struct gantry_call call;
    if (call_init(&call, backend, "open") < 0)
        return err_nomem(err);
    const sigset_t before = block_signals();
    call_enter(&call);
    int returned = backend->table.open(&call, &backend->host, settings, &backend->self);
    call_leave(&call);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    int rc = call_judge(&call, returned, err);
    if (rc < 0 && returned == 0)
        call_close(backend); /* it opened, but broke a rule meanwhile */
    call_clear(&call);
    return rc;
}

int
runtime_open(struct runtime *runtime, const struct runtime_plugin *plugin,
             const struct gantry_settings *settings, struct runtime_backend **out,
             struct gantry_error **err)
{
    return runtime_open_tapped(runtime, plugin, settings, &call_host_functions, NULL, out, err);
}

int
runtime_open_tapped(struct runtime *runtime, const struct runtime_plugin *plugin,
                    const struct gantry_settings *settings, const struct gantry_host *host,
                    void *context, struct runtime_backend **out, struct gantry_error **err)
{
    struct runtime_backend *backend = calloc(1, sizeof *backend);
    if (!backend)
        return err_nomem(err);
    backend->runtime = runtime;
    backend->table = plugin->table;
    memcpy(backend->host_bytes, host, MIN(host->size, sizeof backend->host_bytes));
    backend->tap_context = context;
    map_init(&backend->changed);
    backend->name = text_dup(settings->section ? settings->section : plugin->table.name);
    if (backend->name && runtime->folder)
        backend->folder = folder_of(runtime->folder, backend->name);
    bool whole = backend->name && (backend->folder || !runtime->folder);
    int rc = whole ? http_pool_new(&backend->pool, err) : err_nomem(err);
    if (rc == 0)
        rc = call_open(backend, settings, err);
    if (rc < 0) {
        backend_free(backend);
        return rc;
    }
    pthread_mutex_lock(&runtime->lock);
    runtime_ref_locked(runtime);
    pthread_mutex_unlock(&runtime->lock);
    *out = backend;
    return 0;
}

/* End everything of one backend that is queued or inside.  The lock is held. */
static void
end_calls_locked(struct runtime *runtime, struct runtime_backend *backend)
{
    struct runtime_job_private *next;
    for (struct runtime_job_private *p = runtime->queue.first; p; p = next) {
        next = p->next;
        if (p->call.backend == backend)
            runtime_cancel_locked(p);
    }
    for (struct runtime_job_private *p = runtime->running.first; p; p = p->next)
        if (p->call.backend == backend)
            runtime_cancel_locked(p);
    if (backend->watch)
        runtime_watch_cancel_locked(backend->watch);
    /* The overtime thread marks what does not end, so this does. */
    while (backend->inside > backend->hung ||
           (backend->watch && backend->watch->state != WATCH_HUNG))
        runtime_wait(runtime, &runtime->quiet, INT64_MAX);
    runtime_events_drop_locked(runtime, backend);
}

bool
backend_is_left_locked(const struct runtime_backend *backend)
{
    return backend->abandoned && backend->inside == 0 && !backend->watch;
}

void
runtime_close(struct runtime_backend *backend)
{
    if (!backend)
        return;
    struct runtime *runtime = backend->runtime;
    pthread_mutex_lock(&runtime->lock);
    end_calls_locked(runtime, backend);
    backend->abandoned = true;
    bool left_open = !backend_is_left_locked(backend);
    pthread_mutex_unlock(&runtime->lock);
    runtime_watch_join_ended(runtime);
    if (!left_open)
        backend_destroy(backend);
}

bool
runtime_is_hung(const struct runtime_backend *backend)
{
    pthread_mutex_lock(&backend->runtime->lock);
    bool hung = backend->hung > 0;
    pthread_mutex_unlock(&backend->runtime->lock);
    return hung;
}

const struct gantry_plugin *
runtime_backend_table(const struct runtime_backend *backend)
{
    return &backend->table;
}
