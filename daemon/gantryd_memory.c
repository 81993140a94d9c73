/* gantryd_memory.c - keeps the process small: it is the daemon's to say how memory is managed, not a library's.
 *
 * An answer of the platform comes, is parsed into many small pieces, and goes; what is allocated meanwhile, or stays
 * in a thread's cache, lies above the hole that it leaves, so that glibc does not give the hole back by itself. */
#include "gantryd.h"

#include <malloc.h>
#include <time.h>

/* Nothing has come for so long, and nothing is due: time to tidy up, at most once a second. */
#define IDLE_MS       100
#define HOLES_ALLOWED ((size_t)256 * 1024)

/* Few threads, small objects: one arena, and what is large (a listing comes and goes) back to the system at
 * once; glibc would otherwise learn to keep it.  What is freed is joined with its neighbours at once, or what stays
 * would be scattered over the places of what went. */
void
memory_keep_small(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    mallopt(M_MXFAST, 0);
}

static void
give_back(void)
{
    if (mallinfo2().fordblks > HOLES_ALLOWED)
        malloc_trim(0);
}

/* While an answer is waited for is not the time: it would need the memory again at once. */
int
memory_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    static time_t looked_s;
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec == looked_s || (timeout_ms >= 0 && timeout_ms <= IDLE_MS))
        return poll(fds, count, timeout_ms);
    int ready = poll(fds, count, IDLE_MS);
    if (ready != 0)
        return ready;
    looked_s = now.tv_sec;
    give_back();
    return poll(fds, count, timeout_ms < 0 ? timeout_ms : timeout_ms - IDLE_MS);
}
