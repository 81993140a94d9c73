/* A plugin's table of settings against [backend] and [connector] sections. */
#include "config_test.h"

static const char *const modes[] = {"bridge", "host", "none", NULL};

#define ROW(name, kind, where, ...)                                                                \
    {                                                                                              \
        .size = sizeof(struct gantry_setting), .type = GANTRY_TYPE_##kind,                         \
        .scope = GANTRY_SCOPE_##where, .key = name, .help = "a setting", __VA_ARGS__               \
    }

static const struct gantry_setting engine_settings[] = {
    ROW("socket", STRING, BACKEND, .fallback = "unix:///run/e.sock", .environment = "ENGINE_HOST"),
    ROW("tls", BOOL, BACKEND, .fallback = "no", .environment = "ENGINE_TLS"),
    ROW("api_key", SECRET, BACKEND),
    ROW("cert", PATH, BACKEND),
    ROW("retries", INTEGER, BACKEND),
    ROW("wait", DURATION, BACKEND),
    ROW("network_mode", CHOICE, WORKLOAD, .choices = modes),
    ROW("cpus", NUMBER, WORKLOAD),
    ROW("memory", SIZE, WORKLOAD, .fallback = "64MiB"),
    ROW("cap_add", LIST, WORKLOAD),
    ROW("sysctls", MAP, WORKLOAD),
    ROW("privileged", BOOL, WORKLOAD, .fallback = "no"),
};
static const struct gantry_setting other_settings[] = {
    ROW("endpoint", STRING, BACKEND, .flags = GANTRY_SETTING_REQUIRED),
    ROW("stack", STRING, WORKLOAD),
};
static const struct gantry_plugin engine = {GANTRY_PLUGIN_HEAD, .name = "engine",
                                            GANTRY_SETTINGS(engine_settings)};
static const struct gantry_plugin other = {GANTRY_PLUGIN_HEAD, .name = "other",
                                           GANTRY_SETTINGS(other_settings)};

static struct config *
bind_all(const char *text, const char *const *variables)
{
    struct config *config = read_text(text, variables);
    for (size_t i = 0; i < config_backend_count(config); i++) {
        bool is_engine = strcmp(config_backend(config, i)->plugin, "engine") == 0;
        assert_int_equal(config_bind(config, i, is_engine ? &engine : &other, NULL), 0);
    }
    assert_int_equal(config_finish(config, NULL), 0);
    return config;
}

static const struct gantry_value *
find(const struct gantry_settings *settings, const char *key)
{
    for (uint32_t i = 0; i < settings->count; i++) {
        const struct gantry_value *value =
            GANTRY_AT(struct gantry_value, settings->values, settings->stride, i);
        if (strcmp(value->key, key) == 0)
            return value;
    }
    return NULL;
}

static void
every_type_is_normalised(void **state)
{
    (void)state;
    struct config *config =
        bind_all("[platform local]\npath = /c\n[backend engine]\n"
                 "socket = tcp://h:1\ntls = yes\napi_key = k1\ncert = c.pem\n"
                 "retries = -3\nwait = 1m\nnetwork_mode = host\ncpus = 0.5\n"
                 "memory = 1GiB\ncap_add = A, B\n  C\nsysctls = a=1\nsysctls = b=x=2\n",
                 NULL);
    assert_problems(config, "");
    const struct gantry_settings *b = config_backend_settings(config, 0);
    const struct gantry_settings *w = config_workload_settings(config, 0, "id", "name");
    assert_string_equal(b->section, "engine");
    assert_int_equal(b->count, 12); /* the workloads' defaults too */
    assert_string_equal(find(b, "network_mode")->text, "host");
    assert_int_equal(w->count, 6);
    assert_string_equal(find(b, "socket")->text, "tcp://h:1");
    assert_int_equal(find(b, "socket")->given, 1);
    assert_int_equal(find(b, "tls")->number, 1);
    assert_string_equal(find(b, "api_key")->text, "k1");
    AUTO_FREE char *working = getcwd(NULL, 0);
    AUTO_FREE char *cert = file_join(working, "c.pem");
    assert_string_equal(find(b, "cert")->text, cert);
    assert_int_equal(find(b, "retries")->number, -3);
    assert_int_equal(find(b, "wait")->number, 60000);
    assert_string_equal(find(w, "network_mode")->text, "host");
    assert_string_equal(find(w, "cpus")->text, "0.5");
    assert_int_equal(find(w, "memory")->number, 1073741824);
    assert_int_equal(find(w, "cap_add")->item_count, 3);
    assert_string_equal(find(w, "cap_add")->items[2], "C");
    assert_string_equal(find(w, "cap_add")->text, "");
    assert_int_equal(find(w, "sysctls")->item_count, 2);
    assert_string_equal(find(w, "sysctls")->items[1], "b=x=2");
    assert_int_equal(find(w, "privileged")->number, 0);
    assert_int_equal(find(w, "privileged")->given, 0);
    config_free(config);
}

static void
what_was_not_given_is_absent_or_the_default(void **state)
{
    (void)state;
    struct config *config = bind_all("[platform local]\npath = /c\n[backend engine]\n", NULL);
    const struct gantry_settings *b = config_backend_settings(config, 0);
    assert_string_equal(find(b, "socket")->text, "unix:///run/e.sock");
    assert_int_equal(find(b, "socket")->given, 0);
    assert_null(find(b, "api_key"));
    assert_int_equal(find(b, "memory")->given, 0);
    assert_int_equal(find(config_workload_settings(config, 0, "i", "n"), "memory")->number,
                     67108864);
    config_free(config);
}

static void
a_connectors_section_overrides_its_backends(void **state)
{
    (void)state;
    struct config *config =
        bind_all("[platform local]\npath = /c\n[backend engine]\nmemory = 1GiB\n"
                 "cap_add = A\n[connector one]\nmemory = 2GiB\ncpus = 2\n"
                 "[connector two]\nimage = i\n",
                 NULL);
    assert_problems(config, "");
    const struct gantry_settings *one = config_workload_settings(config, 0, "id-1", "one");
    assert_int_equal(find(one, "memory")->number, INT64_C(2) << 30);
    assert_string_equal(find(one, "cpus")->text, "2");
    assert_string_equal(find(one, "cap_add")->items[0], "A");
    assert_int_equal(one->count, 4);
    assert_int_equal(find(config_workload_settings(config, 0, "two", "x"), "memory")->number,
                     1 << 30);
    assert_int_equal(find(config_workload_settings(config, 0, "z", "z"), "memory")->number,
                     1 << 30);
    config_free(config);
}

static void
a_plugins_variable_is_read_where_nothing_is_given(void **state)
{
    static const char *const variables[] = {"ENGINE_HOST=tcp://env:1", "ENGINE_TLS=1", "HOME=/h",
                                            NULL};
    (void)state;
    struct config *config = bind_all("[platform local]\npath = /c\n[backend engine]\n", variables);
    assert_problems(config, "");
    assert_string_equal(find(config_backend_settings(config, 0), "socket")->text, "tcp://env:1");
    assert_int_equal(find(config_backend_settings(config, 0), "tls")->number, 1);
    config_free(config);
    config = bind_all("[platform local]\npath = /c\n[backend engine]\nsocket = tcp://file:1\n",
                      variables);
    assert_string_equal(find(config_backend_settings(config, 0), "socket")->text, "tcp://file:1");
    config_free(config);
}

static void
every_problem_names_its_line(void **state)
{
    (void)state;
    struct config *config = bind_all(
        "[platform local]\npath = /c\nbackend = engine\n"
        "[backend engine]\nsocet = x\nendpoint = y\ntls = 1\nretries = x\nwait = 5\n"
        "network_mode = hots\ncpus = two\nmemory = 64M\nsysctls = a\nsocket = a\nsocket = b\n"
        "max_removals = 3\nzzzzzz = 1\n"
        "[backend two]\nplugin = other\n"
        "[connector c]\nsocket = x\nmemroy = 1GiB\nmemory = 1\nqqqqqq = 1\n"
        "[connector d]\nbackend = two\nmemory = 1GiB\nstack = s\n",
        NULL);
    assert_problems(
        config,
        "test.ini:5: [backend engine] socet: unknown key; did you mean 'socket'?\n"
        "test.ini:6: [backend engine] endpoint: is a key of plugin 'other', not of this one; "
        "remove it\n"
        "test.ini:7: [backend engine] tls: '1' is neither yes nor no; write yes or no\n"
        "test.ini:8: [backend engine] retries: 'x' is no whole number; write one such as 8\n"
        "test.ini:9: [backend engine] wait: '5' has no unit; write 5s if that is meant\n"
        "test.ini:10: [backend engine] network_mode: 'hots' is not known; write bridge, host or "
        "none (did you "
        "mean 'host'?)\n"
        "test.ini:11: [backend engine] cpus: 'two' is no number; write one such as 2 or 0.5\n"
        "test.ini:12: [backend engine] memory: '64M' is no size; write 64MiB\n"
        "test.ini:13: [backend engine] sysctls: is a list of KEY=VALUE; write each item so\n"
        "test.ini:15: [backend engine] socket: is given twice, first in line 14; remove one of "
        "them\n"
        "test.ini:16: [backend engine] max_removals: is a key of another section; move it to "
        "[manager]\n"
        "test.ini:17: [backend engine] zzzzzz: unknown key; 'gantry plugin info engine' lists the "
        "known "
        "ones\n"
        "test.ini:18: [backend two] endpoint: is missing; add 'endpoint = ...'\n"
        "test.ini:21: [connector c] socket: is a setting of the whole backend; move it to [backend "
        "engine]\n"
        "test.ini:22: [connector c] memroy: unknown key; did you mean 'memory'?\n"
        "test.ini:23: [connector c] memory: '1' has no unit; write 1MiB if that is meant\n"
        "test.ini:24: [connector c] qqqqqq: unknown key; remove it, or correct its name\n"
        "test.ini:26: [connector d] backend: is not available in this version where there are "
        "several "
        "backends; remove it, and name the backend in the platform's section\n"
        "test.ini:27: [connector d] memory: is a key of plugin 'engine', not of this one; remove "
        "it\n");
    config_free(config);
}

static void
one_mistake_is_told_once_for_two_backends_of_a_plugin(void **state)
{
    (void)state;
    struct config *config = bind_all(
        "[platform local]\npath = /c\nbackend = a\n[backend a]\nplugin = engine\n[backend b]\n"
        "plugin = engine\n[connector c]\nmemory = 1\n",
        NULL);
    assert_problems(
        config, "test.ini:9: [connector c] memory: '1' has no unit; write 1MiB if that is meant\n");
    config_free(config);
}

static void
composers_engine_options_reach_the_plugin(void **state)
{
    static const struct gantry_setting settings[] = {
        ROW("network_mode", STRING, WORKLOAD), ROW("privileged", BOOL, WORKLOAD),
        ROW("shm_size", SIZE, WORKLOAD),       ROW("dns", LIST, WORKLOAD),
        ROW("cap_add", LIST, WORKLOAD),        ROW("ulimits", LIST, WORKLOAD),
    };
    static const struct gantry_plugin docker = {GANTRY_PLUGIN_HEAD, .name = "docker",
                                                GANTRY_SETTINGS(settings)};
    static const char *const variables[] = {
        "MANAGER__ID=m",
        "MANAGER__CREDENTIALS_KEY=" PEM,
        "OPENCTI__URL=http://o",
        "OPENCTI__TOKEN=t",
        "OPENCTI__DAEMON__SELECTOR=docker",
        "OPENCTI__DAEMON__DOCKER__NETWORK_MODE=octi_default",
        "OPENCTI__DAEMON__DOCKER__PRIVILEGED=True",
        "OPENCTI__DAEMON__DOCKER__SHM_SIZE=67108864",
        "OPENCTI__DAEMON__DOCKER__DNS=[\"1.1.1.1\", \"8.8.8.8\"]",
        "OPENCTI__DAEMON__DOCKER__CAP_ADD__1=B",
        "OPENCTI__DAEMON__DOCKER__CAP_ADD__0=A",
        "OPENCTI__DAEMON__DOCKER__ULIMITS__0__NAME=nofile",
        "OPENCTI__DAEMON__DOCKER__ULIMITS__0__SOFT=1",
        "OPENCTI__DAEMON__DOCKER__ULIMITS__0__HARD=2",
        "HOME=/h",
        NULL};
    (void)state;
    struct config *config = read_text(NULL, variables);
    assert_int_equal(config_bind(config, 0, &docker, NULL), 0);
    assert_int_equal(config_finish(config, NULL), 0);
    assert_problems(config, "");
    const struct gantry_settings *w = config_workload_settings(config, 0, "i", "n");
    assert_string_equal(find(w, "network_mode")->text, "octi_default");
    assert_int_equal(find(w, "privileged")->number, 1);
    assert_int_equal(find(w, "shm_size")->number, 67108864);
    assert_int_equal(find(w, "dns")->item_count, 2);
    assert_string_equal(find(w, "dns")->items[1], "8.8.8.8");
    assert_int_equal(find(w, "cap_add")->item_count, 2);
    assert_string_equal(find(w, "cap_add")->items[0], "A");
    assert_string_equal(find(w, "ulimits")->items[0], "nofile=1:2");
    config_free(config);
}

static void
composers_portainer_is_understood(void **state)
{
    static const struct gantry_setting settings[] = {
        ROW("url", STRING, BACKEND),           ROW("api_key", SECRET, BACKEND),
        ROW("environment", STRING, BACKEND),   ROW("stack", STRING, BACKEND),
        ROW("network_mode", STRING, WORKLOAD),
    };
    static const struct gantry_plugin portainer = {GANTRY_PLUGIN_HEAD, .name = "portainer",
                                                   GANTRY_SETTINGS(settings)};
    static const char *const variables[] = {
        "MANAGER__ID=m",
        "MANAGER__CREDENTIALS_KEY=" PEM,
        "OPENCTI__URL=http://o",
        "OPENCTI__TOKEN=t",
        "OPENCTI__DAEMON__SELECTOR=portainer",
        "OPENCTI__DAEMON__PORTAINER__API=https://portainer:9443",
        "OPENCTI__DAEMON__PORTAINER__API_KEY=env:NOT_A_REFERENCE",
        "OPENCTI__DAEMON__PORTAINER__ENV_ID=3",
        "OPENCTI__DAEMON__PORTAINER__ENV_TYPE=docker",
        "OPENCTI__DAEMON__PORTAINER__API_VERSION=v1.41",
        "OPENCTI__DAEMON__PORTAINER__STACK=connectors",
        "OPENCTI__DAEMON__PORTAINER__NETWORK_MODE=octi_default",
        "OPENCTI__DAEMON__DOCKER__NETWORK_MODE=of_docker",
        "HOME=/h",
        NULL};
    (void)state;
    struct config *config = read_text(NULL, variables);
    assert_string_equal(config_backend(config, 0)->plugin, "portainer");
    assert_int_equal(config_bind(config, 0, &portainer, NULL), 0);
    assert_int_equal(config_finish(config, NULL), 0);
    assert_problems(config, "");
    const struct gantry_settings *b = config_backend_settings(config, 0);
    assert_string_equal(find(b, "url")->text, "https://portainer:9443");
    assert_string_equal(find(b, "api_key")->text, "env:NOT_A_REFERENCE");
    assert_string_equal(find(b, "environment")->text, "3");
    assert_string_equal(find(b, "stack")->text, "connectors");
    const struct gantry_settings *w = config_workload_settings(config, 0, "i", "n");
    assert_string_equal(find(w, "network_mode")->text, "octi_default");
    config_free(config);
}

static void
composers_swarm_is_understood(void **state)
{
    static const struct gantry_setting settings[] = {
        ROW("network", LIST, WORKLOAD),
        ROW("memory", SIZE, WORKLOAD),
        ROW("cpus", NUMBER, WORKLOAD),
        ROW("memory_reservation", SIZE, WORKLOAD),
        ROW("cpus_reservation", NUMBER, WORKLOAD),
        ROW("restart_delay", DURATION, WORKLOAD),
        ROW("placement_constraints", LIST, WORKLOAD),
    };
    static const struct gantry_plugin swarm = {GANTRY_PLUGIN_HEAD, .name = "swarm",
                                               GANTRY_SETTINGS(settings)};
    static const char *const variables[] = {
        "MANAGER__ID=m",
        "MANAGER__CREDENTIALS_KEY=" PEM,
        "OPENCTI__URL=http://o",
        "OPENCTI__TOKEN=t",
        "OPENCTI__DAEMON__SELECTOR=swarm",
        "OPENCTI__DAEMON__SWARM__NETWORK=opencti_default",
        "OPENCTI__DAEMON__SWARM__RESOURCES__CPU_LIMIT=1500000000",
        "OPENCTI__DAEMON__SWARM__RESOURCES__CPU_RESERVATION=250000000",
        "OPENCTI__DAEMON__SWARM__RESOURCES__MEMORY_LIMIT=536870912",
        "OPENCTI__DAEMON__SWARM__RESOURCES__MEMORY_RESERVATION=268435456",
        "OPENCTI__DAEMON__SWARM__STOP_GRACE_PERIOD=30000000000",
        "OPENCTI__DAEMON__SWARM__RESTART_DELAY=5000000000",
        "OPENCTI__DAEMON__SWARM__PLACEMENT_CONSTRAINTS__0=node.role==worker",
        "HOME=/h",
        NULL};
    (void)state;
    struct config *config = read_text(NULL, variables);
    assert_string_equal(config_backend(config, 0)->plugin, "swarm");
    assert_int_equal(config_bind(config, 0, &swarm, NULL), 0);
    assert_int_equal(config_finish(config, NULL), 0);
    assert_problems(config, "");
    assert_int_equal(config_backend(config, 0)->stop_timeout_ms, 30000);
    const struct gantry_settings *w = config_workload_settings(config, 0, "i", "n");
    assert_string_equal(find(w, "network")->items[0], "opencti_default");
    assert_string_equal(find(w, "cpus")->text, "1.500000000");
    assert_string_equal(find(w, "cpus_reservation")->text, "0.250000000");
    assert_int_equal(find(w, "memory")->number, 536870912);
    assert_int_equal(find(w, "memory_reservation")->number, 268435456);
    assert_int_equal(find(w, "restart_delay")->number, 5000);
    assert_string_equal(find(w, "placement_constraints")->items[0], "node.role==worker");
    config_free(config);
}

static void
an_unbound_backend_is_not_judged(void **state)
{
    (void)state;
    struct config *config =
        read_text("[platform local]\npath = /c\n[backend engine]\nanything = x\n"
                  "[connector c]\nanything = x\n",
                  NULL);
    assert_int_equal(config_finish(config, NULL), 0);
    assert_problems(config, "");
    assert_int_equal(config_backend_settings(config, 0)->count, 0);
    config_free(config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_normalised),
        cmocka_unit_test(what_was_not_given_is_absent_or_the_default),
        cmocka_unit_test(a_connectors_section_overrides_its_backends),
        cmocka_unit_test(a_plugins_variable_is_read_where_nothing_is_given),
        cmocka_unit_test(every_problem_names_its_line),
        cmocka_unit_test(one_mistake_is_told_once_for_two_backends_of_a_plugin),
        cmocka_unit_test(composers_engine_options_reach_the_plugin),
        cmocka_unit_test(composers_portainer_is_understood),
        cmocka_unit_test(composers_swarm_is_understood),
        cmocka_unit_test(an_unbound_backend_is_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
