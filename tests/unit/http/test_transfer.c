/* Requests and answers: what is sent, what arrives, in which order, and how it is ended from
 * outside. */
#include "server.h"
#include "test.h"

static void
echo(struct exchange *x)
{
    char text[2048];
    (void)snprintf(text, sizeof text, "%s|%s", x->head, x->body);
    server_ok(x, text);
}

static void
get_over_tcp_gives_status_headers_and_body(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_tcp(echo, NULL);
    struct seen seen;
    char url[128];
    struct gantry_http_header headers[] = {{"X-One", "1"}, {"X-Empty", ""}, {"Accept", "a/b"}};

    (void)state;
    (void)snprintf(url, sizeof url, "%s/a/../b?c=d", s->url);
    struct gantry_http_request request = request_to("GET", url);
    request.headers = headers;
    request.header_count = 3;
    request.header_stride = sizeof headers[0];
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_int_equal(0, seen.code);
    assert_int_equal(200, seen.status);
    assert_contains(buf_text(&seen.headers), "Content-Length: ");
    assert_contains(buf_text(&seen.body), "GET /a/../b?c=d HTTP/1.1\r\n");
    assert_contains(buf_text(&seen.body), "\r\nX-One: 1\r\n");
    assert_contains(buf_text(&seen.body), "\r\nX-Empty:\r\n");
    assert_contains(buf_text(&seen.body), "\r\nAccept: a/b\r\n");
    assert_contains(buf_text(&seen.body), "\r\nUser-Agent: gantry/");
    assert_lacks(buf_text(&seen.body), "Content-Type");
    seen_clear(&seen);
    http_loop_free(loop);
    server_stop(s);
}

static void
post_over_a_unix_socket_sends_its_body_at_once(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_unix(echo, NULL);
    struct seen seen;
    struct gantry_http_request request = request_to("POST", "http://docker/x");

    (void)state;
    request.unix_socket = s->path;
    request.body = "a=b";
    request.body_size = 3;
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_int_equal(0, seen.code);
    assert_contains(buf_text(&seen.body), "POST /x HTTP/1.1\r\nHost: docker\r\n");
    assert_contains(buf_text(&seen.body), "Content-Length: 3\r\n");
    assert_contains(buf_text(&seen.body), "|a=b");
    assert_lacks(buf_text(&seen.body), "Content-Type");
    assert_lacks(buf_text(&seen.body), "Accept-Encoding");
    seen_clear(&seen);
    http_loop_free(loop);
    server_stop(s);
}

static void
methods_are_sent_as_given_with_a_length_where_one_is_due(void **state)
{
    static const struct {
        const char *method, *line, *length;
    } cases[] = {
        {"POST", "POST / ", "Content-Length: 0\r\n"},
        {"PUT", "PUT / ", "Content-Length: 0\r\n"},
        {"PATCH", "PATCH / ", "Content-Length: 0\r\n"},
        {"DELETE", "DELETE / ", NULL},
        {"LIST", "LIST / ", NULL},
    };
    struct http_loop *loop = new_loop();
    struct server *s = server_start_unix(echo, NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct seen seen;
        struct gantry_http_request request = request_to(cases[i].method, "http://docker/");
        request.unix_socket = s->path;
        seen_init(&seen);
        ask(loop, &request, &seen);
        assert_int_equal(0, seen.code);
        assert_contains(buf_text(&seen.body), cases[i].line);
        if (cases[i].length)
            assert_contains(buf_text(&seen.body), cases[i].length);
        seen_clear(&seen);
    }
    assert_int_equal(1, atomic_load(&s->connections));
    http_loop_free(loop);
    server_stop(s);
}

static void
head_script(struct exchange *x)
{
    server_say(x, x->head[0] == 'H' ? "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
                                    : "HTTP/1.1 204 No Content\r\n\r\n");
}

static void
head_and_204_do_not_wait_for_a_body(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_unix(head_script, NULL);
    static const char *const methods[] = {"HEAD", "DELETE"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct seen seen;
        struct gantry_http_request request = request_to(methods[i], "http://docker/");
        request.unix_socket = s->path;
        request.total_timeout_ms = 2000;
        seen_init(&seen);
        ask(loop, &request, &seen);
        assert_int_equal(0, seen.code);
        assert_int_equal(i == 0 ? 200 : 204, seen.status);
        assert_int_equal(0, seen.datas);
        seen_clear(&seen);
    }
    http_loop_free(loop);
    server_stop(s);
}

static void
chunked_script(struct exchange *x)
{
    server_say(x, "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
                  "HTTP/1.1 103 Early Hints\r\nX-Early: 2\r\n\r\n"
                  "HTTP/1.1 201 Created\r\nX-Folded: a\r\n  b\r\nTransfer-Encoding: chunked\r\n"
                  "Trailer: X-Late\r\n\r\n"
                  "5\r\nhello\r\n1;x=y\r\n,\r\n6\r\n world\r\n0\r\nX-Late: 1\r\n\r\n");
}

static void
only_the_final_head_is_told_and_trailers_are_left_out(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_tcp(chunked_script, NULL);
    struct seen seen;
    struct gantry_http_request request = request_to("GET", s->url);

    (void)state;
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_int_equal(0, seen.code);
    assert_int_equal(201, seen.status);
    assert_string_equal("hello, world", buf_text(&seen.body));
    assert_lacks(buf_text(&seen.headers), "X-Early");
    assert_lacks(buf_text(&seen.headers), "X-Late: 1");
    assert_contains(buf_text(&seen.headers), "X-Folded: a b\n");
    seen_clear(&seen);
    http_loop_free(loop);
    server_stop(s);
}

static void
redirect_script(struct exchange *x)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "HTTP/1.1 302 Found\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n",
                   (const char *)x->server->context);
    server_say(x, text);
}

static void
redirects_are_answers_and_the_token_goes_nowhere_else(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *other = server_start_tcp(echo, NULL);
    struct server *s = server_start_tcp(redirect_script, other->url);
    struct gantry_http_header header = {"Authorization", "Bearer secret"};
    struct seen seen;
    struct gantry_http_request request = request_to("GET", s->url);

    (void)state;
    request.headers = &header;
    request.header_count = 1;
    request.header_stride = sizeof header;
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_int_equal(0, seen.code);
    assert_int_equal(302, seen.status);
    assert_contains(buf_text(&seen.headers), "Location: http://127.0.0.1:");
    assert_int_equal(0, atomic_load(&other->connections));
    seen_clear(&seen);
    http_loop_free(loop);
    server_stop(s);
    server_stop(other);
}

/* "abc" a piece, as often as context says. */
static int64_t
give_pieces(void *context, void *buffer, uint64_t size)
{
    int *left = context;
    assert_true(size >= 3);
    if (*left <= 0)
        return *left;
    (*left)--;
    memcpy(buffer, "abc", 3);
    return 3;
}

static void
bodies_are_streamed_chunked_or_with_their_size(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_unix(echo, NULL);

    (void)state;
    for (unsigned sized = 0; sized < 2; sized++) {
        struct seen seen;
        int left = 4;
        struct gantry_http_request request = request_to("PUT", "http://docker/archive");
        request.unix_socket = s->path;
        request.read_body = give_pieces;
        request.read_context = &left;
        request.body_size = sized ? 12 : 0;
        seen_init(&seen);
        ask(loop, &request, &seen);
        assert_int_equal(0, seen.code);
        assert_contains(buf_text(&seen.body), "|abcabcabcabc");
        assert_contains(buf_text(&seen.body),
                        sized ? "Content-Length: 12\r\n" : "Transfer-Encoding: chunked\r\n");
        assert_lacks(buf_text(&seen.body), "Expect");
        seen_clear(&seen);
    }
    http_loop_free(loop);
    server_stop(s);
}

static void
a_body_that_fails_or_is_short_ends_the_request(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_unix(echo, NULL);
    struct seen seen;
    int left = GANTRY_E_CONFLICT;
    struct gantry_http_request request = request_to("PUT", "http://docker/archive");

    (void)state;
    request.unix_socket = s->path;
    request.read_body = give_pieces;
    request.read_context = &left;
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_int_equal(GANTRY_E_CONFLICT, seen.code);
    seen_clear(&seen);

    left = 2;
    request.body_size = 9;
    seen_init(&seen);
    ask(loop, &request, &seen);
    assert_int_equal(GANTRY_E_INVALID, seen.code);
    assert_contains(seen.message, "the body ended 3 bytes before its size");
    assert_int_equal(0, atomic_load(&s->requests));
    seen_clear(&seen);
    http_loop_free(loop);
    server_stop(s);
}

static void
the_receivers_code_ends_the_request(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_unix(echo, NULL);
    struct gantry_http_request request = request_to("GET", "http://docker/");

    (void)state;
    request.unix_socket = s->path;
    for (unsigned at_data = 0; at_data < 2; at_data++) {
        struct seen seen;
        seen_init(&seen);
        if (at_data)
            seen.data_code = GANTRY_E_DENIED;
        else
            seen.head_code = GANTRY_E_CONFLICT;
        ask(loop, &request, &seen);
        assert_int_equal(at_data ? GANTRY_E_DENIED : GANTRY_E_CONFLICT, seen.code);
        assert_int_equal(at_data, seen.datas);
        seen_clear(&seen);
    }
    http_loop_free(loop);
    server_stop(s);
}

static void
answers_larger_than_the_limit_are_refused(void **state)
{
    static const struct {
        uint64_t limit;
        int code;
    } cases[] = {{11, GANTRY_E_INVALID}, {12, 0}};
    struct http_loop *loop = new_loop();
    struct server *s = server_start_tcp(chunked_script, NULL);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct seen seen;
        struct gantry_http_request request = request_to("GET", s->url);
        request.max_response_bytes = cases[i].limit;
        seen_init(&seen);
        ask(loop, &request, &seen);
        assert_int_equal(cases[i].code, seen.code);
        assert_true(seen.body.len <= cases[i].limit);
        if (cases[i].code)
            assert_contains(seen.message, "larger than 11 bytes");
        seen_clear(&seen);
    }
    http_loop_free(loop);
    server_stop(s);
}

/* "abc", with gzip. */
static void
gzip_script(struct exchange *x)
{
    static const unsigned char bytes[] = {0x1f, 0x8b, 8,    0,    0,    0, 0, 0,
                                          0,    3,    0x4b, 0x4c, 0x4a, 6, 0, 0xc2,
                                          0x41, 0x24, 0x35, 3,    0,    0, 0};
    char head[128];

    server_require(strstr(x->head, "Accept-Encoding: gzip\r\n"));
    (void)snprintf(head, sizeof head,
                   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                   sizeof bytes);
    server_say(x, head);
    server_write(x, (const char *)bytes, sizeof bytes);
}

static void
compressed_answers_arrive_plain_and_count_plain(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_tcp(gzip_script, NULL);
    struct gantry_http_request request = request_to("GET", s->url);

    (void)state;
    for (uint64_t limit = 2; limit < 4; limit++) {
        struct seen seen;
        request.max_response_bytes = limit;
        seen_init(&seen);
        ask(loop, &request, &seen);
        assert_int_equal(limit == 2 ? GANTRY_E_INVALID : 0, seen.code);
        if (limit == 3)
            assert_string_equal("abc", buf_text(&seen.body));
        seen_clear(&seen);
    }
    http_loop_free(loop);
    server_stop(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_over_tcp_gives_status_headers_and_body),
        cmocka_unit_test(post_over_a_unix_socket_sends_its_body_at_once),
        cmocka_unit_test(methods_are_sent_as_given_with_a_length_where_one_is_due),
        cmocka_unit_test(head_and_204_do_not_wait_for_a_body),
        cmocka_unit_test(only_the_final_head_is_told_and_trailers_are_left_out),
        cmocka_unit_test(redirects_are_answers_and_the_token_goes_nowhere_else),
        cmocka_unit_test(bodies_are_streamed_chunked_or_with_their_size),
        cmocka_unit_test(a_body_that_fails_or_is_short_ends_the_request),
        cmocka_unit_test(the_receivers_code_ends_the_request),
        cmocka_unit_test(answers_larger_than_the_limit_are_refused),
        cmocka_unit_test(compressed_answers_arrive_plain_and_count_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
