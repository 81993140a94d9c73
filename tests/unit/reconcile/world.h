/* world.h - a model of one connector's workloads on a runtime that fails, does half of what it is
 * told and changes by itself; for test_convergence.c. */
#ifndef TESTS_RECONCILE_WORLD_H
#define TESTS_RECONCILE_WORLD_H

#include "reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST   4 /* a world that does not fit has broken the bound */
#define BOUND  3
#define STATES 10
#define HASHES 3 /* 0 and 1: two configurations; 2: cannot be read */
#define CODES  (STATES * HASHES)

static const char *const hash_texts[HASHES] = {"first", "second", NULL};

struct world {
    unsigned n, removing;
    struct {
        unsigned state, hash;
    } w[MOST]; /* the oldest first */
};

/* ---- worlds as numbers: each is visited once ---- */

#define WORLDS ((size_t)(CODES + 1) * (CODES + 1) * (CODES + 1) * (CODES + 1) * (BOUND + 2))
static unsigned char *visited;
static struct world *queue;
static size_t queue_length;

static size_t
number_of(const struct world *x)
{
    size_t number = x->removing;
    for (unsigned i = 0; i < MOST; i++) {
        size_t code = i < x->n ? 1 + x->w[i].state * HASHES + x->w[i].hash : 0;
        number = number * (CODES + 1) + code;
    }
    return number;
}

/* A world that a fault or an action has led to. */
static void
reach(const struct world *x)
{
    if (x->n + x->removing > BOUND)
        fail_msg("%u workloads and %u that are being removed", x->n, x->removing);
    size_t number = number_of(x);
    assert_true(number < WORLDS);
    if (visited[number])
        return;
    visited[number] = 1;
    queue[queue_length++] = *x;
}

static struct world
with_state(struct world x, size_t i, enum gantry_state state)
{
    x.w[i].state = (unsigned)state;
    return x;
}

static struct world
without(struct world x, size_t i)
{
    memmove(&x.w[i], &x.w[i + 1], (MOST - 1 - i) * sizeof x.w[0]);
    x.n--;
    return x;
}

static struct world
with_new(struct world x, unsigned hash, enum gantry_state state)
{
    if (x.n == MOST)
        fail_msg("there is no room for more workloads");
    x.w[x.n].state = (unsigned)state;
    x.w[x.n].hash = hash;
    x.n++;
    return x;
}

static void
reach_states(const struct world *x, size_t i, const enum gantry_state *states, size_t count)
{
    for (size_t s = 0; s < count; s++) {
        struct world y = with_state(*x, i, states[s]);
        reach(&y);
    }
}

#define REACH(x, i, ...)                                                                           \
    reach_states((x), (i), (const enum gantry_state[]){__VA_ARGS__},                               \
                 ARRAY_LENGTH(((const enum gantry_state[]){__VA_ARGS__})))

/* ---- what happens by itself, or by somebody else's hand ---- */

static void
reach_by_nature(const struct world *x)
{
    for (size_t i = 0; i < x->n; i++) {
        struct world gone = without(*x, i);
        reach(&gone);
        switch ((enum gantry_state)x->w[i].state) {
        case GANTRY_STATE_STARTING:
            REACH(x, i, GANTRY_STATE_RUNNING, GANTRY_STATE_FAILED, GANTRY_STATE_EXITED);
            break;
        case GANTRY_STATE_RUNNING:
            REACH(x, i, GANTRY_STATE_EXITED, GANTRY_STATE_FAILED, GANTRY_STATE_RESTARTING,
                  GANTRY_STATE_PAUSED, GANTRY_STATE_STOPPING);
            break;
        case GANTRY_STATE_RESTARTING:
            REACH(x, i, GANTRY_STATE_RUNNING, GANTRY_STATE_STARTING, GANTRY_STATE_FAILED);
            break;
        case GANTRY_STATE_STOPPING:
            REACH(x, i, GANTRY_STATE_EXITED, GANTRY_STATE_FAILED);
            break;
        case GANTRY_STATE_CREATED:
        case GANTRY_STATE_EXITED:
        case GANTRY_STATE_FAILED:
            REACH(x, i, GANTRY_STATE_RUNNING, GANTRY_STATE_DEAD);
            break;
        case GANTRY_STATE_PAUSED:
            REACH(x, i, GANTRY_STATE_RUNNING, GANTRY_STATE_EXITED);
            break;
        case GANTRY_STATE_UNKNOWN:
        case GANTRY_STATE_DEAD:
        case GANTRY_STATE_REMOVING:
            break;
        }
    }
    if (x->removing > 0) {
        struct world y = *x;
        y.removing--;
        reach(&y);
    }
}

/* ---- every way in which an action can end ---- */

static void
reach_new(const struct world *x, unsigned hash)
{
    static const enum gantry_state states[] = {GANTRY_STATE_CREATED, GANTRY_STATE_STARTING,
                                               GANTRY_STATE_RUNNING, GANTRY_STATE_FAILED,
                                               GANTRY_STATE_EXITED,  GANTRY_STATE_RESTARTING};
    for (size_t s = 0; s < ARRAY_LENGTH(states); s++) {
        struct world y = with_new(*x, hash, states[s]);
        reach(&y);
    }
}

/* S4: create beside, stop the old, start the new; or in place; ended anywhere, or taken back. */
static void
reach_replaced(const struct world *x, size_t target, unsigned hash)
{
    reach_new(x, hash);
    static const enum gantry_state stopped[] = {GANTRY_STATE_STOPPING, GANTRY_STATE_EXITED,
                                                GANTRY_STATE_FAILED, GANTRY_STATE_STARTING};
    for (size_t s = 0; s < ARRAY_LENGTH(stopped); s++) {
        struct world y = with_state(*x, target, stopped[s]);
        reach(&y);
        reach_new(&y, hash);
    }
    struct world in_place = *x;
    in_place.w[target].hash = hash;
    reach(&in_place);
    REACH(&in_place, target, GANTRY_STATE_CREATED, GANTRY_STATE_STARTING, GANTRY_STATE_RUNNING,
          GANTRY_STATE_FAILED);
}

static void
reach_by_action(const struct world *x, const struct reconcile_decision *d, unsigned wanted)
{
    switch (d->action) {
    case DO_CREATE:
        reach_new(x, wanted);
        break;
    case DO_START:
        REACH(x, d->target, GANTRY_STATE_STARTING, GANTRY_STATE_RUNNING, GANTRY_STATE_FAILED,
              GANTRY_STATE_EXITED, GANTRY_STATE_RESTARTING);
        break;
    case DO_REPLACE:
        reach_replaced(x, d->target, wanted);
        break;
    case DO_STOP:
        REACH(x, d->target, GANTRY_STATE_STOPPING, GANTRY_STATE_EXITED, GANTRY_STATE_FAILED);
        break;
    case DO_REMOVE: {
        struct world y = without(*x, d->target);
        reach(&y);
        y.removing++; /* the engine is stuck on it */
        reach(&y);
        REACH(x, d->target, GANTRY_STATE_DEAD);
        break;
    }
    case DO_NOTHING:
    case DO_ASK:
    case DO_COUNT:
        break;
    }
}

#endif
