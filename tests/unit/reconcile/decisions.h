/* decisions.h - what is decided about one connector: what the tests of the table have in common. */
#ifndef TESTS_RECONCILE_DECISIONS_H
#define TESTS_RECONCILE_DECISIONS_H

#include "reconcile.h"

#define WANTED "wanted"
#define MINUTE ((int64_t)60 * 1000)

static inline bool
is_live(enum gantry_state s)
{
    return s == GANTRY_STATE_STARTING || s == GANTRY_STATE_RUNNING ||
           s == GANTRY_STATE_RESTARTING || s == GANTRY_STATE_PAUSED;
}

/* In a function that returns what does not hold, or NULL. */
#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return #condition;                                                                     \
    } while (0)

/* Of one whose wish and hash are known, and which crashes again and again, or not. */
static inline struct reconcile_memory
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

#endif
