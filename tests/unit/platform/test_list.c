/* The two steps of the poll, over HTTP: what is asked, what is recognised, and every fault. */
#include "platform_test.h"

static void
the_two_steps_ask_for_what_they_need_and_no_more(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, .body = LISTED(CONNECTOR("one", "aa", "starting")));
    EXPECT(s->fake, .body = "{\"data\":{\"connectorsForManagers\":[{\"id\":\"one\",\"manager_"
                            "contract_hash\":\"aa\","
                            "\"manager_contract_image\":\"i\",\"manager_contract_configuration\":["
                            "{\"key\":\"A\",\"value\":\"x\",\"encrypted\":null}]}]}}");
    assert_int_equal(0, side_list(s));
    assert_int_equal(1, s->listing->count);
    assert_string_equal("one", s->listing->connectors[0].id);
    assert_int_equal(0, side_configure(s));
    assert_int_equal(1, s->configurations->count);
    assert_string_equal("x", s->configurations->items[0].entries[0].value);
    assert_int_equal(PLATFORM_SEALED_NO, s->configurations->items[0].entries[0].sealed);
    golden("connectors.json", s->fake->bodies[0]);
    golden("configurations.json", s->fake->bodies[1]);
    side_free(s);
}

static void
an_answer_of_the_same_bytes_is_unchanged(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, .body = LISTED(CONNECTOR("one", "aa", "starting")));
    EXPECT(s->fake, .body = LISTED(CONNECTOR("one", "aa", "starting")));
    EXPECT(s->fake, .body = LISTED(CONNECTOR("one", "ab", "starting")));
    EXPECT(s->fake, .body = LISTED(CONNECTOR("one", "ab", "starting")));
    EXPECT(s->fake, .body = LISTED(CONNECTOR("one", "ab", "starting")));
    assert_int_equal(0, side_list(s));
    assert_false(s->unchanged);
    assert_int_equal(0, side_list(s));
    assert_true(s->unchanged);
    assert_int_equal(0, side_list(s));
    assert_string_equal("ab", s->listing->connectors[0].hash);
    platform_forget_listing(s->platform);
    assert_int_equal(0, side_list(s));
    assert_false(s->unchanged);
    assert_int_equal(0, side_list(s));
    assert_true(s->unchanged);
    side_free(s);
}

static void
a_listing_that_is_forgotten_on_its_way_is_handed_out(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, .body = LISTED());
    EXPECT(s->fake, .body = LISTED());
    assert_int_equal(0, side_list(s));
    side_forget(s);
    platform_list(s->platform, side_listed, s);
    platform_forget_listing(s->platform);
    side_run(s);
    assert_false(s->unchanged);
    assert_non_null(s->listing);
    side_free(s);
}

static void
the_same_bytes_with_another_status_are_no_listing(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, .body = LISTED());
    EXPECT(s->fake, .body = LISTED(), .status = 500);
    EXPECT(s->fake, .body = LISTED());
    assert_int_equal(0, side_list(s));
    assert_int_equal(GANTRY_E_UNAVAILABLE, side_list(s));
    assert_contains(s->message, "HTTP 500");
    assert_int_equal(0, side_list(s));
    assert_true(s->unchanged);
    side_free(s);
}

struct fault {
    struct reply reply;
    int code;
    const char *says;
};

static const struct fault faults[] = {
    {{.body = "\x80\x81garbage"}, GANTRY_E_UNAVAILABLE, "no JSON"},
    {{.body = "<html>Back soon</html>", .type = "text/html"}, GANTRY_E_UNAVAILABLE, "text/html"},
    {{.body = "<html>Back soon</html>", .type = "text/html", .status = 502},
     GANTRY_E_UNAVAILABLE,
     "HTTP 502"},
    {{.body = ""}, GANTRY_E_UNAVAILABLE, "answers nothing"},
    {{.body = "null"}, GANTRY_E_UNAVAILABLE, "no GraphQL answer"},
    {{.body = "{\"data\":null}"}, GANTRY_E_UNAVAILABLE, "answers null"},
    {{.body = "{\"data\":{\"connectorsForManagers\":null}}"}, GANTRY_E_UNAVAILABLE, "answers null"},
    {{.body = "{\"data\":{\"connectorsForManagers\":\"none\"}}"}, GANTRY_E_UNAVAILABLE, "no list"},
    {{.body = "{\"data\":{\"connectorsForManagers\":{}}}"}, GANTRY_E_UNAVAILABLE, "no list"},
    {{.body = "{\"data\":{\"connectorsForManagers\":[", .cut = true}, GANTRY_E_UNAVAILABLE, ""},
    {{.body = "{\"data\":{\"connectorsForManagers\":["}, GANTRY_E_UNAVAILABLE, "cut short"},
    {{.status = 401, .body = "{\"message\":\"no\"}"}, GANTRY_E_DENIED, "token of [platform main]"},
    {{.status = 429, .body = "{\"message\":\"Too many\"}", .header = "Retry-After: 7"},
     GANTRY_E_UNAVAILABLE,
     "wait for 7 s"},
    {{.status = 500, .body = "{\"message\":\"internal\"}"}, GANTRY_E_UNAVAILABLE, "HTTP 500"},
    {{.status = 301, .body = "", .header = "Location: http://127.0.0.1:1/"},
     GANTRY_E_UNAVAILABLE,
     "HTTP 301"},
    {{.body = "{\"data\":{\"connectorsForManagers\":[null]},\"errors\":["
              "{\"message\":\"Invalid manager contract "
              "snapshot\",\"path\":[\"connectorsForManagers\",0,\"manager_contract_image\"],"
              "\"extensions\":{\"code\":\"FUNCTIONAL_ERROR\"}}]}"},
     GANTRY_E_INVALID,
     "FUNCTIONAL_ERROR at connectorsForManagers.0.manager_contract_image: Invalid manager contract "
     "snapshot"},
    {{.body = ERRORS(ERROR_AT("connectorsForManagers", "FORBIDDEN_ACCESS", "You are not allowed"))},
     GANTRY_E_DENIED,
     "connectorsForManagers: FORBIDDEN_ACCESS: You are not allowed; give the user of the token of "
     "[platform main] the "
     "capability SETTINGS_SETACCESSES"},
    {{.body = ERRORS(ERROR("LOCK_ERROR", "busy"))}, GANTRY_E_UNAVAILABLE, "LOCK_ERROR"},
    {{.body = ERRORS(ERROR("FUNCTIONAL_ERROR", "auto-upgrade timed out"))},
     GANTRY_E_UNAVAILABLE,
     "upgrades"},
};

/* S1: whatever goes wrong, it is an error, and the next good answer is a listing. */
static void
no_fault_is_taken_for_a_listing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(faults); i++) {
        struct side *s = side_opencti();
        expect(s->fake, faults[i].reply);
        EXPECT(s->fake, .body = LISTED());
        if (side_list(s) != faults[i].code || !strstr(s->message, faults[i].says))
            fail_msg("fault %zu: code %d, %s", i, s->code, s->message);
        assert_null(s->listing);
        assert_int_equal(0, side_list(s));
        assert_true(s->listing->complete);
        side_free(s);
    }
}

static void
no_fault_is_taken_for_configurations(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(faults); i++) {
        struct side *s = side_opencti();
        expect(s->fake, faults[i].reply);
        if (side_configure(s) != faults[i].code)
            fail_msg("fault %zu: code %d, %s", i, s->code, s->message);
        side_free(s);
    }
}

static void
a_slow_platform_ends_at_the_time_for_lists(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    s->settings.list_timeout_ms = 2000;
    EXPECT(s->fake, .hold = true);
    assert_int_equal(GANTRY_E_TIMEOUT, side_list(s));
    side_free(s);
}

static void
ping_and_listing_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct side *s = side_opencti();
    EXPECT(s->fake, .hold = true);
    EXPECT(s->fake, .body = REGISTERED("7.1"));
    side_forget(s);
    platform_list(s->platform, side_listed, s);
    while (atomic_load(&s->fake->server->requests) == 0)
        wait_step(s->http);
    platform_ping(s->platform, side_done, s);
    while (s->ends == 0)
        wait_step(s->http);
    assert_int_equal(0, s->code);
    assert_null(s->listing);
    assert_int_equal(1, platform_active(s->platform));
    side_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_two_steps_ask_for_what_they_need_and_no_more),
        cmocka_unit_test(an_answer_of_the_same_bytes_is_unchanged),
        cmocka_unit_test(a_listing_that_is_forgotten_on_its_way_is_handed_out),
        cmocka_unit_test(the_same_bytes_with_another_status_are_no_listing),
        cmocka_unit_test(no_fault_is_taken_for_a_listing),
        cmocka_unit_test(no_fault_is_taken_for_configurations),
        cmocka_unit_test(a_slow_platform_ends_at_the_time_for_lists),
        cmocka_unit_test(ping_and_listing_do_not_wait_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
