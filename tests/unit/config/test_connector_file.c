/* Files of the local platform. */
#include "config_test.h"

static char *const environment[] = {(char *)(uintptr_t) "SECRET=s=1", NULL};

static void
check_bad(const char *text, const char *expected)
{
    AUTO_ARENA struct arena arena;
    arena_init(&arena, 0);
    struct config_connector out = {.id = "untouched"};
    struct gantry_error *err = NULL;
    assert_int_equal(
        config_read_connector("c/mitre.ini", str_of(text), environment, &arena, &out, &err),
        GANTRY_E_INVALID);
    assert_string_equal(err_text(err), expected);
    assert_string_equal(out.id, "untouched");
    err_clear(&err);
}

static void
a_connector_is_read(void **state)
{
    AUTO_ARENA struct arena arena;
    (void)state;
    arena_init(&arena, 0);
    write_file(GANTRY_BINARY_DIR "/tests/config-value", "line 1\nline 2\n\n", 0600);
    const char *text =
        "[connector]\nimage = opencti/connector-mitre:6\n"
        "[environment]\nA = a=b=c\nEMPTY =\nUTF = \xc3\xa9  \nQ = \"q\"\nSEMI = a;b\n"
        "URL = https://x:1/\nREF = file:/etc/passwd\n"
        "[environment_from]\nS = env:SECRET\nF = file:config-value\n";
    struct config_connector c;
    struct gantry_error *err = NULL;
    if (config_read_connector(GANTRY_BINARY_DIR "/tests/mitre.ini", str_of(text), environment,
                              &arena, &c, &err) < 0)
        fail_msg("%s", err_text(err));
    assert_string_equal(c.id, "mitre");
    assert_string_equal(c.name, "mitre");
    assert_string_equal(c.image, "opencti/connector-mitre:6");
    assert_true(c.wanted);
    static const struct config_connector_entry expected[] = {
        {"A", "a=b=c", false},
        {"EMPTY", "", false},
        {"UTF", "\xc3\xa9", false},
        {"Q", "\"q\"", false},
        {"SEMI", "a;b", false},
        {"URL", "https://x:1/", false},
        {"REF", "file:/etc/passwd", false},
        {"S", "s=1", true},
        {"F", "line 1\nline 2\n", true},
    };
    assert_int_equal(c.entry_count, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        assert_string_equal(c.entries[i].key, expected[i].key);
        assert_string_equal(c.entries[i].value, expected[i].value);
        assert_int_equal(c.entries[i].secret, expected[i].secret);
    }
    unlink(GANTRY_BINARY_DIR "/tests/config-value");
}

static void
id_and_wish_can_be_given(void **state)
{
    AUTO_ARENA struct arena arena;
    (void)state;
    arena_init(&arena, 0);
    struct config_connector c;
    assert_int_equal(config_read_connector(
                         "x.ini", STR("[connector]\nid = my-id\nimage = i\nrequested = stopping\n"),
                         NULL, &arena, &c, NULL),
                     0);
    assert_string_equal(c.id, "my-id");
    assert_string_equal(c.name, "x");
    assert_false(c.wanted);
    assert_int_equal(c.entry_count, 0);
}

static void
long_values_arrive_whole(void **state)
{
    AUTO_ARENA struct arena arena;
    (void)state;
    arena_init(&arena, 0);
    static char value[102401], text[103000];
    memset(value, 'v', sizeof value - 1);
    snprintf(text, sizeof text, "[connector]\nimage = i\n[environment]\nLONG = %s\n", value);
    struct config_connector c;
    assert_int_equal(config_read_connector("x.ini", str_of(text), NULL, &arena, &c, NULL), 0);
    assert_string_equal(c.entries[0].value, value);
}

static void
all_mistakes_are_told_in_one_error(void **state)
{
    (void)state;
    check_bad("", "c/mitre.ini: [connector] image: is missing; add 'image = NAME:TAG'");
    check_bad(
        "[connector]\nimag = i\nimage = a b\nrequested = started\nid = a b\nid = c\n"
        "[enviroment]\nA = b\n[environment]\nB:C = d\nE: f\nG = h\nG = i\nJ = k\n  l\nM = n ;o\n"
        "N O = p\n[environment_from]\nP = literal\nG = env:SECRET\nQ = env:NONE\nR = file:none\nS "
        "= env:\n",
        "c/mitre.ini:16: [environment] M: ' ;' would begin a comment and cut the value; put a "
        "comment on a "
        "line of its own, and such a value into a file for [environment_from]; "
        "c/mitre.ini:2: [connector] imag: unknown key; did you mean 'image'?; "
        "c/mitre.ini:3: [connector] image: is no image; write it without blanks, such as "
        "opencti/connector-mitre:6.8.0; "
        "c/mitre.ini:4: [connector] requested: is not known; write starting or stopping; "
        "c/mitre.ini:5: [connector] id: must be 1 to 255 printable ASCII characters without "
        "blanks; "
        "c/mitre.ini:6: [connector] id: is given twice; remove one of them; "
        "c/mitre.ini:7: [enviroment]: unknown section; did you mean [environment]?; "
        "c/mitre.ini:10: [environment] B: ':' cannot stand in a name or after it; write NAME = "
        "VALUE; "
        "c/mitre.ini:11: [environment] E: ':' cannot stand in a name or after it; write NAME = "
        "VALUE; "
        "c/mitre.ini:13: [environment] G: is given twice; remove one of them; "
        "c/mitre.ini:15: [environment] J: a value takes one line; put this one into a file, and "
        "write 'J = "
        "file:PATH' into [environment_from]; "
        "c/mitre.ini:17: [environment] N O: a name holds no blanks; write NAME = VALUE; "
        "c/mitre.ini:19: [environment_from] P: must be file:PATH or env:NAME; a value itself "
        "belongs into "
        "[environment]; "
        "c/mitre.ini:20: [environment_from] G: is given twice; remove one of them; "
        "c/mitre.ini:21: [environment_from] Q: environment variable 'NONE' is not set; set it, or "
        "correct the "
        "name; "
        "c/mitre.ini:22: [environment_from] R: there is no file 'c/none'; make it, or correct the "
        "path; "
        "c/mitre.ini:23: [environment_from] S: must be file:PATH or env:NAME; a value itself "
        "belongs into "
        "[environment]");
}

static void
a_file_name_that_is_no_id_needs_one(void **state)
{
    AUTO_ARENA struct arena arena;
    (void)state;
    arena_init(&arena, 0);
    struct config_connector c;
    struct gantry_error *err = NULL;
    assert_int_equal(config_read_connector("my file.ini", STR("[connector]\nimage = i\n"), NULL,
                                           &arena, &c, &err),
                     GANTRY_E_INVALID);
    assert_string_equal(err_text(err),
                        "my file.ini: [connector] id: is missing, and the file's name is none; add "
                        "'id = ID' without blanks");
    err_clear(&err);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connector_is_read),
        cmocka_unit_test(id_and_wish_can_be_given),
        cmocka_unit_test(long_values_arrive_whole),
        cmocka_unit_test(all_mistakes_are_told_in_one_error),
        cmocka_unit_test(a_file_name_that_is_no_id_needs_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
