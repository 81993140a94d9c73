/* Does a stream of events come through a proxy at once, or is it kept until there is much of it?
 *
 * Only an event that certainly happened can tell.  `top` of a running workload makes one, changes nothing, and
 * is no event that anybody is told of; the engine repeats it to whoever asks for what was since then, so a byte
 * must come at once.  Where no workload runs, the first event of any kind is the proof. */
#include "engine.h"
#include "times.h"

#include <string.h>

/* A stream that is not kept needs a fraction of it. */
#define PROOF_MS 4000
/* Then it is looked for a running workload again. */
#define UNPROVEN_MS 10000
#define SECOND_NS   INT64_C(1000000000)

static int
on_data(void *context, const void *data, size_t size)
{
    bool *came = context;
    (void)data;
    (void)size;
    *came = true;
    return GANTRY_E_CANCELLED; /* it has said what it was asked for */
}

/* Does a byte come within this time?  filters: as in the URL. */
static int
byte_comes(struct engine_task *task, int64_t since_ns, const char *filters, uint32_t within_ms,
           bool *came)
{
    AUTO_TEXT path = TEXT(1 << 19);
    text_addf(&path, "/events?since=%lld.%09lld&filters=%s", (long long)(since_ns / SECOND_NS),
              (long long)(since_ns % SECOND_NS), filters);
    if (path.failed)
        return engine_fail(task, GANTRY_E_NOMEM, "follow the events: out of memory");
    const struct engine_request request = {
        .method = "GET",
        .path = text_cstr(&path),
        .doing = "follow the events of",
        .subject = task->engine->address,
        .total_ms = within_ms,
        .on_data = on_data,
        .context = came,
    };
    AUTO_REPLY reply = {0};
    *came = false;
    int code = engine_do(task, &request, &reply);
    if (code == 0 && !*came) /* else it would be asked again at once, and for ever */
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "follow the events of '%s': the stream was ended at once",
                           task->engine->address);
    return *came || code == GANTRY_E_TIMEOUT ? 0 : code;
}

/* By its own clock: what stands between may have another. */
static int
engine_time(struct engine_task *task, int64_t *now_ns)
{
    const struct engine_request request = {.method = "GET",
                                           .path = "/info",
                                           .doing = "ask the time of",
                                           .subject = task->engine->address};
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON answer = json_parse(&reply.body);
    const char *time = json_text(answer, "SystemTime");
    if (!time || !time_parse(time, strlen(time), now_ns))
        return engine_fail(task, GANTRY_E_UNAVAILABLE, "ask the time of '%s': it does not tell",
                           task->engine->address);
    return 0;
}

static const char *
running_one(const cJSON *list)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const char *state = json_text(item, "State"), *id = json_text(item, "Id");
        if (id && state && strcmp(state, "running") == 0)
            return id;
    }
    return NULL;
}

/* Makes an event of this container. */
static bool
touch(struct engine_task *task, const char *id)
{
    AUTO_TEXT path = TEXT(1024);
    text_add(&path, "/containers/");
    text_add_url(&path, id);
    text_add(&path, "/top");
    const struct engine_request request = {
        .method = "GET", .path = text_cstr(&path), .doing = "look into container", .subject = id};
    struct engine_task own = engine_task_again(task);
    AUTO_REPLY reply = {0};
    return engine_do(&own, &request, &reply) == 0; /* it may have ended just now */
}

int
engine_events_prove(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                    uint32_t stride, const char *filters, enum engine_proof *proof)
{
    AUTO_JSON list = NULL;
    int64_t now_ns = 0;
    bool came = false;
    *proof = ENGINE_UNPROVEN;
    int code = engine_time(task, &now_ns);
    if (code == 0)
        code = engine_containers(task, labels, count, stride, &list);
    if (code < 0)
        return code;
    const char *id = running_one(list);
    if (!id || !touch(task, id)) {
        code = byte_comes(task, now_ns, filters, UNPROVEN_MS, &came);
        if (code == 0 && came)
            *proof = ENGINE_PROVEN;
        return code;
    }
    AUTO_TEXT own = TEXT(1024), own_filters = TEXT(4096);
    text_add(&own, "{\"type\":[\"container\"],\"event\":[\"top\"],\"container\":[");
    text_add_json(&own, id);
    text_add(&own, "]}");
    text_add_url(&own_filters, text_cstr(&own));
    code = byte_comes(task, now_ns, text_cstr(&own_filters), PROOF_MS, &came);
    if (code == 0)
        *proof = came ? ENGINE_PROVEN : ENGINE_BLIND;
    return code;
}
