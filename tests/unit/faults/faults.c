/* faults.c - the sweep over all allocations of a run. */
#include "faults.h"

#include "interpose.h"

#include <execinfo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PLAIN_EACH = 16 }; /* faults between two runs without one */

void
fault_pause(void)
{
    interpose_set_paused(true);
}

void
fault_resume(void)
{
    interpose_set_paused(false);
}

void
fault_failed(const char *file, int line, const char *fmt, ...)
{
    interpose_disarm();
    if (interpose_tripped()) {
        void *frames[INTERPOSE_TRACE_MAX];
        size_t n = interpose_trace(frames);
        print_error("allocation %zu has failed, asked for by:\n", interpose_allocations());
        backtrace_symbols_fd(frames, (int)n, STDERR_FILENO);
    }
    char text[8192];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    print_error("%s\n", text);
    _fail(file, line);
    abort(); /* not reached: _fail() jumps */
}

/* One run of a sweep: which allocation fails. */
struct one {
    const char *what;
    const struct fault_sweep *sweep;
    const char *message; /* of the error when nothing fails, or "" */
    size_t nth;          /* 0: none */
    bool all_after;
};

static void
settle(const struct fault_sweep *sweep)
{
    if (sweep->settle)
        sweep->settle();
}

#define WRONG(one, ...)                                                                            \
    wrong((one), __LINE__, __VA_ARGS__) /* the line tells one check from another */

__attribute__((format(printf, 3, 4), noreturn)) static void
wrong(const struct one *one, int line, const char *fmt, ...)
{
    char text[4096];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fault_failed(__FILE__, line, "%s, allocation %zu%s fails: %s", one->what, one->nth,
                 one->all_after ? " and all behind it" : "", text);
}

/* Without memory the message loses parts of its context, "outer: middle: inner", and nothing else. */
static bool
is_same_message(const struct one *one, const char *message)
{
    const char *whole = one->message;
    while (strcmp(whole, message) != 0) {
        const char *colon = strstr(whole, ": "), *end = strstr(message, ": ");
        if (!colon)
            return false;
        size_t part = end ? (size_t)(end + 2 - message) : 0;
        if (part > 0 && strncmp(whole, message, part) == 0)
            message += part;
        whole = colon + 2;
    }
    return *message != '\0';
}

/* An error that could not be made is the static one: memory ran out while telling of `expected`. */
static void
check_result(const struct one *one, int rc, const struct gantry_error *err)
{
    const struct fault_sweep *sweep = one->sweep;
    bool tripped = interpose_tripped();
    if (!tripped && rc != sweep->expected)
        WRONG(one, "%d (%s), not %d", rc, err ? err->message : "no text", sweep->expected);
    if (tripped && rc == 0 && sweep->tolerance == FAULT_STRICT)
        WRONG(one, "and it succeeds");
    bool renamed = sweep->tolerance == FAULT_RENAMED && rc < 0;
    if (tripped && rc != GANTRY_E_NOMEM && rc != sweep->expected && !renamed)
        WRONG(one, "%d (%s), not GANTRY_E_NOMEM", rc, err ? err->message : "no text");
    if (rc == 0 && err)
        WRONG(one, "success with the error '%s'", err->message);
    if (rc < 0 && !err)
        WRONG(one, "%d without an error", rc);
    if (err && err->code != rc && err->code != GANTRY_E_NOMEM)
        WRONG(one, "%d, and the error says %d (%s)", rc, err->code, err->message);
    if (err && err->code != GANTRY_E_NOMEM && !renamed && !is_same_message(one, err->message))
        WRONG(one, "'%s' is said, not '%s'", err->message, one->message);
}

/* As many blocks as before?  A thread that a library has left behind, libcurl's resolver, gives its
 * own back a little later. */
static bool
is_even(long before)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < 2000 && interpose_live() != before; i++)
        (void)nanosleep(&pause, NULL);
    return interpose_live() == before;
}

/* Returns whether the allocation that was to fail was asked for. */
static bool
run_one(const struct one *one)
{
    struct gantry_error *err = NULL;
    settle(one->sweep);
    long before = interpose_live();
    interpose_arm(one->nth, one->all_after);
    int rc = one->sweep->run(one->sweep->context, &err);
    interpose_disarm();
    bool tripped = interpose_tripped();
    check_result(one, rc, err);
    gantry_error_free(err);
    settle(one->sweep);
    if (!is_even(before))
        WRONG(one, "%ld blocks are lost", interpose_live() - before);
    return tripped;
}

size_t
fault_sweep(const char *what, const struct fault_sweep *sweep)
{
    struct gantry_error *err = NULL;
    char message[8192];
    interpose_arm(0, false);
    (void)sweep->run(sweep->context, &err); /* what is made once in a process is made here */
    interpose_disarm();
    (void)snprintf(message, sizeof message, "%s", err ? err->message : "");
    gantry_error_free(err);
    const struct one plain = {what, sweep, message, 0, false};
    run_one(&plain);
    size_t total = interpose_allocations(), stride = sweep->stride ? sweep->stride : 1, runs = 0;
    for (int all_after = 0; all_after < 2; all_after++) {
        size_t nth = 1;
        while (run_one(&(struct one){what, sweep, message, nth, all_after != 0})) {
            if (++runs % PLAIN_EACH == 0)
                run_one(&plain);
            nth += stride;
        }
        run_one(&plain);
        if (nth <= total / 2) /* numbers differ a little between runs, caches being what they are */
            WRONG(&plain, "only %zu of %zu allocations could be made to fail", nth - 1, total);
    }
    return total;
}
