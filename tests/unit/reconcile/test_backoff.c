/* Back-off (S6): its length, what it holds up, what ends it, and that nothing is repeated without
 * pause. */
#include "reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)

static void
back_off_doubles_from_a_second_to_five_minutes(void **state)
{
    (void)state;
    int64_t full = SECOND;
    for (uint32_t n = 1; n < 200; n++) {
        assert_int_equal(reconcile_backoff_ms(n, 0), full);
        for (uint64_t chance = 0; chance < 1000; chance++) {
            int64_t wait = reconcile_backoff_ms(n, chance * UINT64_C(0x9e3779b97f4a7c15));
            assert_true(wait <= full && wait >= full - full / 4);
        }
        full = MIN(full * 2, 5 * MINUTE);
    }
    assert_int_equal(full, 5 * MINUTE);
    assert_int_equal(reconcile_backoff_ms(UINT32_MAX, 0), 5 * MINUTE);
    assert_int_equal(reconcile_backoff_ms(0, 0), SECOND);
}

struct scene {
    struct reconcile_workload w;
    struct reconcile_input in;
    struct reconcile_memory memory;
};

static void
begin(struct scene *s, enum gantry_state state)
{
    *s = (struct scene){0};
    s->w = (struct reconcile_workload){.state = state, .hash = "old", .identity = 7};
    s->in = (struct reconcile_input){.wish = WISH_RUN,
                                     .hash = "new",
                                     .known = true,
                                     .workloads = &s->w,
                                     .count = 1,
                                     .platform_up = true,
                                     .now_ms = MINUTE};
}

static struct reconcile_decision
look(struct scene *s)
{
    return reconcile_decide(&s->in, &s->memory);
}

static void
a_failed_action_waits_and_says_until_when(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, GANTRY_STATE_RUNNING);
    for (uint32_t n = 1; n <= 12; n++) {
        struct reconcile_decision d = look(&s);
        assert_int_equal(d.action, DO_REPLACE);
        assert_int_equal(d.deadline_ms, INT64_MAX);
        int row = d.row;
        reconcile_done(&s.memory, DO_REPLACE, GANTRY_E_IMAGE_MISSING, s.in.now_ms, 0);
        assert_int_equal(s.memory.failures, n);
        d = look(&s);
        assert_int_equal(d.action, DO_NOTHING);
        assert_int_equal(d.say, SAY_STARTED); /* the old one runs on */
        assert_int_equal(d.row, row);
        assert_int_equal(d.deadline_ms, s.in.now_ms + reconcile_backoff_ms(n, 0));
        s.in.now_ms = d.deadline_ms - 1;
        assert_int_equal(look(&s).action, DO_NOTHING);
        s.in.now_ms++;
    }
}

static void
a_changed_hash_or_wish_ends_back_off(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, GANTRY_STATE_RUNNING);
    (void)look(&s);
    for (int i = 0; i < 9; i++)
        reconcile_done(&s.memory, DO_REPLACE, GANTRY_E_UNAVAILABLE, s.in.now_ms, 0);
    assert_int_equal(look(&s).action, DO_NOTHING);
    s.in.hash = "newer";
    assert_int_equal(look(&s).action, DO_REPLACE);
    for (int i = 0; i < 9; i++)
        reconcile_done(&s.memory, DO_REPLACE, GANTRY_E_UNAVAILABLE, s.in.now_ms, 0);
    s.in.wish = WISH_HALT;
    assert_int_equal(look(&s).action, DO_STOP);
    assert_int_equal(s.memory.failures, 0);
}

static void
an_odd_answer_or_a_held_removal_ends_no_back_off(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, GANTRY_STATE_RUNNING);
    (void)look(&s);
    reconcile_done(&s.memory, DO_REPLACE, GANTRY_E_UNAVAILABLE, s.in.now_ms, 0);
    s.in.wish = WISH_ODD;
    assert_int_equal(look(&s).action, DO_NOTHING);
    s.in.wish = WISH_KEPT;
    s.in.hash = "";
    assert_int_equal(look(&s).action, DO_NOTHING);
    assert_int_equal(s.memory.last_wish, WISH_RUN); /* what the guard counts by */
    s.in.wish = WISH_RUN;
    s.in.hash = "new";
    assert_int_equal(look(&s).action, DO_NOTHING);
    assert_int_equal(s.memory.failures, 1);
}

static void
success_and_cancelling_are_no_failures(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, GANTRY_STATE_RUNNING);
    s.in.wish = WISH_HALT;
    (void)look(&s);
    reconcile_done(&s.memory, DO_STOP, GANTRY_E_TIMEOUT, s.in.now_ms, 0);
    assert_int_equal(s.memory.failures, 1);
    reconcile_done(&s.memory, DO_STOP, GANTRY_E_CANCELLED, s.in.now_ms, 0);
    assert_int_equal(s.memory.failures, 1);
    reconcile_done(&s.memory, DO_NOTHING, GANTRY_E_TIMEOUT, s.in.now_ms, 0);
    reconcile_done(&s.memory, DO_ASK, GANTRY_E_TIMEOUT, s.in.now_ms, 0);
    assert_int_equal(s.memory.failures, 1);
    reconcile_done(&s.memory, DO_STOP, 0, s.in.now_ms, 0);
    assert_int_equal(s.memory.failures, 0);
    assert_int_equal(look(&s).action, DO_STOP);
}

static void
reaching_the_wish_by_itself_ends_back_off(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, GANTRY_STATE_EXITED);
    s.w.hash = "new";
    (void)look(&s);
    for (int i = 0; i < 5; i++)
        reconcile_done(&s.memory, DO_START, GANTRY_E_UNAVAILABLE, s.in.now_ms, 0);
    s.w.state = GANTRY_STATE_RUNNING;
    assert_int_equal(look(&s).action, DO_NOTHING);
    assert_int_equal(s.memory.failures, 0);
    assert_int_equal(s.memory.retry_ms, 0);
}

static void
asking_is_paced_and_delays_nothing_else(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, GANTRY_STATE_RUNNING);
    s.in.known = false;
    unsigned asked = 0;
    int64_t begun = s.in.now_ms;
    for (; s.in.now_ms < begun + 60 * MINUTE; s.in.now_ms += SECOND) {
        struct reconcile_decision d = look(&s);
        assert_true(d.deadline_ms > s.in.now_ms && d.deadline_ms != INT64_MAX);
        asked += d.action == DO_ASK;
    }
    assert_in_range(asked, 12, 24);
    s.in.known = true; /* the runtime is back: at once */
    assert_int_equal(look(&s).action, DO_REPLACE);
    s.in.known = false;
    assert_int_equal(look(&s).action, DO_ASK);
}

/* A runtime that says yes to everything and does nothing: how often is it called in an hour? */
static unsigned
calls_in_an_hour(struct scene *s)
{
    unsigned calls = 0;
    int64_t end = s->in.now_ms + 60 * MINUTE;
    while (s->in.now_ms < end && calls < 10000) {
        struct reconcile_decision d = look(s);
        if (d.action == DO_NOTHING) {
            assert_int_not_equal(d.deadline_ms, INT64_MAX);
            s->in.now_ms = d.deadline_ms;
        } else {
            calls++;
            reconcile_done(&s->memory, d.action, 0, s->in.now_ms, 0);
            s->in.now_ms += 10;
        }
    }
    return calls;
}

static void
what_succeeds_without_effect_is_not_repeated_without_pause(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, GANTRY_STATE_RUNNING);
    assert_in_range(calls_in_an_hour(&s), 5, 300); /* replace */
    begin(&s, GANTRY_STATE_EXITED);
    s.w.hash = "new";
    assert_in_range(calls_in_an_hour(&s), 5, 300); /* start */
    s.in.count = 0;
    assert_in_range(calls_in_an_hour(&s), 5, 300); /* create */
    begin(&s, GANTRY_STATE_RUNNING);
    s.in.wish = WISH_HALT;
    assert_in_range(calls_in_an_hour(&s), 5, 60); /* stop */
    begin(&s, GANTRY_STATE_EXITED);
    s.in.wish = WISH_GONE;
    s.in.hash = "";
    assert_in_range(calls_in_an_hour(&s), 5, 60); /* remove */
}

static void
a_stop_and_a_remove_follow_each_other_at_once(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, GANTRY_STATE_RUNNING);
    s.in.wish = WISH_GONE;
    s.in.hash = "";
    assert_int_equal(look(&s).action, DO_STOP);
    reconcile_done(&s.memory, DO_STOP, 0, s.in.now_ms, 0);
    s.w.state = GANTRY_STATE_EXITED;
    assert_int_equal(look(&s).action, DO_REMOVE);
    reconcile_done(&s.memory, DO_REMOVE, 0, s.in.now_ms, 0);
    s.in.count = 0;
    struct reconcile_decision d = look(&s);
    assert_int_equal(d.action, DO_NOTHING);
    assert_int_equal(d.deadline_ms, INT64_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(back_off_doubles_from_a_second_to_five_minutes),
        cmocka_unit_test(a_failed_action_waits_and_says_until_when),
        cmocka_unit_test(a_changed_hash_or_wish_ends_back_off),
        cmocka_unit_test(an_odd_answer_or_a_held_removal_ends_no_back_off),
        cmocka_unit_test(success_and_cancelling_are_no_failures),
        cmocka_unit_test(reaching_the_wish_by_itself_ends_back_off),
        cmocka_unit_test(asking_is_paced_and_delays_nothing_else),
        cmocka_unit_test(what_succeeds_without_effect_is_not_repeated_without_pause),
        cmocka_unit_test(a_stop_and_a_remove_follow_each_other_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
