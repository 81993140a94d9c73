/* What may change while running, and what needs a restart: the table of settings decides, row by row. */
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
     .scope = GANTRY_SCOPE_BACKEND,
     .key = "hosts",
     .help = "x"},
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_LIST,
     .scope = GANTRY_SCOPE_WORKLOAD,
     .key = "dns",
     .help = "x"},
};
static const struct gantry_plugin engine = {GANTRY_PLUGIN_HEAD, .name = "engine",
                                            GANTRY_SETTINGS(settings)};

static struct config *
read_whole(const char *text, const char *const *variables, const struct config *running)
{
    static const char *const none[] = {"HOME=/home/test", NULL};
    const struct config_options options = {
        .path = text ? "test.ini" : NULL,
        .text = text,
        .environment = (char *const *)(uintptr_t)(variables ? variables : none),
        .default_plugin_path = "/opt/plugins",
        .running = running,
    };
    struct config *config = NULL;
    assert_int_equal(config_read(&options, &config, NULL), 0);
    for (size_t i = 0; i < config_backend_count(config); i++)
        assert_int_equal(config_bind(config, i, &engine, NULL), 0);
    assert_int_equal(config_finish(config, NULL), 0);
    return config;
}

/* What a reload from one text to another is told. */
static void
check(const char *before, const char *after, const char *expected)
{
    struct config *running = read_whole(before, NULL, NULL);
    assert_problems(running, "");
    struct config *fresh = read_whole(after, NULL, running);
    assert_int_equal(config_reload_check(running, fresh, NULL), 0);
    config_free(running); /* nothing of it is needed any more */
    assert_problems(fresh, expected);
    config_free(fresh);
}

#define CHANGED "has changed, which needs a restart; restart, or change it back\n"
#define GONE    "is gone, which needs a restart; restart, or put it back\n"
#define NEW     "is new, which needs a restart; restart, or remove it\n"
/* lines:  1         2       3 to 5        6                        7                         8 */
#define HEAD                                                                                       \
    "[manager]\nid = m1\nkey = " PEM_INI "[platform opencti]\nurl = https://octi\ntoken = t0\n"
#define TAIL "[backend engine]\nsocket = unix:///a\n"

static void
the_same_file_may_take_its_own_place(void **state)
{
    (void)state;
    check(HEAD TAIL, HEAD TAIL, "");
    check(HEAD TAIL, "# a comment\n" TAIL "plugin = engine\n" HEAD "backend = engine\n", "");
    check(OPENCTI, OPENCTI, "");
}

static void
what_can_change_may(void **state)
{
    (void)state;
    check(HEAD TAIL,
          "[manager]\nid = m1\nkey = " PEM_INI
          "interval = 1m\nping_interval = 2m\nmax_removals = 9\nremoval_confirmations = 1\n"
          "allow_remove_all = yes\n[log]\nlevel = debug\nformat = json\n"
          "file = /l\nmax_size = 1MiB\n"
          "[platform opencti]\nurl = https://octi/\ntoken = t1\nca_file = /ca\ntls_verify = no\n"
          "proxy = none\nno_proxy = a\nconnect_timeout = 1s\nrequest_timeout = 1s\n"
          "list_timeout = 1s\nlogs_interval = 1s\nlogs_lines = 1\nhealth_interval = 1s\n"
          "connector_url = http://o\nconnector_proxy = yes\nconnector_ca_file = /c\n" TAIL
          "start_timeout = 1s\nstop_timeout = 1s\npull_stall_timeout = 1s\npull_policy = never\n"
          "dns = 1.1.1.1\n[registry r.example]\nusername = u\npassword = p\n"
          "[connector c]\nimage = i\ndns = 8.8.8.8\n",
          "");
}

static void
what_cannot_is_told_line_by_line(void **state)
{
    (void)state;
    check(HEAD TAIL,
          "[manager]\nid = m2\nkey = -----BEGIN PRIVATE KEY-----\n  MIIC\n"
          "  -----END PRIVATE KEY-----\nname = Other\nconcurrency = 9\nstate_dir = /s\n"
          "plugin_path = /p\n[platform opencti]\nurl = https://other\ntoken = t0\n"
          "[backend engine]\nsocket = unix:///b\nhosts = a, b\n",
          "test.ini:2: [manager] id: " CHANGED "test.ini:3: [manager] key: " CHANGED
          "test.ini:6: [manager] name: " CHANGED "test.ini:7: [manager] concurrency: " CHANGED
          "test.ini:8: [manager] state_dir: " CHANGED "test.ini:9: [manager] plugin_path: " CHANGED
          "test.ini:11: [platform opencti] url: " CHANGED
          "test.ini:14: [backend engine] socket: " CHANGED
          "test.ini:15: [backend engine] hosts: " CHANGED);
    check("[platform local]\npath = /a\n[backend engine]\n",
          "[platform local]\npath = /b\n[backend engine]\nplugin = docker\n",
          "test.ini:2: [platform local] path: " CHANGED
          "test.ini:4: [backend engine] plugin: " CHANGED);
    check("[platform x]\nkind = local\npath = /a\n[backend a]\n[backend b]\n"
          "[platform y]\nkind = local\npath = /b\nbackend = a\n"
          "[platform x]\nbackend = a\n",
          "[manager]\nid = m\nkey = " PEM_INI "[platform x]\nkind = opencti\nurl = http://o\n"
          "token = t\nbackend = b\n[platform y]\nkind = local\npath = /b\nbackend = a\n"
          "[backend a]\n[backend b]\n",
          "test.ini:2: [manager] id: " CHANGED "test.ini:3: [manager] key: " CHANGED
          "test.ini:6: [platform x] path: " GONE "test.ini:7: [platform x] kind: " CHANGED
          "test.ini:8: [platform x] url: " CHANGED "test.ini:10: [platform x] backend: " CHANGED);
}

static void
lists_are_compared_item_by_item(void **state)
{
    (void)state;
    check(HEAD TAIL "hosts = a, b\n", HEAD TAIL "hosts = a\n  b\n", "");
    check(HEAD TAIL "hosts = a, b\n", HEAD TAIL "hosts = b, a\n",
          "test.ini:11: [backend engine] hosts: " CHANGED);
    check(HEAD TAIL "hosts = a, b\n", HEAD TAIL "hosts = a\n",
          "test.ini:11: [backend engine] hosts: " CHANGED);
    check(HEAD TAIL "hosts = a\n", HEAD TAIL, "test.ini:9: [backend engine] hosts: " GONE);
}

static void
no_secret_is_shown(void **state)
{
    (void)state;
    check(HEAD TAIL "api_key = old-secret\n", HEAD TAIL "api_key = new-secret\n",
          "test.ini:11: [backend engine] api_key: " CHANGED);
}

static void
platforms_and_backends_are_the_same_ones(void **state)
{
    (void)state;
    check("[platform local]\npath = /a\n[backend engine]\n",
          "[platform local]\npath = /a\n[platform x]\nkind = local\npath = /b\n[backend engine]\n",
          "test.ini:3: [platform x]: " NEW);
    check("[platform local]\npath = /a\n[platform x]\nkind = local\npath = /b\n[backend engine]\n",
          "[platform local]\npath = /a\n[backend engine]\n", "test.ini: [platform x]: " GONE);
    check("[platform local]\npath = /a\n[backend engine]\n",
          "[platform local]\npath = /a\n[backend other]\nplugin = engine\n",
          "test.ini:3: [backend other]: " NEW "test.ini: [platform local] backend: " CHANGED
          "test.ini: [backend engine]: " GONE);
}

static void
the_order_of_the_file_does_not_matter(void **state)
{
    (void)state;
#define X  "[platform x]\nkind = local\npath = /x\nbackend = a\n"
#define Y  "[platform y]\nkind = local\npath = /y\nbackend = b\n"
#define BA "[backend a]\nsocket = sa\n"
#define BB "[backend b]\nsocket = sb\n"
    struct config *running = read_whole(X Y BA BB, NULL, NULL);
    struct config *fresh = read_whole(BB BA Y X, NULL, running);
    assert_int_equal(config_reload_check(running, fresh, NULL), 0);
    assert_problems(fresh, "");
    static const char *const platforms[] = {"x", "y"}, *const backends[] = {"a", "b"};
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(config_platform(fresh, i)->name, platforms[i]);
        assert_int_equal(config_platform(fresh, i)->backend, i);
        assert_string_equal(config_backend(fresh, i)->name, backends[i]);
        const struct gantry_settings *s = config_backend_settings(fresh, i);
        assert_string_equal(s->section, backends[i]);
        assert_string_equal(s->values[0].text, i == 0 ? "sa" : "sb");
    }
    config_free(fresh);
    fresh = read_whole(BB BA X Y, NULL, NULL); /* not told what runs */
    assert_int_equal(config_reload_check(running, fresh, NULL), 0);
    assert_problems(
        fresh,
        "test.ini:1: [backend b]: stands in another place, which needs a restart; restart, or put "
        "it back\n"
        "test.ini:3: [backend a]: stands in another place, which needs a restart; restart, or put "
        "it back\n");
    config_free(fresh);
    config_free(running);
}

static void
a_file_that_is_wrong_is_told_by_its_own_problems(void **state)
{
    (void)state;
    check(HEAD TAIL, HEAD "interval = 10\n" TAIL "hosts = a\n",
          "test.ini:9: [platform opencti] interval: is a key of another section; move it to "
          "[manager]\n");
}

static void
the_environment_counts_as_well(void **state)
{
    (void)state;
    static const char *const before[] = {"HOME=/h", "ENGINE_HOST=tcp://a", "TOKEN=1", NULL};
    static const char *const after[] = {"HOME=/i",
                                        "ENGINE_HOST=tcp://b",
                                        "GANTRY__MANAGER__CONCURRENCY=9",
                                        "GANTRY__MANAGER__INTERVAL=1m",
                                        "TOKEN=2",
                                        NULL};
    static const char text[] = "[manager]\nid = m1\nkey = " PEM_INI
                               "[platform opencti]\nurl = https://octi\ntoken = env:TOKEN\n"
                               "[backend engine]\n";
    struct config *running = read_whole(text, before, NULL);
    struct config *fresh = read_whole(text, after, running);
    assert_int_equal(config_reload_check(running, fresh, NULL), 0);
    assert_problems(
        fresh, "test.ini: [manager] state_dir: " CHANGED "ENGINE_HOST: [backend engine] "
               "socket: " CHANGED "GANTRY__MANAGER__CONCURRENCY: [manager] concurrency: " CHANGED);
    assert_string_equal(secret_bytes(config_platform(running, 0)->token).ptr, "1");
    assert_string_equal(secret_bytes(config_platform(fresh, 0)->token).ptr, "2");
    config_free(running);
    config_free(fresh);
}

/* An id that was made up stays, though no file says it. */
static void
an_id_that_was_made_up_is_kept(void **state)
{
    (void)state;
    struct config *running = read_whole(SMALLEST, NULL, NULL);
    assert_int_equal(config_set_manager_id(running, "local-0123456789abcdef"), 0);
    struct config *fresh = read_whole(SMALLEST, NULL, running);
    assert_int_equal(config_reload_check(running, fresh, NULL), 0);
    assert_problems(fresh, "");
    struct config *third = read_whole("[manager]\nid = mine\n" SMALLEST, NULL, fresh);
    config_free(running);
    assert_string_equal(config_manager(fresh)->id, "local-0123456789abcdef");
    assert_int_equal(config_reload_check(fresh, third, NULL), 0);
    assert_problems(third, "test.ini:2: [manager] id: " CHANGED);
    config_free(fresh);
    config_free(third);
}

/* A secret's file is read again. */
static void
a_secret_behind_a_reference_is_read_again(void **state)
{
    (void)state;
    char path[] = "/tmp/gantry-token-XXXXXX", text[512];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "old\n", 0600);
    snprintf(text, sizeof text,
             "[manager]\nid = m1\nkey = " PEM_INI
             "[platform opencti]\nurl = https://octi\ntoken = file:%s\n[backend engine]\n"
             "api_key = file:%s\n",
             path, path);
    struct config *running = read_whole(text, NULL, NULL);
    write_file(path, "new\n", 0600);
    struct config *fresh = read_whole(text, NULL, running);
    assert_int_equal(config_reload_check(running, fresh, NULL), 0);
    assert_string_equal(secret_bytes(config_platform(fresh, 0)->token).ptr, "new");
    assert_problems(fresh, "test.ini:10: [backend engine] api_key: " CHANGED);
    config_free(running);
    config_free(fresh);
    unlink(path);
}

/* A promise to operators, which no row may break unseen. */
static void
these_keys_of_the_core_take_a_restart_and_no_others(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = BUF_INIT(1024);
    for (size_t i = 0; i < config_setting_count(); i++)
        if (config_setting(i).restart)
            buf_add_fmt(&b, "%s\n", config_setting(i).key);
    assert_lines(&b, "id\nname\nkey\nconcurrency\nstate_dir\nplugin_path\nkind\nbackend\n"
                     "url\npath\nplugin\ndrain\nisolation\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_file_may_take_its_own_place),
        cmocka_unit_test(what_can_change_may),
        cmocka_unit_test(what_cannot_is_told_line_by_line),
        cmocka_unit_test(lists_are_compared_item_by_item),
        cmocka_unit_test(no_secret_is_shown),
        cmocka_unit_test(platforms_and_backends_are_the_same_ones),
        cmocka_unit_test(the_order_of_the_file_does_not_matter),
        cmocka_unit_test(a_file_that_is_wrong_is_told_by_its_own_problems),
        cmocka_unit_test(the_environment_counts_as_well),
        cmocka_unit_test(an_id_that_was_made_up_is_kept),
        cmocka_unit_test(a_secret_behind_a_reference_is_read_again),
        cmocka_unit_test(these_keys_of_the_core_take_a_restart_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
