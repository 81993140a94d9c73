/* promise_logs.c - logs(): where a cursor leads to, whichever workload speaks. */
#include "logs.h"

#include <poll.h>
#include <string.h>

#define ENOUGH    6 /* lines that a promise needs */
#define SPEECH_MS 3000

const struct gantry_log_limits kit_all_lines = {
    .size = sizeof kit_all_lines,
    .max_lines = 10000,
    .max_bytes = UINT64_C(16) << 20,
    .max_line_bytes = 4U << 20,
};

int
kit_lines(struct kit *kit, const char *handle, const char *cursor, size_t at_least,
          struct kit_answer *out)
{
    int64_t until_ms = clock_mono_ms() + kit_patience_ms(kit);
    for (;;) {
        *out = kit_logs(kit, handle, cursor, &kit_all_lines, NULL);
        if (out->code == GANTRY_E_UNSUPPORTED)
            return kit_not_offered(kit, "logs() says: %s", out->text);
        KIT_CHECK(kit_expect_ok(kit, "logs()", out));
        if (out->line_count >= at_least || clock_mono_ms() > until_ms)
            return KIT_OK;
        kit_pause(kit);
    }
}

/* Where there are no logs, it gets a while to come so far. */
static int
let_it_speak(struct kit *kit, const char *handle)
{
    struct kit_answer said;
    int came = kit_lines(kit, handle, NULL, 1, &said);
    if (came != KIT_NOT_OFFERED)
        return came;
    (void)poll(NULL, 0, SPEECH_MS);
    kit->detail[0] = '\0';
    return KIT_OK;
}

int
kit_run_speaking(struct kit *kit, const char *program, struct kit_connector **connector,
                 const char **handle)
{
    KIT_CHECK(kit_connector_of(kit, program, connector));
    KIT_CHECK(kit_run(kit, *connector, handle));
    return let_it_speak(kit, *handle);
}

int
kit_run_stubborn(struct kit *kit, struct kit_connector **connector, const char **handle)
{
    return kit_run_speaking(kit, "stubborn; lines 1; sleep 600", connector, handle);
}

static int
halt(struct kit *kit, const struct kit_connector *connector, const char *handle)
{
    struct kit_answer a = kit_stop(kit, handle, connector, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    return kit_await(kit, handle, KIT_ENDED, NULL);
}

/* Stop it and start it again: a workload that says nothing else may tell of that.  *forgotten: the runtime loses
 * what a workload wrote when it stops, and logs() says so. */
static int
restart(struct kit *kit, const struct kit_connector *connector, const char *handle, bool *forgotten)
{
    KIT_CHECK(halt(kit, connector, handle));
    struct kit_answer a = kit_logs(kit, handle, NULL, &kit_all_lines, NULL);
    *forgotten = a.code == GANTRY_E_UNSUPPORTED;
    a = kit_start(kit, NULL, handle, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() of an existing workload", &a));
    return kit_await(kit, handle, 1U << GANTRY_STATE_RUNNING, NULL);
}

int
kit_talk(struct kit *kit, struct kit_talk *talk)
{
    talk->connector = kit_connector(kit);
    if (!talk->connector)
        return KIT_BROKEN;
    talk->connector->program = talk->program ? talk->program : "lines 6; wait";
    KIT_CHECK(kit_run(kit, talk->connector, &talk->handle));
    bool forgotten;
    for (int i = 0; !kit->given.runs_workload && i < ENOUGH; i++)
        KIT_CHECK(restart(kit, talk->connector, talk->handle, &forgotten));
    KIT_CHECK(
        kit_lines(kit, talk->handle, NULL, kit->given.runs_workload ? ENOUGH : 0, &talk->all));
    if (talk->all.line_count >= ENOUGH)
        return KIT_OK;
    if (kit->given.runs_workload)
        return kit_broken(kit, "the workload wrote %d lines, and logs() emits %zu", ENOUGH,
                          talk->all.line_count);
    return kit_not_offered(kit, "its workloads write too little: %zu lines", talk->all.line_count);
}

bool
kit_same_line(const struct gantry_line *a, const struct gantry_line *b)
{
    return a->text_size == b->text_size && a->stream == b->stream && a->time_ns == b->time_ns &&
           (a->text_size == 0 || memcmp(a->text, b->text, (size_t)a->text_size) == 0);
}

int
kit_same_lines(struct kit *kit, const char *when, const struct kit_answer *got,
               const struct gantry_line *expected, size_t count)
{
    if (got->line_count > count)
        return kit_broken(kit, "%s: %zu lines came, and %zu were to come: some are repeated", when,
                          got->line_count, count);
    if (got->line_count < count)
        return kit_broken(kit, "%s: %zu lines came, and %zu were to come: some are left out", when,
                          got->line_count, count);
    for (size_t i = 0; i < count; i++)
        if (!kit_same_line(&got->lines[i], &expected[i]))
            return kit_broken(kit, "%s: line %zu is '%.*s', and was '%.*s'", when, i + 1,
                              (int)MIN(got->lines[i].text_size, 80), got->lines[i].text,
                              (int)MIN(expected[i].text_size, 80), expected[i].text);
    return KIT_OK;
}

int
kit_try_logs_cursor_goes_on_after_its_line(struct kit *kit)
{
    struct kit_talk talk = {0};
    char when[64];
    KIT_CHECK(kit_talk(kit, &talk));
    for (size_t i = 0; i < talk.all.line_count; i++) {
        struct kit_answer rest =
            kit_logs(kit, talk.handle, talk.all.lines[i].cursor, &kit_all_lines, NULL);
        KIT_CHECK(kit_expect_ok(kit, "logs() with a cursor", &rest));
        snprintf(when, sizeof when, "after the cursor of line %zu", i + 1);
        KIT_CHECK(
            kit_same_lines(kit, when, &rest, talk.all.lines + i + 1, talk.all.line_count - i - 1));
    }
    return KIT_OK;
}

int
kit_try_logs_are_in_order(struct kit *kit)
{
    struct kit_talk talk = {0};
    char expected[32];
    int64_t now_ns = clock_wall_ms() * 1000000 + INT64_C(60000000000);
    KIT_CHECK(kit_talk(kit, &talk));
    for (size_t i = 0; i < talk.all.line_count; i++) {
        const struct gantry_line *line = &talk.all.lines[i];
        if (line->time_ns < 0 || line->time_ns > now_ns + INT64_C(60000000000))
            return kit_broken(kit, "line %zu has a time that is not now", i + 1);
        if (i > 0 && line->time_ns && line->time_ns < talk.all.lines[i - 1].time_ns)
            return kit_broken(kit, "line %zu is older than the one before it", i + 1);
        snprintf(expected, sizeof expected, "line %zu", i + 1);
        if (kit->given.runs_workload &&
            !str_eq((struct str){line->text, (size_t)line->text_size}, str_of(expected)))
            return kit_broken(kit, "the workload wrote '%s', and it is '%.*s'", expected,
                              (int)MIN(line->text_size, 80), line->text);
    }
    return KIT_OK;
}

/* Fewer lines are there after a restart than before it: right where the runtime loses them some time after a stop, and
 * logs() says so. */
static int
expect_forgotten(struct kit *kit, const struct kit_talk *talk, size_t after)
{
    struct kit_answer a;
    KIT_CHECK(halt(kit, talk->connector, talk->handle));
    int64_t until_ms = clock_mono_ms() + kit_patience_ms(kit);
    do {
        kit_pause(kit);
        a = kit_logs(kit, talk->handle, NULL, &kit_all_lines, NULL);
    } while (a.code == 0 && clock_mono_ms() < until_ms);
    return a.code == GANTRY_E_UNSUPPORTED
               ? KIT_OK
               : kit_broken(kit, "%zu lines were there before a restart, and %zu after it",
                            talk->all.line_count, after);
}

/* What is new after a restart is what the cursor leads to, and it is all there. */
int
kit_try_logs_cursor_outlives_a_restart(struct kit *kit)
{
    struct kit_talk talk = {0};
    struct kit_answer rest, all;
    KIT_CHECK(kit_talk(kit, &talk));
    size_t before = talk.all.line_count;
    const char *cursor = talk.all.lines[before - 1].cursor;
    bool forgotten;
    KIT_CHECK(restart(kit, talk.connector, talk.handle, &forgotten));
    size_t more = kit->given.runs_workload ? ENOUGH : 1;
    KIT_CHECK(kit_lines(kit, talk.handle, cursor, more, &rest));
    KIT_CHECK(kit_lines(kit, talk.handle, NULL, rest.line_count, &all));
    if (all.line_count < before + more && !forgotten)
        KIT_CHECK(expect_forgotten(kit, &talk, all.line_count));
    if (all.line_count < before + more)
        before = 0;
    return kit_same_lines(kit, "after a restart of the workload", &rest, all.lines + before,
                          all.line_count - before);
}

/* What a backend emitted means the same to the next one that is opened. */
int
kit_try_logs_cursor_outlives_the_plugin(struct kit *kit)
{
    struct kit_talk talk = {0};
    AUTO_ERR struct gantry_error *err = NULL;
    KIT_CHECK(kit_talk(kit, &talk));
    struct runtime_backend *other = NULL;
    if (kit_open(kit, NULL, NULL, &other, &err) < 0)
        return kit_broken(kit, "the plugin cannot be opened once more: %s", err_text(err));
    struct kit_manner manner = {.backend = other};
    struct kit_answer rest =
        kit_logs(kit, talk.handle, talk.all.lines[1].cursor, &kit_all_lines, &manner);
    int came = rest.code == GANTRY_E_NOT_FOUND
                   ? kit_not_offered(kit, "its workloads end with the plugin")
                   : kit_expect_ok(kit, "logs() of a plugin that was opened again", &rest);
    if (came == KIT_OK)
        came = kit_same_lines(kit, "with a cursor of another open()", &rest, talk.all.lines + 2,
                              talk.all.line_count - 2);
    runtime_close(other);
    return came;
}

int
kit_try_logs_of_a_stopped_one_stay(struct kit *kit)
{
    struct kit_talk talk = {0};
    struct kit_answer all;
    KIT_CHECK(kit_talk(kit, &talk));
    KIT_CHECK(halt(kit, talk.connector, talk.handle));
    KIT_CHECK(kit_lines(kit, talk.handle, NULL, talk.all.line_count, &all));
    all.line_count = MIN(all.line_count, talk.all.line_count); /* it may tell of the stop */
    return kit_same_lines(kit, "after the workload has stopped", &all, talk.all.lines,
                          talk.all.line_count);
}

int
kit_try_logs_not_there(struct kit *kit)
{
    const char *handle;
    struct kit_connector *c = kit_connector(kit);
    KIT_CHECK(kit_run(kit, c, &handle));
    struct kit_answer removed = kit_stop(kit, handle, c, 1, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &removed));
    removed = kit_remove(kit, handle, c, NULL);
    KIT_CHECK(kit_expect_ok(kit, "remove()", &removed));
    struct kit_answer a = kit_logs(kit, handle, NULL, &kit_all_lines, NULL);
    if (a.code == GANTRY_E_UNSUPPORTED)
        return kit_not_offered(kit, "logs() says: %s", a.text);
    return kit_expect_code(kit, "logs() of a workload that was removed", &a, GANTRY_E_NOT_FOUND);
}

/* A cursor that means nothing is as NULL; one that may mean something shows no more than there is. */
int
kit_try_logs_foreign_cursor(struct kit *kit)
{
    struct kit_talk talk = {0}, other = {0};
    KIT_CHECK(kit_talk(kit, &talk));
    KIT_CHECK(kit_talk(kit, &other));
    char *lengthy = arena_alloc(&kit->arena, 1024);
    if (!lengthy)
        return kit_broken(kit, "the kit ran out of memory");
    memset(lengthy, 'x', 1023);
    const struct {
        const char *cursor;
        bool may_mean;
    } cursors[] = {
        {"no-cursor", false}, {"%s%n../../..", false}, {"\xc3\xa4;\"'\\", false},
        {"{", false},         {lengthy, false},        {"-1", true},
        {"0", true},          {"999999999999", true},  {other.all.lines[2].cursor, true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cursors); i++) {
        const char *cursor = cursors[i].cursor;
        struct kit_answer a = kit_logs(kit, talk.handle, cursor, &kit_all_lines, NULL);
        if (a.code != 0)
            return kit_broken(kit,
                              "logs() with the cursor '%.40s' is '%s' (%s), and has to be as "
                              "without a cursor",
                              cursor, gantry_code_name(a.code), a.text);
        if (a.line_count > talk.all.line_count ||
            (!cursors[i].may_mean && a.line_count < talk.all.line_count))
            return kit_broken(kit,
                              "logs() with the cursor '%.40s' emits %zu lines, and %zu are "
                              "there",
                              cursor, a.line_count, talk.all.line_count);
    }
    return KIT_OK;
}
