/* What a platform lacks is found out from its answers, remembered, and asked for again after an
 * upgrade. */
#include "platform_test.h"

#define CONFIGURED                                                                                 \
    "{\"data\":{\"connectorsForManagers\":[{\"id\":\"one\",\"manager_contract_hash\":\"aa\","      \
    "\"manager_contract_image\":\"i\",\"manager_contract_configuration\":[{\"key\":\"A\","         \
    "\"value\":\"x\"}]}]}}"

static void
an_unknown_optional_field_is_left_out_at_once_and_from_then_on(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, "encrypted", ERRORS(INVALID("encrypted")));
    EXPECT(s->fake, .body = CONFIGURED);
    EXPECT(s->fake, .body = CONFIGURED);
    assert_int_equal(0, side_configure(s));
    assert_int_equal(PLATFORM_SEALED_UNKNOWN, s->configurations->items[0].entries[0].sealed);
    assert_int_equal(0, side_configure(s));
    assert_null(strstr(s->fake->bodies[1], "encrypted"));
    assert_string_equal(s->fake->bodies[1], s->fake->bodies[2]);
    golden("configurations-without-encrypted.json", s->fake->bodies[1]);
    assert_int_equal(1, occurrences(buf_text(&s->logged), "left out"));
    side_free(s);
}

static void
an_error_without_code_is_known_by_its_form(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, .status = 400,
           .body = ERRORS("{\"message\":\"Cannot query field \\\"encrypted\\\" on type \\\"X\\\". "
                          "Did you mean \\\"key\\\"?\"}"));
    EXPECT(s->fake, .body = CONFIGURED);
    assert_int_equal(0, side_configure(s));
    side_free(s);
}

static void
what_was_left_out_is_asked_for_again_after_an_upgrade(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("6.8"));
    EXPECT(s->fake, "encrypted", ERRORS(INVALID("encrypted")));
    EXPECT(s->fake, .body = CONFIGURED);
    EXPECT(s->fake, "updateConnectorManagerStatus", PINGED("7.1"));
    EXPECT(s->fake, "registerConnectorsManager", REGISTERED("7.1"));
    EXPECT(s->fake, "encrypted", CONFIGURED);
    assert_int_equal(0, side_ping(s));
    assert_int_equal(0, side_configure(s));
    assert_int_equal(0, side_ping(s));
    assert_int_equal(0, side_configure(s));
    side_free(s);
}

static void
an_operation_that_is_lacking_is_said_once_and_skipped(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, "connectorsForManagers", ERRORS(INVALID("connectorsForManagers")));
    assert_int_equal(GANTRY_E_UNSUPPORTED, side_list(s));
    assert_contains(s->message, "lacks connectorsForManagers");
    assert_int_equal(GANTRY_E_UNSUPPORTED, side_list(s));
    assert_int_equal(GANTRY_E_UNSUPPORTED, side_list(s));
    assert_int_equal(1, occurrences(buf_text(&s->logged), "lacks an operation"));
    assert_contains(buf_text(&s->logged), "connectorsForManagers");
    side_free(s);
}

static void
a_required_field_that_is_lacking_means_the_operation_is(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, .body = ERRORS(INVALID("manager_contract_hash")));
    assert_int_equal(GANTRY_E_UNSUPPORTED, side_list(s));
    assert_contains(buf_text(&s->logged), "manager_contract_hash");
    side_free(s);
}

static void
a_platform_that_refuses_for_ever_is_not_asked_for_ever(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, .body = ERRORS(INVALID("encrypted")));
    EXPECT(s->fake, .body = ERRORS(INVALID("encrypted")));
    assert_int_equal(GANTRY_E_INVALID, side_configure(s));
    assert_contains(s->message, "Cannot query field");
    side_free(s);
}

static void
an_unknown_field_that_was_not_asked_for_changes_nothing(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, .body = ERRORS(INVALID("something")));
    EXPECT(s->fake, "encrypted", CONFIGURED);
    assert_int_equal(GANTRY_E_INVALID, side_configure(s));
    assert_int_equal(0, side_configure(s));
    side_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_optional_field_is_left_out_at_once_and_from_then_on),
        cmocka_unit_test(an_error_without_code_is_known_by_its_form),
        cmocka_unit_test(what_was_left_out_is_asked_for_again_after_an_upgrade),
        cmocka_unit_test(an_operation_that_is_lacking_is_said_once_and_skipped),
        cmocka_unit_test(a_required_field_that_is_lacking_means_the_operation_is),
        cmocka_unit_test(a_platform_that_refuses_for_ever_is_not_asked_for_ever),
        cmocka_unit_test(an_unknown_field_that_was_not_asked_for_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
