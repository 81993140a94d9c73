/* scene.h - one connector with one workload, which ends again and again. */
#ifndef TESTS_RECONCILE_SCENE_H
#define TESTS_RECONCILE_SCENE_H

#include "reconcile.h"

#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)
#define EPOCH  INT64_C(1700000000000) /* the runtime's clock is another than ours */

/* One connector with one workload, and time that is moved by hand. */
struct scene {
    struct reconcile_input in;
    struct reconcile_workload w;
    struct reconcile_memory memory;
    struct reconcile_decision d;
};

static inline void
begin(struct scene *s)
{
    *s = (struct scene){0};
    s->w = (struct reconcile_workload){.state = GANTRY_STATE_RUNNING, .hash = "h", .identity = 7};
    s->in = (struct reconcile_input){.wish = WISH_RUN,
                                     .hash = "h",
                                     .known = true,
                                     .workloads = &s->w,
                                     .count = 1,
                                     .platform_up = true,
                                     .now_ms = 10 * MINUTE};
}

static inline void
look(struct scene *s)
{
    s->d = reconcile_decide(&s->in, &s->memory);
}

static inline void
pass(struct scene *s, int64_t ms)
{
    s->in.now_ms += ms;
}

/* The runtime's own clock, for start and end times. */
static inline int64_t
runtime_now(const struct scene *s)
{
    return EPOCH + s->in.now_ms;
}

/* It runs for so long, is seen running, then seen ended. */
static inline void
run_and_end(struct scene *s, int64_t ms, bool with_times)
{
    s->w.state = GANTRY_STATE_RUNNING;
    s->w.started_ms = with_times ? runtime_now(s) : 0;
    look(s);
    pass(s, ms);
    s->w.state = GANTRY_STATE_FAILED;
    s->w.finished_ms = with_times ? runtime_now(s) : 0;
    look(s);
}

#endif
