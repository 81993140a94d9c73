/* Times as text, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"

#include "compiler.h"

static void
times_are_printed_in_utc(void **state)
{
    (void)state;
    char text[CLOCK_RFC3339_SIZE];
    assert_string_equal(clock_rfc3339(0, text), "1970-01-01T00:00:00.000Z");
    assert_string_equal(clock_rfc3339(-1, text), "1969-12-31T23:59:59.999Z");
    assert_string_equal(clock_rfc3339(1769860800123, text), "2026-01-31T12:00:00.123Z");
    assert_string_equal(clock_rfc3339(951782400000, text), "2000-02-29T00:00:00.000Z");
    assert_string_equal(clock_rfc3339(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
    assert_string_equal(clock_rfc3339(INT64_MIN, text), "0000-01-01T00:00:00.000Z");
}

static void
times_are_parsed_with_fractions_and_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t unix_ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-31T12:00:00.123456789Z", 1769860800123},
        {"2026-01-31t12:00:00.1z", 1769860800100},
        {"2026-01-31T14:30:00+02:30", 1769860800000},
        {"2026-01-31T07:00:00-05:00", 1769860800000},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2016-12-31T23:59:60Z", 1483228800000},   /* a leap second is the next day's first */
        {"0001-01-01T00:00:00Z", -62135596800000}, /* what Docker says for never */
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t unix_ms = 1;
        assert_true(clock_parse_rfc3339(str_of(cases[i].text), &unix_ms));
        assert_int_equal(unix_ms, cases[i].unix_ms);
    }
}

static void
what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-01-31",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00",
        "2026-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-00-01T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00.1234567890Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00Z ",
        "+026-01-31T12:00:00Z",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        int64_t unix_ms = 7;
        assert_false(clock_parse_rfc3339(str_of(bad[i]), &unix_ms));
        assert_int_equal(unix_ms, 7);
    }
}

static void
every_day_survives_the_round_trip(void **state)
{
    (void)state;
    char text[CLOCK_RFC3339_SIZE];
    for (int64_t day = -719528; day < 2932896; day += 17) {
        int64_t back = 0;
        assert_true(clock_parse_rfc3339(str_of(clock_rfc3339(day * 86400000, text)), &back));
        assert_int_equal(back, day * 86400000);
    }
}

static void
the_monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    int64_t before = clock_mono_ms();
    assert_true(clock_mono_ms() >= before);
    assert_true(clock_wall_ms() > 1700000000000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_printed_in_utc),
        cmocka_unit_test(times_are_parsed_with_fractions_and_offsets),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(every_day_survives_the_round_trip),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
