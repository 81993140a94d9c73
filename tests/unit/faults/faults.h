/* faults.h - allocations that fail one by one.
 *
 * A test that links this has malloc, calloc, realloc and their kin from interpose.c: what the rooms
 * allocate goes through it, and what libcurl, OpenSSL, cJSON, inih and the C library allocate for
 * them, under sanitizers too, whose allocators stay below.  Not covered: what maps memory by itself
 * (stacks of threads), and what the sanitizers allocate inside their own interceptors.
 *
 * fault_sweep() runs something once to warm up, once to count its allocations, and then twice for
 * each of them: that one fails, or that one and all behind it.  After each it checks the result, the
 * error, and that as many blocks live as before; now and then, and at the end, that a run without
 * fault still works. */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include <gantry/types.h>
#include <stdbool.h>
#include <stddef.h>

enum fault_tolerance {
    FAULT_STRICT,    /* one that fails is always an error, GANTRY_E_NOMEM */
    FAULT_TOLERATED, /* the whole right result is right, too; run checks that it is whole */
    FAULT_RENAMED,   /* so is any error: a network library calls it by other names */
};

struct fault_sweep {
    /* Do it once, and free all of it.  Whatever it finds wrong it tells by fault_assert(): an out
     * parameter that a failure touched, half a result.  Returns 0 or a GANTRY_E_*; *err as usual. */
    int (*run)(void *context, struct gantry_error **err);
    void *context;
    int expected; /* what it returns when nothing fails */
    enum fault_tolerance tolerance;
    size_t stride;        /* only each so-manyth fails, where runs are slow; 0 or 1: each */
    void (*settle)(void); /* drop what a foreign library keeps for the next call; may be NULL */
};

/* what: for messages.  Returns how many allocations a run makes. */
size_t fault_sweep(const char *what, const struct fault_sweep *sweep);

/* Nothing fails between these two, on any thread: for what a run needs only to check itself. */
void fault_pause(void);
void fault_resume(void);

/* Fails the test, saying which allocation had failed. */
#define fault_assert(condition)                                                                    \
    ((condition) ? (void)0 : fault_failed(__FILE__, __LINE__, "not true: %s", #condition))
void fault_failed(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), noreturn));

#endif
