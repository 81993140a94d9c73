/* The static shape of mappings, written as a text: {id: string?, rows: [{n: ?}]}.
 *
 * `?` alone is unknown, behind something it may be null; `&` shows what came from a variable; braces are {}, an object
 * that no braces made is ({}); `...` may have other members too; `|` is one of several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "shape.h"

static struct gql_schema *graphql;

static const char schema_text[] =
    "type Query { crane(id: ID!, n: Int, filter: Filter, tags: [String!]!, any: Any): Crane }\n"
    "input Filter { from: String!, deep: Filter, kind: Kind }\n"
    "enum Kind { A B } scalar Any union Part = Crane | Filterless type Filterless { x: Int }\n"
    "type Crane { id: ID! ok: Boolean weight: Float part: Part parts: [Crane!] }\n";

static void add_shape(struct buf *b, const struct shape *s);

static void
add_object(struct buf *b, const struct shape *s)
{
    buf_add_text(b, s->is_braces ? "{" : "({");
    if (s->is_arguments)
        buf_add_text(b, "arguments");
    if (s->type)
        buf_add(b, s->type->name);
    for (const struct shape_member *m = s->members; m; m = m->next) {
        buf_add_text(b, m == s->members ? "" : ", ");
        buf_add(b, m->name);
        buf_add_text(b, ": ");
        add_shape(b, m->shape);
    }
    if (s->is_open)
        buf_add_text(b, " ...");
    buf_add_text(b, s->is_braces ? "}" : "})");
}

static void
add_shape(struct buf *b, const struct shape *s)
{
    static const char *const words[] = {"?", "null", "boolean", "number", "string", "scalar"};
    if (s->kind == SHAPE_ARRAY) {
        buf_add_text(b, "[");
        add_shape(b, s->element);
        buf_add_text(b, "]");
    } else if (s->kind == SHAPE_OBJECT) {
        add_object(b, s);
    } else if (s->kind == SHAPE_ONE_OF) {
        for (const struct shape_choice *c = s->choices; c; c = c->next) {
            buf_add_text(b, c == s->choices ? "" : " | ");
            add_shape(b, c->shape);
        }
    } else {
        buf_add_text(b, words[s->kind]);
    }
    if (s->literal.ptr)
        buf_add_fmt(b, " '%.*s'", STR_ARG(s->literal));
    if (s->variable.len)
        buf_add_text(b, "&");
    if (s->nullable)
        buf_add_text(b, "?");
}

struct findings {
    struct buf *text;
};

static void
found(void *context, const struct shape_finding *f)
{
    static const char *const words[] = {"no-variable", "no-input", "no-member",  "union",
                                        "no-method",   "newer",    "empty-args", "upper-case",
                                        "merged",      "nullable"};
    struct findings *all = context;
    buf_add_fmt(all->text, "%s%s %.*s %zu-%zu", buf_view(all->text).len ? ", " : "", words[f->kind],
                STR_ARG(f->name), f->range.start, f->range.end);
}

enum { WITHOUT_RESPONSE = 100 };

/* version: WITHOUT_RESPONSE is added where there is no response. */
static void
check(int version, const char *text, const char *shape, const char *findings)
{
    AUTO_BUF struct buf seen = BUF_INIT(10000), told = BUF_INIT(10000);
    struct findings all = {&told};
    struct mapping *m = NULL;
    struct arena a;
    arena_init(&a, 0);
    struct shape_walk w = {.graphql = graphql, .arena = &a, .found = found, .context = &all};
    const struct gql_member *field = gql_names_find(&graphql->root_types[0]->members, STR("crane"));
    const struct shape arguments = {.kind = SHAPE_OBJECT,
                                    .is_arguments = true,
                                    .variable = STR("$args"),
                                    .arguments = field->arguments};
    const struct shape parent = {.kind = SHAPE_OBJECT,
                                 .variable = STR("$this"),
                                 .type = gql_type_find(graphql, STR("Crane"))};
    const struct shape line = {.kind = SHAPE_STRING, .variable = STR("$headers")};
    const struct shape lines = {.kind = SHAPE_ARRAY, .variable = STR("$headers"), .element = &line};
    const struct shape headers = {
        .kind = SHAPE_OBJECT, .is_headers = true, .variable = STR("$headers"), .element = &lines};
    const struct shape_variable variables[] = {
        {STR("$args"), &arguments}, {STR("$this"), &parent}, {STR("$headers"), &headers}};
    w.variables = variables;
    w.variable_count = ARRAY_LENGTH(variables);
    w.version = (enum mapping_version)(version % WITHOUT_RESPONSE);
    w.input = version < WITHOUT_RESPONSE ? &shape_unknown : NULL;
    assert_int_equal(mapping_parse(str_of(text), w.version, &m, NULL, NULL), 0);
    add_shape(&seen, shape_of_mapping(&w, m));
    assert_false(w.nomem);
    assert_string_equal(buf_text(&seen), shape);
    assert_string_equal(told.len ? buf_text(&told) : "", findings);
    mapping_free(m);
    arena_clear(&a);
}

static void
braces_make_objects_and_the_response_is_unknown(void **state)
{
    (void)state;
    check(2, "id", "{id: ?}", "");
    check(2, "$.id", "?", "");
    check(2, "a: { b: c } d { e: f.g }", "{a: {b: ?}, d: {e: ?}}", "");
    check(2, "a $.b { c } d.e { f }", "{a: ?, c: ?, f: ?}", "");
    check(2, "$.b { c { d } }", "{c: {d: ?}}", "");
    check(2, "a: $([1, 'x', $.y]) b: $({c: true, d: null})",
          "{a: [number | string 'x' | ?], b: ({c: boolean, d: null})}", "");
    check(3, "b { $.c }", "{b: ?}", "");
    check(3, "b { $([1]) }", "{b: [number]}", "");
}

static void
variables_are_what_the_schema_says(void **state)
{
    (void)state;
    check(2, "$args.id", "scalar&", "");
    check(2, "$args.n", "number&?", "");
    check(2, "$args.tags", "[string&]&", "");
    check(2, "$args.filter", "({Filter})&?", "");
    check(2, "$args.filter.deep.deep.kind", "string&?", "");
    check(2, "$args.filter { from to: deep { from } }", "{from: string&, to: {from: string&}&?}&?",
          "");
    check(2, "$this.parts.weight", "[number&?]&", "");
    check(2, "$this.__typename", "string&", "");
    check(2, "$this.parts { ok up: $.id }", "[{ok: boolean&?, up: scalar&}&]&", "");
    check(2, "$headers.accept", "[string&]&", "");
}

static void
what_is_not_there_is_found_once(void **state)
{
    (void)state;
    check(2, "$args.idd.x.y", "?&", "no-member idd 6-9");
    check(2, "$args.filter { fro { x } }", "{fro: {x: ?&}&}&?", "no-member fro 15-18");
    check(2, "$args.filter.from.x", "?&", "no-member x 18-19");
    check(2, "$args.filter.kind.x", "?&", "no-member x 18-19");
    check(2, "$args.any.x", "?&", "no-member x 10-11");
    check(2, "$this.part.x.y", "?&", "union x 11-12");
    check(2, "$this.parts.'w\\x'", "?&", "no-member wx 11-17");
    check(2, "$nope.a->first", "?", "no-variable $nope 0-5");
    check(2, "a: $({x: 1}.y)", "{a: ?}", "");
    check(2, "$args.tags->frst", "?&", "no-method frst 12-16");
    check(2, "$headers.Accept", "[string&]&", "upper-case Accept 9-15");
}

static void
without_response_nothing_is_read_of_it(void **state)
{
    (void)state;
    const int v2 = 2 + WITHOUT_RESPONSE;
    check(v2, "a: $args.id", "{a: scalar&}", "");
    check(v2, "a: { b: $args.id }", "{a: {b: scalar&}}", "");
    check(v2, "a", "{a: ?}", "no-input a 0-1");
    check(v2, "a: 'b c' { d }", "{a: {d: ?}}", "no-input b c 3-8");
    check(v2, "$", "?", "no-input  0-1");
    check(v2, "$.a", "?", "no-input  0-1");
    check(v2, "@", "?", "");
    check(v2, "@.a", "?", "no-input  0-1");
    check(3 + WITHOUT_RESPONSE, "$args.filter { $.from }", "string&", "");
}

static void
methods_are_inferred_from_v03_on(void **state)
{
    (void)state;
    check(2, "$args.tags->first", "?&", "");
    check(3, "$args.tags->first", "string&", "");
    check(2, "$args.tags->map(@.x)", "?&", "");
    check(3, "$args.tags->map(@.x)", "[?&]&", "no-member x 18-19");
    check(3, "$->map({ a: @.b, c: $args.n })", "[({a: ?, c: number&?})]", "");
    check(3, "$args.filter->echo(@.from)", "string&", "");
    check(3, "$args.tags->size->eq(1)", "boolean&", "");
    check(3, "$.t->split(',')", "[string]", "newer split 5-10");
    check(3, "$.t->jsonStringify", "string", "");
    check(3, "$args.filter->get('from')", "string&", "");
    check(3, "$args.filter->entries.key", "[string&]&", "");
    check(3, "$args.filter->entries.nope", "?&", "no-member nope 22-26");
    check(3, "$args.tags->slice(0, 1)->last", "string&", "");
    check(3, "$this.parts->filter(@.ok)->find(@.no).id", "scalar&", "no-member no 34-36");
    check(3, "$.k->match(['a', 1], [@, 'x'])", "number | string 'x'", "");
    check(3, "$args.filter->as($f).from->echo($f.deep.nope)", "?&", "no-member nope 40-44");
    check(3, "$.x->as($f, $args.filter) { a: $f.from }", "{a: string&}", "");
    check(2, "$.x->as($f) { a: $f.from }", "{a: ?}", "newer as 5-7");
    check(2, "a: $f", "{a: ?}", "no-variable $f 3-5");
    check(2, "$.x->first()", "?", "empty-args first 5-10");
    check(2, "$.x->slice()", "?", "");
}

static void
chains_are_one_of_their_operands(void **state)
{
    (void)state;
    check(3, "a: $(x ?? 'none')", "{a: ? | string 'none'}", "");
    check(3, "a: $(null ?? 1)", "{a: number}", "");
    check(3, "a: $(null ?! 1)", "{a: null | number}", "");
    check(3, "$args.n?", "number&", "");
    check(4, "$args.n ?? $args.tags", "number& | [string&]&&", "");
    check(4, "$args.n ?? $args.tags->first { x }", "number& | {x: ?&}&&", "no-member x 31-32");
}

static void
items_are_joined(void **state)
{
    (void)state;
    check(2, "a b: c a", "{a: ?, b: ?, a: ?}", "merged a 7-8");
    check(2, "a $.b { a }", "{a: ?, a: ?}", "merged a 8-9");
    check(2, "a: $({x: 1, x: 2})", "{a: ({x: number, x: number})}", "");
    check(2, "a $args.filter { from }", "{a: ?, from: string&}", "nullable $args 2-7");
    check(2, "a $this { id }", "{a: ?, id: scalar&}", "");
    check(2, "$args.filter { from }", "{from: string&}&?", "");
    check(3, "a $args.filter? { from }", "{a: ?, from: string&}", "");
    check(4, "a ... $.b", "{a: ? ...}", "");
    check(4, "a ... $({b: 1})", "{a: ?, b: number}", "");
    check(4, "a ... $args.filter?", "{a: ? ...}", "");
    check(4, "a ... k->match(['b', {__typename: 'B', b}], ['c', null], [@, {c}])",
          "{a: ?, __typename: string 'B', b: ?} | null | {a: ?, c: ?}", "");
    check(4, "__typename: 'A' ... k->match(['b', {__typename: 'B'}], [@, {__typename: 'A', c}])",
          "{__typename: string 'A', __typename: string 'A', c: ?}", "");
}

static void
what_is_too_much_is_unknown(void **state)
{
    (void)state;
    AUTO_BUF struct buf text = BUF_INIT(10000);
    for (int i = 0; i < 6; i++)
        buf_add_fmt(&text, "... k->match(['b', {a%d}], ['c', {b%d}]) ", i, i);
    check(4, buf_text(&text), "?", "");
    buf_add_text(&text, "z: $nope");
    AUTO_BUF struct buf finding = BUF_INIT(100);
    buf_add_fmt(&finding, "no-variable $nope %zu-%zu", text.len - 5, text.len);
    check(4, buf_text(&text), "?", buf_text(&finding));
}

static int
start(void **state)
{
    (void)state;
    struct gql_problems problems;
    struct arena a;
    arena_init(&a, 0);
    gql_problems_init(&problems, &a, 10);
    int rc = gql_schema_new(str_of(schema_text), NULL, &problems, &graphql, NULL);
    arena_clear(&a);
    return rc;
}

static int
stop(void **state)
{
    (void)state;
    gql_schema_free(graphql);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(braces_make_objects_and_the_response_is_unknown),
        cmocka_unit_test(variables_are_what_the_schema_says),
        cmocka_unit_test(what_is_not_there_is_found_once),
        cmocka_unit_test(without_response_nothing_is_read_of_it),
        cmocka_unit_test(methods_are_inferred_from_v03_on),
        cmocka_unit_test(chains_are_one_of_their_operands),
        cmocka_unit_test(items_are_joined),
        cmocka_unit_test(what_is_too_much_is_unknown),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
