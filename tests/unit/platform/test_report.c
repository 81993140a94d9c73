/* Reports: one document a connector, and what is told when a part of it fails. */
#include "platform_test.h"

static const struct platform_health health = {2, 1769860800000, false};
static const char *const lines[] = {"first", "second \x1b[31mred"};

static struct platform_report
report_of(bool status, bool with_health, bool logs)
{
    return (struct platform_report){
        .id = "one",
        .status = status ? PLATFORM_STATUS_STARTED : PLATFORM_STATUS_NONE,
        .health = with_health ? &health : NULL,
        .logs = logs ? lines : NULL,
        .log_count = logs ? 2 : 0,
    };
}

#define STATUS_OK                                                                                  \
    "\"updateConnectorCurrentStatus\":{\"id\":\"one\",\"manager_current_status\":\"started\"}"
#define HEALTH_OK "\"updateConnectorHealth\":\"one\""
#define LOGS_OK   "\"updateConnectorLogs\":\"one\""
#define ALL_OK    "{\"data\":{" STATUS_OK "," HEALTH_OK "," LOGS_OK "}}"

static void
each_combination_is_one_document(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    for (unsigned which = 1; which < 8; which++) {
        char name[64];
        struct platform_report report = report_of(which & 1, which & 2, which & 4);
        EXPECT(s->fake, .body = ALL_OK);
        assert_int_equal(0, side_report(s, &report));
        (void)snprintf(name, sizeof name, "report%s%s%s.json", which & 1 ? "-status" : "",
                       which & 2 ? "-health" : "", which & 4 ? "-logs" : "");
        golden(name, s->fake->bodies[which - 1]);
    }
    side_free(s);
}

static void
nothing_to_tell_is_told_without_a_request(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    struct platform_report report = report_of(false, false, false);
    assert_int_equal(0, side_report(s, &report));
    side_free(s);
}

static void
a_part_that_fails_is_told_with_its_path(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    struct platform_report report = report_of(true, true, true);
    EXPECT(s->fake, .body = "{\"data\":{" STATUS_OK "," HEALTH_OK
                            ",\"updateConnectorLogs\":null},\"errors\":[" ERROR_AT(
                                "updateConnectorLogs", "DATABASE_ERROR", "redis is away") "]}");
    assert_int_equal(GANTRY_E_UNAVAILABLE, side_report(s, &report));
    assert_string_equal("updateConnectorLogs: DATABASE_ERROR: redis is away", s->message);
    side_free(s);
}

static void
a_connector_that_is_gone_is_not_found(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    struct platform_report report = report_of(true, false, false);
    EXPECT(s->fake,
           .body = "{\"data\":{\"updateConnectorCurrentStatus\":null},\"errors\":[" ERROR_AT(
               "updateConnectorCurrentStatus", "FUNCTIONAL_ERROR",
               "Cant find element to update") "]}");
    assert_int_equal(GANTRY_E_NOT_FOUND, side_report(s, &report));
    side_free(s);
}

static void
what_the_platform_lacks_is_left_out_of_the_document(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    struct platform_report report = report_of(true, true, true),
                           health_alone = report_of(false, true, false);
    EXPECT(s->fake,
           .body = ERRORS(
               ERROR("GRAPHQL_VALIDATION_FAILED",
                     "Unknown type \\\"HealthConnectorStatusInput\\\".") "," INVALID("updateConnect"
                                                                                     "orHealth")));
    EXPECT(s->fake, .body = ALL_OK);
    EXPECT(s->fake, .body = ALL_OK);
    assert_int_equal(0, side_report(s, &report));
    assert_int_equal(0, side_report(s, &report));
    assert_null(strstr(s->fake->bodies[1], "ealth"));
    assert_string_equal(s->fake->bodies[1], s->fake->bodies[2]);
    assert_int_equal(GANTRY_E_UNSUPPORTED, side_report(s, &health_alone));
    assert_int_equal(1, occurrences(buf_text(&s->logged), "lacks an operation"));
    side_free(s);
}

static void
an_unknown_type_alone_makes_its_operation_a_lacking_one(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    struct platform_report report = report_of(true, true, true);
    EXPECT(s->fake,
           .body = ERRORS(ERROR("GRAPHQL_VALIDATION_FAILED",
                                "Unknown type \\\"LogsConnectorStatusInput\\\". Did you mean x?")));
    EXPECT(s->fake, .body = ALL_OK);
    assert_int_equal(0, side_report(s, &report));
    assert_null(strstr(s->fake->bodies[1], "updateConnectorLogs"));
    side_free(s);
}

static void
a_platform_without_any_of_it_is_unsupported(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    struct platform_report report = report_of(true, true, true);
    EXPECT(s->fake, .body = ERRORS(INVALID("updateConnectorCurrentStatus") "," INVALID(
                        "updateConnectorHealth") "," INVALID("updateConnectorLogs")));
    assert_int_equal(GANTRY_E_UNSUPPORTED, side_report(s, &report));
    assert_int_equal(GANTRY_E_UNSUPPORTED, side_report(s, &report));
    assert_int_equal(3, occurrences(buf_text(&s->logged), "lacks an operation"));
    side_free(s);
}

/* The variables of a document are checked together: a refused one must not hold up the others. */
static void
a_refused_part_does_not_hold_up_the_others(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    struct platform_report report = report_of(true, true, false);
    EXPECT(s->fake, "updateConnectorHealth",
           ERRORS(ERROR("BAD_USER_INPUT", "Variable \\\"$health\\\" got invalid value \\\"x\\\" at "
                                          "\\\"health.started_at\\\"; no date")));
    EXPECT(s->fake, "updateConnectorCurrentStatus", "{\"data\":{" STATUS_OK "}}");
    assert_int_equal(GANTRY_E_INVALID, side_report(s, &report));
    assert_contains(s->message, "updateConnectorHealth: BAD_USER_INPUT");
    assert_null(strstr(s->fake->bodies[1], "ealth"));
    side_free(s);
}

static void
a_forbidden_operation_is_said_and_then_left_out(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    struct platform_report report = report_of(true, false, true),
                           logs_alone = report_of(false, false, true);
    EXPECT(s->fake, "updateConnectorLogs",
           "{\"data\":{" STATUS_OK ",\"updateConnectorLogs\":null},\"errors\":[" ERROR_AT(
               "updateConnectorLogs", "FORBIDDEN_ACCESS", "You are not allowed to do this.") "]}");
    EXPECT(s->fake, "updateConnectorCurrentStatus", "{\"data\":{" STATUS_OK "}}");
    assert_int_equal(GANTRY_E_DENIED, side_report(s, &report));
    assert_contains(s->message, "capability CONNECTORAPI");
    assert_int_equal(0, side_report(s, &report));
    assert_null(strstr(s->fake->bodies[1], "ogs"));
    assert_int_equal(GANTRY_E_UNSUPPORTED, side_report(s, &logs_alone));
    side_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_combination_is_one_document),
        cmocka_unit_test(nothing_to_tell_is_told_without_a_request),
        cmocka_unit_test(a_part_that_fails_is_told_with_its_path),
        cmocka_unit_test(a_connector_that_is_gone_is_not_found),
        cmocka_unit_test(what_the_platform_lacks_is_left_out_of_the_document),
        cmocka_unit_test(an_unknown_type_alone_makes_its_operation_a_lacking_one),
        cmocka_unit_test(a_platform_without_any_of_it_is_unsupported),
        cmocka_unit_test(a_refused_part_does_not_hold_up_the_others),
        cmocka_unit_test(a_forbidden_operation_is_said_and_then_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
