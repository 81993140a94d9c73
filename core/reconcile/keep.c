/* keep.c - of several workloads of one connector, which one stands for it, and which one goes next.
 *
 * Several are there when a replace was not finished.  What runs is kept before what does not, so
 * that the choice never makes a second one run beside it; among equals the wanted hash, then the
 * newest. */
#include "reconcile_internal.h"

#include <string.h>

bool
keep_same_hash(const struct reconcile_input *input, const struct reconcile_workload *w)
{
    return w->hash && strcmp(w->hash, input->hash) == 0;
}

/* How near it is to running by itself.  One that is stopping may still run: what is off or paused
 * is only looked at when that has ended. */
static int
liveness(enum seen seen)
{
    switch (seen) {
    case SEEN_RUNNING:
        return 4;
    case SEEN_STARTING:
    case SEEN_RESTARTING:
        return 3;
    case SEEN_STOPPING:
        return 2;
    case SEEN_PAUSED:
        return 1;
    case SEEN_UNKNOWN:
    case SEEN_ABSENT:
    case SEEN_CREATED:
    case SEEN_ENDED:
    case SEEN_DEAD:
    case SEEN_COUNT:
        break;
    }
    return 0;
}

/* Is a to be kept rather than b?  Total and independent of the order of a listing. */
static bool
is_better(const struct reconcile_input *input, const struct reconcile_workload *a,
          const struct reconcile_workload *b)
{
    int live_a = liveness(seen_of(a->state)), live_b = liveness(seen_of(b->state));
    if (live_a != live_b)
        return live_a > live_b;
    bool same_a = keep_same_hash(input, a), same_b = keep_same_hash(input, b);
    if (same_a != same_b)
        return same_a;
    if (a->created_ms != b->created_ms)
        return a->created_ms > b->created_ms;
    return a->identity > b->identity;
}

size_t
keep_choose(const struct reconcile_input *input)
{
    size_t kept = SIZE_MAX;
    for (size_t i = 0; i < input->count; i++) {
        if (kept == SIZE_MAX || is_better(input, &input->workloads[i], &input->workloads[kept]))
            kept = i;
    }
    return kept;
}

static int
urgency(enum seen seen)
{
    return seen_is_live(seen) ? 2 : seen != SEEN_STOPPING;
}

size_t
keep_next_other(const struct reconcile_input *input, size_t kept)
{
    size_t next = SIZE_MAX;
    for (size_t i = 0; i < input->count; i++) {
        if (i == kept)
            continue;
        if (next == SIZE_MAX) {
            next = i;
            continue;
        }
        const struct reconcile_workload *a = &input->workloads[i], *b = &input->workloads[next];
        int urgent_a = urgency(seen_of(a->state)), urgent_b = urgency(seen_of(b->state));
        if (urgent_a != urgent_b ? urgent_a > urgent_b : is_better(input, b, a))
            next = i;
    }
    return next;
}
