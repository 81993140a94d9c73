/* Entities, keys, and fields that nothing gives: small schemas and what is said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "connector_key.h"

/* The first line; the schemas below begin on the second. */
#define LINKS(version)                                                                             \
    "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.14\", import: [\"@key\", "  \
    "\"@external\"]) @link(url: \"https://specs.apollo.dev/connect/v0." version                    \
    "\", import: [\"@source\", \"@connect\"])\n"
#define GET(path, selection)                                                                       \
    "@connect(http: {GET: \"http://h.example/" path "\"}, selection: \"" selection "\")"
#define ENTITY(path, selection)                                                                    \
    "@connect(http: {GET: \"http://h.example/" path "\"}, selection: \"" selection                 \
    "\", entity: true)"
#define BATCH(body, selection)                                                                     \
    "@connect(http: {POST: \"http://h.example/\", body: \"" body "\"}, selection: \"" selection    \
    "\")"

/* "CODE line" of each problem that is no note. */
static void
check(const char *text, const char *expected)
{
    AUTO_BUF struct buf found = BUF_INIT(10000);
    struct connect_problems problems;
    struct connect_schema *schema = NULL;
    struct arena arena;
    arena_init(&arena, 0);
    connect_problems_init(&problems, &arena, 100);
    int rc = connect_schema_new(str_of(text), &problems, &schema, NULL);
    assert_true((rc == 0) == (schema != NULL));
    for (const struct connect_problem *p = problems.first; p; p = p->next) {
        size_t line, column;
        if (connect_code_severity(p->code) == CONNECT_NOTE)
            continue;
        str_position(str_of(text), p->place.start, &line, &column);
        buf_add_fmt(&found, "%s%s %zu", found.len ? ", " : "", connect_code_word(p->code), line);
    }
    assert_string_equal(buf_text(&found), expected);
    connect_schema_free(schema);
    arena_clear(&arena);
}

static void
a_field_is_had_from_the_selection_or_by_a_key_that_is_there(void **state)
{
    (void)state;
    /* Over two connectors, the second one's key from the first. */
    check(LINKS("2") "type Query { a: Crane " GET(
              "a", "id") " }\n"
                         "type Crane " GET("c/{$this.id}", "no") " " GET(
                             "n/{$this.no}", "lift") " { id: ID no: Int lift: Int }",
          "");
    /* A field's connector gives the key of the type's. */
    check(LINKS("2") "type Query { a: Crane " GET(
              "a", "id") " }\n"
                         "type Crane " GET("n/{$this.no}", "lift") " { id: ID lift: Int\n"
                                                                   " no: Int " GET("c/{$this.id}",
                                                                                   "$.no") " }",
          "");
    /* A key that is not there, and would come only from the connector that needs it. */
    check(LINKS("2") "type Query {\n a: Crane " GET("a", "id") "\n b: Crane " GET(
              "b", "no id") " }\n"
                            "type Crane " GET("n/{$this.no}",
                                              "no lift") " { id: ID no: Int lift: Int }",
          "SATISFIABILITY_ERROR 3");
    /* An entity connector; without `entity: true` it is none. */
    check(LINKS("2") "type Query { a: Crane " GET(
              "a", "id") "\n"
                         " crane(id: ID): Crane " ENTITY(
                             "c/{$args.id}", "id lift") " }\n"
                                                        "type Crane { id: ID lift: Int }",
          "");
    check(LINKS("2") "type Query { a: Crane " GET(
              "a", "id") "\n"
                         " crane(id: ID): Crane " GET("c/{$args.id}",
                                                      "id lift") " }\n"
                                                                 "type Crane { id: ID lift: Int }",
          "SATISFIABILITY_ERROR 2");
    /* The whole of the arguments is their names; what is not read is no key. */
    check(LINKS("2") "type Query { a: Crane " GET(
              "a",
              "id") "\n"
                    " crane(id: ID): Crane @connect(http: {POST: \"http://h/\", body: \"$args\"}, "
                    "selection: \"id lift\", entity: true) }\n"
                    "type Crane { id: ID lift: Int }",
          "");
    check(LINKS("2") "type Query { a: Crane " GET(
              "a", "id") "\n"
                         " crane(id: ID): Crane " ENTITY(
                             "c", "id lift") " }\n"
                                             "type Crane { id: ID lift: Int }",
          "SATISFIABILITY_ERROR 2");
    /* A root type is the same everywhere. */
    check(LINKS("2") "type Query { a: Int " GET("a", "$.a") " b: Payload " GET(
              "b", "ok query { a }") " }\n"
                                     "type Payload { ok: ID query: Query }",
          "");
    /* Two connectors of one field are used together. */
    check(LINKS("2") "type Query { a: Crane " GET("a", "id") " " GET(
              "b", "lift") " }\n"
                           "type Crane { id: ID lift: Int }",
          "");
}

static void
a_stub_below_what_is_given_is_a_position_too(void **state)
{
    (void)state;
    check(
        LINKS("2") "type Query { a: Ship " GET(
            "a", "crane { id }") " }\n"
                                 "type Ship { crane: Crane }\n"
                                 "type Crane " GET("c/{$this.id}", "lift") " { id: ID lift: Int }",
        "");
    check(
        LINKS("2") "type Query { a: Ship " GET(
            "a", "crane { name }") "\n"
                                   " b: Crane " GET(
                                       "b", "id name") " }\n"
                                                       "type Ship { crane: Crane }\n"
                                                       "type Crane " GET(
                                                           "c/{$this.id}",
                                                           "lift") " { id: ID name: ID lift: Int }",
        "SATISFIABILITY_ERROR 2");
    /* A field's connector gives it, on a type that another gives. */
    check(LINKS("2") "type Query { a: Ship " GET("a", "id") "\n b: Crane " GET(
              "b", "id name") " }\n"
                              "type Ship { id: ID\n crane: Crane " GET(
                                  "s/{$this.id}", "name") " }\n"
                                                          "type Crane { id: ID name: ID }",
          "SATISFIABILITY_ERROR 5");
    /* What one gives of an inner object, and what another gives of it, are both there. */
    check(LINKS("2") "type Query { a: Ship " GET(
              "a", "id dock { gate }") " }\n"
                                       "type Ship " GET(
                                           "s/{$this.id}",
                                           "dock { lane }") " { id: ID dock: Dock }\n"
                                                            "type Dock { gate: ID lane: ID }",
          "");
    /* A key in an object that has a connector of its own. */
    check(LINKS("2") "type Query { a: Ship " GET(
              "a", "dock { id }") " }\n"
                                  "type Ship " GET("s/{$this.dock.gate}",
                                                   "name") " { dock: Dock name: ID }\n"
                                                           "type Dock " GET(
                                                               "d/{$this.id}",
                                                               "gate") " { id: ID gate: ID }",
          "");
    /* Stubs that give each other. */
    check(
        LINKS("2") "type Query { a: Ship " GET(
            "a", "id") " }\n"
                       "type Ship " GET("s/{$this.id}",
                                        "crane { id }") " { id: ID crane: Crane }\n"
                                                        "type Crane " GET(
                                                            "c/{$this.id}",
                                                            "ship { id }") " { id: ID ship: Ship }",
        "");
}

static void
what_others_give_is_not_missed(void **state)
{
    (void)state;
    check(LINKS("2") "type Query { a: Crane " GET(
              "a", "id") " }\n"
                         "type Crane { id: ID weight: Int @external\n"
                         " cost: Int " GET("c/{$this.weight}", "$.cost") " }",
          "");
    check(LINKS("2") "type Query { a: Crane " GET(
              "a", "dock { id }") " }\n"
                                  "type Crane { dock: Dock }\n"
                                  "type Dock @external { id: ID gate: ID }",
          "");
}

static void
abstract_types_are_what_their_type_names_say(void **state)
{
    (void)state;
#define HARBOUR                                                                                    \
    "interface Lifter { id: ID }\n"                                                                \
    "type Crane implements Lifter { id: ID arm: Int }\ntype Hoist implements Lifter { id: ID }\n"
    check(LINKS("4") "type Query { a: [Lifter] " GET("a", "id ... kind->match(['c', { __typename: "
                                                          "'Crane', arm }], [@, { __typename: "
                                                          "'Hoist' }])") " }\n" HARBOUR,
          "");
    check(LINKS("4") "type Query { b: Crane " GET("b", "id arm") " a: [Lifter]\n" GET(
              "a", "id ... kind->match(['c', { __typename: 'Crane' }], [@, { __typename: "
                   "'Hoist' }])") " }\n" HARBOUR,
          "SATISFIABILITY_ERROR 2");
    /* An entity connector that returns the interface has the key of what it names. */
    check(LINKS("4") "type Query { lifter(id: ID): Lifter " ENTITY(
              "l/{$args.id}",
              "id ... kind->match(['c', { __typename: 'Crane', arm }], [@, { "
              "__typename: 'Hoist', no }])") " }\n"
                                             "interface Lifter { id: ID }\n"
                                             "type Crane implements Lifter @key(fields: \"id\") { "
                                             "id: ID arm: Int }\n"
                                             "type Hoist implements Lifter @key(fields: \"no\") { "
                                             "id: ID no: ID }\n",
          "MISSING_ENTITY_CONNECTOR 5");
#undef HARBOUR
}

/* The log has a connector on the interface; the union is an entity that takes the key of both of its types. */
#define EITHER                                                                                     \
    "id ... kind->match(['c', { __typename: 'Crane', arm }], [@, { __typename: 'Hoist' }])"
#define UNION(argument)                                                                            \
    LINKS("4")                                                                                     \
    "type Query { a: [Lifter] " GET("a", EITHER) "\n any(" argument ": ID): Any " ENTITY(          \
        "{$args." argument "}",                                                                    \
        EITHER) " }\nunion Any = Crane | Hoist\ninterface Lifter { id: ID log: "                   \
                "ID " GET("{$this.id}", "$.log") " }\ntype Crane implements Lifter @key(fields: "  \
                                                 "\"id\") { id: ID arm: Int log: ID }\n"           \
                                                 "type Hoist implements Lifter @key(fields: "      \
                                                 "\"id\") { id: ID log: ID }"

static void
connectors_of_abstract_types_serve_their_objects(void **state)
{
    (void)state;
    check(UNION("id"), "");
    check(UNION("no"), "ENTITY_RESOLVER_ARGUMENT_MISMATCH 3");
}

static void
keys_are_read_wherever_the_request_reads_them(void **state)
{
    (void)state;
    static const char text[] = LINKS("2") "type Query { a(no: Int): Crane\n" ENTITY(
        "{$args.no}",
        "id no dock { gate lane }") " }\n"
                                    "type Crane\n@connect(http: {PUT: "
                                    "\"http://h.example/{$this.id}\", body: \"$this.dock { x: "
                                    "gate }\", headers: {name: \"x\", value: "
                                    "\"{$this.dock.lane->first}\"}, queryParams: "
                                    "\"q: $this.id\"}, selection: \"id lift k: $this.__typename\", "
                                    "errors: {message: "
                                    "\"$this.k\"}) { id: ID no: Int dock: Dock lift: Int k: ID\n"
                                    " n: Int " GET("x",
                                                   "$.n") " }\ntype Dock { gate: ID lane: ID }";
    struct connect_problems problems;
    struct connect_schema *schema;
    struct arena arena;
    arena_init(&arena, 0);
    connect_problems_init(&problems, &arena, 100);
    assert_int_equal(connect_schema_new(str_of(text), &problems, &schema, NULL), 0);
    const struct connector *c = schema->connectors;
    assert_int_equal(c->key->kind, CONNECTOR_ENTITY);
    assert_true(connector_key_type(c, c->key) == c->returns);
    assert_non_null(field_set_find(&c->key->fields, STR("no")));
    c = c->next;
    assert_int_equal(c->key->kind, CONNECTOR_TYPE);
    assert_int_equal(c->key->fields.fields.len, 2);
    assert_true(str_eq(field_set_at(&c->key->fields, 0)->name, STR("id")));
    const struct set_field *dock = field_set_find(&c->key->fields, STR("dock"));
    assert_int_equal(dock->below.fields.len, 2);
    assert_non_null(field_set_find(&dock->below, STR("gate")));
    assert_non_null(field_set_find(&dock->below, STR("lane")));
    assert_true(field_set_covers(&c->key->fields, &c->key->fields));
    assert_false(field_set_covers(&schema->connectors->key->fields, &c->key->fields));
    c = c->next;
    assert_int_equal(c->key->kind, CONNECTOR_FIELD);
    assert_int_equal(c->key->fields.fields.len, 0);
    connect_schema_free(schema);
    arena_clear(&arena);
}

static void
a_key_that_cannot_be_read_is_told(void **state)
{
    (void)state;
#define WITH_KEY(fields)                                                                           \
    LINKS("2")                                                                                     \
    "type Query { a(id: ID, dock: In): Crane " ENTITY(                                             \
        "{$args.id}{$args.dock.gate}",                                                             \
        "id dock { gate }") " }\ninput In { gate: ID }\ntype Crane @key(fields: " fields           \
                            ") { id: ID dock: Dock }\n"                                            \
                            "type Dock { gate: ID }"
    check(WITH_KEY("\"id, dock { gate }\""), "");
    check(WITH_KEY("\"\"\"\n id\n dock { gate }\n\"\"\""), "");
    check(WITH_KEY("\"id dock { gate\""), "GRAPH_QL_ERROR 4");
    check(WITH_KEY("\"id dock { }\""), "GRAPH_QL_ERROR 4");
    check(WITH_KEY("\"id } dock\""), "GRAPH_QL_ERROR 4");
    check(WITH_KEY("\"{ id }\""), "GRAPH_QL_ERROR 4");
    check(WITH_KEY("\"\""), "GRAPH_QL_ERROR 4");
    check(WITH_KEY("\"id(a: 1)\""), "GRAPH_QL_ERROR 4");
    check(WITH_KEY("\"id lift\""), "GRAPH_QL_ERROR 4");
    check(WITH_KEY("\"dock\""), "GRAPH_QL_ERROR 4");
    check(WITH_KEY("\"id { gate }\""), "GRAPH_QL_ERROR 4");
#undef WITH_KEY
}

static void
input_types_that_contain_themselves_are_compared_once(void **state)
{
    (void)state;
    check(LINKS("2") "type Query { a(crane: In): Crane " ENTITY(
              "{$args.crane.id}", "id crane { id }") " }\n"
                                                     "input In { id: ID\n crane: In\n lift: Int }\n"
                                                     "type Crane { id: ID crane: Inner }\ntype "
                                                     "Inner { id: ID crane: Inner }",
          "ENTITY_RESOLVER_ARGUMENT_MISMATCH 5");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_is_had_from_the_selection_or_by_a_key_that_is_there),
        cmocka_unit_test(a_stub_below_what_is_given_is_a_position_too),
        cmocka_unit_test(what_others_give_is_not_missed),
        cmocka_unit_test(abstract_types_are_what_their_type_names_say),
        cmocka_unit_test(connectors_of_abstract_types_serve_their_objects),
        cmocka_unit_test(keys_are_read_wherever_the_request_reads_them),
        cmocka_unit_test(a_key_that_cannot_be_read_is_told),
        cmocka_unit_test(input_types_that_contain_themselves_are_compared_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
