/* The table: each cell has exactly one row, each row has a cell, and single workloads and pairs are answered as the
 * design has it. */
#include "decisions.h"
#include "reconcile_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
each_cell_has_exactly_one_row(void **state)
{
    (void)state;
    size_t used[64] = {0};
    assert_true(reconcile_rule_count <= ARRAY_LENGTH(used));
    for (unsigned i = 0; i < WISH_COUNT * SEEN_COUNT * HASH_COUNT * 8u; i++) {
        struct cell cell = {
            .wish = (enum reconcile_wish)(i / 8 / HASH_COUNT / SEEN_COUNT),
            .seen = (enum seen)(i / 8 / HASH_COUNT % SEEN_COUNT),
            .hash = (enum hash)(i / 8 % HASH_COUNT),
            .in_loop = i & 1,
            .blocked = i & 2,
            .offline = i & 4,
        };
        unsigned matches = 0;
        for (size_t row = 0; row < reconcile_rule_count; row++) {
            if (rule_matches(&reconcile_rules[row], &cell)) {
                matches++;
                used[row]++;
            }
        }
        if (matches != 1)
            fail_msg("wish %d, seen %d, hash %d, loop %d, blocked %d, offline %d: %u rows",
                     cell.wish, cell.seen, cell.hash, cell.in_loop, cell.blocked, cell.offline,
                     matches);
    }
    for (size_t row = 0; row < reconcile_rule_count; row++) {
        if (!used[row])
            fail_msg("row %zu (%s) answers no cell", row, reconcile_rules[row].why);
        assert_true(strlen(reconcile_rules[row].why) > 0);
    }
}

/* ---- single rows, as the table of the design has them ---- */

struct expected {
    enum reconcile_wish wish;
    enum gantry_state state; /* REMOVING: no workload at all */
    const char *hash;
    bool in_loop, blocked;
    enum reconcile_action action;
    enum reconcile_say say;
    bool offline;
};

static void
single_workloads_are_answered_as_designed(void **state)
{
    (void)state;
    static const struct expected table[] = {
        {WISH_RUN, GANTRY_STATE_REMOVING, NULL, false, false, DO_CREATE, SAY_STOPPED},
        {WISH_RUN, GANTRY_STATE_REMOVING, NULL, false, true, DO_NOTHING, SAY_STOPPED},
        {WISH_RUN, GANTRY_STATE_CREATED, WANTED, false, false, DO_START, SAY_STOPPED},
        {WISH_RUN, GANTRY_STATE_EXITED, WANTED, false, true, DO_START, SAY_STOPPED},
        {WISH_RUN, GANTRY_STATE_FAILED, WANTED, false, false, DO_START, SAY_STOPPED},
        {WISH_RUN, GANTRY_STATE_PAUSED, WANTED, false, false, DO_START, SAY_STOPPED},
        {WISH_RUN, GANTRY_STATE_STARTING, WANTED, false, false, DO_NOTHING, SAY_STARTED},
        {WISH_RUN, GANTRY_STATE_RUNNING, WANTED, false, true, DO_NOTHING, SAY_STARTED},
        {WISH_RUN, GANTRY_STATE_RESTARTING, WANTED, false, false, DO_NOTHING, SAY_UNCHANGED},
        {WISH_RUN, GANTRY_STATE_RESTARTING, WANTED, true, false, DO_STOP, SAY_UNCHANGED},
        {WISH_RUN, GANTRY_STATE_FAILED, WANTED, true, false, DO_START, SAY_UNCHANGED},
        {WISH_RUN, GANTRY_STATE_RUNNING, "other", false, false, DO_REPLACE, SAY_STARTED},
        {WISH_RUN, GANTRY_STATE_EXITED, "other", false, false, DO_REPLACE, SAY_STOPPED},
        {WISH_RUN, GANTRY_STATE_RUNNING, "other", false, true, DO_NOTHING, SAY_STARTED},
        {WISH_RUN, GANTRY_STATE_RUNNING, NULL, false, false, DO_NOTHING, SAY_STARTED},
        {WISH_RUN, GANTRY_STATE_EXITED, NULL, false, false, DO_NOTHING, SAY_STOPPED},
        {WISH_RUN, GANTRY_STATE_STOPPING, WANTED, false, false, DO_ASK, SAY_UNCHANGED},
        {WISH_RUN, GANTRY_STATE_DEAD, WANTED, false, false, DO_REMOVE, SAY_STOPPED},
        {WISH_HALT, GANTRY_STATE_REMOVING, NULL, false, false, DO_NOTHING, SAY_STOPPED},
        {WISH_HALT, GANTRY_STATE_RUNNING, "other", false, false, DO_STOP, SAY_STARTED},
        {WISH_HALT, GANTRY_STATE_RUNNING, NULL, false, true, DO_STOP, SAY_STARTED},
        {WISH_HALT, GANTRY_STATE_RESTARTING, WANTED, false, false, DO_STOP, SAY_UNCHANGED},
        {WISH_HALT, GANTRY_STATE_CREATED, "other", false, false, DO_NOTHING, SAY_STOPPED},
        {WISH_HALT, GANTRY_STATE_FAILED, WANTED, true, false, DO_NOTHING, SAY_STOPPED},
        {WISH_HALT, GANTRY_STATE_DEAD, WANTED, false, false, DO_REMOVE, SAY_STOPPED},
        {WISH_ODD, GANTRY_STATE_RUNNING, WANTED, false, false, DO_NOTHING, SAY_UNCHANGED},
        {WISH_KEPT, GANTRY_STATE_RUNNING, WANTED, false, false, DO_NOTHING, SAY_UNCHANGED},
        {WISH_GONE, GANTRY_STATE_RUNNING, WANTED, false, false, DO_STOP, SAY_UNCHANGED},
        {WISH_GONE, GANTRY_STATE_EXITED, WANTED, false, true, DO_REMOVE, SAY_UNCHANGED},
        {WISH_GONE, GANTRY_STATE_REMOVING, NULL, false, false, DO_NOTHING, SAY_UNCHANGED},
    /* the platform cannot be asked: by its last listing */
#define OFFLINE(wish, state, hash, in_loop, action)                                                \
    {WISH_##wish, GANTRY_STATE_##state, hash, in_loop, false, DO_##action, SAY_UNCHANGED, true}
        OFFLINE(RUN, EXITED, WANTED, false, START),
        OFFLINE(RUN, FAILED, WANTED, false, START),
        OFFLINE(RUN, FAILED, WANTED, true, START),
        OFFLINE(RUN, CREATED, WANTED, false, START),
        OFFLINE(RUN, PAUSED, WANTED, false, START),
        OFFLINE(RUN, RUNNING, WANTED, false, NOTHING),
        OFFLINE(RUN, RESTARTING, WANTED, true, NOTHING),
        OFFLINE(RUN, STOPPING, WANTED, false, ASK),
        OFFLINE(RUN, UNKNOWN, WANTED, false, ASK),
        OFFLINE(RUN, DEAD, WANTED, false, NOTHING),
        OFFLINE(RUN, REMOVING, WANTED, false, NOTHING),
        OFFLINE(RUN, EXITED, "other", false, NOTHING),
        OFFLINE(RUN, RUNNING, "other", false, NOTHING),
        OFFLINE(RUN, EXITED, NULL, false, NOTHING),
        OFFLINE(HALT, EXITED, WANTED, false, NOTHING),
        OFFLINE(HALT, RUNNING, WANTED, false, NOTHING),
        OFFLINE(HALT, DEAD, WANTED, false, NOTHING),
        OFFLINE(ODD, EXITED, WANTED, false, NOTHING),
        OFFLINE(KEPT, EXITED, WANTED, false, NOTHING),
        OFFLINE(GONE, RUNNING, WANTED, false, NOTHING),
        OFFLINE(GONE, EXITED, WANTED, false, NOTHING),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        const struct expected *e = &table[i];
        struct reconcile_workload w = {.state = e->state, .hash = e->hash, .identity = 7};
        struct reconcile_input in = {.wish = e->wish,
                                     .hash = e->wish == WISH_GONE ? "" : WANTED,
                                     .known = true,
                                     .workloads = &w,
                                     .count = e->state != GANTRY_STATE_REMOVING,
                                     .blocked = e->blocked,
                                     .offline = e->offline,
                                     .platform_up = true,
                                     .now_ms = MINUTE};
        struct reconcile_memory memory = memory_of(e->in_loop, &in);
        struct reconcile_decision d = reconcile_decide(&in, &memory);
        if (d.action != e->action || d.say != e->say)
            fail_msg("case %zu: %s, says %d", i, reconcile_action_name(d.action), d.say);
        assert_int_equal(d.once, e->in_loop && e->action == DO_START);
        assert_int_equal(d.warn, e->wish == WISH_ODD ||
                                     (!e->offline && in.count && !e->hash && e->wish == WISH_RUN));
    }
}

static struct reconcile_decision
decide_pair(enum reconcile_wish wish, struct reconcile_workload old, struct reconcile_workload new)
{
    old.identity = 1;
    old.created_ms = 1;
    new.identity = 2;
    new.created_ms = 2;
    struct reconcile_workload set[] = {old, new};
    struct reconcile_input in = {.wish = wish,
                                 .hash = WANTED,
                                 .known = true,
                                 .workloads = set,
                                 .count = 2,
                                 .platform_up = true,
                                 .now_ms = MINUTE};
    struct reconcile_memory memory = {0};
    return reconcile_decide(&in, &memory);
}

#define OLD(word)                                                                                  \
    {                                                                                              \
        .state = GANTRY_STATE_##word, .hash = "other"                                              \
    }
#define NEW(word)                                                                                  \
    {                                                                                              \
        .state = GANTRY_STATE_##word, .hash = WANTED                                               \
    }

static void
an_unfinished_replace_is_taken_up(void **state)
{
    (void)state;
    static const struct {
        enum reconcile_wish wish;
        struct reconcile_workload old, new;
        enum reconcile_action action;
        unsigned target; /* 0: the old one */
    } table[] = {
        {WISH_RUN, OLD(RUNNING), NEW(CREATED), DO_REMOVE, 1}, /* then it is replaced anew */
        {WISH_RUN, OLD(EXITED), NEW(CREATED), DO_START, 1},
        {WISH_RUN, OLD(EXITED), NEW(STARTING), DO_NOTHING, 1}, /* the old one stays */
        {WISH_RUN, OLD(EXITED), NEW(RUNNING), DO_REMOVE, 0},
        {WISH_RUN, OLD(RUNNING), NEW(RUNNING), DO_STOP, 0},
        {WISH_RUN, OLD(STOPPING), NEW(CREATED), DO_ASK, 0}, /* never two at once */
        {WISH_RUN, OLD(STOPPING), NEW(RUNNING), DO_ASK, 0},
        {WISH_RUN, OLD(RUNNING), OLD(RUNNING), DO_STOP, 0},
        {WISH_RUN, NEW(RUNNING), NEW(RUNNING), DO_STOP, 0},
        {WISH_RUN, NEW(RUNNING), NEW(DEAD), DO_REMOVE, 1},
        {WISH_HALT, OLD(RUNNING), NEW(CREATED), DO_STOP, 0},
        {WISH_HALT, OLD(EXITED), NEW(RUNNING), DO_STOP, 1},
        {WISH_HALT, OLD(EXITED), NEW(EXITED), DO_REMOVE, 0},
        {WISH_HALT, NEW(EXITED), OLD(EXITED), DO_REMOVE, 1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        struct reconcile_decision d = decide_pair(table[i].wish, table[i].old, table[i].new);
        if (d.action != table[i].action || d.target != table[i].target)
            fail_msg("case %zu: %s on %zu", i, reconcile_action_name(d.action), d.target);
    }
}

static void
a_busy_connector_is_left_alone_unless_its_action_is_outdated(void **state)
{
    (void)state;
    static const struct {
        enum reconcile_wish begun, now;
        const char *hash;
        bool cancel;
    } table[] = {
        {WISH_RUN, WISH_RUN, WANTED, false},    {WISH_RUN, WISH_RUN, "newer", true},
        {WISH_RUN, WISH_HALT, WANTED, true},    {WISH_RUN, WISH_GONE, "", true},
        {WISH_RUN, WISH_ODD, WANTED, false},    {WISH_RUN, WISH_KEPT, "", false},
        {WISH_HALT, WISH_HALT, "newer", false}, {WISH_HALT, WISH_RUN, WANTED, true},
        {WISH_HALT, WISH_GONE, "", false},      {WISH_HALT, WISH_ODD, WANTED, false},
        {WISH_GONE, WISH_GONE, "", false},      {WISH_GONE, WISH_KEPT, "", true},
        {WISH_GONE, WISH_RUN, WANTED, true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        struct reconcile_workload w = {
            .state = GANTRY_STATE_RUNNING, .hash = WANTED, .identity = 1};
        struct reconcile_input in = {.wish = table[i].begun,
                                     .known = true,
                                     .workloads = &w,
                                     .hash = table[i].begun == WISH_GONE ? "" : WANTED,
                                     .count = 1,
                                     .platform_up = true,
                                     .now_ms = MINUTE};
        struct reconcile_memory memory = {0};
        (void)reconcile_decide(&in, &memory);
        struct reconcile_memory before = memory;
        in.busy = true;
        in.wish = table[i].now;
        in.hash = table[i].hash;
        w.state = GANTRY_STATE_FAILED;
        struct reconcile_decision d = reconcile_decide(&in, &memory);
        assert_int_equal(d.action, DO_NOTHING);
        assert_int_equal(d.row, -1);
        if (d.cancel != table[i].cancel)
            fail_msg("case %zu: cancel %d", i, d.cancel);
        assert_memory_equal(&memory, &before, sizeof memory);
    }
}

static void
names_are_given(void **state)
{
    (void)state;
    assert_string_equal(reconcile_wish_name(WISH_HALT), "halt");
    assert_string_equal(reconcile_action_name(DO_REPLACE), "replace");
    assert_string_equal(reconcile_wish_name((enum reconcile_wish)99), "unknown");
    assert_string_equal(reconcile_action_name(DO_COUNT), "unknown");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cell_has_exactly_one_row),
        cmocka_unit_test(single_workloads_are_answered_as_designed),
        cmocka_unit_test(an_unfinished_replace_is_taken_up),
        cmocka_unit_test(a_busy_connector_is_left_alone_unless_its_action_is_outdated),
        cmocka_unit_test(names_are_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
