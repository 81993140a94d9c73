/* Each allocation fails in turn while documents are read, edited and printed. */
#include "err.h"
#include "faults.h"
#include "graphql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_read_whole_or_not_at_all),
        cmocka_unit_test(a_broken_document_is_told_or_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
