/* What may be removed (S2, S3), and what a manager that is refused may do. */
#include "scripted_world.h"

static void
one_that_is_being_removed_does_not_hide_that_all_have_vanished(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing,
             LISTED(CONNECTOR("a", "aa", "starting", "\"started\"") "," CONNECTOR(
                 "b", "aa", "starting", "\"started\"") "," CONNECTOR("c", "aa", "starting",
                                                                     "\"started\"")));
    fake_set(&w->fake, w->fake.configurations,
             LISTED(CONFIGURED("a", "aa") "," CONFIGURED("b", "aa") "," CONFIGURED("c", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, scripted_count(NULL, GANTRY_STATE_RUNNING) == 3));
    atomic_store(&scripted->slow_id, "a");
    atomic_store(&scripted->stop_ms, 60000); /* a takes its time to stop */
    fake_set(&w->fake, w->fake.listing,
             LISTED(CONNECTOR("b", "aa", "starting",
                              "\"started\"") "," CONNECTOR("c", "aa", "starting", "\"started\"")));
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->stops) == 1));
    fake_set(&w->fake, w->fake.listing, LISTED(""));
    pause_ms(3000);
    print_message("of b and c run on: %d\n", scripted_count("b", GANTRY_STATE_RUNNING) +
                                                 scripted_count("c", GANTRY_STATE_RUNNING));
    assert_int_equal(1, scripted_count("b", GANTRY_STATE_RUNNING));
    assert_int_equal(1, scripted_count("c", GANTRY_STATE_RUNNING));
}

/* Without any platform label: reported when it is unlisted, and never removed (S2). */
static void
a_workload_without_a_platform_is_never_removed(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms\nallow_remove_all = yes", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "\"started\"")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, scripted_count(NULL, GANTRY_STATE_RUNNING) == 1));
    atomic_store(&scripted->bare_labels, 1);
    pause_ms(600);
    atomic_store(&scripted->list_fails, 2); /* the backend is away while it vanishes */
    pause_ms(250);
    fake_set(&w->fake, w->fake.listing, LISTED(""));
    pause_ms(5000);
    print_message("stops %d, removes %d\n", atomic_load(&scripted->stops),
                  atomic_load(&scripted->removes));
    assert_int_equal(1, scripted_count("a", GANTRY_STATE_RUNNING));
}

static void
a_manager_that_is_refused_touches_nothing(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.pings,
             ERROR("UNSUPPORTED_ERROR", "Only one connector manager is supported per instance"));
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(3000);
    print_message("starts %d, statuses told %d\n", atomic_load(&scripted->starts),
                  atomic_load(&w->fake.statuses));
    assert_int_equal(0, atomic_load(&scripted->starts));
}

static void
a_manager_that_is_refused_later_does_not_spin(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 60s\nping_interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    atomic_store(&scripted->start_image_missing, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->starts) == 3)); /* the next waits 4 s */
    fake_set(&w->fake, w->fake.pings,
             ERROR("UNSUPPORTED_ERROR", "Only one connector manager is supported per instance"));
    pause_ms(6000);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    sleep(2); /* one call: our own waiting is not counted */
    getrusage(RUSAGE_SELF, &after);
    long woken = after.ru_nvcsw - before.ru_nvcsw;
    print_message("woken %ld times in 2 s\n", woken);
    assert_true(woken < 120);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(one_that_is_being_removed_does_not_hide_that_all_have_vanished),
        T(a_workload_without_a_platform_is_never_removed),
        T(a_manager_that_is_refused_touches_nothing),
        T(a_manager_that_is_refused_later_does_not_spin),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
