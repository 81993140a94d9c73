/* request.c - a request as a whole: which variables are where, the body, what is told and in which words. */
#include "request.h"

#include "err.h"

#include <stdarg.h>

enum { NOTES_MAX = 100 }; /* of one mapping */

static const char *const method_words[CONNECT_METHOD_COUNT] = {
    [CONNECT_GET] = "GET",     [CONNECT_POST] = "POST",     [CONNECT_PUT] = "PUT",
    [CONNECT_PATCH] = "PATCH", [CONNECT_DELETE] = "DELETE",
};

const char *
request_method_word(enum connect_method method)
{
    return method < CONNECT_METHOD_COUNT ? method_words[method] : "";
}

/* ---- variables --------------------------------------------------------------------------------- */

/* By scope; what is always an object is one without members when nobody gives it. */
static const struct {
    const char *name;
    enum request_scope scope;
    bool always, of_response;
} known[] = {
    {"$config", SCOPE_BASE, true, false},    {"$env", SCOPE_BASE, true, false},
    {"$context", SCOPE_SOURCE, true, false}, {"$request", SCOPE_SOURCE, true, false},
    {"$args", SCOPE_CONNECTOR, true, false}, {"$status", SCOPE_BASE, false, true},
    {"$response", SCOPE_BASE, false, true},
};

static int
find_known(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (str_eq(str_of(known[i].name), name))
            return (int)i;
    return -1;
}

static enum request_scope
scope_of(struct str name)
{
    int at = find_known(name);
    return at < 0 ? SCOPE_CONNECTOR : known[at].scope;
}

static const struct mapping_variable *
find_given(const struct request_input *input, struct str name)
{
    for (size_t i = 0; i < input->variable_count; i++)
        if (str_eq(input->variables[i].name, name))
            return &input->variables[i];
    return NULL;
}

static int
add_missing(struct request_builder *b, const struct request_input *input, enum request_scope scope,
            size_t *count)
{
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
        struct str name = str_of(known[i].name);
        bool is_argument = str_eq(name, STR("$args"));
        if (known[i].scope != scope || !known[i].always || find_given(input, name) ||
            (is_argument && (!b->connector || !b->connector->field)))
            continue;
        struct value *object = value_new_object(b->arena);
        if (!object)
            return err_nomem(b->err);
        b->variables[(*count)++] = (struct mapping_variable){name, object};
    }
    return 0;
}

int
request_bind(struct request_builder *b, const struct request_input *input)
{
    size_t count = 0;
    b->variables = arena_alloc_array(b->arena, input->variable_count + ARRAY_LENGTH(known),
                                     sizeof *b->variables);
    if (!b->variables)
        return err_nomem(b->err);
    for (int scope = SCOPE_BASE; scope < SCOPE_COUNT; scope++) {
        for (size_t i = 0; i < input->variable_count; i++) {
            struct str name = input->variables[i].name;
            int at = find_known(name);
            if (scope_of(name) == (enum request_scope)scope &&
                (at < 0 || !known[at].of_response || b->has_response))
                b->variables[count++] = input->variables[i];
        }
        int rc = add_missing(b, input, (enum request_scope)scope, &count);
        if (rc < 0)
            return rc;
        b->variable_counts[scope] = count;
    }
    return 0;
}

/* ---- what the files of a request share --------------------------------------------------------------- */

static struct request_note *
add_note(struct request_builder *b, struct mapping_range range)
{
    struct request_note *note = arena_alloc(b->arena, sizeof *note);
    if (!note)
        return NULL;
    note->spot = b->spot;
    note->range = range;
    *b->next_note = note;
    b->next_note = &note->next;
    return note;
}

int
request_eval(struct request_builder *b, const struct mapping *m, size_t offset,
             struct value *dollar, struct value **out)
{
    const struct mapping_limits limits = {.max_problems = NOTES_MAX};
    const struct mapping_input input = {.data = dollar,
                                        .variables = b->variables,
                                        .variable_count = b->variable_counts[b->spot.scope],
                                        .limits = &limits};
    struct mapping_result result;
    int rc = mapping_apply(m, &input, b->arena, &result, b->err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < result.problem_count; i++) {
        const struct mapping_problem *problem = &result.problems[i];
        struct request_note *note = add_note(
            b, (struct mapping_range){offset + problem->range.start, offset + problem->range.end});
        if (!note)
            return err_nomem(b->err);
        note->problem = problem;
        note->message = problem->message;
    }
    *out = result.data;
    return 0;
}

int
request_refuse(struct request_builder *b, struct mapping_range at, const char *fmt, ...)
{
    AUTO_BUF struct buf text = BUF_INIT(4096);
    va_list args;
    va_start(args, fmt);
    buf_add_vfmt(&text, fmt, args);
    va_end(args);
    b->at = at;
    if (buf_failed(&text) == GANTRY_E_NOMEM)
        return err_nomem(b->err);
    return err_set(b->err, GANTRY_E_INVALID, "%s",
                   buf_failed(&text) ? "it is too long to be told" : buf_text(&text));
}

int
request_tell(struct request_builder *b, struct mapping_range at, const char *fmt, ...)
{
    AUTO_BUF struct buf text = BUF_INIT(4096);
    va_list args;
    va_start(args, fmt);
    buf_add_vfmt(&text, fmt, args);
    va_end(args);
    struct request_note *note = add_note(b, at);
    if (!note || buf_failed(&text) == GANTRY_E_NOMEM)
        return err_nomem(b->err);
    if (buf_failed(&text)) {
        note->message = STR("a header is left out");
        return 0;
    }
    return request_keep(b, &text, &note->message);
}

int
request_keep(struct request_builder *b, const struct buf *text, struct str *out)
{
    if (buf_failed(text) == GANTRY_E_NOMEM)
        return err_nomem(b->err);
    char *copy = arena_dup(b->arena, buf_view(text));
    if (!copy)
        return err_nomem(b->err);
    *out = (struct str){copy, text->len};
    return 0;
}

/* ---- the body ------------------------------------------------------------------------------------ */

static bool
is_form(const struct connect_request *request)
{
    struct str parameters, type = headers_find(request->headers, STR("content-type"));
    type = str_trim(str_cut(type, ';', &parameters));
    return str_eq_nocase(type, STR("application/x-www-form-urlencoded"));
}

static int
build_body(struct request_builder *b, struct connect_request *out)
{
    AUTO_BUF struct buf text = BUF_INIT(REQUEST_BODY_MAX);
    const struct mapping_slot *slot = &b->connector->http.body;
    struct value *value = NULL, *empty = value_new_object(b->arena);
    if (!empty)
        return err_nomem(b->err);
    b->spot = (struct request_spot){SCOPE_CONNECTOR, "connect.body", STR_NONE, slot->written};
    b->at = (struct mapping_range){0, mapping_text(slot->mapping).len};
    int rc = request_eval(b, slot->mapping, 0, empty, &value);
    if (rc < 0 || !value)
        return rc;
    if (is_form(out) && value_kind(value) != VALUE_OBJECT)
        return request_refuse(b, b->at,
                              "the body is sent as a form, which takes an object, and it "
                              "gives another value");
    rc = is_form(out) ? form_print(value, &text) : value_print(value, VALUE_NORMAL, &text);
    if (buf_failed(&text) == GANTRY_E_NOMEM)
        return err_nomem(b->err);
    if (rc < 0 || buf_failed(&text))
        return request_refuse(
            b, b->at, "the body is longer than %d bytes, nested too deep, or of too many values",
            REQUEST_BODY_MAX);
    return request_keep(b, &text, &out->body);
}

static int
add_length(struct request_builder *b, struct connect_request *out)
{
    bool always =
        out->method == CONNECT_POST || out->method == CONNECT_PUT || out->method == CONNECT_PATCH;
    if (!always && out->body.len == 0)
        return 0;
    struct request_header *header = arena_alloc(b->arena, sizeof *header);
    char *length = arena_fmt(b->arena, "%zu", out->body.len);
    if (!header || !length)
        return err_nomem(b->err);
    header->name = STR("content-length");
    header->value = str_of(length);
    struct request_header **last = &out->headers;
    while (*last)
        last = &(*last)->next;
    *last = header;
    return 0;
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

/* Whose it is, and where that stands. */
static int
wrap_refusal(struct request_builder *b, int rc)
{
    const char *header = b->spot.header.len ? "." : "";
    size_t line, column;
    if (rc != GANTRY_E_INVALID)
        return rc;
    struct connect_place place = {b->connector->directive->at, b->connector->directive->at};
    if (b->spot.written)
        place = connect_place_in(b->schema, b->spot.written, b->at);
    str_position(b->schema->graphql->document->text, place.start, &line, &column);
    return err_wrap(b->err, rc, "CONNECTOR_REQUEST_INVALID: %.*s, %s%s%.*s at line %zu, column %zu",
                    STR_ARG(b->connector->coordinate), b->spot.name ? b->spot.name : "variables",
                    header, STR_ARG(b->spot.header), line, column);
}

int
request_build(const struct connect_schema *schema, const struct connector *connector,
              const struct request_input *input, struct arena *a, struct connect_request *out,
              struct gantry_error **err)
{
    struct request_builder b = {
        .schema = schema, .connector = connector, .arena = a, .next_note = &out->notes, .err = err};
    *out = (struct connect_request){.method = connector->http.method};
    int rc = request_bind(&b, input);
    if (rc == 0)
        rc = url_build(&b, input->base_url, &out->url);
    if (rc == 0)
        rc = headers_build(&b, &out->headers);
    if (rc == 0 && connector->http.body.mapping)
        rc = build_body(&b, out);
    if (rc == 0)
        rc = add_length(&b, out);
    return rc < 0 ? wrap_refusal(&b, rc) : 0;
}
