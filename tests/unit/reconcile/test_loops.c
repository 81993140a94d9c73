/* Crash loops (S9): when one begins and ends, and how its restarts are spaced. */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

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
        cmocka_unit_test(one_that_vanishes_each_time_is_a_loop_too),
        cmocka_unit_test(exits_while_the_platform_is_away_make_no_loop),
        cmocka_unit_test(starts_are_spaced_even_where_no_exit_counts),
        cmocka_unit_test(in_a_loop_gantry_restarts_with_growing_pauses_for_ever),
        cmocka_unit_test(in_a_loop_the_runtimes_own_restarting_is_ended_at_once),
        cmocka_unit_test(a_changed_hash_or_wish_ends_the_loop),
        cmocka_unit_test(a_kept_memory_counts_no_exit_twice_and_forgets_no_loop),
        cmocka_unit_test(a_memory_survives_a_clock_that_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
