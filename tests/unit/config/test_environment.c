/* GANTRY__SECTION__KEY, and XTM Composer's names. */
#include "config_test.h"

static void
check_environment(const char *text, const char *const *variables, const char *expected)
{
    struct config *config = read_text(text, variables);
    assert_problems(config, expected);
    config_free(config);
}

static void
the_environment_wins_over_the_file(void **state)
{
    static const char *const variables[] = {"GANTRY__MANAGER__ID=from-env",
                                            "GANTRY__MANAGER__INTERVAL=7s",
                                            "GANTRY__PLATFORM_OPENCTI__TOKEN=env-token",
                                            "GANTRY__PLATFORM_OPENCTI__NO_PROXY=x, y",
                                            "GANTRY__BACKEND_DOCKER__STOP_TIMEOUT=3s",
                                            "GANTRY__LOG__LEVEL=debug",
                                            "HOME=/h",
                                            NULL};
    (void)state;
    struct config *config = read_text(OPENCTI, variables);
    assert_problems(config, "");
    assert_string_equal(config_manager(config)->id, "from-env");
    assert_int_equal(config_manager(config)->interval_ms, 7000);
    assert_string_equal(secret_bytes(config_platform(config, 0)->token).ptr, "env-token");
    assert_string_equal(config_platform(config, 0)->no_proxy, "x,y");
    assert_int_equal(config_backend(config, 0)->stop_timeout_ms, 3000);
    assert_string_equal(config_log(config)->level, "debug");
    config_free(config);
}

static void
no_file_is_needed(void **state)
{
    static const char *const variables[] = {"GANTRY__MANAGER__ID=m",
                                            "GANTRY__MANAGER__KEY=" PEM,
                                            "GANTRY__PLATFORM_OPENCTI__URL=http://o:8080",
                                            "GANTRY__PLATFORM_OPENCTI__TOKEN=env:REAL_TOKEN",
                                            "REAL_TOKEN=real",
                                            "GANTRY__BACKEND_DOCKER__PLUGIN=docker",
                                            "GANTRY__CONNECTOR_0D5C7F0E_4A52__IMAGE=i:2",
                                            "GANTRY__REGISTRY_R_EXAMPLE_ORG__USERNAME=u",
                                            "GANTRY__REGISTRY_R_EXAMPLE_ORG__PASSWORD=p",
                                            "HOME=/h",
                                            NULL};
    (void)state;
    struct config *config = read_text(NULL, variables);
    assert_problems(config, "");
    assert_string_equal(config_platform(config, 0)->name, "opencti");
    assert_string_equal(secret_bytes(config_platform(config, 0)->token).ptr, "real");
    assert_string_equal(config_backend(config, 0)->name, "docker");
    assert_string_equal(config_override(config, "0d5c7f0e-4a52", "n")->image, "i:2");
    assert_string_equal(config_registry_for(config, "r.example.org/a")->username, "u");
    assert_null(config_registry_for(config, "other.example.org/a"));
    config_free(config);
}

static void
sections_of_the_file_are_found_by_their_form(void **state)
{
    static const char *const variables[] = {"GANTRY__PLATFORM_MY_OCTI__INTERVAL=1s",
                                            "GANTRY__PLATFORM_MY_OCTI__LOGS_LINES=7",
                                            "GANTRY__CONNECTOR_A__B__IMAGE=i", "HOME=/h", NULL};
    (void)state;
    struct config *config =
        read_text("[platform my-octi]\nkind = opencti\nurl = http://o\ntoken = t\n"
                  "[backend docker]\n[manager]\nid = m\nkey = " PEM_INI "[connector a--b]\n",
                  variables);
    assert_problems(config,
                    "GANTRY__PLATFORM_MY_OCTI__INTERVAL: [platform my-octi] interval: is a key of "
                    "another section; move it to [manager]\n");
    assert_int_equal(config_platform_count(config), 1);
    assert_int_equal(config_platform(config, 0)->logs_lines, 7);
    assert_string_equal(config_override(config, "a--b", NULL)->image, "i");
    config_free(config);
}

static void
variables_are_checked_as_the_file_is(void **state)
{
    static const char *const variables[] = {"GANTRY__MANAGER__INTERVAL=10",
                                            "GANTRY__MANAGR__ID=x",
                                            "GANTRY__MANAGER=x",
                                            "GANTRY__HTTP__LISTEN=x",
                                            "GANTRY__PLATFORM_LOCAL__PATHH=x",
                                            "GANTRY__BACKEND__SOCKET=x",
                                            "GANTRY__BACKEND_A_B__STOP_TIMEOUT=1s",
                                            "GANTRY__MANAGER__NAME=\xff",
                                            "GANTRY__=x",
                                            "GANTRYX=1",
                                            "HOME=/h",
                                            NULL};
    (void)state;
    check_environment(
        SMALLEST "[backend a-b]\n[backend a.b]\n", variables,
        "test.ini:1: [platform local] backend: is missing; add 'backend = docker': there are "
        "several\n"
        "GANTRY__: names no key; write GANTRY__SECTION__KEY, such as GANTRY__MANAGER__ID\n"
        "GANTRY__BACKEND_A_B__STOP_TIMEOUT: may mean [backend a-b] or [backend a.b]; rename one of "
        "them, or "
        "set the key in the file\n"
        "GANTRY__BACKEND__SOCKET: [backend]: needs a name; write [backend NAME], such as [backend "
        "docker]\n"
        "GANTRY__HTTP__LISTEN: [http]: is not available in this version; remove it\n"
        "GANTRY__MANAGER: names no key; write GANTRY__SECTION__KEY, such as GANTRY__MANAGER__ID\n"
        "GANTRY__MANAGER__INTERVAL: [manager] interval: '10' has no unit; write 10s if that is "
        "meant\n"
        "GANTRY__MANAGER__NAME: [manager] name: is not UTF-8; write it as UTF-8\n"
        "GANTRY__MANAGR__ID: [managr]: unknown section; did you mean [manager]?\n"
        "GANTRY__PLATFORM_LOCAL__PATHH: [platform local] pathh: unknown key; did you mean "
        "'path'?\n");
}

static void
what_is_missing_is_told_as_a_variable_without_a_file(void **state)
{
    static const char *const variables[] = {"GANTRY__PLATFORM_OPENCTI__URL=http://o", "HOME=/h",
                                            NULL};
    (void)state;
    check_environment(
        NULL, variables,
        "environment: [manager] id: is missing; set GANTRY__MANAGER__ID, with a UUID of its own: "
        "uuidgen makes one\n"
        "environment: [manager] key: is missing; set GANTRY__MANAGER__KEY; 'gantry keygen FILE' "
        "makes one\n"
        "environment: [platform opencti] token: is missing; set "
        "GANTRY__PLATFORM_OPENCTI__TOKEN\n"
        "environment: there is no backend; add a section such as [backend docker]\n");
}

static void
xtm_composers_environment_is_enough(void **state)
{
    static const char *const variables[] = {
        "MANAGER__ID=composer-1",
        "MANAGER__NAME=Composer",
        "MANAGER__EXECUTE_SCHEDULE=15",
        "MANAGER__PING_ALIVE_SCHEDULE=90",
        "MANAGER__CREDENTIALS_KEY=" PEM,
        "MANAGER__LOGGER__LEVEL=trace",
        "MANAGER__LOGGER__FORMAT=json",
        "OPENCTI__ENABLE=true",
        "OPENAEV__ENABLE=false",
        "OPENCTI__URL=http://opencti:8080/",
        "OPENCTI__TOKEN=file:not-a-reference",
        "OPENCTI__UNSECURED_CERTIFICATE=True",
        "OPENCTI__WITH_PROXY=true",
        "OPENCTI__HTTP_PROXY=http://p:1",
        "OPENCTI__HTTPS_PROXY=",
        "OPENCTI__NO_PROXY=a,b",
        "OPENCTI__HTTPS_PROXY_CA=[\"/ca.pem\"]",
        "OPENCTI__HTTPS_PROXY_REJECT_UNAUTHORIZED=false",
        "OPENCTI__LOGS_SCHEDULE=20",
        "OPENCTI__REQUEST_TIMEOUT=40",
        "OPENCTI__CONNECT_TIMEOUT=5",
        "OPENCTI__DAEMON__SELECTOR=docker",
        "OPENCTI__DAEMON__REGISTRY__SERVER=https://reg.example/mirror/",
        "OPENCTI__DAEMON__REGISTRY__USERNAME=ru",
        "OPENCTI__DAEMON__REGISTRY__PASSWORD=rp",
        "OPENCTI__DAEMON__REGISTRY__EMAIL=e@x",
        "HOME=/h",
        NULL};
    (void)state;
    struct config *config = read_text(NULL, variables);
    assert_problems(config, "");
    assert_warnings(config, "");
    const struct config_manager *m = config_manager(config);
    const struct config_platform *p = config_platform(config, 0);
    assert_string_equal(m->id, "composer-1");
    assert_string_equal(m->name, "Composer");
    assert_int_equal(m->interval_ms, 15000);
    assert_int_equal(m->ping_interval_ms, 90000);
    assert_string_equal(secret_bytes(m->key).ptr, PEM);
    assert_string_equal(config_log(config)->level, "debug");
    assert_int_equal(config_log(config)->format, CONFIG_LOG_JSON);
    assert_string_equal(p->url, "http://opencti:8080");
    assert_string_equal(secret_bytes(p->token).ptr, "file:not-a-reference");
    assert_false(p->tls_verify);
    assert_true(p->connector_proxy);
    assert_string_equal(p->connector_http_proxy, "http://p:1");
    assert_null(p->connector_https_proxy);
    assert_string_equal(p->connector_no_proxy, "a,b");
    assert_string_equal(p->connector_ca_file, "/ca.pem");
    assert_false(p->connector_tls_reject_unauthorized);
    assert_int_equal(p->logs_interval_ms, 20000);
    assert_int_equal(p->request_timeout_ms, 40000);
    assert_int_equal(p->connect_timeout_ms, 5000);
    assert_int_equal(config_backend_count(config), 1);
    assert_string_equal(config_backend(config, 0)->plugin, "docker");
    assert_string_equal(config_registry_prefix(config, 0), "reg.example/mirror");
    const struct config_registry *r = config_registry_for(config, "reg.example/mirror/a:1");
    assert_string_equal(r->username, "ru");
    assert_string_equal(secret_bytes(r->password).ptr, "rp");
    config_free(config);
}

static void
gantrys_own_names_win_over_composers(void **state)
{
    static const char *const variables[] = {"MANAGER__ID=theirs",
                                            "OPENCTI__URL=http://theirs",
                                            "OPENCTI__LOGS_SCHEDULE=33",
                                            "OPENCTI__DAEMON__SELECTOR=swarm",
                                            "GANTRY__MANAGER__NAME=ours",
                                            "MANAGER__NAME=theirs",
                                            "HOME=/h",
                                            NULL};
    (void)state;
    struct config *config = read_text(OPENCTI, variables);
    assert_problems(config, "");
    assert_string_equal(config_manager(config)->id, "m1");
    assert_string_equal(config_manager(config)->name, "ours");
    assert_string_equal(config_platform(config, 0)->url, "https://octi");
    assert_int_equal(config_platform(config, 0)->logs_interval_ms, 33000);
    config_free(config);

    config = read_text(SMALLEST, variables); /* platforms are not silent: theirs is not added */
    assert_problems(config, "");
    assert_int_equal(config_platform_count(config), 1);
    config_free(config);
}

static void
what_composer_has_and_this_version_lacks_is_refused(void **state)
{
    static const char *const none[] = {"MANAGER__ID=m",
                                       "MANAGER__CREDENTIALS_KEY=" PEM,
                                       "OPENCTI__URL=http://o",
                                       "OPENCTI__TOKEN=t",
                                       "OPENAEV__ENABLE=true",
                                       "HOME=/h",
                                       NULL};
    static const char *const kubernetes[] = {"MANAGER__ID=m",
                                             "MANAGER__CREDENTIALS_KEY=" PEM,
                                             "OPENCTI__URL=http://o",
                                             "OPENCTI__TOKEN=t",
                                             "OPENCTI__DAEMON__SELECTOR=kubernetes",
                                             "OPENCTI__HTTPS_PROXY_CA=[\"/a\",\"/b\"]",
                                             "MANAGER__EXECUTE_SCHEDULE=soon",
                                             "OPENCTI__WITH_PROXY=maybe",
                                             "HOME=/h",
                                             NULL};
    (void)state;
    check_environment(
        NULL, none,
        "OPENAEV__ENABLE: OpenAEV is not available in this version; set it to false\n"
        "OPENCTI__DAEMON__SELECTOR: is not set, which means kubernetes, and that is not available "
        "in this version; set it to docker, portainer or swarm\n");
    check_environment(
        NULL, kubernetes,
        "MANAGER__EXECUTE_SCHEDULE: [manager] interval: 'soon' is no duration; write one such as "
        "500ms, 10s, 5m, 2h or 1h30m\n"
        "OPENCTI__DAEMON__SELECTOR: kubernetes is not available in this version; set it to "
        "docker, portainer or swarm\n"
        "OPENCTI__HTTPS_PROXY_CA: [platform opencti] connector_ca_file: must be the path of one "
        "file; put all certificates into one PEM file and name it\n"
        "OPENCTI__WITH_PROXY: [platform opencti] connector_proxy: 'maybe' is neither yes nor no; "
        "write yes or no\n");
}

static void
what_has_no_effect_is_warned_about(void **state)
{
    static const char *const variables[] = {"MANAGER__ID=m",
                                            "MANAGER__CREDENTIALS_KEY=" PEM,
                                            "OPENCTI__URL=http://o",
                                            "OPENCTI__TOKEN=t",
                                            "OPENCTI__DAEMON__SELECTOR=docker",
                                            "MANAGER__LOGGER__DIRECTORY=true",
                                            "OPENCTI__UNSECURED_CERTIFICAT=true",
                                            "HOME=/h",
                                            NULL};
    (void)state;
    struct config *config = read_text(NULL, variables);
    assert_problems(config, "");
    assert_warnings(
        config, "MANAGER__LOGGER__DIRECTORY: has no effect: the log goes to standard error; set "
                "GANTRY__LOG__FILE for a file\n"
                "OPENCTI__UNSECURED_CERTIFICAT: is not known; did you mean "
                "OPENCTI__UNSECURED_CERTIFICATE?\n");
    config_free(config);
}

static void
composers_key_file_wins_over_its_key(void **state)
{
    const char *path = GANTRY_BINARY_DIR "/tests/config-composer.pem";
    (void)state;
    write_file(path, PEM, 0600);
    AUTO_BUF struct buf b = BUF_INIT(4096);
    buf_add_fmt(&b, "MANAGER__CREDENTIALS_KEY_FILEPATH=%s", path);
    const char *const variables[] = {buf_text(&b), "MANAGER__CREDENTIALS_KEY=other", "HOME=/h",
                                     NULL};
    struct config *config = read_text(SMALLEST, variables);
    assert_problems(config, "");
    AUTO_BUF struct buf origin = BUF_INIT(4096);
    buf_add_fmt(&origin, "file '%s'", path);
    assert_string_equal(config_manager(config)->key_origin, buf_text(&origin));
    assert_int_equal(secret_bytes(config_manager(config)->key).len, strlen(PEM) - 1);
    config_free(config);
    unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_wins_over_the_file),
        cmocka_unit_test(no_file_is_needed),
        cmocka_unit_test(sections_of_the_file_are_found_by_their_form),
        cmocka_unit_test(variables_are_checked_as_the_file_is),
        cmocka_unit_test(what_is_missing_is_told_as_a_variable_without_a_file),
        cmocka_unit_test(xtm_composers_environment_is_enough),
        cmocka_unit_test(gantrys_own_names_win_over_composers),
        cmocka_unit_test(what_composer_has_and_this_version_lacks_is_refused),
        cmocka_unit_test(what_has_no_effect_is_warned_about),
        cmocka_unit_test(composers_key_file_wins_over_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
