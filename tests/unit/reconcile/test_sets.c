/* What must always hold does, for every set of up to three workloads. */
#include "decisions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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
is_off(enum gantry_state s)
{
    return s == GANTRY_STATE_CREATED || s == GANTRY_STATE_EXITED || s == GANTRY_STATE_FAILED ||
           s == GANTRY_STATE_DEAD;
}

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_must_always_hold_does_for_every_set),
        cmocka_unit_test(the_order_of_a_listing_does_not_matter),
        cmocka_unit_test(offline_does_less_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
