/* Changing the backend: connectors move from one that is drained. */
#include "drain_world.h"

static void
a_connector_moves_once_its_new_workload_has_run_for_a_while(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    settings(w, QUICK, DRAINED NEW);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, ON_NEW(NULL) == 2));
    int64_t since = clock_mono_ms();
    assert_true(WITHIN(COMES_MS, scripted_count_in("a", NULL, -1) == 0));
    assert_true(clock_mono_ms() - since >= DRAIN_FRESH_MS - 500);
    assert_int_equal(2, ON_NEW(NULL));
    assert_int_equal(2, scripted_count(NULL, -1));
    assert_true(WITHIN(COMES_MS, atomic_load(&w->drained_said) > 0));
    pause_ms(500);
    assert_int_equal(1, atomic_load(&w->drained_said));
    assert_int_equal(0, atomic_load(&w->fake.statuses)); /* they were "started" all the time */
    assert_int_equal(2, atomic_load(&scripted->starts));
    assert_int_equal(0, atomic_load(&w->ends_said)); /* a move is no end */
    end(w);
    settings(w, QUICK, NEW); /* the section can go */
    runs_well(w, GANTRY_RUN_ONCE);
}

static void
what_cannot_run_on_the_new_backend_stays_on_the_old_one(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    atomic_store(&scripted->only_place, "b");
    atomic_store(&scripted->start_image_missing, 1);
    fake_set(&w->fake, w->fake.told_health, "");
    settings(w, QUICK, DRAINED NEW);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->starts) >= 4));
    assert_true(WITHIN(COMES_MS, fake_was_told(&w->fake, w->fake.told_health, "in_reboot_loop")));
    pause_ms(DRAIN_FRESH_MS);
    assert_int_equal(2, ON_OLD(NULL));
    assert_int_equal(0, atomic_load(&w->fake.statuses)); /* of the one that runs */
    assert_true(WITHIN(COMES_MS, fake_was_told(&w->fake, w->fake.told_logs, "no image 'i'")));
    assert_int_equal(0, atomic_load(&w->drained_said));
    atomic_store(&scripted->start_image_missing, 0);
    assert_true(WITHIN(COMES_MS, ON_NEW(NULL) == 2 && scripted_count_in("a", NULL, -1) == 0));
}

/* What ends again and again has not moved, though it runs at times. */
static void
one_that_ends_at_once_on_the_new_backend_stays_on_the_old_one(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    settings(w, QUICK, DRAINED NEW);
    begin(w, GANTRY_RUN_DAEMON);
    int64_t began = clock_mono_ms(), passed;
    bool moved;
    do {
        scripted_end_in("b", "a", 1, 100);
        pause_ms(300);
        passed = clock_mono_ms() - began;
        moved = scripted_count_in("a", "b", -1) == 0; /* the other one */
    } while (passed < 9000 || (!moved && passed < COMES_MS));
    assert_int_equal(1, ON_OLD("a"));
    assert_true(moved);
    assert_int_equal(1, ON_NEW("b"));
}

/* The last listing is as old as its start: it says nothing of how long that went well (S1). */
static void
one_that_ended_between_two_listings_stays_on_the_old_one(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    w->settings[0] = '\0';
    settle_on(w, "interval = 1h");
    add_settings(w, "[platform opencti]\nurl = %s\ntoken = t\nhealth_interval = 100s\n" DRAINED NEW,
                 w->fake.server->url);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, ON_NEW(NULL) == 2));
    pause_ms(1500);
    scripted_end_in("b", "a", 1, 100);
    assert_true(WITHIN(COMES_MS, scripted_count_in("a", "b", -1) == 0));
    pause_ms(1000);
    assert_int_equal(1, ON_OLD("a"));
}

static void
what_shall_not_run_leaves_at_once_and_is_made_nowhere(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    fake_set(&w->fake, w->fake.listing,
             LISTED(CONNECTOR("a", "aa", "stopping", STARTED) "," CONNECTOR("b", "aa", "stopping",
                                                                            STARTED)));
    settings(w, QUICK, DRAINED NEW);
    runs_well(w, GANTRY_RUN_ONCE);
    assert_int_equal(0, scripted_count(NULL, -1));
    assert_int_equal(0, atomic_load(&scripted->starts));
    assert_true(fake_was_told(&w->fake, w->fake.told_status, "stopped"));
    assert_int_equal(1, atomic_load(&w->drained_said));
}

/* S1: on either side. */
static void
an_old_backend_that_cannot_be_asked_has_not_become_empty(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    fake_set(&w->fake, w->fake.listing,
             LISTED(CONNECTOR("a", "aa", "starting", STARTED) "," CONNECTOR(
                 "b", "aa", "stopping", STARTED) "," CONNECTOR("c", "aa", "stopping", STARTED)));
    atomic_store(&scripted->only_place, "a");
    atomic_store(&scripted->list_fails, -1);
    settings(w, QUICK, DRAINED NEW);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, ON_NEW("a") == 1)); /* it waits for nobody */
    pause_ms(DRAIN_FRESH_MS + 1000);
    assert_int_equal(2, ON_OLD(NULL));
    assert_int_equal(0, atomic_load(&w->fake.statuses)); /* b and c may still run */
    assert_int_equal(0, atomic_load(&w->drained_said));
    end(w);
    settings(w, QUICK, NEW); /* the memory says what the backend cannot */
    is_refused(w, GANTRY_RUN_ONCE, "[platform opencti] backend");
    settings(w, QUICK, DRAINED NEW);
    atomic_store(&scripted->list_fails, 3);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, scripted_count_in("a", NULL, -1) == 0));
    assert_true(WITHIN(COMES_MS, fake_was_told(&w->fake, w->fake.told_status, "\"b\"")));
    assert_true(WITHIN(COMES_MS, fake_was_told(&w->fake, w->fake.told_status, "\"c\"")));
    assert_true(fake_was_told(&w->fake, w->fake.told_status, "stopped"));
    assert_int_equal(1, ON_NEW("a"));
}

static void
a_new_backend_that_cannot_be_asked_ends_nothing_on_the_old_one(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    settings(w, QUICK, DRAINED NEW);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, ON_NEW(NULL) == 2));
    atomic_store(&scripted->only_place, "b");
    atomic_store(&scripted->list_fails, -1);
    pause_ms(DRAIN_FRESH_MS + 1000);
    assert_int_equal(2, ON_OLD(NULL));
    atomic_store(&scripted->list_fails, 0);
    assert_true(WITHIN(COMES_MS, scripted_count_in("a", NULL, -1) == 0));
    assert_int_equal(2, ON_NEW(NULL));
}

/* S3 */
static void
what_is_not_listed_any_more_goes_by_the_rules_for_removals(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    fake_set(&w->fake, w->fake.listing, LISTED(""));
    settings(w, QUICK, DRAINED NEW);
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(3000);
    assert_int_equal(2, ON_OLD(NULL)); /* all of them: until somebody says so */
    end(w);
    settings(w, QUICK "\nallow_remove_all = yes\nremoval_confirmations = 1", DRAINED NEW);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, scripted_count(NULL, -1) == 0));
    assert_int_equal(0, atomic_load(&scripted->starts));
}

/* A section that was renamed, or another plugin on the same engine. */
static void
two_ways_to_one_engine_move_nothing(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    settings(w, QUICK, DRAINED "[backend new]\nplugin = scripted\nplace = a\n");
    runs_well(w, GANTRY_RUN_ONCE);
    assert_int_equal(1, atomic_load(&w->drained_said));
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(DRAIN_FRESH_MS + 1000);
    assert_int_equal(2, ON_OLD(NULL));
    assert_int_equal(0, atomic_load(&scripted->stops));
    assert_int_equal(0, atomic_load(&scripted->starts));
}

/* "Its section can be removed" would not be true. */
static void
one_that_is_needed_is_not_called_drained(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    settings(w, QUICK, "backend = old\n" DRAINED); /* they stay */
    runs_well(w, GANTRY_RUN_ONCE);
    assert_int_equal(2, ON_OLD(NULL));
    assert_int_equal(0, atomic_load(&w->drained_said));
    fake_set(&w->fake, w->fake.listing, LISTED(""));
    w->settings[0] = '\0';
    settle_on(w, QUICK);
    add_settings(w, "[platform other]\nkind = opencti\nurl = %s\ntoken = t\n" DRAINED NEW,
                 w->fake.server->url); /* whose they are nobody knows any more */
    runs_well(w, GANTRY_RUN_ONCE);
    assert_int_equal(2, ON_OLD(NULL));
    assert_int_equal(0, atomic_load(&w->drained_said));
}

static void
a_stop_that_fails_is_tried_again_with_pauses(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    atomic_store(&scripted->stop_fails, 1);
    settings(w, QUICK, DRAINED NEW);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, ON_NEW(NULL) == 2));
    atomic_store(&w->warnings, 0);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->stops) >= 4));
    int warnings = atomic_load(&w->warnings);
    assert_int_equal(2, warnings); /* one for each connector */
    assert_int_equal(2, ON_OLD(NULL));
    atomic_store(&scripted->stop_fails, 0);
    assert_true(WITHIN(COMES_MS, scripted_count_in("a", NULL, -1) == 0));
}

static void
once_waits_for_the_end_of_the_move(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    settings(w, QUICK, DRAINED NEW);
    runs_well(w, GANTRY_RUN_ONCE);
    assert_int_equal(2, ON_NEW(NULL));
    assert_int_equal(2, scripted_count(NULL, -1));
    assert_int_equal(1, atomic_load(&w->drained_said));
}

static void
once_does_not_wait_for_what_cannot_move(void **state)
{
    struct world *w = *state;
    char text[512];
    two_on_the_old_one(w);
    atomic_store(&scripted->only_place, "b");
    atomic_store(&scripted->start_image_missing, 1);
    settings(w, QUICK, DRAINED NEW);
    assert_int_equal(GANTRY_E_UNAVAILABLE, run_once(w, GANTRY_RUN_ONCE, text));
    assert_non_null(strstr(text, "no image 'i'"));
    assert_int_equal(2, ON_OLD(NULL));
    atomic_store(&scripted->only_place, "a");
    atomic_store(&scripted->start_image_missing, 0);
    atomic_store(&scripted->list_fails, -1);
    assert_int_equal(GANTRY_E_UNAVAILABLE, run_once(w, GANTRY_RUN_ONCE, text));
    assert_non_null(strstr(text, "cannot list"));
    assert_int_equal(2, ON_OLD(NULL));
}

static void
a_dry_run_says_the_moves_and_makes_none(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    settings(w, QUICK, DRAINED NEW);
    runs_well(w, GANTRY_RUN_DRY);
    assert_true(atomic_load(&w->would_act) >= 4); /* two made there, two stopped here */
    assert_int_equal(2, ON_OLD(NULL));
    assert_int_equal(2, scripted_count(NULL, -1));
}

static void
down_takes_both_sides_and_forgets_them(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    settings(w, QUICK, DRAINED NEW);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, ON_NEW(NULL) == 2));
    end(w);
    assert_int_equal(2, ON_OLD(NULL));
    runs_well(w, GANTRY_RUN_DOWN);
    assert_int_equal(0, scripted_count(NULL, -1));
    settings(w, QUICK, "[backend third]\nplugin = scripted\nplace = c\n");
    runs_well(w, GANTRY_RUN_ONCE);
    assert_int_equal(2, scripted_count_in("c", NULL, RUNNING));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(a_connector_moves_once_its_new_workload_has_run_for_a_while),
        T(what_cannot_run_on_the_new_backend_stays_on_the_old_one),
        T(one_that_ends_at_once_on_the_new_backend_stays_on_the_old_one),
        T(one_that_ended_between_two_listings_stays_on_the_old_one),
        T(what_shall_not_run_leaves_at_once_and_is_made_nowhere),
        T(an_old_backend_that_cannot_be_asked_has_not_become_empty),
        T(a_new_backend_that_cannot_be_asked_ends_nothing_on_the_old_one),
        T(what_is_not_listed_any_more_goes_by_the_rules_for_removals),
        T(two_ways_to_one_engine_move_nothing),
        T(one_that_is_needed_is_not_called_drained),
        T(a_stop_that_fails_is_tried_again_with_pauses),
        T(once_waits_for_the_end_of_the_move),
        T(once_does_not_wait_for_what_cannot_move),
        T(a_dry_run_says_the_moves_and_makes_none),
        T(down_takes_both_sides_and_forgets_them),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
