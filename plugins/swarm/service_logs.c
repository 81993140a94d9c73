/* logs(): what the tasks of a service wrote since a cursor.  See swarm.h.
 *
 * Task by task, oldest first, and not by the log of the service, which mixes the pieces of several tasks and so
 * breaks long lines: with one replica a task begins when the one before it has ended, so their lines are in the
 * order of time.  What was over long before the cursor is not asked. */
#include "log_decode.h"
#include "log_lines.h"
#include "swarm.h"

#include <string.h>

#define CLOCKS_NS INT64_C(60000000000) /* that the clocks of nodes may differ */

struct read {
    struct log_decode decode;
    struct log_lines lines;
    bool cut_off;
};

static int
on_line(void *context, uint32_t stream, const struct text *text, uint64_t size, int64_t time_ns)
{
    struct read *read = context;
    return log_lines_add(&read->lines, stream, text, size, time_ns);
}

static int
on_data(void *context, const void *data, size_t size)
{
    struct read *read = context;
    return log_decode_feed(&read->decode, data, size);
}

static int
fetch(struct engine_task *task, const char *id, const char *name, struct read *read)
{
    const struct log_lines *lines = &read->lines;
    AUTO_TEXT path = TEXT(4096);
    AUTO_REPLY reply = {0};
    text_add(&path, "/tasks/");
    text_add_url(&path, id);
    text_addf(&path, "/logs?stdout=1&stderr=1&timestamps=1&tail=%llu",
              (unsigned long long)log_lines_pieces(lines));
    log_lines_add_since(lines, &path);
    const struct engine_request request = {
        .method = "GET",
        .path = text_cstr(&path),
        .doing = "read the log of service",
        .subject = name,
        .max_bytes = UINT64_C(1) << 32,
        .on_data = on_data,
        .context = read,
    };
    log_decode_init(&read->decode, (size_t)lines->limits.max_line_bytes + 1, on_line, read);
    int code = engine_do(task, &request, &reply);
    if (code == 0)
        code = log_decode_finish(&read->decode);
    if (read->decode.pieces >= log_lines_pieces(lines))
        read->cut_off = true;
    log_decode_clear(&read->decode);
    return code;
}

static bool
may_have_lines(const cJSON *task, int64_t from_ns)
{
    const char *container = json_text(task, "Status.ContainerStatus.ContainerID");
    if (!container || !container[0])
        return false;
    int64_t changed_ms = task_time_ms(task);
    return from_ns == 0 || !task_is_over(task) || changed_ms == 0 ||
           changed_ms >= (from_ns - CLOCKS_NS) / 1000000;
}

static int
fetch_all(struct engine_task *task, const struct gantry_ref *ref, const struct swarm_tasks *tasks,
          struct read *read)
{
    const char *name = ref->name ? ref->name : ref->handle;
    for (size_t i = 0; i < tasks->count; i++) {
        const cJSON *item = tasks->items[i].json;
        if (!may_have_lines(item, read->lines.start.from_ns))
            continue;
        struct engine_task own = engine_task_again(task);
        int code = fetch(&own, json_text(item, "ID"), name, read);
        if (code < 0 && !task_is_over(item)) {
            memcpy(task->error, own.error, sizeof task->error);
            return code;
        }
        if (code < 0) /* its container may be gone; the newer ones still count */
            gantry_log(task->engine->host, task->call, GANTRY_LOG_DEBUG, "%s", own.error);
    }
    return 0;
}

/* No task at all: it was stopped, or none was made yet. */
static int
without_tasks(struct engine_task *task, const struct gantry_ref *ref)
{
    AUTO_JSON_SECRET service = NULL;
    int code = swarm_service(task, ref->handle, &service);
    if (code < 0 || swarm_replicas(service) > 0)
        return code;
    return engine_fail(task, GANTRY_E_UNSUPPORTED,
                       "logs of '%.100s': it is stopped, and a swarm forgets the log with the task",
                       ref->name ? ref->name : ref->handle);
}

int
swarm_op_logs(struct engine_task *task, const struct gantry_ref *ref, const char *cursor,
              const struct gantry_log_limits *limits)
{
    struct log_cursor start = {0, 0, 0};
    struct read read = {.cut_off = false};
    AUTO_JSON_SECRET list = NULL;
    AUTO_TASKS tasks = {0};
    if (cursor && !log_cursor_parse(cursor, &start))
        start = (struct log_cursor){0, 0, 0}; /* it means nothing: as without one */
    int code = swarm_tasks_of(task, ref->handle, &list);
    if (code < 0)
        return code;
    if (tasks_sort(list, &tasks) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "logs of '%.100s': out of memory", ref->handle);
    if (tasks.count == 0)
        return without_tasks(task, ref);
    log_lines_init(&read.lines, limits, &start);
    code = fetch_all(task, ref, &tasks, &read);
    if (read.cut_off && read.lines.seen == read.lines.count)
        log_lines_drop_first(&read.lines);
    if (code == 0)
        code = log_lines_emit(&read.lines, read.cut_off, task->engine->host, task->call);
    log_lines_clear(&read.lines);
    return code;
}
