/* call.c - one call into a plugin: what the plugin may ask and say while it lasts.
 *
 * These functions are called by foreign code.  What breaks plugin.h's rules is remembered in the
 * call and becomes its result; nothing here trusts a pointer's content further than its size says.
 */
#include "runtime_internal.h"

#include "str.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

int
call_init(struct gantry_call *call, struct runtime_backend *backend, const char *op)
{
    memset(call, 0, sizeof *call);
    call->backend = backend;
    call->op = op;
    call->context = backend->tap_context;
    atomic_init(&call->entered, false);
    atomic_init(&call->cancelled, false);
    atomic_init(&call->cancel_fd, -1);
    return pthread_mutex_init(&call->lock, NULL) == 0 ? 0 : GANTRY_E_NOMEM;
}

void
call_clear(struct gantry_call *call)
{
    int fd = atomic_load(&call->cancel_fd);
    if (fd >= 0)
        close(fd);
    gantry_error_free(call->error);
    pthread_mutex_destroy(&call->lock);
}

void
call_enter(struct gantry_call *call)
{
    call->thread = pthread_self();
    atomic_store(&call->entered, true);
}

void
call_leave(struct gantry_call *call)
{
    atomic_store(&call->entered, false);
}

bool
call_is_here(const struct gantry_call *call)
{
    return atomic_load(&call->entered) && pthread_equal(call->thread, pthread_self());
}

/* The flag first, then the descriptor; call_cancel_fd() does it the other way round, so that
 * neither can miss the other. */
void
call_cancel(struct gantry_call *call)
{
    atomic_store(&call->cancelled, true);
    int fd = atomic_load(&call->cancel_fd);
    if (fd >= 0)
        (void)eventfd_write(fd, 1);
}

int
call_cancel_fd(struct gantry_call *call)
{
    int fd = atomic_load(&call->cancel_fd);
    if (fd >= 0)
        return fd;
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return -1;
    atomic_store(&call->cancel_fd, fd);
    if (atomic_load(&call->cancelled))
        (void)eventfd_write(fd, 1);
    return fd;
}

void
call_clean_text(char *text)
{
    size_t len = strlen(text);
    for (size_t at = 0; (at += str_utf8_valid_length((struct str){text + at, len - at})) < len;
         at++)
        text[at] = '?';
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
}

/* ---- broken rules ---------------------------------------------------------------------------- */

PRINTF_LIKE(2, 0)
static void
break_with(struct gantry_call *call, const char *fmt, va_list args)
{
    if (call->forced)
        return; /* the first one tells most */
    char text[512];
    vsnprintf(text, sizeof text, fmt, args);
    call_clean_text(text);
    call->forced = err_set(&call->error, GANTRY_E_INTERNAL,
                           "plugin '%s' broke the rules of the plugin ABI in %s: %s",
                           call->backend->table.name, call->op, text);
}

int
call_break_locked(struct gantry_call *call, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    break_with(call, fmt, args);
    va_end(args);
    return GANTRY_E_INTERNAL;
}

int
call_break(struct gantry_call *call, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    pthread_mutex_lock(&call->lock);
    break_with(call, fmt, args);
    pthread_mutex_unlock(&call->lock);
    va_end(args);
    return GANTRY_E_INTERNAL;
}

/* A call's text, when the plugin gave none. */
static int
set_default_text(struct gantry_call *call, int code, struct gantry_error **err)
{
    const char *plugin = call->backend->table.name;
    if (code == GANTRY_E_NOMEM)
        return err_nomem(err);
    if (code == GANTRY_E_CANCELLED)
        return err_set(err, code, "%s was cancelled", call->op);
    return err_set(err, code, "%s failed (%s), and plugin '%s' gives no reason", call->op,
                   gantry_code_name(code), plugin);
}

int
call_judge(struct gantry_call *call, int returned, struct gantry_error **err)
{
    int code = call->forced ? call->forced : returned;
    struct gantry_error *said = TAKE(call->error);
    if (code == 0) {
        gantry_error_free(said); /* a failure that it got over */
        return 0;
    }
    if (!err_is_code(code)) {
        code = err_set(&said, GANTRY_E_INTERNAL,
                       "plugin '%s' returned %d from %s, which is no result code",
                       call->backend->table.name, returned, call->op);
    } else if (code == GANTRY_E_CANCELLED && !atomic_load(&call->cancelled)) {
        /* Nobody asked: then it was the deadline, or a defect. */
        code = call->deadline_ms && clock_mono_ms() >= call->deadline_ms ? GANTRY_E_TIMEOUT
                                                                         : GANTRY_E_INTERNAL;
        err_set(&said, code, "plugin '%s' ended %s %s", call->backend->table.name, call->op,
                code == GANTRY_E_TIMEOUT ? "at its deadline"
                                         : "as cancelled, which nobody had asked for");
    } else if (!said) {
        set_default_text(call, code, &said);
    }
    /* The code is the result's, whatever the plugin gave with its text. */
    if (said->code == code) {
        err_move(err, &said);
        return code;
    }
    code = err_set(err, code, "%s", err_text(said));
    gantry_error_free(said);
    return code;
}

/* ---- the host's table ------------------------------------------------------------------------ */

static int
host_emit(struct gantry_call *call, uint32_t kind, const void *item)
{
    if (!atomic_load(&call->entered)) {
        struct runtime *runtime = call->backend->runtime;
        struct log *log = runtime_log_borrow(runtime);
        log_error(log, "plugin emitted after its call had returned",
                  F_STR("plugin", call->backend->table.name), F_STR("backend", call->backend->name),
                  F_STR("operation", call->op));
        if (log)
            runtime_log_return(runtime);
        return GANTRY_E_INTERNAL;
    }
    if (!call_is_here(call))
        return call_break(call, "it emitted from another thread than the one that entered");
    if (!item)
        return call_break(call, "it emitted NULL");
    if (call->watch)
        return runtime_watch_emit(call->watch, kind, item);
    pthread_mutex_lock(&call->lock);
    int rc = call->forced;
    if (!rc && !call->job && call->emits)
        rc = GANTRY_E_CANCELLED; /* handed back: nobody waits for it any more */
    else if (!rc)
        rc = emit_locked(call, kind, item);
    pthread_mutex_unlock(&call->lock);
    return rc;
}

static void
host_fail(struct gantry_call *call, int code, const char *text)
{
    char clean[1024];
    snprintf(clean, sizeof clean, "%s", text ? text : "");
    call_clean_text(clean);
    pthread_mutex_lock(&call->lock);
    if (!call->forced && clean[0])
        err_set(&call->error, code && err_is_code(code) ? code : GANTRY_E_INTERNAL, "%s", clean);
    pthread_mutex_unlock(&call->lock);
}

static void
host_log(const struct gantry_host *host, struct gantry_call *call, uint32_t level, const char *text)
{
    const struct runtime_backend *backend = call ? call->backend : runtime_backend_of(host);
    struct runtime *runtime = backend->runtime;
    struct log *log = runtime_log_borrow(runtime);
    if (!log)
        return;
    enum log_level at = level < LOG_LEVELS_COUNT ? (enum log_level)level : LOG_DEBUG;
    if (log_enabled(log, at)) {
        char clean[1024];
        snprintf(clean, sizeof clean, "%s", text ? text : "");
        call_clean_text(clean);
        LOG_AT_(log, at, "plugin message", F_STR("plugin", backend->table.name),
                F_STR("backend", backend->name), F_STR("connector", call ? call->id : NULL),
                F_STR("operation", call ? call->op : NULL), F_STR("text", clean));
    }
    runtime_log_return(runtime);
}

static void
host_progress(struct gantry_call *call, const char *what, uint64_t done, uint64_t total)
{
    char text[CALL_PROGRESS_SIZE];
    if (total > 0)
        snprintf(text, sizeof text, "%.64s %d%%", what ? what : "",
                 done >= total ? 100 : (int)((double)done / (double)total * 100));
    else
        snprintf(text, sizeof text, "%.64s", what ? what : "");
    call_clean_text(text);
    pthread_mutex_lock(&call->lock);
    bool same = text_eq(call->progress, text);
    memcpy(call->progress, text, sizeof text);
    pthread_mutex_unlock(&call->lock);
    if (!same && call->backend->runtime)
        atomic_fetch_add(&call->backend->runtime->progress_count, 1);
}

/* Whoever reckons with it must not overflow. */
#define RETRY_AFTER_MAX_MS (INT64_C(7) * 24 * 3600 * 1000)

/* Of several words the longest counts. */
static void
host_retry_after(struct gantry_call *call, int64_t ms)
{
    ms = MIN(ms, RETRY_AFTER_MAX_MS);
    pthread_mutex_lock(&call->lock);
    call->retry_asked = true;
    call->retry_after_ms = MAX(call->retry_after_ms, ms);
    pthread_mutex_unlock(&call->lock);
}

static int64_t
host_remaining_ms(struct gantry_call *call)
{
    if (!call->deadline_ms)
        return INT64_MAX;
    int64_t left = call->deadline_ms - clock_mono_ms();
    return left > 0 ? left : 0;
}

static int
host_cancelled(struct gantry_call *call)
{
    return atomic_load(&call->cancelled) ? 1 : 0;
}

static const void *
host_extension(const struct gantry_host *host, const char *id)
{
    (void)host;
    if (id && strcmp(id, GANTRY_EXTENSION_HTTP) == 0)
        return http_extension();
    if (id && strcmp(id, GANTRY_EXTENSION_FOLDER) == 0)
        return folder_extension();
    return NULL;
}

void *
runtime_call_context(const struct gantry_call *call)
{
    return call->context;
}

bool
runtime_call_is_here(const struct gantry_call *call)
{
    return call_is_here(call);
}

const struct gantry_host *
runtime_host_functions(void)
{
    return &call_host_functions;
}

const struct gantry_host call_host_functions = {
    .size = sizeof(struct gantry_host),
    .abi_major = GANTRY_ABI_MAJOR,
    .abi_minor = GANTRY_ABI_MINOR,
    .version = GANTRY_VERSION_STRING,
    .emit = host_emit,
    .fail = host_fail,
    .log = host_log,
    .progress = host_progress,
    .remaining_ms = host_remaining_ms,
    .cancelled = host_cancelled,
    .retry_after = host_retry_after,
    .wait = call_wait,
    .extension = host_extension,
};
