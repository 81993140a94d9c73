/* response.c - from a response to data or an error. */
#include "response.h"

#include "err.h"

/* One of the mappings of a response, evaluated on its body. */
struct mapper {
    struct request_builder b;
    struct value *body;
};

static const struct mapping_slot *
own_or_source(const struct connector *c, const struct mapping_slot *own,
              const struct mapping_slot *of_source)
{
    return own->mapping || !c->source ? own : of_source;
}

/* name: of the place, without "connect." or "source.".  *out: NULL when it gives nothing. */
static int
map(struct mapper *m, const struct mapping_slot *slot, const char *place, struct value **out)
{
    bool is_source = str_starts_with(str_of(place), STR("source."));
    *out = NULL;
    if (!slot->mapping)
        return 0;
    m->b.spot = (struct request_spot){is_source ? SCOPE_SOURCE : SCOPE_CONNECTOR, place, STR_NONE,
                                      slot->written};
    return request_eval(&m->b, slot->mapping, 0, m->body, out);
}

static struct value *
new_text(struct arena *a, struct str text)
{
    return text.ptr ? value_new_string(a, text) : NULL;
}

/* {"code", "service", "connector": {"coordinate"}, "http": {"status"}} */
static struct value *
first_extensions(const struct response_context *c, const char *code, uint32_t status)
{
    struct arena *a = c->arena;
    struct value *all = value_new_object(a), *connector = value_new_object(a);
    const char *name =
        arena_fmt(a, "%.*s:%.*s", STR_ARG(c->service), STR_ARG(c->connector->coordinate));
    struct value *coordinate = new_text(a, str_of(name)), *http = value_new_object(a);
    struct value *word = new_text(a, str_of(code)), *service = new_text(a, c->service);
    struct value *number = value_new_int(a, status);
    if (!all || !connector || !coordinate || !http || !word || !service || !number)
        return NULL;
    bool failed = value_set(a, connector, STR("coordinate"), coordinate) < 0 ||
                  value_set(a, all, STR("code"), word) < 0 ||
                  value_set(a, all, STR("service"), service) < 0 ||
                  value_set(a, all, STR("connector"), connector) < 0 ||
                  (status && value_set(a, http, STR("status"), number) < 0) ||
                  (status && value_set(a, all, STR("http"), http) < 0);
    return failed ? NULL : all;
}

/* A later key takes the place of an earlier one; a code that is no string is ignored. */
static int
add_extensions(struct mapper *m, struct value *extensions, const struct value *more)
{
    if (!more || value_kind(more) != VALUE_OBJECT)
        return 0;
    for (size_t i = 0; i < value_count(more); i++) {
        struct str key = value_key_at(more, i);
        if (str_eq(key, STR("code")) && value_kind(value_at(more, i)) != VALUE_STRING)
            continue;
        if (value_set(m->b.arena, extensions, key, value_at(more, i)) < 0)
            return err_nomem(m->b.err);
    }
    return 0;
}

static int
make_error(struct arena *a, struct value *message, struct value *extensions, struct outcome *out,
           struct gantry_error **err)
{
    out->data = value_new_null(a);
    out->error = value_new_object(a);
    if (!out->data || !out->error || !message || !extensions ||
        value_set(a, out->error, STR("message"), message) < 0 ||
        value_set(a, out->error, STR("extensions"), extensions) < 0)
        return err_nomem(err);
    return 0;
}

int
response_fail(const struct response_context *c, const char *code, uint32_t status,
              struct str message, struct outcome *out, struct gantry_error **err)
{
    struct value *text = new_text(c->arena, message);
    return make_error(c->arena, text, first_extensions(c, code, status), out, err);
}

/* It is no success: what the schema says of it. */
static int
map_error(const struct response_context *c, struct mapper *m, uint32_t status, struct outcome *out)
{
    const struct connect_errors none = {{NULL, NULL}, {NULL, NULL}};
    const struct connect_errors *own = &c->connector->errors;
    const struct connect_errors *source =
        c->connector->source ? &c->connector->source->errors : &none;
    struct value *message = NULL, *of_source = NULL, *of_own = NULL;
    struct value *extensions = first_extensions(c, RESPONSE_FETCH, status);
    if (!extensions)
        return err_nomem(m->b.err);
    int rc = own->message.mapping ? map(m, &own->message, "connect.errors.message", &message)
                                  : map(m, &source->message, "source.errors.message", &message);
    if (rc == 0)
        rc = map(m, &source->extensions, "source.errors.extensions", &of_source);
    if (rc == 0)
        rc = map(m, &own->extensions, "connect.errors.extensions", &of_own);
    if (rc == 0)
        rc = add_extensions(m, extensions, of_source);
    if (rc == 0)
        rc = add_extensions(m, extensions, of_own);
    if (rc < 0)
        return rc;
    if (!message || value_kind(message) != VALUE_STRING)
        message = new_text(c->arena, STR("Request failed"));
    return make_error(c->arena, message, extensions, out, m->b.err);
}

/* What an isSuccess says, or else the status. */
static int
is_success(const struct response_context *c, struct mapper *m, uint32_t status, bool *out)
{
    const struct connector *connector = c->connector;
    struct value *value = NULL;
    const struct mapping_slot *slot =
        own_or_source(connector, &connector->is_success,
                      connector->source ? &connector->source->is_success : NULL);
    if (!slot->mapping) {
        *out = status == 0 || (status >= 200 && status <= 299);
        return 0;
    }
    int rc = map(m, slot, slot == &connector->is_success ? "connect.isSuccess" : "source.isSuccess",
                 &value);
    *out = value && value_kind(value) == VALUE_BOOL && value_bool(value);
    return rc;
}

/* What the request had, and $status and $response. */
static int
bind(const struct response_context *c, const struct response *response, struct mapper *m)
{
    struct request_input input = {.variable_count = 0};
    struct mapping_variable *all =
        arena_alloc_array(c->arena, c->input->variable_count + 2, sizeof *all);
    struct value *status = value_new_int(c->arena, response->status);
    if (!all || !status)
        return err_nomem(m->b.err);
    if (response->status) {
        all[input.variable_count++] = (struct mapping_variable){STR("$status"), status};
        all[input.variable_count++] =
            (struct mapping_variable){STR("$response"), response->headers};
    }
    for (size_t i = 0; i < c->input->variable_count; i++) {
        struct str name = c->input->variables[i].name;
        if (!str_eq(name, STR("$status")) && !str_eq(name, STR("$response")))
            all[input.variable_count++] = c->input->variables[i];
    }
    input.variables = all;
    return request_bind(&m->b, &input);
}

static int
map_all(const struct response_context *c, struct mapper *m, uint32_t status, struct outcome *out)
{
    bool success = false;
    int rc = is_success(c, m, status, &success);
    if (rc < 0)
        return rc;
    if (!success)
        return map_error(c, m, status, out);
    rc = map(m, &c->connector->selection, "connect.selection", &out->data);
    if (rc == 0 && !out->data && !(out->data = value_new_null(c->arena)))
        return err_nomem(m->b.err);
    return rc;
}

int
response_map(const struct response_context *c, const struct response *response, struct outcome *out,
             struct gantry_error **err)
{
    AUTO_ERR struct gantry_error *why = NULL;
    struct mapper m = {.b = {.schema = c->schema,
                             .connector = c->connector,
                             .arena = c->arena,
                             .has_response = true,
                             .next_note = &out->notes,
                             .err = &why}};
    *out = (struct outcome){.data = NULL};
    int rc = response_decode(response, c->arena, &m.body, &why);
    if (rc == 0)
        rc = bind(c, response, &m);
    if (rc == 0)
        rc = map_all(c, &m, response->status, out);
    if (rc != GANTRY_E_INVALID) {
        err_move(err, &why);
        return rc;
    }
    /* No JSON, or more work than an evaluation may take. */
    char *text = arena_fmt(c->arena, "the response cannot be used: %s", err_text(why));
    return text ? response_fail(c, RESPONSE_INVALID, response->status, str_of(text), out, err)
                : err_nomem(err);
}
