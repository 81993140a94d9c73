/* Runs that end by themselves, under faults: ONCE, DRY and DOWN. */
#include "scripted_world.h"

static void
once_removes_what_is_not_listed_any_more(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i", "starting");
    write_connector(w, "b", "i", "starting");
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    end(w);
    assert_int_equal(2, scripted_count(NULL, GANTRY_STATE_RUNNING));
    remove_connector(w, "b");
    atomic_store(&scripted->list_ms, 50);
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    assert_int_equal(0, scripted_count("b", -1));
}

static void
once_ends_when_configurations_are_refused(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, ERROR("DATABASE_ERROR", "no"));
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
}

static void
once_ends_when_a_configuration_does_not_come(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
}

static void
once_serves_a_platform_while_another_is_away(void **state)
{
    struct world *w = *state;
    settle_on(w, "interval = 200ms");
    add_settings(w,
                 "[platform opencti]\nurl = http://127.0.0.1:1\ntoken = t\n"
                 "[platform local]\npath = %s\n[backend scripted]\n",
                 w->folder);
    write_connector(w, "a", "i", "starting");
    atomic_store(&scripted->list_ms, 50);
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    assert_int_equal(1, scripted_count("a", GANTRY_STATE_RUNNING));
}

static void
once_ends_when_the_manager_is_refused(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.pings,
             ERROR("UNSUPPORTED_ERROR", "Only one connector manager is supported per instance"));
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    assert_true(w->code < 0);
}

static void
a_dry_run_on_a_platform_ends(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    begin(w, GANTRY_RUN_DRY);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    assert_int_equal(0, w->code);
    assert_int_equal(0, atomic_load(&scripted->starts));
    assert_int_equal(0, atomic_load(&w->fake.reported));
}

static void
a_dry_run_that_waits_does_not_spin(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i", "starting");
    atomic_store(&scripted->list_ms, 1500);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    begin(w, GANTRY_RUN_DRY);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    getrusage(RUSAGE_SELF, &after);
    long ms = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec -
               before.ru_stime.tv_sec) *
                  1000 +
              (after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec -
               before.ru_stime.tv_usec) /
                  1000;
    print_message("CPU of a dry run that waits 1500 ms: %ld ms\n", ms);
    assert_true(ms < 500);
}

static void
down_says_what_it_could_not_remove(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i", "starting");
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    end(w);
    scripted_set_state("a", GANTRY_STATE_REMOVING); /* an engine may be stuck on it for ever */
    atomic_store(&scripted->list_ms, 10);
    atomic_store(&scripted->keep_removing, 1);
    begin(w, GANTRY_RUN_DOWN);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    assert_int_equal(1, scripted_count("a", -1));
    assert_true(w->code < 0);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(once_removes_what_is_not_listed_any_more),
        T(once_ends_when_configurations_are_refused),
        T(once_ends_when_a_configuration_does_not_come),
        T(once_serves_a_platform_while_another_is_away),
        T(once_ends_when_the_manager_is_refused),
        T(a_dry_run_on_a_platform_ends),
        T(a_dry_run_that_waits_does_not_spin),
        T(down_says_what_it_could_not_remove),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
