/* The table over its whole state space: each cell has exactly one row, each row has a cell, and
 * what must always hold does, for every set of up to three workloads. */
#include "reconcile.h"
#include "reconcile_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WANTED "wanted"
#define MINUTE ((int64_t)60 * 1000)

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

/* ---- the state space of whole sets ---- */

static const char *const hashes[] = {WANTED, "other", NULL};

/* The set of n workloads with this number, of (10 states x 3 hashes) ^ n; made in this order of
 * time. */
static void
fill_set(struct reconcile_workload *set, size_t n, unsigned number)
{
    for (size_t i = 0; i < n; i++) {
        unsigned state = number % 10;
        number /= 10;
        set[i] = (struct reconcile_workload){
            .state = (enum gantry_state)state, /* all but REMOVING, which is never in a set */
            .hash = hashes[number % 3],
            .created_ms = 1000 * (int64_t)(i + 1),
            .identity = i + 1,
        };
        number /= 3;
    }
}

static bool
is_live(enum gantry_state s)
{
    return s == GANTRY_STATE_STARTING || s == GANTRY_STATE_RUNNING ||
           s == GANTRY_STATE_RESTARTING || s == GANTRY_STATE_PAUSED;
}

static bool
is_off(enum gantry_state s)
{
    return s == GANTRY_STATE_CREATED || s == GANTRY_STATE_EXITED || s == GANTRY_STATE_FAILED ||
           s == GANTRY_STATE_DEAD;
}

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return #condition;                                                                     \
    } while (0)

/* S1, S3: what one decision may not do when the runtime or the platform leaves something open. */
static const char *
check_doubt(const struct reconcile_input *in, const struct reconcile_decision *d)
{
    bool known = in->known;
    for (size_t i = 0; i < in->count; i++)
        known &= in->workloads[i].state != GANTRY_STATE_UNKNOWN;
    if (!known) {
        HOLDS(d->action == DO_ASK || d->action == DO_NOTHING);
        HOLDS(d->say == SAY_UNCHANGED);
        HOLDS(d->kept == SIZE_MAX);
    }
    if (in->wish == WISH_KEPT || in->wish == WISH_ODD) {
        HOLDS(d->action == DO_NOTHING || d->action == DO_ASK);
        HOLDS(d->action == DO_NOTHING || !known);
        HOLDS(d->say == SAY_UNCHANGED);
    }
    if (in->wish == WISH_GONE)
        HOLDS(d->say == SAY_UNCHANGED);
    return NULL;
}

/* By a listing of an earlier run, what is there may be started, and nothing else is done or told. */
static const char *
check_offline(const struct reconcile_input *in, const struct reconcile_decision *d)
{
    if (!in->offline)
        return NULL;
    HOLDS(d->action == DO_NOTHING || d->action == DO_ASK || d->action == DO_START);
    HOLDS(d->say == SAY_UNCHANGED);
    if (d->action == DO_START)
        HOLDS(in->wish == WISH_RUN && strcmp(in->workloads[d->target].hash, WANTED) == 0);
    return NULL;
}

/* What each action needs (S2, S4, S5, S8). */
static const char *
check_action(const struct reconcile_input *in, const struct reconcile_decision *d, bool in_loop)
{
    const struct reconcile_workload *t = d->target < in->count ? &in->workloads[d->target] : NULL;
    switch (d->action) {
    case DO_CREATE:
        HOLDS(in->wish == WISH_RUN && in->count == 0);
        HOLDS(!in->blocked && in->removing < 2);
        break;
    case DO_REPLACE:
        HOLDS(in->wish == WISH_RUN && in->count == 1 && t);
        HOLDS(!in->blocked && in->removing < 2);
        HOLDS(t->hash && strcmp(t->hash, WANTED) != 0);
        HOLDS(is_live(t->state) || is_off(t->state));
        break;
    case DO_START:
        HOLDS(in->wish == WISH_RUN && t && d->target == d->kept);
        HOLDS(t->hash && strcmp(t->hash, WANTED) == 0);
        HOLDS(!d->once || in_loop);
        for (size_t i = 0; i < in->count; i++) /* never a second one beside one that runs */
            HOLDS(i == d->target || is_off(in->workloads[i].state) ||
                  in->workloads[i].state == GANTRY_STATE_PAUSED);
        break;
    case DO_STOP:
        HOLDS(t && is_live(t->state));
        if (in->wish == WISH_RUN && d->target == d->kept)
            HOLDS(in_loop && t->state == GANTRY_STATE_RESTARTING);
        break;
    case DO_REMOVE:
        HOLDS(t && is_off(t->state));
        if (in->wish != WISH_GONE && d->target == d->kept)
            HOLDS(t->state == GANTRY_STATE_DEAD);
        break;
    case DO_NOTHING:
    case DO_ASK:
    case DO_COUNT:
        break;
    }
    return NULL;
}

static const char *
check_report(const struct reconcile_input *in, const struct reconcile_decision *d)
{
    enum gantry_state kept =
        d->kept < in->count ? in->workloads[d->kept].state : GANTRY_STATE_UNKNOWN;
    bool up = kept == GANTRY_STATE_STARTING || kept == GANTRY_STATE_RUNNING;
    HOLDS(d->say != SAY_STARTED || up);
    HOLDS(d->say != SAY_STOPPED || !up);
    HOLDS(d->row >= 0 && d->why && d->why[0]);
    HOLDS(in->count == 0 || d->say == SAY_UNCHANGED || d->kept < in->count);
    return NULL;
}

/* Of several, one that runs is never given up for one that does not. */
static const char *
check_kept(const struct reconcile_input *in, const struct reconcile_decision *d)
{
    if (d->kept == SIZE_MAX)
        return NULL;
    bool some_runs = false;
    for (size_t i = 0; i < in->count; i++)
        some_runs |= in->workloads[i].state == GANTRY_STATE_RUNNING;
    HOLDS(!some_runs || in->workloads[d->kept].state == GANTRY_STATE_RUNNING);
    bool ends_another = (d->action == DO_STOP || d->action == DO_REMOVE) && d->target != d->kept;
    if (ends_another && in->wish == WISH_RUN) { /* the kept one runs, or is about to be replaced */
        const char *hash = in->workloads[d->kept].hash;
        bool differs = hash && strcmp(hash, WANTED) != 0;
        HOLDS(in->workloads[d->kept].state == GANTRY_STATE_RUNNING ||
              (differs && !in->blocked && in->removing < 2));
    }
    return NULL;
}

static struct reconcile_memory
memory_of(bool in_loop, const struct reconcile_input *in)
{
    struct reconcile_memory memory = {0};
    struct reconcile_input first = *in;
    first.count = 0;
    first.known = false;
    (void)reconcile_decide(&first, &memory); /* takes wish and hash over */
    memory.asks = 0;
    memory.ask_ms = 0;
    memory.in_loop = in_loop;
    memory.short_runs = in_loop ? RECONCILE_EXITS : 0;
    return memory;
}

static void
check_all(const struct reconcile_input *in, bool in_loop, unsigned number)
{
    struct reconcile_memory memory = memory_of(in_loop, in);
    struct reconcile_decision d = reconcile_decide(in, &memory);
    const char *broken = check_doubt(in, &d);
    if (!broken)
        broken = check_action(in, &d, in_loop);
    if (!broken)
        broken = check_report(in, &d);
    if (!broken)
        broken = check_kept(in, &d);
    if (!broken)
        broken = check_offline(in, &d);
    if (broken)
        fail_msg("set %u of %zu, wish %s, blocked %d, removing %zu, loop %d, offline %d: %s on "
                 "%zu: not %s",
                 number, in->count, reconcile_wish_name(in->wish), in->blocked, in->removing,
                 in_loop, in->offline, reconcile_action_name(d.action), d.target, broken);
}

static void
what_must_always_hold_does_for_every_set(void **state)
{
    (void)state;
    static const unsigned sets[] = {1, 30, 900, 27000};
    for (size_t n = 0; n < ARRAY_LENGTH(sets); n++) {
        for (unsigned number = 0; number < sets[n]; number++) {
            struct reconcile_workload set[3];
            fill_set(set, n, number);
            for (unsigned i = 0; i < WISH_COUNT * 48u; i++) {
                struct reconcile_input in = {
                    .wish = (enum reconcile_wish)(i / 48),
                    .offline = i / 24 % 2,
                    .known = (i & 1) == 0,
                    .blocked = i & 2,
                    .removing = i / 8 % 3,
                    .workloads = set,
                    .count = n,
                    .platform_up = true,
                    .now_ms = 60 * MINUTE,
                };
                in.hash = in.wish == WISH_GONE || in.wish == WISH_KEPT ? "" : WANTED;
                check_all(&in, i & 4, number);
            }
        }
    }
}

static void
the_order_of_a_listing_does_not_matter(void **state)
{
    (void)state;
    static const size_t orders[][3] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned number = 0; number < 27000; number++) {
        struct reconcile_workload set[3], turned[3];
        fill_set(set, 3, number);
        struct reconcile_input in = {.wish = WISH_RUN,
                                     .hash = WANTED,
                                     .known = true,
                                     .workloads = set,
                                     .count = 3,
                                     .platform_up = true,
                                     .now_ms = MINUTE};
        struct reconcile_memory memory = {0};
        struct reconcile_decision one = reconcile_decide(&in, &memory);
        for (size_t o = 0; o < ARRAY_LENGTH(orders); o++) {
            for (size_t i = 0; i < 3; i++)
                turned[i] = set[orders[o][i]];
            in.workloads = turned;
            memory = (struct reconcile_memory){0};
            struct reconcile_decision other = reconcile_decide(&in, &memory);
            assert_int_equal(other.action, one.action);
            assert_int_equal(other.row, one.row);
            if (one.target != SIZE_MAX)
                assert_int_equal(turned[other.target].identity, set[one.target].identity);
        }
    }
}

/* Offline it is as in normal times, or nothing is done: never another action. */
static void
offline_does_less_and_nothing_else(void **state)
{
    (void)state;
    unsigned starts = 0;
    for (unsigned number = 0; number < 27000; number++) {
        struct reconcile_workload set[3];
        fill_set(set, 3, number);
        struct reconcile_input in = {.wish = WISH_RUN,
                                     .hash = WANTED,
                                     .known = true,
                                     .workloads = set,
                                     .count = 3,
                                     .now_ms = MINUTE};
        struct reconcile_memory memory = {0};
        struct reconcile_decision online = reconcile_decide(&in, &memory);
        memory = (struct reconcile_memory){0};
        in.offline = true;
        struct reconcile_decision offline = reconcile_decide(&in, &memory);
        assert_int_equal(offline.kept, online.kept);
        if (online.action == DO_START || online.action == DO_ASK) {
            if (online.action == DO_START) /* what shall run and is there runs again */
                assert_int_equal(offline.action, DO_START);
            assert_true(offline.action != DO_START || offline.target == online.target);
        } else {
            assert_true(offline.action == DO_NOTHING || offline.target == offline.kept);
        }
        starts += offline.action == DO_START;
    }
    assert_true(starts > 100);
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
        cmocka_unit_test(what_must_always_hold_does_for_every_set),
        cmocka_unit_test(the_order_of_a_listing_does_not_matter),
        cmocka_unit_test(offline_does_less_and_nothing_else),
        cmocka_unit_test(single_workloads_are_answered_as_designed),
        cmocka_unit_test(an_unfinished_replace_is_taken_up),
        cmocka_unit_test(a_busy_connector_is_left_alone_unless_its_action_is_outdated),
        cmocka_unit_test(names_are_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
