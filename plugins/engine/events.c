/* watch(): the engine's events, followed until the host has enough of them.  See engine.h.
 *
 * One stream after another, each bounded by `until`, so that the engine ends it by itself and a link that is
 * silently dead shows by its not ending.  Three things keep changes from being lost:
 *  - `since` on every stream, also the first.  The engine sends the head of its answer before it listens for
 *    events, so without `since` what happens in between would be lost; and it has a memory of the last 256.
 *  - SYNCED at the head of each answer: the host then lists, and so finds what that memory had forgotten.
 *  - The times are the engine's own.  Its clock is asked before each stream; ours may be hours away. */
#include "engine.h"
#include "event_stream.h"

#include <string.h>
#include <time.h>

#define ANSWER_MS     10000 /* for anything but the stream itself */
#define OVERDUE_MS    15000 /* a stream that goes on so long after its end is dead */
#define EARLY_MS      1500 /* an end so early is still the one asked for: clocks tell whole seconds */
#define STEADY_MS     10000 /* a stream that lasted so long was a good one */
#define CONNECTOR_MAX 4096
#define SECOND_NS     INT64_C(1000000000)

/* A stream that was held back is tried again; soon at first, for a busy machine looks the same. */
#define BLIND_MIN_MS 15000
#define BLIND_MAX_MS 300000

struct follow {
    struct engine_task *task;
    const struct gantry_pair *labels;
    uint32_t count, stride;
    struct text filters;  /* as in the URL */
    int64_t engine_now_s; /* the engine's clock, asked last */
    int64_t since_ns;     /* by that clock: what was before has been told; 0: nothing is known */
    /* A stream did not end when `until` said: an engine that was shut down, a dead link, or a proxy between
     * that tells its own time.  From then on streams are ended by us. */
    bool clock_lies;
    bool begun;    /* the head of the present stream was there */
    bool lost;     /* the host knows that it is not told anything */
    bool proven;   /* nothing holds the stream back; looked at only where a proxy could */
    bool blind;    /* the last look showed that it is held back */
    int emit_code; /* what an emit returned: the end */
    uint32_t backoff_ms, blind_ms;
    struct event_stream stream;
};

static int64_t
clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
emit(struct follow *follow, uint32_t kind, const char *handle, const char *id)
{
    const struct gantry_event event = {
        .size = sizeof event, .kind = kind, .handle = handle, .id = id};
    follow->emit_code = gantry_emit_event(follow->task->engine->host, follow->task->call, &event);
    return follow->emit_code;
}

/* ---- what the stream tells -------------------------------------------------------------------- */

/* An engine lets everything through when it does not know a filter. */
static bool
bears_the_labels(const struct follow *follow, const cJSON *attributes)
{
    for (uint32_t i = 0; i < follow->count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, follow->labels, follow->stride, i);
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(attributes, label->key);
        if (!cJSON_IsString(value) || strcmp(value->valuestring, label->value) != 0)
            return false;
    }
    return true;
}

static int
on_event(void *context, const struct engine_event *event)
{
    struct follow *follow = context;
    if (event->time_ns >= follow->since_ns && event->time_ns < INT64_MAX)
        follow->since_ns = event->time_ns + 1;
    if (!event->container[0] || !event_changes_something(event->action) ||
        !bears_the_labels(follow, event->attributes) ||
        cJSON_GetObjectItemCaseSensitive(event->attributes, ENGINE_LABEL_SERVICE))
        return 0;
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(event->attributes, GANTRY_LABEL_CONNECTOR);
    const char *connector = cJSON_IsString(id) ? id->valuestring : "";
    if (!connector[0] || strlen(connector) > CONNECTOR_MAX)
        connector = NULL;
    return emit(follow, GANTRY_EVENT_CHANGED, event->container, connector);
}

static int
on_data(void *context, const void *data, size_t size)
{
    struct follow *follow = context;
    return event_stream_feed(&follow->stream, data, size);
}

static int
on_head(void *context, const struct gantry_http_part *part)
{
    struct follow *follow = context;
    if (part->status / 100 != 2)
        return 0;
    if (follow->lost)
        gantry_log(follow->task->engine->host, follow->task->call, GANTRY_LOG_INFO,
                   "the events of '%s' are followed again", follow->task->engine->address);
    follow->lost = false;
    follow->begun = true;
    return emit(follow, GANTRY_EVENT_SYNCED, NULL, NULL);
}

/* ---- one stream ------------------------------------------------------------------------------- */

static int
on_ping_head(void *context, const struct gantry_http_part *part)
{
    struct follow *follow = context;
    engine_date_of(part, &follow->engine_now_s);
    return 0;
}

/* What time is it there?  An engine that does not tell has ours. */
static int
ask_time(struct follow *follow)
{
    follow->engine_now_s = (int64_t)time(NULL);
    const struct engine_request request = {
        .method = "GET",
        .path = "/_ping",
        .doing = "ping",
        .subject = follow->task->engine->address,
        .unversioned = true,
        .on_head = on_ping_head,
        .context = follow,
    };
    AUTO_REPLY reply = {0};
    int code = engine_do(follow->task, &request, &reply);
    /* A clock that was set back must not make `since` lie in the future. */
    if (follow->since_ns == 0 || follow->since_ns / SECOND_NS > follow->engine_now_s + 1)
        follow->since_ns = follow->engine_now_s * SECOND_NS;
    return code;
}

static void
add_path(const struct follow *follow, struct text *path, int64_t until_s)
{
    text_addf(path, "/events?since=%lld.%09lld", (long long)(follow->since_ns / SECOND_NS),
              (long long)(follow->since_ns % SECOND_NS));
    if (!follow->clock_lies)
        text_addf(path, "&until=%lld", (long long)until_s);
    text_addf(path, "&filters=%s", text_cstr(&follow->filters));
}

/* Follow one stream until somebody ends it. */
static int
read_stream(struct follow *follow, const char *path, int64_t total_ms)
{
    struct engine_task *task = follow->task;
    const struct engine_request request = {
        .method = "GET",
        .path = path,
        .doing = "follow the events of",
        .subject = task->engine->address,
        .first_byte_ms = ANSWER_MS,
        .total_ms = (uint32_t)total_ms,
        .max_bytes = UINT64_C(1) << 40,
        .on_head = on_head,
        .on_data = on_data,
        .context = follow,
    };
    AUTO_REPLY reply = {0};
    follow->begun = false;
    event_stream_init(&follow->stream, on_event, follow);
    int code = engine_do(task, &request, &reply);
    if (code == 0)
        code = event_stream_finish(&follow->stream);
    if (follow->stream.problem[0]) {
        code = engine_fail(task, code, "follow the events of '%s': %s", task->engine->address,
                           follow->stream.problem);
        follow->since_ns = 0; /* so that it does not come again out of the engine's memory */
    }
    event_stream_clear(&follow->stream);
    return code;
}

/* SYNCED would be a lie on a stream whose bytes are kept somewhere. */
static int
prove(struct follow *follow)
{
    struct engine_task *task = follow->task;
    enum engine_proof proof;
    int code = engine_events_prove(task, follow->labels, follow->count, follow->stride,
                                   text_cstr(&follow->filters), &proof);
    if (code < 0)
        return code;
    follow->proven = proof == ENGINE_PROVEN;
    follow->blind = proof == ENGINE_BLIND;
    if (follow->blind)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "'%s' holds back the stream of events; it is tried again later",
                           task->engine->address);
    if (follow->proven)
        follow->blind_ms = BLIND_MIN_MS;
    return 0;
}

/* One stream to its end.  0: it lasted as long as it should. */
static int
follow_once(struct follow *follow)
{
    struct engine_task *task = follow->task;
    int64_t span_ms = task->engine->watch_span_s * 1000, began_ms = clock_ms();
    follow->blind = false;
    int code = ask_time(follow);
    if (code == 0 && task->engine->proxy && !follow->proven) {
        code = prove(follow);
        if (code == 0 && !follow->proven)
            return 0; /* nothing has happened yet that could prove it */
    }
    if (code < 0)
        return code;
    int64_t until_s = follow->engine_now_s + task->engine->watch_span_s;
    AUTO_TEXT path = TEXT(1 << 19);
    add_path(follow, &path, until_s);
    if (path.failed)
        return engine_fail(task, GANTRY_E_NOMEM, "follow the events: out of memory");
    int64_t overdue_ms = follow->clock_lies ? 0 : OVERDUE_MS;
    code = read_stream(follow, text_cstr(&path), span_ms + overdue_ms);
    bool lasted = follow->begun && clock_ms() - began_ms >= span_ms - EARLY_MS;
    if (follow->clock_lies && lasted && code == GANTRY_E_TIMEOUT)
        return 0; /* ended by us; if the link is dead, the next one shows it */
    if (code == 0 ? !lasted : code == GANTRY_E_TIMEOUT && lasted)
        follow->clock_lies = true;
    if (code < 0)
        return code;
    if (!lasted)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "follow the events of '%s': the engine ended the stream",
                           task->engine->address);
    /* The engine may have dropped what came in the very moment of its end. */
    int64_t told_ns = (until_s - 1) * SECOND_NS;
    if (!follow->clock_lies && follow->since_ns < told_ns)
        follow->since_ns = told_ns;
    return 0;
}

/* ---- one after another ------------------------------------------------------------------------ */

static int
back_off(struct follow *follow)
{
    if (!follow->blind)
        return engine_back_off(follow->task, &follow->backoff_ms);
    uint32_t ms = follow->blind_ms;
    follow->blind_ms = ms > BLIND_MAX_MS / 2 ? BLIND_MAX_MS : ms * 2;
    return engine_pause(follow->task, (int)ms);
}

static int
tell_lost(struct follow *follow)
{
    follow->proven = false;
    if (follow->lost)
        return 0;
    follow->lost = true;
    gantry_log(follow->task->engine->host, follow->task->call, GANTRY_LOG_WARN,
               "the events are not followed for now: %s", follow->task->error);
    return emit(follow, GANTRY_EVENT_LOST, NULL, NULL);
}

static int
follow_all(struct follow *follow)
{
    for (;;) {
        int code = engine_cancelled(follow->task);
        if (code < 0)
            return code;
        int64_t began_ms = clock_ms();
        code = follow_once(follow);
        if (code == 0 || clock_ms() - began_ms >= STEADY_MS)
            follow->backoff_ms = ENGINE_BACKOFF_MIN_MS;
        if (code == 0)
            continue;
        if (follow->emit_code < 0)
            return follow->emit_code;
        if (engine_is_final(code))
            return code;
        code = tell_lost(follow);
        if (code == 0)
            code = back_off(follow);
        if (code < 0)
            return code;
    }
}

int
engine_op_watch(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                uint32_t stride)
{
    AUTO_TEXT filters = TEXT(1 << 18);
    struct follow follow = {
        .task = task,
        .labels = labels,
        .count = count,
        .stride = stride,
        .filters = TEXT(1 << 19),
        .backoff_ms = ENGINE_BACKOFF_MIN_MS,
        .blind_ms = BLIND_MIN_MS,
    };
    task->each_ms = ANSWER_MS;
    text_add(&filters, "{\"type\":[\"container\"],\"label\":");
    engine_add_labels(&filters, labels, count, stride);
    text_add(&filters, "}");
    text_add_url(&follow.filters, text_cstr(&filters));
    int code = filters.failed || follow.filters.failed
                   ? engine_fail(task, GANTRY_E_INVALID, "watch: the labels are too long")
                   : follow_all(&follow);
    text_clear(&follow.filters);
    return code;
}
