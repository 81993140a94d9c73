/* logs(): what a container wrote since a cursor, in one request.  See engine.h. */
#include "engine.h"
#include "log_decode.h"
#include "log_lines.h"

#include <string.h>

#define SECOND_NS INT64_C(1000000000)

struct log_read {
    struct log_decode decode;
    struct log_lines lines;
    bool no_terminal;
};

static int
on_line(void *context, uint32_t stream, const struct text *text, uint64_t size, int64_t time_ns)
{
    struct log_read *read = context;
    return log_lines_add(&read->lines, stream, text, size, time_ns);
}

/* Podman's logs need the engine's clock, and do not tell of a terminal: where all lines from the first on
 * end in CR, there is one. */
static int
on_head(void *context, const struct gantry_http_part *part)
{
    struct log_read *read = context;
    int64_t seconds = 0;
    engine_date_of(part, &seconds);
    read->decode.now_ns = seconds * SECOND_NS;
    return 0;
}

static int
on_podman_line(void *context, uint32_t stream, const struct text *text, uint64_t size,
               int64_t time_ns)
{
    struct log_read *read = context;
    struct text plain = *text;
    bool ends_in_cr = text->size && size == text->size && text->data[size - 1] == '\r';
    read->no_terminal |= !ends_in_cr;
    plain.size -= !read->no_terminal;
    return log_lines_add(&read->lines, stream, &plain, plain.size + (size - text->size), time_ns);
}

static int
on_data(void *context, const void *data, size_t size)
{
    struct log_read *read = context;
    return log_decode_feed(&read->decode, data, size);
}

static int
fetch(struct engine_task *task, const struct gantry_ref *ref, struct log_read *read)
{
    const struct log_lines *lines = &read->lines;
    AUTO_TEXT path = TEXT(4096);
    text_add(&path, "/containers/");
    text_add_url(&path, ref->handle);
    text_add(&path, "/logs?stdout=1&stderr=1&timestamps=1");
    /* Podman 4.3 mixes lines up when it is told how many: it reads its whole log then, of one file. */
    if (!task->engine->dialect)
        text_addf(&path, "&tail=%llu", (unsigned long long)log_lines_pieces(lines));
    log_lines_add_since(lines, &path);
    if (!ref->handle[0] || path.failed)
        return engine_fail(task, GANTRY_E_INVALID, "logs: '%.100s' is no handle of this engine",
                           ref->handle);
    const struct engine_request request = {
        .method = "GET",
        .path = text_cstr(&path),
        .doing = "read the log of container",
        .subject = ref->name ? ref->name : ref->handle,
        .max_bytes = UINT64_C(1) << 32,
        .on_head = task->engine->dialect ? on_head : NULL,
        .on_data = on_data,
        .context = read,
    };
    AUTO_REPLY reply = {0};
    return engine_do(task, &request, &reply);
}

int
engine_op_logs(struct engine_task *task, const struct gantry_ref *ref, const char *cursor,
               const struct gantry_log_limits *limits)
{
    struct log_cursor start = {0, 0, 0};
    struct log_read read = {.no_terminal = false};
    bool podman = task->engine->dialect != NULL;
    if (cursor && !log_cursor_parse(cursor, &start))
        start = (struct log_cursor){0, 0, 0}; /* it means nothing: as without one */
    log_lines_init(&read.lines, limits, &start);
    /* One byte more, so that a terminal's CR does not make a line look too long. */
    log_decode_init(&read.decode, (size_t)read.lines.limits.max_line_bytes + 1,
                    podman ? on_podman_line : on_line, &read);
    read.decode.podman = podman;
    int code = fetch(task, ref, &read);
    if (code == 0)
        code = log_decode_finish(&read.decode);
    /* As many pieces as were asked for: the first line may have lost its beginning. */
    bool cut_off = !podman && read.decode.pieces >= log_lines_pieces(&read.lines);
    if (cut_off && read.lines.seen == read.lines.count)
        log_lines_drop_first(&read.lines);
    if (code == 0)
        code = log_lines_emit(&read.lines, cut_off, task->engine->host, task->call);
    log_decode_clear(&read.decode);
    log_lines_clear(&read.lines);
    return code;
}
