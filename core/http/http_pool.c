/* http_pool.c - blocking calls from any thread.
 *
 * A call borrows an idle loop, with the connections that it keeps, and is its only user until it
 * puts it back.  The one used last is taken first, so that few connections serve few callers; what
 * is too many goes when it comes back. */
#include "http_internal.h"

#include "clock.h"
#include "err.h"

#include <gantry/plugin.h>

#include <poll.h>
#include <pthread.h>

#define IDLE_LOOPS 8

struct http_pool {
    pthread_mutex_t lock;
    size_t idle_count;
    struct http_loop *idle[IDLE_LOOPS];
};

/* One call in progress. */
struct performance {
    http_on_part *on_part;
    void *context;
    int code; /* of the first request that failed */
    struct gantry_error **err;
};

int
http_pool_new(struct http_pool **out, struct gantry_error **err)
{
    struct http_pool *pool = calloc(1, sizeof *pool);

    if (!pool)
        return err_nomem(err);
    (void)pthread_mutex_init(&pool->lock, NULL); /* cannot fail with default attributes on Linux */
    *out = pool;
    return 0;
}

void
http_pool_free(struct http_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->idle_count; i++)
        http_loop_free(pool->idle[i]);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static int
take_loop(struct http_pool *pool, struct http_loop **out, struct gantry_error **err)
{
    struct http_loop *loop = NULL;

    (void)pthread_mutex_lock(&pool->lock);
    if (pool->idle_count > 0)
        loop = pool->idle[--pool->idle_count];
    (void)pthread_mutex_unlock(&pool->lock);
    if (!loop)
        return http_loop_new(out, err);
    *out = loop;
    return 0;
}

static void
put_loop(struct http_pool *pool, struct http_loop *loop)
{
    (void)pthread_mutex_lock(&pool->lock);
    if (pool->idle_count < IDLE_LOOPS) {
        pool->idle[pool->idle_count++] = loop;
        loop = NULL;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    http_loop_free(loop);
}

static void
note_failure(struct performance *p, int code, const char *message)
{
    if (p->code != 0)
        return;
    p->code = code;
    if (code == GANTRY_E_NOMEM)
        (void)err_nomem(p->err);
    else
        (void)err_set(p->err, code, "%s", message);
}

static int
on_part(void *context, const struct gantry_http_part *part)
{
    struct performance *p = context;
    int rc = p->on_part(p->context, part);

    if (part->kind != GANTRY_HTTP_END)
        return rc;
    if (part->code != 0)
        note_failure(p, part->code, part->message);
    else if (rc < 0) /* the receiver finds at the end that the answer is of no use */
        note_failure(p, rc, "ended by the receiver of the answer");
    return 0;
}

/* A request that could not even be started has its END too. */
static void
refuse(struct performance *p, uint32_t index, int code, const struct gantry_error *error)
{
    struct gantry_http_part part = {
        .size = sizeof part,
        .kind = GANTRY_HTTP_END,
        .index = index,
        .code = code,
        .message = err_text(error),
    };
    (void)on_part(p, &part);
}

static void
start_all(struct http_loop *loop, struct performance *p, const struct gantry_http_request *requests,
          uint32_t n, uint32_t stride)
{
    for (uint32_t i = 0; i < n; i++) {
        AUTO_ERR struct gantry_error *error = NULL;
        int rc =
            http_transfer_start(loop, GANTRY_AT(struct gantry_http_request, requests, stride, i), i,
                                on_part, p, NULL, NULL, &error);
        if (rc < 0)
            refuse(p, i, rc, error);
    }
}

static void
end_all(struct http_loop *loop, int code, const char *text)
{
    while (loop->waiting.first)
        http_transfer_fail(loop->waiting.first, code, "%s", text);
    while (loop->active.first)
        http_transfer_fail(loop->active.first, code, "%s", text);
}

/* Wait for the loop, no longer than the call may take; at its end, end all. */
static void
wait_loop(struct http_loop *loop, const struct http_bound *bound)
{
    struct pollfd fds[2] = {
        {.fd = http_loop_fd(loop), .events = POLLIN},
        {.fd = bound->cancel_fd, .events = POLLIN}, /* poll ignores a negative one */
    };
    int64_t timeout = http_loop_timeout_ms(loop);

    if (bound->deadline_ms) {
        int64_t left = bound->deadline_ms - clock_mono_ms();
        if (left <= 0) {
            end_all(loop, GANTRY_E_TIMEOUT, "not finished by the deadline of the call");
            return;
        }
        timeout = timeout < 0 ? left : MIN(timeout, left);
    }
    (void)poll(fds, 2, (int)MIN(timeout, (int64_t)INT32_MAX)); /* a signal: looks again */
    if (fds[1].revents)
        end_all(loop, GANTRY_E_CANCELLED, "cancelled");
}

int
http_pool_perform(struct http_pool *pool, const struct gantry_http_request *requests, uint32_t n,
                  uint32_t stride, const struct http_bound *bound, http_on_part *receiver,
                  void *context, struct gantry_error **err)
{
    struct performance p = {.on_part = receiver, .context = context, .err = err};
    struct http_loop *loop = NULL;

    if (n == 0)
        return 0;
    if (n > 1 && stride < requests->size)
        return err_set(err, GANTRY_E_INVALID,
                       "requests: the stride is %u; set it to sizeof(struct gantry_http_request)",
                       stride);
    int rc = take_loop(pool, &loop, err);
    if (rc < 0)
        return rc;
    start_all(loop, &p, requests, n, stride);
    while (http_loop_active(loop) > 0) {
        wait_loop(loop, bound);
        http_loop_step(loop);
    }
    put_loop(pool, loop);
    return p.code;
}
