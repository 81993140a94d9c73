/* What comes at the wrong moment: events, answers and ends of runs that meet what they should not. */
#include "scripted_world.h"

#define ONE       LISTED(CONNECTOR("a", "aa", "starting", "\"started\""))
#define HALTED    LISTED(CONNECTOR("a", "aa", "stopping", "\"stopped\""))
#define SLOW      "interval = 10m\nping_interval = 10m"
#define SLOW_TELL "logs_interval = 10m\nhealth_interval = 4m"

static bool
runs(int n)
{
    return scripted_count(NULL, GANTRY_STATE_RUNNING) == n;
}

static void
with_one(struct world *w, const char *manager, const char *platform)
{
    atomic_store(&scripted->details, 1);
    atomic_store(&scripted->watches, 1);
    with_opencti(w, manager, platform);
    fake_set(&w->fake, w->fake.listing, ONE);
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
}

/* Is what this says made true by an event?  Listings come too rarely. */
static void
assert_watched(void)
{
    scripted_end("a", 1, 0, 400000);
    assert_true(WITHIN(COMES_MS, !runs(1)));
    assert_true(WITHIN(COMES_MS, runs(1)));
}

static void
a_handle_that_is_given_again_is_watched(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->same_handles, 1);
    with_one(w, SLOW, SLOW_TELL);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, runs(1)));
    pause_ms(700);
    scripted_set_state("a", GANTRY_STATE_DEAD); /* it is removed and made anew */
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->removes) == 1 && runs(1)));
    pause_ms(700);
    assert_watched();
}

static void
an_inspection_that_failed_is_made_up_for(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    atomic_store(&scripted->details, 1);
    with_local(w); /* no logs are read, so nothing else looks at the workload */
    write_connector(w, "a", "i", "starting");
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, runs(1)));
    pause_ms(700);
    atomic_store(&scripted->inspect_fails, 1);
    assert_watched();
}

static void
a_change_while_last_lines_are_read_does_not_make_the_start_wait(void **state)
{
    struct world *w = *state;
    with_one(w, SLOW, SLOW_TELL);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, runs(1)));
    pause_ms(700);
    atomic_store(&scripted->logs_ms, 25000);
    scripted_end("a", 3, 0, 400000);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->logs) == 1));
    pause_ms(100);
    int inspects = atomic_load(&scripted->inspects);
    int64_t began = clock_mono_ms();
    scripted_set_state("a", GANTRY_STATE_FAILED); /* as it was: it is looked at again */
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inspects) > inspects));
    assert_true(WITHIN(COMES_MS, runs(1)));
    assert_true(clock_mono_ms() - began < 15000);
}

static void
what_is_in_flight_when_a_run_ends_spoils_no_taking_down(void **state)
{
    struct world *w = *state;
    with_one(w, "interval = 100ms", "logs_interval = 100ms");
    atomic_store(&scripted->logs_ms, 1000);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, runs(1)));
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->logs) >= 1));
    pause_ms(100);
    join(w);
    struct gantry_error *err = NULL;
    atomic_store(&scripted->list_ms, 1500); /* the answer about the logs comes first */
    assert_int_equal(0, gantry_manager_run(w->manager, GANTRY_RUN_DOWN, &err));
    gantry_error_free(err);
    assert_int_equal(0, scripted_count(NULL, -1));
    atomic_store(&scripted->list_ms, 0);
    atomic_store(&w->ended, false);
    assert_int_equal(0, pthread_create(&w->thread, NULL, run_manager, w));
    w->runs = true;
    assert_true(WITHIN(COMES_MS, runs(1)));
}

static void
an_action_in_flight_when_a_run_ends_is_cancelled(void **state)
{
    struct world *w = *state;
    with_one(w, "interval = 100ms", "");
    atomic_store(&scripted->start_ms, 20000);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inside) == 1));
    int64_t began = clock_mono_ms();
    join(w);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inside) == 0));
    assert_true(clock_mono_ms() - began < 15000);
    assert_int_equal(0, scripted_count(NULL, -1));
    atomic_store(&scripted->start_ms, 0);
    struct gantry_error *err = NULL;
    assert_int_equal(0, gantry_manager_run(w->manager, GANTRY_RUN_DOWN, &err));
    gantry_error_free(err);
    atomic_store(&w->ended, false);
    assert_int_equal(0, pthread_create(&w->thread, NULL, run_manager, w));
    w->runs = true;
    assert_true(WITHIN(COMES_MS, runs(1)));
}

static void
step_until(struct gantry_manager *m, atomic_int *what, int least)
{
    int64_t until = clock_mono_ms() + COMES_MS;
    while (atomic_load(what) < least && clock_mono_ms() < until) {
        assert_int_equal(1, gantry_manager_step(m));
        struct pollfd fd = {.fd = gantry_manager_fd(m), .events = POLLIN};
        (void)poll(&fd, 1, MIN(gantry_manager_timeout_ms(m), 10));
    }
    assert_true(atomic_load(what) >= least);
}

static void
step_for(struct gantry_manager *m, int ms)
{
    int64_t until = clock_mono_ms() + ms;
    while (clock_mono_ms() < until) {
        assert_int_equal(1, gantry_manager_step(m));
        pause_ms(5);
    }
}

/* A listing that an earlier run asked for says nothing: meanwhile somebody else may have had its turn. */
static void
an_answer_to_an_earlier_run_is_not_believed(void **state)
{
    struct world *w = *state;
    struct gantry_manager *early = NULL;
    struct gantry_error *err = NULL;
    with_one(w, "interval = 500ms", "");
    atomic_store(&scripted->watches, 0);
    fake_set(&w->fake, w->fake.listing, HALTED);
    struct gantry_options options = {
        .size = sizeof options, .text = w->settings, .log = take_line, .log_context = w};
    assert_int_equal(0, gantry_manager_new(&options, &early, &err));
    atomic_store(&scripted->list_ms, 300);
    assert_int_equal(0, gantry_manager_begin(early, GANTRY_RUN_DAEMON, &err));
    step_until(early, &scripted->lists, 3); /* nothing is there yet, and it will say so */
    assert_int_equal(0, gantry_manager_end(early, &err));
    pause_ms(600);
    atomic_store(&scripted->list_ms, 0);
    fake_set(&w->fake, w->fake.listing, ONE);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, runs(1)));
    end(w);
    assert_int_equal(0, gantry_manager_begin(early, GANTRY_RUN_DAEMON, &err));
    step_until(early, &w->fake.listed, atomic_load(&w->fake.listed) + 1);
    step_for(early, 1500);
    assert_int_equal(0, gantry_manager_end(early, &err));
    gantry_manager_free(early);
    assert_int_equal(1, scripted_count(NULL, -1));
    assert_int_equal(1, atomic_load(&scripted->starts));
}

static void
a_wish_that_an_earlier_run_asked_for_is_not_followed(void **state)
{
    struct world *w = *state;
    struct gantry_manager *m = NULL;
    struct gantry_error *err = NULL;
    with_one(w, "interval = 300ms", "");
    struct gantry_options options = {
        .size = sizeof options, .text = w->settings, .log = take_line, .log_context = w};
    assert_int_equal(0, gantry_manager_new(&options, &m, &err));
    atomic_store(&w->fake.list_ms, 300);
    assert_int_equal(0, gantry_manager_begin(m, GANTRY_RUN_DAEMON, &err));
    step_until(m, &w->fake.listed, 1);
    assert_int_equal(0, gantry_manager_end(m, &err));
    pause_ms(800); /* its answer has come: it shall run */
    atomic_store(&w->fake.list_ms, 0);
    fake_set(&w->fake, w->fake.listing, HALTED);
    assert_int_equal(0, gantry_manager_begin(m, GANTRY_RUN_DAEMON, &err));
    step_until(m, &w->fake.listed, 2);
    step_for(m, 1500);
    assert_int_equal(0, gantry_manager_end(m, &err));
    gantry_manager_free(m);
    assert_int_equal(0, atomic_load(&scripted->starts));
}

static void
a_watch_that_ends_soon_each_time_is_started_ever_more_rarely(void **state)
{
    struct world *w = *state;
    with_one(w, SLOW, SLOW_TELL);
    atomic_store(&scripted->watch_flaps, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, runs(1)));
    pause_ms(7000);
    assert_true(atomic_load(&scripted->watched) <= 5);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->watched) >= 2));
}

static void
a_flood_of_events_holds_up_nothing(void **state)
{
    struct world *w = *state;
    with_one(w, SLOW, SLOW_TELL);
    atomic_store(&scripted->watch_floods, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, runs(1)));
    int lists = atomic_load(&scripted->lists);
    pause_ms(2000);
    lists = atomic_load(&scripted->lists) - lists;
    print_message("listings in 2 s: %d\n", lists);
    assert_true(lists <= 2000 / LIST_GAP_MS + 2);
    scripted_end("a", 1, 0, 400000); /* the listings find it */
    assert_true(WITHIN(COMES_MS, !runs(1)));
    assert_true(WITHIN(COMES_MS, runs(1)));
    atomic_store(&scripted->watch_floods, 0);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(a_handle_that_is_given_again_is_watched),
        T(an_inspection_that_failed_is_made_up_for),
        T(a_change_while_last_lines_are_read_does_not_make_the_start_wait),
        T(what_is_in_flight_when_a_run_ends_spoils_no_taking_down),
        T(an_action_in_flight_when_a_run_ends_is_cancelled),
        T(an_answer_to_an_earlier_run_is_not_believed),
        T(a_wish_that_an_earlier_run_asked_for_is_not_followed),
        T(a_watch_that_ends_soon_each_time_is_started_ever_more_rarely),
        T(a_flood_of_events_holds_up_nothing),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
