/* JSON is read and printed as the vectors say, within its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../vectors/vectors.h"
#include "value.h"

static size_t
check_print(const struct vector *v, const struct value *value, const char *section,
            enum value_style style)
{
    struct str expected = vector_section(v, section);
    if (!expected.ptr)
        return 0;
    AUTO_BUF struct buf out = BUF_INIT(1 << 20);
    if (value_print(value, style, &out) < 0)
        return 1;
    return vector_differs(v, section, expected, buf_view(&out));
}

static size_t
run_vector(const struct vector *v)
{
    AUTO_ARENA struct arena a;
    AUTO_ERR struct gantry_error *err = NULL;
    struct value *value = NULL;
    arena_init(&a, 0);
    int rc = value_parse(&a, vector_section(v, "input"), NULL, &value, &err);
    struct str expected = vector_section(v, "error");
    if (expected.ptr || rc < 0) {
        size_t failures = vector_differs(v, "error", expected, str_of(err ? err_text(err) : ""));
        return failures + (rc != GANTRY_E_INVALID || value != NULL);
    }
    return check_print(v, value, "output", VALUE_COMPACT) +
           check_print(v, value, "indented", VALUE_INDENTED);
}

static void
vectors_are_read_and_printed(void **state)
{
    (void)state;
    assert_int_equal(
        vectors_run(GANTRY_SOURCE_DIR "/tests/vectors/value/accepted.test", run_vector), 0);
    assert_int_equal(vectors_run(GANTRY_SOURCE_DIR "/tests/vectors/value/refused.test", run_vector),
                     0);
}

static int
parse_with(struct str text, size_t max_bytes, size_t max_depth, struct gantry_error **err)
{
    AUTO_ARENA struct arena a;
    struct value *value = NULL;
    const struct value_limits limits = {max_bytes, max_depth};
    arena_init(&a, 0);
    return value_parse(&a, text, &limits, &value, err);
}

static void
depth_is_limited_whatever_is_asked_for(void **state)
{
    (void)state;
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(parse_with(STR("[[[]]]"), 0, 3, NULL), 0);
    assert_int_equal(parse_with(STR("[[[]]]"), 0, 2, &err), GANTRY_E_INVALID);
    assert_string_equal(err_text(err), "JSON, line 1, column 3: nested deeper than the limit");
    assert_int_equal(parse_with(STR("[[],[],{\"a\":[]}]"), 0, 3, NULL), 0); /* depth, not count */
    static char deep[200000];
    memset(deep, '[', sizeof deep);
    assert_int_equal(parse_with((struct str){deep, sizeof deep}, 0, 0, NULL), GANTRY_E_INVALID);
    assert_int_equal(parse_with((struct str){deep, sizeof deep}, 0, SIZE_MAX, NULL),
                     GANTRY_E_INVALID);
    memset(deep + VALUE_DEPTH_MAX, ']', VALUE_DEPTH_MAX);
    assert_int_equal(parse_with((struct str){deep, 2 * VALUE_DEPTH_MAX}, 0, SIZE_MAX, NULL), 0);
}

static void
length_is_limited(void **state)
{
    (void)state;
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(parse_with(STR("12345"), 5, 0, NULL), 0);
    assert_int_equal(parse_with(STR("123456"), 5, 0, &err), GANTRY_E_INVALID);
    assert_string_equal(err_text(err), "JSON of 6 bytes is longer than 5, the limit");
}

static void
bytes_that_are_no_text_are_refused_with_their_place(void **state)
{
    (void)state;
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(parse_with(STR("[1,\n\"\xc3\xa4\xff\"]"), 0, 0, &err), GANTRY_E_INVALID);
    assert_string_equal(err_text(err), "JSON, line 2, column 3: this byte is not UTF-8");
    assert_int_equal(parse_with(STR("\"\xed\xa0\x80\""), 0, 0, NULL), GANTRY_E_INVALID);
    assert_int_equal(parse_with(STR("\"a\0b\""), 0, 0, NULL), GANTRY_E_INVALID);
    assert_int_equal(parse_with(STR("1\0"), 0, 0, NULL), GANTRY_E_INVALID);
    assert_int_equal(parse_with(STR("\xef\xbb\xbf{}"), 0, 0, NULL), 0);
    assert_int_equal(parse_with(STR("\xef\xbb\xbf"), 0, 0, NULL), GANTRY_E_INVALID);
    assert_int_equal(parse_with(STR_NONE, 0, 0, NULL), GANTRY_E_INVALID);
}

static void
every_cut_text_is_refused(void **state)
{
    (void)state;
    struct str text = STR("{\"a\":[1.5e3,\"\\u00e4\\ud83d\\ude00\",true,null,{}],\"b\":-0.5}");
    for (size_t n = 0; n < text.len; n++) {
        AUTO_FREE char *cut = str_dup((struct str){text.ptr, n}); /* so that ASan sees the end */
        assert_int_equal(parse_with((struct str){cut, n}, 0, 0, NULL), GANTRY_E_INVALID);
    }
    assert_int_equal(parse_with(text, 0, 0, NULL), 0);
}

static void
running_out_of_memory_anywhere_is_one_error(void **state)
{
    (void)state;
    struct str text = STR("{\"a\":[1.5e3,\"\\u00e4\",true,null,{},[],1,2,3,4],\"b\":-0.5,\"c\":1,"
                          "\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,"
                          "\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1}");
    size_t refused = 0;
    for (size_t bytes = 1;; bytes += 16) {
        AUTO_ARENA struct arena a;
        AUTO_ERR struct gantry_error *err = NULL;
        struct value *value = NULL;
        arena_init(&a, bytes);
        int rc = value_parse(&a, text, NULL, &value, &err);
        if (rc == 0)
            break;
        assert_int_equal(rc, GANTRY_E_NOMEM);
        assert_null(value);
        refused++;
    }
    assert_true(refused > 40);
}

static void
many_names_do_not_take_the_square_of_time(void **state)
{
    (void)state;
    AUTO_BUF struct buf text = BUF_INIT(64 << 20);
    AUTO_ARENA struct arena a;
    struct value *value = NULL;
    buf_add_text(&text, "{");
    for (int i = 0; i < 200000; i++)
        buf_add_fmt(&text, "%s\"%d\":%d", i ? "," : "", i, i);
    buf_add_text(&text, "}");
    arena_init(&a, 0);
    assert_int_equal(value_parse(&a, buf_view(&text), NULL, &value, NULL), 0);
    assert_int_equal(value_count(value), 200000);
    assert_int_equal(value_int(value_find(value, STR("199999"))), 199999);
    assert_int_equal(value_int(value_at(value, 777)), 777);
    assert_null(value_find(value, STR("200000")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_read_and_printed),
        cmocka_unit_test(depth_is_limited_whatever_is_asked_for),
        cmocka_unit_test(length_is_limited),
        cmocka_unit_test(bytes_that_are_no_text_are_refused_with_their_place),
        cmocka_unit_test(every_cut_text_is_refused),
        cmocka_unit_test(running_out_of_memory_anywhere_is_one_error),
        cmocka_unit_test(many_names_do_not_take_the_square_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
