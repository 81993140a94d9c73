/* Blocking calls: several requests in one, bounds, and several threads. */
#include "server.h"
#include "test.h"

#define THREADS 4
#define ROUNDS  25

static void
answer_or_hold(struct exchange *x)
{
    if (strstr(x->head, "/hold "))
        server_hold(x);
    else
        server_ok(x, x->body_len ? x->body : "ok");
}

static int
give_to_index(void *context, const struct gantry_http_part *part)
{
    struct seen *seen = context;
    return seen_part(&seen[part->index], part);
}

static struct http_pool *
new_pool(void)
{
    struct http_pool *pool = NULL;
    assert_int_equal(0, http_pool_new(&pool, NULL));
    return pool;
}

static const struct http_bound unbound = {.deadline_ms = 0, .cancel_fd = -1};

static void
all_requests_of_a_call_run_to_their_ends(void **state)
{
    struct http_pool *pool = new_pool();
    struct server *s = server_start_unix(answer_or_hold, NULL);
    struct gantry_http_request requests[3];
    struct seen seen[3];
    struct gantry_error *err = NULL;

    (void)state;
    for (int i = 0; i < 3; i++) {
        requests[i] = request_to("POST", "http://docker/");
        requests[i].unix_socket = s->path;
        requests[i].body = "abc";
        requests[i].body_size = 3 - (uint64_t)i;
        seen_init(&seen[i]);
    }
    requests[1].url = "no url"; /* known at once; it has its END, and the others run */
    int rc = http_pool_perform(pool, requests, 3, sizeof requests[0], &unbound, give_to_index, seen,
                               &err);
    assert_int_equal(GANTRY_E_INVALID, rc);
    assert_contains(err_text(err), "begin it with http://");
    err_clear(&err);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(1, seen[i].ends);
        assert_int_equal(i == 1 ? GANTRY_E_INVALID : 0, seen[i].code);
        assert_string_equal(i == 0 ? "abc" : i == 1 ? "" : "a", buf_text(&seen[i].body));
        seen_clear(&seen[i]);
    }
    assert_int_equal(0, http_pool_perform(pool, NULL, 0, 0, &unbound, give_to_index, seen, &err));
    http_pool_free(pool);
    server_stop(s);
}

static void
an_answer_with_a_bad_status_is_a_success(void **state)
{
    struct http_pool *pool = new_pool();
    struct server *s = server_start_unix(answer_or_hold, NULL);
    struct gantry_http_request request = request_to("GET", "http://docker/");
    struct seen seen;

    (void)state;
    request.unix_socket = s->path;
    for (int i = 0; i < 3; i++) {
        seen_init(&seen);
        assert_int_equal(0, http_pool_perform(pool, &request, 1, sizeof request, &unbound,
                                              give_to_index, &seen, NULL));
        seen_clear(&seen);
    }
    assert_int_equal(1, atomic_load(&s->connections)); /* kept between calls */
    http_pool_free(pool);
    server_stop(s);
}

/* A call with a request that is answered and one that is not, bounded. */
static void
bounded(const struct http_bound *bound, int code, const char *part)
{
    struct http_pool *pool = new_pool();
    struct server *s = server_start_unix(answer_or_hold, NULL);
    struct gantry_http_request requests[2];
    struct seen seen[2];
    struct gantry_error *err = NULL;

    for (int i = 0; i < 2; i++) {
        requests[i] = request_to("GET", i ? "http://docker/hold" : "http://docker/now");
        requests[i].unix_socket = s->path;
        seen_init(&seen[i]);
    }
    assert_int_equal(code, http_pool_perform(pool, requests, 2, sizeof requests[0], bound,
                                             give_to_index, seen, &err));
    assert_contains(err_text(err), part);
    assert_int_equal(1, seen[0].ends);
    assert_int_equal(1, seen[1].ends);
    assert_int_equal(code, seen[1].code);
    err_clear(&err);
    seen_clear(&seen[0]);
    seen_clear(&seen[1]);

    /* The pool is as good as before. */
    seen_init(&seen[0]);
    assert_int_equal(0, http_pool_perform(pool, requests, 1, sizeof requests[0], &unbound,
                                          give_to_index, seen, NULL));
    seen_clear(&seen[0]);
    http_pool_free(pool);
    server_stop(s);
}

static void
the_deadline_of_the_call_ends_what_is_left(void **state)
{
    (void)state;
    struct http_bound bound = {.deadline_ms = clock_mono_ms() + 60, .cancel_fd = -1};
    bounded(&bound, GANTRY_E_TIMEOUT, "not finished by the deadline of the call");
    bound.deadline_ms = clock_mono_ms() - 1; /* over before it began */
    bounded(&bound, GANTRY_E_TIMEOUT, "not finished by the deadline of the call");
}

static void *
ring(void *argument)
{
    const int *fd = argument;
    uint64_t one = 1;
    struct pollfd pause = {-1, 0, 0};
    (void)poll(&pause, 1, 40);
    server_require(write(*fd, &one, sizeof one) == sizeof one);
    return NULL;
}

static void
a_readable_descriptor_cancels_the_call(void **state)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    struct http_bound bound = {.deadline_ms = clock_mono_ms() + GUARD_MS, .cancel_fd = fd};
    pthread_t thread;

    (void)state;
    assert_int_equal(0, pthread_create(&thread, NULL, ring, &fd));
    bounded(&bound, GANTRY_E_CANCELLED, "cancelled");
    assert_int_equal(0, pthread_join(thread, NULL));
    bounded(&bound, GANTRY_E_CANCELLED, "cancelled"); /* it still is: before anything is sent */
    (void)close(fd);
}

static int
refuse_at_end(void *context, const struct gantry_http_part *part)
{
    (void)context;
    return part->kind == GANTRY_HTTP_END ? GANTRY_E_CONFLICT : 0;
}

static void
a_code_of_the_receiver_is_the_calls_at_the_end_too(void **state)
{
    struct http_pool *pool = new_pool();
    struct server *s = server_start_unix(answer_or_hold, NULL);
    struct gantry_http_request request = request_to("GET", "http://docker/");

    (void)state;
    request.unix_socket = s->path;
    assert_int_equal(GANTRY_E_CONFLICT, http_pool_perform(pool, &request, 1, sizeof request,
                                                          &unbound, refuse_at_end, NULL, NULL));
    http_pool_free(pool);
    server_stop(s);
}

struct caller {
    pthread_t thread;
    struct http_pool *pool;
    const char *path;
    unsigned good;
};

static int
count_good(void *context, const struct gantry_http_part *part)
{
    struct caller *caller = context;
    caller->good += part->kind == GANTRY_HTTP_END && part->code == 0 && part->status == 200;
    return 0;
}

static void *
call_often(void *argument)
{
    struct caller *caller = argument;
    struct gantry_http_request requests[3];

    for (int i = 0; i < 3; i++) {
        requests[i] = request_to("GET", "http://docker/");
        requests[i].unix_socket = caller->path;
    }
    for (int i = 0; i < ROUNDS; i++)
        server_require(http_pool_perform(caller->pool, requests, 3, sizeof requests[0], &unbound,
                                         count_good, caller, NULL) == 0);
    return NULL;
}

static void
threads_share_a_pool(void **state)
{
    struct http_pool *pool = new_pool();
    struct server *s = server_start_unix(answer_or_hold, NULL);
    struct caller callers[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){.pool = pool, .path = s->path};
        assert_int_equal(0, pthread_create(&callers[i].thread, NULL, call_often, &callers[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(0, pthread_join(callers[i].thread, NULL));
        assert_int_equal(3 * ROUNDS, callers[i].good);
    }
    assert_true(atomic_load(&s->connections) <= 3 * THREADS);
    http_pool_free(pool);
    server_stop(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_requests_of_a_call_run_to_their_ends),
        cmocka_unit_test(an_answer_with_a_bad_status_is_a_success),
        cmocka_unit_test(the_deadline_of_the_call_ends_what_is_left),
        cmocka_unit_test(a_readable_descriptor_cancels_the_call),
        cmocka_unit_test(a_code_of_the_receiver_is_the_calls_at_the_end_too),
        cmocka_unit_test(threads_share_a_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
