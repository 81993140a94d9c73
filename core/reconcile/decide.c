/* decide.c - the decision about one connector: its cell, the row of that cell, and what may be done
 * now. */
#include "reconcile_internal.h"

#include "str.h"

#include <assert.h>

/* ODD and KEPT say that nobody knows the wish: they neither change it nor end a back-off. */
static bool
is_wish(enum reconcile_wish wish)
{
    return wish == WISH_RUN || wish == WISH_HALT || wish == WISH_GONE;
}

/* A connector that is not listed has no hash: the last one stays. */
static bool
has_hash(enum reconcile_wish wish)
{
    return wish == WISH_RUN || wish == WISH_HALT;
}

/* A changed wish or hash always wins over back-off (S6, S9). */
static void
take_wish(const struct reconcile_input *input, struct reconcile_memory *memory)
{
    if (!is_wish(input->wish))
        return;
    uint64_t hash = has_hash(input->wish) ? text_digest(input->hash) : memory->last_hash;
    bool new_hash = hash != memory->last_hash;
    if (memory->seen_before && (new_hash || input->wish != memory->last_wish)) {
        memory->failures = memory->ends = memory->asks = 0;
        memory->retry_ms = memory->start_ms = memory->ask_ms = 0;
        memory->in_loop = false;
        memory->short_runs = memory->loop_starts = 0;
        if (new_hash)
            memory->total_exits = 0;
    }
    memory->seen_before = true;
    memory->last_wish = input->wish;
    memory->last_hash = hash;
}

/* Is what is in flight, begun for the wish in memory, not wanted any more (S5)? */
static bool
is_outdated(const struct reconcile_input *input, const struct reconcile_memory *memory)
{
    if (!memory->seen_before)
        return false;
    switch (memory->last_wish) {
    case WISH_RUN:
        return input->wish == WISH_HALT || input->wish == WISH_GONE ||
               (input->wish == WISH_RUN && text_digest(input->hash) != memory->last_hash);
    case WISH_HALT: /* GONE begins with a stop, too */
        return input->wish == WISH_RUN;
    case WISH_GONE: /* listed again, or removals are held again */
        return input->wish != WISH_GONE;
    case WISH_ODD:
    case WISH_KEPT:
    case WISH_COUNT:
        break;
    }
    return false;
}

static bool
is_known(const struct reconcile_input *input)
{
    for (size_t i = 0; i < input->count; i++) {
        if (seen_of(input->workloads[i].state) == SEEN_UNKNOWN)
            return false;
    }
    return input->known;
}

static enum hash
hash_of(const struct reconcile_input *input, const struct reconcile_workload *w)
{
    if (!w->hash)
        return HASH_UNREADABLE;
    return keep_same_hash(input, w) ? HASH_SAME : HASH_DIFFERS;
}

static enum reconcile_say
say_of(enum row_say say, enum seen seen)
{
    switch (say) {
    case ROW_UNCHANGED:
        return SAY_UNCHANGED;
    case ROW_STARTED:
        return SAY_STARTED;
    case ROW_STOPPED:
        return SAY_STOPPED;
    case ROW_AS_SEEN:
        break;
    }
    switch (seen) {
    case SEEN_STARTING:
    case SEEN_RUNNING:
        return SAY_STARTED;
    case SEEN_ABSENT:
    case SEEN_CREATED:
    case SEEN_ENDED:
    case SEEN_PAUSED:
    case SEEN_DEAD:
        return SAY_STOPPED;
    case SEEN_UNKNOWN:
    case SEEN_RESTARTING:
    case SEEN_STOPPING:
    case SEEN_COUNT:
        break;
    }
    return SAY_UNCHANGED;
}

/* The row's action concerns the kept one; where the row lets the others go, the next of them comes
 * first. Returns whether there was one. */
static bool
turn_to_others(const struct reconcile_input *input, const struct rule *rule, enum seen seen,
               struct reconcile_decision *d)
{
    if (input->count < 2 || rule->others == OTHERS_STAY ||
        (rule->others == OTHERS_GO_IF_KEPT_RUNS && seen != SEEN_RUNNING))
        return false;
    size_t other = keep_next_other(input, d->kept);
    enum seen other_seen = seen_of(input->workloads[other].state);
    d->target = other;
    d->action = seen_is_live(other_seen)      ? DO_STOP
                : other_seen == SEEN_STOPPING ? DO_ASK
                                              : DO_REMOVE;
    d->why = "it has more workloads than one: one stays, and this is another";
    return true;
}

/* Asking has a pace of its own, without chance: the listing that answers is shared by all. */
static void
pace_asking(struct reconcile_decision *d, struct reconcile_memory *memory, int64_t now_ms)
{
    if (now_ms < memory->ask_ms) {
        d->action = DO_NOTHING;
    } else {
        if (memory->asks < UINT32_MAX)
            memory->asks++;
        memory->ask_ms = now_ms + reconcile_backoff_ms(memory->asks, 0);
    }
    d->deadline_ms = memory->ask_ms;
}

static int64_t
earliest_ms(const struct reconcile_memory *memory, enum reconcile_action action)
{
    if (action == DO_CREATE || action == DO_START || action == DO_REPLACE)
        return MAX(memory->retry_ms, memory->start_ms);
    return memory->retry_ms;
}

/* After a reboot the monotonic clock begins anew, and a kept memory may point into a far future. */
static void
mend_times(struct reconcile_memory *memory, int64_t now_ms)
{
    int64_t latest = now_ms + RECONCILE_BACKOFF_MAX_MS;
    memory->retry_ms = MIN(memory->retry_ms, latest);
    memory->start_ms = MIN(memory->start_ms, latest);
    memory->ask_ms = MIN(memory->ask_ms, latest);
}

void
decide_pace(struct reconcile_decision *d, struct reconcile_memory *memory, int64_t now_ms)
{
    if (d->action == DO_ASK) {
        pace_asking(d, memory, now_ms);
        return;
    }
    memory->asks = 0;
    memory->ask_ms = 0;
    if (d->action == DO_NOTHING)
        return;
    int64_t earliest = earliest_ms(memory, d->action);
    if (now_ms < earliest) {
        d->action = DO_NOTHING;
        d->deadline_ms = earliest;
    }
}

static void
finish(const struct reconcile_input *input, const struct rule *rule, enum seen seen,
       struct reconcile_decision *d, struct reconcile_memory *memory)
{
    d->action = rule->action;
    d->once = rule->once;
    d->warn = rule->warn;
    d->why = rule->why;
    d->say = say_of(rule->say, seen);
    d->target = d->kept;
    bool others = turn_to_others(input, rule, seen, d);
    if (others)
        d->once = false;
    if (rule->settled && !others) {
        memory->failures = memory->ends = 0;
        memory->retry_ms = 0;
    }
    if (memory->in_loop && seen == SEEN_RUNNING) /* then it has run long enough to end the loop */
        d->deadline_ms = memory->watched_since_ms + RECONCILE_SHORT_RUN_MS;
    decide_pace(d, memory, input->now_ms);
    if (d->action == DO_STOP && input->workloads[d->target].identity == memory->watched)
        memory->own_stop = true;
}

struct reconcile_decision
reconcile_decide(const struct reconcile_input *input, struct reconcile_memory *memory)
{
    struct reconcile_decision d = {.target = SIZE_MAX,
                                   .kept = SIZE_MAX,
                                   .row = -1,
                                   .deadline_ms = INT64_MAX,
                                   .run_ms = -1,
                                   .why = ""};
    bool known = is_known(input);
    if (known)
        d.kept = keep_choose(input);
    if (input->busy) {
        d.cancel = is_outdated(input, memory);
        d.why = d.cancel ? "the wish has changed" : "an action is in flight";
        return d;
    }
    bool was_in_loop = memory->in_loop;
    take_wish(input, memory);
    mend_times(memory, input->now_ms);
    const struct reconcile_workload *kept = d.kept == SIZE_MAX ? NULL : &input->workloads[d.kept];
    if (known)
        watch_observe(input, kept, memory, &d);
    if (was_in_loop != memory->in_loop) {
        d.loop = memory->in_loop ? LOOP_BEGAN : LOOP_ENDED;
        d.health_now = true;
    }
    struct cell cell = {
        .wish = input->wish,
        .seen = !known ? SEEN_UNKNOWN
                : kept ? seen_of(kept->state)
                       : SEEN_ABSENT,
        .hash = kept ? hash_of(input, kept) : HASH_SAME,
        .in_loop = memory->in_loop,
        .blocked = input->blocked || input->removing >= 2,
        .offline = input->offline,
    };
    size_t row = rule_find(&cell);
    d.row = (int)row;
    finish(input, &reconcile_rules[row], cell.seen, &d, memory);
    return d;
}
