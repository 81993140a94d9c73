/* Options of a workload as members of a task template, and what is refused. */
#include "swarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VALUES(array)                                                                              \
    &(const struct gantry_settings)                                                                \
    {                                                                                              \
        .size = sizeof(struct gantry_settings), .count = sizeof(array) / sizeof((array)[0]),       \
        .stride = sizeof((array)[0]), .values = (array)                                            \
    }
#define VALUE(k, ...)                                                                              \
    {                                                                                              \
        .size = sizeof(struct gantry_value), .given = 1, .key = (k), __VA_ARGS__                   \
    }
#define NUMBER_VALUE(k, n)  VALUE(k, .text = "", .number = (n))
#define LIST_VALUE(k, list) VALUE(k, .text = "", .items = (list), .item_count = 1)

static cJSON *
printed(const struct gantry_settings *settings, int minor, const char *platform)
{
    AUTO_TEXT json = TEXT(1 << 16);
    char problem[400] = "";
    struct swarm_template template = {.settings = settings,
                                      .minor = minor,
                                      .platform = platform,
                                      .problem = problem,
                                      .problem_size = sizeof problem};
    text_add(&json, "{\"x\":{\"y\":0");
    template_container(&json, &template);
    text_add(&json, "}");
    template_task(&json, &template);
    text_add(&json, "}");
    assert_string_equal(problem, "");
    cJSON *out = cJSON_Parse(text_cstr(&json));
    assert_non_null(out);
    return out;
}

static void
hardened_is_told_as_a_service_knows_it(void **state)
{
    const struct gantry_value values[] = {NUMBER_VALUE("hardened", 1)};
    (void)state;
    cJSON *old = printed(VALUES(values), 41, NULL), *new = printed(VALUES(values), 46, NULL);
    assert_true(json_bool(old, "x.ReadOnly") && json_bool(old, "x.Init"));
    assert_string_equal(cJSON_GetArrayItem(json_at(old, "x.CapabilityDrop"), 0)->valuestring,
                        "ALL");
    assert_int_equal(cJSON_GetArraySize(json_at(old, "x.Mounts")), 2);
    assert_int_equal(json_integer(old, "Resources.Limits.Pids"), 256);
    assert_null(json_at(old, "x.Privileges"));
    assert_true(json_bool(new, "x.Privileges.NoNewPrivileges"));
    cJSON_Delete(old);
    cJSON_Delete(new);
}

static void
nothing_given_limits_the_log_and_nothing_else(void **state)
{
    (void)state;
    cJSON *out = printed(NULL, 41, NULL);
    assert_string_equal(json_text(out, "RestartPolicy.Condition"), "any");
    assert_null(json_at(out, "RestartPolicy.Delay"));
    assert_int_equal(cJSON_GetArraySize(json_at(out, "Resources.Limits")), 0);
    assert_null(json_at(out, "Placement"));
    assert_null(json_at(out, "Networks"));
    assert_non_null(json_at(out, "LogDriver.Options"));
    cJSON_Delete(out);
}

static void
platform_is_where_it_is_placed(void **state)
{
    (void)state;
    cJSON *out = printed(NULL, 41, "linux/arm64/v8");
    const cJSON *platform = cJSON_GetArrayItem(json_at(out, "Placement.Platforms"), 0);
    assert_string_equal(json_text(platform, "OS"), "linux");
    assert_string_equal(json_text(platform, "Architecture"), "arm64");
    cJSON_Delete(out);
}

static void
what_is_wrong_is_refused_in_a_sentence(void **state)
{
    static const struct {
        const char *key, *text;
        int64_t number;
        const char *words;
    } rows[] = {
        {"tmpfs", "/tmp:nosuid", 0, "size=64m"},
        {"tmpfs", "/tmp:size=64x", 0, "size=64m"},
        {"tmpfs", "/tmp:mode=8", 0, "mode=1777"},
        {"placement_preferences", "zone", 0, "spread=LABEL"},
        {"ulimits", "nofile", 0, "NAME=SOFT:HARD"},
        {"extra_hosts", "db", 0, "NAME:ADDRESS"},
        {"sysctls", "novalue", 0, "KEY=VALUE"},
        {"volumes", "data", 0, "NAME:PATH"},
        {"cpus", "many", 0, "above 0"},
        {"cpus_reservation", "0", 0, "above 0"},
        {"restart_delay", "", 100000000, "24h"},
        {"restart_max_attempts", "", -1, "0 or more"},
        {"log_max_files", "", 0, "between 1 and 1000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char problem[400];
        const struct gantry_value values[] = {
            {.size = sizeof values[0],
             .given = 1,
             .key = rows[i].key,
             .text = rows[i].text,
             .number = rows[i].number,
             .items = &rows[i].text,
             .item_count = 1},
        };
        assert_false(template_check(VALUES(values), problem, sizeof problem));
        if (!strstr(problem, rows[i].words) ||
            strncmp(problem, rows[i].key, strlen(rows[i].key)) != 0)
            fail_msg("%s: %s", rows[i].key, problem);
    }
}

/* An older engine would leave it out without a word. */
static void
what_an_older_engine_would_leave_out_is_refused(void **state)
{
    static const char *const all[] = {"ALL"};
    const struct gantry_value values[] = {LIST_VALUE("cap_drop", all)};
    AUTO_TEXT json = TEXT(1 << 16);
    char problem[400] = "";
    struct swarm_template template = {.settings = VALUES(values),
                                      .minor = 40,
                                      .problem = problem,
                                      .problem_size = sizeof problem};
    (void)state;
    template_container(&json, &template);
    assert_true(template.wrong);
    assert_non_null(strstr(problem, "cap_drop: services have it from API 1.41 on"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hardened_is_told_as_a_service_knows_it),
        cmocka_unit_test(nothing_given_limits_the_log_and_nothing_else),
        cmocka_unit_test(platform_is_where_it_is_placed),
        cmocka_unit_test(what_is_wrong_is_refused_in_a_sentence),
        cmocka_unit_test(what_an_older_engine_would_leave_out_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
