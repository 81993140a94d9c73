/* test_kit.c - the kit on the smallest plugin that works, and calls of it by hand. */
#include "conformance_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MEMORY GANTRY_BINARY_DIR "/tests/plugins/gantry-memory.so"

struct seen {
    unsigned tried, failed, began;
};

static int
began(void *context, const struct gantry_promise *promise)
{
    struct seen *seen = context;
    assert_true(promise->name[0] && promise->text[0]);
    seen->began++;
    return 0;
}

static int
ended(void *context, const struct gantry_promise *promise, uint32_t outcome, const char *detail,
      int64_t took_ms)
{
    struct seen *seen = context;
    seen->tried++;
    assert_true((outcome == GANTRY_PROMISE_OK) == (detail == NULL));
    assert_true(took_ms >= 0);
    if (outcome == GANTRY_PROMISE_FAILED) {
        seen->failed++;
        print_error("%s: %s\n", promise->name, detail);
    }
    return 0;
}

static void
smallest_plugin_keeps_all_promises(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct gantry_conformance request = {
        .size = sizeof request, .plugin = MEMORY, .began = began, .ended = ended, .context = &seen};
    struct gantry_error *err = NULL;
    size_t count = 0;
    while (gantry_promise_at(count))
        count++;
    if (gantry_plugin_test(&request, &err) < 0)
        fail_msg("%s", err_text(err));
    assert_int_equal(seen.tried, count);
    assert_int_equal(seen.began, count);
    assert_int_equal(seen.failed, 0);
}

static int
stop(void *context, const struct gantry_promise *promise, uint32_t outcome, const char *detail,
     int64_t took_ms)
{
    (void)promise;
    (void)outcome;
    (void)detail;
    (void)took_ms;
    ++*(int *)context;
    return 42;
}

static void
test_ends_when_it_is_told_to(void **state)
{
    (void)state;
    int calls = 0;
    struct gantry_conformance request = {
        .size = sizeof request, .plugin = MEMORY, .ended = stop, .context = &calls};
    assert_int_equal(gantry_plugin_test(&request, NULL), 42);
    assert_int_equal(calls, 1);
}

static void
unknown_promise_is_named(void **state)
{
    (void)state;
    const char *const only[] = {"start.nothing"};
    struct gantry_conformance request = {
        .size = sizeof request, .plugin = MEMORY, .only = only, .only_count = 1, .ended = stop};
    struct gantry_error *err = NULL;
    assert_int_equal(gantry_plugin_test(&request, &err), GANTRY_E_INVALID);
    assert_string_equal(err_text(err), "there is no promise 'start.nothing'");
    gantry_error_free(err);
}

static void
write_settings(char path[32], const char *text)
{
    memcpy(path, "/tmp/gantry-kit-test-XXXXXX", sizeof "/tmp/gantry-kit-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void
expect_problem(const char *text, const char *problem)
{
    char path[32], expected[512];
    int calls = 0;
    write_settings(path, text);
    struct gantry_conformance request = {.size = sizeof request,
                                         .plugin = MEMORY,
                                         .settings_file = path,
                                         .ended = stop,
                                         .context = &calls};
    struct gantry_error *err = NULL;
    assert_int_equal(gantry_plugin_test(&request, &err), GANTRY_E_INVALID);
    snprintf(expected, sizeof expected, "%s%s", problem[0] == ':' ? path : "", problem);
    assert_string_equal(err_text(err), expected);
    assert_int_equal(calls, 0);
    gantry_error_free(err);
    (void)unlink(path);
}

static void
settings_are_checked_as_a_manager_does(void **state)
{
    (void)state;
    expect_problem("[backend memory]\n\n[kit]\nimagge = x\n",
                   ":4: [kit] imagge: unknown key; did you mean 'image'?");
    expect_problem(
        "[backend memory]\nsocket = /x\n",
        ":2: [backend memory] socket: unknown key; 'gantry plugin info memory' lists the "
        "known ones");
    expect_problem("[backend docker]\n",
                   "[backend docker] is for plugin 'docker', and this one is 'memory'; call it "
                   "[backend memory], or add 'plugin = memory'");
    expect_problem("[backend memory]\n[kit]\naway = socket=/x\n",
                   "[kit] away: program: [backend memory] socket: unknown key; 'gantry plugin info "
                   "memory' lists the known ones");
}

/* ---- calls by hand -------------------------------------------------------------------------------- */

struct emitted {
    unsigned count;
    char handle[64];
    char lines[4096]; /* of the trace */
};

static int
take(void *context, uint32_t kind, const void *item)
{
    struct emitted *emitted = context;
    const struct gantry_status *status = item;
    assert_int_equal(kind, GANTRY_EMIT_STATUS);
    snprintf(emitted->handle, sizeof emitted->handle, "%s", status->handle);
    emitted->count++;
    return 0;
}

static void
trace(void *context, const char *line)
{
    struct emitted *emitted = context;
    size_t length = strlen(emitted->lines);
    snprintf(emitted->lines + length, sizeof emitted->lines - length, "%s\n", line);
}

static void
plugin_can_be_called_by_hand(void **state)
{
    (void)state;
    struct emitted emitted = {0};
    struct gantry_session_options options = {
        .size = sizeof options, .plugin = MEMORY, .trace = trace, .context = &emitted};
    struct gantry_session *session = NULL;
    struct gantry_error *err = NULL;
    if (gantry_session_open(&options, &session, &err) < 0)
        fail_msg("%s", err_text(err));
    const struct gantry_pair label = {GANTRY_LABEL_MANAGER, "me"};
    struct gantry_spec spec = {.size = sizeof spec,
                               .id = "c1",
                               .name = "one",
                               .hash = "h",
                               .image = "image",
                               .labels = &label,
                               .label_count = 1,
                               .label_stride = sizeof label};
    struct gantry_request request = {.size = sizeof request,
                                     .operation = "start",
                                     .spec = &spec,
                                     .emitted = take,
                                     .context = &emitted};
    assert_int_equal(gantry_session_call(session, &request, NULL), 0);
    assert_int_equal(emitted.count, 1);
    assert_non_null(strstr(emitted.lines, "emits status: handle w1, name one, running, 1 labels"));
    struct gantry_ref ref = {.size = sizeof ref, .handle = emitted.handle};
    request = (struct gantry_request){.size = sizeof request, .operation = "inspect", .ref = &ref};
    assert_int_equal(gantry_session_call(session, &request, NULL), 0);
    ref.handle = "nobody";
    assert_int_equal(gantry_session_call(session, &request, &err), GANTRY_E_NOT_FOUND);
    assert_string_equal(err_text(err), "there is no workload 'nobody'");
    gantry_error_free(err);
    request.operation = "watch";
    assert_int_equal(gantry_session_call(session, &request, NULL), GANTRY_E_UNSUPPORTED);
    request.operation = "pull";
    request.spec = &spec;
    assert_int_equal(gantry_session_call(session, &request, NULL), GANTRY_E_UNSUPPORTED);
    request.operation = "dance";
    assert_int_equal(gantry_session_call(session, &request, NULL), GANTRY_E_INVALID);
    gantry_session_free(session);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_plugin_keeps_all_promises),
        cmocka_unit_test(test_ends_when_it_is_told_to),
        cmocka_unit_test(unknown_promise_is_named),
        cmocka_unit_test(settings_are_checked_as_a_manager_does),
        cmocka_unit_test(plugin_can_be_called_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
