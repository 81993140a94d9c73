/* test.h - what the tests of this room share: cmocka, requests with the usual values, and a
 * receiver that writes down what it is told and checks that the parts come in their order. */
#ifndef TEST_HTTP_TEST_H
#define TEST_HTTP_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "clock.h"
#include "err.h"
#include "http.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define GUARD_MS 20000 /* no request of these tests takes as long */

/* What one request told. */
struct seen {
    unsigned heads, datas, ends;
    uint32_t status;
    int code;
    char message[512];
    struct buf headers; /* "name: value\n" each */
    struct buf body;
    int head_code, data_code; /* what to return from those parts */
    void (*on_data)(struct seen *seen);
    void *context;
};

static inline void
seen_init(struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    buf_init(&seen->headers, 1 << 20);
    buf_init(&seen->body, 128 << 20);
    seen->code = 12345;
}

static inline void
seen_clear(struct seen *seen)
{
    buf_clear(&seen->headers);
    buf_clear(&seen->body);
}

static inline int
seen_part(void *context, const struct gantry_http_part *part)
{
    struct seen *seen = context;

    assert_int_equal(sizeof *part, part->size);
    assert_int_equal(0, seen->ends); /* nothing comes after END */
    switch (part->kind) {
    case GANTRY_HTTP_HEAD:
        assert_int_equal(0, seen->heads++);
        seen->status = part->status;
        for (uint32_t i = 0; i < part->header_count; i++)
            buf_add_fmt(&seen->headers, "%s: %s\n", part->headers[i].name, part->headers[i].value);
        return seen->head_code;
    case GANTRY_HTTP_DATA:
        assert_int_equal(1, seen->heads);
        assert_true(part->data_size > 0);
        seen->datas++;
        buf_add_bytes(&seen->body, part->data, (size_t)part->data_size);
        if (seen->on_data)
            seen->on_data(seen);
        return seen->data_code;
    case GANTRY_HTTP_END:
        seen->ends++;
        assert_int_equal(seen->heads ? seen->status : 0, part->status);
        seen->code = part->code;
        assert_true((part->code != 0) == (part->message != NULL));
        (void)snprintf(seen->message, sizeof seen->message, "%s",
                       part->message ? part->message : "");
        return 0;
    default:
        fail();
        return 0;
    }
}

static inline struct gantry_http_request
request_to(const char *method, const char *url)
{
    return (struct gantry_http_request){
        .size = sizeof(struct gantry_http_request), .method = method, .url = url, .proxy = ""};
}

static inline void
wait_step(struct http_loop *loop)
{
    struct pollfd fd = {http_loop_fd(loop), POLLIN, 0};
    int64_t timeout = http_loop_timeout_ms(loop);

    (void)poll(&fd, 1, timeout < 0 || timeout > GUARD_MS ? GUARD_MS : (int)timeout);
    http_loop_step(loop);
}

/* Until nothing is in progress. */
static inline void
run(struct http_loop *loop)
{
    int64_t end = clock_mono_ms() + GUARD_MS;

    while (http_loop_active(loop) > 0) {
        assert_true(clock_mono_ms() < end);
        wait_step(loop);
    }
}

static inline struct http_transfer *
start(struct http_loop *loop, const struct gantry_http_request *request, struct seen *seen)
{
    struct gantry_error *err = NULL;
    struct http_transfer *t = NULL;
    int rc = http_start(loop, request, seen_part, seen, &t, &err);

    if (rc < 0)
        fail_msg("not started: %s", err_text(err));
    return t;
}

/* One request from start to end. */
static inline void
ask(struct http_loop *loop, const struct gantry_http_request *request, struct seen *seen)
{
    (void)start(loop, request, seen);
    run(loop);
    assert_int_equal(1, seen->ends);
}

static inline struct http_loop *
new_loop(void)
{
    struct http_loop *loop = NULL;
    assert_int_equal(0, http_loop_new(&loop, NULL));
    return loop;
}

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!strstr((text), (part)))                                                               \
            fail_msg("'%s' is not in: %s", (part), (text));                                        \
    } while (0)
#define assert_lacks(text, part)                                                                   \
    do {                                                                                           \
        if (strstr((text), (part)))                                                                \
            fail_msg("'%s' is in: %s", (part), (text));                                            \
    } while (0)

#endif
