/* watch(): what changes at the connector's services.  See swarm.h.
 *
 * The swarm tells of services that are changed, and of no task at all; an engine tells of the containers of its
 * own node.  So all services and tasks are looked at every few seconds, in two requests however many there are,
 * and each service whose state differs from the last look is told.  In between the events are followed: one
 * that is about a service of ours makes us look at once, and a few times more, since the tasks learn a little
 * later what their containers did. */
#include "event_stream.h"
#include "swarm.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_MS    10000 /* for anything but the stream itself */
#define STEADY_LOOKS 10    /* so many looks in a row, and the back-off begins anew */

/* When to look after an event. */
static const uint32_t soon_ms[] = {150, 250, 400, 800, 1500};
#define SOON_COUNT (sizeof soon_ms / sizeof soon_ms[0])

struct watched {
    char id[ENGINE_ID_MAX];
    char *connector; /* owned; may be NULL */
    uint64_t print;  /* of what its status says */
    bool seen;       /* in the present look */
};

struct follow {
    struct engine_task *task;
    const struct gantry_pair *labels;
    uint32_t count, stride;
    struct watched *items;
    size_t item_count, item_size;
    struct event_stream stream;
    int64_t since_s; /* of the engine's clock: from here on the next stream tells; 0: from now on */
    int64_t told_ns; /* of the last event that was read */
    size_t looks_left; /* of soon_ms; 0: at leisure */
    bool touched;      /* an event was about one of ours */
    bool begun, synced, lost;
    int emit_code;
    uint32_t backoff_ms;
    int steady;
};

static int
emit(struct follow *follow, uint32_t kind, const char *handle, const char *id)
{
    const struct gantry_event event = {
        .size = sizeof event, .kind = kind, .handle = handle, .id = id};
    follow->emit_code = gantry_emit_event(follow->task->engine->host, follow->task->call, &event);
    return follow->emit_code;
}

/* ---- looking -------------------------------------------------------------------------------------- */

static uint64_t
mix(uint64_t print, const char *text)
{
    for (; text && *text; text++)
        print = (print ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (print ^ 0x1f) * UINT64_C(0x100000001b3);
}

static uint64_t
print_of(struct follow *follow, const cJSON *service, const struct swarm_tasks *tasks)
{
    struct swarm_state state;
    char numbers[160];
    state_of_service(service, tasks, &state);
    const char *id = json_text(service, "ID");
    struct swarm_history history = seen_note(swarm_of(follow->task), id, tasks, &state);
    snprintf(numbers, sizeof numbers, "%u %d %d %lld %lld %lld", state.state, state.has_exit,
             state.exit_code, (long long)history.restarts, (long long)history.started_ms,
             (long long)swarm_replicas(service));
    uint64_t print = mix(UINT64_C(0xcbf29ce484222325), numbers);
    print = mix(print, json_text(state.run, "ID"));
    print = mix(print, state.error);
    print = mix(print, swarm_name(service));
    return mix(print, swarm_label(service, GANTRY_LABEL_HASH));
}

static struct watched *
find(struct follow *follow, const char *id)
{
    for (size_t i = 0; i < follow->item_count; i++)
        if (strcmp(follow->items[i].id, id) == 0)
            return &follow->items[i];
    return NULL;
}

static struct watched *
add(struct follow *follow, const cJSON *service)
{
    const char *id = json_text(service, "ID");
    const char *connector = swarm_label(service, GANTRY_LABEL_CONNECTOR);
    if (strlen(id) >= ENGINE_ID_MAX)
        return NULL;
    if (follow->item_count == follow->item_size) {
        size_t size = follow->item_size ? follow->item_size * 2 : 16;
        struct watched *grown = realloc(follow->items, size * sizeof *grown);
        if (!grown)
            return NULL;
        follow->items = grown;
        follow->item_size = size;
    }
    char *copy = connector && connector[0] ? strdup(connector) : NULL;
    if (connector && connector[0] && !copy)
        return NULL;
    struct watched *item = &follow->items[follow->item_count++];
    *item = (struct watched){.connector = copy};
    memcpy(item->id, id, strlen(id) + 1);
    return item;
}

/* silent: what is there now is taken for known, since the host lists by itself. */
static int
note_service(struct follow *follow, const cJSON *service, const struct swarm_tasks *all,
             bool silent)
{
    const char *id = json_text(service, "ID");
    if (!id)
        return 0;
    struct swarm_tasks tasks = tasks_of(all, id);
    uint64_t print = print_of(follow, service, &tasks);
    struct watched *item = find(follow, id);
    bool changed = !item || item->print != print;
    if (!item)
        item = add(follow, service);
    if (!item)
        return engine_fail(follow->task, GANTRY_E_NOMEM, "watch: out of memory");
    item->print = print;
    item->seen = true;
    if (!changed || silent)
        return 0;
    /* More may follow: a task that is over is soon replaced by another. */
    follow->touched = true;
    return emit(follow, GANTRY_EVENT_CHANGED, id, item->connector);
}

static int
drop_unseen(struct follow *follow, bool silent)
{
    for (size_t i = 0; i < follow->item_count;) {
        struct watched gone = follow->items[i];
        if (gone.seen) {
            i++;
            continue;
        }
        struct watched *last = &follow->items[--follow->item_count];
        follow->items[i] = *last;
        last->connector = NULL; /* it has moved, or is freed below */
        int code = silent ? 0 : emit(follow, GANTRY_EVENT_CHANGED, gone.id, gone.connector);
        free(gone.connector);
        if (code < 0)
            return code;
    }
    return 0;
}

/* What was made and is gone again since the last look. */
static int
tell_missed(struct follow *follow, bool silent)
{
    char id[ENGINE_ID_MAX];
    int code = 0;
    while (code == 0 && seen_take_made(swarm_of(follow->task), id))
        if (!silent && !find(follow, id))
            code = emit(follow, GANTRY_EVENT_CHANGED, id, NULL);
    return code;
}

static int
look(struct follow *follow, bool silent)
{
    struct engine_task *task = follow->task;
    AUTO_JSON_SECRET services = NULL;
    AUTO_JSON_SECRET list = NULL;
    AUTO_TASKS tasks = {0};
    int code = swarm_services(task, follow->labels, follow->count, follow->stride, &services);
    if (code == 0)
        code = swarm_tasks_labelled(task, follow->labels, follow->count, follow->stride, &list);
    if (code < 0)
        return code;
    if (tasks_sort(list, &tasks) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "watch: out of memory");
    for (size_t i = 0; i < follow->item_count; i++)
        follow->items[i].seen = false;
    const cJSON *service;
    cJSON_ArrayForEach(service, services)
    {
        code = note_service(follow, service, &tasks, silent);
        if (code < 0)
            return code;
    }
    code = drop_unseen(follow, silent);
    return code == 0 ? tell_missed(follow, silent) : code;
}

/* ---- the stream ----------------------------------------------------------------------------------- */

static int
on_event(void *context, const struct engine_event *event)
{
    struct follow *follow = context;
    if (event->time_ns && event->time_ns <= follow->told_ns)
        return 0; /* streams overlap by a second */
    if (event->time_ns > follow->told_ns)
        follow->told_ns = event->time_ns;
    if (!event_changes_something(event->action))
        return 0;
    /* A container tells whose it is; what does not is a service itself, and it may be a new one. */
    const cJSON *owner = cJSON_GetObjectItemCaseSensitive(event->attributes, ENGINE_LABEL_SERVICE);
    bool is_container = cJSON_GetObjectItemCaseSensitive(event->attributes, "image") != NULL;
    if (is_container && (!cJSON_IsString(owner) || !find(follow, owner->valuestring)))
        return 0;
    follow->touched = true;
    return GANTRY_E_CANCELLED; /* of the stream alone: look now */
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
    engine_date_of(part, &follow->since_s);
    follow->begun = true;
    if (follow->synced)
        return 0;
    if (follow->lost)
        gantry_log(follow->task->engine->host, follow->task->call, GANTRY_LOG_INFO,
                   "the services of '%s' are watched again", follow->task->engine->address);
    follow->lost = false;
    follow->synced = true;
    return emit(follow, GANTRY_EVENT_SYNCED, NULL, NULL);
}

/* For so long, or until an event says that it is time to look.  0: well ended. */
static int
read_stream(struct follow *follow, uint32_t total_ms)
{
    static const char filters[] = "%7B%22type%22%3A%5B%22service%22%2C%22container%22%5D%7D";
    struct engine_task *task = follow->task;
    AUTO_TEXT path = TEXT(1024);
    AUTO_REPLY reply = {0};
    text_addf(&path, "/events?filters=%s", filters);
    if (follow->since_s)
        text_addf(&path, "&since=%lld", (long long)follow->since_s);
    const struct engine_request request = {
        .method = "GET",
        .path = text_cstr(&path),
        .doing = "follow the events of",
        .subject = task->engine->address,
        .first_byte_ms = ANSWER_MS,
        .total_ms = total_ms,
        .max_bytes = UINT64_C(1) << 40,
        .on_head = on_head,
        .on_data = on_data,
        .context = follow,
    };
    /* That we end a stream says nothing of the engine's version. */
    int minor = atomic_load(&task->engine->api_minor);
    follow->begun = false;
    event_stream_init(&follow->stream, on_event, follow);
    follow->stream.also = "service";
    int code = engine_do(task, &request, &reply);
    char problem[sizeof follow->stream.problem];
    memcpy(problem, follow->stream.problem, sizeof problem);
    event_stream_clear(&follow->stream);
    if (follow->emit_code < 0)
        return follow->emit_code;
    if (follow->touched || (follow->begun && code == GANTRY_E_TIMEOUT)) {
        atomic_store(&task->engine->api_minor, minor);
        return engine_cancelled(task);
    }
    if (problem[0])
        return engine_fail(task, GANTRY_E_UNAVAILABLE, "follow the events of '%s': %s",
                           task->engine->address, problem);
    if (code == 0)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "follow the events of '%s': the engine ended the stream",
                           task->engine->address);
    return code;
}

/* ---- one after another ---------------------------------------------------------------------------- */

static int
tell_lost(struct follow *follow)
{
    follow->synced = false;
    follow->steady = 0;
    if (follow->lost)
        return 0;
    follow->lost = true;
    gantry_log(follow->task->engine->host, follow->task->call, GANTRY_LOG_WARN,
               "the services are not watched for now: %s", follow->task->error);
    return emit(follow, GANTRY_EVENT_LOST, NULL, NULL);
}

/* Look, then wait until it is time to look again. */
static int
follow_once(struct follow *follow)
{
    follow->touched = false;
    int code = look(follow, !follow->synced);
    if (code < 0)
        return code;
    if (follow->touched)
        follow->looks_left = SOON_COUNT;
    follow->touched = false;
    if (follow->looks_left && follow->synced)
        return engine_pause(follow->task, (int)soon_ms[SOON_COUNT - follow->looks_left--]);
    code = read_stream(follow, swarm_of(follow->task)->watch_ms);
    if (follow->touched)
        follow->looks_left = SOON_COUNT;
    if (code == 0 && ++follow->steady >= STEADY_LOOKS)
        follow->backoff_ms = ENGINE_BACKOFF_MIN_MS;
    return code;
}

static int
follow_all(struct follow *follow)
{
    for (;;) {
        int code = engine_cancelled(follow->task);
        if (code == 0)
            code = follow_once(follow);
        if (code == 0)
            continue;
        if (follow->emit_code < 0)
            return follow->emit_code;
        if (engine_is_final(code))
            return code;
        code = tell_lost(follow);
        if (code == 0)
            code = engine_back_off(follow->task, &follow->backoff_ms);
        if (code < 0)
            return code;
    }
}

int
swarm_op_watch(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
               uint32_t stride)
{
    struct follow follow = {
        .task = task,
        .labels = labels,
        .count = count,
        .stride = stride,
        .backoff_ms = ENGINE_BACKOFF_MIN_MS,
    };
    task->each_ms = ANSWER_MS;
    int code = follow_all(&follow);
    for (size_t i = 0; i < follow.item_count; i++)
        free(follow.items[i].connector);
    free(follow.items);
    return code;
}
