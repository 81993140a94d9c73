/* Requests that are refused before anything is sent. */
#include "test.h"

struct wrong {
    const char *name;
    void (*spoil)(struct gantry_http_request *request);
    const char *part;
};

static struct gantry_http_header header;

static void
set_header(struct gantry_http_request *r, const char *name, const char *value)
{
    header = (struct gantry_http_header){name, value};
    r->headers = &header;
    r->header_count = 1;
    r->header_stride = sizeof header;
}

#define WRONG(name, statement)                                                                     \
    static void name(struct gantry_http_request *r)                                                \
    {                                                                                              \
        statement;                                                                                 \
    }
WRONG(no_size, r->size = 0)
WRONG(no_url, r->url = NULL)
WRONG(no_scheme, r->url = "example.test/")
WRONG(other_scheme, r->url = "file:///etc/passwd")
WRONG(no_host, r->url = "http:///x")
WRONG(only_user, r->url = "http://user:hunter@/x")
WRONG(bad_port, r->url = "http://host:99999999/x")
WRONG(slash_in_password, r->url = "http://user:hunter/word@host/x")
WRONG(blank_in_url, r->url = "http://host/a b")
WRONG(line_end_in_url, r->url = "http://host/a\r\nX: y")
WRONG(no_method, r->method = NULL)
WRONG(bad_method, r->method = "GET / HTTP/1.1\r\nX: y\r\n")
WRONG(head_with_body, r->method = "HEAD"; r->body = "x"; r->body_size = 1)
WRONG(size_without_body, r->body_size = 1)
WRONG(bad_name, set_header(r, "X Y", "z"))
WRONG(colon_in_name, set_header(r, "X: y\r\nZ", "z"))
WRONG(line_end, set_header(r, "X", "y\nZ: hunter"))
WRONG(return_in_value, set_header(r, "X", "y\rhunter"))
WRONG(no_value, set_header(r, "X", NULL))
WRONG(own_length, set_header(r, "content-length", "5"))
WRONG(no_stride, set_header(r, "X", "y"); r->header_stride = 0)
WRONG(long_socket,
      r->unix_socket = "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
WRONG(bad_proxy, r->proxy = "http://user:hunter/word@proxy:3128")
WRONG(odd_proxy, r->proxy = "ftp://user:hunter@proxy:3128")

static const struct wrong wrongs[] = {
    {"no size", no_size, "size field is 0"},
    {"no URL", no_url, "no URL"},
    {"no scheme", no_scheme, "begin it with http:// or https://"},
    {"another scheme", other_scheme, "begin it with http:// or https://"},
    {"no host", no_host, "has no host"},
    {"user alone", only_user, "has no host"},
    {"port", bad_port, "http://host:99999999"},
    {"slash in password", slash_in_password, "URL '...'"},
    {"blank", blank_in_url, "write it as %20"},
    {"line end in URL", line_end_in_url, "write it as %0D"},
    {"no method", no_method, "method"},
    {"method", bad_method, "method"},
    {"HEAD with a body", head_with_body, "HEAD has no body"},
    {"size without body", size_without_body, "no body"},
    {"name", bad_name, "the name of header 1"},
    {"name with line end", colon_in_name, "the name of header 1"},
    {"value with line end", line_end, "header 'X': its value has a line end"},
    {"value with return", return_in_value, "header 'X': its value has a line end"},
    {"no value", no_value, "header 'X': has no value"},
    {"own length", own_length, "leave them out"},
    {"no stride", no_stride, "header_stride is 0"},
    {"long socket path", long_socket, "the path is longer than 107 bytes"},
    {"proxy", bad_proxy, "%2F for a slash"},
    {"proxy of another kind", odd_proxy, "begin its URL with"},
};

static void
wrong_requests_are_refused_at_once_with_one_line(void **state)
{
    struct http_loop *loop = new_loop();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrongs); i++) {
        struct gantry_error *err = NULL;
        struct seen seen;
        struct gantry_http_request request = request_to("GET", "http://host/");
        seen_init(&seen);
        wrongs[i].spoil(&request);
        if (http_start(loop, &request, seen_part, &seen, NULL, &err) != GANTRY_E_INVALID)
            fail_msg("%s: not refused", wrongs[i].name);
        assert_contains(err_text(err), wrongs[i].part);
        assert_lacks(err_text(err), "hunter");
        assert_lacks(err_text(err), "\n");
        assert_int_equal(0, http_loop_active(loop));
        assert_int_equal(0, seen.ends);
        err_clear(&err);
        /* The error may be left out. */
        assert_int_equal(GANTRY_E_INVALID,
                         http_start(loop, &request, seen_part, &seen, NULL, NULL));
        seen_clear(&seen);
    }
    http_loop_free(loop);
}

/* A plugin of an older header: its struct ends before the times. */
static void
fields_that_an_older_caller_lacks_are_taken_as_zero(void **state)
{
    struct http_loop *loop = new_loop();
    struct gantry_http_request request = request_to("GET", "http://host/");
    struct http_transfer *t = NULL;

    (void)state;
    request.unix_socket = "/nowhere/at/all";
    request.size = offsetof(struct gantry_http_request, connect_timeout_ms);
    request.total_timeout_ms = 1;
    request.max_response_bytes = 1;
    request.proxy = "not a proxy";
    struct seen seen;
    seen_init(&seen);
    assert_int_equal(0, http_start(loop, &request, seen_part, &seen, &t, NULL));
    run(loop);
    assert_int_equal(GANTRY_E_UNAVAILABLE, seen.code);
    seen_clear(&seen);
    http_loop_free(loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_requests_are_refused_at_once_with_one_line),
        cmocka_unit_test(fields_that_an_older_caller_lacks_are_taken_as_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
