/* life.c - a plugin's whole life through gantry/host.h: everything that the ABI has, asked and compared.
 *
 *   life GANTRY-NAME.SO...
 *
 * Made for the plugins of frozen/, their past and their future (README.md): what is asked of one must be so whatever
 * version of the ABI it and this host were compiled with.  A plugin whose table ends before the optional operations
 * is asked for the others. */
#include <gantry/host.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SECRET "s3cret-value"
enum { MANY = 64 };

static const char *plugin_file;
static char plugin_name[64], folder[64];
static int is_whole; /* it has the optional operations */

/* ---- what was seen -------------------------------------------------------------------------------- */

/* What one call emitted, as text where that is easier to compare. */
struct seen {
    unsigned statuses, lines, events, images, traits, enough; /* enough: events, then end */
    struct status {
        char handle[40], name[80], hash[40], image[40], digest[40], error[80], labels[300];
        struct gantry_status s;
    } status[MANY];
    struct line {
        char text[700], cursor[40];
        struct gantry_line l;
    } line[MANY];
    char event[MANY][80], image[200], product[80], version[80], detail[3000];
};

static void
copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "(none)");
}

static void
see_status(struct seen *seen, const struct gantry_status *s)
{
    struct status *to = &seen->status[seen->statuses++];
    to->s = *s;
    copy(to->handle, sizeof to->handle, s->handle);
    copy(to->name, sizeof to->name, s->name);
    copy(to->hash, sizeof to->hash, s->hash);
    copy(to->image, sizeof to->image, s->image);
    copy(to->digest, sizeof to->digest, s->image_digest);
    copy(to->error, sizeof to->error, s->error);
    to->labels[0] = '\0';
    for (uint32_t i = 0; i < s->label_count; i++) {
        const struct gantry_pair *p = GANTRY_AT(struct gantry_pair, s->labels, s->label_stride, i);
        size_t at = strlen(to->labels);
        snprintf(to->labels + at, sizeof to->labels - at, "%s=%s ", p->key, p->value);
    }
}

static void
see_line(struct seen *seen, const struct gantry_line *l)
{
    struct line *to = &seen->line[seen->lines++];
    to->l = *l;
    snprintf(to->text, sizeof to->text, "%.*s", (int)l->text_size, l->text);
    copy(to->cursor, sizeof to->cursor, l->cursor);
}

static int
see(void *context, uint32_t kind, const void *item)
{
    struct seen *seen = context;
    const struct gantry_event *e = item;
    const struct gantry_image *i = item;
    const struct gantry_traits *t = item;
    static const char *const kinds[] = {"?", "changed", "synced", "lost"};
    assert_true(seen->statuses < MANY && seen->lines < MANY && seen->events < MANY);
    switch (kind) {
    case GANTRY_EMIT_STATUS:
        see_status(seen, item);
        break;
    case GANTRY_EMIT_LINE:
        see_line(seen, item);
        break;
    case GANTRY_EMIT_EVENT:
        snprintf(seen->event[seen->events++], 80, "%s %s %s", kinds[e->kind],
                 e->handle ? e->handle : "-", e->id ? e->id : "-");
        return seen->events == seen->enough ? 1 : 0;
    case GANTRY_EMIT_TRAITS:
        copy(seen->product, sizeof seen->product, t->product);
        copy(seen->version, sizeof seen->version, t->version);
        copy(seen->detail, sizeof seen->detail, t->detail);
        seen->traits++;
        break;
    case GANTRY_EMIT_IMAGE:
        snprintf(seen->image, sizeof seen->image, "%s %s", i->reference, i->digest);
        seen->images++;
        break;
    default:
        fail_msg("kind %u was emitted", (unsigned)kind);
    }
    return 0;
}

static void
expect_line(const struct seen *seen, const char *text)
{
    for (unsigned i = 0; i < seen->lines; i++)
        if (strcmp(seen->line[i].text, text) == 0)
            return;
    for (unsigned i = 0; i < seen->lines; i++)
        print_error("  has: %s\n", seen->line[i].text);
    fail_msg("no line '%s'", text);
}

/* ---- a session ------------------------------------------------------------------------------------ */

static char trace[200000];
static pthread_mutex_t trace_lock = PTHREAD_MUTEX_INITIALIZER;

static void
take_trace(void *context, const char *line)
{
    (void)context;
    pthread_mutex_lock(&trace_lock);
    size_t at = strlen(trace);
    snprintf(trace + at, sizeof trace - at, "%s\n", line);
    pthread_mutex_unlock(&trace_lock);
}

static void
expect_trace(const char *words)
{
    pthread_mutex_lock(&trace_lock);
    int there = strstr(trace, words) != NULL;
    if (!there)
        print_error("%s", trace);
    pthread_mutex_unlock(&trace_lock);
    if (!there)
        fail_msg("the trace lacks '%s'", words);
}

/* Open it with these lines in its section. */
static int
try_open(const char *lines, struct gantry_session **out, struct gantry_error **err)
{
    char path[100];
    snprintf(path, sizeof path, "%s/gantry.ini", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "[manager]\nstate_dir = %s/state\n[backend %s]\n%s", folder, plugin_name, lines);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
    struct gantry_session_options options = {
        .size = sizeof options, .plugin = plugin_file, .settings_file = path, .trace = take_trace};
    trace[0] = '\0';
    return gantry_session_open(&options, out, err);
}

static int
is_everything(void)
{
    return strcmp(plugin_name, "cpp") != 0;
}

static struct gantry_session *
open_plain(void)
{
    struct gantry_session *s = NULL;
    struct gantry_error *err = NULL;
    if (try_open(is_everything() ? "url = http://host\n" : "", &s, &err) < 0)
        fail_msg("%s", err->message);
    return s;
}

/* ---- calls ---------------------------------------------------------------------------------------- */

static const struct gantry_pair labels[] = {
    {GANTRY_LABEL_MANAGER, "m"}, {GANTRY_LABEL_CONNECTOR, "c1"}, {GANTRY_LABEL_HASH, "h1"}};
static const struct gantry_pair foreign_labels[] = {{GANTRY_LABEL_MANAGER, "other"},
                                                    {GANTRY_LABEL_CONNECTOR, "c2"}};

static struct gantry_spec
plain_spec(void)
{
    return (struct gantry_spec){.size = sizeof(struct gantry_spec),
                                .id = "c1",
                                .name = "one",
                                .hash = "h1",
                                .image = "plain",
                                .labels = labels,
                                .label_count = 3,
                                .label_stride = sizeof labels[0]};
}

static struct gantry_request
request(const char *operation, struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    return (struct gantry_request){.size = sizeof(struct gantry_request),
                                   .operation = operation,
                                   .timeout_ms = 20000,
                                   .emitted = see,
                                   .context = seen};
}

/* The call ends with this code; and, where it failed, with a text that has these words. */
static void
expect(struct gantry_session *s, const struct gantry_request *r, int code, const char *words)
{
    struct gantry_error *err = NULL;
    int rc = gantry_session_call(s, r, &err);
    if (rc != code)
        fail_msg("%s returned %s (%s), not %s", r->operation, gantry_code_name(rc),
                 err ? err->message : "", gantry_code_name(code));
    if (words && (!err || !strstr(err->message, words)))
        fail_msg("%s: '%s' lacks '%s'", r->operation, err ? err->message : "", words);
    gantry_error_free(err);
}

static struct gantry_ref
ref_to(const char *handle)
{
    return (struct gantry_ref){
        .size = sizeof(struct gantry_ref), .handle = handle, .id = "c1", .name = "one"};
}

/* A call of an operation that takes a workload. */
static void
call_ref(struct gantry_session *s, const char *operation, const char *handle, struct seen *seen,
         int code)
{
    const struct gantry_ref ref = ref_to(handle);
    const struct gantry_log_limits limits = {
        .size = sizeof limits, .max_lines = 50, .max_bytes = 100000, .max_line_bytes = 1000};
    struct gantry_request r = request(operation, seen);
    r.ref = &ref;
    r.grace_ms = 1500;
    r.limits = &limits;
    expect(s, &r, code, NULL);
}

static void
start(struct gantry_session *s, const char *existing, const struct gantry_spec *spec,
      uint32_t flags, struct seen *seen, int code, const char *words)
{
    const struct gantry_ref ref = ref_to(existing);
    struct gantry_request r = request("start", seen);
    r.ref = existing ? &ref : NULL;
    r.spec = spec;
    r.flags = flags;
    expect(s, &r, code, words);
    if (code == 0)
        assert_int_equal(seen->statuses, 1);
}

static void
list(struct gantry_session *s, const struct gantry_pair *wanted, uint32_t count, struct seen *seen,
     unsigned found)
{
    struct gantry_request r = request("list", seen);
    r.labels = wanted;
    r.label_count = count;
    r.label_stride = sizeof wanted[0];
    expect(s, &r, 0, NULL);
    assert_int_equal(seen->statuses, found);
}

static void
expect_status(const struct status *s, const char *handle, const char *name, uint32_t state)
{
    assert_string_equal(s->handle, handle);
    assert_string_equal(s->name, name);
    assert_int_equal(s->s.state, state);
    assert_string_equal(s->hash, "h1");
    assert_string_equal(s->labels, "opencti-manager=m opencti-connector-id=c1 gantry.hash=h1 ");
}

/* ---- every plugin --------------------------------------------------------------------------------- */

static void
starts_replaces_stops_and_removes(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    char first[40], second[40];
    list(s, labels, 1, &seen, 0);
    start(s, NULL, &spec, 0, &seen, 0, NULL);
    snprintf(first, sizeof first, "%s", seen.status[0].handle);
    expect_status(&seen.status[0], first, "one", GANTRY_STATE_RUNNING);
    start(s, NULL, &spec, 0, &seen, GANTRY_E_UNAVAILABLE, "one");
    start(s, first, &spec, 0, &seen, 0, NULL);
    snprintf(second, sizeof second, "%s", seen.status[0].handle);
    assert_string_not_equal(first, second);
    assert_int_equal(strncmp(seen.status[0].name, "one-new-", 8), 0);
    assert_int_equal(strlen(seen.status[0].name), strlen("one-new-0000"));
    list(s, labels, 2, &seen, 2);
    expect_status(&seen.status[0], first, "one", GANTRY_STATE_EXITED);
    call_ref(s, "remove", first, &seen, 0);
    call_ref(s, "inspect", second, &seen, 0);
    expect_status(&seen.status[0], second, "one", GANTRY_STATE_RUNNING);
    call_ref(s, "stop", second, &seen, 0);
    call_ref(s, "stop", second, &seen, 0);
    list(s, labels, 1, &seen, 1);
    expect_status(&seen.status[0], second, "one", GANTRY_STATE_EXITED);
    start(s, second, NULL, GANTRY_START_ONCE, &seen, 0, NULL);
    expect_status(&seen.status[0], second, "one", GANTRY_STATE_RUNNING);
    if (is_whole) {
        assert_true(seen.status[0].s.present & GANTRY_STATUS_RESTARTS);
        assert_int_equal(seen.status[0].s.restarts, 1);
    }
    call_ref(s, "remove", second, &seen, 0);
    call_ref(s, "remove", second, &seen, 0);
    call_ref(s, "stop", second, &seen, 0);
    call_ref(s, "inspect", second, &seen, GANTRY_E_NOT_FOUND);
    start(s, second, NULL, 0, &seen, GANTRY_E_NOT_FOUND, NULL);
    list(s, labels, 1, &seen, 0);
    gantry_session_free(s);
}

static void
foreign_workload_is_a_conflict_and_not_listed(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    struct gantry_spec theirs = plain_spec(), ours = plain_spec();
    theirs.id = "c2";
    theirs.labels = foreign_labels;
    theirs.label_count = 2;
    start(s, NULL, &theirs, 0, &seen, 0, NULL);
    start(s, NULL, &ours, 0, &seen, GANTRY_E_CONFLICT, "one");
    list(s, labels, 1, &seen, 0);
    list(s, foreign_labels, 1, &seen, 1);
    assert_string_equal(seen.status[0].labels, "opencti-manager=other opencti-connector-id=c2 ");
    gantry_session_free(s);
}

static void
logs_go_on_after_a_cursor(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    start(s, NULL, &spec, 0, &seen, 0, NULL);
    char handle[40], cursor[40];
    snprintf(handle, sizeof handle, "%s", seen.status[0].handle);
    call_ref(s, "logs", handle, &seen, 0);
    expect_line(&seen, "run 1");
    const struct line last = seen.line[seen.lines - 1];
    snprintf(cursor, sizeof cursor, "%s", last.cursor);
    call_ref(s, "stop", handle, &seen, 0);
    start(s, handle, NULL, GANTRY_START_ONCE, &seen, 0, NULL);

    const struct gantry_ref ref = ref_to(handle);
    struct gantry_log_limits limits = {.size = sizeof limits, .max_lines = 10, .max_bytes = 10000};
    limits.max_line_bytes = 1000;
    struct gantry_request r = request("logs", &seen);
    r.ref = &ref;
    r.cursor = cursor;
    r.limits = &limits;
    expect(s, &r, 0, NULL);
    assert_int_equal(seen.lines, 2);
    assert_int_equal(strncmp(seen.line[0].text, "stopped within 1500 ms", 22), 0);
    assert_string_equal(seen.line[1].text, "run 2, once");
    limits.max_lines = 1;
    r = request("logs", &seen);
    r.ref = &ref;
    r.limits = &limits;
    expect(s, &r, 0, NULL);
    assert_int_equal(seen.lines, 1);
    assert_string_equal(seen.line[0].text, "run 2, once");
    gantry_session_free(s);
}

/* ---- the one that has everything ------------------------------------------------------------------ */

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

static void
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

/* ---- the program ---------------------------------------------------------------------------------- */

#define EVERY_PLUGIN                                                                               \
    cmocka_unit_test(starts_replaces_stops_and_removes),                                           \
        cmocka_unit_test(foreign_workload_is_a_conflict_and_not_listed),                           \
        cmocka_unit_test(logs_go_on_after_a_cursor)

static int
test_one(const char *file)
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
    const struct CMUnitTest of_cpp[] = {EVERY_PLUGIN, cmocka_unit_test(cpp_reads_its_settings)};
    const struct CMUnitTest of_a_later_version[] = {
        cmocka_unit_test(state_that_the_host_does_not_know_is_unknown)};
    struct gantry_loaded_plugin *loaded = NULL;
    struct gantry_error *err = NULL;
    if (gantry_plugin_load(file, NULL, 0, &loaded, &err) < 0) {
        print_error("%s\n", err->message);
        gantry_error_free(err);
        return 1;
    }
    plugin_file = file;
    snprintf(plugin_name, sizeof plugin_name, "%s", gantry_loaded_plugin_table(loaded)->name);
    is_whole = gantry_loaded_plugin_table(loaded)->probe != NULL;
    int is_later = gantry_loaded_plugin_table(loaded)->abi_minor > GANTRY_ABI_MINOR;
    gantry_loaded_plugin_free(loaded);
    int failed = is_everything() ? cmocka_run_group_tests_name(file, of_everything, NULL, NULL)
                                 : cmocka_run_group_tests_name(file, of_cpp, NULL, NULL);
    if (is_later)
        failed += cmocka_run_group_tests_name(file, of_a_later_version, NULL, NULL);
    return failed;
}

int
main(int argc, char **argv)
{
    int failed = argc < 2;
    snprintf(folder, sizeof folder, "/tmp/gantry-life-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    for (int i = 1; i < argc; i++)
        failed += test_one(argv[i]);
    char left[2][100];
    snprintf(left[0], sizeof left[0], "%s/gantry.ini", folder);
    snprintf(left[1], sizeof left[1], "%s/state", folder);
    (void)unlink(left[0]);
    (void)rmdir(left[1]);
    (void)rmdir(folder);
    return failed != 0;
}
