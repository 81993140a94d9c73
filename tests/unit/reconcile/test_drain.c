/* A backend that is drained, over its whole state space: each cell has exactly one row, nothing ends before
 * its follower runs, nothing ends by an error, and what may end does. */
#include "decisions.h"
#include "reconcile_internal.h"
#include "states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 3, STATES = 10 }; /* all but REMOVING, which is never in a set */

static void
each_cell_has_exactly_one_row(void **state)
{
    (void)state;
    size_t used[64] = {0};
    assert_true(drain_rule_count <= ARRAY_LENGTH(used));
    for (unsigned i = 0; i < WISH_COUNT * SEEN_COUNT * HOME_COUNT * 2u; i++) {
        struct drain_cell cell = {
            .wish = (enum reconcile_wish)(i / 2 / HOME_COUNT / SEEN_COUNT),
            .seen = (enum seen)(i / 2 / HOME_COUNT % SEEN_COUNT),
            .home = (enum drain_home)(i / 2 % HOME_COUNT),
            .judged = i & 1,
        };
        unsigned matches = 0;
        for (size_t row = 0; row < drain_rule_count; row++) {
            bool one = drain_rule_matches(&drain_rules[row], &cell);
            matches += one;
            used[row] += one;
        }
        if (matches != (cell.seen == SEEN_ABSENT ? 0 : 1))
            fail_msg("wish %d, seen %d, home %d, judged %d: %u rows", cell.wish, cell.seen,
                     cell.home, cell.judged, matches);
    }
    for (size_t row = 0; row < drain_rule_count; row++) {
        if (!used[row])
            fail_msg("row %zu (%s) answers no cell", row, drain_rules[row].why);
        assert_true(strlen(drain_rules[row].why) > 0);
    }
}

/* ---- whole sets ------------------------------------------------------------------------------ */

static void
fill_set(struct reconcile_workload *set, size_t n, unsigned number)
{
    for (size_t i = 0; i < n; i++) {
        set[i] = (struct reconcile_workload){
            .state = (enum gantry_state)(number % STATES),
            .created_ms = 1000 * (int64_t)(i + 1),
            .identity = i + 1,
        };
        number /= STATES;
    }
}

static struct drain_input
input_of(unsigned number, const struct reconcile_workload *set, size_t n)
{
    return (struct drain_input){
        .wish = (enum reconcile_wish)(number % WISH_COUNT),
        .home = (enum drain_home)(number / WISH_COUNT % HOME_COUNT),
        .judged = number / WISH_COUNT / HOME_COUNT % 2,
        .known = number / WISH_COUNT / HOME_COUNT / 2 % 2,
        .home_since_ms = 1,
        .workloads = set,
        .count = n,
        .now_ms = 1000,
    };
}
#define INPUTS (WISH_COUNT * HOME_COUNT * 4u)

static const char *
check(const struct drain_input *in, const struct reconcile_decision *d)
{
    bool known = in->known;
    for (size_t i = 0; i < in->count; i++)
        known &= in->workloads[i].state != GANTRY_STATE_UNKNOWN;
    bool ends = d->action == DO_STOP || d->action == DO_REMOVE;
    HOLDS(ends || d->action == DO_ASK || d->action == DO_NOTHING);
    HOLDS(d->row >= 0 && d->why[0] && d->target < in->count);
    HOLDS(!ends || (known && in->judged));                           /* S1 */
    HOLDS(!ends || (in->wish != WISH_ODD && in->wish != WISH_KEPT)); /* S3 */
    HOLDS(!ends || in->wish != WISH_RUN || in->home == HOME_RUNS);   /* S4 */
    enum gantry_state target = in->workloads[d->target].state;
    HOLDS(d->action != DO_STOP || is_live(target));
    HOLDS(d->action != DO_REMOVE || (!is_live(target) && target != GANTRY_STATE_STOPPING));
    for (size_t i = 0; i < in->count; i++) /* what runs ends first */
        HOLDS(d->action != DO_REMOVE || !is_live(in->workloads[i].state));
    bool may = known && in->judged &&
               (in->wish == WISH_HALT || in->wish == WISH_GONE ||
                (in->wish == WISH_RUN && in->home == HOME_RUNS));
    HOLDS(!may || ends || target == GANTRY_STATE_STOPPING);
    HOLDS(known || d->action == DO_ASK);
    HOLDS(in->home != HOME_FRESH || d->deadline_ms <= in->home_since_ms + DRAIN_FRESH_MS ||
          d->action == DO_ASK);
    return NULL;
}

/* The choice is the same in whatever order they are listed. */
static void
check_order(const struct drain_input *in, const struct reconcile_decision *d)
{
    struct reconcile_workload turned[MOST];
    struct drain_input other = *in;
    for (size_t i = 0; i < in->count; i++)
        turned[i] = in->workloads[in->count - 1 - i];
    other.workloads = turned;
    struct reconcile_memory memory = {0};
    struct reconcile_decision same = drain_decide(&other, &memory);
    assert_int_equal(d->action, same.action);
    assert_int_equal(in->workloads[d->target].identity, turned[same.target].identity);
}

static void
nothing_ends_before_it_may_and_all_that_may_does(void **state)
{
    (void)state;
    unsigned sets = 1;
    for (size_t n = 1; n <= MOST; n++) {
        sets *= STATES;
        for (unsigned number = 0; number < sets; number++) {
            struct reconcile_workload set[MOST];
            fill_set(set, n, number);
            for (unsigned i = 0; i < INPUTS; i++) {
                struct drain_input in = input_of(i, set, n);
                struct reconcile_memory memory = {0};
                struct reconcile_decision d = drain_decide(&in, &memory);
                const char *broken = check(&in, &d);
                if (broken)
                    fail_msg(
                        "set %u of %zu, wish %d, home %d, judged %d, known %d: not %s (row %d)",
                        number, n, in.wish, in.home, in.judged, in.known, broken, d.row);
                check_order(&in, &d);
            }
        }
    }
}

/* What succeeds is done: a stop leaves it exited, a removal leaves one less. */
static void
a_set_that_may_end_becomes_empty(void **state)
{
    (void)state;
    static const enum reconcile_wish wishes[] = {WISH_RUN, WISH_HALT, WISH_GONE};
    for (unsigned number = 0; number < 3 * STATES * STATES * STATES; number++) {
        struct reconcile_workload set[MOST];
        struct reconcile_memory memory = {0};
        fill_set(set, MOST, number / 3);
        struct drain_input in = {.wish = wishes[number % 3],
                                 .judged = true,
                                 .home = HOME_RUNS,
                                 .known = true,
                                 .workloads = set,
                                 .count = MOST,
                                 .now_ms = 1};
        int steps = 0;
        for (; in.count > 0 && steps < 100; steps++) {
            struct reconcile_decision d = drain_decide(&in, &memory);
            for (size_t i = 0; i < in.count && d.action == DO_ASK; i++) { /* time heals */
                if (set[i].state == GANTRY_STATE_UNKNOWN || set[i].state == GANTRY_STATE_STOPPING)
                    set[i].state = GANTRY_STATE_EXITED;
            }
            if (d.action == DO_STOP)
                set[d.target].state = GANTRY_STATE_EXITED;
            if (d.action == DO_REMOVE)
                set[d.target] = set[--in.count];
            reconcile_done(&memory, d.action, 0, in.now_ms, 0);
            in.now_ms += RECONCILE_BACKOFF_MAX_MS;
        }
        if (in.count > 0)
            fail_msg("set %u: %zu are left after %d steps", number, in.count, steps);
    }
}

/* ---- the pieces ------------------------------------------------------------------------------ */

static void
it_runs_there_once_it_has_run_for_a_while(void **state)
{
    (void)state;
    struct reconcile_memory memory = {.watched_since_ms = 1000};
    int64_t later = 1000 + DRAIN_FRESH_MS;
    assert_int_equal(HOME_FRESH, drain_home_of(GANTRY_STATE_RUNNING, &memory, later - 1));
    assert_int_equal(HOME_RUNS, drain_home_of(GANTRY_STATE_RUNNING, &memory, later));
    for (int s = 0; s < STATES_COUNT; s++) {
        enum drain_home home = drain_home_of((enum gantry_state)s, &memory, later);
        bool unknown = s == GANTRY_STATE_UNKNOWN || s == GANTRY_STATE_REMOVING;
        assert_int_equal(home, s == GANTRY_STATE_RUNNING ? HOME_RUNS
                               : unknown                 ? HOME_UNKNOWN
                                                         : HOME_DOWN);
    }
    memory.in_loop = true; /* it ends again and again: it has not moved */
    assert_int_equal(HOME_DOWN, drain_home_of(GANTRY_STATE_RUNNING, &memory, later));
    memory = (struct reconcile_memory){0}; /* not seen to run yet */
    assert_int_equal(HOME_FRESH, drain_home_of(GANTRY_STATE_RUNNING, &memory, later));
}

static void
what_is_told_is_that_of_the_one_that_runs(void **state)
{
    (void)state;
    static const struct {
        enum reconcile_say say;
        enum drain_old old;
        enum reconcile_say told;
    } rows[] = {
        {SAY_STOPPED, OLD_NONE, SAY_STOPPED},     {SAY_STOPPED, OLD_OFF, SAY_STOPPED},
        {SAY_STOPPED, OLD_RUNS, SAY_STARTED},     {SAY_STOPPED, OLD_UNKNOWN, SAY_UNCHANGED},
        {SAY_STARTED, OLD_NONE, SAY_STARTED},     {SAY_STARTED, OLD_OFF, SAY_STARTED},
        {SAY_STARTED, OLD_RUNS, SAY_STARTED},     {SAY_STARTED, OLD_UNKNOWN, SAY_STARTED},
        {SAY_UNCHANGED, OLD_NONE, SAY_UNCHANGED}, {SAY_UNCHANGED, OLD_OFF, SAY_UNCHANGED},
        {SAY_UNCHANGED, OLD_RUNS, SAY_UNCHANGED}, {SAY_UNCHANGED, OLD_UNKNOWN, SAY_UNCHANGED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_int_equal(rows[i].told, drain_say(rows[i].say, rows[i].old));
}

static void
failures_back_off_and_a_new_wish_ends_that(void **state)
{
    (void)state;
    const struct reconcile_workload one = {.state = GANTRY_STATE_RUNNING, .identity = 1};
    struct reconcile_memory memory = {0};
    struct drain_input in = {.wish = WISH_RUN,
                             .judged = true,
                             .home = HOME_RUNS,
                             .known = true,
                             .workloads = &one,
                             .count = 1,
                             .now_ms = 1000};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(DO_STOP, drain_decide(&in, &memory).action);
        reconcile_done(&memory, DO_STOP, GANTRY_E_UNAVAILABLE, in.now_ms, 0);
        struct reconcile_decision waits = drain_decide(&in, &memory);
        assert_int_equal(DO_NOTHING, waits.action);
        assert_int_equal(waits.deadline_ms - in.now_ms, RECONCILE_BACKOFF_MIN_MS << i);
        in.now_ms = waits.deadline_ms;
    }
    reconcile_done(&memory, DO_STOP, GANTRY_E_UNAVAILABLE, in.now_ms, 0);
    in.judged = false; /* the platform is away: nothing is known to be new */
    assert_int_equal(DO_NOTHING, drain_decide(&in, &memory).action);
    in.judged = true;
    assert_int_equal(DO_NOTHING, drain_decide(&in, &memory).action);
    in.wish = WISH_HALT;
    assert_int_equal(DO_STOP, drain_decide(&in, &memory).action);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cell_has_exactly_one_row),
        cmocka_unit_test(nothing_ends_before_it_may_and_all_that_may_does),
        cmocka_unit_test(a_set_that_may_end_becomes_empty),
        cmocka_unit_test(it_runs_there_once_it_has_run_for_a_while),
        cmocka_unit_test(what_is_told_is_that_of_the_one_that_runs),
        cmocka_unit_test(failures_back_off_and_a_new_wish_ends_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
