/* A name that is taken between the look and the creation: whose it is decides what is done about it. */
#include "fake_engine.h"

#include <string.h>

#define VERSION "GET /version", 200, "{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}", 0, NULL
#define LOOK    "GET /v1.41/containers/c/json"
#define IMAGE   "GET /v1.41/images/i%3A1/json", 200, "{\"Id\":\"sha256:1\"}", 0, NULL
#define TAKEN                                                                                      \
    "POST /v1.41/containers/create?name=c", 409,                                                   \
        "{\"message\":\"Conflict. The container name \\\"/c\\\" is already in use\"}", 0, NULL
#define NOBODY LOOK, 404, "{\"message\":\"No such container: c\"}", 0, NULL
#define OF(manager)                                                                                \
    LOOK, 200,                                                                                     \
        "{\"Id\":\"1\",\"Name\":\"/"                                                               \
        "c\",\"State\":{\"Status\":\"created\"},\"Config\":{\"Labels\":{"                          \
        "\"opencti-manager\":\"" manager "\",\"opencti-connector-id\":\"k\"}}}",                   \
        0, NULL

static int
start(struct fake_engine *fake)
{
    static const struct gantry_pair labels[] = {{GANTRY_LABEL_MANAGER, "m"},
                                                {GANTRY_LABEL_CONNECTOR, "k"}};
    static const struct gantry_settings settings = {.size = sizeof settings, .section = "docker"};
    const struct gantry_spec spec = {
        .size = sizeof spec,
        .pull_policy = GANTRY_PULL_NEVER,
        .id = "k",
        .name = "c",
        .hash = "h",
        .image = "i:1",
        .labels = labels,
        .label_count = 2,
        .label_stride = sizeof labels[0],
        .settings = &settings,
    };
    return engine_end(&fake->task, engine_op_start(&fake->task, NULL, &spec, 0));
}

/* Its answer was never heard: the manager was killed, and asks anew.  It is not there at once. */
static void
creation_of_ours_that_is_not_over_is_waited_for(void **state)
{
    static const struct fake_answer answers[] = {{VERSION}, {NOBODY}, {IMAGE},  {TAKEN},
                                                 {NOBODY},  {NOBODY}, {OF("m")}};
    struct fake_engine fake;
    (void)state;
    fake_begin(&fake, answers, sizeof answers / sizeof answers[0]);
    assert_int_equal(start(&fake), GANTRY_E_UNAVAILABLE);
    assert_non_null(strstr(fake.said, "none is made beside it"));
    fake_end(&fake);
}

static void
name_that_a_stranger_took_meanwhile_is_a_conflict(void **state)
{
    static const struct fake_answer answers[] = {{VERSION}, {NOBODY}, {IMAGE}, {TAKEN}, {OF("x")}};
    struct fake_engine fake;
    (void)state;
    fake_begin(&fake, answers, sizeof answers / sizeof answers[0]);
    assert_int_equal(start(&fake), GANTRY_E_CONFLICT);
    fake_end(&fake);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creation_of_ours_that_is_not_over_is_waited_for),
        cmocka_unit_test(name_that_a_stranger_took_meanwhile_is_a_conflict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
