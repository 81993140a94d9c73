/* What is said and remembered of workloads that end by themselves (S9). */
#include "scripted_world.h"

#define ONE          LISTED(CONNECTOR("a", "aa", "starting", "\"started\""))
#define HALTED       LISTED(CONNECTOR("a", "aa", "stopping", "\"started\""))
#define NEWER        LISTED(CONNECTOR("a", "bb", "starting", "\"started\""))
#define LONG_RUN_MS  400000
#define SHORT_RUN_MS 2100

static bool
runs(void)
{
    return scripted_count(NULL, GANTRY_STATE_RUNNING) == 1;
}

static bool
logs_say(struct world *w, const char *text)
{
    return fake_was_told(&w->fake, w->fake.told_logs, text);
}

static bool
health_says(struct world *w, const char *text)
{
    return fake_was_told(&w->fake, w->fake.told_health, text);
}

/* How often the last logs have this text. */
static int
said(struct world *w, const char *text)
{
    static char body[TEXT_BYTES];
    int n = 0;
    fake_copy(&w->fake, body, w->fake.told_logs);
    for (const char *at = body; (at = strstr(at, text)); at++)
        n++;
    return n;
}

static void
begin_with_one(struct world *w)
{
    atomic_store(&scripted->details, 1);
    atomic_store(&scripted->lines, 1);
    with_opencti(w, "interval = 100ms", "logs_interval = 60s\nhealth_interval = 60s");
    fake_set(&w->fake, w->fake.listing, ONE);
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, runs()));
    pause_ms(600);
}

static void
how_a_run_ended_is_said_after_its_last_lines(void **state)
{
    struct world *w = *state;
    begin_with_one(w);
    scripted_end("a", 3, 0, LONG_RUN_MS);
    assert_true(WITHIN(COMES_MS, logs_say(w, "exited with code 3, after 6 min (restart 1)")));
    static char body[TEXT_BYTES];
    fake_copy(&w->fake, body, w->fake.told_logs);
    const char *last = strstr(body, "last line of run 1"), *end = strstr(body, "exited with code");
    assert_non_null(last); /* read at once, though logs are due once a minute */
    assert_true(last < end);
    assert_true(WITHIN(COMES_MS, runs()));
    pause_ms(1500); /* nothing is said again by the listings that follow */
    assert_int_equal(1, said(w, "[gantry]"));
    assert_int_equal(1, atomic_load(&w->ends_said));
}

static void
signals_and_want_of_memory_are_said_as_such(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    begin_with_one(w);
    scripted_end("a", 139, 0, LONG_RUN_MS);
    assert_true(WITHIN(COMES_MS, logs_say(w, "exited with code 139: segmentation fault, after")));
    assert_true(WITHIN(COMES_MS, runs()));
    pause_ms(300);
    scripted_end("a", 137, 1, LONG_RUN_MS);
    assert_true(WITHIN(COMES_MS, logs_say(w, "ended for lack of memory, after")));
    assert_true(WITHIN(COMES_MS, runs()));
    pause_ms(300);
    scripted_vanish("a");
    assert_true(WITHIN(COMES_MS, logs_say(w, "its workload is gone")));
    assert_int_equal(3, said(w, "[gantry]"));
}

static void
what_we_stop_ourselves_is_no_end(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    begin_with_one(w);
    fake_set(&w->fake, w->fake.listing, HALTED);
    assert_true(WITHIN(COMES_MS, !runs()));
    pause_ms(300);
    fake_set(&w->fake, w->fake.listing, ONE);
    assert_true(WITHIN(COMES_MS, runs()));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "bb")));
    fake_set(&w->fake, w->fake.listing, NEWER);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->removes) == 1));
    pause_ms(500);
    assert_int_equal(0, atomic_load(&w->ends_said));
    assert_true(WITHIN(COMES_MS, health_says(w, "\"restart_count\":0")));
}

static void
logs_that_hang_hold_up_no_start_for_long(void **state)
{
    struct world *w = *state;
    begin_with_one(w);
    atomic_store(&scripted->logs_ms, 20000);
    int64_t began = clock_mono_ms();
    scripted_end("a", 3, 0, LONG_RUN_MS);
    assert_true(WITHIN(COMES_MS, !runs()));
    assert_true(WITHIN(COMES_MS, runs()));
    print_message("runs again after %lld ms\n", (long long)(clock_mono_ms() - began));
    assert_true(clock_mono_ms() - began < 15000);
    assert_true(WITHIN(COMES_MS, logs_say(w, "exited with code 3")));
}

/* Three ends by the runtime's own restarts, one more, and it is ours. */
static void
fall_into_a_loop(struct world *w)
{
    for (int i = 0; i < 3; i++) {
        char count[32];
        scripted_restart("a", 1, SHORT_RUN_MS);
        snprintf(count, sizeof count, "\"restart_count\":%d", i + 1);
        assert_true(WITHIN(COMES_MS, health_says(w, count)));
        pause_ms(50);
    }
    scripted_end("a", 1, 0, SHORT_RUN_MS);
    assert_true(WITHIN(COMES_MS, health_says(w, "\"is_in_reboot_loop\":true")));
}

static void
a_loop_is_said_with_its_pauses_and_its_end(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    begin_with_one(w);
    fall_into_a_loop(w);
    assert_true(WITHIN(COMES_MS, logs_say(w, "exited with code 1, after 2.1 s (restart 4); it is "
                                             "restarted by Gantry with growing pauses")));
    assert_true(WITHIN(COMES_MS, runs()));
    pause_ms(100);
    scripted_end("a", 1, 0, SHORT_RUN_MS);
    assert_true(WITHIN(COMES_MS, logs_say(w, "(restart 5); it is restarted by Gantry with growing "
                                             "pauses, next in ")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "bb")));
    fake_set(&w->fake, w->fake.listing, NEWER);
    assert_true(WITHIN(COMES_MS, health_says(w, "\"is_in_reboot_loop\":false")));
    assert_true(WITHIN(COMES_MS, logs_say(w, "is not in a restart loop any more")));
    assert_true(WITHIN(3000, runs())); /* at once, whatever the pause */
}

static void
a_loop_outlives_the_manager_and_nothing_is_counted_twice(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->watches, 1);
    begin_with_one(w);
    fall_into_a_loop(w);
    assert_true(WITHIN(COMES_MS, runs()));
    pause_ms(100);
    scripted_end("a", 1, 0, SHORT_RUN_MS);
    assert_true(WITHIN(COMES_MS, health_says(w, "\"restart_count\":5")));
    int starts = atomic_load(&scripted->starts);
    end(w);
    fake_set(&w->fake, w->fake.told_health, "");
    int ends = atomic_load(&w->ends_said);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, health_says(w, "\"is_in_reboot_loop\":true")));
    assert_true(health_says(w, "\"restart_count\":5"));
    assert_int_equal(ends, atomic_load(&w->ends_said));
    assert_int_equal(starts, atomic_load(&scripted->starts)); /* the pause goes on */
    assert_true(WITHIN(COMES_MS, runs()));
}

/* A kill leaves what was written: soon after each end, not only now and then. */
static void
what_is_counted_is_written_soon(void **state)
{
    struct world *w = *state;
    begin_with_one(w);
    scripted_end("a", 3, 0, LONG_RUN_MS);
    char path[128];
    snprintf(path, sizeof path, "%s/state/state.json", w->home);
    char text[8192] = "";
    bool written = WITHIN(COMES_MS, ({
                              FILE *f = fopen(path, "r");
                              size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
                              text[n] = '\0';
                              if (f)
                                  fclose(f);
                              strstr(text, "\"exits\":1") != NULL;
                          }));
    if (!written)
        fail_msg("%s", text);
}

static void
state_of_another_shape_is_ignored(void **state)
{
    struct world *w = *state;
    char path[128], folder[96];
    snprintf(folder, sizeof folder, "%s/state", w->home);
    mkdir(folder, 0700);
    snprintf(path, sizeof path, "%s/state.json", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(
        "{\"version\":9,\"new\":[],\"platforms\":{\"opencti\":{\"a\":{\"name\":7,\"wish\":\"run\","
        "\"exits\":-3,\"runs\":{\"in_loop\":\"yes\",\"short\":1e99,\"starts\":-1,\"watched\":\"x\","
        "\"next_start_ms\":1e300,\"later\":{}},\"listing\":{\"hash\":5,\"wish\":\"odd\"}},\"b\":3,"
        "\"c\":{\"runs\":[],\"listing\":\"\"}}}}",
        f);
    fclose(f);
    begin_with_one(w);
    assert_true(WITHIN(COMES_MS, health_says(w, "\"restart_count\":0")));
    assert_true(health_says(w, "\"is_in_reboot_loop\":false"));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(how_a_run_ended_is_said_after_its_last_lines),
        T(signals_and_want_of_memory_are_said_as_such),
        T(what_we_stop_ourselves_is_no_end),
        T(logs_that_hang_hold_up_no_start_for_long),
        T(a_loop_is_said_with_its_pauses_and_its_end),
        T(a_loop_outlives_the_manager_and_nothing_is_counted_twice),
        T(what_is_counted_is_written_soon),
        T(state_of_another_shape_is_ignored),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
