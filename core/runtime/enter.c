/* enter.c - the one gate into a plugin's operations (but open and close, which are in backend.c).
 *
 * On this side stands a job that the worker owns; on the other code that may do anything, even stay
 * for ever.  So the job is the worker's again only if it has not been handed back as hung
 * meanwhile. */
#include "runtime_internal.h"

#include "str.h"

#include <assert.h>
#include <string.h>

/* What the worker needs once the gate is open, when the job may be the loop's already, or freed. */
struct visit {
    struct runtime_job_private *p;
    enum runtime_op op;
    const struct gantry_pair *labels;
    uint32_t label_count, flags, grace_ms;
    const char *cursor;
    struct gantry_ref ref;
    struct gantry_log_limits limits;
    struct gantry_image image;
    struct gantry_spec spec;
    bool has_ref, has_spec;
    void (*prepare_done)(void *context);
    void *prepare_context;
};

static int
unsupported(struct gantry_call *call)
{
    char text[128];
    snprintf(text, sizeof text, "plugin '%s' has no operation '%s'", call->backend->table.name,
             call->op);
    call_host_functions.fail(call, GANTRY_E_UNSUPPORTED, text);
    return GANTRY_E_UNSUPPORTED;
}

static int
dispatch(const struct visit *v)
{
    struct gantry_call *call = &v->p->call;
    const struct gantry_plugin *plugin = &call->backend->table;
    void *self = call->backend->self;
    switch (v->op) {
    case RUNTIME_PROBE:
        return plugin->probe ? plugin->probe(self, call) : unsupported(call);
    case RUNTIME_LIST:
        return plugin->list(self, call, v->labels, v->label_count, sizeof(struct gantry_pair));
    case RUNTIME_INSPECT:
        return plugin->inspect(self, call, &v->ref);
    case RUNTIME_START:
        return plugin->start(self, call, v->has_ref ? &v->ref : NULL, v->has_spec ? &v->spec : NULL,
                             v->flags);
    case RUNTIME_STOP:
        return plugin->stop(self, call, &v->ref, v->grace_ms);
    case RUNTIME_REMOVE:
        return plugin->remove(self, call, &v->ref);
    case RUNTIME_LOGS:
        return plugin->logs(self, call, &v->ref, v->cursor, &v->limits);
    case RUNTIME_PULL:
        return plugin->pull ? plugin->pull(self, call, &v->spec) : unsupported(call);
    case RUNTIME_REMOVE_IMAGE:
        return plugin->remove_image ? plugin->remove_image(self, call, &v->image)
                                    : unsupported(call);
    case RUNTIME_OP_COUNT:
        break;
    }
    return GANTRY_E_INTERNAL;
}

/* From here on the job may be handed back as hung.  false: it was cancelled before. */
static bool
gate_open(struct runtime_job_private *p)
{
    struct gantry_call *call = &p->call;
    struct runtime *runtime = p->runtime;
    if (p->job->call_context)
        call->context = p->job->call_context;
    pthread_mutex_lock(&call->lock);
    call->job = p->job;
    pthread_mutex_unlock(&call->lock);
    pthread_mutex_lock(&runtime->lock);
    bool open = !atomic_load(&call->cancelled);
    if (open) {
        p->state = JOB_INSIDE;
        if (call->deadline_ms)
            overtime_set_locked(p, call->deadline_ms + runtime->overtime_allowed_ms);
    }
    pthread_mutex_unlock(&runtime->lock);
    return open;
}

/* Is the job still this worker's? */
static bool
gate_close(struct runtime_job_private *p)
{
    struct runtime *runtime = p->runtime;
    pthread_mutex_lock(&runtime->lock);
    bool mine = p->state == JOB_INSIDE;
    if (mine) {
        p->state = JOB_STARTED;
        p->overtime_ms = 0;
    }
    pthread_mutex_unlock(&runtime->lock);
    return mine;
}

/* The result of what the plugin returned and emitted. */
static void
settle(struct runtime_job_private *p, int returned)
{
    struct runtime_job *job = p->job;
    struct gantry_call *call = &p->call;
    pthread_mutex_lock(&call->lock);
    call->job = NULL;
    job->retry_asked = call->retry_asked;
    job->retry_after_ms = call->retry_after_ms;
    pthread_mutex_unlock(&call->lock);
    /* Whoever cannot list or probe does not know: this must never look like absence. */
    if (returned == GANTRY_E_NOT_FOUND && (job->op == RUNTIME_LIST || job->op == RUNTIME_PROBE))
        returned = GANTRY_E_UNAVAILABLE;
    if (returned == 0)
        returned = emit_check_whole(call, job);
    job->code = call_judge(call, returned, &job->error);
    if (job->code < 0) {
        job->statuses.len = 0; /* half an answer is none */
        job->lines.len = 0;
        memset(&job->traits, 0, sizeof job->traits);
    }
}

static void
trace(struct runtime_job_private *p, bool mine, int returned, int64_t began_ms)
{
    struct runtime *runtime = p->runtime;
    struct gantry_call *call = &p->call;
    struct log *log = runtime_log_borrow(runtime);
    if (!log)
        return;
    int64_t took = clock_mono_ms() - began_ms;
    if (!mine)
        log_warn(log, "hanging plugin call has returned",
                 F_STR("plugin", call->backend->table.name), F_STR("backend", call->backend->name),
                 F_STR("operation", call->op), F_STR("connector", call->id), F_MS("took", took));
    else
        log_debug(log, "plugin call", F_STR("plugin", call->backend->table.name),
                  F_STR("backend", call->backend->name), F_STR("operation", call->op),
                  F_STR("connector", call->id), F_STR("returned", gantry_code_name(returned)),
                  F_MS("took", took));
    runtime_log_return(runtime);
}

static int
cancelled_before(struct runtime_job *job)
{
    return err_set(&job->error, GANTRY_E_CANCELLED, "%s was cancelled before it began",
                   runtime_op_name(job->op));
}

/* Most runtimes speak JSON, which has no other texts: they would change them in silence. */
static int
check_variables(const struct gantry_spec *spec, struct gantry_error **err)
{
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *variable =
            GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
        struct str value = str_of(variable->value);
        if (str_utf8_valid_length(value) != value.len)
            return err_set(err, GANTRY_E_INVALID,
                           "variable '%s' is not UTF-8: give it as a file, or encoded",
                           variable->key);
    }
    return 0;
}

/* The spec, for the operations that take one. */
static int
prepare(struct visit *v, struct runtime_job *job)
{
    if (!job->prepare || (job->op != RUNTIME_START && job->op != RUNTIME_PULL))
        return 0;
    v->prepare_done = job->prepare_done;
    v->prepare_context = job->prepare_context;
    v->spec.size = sizeof v->spec;
    v->has_spec = true;
    int rc = job->prepare(job->prepare_context, job, &v->spec, &job->error);
    return rc < 0 ? rc : check_variables(&v->spec, &job->error);
}

static void
visit_plugin(struct visit *v)
{
    struct runtime_job_private *p = v->p;
    int64_t began_ms = clock_mono_ms();
    call_enter(&p->call);
    int returned = dispatch(v);
    call_leave(&p->call);
    bool mine = gate_close(p);
    if (mine)
        settle(p, returned);
    trace(p, mine, returned, began_ms);
}

void
job_run(struct runtime_job_private *p)
{
    struct runtime_job *job = p->job;
    assert(job->op == RUNTIME_PROBE || job->op == RUNTIME_LIST || job->handle || job->prepare ||
           (job->op == RUNTIME_REMOVE_IMAGE && job->image.reference && job->image.digest));
    struct visit v = {
        .p = p,
        .op = job->op,
        .labels = job->labels,
        .label_count = job->label_count,
        .flags = job->flags,
        .grace_ms = job->grace_ms,
        .cursor = job->cursor,
        .ref = {.size = sizeof v.ref, .handle = job->handle, .id = job->id, .name = job->name},
        .limits = job->limits,
        .image = job->image,
        .has_ref = job->handle != NULL,
    };
    job->started_ms = clock_mono_ms();
    p->call.deadline_ms = job->timeout_ms > 0 ? job->started_ms + job->timeout_ms : 0;
    job->code = atomic_load(&p->call.cancelled) ? cancelled_before(job) : prepare(&v, job);
    if (job->code == 0) {
        if (gate_open(p))
            visit_plugin(&v);
        else
            job->code = cancelled_before(job);
    }
    if (v.prepare_done)
        v.prepare_done(v.prepare_context);
}
