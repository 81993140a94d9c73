/* test_watch.c - plugins that tell what happens, and those that do it badly. */
#include "fake_plugin.h"

#include <stdio.h>

static const struct gantry_pair label = {"opencti-manager", "m1"};
static atomic_int watching; /* threads inside watch() */

static int
emit_event(struct gantry_call *call, uint32_t kind, const char *handle, const char *id)
{
    const struct gantry_event event = {sizeof event, kind, handle, id};
    return gantry_emit_event(&call_host_functions, call, &event);
}

/* Stay until cancelled, or until the test lets go. */
static int
stay(struct gantry_call *call, bool obey)
{
    atomic_fetch_add(&watching, 1);
    while (!atomic_load(&fake.go) && !(obey && gantry_cancelled(&call_host_functions, call)))
        poll(NULL, 0, 1);
    atomic_fetch_sub(&watching, 1);
    return GANTRY_E_CANCELLED;
}

typedef int watch_fn(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                     uint32_t count, uint32_t stride);

static struct rig
rig_that_watches(watch_fn *watch, uint32_t threads)
{
    struct gantry_plugin table = fake_table();
    table.watch = watch;
    table.threads = threads;
    struct rig rig = rig_open(&table, 1);
    runtime_allow_overtime(rig.runtime, 50);
    return rig;
}

static struct rig
rig_started(watch_fn *watch)
{
    struct rig rig = rig_that_watches(watch, GANTRY_THREADS_PARALLEL);
    assert_int_equal(runtime_watch_start(rig.backend, &label, 1, NULL), 0);
    return rig;
}

static struct runtime_event
take(const struct rig *rig)
{
    struct runtime_event event;
    int64_t until = clock_mono_ms() + 20000;
    while (!runtime_take_event(rig->runtime, &event)) {
        struct pollfd fd = {.fd = runtime_fd(rig->runtime), .events = POLLIN};
        assert_true(clock_mono_ms() < until);
        assert_int_not_equal(poll(&fd, 1, 20000), 0);
        assert_null(runtime_take_done(rig->runtime));
    }
    assert_ptr_equal(event.backend, rig->backend);
    assert_true(event.at_ms > 0 && event.at_ms <= clock_mono_ms());
    return event;
}

static void
take_kind(const struct rig *rig, enum runtime_event_kind kind)
{
    struct runtime_event event = take(rig);
    assert_int_equal(event.kind, kind);
    runtime_event_clear(&event);
}

static void
take_changed(const struct rig *rig, const char *handle, const char *id)
{
    struct runtime_event event = take(rig);
    assert_int_equal(event.kind, RUNTIME_EVENT_CHANGED);
    assert_string_equal(event.handle, handle);
    if (id)
        assert_string_equal(event.id, id);
    else
        assert_null(event.id);
    runtime_event_clear(&event);
}

/* The end, with its code and words of its text. */
static void
take_end(const struct rig *rig, int code, const char *words)
{
    struct runtime_event event = take(rig);
    assert_int_equal(event.kind, RUNTIME_EVENT_ENDED);
    assert_int_equal(event.code, code);
    if (words)
        assert_non_null(strstr(err_text(event.error), words));
    runtime_event_clear(&event);
}

static void
assert_quiet(const struct rig *rig)
{
    struct runtime_event event;
    struct pollfd fd = {.fd = runtime_fd(rig->runtime), .events = POLLIN};
    assert_false(runtime_take_event(rig->runtime, &event));
    assert_int_equal(poll(&fd, 1, 0), 0);
}

/* ---- a good one -------------------------------------------------------------------------------- */

static int
watch_well(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
           uint32_t stride)
{
    assert(self == &fake);
    assert(count == 1 && stride == sizeof *labels && labels != &label);
    assert(strcmp(labels->key, label.key) == 0 && strcmp(labels->value, label.value) == 0);
    assert(gantry_remaining_ms(&call_host_functions, call) == INT64_MAX);
    assert(emit_event(call, GANTRY_EVENT_SYNCED, NULL, NULL) == 0);
    assert(emit_event(call, GANTRY_EVENT_CHANGED, "h1", NULL) == 0);
    assert(emit_event(call, GANTRY_EVENT_CHANGED, "h2", "two") == 0);
    assert(emit_event(call, GANTRY_EVENT_CHANGED, "h1", "one") == 0);
    assert(emit_event(call, GANTRY_EVENT_LOST, NULL, NULL) == 0);
    return stay(call, true);
}

static void
events_come_in_order_and_a_waiting_handle_once(void **state)
{
    (void)state;
    struct rig rig = rig_started(watch_well);
    wait_until(atomic_load(&watching) == 1);
    take_kind(&rig, RUNTIME_EVENT_SYNCED);
    take_changed(&rig, "h1", "one");
    take_changed(&rig, "h2", "two");
    take_kind(&rig, RUNTIME_EVENT_LOST);
    assert_quiet(&rig);
    runtime_watch_stop(rig.backend);
    runtime_watch_stop(rig.backend);
    take_end(&rig, GANTRY_E_CANCELLED, NULL);
    assert_quiet(&rig);
    runtime_watch_stop(rig.backend); /* none runs: nothing */
    assert_int_equal(runtime_watch_start(rig.backend, &label, 1, NULL), 0);
    wait_until(atomic_load(&watching) == 1);
    rig_close(&rig);
    assert_int_equal(atomic_load(&watching), 0);
    assert_int_equal(atomic_load(&fake.closed), 1);
}

static void
second_watch_and_plugin_without_one_are_refused(void **state)
{
    (void)state;
    struct gantry_error *err = NULL;
    struct rig rig = rig_that_watches(NULL, GANTRY_THREADS_PARALLEL);
    assert_int_equal(runtime_watch_start(rig.backend, NULL, 0, &err), GANTRY_E_UNSUPPORTED);
    assert_non_null(strstr(err_text(err), "plugin 'fake' has no operation 'watch'"));
    gantry_error_free(err);
    err = NULL;
    rig_close(&rig);
    rig = rig_started(watch_well);
    wait_until(atomic_load(&watching) == 1);
    assert_int_equal(runtime_watch_start(rig.backend, &label, 1, &err), GANTRY_E_CONFLICT);
    assert_non_null(strstr(err_text(err), "runs already"));
    gantry_error_free(err);
    rig_close(&rig);
}

static void
serial_plugin_is_called_while_it_watches(void **state)
{
    (void)state;
    struct rig rig = rig_that_watches(watch_well, GANTRY_THREADS_SERIAL);
    assert_int_equal(runtime_watch_start(rig.backend, &label, 1, NULL), 0);
    wait_until(atomic_load(&watching) == 1);
    struct runtime_job *job = rig_do(&rig, rig_job(&rig, RUNTIME_INSPECT, "a"));
    assert_int_equal(job->code, 0); /* by the only worker */
    runtime_job_free(job);
    rig_close(&rig);
}

/* ---- bad ones ---------------------------------------------------------------------------------- */

static int
watch_hangs(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
            uint32_t stride)
{
    (void)self, (void)count, (void)stride;
    assert(emit_event(call, GANTRY_EVENT_SYNCED, NULL, NULL) == 0);
    stay(call, false);
    assert(strcmp(labels->value, label.value) == 0); /* its memory is still there */
    if (gantry_cancelled(&call_host_functions, call))
        assert(emit_event(call, GANTRY_EVENT_CHANGED, "late", NULL) == GANTRY_E_CANCELLED);
    gantry_fail(&call_host_functions, call, GANTRY_E_DENIED, "late");
    gantry_log(&call_host_functions, call, GANTRY_LOG_INFO, "late");
    return GANTRY_E_DENIED;
}

static struct rig
rig_left_hanging(void)
{
    struct rig rig = rig_started(watch_hangs);
    wait_until(atomic_load(&watching) == 1);
    take_kind(&rig, RUNTIME_EVENT_SYNCED);
    runtime_watch_stop(rig.backend);
    take_end(&rig, GANTRY_E_TIMEOUT, "plugin 'fake' does not return from watch");
    return rig;
}

static void
hanging_watch_is_left_behind_and_blocks_the_next_one(void **state)
{
    (void)state;
    struct rig rig = rig_left_hanging();
    assert_false(runtime_is_hung(rig.backend)); /* its calls are another matter */
    runtime_watch_stop(rig.backend);
    assert_quiet(&rig);
    struct gantry_error *err = NULL;
    assert_int_equal(runtime_watch_start(rig.backend, &label, 1, &err), GANTRY_E_CONFLICT);
    assert_non_null(strstr(err_text(err), "hangs"));
    gantry_error_free(err);
    atomic_store(&fake.go, true);
    struct pollfd fd = {.fd = runtime_fd(rig.runtime), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 20000), 1); /* told, so that the loop may start another one */
    assert_quiet(&rig);
    assert_int_equal(runtime_watch_start(rig.backend, &label, 1, NULL), 0);
    take_kind(&rig, RUNTIME_EVENT_SYNCED);
    take_end(&rig, GANTRY_E_DENIED, "late"); /* it goes at once by now */
    rig_close(&rig);
    assert_int_equal(atomic_load(&fake.closed), 1);
}

static void
everything_may_end_while_a_watch_hangs(void **state)
{
    (void)state;
    for (int order = 0; order < 4; order++) {
        struct rig rig = order < 2 ? rig_left_hanging() : rig_started(watch_hangs);
        wait_until(atomic_load(&watching) == 1);
        if (order % 2) {
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
        wait_until(atomic_load(&watching) == 0);
    }
}

static void
freeing_ends_a_watch_that_obeys(void **state)
{
    (void)state;
    struct rig rig = rig_started(watch_well);
    wait_until(atomic_load(&watching) == 1);
    runtime_free(rig.runtime);
    assert_int_equal(atomic_load(&watching), 0);
    runtime_close(rig.backend);
    runtime_plugin_free(rig.plugin);
    assert_int_equal(atomic_load(&fake.closed), 1);
}

/* What a case of garbage emits. */
static struct garbage {
    uint32_t emit_kind;
    const void *item;
    const char *words;
} garbage;

static int
watch_emits_garbage(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                    uint32_t count, uint32_t stride)
{
    (void)self, (void)labels, (void)count, (void)stride;
    assert(call_host_functions.emit(call, garbage.emit_kind, garbage.item) == GANTRY_E_INTERNAL);
    assert(emit_event(call, GANTRY_EVENT_SYNCED, NULL, NULL) == GANTRY_E_INTERNAL);
    return 0; /* which does not make it good */
}

static void
garbage_ends_the_watch_and_is_told(void **state)
{
    (void)state;
    static char longer[5000];
    memset(longer, 'x', sizeof longer - 1);
    struct gantry_status status = fake_status("h1");
#define EVENT(...) (&(const struct gantry_event){__VA_ARGS__})
#define SIZE       sizeof(struct gantry_event)
    const struct garbage cases[] = {
        {GANTRY_EMIT_STATUS, &status, "emitted a status, which"},
        {77, &status, "something unknown"},
        {GANTRY_EMIT_EVENT, NULL, "emitted NULL"},
        {GANTRY_EMIT_EVENT, EVENT(0, 1, "h", NULL), "size is not set"},
        {GANTRY_EMIT_EVENT, EVENT(SIZE, 0, "h", NULL), "kind 0"},
        {GANTRY_EMIT_EVENT, EVENT(SIZE, 4, "h", NULL), "kind 4"},
        {GANTRY_EMIT_EVENT, EVENT(SIZE, 1, NULL, NULL), "without a handle"},
        {GANTRY_EMIT_EVENT, EVENT(8, 1, "h", NULL), "without a handle"},
        {GANTRY_EMIT_EVENT, EVENT(SIZE, 1, "", NULL), "without a handle"},
        {GANTRY_EMIT_EVENT, EVENT(SIZE, 1, "\xff", NULL), "without a handle"},
        {GANTRY_EMIT_EVENT, EVENT(SIZE, 1, longer, NULL), "without a handle"},
        {GANTRY_EMIT_EVENT, EVENT(SIZE, 1, "h", "\xff"), "id that is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        garbage = cases[i];
        struct rig rig = rig_started(watch_emits_garbage);
        take_end(&rig, GANTRY_E_INTERNAL, garbage.words);
        assert_quiet(&rig);
        rig_close(&rig);
    }
}

static void *
emit_elsewhere(void *context)
{
    assert(emit_event(context, GANTRY_EVENT_SYNCED, NULL, NULL) == GANTRY_E_INTERNAL);
    return NULL;
}

static int
watch_emits_elsewhere(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                      uint32_t count, uint32_t stride)
{
    pthread_t other;
    (void)self, (void)labels, (void)count, (void)stride;
    assert(pthread_create(&other, NULL, emit_elsewhere, call) == 0);
    pthread_join(other, NULL);
    return stay(call, true);
}

static void
event_from_another_thread_is_refused(void **state)
{
    (void)state;
    struct rig rig = rig_started(watch_emits_elsewhere);
    wait_until(atomic_load(&watching) == 1);
    runtime_watch_stop(rig.backend);
    take_end(&rig, GANTRY_E_INTERNAL, "from another thread");
    rig_close(&rig);
}

static int
watch_returns(void *self, struct gantry_call *call, const struct gantry_pair *labels,
              uint32_t count, uint32_t stride)
{
    (void)self, (void)call, (void)labels, (void)count, (void)stride;
    return 0;
}

static void
watch_that_returns_at_once_is_told_and_may_be_started_again(void **state)
{
    (void)state;
    struct rig rig = rig_started(watch_returns);
    for (int i = 0; i < 100; i++) {
        take_end(&rig, GANTRY_E_INTERNAL, "which nobody had asked for");
        assert_int_equal(runtime_watch_start(rig.backend, NULL, 0, NULL), 0);
    }
    rig_close(&rig);
}

/* ---- many -------------------------------------------------------------------------------------- */

static bool floods_end_lost;

static int
watch_floods(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
             uint32_t stride)
{
    (void)self, (void)labels, (void)count, (void)stride;
    emit_event(call, GANTRY_EVENT_SYNCED, NULL, NULL);
    for (int i = 0; i < 100000; i++) {
        char handle[16];
        snprintf(handle, sizeof handle, "h%d", i);
        assert(emit_event(call, GANTRY_EVENT_CHANGED, handle, handle) == 0);
    }
    for (int i = 0; floods_end_lost && i < RUNTIME_EVENTS_MAX; i++)
        assert(emit_event(call, i % 2 ? GANTRY_EVENT_LOST : GANTRY_EVENT_SYNCED, NULL, NULL) == 0);
    return stay(call, true);
}

static void
flood_becomes_a_listing(void **state)
{
    (void)state;
    floods_end_lost = false;
    struct rig rig = rig_started(watch_floods);
    wait_until(atomic_load(&watching) == 1);
    take_kind(&rig, RUNTIME_EVENT_SYNCED); /* for all that is not told any more */
    struct runtime_event event;
    size_t count = 0;
    char expected[16];
    while (runtime_take_event(rig.runtime, &event)) {
        snprintf(expected, sizeof expected, "h%zu", 100000 - (100000 % RUNTIME_EVENTS_MAX) + count);
        count++;
        runtime_event_clear(&event);
    }
    assert_in_range(count, 1, RUNTIME_EVENTS_MAX);
    assert_string_equal(expected, "h99999"); /* and the newest is the last */
    assert_quiet(&rig);
    rig_close(&rig);
}

static void
flood_ends_lost_when_the_plugin_does(void **state)
{
    (void)state;
    floods_end_lost = true;
    struct rig rig = rig_started(watch_floods);
    wait_until(atomic_load(&watching) == 1);
    struct runtime_event event;
    enum runtime_event_kind last = RUNTIME_EVENT_CHANGED;
    size_t count = 0;
    for (; runtime_take_event(rig.runtime, &event); count++) {
        last = event.kind;
        runtime_event_clear(&event);
    }
    assert_in_range(count, 2, RUNTIME_EVENTS_MAX);
    assert_int_equal(last, RUNTIME_EVENT_LOST);
    rig_close(&rig);
}

static void
events_of_a_closed_backend_are_dropped(void **state)
{
    (void)state;
    struct rig rig = rig_started(watch_well);
    struct runtime_backend *other = NULL;
    struct gantry_settings settings = {.size = sizeof settings, .section = "other"};
    assert_int_equal(runtime_open(rig.runtime, rig.plugin, &settings, &other, NULL), 0);
    assert_int_equal(runtime_watch_start(other, &label, 1, NULL), 0);
    wait_until(atomic_load(&watching) == 2);
    runtime_close(other);
    for (int i = 0; i < 4; i++) {
        struct runtime_event event = take(&rig); /* which checks whose they are */
        runtime_event_clear(&event);
    }
    assert_quiet(&rig);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_order_and_a_waiting_handle_once),
        cmocka_unit_test(second_watch_and_plugin_without_one_are_refused),
        cmocka_unit_test(serial_plugin_is_called_while_it_watches),
        cmocka_unit_test(hanging_watch_is_left_behind_and_blocks_the_next_one),
        cmocka_unit_test(everything_may_end_while_a_watch_hangs),
        cmocka_unit_test(freeing_ends_a_watch_that_obeys),
        cmocka_unit_test(garbage_ends_the_watch_and_is_told),
        cmocka_unit_test(event_from_another_thread_is_refused),
        cmocka_unit_test(watch_that_returns_at_once_is_told_and_may_be_started_again),
        cmocka_unit_test(flood_becomes_a_listing),
        cmocka_unit_test(flood_ends_lost_when_the_plugin_does),
        cmocka_unit_test(events_of_a_closed_backend_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
