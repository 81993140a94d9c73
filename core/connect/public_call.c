/* public_call.c - gantry_connect_call(): a request, the transport of the caller, what its response becomes. */
#include "err.h"
#include "public_request.h"
#include "response.h"

/* What gantry_connect_answer points to. */
struct answer {
    struct gantry_connect_answer base;
    struct arena arena;
};

/* What a transport gives.  Its structures are its own again when it returns. */
struct gantry_connect_sink {
    struct arena *arena;
    struct response response;
    struct buf body;
    struct gantry_error *why;
};

struct call {
    struct response_context c;
    const struct gantry_connect_schema *schema;
    const struct gantry_connect_transport *transport;
    struct gantry_connect_sink sink;
    struct connect_request request;
    struct outcome outcome;
};

int
gantry_connect_sink_head(struct gantry_connect_sink *sink, uint32_t status,
                         const struct gantry_connect_header *headers, uint32_t count,
                         uint32_t stride)
{
    struct gantry_connect_header *copies =
        arena_alloc_array(sink->arena, (size_t)count + 1, sizeof *copies);
    if (!copies)
        return GANTRY_E_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        const struct gantry_connect_header *h =
            (const void *)((const char *)headers + (size_t)i * stride);
        copies[i].name = arena_dup_text(sink->arena, h->name);
        copies[i].value = arena_dup_text(sink->arena, h->value);
        if (!copies[i].name || !copies[i].value)
            return GANTRY_E_NOMEM;
    }
    sink->response.status = status;
    return public_read_headers(sink->arena, copies, count, sizeof *copies, &sink->response.headers,
                               NULL);
}

int
gantry_connect_sink_body(struct gantry_connect_sink *sink, const void *bytes, uint64_t size)
{
    buf_add_bytes(&sink->body, bytes, size_of(size));
    return buf_failed(&sink->body);
}

void
gantry_connect_sink_failed(struct gantry_connect_sink *sink, const char *why)
{
    err_clear(&sink->why);
    err_set(&sink->why, GANTRY_E_UNAVAILABLE, "%s", why);
}

/* No response came, or not all of it. */
static int
unanswered(struct call *call, int code, struct gantry_error **err)
{
    const struct connect_source *source = call->c.connector->source;
    const char *why = call->sink.why ? err_text(call->sink.why) : gantry_code_name(code);
    if (code == GANTRY_E_NOMEM || (call->sink.why && call->sink.why->code == GANTRY_E_NOMEM))
        return err_nomem(err);
    if (code == GANTRY_E_CANCELLED)
        return err_set(err, code, "%.*s: the call was cancelled",
                       STR_ARG(call->c.connector->coordinate));
    if (buf_failed(&call->sink.body))
        return response_fail(&call->c, RESPONSE_INVALID, call->sink.response.status,
                             STR("the response is longer than 32 MiB"), &call->outcome, err);
    char *text =
        arena_fmt(call->c.arena, "%.*s%s%.*s: %s", STR_ARG(call->c.service),
                  source ? ", source " : "", STR_ARG(source ? source->name : STR_NONE), why);
    call->sink.response.status = 0;
    if (!text)
        return err_nomem(err);
    return response_fail(&call->c,
                         code == GANTRY_E_TIMEOUT ? RESPONSE_TIMEOUT : RESPONSE_UNREACHABLE, 0,
                         str_of(text), &call->outcome, err);
}

static int
send_request(struct call *call, struct gantry_error **err)
{
    AUTO_ARENA struct arena arena; /* of what the transport sees */
    struct gantry_connect_request shown = {0};
    arena_init(&arena, 0);
    int rc = public_show_request(call->schema, &call->request, &arena, &shown, err);
    if (rc < 0)
        return rc;
    rc = call->transport->send(call->transport->context, &shown, &call->sink);
    if (buf_failed(&call->sink.body) == GANTRY_E_NOMEM)
        rc = GANTRY_E_NOMEM;
    if (rc == 0 && call->sink.response.status == 0) {
        gantry_connect_sink_failed(&call->sink, "the transport gave no response");
        rc = GANTRY_E_INTERNAL;
    }
    if (rc != 0 || buf_failed(&call->sink.body))
        return unanswered(call, rc, err);
    call->sink.response.body = buf_view(&call->sink.body);
    return response_map(&call->c, &call->sink.response, &call->outcome, err);
}

static int
run(struct call *call, struct gantry_error **err)
{
    AUTO_ERR struct gantry_error *why = NULL;
    if (!call->c.connector->http.written)
        return response_map(&call->c, &call->sink.response, &call->outcome, err);
    int rc = request_build(call->c.schema, call->c.connector, call->c.input, call->c.arena,
                           &call->request, &why);
    if (rc == 0)
        return send_request(call, err);
    if (rc != GANTRY_E_INVALID) {
        err_move(err, &why);
        return rc;
    }
    static const char code[] = RESPONSE_UNBUILT ": "; /* it is among the extensions */
    const char *text = err_text(why);
    text += strncmp(text, code, sizeof code - 1) == 0 ? sizeof code - 1 : 0;
    text = arena_dup_text(call->c.arena, text);
    return text ? response_fail(&call->c, RESPONSE_UNBUILT, 0, str_of(text), &call->outcome, err)
                : err_nomem(err);
}

static int
print(const struct value *v, struct arena *a, const char **out, uint64_t *size,
      struct gantry_error **err)
{
    AUTO_BUF struct buf text = BUF_INIT((size_t)PUBLIC_JSON_BYTES);
    int rc = value_print(v, VALUE_COMPACT, &text);
    if (buf_failed(&text) == GANTRY_E_NOMEM)
        return err_nomem(err);
    if (rc < 0)
        return err_set(
            err, GANTRY_E_INVALID,
            "the selection gives more than 64 MiB, or is nested too deep; make it smaller");
    *out = arena_dup(a, buf_view(&text));
    *size = text.len;
    return *out ? 0 : err_nomem(err);
}

/* The notes of the request, then those of the response. */
static const struct request_note *
all_notes(struct call *call)
{
    struct request_note **last = &call->request.notes;
    while (*last)
        last = &(*last)->next;
    *last = call->outcome.notes;
    return call->request.notes;
}

static int
show(struct call *call, struct answer *o, struct gantry_error **err)
{
    const struct outcome *outcome = &call->outcome;
    o->base.size = sizeof o->base;
    o->base.status = call->sink.response.status;
    o->base.note_stride = sizeof *o->base.notes;
    int rc = print(outcome->data, &o->arena, &o->base.data, &o->base.data_size, err);
    if (rc == 0 && outcome->error)
        rc = print(outcome->error, &o->arena, &o->base.error, &o->base.error_size, err);
    return rc < 0 ? rc
                  : public_show_notes(call->schema, all_notes(call), &o->arena, &o->base.notes,
                                      &o->base.note_count, err);
}

int
gantry_connect_call(const struct gantry_connect_schema *schema, const char *which,
                    const char *service, const struct gantry_connect_input *input,
                    const struct gantry_connect_transport *transport,
                    struct gantry_connect_answer **out, struct gantry_error **err)
{
    AUTO_ARENA struct arena arena;
    struct given given = {.connector = NULL};
    arena_init(&arena, 0);
    struct answer *o = calloc(1, sizeof *o);
    if (!o)
        return err_nomem(err);
    arena_init(&o->arena, 0);
    struct call call = {.schema = schema, .transport = transport};
    call.sink.arena = &arena;
    buf_init(&call.sink.body, RESPONSE_BODY_MAX);
    int rc = public_given(schema, which, input, &arena, &given, err);
    call.c = (struct response_context){schema->schema, given.connector, &given.input,
                                       str_of(service), &arena};
    if (rc == 0)
        rc = run(&call, err);
    if (rc == 0)
        rc = show(&call, o, err);
    buf_clear(&call.sink.body);
    err_clear(&call.sink.why);
    if (rc < 0)
        gantry_connect_answer_free(&o->base);
    else
        *out = &o->base;
    return rc;
}

void
gantry_connect_answer_free(struct gantry_connect_answer *answer)
{
    struct answer *o = (struct answer *)answer;
    if (!o)
        return;
    arena_clear(&o->arena);
    free(o);
}
