/* What vectors cannot show: limits, the public functions, versions, explaining, formatting. */
#include "mapping_case.h"

#include <stdlib.h>

static int
apply(const char *mapping, const char *json, struct gantry_mapping_input in,
      struct gantry_mapping_output **out, struct gantry_error **err)
{
    const struct gantry_mapping_options options = {sizeof options, 4};
    struct gantry_mapping *m = NULL;
    int rc = gantry_mapping_parse(mapping, strlen(mapping), &options, &m, NULL, err);
    if (rc < 0)
        return rc;
    in.size = sizeof in;
    in.json = json;
    in.json_size = strlen(json);
    rc = gantry_mapping_apply(m, &in, out, err);
    gantry_mapping_free(m);
    return rc;
}

static void
expect_refused(const char *mapping, const char *json, struct gantry_mapping_input in,
               const char *message)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct gantry_mapping_output *out = NULL;
    assert_int_equal(apply(mapping, json, in, &out, &err), GANTRY_E_INVALID);
    assert_null(out);
    assert_string_equal(err_text(err), message);
}

static void
work_is_limited(void **state)
{
    (void)state;
    const char *cube = "$->map($->map($->map($->map($->map($->map($->map(1)))))))";
    expect_refused(cube, "[1,2,3,4,5,6,7,8,9,10,11,12]",
                   (struct gantry_mapping_input){.max_steps = 100000},
                   "mapping: more steps than an evaluation may take; nest fewer methods over the "
                   "same array, or raise the limit");
}

static void
memory_is_limited(void **state)
{
    (void)state;
    expect_refused("$->map($->map($->map([1, 2, 3])))", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]",
                   (struct gantry_mapping_input){.max_memory_bytes = 100000},
                   "mapping: it needs more memory than an evaluation may have; make less of the "
                   "input, or raise the limit");
}

static void
an_arena_of_its_own_limit_keeps_it(void **state)
{
    (void)state;
    AUTO_ARENA struct arena a;
    AUTO_ERR struct gantry_error *err = NULL;
    struct mapping *m = NULL;
    struct mapping_result result;
    arena_init(&a, 1000);
    struct mapping_input input = {.data = value_new_null(&a)};
    assert_int_equal(mapping_parse(STR("$->echo([@, @])->map([@, @])->map([@, @])->map([@, @, @])"
                                       "->map([@, @, @])->map([@, @, @])->map([@, @, @, 1, 2, 3])"),
                                   MAPPING_V2, &m, NULL, NULL),
                     0);
    assert_int_equal(mapping_apply(m, &input, &a, &result, &err), GANTRY_E_INVALID);
    assert_int_equal(a.max_bytes, 1000);
    mapping_free(m);
}

/* A small mapping makes values that are large when they are printed. */
static void
what_is_printed_is_limited(void **state)
{
    (void)state;
    AUTO_BUF struct buf mapping = BUF_INIT(100000);
    buf_add_text(&mapping, "$");
    for (int i = 0; i < 60; i++)
        buf_add_text(&mapping, "->echo([@, @])");
    expect_refused(buf_text(&mapping), "1", (struct gantry_mapping_input){.max_json_bytes = 1000},
                   "mapping: its result is longer, or nested deeper, than the limit");
    expect_refused("$->map(@.text)->joinNotNull(\"\")->echo([@, @, @, @])",
                   "[{\"text\":\"0123456789\"},{\"text\":\"0123456789\"},{\"text\":\"01234567\"}]",
                   (struct gantry_mapping_input){.max_json_bytes = 100},
                   "mapping: its result is longer, or nested deeper, than the limit");
}

static void
comparing_counts_steps(void **state)
{
    (void)state;
    AUTO_BUF struct buf mapping = BUF_INIT(100000);
    buf_add_text(&mapping, "$");
    for (int i = 0; i < 60; i++)
        buf_add_text(&mapping, "->echo([@, @])");
    buf_add_text(&mapping, "->as($a)->echo($");
    for (int i = 0; i < 60; i++)
        buf_add_text(&mapping, "->echo([@, @])");
    buf_add_text(&mapping, ")->eq($a)");
    expect_refused(buf_text(&mapping), "1", (struct gantry_mapping_input){.max_steps = 100000},
                   "mapping: more steps than an evaluation may take; nest fewer methods over the "
                   "same array, or raise the limit");
}

static void
depth_is_limited(void **state)
{
    (void)state;
    AUTO_BUF struct buf mapping = BUF_INIT(100000);
    AUTO_ERR struct gantry_error *err = NULL;
    struct gantry_mapping *m = NULL;
    for (int i = 0; i < 1000; i++)
        buf_add_text(&mapping, "a {");
    assert_int_equal(gantry_mapping_parse(buf_text(&mapping), mapping.len, NULL, &m, NULL, &err),
                     GANTRY_E_INVALID);
    assert_string_equal(
        err_text(err),
        "mapping, line 1, column 603: nested deeper than the limit, at \"{a {a {a {a {a {a {a {a "
        "...\"");
    buf_reset(&mapping);
    buf_add_text(&mapping, "$");
    for (int i = 0; i < 2000; i++)
        buf_add_text(&mapping, "->echo([@])");
    buf_add_text(&mapping, ".x");
    expect_refused(buf_text(&mapping), "1", (struct gantry_mapping_input){.size = 0},
                   "mapping: values nested deeper than the limit");
}

static void
problems_are_limited_and_the_rest_is_counted(void **state)
{
    (void)state;
    struct gantry_mapping_output *out = NULL;
    struct gantry_mapping_input in = {.max_problems = 3};
    assert_int_equal(apply("$.x", "[{},{},{},{},{},{\"x\":1}]", in, &out, NULL), 0);
    assert_int_equal(out->problem_count, 3);
    assert_int_equal(out->problems_dropped, 2);
    assert_string_equal(out->problems[2].path, "[2,\"x\"]");
    assert_string_equal(out->data, "[null,null,null,null,null,1]");
    gantry_mapping_output_free(out);
    in.flags = GANTRY_MAPPING_NO_PROBLEMS;
    assert_int_equal(apply("$.x", "{}", in, &out, NULL), 0);
    assert_int_equal(out->problem_count, 0);
    assert_null(out->data);
    gantry_mapping_output_free(out);
}

static int32_t
write_some(void *context, const char *bytes, uint64_t size)
{
    struct buf *got = context;
    buf_add_bytes(got, bytes, (size_t)size);
    return buf_failed(got) ? GANTRY_E_CANCELLED : 0;
}

static void
data_can_be_written_piece_by_piece(void **state)
{
    (void)state;
    AUTO_BUF struct buf got = BUF_INIT(14);
    AUTO_ERR struct gantry_error *err = NULL;
    struct gantry_mapping_output *out = NULL;
    struct gantry_mapping_input in = {.write = write_some, .write_context = &got};
    assert_int_equal(apply("$.x", "{\"x\":[1,2,3,4,5]}", in, &out, NULL), 0);
    assert_string_equal(buf_text(&got), "[1,2,3,4,5]");
    assert_null(out->data);
    assert_int_equal(out->data_size, 11);
    gantry_mapping_output_free(out);
    buf_reset(&got);
    assert_int_equal(apply("$.y", "{\"x\":1}", in, &out, NULL), 0); /* nothing is not null */
    assert_int_equal(got.len, 0);
    assert_int_equal(out->data_size, 0);
    gantry_mapping_output_free(out);
    assert_int_equal(apply("$.x", "{\"x\":[1,2,3,4,5,6,7]}", in, &out, &err), GANTRY_E_CANCELLED);
    assert_string_equal(err->message, "mapping: its result was not taken by the caller's function");
    in.max_json_bytes = 9;
    expect_refused("[1, 2, 3, 4, 5]", "1", in,
                   "mapping: its result is longer, or nested deeper, than the limit");
}

static void
many_problems_are_each_told_once(void **state)
{
    (void)state;
    AUTO_BUF struct buf json = BUF_INIT(1000000);
    struct gantry_mapping_output *out = NULL;
    buf_add_char(&json, '[');
    for (int i = 0; i < 500; i++)
        buf_add_text(&json, i ? ",{}" : "{}");
    buf_add_char(&json, ']');
    const char *mapping = "{ a: $.x, b: $.x, c: $.y ?? 1, d: $.y ?? 1, e: $.y }";
    assert_int_equal(
        apply(mapping, buf_text(&json), (struct gantry_mapping_input){.size = 0}, &out, NULL), 0);
    assert_int_equal(out->problem_count, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        char path[32];
        snprintf(path, sizeof path, "[%u,\"%c\"]", i % 500, i < 500 ? 'x' : 'y');
        assert_string_equal(out->problems[i].path, path);
    }
    gantry_mapping_output_free(out);
}

static void
wrong_input_is_told(void **state)
{
    (void)state;
    const struct gantry_mapping_variable nameless = {"args", "1", 1}, broken = {"$args", "{", 1};
    struct gantry_mapping_input in = {.variable_count = 1, .variable_stride = sizeof nameless};
    expect_refused("a", "{\"a\":", (struct gantry_mapping_input){.size = 0},
                   "the input: JSON, line 1, column 6: the text ends too early");
    in.variables = &nameless;
    expect_refused("a", "{}", in, "variable 'args': a name begins with '$'");
    in.variables = &broken;
    expect_refused("a", "{}", in, "$args: JSON, line 1, column 2: the text ends too early");
    AUTO_ERR struct gantry_error *err = NULL;
    const struct gantry_mapping_options later = {sizeof later, 5};
    struct gantry_mapping *m = NULL;
    assert_int_equal(gantry_mapping_parse("a", 1, &later, &m, NULL, &err), GANTRY_E_INVALID);
    assert_string_equal(err_text(err), "connect v0.5 is not known here; use v0.2, v0.3 or v0.4");
    assert_null(m);
}

static void
a_refusal_tells_the_place(void **state)
{
    (void)state;
    struct gantry_mapping_place place = {.size = sizeof place};
    struct gantry_mapping *m = NULL;
    const char *text = "a {\n  'é': $.b.5\n}";
    assert_int_equal(gantry_mapping_parse(text, strlen(text), NULL, &m, &place, NULL),
                     GANTRY_E_INVALID);
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 11);
    assert_int_equal(place.start, 15);
    assert_int_equal(text[place.start], '.');
    assert_int_equal(place.end, 17);
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(gantry_mapping_parse("a\n \xff", 4, NULL, &m, &place, &err), GANTRY_E_INVALID);
    assert_int_equal(place.start, 3);
    assert_string_equal(err_text(err), "mapping, line 2, column 2: this byte is not UTF-8");
}

static void
indented_data_has_lines(void **state)
{
    (void)state;
    struct gantry_mapping_output *out = NULL;
    struct gantry_mapping_input in = {.flags = GANTRY_MAPPING_INDENTED};
    assert_int_equal(apply("a", "{\"a\":[1]}", in, &out, NULL), 0);
    assert_string_equal(out->data, "{\n  \"a\": [\n    1\n  ]\n}");
    gantry_mapping_output_free(out);
    gantry_mapping_output_free(NULL);
    gantry_mapping_free(NULL);
}

static void
numbers_that_are_not_touched_keep_their_spelling(void **state)
{
    (void)state;
    struct gantry_mapping_output *out = NULL;
    const char *json = "{\"a\":[1.50,1e3,-0,123456789012345678901234567890]}";
    assert_int_equal(apply("a", json, (struct gantry_mapping_input){.size = 0}, &out, NULL), 0);
    assert_string_equal(out->data, json);
    gantry_mapping_output_free(out);
}

static void
check_steps(const char *text, const char *json, const char *steps)
{
    struct gantry_mapping_input in = {.size = sizeof in, .json = json, .json_size = strlen(json)};
    struct gantry_mapping_output *out = NULL;
    struct gantry_mapping *m = NULL;
    assert_int_equal(gantry_mapping_parse(text, strlen(text), NULL, &m, NULL, NULL), 0);
    assert_int_equal(gantry_mapping_explain(m, &in, &out, NULL), 0);
    assert_string_equal(out->steps, steps);
    gantry_mapping_output_free(out);
    gantry_mapping_free(m);
}

static void
each_step_is_explained(void **state)
{
    (void)state;
    check_steps("a { b: $.c->first }", "{\"a\":{\"c\":[5]}}",
                "  a: {\"c\":[5]}\n"
                "      $: {\"c\":[5]}\n"
                "      .c: {\"c\":[5]} -> [5]\n"
                "      ->first: [5] -> 5\n"
                "  { b: $.c->first }: {\"c\":[5]} -> {\"b\":5}\n");
    /* A step is a line, and ends between two characters. */
#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    check_steps("a {\r\n\t'" LONG "\xc3\xa9' }", "{\"a\":{}}",
                "  a: {}\n"
                "      '" LONG "\xc3\xa9': nothing\n"
                "  {   '" LONG "...: {} -> {}\n");
#undef LONG
}

static void
every_problem_has_a_word(void **state)
{
    (void)state;
    assert_string_equal(gantry_mapping_problem_word(GANTRY_MAPPING_NO_METHOD), "no-method");
    for (uint32_t i = 0; i < GANTRY_MAPPING_PROBLEM_COUNT; i++)
        assert_string_not_equal(gantry_mapping_problem_word(i), "unknown");
    assert_string_equal(gantry_mapping_problem_word(99), "unknown");
}

static size_t
format_case(const struct vector *v)
{
    struct str version = vector_section(v, "version"), expected = vector_section(v, "normal");
    const struct gantry_mapping_options options = {
        sizeof options, version.ptr ? (uint32_t)(version.ptr[0] - '0') : 2};
    struct str text = vector_section(v, "");
    AUTO_ERR struct gantry_error *err = NULL;
    struct gantry_mapping *m = NULL;
    AUTO_FREE char *once = NULL;
    AUTO_FREE char *twice = NULL;
    if (gantry_mapping_parse(text.ptr, text.len, &options, &m, NULL, &err) < 0 ||
        gantry_mapping_print(m, &once, &err) < 0)
        return vector_differs(v, "normal", expected, str_of(err_text(err))) + 1;
    gantry_mapping_free(m);
    size_t failures = 0;
    if (gantry_mapping_parse(once, strlen(once), &options, &m, NULL, &err) < 0 ||
        gantry_mapping_print(m, &twice, &err) < 0)
        return vector_differs(v, "normal, again", expected, str_of(err_text(err))) + 1;
    gantry_mapping_free(m);
    failures += vector_differs(v, "normal, again", str_of(once), str_of(twice));
    size_t length = strlen(once);
    return failures + vector_differs(v, "normal", expected, (struct str){once, length - 1});
}

static void
the_normal_form_is_as_the_vectors_say(void **state)
{
    (void)state;
    assert_int_equal(
        vectors_run(GANTRY_SOURCE_DIR "/tests/vectors/mapping-fmt/normal.test", format_case), 0);
}

static size_t
different_case(const struct vector *v)
{
    struct str version = vector_section(v, "version");
    enum mapping_version known =
        version.ptr ? (enum mapping_version)(version.ptr[0] - '0') : MAPPING_V2;
    AUTO_ERR struct gantry_error *err = NULL;
    struct mapping *one = NULL, *other = NULL;
    size_t failures = 1;
    if (mapping_parse(vector_section(v, ""), known, &one, NULL, &err) == 0 &&
        mapping_parse(vector_section(v, "other"), known, &other, NULL, &err) == 0)
        failures = mapping_equal(one, other) || mapping_equal(other, one);
    if (failures)
        vector_differs(v, "the other", STR("another mapping"),
                       str_of(err ? err_text(err) : "an equal one"));
    mapping_free(one);
    mapping_free(other);
    return failures;
}

static void
add_many(struct buf *out, const char *what)
{
    for (int i = 0; i < 1000; i++) {
        buf_add_text(out, i ? "," : "");
        buf_add_text(out, what);
    }
}

/* Only what is in each other is deep. */
static void
side_by_side_is_not_deep(void **state)
{
    (void)state;
    AUTO_BUF struct buf json = BUF_INIT(100000);
    AUTO_BUF struct buf mapping = BUF_INIT(100000);
    struct gantry_mapping_output *out = NULL;
    buf_add_text(&json, "{\"p\":[");
    add_many(&json, "{\"a_b\":1}");
    buf_add_text(&json, "]}");
    const char *merged = "a: p a: p n: $.p->keysToCamelCaseDeep->size";
    assert_int_equal(apply(merged, buf_text(&json), (struct gantry_mapping_input){0}, &out, NULL),
                     0);
    gantry_mapping_output_free(out);
    buf_add_text(&mapping, "$([");
    add_many(&mapping, "$.p { x: { } }");
    buf_add_text(&mapping, "]->size)");
    assert_int_equal(
        apply(buf_text(&mapping), "{\"p\":1}", (struct gantry_mapping_input){0}, &out, NULL), 0);
    assert_string_equal(out->data, "1000");
    gantry_mapping_output_free(out);
}

static void
an_arena_has_its_limit_back(void **state)
{
    (void)state;
    AUTO_ARENA struct arena a;
    struct mapping *m = NULL;
    struct mapping_result result;
    arena_init(&a, 0);
    assert_int_equal(mapping_parse(STR("$([1])"), MAPPING_V2, &m, NULL, NULL), 0);
    for (int i = 0; i < 2; i++) {
        const struct mapping_limits limits = {.max_bytes = i ? SIZE_MAX : 100000};
        struct mapping_input input = {.data = value_new_null(&a), .limits = &limits};
        assert_int_equal(mapping_apply(m, &input, &a, &result, NULL), 0);
        assert_int_equal(a.max_bytes, 0);
    }
    mapping_free(m);
}

/* Whoever compares what was printed with what it was printed from relies on this. */
static void
mappings_that_say_something_else_are_not_equal(void **state)
{
    (void)state;
    assert_int_equal(
        vectors_run(GANTRY_SOURCE_DIR "/tests/vectors/mapping-fmt/different.test", different_case),
        0);
}

static void
a_text_may_be_as_long_as_the_limit(void **state)
{
    (void)state;
    AUTO_BUF struct buf text = BUF_INIT(MAPPING_TEXT_MAX + 1);
    AUTO_ERR struct gantry_error *err = NULL;
    struct mapping *m = NULL;
    while (text.len < MAPPING_TEXT_MAX)
        buf_add_text(&text, "# a comment, end");
    assert_int_equal(mapping_parse(buf_view(&text), MAPPING_V2, &m, NULL, &err), 0);
    mapping_free(m);
    buf_add_text(&text, ".");
    assert_int_equal(mapping_parse(buf_view(&text), MAPPING_V2, &m, NULL, &err), GANTRY_E_INVALID);
    assert_string_equal(err_text(err),
                        "a mapping of 1048577 bytes is longer than 1048576, the limit");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_is_limited),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(an_arena_of_its_own_limit_keeps_it),
        cmocka_unit_test(what_is_printed_is_limited),
        cmocka_unit_test(comparing_counts_steps),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(problems_are_limited_and_the_rest_is_counted),
        cmocka_unit_test(data_can_be_written_piece_by_piece),
        cmocka_unit_test(many_problems_are_each_told_once),
        cmocka_unit_test(wrong_input_is_told),
        cmocka_unit_test(a_refusal_tells_the_place),
        cmocka_unit_test(indented_data_has_lines),
        cmocka_unit_test(numbers_that_are_not_touched_keep_their_spelling),
        cmocka_unit_test(each_step_is_explained),
        cmocka_unit_test(every_problem_has_a_word),
        cmocka_unit_test(the_normal_form_is_as_the_vectors_say),
        cmocka_unit_test(side_by_side_is_not_deep),
        cmocka_unit_test(an_arena_has_its_limit_back),
        cmocka_unit_test(mappings_that_say_something_else_are_not_equal),
        cmocka_unit_test(a_text_may_be_as_long_as_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
