/* One request to the engine, and the task that it belongs to.  See engine.h. */
#include "engine.h"
#include "times.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void
engine_task_init(struct engine_task *task, struct engine *engine, struct gantry_call *call)
{
    task->engine = engine;
    task->call = call;
    task->node = NULL;
    task->error[0] = '\0';
    task->finish_ms = task->each_ms = 0;
}

struct engine_task
engine_task_again(const struct engine_task *task)
{
    struct engine_task again;
    engine_task_init(&again, task->engine, task->call);
    again.node = task->node;
    again.finish_ms = task->finish_ms;
    again.each_ms = task->each_ms;
    return again;
}

struct engine_task
engine_task_undo(const struct engine_task *task)
{
    struct engine_task undo = engine_task_again(task);
    undo.finish_ms = ENGINE_FINISH_MS;
    return undo;
}

int
engine_fail(struct engine_task *task, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(task->error, sizeof task->error, format, args);
    va_end(args);
    return code;
}

int
engine_end(struct engine_task *task, int code)
{
    if (code < 0 && task->error[0])
        task->engine->host->fail(task->call, code, task->error);
    return code;
}

int
engine_cancelled(struct engine_task *task)
{
    if (gantry_cancelled(task->engine->host, task->call))
        return engine_fail(task, GANTRY_E_CANCELLED, "cancelled");
    return 0;
}

void
engine_reply_clear(struct engine_reply *reply)
{
    text_clear(&reply->body);
}

void
engine_date_of(const struct gantry_http_part *part, int64_t *seconds)
{
    for (uint32_t i = 0; i < part->header_count; i++) {
        const struct gantry_http_header *header =
            GANTRY_AT(struct gantry_http_header, part->headers, part->header_stride, i);
        if (strcasecmp(header->name, "Date") == 0)
            (void)time_parse_http(header->value, seconds);
    }
}

/* ---- one exchange
 * --------------------------------------------------------------------------------- */

struct exchange {
    struct engine_task *task;
    const struct engine_request *request;
    struct engine_reply *reply;
    int code;
    char message[400];
};

static int
on_part(void *context, const struct gantry_http_part *part)
{
    struct exchange *exchange = context;
    const struct engine_request *request = exchange->request;
    switch (part->kind) {
    case GANTRY_HTTP_HEAD:
        exchange->reply->status = part->status;
        engine_hear_header(exchange->task, part);
        return request->on_head ? request->on_head(request->context, part) : 0;
    case GANTRY_HTTP_DATA:
        if (request->on_data && exchange->reply->status / 100 == 2)
            return request->on_data(request->context, part->data, (size_t)part->data_size);
        text_add_bytes(&exchange->reply->body, part->data, (size_t)part->data_size);
        return exchange->reply->body.failed ? GANTRY_E_NOMEM : 0;
    case GANTRY_HTTP_END:
        exchange->code = part->code;
        text_one_line(exchange->message, sizeof exchange->message,
                      part->message ? part->message : "");
        return 0;
    default: /* a later host's: nothing that this plugin needs */
        return 0;
    }
}

/* The engine gave no answer.  Says why, as far as a look at the socket tells. */
static int
no_answer(struct engine_task *task, const struct engine_request *request,
          const struct exchange *exchange, int code)
{
    struct engine *engine = task->engine;
    const char *reason = exchange->message[0] ? exchange->message : "no answer";
    /* The engine may have been replaced by another version: ask again. */
    atomic_store(&engine->api_minor, 0);
    if (code == GANTRY_E_TIMEOUT)
        return engine_fail(task, code, "%s '%s': the engine at '%s' did not answer in time (%s)",
                           request->doing, request->subject, engine->address, reason);
    if (code == GANTRY_E_CANCELLED)
        return engine_fail(task, code, "%s '%s': cancelled", request->doing, request->subject);
    if (code != GANTRY_E_UNAVAILABLE && code != GANTRY_E_DENIED)
        return engine_fail(task, code, "%s '%s': %s", request->doing, request->subject, reason);
    if (engine->unix_socket &&
        faccessat(AT_FDCWD, engine->unix_socket, R_OK | W_OK, AT_EACCESS) < 0) {
        if (errno == EACCES || errno == EPERM)
            return engine_fail(
                task, GANTRY_E_DENIED,
                "cannot open unix socket '%s': permission denied; run as a user of the "
                "group that owns it",
                engine->unix_socket);
        if (errno == ENOENT)
            return engine_fail(task, GANTRY_E_UNAVAILABLE,
                               "cannot connect to unix socket '%s': there is no such file; %s",
                               engine->unix_socket,
                               engine->absent_advice
                                   ? engine->absent_advice
                                   : "is the engine running, and is 'socket' right?");
    }
    /* The host's message usually names the address already. */
    const char *place = engine->unix_socket ? engine->unix_socket : engine->base_url;
    if (strstr(reason, place))
        return engine_fail(task, code, "%s '%s': %s; is the engine running?", request->doing,
                           request->subject, reason);
    return engine_fail(task, code, "cannot connect to the engine at '%s': %s; is it running?",
                       engine->address, reason);
}

static int
make_url(struct engine_task *task, const struct engine_request *request, struct text *url)
{
    struct engine *engine = task->engine;
    const struct engine_dialect *dialect = engine->dialect;
    bool versioned = !request->unversioned && !request->outside && !dialect;
    int minor = 0, code = versioned ? engine_version(task, &minor) : 0;
    text_add(url, engine->base_url);
    if (code == 0 && engine->proxy && !request->outside)
        code = engine->proxy->place(task, url);
    if (code < 0)
        return code;
    if (versioned)
        text_addf(url, "/v1.%d", minor);
    else if (dialect && !request->unversioned)
        text_add(url, dialect->prefix);
    text_add(url, request->path);
    if (url->failed)
        return engine_fail(task, GANTRY_E_NOMEM, "%s '%s': out of memory", request->doing,
                           request->subject);
    return 0;
}

#define OWN_HEADERS 3

static uint32_t
add_headers(const struct engine_task *task, const struct engine_request *request,
            struct gantry_http_header *headers)
{
    const struct engine *engine = task->engine;
    uint32_t n = 0;
    for (; n < engine->header_count && n < ENGINE_HEADERS_MAX; n++)
        headers[n] = engine->headers[n];
    if (request->content_type)
        headers[n++] = (struct gantry_http_header){"Content-Type", request->content_type};
    if (request->registry_auth)
        headers[n++] = (struct gantry_http_header){"X-Registry-Auth", request->registry_auth};
    if (task->node && engine->proxy && !request->outside)
        headers[n++] = (struct gantry_http_header){engine->proxy->node_header, task->node};
    return n;
}

static int
exchange_once(struct engine_task *task, const struct engine_request *request,
              struct engine_reply *reply)
{
    struct engine *engine = task->engine;
    AUTO_TEXT url = TEXT(1 << 20);
    int code = make_url(task, request, &url);
    if (code < 0)
        return code;
    struct gantry_http_header headers[ENGINE_HEADERS_MAX + OWN_HEADERS];
    uint32_t header_count = add_headers(task, request, headers);
    struct gantry_http_request http = {
        .size = sizeof http,
        .flags = task->finish_ms ? GANTRY_HTTP_FINISH : 0,
        .total_timeout_ms = task->finish_ms     ? task->finish_ms
                            : request->total_ms ? request->total_ms
                                                : task->each_ms,
        .method = request->method,
        .url = text_cstr(&url),
        .unix_socket = engine->unix_socket,
        .headers = headers,
        .header_count = header_count,
        .header_stride = sizeof headers[0],
        .body = request->body,
        .body_size = request->body_size,
        .first_byte_timeout_ms = request->first_byte_ms,
        .stall_timeout_ms = request->stall_ms,
        .max_response_bytes = request->max_bytes,
        .tls = &engine->tls,
        .proxy = "", /* an engine is never behind a proxy: its answers hold secrets */
    };
    text_clear(&reply->body);
    reply->status = 0;
    reply->body = TEXT(256u << 20);
    reply->body.secret = request->secret_reply;
    struct exchange exchange = {.task = task, .request = request, .reply = reply};
    code = engine->http->perform(task->call, &http, 1, sizeof http, on_part, &exchange);
    if (code < 0)
        return no_answer(task, request, &exchange, code);
    return 0;
}

int
engine_call(struct engine_task *task, const struct engine_request *request,
            struct engine_reply *reply)
{
    const struct engine_proxy *proxy = task->engine->proxy;
    int code = exchange_once(task, request, reply);
    if (code < 0 || request->outside)
        return code;
    if (task->engine->dialect && strcmp(request->method, "GET") == 0 && reply->status == 500 &&
        strstr(text_cstr(&reply->body), "nil pointer dereference"))
        return exchange_once(task, request, reply); /* Podman 4.3, when much is asked at once */
    if ((!request->unversioned && engine_version_refused(reply)) ||
        (proxy && proxy->has_moved(reply))) {
        /* The engine was upgraded or downgraded under us, or moved: look and negotiate once more, then try once
         * more. */
        atomic_store(&task->engine->api_minor, 0);
        code = exchange_once(task, request, reply);
    }
    return code;
}

int
engine_do(struct engine_task *task, const struct engine_request *request,
          struct engine_reply *reply)
{
    int code = engine_call(task, request, reply);
    if (code < 0)
        return code;
    if (reply->status / 100 == 2 || reply->status == 304)
        return 0;
    return engine_refused(task, request, reply);
}
