/* test_threads.c - who is in the plugin when: thread models, calls that hang, the end of it all. */
#include "fake_plugin.h"

#include <signal.h>

/* Counts who is inside, and stays until it is let go. */
static int
stay(void)
{
    int inside = atomic_fetch_add(&fake.inside, 1) + 1;
    int most = atomic_load(&fake.most_inside);
    while (inside > most && !atomic_compare_exchange_weak(&fake.most_inside, &most, inside))
        ;
    atomic_fetch_add(&fake.entered, 1);
    while (!atomic_load(&fake.go))
        poll(NULL, 0, 1);
    atomic_fetch_sub(&fake.inside, 1);
    return 0;
}

static int
stop_stays(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    (void)self;
    (void)call;
    (void)ref;
    (void)grace_ms;
    return stay();
}

static atomic_int signals_seen; /* calls that were entered while SIGTERM was not blocked */

static void
look_at_signals(void)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    if (!sigismember(&mask, SIGTERM) || !sigismember(&mask, SIGCHLD))
        atomic_fetch_add(&signals_seen, 1);
}

static int
open_looks(struct gantry_call *call, const struct gantry_host *host,
           const struct gantry_settings *settings, void **self)
{
    look_at_signals();
    return fake_open(call, host, settings, self);
}

static void
close_looks(void *self)
{
    look_at_signals();
    fake_close(self);
}

static int
stop_looks(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    look_at_signals();
    return fake_stop(self, call, ref, grace_ms);
}

static void
plugin_is_entered_with_all_signals_blocked(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.open = open_looks;
    table.close = close_looks;
    table.stop = stop_looks;
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    atomic_store(&signals_seen, 0);
    struct rig rig = rig_open(&table, 1);
    runtime_submit(rig.runtime, rig_job(&rig, RUNTIME_STOP, "a"));
    struct runtime_job *job = rig_take(&rig);
    assert_int_equal(job->code, 0);
    runtime_job_free(job);
    rig_close(&rig);
    assert_int_equal(atomic_load(&signals_seen), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

/* Submits a stop for each id, waits until as many as can are inside, and lets them go. */
static int
most_inside(uint32_t threads, size_t workers, const char *const *ids, size_t count, int expected)
{
    struct gantry_plugin table = fake_table();
    table.threads = threads;
    table.stop = stop_stays;
    struct rig rig = rig_open(&table, workers);
    for (size_t i = 0; i < count; i++)
        runtime_submit(rig.runtime, rig_job(&rig, RUNTIME_STOP, ids[i]));
    wait_until(atomic_load(&fake.inside) == expected);
    atomic_store(&fake.go, true);
    for (size_t i = 0; i < count; i++) {
        struct runtime_job *job = rig_take(&rig);
        assert_int_equal(job->code, 0);
        runtime_job_free(job);
    }
    assert_int_equal(atomic_load(&fake.entered), count);
    rig_close(&rig);
    return atomic_load(&fake.most_inside);
}

static void
thread_model_is_kept(void **state)
{
    (void)state;
    static const char *const same[] = {"a", "a", "a", "a"};
    static const char *const mixed[] = {"a", "a", "b", "b", "c", "c"};
    assert_int_equal(most_inside(GANTRY_THREADS_SERIAL, 4, mixed, 6, 1), 1);
    assert_int_equal(most_inside(GANTRY_THREADS_PER_WORKLOAD, 4, same, 4, 1), 1);
    assert_int_equal(most_inside(GANTRY_THREADS_PER_WORKLOAD, 8, mixed, 6, 3), 3);
    assert_int_equal(most_inside(GANTRY_THREADS_PARALLEL, 4, same, 4, 4), 4);
    assert_int_equal(most_inside(GANTRY_THREADS_PARALLEL, 2, mixed, 6, 2),
                     2); /* as many as workers */
}

/* A serial backend that is busy keeps no worker from another backend. */
static void
no_worker_waits_for_a_busy_backend(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.threads = GANTRY_THREADS_SERIAL;
    table.stop = stop_stays;
    struct rig rig = rig_open(&table, 2);
    struct runtime_backend *other = NULL;
    struct gantry_settings settings = {.size = sizeof settings, .section = "other"};
    assert_int_equal(runtime_open(rig.runtime, rig.plugin, &settings, &other, NULL), 0);
    for (int i = 0; i < 3; i++)
        runtime_submit(rig.runtime, rig_job(&rig, RUNTIME_STOP, "a"));
    wait_until(atomic_load(&fake.entered) == 1);
    struct runtime_job *inspect = runtime_job_new(RUNTIME_INSPECT, other);
    inspect->handle = "x";
    assert_int_equal(rig_do(&rig, inspect)->code, 0); /* while the first one stays */
    runtime_job_free(inspect);
    atomic_store(&fake.go, true);
    for (int i = 0; i < 3; i++)
        runtime_job_free(rig_take(&rig));
    runtime_close(other);
    rig_close(&rig);
}

/* ---- calls that hang ------------------------------------------------------------------------- */

static int
inspect_hangs(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    (void)self;
    struct gantry_status s = fake_status(ref->handle);
    assert(gantry_emit_status(fake.host, call, &s) == 0);
    stay();
    /* The job is somewhere else by now; what is said to the call must not reach it. */
    gantry_progress(fake.host, call, "late", 1, 2);
    gantry_log(fake.host, call, GANTRY_LOG_INFO, "late %s", ref->id);
    gantry_fail(fake.host, call, GANTRY_E_DENIED, "late");
    s.handle = "again";
    return gantry_emit_status(fake.host, call, &s);
}

static int owners_freed;

static void
free_owner(void *owner)
{
    assert(owner == &owners_freed);
    owners_freed++;
}

static struct runtime_job *
hang(const struct rig *rig, const char *id)
{
    struct runtime_job *job = rig_job(rig, RUNTIME_INSPECT, id);
    job->timeout_ms = 10;
    job->owner = &owners_freed;
    job->free_owner = free_owner;
    rig_do(rig, job);
    assert_int_equal(job->code, GANTRY_E_TIMEOUT);
    assert_true(job->hung);
    assert_string_equal(job->id, id); /* the request can still be read */
    assert_int_equal(job->statuses.len, 0);
    assert_non_null(strstr(err_text(job->error), "plugin 'fake' does not return from inspect"));
    return job;
}

static struct rig
rig_that_hangs(uint32_t threads, size_t workers)
{
    struct gantry_plugin table = fake_table();
    table.threads = threads;
    table.inspect = inspect_hangs;
    struct rig rig = rig_open(&table, workers);
    runtime_allow_overtime(rig.runtime, 20);
    owners_freed = 0;
    return rig;
}

/* What hangs is inside until it has noticed, and then closes the plugin. */
static void
let_go_and_close(struct rig *rig)
{
    atomic_store(&fake.go, true);
    rig_close(rig);
    wait_until(atomic_load(&fake.closed) == 1);
}

static void
hanging_call_of_a_serial_plugin_keeps_it_closed(void **state)
{
    (void)state;
    struct rig rig = rig_that_hangs(GANTRY_THREADS_SERIAL, 1);
    struct runtime_job *waiting = rig_job(&rig, RUNTIME_STOP, "b");
    struct runtime_job *job = rig_job(&rig, RUNTIME_INSPECT, "a");
    job->timeout_ms = 10;
    runtime_submit(rig.runtime, job);
    runtime_submit(rig.runtime, waiting);
    assert_ptr_equal(rig_take(&rig), waiting); /* what waits for it is told at once */
    assert_int_equal(waiting->code, GANTRY_E_UNAVAILABLE);
    assert_false(waiting->hung);
    assert_ptr_equal(rig_take(&rig), job);
    assert_true(job->hung);
    assert_true(runtime_is_hung(rig.backend));
    runtime_job_free(waiting);
    runtime_job_free(job);
    job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "b")); /* and what comes later, too */
    assert_int_equal(job->code, GANTRY_E_UNAVAILABLE);
    runtime_job_free(job);
    assert_int_equal(atomic_load(&fake.entered), 1);

    atomic_store(&fake.go, true);
    wait_until(!runtime_is_hung(rig.backend));
    assert_null(runtime_take_done(rig.runtime)); /* its job does not come twice */
    job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "b"));
    assert_int_equal(job->code, 0);
    runtime_job_free(job);
    rig_close(&rig);
    assert_int_equal(atomic_load(&fake.closed), 1);
}

static void
lost_worker_is_replaced_and_memory_stays_with_the_call(void **state)
{
    (void)state;
    struct rig rig = rig_that_hangs(GANTRY_THREADS_PARALLEL, 1);
    struct runtime_job *job = hang(&rig, "a");
    runtime_job_free(job);
    assert_int_equal(owners_freed, 0);                    /* the call may still use it */
    job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "a")); /* by another worker */
    assert_int_equal(job->code, 0);
    runtime_job_free(job);
    atomic_store(&fake.go, true);
    wait_until(!runtime_is_hung(rig.backend));
    rig_close(&rig);
    assert_int_equal(owners_freed, 1);
}

static void
backend_with_too_many_hanging_calls_is_not_entered(void **state)
{
    (void)state;
    struct rig rig = rig_that_hangs(GANTRY_THREADS_PARALLEL, 2);
    struct runtime_job *jobs[BACKEND_HUNG_MAX];
    for (size_t i = 0; i < BACKEND_HUNG_MAX; i++)
        jobs[i] = hang(&rig, "a");
    struct runtime_job *job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "a"));
    assert_int_equal(job->code, GANTRY_E_UNAVAILABLE);
    runtime_job_free(job);
    atomic_store(&fake.go, true);
    wait_until(!runtime_is_hung(rig.backend));
    job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "a"));
    assert_int_equal(job->code, 0);
    runtime_job_free(job);
    for (size_t i = 0; i < BACKEND_HUNG_MAX; i++)
        runtime_job_free(jobs[i]);
    rig_close(&rig);
    assert_int_equal(owners_freed, BACKEND_HUNG_MAX);
}

static void
hanging_workload_blocks_itself_alone(void **state)
{
    (void)state;
    struct rig rig = rig_that_hangs(GANTRY_THREADS_PER_WORKLOAD, 2);
    runtime_job_free(hang(&rig, "a"));
    struct runtime_job *job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "a"));
    assert_int_equal(job->code, GANTRY_E_UNAVAILABLE);
    runtime_job_free(job);
    job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "b"));
    assert_int_equal(job->code, 0);
    runtime_job_free(job);
    let_go_and_close(&rig);
}

static void
cancelled_call_that_stays_inside_hangs(void **state)
{
    (void)state;
    struct rig rig = rig_that_hangs(GANTRY_THREADS_PARALLEL, 1);
    struct runtime_job *job = rig_job(&rig, RUNTIME_INSPECT, "a"); /* without a deadline */
    runtime_submit(rig.runtime, job);
    wait_until(atomic_load(&fake.entered) == 1);
    runtime_cancel(job);
    assert_ptr_equal(rig_take(&rig), job);
    assert_int_equal(job->code, GANTRY_E_TIMEOUT);
    assert_true(job->hung);
    runtime_job_free(job);
    let_go_and_close(&rig);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void
closing_ends_what_is_queued_and_running(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.threads = GANTRY_THREADS_SERIAL;
    table.stop = stop_stays;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *running = rig_job(&rig, RUNTIME_STOP, "a");
    struct runtime_job *queued = rig_job(&rig, RUNTIME_STOP, "b");
    runtime_submit(rig.runtime, running);
    wait_until(atomic_load(&fake.entered) == 1);
    runtime_submit(rig.runtime, queued);
    atomic_store(&fake.go, true);
    runtime_close(rig.backend);
    assert_int_equal(atomic_load(&fake.closed), 1);
    for (int i = 0; i < 2; i++) {
        struct runtime_job *job = runtime_take_done(rig.runtime);
        assert_non_null(job);
        runtime_job_free(job);
    }
    assert_null(runtime_take_done(rig.runtime));
    runtime_free(rig.runtime);
    runtime_plugin_free(rig.plugin);
}

/* Everything is given up while a call hangs, in either order; who returns last closes the plugin.
 */
static void
give_up(bool runtime_first)
{
    struct rig rig = rig_that_hangs(GANTRY_THREADS_SERIAL, 1);
    runtime_job_free(hang(&rig, "a"));
    if (runtime_first) {
        runtime_free(rig.runtime);
        runtime_close(rig.backend);
    } else {
        runtime_close(rig.backend);
        runtime_free(rig.runtime);
    }
    runtime_plugin_free(rig.plugin);
    assert_int_equal(atomic_load(&fake.closed), 0);
    atomic_store(&fake.go, true);
    wait_until(atomic_load(&fake.closed) == 1);
    assert_int_equal(owners_freed, 1);
}

static void
plugin_is_never_closed_under_a_call(void **state)
{
    (void)state;
    give_up(false);
    give_up(true);
}

static void
freeing_takes_jobs_that_nobody_took(void **state)
{
    (void)state;
    struct rig rig = rig_that_hangs(GANTRY_THREADS_SERIAL, 2);
    for (int i = 0; i < 3; i++) {
        struct runtime_job *job = rig_job(&rig, i ? RUNTIME_STOP : RUNTIME_INSPECT, "a");
        job->owner = &owners_freed;
        job->free_owner = free_owner;
        runtime_submit(rig.runtime, job);
    }
    wait_until(atomic_load(&fake.entered) == 1);
    runtime_free(rig.runtime); /* the queued ones are dropped, the one inside hangs */
    assert_int_equal(owners_freed, 2);
    runtime_close(rig.backend);
    atomic_store(&fake.go, true);
    wait_until(atomic_load(&fake.closed) == 1);
    runtime_plugin_free(rig.plugin);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thread_model_is_kept),
        cmocka_unit_test(plugin_is_entered_with_all_signals_blocked),
        cmocka_unit_test(no_worker_waits_for_a_busy_backend),
        cmocka_unit_test(hanging_call_of_a_serial_plugin_keeps_it_closed),
        cmocka_unit_test(lost_worker_is_replaced_and_memory_stays_with_the_call),
        cmocka_unit_test(backend_with_too_many_hanging_calls_is_not_entered),
        cmocka_unit_test(hanging_workload_blocks_itself_alone),
        cmocka_unit_test(cancelled_call_that_stays_inside_hangs),
        cmocka_unit_test(closing_ends_what_is_queued_and_running),
        cmocka_unit_test(plugin_is_never_closed_under_a_call),
        cmocka_unit_test(freeing_takes_jobs_that_nobody_took),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
