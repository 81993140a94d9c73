/* What platforms and people are told under faults, and how often. */
#include "scripted_world.h"

static void
a_report_that_finds_no_connector_is_not_repeated_at_once(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 10s", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    fake_set(&w->fake, w->fake.reports, ERROR("FUNCTIONAL_ERROR", "Cant find element to update"));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->fake.statuses) > 0));
    int before = atomic_load(&w->fake.reported);
    pause_ms(2000);
    int more = atomic_load(&w->fake.reported) - before;
    print_message("reports in 2 s: %d\n", more);
    assert_true(more < 10);
}

static void
a_status_that_the_platform_lost_is_told_again(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "stopping", "null")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->fake.statuses) > 0));
    /* The listing goes on to say that it knows none. */
    assert_true(WITHIN(COMES_MS, atomic_load(&w->fake.statuses) > 1));
}

static void
logs_are_read_in_their_own_interval(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 60s", "logs_interval = 300ms");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->logs) > 0));
    int64_t began = clock_mono_ms();
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->logs) >= 10));
    print_message("10 reads of logs at 300 ms: %lld ms\n", (long long)(clock_mono_ms() - began));
}

static void
a_state_folder_that_cannot_be_written_is_said_once(void **state)
{
    struct world *w = *state;
    char path[160];
    snprintf(path, sizeof path, "%s/state", w->home);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/state/state.json", w->home);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/state/state.json/x", w->home);
    mkdir(path, 0700);
    with_local(w);
    write_connector(w, "a", "i", "starting");
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(22000);
    print_message("said %d times in 22 s\n", atomic_load(&w->state_warnings));
    assert_true(atomic_load(&w->state_warnings) <= 1);
}

static void
a_standing_reason_and_a_failing_stop_are_said_once_each(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "\"started\"")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, scripted_count(NULL, GANTRY_STATE_RUNNING) == 1));
    atomic_store(&scripted->stop_fails, 1);
    atomic_store(&w->warnings, 0);
    fake_set(&w->fake, w->fake.listing,
             LISTED("{\"id\":\"a\",\"name\":\"a\",\"manager_contract_hash\":\"aa\","
                    "\"manager_contract_image\":\"\",\"manager_current_status\":\"started\","
                    "\"manager_requested_status\":\"stopping\"}"));
    pause_ms(12000);
    print_message("warnings in 12 s of two lasting faults: %d\n", atomic_load(&w->warnings));
    assert_true(atomic_load(&w->warnings) <= 3);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(a_report_that_finds_no_connector_is_not_repeated_at_once),
        T(a_status_that_the_platform_lost_is_told_again),
        T(logs_are_read_in_their_own_interval),
        T(a_state_folder_that_cannot_be_written_is_said_once),
        T(a_standing_reason_and_a_failing_stop_are_said_once_each),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
