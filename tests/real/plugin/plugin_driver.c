/* plugin_driver - calls a plugin's operations one by one, for tests in another language.
 *
 * It reads a JSON object a line from stdin and answers with one a line on stdout:
 *     {"op": "open", "plugin": "/path/gantry-docker.so", "settings": {"socket":
 * "unix:///tmp/x.sock"}}
 *     {"op": "start", "spec": {...}, "timeout_ms": 60000}
 *     {"code": 0, "word": "ok", "statuses": [{...}], "lines": [], "ms": 512}
 * "watch" with labels starts a watch, "unwatch" asks it to end, and
 *     {"op": "events", "count": 1, "wait_ms": 5000}
 * answers with what was told since the last time, at least so many if they come in time; their at_ms
 * is of the monotonic clock.
 * The calls go through core/runtime, as the manager's do: its checks of what plugins emit are on.
 */
#include "driver_spec.h"

#include "err.h"
#include "log.h"
#include "runtime.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct driver {
    struct runtime *runtime;
    struct runtime_plugin *plugin;
    struct runtime_backend *backend;
    struct log log;
    cJSON *events; /* taken and not asked for yet */
};

/* ---- answers
 * -------------------------------------------------------------------------------------- */

static void
print_answer(cJSON *answer)
{
    char *text = cJSON_PrintUnformatted(answer);
    puts(text ? text : "{\"code\":-2}");
    fflush(stdout);
    cJSON_free(text);
    cJSON_Delete(answer);
}

static cJSON *
answer_of(int code, const struct gantry_error *error)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddNumberToObject(answer, "code", code);
    cJSON_AddStringToObject(answer, "word", gantry_code_name(code));
    if (error)
        cJSON_AddStringToObject(answer, "error", error->message);
    return answer;
}

static void
add_text(cJSON *object, const char *key, const char *text)
{
    if (text)
        cJSON_AddStringToObject(object, key, text);
}

static void
add_number(cJSON *object, const struct gantry_status *status, uint32_t bit, const char *key,
           int64_t value)
{
    if (status->present & bit)
        cJSON_AddNumberToObject(object, key, (double)value);
}

static cJSON *
json_of_status(const struct gantry_status *status)
{
#define WORD(name, value, word) [value] = (word),
    static const char *const states[] = {GANTRY_STATES(WORD)};
#undef WORD
    cJSON *object = cJSON_CreateObject(), *labels = cJSON_CreateObject();
    add_text(object, "handle", status->handle);
    add_text(object, "name", status->name);
    add_text(object, "hash", status->hash);
    add_text(object, "image", status->image);
    add_text(object, "digest", status->image_digest);
    add_text(object, "error", status->error);
    add_text(object, "state", states[status->state]);
    cJSON_AddNumberToObject(object, "health", status->health);
    add_number(object, status, GANTRY_STATUS_EXIT_CODE, "exit_code", status->exit_code);
    add_number(object, status, GANTRY_STATUS_OUT_OF_MEMORY, "out_of_memory", status->out_of_memory);
    add_number(object, status, GANTRY_STATUS_CREATED, "created_ms", status->created_ms);
    add_number(object, status, GANTRY_STATUS_STARTED, "started_ms", status->started_ms);
    add_number(object, status, GANTRY_STATUS_FINISHED, "finished_ms", status->finished_ms);
    add_number(object, status, GANTRY_STATUS_RESTARTS, "restarts", status->restarts);
    for (uint32_t i = 0; i < status->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, status->labels, status->label_stride, i);
        cJSON_AddStringToObject(labels, label->key, label->value);
    }
    cJSON_AddItemToObject(object, "labels", labels);
    return object;
}

static cJSON *
json_of_line(const struct gantry_line *line)
{
    cJSON *object = cJSON_CreateObject();
    char *text = strndup(line->text, (size_t)line->text_size), time_ns[32];
    snprintf(time_ns, sizeof time_ns, "%lld",
             (long long)line->time_ns); /* a double would round it */
    cJSON_AddNumberToObject(object, "stream", line->stream);
    cJSON_AddNumberToObject(object, "size", (double)line->text_size);
    add_text(object, "text", text);
    add_text(object, "time_ns", time_ns);
    add_text(object, "cursor", line->cursor);
    free(text);
    return object;
}

static cJSON *
json_of_job(const struct runtime_job *job)
{
    cJSON *answer = answer_of(job->code, job->error);
    cJSON *statuses = cJSON_AddArrayToObject(answer, "statuses");
    cJSON *lines = cJSON_AddArrayToObject(answer, "lines");
    vec_each (&job->statuses, status)
        cJSON_AddItemToArray(statuses, json_of_status(status));
    vec_each (&job->lines, line)
        cJSON_AddItemToArray(lines, json_of_line(line));
    add_text(answer, "fetched", job->fetched.reference);
    add_text(answer, "fetched_digest", job->fetched.digest);
    if (job->retry_asked)
        cJSON_AddNumberToObject(answer, "retry_after_ms", (double)job->retry_after_ms);
    add_text(answer, "product", job->traits.product);
    add_text(answer, "version", job->traits.version);
    add_text(answer, "detail", job->traits.detail);
    cJSON_AddNumberToObject(answer, "ms", (double)(job->ended_ms - job->started_ms));
    cJSON_AddBoolToObject(answer, "hung", job->hung);
    return answer;
}

/* ---- watching
 * ------------------------------------------------------------------------------------- */

static cJSON *
json_of_event(const struct runtime_event *event)
{
    static const char *const kinds[] = {"changed", "synced", "lost", "ended"};
    cJSON *object = cJSON_CreateObject();
    add_text(object, "kind", kinds[event->kind]);
    add_text(object, "handle", event->handle);
    add_text(object, "id", event->id);
    if (event->kind == RUNTIME_EVENT_ENDED)
        add_text(object, "word", gantry_code_name(event->code));
    add_text(object, "error", event->error ? event->error->message : NULL);
    cJSON_AddNumberToObject(object, "at_ms", (double)event->at_ms);
    return object;
}

static void
take_events(struct driver *driver)
{
    struct runtime_event event;
    while (runtime_take_event(driver->runtime, &event)) {
        cJSON_AddItemToArray(driver->events, json_of_event(&event));
        runtime_event_clear(&event);
    }
}

/* ---- calls
 * ---------------------------------------------------------------------------------------- */

static int64_t
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for the job; when is_due, asks it to end after this time.  Tells its last progress. */
static struct runtime_job *
await(struct driver *driver, struct runtime_job *job, int64_t cancel_after_ms, char *progress,
      size_t size)
{
    int64_t began = now_ms();
    bool cancelled = cancel_after_ms < 0;
    for (;;) {
        struct runtime_job *done = runtime_take_done(driver->runtime);
        if (done)
            return done;
        take_events(driver);
        char text[100];
        if (runtime_progress(job, text, sizeof text)[0])
            snprintf(progress, size, "%s", text);
        if (!cancelled && now_ms() - began >= cancel_after_ms) {
            runtime_cancel(job);
            cancelled = true;
        }
        struct pollfd fd = {.fd = runtime_fd(driver->runtime), .events = POLLIN};
        poll(&fd, 1, 20);
    }
}

static int
prepare(void *context, struct runtime_job *job, struct gantry_spec *spec, struct gantry_error **err)
{
    (void)err;
    return driver_spec(cJSON_GetObjectItem(context, "spec"), &job->arena, spec);
}

static bool
find_op(const char *name, enum runtime_op *op)
{
    for (*op = 0; *op < RUNTIME_OP_COUNT; (*op)++)
        if (strcmp(name, runtime_op_name(*op)) == 0)
            return true;
    return false;
}

static void
fill_job(struct runtime_job *job, cJSON *request)
{
    job->handle = driver_text(request, "handle");
    job->id = driver_text(request, "id");
    job->name = driver_text(request, "name");
    job->cursor = driver_text(request, "cursor");
    job->image.reference = driver_text(request, "image");
    job->image.digest = driver_text(request, "digest");
    job->flags = cJSON_IsTrue(cJSON_GetObjectItem(request, "once")) ? GANTRY_START_ONCE : 0;
    job->grace_ms = (uint32_t)driver_number(request, "grace_ms", 10000);
    job->timeout_ms = (int64_t)driver_number(request, "timeout_ms", 120000);
    job->limits = (struct gantry_log_limits){
        .size = sizeof job->limits,
        .max_lines = (uint32_t)driver_number(request, "max_lines", 1000),
        .max_bytes = (uint64_t)driver_number(request, "max_bytes", 10 << 20),
        .max_line_bytes = (uint32_t)driver_number(request, "max_line_bytes", 1 << 20),
    };
    job->labels =
        driver_pairs(cJSON_GetObjectItem(request, "labels"), &job->arena, &job->label_count);
    if (cJSON_GetObjectItem(request, "spec")) {
        job->prepare = prepare;
        job->prepare_context = request;
    }
}

static cJSON *
call_plugin(struct driver *driver, enum runtime_op op, cJSON *request)
{
    struct runtime_job *job = driver->backend ? runtime_job_new(op, driver->backend) : NULL;
    if (!job)
        return answer_of(GANTRY_E_INVALID, NULL);
    fill_job(job, request);
    char progress[100] = "";
    runtime_submit(driver->runtime, job);
    job = await(driver, job, (int64_t)driver_number(request, "cancel_after_ms", -1), progress,
                sizeof progress);
    cJSON *answer = json_of_job(job);
    add_text(answer, "progress", progress);
    runtime_job_free(job);
    return answer;
}

/* The same call many times, "threads" of them side by side. */
static cJSON *
call_many(struct driver *driver, cJSON *request)
{
    enum runtime_op op;
    int left = (int)driver_number(request, "repeat", 100), running = 0, failed = 0;
    int side = (int)driver_number(request, "threads", 4);
    if (!find_op(driver_text(request, "what"), &op))
        return answer_of(GANTRY_E_INVALID, NULL);
    while (left > 0 || running > 0) {
        for (; left > 0 && running < side; left--, running++) {
            struct runtime_job *job = runtime_job_new(op, driver->backend);
            fill_job(job, request);
            runtime_submit(driver->runtime, job);
        }
        struct runtime_job *job = runtime_take_done(driver->runtime);
        if (!job) {
            take_events(driver);
            struct pollfd fd = {.fd = runtime_fd(driver->runtime), .events = POLLIN};
            poll(&fd, 1, 20);
            continue;
        }
        failed += job->code < 0;
        running--;
        runtime_job_free(job);
    }
    cJSON *answer = answer_of(0, NULL);
    cJSON_AddNumberToObject(answer, "failed", failed);
    return answer;
}

static cJSON *
start_watch(struct driver *driver, cJSON *request)
{
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO(arena_clear) struct arena arena;
    arena_init(&arena, 0);
    uint32_t count = 0;
    const struct gantry_pair *labels =
        driver_pairs(cJSON_GetObjectItem(request, "labels"), &arena, &count);
    int code = runtime_watch_start(driver->backend, labels, count, &err);
    return answer_of(code, err);
}

static cJSON *
tell_events(struct driver *driver, cJSON *request)
{
    int64_t until = now_ms() + (int64_t)driver_number(request, "wait_ms", 0);
    int count = (int)driver_number(request, "count", 1);
    for (;;) {
        take_events(driver);
        int64_t left = until - now_ms();
        if (left <= 0 || cJSON_GetArraySize(driver->events) >= count)
            break;
        struct pollfd fd = {.fd = runtime_fd(driver->runtime), .events = POLLIN};
        poll(&fd, 1, (int)left);
    }
    cJSON *answer = answer_of(0, NULL);
    cJSON_AddItemToObject(answer, "events", driver->events);
    driver->events = cJSON_CreateArray();
    return answer;
}

static cJSON *
open_plugin(struct driver *driver, cJSON *request)
{
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO(arena_clear) struct arena arena;
    arena_init(&arena, 0);
    runtime_close(driver->backend);
    driver->backend = NULL;
    int code = 0;
    if (!driver->plugin)
        code = runtime_plugin_load(driver_text(request, "plugin"), NULL, 0, &driver->plugin, &err);
    if (code == 0) {
        struct gantry_settings settings;
        driver_settings(runtime_plugin_table(driver->plugin),
                        cJSON_GetObjectItem(request, "settings"),
                        GANTRY_SCOPE_BACKEND | GANTRY_SCOPE_WORKLOAD, &arena, &settings);
        code = runtime_open(driver->runtime, driver->plugin, &settings, &driver->backend, &err);
    }
    return answer_of(code, err);
}

static cJSON *
serve(struct driver *driver, cJSON *request)
{
    enum runtime_op op;
    const char *name = driver_text(request, "op");
    if (name && strcmp(name, "open") == 0)
        return open_plugin(driver, request);
    if (name && strcmp(name, "many") == 0)
        return call_many(driver, request);
    if (name && strcmp(name, "watch") == 0)
        return start_watch(driver, request);
    if (name && strcmp(name, "events") == 0)
        return tell_events(driver, request);
    if (name && strcmp(name, "unwatch") == 0) {
        runtime_watch_stop(driver->backend);
        return answer_of(0, NULL);
    }
    if (name && find_op(name, &op))
        return call_plugin(driver, op, request);
    return answer_of(GANTRY_E_INVALID, NULL);
}

static void
write_log(void *context, enum log_level level, const char *line, size_t length)
{
    (void)context;
    (void)level;
    fprintf(stderr, "%.*s\n", (int)length, line);
}

int
main(void)
{
    struct driver driver = {.events = cJSON_CreateArray()};
    struct gantry_error *err = NULL;
    log_init(&driver.log, LOG_INFO, LOG_TEXT, (struct log_sink){write_log, NULL});
    if (runtime_new(8, &driver.log, &driver.runtime, &err) < 0) {
        fprintf(stderr, "plugin_driver: %s\n", err_text(err));
        return 1;
    }
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        cJSON *request = cJSON_Parse(line);
        print_answer(serve(&driver, request));
        cJSON_Delete(request);
    }
    free(line);
    runtime_close(driver.backend);
    runtime_free(driver.runtime);
    runtime_plugin_free(driver.plugin);
    cJSON_Delete(driver.events);
    log_clear(&driver.log);
    return 0;
}
