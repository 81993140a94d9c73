/* What is told of a connector, as JSON: log lines above all. */
#include "platform_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static void
assert_line(const char *line, const char *json)
{
    AUTO_BUF struct buf b = BUF_INIT(1 << 20);
    log_lines_add_json(&b, &line, 1);
    assert_string_equal(json, buf_text(&b));
}

static void
control_characters_and_escape_sequences_are_taken_out(void **state)
{
    (void)state;
    assert_line("plain", "[\"plain\"]");
    assert_line("", "[\"\"]");
    assert_line("a\tb\rc\nd\x7f"
                "e",
                "[\"a bcde\"]");
    assert_line("\x1b[1;31mred\x1b[0m", "[\"red\"]");
    assert_line("\x1b]0;title\x07text", "[\"text\"]");
    assert_line("\x1b]8;;http://x\x1b\\link", "[\"link\"]");
    assert_line("\x1b(Bx\x1bMy\x1b", "[\"xy\"]");
    assert_line("\x1b[12", "[\"\"]");
    assert_line("a\xc2\x85"
                "b\xc2\xa0"
                "c",
                "[\"ab\xc2\xa0"
                "c\"]");
    assert_line("quote \" and \\", "[\"quote \\\" and \\\\\"]");
}

static void
what_is_no_utf8_is_replaced(void **state)
{
    (void)state;
    assert_line("a\xff\xc3", "[\"a\xef\xbf\xbd\xef\xbf\xbd\"]");
    assert_line("\xed\xa0\x80",
                "[\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]"); /* half a surrogate pair */
    assert_line("\xf0\x9f\x98\x80", "[\"\xf0\x9f\x98\x80\"]");
}

static void
a_long_line_is_cut_between_characters(void **state)
{
    (void)state;
    char line[8001];
    for (size_t i = 0; i < 8000; i += 2)
        memcpy(line + i, "\xc3\xa9", 2);
    line[0] = 'x';
    line[1] = 'y';
    memmove(line + 1, line + 2, 7998); /* one byte, then pairs: the limit falls into one */
    line[7999] = '\0';
    const char *lines[] = {line};
    AUTO_BUF struct buf b = BUF_INIT(1 << 20);
    log_lines_add_json(&b, lines, 1);
    assert_int_equal(LOG_LINE_MAX_BYTES - 1 + 4, b.len);
    assert_int_equal(b.len, str_utf8_valid_length(buf_view(&b)));
}

static void
the_oldest_lines_are_left_out_when_all_are_too_much(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    char text[COUNT][1001];
    const char *lines[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        memset(text[i], 'x', 1000);
        text[i][1000] = '\0';
        (void)snprintf(text[i], 4, "%03zu", i);
        text[i][3] = 'x';
        lines[i] = text[i];
    }
    AUTO_BUF struct buf b = BUF_INIT(1 << 20);
    log_lines_add_json(&b, lines, COUNT);
    assert_null(strstr(buf_text(&b), "\"034x"));
    assert_int_equal(0, strncmp(buf_text(&b), "[\"035x", 6)); /* 65 lines of 1001 bytes are 65065 */
    assert_non_null(strstr(buf_text(&b), "\"099x"));
}

static void
no_lines_are_an_empty_list(void **state)
{
    (void)state;
    char *value = value_logs("one", NULL, 0);
    assert_string_equal("{\"id\":\"one\",\"logs\":[]}", value);
    free(value);
}

static void
health_never_has_a_start_that_cannot_be(void **state)
{
    (void)state;
    struct platform_health health = {3, 1769860800123, true};
    char *value = value_health("one", &health, 1769860900000);
    assert_string_equal(
        "{\"id\":\"one\",\"restart_count\":3,\"started_at\":\"2026-01-31T12:00:00.123Z\","
        "\"is_in_reboot_loop\":true}",
        value);
    free(value);
    health = (struct platform_health){-1, -62135596800000, false}; /* year 1: an engine's zero */
    value = value_health("one", &health, 1769860800000);
    assert_string_equal(
        "{\"id\":\"one\",\"restart_count\":0,\"started_at\":\"2026-01-31T12:00:00.000Z\","
        "\"is_in_reboot_loop\":false}",
        value);
    free(value);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_and_escape_sequences_are_taken_out),
        cmocka_unit_test(what_is_no_utf8_is_replaced),
        cmocka_unit_test(a_long_line_is_cut_between_characters),
        cmocka_unit_test(the_oldest_lines_are_left_out_when_all_are_too_much),
        cmocka_unit_test(no_lines_are_an_empty_list),
        cmocka_unit_test(health_never_has_a_start_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
