/* Deciding takes no memory: a manager that has none left still stops, and removes nothing. */
#include "faults.h"
#include "reconcile.h"
#include "states.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct reconcile_decision
decide(enum reconcile_wish wish, enum gantry_state state, const char *hash, size_t count,
       struct reconcile_memory *memory, int64_t now_ms)
{
    const struct reconcile_workload workloads[] = {
        {.hash = hash, .state = state, .created_ms = 1, .identity = 1, .started_ms = now_ms},
        {.hash = NULL, .state = GANTRY_STATE_EXITED, .created_ms = 2, .identity = 2},
    };
    const struct reconcile_input input = {
        .wish = wish,
        .hash = "wanted",
        .known = true,
        .workloads = workloads,
        .count = count,
        .platform_up = true,
        .now_ms = now_ms,
    };
    return reconcile_decide(&input, memory);
}

/* Every wish, state, hash and number of workloads, one after the other, and how each action ends. */
static int
decide_all(void *context, struct gantry_error **err)
{
    static const char *const hashes[] = {"wanted", "other", NULL};
    struct reconcile_memory memory = {0};
    int64_t now_ms = 1;
    unsigned actions = 0;
    (void)context;
    (void)err;
    for (int wish = 0; wish < WISH_COUNT; wish++)
        for (int state = 0; state < STATES_COUNT; state++)
            for (size_t i = 0; i < 3 * 3; i++) {
                struct reconcile_decision d =
                    decide((enum reconcile_wish)wish, (enum gantry_state)state, hashes[i % 3],
                           i / 3, &memory, now_ms);
                actions |= 1U << d.action;
                reconcile_done(&memory, d.action, (int)(i % 2) * GANTRY_E_UNAVAILABLE, now_ms, 7);
                now_ms += RECONCILE_BACKOFF_MAX_MS;
            }
    fault_assert(actions == (1U << DO_COUNT) - 1); /* each action was decided at least once */
    return 0;
}

static int
guard_all(void *context, struct gantry_error **err)
{
    struct guard_memory memory = {0};
    unsigned verdicts = 0;
    (void)context;
    (void)err;
    for (unsigned i = 0; i < 64; i++) {
        const struct guard_input input = {
            .complete = i % 8 != 0,
            .vanished = i / 16,
            .vanished_count = i / 16,
            .running = 4,
            .running_vanished = i / 16 == 3   ? 4
                                : i / 16 == 2 ? 3
                                              : 1,
            .max_removals = 1,
            .removal_confirmations = 2,
        };
        verdicts |= 1U << guard_decide(&input, &memory);
    }
    fault_assert(verdicts == (1U << (GUARD_RELEASE + 1)) - 1);
    return 0;
}

static void
deciding_takes_no_memory(void **state)
{
    (void)state;
    assert_int_equal(fault_sweep("decide", &(struct fault_sweep){.run = decide_all}), 0);
    assert_int_equal(fault_sweep("guard", &(struct fault_sweep){.run = guard_all}), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deciding_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
