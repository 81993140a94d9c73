/* server.h - a small HTTP server on loopback or on a unix socket, that does what a script says.
 *
 * The script is called with each request that has been read whole, on a thread of its connection,
 * and writes bytes as it likes; x->after says what becomes of the connection.  Numbers count
 * from 1. */
#ifndef TEST_HTTP_SERVER_H
#define TEST_HTTP_SERVER_H

#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SERVER_BYTES (512 * 1024)
#ifndef SERVER_CONNECTIONS
#define SERVER_CONNECTIONS 64 /* in all; a test that needs more says so before */
#endif

enum server_after { SERVER_KEEP, SERVER_CLOSE, SERVER_RESET };

struct exchange {
    struct server *server;
    int fd;
    unsigned connection; /* of the server */
    unsigned number;     /* of the request, on this connection */
    const char *head;    /* request line and headers, as they came */
    const char *body;
    size_t body_len;
    enum server_after after;
};

typedef void server_script(struct exchange *x);

struct server_connection {
    struct server *server;
    int fd;
    unsigned number;
    pthread_t thread;
};

struct server {
    int listener;
    int stop_fd; /* readable for ever once the server stops */
    pthread_t thread;
    server_script *script;
    void *context;
    _Atomic(server_script *) on_head; /* may be NULL; called before the body is read */
    atomic_uint connections, requests;
    char url[64];
    char path[64]; /* of the unix socket, or "" */
    struct server_connection each[SERVER_CONNECTIONS];
};

/* cmocka's assertions belong to the thread of the test. */
#define server_require(true_expected)                                                              \
    do {                                                                                           \
        if (!(true_expected)) {                                                                    \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #true_expected);      \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static inline void
server_write(struct exchange *x, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(x->fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the client is gone, which some tests are about */
        bytes += n;
        len -= (size_t)n;
    }
}

static inline void
server_say(struct exchange *x, const char *text)
{
    server_write(x, text, strlen(text));
}

static inline void
server_ok(struct exchange *x, const char *body)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    server_say(x, text);
}

/* Say nothing until the client goes or the server stops. */
static inline void
server_hold(struct exchange *x)
{
    struct pollfd fds[2] = {{x->fd, POLLRDHUP, 0}, {x->server->stop_fd, POLLIN, 0}};
    (void)poll(fds, 2, -1);
    x->after = SERVER_CLOSE;
}

/* The body of a chunked request, in place; -1: not all of it is there.  The tests' own bodies hold
 * no line ends, so the last chunk is known by its look. */
static inline ssize_t
server_unchunk(char *at, const char *end)
{
    char *to = at;
    const char *start = at;

    if (end - at < 5 || memcmp(end - 5, "0\r\n\r\n", 5) != 0)
        return -1;
    for (;;) {
        char *line_end = NULL;
        size_t len = strtoul(at, &line_end, 16);
        server_require(line_end[0] == '\r' && (size_t)(end - line_end) >= len + 4);
        if (len == 0)
            return to - start;
        memmove(to, line_end + 2, len);
        to += len;
        at = line_end + 2 + len + 2;
    }
}

/* Read one request into text.  false: the connection has ended. */
static inline bool
server_read(struct server_connection *c, char *text, struct exchange *x)
{
    size_t have = 0;

    for (;;) {
        ssize_t n = recv(c->fd, text + have, SERVER_BYTES - 1 - have, 0);
        if (n <= 0)
            return false;
        have += (size_t)n;
        text[have] = '\0';
        char *head_end = memmem(text, have, "\r\n\r\n", 4);
        if (!head_end)
            continue;
        char *body = head_end + 4;
        server_script *on_head = atomic_load(&c->server->on_head);
        if (on_head) {
            on_head(x);
            if (x->after != SERVER_KEEP)
                return false;
        }
        ssize_t body_len = 0;
        const char *length = strcasestr(text, "\r\nContent-Length:");
        if (length && length < head_end)
            body_len = strtol(length + 17, NULL, 10);
        const char *chunked = strcasestr(text, "\r\nTransfer-Encoding: chunked");
        if (chunked && chunked < body)
            body_len = server_unchunk(body, text + have);
        if (body_len < 0 || text + have < body + body_len)
            continue;
        head_end[2] = '\0';
        body[body_len] = '\0';
        x->head = text;
        x->body = body;
        x->body_len = (size_t)body_len;
        return true;
    }
}

static inline void *
server_serve(void *argument)
{
    struct server_connection *c = argument;
    char *text = malloc(SERVER_BYTES);
    struct exchange x = {.server = c->server, .fd = c->fd, .connection = c->number};

    while (text && x.after == SERVER_KEEP && server_read(c, text, &x)) {
        x.number++;
        atomic_fetch_add(&c->server->requests, 1);
        c->server->script(&x);
    }
    if (x.after == SERVER_RESET) {
        struct linger now = {1, 0};
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    free(text);
    /* The number of the descriptor stays taken until the server stops, since that shuts it down. */
    if (x.after == SERVER_RESET) {
        int nothing = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)dup2(nothing, c->fd);
        (void)close(nothing);
    } else {
        (void)shutdown(c->fd, SHUT_RDWR);
    }
    return NULL;
}

static inline void *
server_accept(void *argument)
{
    struct server *s = argument;

    for (unsigned n = 0; n < SERVER_CONNECTIONS; n++) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        s->each[n] = (struct server_connection){.server = s, .fd = fd, .number = n + 1};
        atomic_store(&s->connections, n + 1);
        server_require(pthread_create(&s->each[n].thread, NULL, server_serve, &s->each[n]) == 0);
    }
    return NULL;
}

static inline void
server_begin(struct server *s, server_script *script, void *context)
{
    s->script = script;
    s->context = context;
    s->stop_fd = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(0, listen(s->listener, 32));
    assert_int_equal(0, pthread_create(&s->thread, NULL, server_accept, s));
}

static inline struct server *
server_start_tcp(server_script *script, void *context)
{
    struct server *s = calloc(1, sizeof *s);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;

    assert_non_null(s);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(0, bind(s->listener, (struct sockaddr *)&address, len));
    assert_int_equal(0, getsockname(s->listener, (struct sockaddr *)&address, &len));
    (void)snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", ntohs(address.sin_port));
    server_begin(s, script, context);
    return s;
}

static inline struct server *
server_start_unix(server_script *script, void *context)
{
    struct server *s = calloc(1, sizeof *s);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/gantry-http-XXXXXX";

    assert_non_null(s);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(s->path, sizeof s->path, "%s/s", folder);
    (void)snprintf(s->url, sizeof s->url, "http://host");
    memcpy(address.sun_path, s->path, strlen(s->path) + 1);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(0, bind(s->listener, (struct sockaddr *)&address, sizeof address));
    server_begin(s, script, context);
    return s;
}

/* Ends every connection and thread. */
static inline void
server_stop(struct server *s)
{
    uint64_t one = 1;

    if (!s)
        return;
    assert_int_equal(sizeof one, write(s->stop_fd, &one, sizeof one));
    (void)shutdown(s->listener, SHUT_RDWR);
    assert_int_equal(0, pthread_join(s->thread, NULL));
    for (unsigned n = 0; n < atomic_load(&s->connections); n++) {
        (void)shutdown(s->each[n].fd, SHUT_RDWR);
        assert_int_equal(0, pthread_join(s->each[n].thread, NULL));
        (void)close(s->each[n].fd);
    }
    (void)close(s->listener);
    (void)close(s->stop_fd);
    if (s->path[0]) {
        (void)unlink(s->path);
        *strrchr(s->path, '/') = '\0';
        (void)rmdir(s->path);
    }
    free(s);
}

#endif
