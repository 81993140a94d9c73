/* Documents tell their operations and root fields, and fields can be removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "graphql.h"

static struct gql_document *
parsed(const char *text)
{
    struct gql_document *doc = NULL;
    assert_int_equal(gql_parse(str_of(text), NULL, &doc, NULL), 0);
    return doc;
}

static void
operations_are_counted_and_named(void **state)
{
    (void)state;
    AUTO_GQL_DOCUMENT struct gql_document *doc =
        parsed("fragment F on T{x} query One{a} mutation{b} subscription Three{c}");
    assert_int_equal(gql_operation_count(doc), 3);
    assert_int_equal(gql_operation_kind(doc, 0), GQL_QUERY);
    assert_int_equal(gql_operation_kind(doc, 1), GQL_MUTATION);
    assert_int_equal(gql_operation_kind(doc, 2), GQL_SUBSCRIPTION);
    assert_true(str_eq(gql_operation_name(doc, 0), STR("One")));
    assert_int_equal(gql_operation_name(doc, 1).len, 0);
    assert_true(str_eq(gql_operation_name(doc, 2), STR("Three")));
    assert_int_equal(gql_operation_name(doc, 3).len, 0);
    assert_string_equal(gql_operation_kind_word(GQL_SUBSCRIPTION), "subscription");
}

static void
assert_root_fields(const char *text, size_t operation, const char *expected)
{
    AUTO_GQL_DOCUMENT struct gql_document *doc = parsed(text);
    AUTO_BUF struct buf found = BUF_INIT(1000);
    struct str names[16];
    size_t count = 0, needed = 0;
    assert_int_equal(gql_root_fields(doc, operation, names, 16, &count), 0);
    assert_true(count <= 16);
    for (size_t i = 0; i < count; i++) {
        buf_add_text(&found, i ? " " : "");
        buf_add(&found, names[i]);
    }
    assert_string_equal(buf_text(&found), expected);
    assert_int_equal(gql_root_fields(doc, operation, NULL, 0, &needed), 0);
    assert_int_equal(needed, count);
}

static void
root_fields_are_found_through_fragments(void **state)
{
    (void)state;
    assert_root_fields("{a x:b{c} a}", 0, "a b a");
    assert_root_fields("query A{a} query B{b}", 1, "b");
    assert_root_fields("{...on Q{a ...{b}} c}", 0, "a b c");
    assert_root_fields("{...F a ...F ...G} fragment F on Q{f} fragment G on Q{g}", 0, "a f g");
    assert_root_fields("{...Missing a}", 0, "a");
}

static void
a_circle_of_fragments_ends(void **state)
{
    (void)state;
    assert_root_fields("{...A} fragment A on Q{a ...B} fragment B on Q{b ...A ...B}", 0, "a b");
}

static void
fields_are_found_wherever_they_stand(void **state)
{
    (void)state;
    AUTO_GQL_DOCUMENT struct gql_document *doc =
        parsed("query q{a{...on T{b}} alias:c(arg:1)} fragment F on T{d}");
    static const char *const there[] = {"a", "b", "c", "d"};
    static const char *const not_there[] = {"alias", "arg", "T", "F", "q", "", "B"};
    for (size_t i = 0; i < ARRAY_LENGTH(there); i++)
        assert_true(gql_has_field(doc, str_of(there[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(not_there); i++)
        assert_false(gql_has_field(doc, str_of(not_there[i])));
}

static void
assert_removed(const char *text, const char *field, const char *expected, size_t removed,
               size_t kept)
{
    AUTO_GQL_DOCUMENT struct gql_document *doc = parsed(text);
    AUTO_BUF struct buf out = BUF_INIT(1000);
    size_t stayed = 99;
    assert_int_equal(gql_remove_field(doc, str_of(field), &stayed), removed);
    assert_int_equal(gql_print(doc, GQL_COMPACT, &out), 0);
    assert_string_equal(buf_text(&out), expected);
    assert_int_equal(stayed, kept);
    assert_int_equal(gql_has_field(doc, str_of(field)), kept > 0);
}

static void
a_field_is_removed_wherever_it_stands(void **state)
{
    (void)state;
    assert_removed("{a b{c x{y z}} x}", "x", "{a b{c}}", 2, 0);
    assert_removed("{x a}", "x", "{a}", 1, 0);
    assert_removed("{a x x y:x(i:1)@d}", "x", "{a}", 3, 0);
    assert_removed("{a ...on T{x b}} fragment F on T{b x}", "x", "{a...on T{b}}fragment F on T{b}",
                   2, 0);
    assert_removed("{a x:b}", "x", "{a x:b}", 0, 0);
    assert_removed("{a{b}}", "x", "{a{b}}", 0, 0);
}

static void
braces_are_not_left_empty(void **state)
{
    (void)state;
    assert_removed("{x}", "x", "{x}", 0, 1);
    assert_removed("{a{x}b}", "x", "{a{x}b}", 0, 1);
    assert_removed("{a{x y:x}x}", "x", "{a{x y:x}}", 1, 2);
    assert_removed("{a{...on T{x}b}}", "x", "{a{...on T{x}b}}", 0, 1);
    assert_removed("{x{x b}}", "x", "{x{b}}", 1, 1); /* the outer stays, the inner need not */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_counted_and_named),
        cmocka_unit_test(root_fields_are_found_through_fragments),
        cmocka_unit_test(a_circle_of_fragments_ends),
        cmocka_unit_test(fields_are_found_wherever_they_stand),
        cmocka_unit_test(a_field_is_removed_wherever_it_stands),
        cmocka_unit_test(braces_are_not_left_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
