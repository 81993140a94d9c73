/* Log files: written, exchanged, read by cursor. */
#include "log_file.h"

#include "folder.h" /* behind it: cmocka defines fail */

#include <errno.h>

static const struct gantry_log_limits many = {.size = sizeof many,
                                              .max_lines = 100000,
                                              .max_bytes = 1u << 30,
                                              .max_line_bytes = LOG_LINE_MAX};

struct heard {
    struct text text; /* the lines, joined by | */
    char cursor[64];  /* after the last one */
    int64_t time_ns;
    size_t count, longest, stop_after;
};

static int
hear(void *context, const struct log_line *line, const char *text, size_t size)
{
    struct heard *heard = context;
    if (heard->count++)
        text_add_char(&heard->text, '|');
    if (line->stream == 'e')
        text_add_char(&heard->text, '!');
    text_add_bytes(&heard->text, text, size);
    if (size > heard->longest)
        heard->longest = size;
    heard->time_ns = line->time_ns;
    snprintf(heard->cursor, sizeof heard->cursor, "%llu:%llu", (unsigned long long)line->number,
             (unsigned long long)line->next);
    return heard->count == heard->stop_after ? -ECANCELED : 0;
}

static struct heard
read_log(const struct folder *folder, const char *cursor, const struct gantry_log_limits *limits)
{
    struct heard heard = {.text = TEXT(16 << 20)};
    assert_int_equal(log_read(folder->fd, cursor, limits, hear, &heard), 0);
    return heard;
}

static void
assert_lines(const struct folder *folder, const char *cursor, const char *wanted)
{
    struct heard heard = read_log(folder, cursor, &many);
    assert_string_equal(text_cstr(&heard.text), wanted);
    text_clear(&heard.text);
}

static void
add(struct log_writer *writer, const char *text)
{
    log_writer_add(writer, 'o', 1000, text, strlen(text));
}

static void
feed(struct log_lines *lines, struct log_writer *writer, const char *text)
{
    log_lines_feed(lines, writer, 1795276800123456789, text, strlen(text));
}

static void
output_is_cut_into_lines(void **state)
{
    const struct folder *folder = *state;
    struct log_writer writer;
    struct log_lines out = {.stream = 'o'}, err = {.stream = 'e'};
    log_writer_open(&writer, folder->fd, 1000, 3);
    feed(&out, &writer, "a");
    feed(&err, &writer, "e1\ne");
    feed(&out, &writer, "b\n\nc\r\n");
    feed(&out, &writer, "without end");
    assert_lines(folder, NULL, "!e1|ab||c\r");
    log_lines_end(&out, &writer, 5);
    log_lines_end(&err, &writer, 6);
    log_writer_close(&writer);
    struct heard heard = read_log(folder, NULL, &many);
    assert_string_equal(text_cstr(&heard.text), "!e1|ab||c\r|without end|!e");
    assert_int_equal(heard.time_ns, 6);
    text_clear(&heard.text);
}

static void
bytes_of_a_line_are_kept(void **state)
{
    const struct folder *folder = *state;
    struct log_writer writer;
    struct log_lines out = {.stream = 'o'};
    log_writer_open(&writer, folder->fd, 1000, 3);
    log_lines_feed(&out, &writer, 7, "a\0b\xff\n", 5);
    log_writer_close(&writer);
    struct heard heard = read_log(folder, NULL, &many);
    assert_int_equal(heard.text.size, 4);
    assert_memory_equal(heard.text.data, "a\0b\xff", 4);
    text_clear(&heard.text);
    log_lines_end(&out, &writer, 0);
}

static void
line_of_more_than_the_most_becomes_several(void **state)
{
    const struct folder *folder = *state;
    struct log_writer writer;
    struct log_lines out = {.stream = 'o'};
    size_t size = LOG_LINE_MAX + 5;
    char *long_line = malloc(size + 1);
    memset(long_line, 'x', size);
    long_line[size] = '\n';
    log_writer_open(&writer, folder->fd, 16 << 20, 3);
    for (size_t at = 0, part; at <= size; at += part) { /* as a pipe gives it */
        part = size + 1 - at < 65536 ? size + 1 - at : 65536;
        log_lines_feed(&out, &writer, 7, long_line + at, part);
    }
    log_writer_close(&writer);
    struct heard heard = read_log(folder, NULL, &many);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.longest, LOG_LINE_MAX);
    assert_int_equal(heard.text.size, size + 1);
    assert_true(out.capacity <= 65536); /* its room was given back */
    log_lines_end(&out, &writer, 7);
    text_clear(&heard.text);
    free(long_line);
}

static void
every_cursor_goes_on_behind_its_line(void **state)
{
    const struct folder *folder = *state;
    struct log_writer writer;
    log_writer_open(&writer, folder->fd, 60, 100); /* a few lines a file */
    for (int i = 0; i < 20; i++) {
        char text[20];
        snprintf(text, sizeof text, "line %d", i);
        add(&writer, text);
    }
    log_writer_close(&writer);
    struct heard whole = read_log(folder, NULL, &many);
    assert_int_equal(whole.count, 20);
    for (size_t i = 1; i <= 20; i++) {
        struct heard first = {.text = TEXT(1000), .stop_after = i};
        (void)log_read(folder->fd, NULL, &many, hear, &first);
        struct heard rest = read_log(folder, first.cursor, &many);
        assert_int_equal(rest.count, 20 - i);
        if (rest.count)
            text_add_char(&first.text, '|');
        text_add(&first.text, text_cstr(&rest.text));
        assert_string_equal(text_cstr(&first.text), text_cstr(&whole.text));
        text_clear(&first.text);
        text_clear(&rest.text);
    }
    text_clear(&whole.text);
}

static void
old_files_go_and_their_cursors_begin_with_the_oldest_line(void **state)
{
    const struct folder *folder = *state;
    struct log_writer writer;
    uint64_t *numbers;
    size_t count;
    log_writer_open(&writer, folder->fd, 1, 2); /* a line a file */
    add(&writer, "1");
    add(&writer, "2");
    add(&writer, "3");
    add(&writer, "4");
    log_writer_close(&writer);
    assert_int_equal(log_numbers(folder->fd, &numbers, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(numbers[0], 3);
    assert_int_equal(numbers[1], 4);
    free(numbers);
    assert_lines(folder, "1:9", "3|4");
    assert_lines(folder, "4:0", "4");
    assert_lines(folder, "5:0", "");
    /* The next writer goes on where this one ended. */
    log_writer_open(&writer, folder->fd, 100, 2);
    add(&writer, "5");
    log_writer_close(&writer);
    assert_lines(folder, "3:99", "4|5");
}

static void
half_a_line_is_left_for_later(void **state)
{
    const struct folder *folder = *state;
    struct log_writer writer;
    folder_put(folder, "log.1", "5 o whole\n6 o ha", 16);
    struct heard heard = read_log(folder, NULL, &many);
    assert_string_equal(text_cstr(&heard.text), "whole");
    assert_string_equal(heard.cursor, "1:10");
    text_clear(&heard.text);
    folder_put(folder, "log.1", "5 o whole\n6 o half\n", 19);
    assert_lines(folder, "1:10", "half");
    /* A writer that was killed there: the next one begins a line of its own. */
    folder_put(folder, "log.1", "5 o whole\n6 o ha", 16);
    log_writer_open(&writer, folder->fd, 1000, 2);
    add(&writer, "next");
    log_writer_close(&writer);
    assert_lines(folder, "1:10", "ha|next");
}

static void
what_is_no_line_of_ours_is_left_out(void **state)
{
    static const char text[] = "\n5\n5 o\nx o a\n5 x a\n5 o good\n5 o \n99999999999999999999 o a\n";
    const struct folder *folder = *state;
    folder_put(folder, "log.1", text, sizeof text - 1);
    folder_put(folder, "log.x", "5 o other\n", 10);
    folder_put(folder, "log.", "5 o other\n", 10);
    assert_lines(folder, NULL, "good|");
}

static void
newest_lines_that_fit_are_told(void **state)
{
    const struct folder *folder = *state;
    struct log_writer writer;
    log_writer_open(&writer, folder->fd, 100, 10);
    for (int i = 0; i < 300; i++) {
        char text[20];
        snprintf(text, sizeof text, "%03d", i);
        add(&writer, text);
    }
    log_writer_close(&writer);
    struct gantry_log_limits few = many;
    few.max_lines = 2;
    struct heard heard = read_log(folder, NULL, &few);
    assert_string_equal(text_cstr(&heard.text), "298|299");
    text_clear(&heard.text);
    few = many;
    few.max_bytes = 8;
    heard = read_log(folder, NULL, &few);
    assert_string_equal(text_cstr(&heard.text), "298|299");
    text_clear(&heard.text);
}

static void
long_line_is_cut_between_characters(void **state)
{
    const struct folder *folder = *state;
    struct log_writer writer;
    struct gantry_log_limits narrow = many;
    log_writer_open(&writer, folder->fd, 1000, 2);
    add(&writer, "0123456789abcdef");
    add(&writer, "012\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC");
    add(&writer, "0123456789");
    log_writer_close(&writer);
    narrow.max_line_bytes = 10;
    struct heard heard = read_log(folder, NULL, &narrow);
    assert_string_equal(text_cstr(&heard.text), "0123 [cut]|012 [cut]|0123456789");
    text_clear(&heard.text);
}

static void
cursor_that_is_none_is_refused(void **state)
{
    static const char *const bad[] = {"",     "1",    "1:",   ":1",   "a:1",
                                      "1:1x", "1:-1", "-1:1", " 1:1", "99999999999999999999:1"};
    const struct folder *folder = *state;
    struct heard heard = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(log_read(folder->fd, bad[i], &many, hear, &heard), -EINVAL);
    assert_int_equal(log_read(folder->fd, NULL, &many, hear, &heard), 0);
    assert_int_equal(heard.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(output_is_cut_into_lines),
        FOLDER_TEST(bytes_of_a_line_are_kept),
        FOLDER_TEST(line_of_more_than_the_most_becomes_several),
        FOLDER_TEST(every_cursor_goes_on_behind_its_line),
        FOLDER_TEST(old_files_go_and_their_cursors_begin_with_the_oldest_line),
        FOLDER_TEST(half_a_line_is_left_for_later),
        FOLDER_TEST(what_is_no_line_of_ours_is_left_out),
        FOLDER_TEST(newest_lines_that_fit_are_told),
        FOLDER_TEST(long_line_is_cut_between_characters),
        FOLDER_TEST(cursor_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
