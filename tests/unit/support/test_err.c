/* Errors: making, wrapping, moving, out of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
an_error_has_code_and_one_line_of_utf8(void **state)
{
    (void)state;
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(err_set(&err, GANTRY_E_DENIED, "a\nb\x1b[0m\x7f%s\xff.", "\xc3\xa4"),
                     GANTRY_E_DENIED);
    assert_string_equal(err->message, "a b [0m \xc3\xa4?.");
    assert_int_equal(err->code, GANTRY_E_DENIED);
    assert_int_equal(err->size, sizeof *err);
    assert_null(err->cause);
}

static void
long_messages_end_between_two_characters(void **state)
{
    (void)state;
    AUTO_ERR struct gantry_error *err = NULL;
    char *text = malloc(10001);
    for (size_t i = 0; i < 10000; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    text[10000] = '\0';
    err_set(&err, GANTRY_E_INVALID, "x%s", text);
    assert_int_equal(strlen(err->message), 4095);
    assert_memory_equal(err->message + 4093, "\xc3\xa4", 3);
    free(text);
}

static void
wrapping_puts_context_in_front_and_keeps_the_cause(void **state)
{
    (void)state;
    AUTO_ERR struct gantry_error *err = NULL;
    int rc = err_set_errno(&err, GANTRY_E_NOT_FOUND, ENOENT, "cannot open '%s'", "x");
    rc = err_wrap(&err, rc, "key of %s", "manager");
    assert_int_equal(rc, GANTRY_E_NOT_FOUND);
    assert_string_equal(err_text(err),
                        "key of manager: cannot open 'x': No such file or directory");
    assert_string_equal(err->cause->message, "cannot open 'x': No such file or directory");
}

static void
without_an_error_object_the_code_comes_through(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, GANTRY_E_TIMEOUT, "x"), GANTRY_E_TIMEOUT);
    assert_int_equal(err_wrap(NULL, GANTRY_E_TIMEOUT, "x"), GANTRY_E_TIMEOUT);
    assert_int_equal(err_set(NULL, 0, "x"), GANTRY_E_INTERNAL); /* never a success by mistake */
    assert_int_equal(err_nomem(NULL), GANTRY_E_NOMEM);
    err_clear(NULL);
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(err_wrap(&err, GANTRY_E_TIMEOUT, "asking"), GANTRY_E_TIMEOUT);
    assert_string_equal(err_text(err), "asking");
    assert_string_equal(err_text(NULL), "no reason was given");
}

static void
an_older_error_may_be_an_argument_of_the_newer(void **state)
{
    (void)state;
    AUTO_ERR struct gantry_error *err = NULL;
    err_set(&err, GANTRY_E_TIMEOUT, "old");
    err_set(&err, GANTRY_E_DENIED, "new, not %s", err_text(err));
    assert_string_equal(err_text(err), "new, not old");
}

static void
out_of_memory_is_static_and_is_not_wrapped(void **state)
{
    (void)state;
    struct gantry_error *one = NULL, *two = NULL;
    assert_int_equal(err_nomem(&one), GANTRY_E_NOMEM);
    assert_int_equal(err_nomem(&two), GANTRY_E_NOMEM);
    assert_ptr_equal(one, two);
    assert_int_equal(err_wrap(&one, GANTRY_E_NOMEM, "context"), GANTRY_E_NOMEM);
    assert_ptr_equal(one, two);
    gantry_error_free(one);
    gantry_error_free(one); /* it cannot be freed too often */
    assert_int_equal(two->code, GANTRY_E_NOMEM);
}

static void
moving_leaves_null_behind(void **state)
{
    (void)state;
    struct gantry_error *from = NULL, *to = NULL;
    err_set(&to, GANTRY_E_DENIED, "older");
    err_set(&from, GANTRY_E_TIMEOUT, "newer");
    err_move(&to, &from);
    assert_null(from);
    assert_string_equal(err_text(to), "newer");
    err_move(NULL, &to);
    assert_null(to);
    err_move(&to, &from);
    assert_null(to);
}

static void
errno_says_what_to_do(void **state)
{
    (void)state;
    assert_int_equal(err_code_of_errno(ENOENT), GANTRY_E_NOT_FOUND);
    assert_int_equal(err_code_of_errno(EACCES), GANTRY_E_DENIED);
    assert_int_equal(err_code_of_errno(ENOMEM), GANTRY_E_NOMEM);
    assert_int_equal(err_code_of_errno(ECONNREFUSED), GANTRY_E_UNAVAILABLE);
    assert_int_equal(err_code_of_errno(EIO), GANTRY_E_UNAVAILABLE);
    assert_int_equal(err_code_of_errno(0), GANTRY_E_INTERNAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_has_code_and_one_line_of_utf8),
        cmocka_unit_test(long_messages_end_between_two_characters),
        cmocka_unit_test(wrapping_puts_context_in_front_and_keeps_the_cause),
        cmocka_unit_test(without_an_error_object_the_code_comes_through),
        cmocka_unit_test(an_older_error_may_be_an_argument_of_the_newer),
        cmocka_unit_test(out_of_memory_is_static_and_is_not_wrapped),
        cmocka_unit_test(moving_leaves_null_behind),
        cmocka_unit_test(errno_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
