/* Effective values, the example file, and the table of settings. */
#include "config_test.h"

static const struct gantry_setting settings[] = {
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_STRING,
     .scope = GANTRY_SCOPE_BACKEND,
     .key = "socket",
     .environment = "ENGINE_HOST",
     .help = "x"},
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_SECRET,
     .scope = GANTRY_SCOPE_BACKEND,
     .key = "api_key",
     .help = "x"},
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_LIST,
     .scope = GANTRY_SCOPE_WORKLOAD,
     .key = "dns",
     .help = "x"},
};
static const struct gantry_plugin engine = {GANTRY_PLUGIN_HEAD, .name = "engine",
                                            GANTRY_SETTINGS(settings)};

static void
effective_values_are_printed_with_their_origin(void **state)
{
    static const char *const variables[] = {"ENGINE_HOST=tcp://u:pw@h:1",
                                            "GANTRY__MANAGER__INTERVAL=90s",
                                            "TOKEN=hidden",
                                            "OPENCTI__LOGS_SCHEDULE=20",
                                            "HOME=/h",
                                            NULL};
    (void)state;
    struct config *config =
        read_text("[manager]\nid = m1\nkey = " PEM_INI
                  "[log]\nmax_size = 1024KiB\n[platform opencti]\nurl = https://o/\n"
                  "token = env:TOKEN\nproxy = http://u:pw@p:1\ntls_verify = false\n"
                  "[backend engine]\napi_key = hidden\ndns = a,b\n"
                  "[connector c]\nimage = i\ndns = c\n",
                  variables);
    assert_int_equal(config_bind(config, 0, &engine, NULL), 0);
    assert_int_equal(config_finish(config, NULL), 0);
    assert_problems(config, "");
    char *out = NULL;
    assert_int_equal(config_print(config, &out, NULL), 0);
    AUTO_BUF struct buf b = BUF_INIT(1 << 20);
    buf_add_text(&b, out);
    free(out);
    assert_lines(
        &b, "[manager] id = m1   # test.ini:2; a change takes a restart\n"
            "[manager] name = Gantry   # default; a change takes a restart\n"
            "[manager] key = ****   # test.ini:3; a change takes a restart\n"
            "[manager] interval = 1m30s   # environment GANTRY__MANAGER__INTERVAL\n"
            "[manager] ping_interval = 1m   # default\n"
            "[manager] concurrency = 8   # default; a change takes a restart\n"
            "[manager] max_removals = 3   # default\n"
            "[manager] removal_confirmations = 3   # default\n"
            "[manager] allow_remove_all = no   # default\n"
            "[manager] state_dir = /h/.local/state/gantry   # default; a change takes a restart\n"
            "[manager] plugin_path = /opt/plugins   # default; a change takes a restart\n"
            "[log] level = info   # default\n"
            "[log] format = auto   # default\n"
            "[log] max_size = 1MiB   # test.ini:7\n"
            "[log] max_files = 5   # default\n"
            "[platform opencti] kind = opencti   # default; a change takes a restart\n"
            "[platform opencti] url = https://o   # test.ini:9; a change takes a restart\n"
            "[platform opencti] token = ****   # test.ini:10, from environment variable 'TOKEN'\n"
            "[platform opencti] tls_verify = no   # test.ini:12\n"
            "[platform opencti] proxy = http://****@p:1   # test.ini:11\n"
            "[platform opencti] connect_timeout = 10s   # default\n"
            "[platform opencti] request_timeout = 30s   # default\n"
            "[platform opencti] list_timeout = 2m   # default\n"
            "[platform opencti] logs_interval = 20s   # environment OPENCTI__LOGS_SCHEDULE\n"
            "[platform opencti] logs_lines = 100   # default\n"
            "[platform opencti] health_interval = 30s   # default\n"
            "[platform opencti] connector_proxy = no   # default\n"
            "[platform opencti] connector_tls_verify = yes   # default\n"
            "[platform opencti] backend = engine   # default; a change takes a restart\n"
            "[backend engine] drain = no   # default; a change takes a restart\n"
            "[backend engine] isolation = none   # default; a change takes a restart\n"
            "[backend engine] start_timeout = 2m   # default\n"
            "[backend engine] stop_timeout = 10s   # default\n"
            "[backend engine] pull_stall_timeout = 2m   # default\n"
            "[backend engine] pull_policy = if-not-present   # default\n"
            "[backend engine] image_retention = no   # default\n"
            "[backend engine] plugin = engine   # default; a change takes a restart\n"
            "[backend engine] socket = tcp://****@h:1   # environment ENGINE_HOST; a change takes "
            "a restart\n"
            "[backend engine] api_key = ****   # test.ini:14; a change takes a restart\n"
            "[backend engine] dns = a, b   # test.ini:15\n"
            "[connector c] image = i   # test.ini:17\n"
            "[connector c] dns = c   # test.ini:18\n");
    config_free(config);
}

static void
the_example_file_is_a_good_file(void **state)
{
    char *out = NULL;
    (void)state;
    assert_int_equal(config_print_example(&out, NULL), 0);
    struct config *config = read_text(out, NULL);
    for (size_t i = 0; i < config_problem_count(config); i++)
        if (!strstr(config_problem(config, i), "there is no file"))
            fail_msg("%s", config_problem(config, i));
    assert_int_equal(config_problem_count(config), 2); /* the key's and the token's file */
    config_free(config);
    for (size_t i = 0; i < config_setting_count(); i++) {
        char line[200];
        snprintf(line, sizeof line, "%s = ", config_setting(i).key);
        if (!strstr(out, line))
            fail_msg("%s is not in the example", config_setting(i).key);
    }
    for (const char *line = out; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80 || strncmp(line, "# ", 2) != 0);
    free(out);
}

/* What the example says in comments is true as well: without the '#', each default is accepted. */
static void
every_default_and_example_is_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_setting_count(); i++) {
        struct config_setting row = config_setting(i);
        const char *value = row.fallback ? row.fallback : row.example;
        const char *name = strchr(row.section, ' ') ? "x" : "";
        assert_non_null(value);
        if (row.secret)
            value = "env:PEM";
        AUTO_BUF struct buf b = BUF_INIT(1 << 16);
        buf_add_fmt(&b, "[%.*s%s%s]\n%s = %s\n", (int)strcspn(row.section, " "), row.section,
                    *name ? " " : "",
                    row.kind ? strncmp(row.kind, "opencti", 7) == 0 ? "opencti" : row.kind
                    : *name  ? "docker"
                             : "",
                    row.key, value);
        static const char *const variables[] = {"PEM=" PEM, "HOME=/h", NULL};
        struct config *config = read_text(buf_text(&b), variables);
        char place[200];
        snprintf(place, sizeof place, "test.ini:2: ");
        for (size_t k = 0; k < config_problem_count(config); k++)
            if (strncmp(config_problem(config, k), place, strlen(place)) == 0 &&
                !strstr(config_problem(config, k), "blank or a line break") &&
                !strstr(config_problem(config, k), "there is no [backend"))
                fail_msg("%s", config_problem(config, k));
        config_free(config);
        assert_true(row.help[strlen(row.help) - 1] == '.');
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effective_values_are_printed_with_their_origin),
        cmocka_unit_test(the_example_file_is_a_good_file),
        cmocka_unit_test(every_default_and_example_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
