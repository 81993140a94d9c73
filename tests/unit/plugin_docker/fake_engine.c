/* A host from a script.  See fake_engine.h. */
#include "fake_engine.h"

#include <poll.h>

#include <string.h>

/* perform() knows nothing but the call: the fake is the call. */
struct gantry_call {
    struct fake_engine *fake;
    const struct fake_answer *answers;
    size_t count, next;
};

static struct gantry_call the_call;

static int
emit(struct gantry_call *call, uint32_t kind, const void *item)
{
    struct fake_engine *fake = call->fake;
    if (kind == GANTRY_EMIT_STATUS) {
        fake->last_state = ((const struct gantry_status *)item)->state;
        fake->status_count++;
    }
    if (kind == GANTRY_EMIT_LINE && fake->line_count < 64) {
        const struct gantry_line *line = item;
        size_t i = fake->line_count++;
        fake->lines[i] = *line;
        snprintf(fake->texts[i], sizeof fake->texts[i], "%.*s", (int)line->text_size, line->text);
        snprintf(fake->cursors[i], sizeof fake->cursors[i], "%s", line->cursor);
    }
    if (kind == GANTRY_EMIT_EVENT) {
        const struct gantry_event *event = item;
        struct fake_event *kept = &fake->events[fake->event_count++ % 64];
        kept->kind = event->kind;
        snprintf(kept->handle, sizeof kept->handle, "%s", event->handle ? event->handle : "");
        snprintf(kept->id, sizeof kept->id, "%s", event->id ? event->id : "");
        return fake->emit_code;
    }
    return 0;
}

static void
fail_call(struct gantry_call *call, int code, const char *text)
{
    (void)code;
    snprintf(call->fake->said, sizeof call->fake->said, "%s", text);
}

static void
log_text(const struct gantry_host *host, struct gantry_call *call, uint32_t level, const char *text)
{
    (void)host;
    (void)call;
    (void)level;
    (void)text;
}

static void
progress(struct gantry_call *call, const char *what, uint64_t done, uint64_t total)
{
    (void)call;
    (void)what;
    (void)done;
    (void)total;
}

static int64_t
remaining_ms(struct gantry_call *call)
{
    return call->fake->cancel_at_end ? 1 : INT64_MAX;
}

static int
cancelled(struct gantry_call *call)
{
    return call->fake->cancel_at_end && call->next >= call->count;
}

static void
retry_after(struct gantry_call *call, int64_t ms)
{
    (void)call;
    (void)ms;
}

static int
wait_for(struct gantry_call *call, const int32_t *fds, uint32_t n, int64_t timeout_ms,
         uint32_t flags)
{
    (void)call;
    (void)fds;
    (void)flags;
    assert_int_equal(n, 0);
    poll(NULL, 0, (int)timeout_ms);
    return 0;
}

static const void *
extension(const struct gantry_host *host, const char *id)
{
    (void)host;
    (void)id;
    return NULL;
}

static int
send_parts(const struct fake_answer *answer,
           int (*on_part)(void *, const struct gantry_http_part *), void *context)
{
    struct gantry_http_part part = {.size = sizeof part, .status = answer->status};
    int code = answer->status ? 0 : answer->code;
    if (answer->status) {
        const struct gantry_http_header date = {"date", answer->date};
        part.kind = GANTRY_HTTP_HEAD;
        part.headers = &date;
        part.header_count = answer->date ? 1 : 0;
        part.header_stride = sizeof date;
        code = on_part(context, &part);
        part.kind = GANTRY_HTTP_DATA;
        part.data_size = 1; /* byte by byte: every border falls into the middle of something */
        for (const char *at = answer->body ? answer->body : ""; code == 0 && *at; at++) {
            part.data = at;
            code = on_part(context, &part);
        }
    }
    part.kind = GANTRY_HTTP_END;
    part.code = code;
    part.message = code ? "the script says so" : NULL;
    on_part(context, &part);
    return code;
}

static int
perform(struct gantry_call *call, const struct gantry_http_request *requests, uint32_t n,
        uint32_t stride, int (*on_part)(void *context, const struct gantry_http_part *part),
        void *context)
{
    assert_int_equal(n, 1);
    assert_int_equal(stride, sizeof *requests);
    if (call->next >= call->count)
        fail_msg("asked beyond the script: %s %s", requests->method, requests->url);
    const struct fake_answer *answer = &call->answers[call->next++];
    char asked[2000];
    snprintf(asked, sizeof asked, "%s %s", requests->method,
             requests->url + strlen(call->fake->engine.base_url));
    assert_string_equal(asked, answer->request);
    return send_parts(answer, on_part, context);
}

void
fake_begin(struct fake_engine *fake, const struct fake_answer *answers, size_t count)
{
    static char address[] = "unix:///fake", base_url[] = "http://docker";
    memset(fake, 0, sizeof *fake);
    the_call = (struct gantry_call){fake, answers, count, 0};
    fake->host = (struct gantry_host){.size = sizeof fake->host,
                                      .emit = emit,
                                      .fail = fail_call,
                                      .log = log_text,
                                      .progress = progress,
                                      .remaining_ms = remaining_ms,
                                      .cancelled = cancelled,
                                      .retry_after = retry_after,
                                      .wait = wait_for,
                                      .extension = extension};
    fake->http = (struct gantry_http){.size = sizeof fake->http, .perform = perform};
    fake->engine.host = &fake->host;
    fake->engine.http = &fake->http;
    fake->engine.address = address;
    fake->engine.base_url = base_url;
    engine_task_init(&fake->task, &fake->engine, &the_call);
}

void
fake_end(struct fake_engine *fake)
{
    (void)fake;
    assert_int_equal(the_call.next, the_call.count);
}
