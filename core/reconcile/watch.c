/* watch.c - counts how often a connector's workload ends, and finds loops (S9).
 *
 * The same count on every runtime, from what it lets us see: a workload that was up and is not, a
 * start time that changed between two looks, a number of restarts that grew.  Each exit is counted
 * once, however many of these tell of it.  Only what should run is counted, and not what we stopped
 * ourselves. */
#include "reconcile_internal.h"

static uint32_t
add_capped(uint32_t a, uint64_t b)
{
    return b > UINT32_MAX - a ? UINT32_MAX : a + (uint32_t)b;
}

void
watch_reset(struct reconcile_memory *memory, bool fresh)
{
    memory->watched = 0;
    memory->watched_ran = fresh;
    memory->watched_since_ms = 0;
    memory->watched_started_ms = 0;
    memory->watched_restarts = -1;
    memory->own_stop = memory->own_start = false;
}

static void
end_loop(struct reconcile_memory *memory)
{
    memory->in_loop = false;
    memory->short_runs = 0;
    memory->loop_starts = 0;
    memory->start_ms = 0;
}

static bool
is_up(enum seen seen)
{
    return seen == SEEN_STARTING || seen == SEEN_RUNNING || seen == SEEN_PAUSED;
}

static bool
is_down(enum seen seen)
{
    return seen == SEEN_ENDED || seen == SEEN_RESTARTING || seen == SEEN_DEAD;
}

/* Has its run another start time than the one that was last seen? */
static bool
is_new_run(const struct reconcile_memory *m, const struct reconcile_workload *w)
{
    return w->started_ms > 0 && m->watched_started_ms > 0 && w->started_ms != m->watched_started_ms;
}

/* How many exits lie between the last look and this one. */
static uint64_t
exits_since(const struct reconcile_memory *m, const struct reconcile_workload *w, enum seen seen)
{
    uint64_t restarted = 0;
    if (m->watched_restarts >= 0 && w->restarts > m->watched_restarts)
        restarted = (uint64_t)(w->restarts - m->watched_restarts);
    if (is_up(seen))
        return restarted > 0 ? restarted
                             : m->watched_since_ms > 0 && !m->own_start && is_new_run(m, w);
    if (!is_down(seen))
        return restarted;
    /* Just after our start an older look may still show the old end: not a new one. */
    bool stale =
        m->watched_since_ms == 0 && w->started_ms > 0 && w->started_ms == m->watched_started_ms;
    bool ended = is_new_run(m, w) || (m->watched_ran && !stale);
    if (seen == SEEN_RESTARTING) /* the count may have grown for the restart that is to come */
        return restarted > 0 ? restarted : ended;
    return restarted + ended;
}

/* How long the runs were that ended, each; -1: nobody can tell, which counts as short. */
static int64_t
run_length_ms(const struct reconcile_memory *m, const struct reconcile_workload *w, enum seen seen,
              uint64_t exits, int64_t now_ms)
{
    bool down = is_down(seen);
    int64_t begin = exits == 1 && down ? w->started_ms : m->watched_started_ms;
    int64_t end = down ? w->finished_ms : w->started_ms;
    if (begin > 0 && end >= begin)
        return (end - begin) / (int64_t)exits;
    if (m->watched_since_ms > 0 && now_ms >= m->watched_since_ms)
        return (now_ms - m->watched_since_ms) / (int64_t)exits;
    return -1;
}

static void
count_exits(struct reconcile_memory *memory, uint64_t exits, int64_t length_ms, bool platform_up,
            struct reconcile_decision *d)
{
    if (exits == 0)
        return;
    if (memory->own_stop) {
        memory->own_stop = false;
        return;
    }
    d->exits = exits;
    d->run_ms = length_ms;
    d->health_now = true;
    memory->total_exits = add_capped(memory->total_exits, exits);
    if (length_ms >= RECONCILE_SHORT_RUN_MS) {
        end_loop(memory);
    } else if (platform_up) { /* a connector that cannot reach its platform may well end */
        memory->short_runs = add_capped(memory->short_runs, exits);
        if (memory->short_runs >= RECONCILE_EXITS)
            memory->in_loop = true;
    }
}

/* Another workload than the one that was watched: take what it shows as given, but for one of our
 * own. */
static void
adopt(struct reconcile_memory *memory, const struct reconcile_workload *w)
{
    bool fresh = memory->watched == 0 && memory->watched_ran;
    int64_t restarts = fresh ? memory->watched_restarts : -1;
    watch_reset(memory, fresh);
    memory->watched = w->identity;
    memory->watched_restarts = restarts;
    if (!fresh)
        memory->watched_started_ms = MAX(w->started_ms, 0);
}

static void
remember(struct reconcile_memory *memory, const struct reconcile_workload *w, enum seen seen,
         uint64_t exits, int64_t now_ms)
{
    int64_t now = MAX(now_ms, 1); /* 0 means that it is not up */
    if (is_up(seen)) {
        if (exits > 0 || memory->watched_since_ms == 0 || memory->watched_since_ms > now)
            memory->watched_since_ms = now;
        memory->watched_ran = true;
    } else if (is_down(seen)) {
        memory->watched_since_ms = 0;
        memory->watched_ran = false;
    }
    if (w->started_ms > 0 && w->started_ms != memory->watched_started_ms) {
        memory->watched_started_ms = w->started_ms;
        memory->own_start = false;
    }
    if (memory->watched_restarts >= 0 && w->restarts <= memory->watched_restarts && exits > 0 &&
        (w->restarts == memory->watched_restarts || w->restarts == 0) && seen != SEEN_ENDED)
        /* Found by state or time, and the runtime's count, which was not given or grows when a
         * restart is done, will tell of it later: not to be counted again. */
        memory->watched_restarts += (int64_t)exits;
    else if (w->restarts > 0)
        memory->watched_restarts = w->restarts;
}

/* The set is empty.  What ran and should run was removed by somebody else, or by the runtime. */
static void
observe_absence(const struct reconcile_input *input, struct reconcile_memory *memory,
                struct reconcile_decision *d)
{
    uint64_t exits = memory->watched != 0 && memory->watched_ran && input->wish == WISH_RUN;
    int64_t length = memory->watched_since_ms > 0 && input->now_ms >= memory->watched_since_ms
                         ? input->now_ms - memory->watched_since_ms
                         : -1;
    count_exits(memory, exits, length, input->platform_up, d);
    if (memory->watched != 0)
        watch_reset(memory, false);
}

void
watch_observe(const struct reconcile_input *input, const struct reconcile_workload *kept,
              struct reconcile_memory *memory, struct reconcile_decision *d)
{
    if (!kept) {
        observe_absence(input, memory, d);
        return;
    }
    enum seen seen = seen_of(kept->state);
    if (kept->identity != memory->watched)
        adopt(memory, kept);
    uint64_t exits = exits_since(memory, kept, seen);
    if (input->wish == WISH_RUN && exits > 0)
        count_exits(memory, exits, run_length_ms(memory, kept, seen, exits, input->now_ms),
                    input->platform_up, d);
    else if (exits > 0)
        memory->own_stop = false;
    remember(memory, kept, seen, exits, input->now_ms);
    if (seen == SEEN_RUNNING && input->now_ms - memory->watched_since_ms >= RECONCILE_SHORT_RUN_MS)
        end_loop(memory); /* it has run for long: its troubles are over */
}
