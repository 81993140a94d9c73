/* One request to the engine, and the task that it belongs to.  See engine.h. */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void
engine_task_init(struct engine_task *task, struct engine *engine, struct gantry_call *call)
{
    task->engine = engine;
    task->call = call;
    task->error[0] = '\0';
    task->finish_ms = task->each_ms = 0;
}

struct engine_task
engine_task_again(const struct engine_task *task)
{
    struct engine_task again;
    engine_task_init(&again, task->engine, task->call);
    again.finish_ms = task->finish_ms;
    again.each_ms = task->each_ms;
    return again;
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

/* ---- one exchange
 * --------------------------------------------------------------------------------- */

struct exchange {
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
                               "cannot connect to unix socket '%s': there is no such file; is the "
                               "engine running, and is 'socket' right?",
                               engine->unix_socket);
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
exchange_once(struct engine_task *task, const struct engine_request *request,
              struct engine_reply *reply)
{
    struct engine *engine = task->engine;
    int minor = 0;
    if (!request->unversioned) {
        int code = engine_version(task, &minor);
        if (code < 0)
            return code;
    }
    AUTO_TEXT url = TEXT(1 << 20);
    text_add(&url, engine->base_url);
    if (!request->unversioned)
        text_addf(&url, "/v1.%d", minor);
    text_add(&url, request->path);
    if (url.failed)
        return engine_fail(task, GANTRY_E_NOMEM, "%s '%s': out of memory", request->doing,
                           request->subject);
    struct gantry_http_header headers[2];
    uint32_t header_count = 0;
    if (request->content_type)
        headers[header_count++] =
            (struct gantry_http_header){"Content-Type", request->content_type};
    if (request->registry_auth)
        headers[header_count++] =
            (struct gantry_http_header){"X-Registry-Auth", request->registry_auth};
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
    struct exchange exchange = {.request = request, .reply = reply};
    int code = engine->http->perform(task->call, &http, 1, sizeof http, on_part, &exchange);
    if (code < 0)
        return no_answer(task, request, &exchange, code);
    return 0;
}

int
engine_call(struct engine_task *task, const struct engine_request *request,
            struct engine_reply *reply)
{
    int code = exchange_once(task, request, reply);
    if (code == 0 && !request->unversioned && engine_version_refused(reply)) {
        /* The engine was upgraded or downgraded under us: negotiate once more, then try once more.
         */
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
