/* tap.c - a host table that shows what passes, and hands it on to the real one. */
#include "conformance_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Who looks on.  The plain tap of a kit stands for whatever the promise has put there since. */
static struct kit_tap *
tap_of(struct gantry_call *call)
{
    struct kit_tap *tap = runtime_call_context(call);
    if (tap->kit && tap == tap->kit->plain && tap->kit->tap)
        return tap->kit->tap;
    return tap;
}

PRINTF_LIKE(2, 3)
static void
trace(const struct kit_tap *tap, const char *fmt, ...)
{
    if (!tap->trace)
        return;
    char line[1400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    tap->trace(tap->trace_context, line);
}

static struct kit_tap *
asked(struct gantry_call *call, const char *function)
{
    struct kit_tap *tap = tap_of(call);
    if (tap->asked)
        tap->asked(tap, function);
    return tap;
}

/* What only the thread that entered may use. */
static struct kit_tap *
used(struct gantry_call *call, const char *function)
{
    struct kit_tap *tap = tap_of(call);
    if (!runtime_call_is_here(call))
        atomic_store(&tap->strayed, function);
    return tap;
}

static struct kit_tap *
said(struct gantry_call *call, const char *function, const char *text)
{
    struct kit_tap *tap = asked(call, function);
    if (tap->said)
        tap->said(tap, function, text);
    return tap;
}

/* ---- what it says --------------------------------------------------------------------------------- */

/* Nothing here is checked yet, so a text may be NULL, and nothing is read beyond an item's size. */
static const char *
shown(const char *text)
{
    return text ? text : "(NULL)";
}

static void
trace_item(const struct kit_tap *tap, uint32_t kind, const void *item)
{
    if (!tap->trace || !item)
        return;
    const struct gantry_status *s = item;
    const struct gantry_line *l = item;
    const struct gantry_event *e = item;
    const struct gantry_traits *t = item;
    const struct gantry_image *i = item;
    if (kind == GANTRY_EMIT_STATUS && GANTRY_HAS(s, struct gantry_status, state))
        trace(tap, "  emits status: handle %s, name %s, %s, %" PRIu32 " labels", shown(s->handle),
              shown(s->name), kit_state_word(s->state), s->label_count);
    else if (kind == GANTRY_EMIT_LINE && GANTRY_HAS(l, struct gantry_line, cursor))
        trace(tap, "  emits line: %s, %" PRIu64 " bytes, cursor %s",
              l->stream == GANTRY_STREAM_STDERR ? "stderr" : "stdout", l->text_size,
              shown(l->cursor));
    else if (kind == GANTRY_EMIT_EVENT && GANTRY_HAS(e, struct gantry_event, id))
        trace(tap, "  emits event: %s %s",
              e->kind == GANTRY_EVENT_CHANGED  ? "changed"
              : e->kind == GANTRY_EVENT_SYNCED ? "synced"
                                               : "lost",
              e->handle ? e->handle : "");
    else if (kind == GANTRY_EMIT_TRAITS && GANTRY_HAS(t, struct gantry_traits, version))
        trace(tap, "  emits traits: %s %s", shown(t->product), shown(t->version));
    else if (kind == GANTRY_EMIT_IMAGE && GANTRY_HAS(i, struct gantry_image, digest))
        trace(tap, "  emits image: %s %s", shown(i->reference), shown(i->digest));
    else
        trace(tap, "  emits something of kind %" PRIu32, kind);
}

static int
tap_emit(struct gantry_call *call, uint32_t kind, const void *item)
{
    struct kit_tap *tap = used(call, "emit");
    trace_item(tap, kind, item);
    int rc = tap->emit ? tap->emit(tap, kind, item) : 0;
    return rc ? rc : runtime_host_functions()->emit(call, kind, item);
}

static void
tap_fail(struct gantry_call *call, int code, const char *text)
{
    trace(said(call, "fail", text), "  says why: %s: %s", gantry_code_name(code), shown(text));
    runtime_host_functions()->fail(call, code, text);
}

static void
tap_log(const struct gantry_host *host, struct gantry_call *call, uint32_t level, const char *text)
{
    if (call)
        trace(said(call, "log", text), "  logs: %s", shown(text));
    runtime_host_functions()->log(host, call, level, text);
}

static void
tap_progress(struct gantry_call *call, const char *what, uint64_t done, uint64_t total)
{
    trace(said(call, "progress", what), "  progress: %s %" PRIu64 " of %" PRIu64, shown(what), done,
          total);
    runtime_host_functions()->progress(call, what, done, total);
}

static int64_t
tap_remaining_ms(struct gantry_call *call)
{
    (void)asked(call, "remaining_ms");
    return runtime_host_functions()->remaining_ms(call);
}

static int
tap_cancelled(struct gantry_call *call)
{
    (void)asked(call, "cancelled");
    return runtime_host_functions()->cancelled(call);
}

static void
tap_retry_after(struct gantry_call *call, int64_t ms)
{
    trace(asked(call, "retry_after"), "  asks for a pause: %" PRId64 " ms", ms);
    runtime_host_functions()->retry_after(call, ms);
}

/* ---- the extensions ------------------------------------------------------------------------------- */

static const void *
real_extension(const char *id)
{
    return runtime_host_functions()->extension(NULL, id);
}

static int
tap_perform(struct gantry_call *call, const struct gantry_http_request *requests, uint32_t n,
            uint32_t stride, int (*on_part)(void *context, const struct gantry_http_part *part),
            void *context)
{
    const struct gantry_http *http = real_extension(GANTRY_EXTENSION_HTTP);
    (void)used(call, "perform");
    trace(asked(call, "perform"), "  asks for %" PRIu32 " HTTP requests", n);
    return http->perform(call, requests, n, stride, on_part, context);
}

static int
tap_wait(struct gantry_call *call, const int32_t *fds, uint32_t n, int64_t timeout_ms,
         uint32_t flags)
{
    (void)used(call, "wait");
    (void)asked(call, "wait");
    return runtime_host_functions()->wait(call, fds, n, timeout_ms, flags);
}

static const struct gantry_http http_functions = {.size = sizeof http_functions,
                                                  .perform = tap_perform};

static const void *
tap_extension(const struct gantry_host *host, const char *id)
{
    if (text_eq(id, GANTRY_EXTENSION_HTTP))
        return &http_functions;
    return runtime_host_functions()->extension(host, id);
}

const struct gantry_host kit_host_functions = {
    .size = sizeof(struct gantry_host),
    .abi_major = GANTRY_ABI_MAJOR,
    .abi_minor = GANTRY_ABI_MINOR,
    .version = GANTRY_VERSION_STRING,
    .emit = tap_emit,
    .fail = tap_fail,
    .log = tap_log,
    .progress = tap_progress,
    .remaining_ms = tap_remaining_ms,
    .cancelled = tap_cancelled,
    .retry_after = tap_retry_after,
    .wait = tap_wait,
    .extension = tap_extension,
};

void
kit_tap_begin(const struct kit_tap *tap, const struct runtime_job *job)
{
    trace(tap, "%s%s%s%s%s%s", runtime_op_name(job->op), job->handle ? ", handle " : "",
          job->handle ? job->handle : "", job->id ? ", connector " : "", job->id ? job->id : "",
          job->prepare ? ", with a spec" : "");
}

void
kit_tap_cancel(struct kit_tap *tap)
{
    struct runtime_job *job = atomic_load(&tap->job);
    if (job)
        runtime_cancel(job);
}
