/* Kept connections: that they are used, and the second try when the server closes one under a
 * request. */
#include "server.h"
#include "test.h"

static void
ok_script(struct exchange *x)
{
    server_ok(x, x->body_len ? x->body : "ok");
}

/* The first request on a connection is answered; the second ends it, without a byte. */
static void
close_at_second(struct exchange *x)
{
    if (x->number == 1)
        ok_script(x);
    else
        x->after = SERVER_CLOSE;
}

static void
reset_at_second(struct exchange *x)
{
    close_at_second(x);
    if (x->number == 2)
        x->after = SERVER_RESET;
}

/* Answers on the first connection alone, once. */
static void
close_for_ever(struct exchange *x)
{
    if (x->connection == 1)
        close_at_second(x);
    else
        x->after = SERVER_CLOSE;
}

static void
half_at_second(struct exchange *x)
{
    if (x->number == 1) {
        ok_script(x);
        return;
    }
    server_say(x, "HTTP/1.1 200 OK\r\n");
    x->after = SERVER_CLOSE;
}

static void
count_body(struct exchange *x)
{
    char text[64];
    bool whole = true;

    for (size_t i = 0; i < x->body_len; i++)
        whole = whole && x->body[i] == (char)('a' + i % 23);
    (void)snprintf(text, sizeof text, "%zu %s", x->body_len, whole ? "whole" : "broken");
    server_ok(x, text);
}

#define KEPT 4 /* connections */

struct place {
    struct http_loop *loop;
    struct server *server;
    struct gantry_http_request request;
};

static void
open_place(struct place *p, bool unix_socket, server_script *script)
{
    p->loop = new_loop();
    p->server = unix_socket ? server_start_unix(script, NULL) : server_start_tcp(script, NULL);
    p->request = request_to("GET", p->server->url);
    p->request.unix_socket = unix_socket ? p->server->path : NULL;
}

static void
close_place(struct place *p)
{
    http_loop_free(p->loop);
    server_stop(p->server);
}

static int
ask_code(struct place *p)
{
    struct seen seen;

    seen_init(&seen);
    ask(p->loop, &p->request, &seen);
    if (seen.code == 0)
        assert_int_equal(200, seen.status);
    int code = seen.code;
    seen_clear(&seen);
    return code;
}

static void
one_connection_serves_many_requests(void **state)
{
    (void)state;
    for (int unix_socket = 0; unix_socket < 2; unix_socket++) {
        struct place p;
        open_place(&p, unix_socket, ok_script);
        for (int i = 0; i < 20; i++)
            assert_int_equal(0, ask_code(&p));
        assert_int_equal(1, atomic_load(&p.server->connections));
        assert_int_equal(20, atomic_load(&p.server->requests));
        close_place(&p);
    }
}

static void
a_fresh_connection_is_neither_a_kept_one_nor_kept(void **state)
{
    struct place p;

    (void)state;
    open_place(&p, true, ok_script);
    assert_int_equal(0, ask_code(&p));
    p.request.flags = GANTRY_HTTP_FRESH_CONNECTION;
    assert_int_equal(0, ask_code(&p));
    assert_int_equal(2, atomic_load(&p.server->connections));
    p.request.flags = 0;
    assert_int_equal(0, ask_code(&p));
    assert_int_equal(2, atomic_load(&p.server->connections));
    close_place(&p);
}

static void
a_request_on_a_connection_that_closes_is_sent_once_more(void **state)
{
    static server_script *const scripts[] = {close_at_second, reset_at_second};
    static const char *const bodies[] = {NULL, "a body"};

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        struct place p;
        open_place(&p, i & 1, scripts[i >> 1 & 1]);
        p.request.body = bodies[i >> 2];
        p.request.body_size = p.request.body ? strlen(p.request.body) : 0;
        p.request.method = p.request.body ? "POST" : "GET";
        assert_int_equal(0, ask_code(&p));
        assert_int_equal(0, ask_code(&p));
        assert_int_equal(2, atomic_load(&p.server->connections));
        assert_int_equal(3, atomic_load(&p.server->requests)); /* once in vain */
        close_place(&p);
    }
}

/* Leaves when the client has filled the socket and waits to write more. */
static void
leave_kept(struct exchange *x)
{
    struct pollfd pause = {-1, 0, 0};

    if (x->number == 0)
        return;
    (void)poll(&pause, 1, 20);
    x->after = SERVER_CLOSE;
}

/* The server goes away while the body is on its way, which is more than fits into the socket. */
static void
a_body_that_was_half_sent_is_sent_again_from_its_start(void **state)
{
    enum { SIZE = 400 * 1024 };
    char *body = malloc(SIZE);
    struct seen seen;
    struct place p;

    (void)state;
    assert_non_null(body);
    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)('a' + i % 23);
    open_place(&p, true, count_body);
    assert_int_equal(0, ask_code(&p));
    atomic_store(&p.server->on_head, leave_kept);
    p.request.method = "POST";
    p.request.body = body;
    p.request.body_size = SIZE;
    seen_init(&seen);
    ask(p.loop, &p.request, &seen);
    assert_int_equal(0, seen.code);
    assert_string_equal("409600 whole", buf_text(&seen.body));
    assert_int_equal(2, atomic_load(&p.server->connections));
    seen_clear(&seen);
    close_place(&p);
    free(body);
}

static void
it_is_sent_once_more_and_no_more_often(void **state)
{
    (void)state;
    for (int post = 0; post < 2; post++) {
        struct place p;
        open_place(&p, true, close_for_ever);
        p.request.method = post ? "POST" : "GET";
        assert_int_equal(0, ask_code(&p));
        assert_int_equal(GANTRY_E_UNAVAILABLE, ask_code(&p));
        assert_int_equal(2, atomic_load(&p.server->connections));
        assert_int_equal(3, atomic_load(&p.server->requests));
        close_place(&p);
    }
}

/* As close_at_second, but nobody is answered before all connections are there: else the second
 * request of the client might go over the first connection. */
static void
together_then_close(struct exchange *x)
{
    if (x->number == 1 && x->connection <= KEPT)
        (void)pthread_barrier_wait(x->server->context);
    close_at_second(x);
}

/* Several kept connections are there, and all of them close at their second request. */
static void
the_second_try_takes_no_other_kept_connection(void **state)
{
    struct place p;
    pthread_barrier_t barrier;
    struct seen seen[KEPT];

    (void)state;
    assert_int_equal(0, pthread_barrier_init(&barrier, NULL, KEPT));
    open_place(&p, true, together_then_close);
    p.server->context = &barrier;
    for (int i = 0; i < KEPT; i++) {
        seen_init(&seen[i]);
        (void)start(p.loop, &p.request, &seen[i]);
    }
    run(p.loop);
    for (int i = 0; i < KEPT; i++) {
        assert_int_equal(0, seen[i].code);
        seen_clear(&seen[i]);
    }
    assert_int_equal(KEPT, atomic_load(&p.server->connections));
    p.request.method = "POST";
    assert_int_equal(0, ask_code(&p));
    assert_int_equal(KEPT + 1, atomic_load(&p.server->connections));
    assert_int_equal(KEPT + 2, atomic_load(&p.server->requests));
    close_place(&p);
    (void)pthread_barrier_destroy(&barrier);
}

static void
a_new_connection_that_closes_is_an_error_at_once(void **state)
{
    struct place p;

    (void)state;
    open_place(&p, true, close_at_second);
    p.request.flags = GANTRY_HTTP_FRESH_CONNECTION;
    assert_int_equal(0, ask_code(&p));
    p.server->script = close_for_ever;
    assert_int_equal(GANTRY_E_UNAVAILABLE, ask_code(&p));
    assert_int_equal(2, atomic_load(&p.server->requests));
    close_place(&p);
}

static void
after_a_line_of_the_answer_there_is_no_second_try(void **state)
{
    struct place p;

    (void)state;
    open_place(&p, true, half_at_second);
    assert_int_equal(0, ask_code(&p));
    assert_int_equal(GANTRY_E_UNAVAILABLE, ask_code(&p));
    assert_int_equal(2, atomic_load(&p.server->requests));
    close_place(&p);
}

static void
close_after_each(struct exchange *x)
{
    ok_script(x);
    x->after = SERVER_CLOSE;
}

static void
a_connection_that_closed_while_it_was_idle_is_replaced(void **state)
{
    struct place p;

    (void)state;
    open_place(&p, false, close_after_each);
    for (int i = 0; i < 5; i++)
        assert_int_equal(0, ask_code(&p));
    assert_int_equal(5, atomic_load(&p.server->connections));
    close_place(&p);
}

static int64_t
give_once(void *context, void *buffer, uint64_t size)
{
    bool *given = context;
    (void)size;
    if (*given)
        return 0;
    *given = true;
    memcpy(buffer, "piece", 5);
    return 5;
}

static void
a_streamed_body_is_never_risked_on_a_kept_connection(void **state)
{
    struct place p;
    bool given = false;

    (void)state;
    open_place(&p, true, close_at_second);
    assert_int_equal(0, ask_code(&p));
    p.request.method = "PUT";
    p.request.read_body = give_once;
    p.request.read_context = &given;
    assert_int_equal(0, ask_code(&p));
    assert_int_equal(2, atomic_load(&p.server->requests));
    close_place(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_connection_serves_many_requests),
        cmocka_unit_test(a_fresh_connection_is_neither_a_kept_one_nor_kept),
        cmocka_unit_test(a_request_on_a_connection_that_closes_is_sent_once_more),
        cmocka_unit_test(a_body_that_was_half_sent_is_sent_again_from_its_start),
        cmocka_unit_test(it_is_sent_once_more_and_no_more_often),
        cmocka_unit_test(the_second_try_takes_no_other_kept_connection),
        cmocka_unit_test(a_new_connection_that_closes_is_an_error_at_once),
        cmocka_unit_test(after_a_line_of_the_answer_there_is_no_second_try),
        cmocka_unit_test(a_connection_that_closed_while_it_was_idle_is_replaced),
        cmocka_unit_test(a_streamed_body_is_never_risked_on_a_kept_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
