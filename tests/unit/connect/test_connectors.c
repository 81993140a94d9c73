/* A schema's sources and connectors are read; what strings mean is found again where it is written. */
#include "connectors.h"
#include "err.h"

#include <gantry/connect.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define LINKS                                                                                      \
    "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.11\", import: [\"@key\"]) " \
    "@link(url: \"https://specs.apollo.dev/connect/v0.2\", import: [\"@source\", \"@connect\"]) "

/* ---- places ---- */

/* What is written for the bytes start..end of what a string literal means. */
static void
expect_written(const char *literal, size_t start, size_t end, const char *written)
{
    AUTO_ARENA struct arena arena;
    struct connect_schema s = {.version = MAPPING_V2};
    struct gql_problems problems;
    char text[1024];
    arena_init(&arena, 0);
    gql_problems_init(&problems, &arena, 10);
    int n = snprintf(text, sizeof text,
                     "# \xc3\xa9\r\ndirective @d(s: String, t: [I]) on OBJECT input I { a: Int }"
                     "type Query @d(s: %s, t: [{a: 1}, {a: 2 # }\n}]) { a: Int }",
                     literal);
    assert_true(n > 0 && (size_t)n < sizeof text);
    assert_int_equal(
        gql_schema_new_as_is((struct str){text, (size_t)n}, NULL, &problems, &s.graphql, NULL), 0);
    assert_int_equal(problems.count, 0);
    const struct gql_directive *d = gql_type_find(s.graphql, STR("Query"))->definition->directives;
    const struct gql_value *string = &d->arguments->value, *list = &d->arguments->next->value;
    struct connect_place p = connect_place_in(&s, string, (struct mapping_range){start, end});
    assert_int_equal(p.end - p.start, strlen(written));
    assert_memory_equal(text + p.start, written, strlen(written));
    p = connect_place_of(&s, string);
    assert_int_equal(p.end - p.start, strlen(literal));
    assert_memory_equal(text + p.start, literal, strlen(literal));
    p = connect_place_of(&s, list);
    assert_int_equal(p.end - p.start, strlen("[{a: 1}, {a: 2 # }\n}]"));
    gql_schema_free(s.graphql);
}

static void
a_byte_of_a_string_is_where_it_is_written(void **state)
{
    (void)state;
    expect_written("\"a bc\"", 2, 4, "bc");
    expect_written("\"abc\"", 3, 3, "");
    expect_written("\"\"", 0, 0, "\"\"");
    expect_written("\"a\\n\\\"b\\u00e9c\"", 1, 3, "\\n\\\"");
    expect_written("\"a\\n\\\"b\\u00e9c\"", 4, 6, "\\u00e9");
    expect_written("\"a\\n\\\"b\\u00e9c\"", 6, 7, "c");
    expect_written("\"\\ud83d\\ude00x\"", 1, 2, "\\ud83d\\ude00");
    expect_written("\"\\ud83d\\ude00x\"", 4, 5, "x");
    expect_written("\"\xc3\xa9 x\"", 0, 3, "\xc3\xa9 ");
    expect_written("\"\\\\\"", 0, 1, "\\\\");
}

static void
a_byte_of_a_block_string_is_where_it_is_written(void **state)
{
    (void)state;
    expect_written("\"\"\"a\"\"\"", 0, 1, "a");
    expect_written("\"\"\"\"\"\"", 0, 0, "\"\"\"\"\"\"");
    expect_written("\"\"\" \n \"\"\"", 0, 0, "\"\"\" \n \"\"\"");
    /* means "ab\n  cd\n\nef" */
    static const char block[] = "\"\"\"\r\n\r\n  ab\r\n    cd\n \n  ef  \n \"\"\"";
    expect_written(block, 0, 2, "ab");
    expect_written(block, 2, 3, "\r\n");
    expect_written(block, 3, 6, "  c");
    expect_written(block, 1, 7, "b\r\n    cd");
    expect_written(block, 9, 11, "ef");
    expect_written(block, 13, 13, "");
    /* means "first\n  second" */
    expect_written("\"\"\"first\n    second\n  third\"\"\"", 0, 5, "first");
    expect_written("\"\"\"first\n    second\n  third\"\"\"", 6, 9, "  s");
    /* means `a"""b` */
    expect_written("\"\"\"a\\\"\"\"b\\n\"\"\"", 1, 3, "\\\"\"\"");
    expect_written("\"\"\"a\\\"\"\"b\\n\"\"\"", 4, 6, "b\\");
    expect_written("\"\"\"\ta\n\tb\"\"\"", 0, 4, "\ta\n\tb");
}

/* ---- what is read ---- */

struct told {
    char text[4096];
    size_t count;
};

static void
tell(void *context, const struct gantry_connect_problem *p)
{
    struct told *told = context;
    size_t used = strlen(told->text);
    assert_true(p->size == sizeof *p && p->line && p->column && p->end >= p->start);
    assert_null(strchr(p->message, '\n'));
    int n = snprintf(told->text + used, sizeof told->text - used, "%s%s %u:%u-%u:%u\n",
                     p->severity == GANTRY_CONNECT_ERROR ? "" : "not ", p->code, p->line, p->column,
                     p->end_line, p->end_column);
    assert_true(n > 0 && (size_t)n < sizeof told->text - used);
    told->count++;
}

static int
check(const char *text, struct told *told, struct gantry_connect_schema **out)
{
    const struct gantry_connect_listener listener = {sizeof listener, 0, tell, told};
    struct gantry_error *err = NULL;
    *told = (struct told){.count = 0};
    int rc = gantry_connect_schema_new(text, strlen(text), &listener, out, &err);
    assert_true((rc == 0) == (err == NULL));
    gantry_error_free(err);
    return rc;
}

static void
expect_problems(const char *text, const char *problems)
{
    struct gantry_connect_schema *schema = NULL;
    struct told told;
    int rc = check(text, &told, &schema);
    assert_string_equal(told.text, problems);
    assert_true((rc == 0) == (schema != NULL));
    gantry_connect_schema_free(schema);
}

static void
connectors_are_told_in_the_order_of_the_text(void **state)
{
    (void)state;
    static const char text[] = LINKS
        "@source(name: \"yard\", http: {baseURL: \"https://yard.example\"})\n"
        "type Query {\n"
        "  crane(id: ID!): Crane @connect(source: \"yard\", http: {GET: \"/c/{$args.id}\"}, "
        "selection: \"id name\", entity: true)\n"
        "  cranes: [Crane]\n"
        "    @connect(id: \"all\", http: {POST: \"http://a.example/\"}, selection: \"id\")\n"
        "    @connect(source: \"yard\", http: {DELETE: \"/\"}, selection: \"id\")\n"
        "}\n"
        "type Crane @connect(source: \"yard\", http: {PUT: \"/{$this.id}\"}, selection: \"id "
        "name\") "
        "{ id: ID! name: String }\n"
        "extend type Crane @connect(source: \"yard\", http: {PATCH: \"/{$this.id}\"}, selection: "
        "\"id\")";
    static const struct {
        const char *coordinate, *id, *method, *source;
        uint32_t line, column, is_entity;
    } expected[] = {
        {"Query.crane[0]", NULL, "GET", "yard", 3, 25, 1},
        {"Query.cranes[0]", "all", "POST", NULL, 5, 5, 0},
        {"Query.cranes[1]", NULL, "DELETE", "yard", 6, 5, 0},
        {"Crane[0]", NULL, "PUT", "yard", 8, 12, 1},
        {"Crane[1]", NULL, "PATCH", "yard", 9, 19, 1},
    };
    struct gantry_connect_schema *schema = NULL;
    struct told told;
    assert_int_equal(check(text, &told, &schema), 0);
    assert_int_equal(gantry_connect_schema_count(schema), ARRAY_LENGTH(expected));
    for (uint32_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        struct gantry_connect_connector c = {.size = sizeof c};
        assert_int_equal(gantry_connect_schema_connector(schema, i, &c, NULL), 0);
        assert_string_equal(c.coordinate, expected[i].coordinate);
        assert_true(text_eq(c.id, expected[i].id));
        assert_true(text_eq(c.method, expected[i].method));
        assert_true(text_eq(c.source, expected[i].source));
        assert_int_equal(c.line, expected[i].line);
        assert_int_equal(c.column, expected[i].column);
        assert_int_equal(c.is_entity, expected[i].is_entity);
    }
    struct gantry_connect_connector none = {.size = sizeof none};
    struct gantry_error *err = NULL;
    assert_int_equal(gantry_connect_schema_connector(schema, 5, &none, &err), GANTRY_E_NOT_FOUND);
    assert_null(none.coordinate);
    gantry_error_free(err);
    gantry_connect_schema_free(schema);
}

static void
a_schema_without_the_link_has_no_connectors(void **state)
{
    (void)state;
    static const char *const links[] = {
        "", "extend schema @link(url: \"https://other.example/connect/v0.2\") directive @link(url: "
            "String) on SCHEMA "};
    for (size_t i = 0; i < ARRAY_LENGTH(links); i++) {
        struct gantry_connect_schema *schema = NULL;
        struct told told;
        char text[512];
        snprintf(text, sizeof text,
                 "%sdirective @connect(http: Int) repeatable on FIELD_DEFINITION "
                 "type Query { a: Int @connect(http: 5) @connect }",
                 links[i]);
        assert_int_equal(check(text, &told, &schema), 0);
        assert_int_equal(told.count, 0);
        assert_int_equal(gantry_connect_schema_count(schema), 0);
        gantry_connect_schema_free(schema);
    }
    expect_problems("type Query { a: Nope }", "GRAPH_QL_ERROR 1:17-1:21\n");
    expect_problems("type Query { a: \n", "GRAPH_QL_ERROR 2:1-2:1\n");
}

static void
directives_are_found_by_what_they_are_called_here(void **state)
{
    (void)state;
    static const char start[] =
        "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.14\") "
        "@link(url: \"https://specs.apollo.dev/connect/v0.%s) "
        "@%s(name: \"y\", http: {baseURL: \"http://h.example\"})\n"
        "type Query { a: Int @%s(source: \"y\", http: {GET: \"/\"}, selection: \"$.a\") }";
    static const struct {
        const char *link, *source, *connect;
    } cases[] = {
        {"2\", import: [\"@source\", \"@connect\"]", "source", "connect"},
        {"1\", import: [\"@source\"]", "source", "connect"},
        {"3\"", "connect__source", "connect"},
        {"3\", as: \"c\"", "c__source", "c"},
        {"4\", as: \"c\", import: [{name: \"@connect\", as: \"@rest\"}, \"@source\"]", "source",
         "rest"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct gantry_connect_schema *schema = NULL;
        struct told told;
        char text[1024];
        snprintf(text, sizeof text, start, cases[i].link, cases[i].source, cases[i].connect);
        assert_int_equal(check(text, &told, &schema), 0);
        assert_string_equal(told.text, "");
        assert_int_equal(gantry_connect_schema_count(schema), 1);
        gantry_connect_schema_free(schema);
    }
}

static void
an_author_may_declare_the_directives(void **state)
{
    (void)state;
    static const char declared[] =
        LINKS "directive @connect(source: String, http: Http!, selection: Sel!) repeatable on "
              "FIELD_DEFINITION\n"
              "scalar Sel input Http { GET: String headers: [Int] }\n"
              "type Query { a: Int @connect(http: {GET: \"http://h\"}, selection: \"$.a\") }";
    expect_problems(declared, "");
    /* His own say what may stand there. */
    expect_problems(LINKS "directive @connect(http: Int, selection: Int) on FIELD_DEFINITION\n"
                          "type Query { a: Int @connect(selection: \"$.a\", id: \"x\") }",
                    "GRAPH_QL_ERROR 2:21-2:29\nGRAPH_QL_ERROR 2:48-2:50\n");
}

static void
versions_are_those_that_are_known(void **state)
{
    (void)state;
    static const char text[] = "extend schema @link(url: \"https://specs.apollo.dev/connect/%s\")\n"
                               "type Query { a: Nope @connect }";
    static const char *const unknown[] = {"v0.0", "v0.5", "v1.0", "v0.2.1", "v0", "2", ""};
    for (size_t i = 0; i < ARRAY_LENGTH(unknown); i++) {
        struct gantry_connect_schema *schema = NULL;
        struct told told;
        char whole[256];
        snprintf(whole, sizeof whole, text, unknown[i]);
        assert_int_equal(check(whole, &told, &schema), GANTRY_E_INVALID);
        assert_null(schema);
        assert_true(str_starts_with(str_of(told.text), STR("UNKNOWN_CONNECTORS_VERSION 1:26-1:")));
        assert_int_equal(told.count, 1);
    }
}

static void
a_warning_leaves_a_schema(void **state)
{
    (void)state;
    expect_problems("extend schema @link(url: \"https://specs.apollo.dev/connect/v0.2\")\n"
                    "type Query { a: Int @connect(http: {GET: \"http://h\"}, selection: \"$.a\") }",
                    "not FEDERATION_VERSION 1:15-1:20\n");
}

static void
a_mistake_of_graphql_hides_no_other(void **state)
{
    (void)state;
    expect_problems(LINKS
                    "\n"
                    "type Query { a: Nope @connect(http: {GET: \"x\"}, selection: \"(\")\n"
                    "  b: Int @connect(http: 1)\n"
                    "  c: Int @connect(source: [], http: {GET: 5, get: \"\"}, selection: null, "
                    "batch: {maxSize: 0}) }",
                    "GRAPH_QL_ERROR 2:17-2:21\n"
                    "RELATIVE_CONNECT_URL_WITHOUT_SOURCE 2:43-2:46\n"
                    "INVALID_SELECTION 2:61-2:62\n"
                    "GRAPH_QL_ERROR 3:10-3:18\n"
                    "GRAPH_QL_ERROR 3:25-3:26\n"
                    "GRAPH_QL_ERROR 4:27-4:29\n"
                    "GRAPH_QL_ERROR 4:43-4:44\n"
                    "GRAPH_QL_ERROR 4:46-4:49\n"
                    "GRAPH_QL_ERROR 4:67-4:71\n"
                    "GRAPH_QL_ERROR 4:90-4:91\n");
}

static void
an_extension_may_stand_alone_in_federation(void **state)
{
    (void)state;
    expect_problems(
        LINKS "\n"
              "extend type Query { a: A @connect(http: {GET: \"http://h\"}, selection: \"b c\") "
              "}\nextend type A { b: Int b: Int }\nextend type A { c: Int }",
        "not EXTENDED_TYPE 2:13-2:18\n"
        "not EXTENDED_TYPE 3:13-3:14\n"
        "GRAPH_QL_ERROR 3:17-3:18\n"
        "not EXTENDED_TYPE 4:13-4:14\n");
    expect_problems("type Query { a: Int } extend type A { b: Int }", "GRAPH_QL_ERROR 1:35-1:36\n");
}

static void
an_old_caller_is_told_nothing_it_does_not_know(void **state)
{
    (void)state;
    const struct gantry_connect_listener old = {8, 0, NULL, NULL};
    struct gantry_connect_schema *schema = NULL;
    assert_int_equal(gantry_connect_schema_new("type", 4, &old, &schema, NULL), GANTRY_E_INVALID);
    assert_int_equal(gantry_connect_schema_new("type Query { a: Int }", 21, NULL, &schema, NULL),
                     0);
    gantry_connect_schema_free(schema);
    gantry_connect_schema_free(NULL);
    assert_string_equal(gantry_connect_severity_word(GANTRY_CONNECT_NOTE), "note");
    assert_string_equal(gantry_connect_severity_word(3), "unknown");
}

/* One and two bytes all over a selection: what remembers where they stand says the same as what looks. */
static void
assert_places(const char *quotes, const char *line, const char *end_of_line)
{
    AUTO_BUF struct buf text = BUF_INIT(100000);
    struct connect_problems problems;
    struct connect_schema *s = NULL;
    struct arena a;
    arena_init(&a, 0);
    connect_problems_init(&problems, &a, 100);
    buf_add_fmt(&text,
                "extend schema @link(url: \"https://specs.apollo.dev/connect/v0.2\", import: "
                "[\"@connect\"])\ntype Query { a: Int @connect(http: {GET: \"http://h/\"}, "
                "selection: %s",
                quotes);
    for (size_t i = 0; i < 420; i++)
        buf_add_fmt(&text, "%s%s", line, end_of_line);
    buf_add_fmt(&text, "  $.a%s%s) }\n", end_of_line, quotes);
    assert_int_equal(connect_schema_new(buf_view(&text), &problems, &s, NULL), 0);
    const struct gql_value *string = s->connectors->selection.written;
    assert_true(string->text.len > 4096);
    for (size_t i = 0; i < string->text.len; i += 31)
        for (size_t end = i; end <= MIN(i + 2, string->text.len); end++) {
            struct connect_place slow = connect_place_in(s, string, (struct mapping_range){i, end});
            struct connect_place fast =
                connect_problem_place(&problems, s, string, (struct mapping_range){i, end});
            assert_int_equal(fast.start, slow.start);
            assert_int_equal(fast.end, slow.end);
        }
    assert_ptr_equal(problems.spans_of, string);
    connect_schema_free(s);
    arena_clear(&a);
}

static void
places_in_long_strings_are_those_of_short_ones(void **state)
{
    (void)state;
    assert_places("\"\"\"", "    # a \\\"\"\" and \xc3\xa9\t", "\n");
    assert_places("\"\"\"", "\t# a line", "\r\n  \r\n");
    assert_places("\"", "# a\\t\\u00e9 \\\" \\ud83d\\ude00", "\\n");
    assert_places("\"", "# a plain one", "\\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_of_a_string_is_where_it_is_written),
        cmocka_unit_test(a_byte_of_a_block_string_is_where_it_is_written),
        cmocka_unit_test(connectors_are_told_in_the_order_of_the_text),
        cmocka_unit_test(a_schema_without_the_link_has_no_connectors),
        cmocka_unit_test(directives_are_found_by_what_they_are_called_here),
        cmocka_unit_test(an_author_may_declare_the_directives),
        cmocka_unit_test(versions_are_those_that_are_known),
        cmocka_unit_test(a_warning_leaves_a_schema),
        cmocka_unit_test(a_mistake_of_graphql_hides_no_other),
        cmocka_unit_test(an_extension_may_stand_alone_in_federation),
        cmocka_unit_test(an_old_caller_is_told_nothing_it_does_not_know),
        cmocka_unit_test(places_in_long_strings_are_those_of_short_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
