/* fuzz_graphql.c - any bytes are refused, or are a document whose print parses and prints as the
 * same text; and so it is after a field was removed from it. */
#include "err.h"
#include "fuzz.h"
#include "graphql.h"

enum { PRINT_MAX = 64 * 1024 * 1024 };

static void
check_style(const struct gql_document *first, enum gql_style style)
{
    AUTO_BUF struct buf one = BUF_INIT(PRINT_MAX);
    AUTO_BUF struct buf two = BUF_INIT(PRINT_MAX);
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO_GQL_DOCUMENT struct gql_document *second = NULL;
    const struct gql_limits limits = {.max_bytes = PRINT_MAX, .max_tokens = SIZE_MAX};
    must(gql_print(first, style, &one) == 0);
    must(gql_parse(buf_view(&one), &limits, &second, &err) == 0);
    must(gql_operation_count(first) == gql_operation_count(second));
    must(gql_print(second, style, &two) == 0);
    must(str_eq(buf_view(&one), buf_view(&two)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO_GQL_DOCUMENT struct gql_document *doc = NULL;
    int rc = gql_parse((struct str){(const char *)data, size}, NULL, &doc, &err);
    if (rc < 0) {
        must(rc == GANTRY_E_INVALID && err && !doc);
        return 0;
    }
    check_style(doc, GQL_COMPACT);
    check_style(doc, GQL_PRETTY);
    for (size_t i = 0; i < gql_operation_count(doc); i++) {
        struct str names[4];
        size_t count = 0, kept = 0;
        must(gql_root_fields(doc, i, names, 4, &count) == 0);
        if (count == 0)
            continue;
        must(gql_has_field(doc, names[0]));
        must(gql_remove_field(doc, names[0], &kept) + kept > 0);
        must(gql_has_field(doc, names[0]) == (kept > 0));
        check_style(doc, GQL_COMPACT);
    }
    return 0;
}
