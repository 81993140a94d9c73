/* test_extensions.c - gantry.folder/1 and gantry.wait/1. */
#include "fake_plugin.h"

/* ---- a folder of the backend's own --------------------------------------------------------------- */

static void
folder_is_the_backends_own_where_something_is_kept(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    struct rig rig = rig_open(&table, 1);
    const struct gantry_folder *folder = gantry_extension(fake.host, GANTRY_EXTENSION_FOLDER);
    assert_non_null(folder);
    assert_null(folder->path(fake.host));
    assert_int_equal(runtime_keep_in(rig.runtime, "/nonexistent/state"), 0);
    const char *const names[][2] = {{"box", "/nonexistent/state/backend-box"},
                                    {"a/../b", "/nonexistent/state/backend-a_.._b"}};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct gantry_settings settings = {.size = sizeof settings, .section = names[i][0]};
        struct runtime_backend *other = NULL;
        assert_int_equal(runtime_open(rig.runtime, rig.plugin, &settings, &other, NULL), 0);
        assert_string_equal(folder->path(fake.host), names[i][1]);
        runtime_close(other);
    }
    rig_close(&rig);
}

/* ---- waiting -------------------------------------------------------------------------------------- */

static int ends[2]; /* of a pipe */
static int64_t timeout_ms;
static int found;
static uint32_t count; /* of descriptors, all the same */
static uint32_t flags;

static int
stop_waits(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    int32_t fds[40];
    (void)self;
    (void)ref;
    (void)grace_ms;
    for (size_t i = 0; i < ARRAY_LENGTH(fds); i++)
        fds[i] = ends[0];
    atomic_fetch_add(&fake.entered, 1);
    found = gantry_wait(fake.host, call, count ? fds : NULL, count, timeout_ms, flags);
    return gantry_cancelled(fake.host, call) ? GANTRY_E_CANCELLED : 0;
}

static struct rig
open_waiting(struct gantry_plugin *table)
{
    *table = fake_table();
    table->stop = stop_waits;
    assert_int_equal(pipe(ends), 0);
    count = 1;
    flags = 0;
    found = -99;
    timeout_ms = INT64_MAX;
    return rig_open(table, 1);
}

static void
close_waiting(struct rig *rig)
{
    rig_close(rig);
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
}

static void
expect_wait(const struct rig *rig, int wanted)
{
    struct runtime_job *job = rig_do(rig, rig_job(rig, RUNTIME_STOP, "c"));
    assert_int_equal(job->code, 0);
    assert_int_equal(found, wanted);
    runtime_job_free(job);
}

static void
wait_ends_when_something_can_be_read(void **state)
{
    (void)state;
    struct gantry_plugin table;
    struct rig rig = open_waiting(&table);
    timeout_ms = 0;
    expect_wait(&rig, 0);
    count = 0;
    timeout_ms = 5;
    expect_wait(&rig, 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    for (count = 1; count <= 40; count += 13) { /* also more than fit on the stack */
        timeout_ms = 0;
        expect_wait(&rig, 1);
        timeout_ms = INT64_MAX;
        expect_wait(&rig, 1);
    }
    count = 1;
    flags = 0;
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[1]); /* the other end is closed: that can be read too */
    ends[1] = -1;
    expect_wait(&rig, 1);
    close_waiting(&rig);
}

static void
wait_ends_with_the_call(void **state)
{
    (void)state;
    struct gantry_plugin table;
    struct rig rig = open_waiting(&table);
    struct runtime_job *job = rig_job(&rig, RUNTIME_STOP, "c");
    runtime_submit(rig.runtime, job);
    wait_until(atomic_load(&fake.entered) == 1);
    runtime_cancel(job);
    assert_ptr_equal(rig_take(&rig), job);
    assert_int_equal(job->code, GANTRY_E_CANCELLED);
    assert_int_equal(found, 0);
    runtime_job_free(job);
    job = rig_job(&rig, RUNTIME_STOP, "c");
    job->timeout_ms = 20;
    rig_do(&rig, job);
    assert_int_equal(found, 0);
    assert_true(job->ended_ms - job->started_ms >= 20);
    runtime_job_free(job);
    close_waiting(&rig);
}

static void
wait_without_descriptors_that_are_promised_breaks_the_rules(void **state)
{
    (void)state;
    struct gantry_plugin table;
    struct rig rig = open_waiting(&table);
    struct gantry_call call;
    assert_int_equal(call_init(&call, rig.backend, "stop"), 0);
    assert_int_equal(gantry_wait(fake.host, &call, NULL, 0, 0, 0),
                     GANTRY_E_INTERNAL); /* nobody has entered */
    call_clear(&call);
    assert_int_equal(call_init(&call, rig.backend, "stop"), 0);
    call_enter(&call);
    assert_int_equal(gantry_wait(fake.host, &call, NULL, 1, 0, 0), GANTRY_E_INTERNAL);
    call_clear(&call);
    close_waiting(&rig);
}

static int
on_part(void *context, const struct gantry_http_part *part)
{
    (void)context;
    (void)part;
    return 0;
}

/* On a thread that has not entered. */
static void *
use_elsewhere(void *context)
{
    struct gantry_call *call = context;
    const struct gantry_http *http = gantry_extension(fake.host, GANTRY_EXTENSION_HTTP);
    struct gantry_http_request request = {
        .size = sizeof request, .method = "GET", .url = "http://127.0.0.1:1/"};
    assert(http->perform(call, &request, 1, sizeof request, on_part, NULL) == GANTRY_E_INTERNAL);
    assert(gantry_wait(fake.host, call, NULL, 0, 0, 0) == GANTRY_E_INTERNAL);
    assert(gantry_remaining_ms(fake.host, call) == INT64_MAX && !gantry_cancelled(fake.host, call));
    return NULL;
}

static int
stop_elsewhere(void *self, struct gantry_call *call, const struct gantry_ref *ref,
               uint32_t grace_ms)
{
    (void)self;
    (void)ref;
    (void)grace_ms;
    pthread_t thread;
    int made = pthread_create(&thread, NULL, use_elsewhere, call);
    assert(made == 0);
    pthread_join(thread, NULL);
    return 0;
}

static void
http_and_wait_on_another_thread_break_the_rules(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.stop = stop_elsewhere;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "c"));
    assert_int_equal(job->code, GANTRY_E_INTERNAL);
    assert_non_null(strstr(err_text(job->error), "it used HTTP from another thread"));
    runtime_job_free(job);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_is_the_backends_own_where_something_is_kept),
        cmocka_unit_test(wait_ends_when_something_can_be_read),
        cmocka_unit_test(wait_ends_with_the_call),
        cmocka_unit_test(wait_without_descriptors_that_are_promised_breaks_the_rules),
        cmocka_unit_test(http_and_wait_on_another_thread_break_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
