/* Schemas are checked, documents validated, both printed in their normal form: through gantry/graphql.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../vectors/vectors.h"
#include "buf.h"

#include <gantry/graphql.h>

static void
note(void *context, const struct gantry_graphql_problem *problem)
{
    buf_add_fmt(context, "%u:%u %s\n", problem->line, problem->column, problem->message);
}

static size_t
run_format(const struct vector *v)
{
    AUTO_BUF struct buf problems = BUF_INIT(1 << 16);
    const struct gantry_graphql_listener listener = {sizeof listener, 0, note, &problems};
    struct str input = vector_section(v, "input");
    char *once = NULL, *twice = NULL;
    if (gantry_graphql_fmt(input.ptr, input.len, &listener, &once, NULL) < 0)
        return vector_differs(v, "problems", STR(""), buf_view(&problems));
    struct str found = str_of(once);
    found.len -= found.len && found.ptr[found.len - 1] == '\n';
    size_t failures = vector_differs(v, "output", vector_section(v, "output"), found);
    if (gantry_graphql_fmt(once, strlen(once), &listener, &twice, NULL) < 0)
        failures += vector_differs(v, "problems of the print", STR(""), buf_view(&problems));
    else
        failures += vector_differs(v, "second print", str_of(once), str_of(twice));
    gantry_text_free(once);
    gantry_text_free(twice);
    return failures;
}

static void
the_normal_form_keeps_comments(void **state)
{
    (void)state;
    assert_int_equal(
        vectors_run(GANTRY_SOURCE_DIR "/tests/vectors/graphql/format.test", run_format), 0);
}

/* What is said of a schema and of a document for it, a problem a line. */
static void
check(const char *sdl, const char *document, const char *expected)
{
    AUTO_BUF struct buf problems = BUF_INIT(1 << 16);
    const struct gantry_graphql_listener listener = {sizeof listener, 0, note, &problems};
    struct gantry_graphql_schema *schema = NULL;
    int rc = gantry_graphql_schema_new(sdl, strlen(sdl), &listener, &schema, NULL);
    if (rc == 0)
        rc = gantry_graphql_validate(schema, document, strlen(document), &listener, NULL);
    gantry_graphql_schema_free(schema);
    assert_string_equal(buf_text(&problems), expected);
    assert_int_equal(rc, expected[0] ? GANTRY_E_INVALID : 0);
}

static void
all_mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    check("type Query { name: String }", "{ name }", "");
    check("type Query { name: String }", "{ nam\n  other\n  name(x: 1) @no }",
          "1:3 the type 'Query' has no field 'nam'; did you mean 'name'?\n"
          "2:3 the type 'Query' has no field 'other'\n"
          "3:8 the field 'Query.name' has no argument 'x'\n"
          "3:14 there is no directive '@no'\n");
    check("type Query { a: Nope b: Int @no }", "{ a }",
          "1:17 there is no type 'Nope'\n"
          "1:29 there is no directive '@no'; import it by @link, or define it\n");
    check("type Query {", "{ a }", "1:13 expected a name, found the end of the text\n");
}

static void
linked_specifications_are_known_by_their_names(void **state)
{
    (void)state;
#define LINK "extend schema @link(url: \"https://specs.apollo.dev/"
    check(LINK "federation/v2.11\", import: [\"@key\", {name: \"@shareable\", as: \"@both\"}])\n"
               "type Query @key(fields: \"a\") { a: Int @both @federation__tag(name: \"x\") }",
          "{ a }", "");
    check(LINK "federation/v2.11\") type Query { a: Int\n@shareable }", "{ a }",
          "2:1 there is no directive '@shareable'; import it by @link, or define it\n");
    check(LINK "connect/v0.2\", as: \"c\") @c__source(name: \"s\", http: {baseURL: \"http://x\"})\n"
               "type Query { a: Int @c(http: {GET: \"/\"}, selection: \"$\") b: Int @connect }",
          "{ a }", "2:65 there is no directive '@connect'; import it by @link, or define it\n");
    check(LINK "connect/v0.2\", import: [\"@source\"])\n"
               "type Query { a: Int @connect(http: {GET: \"/\"}) }",
          "{ a }",
          "2:21 the directive '@connect' needs the argument 'selection' of type "
          "connect__JSONSelection!\n");
#undef LINK
}

/* Fragments in circles and in each other, and fields by the thousand that must all be compared. */
static void
what_is_not_linear_is_bounded(void **state)
{
    (void)state;
    AUTO_BUF struct buf text = BUF_INIT(1 << 20);
    AUTO_BUF struct buf problems = BUF_INIT(1 << 16);
    const struct gantry_graphql_listener listener = {sizeof listener, 0, note, &problems};
    const char sdl[] = "type Query { a: Query b: Int }";
    struct gantry_graphql_schema *schema = NULL;
    buf_add_char(&text, '{');
    for (size_t i = 0; i < 6000; i++)
        buf_add_text(&text, "a{b}");
    buf_add_char(&text, '}');
    assert_int_equal(gantry_graphql_schema_new(sdl, strlen(sdl), &listener, &schema, NULL), 0);
    assert_int_equal(gantry_graphql_validate(schema, text.ptr, text.len, &listener, NULL),
                     GANTRY_E_INVALID);
    gantry_graphql_schema_free(schema);
    assert_string_equal(buf_text(&problems),
                        "1:1 the document takes too long to check; make it simpler\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_normal_form_keeps_comments),
        cmocka_unit_test(all_mistakes_are_told_with_their_place),
        cmocka_unit_test(linked_specifications_are_known_by_their_names),
        cmocka_unit_test(what_is_not_linear_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
