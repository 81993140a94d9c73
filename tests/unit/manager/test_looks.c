/* What backends say, when it is late, missing or in doubt. */
#include "scripted_world.h"

static void
an_inspection_that_finds_nothing_makes_no_storm(void **state)
{
    struct world *w = *state;
    settle_on(w, "interval = 10s");
    add_settings(w, "[platform local]\npath = %s\n[backend scripted]\n", w->folder);
    write_connector(w, "a", "i", "starting");
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    end(w);
    atomic_store(&scripted->inspect_missing, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inspects) > 0));
    int before = atomic_load(&scripted->lists);
    pause_ms(5000);
    print_message("listings in 5 s at an interval of 10 s: %d\n",
                  atomic_load(&scripted->lists) - before);
    assert_true(atomic_load(&scripted->lists) - before < 6);
}

static void
an_inspection_that_finds_it_being_removed_makes_no_storm(void **state)
{
    struct world *w = *state;
    settle_on(w, "interval = 10s");
    add_settings(w, "[platform local]\npath = %s\n[backend scripted]\n", w->folder);
    write_connector(w, "a", "i", "starting");
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    end(w);
    atomic_store(&scripted->inspect_removing, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inspects) > 0));
    pause_ms(2000);
    print_message("inspections in 2 s: %d\n", atomic_load(&scripted->inspects));
    assert_true(atomic_load(&scripted->inspects) < 10);
}

static void
an_inspection_older_than_an_action_says_nothing(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i", "starting");
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    end(w);
    int starts = atomic_load(&scripted->starts);
    atomic_store(&scripted->stops, 0);
    memcpy(strstr(w->settings, "interval = 100ms"), "interval = 60s  ", 16);
    write_connector(w, "a", "i", "stopping");
    atomic_store(&scripted->inspect_ms, 2000); /* begins with the listing, before the stop */
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, scripted_count("a", GANTRY_STATE_EXITED) == 1));
    pause_ms(3500);
    print_message("stops of a workload that was stopped once: %d\n", atomic_load(&scripted->stops));
    assert_int_equal(starts, atomic_load(&scripted->starts));
    assert_int_equal(1, atomic_load(&scripted->stops));
}

static void
a_hash_that_cannot_be_read_is_said_once(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 150ms", "health_interval = 400ms\nlogs_interval = 60s");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->fake.statuses) > 0));
    atomic_store(&scripted->hide_hash, 1);
    atomic_store(&scripted->inspect_ms, 100);
    end(w); /* a new one that knows no hash */
    atomic_store(&w->warnings, 0);
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(5000);
    print_message("warnings in 5 s of one lasting fault: %d\n", atomic_load(&w->warnings));
    assert_true(atomic_load(&w->warnings) <= 2);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(an_inspection_that_finds_nothing_makes_no_storm),
        T(an_inspection_that_finds_it_being_removed_makes_no_storm),
        T(an_inspection_older_than_an_action_says_nothing),
        T(a_hash_that_cannot_be_read_is_said_once),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
