/* http_fetch.c - a whole answer in memory, for callers that want no parts. */
#include "http_internal.h"

#include "clock.h"
#include "err.h"

#include <strings.h>

#define EXPECTED_MAX_BYTES ((uint64_t)16 << 20)
#define RETRY_AFTER_MAX_S  (7 * 24 * 3600) /* who asks for more is not taken at its word */

struct fetch {
    void (*done)(void *context, struct http_answer *answer);
    void *context;
    struct buf body;
    struct http_answer answer;
};

void
http_answer_clear(struct http_answer *answer)
{
    free(answer->body);
    free(answer->content_type);
    err_clear(&answer->error);
    *answer = (struct http_answer){.retry_after_ms = -1};
}

static void
fetch_free(void *context)
{
    struct fetch *fetch = context;

    if (!fetch)
        return;
    buf_clear(&fetch->body);
    http_answer_clear(&fetch->answer);
    free(fetch);
}

/* Retry-After: seconds, or a date (RFC 9110, 10.2.3). */
static int64_t
parse_retry_after(const char *text)
{
    int64_t seconds = 0;

    if (!str_to_int64(str_trim(str_of(text)), &seconds)) {
        time_t date = curl_getdate(text, NULL);
        if (date == (time_t)-1)
            return -1;
        int64_t now_s = clock_wall_ms() / 1000;
        seconds = date > now_s ? (int64_t)date - now_s : 0;
    }
    if (seconds < 0)
        return -1;
    return MIN(seconds, (int64_t)RETRY_AFTER_MAX_S) * 1000;
}

/* A hint, and the server's word: it takes no memory that is not written to.  Growing step by step would need three times
 * as much. */
static void
expect_body(struct fetch *fetch, const char *length)
{
    uint64_t bytes;
    if (str_to_uint64(str_trim(str_of(length)), &bytes))
        buf_expect(&fetch->body, (size_t)MIN(bytes, EXPECTED_MAX_BYTES));
}

static int
on_head(struct fetch *fetch, const struct gantry_http_part *part)
{
    for (uint32_t i = 0; i < part->header_count; i++) {
        const struct gantry_http_header *header = &part->headers[i];
        if (strcasecmp(header->name, "Retry-After") == 0) {
            fetch->answer.retry_after_ms = parse_retry_after(header->value);
        } else if (strcasecmp(header->name, "Content-Length") == 0) {
            expect_body(fetch, header->value);
        } else if (strcasecmp(header->name, "Content-Type") == 0 && !fetch->answer.content_type) {
            fetch->answer.content_type = text_dup(header->value);
            if (!fetch->answer.content_type)
                return GANTRY_E_NOMEM;
        }
    }
    return 0;
}

static void
on_end(struct fetch *fetch, const struct gantry_http_part *part)
{
    struct http_answer answer = fetch->answer;
    int code = part->code;

    fetch->answer = (struct http_answer){0};
    answer.status = part->status;
    if (code == 0) {
        answer.body_len = fetch->body.len;
        answer.body = buf_take(&fetch->body);
        if (!answer.body)
            code = err_nomem(&answer.error);
    } else if (code == GANTRY_E_NOMEM) {
        (void)err_nomem(&answer.error);
    } else {
        (void)err_set(&answer.error, code, "%s", part->message);
    }
    if (code != 0)
        answer.body_len = 0;
    answer.code = code;

    void (*done)(void *, struct http_answer *) = fetch->done;
    void *context = fetch->context;
    fetch_free(fetch);
    done(context, &answer);
}

static int
on_part(void *context, const struct gantry_http_part *part)
{
    struct fetch *fetch = context;

    switch (part->kind) {
    case GANTRY_HTTP_HEAD:
        return on_head(fetch, part);
    case GANTRY_HTTP_DATA:
        buf_add_bytes(&fetch->body, part->data, (size_t)part->data_size);
        return buf_failed(&fetch->body);
    default:
        on_end(fetch, part);
        return 0;
    }
}

int
http_fetch(struct http_loop *loop, const struct gantry_http_request *request,
           void (*done)(void *context, struct http_answer *answer), void *context,
           struct http_transfer **transfer, struct gantry_error **err)
{
    struct fetch *fetch = calloc(1, sizeof *fetch);

    if (!fetch)
        return err_nomem(err);
    fetch->done = done;
    fetch->context = context;
    buf_init(&fetch->body, SIZE_MAX - 1); /* the request's own limit is the smaller one */
    fetch->answer.retry_after_ms = -1;
    int rc = http_transfer_start(loop, request, 0, on_part, fetch, fetch_free, transfer, err);
    if (rc < 0)
        fetch_free(fetch);
    return rc;
}
