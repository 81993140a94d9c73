/* fuzz_schema.c - any bytes are no schema and no document, or are printed in a normal form that prints as itself;
 * and what is a schema validates whatever stands behind the first NUL.  */
#include "fuzz.h"

#include <gantry/graphql.h>
#include <string.h>

static void
check_format(const char *text, size_t size)
{
    char *once = NULL, *twice = NULL;
    int rc = gantry_graphql_fmt(text, size, NULL, &once, NULL);
    must(rc == 0 || (rc == GANTRY_E_INVALID && !once));
    if (rc < 0)
        return;
    must(gantry_graphql_fmt(once, strlen(once), NULL, &twice, NULL) == 0);
    must(strcmp(once, twice) == 0);
    gantry_text_free(once);
    gantry_text_free(twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char known[] =
        "type Query { a(x: I, y: [E!]): A b: [U!]! } interface A { a: A b: Int } input I { a: I b: "
        "Int! } enum E { A B } union U = T type T implements A { a: T b: Int c: String } directive "
        "@d(x: E) repeatable on FIELD | QUERY type Subscription { a: Int b: Int }";
    const char *text = (const char *)data;
    const char *nul = memchr(text, 0, size);
    size_t first = nul ? (size_t)(nul - text) : size;
    struct gantry_graphql_schema *schema = NULL;
    check_format(text, first);
    if (gantry_graphql_schema_new(text, first, NULL, &schema, NULL) < 0)
        must(!schema &&
             gantry_graphql_schema_new(known, sizeof known - 1, NULL, &schema, NULL) == 0);
    else if (!nul)
        nul = text;
    const char *document = nul && nul != text ? nul + 1 : text;
    int rc =
        gantry_graphql_validate(schema, document, size - (size_t)(document - text), NULL, NULL);
    must(rc == 0 || rc == GANTRY_E_INVALID);
    gantry_graphql_schema_free(schema);
    return 0;
}
