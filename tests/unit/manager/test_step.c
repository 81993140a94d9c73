/* The ways to run a manager: in steps, on a thread of its own, again and again, two of them; and what a
 * program may bring. */
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>

/* One turn of a program's loop. */
static bool
turn(struct world *w)
{
    struct pollfd fd = {.fd = gantry_manager_fd(w->manager), .events = POLLIN};
    int goes_on = gantry_manager_step(w->manager);
    if (goes_on)
        (void)poll(&fd, 1, gantry_manager_timeout_ms(w->manager));
    return goes_on;
}

static bool
turn_until_running(struct world *w, int count)
{
    int64_t until = clock_mono_ms() + 10000;
    while (running() < count && clock_mono_ms() < until)
        assert_true(turn(w));
    return running() == count;
}

static void
begin(struct world *w)
{
    struct gantry_error *err = NULL;
    if (gantry_manager_begin(w->manager, GANTRY_RUN_DAEMON, &err) < 0)
        fail_msg("%s", err->message);
}

static void
a_manager_runs_in_the_programs_own_loop(void **state)
{
    struct world *w = *state;
    settings(w, "interval = 100ms", "");
    make(w);
    begin(w);
    assert_true(turn_until_running(w, 2));
    gantry_manager_stop(w->manager);
    assert_false(turn(w));
    assert_int_equal(gantry_manager_end(w->manager, NULL), 0);
}

static void
a_manager_with_nothing_to_do_waits(void **state)
{
    struct world *w = *state;
    settings(w, "interval = 60s", "[platform own]\nlogs_interval = 60s\nhealth_interval = 60s\n");
    make(w);
    begin(w);
    assert_true(turn_until_running(w, 2));
    int64_t until = clock_mono_ms() + 10000;
    struct pollfd fd = {.fd = gantry_manager_fd(w->manager), .events = POLLIN};
    while (clock_mono_ms() < until && (poll(&fd, 1, 300) || !gantry_manager_timeout_ms(w->manager)))
        gantry_manager_step(w->manager);
    assert_true(clock_mono_ms() < until);
    int turns = 0;
    for (until = clock_mono_ms() + 1000; clock_mono_ms() < until; turns++) {
        assert_true(gantry_manager_step(w->manager));
        int left = gantry_manager_timeout_ms(w->manager);
        (void)poll(&fd, 1, left > 1000 ? 1000 : left);
    }
    print_message("turns in a second: %d\n", turns);
    assert_in_range(turns, 1, 20);
    assert_int_equal(gantry_manager_end(w->manager, NULL), 0);
}

static void
runs_follow_each_other(void **state)
{
    struct world *w = *state;
    settings(w, "interval = 100ms", "");
    make(w);
    for (int i = 0; i < 3; i++) {
        begin(w);
        assert_int_equal(gantry_manager_begin(w->manager, GANTRY_RUN_DAEMON, NULL),
                         GANTRY_E_CONFLICT);
        int listed = atomic_load(&w->listed);
        assert_true(turn_until_running(w, 2));
        while (atomic_load(&w->listed) == listed)
            assert_true(turn(w));
        assert_int_equal(gantry_manager_end(w->manager, NULL), 0); /* without a stop, too */
    }
    assert_int_equal(atomic_load(&scripted->starts), 2);
    assert_int_equal(gantry_manager_begin(w->manager, GANTRY_RUN_DOWN, NULL), GANTRY_E_INVALID);
    assert_int_equal(gantry_manager_begin(w->manager, 77, NULL), GANTRY_E_INVALID);
    assert_int_equal(gantry_manager_run(w->manager, GANTRY_RUN_DOWN, NULL), 0);
    assert_int_equal(scripted_count(NULL, -1), 0);
}

static void
once_ends_by_itself_in_steps(void **state)
{
    struct world *w = *state;
    settings(w, "", "");
    make(w);
    assert_int_equal(gantry_manager_begin(w->manager, GANTRY_RUN_ONCE, NULL), 0);
    int64_t until = clock_mono_ms() + 10000;
    while (turn(w))
        assert_true(clock_mono_ms() < until);
    assert_int_equal(gantry_manager_end(w->manager, NULL), 0);
    assert_int_equal(running(), 2);
}

static struct gantry_manager *signalled;

static void
on_alarm(int number)
{
    (void)number;
    gantry_manager_stop(signalled);
}

static void
a_signal_handler_stops_it_during_a_pull(void **state)
{
    struct world *w = *state;
    settings(w, "interval = 100ms", "");
    atomic_store(&scripted->start_ms, 20000);
    make(w);
    begin(w);
    signalled = w->manager;
    struct sigaction action = {.sa_handler = on_alarm}, before;
    sigaction(SIGALRM, &action, &before);
    while (atomic_load(&scripted->inside) < 2)
        assert_true(turn(w));
    struct itimerval soon = {.it_value.tv_usec = 200000};
    int64_t began = clock_mono_ms();
    setitimer(ITIMER_REAL, &soon, NULL);
    while (turn(w))
        ;
    sigaction(SIGALRM, &before, NULL);
    assert_int_equal(gantry_manager_end(w->manager, NULL), 0);
    end(w);
    int64_t took = clock_mono_ms() - began;
    print_message("ended after %lld ms\n", (long long)took);
    assert_true(took < 3000);
    assert_int_equal(running(), 0);
}

static void
a_thread_of_its_own_is_started_and_joined(void **state)
{
    struct world *w = *state;
    settings(w, "interval = 100ms", "");
    for (int i = 0; i < 2; i++) {
        start(w);
        assert_true(WITHIN(COMES_MS, running() == 2));
        assert_int_equal(gantry_manager_start(w->manager, GANTRY_RUN_DAEMON, NULL),
                         GANTRY_E_CONFLICT);
        struct gantry_snapshot *s = NULL;
        assert_int_equal(gantry_manager_snapshot(w->manager, &s, NULL), 0);
        assert_int_equal(s->peer_count, 2);
        assert_string_equal(s->peers[0].kind, "platform");
        assert_string_equal(s->peers[0].name, "own");
        assert_string_equal(s->peers[1].kind, "backend");
        assert_string_equal(s->settings_problem, "");
        gantry_snapshot_free(s);
        end(w);
    }
}

static void
two_managers_share_one_loop(void **state)
{
    struct world *a = *state, *b = NULL;
    void *other = NULL;
    assert_int_equal(set_up(&other), 0);
    b = other;
    settings(a, "id = a\ninterval = 100ms", "");
    settings(b, "id = b\ninterval = 100ms", "");
    atomic_store(&b->wanted, 3);
    make(a);
    make(b);
    begin(a);
    begin(b);
    int64_t until = clock_mono_ms() + 10000;
    while (running() < 5 && clock_mono_ms() < until) {
        struct pollfd fds[] = {{.fd = gantry_manager_fd(a->manager), .events = POLLIN},
                               {.fd = gantry_manager_fd(b->manager), .events = POLLIN}};
        assert_true(gantry_manager_step(a->manager) && gantry_manager_step(b->manager));
        int ms = gantry_manager_timeout_ms(a->manager), other_ms;
        other_ms = gantry_manager_timeout_ms(b->manager);
        (void)poll(fds, 2, ms < other_ms ? ms : other_ms);
    }
    assert_int_equal(running(), 5);
    gantry_manager_stop(a->manager);
    assert_int_equal(gantry_manager_step(a->manager), 0);
    assert_int_equal(gantry_manager_step(b->manager), 1);
    assert_int_equal(gantry_manager_end(a->manager, NULL), 0);
    assert_int_equal(gantry_manager_end(b->manager, NULL), 0);
    tear_down(&other);
}

static void *
one_step(void *argument)
{
    struct world *w = argument;
    assert_true(turn(w));
    return NULL;
}

static void
each_step_may_be_on_another_thread(void **state)
{
    struct world *w = *state;
    settings(w, "interval = 100ms", "");
    make(w);
    begin(w);
    int64_t until = clock_mono_ms() + 10000;
    while (running() < 2 && clock_mono_ms() < until) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, one_step, w), 0);
        pthread_join(thread, NULL);
    }
    assert_int_equal(running(), 2);
    assert_int_equal(gantry_manager_end(w->manager, NULL), 0);
}

static void
a_refresh_lists_at_once(void **state)
{
    struct world *w = *state;
    settings(w, "interval = 60s", "");
    start(w);
    assert_true(WITHIN(COMES_MS, running() == 2));
    atomic_store(&w->wanted, 3);
    gantry_manager_refresh(w->manager);
    assert_true(WITHIN(COMES_MS, running() == 3));
}

static void
an_own_platform_is_told(void **state)
{
    struct world *w = *state;
    settings(w, "interval = 100ms", "");
    start(w);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->told_started) >= 2));
    atomic_store(&w->fails, 1);
    int listed = atomic_load(&w->listed);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->listed) > listed + 1));
    assert_int_equal(running(), 2); /* who cannot tell removes nothing */
    struct gantry_snapshot *s = NULL;
    assert_int_equal(gantry_manager_snapshot(w->manager, &s, NULL), 0);
    assert_int_equal(s->peers[0].up, 0);
    assert_non_null(strstr(s->peers[0].problem, "the feeds cannot be asked"));
    assert_string_equal(s->peers[1].problem, "");
    gantry_snapshot_free(s);
}

static void
an_own_platform_that_is_wrong_is_refused(void **state)
{
    struct world *w = *state;
    settings(w, "", "");
    make(w);
    struct gantry_platform p = {.size = sizeof p, .name = "own", .list = list_wanted};
    assert_int_equal(gantry_manager_add_platform(w->manager, &p, NULL), GANTRY_E_CONFLICT);
    p.name = "";
    assert_int_equal(gantry_manager_add_platform(w->manager, &p, NULL), GANTRY_E_INVALID);
    p.name = "nothing to list";
    p.list = NULL;
    assert_int_equal(gantry_manager_add_platform(w->manager, &p, NULL), GANTRY_E_INVALID);
    assert_int_equal(gantry_manager_open(w->manager, NULL), 0);
    p.name = "late";
    p.list = list_wanted;
    assert_int_equal(gantry_manager_add_platform(w->manager, &p, NULL), GANTRY_E_CONFLICT);
}

static void
settings_may_come_from_the_program_alone(void **state)
{
    struct world *w = *state;
    char folder[128];
    snprintf(folder, sizeof folder, "%s/state", w->home);
    const struct gantry_assignment all[] = {
        {"manager", "id", "m"},
        {"manager", "state_dir", folder},
        {"manager", "plugin_path", GANTRY_BINARY_DIR "/tests/plugins"},
        {"backend scripted", "stop_timeout", "1s"},
    };
    struct gantry_options options = {.size = sizeof options,
                                     .log = take_line,
                                     .log_context = w,
                                     .assignments = all,
                                     .assignment_count = 4,
                                     .assignment_stride = sizeof all[0]};
    struct gantry_platform own = {
        .size = sizeof own, .name = "own", .context = w, .list = list_wanted};
    struct gantry_error *err = NULL;
    assert_int_equal(gantry_manager_new(&options, &w->manager, NULL), 0);
    assert_int_equal(gantry_manager_add_platform(w->manager, &own, NULL), 0);
    if (gantry_manager_run(w->manager, GANTRY_RUN_ONCE, &err) < 0)
        fail_msg("%s", err->message);
    assert_int_equal(running(), 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(a_manager_runs_in_the_programs_own_loop),
        T(a_manager_with_nothing_to_do_waits),
        T(runs_follow_each_other),
        T(once_ends_by_itself_in_steps),
        T(a_signal_handler_stops_it_during_a_pull),
        T(a_thread_of_its_own_is_started_and_joined),
        T(two_managers_share_one_loop),
        T(each_step_may_be_on_another_thread),
        T(a_refresh_lists_at_once),
        T(an_own_platform_is_told),
        T(an_own_platform_that_is_wrong_is_refused),
        T(settings_may_come_from_the_program_alone),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
