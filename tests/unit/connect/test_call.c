/* Calls: what responses become.  A case is one of request_case.h, and
 *
 *   --- response      STATUS, a line a header, then behind an empty line the body; or the name of a code of
 *                     gantry/types.h, which the transport returns
 *   --- data          JSON, compared parsed
 *   --- error         JSON: what is the GraphQL error, compared parsed; without it there is none */
#include "request_case.h"

#include "value.h"

struct fake {
    struct str response;
    size_t sent;
};

static int
code_of_name(struct str name)
{
    for (int code = -1; code > -12; code--)
        if (str_eq(name, str_of(gantry_code_name(code))))
            return code;
    return 0;
}

/* Gives what the case says; the body in two pieces. */
static int
fake_send(void *context, const struct gantry_connect_request *request,
          struct gantry_connect_sink *sink)
{
    struct fake *fake = context;
    AUTO_ARENA struct arena arena;
    struct gantry_connect_header headers[CASE_ITEMS];
    struct str value, rest, line = str_cut(fake->response, '\n', &rest);
    uint64_t status = 0;
    uint32_t count = 0;
    arena_init(&arena, 0);
    fake->sent++;
    assert_true(request->size == sizeof *request && request->url);
    if (!str_to_uint64(line, &status)) {
        gantry_connect_sink_failed(sink, "an older reason");
        gantry_connect_sink_failed(sink, "nobody listens there");
        return code_of_name(line);
    }
    while (rest.ptr && (line = str_cut(rest, '\n', &rest)).len) {
        struct str name = str_cut(line, ':', &value);
        headers[count].name = arena_dup(&arena, name);
        headers[count++].value = arena_dup(&arena, str_trim(value));
    }
    int rc = gantry_connect_sink_head(sink, (uint32_t)status, headers, count, sizeof *headers);
    size_t half = rest.len / 2;
    if (rc == 0 && rest.len)
        rc = gantry_connect_sink_body(sink, rest.ptr, half);
    if (rc == 0 && rest.len)
        rc = gantry_connect_sink_body(sink, rest.ptr + half, rest.len - half);
    return rc;
}

static size_t
check_json(const struct vector *v, struct arena *a, const char *what, struct str expected,
           const char *found)
{
    struct value *one = NULL, *two = NULL;
    uint64_t steps = 1000000;
    if (found && expected.ptr && value_parse(a, expected, NULL, &one, NULL) == 0 &&
        value_parse(a, str_of(found), NULL, &two, NULL) == 0 && value_same(one, two, &steps))
        return 0;
    return vector_differs(v, what, expected, found ? str_of(found) : STR_NONE);
}

static size_t
check_call(struct request_case *c, const struct gantry_connect_schema *schema)
{
    struct fake fake = {vector_section(c->vector, "response"), 0};
    const struct gantry_connect_transport transport = {
        .size = sizeof transport, .context = &fake, .send = fake_send};
    AUTO_ERR struct gantry_error *err = NULL;
    struct gantry_connect_answer *answer = NULL;
    const char *which = section_text(c, "which");
    size_t failures = 0;
    if (gantry_connect_call(schema, which ? which : "Query.f[0]", "cargo", &c->input, &transport,
                            &answer, &err) < 0)
        return vector_differs(c->vector, "call", STR("an answer"), str_of(err_text(err)));
    failures +=
        check_json(c->vector, &c->arena, "data", vector_section(c->vector, "data"), answer->data);
    failures += check_json(c->vector, &c->arena, "error", vector_section(c->vector, "error"),
                           answer->error);
    if (fake.sent != (fake.response.ptr ? 1 : 0))
        failures += vector_differs(c->vector, "sent", STR("once, or not at all"), STR("otherwise"));
    gantry_connect_answer_free(answer);
    return failures;
}

static size_t
run_case(const struct vector *v)
{
    return case_run(v, check_call);
}

static void
every_file_of_vectors_holds(void **state)
{
    (void)state;
    assert_int_equal(vectors_run_folder(GANTRY_SOURCE_DIR "/tests/vectors/call", run_case), 0);
}

/* ---- what vectors cannot show ------------------------------------------------------------------------ */

static const char port[] =
    "extend schema\n"
    "  @link(url: \"https://specs.apollo.dev/federation/v2.12\")\n"
    "  @link(url: \"https://specs.apollo.dev/connect/v0.3\", import: [\"@connect\"])\n"
    "type Query { f: String @connect(selection: \"$\" http: { GET: \"http://h/\" }) }\n";

struct flood {
    size_t pieces;
    int code;
};

/* More than may come, and what was told is given on. */
static int
flood_send(void *context, const struct gantry_connect_request *request,
           struct gantry_connect_sink *sink)
{
    static const char piece[1 << 20];
    const struct gantry_connect_header header = {"content-type", "text/plain"};
    struct flood *flood = context;
    (void)request;
    int rc = gantry_connect_sink_head(sink, 200, &header, 1, sizeof header);
    for (size_t i = 0; i < flood->pieces && rc == 0; i++)
        rc = gantry_connect_sink_body(sink, piece, sizeof piece);
    return flood->code ? flood->code : rc;
}

static int
call_flood(struct flood flood, struct gantry_connect_answer **out, struct gantry_error **err)
{
    const struct gantry_connect_transport transport = {
        .size = sizeof transport, .context = &flood, .send = flood_send};
    const struct gantry_connect_input input = {.size = sizeof input};
    struct gantry_connect_schema *schema = NULL;
    assert_int_equal(gantry_connect_schema_new(port, sizeof port - 1, NULL, &schema, NULL), 0);
    int rc = gantry_connect_call(schema, "Query.f[0]", "cargo", &input, &transport, out, err);
    gantry_connect_schema_free(schema);
    return rc;
}

static void
a_response_that_is_too_long_is_an_error(void **state)
{
    (void)state;
    struct gantry_connect_answer *answer = NULL;
    assert_int_equal(call_flood((struct flood){33, 0}, &answer, NULL), 0);
    assert_string_equal(answer->data, "null");
    assert_string_equal(
        answer->error,
        "{\"message\":\"the response is longer than 32 MiB\",\"extensions\":{\"code\":"
        "\"CONNECTOR_RESPONSE_INVALID\",\"service\":\"cargo\",\"connector\":{\"coordinate\":"
        "\"cargo:Query.f[0]\"},\"http\":{\"status\":200}}}");
    gantry_connect_answer_free(answer);
}

static void
a_call_that_was_cancelled_has_no_answer(void **state)
{
    (void)state;
    struct gantry_connect_answer *answer = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(call_flood((struct flood){1, GANTRY_E_CANCELLED}, &answer, &err),
                     GANTRY_E_CANCELLED);
    assert_null(answer);
    assert_string_equal(err_text(err), "Query.f[0]: the call was cancelled");
}

static void
notes_of_request_and_response_are_told(void **state)
{
    (void)state;
    static const char text[] =
        "extend schema\n"
        "  @link(url: \"https://specs.apollo.dev/federation/v2.12\")\n"
        "  @link(url: \"https://specs.apollo.dev/connect/v0.3\", import: [\"@connect\"])\n"
        "type Query { f: F @connect(selection: \"a: b.c\" http: { GET: \"http://h/{$config.x}\" }) "
        "}\n"
        "type F { a: Int }\n";
    struct fake fake = {STR("200\n\n{\"b\":{}}"), 0};
    const struct gantry_connect_transport transport = {
        .size = sizeof transport, .context = &fake, .send = fake_send};
    const struct gantry_connect_input input = {.size = sizeof input};
    struct gantry_connect_schema *schema = NULL;
    struct gantry_connect_answer *answer = NULL;
    assert_int_equal(gantry_connect_schema_new(text, sizeof text - 1, NULL, &schema, NULL), 0);
    assert_int_equal(
        gantry_connect_call(schema, "Query.f[0]", "s", &input, &transport, &answer, NULL), 0);
    gantry_connect_schema_free(schema);
    assert_int_equal(answer->status, 200);
    assert_string_equal(answer->data, "{}");
    assert_int_equal(answer->note_count, 2);
    assert_string_equal(answer->notes[0].place, "connect.url");
    assert_string_equal(answer->notes[1].place, "connect.selection");
    assert_string_equal(answer->notes[1].path, "[\"b\",\"c\"]");
    assert_int_equal(answer->notes[1].line, 4);
    gantry_connect_answer_free(answer);
    gantry_connect_answer_free(NULL);
}

static void
expect_text(struct str response, const char *data, const char *code)
{
    struct fake fake = {response, 0};
    const struct gantry_connect_transport transport = {
        .size = sizeof transport, .context = &fake, .send = fake_send};
    const struct gantry_connect_input input = {.size = sizeof input};
    struct gantry_connect_schema *schema = NULL;
    struct gantry_connect_answer *answer = NULL;
    assert_int_equal(gantry_connect_schema_new(port, sizeof port - 1, NULL, &schema, NULL), 0);
    assert_int_equal(
        gantry_connect_call(schema, "Query.f[0]", "s", &input, &transport, &answer, NULL), 0);
    assert_string_equal(answer->data, data);
    assert_true(code ? answer->error && strstr(answer->error, code) : !answer->error);
    gantry_connect_answer_free(answer);
    gantry_connect_schema_free(schema);
}

static void
a_text_is_read_in_its_charset(void **state)
{
    (void)state;
#define TEXT "200\ncontent-type: text/plain"
    expect_text(STR(TEXT "; charset=latin1\n\ncaf\xe9 \x80"), "\"caf\xc3\xa9 \xe2\x82\xac\"", NULL);
    expect_text(STR(TEXT "; charset=utf-16le\n\na\0b\0"), "\"ab\"", NULL);
    expect_text(STR(TEXT "; charset=nope\n\ncaf\xc3\xa9"), "\"caf\xc3\xa9\"", NULL);
    expect_text(STR(TEXT "\n\n\xef\xbb\xbfx"), "\"x\"", NULL);
    expect_text(STR(TEXT "\n\ncaf\xe9"), "null", "CONNECTOR_RESPONSE_INVALID");
    expect_text(STR(TEXT "; charset=utf-16le\n\nabc"), "null", "CONNECTOR_RESPONSE_INVALID");
    expect_text(STR("200\n\n\"caf\xe9\""), "null", "CONNECTOR_RESPONSE_INVALID");
    expect_text(STR("200\n\n\"\\ud800\""), "null", "CONNECTOR_RESPONSE_INVALID");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_of_vectors_holds),
        cmocka_unit_test(a_response_that_is_too_long_is_an_error),
        cmocka_unit_test(a_call_that_was_cancelled_has_no_answer),
        cmocka_unit_test(a_text_is_read_in_its_charset),
        cmocka_unit_test(notes_of_request_and_response_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
