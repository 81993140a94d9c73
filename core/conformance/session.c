/* session.c - a plugin called by hand, one call at a time. */
#include "conformance_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WORKERS 2

struct gantry_session {
    struct kit_source source;
    struct runtime *runtime;
    struct runtime_backend *backend;
    struct kit_tap tap; /* traces */
    struct log log;
    void (*trace)(void *context, const char *line);
    void *context;
    const struct gantry_spec *spec; /* of the call */
    int cancel_fd;                  /* eventfd: the call, or the next one, is to end */
};

static void
write_trace(void *context, enum log_level level, const char *line, size_t length)
{
    const struct gantry_session *session = context;
    (void)level;
    (void)length;
    session->trace(session->context, line);
}

static int
open_session(struct gantry_session *s, const struct gantry_session_options *options,
             struct gantry_error **err)
{
    int rc = kit_source_open(&s->source, options->plugin, options->folders, options->folder_count,
                             options->settings_file, NULL, err);
    if (rc == 0)
        rc = runtime_new(WORKERS, &s->log, &s->runtime, err);
    const char *folder = rc == 0 ? config_manager(s->source.config)->state_dir : NULL;
    if (folder && runtime_keep_in(s->runtime, folder) < 0)
        rc = err_nomem(err);
    if (rc == 0)
        rc = runtime_open_tapped(s->runtime, s->source.plugin, s->source.settings,
                                 &kit_host_functions, &s->tap, &s->backend, err);
    return rc;
}

int
gantry_session_open(const struct gantry_session_options *options, struct gantry_session **out,
                    struct gantry_error **err)
{
    struct gantry_session *s = calloc(1, sizeof *s);
    if (err)
        *err = NULL;
    if (!s)
        return err_nomem(err);
    s->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->cancel_fd < 0) {
        free(s);
        return err_set_errno(err, GANTRY_E_UNAVAILABLE, errno, "an event descriptor");
    }
    s->trace = options->trace;
    s->context = options->context;
    s->tap.trace = options->trace;
    s->tap.trace_context = options->context;
    struct log_sink sink = {.write = options->trace ? write_trace : NULL, .context = s};
    log_init(&s->log, LOG_DEBUG, LOG_TEXT, sink);
    int rc = open_session(s, options, err);
    if (rc < 0) {
        gantry_session_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

void
gantry_session_free(struct gantry_session *session)
{
    if (!session)
        return;
    bool hung = session->backend && runtime_is_hung(session->backend);
    runtime_end(session->runtime);
    runtime_close(session->backend);
    runtime_free(session->runtime);
    kit_source_clear(&session->source);
    log_clear(&session->log);
    close(session->cancel_fd);
    if (!hung) /* else the plugin may still use its tap */
        free(session);
}

void
gantry_session_cancel(struct gantry_session *session)
{
    uint64_t one = 1;
    (void)!write(session->cancel_fd, &one, sizeof one); /* full: it is to end already */
}

/* ---- a call --------------------------------------------------------------------------------------- */

/* Who asks, and for what: in the job's arena. */
struct asked {
    const struct kit_source *source;
    const struct gantry_spec *spec;
};

static int
prepare(void *context, struct runtime_job *job, struct gantry_spec *spec, struct gantry_error **err)
{
    const struct asked *asked = context;
    memcpy(spec, asked->spec, MIN(asked->spec->size, sizeof *spec));
    spec->size = sizeof *spec;
    return kit_source_complete(asked->source, spec, &job->arena) ? 0 : err_nomem(err);
}

/* The operation, or RUNTIME_OP_COUNT. */
static enum runtime_op
find_operation(const char *name)
{
    for (int op = 0; op < RUNTIME_OP_COUNT; op++)
        if (text_eq(runtime_op_name((enum runtime_op)op), name))
            return (enum runtime_op)op;
    return RUNTIME_OP_COUNT;
}

/* What an operation cannot do without. */
static int
check(const struct gantry_request *r, enum runtime_op op, struct gantry_error **err)
{
    bool has_ref = r->ref && r->ref->handle;
    if (r->label_count && !GANTRY_AT_HAS(r->label_stride, struct gantry_pair, value))
        return err_set(err, GANTRY_E_INVALID, "label_stride is less than a label");
    if (op == RUNTIME_START && !has_ref && !r->spec)
        return err_set(err, GANTRY_E_INVALID, "start takes a workload, a spec, or both");
    if (op == RUNTIME_PULL && !r->spec)
        return err_set(err, GANTRY_E_INVALID, "pull takes a spec");
    if (op == RUNTIME_REMOVE_IMAGE && (!r->image || !r->image->reference || !r->image->digest))
        return err_set(err, GANTRY_E_INVALID, "remove_image takes an image and its digest");
    bool needs_ref =
        op == RUNTIME_INSPECT || op == RUNTIME_STOP || op == RUNTIME_REMOVE || op == RUNTIME_LOGS;
    if (needs_ref && !has_ref)
        return err_set(err, GANTRY_E_INVALID, "%s takes a workload", r->operation);
    return 0;
}

static bool
fill(const struct gantry_session *s, struct runtime_job *job, const struct gantry_request *r)
{
    struct asked *asked = arena_alloc(&job->arena, sizeof *asked);
    if (!asked)
        return false;
    *asked = (struct asked){&s->source, r->spec};
    if (r->ref) {
        job->handle = r->ref->handle;
        job->id = r->ref->id;
        job->name = r->ref->name;
    }
    if (r->spec && (job->op == RUNTIME_START || job->op == RUNTIME_PULL)) {
        job->id = r->spec->id;
        job->prepare = prepare;
        job->prepare_context = asked;
    }
    if (r->limits)
        job->limits = *r->limits;
    if (r->image)
        job->image = *r->image;
    job->flags = r->flags;
    job->grace_ms = r->grace_ms;
    job->cursor = r->cursor;
    job->labels = r->labels;
    job->label_count = r->label_count;
    job->timeout_ms = r->timeout_ms;
    return true;
}

/* Everything that it emitted, in its order. */
static int
hand_out(const struct runtime_job *job, const struct gantry_request *r)
{
    int rc = 0;
    if (!r->emitted)
        return 0;
    if (job->fetched.size)
        rc = r->emitted(r->context, GANTRY_EMIT_IMAGE, &job->fetched);
    for (size_t i = 0; rc == 0 && i < job->statuses.len; i++)
        rc = r->emitted(r->context, GANTRY_EMIT_STATUS, &job->statuses.ptr[i]);
    for (size_t i = 0; rc == 0 && i < job->lines.len; i++)
        rc = r->emitted(r->context, GANTRY_EMIT_LINE, &job->lines.ptr[i]);
    if (rc == 0 && job->traits.size)
        rc = r->emitted(r->context, GANTRY_EMIT_TRAITS, &job->traits);
    return rc;
}

/* Returns whether the call is to end. */
static bool
wait_for(const struct gantry_session *s, int64_t timeout_ms)
{
    struct pollfd fds[] = {{.fd = runtime_fd(s->runtime), .events = POLLIN},
                           {.fd = s->cancel_fd, .events = POLLIN}};
    int64_t ms = timeout_ms < 0 ? -1 : MIN(timeout_ms, INT32_MAX);
    uint64_t count;
    return poll(fds, ARRAY_LENGTH(fds), (int)ms) > 0 && fds[1].revents &&
           read(s->cancel_fd, &count, sizeof count) > 0;
}

static int
call_operation(struct gantry_session *s, const struct gantry_request *r, enum runtime_op op,
               struct gantry_error **err)
{
    int rc = check(r, op, err);
    struct runtime_job *job = rc == 0 ? runtime_job_new(op, s->backend) : NULL;
    if (rc < 0)
        return rc;
    if (!job)
        return err_nomem(err);
    if (!fill(s, job, r)) {
        runtime_job_free(job);
        return err_nomem(err);
    }
    kit_tap_begin(&s->tap, job);
    runtime_submit(s->runtime, job);
    while (!runtime_take_done(s->runtime))
        if (wait_for(s, -1))
            runtime_cancel(job);
    rc = job->code;
    int stopped = hand_out(job, r); /* when it failed: the image that it fetched before */
    err_move(err, &job->error);
    runtime_job_free(job);
    return rc ? rc : stopped;
}

/* ---- watch ---------------------------------------------------------------------------------------- */

/* The event as the plugin emitted it; ENDED is none. */
static int
hand_out_event(const struct runtime_event *from, const struct gantry_request *r)
{
    static const uint32_t kinds[] = {
        [RUNTIME_EVENT_CHANGED] = GANTRY_EVENT_CHANGED,
        [RUNTIME_EVENT_SYNCED] = GANTRY_EVENT_SYNCED,
        [RUNTIME_EVENT_LOST] = GANTRY_EVENT_LOST,
    };
    if (from->kind == RUNTIME_EVENT_ENDED || !r->emitted)
        return 0;
    const struct gantry_event event = {
        .size = sizeof event, .kind = kinds[from->kind], .handle = from->handle, .id = from->id};
    return r->emitted(r->context, GANTRY_EMIT_EVENT, &event);
}

/* Until its own end, the caller's word or the time. */
static int
call_watch(struct gantry_session *s, const struct gantry_request *r, struct gantry_error **err)
{
    int rc = runtime_watch_start(s->backend, r->labels, r->label_count, err);
    int64_t until_ms = r->timeout_ms > 0 ? clock_mono_ms() + r->timeout_ms : INT64_MAX;
    int said = 0;
    bool ended = rc < 0, stopped = false, cancelled = false;
    while (!ended) {
        struct runtime_event event;
        if (runtime_take_event(s->runtime, &event)) {
            ended = event.kind == RUNTIME_EVENT_ENDED;
            said = said ? said : hand_out_event(&event, r);
            bool obeyed = stopped && event.code == GANTRY_E_CANCELLED;
            rc = ended && !obeyed ? event.code : 0;
            if (rc < 0)
                err_move(err, &event.error);
            runtime_event_clear(&event);
        } else {
            int64_t left = until_ms == INT64_MAX ? -1 : MAX(until_ms - clock_mono_ms(), 0);
            cancelled |= wait_for(s, stopped ? -1 : left);
        }
        if (!stopped && (said || cancelled || clock_mono_ms() >= until_ms)) {
            runtime_watch_stop(s->backend);
            stopped = true;
        }
    }
    if (stopped && rc == GANTRY_E_CANCELLED) { /* as it was asked to */
        err_clear(err);
        rc = 0;
    }
    return said ? said : rc;
}

int
gantry_session_call(struct gantry_session *session, const struct gantry_request *request,
                    struct gantry_error **err)
{
    if (err)
        *err = NULL;
    if (text_eq(request->operation, "watch"))
        return call_watch(session, request, err);
    enum runtime_op op = find_operation(request->operation);
    if (op == RUNTIME_OP_COUNT)
        return err_set(err, GANTRY_E_INVALID, "a plugin has no operation '%s'", request->operation);
    return call_operation(session, request, op, err);
}
