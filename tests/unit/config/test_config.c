/* A settings file from beginning to end: values, and every problem byte for byte. */
#include "config_test.h"

static void
the_smallest_files_are_enough(void **state)
{
    (void)state;
    struct config *config = read_text(OPENCTI, NULL);
    assert_problems(config, "");
    assert_warnings(config, "");
    assert_string_equal(config_manager(config)->id, "m1");
    assert_string_equal(config_manager(config)->key_origin, "[manager] key");
    assert_string_equal(secret_bytes(config_manager(config)->key).ptr, PEM);
    assert_string_equal(config_platform(config, 0)->url, "https://octi");
    assert_string_equal(config_platform(config, 0)->connector_url, "https://octi");
    assert_string_equal(secret_bytes(config_platform(config, 0)->token).ptr, "t0");
    assert_string_equal(config_backend(config, 0)->plugin, "docker");
    config_free(config);

    config = read_text(SMALLEST, NULL);
    assert_problems(config, "");
    assert_null(config_manager(config)->id);
    assert_null(config_manager(config)->key);
    assert_int_equal(config_set_manager_id(config, "local-0123456789abcdef"), 0);
    assert_string_equal(config_manager(config)->id, "local-0123456789abcdef");
    config_free(config);
}

static void
defaults_are_those_of_the_manual(void **state)
{
    (void)state;
    struct config *config = read_text(OPENCTI, NULL);
    const struct config_manager *m = config_manager(config);
    const struct config_platform *p = config_platform(config, 0);
    const struct config_backend *b = config_backend(config, 0);
    assert_string_equal(m->name, "Gantry");
    assert_int_equal(m->interval_ms, 10000);
    assert_int_equal(m->ping_interval_ms, 60000);
    assert_int_equal(m->concurrency, 8);
    assert_int_equal(m->max_removals, 3);
    assert_int_equal(m->removal_confirmations, 3);
    assert_false(m->allow_remove_all);
    assert_int_equal(m->plugin_path.count, 1);
    assert_string_equal(m->plugin_path.items[0], "/opt/plugins");
    assert_string_equal(m->state_dir, "/home/test/.local/state/gantry");
    assert_string_equal(config_log(config)->level, "info");
    assert_int_equal(config_log(config)->format, CONFIG_LOG_AUTO);
    assert_null(config_log(config)->file);
    assert_int_equal(config_log(config)->max_size_bytes, 10485760);
    assert_int_equal(config_log(config)->max_files, 5);
    assert_true(p->tls_verify);
    assert_null(p->proxy);
    assert_null(p->no_proxy);
    assert_int_equal(p->connect_timeout_ms, 10000);
    assert_int_equal(p->request_timeout_ms, 30000);
    assert_int_equal(p->list_timeout_ms, 120000);
    assert_int_equal(p->logs_interval_ms, 10000);
    assert_int_equal(p->logs_lines, 100);
    assert_int_equal(p->health_interval_ms, 30000);
    assert_false(p->connector_proxy);
    assert_true(p->connector_tls_reject_unauthorized);
    assert_int_equal(b->stop_timeout_ms, 10000);
    assert_int_equal(b->pull_stall_timeout_ms, 120000);
    assert_int_equal(b->pull_policy, GANTRY_PULL_IF_NOT_PRESENT);
    config_free(config);
}

static void
every_key_of_the_core_is_read(void **state)
{
    (void)state;
    struct config *config =
        read_text("[manager]\n"
                  "id = m-1\nname = My manager\nkey = " PEM_INI
                  "key_passphrase = pp\ninterval = 1m30s\nping_interval = 500ms\n"
                  "concurrency = 16\nstate_dir = /s\nplugin_path = /a, b\n  ./c\n"
                  "max_removals = 0\nremoval_confirmations = 9\n"
                  "allow_remove_all = on\n"
                  "[log]\nlevel = debug\nformat = json\nfile = l.log\n"
                  "max_size = 1MB\nmax_files = 2\n"
                  "[platform prod]\nkind = opencti\nbackend = two\nurl = http://h:1/x//\n"
                  "token = tt\nca_file = ca.pem\ntls_verify = off\nproxy = none\n"
                  "no_proxy = a, b\nno_proxy = c\nconnect_timeout = 1s\n"
                  "request_timeout = 2s\nlist_timeout = 3s\nlogs_interval = 4s\n"
                  "logs_lines = 5\nhealth_interval = 6s\nconnector_url = http://o\n"
                  "connector_proxy = yes\nconnector_http_proxy = http://u:p@x\n"
                  "connector_https_proxy = http://y\nconnector_no_proxy = z\n"
                  "connector_ca_file = /cca\nconnector_tls_verify = no\n"
                  "[platform files]\nkind = local\npath = conn\nbackend = one\n"
                  "[backend one]\nplugin = docker\nstart_timeout = 7s\nstop_timeout = 0s\n"
                  "pull_stall_timeout = 9s\npull_policy = always\nisolation = none\n"
                  "[backend two]\nplugin = podman\npull_policy = never\n"
                  "[registry docker.io]\nusername = u\npassword = p\n"
                  "[connector My connector]\nimage = i:1\n",
                  NULL);
    assert_problems(config, "");
    const struct config_manager *m = config_manager(config);
    assert_string_equal(secret_bytes(m->key_passphrase).ptr, "pp");
    assert_int_equal(m->interval_ms, 90000);
    assert_int_equal(m->ping_interval_ms, 500);
    assert_int_equal(m->max_removals, 0);
    assert_true(m->allow_remove_all);
    assert_int_equal(m->plugin_path.count, 3);
    assert_string_equal(m->plugin_path.items[0], "/a");
    AUTO_FREE char *working = getcwd(NULL, 0);
    AUTO_FREE char *c = file_join(working, "c");
    assert_string_equal(m->plugin_path.items[2], c);
    assert_int_equal(config_log(config)->format, CONFIG_LOG_JSON);
    assert_int_equal(config_log(config)->max_size_bytes, 1000000);
    const struct config_platform *p = config_platform(config, 0);
    assert_string_equal(p->name, "prod");
    assert_int_equal(p->backend, 1);
    assert_string_equal(p->url, "http://h:1/x");
    assert_false(p->tls_verify);
    assert_string_equal(p->proxy, "");
    assert_string_equal(p->no_proxy, "a,b,c");
    assert_int_equal(p->list_timeout_ms, 3000);
    assert_string_equal(p->connector_url, "http://o");
    assert_string_equal(p->connector_http_proxy, "http://u:p@x");
    assert_false(p->connector_tls_reject_unauthorized);
    assert_int_equal(config_platform(config, 1)->kind, CONFIG_PLATFORM_LOCAL);
    assert_int_equal(config_platform(config, 1)->backend, 0);
    assert_int_equal(config_backend(config, 0)->start_timeout_ms, 7000);
    assert_int_equal(config_backend(config, 0)->stop_timeout_ms, 0);
    assert_int_equal(config_backend(config, 0)->pull_policy, GANTRY_PULL_ALWAYS);
    assert_string_equal(config_backend(config, 1)->plugin, "podman");
    assert_int_equal(config_backend(config, 1)->pull_policy, GANTRY_PULL_NEVER);
    const struct config_override *o = config_override(config, "some-id", "My connector");
    assert_string_equal(o->image, "i:1");
    assert_true(o->backend == SIZE_MAX);
    assert_null(config_override(config, "some-id", "my connector"));
    config_free(config);
}

static void
all_problems_of_a_file_are_told_in_one_run(void **state)
{
    (void)state;
    check_text(
        "intervall = 5s\n"
        "[manager]\n"
        "id = has blanks\n"
        "intervall = 5s\n"
        "interval = 10\n"
        "ping_interval = 30000\n"
        "concurrency = 0\n"
        "allow_remove_all = 1\n"
        "max_removals = many\n"
        "name =\n"
        "[lgo]\n"
        "level = info\n"
        "[log]\n"
        "level = warning\n"
        "max_size = 10M\n"
        "max_size = 10MiB\n"
        "[platform opencti]\n"
        "url = opencti.example.org\n"
        "tokn = x\n"
        "backend = dokcer\n"
        "path = /x\n"
        "interval = 1s\n"
        "[backend docker]\n"
        "pull_policy = allways\n"
        "isolation = process\n"
        "[http]\n"
        "listen = :1\n"
        "[control]\n"
        "[platform other]\n"
        "[backend]\n"
        "[manager two]\n"
        "[connector x\n",
        "test.ini:1: the line stands before the first section; write [NAME] above it\n"
        "test.ini:2: [manager] key: is missing; add 'key = file:/etc/gantry/manager.pem'; 'gantry "
        "keygen "
        "FILE' makes one\n"
        "test.ini:3: [manager] id: must be 1 to 255 printable ASCII characters without blanks; "
        "write a "
        "UUID\n"
        "test.ini:4: [manager] intervall: unknown key; did you mean 'interval'?\n"
        "test.ini:5: [manager] interval: '10' has no unit; write 10s if that is meant\n"
        "test.ini:6: [manager] ping_interval: '30000' has no unit; write 30000ms if that is meant\n"
        "test.ini:7: [manager] concurrency: 0 is out of range; write 1 to 256\n"
        "test.ini:8: [manager] allow_remove_all: '1' is neither yes nor no; write yes or no\n"
        "test.ini:9: [manager] max_removals: 'many' is no whole number; write 0 to 1000000\n"
        "test.ini:10: [manager] name: is empty; give it a value, or remove it\n"
        "test.ini:11: [lgo]: unknown section; did you mean [log]?\n"
        "test.ini:14: [log] level: 'warning' is not known; write error, warn, info or debug "
        "(did you mean 'warn'?)\n"
        "test.ini:16: [log] max_size: is given twice, first in line 15; remove one of them\n"
        "test.ini:17: [platform opencti] token: is missing; add 'token = file:/etc/gantry/token'\n"
        "test.ini:18: [platform opencti] url: 'opencti.example.org' is no address; write http:// "
        "or "
        "https:// and the host\n"
        "test.ini:19: [platform opencti] tokn: unknown key; did you mean 'token'?\n"
        "test.ini:20: [platform opencti] backend: there is no [backend dokcer]; did you mean "
        "'docker'?\n"
        "test.ini:21: [platform opencti] path: is a key of platforms of kind local; remove it\n"
        "test.ini:22: [platform opencti] interval: is a key of another section; move it to "
        "[manager]\n"
        "test.ini:24: [backend docker] pull_policy: 'allways' is not known; write if-not-present, "
        "always or never (did you mean 'always'?)\n"
        "test.ini:25: [backend docker] isolation: 'process' is not available in this version; "
        "write none\n"
        "test.ini:26: [http]: is not available in this version; remove it\n"
        "test.ini:28: [control]: is not available in this version; remove it\n"
        "test.ini:29: [platform other] kind: is missing; add 'kind = opencti' or 'kind = local'\n"
        "test.ini:30: [backend]: needs a name; write [backend NAME], such as [backend docker]\n"
        "test.ini:31: [manager two]: takes no name; write [manager]\n"
        "test.ini:32: '[' is not closed; write [NAME]\n");
}

static void
an_empty_file_lacks_everything(void **state)
{
    (void)state;
    check_text(
        "",
        "test.ini: [manager] id: is missing; add 'id = UUID', with a UUID of its own: uuidgen "
        "makes "
        "one\n"
        "test.ini: [manager] key: is missing; add 'key = file:/etc/gantry/manager.pem'; 'gantry "
        "keygen FILE' makes one\n"
        "test.ini: there is no platform; add a section [platform opencti] or [platform local]\n"
        "test.ini: there is no backend; add a section such as [backend docker]\n");
}

static void
kinds_of_later_versions_are_refused(void **state)
{
    (void)state;
    check_text(
        "[platform connect]\n[platform x]\nkind = openaev\n[platform y]\nkind = opencty\n"
        "[backend docker]\n[manager]\nid = m\nkey = " PEM_INI,
        "test.ini:1: [platform connect] kind: 'connect' is not available in this version; write "
        "opencti, local or custom\n"
        "test.ini:3: [platform x] kind: 'openaev' is not available in this version; write opencti, "
        "local or custom\n"
        "test.ini:5: [platform y] kind: 'opencty' is not known; write opencti, local or custom "
        "(did "
        "you mean 'opencti'?)\n");
}

static void
a_platform_needs_exactly_one_backend(void **state)
{
    (void)state;
    check_text("[platform local]\npath = /c\n",
               "test.ini: there is no backend; add a section such as [backend docker]\n");
    check_text(
        "[platform local]\npath = /c\n[backend a]\n[backend b]\n",
        "test.ini:1: [platform local] backend: is missing; add 'backend = a': there are several\n");
}

static void
a_backend_that_is_drained_is_no_default(void **state)
{
    (void)state;
    struct config *config =
        read_text("[backend old]\nplugin = docker\ndrain = yes\n[platform local]\npath = /c\n"
                  "[backend docker]\n[connector c]\nbackend = docker\n",
                  NULL);
    assert_problems(config, "");
    assert_warnings(config, "");
    const struct config_backend *b = config_backend(config, config_platform(config, 0)->backend);
    assert_string_equal(b->name, "docker");
    assert_false(b->drain);
    assert_true(config_backend(config, 0)->drain);
    config_free(config);

    config = read_text("[platform local]\npath = /c\nbackend = old\n[backend old]\ndrain = on\n"
                       "[backend new]\n",
                       NULL);
    assert_problems(config, "");
    assert_warnings(config,
                    "test.ini:3: [platform local] backend: names a backend that is drained: "
                    "the connectors of this platform stay there\n");
    config_free(config);

    check_text("[platform local]\npath = /c\n[backend old]\ndrain = yes\n",
               "test.ini:1: [platform local] backend: is missing; add 'backend = NAME', or a "
               "[backend NAME] without 'drain = yes', which it is to use\n");
    check_text("[platform local]\npath = /c\n[backend old]\ndrain = maybe\n",
               "test.ini:4: [backend old] drain: 'maybe' is neither yes nor no; write yes or no\n");
    check_text("[platform local]\npath = /c\n[backend a]\n[backend b]\ndrain = yes\n"
               "[connector c]\nbackend = b\n",
               "test.ini:7: [connector c] backend: is not available in this version where there "
               "are several "
               "backends; remove it, and name the backend in the platform's section\n");
}

static void
a_backend_for_one_connector_is_refused_where_it_would_matter(void **state)
{
    (void)state;
    check_text(SMALLEST "[connector c]\nbackend = docker\n", "");
    check_text("[platform local]\npath = /c\nbackend = a\n[backend a]\n[backend b]\n[connector c]\n"
               "backend = b\n",
               "test.ini:7: [connector c] backend: is not available in this version where there "
               "are several "
               "backends; remove it, and name the backend in the platform's section\n");
}

static void
duplicates_and_stray_indents_are_errors(void **state)
{
    (void)state;
    check_text("[manager]\n  interval = 1s\n  ping_interval = 2s\n  name = x\nname = y\nname = "
               "z\n" SMALLEST,
               "test.ini:3: [manager] interval: this indented line would continue the value of "
               "line 2, which "
               "takes one line; remove the blanks before it\n"
               "test.ini:4: [manager] interval: this indented line would continue the value of "
               "line 2, which "
               "takes one line; remove the blanks before it\n"
               "test.ini:6: [manager] name: is given twice, first in line 5; remove one of them\n");
    check_text("[manager]\nname = x\n" SMALLEST "[manager]\nname = y\n",
               "test.ini:8: [manager] name: is given twice, first in line 2; remove one of them\n");
}

static void
values_that_look_right_are_checked_too(void **state)
{
    (void)state;
    check_text(
        "[manager]\nid = m\nkey = /etc/gantry/manager.pem\nold_keys = /x\n"
        "[platform opencti]\nurl = https://user:hunter2@host/\ntoken = a b\nproxy = proxy:3128\n"
        "connector_url = http://\nno_proxy = a,,b\n"
        "[registry r.example]\nusername = u\n[registry https://x]\n[backend my docker]\n"
        "[backend docker]\nplugin = ../evil\n[connector c]\nimage = a b\nbackend = none\n",
        "test.ini:3: [manager] key: is no key in PEM; write file:PATH, and make the file with "
        "'gantry "
        "keygen'\n"
        "test.ini:4: [manager] old_keys: each item must be file:PATH or env:NAME\n"
        "test.ini:6: [platform opencti] url: the address holds a user or password; remove what "
        "stands "
        "before '@'\n"
        "test.ini:7: [platform opencti] token: holds a blank or a line break; it must be the token "
        "alone, on one line\n"
        "test.ini:8: [platform opencti] proxy: is no proxy; write environment, none, or an address "
        "such "
        "as http://proxy.example.org:3128\n"
        "test.ini:9: [platform opencti] connector_url: 'http://' is no address; write it as "
        "https://HOST/PATH\n"
        "test.ini:10: [platform opencti] no_proxy: an item is empty; remove the comma too many\n"
        "test.ini:11: [registry r.example] password: is missing; add 'password = file:PATH'\n"
        "test.ini:13: [registry https://x]: 'https://x' is no registry; write its host, and its "
        "port if "
        "it has one, such as registry.example.org:5000\n"
        "test.ini:14: [backend my docker]: 'my docker' is no name; write letters, digits, '_', '.' "
        "and "
        "'-'\n"
        "test.ini:16: [backend docker] plugin: is no plugin's name; write small letters, digits "
        "and "
        "'-'\n"
        "test.ini:18: [connector c] image: is no image; write it without blanks, such as NAME:TAG\n"
        "test.ini:19: [connector c] backend: there is no [backend none]; add it, or name "
        "another\n");
}

static void
long_values_and_names_reach_the_settings_whole(void **state)
{
    (void)state;
    static char value[102401], name[248], text[120000];
    memset(value, 'x', sizeof value - 1);
    memset(name, 'n', sizeof name - 1);
    snprintf(text, sizeof text,
             "[manager]\nname = %s\n[connector %.240s]\nimage = %.2000s\n" SMALLEST, value, name,
             value);
    struct config *config = read_text(text, NULL);
    assert_problems(config, "");
    assert_string_equal(config_manager(config)->name, value);
    name[240] = '\0';
    assert_int_equal(strlen(config_override(config, name, NULL)->image), 2000);
    config_free(config);
}

static void
a_file_that_is_not_there_is_one_clear_line(void **state)
{
    (void)state;
    struct config_options options = {.path = "/nonexistent/gantry.ini"};
    struct config *config = NULL;
    struct gantry_error *err = NULL;
    assert_int_equal(config_read(&options, &config, &err), GANTRY_E_NOT_FOUND);
    assert_null(config);
    assert_string_equal(err_text(err),
                        "/nonexistent/gantry.ini: there is no such file; make it, or name another");
    err_clear(&err);
}

static void
other_rooms_can_add_problems(void **state)
{
    (void)state;
    struct config *config = read_text(OPENCTI, NULL);
    assert_int_equal(
        config_add_problem(config, "backend docker", NULL, "plugin does not load; why"), 0);
    assert_int_equal(config_add_problem(config, "manager", "key", "is not RSA; make one"), 0);
    assert_problems(config, "test.ini:3: [manager] key: is not RSA; make one\n"
                            "test.ini:9: [backend docker]: plugin does not load; why\n");
    config_free(config);
}

static void
registries_are_found_by_the_image(void **state)
{
    (void)state;
    struct config *config =
        read_text(SMALLEST "[registry docker.io]\nusername = hub\npassword = x\n"
                           "[registry r.example:5000]\nusername = own\npassword = y\n",
                  NULL);
    assert_problems(config, "");
    assert_string_equal(config_registry_for(config, "busybox")->username, "hub");
    assert_string_equal(config_registry_for(config, "opencti/connector:1")->username, "hub");
    assert_string_equal(config_registry_for(config, "index.docker.io/a/b")->username, "hub");
    assert_string_equal(config_registry_for(config, "R.example:5000/a/b:1")->username, "own");
    assert_null(config_registry_for(config, "r.example/a"));
    assert_null(config_registry_for(config, "localhost/a"));
    config_free(config);
}

static void
the_state_folder_follows_the_environment(void **state)
{
    static const struct {
        const char *variables[4];
        const char *folder;
    } cases[] = {
        {{"STATE_DIRECTORY=/var/lib/a:/var/lib/b", "XDG_STATE_HOME=/x", "HOME=/h"}, "/var/lib/a"},
        {{"XDG_STATE_HOME=/x", "HOME=/h"}, "/x/gantry"},
        {{"XDG_STATE_HOME=rel", "HOME=/h"}, "/h/.local/state/gantry"},
        {{"HOME=/"}, "/.local/state/gantry"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct config *config = read_text(SMALLEST, cases[i].variables);
        assert_string_equal(config_manager(config)->state_dir, cases[i].folder);
        config_free(config);
    }
    static const char *const none[] = {NULL};
    struct config *config = read_text(SMALLEST, none);
    if (geteuid() == 0)
        assert_string_equal(config_manager(config)->state_dir, "/var/lib/gantry");
    else
        assert_problems(config, "test.ini: [manager] state_dir: is missing; add 'state_dir = "
                                "/var/lib/gantry'\n");
    config_free(config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_files_are_enough),
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test(every_key_of_the_core_is_read),
        cmocka_unit_test(all_problems_of_a_file_are_told_in_one_run),
        cmocka_unit_test(an_empty_file_lacks_everything),
        cmocka_unit_test(kinds_of_later_versions_are_refused),
        cmocka_unit_test(a_platform_needs_exactly_one_backend),
        cmocka_unit_test(a_backend_that_is_drained_is_no_default),
        cmocka_unit_test(a_backend_for_one_connector_is_refused_where_it_would_matter),
        cmocka_unit_test(duplicates_and_stray_indents_are_errors),
        cmocka_unit_test(values_that_look_right_are_checked_too),
        cmocka_unit_test(long_values_and_names_reach_the_settings_whole),
        cmocka_unit_test(a_file_that_is_not_there_is_one_clear_line),
        cmocka_unit_test(other_rooms_can_add_problems),
        cmocka_unit_test(registries_are_found_by_the_image),
        cmocka_unit_test(the_state_folder_follows_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
