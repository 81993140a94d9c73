/* http_transfer.c - one request from its start to its END: what curl calls back, its deadlines, and
 * the second try.
 *
 * The second try.  A server may close a kept connection at the moment at which we send on it.  curl
 * then tries again by itself in most cases, but on any other kept connection too, and up to five
 * times.  Here it is once, on a fresh connection: on_ready() sees each try before it is sent, and
 * stops a second one that is about to go over a kept connection, which http_transfer_done() then
 * starts anew, as it does where curl would not.  An answer has begun with its first whole line;
 * curl tells nothing of half a line. */
#include "http_internal.h"

#include "clock.h"
#include "err.h"
#include "secret.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#define KEEP_IDLE       4 /* curl handles that are kept for the next requests */
#define KEEP_HEAD_BYTES 8192

/* --- what curl calls */

/* End it from a callback: the code stands, and curl reports a failed write or read, which is
 * ignored. */
static bool
is_cut(const struct http_transfer *t)
{
    return t->code != 0 || t->list == &t->loop->doomed;
}

static int
tell(struct http_transfer *t, struct gantry_http_part *part)
{
    part->size = sizeof *part;
    part->index = t->index;
    part->status = t->head.complete ? t->head.status : 0;
    int rc = t->on_part(t->context, part);
    if (rc == 0)
        return 0;
    if (t->list != &t->loop->doomed)
        http_say(t, rc < 0 ? rc : GANTRY_E_INTERNAL, "%s: ended by the receiver of the answer",
                 t->where);
    return rc;
}

static bool
uses_kept_connection(const struct http_transfer *t)
{
    long connects = 1;
    (void)curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
    return connects == 0;
}

/* The connection is there and the request is about to be sent. */
static int
on_ready(void *context, char *remote, char *local, int remote_port, int local_port)
{
    struct http_transfer *t = context;

    (void)remote, (void)local, (void)remote_port, (void)local_port;
    t->connected = true;
    t->tries++;
    if (t->tries == 1)
        return CURL_PREREQFUNC_OK;
    if (t->retried || t->tries > 2) {
        http_say(t, GANTRY_E_UNAVAILABLE, "%s: the connection was closed before an answer, twice",
                 t->where);
        return CURL_PREREQFUNC_ABORT;
    }
    t->kept_again = uses_kept_connection(t);
    return t->kept_again ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t
on_header(char *bytes, size_t size, size_t n, void *context)
{
    struct http_transfer *t = context;
    bool complete = false;

    if (is_cut(t))
        return 0;
    t->answered = true;
    int rc = http_head_line(&t->head, (struct str){bytes, size * n}, &complete);
    if (rc < 0) {
        http_say(t, rc, "%s: %s", t->where,
                 rc == GANTRY_E_NOMEM ? "out of memory" : "the header of the answer is too large");
        return 0;
    }
    if (complete) {
        struct gantry_http_part part = {
            .kind = GANTRY_HTTP_HEAD,
            .headers = t->head.headers.ptr,
            .header_count = (uint32_t)t->head.headers.len,
            .header_stride = sizeof(struct gantry_http_header),
        };
        rc = tell(t, &part);
        t->last_byte_ms = clock_mono_ms();
    }
    return rc == 0 ? size * n : 0;
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct http_transfer *t = context;
    size_t len = size * n;

    if (is_cut(t))
        return CURL_WRITEFUNC_ERROR;
    if (len == 0)
        return 0;
    if (len > t->limits.max_bytes - t->received) {
        http_say(t, GANTRY_E_INVALID, "%s: the answer is larger than %llu bytes", t->where,
                 (unsigned long long)t->limits.max_bytes);
        return CURL_WRITEFUNC_ERROR;
    }
    t->received += len;
    struct gantry_http_part part = {.kind = GANTRY_HTTP_DATA, .data = bytes, .data_size = len};
    int rc = tell(t, &part);
    /* After the receiver: the time that it takes is not the server's. */
    if (t->limits.stall_ms)
        t->last_byte_ms = clock_mono_ms();
    return rc == 0 ? len : CURL_WRITEFUNC_ERROR;
}

static size_t
on_upload(char *buffer, size_t size, size_t n, void *context)
{
    struct http_transfer *t = context;
    uint64_t room = size * n;

    if (is_cut(t))
        return CURL_READFUNC_ABORT;
    if (t->sized && t->body_left == 0)
        return 0;
    if (t->sized && room > t->body_left)
        room = t->body_left;
    int64_t got = t->read_body(t->read_context, buffer, room);
    if (got < 0)
        http_say(t, got < INT32_MIN ? GANTRY_E_INTERNAL : (int)got,
                 "%s: ended by the sender of the body", t->where);
    else if ((uint64_t)got > room)
        http_say(t, GANTRY_E_INTERNAL, "%s: the sender of the body gave more than was asked for",
                 t->where);
    else if (got == 0 && t->sized)
        http_say(t, GANTRY_E_INVALID, "%s: the body ended %llu bytes before its size", t->where,
                 (unsigned long long)t->body_left);
    if (is_cut(t))
        return CURL_READFUNC_ABORT;
    t->body_left -= t->sized ? (uint64_t)got : 0;
    return (size_t)got;
}

/* curl's own does not close the socket in programs that we start. */
static curl_socket_t
on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)context, (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static CURLcode
set_callbacks(struct http_transfer *t)
{
    CURL *easy = t->easy;
    CURLcode rc = CURLE_OK;

    HTTP_SET(CURLOPT_PRIVATE, t);
    HTTP_SET(CURLOPT_ERRORBUFFER, t->curl_text);
    HTTP_SET(CURLOPT_HEADERFUNCTION, on_header);
    HTTP_SET(CURLOPT_HEADERDATA, t);
    HTTP_SET(CURLOPT_WRITEFUNCTION, on_body);
    HTTP_SET(CURLOPT_WRITEDATA, t);
    HTTP_SET(CURLOPT_READFUNCTION, on_upload);
    HTTP_SET(CURLOPT_READDATA, t);
    HTTP_SET(CURLOPT_PREREQFUNCTION, on_ready);
    HTTP_SET(CURLOPT_PREREQDATA, t);
    HTTP_SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    return rc;
}

/* --- life */

void
http_transfer_free(struct http_transfer *t)
{
    http_move(t, NULL);
    curl_easy_cleanup(t->easy);
    http_head_clear(&t->head);
    if (t->block)
        secret_wipe(t->block, t->block_size);
    free(t->block);
    free(t);
}

static struct http_transfer *
transfer_new(struct http_loop *loop)
{
    struct http_transfer *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->loop = loop;
    http_head_init(&t->head);
    t->easy = curl_easy_init();
    if (!t->easy) {
        free(t);
        return NULL;
    }
    http_move(t, &loop->idle);
    return t;
}

/* Back to the idle ones, or away when there are enough. */
static void
recycle(struct http_transfer *t)
{
    struct http_loop *loop = t->loop;

    if (loop->idle.count >= KEEP_IDLE) {
        http_transfer_free(t);
        return;
    }
    /* Forgets its options, with what is secret in them, and keeps its memory. */
    curl_easy_reset(t->easy);
    if (t->block)
        secret_wipe(t->block, t->block_size);
    if (t->head.text.size > KEEP_HEAD_BYTES)
        http_head_clear(&t->head);
    t->on_part = NULL;
    t->release = NULL;
    t->context = NULL;
    http_move(t, &loop->idle);
}

static void
prepare(struct http_transfer *t, const struct gantry_http_request *request)
{
    http_head_reset(&t->head);
    t->connected = t->answered = t->retried = t->kept_again = false;
    t->tries = 0;
    t->received = 0;
    t->code = 0;
    t->message[0] = t->curl_text[0] = '\0';
    t->read_body = request->read_body;
    t->read_context = request->read_context;
    t->sized = request->body_size > 0;
    t->body_left = request->body_size;
    t->started_ms = t->connect_ms = t->last_byte_ms = clock_mono_ms();
}

int
http_transfer_start(struct http_loop *loop, const struct gantry_http_request *theirs,
                    uint32_t index, http_on_part *on_part, void *context,
                    void (*release)(void *context), struct http_transfer **out,
                    struct gantry_error **err)
{
    struct gantry_http_request request;
    int rc = http_request_read(theirs, &request, err);
    if (rc == 0)
        rc = http_request_check(&request, err);
    if (rc < 0)
        return rc;

    struct http_transfer *t = loop->idle.first ? loop->idle.first : transfer_new(loop);
    if (!t)
        return err_nomem(err);
    prepare(t, &request);
    rc = http_request_apply(t, &request, err);
    if (rc == 0 && set_callbacks(t) != CURLE_OK)
        rc = err_nomem(err);
    if (rc < 0) {
        recycle(t);
        return rc;
    }
    t->index = index;
    t->on_part = on_part;
    t->context = context;
    t->release = release;
    http_move(t, &loop->waiting);
    if (!loop->in_curl)
        http_transfer_admit(t);
    if (out)
        *out = t;
    return 0;
}

int
http_start(struct http_loop *loop, const struct gantry_http_request *request, http_on_part *on_part,
           void *context, struct http_transfer **transfer, struct gantry_error **err)
{
    return http_transfer_start(loop, request, 0, on_part, context, NULL, transfer, err);
}

void
http_transfer_admit(struct http_transfer *t)
{
    struct http_loop *loop = t->loop;

    loop->in_curl = true;
    CURLMcode rc = curl_multi_add_handle(loop->multi, t->easy);
    loop->in_curl = false;
    if (rc == CURLM_OK) {
        http_move(t, &loop->active);
        return;
    }
    http_say(t, rc == CURLM_OUT_OF_MEMORY ? GANTRY_E_NOMEM : GANTRY_E_INTERNAL, "%s: %s", t->where,
             curl_multi_strerror(rc));
    http_move(t, &loop->ending);
}

/* Take it from curl, if curl has it. */
static void
withdraw(struct http_transfer *t)
{
    struct http_loop *loop = t->loop;

    if (t->list != &loop->active && t->list != &loop->doomed)
        return;
    loop->in_curl = true;
    (void)curl_multi_remove_handle(loop->multi, t->easy);
    loop->in_curl = false;
}

static bool
may_retry(const struct http_transfer *t, CURLcode rc)
{
    if (t->retried || t->answered || t->code != 0)
        return false;
    if (t->kept_again)
        return true;
    bool broke = rc == CURLE_SEND_ERROR || rc == CURLE_RECV_ERROR || rc == CURLE_GOT_NOTHING;
    return broke && uses_kept_connection(t);
}

void
http_transfer_done(struct http_transfer *t, CURLcode rc)
{
    bool again = rc != CURLE_OK && may_retry(t, rc);

    if (rc != CURLE_OK && !again && t->code == 0)
        http_say_curl(t, rc);
    withdraw(t);
    if (again) {
        t->retried = true;
        t->kept_again = t->connected = false;
        t->tries = 0;
        t->curl_text[0] = '\0';
        t->connect_ms = clock_mono_ms();
        (void)curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L); /* a flag: cannot fail */
        http_move(t, &t->loop->waiting);
        http_transfer_admit(t);
        return;
    }
    if (rc == CURLE_OK && !t->head.complete && t->code == 0)
        http_say(t, GANTRY_E_UNAVAILABLE, "%s: the answer has no final status", t->where);
    http_move(t, &t->loop->ending);
}

void
http_transfer_fail(struct http_transfer *t, int code, const char *fmt, ...)
{
    char text[HTTP_MESSAGE_SIZE];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    http_say(t, code, "%s: %s", t->where, text);
    withdraw(t);
    http_move(t, &t->loop->ending);
}

void
http_transfer_deliver(struct http_transfer *t)
{
    struct gantry_http_part part = {
        .size = sizeof part,
        .kind = GANTRY_HTTP_END,
        .index = t->index,
        .status = t->head.complete ? t->head.status : 0,
        .code = t->code,
        .message = t->code ? t->message : NULL,
    };

    http_move(t, NULL);
    (void)t->on_part(t->context,
                     &part); /* it has ended: there is nothing left to end with a code */
    recycle(t);
}

void
http_transfer_drop(struct http_transfer *t)
{
    void (*release)(void *) = t->release;
    void *context = t->context;

    withdraw(t);
    recycle(t);
    if (release)
        release(context);
}

void
http_cancel(struct http_transfer *t)
{
    if (!t->list || t->list == &t->loop->doomed)
        return; /* its END is being delivered, or it is cancelled already */
    if (t->loop->in_curl)
        http_move(t, &t->loop->doomed);
    else
        http_transfer_drop(t);
}

/* --- deadlines */

static int64_t
after(int64_t start, uint32_t ms)
{
    return ms ? start + ms : INT64_MAX;
}

static int64_t
stall_due(const struct http_transfer *t)
{
    return t->head.complete ? after(t->last_byte_ms, t->limits.stall_ms) : INT64_MAX;
}

int64_t
http_transfer_due_ms(const struct http_transfer *t)
{
    int64_t due = after(t->started_ms, t->limits.total_ms);

    due = MIN(due, stall_due(t));
    if (!t->answered)
        due = MIN(due, after(t->started_ms, t->limits.first_byte_ms));
    if (!t->connected)
        due = MIN(due, after(t->connect_ms, t->limits.connect_ms));
    return due;
}

void
http_transfer_check(struct http_transfer *t, int64_t now)
{
    const struct http_limits *limits = &t->limits;
    char span[HTTP_SPAN_SIZE];

    if (!t->connected && now >= after(t->connect_ms, limits->connect_ms))
        http_transfer_fail(t, GANTRY_E_TIMEOUT, "no connection within %s",
                           http_span(limits->connect_ms, span));
    else if (!t->answered && now >= after(t->started_ms, limits->first_byte_ms))
        http_transfer_fail(t, GANTRY_E_TIMEOUT, "no answer within %s",
                           http_span(limits->first_byte_ms, span));
    else if (now >= after(t->started_ms, limits->total_ms))
        http_transfer_fail(t, GANTRY_E_TIMEOUT, "%s within %s",
                           t->answered ? "the answer was not complete" : "no answer",
                           http_span(limits->total_ms, span));
    else if (now >= stall_due(t))
        http_transfer_fail(t, GANTRY_E_TIMEOUT, "no further byte of the answer for %s",
                           http_span(limits->stall_ms, span));
}
