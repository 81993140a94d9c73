/* A run whose platform cannot be asked: what shall run by the last good listing is started, and nothing else
 * is done. */
#include "scripted_world.h"

#define TWO                                                                                        \
    LISTED(CONNECTOR("a", "aa", "starting", "\"started\"") "," CONNECTOR(                          \
        "b", "bb", "stopping", "\"stopped\"") "," CONNECTOR("c", "cc", "starting", "\"started\""))
#define CONFIGURATIONS                                                                             \
    LISTED(CONFIGURED("a", "aa") "," CONFIGURED("b", "bb") "," CONFIGURED("c", "cc"))
#define DOWN ERROR("INTERNAL_SERVER_ERROR", "Down")

/* A run with the platform, then the reboot: all workloads are stopped, the platform fails. */
static void
reboot(struct world *w, const char *platform)
{
    with_opencti(w, "interval = 100ms\nping_interval = 200ms", platform);
    fake_set(&w->fake, w->fake.listing, TWO);
    fake_set(&w->fake, w->fake.configurations, CONFIGURATIONS);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, scripted_count(NULL, GANTRY_STATE_RUNNING) == 2));
    pause_ms(300);
    end(w);
    scripted_set_state("a", GANTRY_STATE_EXITED);
    scripted_set_state("c", GANTRY_STATE_FAILED);
    fake_set(&w->fake, w->fake.listing, DOWN);
    fake_set(&w->fake, w->fake.configurations, DOWN);
    fake_set(&w->fake, w->fake.reports, DOWN);
    atomic_store(&scripted->starts, 0);
    atomic_store(&w->fake.reported, 0);
    atomic_store(&w->offline_warnings, 0);
}

static void
what_shall_run_is_started(void **state)
{
    struct world *w = *state;
    reboot(w, "");
    fake_set(&w->fake, w->fake.pings, DOWN); /* neither does the ping help */
    int lists = atomic_load(&scripted->lists);
    int64_t began = clock_mono_ms();
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, scripted_count(NULL, GANTRY_STATE_RUNNING) == 2));
    assert_true(WITHIN(COMES_MS, atomic_load(&w->offline_warnings) == 1));
    pause_ms(1500);
    assert_int_equal(2, atomic_load(&scripted->starts));
    assert_int_equal(0, atomic_load(&scripted->stops) + atomic_load(&scripted->removes));
    assert_int_equal(0, atomic_load(&w->fake.reported));
    assert_int_equal(1, atomic_load(&w->offline_warnings));
    int most = (int)(clock_mono_ms() - began) / 100 + 10; /* its interval, and no storm */
    assert_in_range(atomic_load(&scripted->lists) - lists, 1, most);

    /* The first real listing ends it: a shall not run any more, and c was forgotten. */
    fake_set(&w->fake, w->fake.pings, GOOD_PING);
    fake_set(&w->fake, w->fake.reports, GOOD_REPORT);
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "stopping", "\"started\"")));
    assert_true(WITHIN(COMES_MS, scripted_count("a", GANTRY_STATE_EXITED) == 1));
    assert_true(WITHIN(COMES_MS, scripted_count("c", -1) == 0));
}

static void
a_listing_that_gets_no_answer_fails(void **state)
{
    struct world *w = *state;
    reboot(w, "list_timeout = 2s");
    atomic_store(&w->fake.list_ms, 6000); /* more than list_timeout */
    int64_t began = clock_mono_ms();
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(500);
    int starts = atomic_load(&scripted->starts);
    if (clock_mono_ms() - began < 1500)
        assert_int_equal(0, starts); /* slow is not away */
    assert_true(WITHIN(COMES_MS, scripted_count(NULL, GANTRY_STATE_RUNNING) == 2));
    atomic_store(&w->fake.list_ms, 0);
}

static void
a_slow_listing_is_waited_for(void **state)
{
    struct world *w = *state;
    reboot(w, "list_timeout = 30s");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "stopping", "\"stopped\"")));
    fake_set(&w->fake, w->fake.reports, GOOD_REPORT);
    atomic_store(&w->fake.list_ms, 1000);
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(2500);
    assert_int_equal(0, atomic_load(&scripted->starts));
    assert_int_equal(0, atomic_load(&w->offline_warnings));
}

static void
what_is_not_there_is_not_made(void **state)
{
    struct world *w = *state;
    reboot(w, "");
    scripted_vanish("a");
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, scripted_count("c", GANTRY_STATE_RUNNING) == 1));
    pause_ms(800);
    assert_int_equal(1, atomic_load(&scripted->starts));
    assert_int_equal(0, scripted_count("a", -1));
    end(w); /* and it is not forgotten by that */
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(500);
    fake_set(&w->fake, w->fake.reports, GOOD_REPORT);
    fake_set(&w->fake, w->fake.configurations, CONFIGURATIONS);
    fake_set(&w->fake, w->fake.listing, TWO);
    assert_true(WITHIN(COMES_MS, scripted_count(NULL, GANTRY_STATE_RUNNING) == 2));
}

/* The same manager again, without the state file between. */
static void
a_second_run_in_one_program_does_the_same(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 100ms\nping_interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, TWO);
    fake_set(&w->fake, w->fake.configurations, CONFIGURATIONS);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, scripted_count(NULL, GANTRY_STATE_RUNNING) == 2));
    pause_ms(300);
    join(w);
    scripted_set_state("a", GANTRY_STATE_EXITED);
    scripted_set_state("b", GANTRY_STATE_RUNNING);
    fake_set(&w->fake, w->fake.listing, DOWN);
    int reported = atomic_load(&w->fake.reported);
    assert_int_equal(0, pthread_create(&w->thread, NULL, run_manager, w));
    w->runs = true;
    assert_true(WITHIN(COMES_MS, scripted_count("a", GANTRY_STATE_RUNNING) == 1));
    pause_ms(500);
    assert_int_equal(reported, atomic_load(&w->fake.reported));
    assert_int_equal(0, atomic_load(&scripted->stops));
}

static void
a_manager_that_is_refused_starts_nothing(void **state)
{
    struct world *w = *state;
    reboot(w, "");
    fake_set(&w->fake, w->fake.pings,
             ERROR("UNSUPPORTED_ERROR", "Only one connector manager is supported per instance"));
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(1500);
    assert_int_equal(0, atomic_load(&scripted->starts));
}

static void
no_secret_is_kept(void **state)
{
    struct world *w = *state;
    reboot(w, "");
    char path[128], text[16384] = "";
    snprintf(path, sizeof path, "%s/state/state.json", w->home);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    assert_non_null(strstr(text, "\"listing\":{\"image\":\"i\",\"hash\":\"aa\""));
    assert_null(strstr(text, "\"value\""));
    assert_null(strstr(text, "\"x\"")); /* the value of every configuration here */
    struct stat s;
    assert_int_equal(0, stat(path, &s));
    assert_int_equal(0600, s.st_mode & 0777);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(what_shall_run_is_started),
        T(a_listing_that_gets_no_answer_fails),
        T(a_slow_listing_is_waited_for),
        T(what_is_not_there_is_not_made),
        T(a_second_run_in_one_program_does_the_same),
        T(a_manager_that_is_refused_starts_nothing),
        T(no_secret_is_kept),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
