/* What a selection outputs: {id, dock: {gate}, by&}.  `&`: from a variable; `...`: may have more; `|`: several forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outputs.h"

static void
add_forms(struct buf *b, struct str text, const struct output_form *form)
{
    for (const struct output_form *f = form; f; f = f->next) {
        buf_add_text(b, f == form ? "" : " | ");
        if (f->type_name.ptr)
            buf_add_fmt(b, "%.*s ", STR_ARG(f->type_name));
        buf_add_text(b, "{");
        for (const struct output *o = f->outputs; o; o = o->next) {
            /* The range is that of the name. */
            assert_true(o->range.end <= text.len && o->range.end - o->range.start == o->name.len);
            assert_memory_equal(text.ptr + o->range.start, o->name.ptr, o->name.len);
            buf_add_fmt(b, "%s%.*s%s", o == f->outputs ? "" : ", ", STR_ARG(o->name),
                        o->from_variable ? "&" : "");
            if (o->forms)
                buf_add_text(b, ": ");
            add_forms(b, text, o->forms);
        }
        buf_add_text(b, f->is_open ? " ...}" : "}");
    }
}

static const char schema_text[] =
    "type Query { t: T } type T { id: ID f(in: In): T }\ninput In { x: Int, in: In }";

/* The selection of a connector on a type; AT_FIELD is added for one on a field with an argument. */
enum { AT_FIELD = 100 };

static void
check(int version, const char *selection, const char *expected)
{
    AUTO_BUF struct buf found = BUF_INIT(10000);
    struct connect_schema s = {.version = (enum mapping_version)(version % AT_FIELD)};
    struct gql_problems problems;
    struct outputs outputs;
    struct connector c = {0};
    struct arena a;
    arena_init(&a, 0);
    gql_problems_init(&problems, &a, 10);
    assert_int_equal(gql_schema_new(str_of(schema_text), NULL, &problems, &s.graphql, NULL), 0);
    assert_int_equal(mapping_parse(str_of(selection), s.version, &c.selection.mapping, NULL, NULL),
                     0);
    c.type = c.returns = gql_type_find(s.graphql, STR("T"));
    c.field = version > AT_FIELD ? gql_names_find(&c.type->members, STR("f")) : NULL;
    assert_true(connector_outputs(&s, &c, &a, &outputs));
    add_forms(&found, str_of(selection), outputs.forms);
    if (outputs.is_never_object)
        buf_add_text(&found, "never");
    assert_string_equal(found.len ? buf_text(&found) : "", expected);
    mapping_free(c.selection.mapping);
    gql_schema_free(s.graphql);
    arena_clear(&a);
}

static void
fields_computed_fields_and_groups_are_outputs(void **state)
{
    (void)state;
    check(2, "id a: x.y b: { c: d }", "{id, a, b: {c}}");
    check(2, "rows { n: $.m->first }", "{rows: {n}}");
    check(2, "a: $.x { b: c { d } e }", "{a: {b: {d}, e}}");
    check(2, "$.rows { id }", "{id}");
    check(2, "a: $([$.x { b }])", "{a: {b}}");
}

static void
what_is_inside_inline_braces_joins(void **state)
{
    (void)state;
    check(2, "id $.dock { gate } a { b } crew.boss { name }", "{id, gate, a: {b}, name}");
    check(2, "a: $.p { x } a: $.q { y }", "{a: {x}, a: {y}}");
}

static void
before_v04_only_braces_tell(void **state)
{
    (void)state;
    check(2, "a: $({b: 1})", "{a}");
    check(3, "a: $({b: 1}) c: $->map({d: @})", "{a, c}");
    check(2, "$->map({ id: @.x })", "");
    check(3, "$->map({ id: @.x })", "");
    check(4, "a: $({b: 1}) c: $->map({d: @})", "{a: {b}, c: {d}}");
    check(4, "$->map({ id: @.x })", "{id}");
    check(4, "{ id: x }", "{id}");
}

static void
what_comes_from_a_variable_is_marked(void **state)
{
    (void)state;
    check(2, "id: $this.id a: $config.x->first b: { c: $context.d } d: $('x')",
          "{id&, a&, b: {c&}, d}");
    check(2, "$this { id }", "{id&}");
    check(2 + AT_FIELD, "a: $args.in b: $args.in { x }", "{a&, b&: {x&}}");
    check(4 + AT_FIELD, "a: $args.in b: $args.in { x }", "{a&: { ...}, b&: {x&}}");
    check(3, "a: $.x->as($v) { b: $v.c d: $this.id->as($w)->echo($w) }", "{a: {b, d&}}");
}

static void
several_forms_have_the_names_of_their_types(void **state)
{
    (void)state;
    check(4, "no ... k->match(['b', {__typename: 'Barge', draft}], [@, {__typename: 'Tug', pull}])",
          "Barge {no, __typename, draft} | Tug {no, __typename, pull}");
    check(4, "no ... k->match(['b', {__typename: 'Barge', draft}], [@, null])",
          "Barge {no, __typename, draft}");
    check(4, "no ... hold", "{no ...}");
    check(4, "a: { ... k->match(['b', {c}], [@, d]) }", "{a: {c} | { ...}}");
}

static void
what_is_surely_no_object_is_told(void **state)
{
    (void)state;
    check(2, "$status", "never");
    check(2, "$('x')", "never");
    check(2, "$([1, 'x', null])", "never");
    check(2, "$.x", "");
    check(2, "$.x->size", "");
    check(3, "$.x->size", "never");
    check(3, "$([1, $.x])", "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_computed_fields_and_groups_are_outputs),
        cmocka_unit_test(what_is_inside_inline_braces_joins),
        cmocka_unit_test(before_v04_only_braces_tell),
        cmocka_unit_test(what_comes_from_a_variable_is_marked),
        cmocka_unit_test(several_forms_have_the_names_of_their_types),
        cmocka_unit_test(what_is_surely_no_object_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
