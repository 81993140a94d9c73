/* Values are made, found, compared and bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "value.h"

static struct arena arena;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static struct value *
parsed(const char *text)
{
    struct value *v = NULL;
    assert_int_equal(value_parse(&arena, str_of(text), NULL, &v, NULL), 0);
    return v;
}

static void
content_is_told_by_kind(void **state)
{
    (void)state;
    struct value *v = parsed("[null,true,-7,1.5,\"a\\u0000b\",[1],{\"k\":2}]");
    assert_int_equal(value_count(v), 7);
    assert_int_equal(value_kind(value_at(v, 0)), VALUE_NULL);
    assert_true(value_bool(value_at(v, 1)));
    assert_int_equal(value_int(value_at(v, 2)), -7);
    assert_int_equal(value_kind(value_at(v, 3)), VALUE_NUMBER);
    assert_true(str_eq(value_text(value_at(v, 3)), STR("1.5")));
    assert_true(str_eq(value_text(value_at(v, 4)), STR("a\0b")));
    assert_int_equal(value_int(value_at(value_at(v, 5), 0)), 1);
    assert_true(str_eq(value_key_at(value_at(v, 6), 0), STR("k")));
    assert_int_equal(value_int(value_find(value_at(v, 6), STR("k"))), 2);
    assert_string_equal(value_kind_name(value_kind(v)), "array");
}

static void
looking_into_the_wrong_kind_finds_nothing(void **state)
{
    (void)state;
    struct value *v = parsed("[1]");
    assert_null(value_find(v, STR("a")));
    assert_null(value_find(NULL, STR("a")));
    assert_null(value_at(v, 1));
    assert_null(value_at(NULL, 0));
    assert_int_equal(value_count(value_at(v, 0)), 0);
    assert_null(value_find(value_find(parsed("{}"), STR("a")), STR("b")));
}

static void
made_values_print_like_read_ones(void **state)
{
    (void)state;
    struct value *object = value_new_object(&arena);
    struct value *array = value_new_array(&arena);
    assert_int_equal(value_add(&arena, array, value_new_int(&arena, INT64_MIN)), 0);
    assert_int_equal(value_add(&arena, array, value_new_number(&arena, STR("1e9"))), 0);
    assert_int_equal(value_add(&arena, array, value_new_string(&arena, STR("x"))), 0);
    assert_int_equal(value_set(&arena, object, STR("a"), value_new_null(&arena)), 0);
    assert_int_equal(value_set(&arena, object, STR("b"), array), 0);
    assert_int_equal(value_set(&arena, object, STR("a"), value_new_bool(&arena, false)), 0);
    AUTO_BUF struct buf out = BUF_INIT(1000);
    assert_int_equal(value_print(object, VALUE_COMPACT, &out), 0);
    assert_string_equal(buf_text(&out), "{\"a\":false,\"b\":[-9223372036854775808,1e9,\"x\"]}");
    assert_true(value_equal(object, parsed(buf_text(&out))));
}

static void
a_number_is_made_only_of_a_number(void **state)
{
    (void)state;
    assert_int_equal(value_kind(value_new_number(&arena, STR("42"))), VALUE_INT);
    assert_int_equal(value_kind(value_new_number(&arena, STR("-0"))), VALUE_NUMBER);
    assert_null(value_new_number(&arena, STR("1x")));
    assert_null(value_new_number(&arena, STR("")));
    assert_null(value_new_number(&arena, STR("NaN")));
}

static void
equality_ignores_the_order_of_members_alone(void **state)
{
    (void)state;
    struct value *v = parsed("{\"a\":[1,2],\"b\":{\"c\":1.0}}");
    assert_true(value_equal(v, parsed("{\"b\":{\"c\":1.0},\"a\":[1,2]}")));
    assert_false(value_equal(v, parsed("{\"b\":{\"c\":1.0},\"a\":[2,1]}")));
    assert_false(value_equal(v, parsed("{\"b\":{\"c\":1},\"a\":[1,2]}")));
    assert_false(value_equal(v, parsed("{\"b\":{\"c\":1.0},\"x\":[1,2]}")));
    assert_false(value_equal(v, parsed("{\"a\":[1,2]}")));
    assert_false(value_equal(parsed("null"), parsed("false")));
}

static void
what_is_too_deep_or_too_long_is_not_printed(void **state)
{
    (void)state;
    struct value *v = value_new_array(&arena);
    for (int i = 1; i < VALUE_DEPTH_MAX; i++) {
        struct value *outer = value_new_array(&arena);
        assert_int_equal(value_add(&arena, outer, v), 0);
        v = outer;
    }
    AUTO_BUF struct buf out = BUF_INIT(100000);
    assert_int_equal(value_print(v, VALUE_COMPACT, &out), 0);
    struct value *outer = value_new_array(&arena);
    assert_int_equal(value_add(&arena, outer, v), 0);
    assert_int_equal(value_print(outer, VALUE_COMPACT, &out), GANTRY_E_INVALID);
    AUTO_BUF struct buf small = BUF_INIT(3);
    assert_int_equal(value_print(parsed("[1,2]"), VALUE_COMPACT, &small), GANTRY_E_INVALID);
}

static void
what_was_expected_changes_nothing(void **state)
{
    (void)state;
    for (size_t expected = 0; expected < 70; expected++) {
        struct value *object = value_new_object(&arena), *array = value_new_array(&arena);
        assert_int_equal(value_expect(&arena, object, expected), 0);
        assert_int_equal(value_expect(&arena, array, expected), 0);
        for (int64_t i = 0; i < 80; i++) {
            struct value *number = value_new_int(&arena, i);
            struct str key = str_of(arena_fmt(&arena, "k%d", (int)i));
            assert_int_equal(value_add(&arena, array, number), 0);
            assert_int_equal(value_set(&arena, object, key, number), 0);
            assert_int_equal(value_expect(&arena, array, 5), 0); /* it is not empty */
            assert_int_equal(value_int(value_at(array, (size_t)i)), i);
            assert_int_equal(value_int(value_find(object, key)), i);
        }
        assert_int_equal(value_count(array), 80);
        assert_int_equal(value_count(object), 80);
    }
}

static void
what_was_read_can_be_changed_without_changing_its_like(void **state)
{
    (void)state;
    struct value *all = parsed("[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4},{\"a\":5},{},[],[6]]");
    struct value *new = value_new_int(&arena, 9), *like = value_new_object(&arena), *before = NULL;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(value_set(&arena, value_at(all, i), STR("b"), new), 0);
    assert_int_equal(value_set(&arena, value_at(all, 0), STR("c"), new), 0);
    assert_int_equal(value_set(&arena, value_at(all, 1), STR("d"), new), 0);
    assert_int_equal(value_offer(&arena, value_at(all, 1), STR("a"), new, &before), 0);
    assert_int_equal(value_int(before), 3);
    assert_int_equal(value_offer(&arena, value_at(all, 2), STR("c"), new, &before), 0);
    assert_null(before);
    assert_int_equal(value_add(&arena, value_at(all, 4), new), 0);
    assert_int_equal(value_add(&arena, value_at(all, 5), new), 0);
    value_expect_like(like, value_at(all, 0));
    assert_int_equal(value_count(like), 0);
    assert_null(value_find(like, STR("a")));
    assert_int_equal(value_set(&arena, like, STR("a"), new), 0);
    assert_int_equal(value_set(&arena, like, STR("x"), new), 0);
    assert_int_equal(value_add(&arena, all, like), 0);
    AUTO_BUF struct buf out = BUF_INIT(1000);
    assert_int_equal(value_print(all, VALUE_COMPACT, &out), 0);
    assert_string_equal(buf_text(&out), "[{\"a\":1,\"b\":9,\"c\":9},{\"a\":3,\"b\":9,\"d\":9},"
                                        "{\"a\":5,\"b\":9,\"c\":9},{\"b\":9},[9],[6,9],"
                                        "{\"a\":9,\"x\":9}]");
}

/* Takes so many bytes, then no more. */
struct taker {
    struct buf *got;
    size_t most;
};

static int
take(void *context, const char *bytes, size_t n)
{
    struct taker *t = context;
    if (t->got->len + n > t->most)
        return GANTRY_E_UNAVAILABLE;
    buf_add_bytes(t->got, bytes, n);
    return 0;
}

static void
what_is_written_is_what_is_printed(void **state)
{
    (void)state;
    AUTO_BUF struct buf text = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);
    struct taker taker = {&got, SIZE_MAX};
    const struct value_writer writer = {take, &taker};
    buf_add_char(&text, '[');
    for (size_t i = 0; i < 9000; i += 7) { /* strings around the size of what is staged */
        buf_add_text(&text, i ? ",\"" : "\"");
        for (size_t k = 0; k < i % 5000 / 4; k++)
            buf_add_char(&text, (char)('a' + k % 26));
        buf_add_text(&text, i % 3 ? "\"" : "\\n\\u007f\"");
    }
    buf_add_char(&text, ']');
    struct value *v = parsed(buf_text(&text));
    assert_int_equal(value_write(v, VALUE_COMPACT, &writer), 0);
    assert_string_equal(buf_text(&got), buf_text(&text));
    buf_reset(&got);
    taker.most = 100000;
    assert_int_equal(value_write(v, VALUE_COMPACT, &writer), GANTRY_E_UNAVAILABLE);
}

static void
where_a_name_was_is_only_a_hint(void **state)
{
    (void)state;
    struct value *all =
        parsed("[{\"a\":1,\"b\":2,\"c\":3},{\"a\":1,\"b\":2},{\"a\":1},{},{\"b\":2},"
               "{\"c\":3,\"a\":1,\"b\":2},{\"a\":1,\"b\":2,\"c\":3},7]");
    const bool has[] = {true, true, false, false, true, true, true, false};
    for (size_t first = 0; first < value_count(all); first++) {
        struct value_hint hint = {0}, absent = {0};
        for (size_t i = 0; i < value_count(all); i++) {
            const struct value *v = value_at(all, (first + i) % value_count(all));
            const struct value *found = value_find_again(v, STR("b"), &hint);
            assert_int_equal(found != NULL, has[(first + i) % value_count(all)]);
            assert_true(!found || value_int(found) == 2);
            assert_null(value_find_again(v, STR("x"), &absent));
        }
    }
}

static void
expect_number(const char *text, const char *normal)
{
    AUTO_BUF struct buf out = BUF_INIT(100);
    value_add_number(parsed(text), &out);
    assert_string_equal(buf_text(&out), normal);
}

static void
numbers_have_one_normal_form(void **state)
{
    (void)state;
    expect_number("-9223372036854775808", "-9223372036854775808");
    expect_number("18446744073709551615", "18446744073709551615");
    expect_number("18446744073709551616", "1.8446744073709552e+19");
    expect_number("-0", "-0.0");
    expect_number("1.50", "1.5");
    expect_number("1e15", "1000000000000000.0");
    expect_number("9999999999999998.0", "9999999999999998.0");
    expect_number("1e16", "1e+16");
    expect_number("0.00001", "0.00001");
    expect_number("0.0000012", "1.2e-6");
    expect_number("1e400", "1e400");
    assert_null(value_new_double(&arena, 1e308 * 10));
    assert_null(value_new_integer(&arena, true, UINT64_MAX));
    assert_int_equal(value_int(value_new_integer(&arena, true, UINT64_C(1) << 63)), INT64_MIN);
}

static void
sameness_is_by_meaning_and_counts_steps(void **state)
{
    (void)state;
    uint64_t steps = 100;
    assert_true(value_same(parsed("{\"a\":[1.50,-0.0]}"), parsed("{\"a\":[1.5,0.0]}"), &steps));
    assert_int_equal(steps, 96);
    assert_false(value_same(parsed("1"), parsed("1.0"), &steps));
    assert_true(value_same(parsed("1e400"), parsed("1e400"), &steps));
    assert_false(value_same(parsed("1e400"), parsed("1e401"), &steps));
    steps = 2;
    assert_false(value_same(parsed("[1,2]"), parsed("[1,2]"), &steps));
    assert_int_equal(steps, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(content_is_told_by_kind),
        TEST(looking_into_the_wrong_kind_finds_nothing),
        TEST(made_values_print_like_read_ones),
        TEST(a_number_is_made_only_of_a_number),
        TEST(equality_ignores_the_order_of_members_alone),
        TEST(what_is_too_deep_or_too_long_is_not_printed),
        TEST(what_was_expected_changes_nothing),
        TEST(what_was_read_can_be_changed_without_changing_its_like),
        TEST(what_is_written_is_what_is_printed),
        TEST(where_a_name_was_is_only_a_hint),
        TEST(numbers_have_one_normal_form),
        TEST(sameness_is_by_meaning_and_counts_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
