/* calls.c - calls of the plugin, as a manager makes them: jobs of core/runtime. */
#include "conformance_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define CALL_MS      15000
#define CALL_SLOW_MS 180000

int64_t
kit_patience_ms(const struct kit *kit)
{
    return kit->given.slow ? 90000 : 5000;
}

void
kit_pause(const struct kit *kit)
{
    (void)poll(NULL, 0, kit->given.slow ? 100 : 2);
}

/* ---- a call --------------------------------------------------------------------------------------- */

/* The spec was made beforehand: it has no secret that a manager would open here. */
static int
prepare(void *context, struct runtime_job *job, struct gantry_spec *spec, struct gantry_error **err)
{
    (void)job;
    (void)err;
    *spec = *(const struct gantry_spec *)context;
    return 0;
}

static bool
fill(struct kit *kit, struct runtime_job *job, const struct kit_call *call)
{
    const struct kit_connector *c = call->connector;
    job->handle = call->handle;
    job->id = c ? c->id : NULL;
    job->name = c ? c->name : NULL;
    job->flags = call->flags;
    job->grace_ms = call->grace_ms;
    job->cursor = call->cursor;
    job->limits = call->limits;
    job->labels = call->labels;
    job->label_count = call->label_count;
    job->image = call->image;
    if (!c || call->without_spec || (call->op != RUNTIME_START && call->op != RUNTIME_PULL))
        return true;
    const struct gantry_spec *spec = kit_spec(kit, c);
    job->prepare = prepare;
    job->prepare_context = (void *)(uintptr_t)spec;
    return spec != NULL;
}

struct runtime_job *
kit_begin(struct kit *kit, const struct kit_call *call, const struct kit_manner *manner)
{
    static const struct kit_manner plain;
    if (!manner)
        manner = &plain;
    struct runtime_job *job =
        runtime_job_new(call->op, manner->backend ? manner->backend : kit->backend);
    if (!job)
        return NULL;
    struct kit_job *slot = fill(kit, job, call) ? vec_push(&kit->jobs) : NULL;
    if (!slot) {
        runtime_job_free(job);
        return NULL;
    }
    slot->job = job;
    struct kit_tap *tap = manner->tap ? manner->tap : kit->tap ? kit->tap : kit->plain;
    if (tap->kit != kit ||
        tap->trace != kit->request->trace) { /* else another call may run with it at this moment */
        tap->kit = kit;
        tap->trace = kit->request->trace;
        tap->trace_context = kit->request->context;
    }
    atomic_store(&tap->job, job);
    job->call_context = tap;
    job->owner = tap;
    job->timeout_ms = manner->timeout_ms ? manner->timeout_ms
                      : kit->given.slow  ? CALL_SLOW_MS
                                         : CALL_MS;
    kit_tap_begin(tap, job);
    runtime_submit(kit->runtime, job);
    return job;
}

/* The newest first: of thousands, it is one of the last. */
static struct kit_job *
find_job(const struct kit *kit, const struct runtime_job *job)
{
    for (size_t i = kit->jobs.len; i-- > 0;)
        if (kit->jobs.ptr[i].job == job)
            return &kit->jobs.ptr[i];
    return NULL;
}

/* Take back what is done; wait for it, if nothing is. */
static bool
take_back(struct kit *kit)
{
    struct runtime_job *job;
    bool any = false;
    while ((job = runtime_take_done(kit->runtime))) {
        struct runtime_job *expected = job;
        struct kit_tap *tap = job->owner;
        atomic_compare_exchange_strong(&tap->job, &expected, NULL);
        kit->hung = kit->hung || job->hung;
        struct kit_job *found = find_job(kit, job);
        if (found)
            found->done = true;
        else
            runtime_job_free(job); /* given up by kit_drop_jobs() */
        any = true;
    }
    if (any)
        return true;
    struct pollfd fd = {.fd = runtime_fd(kit->runtime), .events = POLLIN};
    return poll(&fd, 1, -1) >= 0 || errno == EINTR;
}

static struct kit_answer
answer_of(const struct runtime_job *job)
{
    struct kit_answer a = {
        .code = job->code,
        .text = job->code < 0 ? err_text(job->error) : "",
        .statuses = job->statuses.ptr,
        .status_count = job->statuses.len,
        .lines = job->lines.ptr,
        .line_count = job->lines.len,
        .traits = job->traits,
        .fetched = job->fetched,
        .hung = job->hung,
        .took_ms = job->ended_ms - job->started_ms,
    };
    if (a.status_count > 0)
        a.status = a.statuses[0];
    return a;
}

struct kit_answer
kit_finish(struct kit *kit, struct runtime_job *job)
{
    static const struct kit_answer no_memory = {.code = GANTRY_E_NOMEM,
                                                .text = "the kit ran out of memory"};
    if (!job)
        return no_memory;
    while (!find_job(kit, job)->done)
        if (!take_back(kit))
            return no_memory;
    return answer_of(job);
}

void
kit_drop_jobs(struct kit *kit, size_t keep)
{
    while (kit->jobs.len > keep) {
        const struct kit_job *last = &kit->jobs.ptr[--kit->jobs.len];
        if (last->done) /* else it is the runtime's */
            runtime_job_free(last->job);
    }
}

struct kit_answer
kit_do(struct kit *kit, const struct kit_call *call, const struct kit_manner *manner)
{
    return kit_finish(kit, kit_begin(kit, call, manner));
}

/* ---- each operation ------------------------------------------------------------------------------- */

struct kit_answer
kit_start(struct kit *kit, const struct kit_connector *spec, const char *existing, uint32_t flags,
          const struct kit_manner *manner)
{
    return kit_do(kit,
                  &(struct kit_call){
                      .op = RUNTIME_START, .handle = existing, .connector = spec, .flags = flags},
                  manner);
}

struct kit_answer
kit_stop(struct kit *kit, const char *handle, const struct kit_connector *of, uint32_t grace_ms,
         const struct kit_manner *manner)
{
    return kit_do(kit,
                  &(struct kit_call){
                      .op = RUNTIME_STOP, .handle = handle, .connector = of, .grace_ms = grace_ms},
                  manner);
}

struct kit_answer
kit_remove(struct kit *kit, const char *handle, const struct kit_connector *of,
           const struct kit_manner *manner)
{
    return kit_do(kit, &(struct kit_call){.op = RUNTIME_REMOVE, .handle = handle, .connector = of},
                  manner);
}

struct kit_answer
kit_inspect(struct kit *kit, const char *handle, const struct kit_manner *manner)
{
    return kit_do(kit, &(struct kit_call){.op = RUNTIME_INSPECT, .handle = handle}, manner);
}

struct kit_answer
kit_list(struct kit *kit, const struct kit_connector *of, const struct kit_manner *manner)
{
    const struct gantry_pair labels[] = {
        {GANTRY_LABEL_MANAGER, of ? of->manager : kit->manager},
        {GANTRY_LABEL_CONNECTOR, of ? of->id : NULL},
    };
    return kit_do(
        kit, &(struct kit_call){.op = RUNTIME_LIST, .labels = labels, .label_count = of ? 2 : 1},
        manner);
}

struct kit_answer
kit_logs(struct kit *kit, const char *handle, const char *cursor,
         const struct gantry_log_limits *limits, const struct kit_manner *manner)
{
    return kit_do(kit,
                  &(struct kit_call){
                      .op = RUNTIME_LOGS, .handle = handle, .cursor = cursor, .limits = *limits},
                  manner);
}

struct kit_answer
kit_pull(struct kit *kit, const struct kit_connector *spec, const struct kit_manner *manner)
{
    return kit_do(kit, &(struct kit_call){.op = RUNTIME_PULL, .connector = spec}, manner);
}

struct kit_answer
kit_probe(struct kit *kit, const struct kit_manner *manner)
{
    return kit_do(kit, &(struct kit_call){.op = RUNTIME_PROBE}, manner);
}
