/* host_extensions.c - gantry.folder/1 and gantry.wait/1: a folder of the backend's own, and waiting that ends
 * with the call. */
#include "runtime_internal.h"

#include <errno.h>
#include <poll.h>

static const char *
folder_path(const struct gantry_host *host)
{
    const struct runtime_backend *backend = (const struct runtime_backend *)(const void *)host;
    return backend->folder;
}

static const struct gantry_folder folder_functions = {
    .size = sizeof(struct gantry_folder),
    .path = folder_path,
};

const void *
folder_extension(void)
{
    return &folder_functions;
}

/* Whoever cannot be given a descriptor that says so is asked as often. */
#define WITHOUT_CANCEL_FD_MS 100
#define FEW                  16

static int
readable(struct gantry_call *call, const int32_t *fds, uint32_t n, int64_t timeout_ms)
{
    if (!call_is_here(call))
        return call_break(call, "it waited on another thread than the one that entered");
    if (n > 0 && !fds)
        return call_break(call, "it called readable() without descriptors");
    struct pollfd few[FEW], *all = n < FEW ? few : calloc((size_t)n + 1, sizeof *all);
    if (!all)
        return 1; /* the plugin looks for itself */
    for (uint32_t i = 0; i < n; i++)
        all[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    int cancel_fd = call_cancel_fd(call), ready = 0;
    all[n] = (struct pollfd){.fd = cancel_fd, .events = POLLIN};
    int64_t until_ms =
        timeout_ms > INT64_MAX - clock_mono_ms() ? INT64_MAX : clock_mono_ms() + timeout_ms;
    if (call->deadline_ms)
        until_ms = MIN(until_ms, call->deadline_ms);
    do {
        int64_t left = until_ms == INT64_MAX ? INT32_MAX : MAX(until_ms - clock_mono_ms(), 0);
        if (cancel_fd < 0)
            left = MIN(left, WITHOUT_CANCEL_FD_MS);
        ready = poll(all, n + 1, (int)MIN(left, INT32_MAX));
        if (ready < 0 && errno != EINTR)
            ready = 1; /* the plugin looks for itself */
    } while (ready <= 0 && !atomic_load(&call->cancelled) && clock_mono_ms() < until_ms);
    bool only_cancelled = ready == 1 && all[n].revents;
    if (all != few)
        free(all);
    return ready > 0 && !only_cancelled;
}

static const struct gantry_wait wait_functions = {
    .size = sizeof(struct gantry_wait),
    .readable = readable,
};

const void *
wait_extension(void)
{
    return &wait_functions;
}
