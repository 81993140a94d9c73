/* A backend that tells what happens: when it is believed, what is asked besides, and what is never lost. */
#include "scripted_world.h"

#define ONE       LISTED(CONNECTOR("a", "aa", "starting", "\"started\""))
#define SLOW      "interval = 10m\nping_interval = 10m"
#define SLOW_TELL "logs_interval = 10m\nhealth_interval = 4m"

static bool
runs(int n)
{
    return scripted_count(NULL, GANTRY_STATE_RUNNING) == n;
}

/* One connector that runs, and nothing is left to do; the watch is healthy if it can be. */
static void
begin_with_one(struct world *w, const char *manager)
{
    atomic_store(&scripted->details, 1);
    with_opencti(w, manager, SLOW_TELL);
    fake_set(&w->fake, w->fake.listing, ONE);
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, runs(1)));
    pause_ms(700);
}

static void
an_end_is_told_at_once_and_it_runs_again(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    begin_with_one(w, SLOW);
    for (int n = 1; n <= 3; n++) {
        int before = atomic_load(&w->fake.statuses);
        int64_t began = clock_mono_ms();
        scripted_end("a", 137, 0, 400000);
        assert_true(WITHIN(COMES_MS, atomic_load(&w->fake.statuses) > before));
        assert_true(WITHIN(COMES_MS, runs(1)));
        assert_true(clock_mono_ms() - began < COMES_MS);
        char count[32];
        snprintf(count, sizeof count, "\"restart_count\":%d", n);
        assert_true(WITHIN(COMES_MS, fake_was_told(&w->fake, w->fake.told_health, count)));
        pause_ms(2200); /* starts by ourselves are spaced */
    }
}

static void
a_restart_between_two_listings_is_told_at_once(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    begin_with_one(w, SLOW);
    scripted_restart("a", 1, 1000);
    assert_true(
        WITHIN(COMES_MS, fake_was_told(&w->fake, w->fake.told_health, "\"restart_count\":1")));
    assert_int_equal(1, atomic_load(&scripted->starts));
}

static void
a_healthy_watch_is_asked_nothing(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    atomic_store(&scripted->details, 1);
    with_opencti(w, "interval = 100ms\nping_interval = 60s",
                 "logs_interval = 60s\nhealth_interval = 200ms");
    fake_set(&w->fake, w->fake.listing, ONE);
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, runs(1)));
    pause_ms(1000);
    int lists = atomic_load(&scripted->lists), inspects = atomic_load(&scripted->inspects);
    int listed = atomic_load(&w->fake.listed), reported = atomic_load(&w->fake.reported);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->fake.listed) - listed >= 15));
    assert_true(WITHIN(COMES_MS, atomic_load(&w->fake.reported) - reported >= 5)); /* of health */
    assert_int_equal(lists, atomic_load(&scripted->lists));
    assert_int_equal(inspects, atomic_load(&scripted->inspects));
}

static void
a_backend_without_a_watch_is_asked_in_each_interval(void **state)
{
    struct world *w = *state;
    begin_with_one(w, "interval = 100ms");
    int lists = atomic_load(&scripted->lists);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->lists) - lists >= 8));
    assert_int_equal(0, atomic_load(&w->watch_warnings)); /* it is no fault */
}

static void
while_it_is_lost_the_backend_is_asked(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    begin_with_one(w, "interval = 100ms");
    assert_true(rests(&scripted->lists, 600));
    int lists = atomic_load(&scripted->lists);
    atomic_store(&scripted->lose, 1);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->lists) >= lists + 5));
    atomic_store(&scripted->lose, 0);
    assert_true(rests(&scripted->lists, 600));
}

static void
a_watch_that_ends_is_started_again_and_said_once(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    atomic_store(&scripted->watch_fails, 2);
    begin_with_one(w, "interval = 100ms");
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->lists) >= 3)); /* meanwhile it is asked */
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->watched) == 3));
    assert_true(rests(&scripted->lists, 500));
    assert_int_equal(1, atomic_load(&w->watch_warnings));
}

/* What is told while an action is in flight is looked at when it has ended, once. */
static void
a_change_during_an_action_is_not_lost(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    begin_with_one(w, SLOW);
    atomic_store(&scripted->start_ms, 600);
    scripted_end("a", 1, 0, 400000);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inside) == 1));
    pause_ms(100);
    int inspects = atomic_load(&scripted->inspects);
    scripted_set_state("a", GANTRY_STATE_PAUSED); /* then it is started, which tells again */
    assert_true(WITHIN(COMES_MS, runs(1)));
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inspects) > inspects));
    pause_ms(700);
    int more = atomic_load(&scripted->inspects) - inspects;
    print_message("inspections after the action: %d\n", more);
    assert_in_range(more, 1, 2);
    assert_int_equal(1, scripted_count("a", -1));
}

/* A listing that was asked for before an inspection, and answered after it, says nothing against it. */
static void
a_late_listing_does_not_undo_an_inspection(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    begin_with_one(w, SLOW);
    atomic_store(&scripted->list_ms, 4000);
    int lists = atomic_load(&scripted->lists);
    atomic_store(&scripted->lose, 1);
    pause_ms(50);
    atomic_store(&scripted->lose, 0); /* it is listed anew */
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->lists) > lists));
    pause_ms(100);
    scripted_set_state("a", GANTRY_STATE_RESTARTING);
    assert_true(WITHIN(3500, fake_was_told(&w->fake, w->fake.told_health, "\"restart_count\":1")));
    int inspects = atomic_load(&scripted->inspects);
    pause_ms(4500);
    assert_int_equal(inspects, atomic_load(&scripted->inspects));
    assert_int_equal(1, atomic_load(&w->ends_said));
}

static void
a_removal_of_our_own_costs_nothing(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    with_local(w);
    write_connector(w, "a", "i", "starting");
    write_connector(w, "b", "i", "starting");
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, runs(2)));
    pause_ms(700);
    int lists = atomic_load(&scripted->lists);
    remove_connector(w, "a");
    assert_true(WITHIN(COMES_MS, scripted_count("a", -1) == 0));
    pause_ms(700);
    assert_int_equal(lists, atomic_load(&scripted->lists));
}

static void
one_that_somebody_removes_is_made_again(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    begin_with_one(w, SLOW);
    scripted_vanish("a");
    assert_true(WITHIN(COMES_MS, runs(1)));
    assert_int_equal(2, atomic_load(&scripted->starts));
}

/* It says that it watches, and does not tell what we did ourselves. */
static void
a_blind_watch_is_not_believed(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    atomic_store(&scripted->silent, 1);
    begin_with_one(w, "interval = 200ms\nping_interval = 60s");
    int lists = atomic_load(&scripted->lists);
    pause_ms(600);
    assert_int_equal(lists, atomic_load(&scripted->lists)); /* it is given time */
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->lists) >= lists + 5));
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->watched) == 2));
    assert_int_equal(1, atomic_load(&w->watch_warnings));
    lists = atomic_load(&scripted->lists);
    /* It says again that it watches: it is asked all the same. */
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->lists) >= lists + 4));
    atomic_store(&scripted->silent, 0);
    scripted_restart("a", 0, 400000);
    assert_true(rests(&scripted->lists, 1000));
}

static void
once_ends_beside_a_backend_that_could_be_watched(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    with_opencti(w, "interval = 100ms", "");
    fake_set(&w->fake, w->fake.listing, ONE);
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->ended)));
    assert_int_equal(0, w->code);
    assert_int_equal(0, atomic_load(&scripted->watched));
}

/* The same manager: watched, not watched while it takes all down, watched again. */
static void
each_run_has_a_watch_of_its_own(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    begin_with_one(w, SLOW);
    join(w);
    struct gantry_error *err = NULL;
    assert_int_equal(0, gantry_manager_run(w->manager, GANTRY_RUN_DOWN, &err));
    gantry_error_free(err);
    assert_int_equal(1, atomic_load(&scripted->watched));
    atomic_store(&w->ended, false);
    assert_int_equal(0, pthread_create(&w->thread, NULL, run_manager, w));
    w->runs = true;
    assert_true(WITHIN(COMES_MS, runs(1)));
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->watched) == 2));
    pause_ms(300);
    scripted_restart("a", 1, 400000);
    assert_true(
        WITHIN(COMES_MS, fake_was_told(&w->fake, w->fake.told_health, "\"restart_count\":1")));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(an_end_is_told_at_once_and_it_runs_again),
        T(a_restart_between_two_listings_is_told_at_once),
        T(a_healthy_watch_is_asked_nothing),
        T(a_backend_without_a_watch_is_asked_in_each_interval),
        T(while_it_is_lost_the_backend_is_asked),
        T(a_watch_that_ends_is_started_again_and_said_once),
        T(a_change_during_an_action_is_not_lost),
        T(a_late_listing_does_not_undo_an_inspection),
        T(a_removal_of_our_own_costs_nothing),
        T(one_that_somebody_removes_is_made_again),
        T(a_blind_watch_is_not_believed),
        T(once_ends_beside_a_backend_that_could_be_watched),
        T(each_run_has_a_watch_of_its_own),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
