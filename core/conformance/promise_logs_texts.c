/* promise_logs_texts.c - logs(): that a workload's words arrive as it wrote them. */
#include "logs.h"

#include <string.h>

#define LONG_BYTES 1048576

static int
run(struct kit *kit, const char *program, const char **handle)
{
    struct kit_connector *c;
    KIT_CHECK(kit_connector_of(kit, program, &c));
    return kit_run(kit, c, handle);
}

static int
expect_line(struct kit *kit, const struct gantry_line *line, const char *text, uint32_t stream)
{
    if (!str_eq((struct str){line->text, (size_t)line->text_size}, str_of(text)))
        return kit_broken(kit, "the workload wrote '%s', and the line is '%.*s'", text,
                          (int)MIN(line->text_size, 80), line->text);
    if (line->stream != stream)
        return kit_broken(kit, "'%s' was written to %s, and is of the other stream", text,
                          stream == GANTRY_STREAM_STDERR ? "stderr" : "stdout");
    return KIT_OK;
}

int
kit_try_logs_know_both_streams(struct kit *kit)
{
    const char *handle;
    struct kit_answer a;
    KIT_CHECK(run(kit, "lines 1; error oops; wait", &handle));
    KIT_CHECK(kit_lines(kit, handle, NULL, 2, &a));
    if (a.line_count != 2)
        return kit_broken(kit, "the workload wrote 2 lines, and %zu are there", a.line_count);
    bool swapped = a.lines[0].stream == GANTRY_STREAM_STDERR; /* two pipes have no order */
    KIT_CHECK(expect_line(kit, &a.lines[swapped], "line 1", GANTRY_STREAM_STDOUT));
    return expect_line(kit, &a.lines[!swapped], "oops", GANTRY_STREAM_STDERR);
}

int
kit_try_logs_without_line_end(struct kit *kit)
{
    struct kit_connector *c;
    struct kit_answer a;
    KIT_CHECK(kit_connector_of(kit, "lines 1; partial tail; exit 0", &c));
    struct kit_answer started = kit_start(kit, c, NULL, GANTRY_START_ONCE, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start()", &started));
    KIT_CHECK(kit_await(kit, started.status.handle, KIT_ENDED, NULL));
    KIT_CHECK(kit_lines(kit, started.status.handle, NULL, 2, &a));
    if (a.line_count < 2)
        return kit_broken(kit, "the last line, which has no line end, is missing");
    return expect_line(kit, &a.lines[1], "tail", GANTRY_STREAM_STDOUT);
}

int
kit_try_logs_long_line(struct kit *kit)
{
    const char *handle;
    struct kit_answer a;
    KIT_CHECK(run(kit, "long 1048576; lines 1; wait", &handle));
    KIT_CHECK(kit_lines(kit, handle, NULL, 2, &a));
    if (a.line_count != 2)
        return kit_broken(kit, "a line of 1 MiB and a short one are %zu lines", a.line_count);
    if (a.lines[0].text_size != LONG_BYTES)
        return kit_broken(kit, "a line of %d bytes has %llu", LONG_BYTES,
                          (unsigned long long)a.lines[0].text_size);
    return expect_line(kit, &a.lines[1], "line 1", GANTRY_STREAM_STDOUT);
}
