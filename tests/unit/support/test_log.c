/* The log: levels, fields, quoting, both formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log.h"

#include <stdlib.h>
#include <string.h>

struct catcher {
    char line[70000];
    size_t lines;
    enum log_level level;
};

static void
catch_line(void *context, enum log_level level, const char *line, size_t length)
{
    struct catcher *c = context;
    assert_true(length < sizeof c->line);
    memcpy(c->line, line, length);
    c->line[length] = '\0';
    c->lines++;
    c->level = level;
}

static struct catcher caught;
static struct log logger;

static int
set_up(void **state)
{
    (void)state;
    memset(&caught, 0, sizeof caught);
    log_init(&logger, LOG_INFO, LOG_TEXT, (struct log_sink){catch_line, &caught});
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    log_clear(&logger);
    return 0;
}

static void
a_text_line_has_time_level_event_and_fields(void **state)
{
    (void)state;
    log_info(&logger, "workload started", F_STR("connector", "abc"), F_MS("took", 12),
             F_INT("count", -3), F_BOOL("verified", 1), F_STR("reason", NULL));
    assert_int_equal(strcspn(caught.line, "T"), 10);
    assert_string_equal(caught.line + 24,
                        " info  workload started connector=abc took=12ms count=-3 verified=true");
    assert_int_equal(caught.level, LOG_INFO);
}

static void
values_cannot_forge_fields_or_lines(void **state)
{
    (void)state;
    log_warn(&logger, "e", F_STR("a", "x y"), F_STR("b", "n\nn"), F_STR("c", ""), F_STR("d", "k=v"),
             F_STR("e", "q\"q"), F_STR("f", "\xff"), F_STR("g", "plain-1.2/\xc3\xa4"));
    assert_string_equal(caught.line + 24,
                        " warn  e a=\"x y\" b=\"n\\nn\" c=\"\" d=\"k=v\" e=\"q\\\"q\" "
                        "f=\"\xef\xbf\xbd\" g=plain-1.2/\xc3\xa4");
}

static void
a_json_line_is_an_object(void **state)
{
    (void)state;
    logger.format = LOG_JSON;
    log_error(&logger, "it broke", F_STR("connector", "a\"b"), F_MS("took", 12), F_INT("n", 1),
              F_BOOL("ok", 0), F_STR("reason", NULL));
    assert_memory_equal(caught.line, "{\"time\":\"2", 10);
    assert_string_equal(strstr(caught.line, "\"level\""),
                        "\"level\":\"error\",\"event\":\"it broke\",\"connector\":\"a\\\"b\","
                        "\"took_ms\":12,\"n\":1,\"ok\":false}");
}

static int evaluated;

static const char *
evaluate(void)
{
    evaluated++;
    return "x";
}

static void
what_is_above_the_level_costs_nothing(void **state)
{
    (void)state;
    log_debug(&logger, "e", F_STR("a", evaluate()));
    log_info(NULL, "e", F_STR("a", evaluate()));
    assert_int_equal(caught.lines, 0);
    assert_int_equal(evaluated, 0);
    logger.level = LOG_DEBUG;
    log_debug(&logger, "e");
    assert_int_equal(caught.lines, 1);
    assert_string_equal(caught.line + 24, " debug e");
}

static void
endless_values_are_cut_and_the_line_stays_whole(void **state)
{
    (void)state;
    char *text = malloc(100001);
    memset(text, 1, 100000); /* each becomes six characters */
    text[100000] = '\0';
    logger.format = LOG_JSON;
    log_info(&logger, "e", F_STR("a", text));
    assert_string_equal(caught.line + strlen(caught.line) - 2, "\"}");
    log_info(&logger, "too much", F_STR("a", text), F_STR("b", text));
    assert_non_null(strstr(caught.line, "\"event\":\"too much\",\"fields_lost\":true}"));
    logger.format = LOG_TEXT;
    log_info(&logger, "too much", F_STR("a", text), F_STR("b", text));
    assert_string_equal(caught.line + 24, " info  too much fields_lost=true");
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_text_line_has_time_level_event_and_fields, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(values_cannot_forge_fields_or_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_json_line_is_an_object, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_above_the_level_costs_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(endless_values_are_cut_and_the_line_stays_whole, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
