/* Text being built: growth, the maximum, the remembered failure, escaping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"

#include <gantry/types.h>

static void
an_empty_buffer_is_an_empty_text(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(10);
    assert_string_equal(buf_text(&b), "");
    char *text = buf_take(&b);
    assert_string_equal(text, "");
    free(text);
}

static void
a_buffer_grows_to_its_maximum_and_not_beyond(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = BUF_INIT(1000);
    for (int i = 0; i < 1000; i++)
        buf_add_char(&b, 'x');
    assert_int_equal(buf_failed(&b), 0);
    assert_int_equal(b.len, 1000);
    buf_add_char(&b, 'y');
    assert_int_equal(buf_failed(&b), GANTRY_E_INVALID);
    assert_int_equal(b.len, 1000);
    buf_truncate(&b, 0);
    buf_add_text(&b, "z"); /* the failure stays until reset */
    assert_int_equal(b.len, 0);
    assert_null(buf_take(&b));
    buf_reset(&b);
    buf_add_text(&b, "z");
    assert_string_equal(buf_text(&b), "z");
}

static void
formatted_text_is_not_cut(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = BUF_INIT(100);
    buf_add_fmt(&b, "%s", "");
    for (int i = 0; i < 9; i++)
        buf_add_fmt(&b, "%d,%s;", i, "1234567");
    assert_int_equal(buf_failed(&b), 0);
    assert_int_equal(b.len, 90);
    assert_memory_equal(b.ptr + 80, "8,1234567;", 11);
    buf_add_fmt(&b, "%s", "12345678901");
    assert_int_equal(buf_failed(&b), GANTRY_E_INVALID);
    assert_string_equal(b.ptr + 80, "8,1234567;"); /* nothing of what did not fit */
}

static void
json_strings_are_escaped(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = BUF_INIT(1000);
    buf_add_json(&b, STR("a\"\\\b\f\n\r\t\x01\x7f\0/\xc3\xa4"));
    assert_string_equal(buf_text(&b), "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f\\u0000/\xc3\xa4\"");
    buf_reset(&b);
    buf_add_json(&b, STR("a\xff\xc3z"));
    assert_string_equal(buf_text(&b), "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
    buf_reset(&b);
    buf_add_json(&b, STR_NONE);
    assert_string_equal(buf_text(&b), "\"\"");
}

static void
urls_keep_only_unreserved_characters(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = BUF_INIT(1000);
    buf_add_url(&b, STR("aZ09-._~ /?&=%\xc3\xa4"));
    assert_string_equal(buf_text(&b), "aZ09-._~%20%2F%3F%26%3D%25%C3%A4");
}

static void
both_ends_can_be_removed(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = BUF_INIT(1000);
    buf_add(&b, STR("one two three"));
    buf_remove_front(&b, 4);
    assert_string_equal(buf_text(&b), "two three");
    buf_truncate(&b, 3);
    assert_string_equal(buf_text(&b), "two");
    buf_remove_front(&b, 3);
    assert_string_equal(buf_text(&b), "");
    buf_add_text(&b, NULL);
    buf_wipe(&b);
    assert_null(b.ptr);
    assert_int_equal(b.max, 1000);
}

static void
what_is_expected_is_a_hint(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = BUF_INIT(1000);
    buf_expect(&b, 300);
    assert_true(b.size >= 300);
    const char *place = b.ptr;
    for (int i = 0; i < 299; i++)
        buf_add_char(&b, 'x');
    assert_ptr_equal(place, b.ptr); /* it has not moved */
    buf_expect(&b, SIZE_MAX);       /* more than it may become */
    assert_int_equal(0, buf_failed(&b));
    assert_int_equal(299, b.len);
    buf_add_text(&b, "y");
    assert_int_equal(300, strlen(buf_text(&b)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_text),
        cmocka_unit_test(a_buffer_grows_to_its_maximum_and_not_beyond),
        cmocka_unit_test(formatted_text_is_not_cut),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(urls_keep_only_unreserved_characters),
        cmocka_unit_test(what_is_expected_is_a_hint),
        cmocka_unit_test(both_ends_can_be_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
