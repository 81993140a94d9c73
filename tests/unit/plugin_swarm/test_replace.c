/* A replacement that cannot learn which tasks are the old ones: nothing may be touched then. */
#include "fake_engine.h"
#include "swarm.h"

#include <string.h>

#define SERVICE                                                                                    \
    "{\"ID\":\"s\",\"Version\":{\"Index\":7},\"Spec\":{\"Name\":\"n\",\"Labels\":{},\"Mode\":{"    \
    "\"Replicated\":{\"Replicas\":1}},\"TaskTemplate\":{\"ForceUpdate\":1}}}"
#define DIGEST "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define TASKS  "/v1.41/tasks?filters=%7B%22service%22%3A%5B%22s%22%5D%7D"

/* Else the old task, which runs, would be taken for the new one that has begun (S1). */
static void
tasks_that_cannot_be_listed_leave_the_service_as_it_is(void **state)
{
    static const struct fake_answer answers[] = {
        {.request = "GET /v1.41/services/s", .status = 200, .body = SERVICE},
        {.request = "GET /v1.41/distribution/a%3A1/json",
         .status = 200,
         .body = "{\"Descriptor\":{\"digest\":\"" DIGEST "\"}}"},
        {.request = "GET " TASKS, .status = 500, .body = "{\"message\":\"no leader\"}"},
    };
    struct fake_engine fake;
    const struct gantry_settings settings = {.size = sizeof settings};
    const struct gantry_ref existing = {
        .size = sizeof existing, .handle = "s", .id = "c", .name = "n"};
    const struct gantry_spec spec = {.size = sizeof spec,
                                     .id = "c",
                                     .name = "n",
                                     .hash = "h",
                                     .image = "a:1",
                                     .pull_policy = GANTRY_PULL_ALWAYS,
                                     .settings = &settings};
    (void)state;
    fake_begin(&fake, answers, sizeof answers / sizeof answers[0]);
    atomic_store(&fake.engine.api_minor, 41);
    assert_int_equal(swarm_replace(&fake.task, &existing, &spec, false), GANTRY_E_UNAVAILABLE);
    assert_non_null(strstr(fake.task.error, "no leader"));
    fake_end(&fake); /* and nothing was posted */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_that_cannot_be_listed_leave_the_service_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
