/* test_calls.c - how calls begin and end: codes, texts, deadlines, cancellation, specs, HTTP. */
#include "fake_plugin.h"

#include <signal.h>

#include "buf.h"

/* ---- codes and texts ------------------------------------------------------------------------- */

static int stop_code;
static const char *stop_text;

static int
stop_fails(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    (void)self;
    (void)ref;
    (void)grace_ms;
    if (!stop_text)
        return stop_code;
    (void)gantry_fail(fake.host, call, GANTRY_E_CONFLICT, "an earlier one, which does not count");
    return gantry_fail(fake.host, call, stop_code, "%s", stop_text);
}

static void
expect_stop(const struct rig *rig, int returned, const char *text, int code, const char *message)
{
    stop_code = returned;
    stop_text = text;
    struct runtime_job *job = rig_do(rig, rig_job(rig, RUNTIME_STOP, "c"));
    assert_int_equal(job->code, code);
    if (code)
        assert_string_equal(err_text(job->error), message);
    else
        assert_null(job->error);
    runtime_job_free(job);
}

static void
failure_keeps_its_code_and_text(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.stop = stop_fails;
    struct rig rig = rig_open(&table, 1);
    expect_stop(&rig, GANTRY_E_DENIED, "socket 'x': denied", GANTRY_E_DENIED, "socket 'x': denied");
    expect_stop(&rig, GANTRY_E_CONFLICT, "two\nlines\xff", GANTRY_E_CONFLICT, "two lines?");
    expect_stop(&rig, GANTRY_E_DENIED, NULL, GANTRY_E_DENIED,
                "stop failed (denied), and plugin 'fake' gives no reason");
    expect_stop(&rig, 5, "odd", GANTRY_E_INTERNAL,
                "plugin 'fake' returned 5 from stop, which is no result code");
    expect_stop(&rig, -99, NULL, GANTRY_E_INTERNAL,
                "plugin 'fake' returned -99 from stop, which is no result code");
    expect_stop(&rig, GANTRY_E_CANCELLED, NULL, GANTRY_E_INTERNAL,
                "plugin 'fake' ended stop as cancelled, which nobody had asked for");
    expect_stop(&rig, 0, "got over it", 0, NULL);
    rig_close(&rig);
}

static int
open_fails(struct gantry_call *call, const struct gantry_host *host,
           const struct gantry_settings *settings, void **self)
{
    (void)self;
    return gantry_fail(host, call, GANTRY_E_INVALID, "[backend %s] socket: bad", settings->section);
}

static void
open_that_fails_gives_its_reason_and_is_not_closed(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    struct rig rig = rig_open(&table, 1);
    table.open = open_fails;
    struct runtime_plugin *plugin = NULL;
    struct runtime_backend *backend = NULL;
    struct gantry_error *err = NULL;
    struct gantry_settings settings = {.size = sizeof settings, .section = "two"};
    assert_int_equal(runtime_plugin_adopt(&table, &plugin, NULL), 0);
    assert_int_equal(runtime_open(rig.runtime, plugin, &settings, &backend, &err),
                     GANTRY_E_INVALID);
    assert_null(backend);
    assert_string_equal(err_text(err), "[backend two] socket: bad");
    gantry_error_free(err);
    runtime_plugin_free(plugin);
    assert_int_equal(atomic_load(&fake.closed), 0);
    rig_close(&rig);
}

/* ---- deadline, cancellation, progress -------------------------------------------------------- */

/* Waits until it is told to end, as a good plugin does. */
static int
start_patiently(void *self, struct gantry_call *call, const struct gantry_ref *existing,
                const struct gantry_spec *spec, uint32_t flags)
{
    (void)self;
    (void)existing;
    (void)spec;
    (void)flags;
    gantry_progress(fake.host, call, "pulling", 9, 20);
    atomic_fetch_add(&fake.entered, 1);
    while (!gantry_cancelled(fake.host, call) && gantry_remaining_ms(fake.host, call) > 0)
        poll(NULL, 0, 1);
    return GANTRY_E_CANCELLED;
}

static void
call_ends_at_its_deadline(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.start = start_patiently;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = rig_job(&rig, RUNTIME_START, "c");
    job->timeout_ms = 20;
    rig_do(&rig, job);
    assert_int_equal(job->code, GANTRY_E_TIMEOUT);
    assert_false(job->hung);
    assert_string_equal(err_text(job->error), "plugin 'fake' ended start at its deadline");
    assert_true(job->ended_ms - job->started_ms >= 20);
    runtime_job_free(job);
    rig_close(&rig);
}

static void
running_call_is_cancelled_and_tells_its_progress(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.start = start_patiently;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = rig_job(&rig, RUNTIME_START, "c");
    char text[64];
    assert_string_equal(runtime_progress(job, text, sizeof text), "");
    runtime_submit(rig.runtime, job);
    wait_until(atomic_load(&fake.entered) == 1);
    assert_string_equal(runtime_progress(job, text, sizeof text), "pulling 45%");
    assert_string_equal(runtime_progress(job, text, 5), "pull");
    runtime_cancel(job);
    assert_ptr_equal(rig_take(&rig), job);
    assert_int_equal(job->code, GANTRY_E_CANCELLED);
    assert_string_equal(err_text(job->error), "start was cancelled");
    runtime_cancel(job); /* too late, and harmless */
    runtime_job_free(job);
    rig_close(&rig);
}

static void
queued_job_is_cancelled_at_once(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.start = start_patiently;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *first = rig_job(&rig, RUNTIME_START, "c1");
    struct runtime_job *second = rig_job(&rig, RUNTIME_START, "c2");
    runtime_submit(rig.runtime, first);
    wait_until(atomic_load(&fake.entered) == 1);
    runtime_submit(rig.runtime, second);
    assert_null(runtime_take_done(rig.runtime));
    runtime_cancel(second);
    assert_ptr_equal(runtime_take_done(rig.runtime), second); /* without waiting */
    assert_int_equal(second->code, GANTRY_E_CANCELLED);
    runtime_job_free(second);
    runtime_cancel(first);
    assert_ptr_equal(rig_take(&rig), first);
    assert_int_equal(atomic_load(&fake.entered), 1);
    runtime_job_free(first);
    rig_close(&rig);
}

static void
job_cancelled_before_it_is_submitted_is_not_begun(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.start = start_patiently;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = rig_job(&rig, RUNTIME_START, "c1");
    runtime_cancel(job);
    rig_do(&rig, job);
    assert_int_equal(job->code, GANTRY_E_CANCELLED);
    assert_int_equal(atomic_load(&fake.entered), 0);
    runtime_job_free(job);
    rig_close(&rig);
}

/* ---- specs ----------------------------------------------------------------------------------- */

static struct {
    int code, made, wiped;
    char secret[8];
} spec_maker;

static int
make_spec(void *context, struct runtime_job *job, struct gantry_spec *spec,
          struct gantry_error **err)
{
    assert(context == &spec_maker);
    assert(spec->size == sizeof *spec);
    spec_maker.made++;
    snprintf(spec_maker.secret, sizeof spec_maker.secret, "s3cret");
    spec->id = job->id;
    spec->hash = spec_maker.secret;
    if (spec_maker.code)
        return err_set(err, spec_maker.code, "value A cannot be opened");
    return 0;
}

static void
wipe_spec(void *context)
{
    assert(context == &spec_maker);
    spec_maker.wiped++;
    memset(spec_maker.secret, 0, sizeof spec_maker.secret);
}

static int
start_with_spec(void *self, struct gantry_call *call, const struct gantry_ref *existing,
                const struct gantry_spec *spec, uint32_t flags)
{
    (void)self;
    atomic_fetch_add(&fake.entered, 1);
    assert(existing == NULL && spec != NULL);
    assert(flags == GANTRY_START_ONCE);
    assert(strcmp(spec->hash, "s3cret") == 0);
    struct gantry_status s = fake_status(spec->id);
    return gantry_emit_status(fake.host, call, &s);
}

static void
spec_lives_while_the_call_lasts(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.start = start_with_spec;
    struct rig rig = rig_open(&table, 1);
    for (int fails = 0; fails < 2; fails++) {
        memset(&spec_maker, 0, sizeof spec_maker);
        spec_maker.code = fails ? GANTRY_E_INVALID : 0;
        struct runtime_job *job = rig_job(&rig, RUNTIME_START, "c");
        job->handle = NULL;
        job->flags = GANTRY_START_ONCE;
        job->prepare = make_spec;
        job->prepare_done = wipe_spec;
        job->prepare_context = &spec_maker;
        rig_do(&rig, job);
        assert_int_equal(job->code, spec_maker.code);
        assert_int_equal(spec_maker.made, 1);
        assert_int_equal(spec_maker.wiped, 1);
        assert_string_equal(spec_maker.secret, "");
        if (fails)
            assert_string_equal(err_text(job->error), "value A cannot be opened");
        else
            assert_string_equal(job->statuses.ptr[0].handle, "c");
        runtime_job_free(job);
    }
    assert_int_equal(atomic_load(&fake.entered), 1); /* without a spec the plugin is not entered */
    rig_close(&rig);
}

/* ---- host services --------------------------------------------------------------------------- */

static void
write_line(void *context, enum log_level level, const char *line, size_t length)
{
    (void)level;
    buf_add_bytes(context, line, length);
    buf_add_char(context, '\n');
}

static int
stop_says(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    (void)self;
    (void)ref;
    (void)grace_ms;
    assert(strcmp(fake.host->version, GANTRY_VERSION_STRING) == 0);
    assert(gantry_remaining_ms(fake.host, call) == INT64_MAX);
    assert(gantry_extension(fake.host, "com.example.nothing/1") == NULL);
    gantry_log(fake.host, call, GANTRY_LOG_WARN, "a\nb %d", 5);
    return 0;
}

static void
plugin_message_is_logged_with_its_origin(void **state)
{
    (void)state;
    struct buf lines = BUF_INIT(100000);
    struct log log;
    log_init(&log, LOG_INFO, LOG_JSON, (struct log_sink){write_line, &lines});
    struct gantry_plugin table = fake_table();
    table.stop = stop_says;
    struct rig rig = rig_open_logged(&table, 1, &log);
    runtime_job_free(rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "c7")));
    rig_close(&rig);
    assert_non_null(strstr(buf_text(&lines), "\"plugin\":\"fake\""));
    assert_non_null(strstr(buf_text(&lines), "\"backend\":\"box\""));
    assert_non_null(strstr(buf_text(&lines), "\"connector\":\"c7\""));
    assert_non_null(strstr(buf_text(&lines), "a b 5"));
    log_clear(&log);
    buf_clear(&lines);
}

static int
on_part(void *context, const struct gantry_http_part *part)
{
    (void)part;
    ++*(int *)context;
    return 0;
}

static int
stop_over_http(void *self, struct gantry_call *call, const struct gantry_ref *ref,
               uint32_t grace_ms)
{
    (void)self;
    (void)ref;
    (void)grace_ms;
    const struct gantry_http *http =
        (const struct gantry_http *)gantry_extension(fake.host, GANTRY_EXTENSION_HTTP);
    assert(http && http->size == sizeof *http);
    int parts = 0;
    struct gantry_http_request request = {.size = sizeof request,
                                          .method = "GET",
                                          .url = "http://localhost/",
                                          .unix_socket = "/nowhere/at/all.sock"};
    int rc = http->perform(call, &request, 1, sizeof request, on_part, &parts);
    assert(parts == 1); /* END alone */
    return rc;
}

static void
failed_http_gives_the_call_its_text(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.stop = stop_over_http;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "c"));
    assert_true(job->code < 0);
    assert_non_null(strstr(err_text(job->error), "/nowhere/at/all.sock"));
    runtime_job_free(job);
    rig_close(&rig);
}

/* ---- signals ----------------------------------------------------------------------------------- */

static int
stop_and_look_at_signals(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                         uint32_t grace_ms)
{
    sigset_t blocked;
    struct sigaction child;
    (void)self;
    (void)ref;
    (void)grace_ms;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (int i = 1; i < 32; i++)
        if (i != SIGKILL && i != SIGSTOP && !sigismember(&blocked, i))
            return gantry_fail(fake.host, call, GANTRY_E_CONFLICT, "signal %d is not blocked", i);
    sigaction(SIGCHLD, NULL, &child);
    return child.sa_handler == SIG_IGN
               ? gantry_fail(fake.host, call, GANTRY_E_CONFLICT, "SIGCHLD is ignored")
               : 0;
}

static void
operations_are_entered_with_all_signals_blocked(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.stop = stop_and_look_at_signals;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "c"));
    if (job->code != 0)
        fail_msg("%s", err_text(job->error));
    runtime_job_free(job);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_keeps_its_code_and_text),
        cmocka_unit_test(open_that_fails_gives_its_reason_and_is_not_closed),
        cmocka_unit_test(call_ends_at_its_deadline),
        cmocka_unit_test(running_call_is_cancelled_and_tells_its_progress),
        cmocka_unit_test(queued_job_is_cancelled_at_once),
        cmocka_unit_test(job_cancelled_before_it_is_submitted_is_not_begun),
        cmocka_unit_test(spec_lives_while_the_call_lasts),
        cmocka_unit_test(plugin_message_is_logged_with_its_origin),
        cmocka_unit_test(failed_http_gives_the_call_its_text),
        cmocka_unit_test(operations_are_entered_with_all_signals_blocked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
