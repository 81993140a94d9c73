/* The version, and what refusals mean. */
#include "fake_engine.h"

#include <string.h>

#define VERSION(newest, oldest)                                                                    \
    {                                                                                              \
        "GET /version", 200, "{\"ApiVersion\":\"" newest "\",\"MinAPIVersion\":\"" oldest "\"}", 0 \
    }

static int
list(struct fake_engine *fake)
{
    return engine_end(&fake->task, engine_op_list(&fake->task, NULL, 0, 0));
}

#define LIST(version) "GET /" version "/containers/json?all=1&filters=%7B%22label%22%3A%5B%5D%7D"

static void
older_of_both_versions_is_spoken(void **state)
{
    static const struct {
        struct fake_answer answers[2];
    } cases[] = {
        {{VERSION("1.41", "1.12"), {LIST("v1.41"), 200, "[]", 0}}},
        {{VERSION("1.52", "1.44"), {LIST("v1.47"), 200, "[]", 0}}},
        {{VERSION("1.40", "1.40"), {LIST("v1.40"), 200, "[]", 0}}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_engine fake;
        fake_begin(&fake, cases[i].answers, 2);
        assert_int_equal(list(&fake), 0);
        fake_end(&fake);
    }
}

static void
engine_too_old_or_too_new_is_refused_with_both_versions(void **state)
{
    static const struct {
        struct fake_answer answer;
        const char *words[2];
    } cases[] = {
        {VERSION("1.39", "1.12"), {"API 1.39", "upgrade the engine"}},
        {VERSION("1.60", "1.48"), {"API 1.48", "upgrade Gantry"}},
        {VERSION("2.0", "2.0"), {"API 2.0", "1.40"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_engine fake;
        fake_begin(&fake, &cases[i].answer, 1);
        assert_int_equal(list(&fake), GANTRY_E_UNSUPPORTED);
        assert_non_null(strstr(fake.said, cases[i].words[0]));
        assert_non_null(strstr(fake.said, cases[i].words[1]));
        fake_end(&fake);
    }
}

static void
engine_that_was_upgraded_is_asked_again(void **state)
{
    static const struct fake_answer answers[] = {
        VERSION("1.41", "1.12"),
        {LIST("v1.41"), 400,
         "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade",
         0},
        VERSION("1.52", "1.44"),
        {LIST("v1.47"), 200, "[]", 0},
        {LIST("v1.47"), 400,
         "{\"message\":\"client version 1.47 is too new. Maximum supported API version is 1.41\"}",
         0},
        VERSION("1.41", "1.12"),
        {LIST("v1.41"), 200, "[]", 0},
    };
    struct fake_engine fake;
    (void)state;
    fake_begin(&fake, answers, sizeof answers / sizeof answers[0]);
    assert_int_equal(list(&fake), 0);
    assert_int_equal(list(&fake), 0);
    fake_end(&fake);
}

static void
engine_that_went_away_is_asked_again(void **state)
{
    static const struct fake_answer answers[] = {
        VERSION("1.41", "1.12"),
        {LIST("v1.41"), 0, NULL, GANTRY_E_UNAVAILABLE},
        VERSION("1.52", "1.44"),
        {LIST("v1.47"), 200, "[]", 0},
    };
    struct fake_engine fake;
    (void)state;
    fake_begin(&fake, answers, sizeof answers / sizeof answers[0]);
    assert_int_equal(list(&fake), GANTRY_E_UNAVAILABLE);
    assert_non_null(strstr(fake.said, "running?"));
    assert_int_equal(list(&fake), 0);
    fake_end(&fake);
}

static void
half_an_answer_is_no_empty_list(void **state)
{
    static const char *const bodies[] = {"", "[", "{}", "null", "[{\"Names\":[\"/x\"]}]", "<html>"};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const struct fake_answer answers[] = {VERSION("1.41", "1.12"),
                                              {LIST("v1.41"), 200, bodies[i], 0}};
        struct fake_engine fake;
        fake_begin(&fake, answers, 2);
        assert_int_equal(list(&fake), GANTRY_E_UNAVAILABLE);
        fake_end(&fake);
    }
}

static void
refusals_mean_what_table_and_engine_say(void **state)
{
    static const struct {
        uint32_t status;
        const char *message;
        bool is_pull;
        int code;
    } cases[] = {
        {404, "No such container: x", false, GANTRY_E_NOT_FOUND},
        {404, "page not found", false, GANTRY_E_UNAVAILABLE},
        {404, "", false, GANTRY_E_UNAVAILABLE},
        {404, "network x not found", false, GANTRY_E_INVALID},
        {404, "no such image: x: No such image: x", false, GANTRY_E_IMAGE_MISSING},
        {404, "manifest for R:v9 not found: manifest unknown", true, GANTRY_E_IMAGE_MISSING},
        {404, "pull access denied for x, repository does not exist or may require 'docker login'",
         true, GANTRY_E_DENIED},
        {500, "Get http://r/v2/: no basic auth credentials", true, GANTRY_E_DENIED},
        {500, "unauthorized: authentication required", true, GANTRY_E_DENIED},
        {500, "dial tcp: connection refused", true, GANTRY_E_UNAVAILABLE},
        {500, "toomanyrequests: You have reached your pull rate limit", true, GANTRY_E_UNAVAILABLE},
        {500, "write /x: no space left on device", false, GANTRY_E_UNAVAILABLE},
        {500, "OCI runtime create failed: x", false, GANTRY_E_INVALID},
        {500, "unable to find user x: no matching entries in passwd file", false, GANTRY_E_INVALID},
        {400, "invalid mode", false, GANTRY_E_INVALID},
        {401, "Unauthorized", false, GANTRY_E_DENIED},
        {403, "Forbidden", false, GANTRY_E_DENIED},
        {409, "Conflict", false, GANTRY_E_CONFLICT},
        {501, "configured logging driver does not support reading", false, GANTRY_E_UNSUPPORTED},
        {301, "", false, GANTRY_E_UNAVAILABLE},
        {502, "bad gateway", false, GANTRY_E_UNAVAILABLE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int code = engine_classify(cases[i].status, cases[i].message, cases[i].is_pull);
        if (code != cases[i].code)
            fail_msg("%u '%s': %d, not %d", cases[i].status, cases[i].message, code, cases[i].code);
    }
}

static void
only_no_such_container_is_not_found(void **state)
{
    static const struct fake_answer answers[] = {
        VERSION("1.41", "1.12"),
        {"GET /v1.41/containers/x/json", 404, "{\"message\":\"page not found\"}", 0},
        {"GET /v1.41/containers/x/json", 200, "{\"Id\":\"x\"}", 0},
        {"GET /v1.41/containers/x/json", 404, "{\"message\":\"No such container: x\"}", 0},
    };
    struct fake_engine fake;
    const struct gantry_ref ref = {.size = sizeof ref, .handle = "x"};
    (void)state;
    fake_begin(&fake, answers, sizeof answers / sizeof answers[0]);
    assert_int_equal(engine_op_inspect(&fake.task, &ref), GANTRY_E_UNAVAILABLE);
    assert_int_equal(engine_op_inspect(&fake.task, &ref), GANTRY_E_UNAVAILABLE);
    assert_int_equal(engine_op_inspect(&fake.task, &ref), GANTRY_E_NOT_FOUND);
    fake_end(&fake);
}

static void
unknown_state_word_is_unknown(void **state)
{
    static const struct {
        const char *item;
        uint32_t state;
    } cases[] = {
        {"[{\"Id\":\"a\",\"State\":\"hibernating\"}]", GANTRY_STATE_UNKNOWN},
        {"[{\"Id\":\"a\"}]", GANTRY_STATE_UNKNOWN},
        {"[{\"Id\":\"a\",\"State\":\"exited\",\"Status\":\"Exited (1) now\"}]",
         GANTRY_STATE_FAILED},
        {"[{\"Id\":\"a\",\"State\":\"exited\",\"Status\":\"Exited (143) now\"}]",
         GANTRY_STATE_EXITED},
        {"[{\"Id\":\"a\",\"State\":\"dead\",\"Status\":\"Dead\"}]", GANTRY_STATE_DEAD},
        {"[{\"Id\":\"a\",\"State\":\"running\",\"Status\":\"Up (health: starting)\"}]",
         GANTRY_STATE_STARTING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct fake_answer answers[] = {VERSION("1.41", "1.12"),
                                              {LIST("v1.41"), 200, cases[i].item, 0}};
        struct fake_engine fake;
        fake_begin(&fake, answers, 2);
        assert_int_equal(list(&fake), 0);
        assert_int_equal(fake.last_state, cases[i].state);
        fake_end(&fake);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(older_of_both_versions_is_spoken),
        cmocka_unit_test(engine_too_old_or_too_new_is_refused_with_both_versions),
        cmocka_unit_test(engine_that_was_upgraded_is_asked_again),
        cmocka_unit_test(engine_that_went_away_is_asked_again),
        cmocka_unit_test(half_an_answer_is_no_empty_list),
        cmocka_unit_test(refusals_mean_what_table_and_engine_say),
        cmocka_unit_test(only_no_such_container_is_not_found),
        cmocka_unit_test(unknown_state_word_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
