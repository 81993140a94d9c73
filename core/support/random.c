/* random.c - random numbers from the kernel. */
#include "random.h"

#include "clock.h"

#include <errno.h>
#include <sys/random.h>

uint64_t
random_u64(void)
{
    uint64_t number = 0;
    ssize_t n;
    do {
        n = getrandom(&number, sizeof number, 0);
    } while (n < 0 && errno == EINTR);
    if (n == (ssize_t)sizeof number)
        return number;
    /* A sandbox may forbid the system call.  Seeds and jitter then still differ between processes.
     */
    uint64_t mixed = (uint64_t)clock_wall_ms() ^ ((uint64_t)(uintptr_t)&number << 16);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31) ^ (uint64_t)clock_mono_ms();
}
