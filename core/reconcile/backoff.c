/* backoff.c - how long to wait after a failure (S6), and after what succeeded without effect. */
#include "reconcile_internal.h"

/* A connector that is stopped and removed needs two; several at once, two each. */
#define FREE_ENDS 8u
/* Outside a loop, starts are spaced by at most 16 s: a platform that was away for long must not be
 * made to wait for its connectors. */
#define SPACED_STARTS_MAX 5u

int64_t
reconcile_backoff_ms(uint32_t failures, uint64_t chance)
{
    int64_t wait = RECONCILE_BACKOFF_MIN_MS;
    for (uint32_t i = 1; i < failures && wait < RECONCILE_BACKOFF_MAX_MS; i++)
        wait *= 2;
    wait = MIN(wait, RECONCILE_BACKOFF_MAX_MS);
    return wait - (int64_t)(chance % (uint64_t)(wait / 4 + 1));
}

static void
one_more(uint32_t *count)
{
    if (*count < UINT32_MAX)
        (*count)++;
}

static void
started(struct reconcile_memory *memory, int64_t now_ms, uint64_t chance)
{
    one_more(&memory->loop_starts);
    uint32_t n =
        memory->in_loop ? memory->loop_starts : MIN(memory->loop_starts, SPACED_STARTS_MAX);
    memory->start_ms = now_ms + reconcile_backoff_ms(n, chance);
    memory->ends = 0;
}

static void
ended(struct reconcile_memory *memory, int64_t now_ms, uint64_t chance)
{
    one_more(&memory->ends);
    if (memory->ends > FREE_ENDS)
        memory->retry_ms = now_ms + reconcile_backoff_ms(memory->ends - FREE_ENDS, chance);
}

static void
succeeded(struct reconcile_memory *memory, enum reconcile_action action, int64_t now_ms,
          uint64_t chance)
{
    memory->failures = 0;
    memory->retry_ms = 0;
    switch (action) {
    case DO_CREATE:
        watch_reset(memory, true);
        memory->watched_restarts = 0; /* a new one: all its restarts are news */
        started(memory, now_ms, chance);
        break;
    case DO_REPLACE: /* in place or not: the runtime may count from anywhere */
        watch_reset(memory, true);
        started(memory, now_ms, chance);
        break;
    case DO_START:
        memory->watched_ran = true;
        memory->watched_since_ms = 0;
        memory->watched_restarts = -1; /* some count from 0 again */
        memory->own_stop = false;
        memory->own_start = true;
        started(memory, now_ms, chance);
        break;
    case DO_STOP:
    case DO_REMOVE:
        ended(memory, now_ms, chance);
        break;
    case DO_NOTHING:
    case DO_ASK:
    case DO_COUNT:
        break;
    }
}

void
reconcile_done(struct reconcile_memory *memory, enum reconcile_action action, int code,
               int64_t now_ms, uint64_t chance)
{
    if (action == DO_NOTHING || action == DO_ASK)
        return;
    if (code == 0) {
        succeeded(memory, action, now_ms, chance);
        return;
    }
    if (action == DO_REPLACE) /* the old one may have been stopped and started again: by us */
        watch_reset(memory, false);
    if (code == GANTRY_E_CANCELLED) {
        memory->own_stop = false;
        return;
    }
    one_more(&memory->failures);
    memory->retry_ms = now_ms + reconcile_backoff_ms(memory->failures, chance);
}

void
reconcile_not_before(struct reconcile_memory *memory, int64_t at_ms)
{
    memory->retry_ms = MAX(memory->retry_ms, at_ms);
}
