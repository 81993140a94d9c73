/* Log streams taken apart, and cursors. */
#include "fake_engine.h"
#include "log_decode.h"
#include "log_lines.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    struct log_decode decode;
    struct log_lines lines;
    struct fake_engine fake;
    struct text stream; /* what the engine would send */
};

static int
on_line(void *context, uint32_t stream, const struct text *text, uint64_t size, int64_t time_ns)
{
    return log_lines_add(context, stream, text, size, time_ns);
}

static void
begin(struct reading *reading)
{
    fake_begin(&reading->fake, NULL, 0);
    reading->stream = TEXT(1 << 20);
}

/* A stored piece at 12:00:00 and so many nanoseconds. */
static void
piece(struct reading *reading, int stream, unsigned ns, const char *content)
{
    char stamp[40];
    int stamp_size = snprintf(stamp, sizeof stamp, "2026-01-02T12:00:00.%09uZ ", ns);
    size_t size = (size_t)stamp_size + strlen(content);
    if (stream) {
        unsigned char head[8] = {(unsigned char)stream, 0, 0, 0, 0, 0, (unsigned char)(size >> 8),
                                 (unsigned char)size};
        text_add_bytes(&reading->stream, head, sizeof head);
    }
    text_add(&reading->stream, stamp);
    text_add(&reading->stream, content);
}

/* Reads the stream in steps of so many bytes; the lines are in fake.texts afterwards. */
static int
read_all(struct reading *reading, size_t step, const char *cursor,
         const struct gantry_log_limits *limits)
{
    struct log_cursor start = {0, 0, 0};
    if (cursor)
        assert_true(log_cursor_parse(cursor, &start));
    log_lines_init(&reading->lines, limits, &start);
    log_decode_init(&reading->decode, (size_t)reading->lines.limits.max_line_bytes + 1, on_line,
                    &reading->lines);
    reading->fake.line_count = 0;
    int code = 0;
    for (size_t at = 0; code == 0 && at < reading->stream.size; at += step) {
        size_t left = reading->stream.size - at;
        code =
            log_decode_feed(&reading->decode, reading->stream.data + at, left < step ? left : step);
    }
    if (code == 0)
        code = log_decode_finish(&reading->decode);
    if (code == 0)
        code = log_lines_emit(&reading->lines, false, &reading->fake.host, reading->fake.task.call);
    log_decode_clear(&reading->decode);
    log_lines_clear(&reading->lines);
    return code;
}

static const struct gantry_log_limits no_limits = {.size = sizeof no_limits};

static char *
letters(size_t count)
{
    char *text = malloc(count + 1);
    assert_non_null(text);
    memset(text, 'x', count);
    text[count] = '\0';
    return text;
}

static void
frames_are_taken_apart_wherever_the_borders_fall(void **state)
{
    struct reading reading;
    (void)state;
    for (size_t step = 1; step < 80; step += 3) {
        begin(&reading);
        piece(&reading, 1, 1, "one\n");
        piece(&reading, 2, 2, "two\r\n");
        piece(&reading, 1, 3, "\n");
        piece(&reading, 1, 4, "last");
        assert_int_equal(read_all(&reading, step, NULL, &no_limits), 0);
        assert_int_equal(reading.fake.line_count, 4);
        assert_string_equal(reading.fake.texts[0], "one");
        assert_string_equal(reading.fake.texts[1], "two\r");
        assert_int_equal(reading.fake.lines[1].stream, GANTRY_STREAM_STDERR);
        assert_int_equal(reading.fake.lines[1].time_ns, INT64_C(1767355200000000002));
        assert_string_equal(reading.fake.texts[2], "");
        assert_string_equal(reading.fake.texts[3], "last");
        text_clear(&reading.stream);
    }
}

static void
pieces_of_a_long_line_are_joined(void **state)
{
    char *full = letters(LOG_PIECE_SIZE);
    struct reading reading;
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        begin(&reading);
        piece(&reading, stream, 1, full);
        piece(&reading, stream, 1, full);
        piece(&reading, stream, 1, stream ? "end\n" : "end\r\n");
        piece(&reading, stream, 2, stream ? "next\n" : "next\r\n");
        assert_int_equal(read_all(&reading, 1000, NULL, &no_limits), 0);
        assert_int_equal(reading.fake.line_count, 2);
        assert_int_equal(reading.fake.lines[0].text_size, 2 * LOG_PIECE_SIZE + 3);
        assert_string_equal(reading.fake.texts[1], "next");
        text_clear(&reading.stream);
    }
    free(full);
}

static void
last_words_of_a_run_are_a_line_of_their_own(void **state)
{
    struct reading reading;
    (void)state;
    begin(&reading);
    piece(&reading, 1, 1, "without end");
    piece(&reading, 1, 2, "next run\n");
    assert_int_equal(read_all(&reading, 7, NULL, &no_limits), 0);
    assert_int_equal(reading.fake.line_count, 2);
    assert_string_equal(reading.fake.texts[0], "without end");
    text_clear(&reading.stream);
}

static void
line_that_goes_on_waits_for_its_end(void **state)
{
    char *full = letters(LOG_PIECE_SIZE);
    struct reading reading;
    (void)state;
    begin(&reading);
    piece(&reading, 1, 1, "short\n");
    piece(&reading, 1, 2, full);
    assert_int_equal(read_all(&reading, 500, NULL, &no_limits), 0);
    assert_int_equal(reading.fake.line_count, 1);
    text_clear(&reading.stream);
    free(full);
}

static void
what_is_no_log_stream_is_an_error(void **state)
{
    struct reading reading;
    (void)state;
    begin(&reading);
    text_add_bytes(&reading.stream, "\1\0\0\7\0\0\0\4abcd", 12);
    assert_true(read_all(&reading, 5, NULL, &no_limits) < 0);
    text_clear(&reading.stream);
}

static void
line_written_behind_a_later_one_is_not_lost(void **state)
{
    struct reading reading;
    char cursor[LOG_CURSOR_SIZE];
    (void)state;
    begin(&reading);
    piece(&reading, 1, 100, "o1\n");
    piece(&reading, 1, 300, "o2\n");
    assert_int_equal(read_all(&reading, 50, NULL, &no_limits), 0);
    memcpy(cursor, reading.fake.cursors[1], sizeof cursor);
    piece(&reading, 2, 200, "e, stamped before o2\n");
    piece(&reading, 1, 300, "o3, of the same time\n");
    assert_int_equal(read_all(&reading, 50, cursor, &no_limits), 0);
    assert_int_equal(reading.fake.line_count, 2);
    assert_string_equal(reading.fake.texts[0], "e, stamped before o2");
    assert_string_equal(reading.fake.texts[1], "o3, of the same time");
    memcpy(cursor, reading.fake.cursors[1], sizeof cursor);
    assert_int_equal(read_all(&reading, 50, cursor, &no_limits), 0);
    assert_int_equal(reading.fake.line_count, 0);
    text_clear(&reading.stream);
}

static void
rotated_log_loses_nothing_new(void **state)
{
    struct reading reading;
    char cursor[LOG_CURSOR_SIZE];
    (void)state;
    begin(&reading);
    piece(&reading, 1, 1, "a\n");
    piece(&reading, 1, 2, "b\n");
    piece(&reading, 1, 3, "c\n");
    assert_int_equal(read_all(&reading, 50, NULL, &no_limits), 0);
    memcpy(cursor, reading.fake.cursors[2], sizeof cursor);
    text_reset(&reading.stream);
    piece(&reading, 1, 3, "c\n");
    piece(&reading, 1, 4, "d\n");
    piece(&reading, 1, 5, "e\n");
    assert_int_equal(read_all(&reading, 50, cursor, &no_limits), 0);
    assert_int_equal(reading.fake.line_count, 2);
    assert_string_equal(reading.fake.texts[0], "d");
    text_clear(&reading.stream);
}

static void
limits_leave_out_the_oldest_and_cut_long_lines(void **state)
{
    const struct gantry_log_limits three = {.size = sizeof three, .max_lines = 3};
    const struct gantry_log_limits bytes = {
        .size = sizeof bytes, .max_bytes = 12, .max_line_bytes = 100};
    const struct gantry_log_limits narrow = {.size = sizeof narrow, .max_line_bytes = 10};
    struct reading reading;
    (void)state;
    begin(&reading);
    for (unsigned i = 0; i < 9; i++)
        piece(&reading, 1, i,
              i == 7   ? "12345678901\n"
              : i == 8 ? "abcd\xC3\xA9"
                         "fgh\n"
                       : "x\n");
    assert_int_equal(read_all(&reading, 64, NULL, &three), 0);
    assert_int_equal(reading.fake.line_count, 3);
    assert_string_equal(reading.fake.texts[1], "12345678901");
    assert_int_equal(read_all(&reading, 64, NULL, &bytes), 0);
    assert_int_equal(reading.fake.line_count, 1);
    assert_int_equal(read_all(&reading, 64, NULL, &narrow), 0);
    assert_string_equal(reading.fake.texts[7], "1234 [cut]");
    assert_string_equal(reading.fake.texts[8], "abcd\xC3\xA9"
                                               "fgh");
    text_clear(&reading.stream);
}

static void
cut_does_not_split_a_character(void **state)
{
    const struct gantry_log_limits narrow = {.size = sizeof narrow, .max_line_bytes = 11};
    struct reading reading;
    (void)state;
    begin(&reading);
    piece(&reading, 1, 1,
          "abcd\xC3\xA9"
          "fghijk\n");
    assert_int_equal(read_all(&reading, 64, NULL, &narrow), 0);
    assert_string_equal(reading.fake.texts[0], "abcd [cut]");
    text_clear(&reading.stream);
}

static void
foreign_cursors_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "12",
                                      "12-1",
                                      "12-1+",
                                      "12-1+3x",
                                      "-1-1+1",
                                      "5-6+1",
                                      "99999999999999999999-1+1",
                                      "12-1+99999999999"};
    struct log_cursor cursor;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(log_cursor_parse(bad[i], &cursor));
    assert_true(log_cursor_parse("12-1+3", &cursor));
    assert_int_equal(cursor.from_ns, 11);
}

/* Lines of two streams, out of order within 20 ms, read in random portions: each exactly once. */
static void
each_line_comes_once_whatever_the_portions(void **state)
{
    enum { COUNT = 5000 };
    struct reading reading;
    static unsigned times[COUNT];
    static bool seen[COUNT];
    char cursor[LOG_CURSOR_SIZE] = "";
    unsigned long random = 12345;
    size_t written = 0;
    (void)state;
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < COUNT; i++) {
        random = random * 6364136223846793005ul + 1442695040888963407ul;
        times[i] = (unsigned)(i * 100000 + (random >> 40) % 20000000);
    }
    while (written < COUNT) {
        random = random * 6364136223846793005ul + 1442695040888963407ul;
        written += 1 + (random >> 40) % 40;
        if (written > COUNT)
            written = COUNT;
        struct log_cursor start = {0, 0, 0};
        if (cursor[0])
            assert_true(log_cursor_parse(cursor, &start));
        begin(&reading);
        for (size_t i = 0; i < written; i++) { /* as the engine filters */
            char text[24];
            int64_t time_ns = INT64_C(1767355200000000000) + times[i];
            snprintf(text, sizeof text, "%zu\n", i);
            if (time_ns >= start.from_ns)
                piece(&reading, 1 + (int)(i % 2), times[i], text);
        }
        assert_int_equal(read_all(&reading, 4096, cursor[0] ? cursor : NULL, &no_limits), 0);
        assert_true(reading.fake.line_count <= 40);
        for (size_t i = 0; i < reading.fake.line_count; i++) {
            size_t which = strtoul(reading.fake.texts[i], NULL, 10);
            assert_false(seen[which]);
            seen[which] = true;
            memcpy(cursor, reading.fake.cursors[i], sizeof cursor);
        }
        text_clear(&reading.stream);
    }
    for (size_t i = 0; i < COUNT; i++)
        assert_true(seen[i]);
}

/* 100,000 lines a second, and one that waited for 40 ms between its stamp and the log. */
static void
line_that_waited_in_a_flood_is_not_lost(void **state)
{
    enum { FIRST = 5480, ALL = 5540, LATE = 5500, STAMPED = 1500, STEP_NS = 10000 };
    const struct gantry_log_limits newest = {.size = sizeof newest, .max_lines = ALL - FIRST};
    struct reading reading;
    struct log_cursor start = {0, 0, 0};
    char cursor[LOG_CURSOR_SIZE] = "", text[24];
    (void)state;
    for (size_t written = FIRST; written <= ALL; written += ALL - FIRST) {
        begin(&reading);
        for (unsigned i = 0; i < written; i++) { /* as the engine filters */
            unsigned ns = (i == LATE ? STAMPED : i) * STEP_NS;
            snprintf(text, sizeof text, "%u\n", i);
            if (INT64_C(1767355200000000000) + ns >= start.from_ns)
                piece(&reading, 1, ns, text);
        }
        assert_int_equal(read_all(&reading, 4096, cursor[0] ? cursor : NULL, &newest), 0);
        memcpy(cursor, reading.fake.cursors[reading.fake.line_count - 1], sizeof cursor);
        assert_true(log_cursor_parse(cursor, &start));
        text_clear(&reading.stream);
    }
    assert_int_equal(reading.fake.line_count, ALL - FIRST);
    for (unsigned i = 0; i < ALL - FIRST; i++)
        assert_int_equal(strtoul(reading.fake.texts[i], NULL, 10), FIRST + i);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_taken_apart_wherever_the_borders_fall),
        cmocka_unit_test(pieces_of_a_long_line_are_joined),
        cmocka_unit_test(last_words_of_a_run_are_a_line_of_their_own),
        cmocka_unit_test(line_that_goes_on_waits_for_its_end),
        cmocka_unit_test(what_is_no_log_stream_is_an_error),
        cmocka_unit_test(line_written_behind_a_later_one_is_not_lost),
        cmocka_unit_test(rotated_log_loses_nothing_new),
        cmocka_unit_test(limits_leave_out_the_oldest_and_cut_long_lines),
        cmocka_unit_test(cut_does_not_split_a_character),
        cmocka_unit_test(foreign_cursors_are_refused),
        cmocka_unit_test(each_line_comes_once_whatever_the_portions),
        cmocka_unit_test(line_that_waited_in_a_flood_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
