/* What goes wrong on the way: which code, which line, and that no line tells a secret. */
#include "server.h"
#include "test.h"

#include <sys/stat.h>

#define DEADLINE_MS 60

static void
silent(struct exchange *x)
{
    server_hold(x);
}

static void
head_then_silent(struct exchange *x)
{
    server_say(x, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    server_hold(x);
}

static void
truncated(struct exchange *x)
{
    server_say(x, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    x->after = SERVER_CLOSE;
}

static void
truncated_chunks(struct exchange *x)
{
    server_say(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    x->after = SERVER_CLOSE;
}

static void
garbage(struct exchange *x)
{
    server_say(x, "SSH-2.0-OpenSSH\r\n");
    x->after = SERVER_CLOSE;
}

static void
endless_header(struct exchange *x)
{
    server_say(x, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 20000; i++)
        server_say(x, "X-More: and more and more and more and more\r\n");
    x->after = SERVER_CLOSE;
}

/* Run one request against a script, and check code and line. */
static void
expect(server_script *script, struct gantry_http_request *request, int code, const char *part)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_tcp(script, NULL);
    struct seen seen;
    char url[128];

    (void)snprintf(url, sizeof url, "http://user:pass@%s/path?token=secret", s->url + 7);
    request->url = url;
    seen_init(&seen);
    ask(loop, request, &seen);
    assert_int_equal(code, seen.code);
    assert_contains(seen.message, s->url);
    assert_contains(seen.message, part);
    assert_lacks(seen.message, "pass");
    assert_lacks(seen.message, "secret");
    seen_clear(&seen);
    http_loop_free(loop);
    server_stop(s);
}

static void
broken_answers_are_errors(void **state)
{
    static const struct {
        server_script *script;
        const char *part;
    } cases[] = {
        {truncated, "the answer broke off after 3 bytes of its body"},
        {truncated_chunks, "the answer broke off after 3 bytes of its body"},
        {garbage, "the answer is not HTTP"},
        {endless_header, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct gantry_http_request request = request_to("GET", NULL);
        expect(cases[i].script, &request,
               cases[i].script == endless_header ? GANTRY_E_INVALID : GANTRY_E_UNAVAILABLE,
               cases[i].part);
    }
}

static void
each_deadline_says_which_it_was(void **state)
{
    (void)state;
    struct gantry_http_request request = request_to("GET", NULL);
    request.first_byte_timeout_ms = DEADLINE_MS;
    expect(silent, &request, GANTRY_E_TIMEOUT, "no answer within 60 ms");

    request = request_to("GET", NULL);
    request.total_timeout_ms = DEADLINE_MS;
    expect(silent, &request, GANTRY_E_TIMEOUT, "no answer within 60 ms");
    expect(head_then_silent, &request, GANTRY_E_TIMEOUT,
           "the answer was not complete within 60 ms");

    request = request_to("GET", NULL);
    request.stall_timeout_ms = DEADLINE_MS;
    expect(head_then_silent, &request, GANTRY_E_TIMEOUT, "no further byte of the answer for 60 ms");
}

/* A listener whose queue is full lets nobody in. */
static void
a_connection_that_is_not_made_ends_by_its_deadline(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    struct http_loop *loop = new_loop();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int waiting[4];
    char url[64];
    struct seen seen;

    (void)state;
    assert_int_equal(0, bind(listener, (struct sockaddr *)&address, len));
    assert_int_equal(0, listen(listener, 0));
    assert_int_equal(0, getsockname(listener, (struct sockaddr *)&address, &len));
    for (size_t i = 0; i < ARRAY_LENGTH(waiting); i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(waiting[i], (struct sockaddr *)&address, len);
    }
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", ntohs(address.sin_port));
    struct gantry_http_request request = request_to("GET", url);
    request.connect_timeout_ms = DEADLINE_MS;
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_int_equal(GANTRY_E_TIMEOUT, seen.code);
    assert_contains(seen.message, "no connection within 60 ms");
    seen_clear(&seen);
    http_loop_free(loop);
    for (size_t i = 0; i < ARRAY_LENGTH(waiting); i++)
        (void)close(waiting[i]);
    (void)close(listener);
}

static void
slow_but_steady(struct exchange *x)
{
    server_say(x, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    for (int i = 0; i < 10; i++) {
        struct pollfd stop = {x->server->stop_fd, POLLIN, 0};
        (void)poll(&stop, 1, 250);
        server_say(x, "x");
    }
}

static void
a_stream_that_moves_is_not_stalled(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_tcp(slow_but_steady, NULL);
    struct gantry_http_request request = request_to("GET", s->url);
    struct seen seen;

    (void)state;
    request.stall_timeout_ms = 2000; /* less than the 2.5 s of the whole */
    request.first_byte_timeout_ms = 2000;
    request.connect_timeout_ms = 2000;
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_int_equal(0, seen.code);
    assert_int_equal(10, seen.body.len);
    seen_clear(&seen);
    http_loop_free(loop);
    server_stop(s);
}

static void
refused(struct gantry_http_request *request, int code, const char *part)
{
    struct http_loop *loop = new_loop();
    struct seen seen;

    seen_init(&seen);
    ask(loop, request, &seen);
    assert_int_equal(code, seen.code);
    assert_contains(seen.message, part);
    assert_lacks(seen.message, "pass");
    seen_clear(&seen);
    http_loop_free(loop);
}

static void
who_cannot_be_reached_is_named_with_the_reason(void **state)
{
    struct server *s = server_start_tcp(silent, NULL);
    char url[64], where[128], socket_path[] = "/tmp/gantry-none-XXXXXX";

    (void)state;
    (void)snprintf(url, sizeof url, "%s", s->url);
    server_stop(s); /* now nobody listens there */
    (void)snprintf(where, sizeof where, "cannot connect to %s: Connection refused", url);
    struct gantry_http_request request = request_to("GET", url);
    refused(&request, GANTRY_E_UNAVAILABLE, where);

    char proxy[128];
    (void)snprintf(proxy, sizeof proxy, "http://user:pass@%s", url + 7);
    (void)snprintf(where, sizeof where,
                   "cannot connect to http://example.test through proxy %s: ", url);
    request = request_to("GET", "http://example.test/");
    request.proxy = proxy;
    refused(&request, GANTRY_E_UNAVAILABLE, where);

    int fd = mkstemp(socket_path);
    assert_true(fd >= 0);
    (void)close(fd);
    request = request_to("GET", "http://docker/");
    request.unix_socket = socket_path; /* a file, but nobody listens */
    (void)snprintf(where, sizeof where, "cannot connect to unix socket '%s': Connection refused",
                   socket_path);
    refused(&request, GANTRY_E_UNAVAILABLE, where);
    (void)unlink(socket_path);
    (void)snprintf(where, sizeof where, "cannot connect to unix socket '%s': No such file",
                   socket_path);
    refused(&request, GANTRY_E_UNAVAILABLE, where);

    request = request_to("GET", "http://name.invalid/");
    refused(&request, GANTRY_E_UNAVAILABLE, "the name cannot be resolved");
}

static void
a_socket_that_may_not_be_opened_is_denied(void **state)
{
    struct server *s = server_start_unix(silent, NULL);
    struct gantry_http_request request = request_to("GET", "http://docker/");

    (void)state;
    request.unix_socket = s->path;
    assert_int_equal(0, chmod(s->path, 0));
    if (geteuid() == 0 && seteuid(65534) != 0) { /* root may open anything */
        server_stop(s);
        skip();
    }
    char *folder_end = strrchr(s->path, '/');
    *folder_end = '\0';
    if (getuid() == 0) {
        assert_int_equal(0, seteuid(0));
        assert_int_equal(0, chmod(s->path, 0755));
        assert_int_equal(0, seteuid(65534));
    }
    *folder_end = '/';
    refused(&request, GANTRY_E_DENIED, "Permission denied; run as a user that may open it");
    assert_int_equal(0, seteuid(getuid()));
    server_stop(s);
}

static void
proxy_script(struct exchange *x)
{
    if (strncmp(x->head, "CONNECT ", 8) == 0) {
        server_require(strstr(x->head, "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
        server_require(!strstr(x->head, "Bearer"));
        server_say(x, "HTTP/1.1 407 No\r\nX-Proxy: 1\r\nContent-Length: 0\r\n\r\n");
        x->after = SERVER_CLOSE;
    } else {
        char text[512];
        (void)snprintf(text, sizeof text, "%.400s", x->head);
        server_ok(x, text);
    }
}

static void
proxies_are_used_as_the_request_says(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_tcp(proxy_script, NULL);
    struct gantry_http_header header = {"Authorization", "Bearer token"};
    char proxy[128];
    struct seen seen;

    (void)state;
    (void)snprintf(proxy, sizeof proxy, "http://user:pass@%s", s->url + 7);
    struct gantry_http_request request = request_to("GET", "http://example.test/x");
    request.proxy = proxy;
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_int_equal(0, seen.code);
    assert_contains(buf_text(&seen.body), "GET http://example.test/x HTTP/1.1");
    seen_clear(&seen);

    request.url = "https://example.test/x";
    request.headers = &header;
    request.header_count = 1;
    request.header_stride = sizeof header;
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_int_equal(GANTRY_E_DENIED, seen.code);
    assert_int_equal(0, seen.heads);
    assert_contains(seen.message, "https://example.test: the proxy refused the connection (407)");
    assert_lacks(seen.message, "pass@");
    seen_clear(&seen);

    request.url =
        s->url; /* itself: the script answers with a relative target only when asked directly */
    request.no_proxy = "example.test,127.0.0.1";
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_contains(buf_text(&seen.body), "GET / HTTP/1.1");
    seen_clear(&seen);

    assert_int_equal(0, setenv("http_proxy", proxy, 1));
    assert_int_equal(0, unsetenv("no_proxy"));
    request = request_to("GET", "http://example.test/y");
    request.proxy = NULL;
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_contains(buf_text(&seen.body), "GET http://example.test/y HTTP/1.1");
    seen_clear(&seen);

    request.url = s->url;
    request.proxy = "";
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_contains(buf_text(&seen.body), "GET / HTTP/1.1");
    seen_clear(&seen);
    assert_int_equal(0, unsetenv("http_proxy"));
    http_loop_free(loop);
    server_stop(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_answers_are_errors),
        cmocka_unit_test(each_deadline_says_which_it_was),
        cmocka_unit_test(a_connection_that_is_not_made_ends_by_its_deadline),
        cmocka_unit_test(a_stream_that_moves_is_not_stalled),
        cmocka_unit_test(who_cannot_be_reached_is_named_with_the_reason),
        cmocka_unit_test(a_socket_that_may_not_be_opened_is_denied),
        cmocka_unit_test(proxies_are_used_as_the_request_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
