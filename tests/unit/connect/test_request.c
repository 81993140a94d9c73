/* Requests are made as the vectors say, through gantry/connect.h alone.  A case is one of request_case.h, and
 *
 *   --- request       METHOD URL, a line a header, then behind an empty line the body, if there is one
 *   --- notes         a line each: place path message; not looked at without it
 *   --- error         instead of these two: the message, without what stands before "at line" */
#include "request_case.h"

static void
add_request(struct buf *out, const struct gantry_connect_request *r)
{
    buf_add_fmt(out, "%s %s", r->method, r->url);
    for (uint32_t i = 0; i < r->header_count; i++)
        buf_add_fmt(out, "\n%s: %s", r->headers[i].name, r->headers[i].value);
    if (r->body)
        buf_add_fmt(out, "\n\n%s", r->body);
    if (r->body && strlen(r->body) != r->body_size)
        buf_add_text(out, "(its size is another)");
}

static void
add_notes(struct buf *out, const struct gantry_connect_request *r)
{
    for (uint32_t i = 0; i < r->note_count; i++)
        buf_add_fmt(out, "%s%s %s %s", i ? "\n" : "", r->notes[i].place,
                    r->notes[i].path ? r->notes[i].path : "-", r->notes[i].message);
}

/* What stands behind "CONNECTOR_REQUEST_INVALID: ", without line and column, which a unit test looks at. */
static void
add_error(struct buf *out, const char *message)
{
    struct str text = str_of(message), head = STR("CONNECTOR_REQUEST_INVALID: ");
    const char *line = strstr(message, " at line ");
    const char *colon = line ? strchr(line, ':') : NULL;
    if (str_starts_with(text, head) && colon) {
        const char *start = message + head.len;
        buf_add(out, (struct str){start, (size_t)(line - start)});
        text = str_of(colon);
    }
    buf_add(out, text);
}

static size_t
check_request(struct request_case *c, const struct gantry_connect_schema *schema)
{
    AUTO_BUF struct buf found = BUF_INIT(CASE_TEXT_MAX);
    AUTO_BUF struct buf notes = BUF_INIT(CASE_TEXT_MAX);
    AUTO_ERR struct gantry_error *err = NULL;
    struct gantry_connect_request *request = NULL;
    struct str expected = vector_section(c->vector, "error");
    struct str expected_notes = vector_section(c->vector, "notes");
    const char *which = section_text(c, "which");
    int rc =
        gantry_connect_request_new(schema, which ? which : "Query.f[0]", &c->input, &request, &err);
    if (rc < 0 || expected.ptr) {
        if (err)
            add_error(&found, err_text(err));
        gantry_connect_request_free(request);
        return vector_differs(c->vector, "error", expected,
                              err ? buf_view(&found) : STR("(no error)"));
    }
    add_request(&found, request);
    add_notes(&notes, request);
    gantry_connect_request_free(request);
    size_t failures = vector_differs(c->vector, "request", vector_section(c->vector, "request"),
                                     buf_view(&found));
    if (expected_notes.ptr)
        failures += vector_differs(c->vector, "notes", expected_notes, buf_view(&notes));
    return failures;
}

static size_t
run_case(const struct vector *v)
{
    return case_run(v, check_request);
}

static void
every_file_of_vectors_holds(void **state)
{
    (void)state;
    assert_int_equal(vectors_run_folder(GANTRY_SOURCE_DIR "/tests/vectors/request", run_case), 0);
}

/* ---- what vectors cannot show ------------------------------------------------------------------------ */

static const char port[] =
    "extend schema\n"
    "  @link(url: \"https://specs.apollo.dev/federation/v2.12\")\n"
    "  @link(url: \"https://specs.apollo.dev/connect/v0.3\", import: [\"@source\", \"@connect\"])\n"
    "  @source(name: \"s\" http: { baseURL: \"http://h\" headers: { name: \"x\" value: "
    "\"{$config.h}\" } })\n"
    "scalar JSON\n"
    "type Query {\n"
    "  f(" ARGUMENTS "): JSON @connect(source: \"s\" selection: \"$\" http: {\n"
    "    POST: \"\"\"\n"
    "      /\xc3\xa9/{ $args.v }\n"
    "      ?x={$config.y}\n"
    "    \"\"\"\n"
    "    headers: { name: \"content-type\" value: \"application/x-www-form-urlencoded\" }\n"
    "    body: \"a: $args.a\\nb: $args.b\" })\n"
    "}\n";

static struct gantry_connect_schema *
port_schema(void)
{
    struct gantry_connect_schema *schema = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    if (gantry_connect_schema_new(port, sizeof port - 1, NULL, &schema, &err) < 0)
        fail_msg("%s", err_text(err));
    return schema;
}

static int
make(const char *arguments, const char *config, struct gantry_connect_request **out,
     struct gantry_error **err)
{
    struct gantry_connect_schema *schema = port_schema();
    const struct gantry_mapping_variable variables[] = {{"$args", arguments, strlen(arguments)},
                                                        {"$config", config, strlen(config)}};
    const struct gantry_connect_input input = {.size = sizeof input,
                                               .variables = variables,
                                               .variable_count = 2,
                                               .variable_stride = sizeof *variables};
    int rc = gantry_connect_request_new(schema, "Query.f[0]", &input, out, err);
    gantry_connect_schema_free(schema);
    return rc;
}

static void
expect_unbuilt(const char *arguments, const char *config, const char *message)
{
    struct gantry_connect_request *request = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(make(arguments, config, &request, &err), GANTRY_E_INVALID);
    assert_null(request);
    assert_string_equal(err_text(err), message);
}

static void
a_fault_is_told_with_its_place(void **state)
{
    (void)state;
    expect_unbuilt(
        "{\"v\": []}", "{}",
        "CONNECTOR_REQUEST_INVALID: Query.f[0], connect.url at line 9, column 11: a hole of "
        "the URL gives an array; text, a number or a boolean can stand there");
    expect_unbuilt(
        "{\"v\": 1}", "{\"y\": {}}",
        "CONNECTOR_REQUEST_INVALID: Query.f[0], connect.url at line 10, column 11: a hole "
        "of the URL gives an object; text, a number or a boolean can stand there");
}

static void
a_note_is_told_with_its_place_and_outlives_the_schema(void **state)
{
    (void)state;
    struct gantry_connect_request *request = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(make("{\"v\": \"/\"}", "{}", &request, &err), 0);
    assert_string_equal(request->url, "http://h/%C3%A9/%2F?x=");
    assert_string_equal(request->method, "POST");
    assert_int_equal(request->note_count, 4);
    assert_string_equal(request->notes[0].place, "connect.url");
    assert_string_equal(request->notes[0].path, "[\"$config\",\"y\"]");
    assert_int_equal(request->notes[0].line, 10);
    assert_int_equal(request->notes[0].column, 18);
    assert_string_equal(request->notes[1].place, "source.headers.x");
    assert_int_equal(request->notes[1].line, 4);
    assert_string_equal(request->notes[3].place, "connect.body");
    assert_int_equal(request->notes[3].line, 13);
    assert_int_equal(request->notes[3].column, 32);
    gantry_connect_request_free(request);
    gantry_connect_request_free(NULL);
}

static char *
long_arguments(const char *before, size_t size, const char *behind)
{
    AUTO_BUF struct buf text = BUF_INIT((size_t)1 << 24);
    buf_add_text(&text, before);
    for (size_t i = 0; i < size; i++)
        buf_add_char(&text, 'a');
    buf_add_text(&text, behind);
    char *taken = buf_take(&text);
    assert_non_null(taken);
    return taken;
}

static void
what_is_too_long_is_refused(void **state)
{
    (void)state;
    AUTO_FREE char *segment = long_arguments("{\"v\": \"", 65536, "\"}");
    AUTO_FREE char *exact = long_arguments("{\"v\": \"", 65536 - 19, "\"}");
    AUTO_FREE char *name = long_arguments("{\"v\": 1, \"a\": {\"", 70000, "\": 1}}");
    struct gantry_connect_request *request = NULL;
    expect_unbuilt(segment, "{}",
                   "CONNECTOR_REQUEST_INVALID: Query.f[0], connect.url at line 9, column 11: "
                   "the URL is longer than 65536 bytes");
    assert_int_equal(make(exact, "{}", &request, NULL), 0);
    assert_int_equal(strlen(request->url), 65536 - 19 + strlen("http://h/%C3%A9/?x="));
    gantry_connect_request_free(request);
    expect_unbuilt(
        name, "{}",
        "CONNECTOR_REQUEST_INVALID: Query.f[0], connect.body at line 13, column 12: "
        "the body is longer than 67108864 bytes, nested too deep, or of too many values");
}

/* Values share their parts, so that a short mapping makes very many. */
static void
a_form_of_very_many_empty_values_ends(void **state)
{
    (void)state;
    AUTO_BUF struct buf text = BUF_INIT(100000);
    struct gantry_connect_schema *schema = NULL;
    struct gantry_connect_request *request = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    const struct gantry_connect_input input = {.size = sizeof input};
    buf_add_text(
        &text,
        "extend schema\n"
        "  @link(url: \"https://specs.apollo.dev/federation/v2.12\")\n"
        "  @link(url: \"https://specs.apollo.dev/connect/v0.3\", import: [\"@connect\"])\n"
        "type Query { f: String @connect(selection: \"$\" http: { POST: \"http://h/\"\n"
        "  headers: { name: \"content-type\" value: \"application/x-www-form-urlencoded\" }\n"
        "  body: \"a: $([])");
    for (int i = 0; i < 60; i++)
        buf_add_text(&text, "->echo([@, @])");
    buf_add_text(&text, "\" }) }\n");
    assert_int_equal(gantry_connect_schema_new(buf_text(&text), text.len, NULL, &schema, &err), 0);
    assert_int_equal(gantry_connect_request_new(schema, "Query.f[0]", &input, &request, &err),
                     GANTRY_E_INVALID);
    assert_string_equal(
        err_text(err),
        "CONNECTOR_REQUEST_INVALID: Query.f[0], connect.body at line 6, column 10: the "
        "body is longer than 67108864 bytes, nested too deep, or of too many values");
    gantry_connect_schema_free(schema);
}

static void
expect_wrong(struct gantry_connect_input input, const char *message)
{
    struct gantry_connect_schema *schema = port_schema();
    struct gantry_connect_request *request = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(gantry_connect_request_new(schema, "Query.f[0]", &input, &request, &err),
                     GANTRY_E_INVALID);
    assert_string_equal(err_text(err), message);
    gantry_connect_schema_free(schema);
}

static void
wrong_input_is_told(void **state)
{
    (void)state;
    const struct gantry_mapping_variable no_sign = {"args", "{}", 2}, no_json = {"$args", "{", 1};
    struct gantry_connect_input input = {.size = sizeof input, .variable_count = 1};
    input.variables = &no_sign;
    expect_wrong(input, "struct gantry_connect_input: variable_stride or header_stride is not set");
    input.variable_stride = sizeof no_sign;
    expect_wrong(input, "variable 'args': a name begins with '$'");
    input.variables = &no_json;
    expect_wrong(input, "$args: JSON, line 1, column 2: the text ends too early");
}

/* A caller that was built before a member was there gives a smaller structure. */
static void
an_older_caller_is_understood(void **state)
{
    (void)state;
    struct gantry_connect_schema *schema = port_schema();
    struct gantry_connect_request *request = NULL;
    struct gantry_connect_input input = {.size = offsetof(struct gantry_connect_input, base_url),
                                         .base_url = "not looked at"};
    assert_int_equal(gantry_connect_request_new(schema, "Query.f[0]", &input, &request, NULL), 0);
    assert_string_equal(request->url, "http://h/%C3%A9/?x=");
    gantry_connect_request_free(request);
    gantry_connect_schema_free(schema);
}

static void
an_incoming_header_that_is_no_utf_8_is_left_out(void **state)
{
    (void)state;
    struct gantry_connect_schema *schema = port_schema();
    struct gantry_connect_request *request = NULL;
    const struct gantry_connect_header header = {"x-a", "\xff"};
    const struct gantry_connect_input input = {.size = sizeof input,
                                               .headers = &header,
                                               .header_count = 1,
                                               .header_stride = sizeof header};
    assert_int_equal(gantry_connect_request_new(schema, "Query.f[0]", &input, &request, NULL), 0);
    gantry_connect_request_free(request);
    gantry_connect_schema_free(schema);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_of_vectors_holds),
        cmocka_unit_test(a_fault_is_told_with_its_place),
        cmocka_unit_test(a_note_is_told_with_its_place_and_outlives_the_schema),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(a_form_of_very_many_empty_values_ends),
        cmocka_unit_test(wrong_input_is_told),
        cmocka_unit_test(an_older_caller_is_understood),
        cmocka_unit_test(an_incoming_header_that_is_no_utf_8_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
