/* test_host.c - plugin tables: what is checked before any code of them runs, and how they are
 * described. */
#include "fake_plugin.h"

#include <gantry/host.h>

static void
expect_table(const struct gantry_plugin *table, const char *words)
{
    struct runtime_plugin *plugin = NULL;
    struct gantry_error *err = NULL;
    assert_int_equal(runtime_plugin_adopt(table, &plugin, &err), GANTRY_E_INVALID);
    assert_null(plugin);
    if (!strstr(err_text(err), words))
        fail_msg("'%s' lacks '%s'", err_text(err), words);
    gantry_error_free(err);
}

static void
broken_tables_are_refused(void **state)
{
    (void)state;
    struct gantry_plugin t = fake_table();
    t.size = 4;
    expect_table(&t, "a table of 4 bytes");
    t.size = offsetof(struct gantry_plugin, name);
    expect_table(&t, "has no operations");
    t.size = 1 << 20;
    expect_table(&t, "a table of 1048576 bytes");
    t = fake_table();
    t.abi_major = 7;
    expect_table(&t, "ABI version 7, this Gantry has 1");
    t = fake_table();
    t.size = offsetof(struct gantry_plugin, list);
    expect_table(&t, "operation 'list' is missing");
    t = fake_table();
    t.name = "Not A Name";
    expect_table(&t, "'Not A Name'");
    t.name = NULL;
    expect_table(&t, "its name ''");
    t = fake_table();
    t.threads = 9;
    expect_table(&t, "thread model 9");
    t = fake_table();
    t.setting_count = 1;
    expect_table(&t, "table of settings is broken");
}

static const char *const words[] = {"one", "two", NULL};
#define SETTING .size = sizeof(struct gantry_setting), .scope = GANTRY_SCOPE_BACKEND

static void
broken_settings_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct gantry_setting settings[2];
        const char *why;
    } cases[] = {
        {{{SETTING, .type = GANTRY_TYPE_STRING, .key = "Bad Key"}}, "'Bad Key'"},
        {{{SETTING, .type = GANTRY_TYPE_STRING}}, "the key of a setting"},
        {{{SETTING, .type = 12, .key = "a"}}, "setting 'a' has type 12"},
        {{{SETTING, .type = 0, .key = "a"}}, "setting 'a' has type 0"},
        {{{SETTING, .type = GANTRY_TYPE_CHOICE, .key = "a"}}, "a choice without choices"},
        {{{.size = sizeof(struct gantry_setting), .type = 1, .key = "a"}},
         "setting 'a' has scope 0"},
        {{{SETTING, .type = 1, .key = "a"}, {SETTING, .type = 1, .key = "a"}}, "declared twice"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct gantry_plugin t = fake_table();
        t.settings = cases[i].settings;
        t.setting_count = cases[i].settings[1].size ? 2 : 1;
        t.setting_stride = sizeof cases[i].settings[0];
        expect_table(&t, cases[i].why);
    }
}

/* A newer plugin's settings are longer, an older one's are shorter. */
static void
settings_of_other_versions_are_read_as_far_as_known(void **state)
{
    (void)state;
    struct longer {
        struct gantry_setting known;
        uint64_t more;
    } longer[] = {
        {{SETTING, .type = GANTRY_TYPE_SIZE, .key = "memory", .fallback = "1GiB",
          .help = "How much."},
         1},
        {{SETTING, .type = GANTRY_TYPE_BOOL, .key = "quiet", .help = "not known to that version"},
         2},
    };
    longer[0].known.size = sizeof longer[0];
    longer[1].known.size = offsetof(struct gantry_setting, environment);
    struct gantry_plugin t = fake_table();
    t.settings = &longer[0].known;
    t.setting_count = 2;
    t.setting_stride = sizeof longer[0];
    struct runtime_plugin *plugin = NULL;
    assert_int_equal(runtime_plugin_adopt(&t, &plugin, NULL), 0);
    const struct gantry_plugin *ours = runtime_plugin_table(plugin);
    assert_int_equal(ours->setting_stride, sizeof(struct gantry_setting));
    assert_string_equal(ours->settings[0].help, "How much.");
    assert_string_equal(ours->settings[1].key, "quiet");
    assert_null(ours->settings[1].help);
    assert_string_equal(runtime_plugin_file(plugin), "");
    runtime_plugin_free(plugin);
}

static void
manual_tells_all_of_the_table(void **state)
{
    (void)state;
    static const struct gantry_setting settings[] = {
        {SETTING, .type = GANTRY_TYPE_PATH, .key = "socket", .fallback = "/run/box.sock",
         .environment = "BOX_HOST", .help = "Where the box listens."},
        {SETTING, .type = GANTRY_TYPE_SECRET, .flags = GANTRY_SETTING_REQUIRED, .key = "token"},
        {.size = sizeof settings[0],
         .scope = GANTRY_SCOPE_WORKLOAD,
         .type = GANTRY_TYPE_CHOICE,
         .key = "mode",
         .choices = words},
    };
    struct gantry_plugin t = fake_table();
    t.summary = "drives a box";
    t.version = "3";
    t.settings = settings;
    t.setting_count = 3;
    t.setting_stride = sizeof settings[0];
    char *manual = gantry_plugin_manual(&t);
    assert_string_equal(
        manual,
        "fake - drives a box\n"
        "\n"
        "version     3\n"
        "plugin ABI  1.0\n"
        "threads     any number of calls at a time\n"
        "operations  start, stop, remove, logs, inspect, list\n"
        "\n"
        "Settings, in [backend NAME]:\n"
        "\n"
        "  socket = /run/box.sock\n"
        "      path; else from the environment: BOX_HOST\n"
        "      Where the box listens.\n"
        "\n"
        "  token\n"
        "      secret: the text, file:PATH or env:NAME; required\n"
        "\n"
        "Settings of each workload, in [backend NAME] for all, in [connector NAME] for one:\n"
        "\n"
        "  mode\n"
        "      one of one, two\n");
    gantry_text_free(manual);
}

static int
stop_at_first(void *context, const char *file, const char *name, const struct gantry_plugin *plugin,
              int shadowed, const struct gantry_error *problem)
{
    assert_true((plugin == NULL) == (problem != NULL));
    assert_non_null(strstr(file, name));
    assert_int_equal(shadowed, 0);
    ++*(int *)context;
    return 42;
}

static void
walk_ends_when_it_is_told_to(void **state)
{
    (void)state;
    const char *folders[] = {"/nowhere", GANTRY_BINARY_DIR "/tests/plugins"};
    int seen = 0;
    assert_int_equal(gantry_plugin_walk(folders, 2, stop_at_first, &seen), 42);
    assert_int_equal(seen, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_tables_are_refused),
        cmocka_unit_test(broken_settings_are_refused),
        cmocka_unit_test(settings_of_other_versions_are_read_as_far_as_known),
        cmocka_unit_test(manual_tells_all_of_the_table),
        cmocka_unit_test(walk_ends_when_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
