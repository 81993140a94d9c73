/* http.h - HTTP requests on libcurl's multi interface.
 *
 * Two ways in, one machine behind them:
 *   struct http_loop   requests side by side on the caller's thread, driven by the caller: it polls
 *                      http_loop_fd() for reading until http_loop_timeout_ms() and then calls
 *                      http_loop_step(), which calls back.  The manager's loop thread uses this.
 *   struct http_pool   blocking, from any thread: http_pool_perform() borrows an idle loop, with
 * its kept connections, runs n requests to their ends, and puts it back.  Plugins' calls use it.
 * curl_global_init is reference-counted here.  Nothing of curl shows in this header. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "compiler.h"
#include "log.h"
#include "str.h"

#include <gantry/http.h>
#include <stdatomic.h>
#include <stdbool.h>

struct http_loop;
struct http_transfer; /* one request in progress; gone after its END */
struct http_pool;

/* Called with every part (gantry/http.h).  Non-zero ends that request with that code, if it is
 * negative. It may start other requests on the same loop, and cancel others, but not itself: it
 * returns a code. */
typedef int http_on_part(void *context, const struct gantry_http_part *part);

MUST_CHECK int http_loop_new(struct http_loop **out, struct gantry_error **err);
void http_loop_free(struct http_loop *loop); /* ends what is left, without calling back */

int http_loop_fd(const struct http_loop *loop);             /* kept by the loop; readable: step */
int64_t http_loop_timeout_ms(const struct http_loop *loop); /* from now; -1: none */
void http_loop_step(struct http_loop *loop);                /* never blocks */
size_t http_loop_active(const struct http_loop *loop);      /* requests in progress */

/* Start a request.  request: borrowed, all that it points to is copied but body and tls, which are
 * kept until END.  *transfer: may be NULL; borrowed, for http_cancel() before END. Errors that are
 * known at once (a bad URL, a header with a line end) are returned, and no part comes. */
MUST_CHECK int http_start(struct http_loop *loop, const struct gantry_http_request *request,
                          http_on_part *on_part, void *context, struct http_transfer **transfer,
                          struct gantry_error **err);
/* End it now; its END never comes. */
void http_cancel(struct http_transfer *transfer);

/* What bounds a blocking call. */
struct http_bound {
    int64_t deadline_ms; /* on clock_mono_ms(); 0: none */
    int cancel_fd;       /* readable: cancelled; -1: cannot be */
};

MUST_CHECK int http_pool_new(struct http_pool **out, struct gantry_error **err);
void http_pool_free(struct http_pool *pool); /* no perform is in progress */
/* As gantry_http.perform of gantry/plugin.h. */
MUST_CHECK int http_pool_perform(struct http_pool *pool, const struct gantry_http_request *requests,
                                 uint32_t n, uint32_t stride, const struct http_bound *bound,
                                 http_on_part *on_part, void *context, struct gantry_error **err);

/* A whole answer gathered in memory, for callers that want no parts. */
struct http_answer {
    int code; /* 0: complete; else GANTRY_E_* */
    uint32_t status;
    char *body; /* owned, NUL-terminated; NULL when code is set */
    size_t body_len;
    char *content_type;         /* owned; may be NULL */
    int64_t retry_after_ms;     /* from Retry-After in seconds or as a date; -1: none */
    struct gantry_error *error; /* owned; NULL when code is 0 */
};
void http_answer_clear(struct http_answer *answer);
/* Start a request whose answer comes whole.  done is called once; answer: taken (cleared by the
 * callee's http_answer_clear, or moved out of). */
MUST_CHECK int http_fetch(struct http_loop *loop, const struct gantry_http_request *request,
                          void (*done)(void *context, struct http_answer *answer), void *context,
                          struct http_transfer **transfer, struct gantry_error **err);

#endif
