/* Each allocation fails in turn while a mapping is parsed, evaluated, explained and printed. */
#include "faults.h"

#include <gantry/connect.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct work {
    const char *mapping, *json;
    uint32_t version;
};

static int
evaluate(const struct work *w, const struct gantry_mapping *mapping, struct gantry_error **err)
{
    const struct gantry_mapping_variable variable = {"$args", "{\"id\": [1, 2.50]}", 17};
    struct gantry_mapping_input input = {sizeof input};
    struct gantry_mapping_output *output = NULL, *explained = NULL;
    char *text = NULL;
    input.json = w->json;
    input.json_size = strlen(w->json);
    input.variables = &variable;
    input.variable_count = 1;
    input.variable_stride = sizeof variable;
    int rc = gantry_mapping_apply(mapping, &input, &output, err);
    fault_assert((rc == 0) == (output != NULL));
    if (rc == 0)
        rc = gantry_mapping_explain(mapping, &input, &explained, err);
    fault_assert(rc < 0 || strcmp(output->data, explained->data) == 0);
    if (rc == 0)
        rc = gantry_mapping_print(mapping, &text, err);
    fault_assert((rc == 0) == (text != NULL));
    gantry_text_free(text);
    gantry_mapping_output_free(output);
    gantry_mapping_output_free(explained);
    return rc;
}

static int
run(void *context, struct gantry_error **err)
{
    const struct work *w = context;
    const struct gantry_mapping_options options = {sizeof options, w->version};
    struct gantry_mapping_place place = {sizeof place};
    struct gantry_mapping *mapping = NULL;
    int rc = gantry_mapping_parse(w->mapping, strlen(w->mapping), &options, &mapping, &place, err);
    fault_assert((rc == 0) == (mapping != NULL));
    if (rc == 0)
        rc = evaluate(w, mapping, err);
    gantry_mapping_free(mapping);
    return rc;
}

static void
sweep(const char *what, struct work w, int expected)
{
    fault_sweep(what, &(struct fault_sweep){.run = run, .context = &w, .expected = expected});
}

static void
a_mapping_is_evaluated_whole_or_not_at_all(void **state)
{
    (void)state;
    sweep("fields and paths",
          (struct work){"a: x.y # c\n b { c 'd e' } n: $args.id->map({ v: @, \"w\\n\": 007. })",
                        "{\"x\":[{\"y\":1},{}],\"b\":[{\"c\":1},null,[{\"c\":2}]]}", 2},
          0);
    sweep("merges and chains",
          (struct work){"a: p a: q ... r { s } f: x?.y ?? $nope.z ?? [1, \"two\"]",
                        "{\"p\":{\"a\":[1,{\"b\":2}]},\"q\":{\"a\":[2,{\"c\":3}]},\"r\":{}}", 4},
          0);
    sweep(
        "methods",
        (struct work){"a: t->split(',')->map(@->trim->parseInt->add(1, 0.5)->toString)"
                      "->joinNotNull('-') b: $->jsonStringify->jsonParse->keysToCamelCaseDeep"
                      "->entries->filter(@.key->eq('t'))->slice(0, 1)->as($v)->get(-1) c: $->frst",
                      "{\"t\":\" 1, 2,3\",\"snake_case\":{\"a_b\":[{\"c_d\":1.50}]}}", 3},
        0);
    char comments[400] = "", text[300000]; /* more than a block of memory holds; than any block */
    for (size_t i = 0; i < 100; i++)
        memcpy(comments + 2 * i, "#\n", 3);
    memcpy(comments + 200, "a", 2);
    sweep("comments", (struct work){comments, "{\"a\":1}", 2}, 0);
    memset(text, 'b', sizeof text);
    memcpy(text, "$->match([@, 1], ['\\n", 20);
    memcpy(text + sizeof text - 7, "', 2])", 7);
    sweep("a long text", (struct work){text, "{}", 2}, 0);
}

static void
a_refused_mapping_is_told_or_memory_is_out(void **state)
{
    (void)state;
    sweep("broken", (struct work){"a: b->map('\\n', $(x.y) { c: [1, } ", "{}", 2},
          GANTRY_E_INVALID);
    sweep("lone key", (struct work){"a: $(b)", "{}", 2}, GANTRY_E_INVALID);
    sweep("no JSON", (struct work){"a", "{\"a\": tru}", 2}, GANTRY_E_INVALID);
}

/* ---- schemas ---- */

static void
count_problem(void *context, const struct gantry_connect_problem *problem)
{
    size_t *count = context;
    fault_assert(problem->message && problem->code && problem->line);
    ++*count;
}

static int
check(void *context, struct gantry_error **err)
{
    const char *text = context;
    size_t count = 0;
    const struct gantry_connect_listener listener = {sizeof listener, 0, count_problem, &count};
    struct gantry_connect_schema *schema = NULL;
    int rc = gantry_connect_schema_new(text, strlen(text), &listener, &schema, err);
    fault_assert((rc == 0) == (schema != NULL));
    fault_assert(rc != GANTRY_E_INVALID || count);
    for (uint32_t i = 0; schema && i < gantry_connect_schema_count(schema); i++) {
        struct gantry_connect_connector c = {.size = sizeof c};
        fault_assert(gantry_connect_schema_connector(schema, i, &c, NULL) == 0 && c.coordinate);
    }
    gantry_connect_schema_free(schema);
    return rc;
}

#define LINKS                                                                                      \
    "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.11\", import: [\"@key\"]) " \
    "@link(url: \"https://specs.apollo.dev/connect/v0.2\", import: [\"@source\", \"@connect\"]) "  \
    "@source(name: \"yard\", http: {baseURL: \"https://yard.example/v1\", headers: [{name: "       \
    "\"x-key\", value: \"{$config.key}\"}, {name: \"X-from\", from: \"x-from\"}], queryParams: "   \
    "\"q: $config.q\"}, errors: {message: \"error.message\", extensions: \"code: $status\"}) "

static void
check_sweep(const char *what, const char *text, int expected)
{
    fault_sweep(what, &(struct fault_sweep){
                          .run = check, .context = (void *)(uintptr_t)text, .expected = expected});
}

static void
a_schema_is_checked_whole_or_not_at_all(void **state)
{
    (void)state;
    check_sweep("a schema",
                LINKS
                "type Query {\n"
                "crane(id: ID!): Crane @connect(source: \"yard\", id: \"one\", http: {GET: "
                "\"/c/{$args.id}?x={$config.x->jsonStringify}\"}, selection: \"\"\"\n id\n name: "
                "title parts { no }\"\"\", entity: true)\n"
                "cranes: [Crane] @connect(http: {POST: \"http://a.example/\", body: \"a: "
                "$config.b\", headers: {name: \"x\", value: \"y\"}}, selection: \"$.list { id "
                "}\", isSuccess: \"$status->eq(200)\") }\n"
                "type Crane { id: ID! name: String parts: [Part] } type Part { no: Int }\n",
                0);
}

static void
keys_of_a_schema_are_checked_or_memory_is_out(void **state)
{
    (void)state;
    check_sweep("keys",
                LINKS
                "type Query { a: Crane @connect(source: \"yard\", http: {GET: \"/a\"}, selection: "
                "\"id dock { id }\")\n"
                "crane(in: In!): Crane @connect(source: \"yard\", http: {GET: "
                "\"/c/{$args.in.id}\"}, selection: \"in { id }\", entity: true) }\n"
                "input In { id: ID! in: In }\ntype Inner { id: ID! in: Inner }\n"
                "type Crane @key(fields: \"in { id }\") @connect(source: \"yard\", http: {POST: "
                "\"/b\", body: \"$batch { id dock { gate } }\"}, selection: \"id dock { gate } "
                "in { id in { id } }\") { id: ID! dock: Dock in: Inner lift: Int @connect(source: "
                "\"yard\", http: {GET: \"/l/{$this.in.id}\"}, selection: \"$.lift\") }\n"
                "type Dock @connect(source: \"yard\", http: {GET: \"/d/{$this.id}\"}, selection: "
                "\"gate\") { id: ID! gate: ID }\n",
                GANTRY_E_INVALID);
}

static void
mappings_of_a_schema_are_checked_or_memory_is_out(void **state)
{
    (void)state;
    static const char text[] =
        "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.13\")"
        "@link(url: \"https://specs.apollo.dev/connect/v0.4\", import: [\"@source\", \"@connect\"])"
        "@source(name: \"s\", http: {baseURL: \"http://h/{$arg.x}\"}, isSuccess: \"$status\")\n"
        "type Query { a(id: ID, ids: [ID!], in: In): Vessel @connect(source: \"s\", http: {GET: "
        "\"/{$args.ids}/{$args.idd}/{x}/{$args.in.a->get('b').c}\", path: \"$args.ids->map(@)\", "
        "headers: {name: \"x\", value: \"{$request.headers.X->first()}\"}}, selection: \"\"\"\n"
        "no nop $args.in { c } ... k->match(['b', { __typename: 'Barge', drft: $args.in { d } }], "
        "[@, { __typename: 'Tug', no: 1 }]) s: $.x->frst->as($v, $this.b)->entries { key: $v }"
        "u: $(a ?? b->filter(@.c->eq(1))) \"\"\")\n"
        "b: [Tug] @connect(http: {GET: \"http://h/\"}, selection: \"no no: x->trim up { up { no } "
        "} "
        "log\") }\n"
        "union Vessel = Barge | Tug input In { a: String, c: Int, in: In }\n"
        "type Barge { no: Int draft: Int } type Tug { no: Int up: Tug me: Tug @connect(source: "
        "\"s\", http: {GET: \"/{$this.up.no}\"}, selection: \"no\") }";
    check_sweep("mappings", text, GANTRY_E_INVALID);
}

static void
mistakes_in_a_schema_are_told_or_memory_is_out(void **state)
{
    (void)state;
    check_sweep("mistakes",
                LINKS
                "@source(name: \"yard\", http: {baseURL: \"/v1\"}) type Query {\n"
                "crane(id: ID!): Crne @connect(source: \"yrd\", id: \"1\", http: {GTE: 5}, "
                "selection: \"a: b(\")\n"
                "b: Crane @connect(source: \"yard\", id: \"1\", http: {GET: \"http://x/{\", "
                "headers: [{name: \"te\"}, {name: \"te\", value: \"{}\"}]}, selection: "
                "\"\\u0041 b { c } \")\n"
                "c: Crane @connect(http: {GET: \"http://{$args.x}/{\\\"\\\"}\"}, selection: "
                "\"nope { x }\")\n"
                "d: Crane @connect(http: {GET: \"http://h/{$args.x}\"}, selection: \"nope { x }\")"
                "}\nextend type Crane @connect { x: Int }\ntype Crane { id: ID! }",
                GANTRY_E_INVALID);
    check_sweep("no schema", "type Query {", GANTRY_E_INVALID);
    check_sweep("a version", "extend schema @link(url: \"https://specs.apollo.dev/connect/v9.9\")",
                GANTRY_E_INVALID);
}

/* ---- requests ------------------------------------------------------------------------------------- */

struct request_work {
    struct gantry_connect_schema *schema;
    const char *which, *arguments, *url;
    uint32_t header_count;
};

static int
request(void *context, struct gantry_error **err)
{
    const struct request_work *w = context;
    const struct gantry_mapping_variable variable = {"$args", w->arguments, strlen(w->arguments)};
    const struct gantry_connect_header headers[] = {{"X-Id", "1"}, {"x-id", "2"}, {"Other", "3"}};
    const struct gantry_connect_input input = {.size = sizeof input,
                                               .variables = &variable,
                                               .variable_count = 1,
                                               .variable_stride = sizeof variable,
                                               .headers = headers,
                                               .header_count = 3,
                                               .header_stride = sizeof *headers};
    struct gantry_connect_request *made = NULL;
    int rc = gantry_connect_request_new(w->schema, w->which, &input, &made, err);
    fault_assert((rc == 0) == (made != NULL));
    fault_assert(!made || strcmp(made->url, w->url) == 0);
    fault_assert(!made || made->header_count == w->header_count);
    gantry_connect_request_free(made);
    return rc;
}

static const char yard[] = LINKS
    "type Query {\n"
    "json(id: ID!, q: [String]): String @connect(source: \"yard\", http: {POST: "
    "\"/c/{$args.id}?x={$config.x}\", body: \"id: $args.id q: $args.q\", queryParams: "
    "\"q: $args.q\", path: \"$([$args.id])\", headers: [{name: \"x-all\", value: "
    "\"{$request.headers.'x-id'->joinNotNull(',')}\"}, {name: \"x-from\", from: \"x-id\"}]}, "
    "selection: \"$\")\n"
    "form(id: ID!, q: [String]): String @connect(http: {PUT: \"http://h/{$args.id}\", body: "
    "\"a: $args.q b: $args.id\", headers: [{name: \"content-type\", value: "
    "\"application/x-www-form-urlencoded\"}, {name: \"x-1\", from: \"x-id\"}, {name: \"x-2\", "
    "from: \"other\"}, {name: \"x-3\", value: \"{$config.x}\"}]}, selection: \"$\") }\n";

static void
request_sweep(const char *what, struct request_work w, int expected)
{
    struct gantry_error *err = NULL;
    if (gantry_connect_schema_new(yard, sizeof yard - 1, NULL, &w.schema, &err) < 0)
        fail_msg("%s", err ? err->message : "no memory");
    fault_sweep(what, &(struct fault_sweep){.run = request, .context = &w, .expected = expected});
    gantry_connect_schema_free(w.schema);
}

struct call_work {
    struct gantry_connect_schema *schema;
    uint32_t status;
    int code;
    const char *body, *data, *error;
};

static int
call_send(void *context, const struct gantry_connect_request *sent,
          struct gantry_connect_sink *sink)
{
    const struct call_work *w = context;
    const struct gantry_connect_header headers[] = {
        {"content-type", "text/plain; charset=latin1"}, {"x-a", "1"}, {"x-a", "2"}};
    fault_assert(strcmp(sent->url, "http://h/?x=") == 0);
    if (w->code) {
        gantry_connect_sink_failed(sink, "nobody listens");
        return w->code;
    }
    int rc = gantry_connect_sink_head(sink, w->status, headers, 3, sizeof *headers);
    return rc < 0 ? rc : gantry_connect_sink_body(sink, w->body, strlen(w->body));
}

static int
call(void *context, struct gantry_error **err)
{
    const struct call_work *w = context;
    const struct gantry_connect_transport transport = {
        .size = sizeof transport, .context = context, .send = call_send};
    const struct gantry_connect_input input = {.size = sizeof input};
    struct gantry_connect_answer *answer = NULL;
    int rc = gantry_connect_call(w->schema, "f", "s", &input, &transport, &answer, err);
    fault_assert((rc == 0) == (answer != NULL));
    fault_assert(!answer || strcmp(answer->data, w->data) == 0);
    fault_assert(!answer || !answer->error == !w->error);
    fault_assert(!answer || !w->error || strstr(answer->error, w->error));
    gantry_connect_answer_free(answer);
    return rc;
}

static void
call_sweep(const char *what, struct call_work w)
{
    static const char text[] =
        "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.12\") "
        "@link(url: \"https://specs.apollo.dev/connect/v0.3\", import: [\"@connect\"]) "
        "type Query { f: String @connect(id: \"f\", http: { GET: \"http://h/?x={$config.x}\" }, "
        "selection: \"$->slice(0, 2)\", errors: { message: \"$response.headers.'x-a'->last\", "
        "extensions: \"a: $status b: $config.b\" }) }";
    if (gantry_connect_schema_new(text, sizeof text - 1, NULL, &w.schema, NULL) < 0)
        fail_msg("the schema is refused");
    fault_sweep(what, &(struct fault_sweep){.run = call, .context = &w});
    gantry_connect_schema_free(w.schema);
}

static void
a_call_is_answered_whole_or_not_at_all(void **state)
{
    (void)state;
    call_sweep("a success", (struct call_work){NULL, 200, 0, "abc", "\"ab\"", NULL});
    call_sweep("an error", (struct call_work){NULL, 500, 0, "abc", "null", "\"message\":\"2\""});
    call_sweep("no response",
               (struct call_work){NULL, 0, GANTRY_E_TIMEOUT, "", "null", "GATEWAY_TIMEOUT"});
}

static void
a_request_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    request_sweep("a request with JSON",
                  (struct request_work){NULL, "Query.json[0]",
                                        "{\"id\":\"a/b\",\"q\":[\"1\",null]}",
                                        "https://yard.example/v1/c/a%2Fb/a%2Fb?x=&q=1&q=", 6},
                  0);
    request_sweep("a request with a form",
                  (struct request_work){NULL, "Query.form[0]", "{\"id\":7,\"q\":[\"1\",null]}",
                                        "http://h/7", 6},
                  0);
    request_sweep("one that cannot be built",
                  (struct request_work){NULL, "Query.form[0]", "{\"id\":[]}", "", 0},
                  GANTRY_E_INVALID);
    request_sweep("one that is not there", (struct request_work){NULL, "Query.frm[0]", "{}", "", 0},
                  GANTRY_E_NOT_FOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_is_checked_whole_or_not_at_all),
        cmocka_unit_test(keys_of_a_schema_are_checked_or_memory_is_out),
        cmocka_unit_test(mappings_of_a_schema_are_checked_or_memory_is_out),
        cmocka_unit_test(mistakes_in_a_schema_are_told_or_memory_is_out),
        cmocka_unit_test(a_call_is_answered_whole_or_not_at_all),
        cmocka_unit_test(a_request_is_made_whole_or_not_at_all),
        cmocka_unit_test(a_mapping_is_evaluated_whole_or_not_at_all),
        cmocka_unit_test(a_refused_mapping_is_told_or_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
