/* test_emit.c - what a plugin may give back, and what becomes of the rest. */
#include "fake_plugin.h"

static void
expect_broken(struct runtime_job *job, const char *what)
{
    assert_int_equal(job->code, GANTRY_E_INTERNAL);
    assert_non_null(strstr(err_text(job->error), "plugin 'fake'"));
    if (!strstr(err_text(job->error), what))
        fail_msg("'%s' lacks '%s'", err_text(job->error), what);
    assert_int_equal(job->statuses.len, 0);
    runtime_job_free(job);
}

/* ---- good ones ------------------------------------------------------------------------------- */

static int
inspect_all_fields(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    (void)self;
    char handle[32], value[16];
    snprintf(handle, sizeof handle, "%s", ref->handle);
    snprintf(value, sizeof value, "v\xc3\xa4");
    const struct wide { /* an array of a newer version, with a longer element */
        struct gantry_pair pair;
        uint64_t more;
    } labels[] = {{{"a", value}, 1}, {{"b", "2\xff"}, 2}};
    struct gantry_status s = fake_status(handle);
    s.labels = &labels[0].pair;
    s.label_count = 2;
    s.label_stride = sizeof labels[0];
    s.hash = "abc";
    s.present = GANTRY_STATUS_EXIT_CODE;
    s.exit_code = 3;
    int rc = gantry_emit_status(fake.host, call, &s);
    memset(handle, 'x', sizeof handle); /* borrowed for the call only */
    memset(value, 'x', sizeof value);
    return rc;
}

static void
emitted_status_is_copied_whole(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.inspect = inspect_all_fields;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = rig_do(&rig, rig_job(&rig, RUNTIME_INSPECT, "c1"));
    assert_int_equal(job->code, 0);
    assert_int_equal(job->statuses.len, 1);
    const struct gantry_status *s = &job->statuses.ptr[0];
    assert_string_equal(s->handle, "h1");
    assert_string_equal(s->hash, "abc");
    assert_int_equal(s->exit_code, 3);
    assert_int_equal(s->label_stride, sizeof(struct gantry_pair));
    assert_string_equal(s->labels[0].value, "v\xc3\xa4");
    assert_string_equal(s->labels[1].key, "b");
    assert_string_equal(s->labels[1].value, "2?"); /* no UTF-8 */
    assert_null(s->image);
    runtime_job_free(job);
    rig_close(&rig);
    assert_int_equal(atomic_load(&fake.closed), 1);
}

static int
inspect_short(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    (void)self;
    struct gantry_status s = fake_status(ref->handle);
    s.restarts = 7; /* beyond what the size covers */
    s.size = offsetof(struct gantry_status, restarts);
    return gantry_emit_status(fake.host, call, &s);
}

static void
missing_fields_of_an_older_plugin_are_zero(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.inspect = inspect_short;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = rig_do(&rig, rig_job(&rig, RUNTIME_INSPECT, "c1"));
    assert_int_equal(job->code, 0);
    assert_int_equal(job->statuses.ptr[0].restarts, 0);
    assert_int_equal(job->statuses.ptr[0].size, sizeof(struct gantry_status));
    runtime_job_free(job);
    rig_close(&rig);
}

static int
logs_two(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
         const struct gantry_log_limits *limits)
{
    (void)self;
    (void)ref;
    assert(cursor == NULL);
    assert(limits->size == sizeof *limits);
    struct gantry_line line = {.size = sizeof line,
                               .stream = GANTRY_STREAM_STDERR,
                               .text = "a\0b",
                               .text_size = 3,
                               .cursor = "c1"};
    int rc = gantry_emit_line(fake.host, call, &line);
    if (rc)
        return rc;
    line.text = NULL;
    line.text_size = 0;
    line.cursor = "c2";
    return gantry_emit_line(fake.host, call, &line);
}

static void
lines_keep_their_bytes_and_the_limits_hold(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.logs = logs_two;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = rig_do(&rig, rig_job(&rig, RUNTIME_LOGS, "c1"));
    assert_int_equal(job->code, 0);
    assert_int_equal(job->lines.len, 2);
    assert_memory_equal(job->lines.ptr[0].text, "a\0b", 4);
    assert_string_equal(job->lines.ptr[1].cursor, "c2");
    assert_string_equal(job->lines.ptr[1].text, "");
    runtime_job_free(job);

    job = rig_job(&rig, RUNTIME_LOGS, "c1");
    job->limits.max_lines = 1;
    job = rig_do(&rig, job);
    assert_int_equal(job->lines.len, 0);
    expect_broken(job, "more than 1 lines");
    rig_close(&rig);
}

static int
probe_traits(void *self, struct gantry_call *call)
{
    (void)self;
    struct gantry_traits t = {.size = sizeof t, .product = "Box", .version = "1.2"};
    return gantry_emit_traits(fake.host, call, &t);
}

static void
probe_gives_traits_and_is_unsupported_without(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.probe = probe_traits;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = rig_do(&rig, runtime_job_new(RUNTIME_PROBE, rig.backend));
    assert_int_equal(job->code, 0);
    assert_string_equal(job->traits.product, "Box");
    runtime_job_free(job);
    rig_close(&rig);

    table.probe = NULL;
    rig = rig_open(&table, 1);
    job = rig_do(&rig, runtime_job_new(RUNTIME_PROBE, rig.backend));
    assert_int_equal(job->code, GANTRY_E_UNSUPPORTED);
    assert_string_equal(err_text(job->error), "plugin 'fake' has no operation 'probe'");
    runtime_job_free(job);
    rig_close(&rig);
}

/* ---- bad ones -------------------------------------------------------------------------------- */

static struct gantry_status bad_status;
static uint32_t bad_kind;
static int bad_times;

static int
inspect_bad(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    (void)self;
    (void)ref;
    for (int i = 0; i < bad_times; i++)
        (void)fake.host->emit(call, bad_kind, &bad_status); /* and ignores what it is told */
    return 0;
}

/* How to spoil a good status, and the words that the error must have. */
static const struct gantry_pair null_label = {"a", NULL};
static const struct {
    const char *words;
    struct gantry_status status;
    uint32_t kind;
    int times;
} spoilt[] = {
#define GOOD .size = sizeof(struct gantry_status), .handle = "h", .name = "h", .state = 3
    {"size is not set", {.size = 0, .handle = "h", .name = "h"}, GANTRY_EMIT_STATUS, 1},
    {"size is not set", {.size = 1000000, .handle = "h", .name = "h"}, GANTRY_EMIT_STATUS, 1},
    {"without a handle", {.size = 200, .name = "h"}, GANTRY_EMIT_STATUS, 1},
    {"without a handle", {.size = 200, .handle = "", .name = "h"}, GANTRY_EMIT_STATUS, 1},
    {"without a handle", {.size = 200, .handle = "\xc3", .name = "h"}, GANTRY_EMIT_STATUS, 1},
    {"has no name", {.size = 200, .handle = "h"}, GANTRY_EMIT_STATUS, 1},
    {"has state 11", {.size = 200, .handle = "h", .name = "h", .state = 11}, GANTRY_EMIT_STATUS, 1},
    {"has health 4", {GOOD, .health = 4}, GANTRY_EMIT_STATUS, 1},
    {"broken array", {GOOD, .label_count = 1, .label_stride = 16}, GANTRY_EMIT_STATUS, 1},
    {"broken array", {GOOD, .labels = &null_label, .label_count = 1}, GANTRY_EMIT_STATUS, 1},
    {"label that is NULL",
     {GOOD, .labels = &null_label, .label_count = 1, .label_stride = sizeof null_label},
     GANTRY_EMIT_STATUS,
     1},
    {"more than one status", {GOOD}, GANTRY_EMIT_STATUS, 2},
    {"emitted a line", {GOOD}, GANTRY_EMIT_LINE, 1},
    {"something unknown", {GOOD}, 99, 1},
    {"without a status", {GOOD}, GANTRY_EMIT_STATUS, 0},
#undef GOOD
};

static void
broken_status_is_internal(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.inspect = inspect_bad;
    struct rig rig = rig_open(&table, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(spoilt); i++) {
        bad_status = spoilt[i].status;
        if (bad_status.size == 200) /* stands for the right size, whatever it is */
            bad_status.size = sizeof bad_status;
        bad_kind = spoilt[i].kind;
        bad_times = spoilt[i].times;
        expect_broken(rig_do(&rig, rig_job(&rig, RUNTIME_INSPECT, "c")), spoilt[i].words);
    }
    rig_close(&rig);
}

static int
stop_emits(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    (void)self;
    (void)grace_ms;
    struct gantry_status s = fake_status(ref->handle);
    return gantry_emit_status(fake.host, call, &s);
}

static void
operation_that_gives_nothing_may_not_emit(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.stop = stop_emits;
    struct rig rig = rig_open(&table, 1);
    expect_broken(rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "c")), "which this operation may not");
    rig_close(&rig);
}

static struct gantry_call *stray_call;

static void *
emit_elsewhere(void *context)
{
    struct gantry_status s = fake_status("h1");
    *(int *)context = gantry_emit_status(fake.host, stray_call, &s);
    return NULL;
}

static int
inspect_elsewhere(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    (void)self;
    (void)ref;
    pthread_t thread;
    int rc = 0;
    stray_call = call;
    int made = pthread_create(&thread, NULL, emit_elsewhere, &rc);
    assert(made == 0);
    pthread_join(thread, NULL);
    assert(rc == GANTRY_E_INTERNAL);
    return 0;
}

static void
emit_from_another_thread_or_after_return_is_refused(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.inspect = inspect_elsewhere;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = rig_do(&rig, rig_job(&rig, RUNTIME_INSPECT, "c"));
    int rc = 0;
    emit_elsewhere(&rc); /* the call has returned */
    assert_int_equal(rc, GANTRY_E_INTERNAL);
    assert_int_equal(job->statuses.len, 0);
    expect_broken(job, "another thread");
    rig_close(&rig);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static const char *list_handles[2];
static const char *list_value;
static int list_code;

static int
list_some(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
          uint32_t stride)
{
    (void)self;
    (void)count;
    (void)stride;
    for (size_t i = 0; i < ARRAY_LENGTH(list_handles) && list_handles[i]; i++) {
        struct gantry_pair label = {labels[0].key, list_value};
        struct gantry_status s = fake_status(list_handles[i]);
        s.labels = &label;
        s.label_count = 1;
        s.label_stride = sizeof label;
        int rc = gantry_emit_status(fake.host, call, &s);
        if (rc)
            return rc;
    }
    return list_code;
}

static struct runtime_job *
list_job(const struct rig *rig)
{
    static const struct gantry_pair wanted = {GANTRY_LABEL_MANAGER, "m1"};
    struct runtime_job *job = runtime_job_new(RUNTIME_LIST, rig->backend);
    job->labels = &wanted;
    job->label_count = 1;
    return rig_do(rig, job);
}

static void
list_is_whole_or_nothing(void **state)
{
    (void)state;
    struct gantry_plugin table = fake_table();
    table.list = list_some;
    struct rig rig = rig_open(&table, 1);
    list_handles[0] = "a";
    list_handles[1] = "b";
    list_value = "m1";
    list_code = 0;
    struct runtime_job *job = list_job(&rig);
    assert_int_equal(job->code, 0);
    assert_int_equal(job->statuses.len, 2);
    assert_string_equal(job->statuses.ptr[1].handle, "b");
    runtime_job_free(job);

    list_code = GANTRY_E_NOT_FOUND; /* nobody may read this as "there is none" */
    job = list_job(&rig);
    assert_int_equal(job->code, GANTRY_E_UNAVAILABLE);
    assert_int_equal(job->statuses.len, 0);
    runtime_job_free(job);

    list_code = 0;
    list_value = "m2";
    expect_broken(list_job(&rig), "lacks the label opencti-manager=m1");
    list_value = "m1";
    list_handles[1] = "a";
    expect_broken(list_job(&rig), "listed 'a' twice");
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emitted_status_is_copied_whole),
        cmocka_unit_test(missing_fields_of_an_older_plugin_are_zero),
        cmocka_unit_test(lines_keep_their_bytes_and_the_limits_hold),
        cmocka_unit_test(probe_gives_traits_and_is_unsupported_without),
        cmocka_unit_test(broken_status_is_internal),
        cmocka_unit_test(operation_that_gives_nothing_may_not_emit),
        cmocka_unit_test(emit_from_another_thread_or_after_return_is_refused),
        cmocka_unit_test(list_is_whole_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
