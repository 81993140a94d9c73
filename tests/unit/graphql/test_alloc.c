/* Each allocation fails in turn while documents are read, edited and printed. */
#include "err.h"
#include "faults.h"
#include "graphql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gantry/graphql.h>

/* Everything that the language has. */
static const char everything[] =
    "query One($id: ID! = \"a\\u00e9\", $list: [[Int!]!]! @v, $in: In = {a: [1, 2.5e3, ENUM], b: "
    "null, c: {d: true}}) @top(x: $id) {\n"
    "  alias: field(a: \"text \\n escaped\", b: \"\"\"\n    block\n      indented\n  \"\"\", c: "
    "$in) "
    "@include(if: true) @skip(if: false) {\n"
    "    ... on T @d { x y { z } }\n    ... @d { x }\n    ...F @spread\n  }\n  x\n}\n"
    "fragment F on T @f(list: [], object: {}) { x, other ...G }\nfragment G on T { g x }\n"
    "mutation { add(input: {name: \"n\", lines: [\"a\", \"b\"]}) { id } }\n"
    "subscription S { changes { id } }\n";

static int
parse_edit_print(void *context, struct gantry_error **err)
{
    const char *text = context;
    AUTO_GQL_DOCUMENT struct gql_document *doc = NULL;
    AUTO_BUF struct buf compact = BUF_INIT(1 << 20), pretty = BUF_INIT(1 << 20);
    struct str names[8];
    size_t count = 99, kept = 0;
    int rc = gql_parse(str_of(text), NULL, &doc, err);
    fault_assert((rc == 0) == (doc != NULL));
    if (rc < 0)
        return rc;
    if (gql_root_fields(doc, 0, names, 8, &count) < 0) {
        fault_assert(count == 99);
        return err_nomem(err);
    }
    size_t removed = gql_remove_field(doc, STR("x"), &kept);
    fault_assert(count == 2 && removed == 4 && kept == 1);
    if (gql_print(doc, GQL_COMPACT, &compact) < 0 || gql_print(doc, GQL_PRETTY, &pretty) < 0)
        return err_nomem(err);
    return 0;
}

static void
a_document_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    size_t n =
        fault_sweep("a document", &(struct fault_sweep){.run = parse_edit_print,
                                                        .context = (void *)(uintptr_t)everything});
    assert_in_range(n, 8, 10000);
}

static int
parse_only(void *context, struct gantry_error **err)
{
    struct gql_document *doc = NULL;
    int rc = gql_parse(str_of(context), NULL, &doc, err);
    fault_assert((rc == 0) == (doc != NULL));
    gql_document_free(doc);
    return rc;
}

static void
a_broken_document_is_told_or_memory_is_out(void **state)
{
    (void)state;
    static char broken[] = "query q($a: [In!]! = {x: \"\\u00e9\"}) { a(b: \"\"\"x\"\"\") { c( } }";
    fault_sweep(
        "a broken document",
        &(struct fault_sweep){.run = parse_only, .context = broken, .expected = GANTRY_E_INVALID});
}

static const char sdl[] = "schema @link(url: \"https://specs.apollo.dev/federation/v2.11\", "
                          "import: [\"@key\"]) { query: Q } "
                          "type Q { a(x: I, y: [E!] = [A]): F! b: U s: String } interface F { id: "
                          "ID! } type T implements "
                          "F @key(fields: \"id\") { id: ID! } union U = T | Q input I { x: Int! = "
                          "1 y: I } enum E { A B } "
                          "extend enum E { C }";

static int
check_and_validate(void *context, struct gantry_error **err)
{
    struct gantry_graphql_schema *schema = NULL;
    int rc = gantry_graphql_schema_new(sdl, strlen(sdl), NULL, &schema, err);
    fault_assert((rc == 0) == (schema != NULL));
    if (rc == 0)
        rc = gantry_graphql_validate(schema, context, strlen(context), NULL, err);
    gantry_graphql_schema_free(schema);
    return rc;
}

static void
a_schema_is_built_whole_or_not_at_all(void **state)
{
    (void)state;
    static char good[] =
        "query ($i: I, $e: [E!]!) { a(x: $i, y: $e) { ...G id } b { ... on T { id } } } "
        "fragment G on T { other: id }";
    static char bad[] = "query ($i: I) { a(x: {x: 1, z: 2}) { id id: __typename } nothing }";
    fault_sweep("a schema", &(struct fault_sweep){.run = check_and_validate, .context = good});
    fault_sweep("an invalid document", &(struct fault_sweep){.run = check_and_validate,
                                                             .context = bad,
                                                             .expected = GANTRY_E_INVALID});
}

static int
format(void *context, struct gantry_error **err)
{
    char *text = NULL;
    int rc = gantry_graphql_fmt(context, strlen(context), NULL, &text, err);
    fault_assert((rc == 0) == (text != NULL));
    gantry_text_free(text);
    return rc;
}

static void
a_normal_form_is_printed_whole_or_not_at_all(void **state)
{
    (void)state;
    static char text[] = "# c\ntype A { # d\n \"e\" a(x: Int = 1): [B!] } { a(x: {y: [1]}) { b } }";
    fault_sweep("a normal form", &(struct fault_sweep){.run = format, .context = text});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_read_whole_or_not_at_all),
        cmocka_unit_test(a_broken_document_is_told_or_memory_is_out),
        cmocka_unit_test(a_schema_is_built_whole_or_not_at_all),
        cmocka_unit_test(a_normal_form_is_printed_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
