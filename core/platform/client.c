/* client.c - a client: the exchanges of the manager protocol on a loop of its own, one call at a
 * time. */
#include "client_internal.h"
#include "err.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

enum {
    CONNECT_TIMEOUT_MS = 10 * 1000,
    REQUEST_TIMEOUT_MS = 30 * 1000,
    LIST_TIMEOUT_MS = 120 * 1000,
};

static bool
is_token(const char *text)
{
    if (!text || !*text)
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
            return false;
    return true;
}

static int
open_client(struct gantry_client *c, const struct gantry_client_options *o,
            struct gantry_error **err)
{
    const struct transport_http_options options = {
        .url = o->url,
        .token = str_of(o->token),
        .ca_file = o->ca_file,
        .proxy = o->proxy,
        .no_proxy = o->no_proxy,
        .tls_verify = !o->insecure,
        .connect_timeout_ms = o->connect_timeout_ms ? o->connect_timeout_ms : CONNECT_TIMEOUT_MS,
    };
    struct transport *transport = NULL;
    c->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->cancel_fd < 0)
        return err_set_errno(err, err_code_of_errno(errno), errno, "cannot make a client");
    c->request_timeout_ms = o->request_timeout_ms ? o->request_timeout_ms : REQUEST_TIMEOUT_MS;
    c->list_timeout_ms = o->list_timeout_ms ? o->list_timeout_ms : LIST_TIMEOUT_MS;
    int code = http_loop_new(&c->http, err);
    if (code == 0)
        code = transport_http_new(c->http, &options, &transport, err);
    if (code == 0)
        code = session_init(&c->session, transport, NULL, "client", "token", err);
    return code;
}

int
gantry_client_new(const struct gantry_client_options *options, struct gantry_client **out,
                  struct gantry_error **err)
{
    struct gantry_client_options o = {0};
    memcpy(&o, options, MIN((size_t)options->size, sizeof o)); /* an older caller's ends earlier */
    if (!o.url || (!str_starts_with(str_of(o.url), STR("http://")) &&
                   !str_starts_with(str_of(o.url), STR("https://"))))
        return err_set(
            err, GANTRY_E_INVALID,
            "the platform's url is missing or wrong; it begins with http:// or https://");
    if (!is_token(o.token))
        return err_set(err, GANTRY_E_INVALID,
                       "the token is missing, or has characters that no token has");
    struct gantry_client *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(err);
    c->cancel_fd = -1;
    int code = open_client(c, &o, err);
    if (code < 0) {
        gantry_client_free(c);
        return code;
    }
    *out = c;
    return 0;
}

void
gantry_client_free(struct gantry_client *c)
{
    if (!c)
        return;
    client_begin(c);
    session_clear(&c->session);
    http_loop_free(c->http);
    if (c->cancel_fd >= 0)
        close(c->cancel_fd);
    free(c);
}

void
gantry_client_cancel(struct gantry_client *c)
{
    int saved = errno;
    const uint64_t one = 1;
    ssize_t n = write(c->cancel_fd, &one, sizeof one); /* it is full only when it is readable */
    (void)n;
    errno = saved;
}

void
client_begin(struct gantry_client *c)
{
    for (size_t i = 0; i < ARRAY_LENGTH(c->problem_texts); i++) {
        free(c->problem_texts[i]);
        c->problem_texts[i] = NULL;
    }
    if (c->json)
        secret_wipe(c->json, strlen(c->json));
    free(c->json);
    c->json = NULL;
    err_clear(&c->error);
    c->done = c->is_null = c->has_problem = false;
    c->code = 0;
}

void
client_keep_problem(struct gantry_client *c, const struct problem *problem)
{
    char **texts = c->problem_texts;
    texts[0] = text_dup(problem->code);
    texts[1] = text_dup(problem->path);
    texts[2] = text_dup(problem->message);
    c->has_problem = texts[0] && texts[1] && texts[2];
    c->problem = (struct gantry_client_problem){
        .size = sizeof c->problem, .code = texts[0], .path = texts[1], .message = texts[2]};
}

const struct gantry_client_problem *
gantry_client_problem(const struct gantry_client *c)
{
    return c->has_problem ? &c->problem : NULL;
}

/* Waits until something happens; true when the caller cancelled. */
static bool
wait_once(struct gantry_client *c)
{
    struct pollfd fds[] = {{http_loop_fd(c->http), POLLIN, 0}, {c->cancel_fd, POLLIN, 0}};
    int64_t timeout_ms = http_loop_timeout_ms(c->http);
    int n = poll(fds, ARRAY_LENGTH(fds), (int)MIN(timeout_ms, 60000)); /* -1 where there is none */
    if (n <= 0 || !(fds[1].revents & POLLIN))
        return false;
    uint64_t count;
    return read(c->cancel_fd, &count, sizeof count) == (ssize_t)sizeof count;
}

int
client_wait(struct gantry_client *c, struct gantry_error **err)
{
    while (!c->done) {
        if (wait_once(c)) {
            session_cancel(&c->session);
            if (c->query)
                c->session.transport->kind->cancel(TAKE(c->query));
            return err_set(err, GANTRY_E_CANCELLED, "cancelled by the caller");
        }
        http_loop_step(c->http);
    }
    if (c->code < 0)
        err_move(err, &c->error);
    return c->code;
}
