/* http_extension.c - gantry.http/1: the backend's HTTP client, bound to the call's deadline and
 * cancellation. */
#include "runtime_internal.h"

#define FINISH_DEFAULT_MS 30000

/* Requests that finish something are bound to their own time, and not to the call's. */
static bool
all_finish(const struct gantry_http_request *requests, uint32_t n, uint32_t stride,
           int64_t *longest_ms)
{
    *longest_ms = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct gantry_http_request *r =
            GANTRY_AT(struct gantry_http_request, requests, stride, i);
        int64_t ms = 0;
        if (!(r->flags & GANTRY_HTTP_FINISH))
            return false;
        if (GANTRY_HAS(r, struct gantry_http_request, total_timeout_ms))
            ms = r->total_timeout_ms;
        *longest_ms = MAX(*longest_ms, ms > 0 ? ms : FINISH_DEFAULT_MS);
    }
    return true;
}

static int
perform(struct gantry_call *call, const struct gantry_http_request *requests, uint32_t n,
        uint32_t stride, int (*on_part)(void *context, const struct gantry_http_part *part),
        void *context)
{
    if (!call_is_here(call))
        return call_break(call, "it used HTTP from another thread than the one that entered");
    if (n == 0)
        return 0;
    /* The first version's fields up to the body are what a request cannot do without. */
    if (!requests || !on_part || stride < offsetof(struct gantry_http_request, body))
        return call_break(call, "it called perform() without requests, stride or callback");
    struct http_bound bound = {.deadline_ms = call->deadline_ms, .cancel_fd = call_cancel_fd(call)};
    struct gantry_error *err = NULL;
    int64_t longest_ms;
    bool finishes = all_finish(requests, n, stride, &longest_ms);
    if (finishes)
        bound = (struct http_bound){.deadline_ms = clock_mono_ms() + longest_ms, .cancel_fd = -1};
    int rc =
        bound.cancel_fd < 0 && !finishes
            ? err_set(&err, GANTRY_E_UNAVAILABLE, "no file descriptor is left for an HTTP request")
            : http_pool_perform(call->backend->pool, requests, n, stride, &bound, on_part, context,
                                &err);
    if (rc < 0 && err)
        call_host_functions.fail(call, rc, err_text(err));
    gantry_error_free(err);
    return rc;
}

static const struct gantry_http http_functions = {
    .size = sizeof(struct gantry_http),
    .perform = perform,
};

const void *
http_extension(void)
{
    return &http_functions;
}
