/* Where Podman is, what its refusals mean, and what it says. */
#include "fake_engine.h"
#include "log_decode.h"
#include "podman.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct engine_dialect dialect = {
    .prefix = "/libpod",
    .stop = podman_stop,
    .translate = podman_translate,
    .emit_listed = podman_emit_listed,
};

static void
begin(struct fake_engine *fake, const struct fake_answer *answers, size_t count)
{
    fake_begin(fake, answers, count);
    fake->engine.dialect = &dialect;
    fake->engine.classify = podman_classify;
}

/* ---- where it is */

static void
roots_socket_is_below_run(void **state)
{
    char advice[600];
    char *address = podman_find_address("/run/user/0", 0, advice, sizeof advice);
    (void)state;
    assert_string_equal(address, "unix:///run/podman/podman.sock");
    assert_non_null(strstr(advice, "'systemctl enable --now podman.socket'"));
    free(address);
}

static void
users_socket_is_in_his_session_or_below_tmp(void **state)
{
    char advice[600], folder[] = "/tmp/gtu.XXXXXX", there[100], other[100];
    unsigned uid = (unsigned)getpid() + 1000000; /* nobody's: nothing of his is below /tmp */
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(there, sizeof there, "unix://%s/podman/podman.sock", folder);
    snprintf(other, sizeof other, "/tmp/podman-run-%u", uid);
    char *address = podman_find_address(folder, uid, advice, sizeof advice);
    assert_string_equal(address, there); /* not there yet, and may come */
    assert_non_null(strstr(advice, "systemctl --user enable --now podman.socket"));
    assert_non_null(strstr(advice, other));
    assert_non_null(strstr(advice, folder));
    free(address);
    address = podman_find_address(NULL, uid, advice, sizeof advice);
    assert_int_equal(strncmp(address, "unix:///tmp/podman-run-", 23), 0);
    free(address);
    char nested[120], socket[140];
    snprintf(nested, sizeof nested, "%s/podman", other);
    snprintf(socket, sizeof socket, "%s/podman.sock", nested);
    assert_int_equal(mkdir(other, 0700), 0);
    assert_int_equal(mkdir(nested, 0700), 0);
    int fd = open(socket, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    address = podman_find_address(folder, uid, advice, sizeof advice);
    assert_string_equal(address + 7, socket); /* this one is there */
    free(address);
    unlink(socket);
    rmdir(nested);
    rmdir(other);
    rmdir(folder);
}

/* ---- refusals */

static void
refusals_are_told_apart_by_their_cause(void **state)
{
    static const struct {
        uint32_t status;
        const char *body;
        int code;
    } cases[] = {
        {404, "{\"cause\":\"no such container\",\"message\":\"m\"}", GANTRY_E_NOT_FOUND},
        {500, "{\"cause\":\"image not known\",\"message\":\"m\"}", GANTRY_E_IMAGE_MISSING},
        {500, "{\"cause\":\"that name is already in use\",\"message\":\"m\"}", GANTRY_E_CONFLICT},
        {409, "{\"cause\":\"container already exists\",\"message\":\"m\"}", GANTRY_E_CONFLICT},
        {500, "{\"cause\":\"container state improper\",\"message\":\"m\"}", GANTRY_E_CONFLICT},
        {500, "{\"cause\":\"network not found\",\"message\":\"m\"}", GANTRY_E_INVALID},
        {500, "{\"cause\":\"OCI permission denied\",\"message\":\"m\"}", GANTRY_E_INVALID},
        {500, "{\"cause\":\"something new\",\"message\":\"m\"}", 0},
        /* What has no cause does not come from Podman, and says nothing of a container. */
        {404, "{\"message\":\"No such container: x\"}", GANTRY_E_UNAVAILABLE},
        {404, "Not Found\n", GANTRY_E_UNAVAILABLE},
        {401, "Unauthorized", 0},
        {502, "", 0},
    };
    char message[100] = "m";
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct engine_reply reply = {.status = cases[i].status, .body = TEXT(1000)};
        text_add(&reply.body, cases[i].body);
        assert_int_equal(podman_classify(&reply, false, message, sizeof message), cases[i].code);
        engine_reply_clear(&reply);
    }
}

/* ---- what it says */

static cJSON *
container(const char *status, const char *policy, int exit_code, const char *labels)
{
    char text[600];
    snprintf(text, sizeof text,
             "{\"Id\":\"i\",\"Name\":\"n\",\"State\":{\"Status\":\"%s\",\"Running\":false,"
             "\"ExitCode\":%d},"
             "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"%s\"}},\"Config\":{\"Labels\":{%s}}}",
             status, exit_code, policy, labels);
    cJSON *tree = cJSON_Parse(text);
    assert_non_null(tree);
    return tree;
}

static void
end_before_a_restart_is_restarting(void **state)
{
    static const struct {
        const char *status, *policy;
        int exit_code;
        const char *word;
        bool running;
    } cases[] = {
        {"stopped", "always", 0, "restarting", true},
        {"stopped", "on-failure", 1, "restarting", true},
        {"stopped", "on-failure", 0, "stopped", false},
        {"stopped", "no", 1, "stopped", false},
        {"stopped", "", 1, "stopped", false},
        {"exited", "always", 1, "exited", false},
        {"paused", "no", 0, "paused", true},
    };
    struct fake_engine fake;
    (void)state;
    begin(&fake, NULL, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_JSON tree = container(cases[i].status, cases[i].policy, cases[i].exit_code, "");
        assert_int_equal(podman_translate(&fake.task, tree), 0);
        assert_string_equal(json_text(tree, "State.Status"), cases[i].word);
        assert_int_equal(json_bool(tree, "State.Running"), cases[i].running);
    }
    AUTO_JSON unit = container("running", "no", 0, "\"PODMAN_SYSTEMD_UNIT\":\"a.service\"");
    assert_int_equal(podman_translate(&fake.task, unit), GANTRY_E_NOT_FOUND);
    assert_non_null(strstr(fake.task.error, "a.service"));
    fake_end(&fake);
}

static void
listing_tells_states(void **state)
{
    static const struct {
        const char *rest;
        uint32_t state;
    } cases[] = {
        {"\"State\":\"running\",\"Status\":\"\"", GANTRY_STATE_RUNNING},
        {"\"State\":\"running\",\"Status\":\"starting\"", GANTRY_STATE_STARTING},
        {"\"State\":\"exited\",\"ExitCode\":5", GANTRY_STATE_FAILED},
        {"\"State\":\"exited\",\"ExitCode\":143", GANTRY_STATE_EXITED},
        {"\"State\":\"stopped\",\"ExitCode\":0", GANTRY_STATE_EXITED},
        {"\"State\":\"stopped\",\"ExitCode\":5,\"Labels\":{\"gantry.engine.restart\":\"always\"}",
         GANTRY_STATE_RESTARTING},
        {"\"State\":\"initialized\"", GANTRY_STATE_STARTING},
        {"\"State\":\"created\"", GANTRY_STATE_CREATED},
        {"\"State\":\"of later times\"", GANTRY_STATE_UNKNOWN},
    };
    struct fake_engine fake;
    (void)state;
    begin(&fake, NULL, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[400];
        snprintf(text, sizeof text, "{\"Id\":\"i\",\"Names\":[\"n\"],%s}", cases[i].rest);
        AUTO_JSON item = cJSON_Parse(text);
        assert_int_equal(podman_emit_listed(&fake.task, item), 0);
        assert_int_equal(fake.last_state, cases[i].state);
    }
    size_t told = fake.status_count;
    AUTO_JSON unit = cJSON_Parse(
        "{\"Id\":\"i\",\"State\":\"running\",\"Labels\":{\"PODMAN_SYSTEMD_UNIT\":\"a\"}}");
    assert_int_equal(podman_emit_listed(&fake.task, unit), 0);
    assert_int_equal(fake.status_count, told);
    AUTO_JSON broken = cJSON_Parse("{\"Id\":\"i\"}");
    assert_int_equal(podman_emit_listed(&fake.task, broken), GANTRY_E_UNAVAILABLE);
    fake_end(&fake);
}

#define INSPECT(status)                                                                            \
    "{\"Id\":\"c\",\"Name\":\"n\",\"State\":{\"Status\":\"" status                                 \
    "\",\"Running\":true,\"ExitCode\":1},\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"always\"}}" \
    "}"
#define RESTARTS(status, policy, count)                                                            \
    "{\"Id\":\"c\",\"Name\":\"n\",\"RestartCount\":" count                                         \
    ",\"State\":{\"Running\":true,\"Status\":\"" status                                            \
    "\"},\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"" policy "\"}}}"
#define STOP "POST /libpod/containers/c/stop?timeout=3"
#define LOOK "GET /libpod/containers/c/json"

static void
stop_asks_until_nothing_starts_again(void **state)
{
    static const struct fake_answer answers[] = {
        /* Nothing starts it again by itself: one look is enough. */
        {STOP, 304, "", 0, NULL},
        {LOOK, 200, RESTARTS("exited", "no", "0"), 0, NULL},
        /* It was about to be started again, and was; the second stop holds. */
        {STOP, 304, "", 0, NULL},
        {LOOK, 200, RESTARTS("running", "always", "1"), 0, NULL},
        {STOP, 204, "", 0, NULL},
        {LOOK, 200, RESTARTS("exited", "always", "1"), 0, NULL},
        {STOP, 304, "", 0, NULL},
        {LOOK, 200, RESTARTS("exited", "always", "1"), 0, NULL},
        /* It ran and ended between two looks. */
        {STOP, 204, "", 0, NULL},
        {LOOK, 200, RESTARTS("exited", "always", "1"), 0, NULL},
        {STOP, 304, "", 0, NULL},
        {LOOK, 200, RESTARTS("exited", "always", "2"), 0, NULL},
        {STOP, 304, "", 0, NULL},
        {LOOK, 200, RESTARTS("exited", "always", "2"), 0, NULL},
        /* A paused one is not stopped. */
        {STOP, 500, "{\"cause\":\"container state improper\",\"message\":\"m\"}", 0, NULL},
        {LOOK, 200, RESTARTS("paused", "no", "0"), 0, NULL},
        {"POST /libpod/containers/c/unpause", 204, "", 0, NULL},
        {STOP, 204, "", 0, NULL},
        {LOOK, 200, RESTARTS("exited", "no", "0"), 0, NULL},
        /* What cannot be looked at is not stopped either. */
        {STOP, 204, "", 0, NULL},
        {LOOK, 500, "{\"cause\":\"c\",\"message\":\"m\"}", 0, NULL},
    };
    struct fake_engine fake;
    (void)state;
    begin(&fake, answers, COUNT(answers));
    for (int i = 0; i < 4; i++)
        assert_int_equal(podman_stop(&fake.task, "c", 3), 0);
    assert_int_equal(podman_stop(&fake.task, "c", 3), GANTRY_E_UNAVAILABLE);
    fake_end(&fake);
}

static void
panic_of_podman_is_asked_again_once(void **state)
{
    static const char panic[] =
        "{\"cause\":\"runtime error\",\"message\":\"nil pointer dereference\"}";
    static const struct fake_answer answers[] = {{LOOK, 500, panic, 0, NULL},
                                                 {LOOK, 200, INSPECT("running"), 0, NULL},
                                                 {LOOK, 500, panic, 0, NULL},
                                                 {LOOK, 500, panic, 0, NULL}};
    struct fake_engine fake;
    cJSON *tree = NULL;
    (void)state;
    begin(&fake, answers, COUNT(answers));
    assert_int_equal(engine_inspect(&fake.task, "c", &tree), 0);
    json_clear_secret(&tree);
    assert_int_equal(engine_inspect(&fake.task, "c", &tree), GANTRY_E_UNAVAILABLE);
    fake_end(&fake);
}

static void
removal_that_failed_inside_a_200_is_a_failure(void **state)
{
    static const char removal[] = "DELETE /libpod/containers/c?force=1&v=1&timeout=0";
    static const struct fake_answer answers[] = {
        {removal, 200, "[{\"Id\":\"c\",\"RawInput\":\"c\"}]", 0, NULL},
        {removal, 200, "[{\"Id\":\"c\",\"Err\":null}]", 0, NULL},
        {removal, 200, "[{\"Id\":\"c\",\"Err\":\"device or resource busy\"}]", 0, NULL},
        {removal, 200, "[{\"Id\":\"c\",\"Err\":{}}]", 0, NULL},
    };
    struct fake_engine fake;
    (void)state;
    begin(&fake, answers, COUNT(answers));
    assert_int_equal(engine_container_delete(&fake.task, "c"), 0);
    assert_int_equal(engine_container_delete(&fake.task, "c"), 0);
    assert_int_equal(engine_container_delete(&fake.task, "c"), GANTRY_E_UNAVAILABLE);
    assert_non_null(strstr(fake.task.error, "busy"));
    assert_int_equal(engine_container_delete(&fake.task, "c"), GANTRY_E_UNAVAILABLE);
    fake_end(&fake);
}

/* ---- logs: pieces of any size, whole seconds */

static char lines[10][64];
static size_t line_count;

static int
keep_line(void *context, uint32_t stream, const struct text *text, uint64_t size, int64_t time_ns)
{
    (void)context;
    (void)time_ns;
    assert_int_equal(size, text->size);
    snprintf(lines[line_count++], sizeof lines[0], "%u:%s", stream, text_cstr(text));
    return 0;
}

static void
add_frame(struct text *out, unsigned char stream, const char *content)
{
    unsigned char head[8] = {stream, 0, 0, 0, 0, 0, 0, (unsigned char)strlen(content)};
    text_add_bytes(out, head, sizeof head);
    text_add(out, content);
}

static size_t
decode(const struct text *stream, int now_s)
{
    struct log_decode decode;
    log_decode_init(&decode, 60, keep_line, NULL);
    decode.podman = true;
    decode.now_ns = INT64_C(1795276800) * 1000000000 + now_s * INT64_C(1000000000);
    line_count = 0;
    assert_int_equal(log_decode_feed(&decode, stream->data, stream->size), 0);
    assert_int_equal(log_decode_finish(&decode), 0);
    log_decode_clear(&decode);
    return line_count;
}

static void
pieces_of_a_line_are_joined_and_its_end_is_waited_for(void **state)
{
    AUTO_TEXT stream = TEXT(4096);
    (void)state;
    add_frame(&stream, 1, "2026-11-21T16:00:00Z one");
    add_frame(&stream, 2, "2026-11-21T16:00:00Z err\n");
    add_frame(&stream, 1, "2026-11-21T16:00:01Z -two");
    add_frame(&stream, 1, "2026-11-21T16:00:02Z -three\n");
    add_frame(&stream, 1, "2026-11-21T16:00:03Z last words");
    add_frame(&stream, 1, "2026-11-21T16:00:09Z of a run\n");
    add_frame(&stream, 1, "2026-11-21T16:00:10Z unfinished");
    assert_int_equal(decode(&stream, 11), 4);
    assert_string_equal(lines[0], "2:err");
    assert_string_equal(lines[1], "1:one-two-three");
    assert_string_equal(lines[2], "1:last words");
    assert_string_equal(lines[3], "1:of a run");
    assert_int_equal(decode(&stream, 13), 5); /* nothing more can belong to it */
    assert_string_equal(lines[4], "1:unfinished");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_socket_is_below_run),
        cmocka_unit_test(users_socket_is_in_his_session_or_below_tmp),
        cmocka_unit_test(refusals_are_told_apart_by_their_cause),
        cmocka_unit_test(end_before_a_restart_is_restarting),
        cmocka_unit_test(listing_tells_states),
        cmocka_unit_test(stop_asks_until_nothing_starts_again),
        cmocka_unit_test(removal_that_failed_inside_a_200_is_a_failure),
        cmocka_unit_test(panic_of_podman_is_asked_again_once),
        cmocka_unit_test(pieces_of_a_line_are_joined_and_its_end_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
