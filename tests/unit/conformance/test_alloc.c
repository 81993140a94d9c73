/* Each allocation fails in turn: a call by hand and a test of the kit end in an error or in a promise that is
 * broken, and leave nothing behind. */
#include "conformance_internal.h"

#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MEMORY GANTRY_BINARY_DIR "/tests/plugins/gantry-memory.so"

static int
call_by_hand(void *context, struct gantry_error **err)
{
    (void)context;
    const struct gantry_session_options options = {.size = sizeof options, .plugin = MEMORY};
    const struct gantry_pair label = {GANTRY_LABEL_MANAGER, "me"};
    const struct gantry_spec spec = {.size = sizeof spec,
                                     .id = "c1",
                                     .name = "one",
                                     .hash = "h",
                                     .image = "image",
                                     .labels = &label,
                                     .label_count = 1,
                                     .label_stride = sizeof label};
    struct gantry_request request = {.size = sizeof request, .operation = "start", .spec = &spec};
    struct gantry_session *session = NULL;
    int rc = gantry_session_open(&options, &session, err);
    fault_assert((rc == 0) == (session != NULL));
    if (rc == 0)
        rc = gantry_session_call(session, &request, err);
    gantry_session_free(session);
    return rc;
}

static void
session_survives(void **state)
{
    (void)state;
    fault_sweep("a session",
                &(struct fault_sweep){.run = call_by_hand, .tolerance = FAULT_RENAMED});
}

static int
ended(void *context, const struct gantry_promise *promise, uint32_t outcome, const char *detail,
      int64_t took_ms)
{
    (void)context;
    (void)promise;
    (void)took_ms;
    fault_assert(outcome == GANTRY_PROMISE_OK ||
                 (outcome == GANTRY_PROMISE_FAILED && detail && detail[0]));
    return 0;
}

static int
test_one(void *context, struct gantry_error **err)
{
    const char *const only[] = {context};
    const struct gantry_conformance request = {
        .size = sizeof request, .plugin = MEMORY, .only = only, .only_count = 1, .ended = ended};
    return gantry_plugin_test(&request, err);
}

static void
kit_survives(void **state)
{
    (void)state;
    static const char *const promises[] = {"replace.remove_gives_the_name_over",
                                           "list.bears_all_labels", "table.exports_entry_alone"};
    for (size_t i = 0; i < ARRAY_LENGTH(promises); i++)
        fault_sweep(promises[i], &(struct fault_sweep){.run = test_one,
                                                       .context = (void *)(uintptr_t)promises[i],
                                                       .tolerance = FAULT_RENAMED});
}

/* The C library keeps the stacks of threads that have ended, and some of its memory with them.  How many workers
 * run side by side is chance, so as many as can be are there before anything is counted. */
#define THREADS 20
static pthread_barrier_t all_there;

static void *
meet(void *context)
{
    (void)pthread_barrier_wait(&all_there);
    return context;
}

static int
warm_up(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    assert_int_equal(pthread_barrier_init(&all_there, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(runtime_thread_start(&threads[i], "warm", meet, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    return pthread_barrier_destroy(&all_there);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_survives),
        cmocka_unit_test(kit_survives),
    };
    return cmocka_run_group_tests(tests, warm_up, NULL);
}
