/* wait.c - waiting that ends with the call, without asking for its end again and again. */
#include "runtime_internal.h"

#include <errno.h>
#include <poll.h>

/* Whoever cannot be given a descriptor that says so is asked as often. */
#define WITHOUT_CANCEL_FD_MS 100
#define FEW                  16

#define FINISH_MAX_MS 60000

/* When the wait is over by the clock. */
static int64_t
end_of(const struct gantry_call *call, int64_t timeout_ms, bool finish)
{
    int64_t now = clock_mono_ms();
    if (finish)
        timeout_ms = MIN(timeout_ms, FINISH_MAX_MS);
    int64_t until_ms = timeout_ms > INT64_MAX - now ? INT64_MAX : now + MAX(timeout_ms, 0);
    return call->deadline_ms && !finish ? MIN(until_ms, call->deadline_ms) : until_ms;
}

/* all: n descriptors; cancel_fd behind them, -1: none.  Returns as gantry_wait(). */
static int
wait_for(struct gantry_call *call, struct pollfd *all, uint32_t n, int64_t until_ms, bool finish)
{
    int ready = 0;
    do {
        int64_t left = until_ms == INT64_MAX ? INT32_MAX : MAX(until_ms - clock_mono_ms(), 0);
        if (all[n].fd < 0 && !finish)
            left = MIN(left, WITHOUT_CANCEL_FD_MS);
        ready = poll(all, n + 1, (int)MIN(left, INT32_MAX));
        if (ready < 0 && errno != EINTR)
            return 1; /* the plugin looks for itself */
    } while (ready <= 0 && (finish || !atomic_load(&call->cancelled)) &&
             clock_mono_ms() < until_ms);
    bool only_cancelled = ready == 1 && all[n].revents;
    return ready > 0 && !only_cancelled;
}

int
call_wait(struct gantry_call *call, const int32_t *fds, uint32_t n, int64_t timeout_ms,
          uint32_t flags)
{
    if (!call_is_here(call))
        return call_break(call, "it waited on another thread than the one that entered");
    if (n > 0 && !fds)
        return call_break(call, "it called gantry_wait() without descriptors");
    bool finish = (flags & GANTRY_WAIT_FINISH) != 0;
    struct pollfd few[FEW], *all = n < FEW ? few : calloc((size_t)n + 1, sizeof *all);
    if (!all)
        return 1; /* the plugin looks for itself */
    for (uint32_t i = 0; i < n; i++)
        all[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    all[n] = (struct pollfd){.fd = finish ? -1 : call_cancel_fd(call), .events = POLLIN};
    int ready = wait_for(call, all, n, end_of(call, timeout_ms, finish), finish);
    if (all != few)
        free(all);
    return ready;
}
