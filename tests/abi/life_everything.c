/* life_everything.c - all that the ABI has, asked of the plugin that has it (everything.c), of whatever version. */
#include "life.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SECRET "s3cret-value"

/* Needs the optional operations: what is not offered is told as that. */
static int
is_offered(const char *operation)
{
    if (is_whole)
        return 1;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    const struct gantry_spec spec = plain_spec();
    const struct gantry_image image = {
        .size = sizeof image, .reference = "plain", .digest = "sha256:cafe"};
    struct gantry_request r = request(operation, &seen);
    r.spec = &spec;
    r.image = &image;
    expect(s, &r, GANTRY_E_UNSUPPORTED, NULL);
    gantry_session_free(s);
    return 0;
}

/* Answer one request after the other, each on a connection of its own, until a byte "!" comes. */
static void *
serve(void *argument)
{
    int listener = *(int *)argument;
    for (;;) {
        char text[5000] = "", answer[6000];
        size_t have = 0;
        ssize_t n;
        int fd = accept(listener, NULL, NULL);
        char *body = NULL, *length = NULL;
        while ((n = recv(fd, text + have, sizeof text - 1 - have, 0)) > 0) {
            have += (size_t)n;
            text[have] = '\0';
            body = strstr(text, "\r\n\r\n");
            length = strstr(text, "Content-Length: ");
            if (text[0] == '!' ||
                (body && strlen(body + 4) >= (length ? strtoul(length + 16, NULL, 10) : 0)))
                break;
        }
        int ends = text[0] == '!', asked = strstr(text, "X-Asked: plugin\r\n") != NULL;
        const char *said = strncmp(text, "GET /version ", 13) == 0 ? "7.5" : body ? body + 4 : "";
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 %d Fine\r\nX-Kind: test\r\nConnection: close\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 asked ? 202 : 400, strlen(said), said);
        if (fd >= 0) {
            (void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
            close(fd);
        }
        if (ends || fd < 0)
            return NULL;
    }
}

static int
make_socket(struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s/socket", folder);
    assert_true(fd >= 0);
    return fd;
}

static void
settings_http_and_folder_reach_it(void **state)
{
    (void)state;
    if (!is_offered("probe"))
        return;
    static struct seen seen;
    struct sockaddr_un address;
    pthread_t thread;
    int listener = make_socket(&address);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve, &listener), 0);
    struct gantry_session *s = NULL;
    struct gantry_error *err = NULL;
    assert_int_equal(setenv("EVERYTHING_URL", "http://of-the-variable", 1), 0);
    char lines[400], wanted[200];
    snprintf(lines, sizeof lines,
             "socket = %s\ntoken = " SECRET "\nnumber = 12\nratio = 2.25\nflag = no\nmode = two\n"
             "words = a, b\npairs = k=v, l=w\nroom = 1MiB\n",
             address.sun_path);
    if (try_open(lines, &s, &err) < 0)
        fail_msg("%s", err->message);
    struct gantry_request r = request("probe", &seen);
    expect(s, &r, 0, NULL);
    assert_string_equal(seen.product, "Everything");
    assert_string_equal(seen.version, gantry_version());
    snprintf(wanted, sizeof wanted, "; [%s] text=a b/0 flag=0/1 number=12/1", plugin_name);
    const char *const parts[] = {
        "202 kind=test <7.5> end 0; 202 kind=test <one two> end 0", wanted,
        " ratio=2.25/1 pause=1500/0 room=1048576/1 token=12 bytes mode=two/1"
        " words=/1<a><b> pairs=/1<k=v><l=w> level=3/0; folder /",
        "; some time left"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(seen.detail, parts[i]))
            fail_msg("'%s' lacks '%s'", seen.detail, parts[i]);
    assert_non_null(strstr(seen.detail, folder));
    expect_trace("level 0");
    expect_trace("level 3");
    assert_null(strstr(trace, SECRET));
    gantry_session_free(s);
    assert_int_equal(unsetenv("EVERYTHING_URL"), 0);
    int end = make_socket(&address);
    assert_int_equal(connect(end, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(end, "!", 1, MSG_NOSIGNAL), 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(end);
    close(listener);
    unlink(address.sun_path);
}

static void
settings_are_checked_before_it_sees_them(void **state)
{
    (void)state;
    struct gantry_session *s = NULL;
    static const struct {
        const char *lines, *words;
        int code;
    } cases[] = {
        {"", "url", GANTRY_E_INVALID},
        {"url = x\nnumber = twelve\n", "number", GANTRY_E_INVALID},
        {"url = x\nmode = three\n", "mode", GANTRY_E_INVALID},
        {"url = x\ntekst = a\n", "text", GANTRY_E_INVALID},
        {"url = refuse\n", "url 'refuse' is refused", GANTRY_E_DENIED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gantry_error *err = NULL;
        assert_int_equal(try_open(cases[i].lines, &s, &err), cases[i].code);
        if (!strstr(err->message, cases[i].words))
            fail_msg("'%s' lacks '%s'", err->message, cases[i].words);
        gantry_error_free(err);
    }
}

static void
whole_spec_reaches_it(void **state)
{
    (void)state;
    static struct seen seen;
    static const struct gantry_variable variables[] = {{.key = GANTRY_HASH_VARIABLE, .value = "h1"},
                                                       {.key = "A", .value = "b=c d"},
                                                       {.key = "B", .value = SECRET, .secret = 1}};
    static const struct gantry_file files[] = {
        {.path = "/run/a", .bytes = "a\0b", .bytes_size = 3, .mode = 0400, .secret = 1},
        {.path = "/run/b", .bytes = "", .bytes_size = 0, .mode = 0644}};
    const struct gantry_registry registry = {
        .size = sizeof registry, .host = "r:5000", .username = "u", .password = SECRET};
    static const char *const items[] = {"k=v"};
    const struct gantry_value values[] = {
        {.size = sizeof values[0], .given = 1, .key = "level", .text = "5", .number = 5},
        {.size = sizeof values[0],
         .given = 1,
         .key = "pairs",
         .text = "",
         .items = items,
         .item_count = 1}};
    const struct gantry_settings settings = {.size = sizeof settings,
                                             .count = 2,
                                             .stride = sizeof values[0],
                                             .values = values,
                                             .section = "box"};
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    spec.pull_policy = GANTRY_PULL_NEVER;
    spec.platform = "linux/arm64";
    spec.environment = variables;
    spec.environment_count = 3;
    spec.environment_stride = sizeof variables[0];
    spec.files = files;
    spec.file_count = 2;
    spec.file_stride = sizeof files[0];
    spec.registry = &registry;
    spec.settings = &settings;
    spec.stop_grace_ms = 11;
    spec.pull_stall_ms = 12;
    spec.start_timeout_ms = 13;
    spec.label_count = 2; /* the hash is in the variable alone */
    start(s, NULL, &spec, GANTRY_START_ONCE, &seen, 0, NULL);
    char handle[40];
    snprintf(handle, sizeof handle, "%s", seen.status[0].handle);
    assert_string_equal(seen.status[0].hash, "h1");
    call_ref(s, "logs", handle, &seen, 0);
    static const char *const lines[] = {"id c1 name one hash h1",
                                        "image plain platform linux/arm64 policy 2",
                                        "grace 11 stall 12 timeout 13 pause 0",
                                        "variable OPENCTI_CONFIG_HASH=h1",
                                        "variable A=b=c d",
                                        "secret B of 12 bytes",
                                        "file /run/a mode 400 secret 1 of 3 bytes",
                                        "file /run/b mode 644 secret 0 of 0 bytes",
                                        "registry r:5000 user u password of 12 bytes",
                                        "settings [box] pairs=/1<k=v> level=5/1",
                                        "run 1, once"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect_line(&seen, lines[i]);
    assert_int_equal(seen.lines, sizeof lines / sizeof lines[0]);
    assert_int_equal(seen.line[0].l.stream, GANTRY_STREAM_STDOUT);
    assert_true(seen.line[1].l.time_ns == INT64_C(1700000000000000001));
    assert_null(strstr(trace, SECRET));
    gantry_session_free(s);
}

static void
whole_status_comes_out(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    start(s, NULL, &spec, 0, &seen, 0, NULL);
    char handle[40];
    snprintf(handle, sizeof handle, "%s", seen.status[0].handle);
    assert_string_equal(seen.status[0].error, "(none)");
    call_ref(s, "stop", handle, &seen, 0);
    call_ref(s, "inspect", handle, &seen, 0);
    const struct status *got = &seen.status[0];
    assert_string_equal(got->image, "plain");
    assert_string_equal(got->digest, "sha256:cafe");
    assert_string_equal(got->error, "told to");
    assert_int_equal(got->s.health, GANTRY_HEALTH_HEALTHY);
    assert_int_equal(got->s.exit_code, -3);
    assert_int_equal(got->s.out_of_memory, 1);
    if (is_whole) { /* what a shorter status has not is not present, and zero */
        assert_int_equal(got->s.present & 63, 63);
        assert_true(got->s.created_ms == 1001 && got->s.started_ms == 1002);
        assert_true(got->s.finished_ms == 1003 && got->s.restarts == 0);
    } else {
        assert_int_equal(got->s.present, GANTRY_STATUS_EXIT_CODE | GANTRY_STATUS_OUT_OF_MEMORY);
        assert_true(got->s.created_ms == 0 && got->s.started_ms == 0);
        assert_true(got->s.finished_ms == 0 && got->s.restarts == 0);
    }
    gantry_session_free(s);
}

static void
long_lines_and_many_bytes_are_cut(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    start(s, NULL, &spec, 0, &seen, 0, NULL);
    char handle[40];
    snprintf(handle, sizeof handle, "%s", seen.status[0].handle);
    const struct gantry_ref ref = ref_to(handle);
    struct gantry_log_limits limits = {
        .size = sizeof limits, .max_lines = 10, .max_bytes = 1000, .max_line_bytes = 8};
    struct gantry_request r = request("logs", &seen);
    r.ref = &ref;
    r.limits = &limits;
    expect(s, &r, 0, NULL);
    assert_string_equal(seen.line[0].text, "id c1 na [cut]");
    assert_string_equal(seen.line[seen.lines - 1].text, "run 1");
    limits.max_bytes = 10;
    r = request("logs", &seen);
    r.ref = &ref;
    r.limits = &limits;
    expect(s, &r, 0, NULL);
    assert_int_equal(seen.lines, 1);
    gantry_session_free(s);
}

static void
images_are_fetched_and_removed(void **state)
{
    (void)state;
    static struct seen seen;
    if (!is_offered("pull") || !is_offered("remove_image"))
        return;
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    struct gantry_request r = request("pull", &seen);
    r.spec = &spec;
    spec.image = "new";
    expect(s, &r, 0, NULL);
    assert_int_equal(seen.images, 1);
    assert_string_equal(seen.image, "new sha256:cafe");
    expect_trace("pulling");
    start(s, NULL, &spec, 0, &seen, 0, NULL);
    assert_int_equal(seen.images, 1);
    struct gantry_image image = {.size = sizeof image, .reference = "new", .digest = "sha256:dead"};
    r = request("remove_image", &seen);
    r.image = &image;
    expect(s, &r, GANTRY_E_INVALID, "digest 'sha256:dead' is not of image 'new'");
    image.digest = "sha256:cafe";
    expect(s, &r, GANTRY_E_CONFLICT, "used");
    image.reference = "old";
    expect(s, &r, 0, NULL);
    gantry_session_free(s);
}

static void
failures_come_with_code_and_words(void **state)
{
    (void)state;
    static struct seen seen;
    static const struct {
        const char *image, *words;
        int code;
    } cases[] = {
        {"missing", "there is no image 'missing'", GANTRY_E_IMAGE_MISSING},
        {"denied", "image 'denied' is not for you", GANTRY_E_DENIED},
        {"busy", "the registry is busy", GANTRY_E_UNAVAILABLE},
    };
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spec.image = cases[i].image;
        start(s, NULL, &spec, 0, &seen, cases[i].code, cases[i].words);
    }
    spec.image = "new";
    spec.pull_pause_ms = 777;
    start(s, NULL, &spec, 0, &seen, GANTRY_E_UNAVAILABLE, "777 ms of peace");
    list(s, labels, 1, &seen, 0);
    gantry_session_free(s);
}

static void
call_ends_at_its_deadline(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    spec.image = "slow";
    struct gantry_request r = request("start", &seen);
    r.spec = &spec;
    r.timeout_ms = 50;
    expect(s, &r, GANTRY_E_TIMEOUT, NULL);
    list(s, labels, 1, &seen, 0);
    gantry_session_free(s);
}

static void
what_was_begun_is_finished_after_the_deadline(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    start(s, NULL, &spec, 0, &seen, 0, NULL);
    char first[40], second[40];
    snprintf(first, sizeof first, "%s", seen.status[0].handle);
    const struct gantry_ref ref = ref_to(first);
    spec.image = "finish";
    struct gantry_request r = request("start", &seen);
    r.ref = &ref;
    r.spec = &spec;
    r.timeout_ms = 300;
    expect(s, &r, 0, NULL);
    snprintf(second, sizeof second, "%s", seen.status[0].handle);
    call_ref(s, "logs", second, &seen, 0);
    expect_line(&seen, "finished, wait 0, 0 left");
    gantry_session_free(s);
    expect_trace("closed after 2 workloads"); /* a plugin may log until it is closed */
}

static void
watch_tells_what_happened(void **state)
{
    (void)state;
    static struct seen seen;
    if (!is_offered("watch"))
        return;
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    start(s, NULL, &spec, 0, &seen, 0, NULL);
    char handle[40], wanted[80];
    snprintf(handle, sizeof handle, "%s", seen.status[0].handle);
    snprintf(wanted, sizeof wanted, "changed %s c1", handle);
    struct gantry_request r = request("watch", &seen);
    r.labels = labels;
    r.label_count = 1;
    r.label_stride = sizeof labels[0];
    seen.enough = 2;
    expect(s, &r, 1, NULL);
    assert_string_equal(seen.event[0], "synced - -");
    assert_string_equal(seen.event[1], wanted);
    spec.id = "lost";
    spec.name = "two";
    start(s, NULL, &spec, 0, &seen, 0, NULL);
    r = request("watch", &seen);
    seen.enough = 3;
    expect(s, &r, 1, NULL);
    assert_string_equal(seen.event[0], "synced - -");
    assert_string_equal(seen.event[1], "lost - -");
    assert_string_equal(seen.event[2], "synced - -");
    r = request("watch", &seen);
    r.timeout_ms = 100; /* then the host asks it to end */
    expect(s, &r, 0, NULL);
    assert_int_equal(seen.events, 1);
    gantry_session_free(s);
}

/* A plugin of a later version may know more than its host, which does nothing about what it does not know. */
static void
state_that_the_host_does_not_know_is_unknown(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    spec.image = "future";
    start(s, NULL, &spec, 0, &seen, 0, NULL);
    assert_int_equal(seen.status[0].s.state, GANTRY_STATE_UNKNOWN);
    assert_int_equal(seen.status[0].s.health, GANTRY_HEALTH_NONE);
    gantry_session_free(s);
}

void
cpp_reads_its_settings(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = NULL;
    assert_int_equal(try_open("capacity = 2\ntoken = " SECRET "\n", &s, NULL), 0);
    struct gantry_request r = request("probe", &seen);
    expect(s, &r, 0, NULL);
    assert_string_equal(seen.detail, "capacity 2, token of 12 bytes");
    static const char *const names[] = {"one", "two", "three"};
    for (int i = 0; i < 3; i++) {
        struct gantry_spec spec = plain_spec();
        spec.name = names[i];
        start(s, NULL, &spec, 0, &seen, i < 2 ? 0 : GANTRY_E_UNAVAILABLE,
              i < 2 ? NULL : "no room for 'three'");
    }
    gantry_session_free(s);
}

int
test_everything(const char *name)
{
    const struct CMUnitTest of_everything[] = {
        EVERY_PLUGIN,
        cmocka_unit_test(settings_are_checked_before_it_sees_them),
        cmocka_unit_test(settings_http_and_folder_reach_it),
        cmocka_unit_test(whole_spec_reaches_it),
        cmocka_unit_test(whole_status_comes_out),
        cmocka_unit_test(long_lines_and_many_bytes_are_cut),
        cmocka_unit_test(images_are_fetched_and_removed),
        cmocka_unit_test(failures_come_with_code_and_words),
        cmocka_unit_test(call_ends_at_its_deadline),
        cmocka_unit_test(what_was_begun_is_finished_after_the_deadline),
        cmocka_unit_test(watch_tells_what_happened),
    };
    return cmocka_run_group_tests_name(name, of_everything, NULL, NULL);
}

int
test_later_version(const char *name)
{
    const struct CMUnitTest of_a_later_version[] = {
        cmocka_unit_test(state_that_the_host_does_not_know_is_unknown)};
    return cmocka_run_group_tests_name(name, of_a_later_version, NULL, NULL);
}
