/* Selections against types in connect v0.4, where shapes decide: choices, interfaces and unions.  What holds in every
 * version is in tests/vectors/check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors.h"

/* `returns` is the type of the field whose selection it is.  expected: "CODE text" a problem, the text that it is
 * said of. */
static void
check(const char *returns, const char *selection, const char *expected)
{
    AUTO_BUF struct buf text = BUF_INIT(10000), told = BUF_INIT(10000);
    struct connect_problems problems;
    struct connect_schema *s = NULL;
    struct arena a;
    arena_init(&a, 0);
    connect_problems_init(&problems, &a, 100);
    buf_add_fmt(
        &text,
        "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.14\")\n"
        "@link(url: \"https://specs.apollo.dev/connect/v0.4\", import: [\"@connect\"])\n"
        "type Query { f(size: Size): %s @connect(http: {GET: \"http://h/\"}, selection: "
        "\"\"\"%s\"\"\")\n"
        "all: [Barge] @connect(http: {GET: \"http://h/\"}, selection: \"no draft owner { name "
        "}\")\n tugs: [Tug] @connect(http: {GET: \"http://h/\"}, selection: \"no pull\") }\n"
        "union Vessel = Barge | Tug\n interface Numbered { no: Int }\n scalar Any\n"
        "type Barge implements Numbered { no: Int draft: Int owner: Owner }\n"
        "type Tug implements Numbered { no: Int pull: Any }\n"
        "type Owner { name: String }\n input Size { no: Int, nope: Int }\n",
        returns, selection);
    int rc = connect_schema_new(str_of(buf_text(&text)), &problems, &s, NULL);
    for (const struct connect_problem *p = problems.first; p; p = p->next) {
        if (connect_code_severity(p->code) != CONNECT_ERROR ||
            p->code == CONNECT_SATISFIABILITY_ERROR) /* what is not selected is another matter */
            continue;
        buf_add_fmt(&told, "%s%s %.*s", told.len ? ", " : "", connect_code_word(p->code),
                    (int)(p->place.end - p->place.start), buf_text(&text) + p->place.start);
    }
    assert_string_equal(told.len ? buf_text(&told) : "", expected);
    assert_true(rc < 0 || told.len == 0);
    connect_schema_free(s);
    arena_clear(&a);
}

static void
a_shape_counts_as_braces_do(void **state)
{
    (void)state;
    check("Barge", "$->map({ no: @.id, owner: { name: @.x } })", "");
    check("Barge", "$->map({ no: @.id, drat: 1 })", "SELECTED_FIELD_NOT_FOUND drat");
    check("Barge", "no owner: x->echo({ nam: @ })", "SELECTED_FIELD_NOT_FOUND nam");
    check("Barge", "no owner: x", "");
    check("Barge", "no draft: { a: b }", "GROUP_SELECTION_IS_NOT_OBJECT draft");
    check("Tug", "no pull: { a: b }", ""); /* a custom scalar may be anything */
    check("[Barge]", "{ no: id, draft: 1 }", "");
    check("Barge", "no ... $.rest", "");
    check("Barge", "no ... $.rest nope", "SELECTED_FIELD_NOT_FOUND nope");
}

static void
one_of_several_shapes_is_enough(void **state)
{
    (void)state;
    check("Barge", "$->match(['a', { no: 1 }], [@, { nope: 1 }])", "");
    check("Barge", "$->match(['a', { noo: 1 }], [@, { nope: 1 }])", "SELECTED_FIELD_NOT_FOUND noo");
    check("Barge", "$->match(['a', null], [@, { nope: 1 }])", "");
    check("Barge", "owner: a ?? $({ nope: 1 })", "");
    check("Barge", "draft: $(1 ?? { nope: 1 })", "");
}

static void
each_possible_type_needs_a_shape(void **state)
{
    (void)state;
    check(
        "Vessel",
        "no ... k->match(['b', { __typename: 'Barge', draft }], [@, { __typename: 'Tug', pull }])",
        "");
    check("Vessel", "no ... k->match(['b', { __typename: 'Barge', draft }], [@, null])", "");
    check(
        "Vessel",
        "no ... k->match(['b', { __typename: 'Barge', draft }], [@, { __typename: 'Tug', drft }])",
        "SELECTED_FIELD_NOT_FOUND drft");
    check("Numbered", "__typename: 'Barge' no", "");
    check("Numbered", "__typename: 'Barge' no draft",
          "SELECTED_FIELD_NOT_FOUND __typename: 'Barge' no draft");
    check("Numbered", "no", "");
    check("Numbered", "no draft", "SELECTED_FIELD_NOT_FOUND draft");
    check("Vessel", "nope ... k->match(['b', { __typename: 'Barge' }], [@, { __typename: 'Tug' }])",
          "SELECTED_FIELD_NOT_FOUND nope");
    check("Vessel", "$.x", "");
}

static void
types_that_cannot_be_together_are_no_shape(void **state)
{
    (void)state;
    check(
        "Vessel",
        "... a->match(['b', { __typename: 'Barge', draft }], [@, { __typename: 'Tug', pull }]) "
        "... b->match(['b', { __typename: 'Barge', owner { name } }], [@, { __typename: 'Tug' }])",
        "");
}

static const char head[] =
    "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.14\")\n"
    "@link(url: \"https://specs.apollo.dev/connect/v0.4\", import: [\"@connect\"])\n"
    "type Query { f: T0 @connect(http: {GET: \"http://h/\"}, selection: \"\"\"";

/* Is it told, once, in the third line, that a check was ended? */
static void
assert_unfinished(const struct buf *text)
{
    struct connect_problems problems;
    struct connect_schema *s = NULL;
    struct arena a;
    size_t told = 0, line = 0, column;
    arena_init(&a, 0);
    assert_int_equal(buf_failed(text), 0);
    connect_problems_init(&problems, &a, 100);
    assert_int_not_equal(connect_schema_new(buf_view(text), &problems, &s, NULL), GANTRY_E_NOMEM);
    for (const struct connect_problem *p = problems.first; p; p = p->next)
        if (p->code == CONNECT_CHECK_UNFINISHED) {
            str_position(buf_view(text), p->place.start, &line, &column);
            told++;
        }
    assert_int_equal(told, 1);
    assert_int_equal(line, 3);
    connect_schema_free(s);
    arena_clear(&a);
}

static void
a_selection_of_too_many_items_is_told(void **state)
{
    AUTO_BUF struct buf text = BUF_INIT(1 << 20);
    (void)state;
    buf_add(&text, str_of(head));
    for (size_t i = 0; i < 270000; i++)
        buf_add(&text, STR("n "));
    buf_add(&text, STR("\"\"\") }\ntype T0 { n: Int }\n"));
    assert_unfinished(&text);
}

/* At each level the first choice is wrong, which is found twice. */
static void
choices_in_choices_that_are_too_many_are_told(void **state)
{
    enum { LEVELS = 22 };
    AUTO_BUF struct buf text = BUF_INIT(1 << 20);
    (void)state;
    buf_add(&text, str_of(head));
    for (size_t i = 0; i < LEVELS; i++)
        buf_add(&text, STR("a: x->match([1, { "));
    buf_add(&text, STR("nope"));
    for (size_t i = 0; i < LEVELS; i++)
        buf_add(&text, STR(" }], [2, 3])"));
    buf_add(&text, STR("\"\"\") }\n"));
    for (size_t i = 0; i <= LEVELS; i++)
        buf_add_fmt(&text, "type T%zu { n: Int a: T%zu }\n", i, MIN(i + 1, (size_t)LEVELS));
    assert_unfinished(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shape_counts_as_braces_do),
        cmocka_unit_test(one_of_several_shapes_is_enough),
        cmocka_unit_test(each_possible_type_needs_a_shape),
        cmocka_unit_test(types_that_cannot_be_together_are_no_shape),
        cmocka_unit_test(a_selection_of_too_many_items_is_told),
        cmocka_unit_test(choices_in_choices_that_are_too_many_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
