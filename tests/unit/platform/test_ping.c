/* Registration and the sign of life: what is asked, in which order, and when again. */
#include "platform_test.h"

static void
the_first_ping_registers_and_the_next_one_pings(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, .body = REGISTERED("7.1"));
    EXPECT(s->fake, .body = PINGED("7.1"));
    EXPECT(s->fake, .body = PINGED("7.1"));
    assert_int_equal(0, side_ping(s));
    assert_int_equal(0, side_ping(s));
    assert_int_equal(0, side_ping(s));
    golden("register.json", s->fake->bodies[0]);
    golden("ping.json", s->fake->bodies[1]);
    assert_contains(s->fake->head, "POST /graphql ");
    assert_contains(s->fake->head, "Authorization: Bearer " TOKEN "\r\n");
    assert_contains(s->fake->head, "Content-Type: application/json\r\n");
    assert_int_equal(1, occurrences(buf_text(&s->logged), "manager registered"));
    side_free(s);
}

static void
another_version_registers_again_in_the_same_call(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("7.1"));
    EXPECT(s->fake, "updateConnectorManagerStatus", PINGED("7.2"));
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("7.2"));
    EXPECT(s->fake, "updateConnectorManagerStatus", PINGED("7.2"));
    for (int i = 0; i < 3; i++)
        assert_int_equal(0, side_ping(s));
    side_free(s);
}

static void
a_platform_that_forgot_the_manager_gets_it_again(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("7.1"));
    EXPECT(s->fake, "updateConnectorManagerStatus",
           ERRORS(ERROR_AT("updateConnectorManagerStatus", "FUNCTIONAL_ERROR",
                           "Cant find element to update")));
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("7.1"));
    EXPECT(s->fake, "updateConnectorManagerStatus", PINGED("7.1"));
    for (int i = 0; i < 3; i++)
        assert_int_equal(0, side_ping(s));
    side_free(s);
}

/* Back-off is the caller's: a call that fails asks no third time. */
static void
a_failing_registration_is_not_repeated_by_itself(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("7.1"));
    EXPECT(s->fake, "updateConnectorManagerStatus",
           ERRORS(ERROR("FUNCTIONAL_ERROR", "Cant find element to update")));
    EXPECT(s->fake, "registerConnectorsManager", ERRORS(ERROR("LOCK_ERROR", "busy")));
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("7.1"));
    assert_int_equal(0, side_ping(s));
    assert_int_equal(GANTRY_E_UNAVAILABLE, side_ping(s));
    assert_contains(s->message, "registerConnectorsManager: LOCK_ERROR: busy");
    assert_int_equal(0, side_ping(s));
    side_free(s);
}

static void
another_registered_manager_is_told_with_what_to_do(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake,
           .body = ERRORS(ERROR_AT("registerConnectorsManager", "UNSUPPORTED_ERROR",
                                   "Only one connector manager is supported per instance")));
    assert_int_equal(GANTRY_E_CONFLICT, side_ping(s));
    assert_contains(s->message, "set [manager] id to that id");
    side_free(s);
}

static void
a_refused_token_is_named_with_its_setting(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake,
           .body = "{\"data\":{\"registerConnectorsManager\":null},\"errors\":[" ERROR_AT(
               "registerConnectorsManager", "AUTH_REQUIRED", "You must be logged in") "]}");
    EXPECT(s->fake, .status = 401, .body = "Unauthorized", .type = "text/plain");
    assert_int_equal(GANTRY_E_DENIED, side_ping(s));
    assert_contains(s->message, "check the token of [platform main]");
    assert_int_equal(GANTRY_E_DENIED, side_ping(s));
    assert_contains(s->message, "check the token of [platform main]");
    side_free(s);
}

#define LACKS_REGISTER                                                                             \
    ERRORS(                                                                                        \
        ERROR("GRAPHQL_VALIDATION_FAILED",                                                         \
              "Unknown type \\\"RegisterConnectorsManagerInput\\\".") "," INVALID("registerConnec" \
                                                                                  "torsManager"))
#define VERSION(v) "{\"data\":{\"about\":{\"version\":\"" v "\"}}}"

static void
a_platform_without_managers_is_asked_again_when_its_version_changes(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, "registerConnectorsManager", LACKS_REGISTER);
    EXPECT(s->fake, "about", VERSION("6.7"));
    EXPECT(s->fake, "registerConnectorsManager",
           LACKS_REGISTER); /* it may have been upgraded in between */
    EXPECT(s->fake, "about", VERSION("6.7"));
    EXPECT(s->fake, "about", VERSION("6.8"));
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("6.8"));
    EXPECT(s->fake, "updateConnectorManagerStatus", PINGED("6.8"));
    assert_int_equal(GANTRY_E_UNSUPPORTED, side_ping(s));
    assert_int_equal(GANTRY_E_UNSUPPORTED, side_ping(s));
    assert_int_equal(GANTRY_E_UNSUPPORTED, side_ping(s));
    assert_contains(s->message, "version 6.7");
    assert_int_equal(1, occurrences(buf_text(&s->logged), "lacks an operation"));
    assert_int_equal(0, side_ping(s));
    assert_int_equal(0, side_ping(s));
    side_free(s);
}

static void
without_the_ping_operation_registering_is_the_sign_of_life(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("7.1"));
    EXPECT(s->fake, "updateConnectorManagerStatus",
           ERRORS(INVALID("updateConnectorManagerStatus")));
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("7.1"));
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("7.1"));
    for (int i = 0; i < 3; i++)
        assert_int_equal(0, side_ping(s));
    side_free(s);
}

static void
an_unreachable_platform_is_an_error_that_names_it(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    s->settings.url = "http://127.0.0.1:9"; /* discard: nobody listens */
    platform_free(s->platform);
    const struct platform_context context = {
        .http = s->http, .log = &s->log, .manager_id = "m", .manager_name = "n", .public_key = "k"};
    assert_int_equal(0, platform_new(&s->settings, &context, &s->platform, NULL));
    assert_int_equal(GANTRY_E_UNAVAILABLE, side_ping(s));
    assert_contains(s->message, "127.0.0.1:9");
    side_free(s);
}

static void
freeing_a_platform_cancels_what_is_in_progress(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, .hold = true);
    side_forget(s);
    platform_ping(s->platform, side_done, s);
    while (atomic_load(&s->fake->server->requests) == 0)
        wait_step(s->http);
    assert_int_equal(1, platform_active(s->platform));
    platform_free(s->platform);
    s->platform = NULL;
    http_loop_step(s->http);
    assert_int_equal(0, s->ends);
    side_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_ping_registers_and_the_next_one_pings),
        cmocka_unit_test(another_version_registers_again_in_the_same_call),
        cmocka_unit_test(a_platform_that_forgot_the_manager_gets_it_again),
        cmocka_unit_test(a_failing_registration_is_not_repeated_by_itself),
        cmocka_unit_test(another_registered_manager_is_told_with_what_to_do),
        cmocka_unit_test(a_refused_token_is_named_with_its_setting),
        cmocka_unit_test(a_platform_without_managers_is_asked_again_when_its_version_changes),
        cmocka_unit_test(without_the_ping_operation_registering_is_the_sign_of_life),
        cmocka_unit_test(an_unreachable_platform_is_an_error_that_names_it),
        cmocka_unit_test(freeing_a_platform_cancels_what_is_in_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
