/* drain.c - what becomes of the workloads that a connector has on a backend that is drained.
 *
 * Start new, then remove old: its own backend gets the new workload by the table of rules.c, as if
 * there were no other; here the old one waits until that runs (S4 in spirit). */
#include "reconcile_internal.h"

#include <assert.h>

#define W(name) BIT(WISH_##name)
#define S(name) BIT(SEEN_##name)
#define M(name) BIT(HOME_##name)

#define ANY_WISH (BIT(WISH_COUNT) - 1)
#define ENDING   (W(HALT) | W(GONE))
#define ANY_HOME (BIT(HOME_COUNT) - 1)
#define NO       BIT(false)
#define YES      BIT(true)
#define EITHER   (YES | NO)

#define LIVE  (S(STARTING) | S(RUNNING) | S(RESTARTING) | S(PAUSED))
#define OFF   (S(CREATED) | S(ENDED) | S(DEAD))
#define KNOWN (LIVE | OFF | S(STOPPING))

/* Disjoint, and covering everything, as rules.c's: a test counts. */
const struct drain_rule drain_rules[] = {
    /* wishes, seen, homes, judged */
    {ANY_WISH, S(UNKNOWN), ANY_HOME, EITHER, DO_ASK,
     "the backend that is drained could not say what is there"},
    {ANY_WISH, KNOWN, ANY_HOME, NO, DO_NOTHING,
     "the platform cannot be asked, and nothing ends without it"},
    {W(ODD) | W(KEPT), KNOWN, ANY_HOME, YES, DO_NOTHING,
     "nobody knows whether it shall run: it stays where it is"},

    {W(RUN), KNOWN, M(UNKNOWN), YES, DO_NOTHING,
     "its new backend could not say whether it runs there: it stays on the old one"},
    {W(RUN), KNOWN, M(DOWN), YES, DO_NOTHING,
     "it does not run on its new backend yet: it stays on the old one"},
    {W(RUN), KNOWN, M(FRESH), YES, DO_NOTHING,
     "it has only just begun to run on its new backend: it stays on the old one"},
    {W(RUN), S(STOPPING), M(RUNS), YES, DO_ASK, "it runs on its new backend, and is stopping here"},
    {W(RUN), LIVE, M(RUNS), YES, DO_STOP, "it runs on its new backend"},
    {W(RUN), OFF, M(RUNS), YES, DO_REMOVE, "it runs on its new backend"},

    {ENDING, S(STOPPING), ANY_HOME, YES, DO_ASK, "it is stopping"},
    {W(HALT), LIVE, ANY_HOME, YES, DO_STOP, "it shall not run, and this backend is drained"},
    {W(HALT), OFF, ANY_HOME, YES, DO_REMOVE, "it shall not run, and this backend is drained"},
    {W(GONE), LIVE, ANY_HOME, YES, DO_STOP, "it is not listed any more"},
    {W(GONE), OFF, ANY_HOME, YES, DO_REMOVE, "it is not listed any more"},
};
const size_t drain_rule_count = ARRAY_LENGTH(drain_rules);

bool
drain_rule_matches(const struct drain_rule *rule, const struct drain_cell *cell)
{
    return (rule->wishes & BIT(cell->wish)) && (rule->seen & BIT(cell->seen)) &&
           (rule->homes & BIT(cell->home)) && (rule->judged & BIT(cell->judged));
}

enum drain_home
drain_home_of(enum gantry_state state, const struct reconcile_memory *memory, int64_t now_ms)
{
    enum seen seen = seen_of(state);
    if (seen == SEEN_UNKNOWN)
        return HOME_UNKNOWN;
    if (seen != SEEN_RUNNING || memory->in_loop)
        return HOME_DOWN;
    bool long_enough =
        memory->watched_since_ms > 0 && now_ms - memory->watched_since_ms >= DRAIN_FRESH_MS;
    return long_enough ? HOME_RUNS : HOME_FRESH;
}

/* A newer wish always wins over back-off (S6). */
static void
take_wish(enum reconcile_wish wish, struct reconcile_memory *memory)
{
    if (wish == WISH_ODD || wish == WISH_KEPT)
        return;
    if (memory->seen_before && wish != memory->last_wish) {
        memory->failures = memory->ends = memory->asks = 0;
        memory->retry_ms = memory->ask_ms = 0;
    }
    memory->seen_before = true;
    memory->last_wish = wish;
}

/* The next one to end; UNKNOWN when one of them is. */
static enum seen
seen_next(const struct drain_input *input, size_t *next)
{
    const struct reconcile_input set = {
        .hash = "", .workloads = input->workloads, .count = input->count};
    *next = keep_next_other(&set, SIZE_MAX);
    for (size_t i = 0; i < input->count; i++) {
        if (seen_of(input->workloads[i].state) == SEEN_UNKNOWN)
            return SEEN_UNKNOWN;
    }
    return input->known ? seen_of(input->workloads[*next].state) : SEEN_UNKNOWN;
}

struct reconcile_decision
drain_decide(const struct drain_input *input, struct reconcile_memory *memory)
{
    struct reconcile_decision d = {.kept = SIZE_MAX, .deadline_ms = INT64_MAX, .run_ms = -1};
    struct drain_cell cell = {.wish = input->wish,
                              .seen = seen_next(input, &d.target),
                              .home = input->home,
                              .judged = input->judged};
    size_t row = 0;
    while (row < drain_rule_count && !drain_rule_matches(&drain_rules[row], &cell))
        row++;
    assert(row < drain_rule_count);
    if (input->judged)
        take_wish(input->wish, memory);
    d.row = (int)row;
    d.action = drain_rules[row].action;
    d.why = drain_rules[row].why;
    if (input->home == HOME_FRESH)
        d.deadline_ms =
            MIN(input->home_since_ms > 0 ? input->home_since_ms : input->now_ms, input->now_ms) +
            DRAIN_FRESH_MS;
    decide_pace(&d, memory, input->now_ms);
    return d;
}

enum reconcile_say
drain_say(enum reconcile_say say, enum drain_old old)
{
    if (say != SAY_STOPPED)
        return say;
    switch (old) {
    case OLD_RUNS:
        return SAY_STARTED;
    case OLD_UNKNOWN:
        return SAY_UNCHANGED;
    case OLD_NONE:
    case OLD_OFF:
        break;
    }
    return say;
}
