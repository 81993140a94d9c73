/* The loop: requests side by side, cancelled, started from callbacks, and left alone. */
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
hold_script(struct exchange *x)
{
    if (strstr(x->head, " /hold ")) {
        server_say(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
        server_hold(x);
    } else {
        server_ok(x, "now");
    }
}

static void
a_cancelled_request_is_never_heard_of_again(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_unix(hold_script, NULL);
    struct gantry_http_request request = request_to("GET", "http://docker/hold");
    struct seen seen;

    (void)state;
    request.unix_socket = s->path;
    seen_init(&seen);
    struct http_transfer *t = start(loop, &request, &seen);
    while (seen.datas == 0)
        wait_step(loop);
    http_cancel(t);
    assert_int_equal(0, http_loop_active(loop));
    http_loop_step(loop);
    assert_int_equal(0, seen.ends);

    t = start(loop, &request, &seen); /* before it was sent at all */
    http_cancel(t);
    assert_int_equal(0, http_loop_active(loop));
    seen_clear(&seen);
    http_loop_free(loop);
    server_stop(s);
}

/* What a callback does: cancels the other and starts a third. */
struct meddler {
    struct http_loop *loop;
    struct http_transfer *other;
    struct gantry_http_request request;
    struct seen *third;
};

static void
meddle(struct seen *seen)
{
    struct meddler *m = seen->context;
    http_cancel(m->other);
    (void)start(m->loop, &m->request, m->third);
}

static void
a_callback_may_cancel_others_and_start_new_ones(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_unix(hold_script, NULL);
    struct seen held, first, third;
    struct gantry_http_request hold = request_to("GET", "http://docker/hold");
    struct meddler m = {.loop = loop, .request = request_to("GET", "http://docker/now")};

    (void)state;
    hold.unix_socket = m.request.unix_socket = s->path;
    m.third = &third;
    seen_init(&held);
    seen_init(&first);
    seen_init(&third);
    m.other = start(loop, &hold, &held);
    while (held.datas == 0)
        wait_step(loop);
    first.on_data = meddle;
    first.context = &m;
    (void)start(loop, &m.request, &first);
    run(loop);
    assert_int_equal(0, held.ends);
    assert_int_equal(1, first.ends);
    assert_int_equal(0, first.code);
    assert_int_equal(1, third.ends);
    assert_int_equal(0, third.code);
    assert_string_equal("now", buf_text(&third.body));
    seen_clear(&held);
    seen_clear(&first);
    seen_clear(&third);
    http_loop_free(loop);
    server_stop(s);
}

static void
freeing_a_loop_ends_what_is_left_without_a_word(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_unix(hold_script, NULL);
    struct gantry_http_request request = request_to("GET", "http://docker/hold");
    struct seen seen;

    (void)state;
    request.unix_socket = s->path;
    seen_init(&seen);
    (void)start(loop, &request, &seen);
    while (seen.datas == 0)
        wait_step(loop);
    http_loop_free(loop);
    assert_int_equal(0, seen.ends);
    seen_clear(&seen);
    server_stop(s);
}

static void
requests_run_side_by_side(void **state)
{
    enum { N = 20 };
    struct http_loop *loop = new_loop();
    struct server *s = server_start_unix(echo, NULL);
    struct seen seen[N];

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        char url[64];
        (void)snprintf(url, sizeof url, "http://docker/%u", i);
        struct gantry_http_request request = request_to("GET", url);
        request.unix_socket = s->path;
        seen_init(&seen[i]);
        (void)start(loop, &request, &seen[i]); /* url is gone before it is sent: it was copied */
    }
    assert_int_equal(N, http_loop_active(loop));
    run(loop);
    for (unsigned i = 0; i < N; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "GET /%u HTTP", i);
        assert_int_equal(0, seen[i].code);
        assert_contains(buf_text(&seen[i].body), line);
        seen_clear(&seen[i]);
    }
    http_loop_free(loop);
    server_stop(s);
}

/* A stream that says nothing costs nothing: no deadline is near, so nobody looks. */
static void
a_quiet_stream_does_not_keep_the_loop_busy(void **state)
{
    struct http_loop *loop = new_loop();
    struct server *s = server_start_tcp(hold_script, NULL);
    char url[80];
    struct seen seen;
    unsigned steps = 0;

    (void)state;
    (void)snprintf(url, sizeof url, "%s/hold", s->url);
    struct gantry_http_request request = request_to("GET", url);
    request.stall_timeout_ms = 1500;
    seen_init(&seen);
    (void)start(loop, &request, &seen);
    while (seen.datas == 0)
        wait_step(loop);
    for (; seen.ends == 0; steps++)
        wait_step(loop);
    assert_int_equal(GANTRY_E_TIMEOUT, seen.code);
    assert_true(steps <= 10); /* libcurl has timers of its own */
    seen_clear(&seen);
    http_loop_free(loop);
    server_stop(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancelled_request_is_never_heard_of_again),
        cmocka_unit_test(a_callback_may_cancel_others_and_start_new_ones),
        cmocka_unit_test(freeing_a_loop_ends_what_is_left_without_a_word),
        cmocka_unit_test(requests_run_side_by_side),
        cmocka_unit_test(a_quiet_stream_does_not_keep_the_loop_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
