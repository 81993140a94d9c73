/* interpose.h - the allocator between program and C library: counts, and fails on demand. */
#ifndef TESTS_INTERPOSE_H
#define TESTS_INTERPOSE_H

#include <stdbool.h>
#include <stddef.h>

enum { INTERPOSE_TRACE_MAX = 24 };

/* From now on the nth allocation fails (from 1; 0: none), and with all_after each one behind it. */
void interpose_arm(size_t nth, bool all_after);
void interpose_disarm(void);
void interpose_set_paused(bool paused);

size_t interpose_allocations(void); /* asked for since armed */
bool interpose_tripped(void);       /* has one failed since armed? */
long interpose_live(void);          /* blocks that are allocated */
/* Who asked for the first one that failed. */
size_t interpose_trace(void *frames[INTERPOSE_TRACE_MAX]);

#endif
