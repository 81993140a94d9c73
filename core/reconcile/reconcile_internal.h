/* reconcile_internal.h - the cells of the state space and the rows that answer them. */
#ifndef RECONCILE_RECONCILE_INTERNAL_H
#define RECONCILE_RECONCILE_INTERNAL_H

#include "reconcile.h"

/* What stands for the connector: the kept workload's state, or why there is none.  Exited and
 * failed are one here: Gantry treats an end as an end, the engine's word for it is for people. */
#define RECONCILE_SEEN(X)                                                                          \
    X(UNKNOWN)                                                                                     \
    X(ABSENT) X(CREATED) X(STARTING) X(RUNNING) X(RESTARTING) X(STOPPING) X(ENDED) X(PAUSED) X(DEAD)
#define RECONCILE_SEEN_ENUM_(name) SEEN_##name,
enum seen { RECONCILE_SEEN(RECONCILE_SEEN_ENUM_) SEEN_COUNT };
#undef RECONCILE_SEEN_ENUM_

/* Its hash beside the wanted one.  ANY where nobody asks: unknown, absent. */
enum hash { HASH_SAME, HASH_DIFFERS, HASH_UNREADABLE, HASH_COUNT };

/* One cell of the state space. */
struct cell {
    enum reconcile_wish wish;
    enum seen seen;
    enum hash hash;
    bool in_loop, blocked, offline;
};

/* What a row says of the status, and when the workloads beside the kept one may go. */
enum row_say { ROW_UNCHANGED, ROW_STARTED, ROW_STOPPED, ROW_AS_SEEN };
enum row_others { OTHERS_STAY, OTHERS_GO, OTHERS_GO_IF_KEPT_RUNS };

#define BIT(n) (1u << (n))

struct rule {
    unsigned wishes, seen, hashes, in_loop, blocked, offline; /* sets, one bit a value */
    enum reconcile_action action;
    enum row_say say;
    enum row_others others;
    bool once, warn;
    bool settled; /* nothing is left to do: back-off ends */
    const char *why;
};

extern const struct rule reconcile_rules[];
extern const size_t reconcile_rule_count;

bool rule_matches(const struct rule *rule, const struct cell *cell);
/* The number of the cell's row; each cell has exactly one. */
size_t rule_find(const struct cell *cell);

/* Which state is what; UNKNOWN for REMOVING too, which is never in the set. */
enum seen seen_of(enum gantry_state state);
/* Is it up, or on its way there: must it be stopped before it is removed? */
bool seen_is_live(enum seen seen);

/* The workload that stands for the connector, of a known set; SIZE_MAX: the set is empty. */
size_t keep_choose(const struct reconcile_input *input);
/* The next one to end, of those that are not kept: first what is live, then what can be removed,
 * last what is stopping.  SIZE_MAX: there is no other. */
size_t keep_next_other(const struct reconcile_input *input, size_t kept);
bool keep_same_hash(const struct reconcile_input *input, const struct reconcile_workload *w);

/* May the action be done already?  Else wait: it becomes DO_NOTHING, with a deadline. */
void decide_pace(struct reconcile_decision *d, struct reconcile_memory *memory, int64_t now_ms);

/* One row of the table of a backend that is drained. */
struct drain_rule {
    unsigned wishes, seen, homes, judged; /* sets, one bit a value */
    enum reconcile_action action;
    const char *why;
};

extern const struct drain_rule drain_rules[];
extern const size_t drain_rule_count;

/* A cell of its state space; ABSENT is never seen there. */
struct drain_cell {
    enum reconcile_wish wish;
    enum seen seen;
    enum drain_home home;
    bool judged;
};
bool drain_rule_matches(const struct drain_rule *rule, const struct drain_cell *cell);

/* Count the exits of the kept workload (NULL: the set is empty), and tell of them in the decision:
 * exits, run_ms, health_now. */
void watch_observe(const struct reconcile_input *input, const struct reconcile_workload *kept,
                   struct reconcile_memory *memory, struct reconcile_decision *d);
/* Forget what is known of the runs: the next workload seen is looked at anew.  fresh: we just
 * started it. */
void watch_reset(struct reconcile_memory *memory, bool fresh);

#endif
