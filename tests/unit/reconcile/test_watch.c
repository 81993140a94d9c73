/* Crash loops (S9): what counts as an exit on runtimes that tell much, little or nothing, when a
 * loop begins and ends, and how its restarts are spaced. */
#include "reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)
#define EPOCH  INT64_C(1700000000000) /* the runtime's clock is another than ours */

/* One connector with one workload, and time that is moved by hand. */
struct scene {
    struct reconcile_input in;
    struct reconcile_workload w;
    struct reconcile_memory memory;
    struct reconcile_decision d;
};

static void
begin(struct scene *s)
{
    *s = (struct scene){0};
    s->w = (struct reconcile_workload){.state = GANTRY_STATE_RUNNING, .hash = "h", .identity = 7};
    s->in = (struct reconcile_input){.wish = WISH_RUN,
                                     .hash = "h",
                                     .known = true,
                                     .workloads = &s->w,
                                     .count = 1,
                                     .platform_up = true,
                                     .now_ms = 10 * MINUTE};
}

static void
look(struct scene *s)
{
    s->d = reconcile_decide(&s->in, &s->memory);
}

static void
pass(struct scene *s, int64_t ms)
{
    s->in.now_ms += ms;
}

/* The runtime's own clock, for start and end times. */
static int64_t
runtime_now(const struct scene *s)
{
    return EPOCH + s->in.now_ms;
}

/* It runs for so long, is seen running, then seen ended. */
static void
run_and_end(struct scene *s, int64_t ms, bool with_times)
{
    s->w.state = GANTRY_STATE_RUNNING;
    s->w.started_ms = with_times ? runtime_now(s) : 0;
    look(s);
    pass(s, ms);
    s->w.state = GANTRY_STATE_FAILED;
    s->w.finished_ms = with_times ? runtime_now(s) : 0;
    look(s);
}

static void
four_short_runs_make_a_loop(void **state)
{
    (void)state;
    for (int with_times = 0; with_times < 2; with_times++) {
        struct scene s;
        begin(&s);
        for (uint32_t n = 1; n <= 4; n++) {
            run_and_end(&s, 10 * SECOND, with_times);
            assert_int_equal(s.memory.total_exits, n);
            assert_true(s.d.health_now);
            assert_int_equal(s.memory.in_loop, n > 3);
            look(&s); /* looking twice counts nothing twice */
            assert_int_equal(s.memory.total_exits, n);
            assert_false(s.d.health_now);
        }
        assert_int_equal(s.d.action, DO_START);
        assert_true(s.d.once);
        assert_int_equal(s.d.say, SAY_UNCHANGED);
    }
}

static void
a_long_run_ends_the_count_and_the_loop(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    for (int i = 0; i < 4; i++)
        run_and_end(&s, MINUTE, true);
    assert_true(s.memory.in_loop);
    run_and_end(&s, 5 * MINUTE, true);
    assert_false(s.memory.in_loop);
    assert_int_equal(s.memory.short_runs, 0);
    assert_int_equal(s.memory.total_exits, 5);
    assert_int_equal(s.d.action, DO_START);
    assert_false(s.d.once);
    for (int i = 0; i < 3; i++)
        run_and_end(&s, 5 * MINUTE - 1, true);
    assert_false(s.memory.in_loop);
    run_and_end(&s, 5 * MINUTE - 1, true);
    assert_true(s.memory.in_loop);
}

static void
a_loop_ends_while_it_runs_long_and_health_is_told(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    for (int i = 0; i < 4; i++)
        run_and_end(&s, SECOND, false);
    s.w.state = GANTRY_STATE_RUNNING;
    look(&s);
    assert_true(s.memory.in_loop);
    assert_int_equal(s.d.deadline_ms, s.in.now_ms + 5 * MINUTE); /* to be looked at again then */
    pass(&s, 5 * MINUTE - 1);
    look(&s);
    assert_true(s.memory.in_loop);
    pass(&s, 1);
    look(&s);
    assert_false(s.memory.in_loop);
    assert_true(s.d.health_now);
    assert_int_equal(s.d.deadline_ms, INT64_MAX);
}

static void
restarts_of_the_runtime_are_counted_once(void **state)
{
    (void)state;
    /* One that counts when a restart begins (early), and one that counts when it is done. */
    for (int early = 0; early < 2; early++) {
        struct scene s;
        begin(&s);
        s.memory.seen_before = false;
        look(&s);
        s.in.count = 0; /* made by us: */
        s.memory = (struct reconcile_memory){0};
        look(&s);
        reconcile_done(&s.memory, DO_CREATE, 0, s.in.now_ms, 0);
        s.in.count = 1;
        look(&s);
        for (uint32_t n = 1; n <= 3; n++) {
            pass(&s, 10 * SECOND);
            s.w.state = GANTRY_STATE_RESTARTING;
            s.w.restarts += early;
            look(&s);
            assert_int_equal(s.memory.total_exits, n);
            pass(&s, SECOND);
            s.w.state = GANTRY_STATE_RUNNING;
            s.w.restarts += !early;
            look(&s);
            assert_int_equal(s.memory.total_exits, n);
        }
        assert_false(s.memory.in_loop);
        s.w.restarts += 2; /* two more between two looks */
        pass(&s, 10 * SECOND);
        look(&s);
        assert_int_equal(s.memory.total_exits, 5);
        assert_true(s.memory.in_loop);
    }
}

static void
a_count_that_comes_late_or_starts_anew_is_no_exit(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    look(&s);          /* a listing does not say how often it restarted */
    s.w.restarts = 40; /* an inspection does */
    look(&s);
    s.w.restarts = 0;
    look(&s);
    s.w.restarts = 40;
    look(&s);
    s.w.restarts = 2; /* somebody else has started it by hand: the runtime counts anew */
    look(&s);
    assert_int_equal(s.memory.total_exits, 0);
    s.w.restarts = 3;
    look(&s);
    assert_int_equal(s.memory.total_exits, 1);
}

static void
a_restart_between_two_looks_is_seen_by_its_start_time(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.w.started_ms = runtime_now(&s);
    look(&s);
    for (uint32_t n = 1; n <= 4; n++) {
        pass(&s, 20 * SECOND);
        s.w.started_ms = runtime_now(&s);
        look(&s);
        assert_int_equal(s.memory.total_exits, n);
        assert_true(s.d.health_now);
    }
    assert_true(s.memory.in_loop);
}

static void
an_end_that_is_never_seen_running_counts(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.in.count = 0;
    look(&s);
    assert_int_equal(s.d.action, DO_CREATE);
    reconcile_done(&s.memory, DO_CREATE, 0, s.in.now_ms, 0);
    s.in.count = 1;
    s.w.state = GANTRY_STATE_EXITED;
    for (uint32_t n = 1; n <= 4; n++) {
        pass(&s, MINUTE);
        s.w.started_ms = runtime_now(&s);
        s.w.finished_ms = s.w.started_ms + 5;
        look(&s);
        assert_int_equal(s.memory.total_exits, n);
        assert_int_equal(s.d.action, DO_START);
        reconcile_done(&s.memory, DO_START, 0, s.in.now_ms, 0);
        look(&s); /* an old look just after our start: no new end */
        assert_int_equal(s.memory.total_exits, n);
    }
    assert_true(s.memory.in_loop);
}

static void
one_that_vanishes_each_time_is_a_loop_too(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    for (uint32_t n = 1; n <= 4; n++) {
        s.in.count = 0;
        look(&s);
        pass(&s, MINUTE);
        look(&s);
        assert_int_equal(s.d.action, DO_CREATE);
        reconcile_done(&s.memory, DO_CREATE, 0, s.in.now_ms, 0);
        s.in.count = 1;
        s.w.identity++;
        look(&s);
        assert_int_equal(s.memory.total_exits, n - 1);
        pass(&s, SECOND);
    }
    s.in.count = 0;
    look(&s);
    assert_true(s.memory.in_loop);
    assert_int_equal(s.d.action, DO_NOTHING); /* creating is spaced, too */
    assert_true(s.d.deadline_ms > s.in.now_ms);
}

static void
exits_while_the_platform_is_away_make_no_loop(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.in.platform_up = false;
    for (int i = 0; i < 20; i++)
        run_and_end(&s, SECOND, true);
    assert_false(s.memory.in_loop);
    assert_int_equal(s.memory.short_runs, 0);
    assert_int_equal(s.memory.total_exits, 20); /* but they happened */
    s.in.platform_up = true;
    for (int i = 0; i < 3; i++)
        run_and_end(&s, SECOND, true);
    assert_false(s.memory.in_loop);
    run_and_end(&s, SECOND, true);
    assert_true(s.memory.in_loop);
}

static void
starts_are_spaced_even_where_no_exit_counts(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.in.platform_up = false;
    unsigned starts = 0;
    int64_t begun = s.in.now_ms;
    while (s.in.now_ms < begun + 10 * MINUTE) {
        run_and_end(&s, 100, true);
        if (s.d.action == DO_START) {
            starts++;
            reconcile_done(&s.memory, DO_START, 0, s.in.now_ms, 0);
        }
    }
    assert_in_range(starts, 30, 60); /* each 16 s at last */
}

static void
own_stops_are_no_exits(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    look(&s);
    for (int i = 0; i < 8; i++) { /* stopped and started from the platform */
        s.in.wish = WISH_HALT;
        look(&s);
        assert_int_equal(s.d.action, DO_STOP);
        reconcile_done(&s.memory, DO_STOP, 0, s.in.now_ms, 0);
        s.w.state = GANTRY_STATE_EXITED;
        if (i % 2) /* the end is seen only after the next wish */
            look(&s);
        pass(&s, SECOND);
        s.in.wish = WISH_RUN;
        look(&s);
        assert_int_equal(s.d.action, DO_START);
        reconcile_done(&s.memory, DO_START, 0, s.in.now_ms, 0);
        s.w.state = GANTRY_STATE_RUNNING;
        look(&s);
        pass(&s, SECOND);
    }
    assert_int_equal(s.memory.total_exits, 0);

    /* A replace that failed and was taken back stopped the old one, too. */
    s.w.started_ms = runtime_now(&s);
    look(&s);
    s.in.hash = "newer";
    look(&s);
    assert_int_equal(s.d.action, DO_REPLACE);
    s.in.busy = true;
    s.w.state = GANTRY_STATE_EXITED;
    look(&s);
    s.in.busy = false;
    s.w.state = GANTRY_STATE_RUNNING;
    s.w.started_ms += MINUTE;
    reconcile_done(&s.memory, DO_REPLACE, GANTRY_E_IMAGE_MISSING, s.in.now_ms, 0);
    look(&s);
    assert_int_equal(s.memory.total_exits, 0);
}

static void
nothing_is_counted_of_what_need_not_run(void **state)
{
    (void)state;
    static const enum reconcile_wish wishes[] = {WISH_HALT, WISH_ODD, WISH_GONE, WISH_KEPT};
    for (size_t i = 0; i < ARRAY_LENGTH(wishes); i++) {
        struct scene s;
        begin(&s);
        s.in.wish = wishes[i];
        for (int n = 0; n < 6; n++)
            run_and_end(&s, SECOND, true);
        assert_int_equal(s.memory.total_exits, 0);
        assert_false(s.memory.in_loop);
    }
}

static void
in_a_loop_gantry_restarts_with_growing_pauses_for_ever(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    for (int i = 0; i < 4; i++)
        run_and_end(&s, SECOND, true);
    int64_t last_start = 0, last_pause = 0;
    for (int n = 0; n < 20; n++) {
        while (s.d.action != DO_START) {
            assert_int_equal(s.d.action, DO_NOTHING);
            assert_true(s.d.deadline_ms > s.in.now_ms && s.d.deadline_ms != INT64_MAX);
            s.in.now_ms = s.d.deadline_ms;
            look(&s);
        }
        assert_true(s.d.once);
        int64_t pause = last_start ? s.in.now_ms - last_start : 0;
        assert_true(pause >= last_pause || pause >= 5 * MINUTE);
        assert_true(pause <= 5 * MINUTE + SECOND);
        last_pause = pause;
        last_start = s.in.now_ms;
        reconcile_done(&s.memory, DO_START, 0, s.in.now_ms, 0);
        run_and_end(&s, SECOND, true);
    }
    assert_true(last_pause >= 5 * MINUTE);
    assert_true(s.memory.in_loop);
}

static void
in_a_loop_the_runtimes_own_restarting_is_ended_at_once(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    for (int i = 0; i < 4; i++)
        run_and_end(&s, SECOND, true);
    reconcile_done(&s.memory, DO_START, 0, s.in.now_ms, 0);
    s.w.state = GANTRY_STATE_RESTARTING;
    look(&s);
    assert_int_equal(s.d.action, DO_STOP); /* although a start would have to wait */
    reconcile_done(&s.memory, DO_STOP, 0, s.in.now_ms, 0);
    uint32_t exits = s.memory.total_exits;
    s.w.state = GANTRY_STATE_EXITED;
    look(&s);
    assert_int_equal(s.memory.total_exits, exits);
    assert_int_equal(s.d.action, DO_NOTHING);
    s.in.now_ms = s.d.deadline_ms;
    look(&s);
    assert_int_equal(s.d.action, DO_START);
    assert_true(s.d.once);
}

static void
a_changed_hash_or_wish_ends_the_loop(void **state)
{
    (void)state;
    for (int what = 0; what < 2; what++) {
        struct scene s;
        begin(&s);
        for (int i = 0; i < 4; i++)
            run_and_end(&s, SECOND, true);
        for (int i = 0; i < 9; i++)
            reconcile_done(&s.memory, DO_START, 0, s.in.now_ms, 0);
        look(&s);
        assert_int_equal(s.d.action, DO_NOTHING);
        if (what == 0) {
            s.in.hash = "newer";
        } else {
            s.in.wish = WISH_HALT;
            look(&s);
            s.in.wish = WISH_RUN;
        }
        look(&s);
        assert_false(s.memory.in_loop);
        assert_int_equal(s.d.action, what == 0 ? DO_REPLACE : DO_START);
        assert_false(s.d.once);
        assert_int_equal(s.memory.total_exits == 0, what == 0);
    }
}

/* The manager says of each exit how long the run was, once, and when a loop begins and ends. */
static void
exits_and_loops_are_told_once(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    for (uint32_t n = 1; n <= 4; n++) {
        run_and_end(&s, 2100, true);
        assert_int_equal(s.d.exits, 1);
        assert_int_equal(s.d.run_ms, 2100);
        assert_int_equal(s.d.loop, n == 4 ? LOOP_BEGAN : LOOP_AS_BEFORE);
        for (int again = 0; again < 3; again++) {
            look(&s);
            assert_int_equal(s.d.exits, 0);
            assert_int_equal(s.d.run_ms, -1);
            assert_int_equal(s.d.loop, LOOP_AS_BEFORE);
        }
    }
    s.in.hash = "newer";
    look(&s);
    assert_int_equal(s.d.loop, LOOP_ENDED);
    assert_true(s.d.health_now);
    assert_int_equal(s.d.exits, 0);

    begin(&s); /* our own stop tells nothing */
    look(&s);
    s.in.wish = WISH_HALT;
    look(&s);
    reconcile_done(&s.memory, DO_STOP, 0, s.in.now_ms, 0);
    s.w.state = GANTRY_STATE_EXITED;
    look(&s);
    assert_int_equal(s.d.exits, 0);
}

/* What start() says of it, and the next listing, may still have the start time of the run before. */
static void
a_start_time_that_comes_late_is_no_exit(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    run_and_end(&s, MINUTE, true);
    assert_int_equal(s.memory.total_exits, 1);
    reconcile_done(&s.memory, DO_START, 0, s.in.now_ms, 0);
    s.w.state = GANTRY_STATE_RUNNING;
    look(&s);
    look(&s);
    s.w.started_ms = runtime_now(&s);
    look(&s);
    assert_int_equal(s.memory.total_exits, 1);
    pass(&s, SECOND);
    s.w.started_ms = runtime_now(&s); /* but the next one is */
    look(&s);
    assert_int_equal(s.memory.total_exits, 2);
}

/* What was counted goes on with a memory that was kept over a restart of the manager. */
static void
a_kept_memory_counts_no_exit_twice_and_forgets_no_loop(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    for (int i = 0; i < 4; i++)
        run_and_end(&s, SECOND, true);
    assert_true(s.memory.in_loop);
    struct reconcile_memory kept = s.memory;
    begin(&s);
    s.memory = kept;
    s.w.state = GANTRY_STATE_FAILED;
    s.w.started_ms = kept.watched_started_ms;
    s.w.finished_ms = kept.watched_started_ms + SECOND;
    look(&s);
    assert_int_equal(s.d.exits, 0);
    assert_int_equal(s.memory.total_exits, 4);
    assert_true(s.memory.in_loop);
    assert_true(s.d.action != DO_START || s.d.once);
    s.w.started_ms += MINUTE; /* it ran once more while nobody looked */
    s.w.finished_ms = s.w.started_ms + SECOND;
    look(&s);
    assert_int_equal(s.d.exits, 1);
    assert_int_equal(s.d.run_ms, SECOND);
    assert_int_equal(s.memory.total_exits, 5);
}

static void
a_memory_survives_a_clock_that_begins_anew(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.in.now_ms = INT64_C(90) * 24 * 60 * MINUTE;
    for (int i = 0; i < 4; i++)
        run_and_end(&s, SECOND, true);
    for (int i = 0; i < 9; i++)
        reconcile_done(&s.memory, DO_START, 0, s.in.now_ms, 0);
    reconcile_done(&s.memory, DO_START, GANTRY_E_UNAVAILABLE, s.in.now_ms, 0);
    s.in.now_ms = SECOND; /* the machine was started again */
    look(&s);
    assert_int_equal(s.d.action, DO_NOTHING);
    assert_true(s.d.deadline_ms <= s.in.now_ms + 5 * MINUTE);
    s.in.now_ms = s.d.deadline_ms;
    look(&s);
    assert_int_equal(s.d.action, DO_START);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_short_runs_make_a_loop),
        cmocka_unit_test(a_long_run_ends_the_count_and_the_loop),
        cmocka_unit_test(a_loop_ends_while_it_runs_long_and_health_is_told),
        cmocka_unit_test(restarts_of_the_runtime_are_counted_once),
        cmocka_unit_test(a_count_that_comes_late_or_starts_anew_is_no_exit),
        cmocka_unit_test(a_restart_between_two_looks_is_seen_by_its_start_time),
        cmocka_unit_test(an_end_that_is_never_seen_running_counts),
        cmocka_unit_test(one_that_vanishes_each_time_is_a_loop_too),
        cmocka_unit_test(exits_while_the_platform_is_away_make_no_loop),
        cmocka_unit_test(starts_are_spaced_even_where_no_exit_counts),
        cmocka_unit_test(own_stops_are_no_exits),
        cmocka_unit_test(nothing_is_counted_of_what_need_not_run),
        cmocka_unit_test(in_a_loop_gantry_restarts_with_growing_pauses_for_ever),
        cmocka_unit_test(in_a_loop_the_runtimes_own_restarting_is_ended_at_once),
        cmocka_unit_test(a_changed_hash_or_wish_ends_the_loop),
        cmocka_unit_test(a_start_time_that_comes_late_is_no_exit),
        cmocka_unit_test(exits_and_loops_are_told_once),
        cmocka_unit_test(a_kept_memory_counts_no_exit_twice_and_forgets_no_loop),
        cmocka_unit_test(a_memory_survives_a_clock_that_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
