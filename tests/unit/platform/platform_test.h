/* platform_test.h - what the tests of this room share: a platform that answers by a script, and the
 * manager's side of it.
 *
 * A script is a list of replies, one a request in the order that they come; each may name what the
 * request must hold.  A request beyond the script, or another one than expected, fails the test
 * when it ends. */
#ifndef PLATFORM_TEST_H
#define PLATFORM_TEST_H

/* Before cmocka.h, whose macro fail() would get into plugin.h. */
#include "config.h"
#include "file.h"
#include "platform.h"

#include "../http/server.h"

enum { REPLIES_MAX = 40 };

struct reply {
    const char *expect; /* must be in the request's body; NULL: anything */
    const char *body;   /* NULL: {} */
    unsigned status;    /* 0: 200 */
    const char *type;   /* NULL: application/json */
    const char *header; /* one more line, "Name: value"; may be NULL */
    bool cut;           /* says that the body is longer than it is, and ends the connection */
    bool hold;          /* never answers */
    int gate;           /* answers when this descriptor is readable; 0: at once */
};

struct fake {
    struct server *server;
    pthread_mutex_t lock;
    struct reply replies[REPLIES_MAX];
    size_t reply_count, next;
    char *bodies[REPLIES_MAX]; /* what came */
    char head[2048];           /* of the last */
    char trouble[512];         /* the first request that was not expected */
};

static inline void
fake_note(struct fake *f, struct exchange *x, const struct reply *reply)
{
    if (!reply)
        (void)snprintf(f->trouble, sizeof f->trouble, "beyond the script: %.400s", x->body);
    else if (reply->expect && !strstr(x->body, reply->expect) && !f->trouble[0])
        (void)snprintf(f->trouble, sizeof f->trouble, "'%.80s' is not in %.400s", reply->expect,
                       x->body);
}

static inline void
fake_answer(struct exchange *x)
{
    struct fake *f = x->server->context;
    struct reply reply = {.body = "{}", .status = 500};
    pthread_mutex_lock(&f->lock);
    size_t i = f->next++;
    fake_note(f, x, i < f->reply_count ? &f->replies[i] : NULL);
    if (i < f->reply_count) {
        reply = f->replies[i];
        f->bodies[i] = strdup(x->body);
    }
    (void)snprintf(f->head, sizeof f->head, "%s", x->head);
    pthread_mutex_unlock(&f->lock);
    if (reply.hold) {
        server_hold(x);
        return;
    }
    if (reply.gate > 0)
        (void)poll(&(struct pollfd){.fd = reply.gate, .events = POLLIN}, 1, GUARD_MS);
    const char *body = reply.body ? reply.body : "{}";
    char head[512];
    (void)snprintf(head, sizeof head,
                   "HTTP/1.1 %u X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%s\r\n",
                   reply.status ? reply.status : 200, reply.type ? reply.type : "application/json",
                   strlen(body) + (reply.cut ? 100 : 0), reply.header ? reply.header : "",
                   reply.header ? "\r\n" : "");
    server_say(x, head);
    server_say(x, body);
    if (reply.cut)
        x->after = SERVER_CLOSE;
}

static inline struct fake *
fake_start(void)
{
    struct fake *f = calloc(1, sizeof *f);
    assert_non_null(f);
    pthread_mutex_init(&f->lock, NULL);
    f->server = server_start_tcp(fake_answer, f);
    return f;
}

/* Fails when the script was not played to its end, as it was written. */
static inline void
fake_check(struct fake *f)
{
    pthread_mutex_lock(&f->lock);
    size_t next = f->next;
    pthread_mutex_unlock(&f->lock);
    if (f->trouble[0])
        fail_msg("unexpected request: %s", f->trouble);
    if (next < f->reply_count)
        fail_msg("%zu requests came, %zu were expected", next, f->reply_count);
}

static inline void
fake_stop(struct fake *f)
{
    server_stop(f->server);
    for (size_t i = 0; i < REPLIES_MAX; i++)
        free(f->bodies[i]);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* Add a reply to the script. */
static inline void
expect(struct fake *f, struct reply reply)
{
    pthread_mutex_lock(&f->lock);
    assert_true(f->reply_count < REPLIES_MAX);
    f->replies[f->reply_count++] = reply;
    pthread_mutex_unlock(&f->lock);
}
#define EXPECT(f, ...) expect((f), (struct reply){__VA_ARGS__})

/* --- the manager's side */

#define TOKEN "d434ce02-58f0-4b9c-9d6f-f5a3e4a7b1c2"

struct side {
    struct fake *fake;
    struct http_loop *http;
    struct secret token;
    struct config_platform settings;
    struct platform *platform;
    struct log log;
    struct buf logged;
    /* the last outcome */
    unsigned ends;
    int code;
    char message[2048];
    struct platform_listing *listing;
    bool unchanged;
    struct platform_configurations *configurations;
};

static inline void
side_log(void *context, enum log_level level, const char *line, size_t length)
{
    struct buf *logged = context;
    (void)level;
    buf_add_bytes(logged, line, length);
    buf_add_char(logged, '\n');
}

static inline struct side *
side_make(enum config_platform_kind kind, const char *path, const struct gantry_platform *custom)
{
    struct side *s = calloc(1, sizeof *s);
    struct gantry_error *err = NULL;
    assert_non_null(s);
    buf_init(&s->logged, 1 << 20);
    log_init(&s->log, LOG_DEBUG, LOG_TEXT, (struct log_sink){side_log, &s->logged});
    assert_int_equal(0, http_loop_new(&s->http, NULL));
    assert_int_equal(0, secret_set(&s->token, TOKEN, strlen(TOKEN)));
    if (kind == CONFIG_PLATFORM_OPENCTI)
        s->fake = fake_start();
    s->settings = (struct config_platform){
        .name = "main",
        .kind = kind,
        .url = s->fake ? s->fake->server->url : NULL,
        .token = &s->token,
        .tls_verify = true,
        .proxy = "",
        .connect_timeout_ms = 5000,
        .request_timeout_ms = 5000,
        .list_timeout_ms = 5000,
        .path = path,
    };
    const struct platform_context context = {
        .http = s->http,
        .log = &s->log,
        .manager_id = "8215614c-7139-422e-b825-b20fd2a13a23",
        .manager_name = "Gantry",
        .public_key = "-----BEGIN RSA PUBLIC KEY-----\nMII=\n-----END RSA PUBLIC KEY-----\n",
        .custom = custom,
    };
    if (platform_new(&s->settings, &context, &s->platform, &err) < 0)
        fail_msg("platform_new: %s", err_text(err));
    return s;
}

static inline struct side *
side_new(enum config_platform_kind kind, const char *path)
{
    return side_make(kind, path, NULL);
}

static inline struct side *
side_opencti(void)
{
    return side_new(CONFIG_PLATFORM_OPENCTI, NULL);
}

static inline void
side_forget(struct side *s)
{
    platform_listing_free(s->listing);
    platform_configurations_free(s->configurations);
    s->listing = NULL;
    s->configurations = NULL;
    s->unchanged = false;
    s->ends = 0;
    s->code = 1;
    s->message[0] = '\0';
}

static inline void
side_free(struct side *s)
{
    if (s->fake)
        fake_check(s->fake);
    side_forget(s);
    platform_free(s->platform);
    http_loop_free(s->http);
    if (s->fake)
        fake_stop(s->fake);
    secret_clear(&s->token);
    log_clear(&s->log);
    buf_clear(&s->logged);
    free(s);
}

static inline void
side_end(struct side *s, int code, const struct gantry_error *error)
{
    assert_true((code == 0) == (error == NULL));
    if (error)
        assert_int_equal(code, error->code);
    s->ends++;
    s->code = code;
    (void)snprintf(s->message, sizeof s->message, "%s", error ? error->message : "");
    assert_null(strchr(s->message, '\n'));
    assert_null(strstr(s->message, TOKEN));
}

static inline void
side_done(void *context, int code, const struct gantry_error *error)
{
    side_end(context, code, error);
}

static inline void
side_listed(void *context, int code, const struct gantry_error *error,
            struct platform_listing *listing, bool unchanged)
{
    struct side *s = context;
    side_end(s, code, error);
    assert_true((code == 0 && !unchanged) == (listing != NULL));
    s->listing = listing;
    s->unchanged = unchanged;
}

static inline void
side_configured(void *context, int code, const struct gantry_error *error,
                struct platform_configurations *configurations)
{
    struct side *s = context;
    side_end(s, code, error);
    assert_true((code == 0) == (configurations != NULL));
    s->configurations = configurations;
}

/* Until the call has ended; it may not end inside itself. */
static inline void
side_run(struct side *s)
{
    int64_t end = clock_mono_ms() + GUARD_MS;
    assert_int_equal(0, s->ends);
    assert_true(platform_active(s->platform) > 0);
    while (platform_active(s->platform) > 0) {
        assert_true(clock_mono_ms() < end);
        if (!platform_step(s->platform) && platform_active(s->platform) > 0)
            wait_step(s->http);
    }
    assert_int_equal(1, s->ends);
}

static inline int
side_ping(struct side *s)
{
    side_forget(s);
    platform_ping(s->platform, side_done, s);
    side_run(s);
    return s->code;
}

static inline int
side_list(struct side *s)
{
    side_forget(s);
    platform_list(s->platform, side_listed, s);
    side_run(s);
    return s->code;
}

static inline int
side_configure(struct side *s)
{
    side_forget(s);
    platform_configure(s->platform, side_configured, s);
    side_run(s);
    return s->code;
}

static inline int
side_report(struct side *s, const struct platform_report *report)
{
    side_forget(s);
    platform_report(s->platform, report, side_done, s);
    side_run(s);
    return s->code;
}

/* How often a text stands in another. */
static inline unsigned
occurrences(const char *text, const char *part)
{
    unsigned n = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        n++;
    return n;
}

/* --- golden files: whole outputs; GANTRY_REWRITE_GOLDEN=1 in the environment writes them anew */

static inline void
golden(const char *name, const char *actual)
{
    char path[512];
    char *expected = NULL;
    struct gantry_error *err = NULL;
    (void)snprintf(path, sizeof path, "%s/tests/golden/platform/%s", GANTRY_SOURCE_DIR, name);
    struct buf text = BUF_INIT(1 << 20);
    buf_add_fmt(&text, "%s\n", actual);
    if (getenv("GANTRY_REWRITE_GOLDEN"))
        assert_int_equal(0, file_write_atomic(path, buf_view(&text), 0644, NULL));
    if (file_read(path, 1 << 20, &expected, NULL, &err) < 0)
        fail_msg("%s", err_text(err));
    if (strcmp(expected, buf_text(&text)) != 0)
        fail_msg("%s\n  is      : %s  expected: %s", path, buf_text(&text), expected);
    free(expected);
    buf_clear(&text);
}

/* --- answers of a platform */

#define REGISTERED(version)                                                                        \
    "{\"data\":{\"registerConnectorsManager\":{\"id\":\"m\",\"name\":\"Gantry\",\"about_"          \
    "version\":\"" version "\"}}}"
#define PINGED(version)                                                                            \
    "{\"data\":{\"updateConnectorManagerStatus\":{\"id\":\"m\",\"about_version\":\"" version "\"}" \
    "}}"
#define LISTED(items)        "{\"data\":{\"connectorsForManagers\":[" items "]}}"
#define ERROR(code, message) "{\"message\":\"" message "\",\"extensions\":{\"code\":\"" code "\"}}"
#define ERROR_AT(path, code, message)                                                              \
    "{\"message\":\"" message "\",\"path\":[\"" path "\"],\"extensions\":{\"code\":\"" code "\"}}"
#define ERRORS(list)     "{\"errors\":[" list "]}"
#define UNKNOWN_FIELD(f) "Cannot query field \\\"" f "\\\" on type \\\"T\\\"."
#define INVALID(f)       ERROR("GRAPHQL_VALIDATION_FAILED", UNKNOWN_FIELD(f))
#define CONNECTOR(id, hash, wish)                                                                  \
    "{\"id\":\"" id "\",\"name\":\"ipinfo\",\"manager_contract_hash\":\"" hash                     \
    "\",\"manager_contract_image\":\"opencti/connector-ipinfo:7.1\","                              \
    "\"manager_current_status\":null,\"manager_requested_status\":\"" wish "\"}"

#endif
