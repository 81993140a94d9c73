/* Whole answers in memory. */
#include "server.h"
#include "test.h"

struct got {
    unsigned calls;
    struct http_answer answer;
};

static void
on_answer(void *context, struct http_answer *answer)
{
    struct got *got = context;
    got->calls++;
    got->answer = *answer; /* moved out */
}

static void
answer_script(struct exchange *x)
{
    server_say(x, x->server->context);
}

/* Fetch once from a server that says this. */
static void
fetch_text(const char *text, uint64_t max_bytes, struct got *got)
{
    char copy[512];
    struct http_loop *loop = new_loop();

    (void)snprintf(copy, sizeof copy, "%s", text);
    struct server *s = server_start_tcp(answer_script, copy);
    struct gantry_http_request request = request_to("GET", s->url);
    request.max_response_bytes = max_bytes;
    *got = (struct got){0};
    assert_int_equal(0, http_fetch(loop, &request, on_answer, got, NULL, NULL));
    run(loop);
    assert_int_equal(1, got->calls);
    http_loop_free(loop);
    server_stop(s);
}

static void
a_whole_answer_has_status_body_and_type(void **state)
{
    struct got got;

    (void)state;
    fetch_text("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc",
               0, &got);
    assert_int_equal(0, got.answer.code);
    assert_int_equal(404, got.answer.status);
    assert_string_equal("abc", got.answer.body);
    assert_int_equal(3, got.answer.body_len);
    assert_string_equal("text/plain", got.answer.content_type);
    assert_int_equal(-1, got.answer.retry_after_ms);
    assert_null(got.answer.error);
    http_answer_clear(&got.answer);

    fetch_text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, &got);
    assert_string_equal("", got.answer.body);
    assert_int_equal(0, got.answer.body_len);
    assert_null(got.answer.content_type);
    http_answer_clear(&got.answer);
}

static void
retry_after_is_read_as_seconds_and_as_a_date(void **state)
{
    static const struct {
        const char *value;
        int64_t least, most;
    } cases[] = {
        {"120", 120000, 120000},
        {" 0 ", 0, 0},
        {"Wed, 21 Oct 2015 07:28:00 GMT", 0, 0},
        {"Wed, 21 Oct 2515 07:28:00 GMT", 7 * 86400000LL, 7 * 86400000LL}, /* the bound */
        {"99999999999", 7 * 86400000LL, 7 * 86400000LL},
        {"-5", -1, -1},
        {"soon", -1, -1},
        {"", -1, -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct got got;
        char text[256];
        (void)snprintf(text, sizeof text,
                       "HTTP/1.1 429 Slow\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n",
                       cases[i].value);
        fetch_text(text, 0, &got);
        assert_in_range(got.answer.retry_after_ms + 1, cases[i].least + 1, cases[i].most + 1);
        http_answer_clear(&got.answer);
    }
}

static void
a_failed_answer_has_an_error_and_nothing_else(void **state)
{
    struct got got;

    (void)state;
    fetch_text("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 2, &got);
    assert_int_equal(GANTRY_E_INVALID, got.answer.code);
    assert_int_equal(GANTRY_E_INVALID, got.answer.error->code);
    assert_contains(err_text(got.answer.error), "larger than 2 bytes");
    assert_null(got.answer.body);
    assert_int_equal(0, got.answer.body_len);
    assert_int_equal(200, got.answer.status);
    http_answer_clear(&got.answer);
}

static void
never(void *context, struct http_answer *answer)
{
    (void)context, (void)answer;
    fail();
}

/* That nothing leaks is the sanitizer's to say. */
static void
a_cancelled_or_refused_fetch_says_nothing(void **state)
{
    struct http_loop *loop = new_loop();
    struct http_transfer *t = NULL;
    struct gantry_http_request request = request_to("GET", "http://docker/");

    (void)state;
    request.unix_socket = "/nowhere/at/all";
    assert_int_equal(0, http_fetch(loop, &request, never, NULL, &t, NULL));
    http_cancel(t);
    assert_int_equal(0, http_fetch(loop, &request, never, NULL, &t, NULL));
    request.url = "nothing";
    assert_int_equal(GANTRY_E_INVALID, http_fetch(loop, &request, never, NULL, NULL, NULL));
    http_loop_free(loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_answer_has_status_body_and_type),
        cmocka_unit_test(retry_after_is_read_as_seconds_and_as_a_date),
        cmocka_unit_test(a_failed_answer_has_an_error_and_nothing_else),
        cmocka_unit_test(a_cancelled_or_refused_fetch_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
