/* Views of text: comparing, cutting, numbers, UTF-8, nearest words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "str.h"

#include "compiler.h"

static void
prefixes_and_suffixes_are_compared_whole(void **state)
{
    (void)state;
    assert_true(str_starts_with(STR("gantry"), STR("gan")));
    assert_true(str_starts_with(STR("gantry"), STR_NONE));
    assert_false(str_starts_with(STR("ga"), STR("gan")));
    assert_true(str_ends_with(STR("gantry"), STR("try")));
    assert_true(str_ends_with(STR_NONE, STR_NONE));
    assert_false(str_ends_with(STR("try"), STR("gantry")));
    assert_true(str_eq_nocase(STR("GanTry"), STR("gANtRY")));
    assert_false(str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4"))); /* ASCII only */
    assert_true(text_eq(NULL, NULL));
    assert_false(text_eq("a", NULL));
    assert_true(text_eq("a", "a"));
}

static void
cutting_takes_one_part_at_a_time(void **state)
{
    (void)state;
    struct str rest = STR("a=b=c");
    assert_true(str_eq(str_cut(rest, '=', &rest), STR("a")));
    assert_true(str_eq(rest, STR("b=c")));
    assert_true(str_eq(str_cut(STR("a="), '=', &rest), STR("a")));
    assert_non_null(rest.ptr); /* an empty rest is not a missing separator */
    assert_int_equal(rest.len, 0);
    assert_true(str_eq(str_cut(STR("abc"), '=', &rest), STR("abc")));
    assert_null(rest.ptr);
    assert_true(str_eq(str_trim(STR(" \t a b\r\n")), STR("a b")));
    assert_int_equal(str_trim(STR(" \n")).len, 0);
}

static void
numbers_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    int64_t i = 7;
    uint64_t u = 7;
    assert_true(str_to_int64(STR("9223372036854775807"), &i) && i == INT64_MAX);
    assert_true(str_to_int64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(str_to_int64(STR("-0"), &i) && i == 0);
    assert_false(str_to_int64(STR("9223372036854775808"), &i));
    assert_false(str_to_int64(STR("-9223372036854775809"), &i));
    assert_true(str_to_uint64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_false(str_to_uint64(STR("18446744073709551616"), &u));
    assert_false(str_to_uint64(STR("-1"), &u));
    static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1x", "0x1", "--1"};
    for (size_t k = 0; k < ARRAY_LENGTH(bad); k++)
        assert_false(str_to_int64(str_of(bad[k]), &i));
}

static void
only_well_formed_utf8_is_valid(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "plain ascii, longer than eight",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\xaf",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf5\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xe2\x82",
                                      "\xc3(",
                                      "\xff"};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_int_equal(str_utf8_valid_length(str_of(good[i])), strlen(good[i]));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_int_equal(str_utf8_valid_length(str_of(bad[i])), 0);
    assert_int_equal(str_utf8_valid_length(STR("0123456789\xff")), 10);
}

static void
positions_count_lines_and_characters(void **state)
{
    (void)state;
    size_t line, column;
    struct str text = STR("a\nb\r\n\xc3\xa4\xc3\xb6x\rz");
    str_position(text, 0, &line, &column);
    assert_true(line == 1 && column == 1);
    str_position(text, 2, &line, &column);
    assert_true(line == 2 && column == 1);
    str_position(text, 9, &line, &column); /* x, behind two characters of two bytes */
    assert_true(line == 3 && column == 3);
    str_position(text, text.len, &line, &column);
    assert_true(line == 4 && column == 2);
}

static void
the_nearest_word_is_found_and_nonsense_is_not(void **state)
{
    (void)state;
    static const char *const words[] = {"interval", "timeout", "concurrency", "token"};
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("abc", "ABC"), 0);
    assert_int_equal(text_distance("abcd", "abdc"), 1);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    assert_string_equal(text_nearest("intervall", words, 4), "interval");
    assert_string_equal(text_nearest("tokne", words, 4), "token");
    assert_string_equal(text_nearest("TIMEOUT", words, 4), "timeout");
    assert_null(text_nearest("password", words, 4));
    assert_null(text_nearest("", words, 4));
    char longer[200];
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_null(text_nearest(longer, words, 4));
}

static void
a_digest_is_fnv_1a(void **state)
{
    (void)state; /* the vectors of its authors */
    assert_int_equal(text_digest(""), UINT64_C(0xcbf29ce484222325));
    assert_int_equal(text_digest("a"), UINT64_C(0xaf63dc4c8601ec8c));
    assert_int_equal(text_digest("foobar"), UINT64_C(0x85944171f73967e8));
    assert_int_not_equal(text_digest("\xff"), text_digest("\x7f"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_is_fnv_1a),
        cmocka_unit_test(prefixes_and_suffixes_are_compared_whole),
        cmocka_unit_test(cutting_takes_one_part_at_a_time),
        cmocka_unit_test(numbers_that_do_not_fit_are_refused),
        cmocka_unit_test(only_well_formed_utf8_is_valid),
        cmocka_unit_test(positions_count_lines_and_characters),
        cmocka_unit_test(the_nearest_word_is_found_and_nonsense_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
