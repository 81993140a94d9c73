/* transport_http.c - send(document, variables) -> bytes: one POST of JSON, as GraphQL over HTTP has
 * it. */
#include "err.h"
#include "platform_internal.h"

#include <stdio.h>

#define BODY_MAX_BYTES   ((size_t)32 * 1024 * 1024)
#define ANSWER_MAX_BYTES (UINT64_C(64) * 1024 * 1024)

struct transport_http {
    struct transport base;
    size_t users; /* its owner, and each request in progress: that needs tls and what it names */
    struct http_loop *http;
    char *url;
    char *authorization; /* wiped */
    char *ca_file, *proxy, *no_proxy;
    struct gantry_http_tls tls;
    uint32_t connect_timeout_ms;
};

struct transport_send {
    struct transport_http *transport;
    struct http_transfer *transfer;
    struct buf body; /* kept until the end; wiped: variables of some operations are secret */
    transport_done *done;
    void *context;
};

static void release(struct transport_http *t);

static void
send_free(struct transport_send *send)
{
    release(send->transport);
    buf_wipe(&send->body);
    free(send);
}

static void
fetched(void *context, struct http_answer *answer)
{
    struct transport_send *send = context;
    transport_done *done = send->done;
    void *done_context = send->context;
    send_free(send);
    done(done_context, answer);
}

static uint32_t
clamp_ms(int64_t ms)
{
    return ms <= 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

static int
http_send(struct transport *transport, const struct transport_request *request,
          transport_done *done, void *context, struct transport_send **out,
          struct gantry_error **err)
{
    struct transport_http *t = (struct transport_http *)transport;
    struct transport_send *send = calloc(1, sizeof *send);
    if (!send)
        return err_nomem(err);
    send->transport = t;
    t->users++;
    send->done = done;
    send->context = context;
    buf_init(&send->body, BODY_MAX_BYTES);
    buf_add_text(&send->body, "{\"query\":");
    buf_add_json(&send->body, request->document);
    if (request->variables.len > 0) {
        buf_add_text(&send->body, ",\"variables\":");
        buf_add(&send->body, request->variables);
    }
    buf_add_char(&send->body, '}');
    const struct gantry_http_header headers[] = {
        {"Authorization", t->authorization},
        {"Content-Type", "application/json"},
        {"Accept", "application/json"},
    };
    const struct gantry_http_request http = {
        .size = sizeof http,
        .method = "POST",
        .url = t->url,
        .headers = headers,
        .header_count = ARRAY_LENGTH(headers),
        .header_stride = sizeof *headers,
        .body = send->body.ptr,
        .body_size = send->body.len,
        .connect_timeout_ms = t->connect_timeout_ms,
        .total_timeout_ms = clamp_ms(request->timeout_ms),
        .max_response_bytes = ANSWER_MAX_BYTES,
        .tls = &t->tls,
        .proxy = t->proxy,
        .no_proxy = t->no_proxy,
    };
    int code = buf_failed(&send->body) == GANTRY_E_INVALID
                   ? err_set(err, GANTRY_E_INVALID, "the question is larger than 32 MiB; send less")
               : buf_failed(&send->body)
                   ? err_nomem(err)
                   : http_fetch(t->http, &http, fetched, send, &send->transfer, err);
    if (code < 0) {
        send_free(send);
        return code;
    }
    *out = send;
    return 0;
}

static void
http_send_cancel(struct transport_send *send)
{
    http_cancel(send->transfer);
    send_free(send);
}

static void
release(struct transport_http *t)
{
    if (--t->users > 0)
        return;
    if (t->authorization)
        secret_wipe(t->authorization, strlen(t->authorization));
    free(t->authorization);
    if (t->proxy)
        secret_wipe(t->proxy, strlen(t->proxy)); /* it may have credentials */
    free(t->proxy);
    free(t->url);
    free(t->ca_file);
    free(t->no_proxy);
    free(t);
}

static void
http_transport_free(struct transport *transport)
{
    release((struct transport_http *)transport);
}

static const struct transport_kind transport_kind_http = {http_send, http_send_cancel,
                                                          http_transport_free};

/* Copies a text that may be NULL; false when memory ran out. */
static bool
copy(char **to, const char *from)
{
    *to = text_dup(from);
    return *to || !from;
}

static bool
fill(struct transport_http *t, const struct transport_http_options *o)
{
    struct str url = str_of(o->url);
    while (url.len > 0 && url.ptr[url.len - 1] == '/')
        url.len--;
    struct buf text = BUF_INIT(SIZE_MAX / 2);
    buf_add(&text, url);
    buf_add_text(&text, "/graphql");
    t->url = buf_take(&text);
    buf_clear(&text);
    size_t size = sizeof "Bearer " + o->token.len;
    t->authorization = malloc(size);
    if (t->authorization)
        (void)snprintf(t->authorization, size, "Bearer %.*s", STR_ARG(o->token));
    return t->url && t->authorization && copy(&t->ca_file, o->ca_file) &&
           copy(&t->proxy, o->proxy) && copy(&t->no_proxy, o->no_proxy);
}

int
transport_http_new(struct http_loop *http, const struct transport_http_options *options,
                   struct transport **out, struct gantry_error **err)
{
    struct transport_http *t = calloc(1, sizeof *t);
    if (!t)
        return err_nomem(err);
    t->base.kind = &transport_kind_http;
    t->users = 1;
    t->http = http;
    if (!fill(t, options)) {
        release(t);
        return err_nomem(err);
    }
    t->connect_timeout_ms = clamp_ms(options->connect_timeout_ms);
    t->tls = (struct gantry_http_tls){
        .size = sizeof t->tls, .insecure = !options->tls_verify, .ca_file = t->ca_file};
    *out = &t->base;
    return 0;
}

void
transport_free(struct transport *transport)
{
    if (transport)
        transport->kind->free(transport);
}
