/* promise_leaks.c - nothing grows with the number of calls. */
#include "process.h"

#include "logs.h"

#include <malloc.h>

#define BATCHES        8 /* at most so many, */
#define CALM           2 /* until so many were without growth */
#define BATCHES_SLOW   4
#define CALM_SLOW      1
#define BATCH_MS       600
#define MANY           60
#define FEW            3
#define LEAST_BYTES    16   /* that a call leaks: the smallest block of memory */
#define LEAST_NOISY    64   /* where the rounds are few, but no more than LEAST_BYTES of MANY */
#define LEAST_SLOW     8192 /* where connections, and what is read from them, come and go */
#define DESCRIPTOR_MAX 4096

struct footprint {
    size_t heap_bytes, descriptors, threads;
};

static struct footprint
measure(void)
{
    struct mallinfo2 heap = mallinfo2();
    struct footprint f = {.heap_bytes = heap.uordblks + heap.hblkhd};
    int list[DESCRIPTOR_MAX];
    (void)kit_read_numbers(KIT_DESCRIPTORS, list, DESCRIPTOR_MAX, &f.descriptors);
    (void)kit_read_numbers(KIT_THREADS, list, DESCRIPTOR_MAX, &f.threads);
    return f;
}

static int
run_rounds(struct kit *kit, kit_round_fn *round, const char *handle, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        KIT_CHECK(kit_round(kit, round, handle));
    return KIT_OK;
}

/* As many as can be had within BATCH_MS; the first ones are slow. */
static int
choose_rounds(struct kit *kit, kit_round_fn *round, const char *handle, unsigned *rounds)
{
    int64_t took_ms = INT64_MAX; /* the quickest: the machine may have had something else to do */
    for (unsigned i = 0; i < (kit->given.slow ? 2 : 2 * FEW); i++) {
        int64_t began_ms = clock_mono_ms();
        KIT_CHECK(run_rounds(kit, round, handle, 1));
        took_ms = MIN(took_ms, clock_mono_ms() - began_ms);
    }
    *rounds = (unsigned)MIN(MAX(BATCH_MS / MAX(took_ms, 1), kit->given.slow ? 2 : FEW), MANY);
    return run_rounds(kit, round, handle, *rounds > 2 * FEW ? *rounds / 2 : 0);
}

/* How much more there is after one batch. */
static int
grow(struct kit *kit, kit_round_fn *round, const char *handle, unsigned rounds,
     struct footprint *grown)
{
    struct footprint before = measure();
    KIT_CHECK(run_rounds(kit, round, handle, rounds));
    struct footprint now = measure();
    grown->heap_bytes = now.heap_bytes - MIN(before.heap_bytes, now.heap_bytes);
    grown->descriptors = now.descriptors - MIN(before.descriptors, now.descriptors);
    grown->threads = now.threads - MIN(before.threads, now.threads);
    return KIT_OK;
}

/* A leak grows in each batch; what is only warming up comes to rest. */
static int
expect_no_growth(struct kit *kit, const char *what, kit_round_fn *round, const char *handle)
{
    unsigned rounds, calm = 0, enough = kit->given.slow ? CALM_SLOW : CALM;
    int batches = kit->given.slow ? BATCHES_SLOW : BATCHES;
    struct footprint grown, least = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    KIT_CHECK(choose_rounds(kit, round, handle, &rounds));
    size_t noise = kit->given.slow ? (size_t)LEAST_SLOW * rounds
                                   : MIN((size_t)LEAST_NOISY * rounds, (size_t)LEAST_BYTES * MANY);
    for (int i = 0; calm < enough && i < batches; i++) {
        KIT_CHECK(grow(kit, round, handle, rounds, &grown));
        least.heap_bytes = MIN(least.heap_bytes, grown.heap_bytes);
        least.descriptors = MIN(least.descriptors, grown.descriptors);
        least.threads = MIN(least.threads, grown.threads);
        calm += grown.heap_bytes < noise && grown.descriptors < rounds && grown.threads < rounds;
    }
    if (calm == enough)
        return KIT_OK;
    if (least.descriptors >= rounds)
        return kit_broken(kit, "%s: there are more open descriptors with each round", what);
    if (least.threads >= rounds)
        return kit_broken(kit, "%s: there are more threads with each round", what);
    return kit_broken(kit, "%s: the heap grows by %zu bytes a round, or more", what,
                      least.heap_bytes / rounds);
}

/* Of a program that was built with it; its heap cannot be measured. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static int
try_apart(struct kit *kit, int (*body)(struct kit *kit))
{
    KIT_CHECK(kit_apart(kit, body));
    return __lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check()
               ? kit_broken(kit, "the leak sanitizer has found memory that nobody knows any more")
               : KIT_OK;
}

/* ---- what is tried -------------------------------------------------------------------------------- */

static int
open_and_close(struct kit *kit, const char *handle)
{
    struct runtime_backend *backend = NULL;
    (void)handle;
    if (kit_open(kit, NULL, NULL, &backend, NULL) < 0)
        return kit_broken(kit, "the plugin cannot be opened again and again");
    struct kit_answer a = kit_list(kit, NULL, &(struct kit_manner){.backend = backend});
    runtime_close(backend);
    return kit_expect_ok(kit, "list()", &a);
}

static int
try_open(struct kit *kit)
{
    return expect_no_growth(kit, "open() and close()", open_and_close, NULL);
}

int
kit_try_leaks_open(struct kit *kit)
{
    return try_apart(kit, try_open);
}

static int
list_once(struct kit *kit, const char *handle)
{
    (void)handle;
    struct kit_answer a = kit_list(kit, NULL, NULL);
    return kit_expect_ok(kit, "list()", &a);
}

static int
inspect_once(struct kit *kit, const char *handle)
{
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    return kit_expect_ok(kit, "inspect()", &a);
}

static int
logs_once(struct kit *kit, const char *handle)
{
    struct kit_answer a = kit_logs(kit, handle, NULL, &kit_all_lines, NULL);
    return a.code == GANTRY_E_UNSUPPORTED ? KIT_OK : kit_expect_ok(kit, "logs()", &a);
}

static int
fail_once(struct kit *kit, const char *handle)
{
    (void)handle;
    struct kit_answer a = kit_inspect(kit, "nothing", NULL);
    KIT_CHECK(kit_expect_code(kit, "inspect() of what is not there", &a, GANTRY_E_NOT_FOUND));
    (void)kit_logs(kit, "nothing", NULL, &kit_all_lines, NULL);
    (void)kit_start(kit, NULL, "nothing", 0, NULL);
    return KIT_OK;
}

static int
probe_once(struct kit *kit, const char *handle)
{
    (void)handle;
    struct kit_answer a = kit_probe(kit, NULL);
    return kit_expect_ok(kit, "probe()", &a);
}

static int
try_reading(struct kit *kit)
{
    const char *handle;
    KIT_CHECK(kit_run(kit, kit_connector(kit), &handle));
    KIT_CHECK(expect_no_growth(kit, "list()", list_once, handle));
    KIT_CHECK(expect_no_growth(kit, "inspect()", inspect_once, handle));
    KIT_CHECK(expect_no_growth(kit, "logs()", logs_once, handle));
    KIT_CHECK(expect_no_growth(kit, "calls that fail", fail_once, handle));
    return kit->table->probe ? expect_no_growth(kit, "probe()", probe_once, handle) : KIT_OK;
}

int
kit_try_leaks_reading(struct kit *kit)
{
    return try_apart(kit, try_reading);
}

static int
start_and_stop(struct kit *kit, const char *handle)
{
    struct kit_answer a = kit_stop(kit, handle, NULL, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    KIT_CHECK(kit_await(kit, handle, KIT_ENDED, NULL));
    a = kit_start(kit, NULL, handle, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() of an existing workload", &a));
    return kit_await(kit, handle, 1U << GANTRY_STATE_RUNNING, NULL);
}

static int
try_start_and_stop(struct kit *kit)
{
    const char *handle;
    KIT_CHECK(kit_run(kit, kit_connector(kit), &handle));
    return expect_no_growth(kit, "stop() and start()", start_and_stop, handle);
}

int
kit_try_leaks_start_and_stop(struct kit *kit)
{
    return try_apart(kit, try_start_and_stop);
}

static int
live(struct kit *kit, const char *handle)
{
    (void)handle;
    return kit_live_once(kit);
}

static int
try_whole_lives(struct kit *kit)
{
    return expect_no_growth(kit, "start(), a replace, watch(), stop() and remove()", live, NULL);
}

int
kit_try_leaks_whole_lives(struct kit *kit)
{
    return try_apart(kit, try_whole_lives);
}
