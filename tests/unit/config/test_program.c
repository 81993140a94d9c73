/* Settings that the program makes, and platforms that it provides. */
#include "config_test.h"

static struct config *
read_assigned(const char *text, const char *const *variables, const struct gantry_assignment *a,
              size_t count)
{
    static const char *const none[] = {NULL};
    const struct config_options options = {
        .path = text ? "/etc/test.ini" : NULL,
        .text = text,
        .environment = (char *const *)(uintptr_t)(variables ? variables : none),
        .assignments = a,
        .assignment_count = count,
    };
    struct config *config = NULL;
    struct gantry_error *err = NULL;
    if (config_read(&options, &config, &err) < 0)
        fail_msg("config_read: %s", err_text(err));
    return config;
}
#define READ(text, variables, list)                                                                \
    read_assigned((text), (variables), (list), sizeof(list) / sizeof *(list))

static void
assignments_alone_suffice(void **state)
{
    (void)state;
    char value[] = "m1";
    const struct gantry_assignment list[] = {
        {"manager", "id", value},
        {"manager", "state_dir", "/s"},
        {"platform feed", "kind", "custom"},
        {"platform feed", "logs_interval", "1m"},
        {"backend docker", "plugin", "docker"},
    };
    struct config *config = READ(NULL, NULL, list);
    value[0] = 'x'; /* it was copied */
    assert_problems(config, "");
    assert_string_equal(config_manager(config)->id, "m1");
    assert_null(config_manager(config)->key);
    const struct config_platform *p = config_platform(config, 0);
    assert_string_equal(p->name, "feed");
    assert_int_equal(p->kind, CONFIG_PLATFORM_CUSTOM);
    assert_int_equal(p->logs_interval_ms, 60000);
    assert_int_equal(p->logs_lines, 100);
    assert_int_equal(p->health_interval_ms, 30000);
    assert_null(p->url);
    assert_null(p->connector_url);
    char *out = NULL;
    assert_int_equal(config_print(config, &out, NULL), 0);
    assert_non_null(strstr(out, "[platform feed] logs_interval = 1m   # program\n"));
    assert_non_null(strstr(out, "[manager] id = m1   # program; a change takes a restart\n"));
    free(out);
    config_free(config);
}

static void
the_programs_word_is_the_strongest(void **state)
{
    (void)state;
    static const char *const variables[] = {
        "GANTRY__MANAGER__INTERVAL=2s", "GANTRY__MANAGER__PING_INTERVAL=2s",
        "GANTRY__PLATFORM_MY_FEED__LOGS_LINES=7", "MANAGER__ID=foreign", NULL};
    static const struct gantry_assignment list[] = {
        {"manager", "interval", "3s"},
        {"manager", "id", "mine"},
        {"platform my-feed", "kind", "custom"},
        {"backend docker", "stop_timeout", "4s"},
    };
    struct config *config =
        READ("[manager]\ninterval = 1s\nping_interval = 1s\nmax_removals = 1\nstate_dir = /s\n"
             "[backend docker]\nstop_timeout = 1s\nstart_timeout = 1s\n",
             variables, list);
    assert_problems(config, "");
    const struct config_manager *m = config_manager(config);
    assert_string_equal(m->id, "mine");
    assert_int_equal(m->interval_ms, 3000);
    assert_int_equal(m->ping_interval_ms, 2000);
    assert_int_equal(m->max_removals, 1);
    assert_int_equal(config_backend(config, 0)->stop_timeout_ms, 4000);
    assert_int_equal(config_backend(config, 0)->start_timeout_ms, 1000);
    assert_int_equal(config_platform_count(config), 1); /* the variable means the program's */
    assert_string_equal(config_platform(config, 0)->name, "my-feed");
    assert_int_equal(config_platform(config, 0)->logs_lines, 7);
    config_free(config);
}

static void
bad_assignments_are_problems_like_those_of_a_file(void **state)
{
    (void)state;
    static const struct gantry_assignment list[] = {
        {"manager", "interval", "10"},
        {"manager", "intervall", "10s"},
        {"manager", "name", NULL},
        {"manager", "concurrency", "\xff"},
        {"lgo", "level", "info"},
        {"platform", "kind", "local"},
        {"platform a b", "kind", "local"},
        {NULL, "x", "y"},
        {"log", "", "y"},
        {"log", "level", "warn"},
        {"log", "level", "info"},
        {"platform local", "backend", "dokcer"},
    };
    struct config *config =
        READ("[manager]\nid = m\nstate_dir = /s\nnope = 1\n" SMALLEST, NULL, list);
    assert_problems(
        config,
        "/etc/test.ini:4: [manager] nope: unknown key; did you mean 'name'?\n"
        "program: [lgo]: unknown section; did you mean [log]?\n"
        "program: [platform]: needs a name; write [platform NAME], such as [platform opencti]\n"
        "program: [platform a b]: 'a b' is no name; write letters, digits, '_', '.' and '-'\n"
        "program: assignment 8 names no section, or no key; write both, such as 'manager' and "
        "'id'\n"
        "program: assignment 9 names no section, or no key; write both, such as 'manager' and "
        "'id'\n"
        "program: [manager] name: has no value; give it one\n"
        "program: [manager] concurrency: is not UTF-8; write it as UTF-8\n"
        "program: [manager] interval: '10' has no unit; write 10s if that is meant\n"
        "program: [manager] intervall: unknown key; did you mean 'interval'?\n"
        "program: [platform local] backend: there is no [backend dokcer]; did you mean 'docker'?\n"
        "program: [log] level: takes one value, and has several; give one\n");
    config_free(config);
}

static void
lists_grow_and_references_are_read(void **state)
{
    (void)state;
    static const char *const variables[] = {"TOKEN=t1", NULL};
    static const struct gantry_assignment list[] = {
        {"manager", "id", "m"},
        {"manager", "state_dir", "state"},
        {"manager", "key", PEM},
        {"manager", "plugin_path", "/a, /b"},
        {"manager", "plugin_path", "/c"},
        {"platform opencti", "url", "https://octi"},
        {"platform opencti", "token", "env:TOKEN"},
        {"backend docker", "plugin", "docker"},
    };
    struct config *config = READ(NULL, variables, list);
    assert_problems(config, "");
    const struct config_manager *m = config_manager(config);
    assert_int_equal(m->plugin_path.count, 3);
    assert_string_equal(m->plugin_path.items[2], "/c");
    assert_string_equal(secret_bytes(config_platform(config, 0)->token).ptr, "t1");
    assert_string_equal(secret_bytes(m->key).ptr, PEM);
    config_free(config);
    /* The settings file's folder is nothing that the program knows of. */
    char working[4096], expected[5000];
    assert_non_null(getcwd(working, sizeof working));
    snprintf(expected, sizeof expected, "%s/state", working);
    config = READ("[log]\n", variables, list);
    assert_problems(config, "");
    assert_string_equal(config_manager(config)->state_dir, expected);
    config_free(config);
}

static void
what_is_missing_is_to_be_assigned(void **state)
{
    (void)state;
    static const struct gantry_assignment list[] = {
        {"platform opencti", "token", "t"},
        {"platform feed", "backend", "docker"},
        {"backend docker", "plugin", "docker"},
        {"manager", "state_dir", "/s"},
    };
    struct config *config = READ(NULL, NULL, list);
    assert_problems(
        config, "program: [platform opencti] url: is missing; assign it\n"
                "program: [platform feed] kind: is missing; assign it or 'kind = local'\n"
                "program: [manager] id: is missing; assign it, with a UUID of its own: uuidgen "
                "makes one\n"
                "program: [manager] key: is missing; assign it; 'gantry keygen FILE' makes one\n");
    config_free(config);
}

static void
a_custom_platform_has_its_own_keys_alone(void **state)
{
    (void)state;
    check_text(
        "[manager]\nid = m\n[platform custom]\nurl = http://o\ntoken = t\npath = /p\n"
        "connector_url = http://o\nrequest_timeout = 1s\nproxy = none\nlogs_lines = 5\n"
        "[platform local]\npath = /p\nlogs_interval = 1s\n[backend docker]\n",
        "test.ini:4: [platform custom] url: is a key of platforms of kind opencti; remove it\n"
        "test.ini:5: [platform custom] token: is a key of platforms of kind opencti; remove "
        "it\n"
        "test.ini:6: [platform custom] path: is a key of platforms of kind local; remove it\n"
        "test.ini:7: [platform custom] connector_url: is a key of platforms of kind opencti; "
        "remove it\n"
        "test.ini:8: [platform custom] request_timeout: is a key of platforms of kind "
        "opencti; remove it\n"
        "test.ini:9: [platform custom] proxy: is a key of platforms of kind opencti; remove "
        "it\n"
        "test.ini:13: [platform local] logs_interval: is a key of platforms of kind opencti "
        "or custom; remove it\n");
}

/* Its identity cannot be made from a folder: two programs of one machine would share it. */
static void
a_custom_platform_needs_an_id_and_no_key(void **state)
{
    (void)state;
    check_text(
        "[platform x]\nkind = custom\n[backend docker]\n",
        "test.ini: [manager] id: is missing; add 'id = UUID', with a UUID of its own: uuidgen "
        "makes one\n");
    check_text("[manager]\nid = m\n[platform x]\nkind = custom\n[backend docker]\n", "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assignments_alone_suffice),
        cmocka_unit_test(the_programs_word_is_the_strongest),
        cmocka_unit_test(bad_assignments_are_problems_like_those_of_a_file),
        cmocka_unit_test(lists_grow_and_references_are_read),
        cmocka_unit_test(what_is_missing_is_to_be_assigned),
        cmocka_unit_test(a_custom_platform_has_its_own_keys_alone),
        cmocka_unit_test(a_custom_platform_needs_an_id_and_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
