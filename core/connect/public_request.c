/* public_request.c - gantry/connect.h's functions about requests: what callers give is read, what is made is
 * copied, so that it outlives the schema. */
#include "public_request.h"

#include "err.h"

#include <assert.h>

/* What gantry_connect_request points to. */
struct made {
    struct gantry_connect_request base;
    struct arena arena;
};

static const struct connector *
find_connector(const struct connect_schema *schema, struct str which)
{
    for (const struct connector *c = schema->connectors; c; c = c->next)
        if (str_eq(c->coordinate, which) || (c->id.len && str_eq(c->id, which)))
            return c;
    return NULL;
}

static int
no_connector(const struct gantry_connect_schema *schema, const char *which,
             struct gantry_error **err)
{
    AUTO_FREE const char **names = calloc((size_t)schema->connector_count * 2 + 1, sizeof *names);
    size_t count = 0;
    if (!names)
        return err_nomem(err);
    for (uint32_t i = 0; i < schema->connector_count; i++) {
        names[count++] = schema->connectors[i].coordinate;
        if (schema->connectors[i].id)
            names[count++] = schema->connectors[i].id;
    }
    const char *near = text_nearest(which, names, count);
    return err_set(err, GANTRY_E_NOT_FOUND, "the schema has no connector '%s'%s%s%s", which,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* The array of one header name; made when it is the first. */
static struct value *
values_of(struct arena *a, struct value *headers, struct str name)
{
    char *lower = arena_dup(a, name);
    if (!lower)
        return NULL;
    for (size_t i = 0; i < name.len; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] + ('a' - 'A'));
    struct value *all = value_find(headers, (struct str){lower, name.len});
    if (all || !(all = value_new_array(a)))
        return all;
    return value_set(a, headers, (struct str){lower, name.len}, all) == 0 ? all : NULL;
}

int
public_read_headers(struct arena *a, const struct gantry_connect_header *headers, uint32_t count,
                    uint32_t stride, struct value **out, struct gantry_error **err)
{
    struct value *object = value_new_object(a), *names = value_new_object(a);
    if (!object || !names || value_set(a, object, STR("headers"), names) < 0)
        return err_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        const struct gantry_connect_header *h =
            (const void *)((const char *)headers + (size_t)i * stride);
        struct str name = str_of(h->name), text = str_of(h->value);
        if (str_utf8_valid_length(name) < name.len || str_utf8_valid_length(text) < text.len)
            continue;
        struct value *all = values_of(a, names, name), *value = value_new_string(a, text);
        if (!all || !value || value_add(a, all, value) < 0)
            return err_nomem(err);
    }
    *out = object;
    return 0;
}

static bool
has_variable(const struct request_input *input, struct str name)
{
    for (size_t i = 0; i < input->variable_count; i++)
        if (str_eq(input->variables[i].name, name))
            return true;
    return false;
}

static int
read_input(const struct gantry_connect_input *in, struct arena *a, struct given *out,
           struct gantry_error **err)
{
    struct mapping_variable *variables = NULL;
    uint64_t max = in->max_json_bytes ? in->max_json_bytes : PUBLIC_JSON_BYTES;
    if ((in->variable_count && in->variable_stride < sizeof(struct gantry_mapping_variable)) ||
        (in->header_count && in->header_stride < sizeof(struct gantry_connect_header)))
        return err_set(err, GANTRY_E_INVALID,
                       "struct gantry_connect_input: variable_stride or header_stride is not set");
    int rc = public_read_variables(a, in->variables, in->variable_count, in->variable_stride, max,
                                   &variables, err);
    if (rc < 0)
        return rc;
    out->input.variables = variables;
    out->input.variable_count = in->variable_count;
    out->input.base_url = str_of(in->base_url);
    if (in->header_count == 0)
        return 0;
    if (has_variable(&out->input, STR("$request")))
        return err_set(err, GANTRY_E_INVALID,
                       "the incoming headers are given twice: as such, and "
                       "as the variable $request; leave one of them out");
    struct mapping_variable *request = &variables[out->input.variable_count++];
    request->name = STR("$request");
    return public_read_headers(a, in->headers, in->header_count, in->header_stride, &request->value,
                               err);
}

int
public_given(const struct gantry_connect_schema *schema, const char *which,
             const struct gantry_connect_input *theirs, struct arena *a, struct given *out,
             struct gantry_error **err)
{
    struct gantry_connect_input in = {0};
    memcpy(&in, theirs, MIN((size_t)theirs->size, sizeof in)); /* what it never knew is 0 */
    *out = (struct given){.connector = find_connector(schema->schema, str_of(which))};
    if (!out->connector)
        return no_connector(schema, which, err);
    if (in.base_url && !out->connector->source)
        return err_set(err, GANTRY_E_INVALID, "%s has no source, whose baseURL could be replaced",
                       which);
    return read_input(&in, a, out, err);
}

/* "connect.headers.x-id" */
static const char *
place_name(struct arena *a, const struct request_spot *spot)
{
    return arena_fmt(a, "%s%s%.*s", spot->name, spot->header.len ? "." : "", STR_ARG(spot->header));
}

int
public_show_notes(const struct gantry_connect_schema *schema, const struct request_note *notes,
                  struct arena *a, const struct gantry_connect_note **out, uint32_t *count,
                  struct gantry_error **err)
{
    const struct connect_schema *s = schema->schema;
    size_t n = 0;
    for (const struct request_note *it = notes; it; it = it->next)
        n++;
    struct gantry_connect_note *all = arena_alloc_array(a, n + 1, sizeof *all);
    if (!all)
        return err_nomem(err);
    *out = all;
    *count = (uint32_t)n;
    for (; notes; notes = notes->next, all++) {
        size_t line = 1, column = 1;
        if (notes->spot.written)
            str_position(s->graphql->document->text,
                         connect_place_in(s, notes->spot.written, notes->range).start, &line,
                         &column);
        all->place = place_name(a, &notes->spot);
        all->message = arena_dup(a, notes->message);
        all->path = notes->problem ? public_path(a, notes->problem) : NULL;
        all->line = (uint32_t)line;
        all->column = (uint32_t)column;
        if (!all->place || !all->message || (notes->problem && !all->path))
            return err_nomem(err);
    }
    return 0;
}

static int
show_headers(const struct request_header *headers, struct arena *a,
             struct gantry_connect_request *out, struct gantry_error **err)
{
    size_t n = 0;
    for (const struct request_header *it = headers; it; it = it->next)
        n++;
    struct gantry_connect_header *all = arena_alloc_array(a, n + 1, sizeof *all);
    if (!all)
        return err_nomem(err);
    out->headers = all;
    out->header_count = (uint32_t)n;
    out->header_stride = sizeof *all;
    for (; headers; headers = headers->next, all++) {
        all->name = arena_dup(a, headers->name);
        all->value = arena_dup(a, headers->value);
        if (!all->name || !all->value)
            return err_nomem(err);
    }
    return 0;
}

int
public_show_request(const struct gantry_connect_schema *schema,
                    const struct connect_request *request, struct arena *a,
                    struct gantry_connect_request *out, struct gantry_error **err)
{
    out->size = sizeof *out;
    out->method = request_method_word(request->method);
    out->url = arena_dup(a, request->url);
    out->body = request->body.len ? arena_dup(a, request->body) : NULL;
    out->body_size = request->body.len;
    out->note_stride = sizeof *out->notes;
    if (!out->url || (request->body.len && !out->body))
        return err_nomem(err);
    int rc = show_headers(request->headers, a, out, err);
    return rc < 0
               ? rc
               : public_show_notes(schema, request->notes, a, &out->notes, &out->note_count, err);
}

int
gantry_connect_request_new(const struct gantry_connect_schema *schema, const char *which,
                           const struct gantry_connect_input *input,
                           struct gantry_connect_request **out, struct gantry_error **err)
{
    AUTO_ARENA struct arena arena;
    struct connect_request request = {.notes = NULL};
    struct given given = {.connector = NULL};
    arena_init(&arena, 0);
    int rc = public_given(schema, which, input, &arena, &given, err);
    assert(rc < 0 || given.connector);
    if (rc == 0 && !given.connector->http.written)
        rc = err_set(err, GANTRY_E_UNSUPPORTED, "%s has no 'http': it makes no request", which);
    if (rc == 0)
        rc = request_build(schema->schema, given.connector, &given.input, &arena, &request, err);
    if (rc < 0)
        return rc;
    struct made *made = calloc(1, sizeof *made);
    if (!made)
        return err_nomem(err);
    arena_init(&made->arena, 0);
    rc = public_show_request(schema, &request, &made->arena, &made->base, err);
    if (rc < 0)
        gantry_connect_request_free(&made->base);
    else
        *out = &made->base;
    return rc;
}

void
gantry_connect_request_free(struct gantry_connect_request *request)
{
    struct made *made = (struct made *)request;
    if (!made)
        return;
    arena_clear(&made->arena);
    free(made);
}
