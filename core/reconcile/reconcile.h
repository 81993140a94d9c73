/* reconcile.h - the state machine: what to do for one connector, and what may be removed at all.
 *
 * Pure: no I/O, no clock, no random numbers, no allocation; time and chance are arguments.  The
 * manager gives what is wished, what is seen, and a memory; it gets one decision, and tells later
 * how that went.
 *
 *     desired, observed, memory, now ──► reconcile_decide() ──► action, status, deadline
 *     how the action went ─────────────► reconcile_done()   ──► memory (back-off)
 *     a whole listing ─────────────────► guard_decide()     ──► may anything be removed (S3)
 *     its set where it moves from ─────► drain_decide()     ──► may that end already
 *
 * Observed is the set of workloads that bear this platform's and this connector's labels.  The
 * decision is one row of a table (rules.c), the first that matches; each cell of the state space
 * has exactly one. */
#ifndef RECONCILE_RECONCILE_H
#define RECONCILE_RECONCILE_H

#include "compiler.h"

#include <gantry/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- one connector
 * -------------------------------------------------------------------------------- */

/* What the platform wishes.  GONE: it is not listed any more; KEPT: the same, but the guard holds
 * removals. */
#define RECONCILE_WISHES(X)                                                                        \
    X(RUN, "run") X(HALT, "halt") X(ODD, "odd") X(GONE, "gone") X(KEPT, "kept")
#define RECONCILE_WISH_ENUM_(name, word) WISH_##name,
enum reconcile_wish { RECONCILE_WISHES(RECONCILE_WISH_ENUM_) WISH_COUNT };
#undef RECONCILE_WISH_ENUM_
const char *reconcile_wish_name(enum reconcile_wish wish);

/* One workload as the runtime has it.  Those in GANTRY_STATE_REMOVING are not in the set: they are
 * counted in reconcile_input.removing. */
struct reconcile_workload {
    const char *hash; /* borrowed; NULL: it has none that can be read */
    enum gantry_state state;
    int64_t created_ms, started_ms, finished_ms; /* 0: not known */
    int64_t restarts;                            /* by the runtime; 0 when not known */
    uint64_t identity; /* of its handle: the same number is the same workload */
};

struct reconcile_input {
    enum reconcile_wish wish;
    const char *hash; /* wanted; borrowed; "" with WISH_GONE and WISH_KEPT */
    bool known;       /* false: the runtime could not say what is there (S1) */
    const struct reconcile_workload *workloads;
    size_t count; /* one of them in GANTRY_STATE_UNKNOWN makes the set unknown */
    size_t removing;
    bool blocked; /* a standing reason against creating and replacing: no image, a problem of the
                     listing, a value that cannot be opened */
    bool platform_up; /* exits while the platform cannot be reached do not count (S9) */
    bool offline; /* the platform has not answered in this run: wish and hash are those of its last
                         good listing, by which workloads are started, and nothing else is done */
    bool busy;    /* an action of this connector is in flight (S5) */
    int64_t now_ms; /* wall clock is not used: the monotonic clock */
};

#define RECONCILE_EXITS 4 /* more than 3 short runs make a loop */

/* What is remembered of one connector.  All zero at first; may be kept across restarts of the
 * manager. */
struct reconcile_memory {
    uint64_t last_hash; /* digest of the wanted hash */
    int64_t retry_ms;   /* no action before (monotonic); 0: at once */
    int64_t start_ms;   /* no CREATE, START or REPLACE before; 0: at once */
    /* No ASK before; apart from the above, so that a runtime that was silent for long delays no action afterwards. */
    int64_t ask_ms;
    uint32_t asks;     /* in a row */
    uint32_t failures; /* actions that failed in a row */
    uint32_t ends;     /* STOP and REMOVE that succeeded since it last was as wished */
    enum reconcile_wish last_wish;
    bool seen_before; /* last_wish and last_hash are set */
    /* S9 */
    bool in_loop;
    bool watched_ran;    /* it was seen running since its last counted exit */
    bool own_stop;       /* we stopped it: its next exit does not count */
    bool own_start;      /* we started it: the next start time that is seen is of no other run */
    uint32_t short_runs; /* exits in a row, each after less than RECONCILE_SHORT_RUN_MS */
    uint32_t
        loop_starts; /* starts by ourselves since it last ran long: they are spaced (start_ms) */
    uint32_t total_exits; /* since the configuration last changed: the restart count of health */
    uint64_t watched;     /* identity whose runs are counted; 0: none yet */
    int64_t watched_since_ms; /* run first seen then (monotonic); 0: it is not up */
    int64_t
        watched_started_ms;   /* of the run that was last seen, as the runtime says; 0: not known */
    int64_t watched_restarts; /* -1: not known */
};

#define RECONCILE_SHORT_RUN_MS   (INT64_C(5) * 60 * 1000)
#define RECONCILE_BACKOFF_MIN_MS INT64_C(1000)
#define RECONCILE_BACKOFF_MAX_MS (INT64_C(5) * 60 * 1000)

#define RECONCILE_ACTIONS(X)                                                                       \
    X(NOTHING, "nothing")                                                                          \
    X(ASK, "ask") /* list or inspect again, with back-off */                                       \
    X(CREATE, "create")                                                                            \
    /* start(spec) */ X(START, "start") /* start(existing) */                                      \
    X(REPLACE, "replace") /* start(existing, spec) */ X(STOP, "stop") X(REMOVE, "remove")
#define RECONCILE_ACTION_ENUM_(name, word) DO_##name,
enum reconcile_action { RECONCILE_ACTIONS(RECONCILE_ACTION_ENUM_) DO_COUNT };
#undef RECONCILE_ACTION_ENUM_
const char *reconcile_action_name(enum reconcile_action action);

/* What to tell the platform as current status. */
enum reconcile_say { SAY_UNCHANGED, SAY_STARTED, SAY_STOPPED };

/* A loop (S9) that began or ended with this decision. */
enum reconcile_loop { LOOP_AS_BEFORE, LOOP_BEGAN, LOOP_ENDED };

struct reconcile_decision {
    enum reconcile_action action;
    int row;         /* number of the row in the table, also while it waits; -1: none (busy) */
    size_t target;   /* index of the workload that START, REPLACE, STOP and REMOVE concern */
    size_t kept;     /* index of the workload that stands for the connector; SIZE_MAX: none */
    bool once;       /* START: with GANTRY_START_ONCE */
    bool cancel;     /* busy, and what is in flight is not wanted any more: cancel it */
    bool warn;       /* a person should know `why`, once for each change of row */
    bool health_now; /* an exit was counted, or a loop began or ended: tell health at once */
    enum reconcile_loop loop;
    enum reconcile_say say;
    uint64_t exits;  /* that were counted now */
    int64_t run_ms;  /* how long each of those runs was; -1: not known */
    const char *why; /* static: the row's reason, for a person */
    int64_t
        deadline_ms; /* decide again then at the latest; INT64_MAX: only when something changes */
};

/* Decide.  memory is brought up to date with what is seen: a changed wish or hash ends back-off and
 * loop, exits are counted.  When the action may not be done yet, action is DO_NOTHING and
 * deadline_ms says when. A busy connector's memory is left alone, so that memory.last_* is what its
 * action was begun for.  ODD and KEPT are no wishes, and not remembered.  Asking is paced here:
 * DO_ASK needs no reconcile_done(). */
struct reconcile_decision reconcile_decide(const struct reconcile_input *input,
                                           struct reconcile_memory *memory);

/* Tell how an action ended.  code: 0 or GANTRY_E_*.  chance: any random number, for the jitter.
 * GANTRY_E_CANCELLED is no failure.  What succeeds and changes nothing is slowed down too, or a
 * plugin that lies would be called without end: starts by loop_starts, the others by ends. */
void reconcile_done(struct reconcile_memory *memory, enum reconcile_action action, int code,
                    int64_t now_ms, uint64_t chance);

/* After a failure: no action before this time, whatever the back-off says; at most
 * RECONCILE_BACKOFF_MAX_MS is waited for.  A changed wish or hash ends it, as it ends back-off. */
void reconcile_not_before(struct reconcile_memory *memory, int64_t at_ms);

/* Back-off of the n-th failure in a row (n >= 1): doubles from RECONCILE_BACKOFF_MIN_MS to _MAX_MS,
 * with up to a quarter of it taken away by chance.  Also used for platforms and backends. */
int64_t reconcile_backoff_ms(uint32_t failures, uint64_t chance);

/* ---- a backend that is drained
 * ----------------------------------------------------------------------- */

/* How a connector is on the backend that it moves to.  FRESH: it runs, but not for long yet. */
#define RECONCILE_HOMES(X)         X(UNKNOWN) X(DOWN) X(FRESH) X(RUNS)
#define RECONCILE_HOME_ENUM_(name) HOME_##name,
enum drain_home { RECONCILE_HOMES(RECONCILE_HOME_ENUM_) HOME_COUNT };
#undef RECONCILE_HOME_ENUM_

/* What it has on those that are drained. */
enum drain_old { OLD_NONE, OLD_UNKNOWN, OLD_RUNS, OLD_OFF };

/* So long it must have run on its new backend until the old workload goes: one that ends at once
 * has not moved. */
#define DRAIN_FRESH_MS INT64_C(5000)

struct drain_input {
    enum reconcile_wish wish; /* GONE only where its workloads may be removed (S2, S3) */
    bool judged;              /* the platform has said in this run what it wishes */
    enum drain_home home;
    int64_t home_since_ms; /* HOME_FRESH: it runs since then (monotonic) */
    bool known;            /* false: the backend that is drained could not say what is there (S1) */
    const struct reconcile_workload *workloads; /* its set there, without any that is its new
                                                   backend's, too, by another way to one engine */
    size_t count;                               /* at least 1 */
    int64_t now_ms;
};

/* state: of the workload that stands for it, or UNKNOWN where the set is; memory: of the connector. */
enum drain_home drain_home_of(enum gantry_state state, const struct reconcile_memory *memory,
                              int64_t now_ms);

/* Decide about the workloads that a connector still has on a backend that is drained: asks, stops,
 * removes, or waits.  memory is that of this connector there; of the decision, kept, say, exits and
 * loop are not used.  The set on its own backend is reconcile_decide()'s, as if this one were not
 * there. */
struct reconcile_decision drain_decide(const struct drain_input *input,
                                       struct reconcile_memory *memory);

/* What to tell of a connector whose own backend says `say`: of the workload that runs. */
enum reconcile_say drain_say(enum reconcile_say say, enum drain_old old);

/* ---- the removal guard (S3)
 * ----------------------------------------------------------------------- */

enum guard_verdict {
    GUARD_NOTHING, /* nothing has vanished */
    GUARD_AGREE,   /* wait: the next listing must agree first */
    GUARD_HOLD,    /* too many at once: hold every removal for some more equal listings */
    GUARD_ASK,     /* all of them: hold every removal until an operator's word */
    GUARD_RELEASE  /* what has vanished may be removed */
};

struct guard_memory {
    uint64_t vanished; /* digest of the set of ids that were missing in the last complete listing */
    uint32_t agreed;   /* complete listings in a row with that same set */
    bool many, all; /* it was too many, all: connectors that cannot reach a broken platform end, and
                       then do not run any more, which must not end the hold */
};

struct guard_input {
    bool complete; /* of this listing; false changes nothing and releases nothing */
    uint64_t
        vanished; /* digest of the set of ids with workloads that it does not list, without those
                     that were released before: they are gone until they are listed again */
    size_t vanished_count; /* 0: nothing has vanished */
    size_t running;        /* connectors of this platform that run and whose last wish was RUN */
    size_t
        running_vanished; /* of those, how many it does not list (and were not released before) */
    uint32_t max_removals, removal_confirmations;
    bool allow_all; /* an operator's word: allow_remove_all, --confirm-removals, local platform;
                       "all" is then no more than "too many" */
};

/* After each listing.  GUARD_RELEASE alone permits removals, of the set that was given. */
enum guard_verdict guard_decide(const struct guard_input *input, struct guard_memory *memory);

#endif
