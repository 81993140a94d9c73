/* Values as they are written. */
#include "config_test.h"

#include "notation.h"

static void
durations_are_numbers_with_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0s", 0},       {"10s", 10000},     {"500ms", 500},         {"5m", 300000},
                {"2h", 7200000}, {"1h30m", 5400000}, {"1h1m1s1ms", 3661001}, {"90m", 5400000},
                {"007s", 7000},  {"1m500ms", 60500}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        int64_t ms = -1;
        if (!value_parse_duration(str_of(good[i].text), &ms) || ms != good[i].ms)
            fail_msg("%s gave %lld", good[i].text, (long long)ms);
    }
}

static void
what_is_no_duration_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "10",
                                      "s",
                                      "10 s",
                                      "1.5s",
                                      "-1s",
                                      "+1s",
                                      "10S",
                                      "1d",
                                      "1s1s",
                                      "30m1h",
                                      "1h30",
                                      "1e3s",
                                      "10sec",
                                      "٣s",
                                      "9223372036854775807h",
                                      "99999999999999999999s",
                                      "10s ",
                                      "0x10s"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        int64_t ms = -1;
        if (value_parse_duration(str_of(bad[i]), &ms) || ms != -1)
            fail_msg("'%s' was taken", bad[i]);
    }
}

static void
sizes_are_numbers_with_units(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {{"512KiB", 524288},      {"64MiB", 67108864},
                {"1GiB", 1073741824},    {"10MB", 10000000},
                {"1KB", 1000},           {"0B", 0},
                {"2TiB", 2199023255552}, {"3TB", 3000000000000},
                {"4GB", 4000000000},     {"7B", 7}};
    static const char *const bad[] = {"",       "64",    "64M",    "64m", "64mib",
                                      "64 MiB", "-1MiB", "1.5GiB", "MiB", "9223372036854775807KiB"};
    (void)state;
    int64_t bytes;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        if (!value_parse_size(str_of(good[i].text), false, &bytes) || bytes != good[i].bytes)
            fail_msg("%s gave %lld", good[i].text, (long long)bytes);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        if (value_parse_size(str_of(bad[i]), false, &bytes))
            fail_msg("'%s' was taken", bad[i]);
    assert_true(value_parse_size(STR("67108864"), true, &bytes));
    assert_int_equal(bytes, 67108864);
}

static void
bools_are_six_words(void **state)
{
    static const char *const good[] = {"no", "yes", "false", "true", "off", "on"};
    static const char *const bad[] = {"1", "0", "Y", "", "Yes", "TRUE", "enabled", "y", "n"};
    (void)state;
    bool value;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        assert_true(value_parse_bool(str_of(good[i]), false, &value));
        assert_int_equal(value, i % 2);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(value_parse_bool(str_of(bad[i]), false, &value));
    assert_true(value_parse_bool(STR("1"), true, &value) && value);
    assert_true(value_parse_bool(STR("True"), true, &value) && value);
    assert_true(value_parse_bool(STR("0"), true, &value) && !value);
    assert_false(value_parse_bool(STR(""), true, &value));
}

static void
numbers_may_have_a_fraction(void **state)
{
    static const char *const good[] = {"0", "2", "0.5", "-1.25", "10"};
    static const char *const bad[] = {"",    ".5",  "1.",  "1e3",   "+1",
                                      "1,5", "0x1", "nan", "1.2.3", "-"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(value_is_number(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(value_is_number(str_of(bad[i])));
}

static void
what_is_printed_can_be_read(void **state)
{
    static const int64_t durations[] = {0, 1, 500, 1000, 10000, 90000, 5400000, 86400000, 3661001};
    static const int64_t sizes[] = {0, 1, 1023, 1024, 10485760, 10000000, 1073741824, 999};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(durations); i++) {
        AUTO_BUF struct buf b = BUF_INIT(100);
        int64_t back = -1;
        value_print_duration(&b, durations[i]);
        assert_true(value_parse_duration(buf_view(&b), &back));
        assert_int_equal(back, durations[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        AUTO_BUF struct buf b = BUF_INIT(100);
        int64_t back = -1;
        value_print_size(&b, sizes[i]);
        assert_true(value_parse_size(buf_view(&b), false, &back));
        assert_int_equal(back, sizes[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_numbers_with_units),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(sizes_are_numbers_with_units),
        cmocka_unit_test(bools_are_six_words),
        cmocka_unit_test(numbers_may_have_a_fraction),
        cmocka_unit_test(what_is_printed_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
