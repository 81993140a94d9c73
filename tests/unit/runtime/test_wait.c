/* test_wait.c - gantry_wait() where the system does not wait for so many descriptors.  In a program of its own,
 * as it lowers the process's limit. */
#include "fake_plugin.h"

#include <sys/resource.h>

static struct {
    const int32_t *fds;
    uint32_t count;
    int64_t timeout_ms;
    int said;
} script;

static int
stop_waiting(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    (void)self;
    (void)ref;
    (void)grace_ms;
    script.said = gantry_wait(fake.host, call, script.fds, script.count, script.timeout_ms, 0);
    return 0;
}

/* Returns how long it took. */
static int64_t
wait_for(const int32_t *fds, uint32_t count, int64_t timeout_ms)
{
    struct gantry_plugin table = fake_table();
    table.stop = stop_waiting;
    struct rig rig = rig_open(&table, 1);
    script.fds = fds;
    script.count = count;
    script.timeout_ms = timeout_ms;
    struct runtime_job *job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "c1"));
    assert_int_equal(job->code, 0);
    int64_t took_ms = job->ended_ms - job->started_ms;
    runtime_job_free(job);
    rig_close(&rig);
    return took_ms;
}

/* Else it would be tried again and again until the time is over. */
static void
more_descriptors_than_can_be_waited_for_are_the_plugins_to_look_at(void **state)
{
    struct rlimit limit;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit few = {.rlim_cur = 64, .rlim_max = limit.rlim_max};
    int32_t fds[100];
    for (size_t i = 0; i < 100; i++)
        fds[i] = -1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_true(wait_for(fds, 100, 60000) < 30000);
    assert_int_equal(script.said, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_descriptors_than_can_be_waited_for_are_the_plugins_to_look_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
