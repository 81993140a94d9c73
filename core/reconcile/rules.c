/* rules.c - the table of the state machine.
 *
 * The rows are disjoint and cover everything: each cell has exactly one, whatever their order, and
 * a test counts.  What takes two rows (an action, and the same blocked) stands together. */
#include "reconcile_internal.h"

#include <assert.h>

#define W(name) BIT(WISH_##name)
#define S(name) BIT(SEEN_##name)
#define H(name) BIT(HASH_##name)

#define ANY_WISH (BIT(WISH_COUNT) - 1)
#define LISTED   (W(RUN) | W(HALT))
#define ANY_SEEN (BIT(SEEN_COUNT) - 1)
#define ANY_HASH (BIT(HASH_COUNT) - 1)
#define NO       BIT(false)
#define YES      BIT(true)
#define EITHER   (YES | NO)

#define LIVE    (S(STARTING) | S(RUNNING) | S(RESTARTING) | S(PAUSED))
#define OFF     (S(CREATED) | S(ENDED))
#define PRESENT (LIVE | OFF)

const struct rule reconcile_rules[] = {
    /* wishes, seen, hashes, in a loop, blocked, offline */

    /* S1: an error is never read as absence. */
    {ANY_WISH, S(UNKNOWN), ANY_HASH, EITHER, EITHER, EITHER, DO_ASK, ROW_UNCHANGED, OTHERS_STAY,
     .why = "the runtime could not say what is there"},
    {W(ODD), ANY_SEEN & ~S(UNKNOWN), ANY_HASH, EITHER, EITHER, EITHER, DO_NOTHING, ROW_UNCHANGED,
     OTHERS_STAY, .warn = true, .why = "the platform's requested status is not one that we know"},
    {W(KEPT), ANY_SEEN & ~S(UNKNOWN), ANY_HASH, EITHER, EITHER, EITHER, DO_NOTHING, ROW_UNCHANGED,
     OTHERS_STAY, .why = "it is not listed any more, and removals are held"},

    {LISTED | W(GONE), S(STOPPING), ANY_HASH, EITHER, EITHER, NO, DO_ASK, ROW_UNCHANGED,
     OTHERS_STAY, .why = "it is stopping"},
    {LISTED, S(DEAD), ANY_HASH, EITHER, EITHER, NO, DO_REMOVE, ROW_STOPPED, OTHERS_STAY,
     .why = "only removing is left of it"},

    {W(RUN), S(ABSENT), ANY_HASH, EITHER, NO, NO, DO_CREATE, ROW_STOPPED, OTHERS_STAY,
     .why = "it shall run, and is not there"},
    {W(RUN), S(ABSENT), ANY_HASH, EITHER, YES, NO, DO_NOTHING, ROW_AS_SEEN, OTHERS_STAY,
     .why = "it shall run, and cannot be created"},

    {W(RUN), S(CREATED) | S(PAUSED), H(SAME), EITHER, EITHER, NO, DO_START, ROW_STOPPED,
     OTHERS_STAY, .why = "it shall run, and does not"},
    {W(RUN), S(ENDED), H(SAME), NO, EITHER, NO, DO_START, ROW_STOPPED, OTHERS_STAY,
     .why = "it shall run, and has ended"},
    /* S9: in a loop the restarts are ours, not the runtime's. */
    {W(RUN), S(ENDED), H(SAME), YES, EITHER, NO, DO_START, ROW_UNCHANGED, OTHERS_STAY, .once = true,
     .why = "it ends again and again soon after its start"},
    {W(RUN), S(RESTARTING), H(SAME), YES, EITHER, NO, DO_STOP, ROW_UNCHANGED, OTHERS_STAY,
     .why = "it ends again and again soon after its start: its restarts are spaced"},
    {W(RUN), S(RESTARTING), H(SAME), NO, EITHER, NO, DO_NOTHING, ROW_UNCHANGED, OTHERS_STAY,
     .why = "the runtime restarts it"},
    {W(RUN), S(STARTING), H(SAME), EITHER, EITHER, NO, DO_NOTHING, ROW_STARTED, OTHERS_STAY,
     .why = "it is starting"},
    {W(RUN), S(RUNNING), H(SAME), EITHER, EITHER, NO, DO_NOTHING, ROW_STARTED, OTHERS_GO,
     .settled = true, .why = "it runs as wished"},

    {W(RUN), PRESENT, H(DIFFERS), EITHER, NO, NO, DO_REPLACE, ROW_AS_SEEN, OTHERS_GO,
     .why = "its configuration or image has changed"},
    {W(RUN), PRESENT, H(DIFFERS), EITHER, YES, NO, DO_NOTHING, ROW_AS_SEEN, OTHERS_GO_IF_KEPT_RUNS,
     .why = "its configuration or image has changed, and it cannot be replaced"},
    {W(RUN), PRESENT, H(UNREADABLE), EITHER, EITHER, NO, DO_NOTHING, ROW_AS_SEEN,
     OTHERS_GO_IF_KEPT_RUNS, .warn = true,
     .why = "its workload has no hash that can be read; remove it by hand to have it made anew"},

    {W(HALT), S(ABSENT), ANY_HASH, EITHER, EITHER, NO, DO_NOTHING, ROW_STOPPED, OTHERS_STAY,
     .settled = true, .why = "it is not wanted to run, and was never made"},
    {W(HALT), LIVE, ANY_HASH, EITHER, EITHER, NO, DO_STOP, ROW_AS_SEEN, OTHERS_STAY,
     .why = "it shall not run"},
    {W(HALT), OFF, ANY_HASH, EITHER, EITHER, NO, DO_NOTHING, ROW_STOPPED, OTHERS_GO,
     .settled = true, .why = "it is stopped as wished"},

    /* Nothing is said of what the platform does not list: it would answer with an error. */
    {W(GONE), S(ABSENT), ANY_HASH, EITHER, EITHER, NO, DO_NOTHING, ROW_UNCHANGED, OTHERS_STAY,
     .settled = true, .why = "it is not listed any more, and gone"},
    {W(GONE), LIVE, ANY_HASH, EITHER, EITHER, NO, DO_STOP, ROW_UNCHANGED, OTHERS_STAY,
     .why = "it is not listed any more"},
    {W(GONE), OFF | S(DEAD), ANY_HASH, EITHER, EITHER, NO, DO_REMOVE, ROW_UNCHANGED, OTHERS_STAY,
     .why = "it is not listed any more"},

    /* The platform has not answered yet in this run, and this is what its last listing said: what shall
     * run and is there is started, and nothing else is done or told. */
    {W(RUN), S(CREATED) | S(PAUSED), H(SAME), EITHER, EITHER, YES, DO_START, ROW_UNCHANGED,
     OTHERS_STAY, .why = "the platform cannot be asked; by its last listing it shall run"},
    {W(RUN), S(ENDED), H(SAME), NO, EITHER, YES, DO_START, ROW_UNCHANGED, OTHERS_STAY,
     .why = "the platform cannot be asked; by its last listing it shall run"},
    {W(RUN), S(ENDED), H(SAME), YES, EITHER, YES, DO_START, ROW_UNCHANGED, OTHERS_STAY,
     .once = true,
     .why = "the platform cannot be asked; it ends again and again soon after its start"},
    {W(RUN), S(STOPPING), H(SAME), EITHER, EITHER, YES, DO_ASK, ROW_UNCHANGED, OTHERS_STAY,
     .why = "the platform cannot be asked; it is stopping, and shall run"},
    {W(RUN), S(STARTING) | S(RUNNING) | S(RESTARTING), H(SAME), EITHER, EITHER, YES, DO_NOTHING,
     ROW_UNCHANGED, OTHERS_STAY, .why = "the platform cannot be asked; it runs"},
    {W(RUN), S(ABSENT) | S(DEAD), ANY_HASH, EITHER, EITHER, YES, DO_NOTHING, ROW_UNCHANGED,
     OTHERS_STAY, .why = "the platform cannot be asked, and nothing is made without it"},
    {W(RUN), PRESENT | S(STOPPING), H(DIFFERS) | H(UNREADABLE), EITHER, EITHER, YES, DO_NOTHING,
     ROW_UNCHANGED, OTHERS_STAY,
     .why = "the platform cannot be asked, and nothing is replaced without it"},
    {W(HALT) | W(GONE), ANY_SEEN & ~S(UNKNOWN), ANY_HASH, EITHER, EITHER, YES, DO_NOTHING,
     ROW_UNCHANGED, OTHERS_STAY,
     .why = "the platform cannot be asked, and nothing ends without it"},
};
const size_t reconcile_rule_count = ARRAY_LENGTH(reconcile_rules);

bool
rule_matches(const struct rule *rule, const struct cell *cell)
{
    return (rule->wishes & BIT(cell->wish)) && (rule->seen & BIT(cell->seen)) &&
           (rule->hashes & BIT(cell->hash)) && (rule->in_loop & BIT(cell->in_loop)) &&
           (rule->blocked & BIT(cell->blocked)) && (rule->offline & BIT(cell->offline));
}

size_t
rule_find(const struct cell *cell)
{
    size_t row = 0;
    while (row < reconcile_rule_count && !rule_matches(&reconcile_rules[row], cell))
        row++;
    assert(row < reconcile_rule_count);
    return row;
}

enum seen
seen_of(enum gantry_state state)
{
    switch (state) {
    case GANTRY_STATE_CREATED:
        return SEEN_CREATED;
    case GANTRY_STATE_STARTING:
        return SEEN_STARTING;
    case GANTRY_STATE_RUNNING:
        return SEEN_RUNNING;
    case GANTRY_STATE_RESTARTING:
        return SEEN_RESTARTING;
    case GANTRY_STATE_STOPPING:
        return SEEN_STOPPING;
    case GANTRY_STATE_EXITED:
    case GANTRY_STATE_FAILED:
        return SEEN_ENDED;
    case GANTRY_STATE_PAUSED:
        return SEEN_PAUSED;
    case GANTRY_STATE_DEAD:
        return SEEN_DEAD;
    case GANTRY_STATE_UNKNOWN:
    case GANTRY_STATE_REMOVING:
        break;
    }
    return SEEN_UNKNOWN; /* a number that a newer plugin brought, too */
}

bool
seen_is_live(enum seen seen)
{
    return (BIT(seen) & (LIVE)) != 0;
}

const char *
reconcile_wish_name(enum reconcile_wish wish)
{
    static const char *const names[] = {
#define NAME_(name, word) [WISH_##name] = word,
        RECONCILE_WISHES(NAME_)
#undef NAME_
    };
    return (size_t)wish < ARRAY_LENGTH(names) ? names[wish] : "unknown";
}

const char *
reconcile_action_name(enum reconcile_action action)
{
    static const char *const names[] = {
#define NAME_(name, word) [DO_##name] = word,
        RECONCILE_ACTIONS(NAME_)
#undef NAME_
    };
    return (size_t)action < ARRAY_LENGTH(names) ? names[action] : "unknown";
}
