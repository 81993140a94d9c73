/* The state file: what is written is read again, whatever the texts are, and half a file is none. */
#include "scripted_world.h"

#define DOWN ERROR("INTERNAL_SERVER_ERROR", "Down")

/* As JSON has it, and as it is.  Ids have neither blanks nor control characters. */
#define ID_JSON  "i\\\"d\\\\{},:\\u00e9\\ud83d\\ude00/\\/"
#define ID_TEXT  "i\"d\\{},:\303\251\360\237\230\200//"
#define ODD_JSON "q\\\"uote \\\\ {},: \\n\\t\\u0001 \\u007f \\u00e9 \\ud83d\\ude00 /\\/"
#define ODD_TEXT "q\"uote \\ {},: \n\t\001 \177 \303\251 \360\237\230\200 //"

static const char odd_listing[] =
    LISTED("{\"id\":\"" ID_JSON "\",\"name\":\"name " ODD_JSON
           "\",\"manager_contract_hash\":\"hash " ODD_JSON
           "\",\"manager_contract_image\":\"image " ODD_JSON
           "\",\"manager_current_status\":\"stopped\",\"manager_requested_status\":\"stopping\"}"
           "," CONNECTOR("b", "bb", "stopping", "\"stopped\""));

/* Is there one of this name, and is its image that one? */
static bool
has(struct world *w, const char *id, const char *name, const char *image)
{
    struct gantry_snapshot *s = NULL;
    bool found = false;
    assert_int_equal(0, gantry_manager_snapshot(w->manager, &s, NULL));
    for (uint32_t i = 0; i < s->count; i++) {
        const struct gantry_connector *c =
            GANTRY_AT(struct gantry_connector, s->connectors, s->stride, i);
        found |=
            strcmp(c->id, id) == 0 && strcmp(c->name, name) == 0 && strcmp(c->image, image) == 0;
    }
    gantry_snapshot_free(s);
    return found;
}

/* It is known that it has no workload: so it has been judged. */
static bool
is_judged(struct world *w, const char *id)
{
    struct gantry_snapshot *s = NULL;
    bool judged = false;
    assert_int_equal(0, gantry_manager_snapshot(w->manager, &s, NULL));
    for (uint32_t i = 0; i < s->count; i++) {
        const struct gantry_connector *c =
            GANTRY_AT(struct gantry_connector, s->connectors, s->stride, i);
        judged |= strcmp(c->id, id) == 0 && strcmp(c->state, "absent") == 0;
    }
    gantry_snapshot_free(s);
    return judged;
}

static void
state_path(const struct world *w, char path[128])
{
    snprintf(path, 128, "%s/state", w->home);
    mkdir(path, 0700);
    snprintf(path, 128, "%s/state/state.json", w->home);
}

static void
write_state(const struct world *w, const char *text, size_t size)
{
    char path[128];
    state_path(w, path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(size, fwrite(text, 1, size, f));
    fclose(f);
}

static size_t
read_state(const struct world *w, char text[TEXT_BYTES])
{
    char path[128];
    state_path(w, path);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t size = fread(text, 1, TEXT_BYTES - 1, f);
    text[size] = '\0';
    fclose(f);
    return size;
}

static void
without_platform(struct world *w)
{
    with_opencti(w, "interval = 100ms\nping_interval = 200ms", "list_timeout = 500ms");
    fake_set(&w->fake, w->fake.listing, DOWN);
    fake_set(&w->fake, w->fake.configurations, DOWN);
}

static void
every_text_comes_back(void **state)
{
    struct world *w = *state;
    without_platform(w);
    fake_set(&w->fake, w->fake.listing, odd_listing);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, has(w, "b", "b", "i")));
    assert_true(has(w, ID_TEXT, "name " ODD_TEXT, "image " ODD_TEXT));
    assert_true(WITHIN(COMES_MS, is_judged(w, ID_TEXT) && is_judged(w, "b")));
    end(w);

    char before[TEXT_BYTES], after[TEXT_BYTES];
    (void)read_state(w, before);
    assert_non_null(strstr(before, "\"wish\":\"halt\",\"hash\":\""));
    fake_set(&w->fake, w->fake.listing, DOWN);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, has(w, ID_TEXT, "name " ODD_TEXT, "image " ODD_TEXT)));
    assert_true(WITHIN(COMES_MS, atomic_load(&w->offline_warnings) > 0));
    assert_true(has(w, "b", "b", "i"));
    end(w);

    fake_set(&w->fake, w->fake.listing, odd_listing); /* what is read and written is the same */
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, is_judged(w, ID_TEXT) && is_judged(w, "b")));
    end(w);
    (void)read_state(w, after);
    assert_string_equal(before, after);
}

static void
half_a_file_is_none(void **state)
{
    struct world *w = *state;
#define LAST                                                                                       \
    "\"listing\":{\"image\":\"i\",\"hash\":\"h\",\"wish\":\"stopping\",\"known\":\"stopped\"}"
    static const char whole[] =
        "{\"version\":1,\"platforms\":{\"opencti\":{\"a\":{\"name\":\"A\"," LAST
        "},\"b\":{\"name\":\"B\"," LAST "}}}}";
    without_platform(w);
    write_state(w, whole, sizeof whole - 1 - 3);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->fake.listed) > 0));
    assert_false(has(w, "a", "A", "i"));
    end(w);
    write_state(w, whole, sizeof whole - 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, has(w, "a", "A", "i") && has(w, "b", "B", "i")));
}

/* Somebody made it readable, and a newer version knows more. */
static void
another_layout_is_read(void **state)
{
    struct world *w = *state;
    static const char text[] =
        " {\n \"new\" : { \"platforms\" : { \"x\" : [ { } ] } } ,\n\t\"platforms\" : {\n"
        " \"another\" : { \"a\" : { \"name\" : \"no\" } }, \"list\" : [ ], \"none\" : { },\n"
        " \"opencti\" : { \"a\" : {\r\n \"later\" : { \"a\" : 1 }, \"name\" : \"A\" ,\n"
        " \"listing\" : { \"image\" : \"i\", \"hash\" : \"h\" } } } } ,\n \"version\" : 1 } \n";
    without_platform(w);
    write_state(w, text, sizeof text - 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, has(w, "a", "A", "i")));
    assert_false(has(w, "a", "no", ""));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(every_text_comes_back),
        T(half_a_file_is_none),
        T(another_layout_is_read),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
