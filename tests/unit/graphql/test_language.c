/* Documents are read and printed as the vectors say, within their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../vectors/vectors.h"
#include "graphql.h"

/* Print it, and see that what was printed parses and prints the same. */
static size_t
check_print(const struct vector *v, const struct gql_document *doc, const char *section,
            enum gql_style style)
{
    AUTO_BUF struct buf first = BUF_INIT(1 << 20);
    AUTO_BUF struct buf second = BUF_INIT(1 << 20);
    AUTO_GQL_DOCUMENT struct gql_document *again = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    if (gql_print(doc, style, &first) < 0)
        return 1;
    if (gql_parse(buf_view(&first), NULL, &again, &err) < 0 || gql_print(again, style, &second) < 0)
        return vector_differs(v, "printed text", STR("parses"), str_of(err_text(err)));
    size_t failures = vector_differs(v, "second print", buf_view(&first), buf_view(&second));
    struct str expected = vector_section(v, section);
    if (!expected.ptr)
        return failures;
    struct str found = buf_view(&first);
    if (style == GQL_PRETTY && str_ends_with(found, STR("\n")))
        found.len--;
    return failures + vector_differs(v, section, expected, found);
}

static size_t
run_vector(const struct vector *v)
{
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO_GQL_DOCUMENT struct gql_document *doc = NULL;
    int rc = gql_parse(vector_section(v, "input"), NULL, &doc, &err);
    struct str expected = vector_section(v, "error");
    if (expected.ptr || rc < 0) {
        size_t failures = vector_differs(v, "error", expected, str_of(err ? err_text(err) : ""));
        return failures + (rc != GANTRY_E_INVALID || doc != NULL);
    }
    return check_print(v, doc, "output", GQL_PRETTY) + check_print(v, doc, "compact", GQL_COMPACT);
}

static void
vectors_are_read_and_printed(void **state)
{
    (void)state;
    assert_int_equal(
        vectors_run(GANTRY_SOURCE_DIR "/tests/vectors/graphql/printed.test", run_vector), 0);
    assert_int_equal(
        vectors_run(GANTRY_SOURCE_DIR "/tests/vectors/graphql/refused.test", run_vector), 0);
}

static int
parse_with(struct str text, struct gql_limits limits, struct gantry_error **err)
{
    AUTO_GQL_DOCUMENT struct gql_document *doc = NULL;
    return gql_parse(text, &limits, &doc, err);
}

static void
depth_is_limited_of_all_that_nests(void **state)
{
    (void)state;
    const struct gql_limits three = {.max_depth = 3};
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(parse_with(STR("{a{b{c}}}"), three, NULL), 0);
    assert_int_equal(parse_with(STR("{a{b{c{d}}}}"), three, &err), GANTRY_E_INVALID);
    assert_string_equal(err_text(err), "GraphQL, line 1, column 7: nested deeper than the limit");
    assert_int_equal(parse_with(STR("{a(x:[[1]])b(x:{y:{z:1}})}"), three, NULL), 0);
    assert_int_equal(parse_with(STR("{a(x:[[[1]]])}"), three, NULL), GANTRY_E_INVALID);
    assert_int_equal(parse_with(STR("{a(x:{y:{z:{}}})}"), three, NULL), GANTRY_E_INVALID);
    assert_int_equal(parse_with(STR("query($a:[[[I]]]){a}"), three, NULL), 0);
    assert_int_equal(parse_with(STR("query($a:[[[[I]]]]){a}"), three, NULL), GANTRY_E_INVALID);
    assert_int_equal(parse_with(STR("{...{...{...{a}}}}"), three, NULL), GANTRY_E_INVALID);
}

static void
endless_nesting_ends_whatever_is_asked_for(void **state)
{
    (void)state;
    static const char *const units[] = {"{a", "{...", "{a(x:[", "{a(x:{y:"};
    const struct gql_limits wide = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        AUTO_BUF struct buf text = BUF_INIT(4 << 20);
        AUTO_ERR struct gantry_error *err = NULL;
        for (int n = 0; n < 100000; n++) /* from the second time on, its own braces or its tail */
            buf_add_text(&text, n == 0 || i < 2 ? units[i] : i == 2 ? "[" : "{y:");
        assert_int_equal(parse_with(buf_view(&text), wide, &err), GANTRY_E_INVALID);
        assert_non_null(strstr(err_text(err), "nested deeper than the limit"));
    }
}

static void
length_and_tokens_are_limited(void **state)
{
    (void)state;
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(parse_with(STR("{a b}"), (struct gql_limits){.max_bytes = 5}, NULL), 0);
    assert_int_equal(parse_with(STR("{a b}"), (struct gql_limits){.max_bytes = 4}, &err),
                     GANTRY_E_INVALID);
    assert_string_equal(err_text(err), "GraphQL of 5 bytes is longer than 4, the limit");
    assert_int_equal(parse_with(STR("{a b}"), (struct gql_limits){.max_tokens = 4}, NULL), 0);
    assert_int_equal(parse_with(STR("{a b}"), (struct gql_limits){.max_tokens = 3}, &err),
                     GANTRY_E_INVALID);
    assert_string_equal(err_text(err),
                        "GraphQL, line 1, column 5: the document has more tokens than the limit");
}

static void
bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    const struct gql_limits none = {0};
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(parse_with(STR("{a\n\xff}"), none, &err), GANTRY_E_INVALID);
    assert_string_equal(err_text(err), "GraphQL, line 2, column 1: this byte is not UTF-8");
    assert_int_equal(parse_with(STR("{a\0}"), none, NULL), GANTRY_E_INVALID);
    assert_int_equal(parse_with(STR("{a(x:\"\x01\")}"), none, &err), GANTRY_E_INVALID);
    assert_string_equal(err_text(err), "GraphQL, line 1, column 7: control character; in a string, "
                                       "write it as an escape");
    assert_int_equal(parse_with(STR_NONE, none, NULL), GANTRY_E_INVALID);
}

static void
every_kind_of_line_end_counts_as_one(void **state)
{
    (void)state;
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO_GQL_DOCUMENT struct gql_document *doc = NULL;
    AUTO_BUF struct buf out = BUF_INIT(1000);
    assert_int_equal(parse_with(STR("{a\r\nb\rc\n;}"), (struct gql_limits){0}, &err),
                     GANTRY_E_INVALID);
    assert_non_null(strstr(err_text(err), "line 4, column 1"));
    assert_int_equal(
        gql_parse(STR("{a(x:\"\"\"\r\n  one\r  two\n\n\r\n  three\r\n\"\"\")}"), NULL, &doc, NULL),
        0);
    assert_int_equal(gql_print(doc, GQL_COMPACT, &out), 0);
    assert_string_equal(buf_text(&out), "{a(x:\"one\\ntwo\\n\\n\\nthree\")}");
}

static void
every_cut_text_is_refused(void **state)
{
    (void)state;
    struct str text =
        STR("query Q($a:[I!]=1@d(x:\"\\ud83d\\ude00\")){b:a(x:\"\"\"z\\\"\"\" \"\"\"y:-1.5e3)"
            "@d{...on T{c}...F}}fragment F on T{a}");
    size_t fragment = text.len - strlen("fragment F on T{a}"); /* a document ends there, too */
    for (size_t n = 0; n < text.len; n++) {
        AUTO_FREE char *cut = str_dup((struct str){text.ptr, n});
        int expected = n == fragment ? 0 : GANTRY_E_INVALID;
        assert_int_equal(parse_with((struct str){cut, n}, (struct gql_limits){0}, NULL), expected);
    }
    assert_int_equal(parse_with(text, (struct gql_limits){0}, NULL), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_read_and_printed),
        cmocka_unit_test(depth_is_limited_of_all_that_nests),
        cmocka_unit_test(endless_nesting_ends_whatever_is_asked_for),
        cmocka_unit_test(length_and_tokens_are_limited),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(every_kind_of_line_end_counts_as_one),
        cmocka_unit_test(every_cut_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
