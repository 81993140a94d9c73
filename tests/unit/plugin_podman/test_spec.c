/* What Podman is told: a specification as libpod has it. */
#include "fake_engine.h"
#include "podman.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define VALUE(k, t, n)                                                                             \
    {                                                                                              \
        .size = sizeof(struct gantry_value), .given = 1, .key = (k), .text = (t), .number = (n)    \
    }
#define LIST(k, list)                                                                              \
    {                                                                                              \
        .size = sizeof(struct gantry_value), .given = 1, .key = (k), .text = "", .items = (list),  \
        .item_count = (uint32_t)COUNT(list)                                                        \
    }

static struct gantry_settings
settings_of(const struct gantry_value *values, uint32_t count)
{
    return (struct gantry_settings){.size = sizeof(struct gantry_settings),
                                    .count = count,
                                    .stride = sizeof *values,
                                    .values = values};
}

/* The options as a tree; the mounts with them. */
static cJSON *
written(const struct gantry_value *values, uint32_t count)
{
    struct gantry_settings settings = settings_of(values, count);
    const struct gantry_spec spec = {.size = sizeof spec, .settings = &settings};
    char problem[400] = "";
    AUTO_TEXT json = TEXT(1 << 16);
    if (!podman_check(&settings, problem, sizeof problem))
        fail_msg("%s", problem);
    text_add(&json, "{\"first\":1");
    podman_write_options(&json, &settings);
    podman_write_mounts(&json, &spec);
    text_add(&json, "}");
    cJSON *tree = cJSON_Parse(text_cstr(&json));
    if (!tree)
        fail_msg("no JSON: %s", text_cstr(&json));
    return tree;
}

static void
assert_member(const cJSON *tree, const char *path, const char *expected)
{
    char *text = cJSON_PrintUnformatted(json_at(tree, path));
    if (!text || strcmp(text, expected) != 0)
        fail_msg("%s is %s, not %s", path, text ? text : "missing", expected);
    free(text);
}

static void
options_are_written_as_libpod_has_them(void **state)
{
    static const char *const ulimits[] = {"nofile=100:200", "core=-1"},
                             *const tmpfs[] = {"/run", "/tmp:size=1m,mode=1777"};
    static const char *const volumes[] = {"/srv:/data:ro", "kept:/kept"}, *const sysctls[] = {
                                                                              "kernel.x=1 2"};
    static const char *const security[] = {"label=disable", "apparmor=one",
                                           "no-new-privileges:true"};
    const struct gantry_value values[] = {
        VALUE("network_mode", "host", 0),
        LIST("ulimits", ulimits),
        LIST("tmpfs", tmpfs),
        LIST("volumes", volumes),
        LIST("sysctls", sysctls),
        LIST("security_opt", security),
        VALUE("memory", "", 64 << 20),
        VALUE("cpus", "1.25", 0),
        VALUE("pids_limit", "", 99),
        VALUE("user", "7:8", 0),
        VALUE("init", "", 1),
        VALUE("pid_mode", "container:abc", 0),
        VALUE("userns_mode", "keep-id", 0),
        VALUE("log_max_size", "", 5000),
    };
    (void)state;
    AUTO_JSON tree = written(values, COUNT(values));
    assert_member(tree, "netns", "{\"nsmode\":\"host\"}");
    assert_member(tree, "pidns", "{\"nsmode\":\"container\",\"value\":\"abc\"}");
    assert_member(tree, "userns", "{\"nsmode\":\"keep-id\"}");
    assert_member(tree, "sysctl", "{\"kernel.x\":\"1 2\"}");
    assert_member(tree, "selinux_opts", "[\"disable\"]");
    assert_member(tree, "apparmor_profile", "\"one\"");
    assert_member(tree, "no_new_privileges", "true");
    assert_member(tree, "user", "\"7:8\"");
    assert_member(tree, "init", "true");
    assert_member(tree, "resource_limits.memory", "{\"limit\":67108864,\"swap\":67108864}");
    assert_member(tree, "resource_limits.cpu", "{\"period\":100000,\"quota\":125000}");
    assert_member(tree, "resource_limits.pids", "{\"limit\":99}");
    assert_member(tree, "log_configuration", "{\"driver\":\"k8s-file\",\"size\":5000}");
    assert_member(tree, "volumes", "[{\"Name\":\"kept\",\"Dest\":\"/kept\",\"Options\":[\"rw\"]}]");
    assert_member(
        tree, "mounts",
        "[{\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"destination\":\"/run\",\"options\":[]},"
        "{\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"destination\":\"/"
        "tmp\",\"options\":[\"size=1m\","
        "\"mode=1777\"]},{\"type\":\"bind\",\"source\":\"/srv\",\"destination\":\"/data\","
        "\"options\":[\"rbind\",\"ro\"]}]");
    const cJSON *limit = cJSON_GetArrayItem(json_at(tree, "r_limits"), 0);
    assert_member(limit, "type", "\"nofile\"");
    assert_member(limit, "soft", "100");
    assert_member(limit, "hard", "200");
}

static void
other_words_are_names_of_networks(void **state)
{
    static const struct {
        const char *mode, *netns;
        bool named;
    } cases[] = {
        {"none", "{\"nsmode\":\"none\"}", false},
        {"slirp4netns:mtu=1", "{\"nsmode\":\"slirp4netns\",\"value\":\"mtu=1\"}", false},
        {"container:x", "{\"nsmode\":\"container\",\"value\":\"x\"}", false},
        {"ns:/proc/1/ns/net", "{\"nsmode\":\"path\",\"value\":\"/proc/1/ns/net\"}", false},
        {"nonesuch", "{\"nsmode\":\"bridge\"}", true},
        {"host2", "{\"nsmode\":\"bridge\"}", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct gantry_value value = VALUE("network_mode", cases[i].mode, 0);
        AUTO_JSON tree = written(&value, 1);
        assert_member(tree, "netns", cases[i].netns);
        const cJSON *networks = json_at(tree, "Networks");
        assert_int_equal(networks != NULL, cases[i].named);
        if (networks)
            assert_string_equal(networks->child->string, cases[i].mode);
    }
}

static void
restarts_are_gantrys_unless_asked_for(void **state)
{
    const struct gantry_value value = VALUE("restart", "always", 0);
    struct gantry_settings settings = settings_of(&value, 1);
    (void)state;
    assert_string_equal(podman_restart_wanted(&settings), "always");
    settings.count = 0;
    assert_string_equal(podman_restart_wanted(&settings), "no");
}

static void
pull_names_one_image_of_one_platform(void **state)
{
    char *insecure[] = {(char[]){"r.x:5000"}};
    struct podman podman = {.insecure_registries = insecure, .insecure_count = 1};
    static const struct {
        const char *image, *platform, *path;
    } cases[] = {
        {"short", NULL, "short"},
        {"r.y/a:1", "linux/arm64/v8", "r.y%2Fa%3A1&OS=linux&Arch=arm64&Variant=v8"},
        {"r.x:5000/a:1", NULL, "r.x%3A5000%2Fa%3A1&tlsVerify=false"},
        {"r.x:50001/a:1", NULL, "r.x%3A50001%2Fa%3A1"},
        {"r.y/a:1@sha256:ab", NULL, "r.y%2Fa%40sha256%3Aab"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct gantry_spec spec = {
            .size = sizeof spec, .image = cases[i].image, .platform = cases[i].platform};
        AUTO_TEXT path = TEXT(4096);
        podman_pull_path(&podman.engine, &spec, &path);
        static const char first[] = "/images/pull?policy=always&reference=";
        assert_int_equal(strncmp(text_cstr(&path), first, sizeof first - 1), 0);
        assert_string_equal(text_cstr(&path) + sizeof first - 1, cases[i].path);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_written_as_libpod_has_them),
        cmocka_unit_test(other_words_are_names_of_networks),
        cmocka_unit_test(restarts_are_gantrys_unless_asked_for),
        cmocka_unit_test(pull_names_one_image_of_one_platform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
