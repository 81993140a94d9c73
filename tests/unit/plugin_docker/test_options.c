/* Options of a workload: the value in force, how they are written, what they let a workload do, and secrets
 * that become files. */
#include "fake_engine.h"
#include "options.h"
#include "secrets.h"

#include <string.h>

#define VALUES(array)                                                                              \
    &(const struct gantry_settings)                                                                \
    {                                                                                              \
        .size = sizeof(struct gantry_settings), .count = sizeof(array) / sizeof((array)[0]),       \
        .stride = sizeof((array)[0]), .values = (array)                                            \
    }
#define TEXT_VALUE(k, t)                                                                           \
    {                                                                                              \
        .size = sizeof(struct gantry_value), .given = 1, .key = (k), .text = (t)                   \
    }
#define NUMBER_VALUE(k, n)                                                                         \
    {                                                                                              \
        .size = sizeof(struct gantry_value), .given = 1, .key = (k), .text = "", .number = (n)     \
    }
#define LIST_VALUE(k, n, list)                                                                     \
    {                                                                                              \
        .size = sizeof(struct gantry_value), .given = 1, .key = (k), .text = "", .items = (list),  \
        .item_count = (n)                                                                          \
    }

static void
hardened_stands_in_where_nothing_was_given(void **state)
{
    const struct gantry_value values[] = {
        NUMBER_VALUE("hardened", 1),
        NUMBER_VALUE("read_only", 0),
        {.size = sizeof values[0], .key = "init", .text = "", .number = 0},
    };
    const struct gantry_settings *settings = VALUES(values);
    (void)state;
    assert_false(option_is_on(settings, "read_only"));
    assert_true(option_is_on(settings, "init")); /* its default is not given */
    assert_true(option_is_on(settings, "no_new_privileges"));
    assert_string_equal(option_items(settings, "cap_drop")->items[0], "ALL");
    assert_int_equal(option_find(settings, "pids_limit")->number, 256);
    assert_null(option_find(settings, "memory"));
    assert_null(option_find(NULL, "init"));
}

static void
volumes_are_folders_or_names(void **state)
{
    static const char *const good[][3] = {{"data:/a", "data", "/a"},
                                          {"/srv/a-b:/c/d:ro", "/srv/a-b", "/c/d"},
                                          {"/:/host:rw", "/", "/host"},
                                          {"A1_b.c-d:/x", "A1_b.c-d", "/x"}};
    static const char *const bad[] = {"",           "data",        "data:", "data:/",
                                      "data:b",     "-d:/a",       "d:/a",  "a/b:/c",
                                      "/a/../b:/c", "data:/a/..",  ":/a",   "data:/a:rx",
                                      "da ta:/a",   "data:/a:ro:", "./a:/b"};
    struct option_volume volume;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(option_parse_volume(good[i][0], &volume));
        assert_string_equal(volume.source, good[i][1]);
        assert_string_equal(volume.target, good[i][2]);
        assert_int_equal(volume.read_only, strstr(good[i][0], ":ro") != NULL);
        assert_int_equal(volume.is_folder, good[i][0][0] == '/');
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (option_parse_volume(bad[i], &volume))
            fail_msg("'%s' is no volume", bad[i]);
}

static void
what_is_written_right_passes(void **state)
{
    static const char *const hosts[] = {"db:10.0.0.5", "six:::1", "gateway:host-gateway"};
    static const char *const dns[] = {"1.1.1.1", "2001:db8::1"};
    static const char *const tmpfs[] = {"/a", "/b:size=1m,mode=1777"};
    static const char *const constraints[] = {"node.role==worker", "node.labels.a!=b"};
    static const char *const preferences[] = {"spread=node.labels.zone"};
    static const char *const security[] = {"no-new-privileges", "apparmor=x", "label:user:y"};
    const struct gantry_value values[] = {
        LIST_VALUE("extra_hosts", 3, hosts),
        LIST_VALUE("dns", 2, dns),
        LIST_VALUE("tmpfs", 2, tmpfs),
        LIST_VALUE("placement_constraints", 2, constraints),
        LIST_VALUE("placement_preferences", 1, preferences),
        LIST_VALUE("security_opt", 3, security),
        TEXT_VALUE("user", "1000:1000"),
        TEXT_VALUE("hostname", ""),
        NUMBER_VALUE("pids_limit", -1),
        NUMBER_VALUE("memory", 6 << 20),
    };
    char problem[300] = "";
    (void)state;
    if (!options_check(VALUES(values), problem, sizeof problem))
        fail_msg("%s", problem);
    assert_true(options_check(NULL, problem, sizeof problem));
}

static void
what_contradicts_itself_is_refused(void **state)
{
    static const char *const twice[] = {"one:/a", "/two:/a"};
    static const char *const seccomp[] = {"seccomp=unconfined"};
    const struct gantry_value cases[][2] = {
        {NUMBER_VALUE("hardened", 1), NUMBER_VALUE("privileged", 1)},
        {LIST_VALUE("security_opt", 1, seccomp), TEXT_VALUE("seccomp_profile", "/x")},
        {LIST_VALUE("volumes", 2, twice), NUMBER_VALUE("hardened", 1)},
    };
    char problem[300];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(options_check(VALUES(cases[i]), problem, sizeof problem));
        assert_non_null(strstr(problem, cases[i][0].key));
    }
}

static void
power_over_the_host_is_named(void **state)
{
    static const char *const volumes[] = {"/var/run/docker.sock:/d.sock", "/srv/x:/etc",
                                          "/etc:/e:ro"};
    static const char *const caps[] = {"NET_RAW", "cap_sys_admin"};
    const struct gantry_value values[] = {
        NUMBER_VALUE("privileged", 1),     LIST_VALUE("cap_add", 2, caps),
        LIST_VALUE("volumes", 3, volumes), TEXT_VALUE("pid_mode", "host"),
        TEXT_VALUE("ipc_mode", "private"),
    };
    const struct gantry_value harmless[] = {NUMBER_VALUE("privileged", 0),
                                            TEXT_VALUE("pid_mode", "")};
    char list[400];
    (void)state;
    options_powers(VALUES(values), list, sizeof list);
    assert_string_equal(list, "privileged, cap_add = cap_sys_admin, "
                              "volumes = /var/run/docker.sock:/d.sock, volumes = /etc:/e:ro, "
                              "pid_mode = host");
    options_powers(VALUES(values), list, 20); /* cut, and no further */
    assert_int_equal(strlen(list), 19);
    options_powers(VALUES(harmless), list, sizeof list);
    assert_string_equal(list, "");
}

/* ---- secrets = files ------------------------------------------------------------------------------- */

static const struct gantry_variable variables[] = {{"URL", "http://x", 0, 0},
                                                   {"TOKEN", "t", 1, 0},
                                                   {"KEY", "k", 1, 0},
                                                   {"EMPTY", "", 1, 0},
                                                   {"https_proxy", "http://u:p@h", 1, 0}};
static const struct gantry_file ca = {"/etc/ca", "pem", 3, 0444, 0};

static struct gantry_spec
spec_of(const struct gantry_settings *settings)
{
    return (struct gantry_spec){.size = sizeof(struct gantry_spec),
                                .settings = settings,
                                .environment = variables,
                                .environment_count = 5,
                                .environment_stride = sizeof variables[0],
                                .files = &ca,
                                .file_count = 1,
                                .file_stride = sizeof ca};
}

static void
secrets_become_files(void **state)
{
    const struct gantry_value values[] = {TEXT_VALUE("secrets", "files")};
    const struct gantry_spec spec = spec_of(VALUES(values));
    AUTO_SECRETS split = {0};
    char problem[300];
    (void)state;
    assert_int_equal(secrets_split(&spec, &split, problem, sizeof problem), 0);
    assert_int_equal(split.spec.environment_count, 5);
    assert_string_equal(split.spec.environment[4].key, "https_proxy");
    assert_string_equal(split.spec.environment[3].key, "EMPTY");
    assert_string_equal(split.spec.environment[0].value, "http://x");
    assert_string_equal(split.spec.environment[1].key, "TOKEN_FILE");
    assert_string_equal(split.spec.environment[1].value, "/run/secrets/TOKEN");
    assert_int_equal(split.spec.environment[1].secret, 0);
    assert_int_equal(split.spec.file_count, 3);
    assert_string_equal(split.spec.files[0].path, "/etc/ca");
    assert_int_equal(secrets_count(&split), 2);
    const struct gantry_file *file = secrets_at(&split, 0);
    assert_string_equal(file->path, "/run/secrets/TOKEN");
    assert_string_equal(secrets_name(file), "TOKEN");
    assert_int_equal(file->mode, 0400);
    assert_ptr_equal(file->bytes, variables[1].value); /* not copied: nothing to wipe */
    assert_int_equal(secrets_at(&split, 1)->bytes_size, 1);
}

static void
secrets_stay_variables_unless_told(void **state)
{
    const struct gantry_value values[] = {TEXT_VALUE("secrets", "environment")};
    const struct gantry_spec spec = spec_of(VALUES(values));
    AUTO_SECRETS split = {0};
    char problem[300];
    (void)state;
    assert_int_equal(secrets_split(&spec, &split, problem, sizeof problem), 0);
    assert_ptr_equal(split.spec.environment, variables);
    assert_int_equal(secrets_count(&split), 0);
}

static void
secret_without_a_file_name_is_refused(void **state)
{
    static const struct gantry_variable wrong[][2] = {
        {{"A/B", "s3cret", 1, 0}, {"C", "", 0, 0}},
        {{"..", "s3cret", 1, 0}, {"C", "", 0, 0}},
        {{"A", "s3cret", 1, 0}, {"A_FILE", "", 0, 0}},
    };
    const struct gantry_value values[] = {TEXT_VALUE("secrets", "files")};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct gantry_spec spec = spec_of(VALUES(values));
        AUTO_SECRETS split = {0};
        char problem[300];
        spec.environment = wrong[i];
        spec.environment_count = 2;
        assert_int_equal(secrets_split(&spec, &split, problem, sizeof problem), GANTRY_E_INVALID);
        assert_non_null(strstr(problem, wrong[i][0].key));
        assert_null(strstr(problem, "s3cret"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hardened_stands_in_where_nothing_was_given),
        cmocka_unit_test(volumes_are_folders_or_names),
        cmocka_unit_test(what_is_written_right_passes),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(power_over_the_host_is_named),
        cmocka_unit_test(secrets_become_files),
        cmocka_unit_test(secrets_stay_variables_unless_told),
        cmocka_unit_test(secret_without_a_file_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
