/* What counts as an exit (S9), on runtimes that tell much, little or nothing. */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restarts_of_the_runtime_are_counted_once),
        cmocka_unit_test(a_count_that_comes_late_or_starts_anew_is_no_exit),
        cmocka_unit_test(a_restart_between_two_looks_is_seen_by_its_start_time),
        cmocka_unit_test(an_end_that_is_never_seen_running_counts),
        cmocka_unit_test(own_stops_are_no_exits),
        cmocka_unit_test(nothing_is_counted_of_what_need_not_run),
        cmocka_unit_test(a_start_time_that_comes_late_is_no_exit),
        cmocka_unit_test(exits_and_loops_are_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
