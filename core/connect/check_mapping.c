/* check_mapping.c - goes over every mapping of a schema, and says which variables each has. */
#include "check_mapping.h"

#include <stdarg.h>

/* ---- places ---------------------------------------------------------------------------------------- */

static const struct {
    enum connect_code code;
    const char *words;
    bool has_response;
} places[] = {
    [PLACE_BASE_URL] = {CONNECT_INVALID_URL, "the baseURL", false},
    [PLACE_URL] = {CONNECT_INVALID_URL, "the URL", false},
    [PLACE_PATH] = {CONNECT_INVALID_URL_PROPERTY, "path", false},
    [PLACE_QUERY] = {CONNECT_INVALID_URL_PROPERTY, "queryParams", false},
    [PLACE_HEADER] = {CONNECT_INVALID_HEADER, "a header", false},
    [PLACE_BODY] = {CONNECT_INVALID_BODY, "the body", false},
    [PLACE_SELECTION] = {CONNECT_INVALID_SELECTION, "the selection", true},
    [PLACE_IS_SUCCESS] = {CONNECT_INVALID_IS_SUCCESS, "isSuccess", true},
    [PLACE_MESSAGE] = {CONNECT_INVALID_ERRORS_MESSAGE, "errors.message", true},
    [PLACE_EXTENSIONS] = {CONNECT_INVALID_ERRORS_MESSAGE, "errors.extensions", true},
};

enum connect_code
placed_code(const struct placed *m)
{
    return places[m->place].code;
}

const char *
placed_words(const struct placed *m)
{
    const char *words = m->source
                            ? arena_fmt(m->problems->arena, "%s of source '%.*s'",
                                        places[m->place].words, STR_ARG(m->source->name))
                            : arena_fmt(m->problems->arena, "%s of %.*s", places[m->place].words,
                                        STR_ARG(m->connector->coordinate));
    m->problems->nomem |= !words;
    return words ? words : "";
}

/* A source's fault does not hide what is checked of the whole schema. */
static void
mark_failed(const struct placed *m, enum connect_code code)
{
    if (connect_code_severity(code) != CONNECT_ERROR)
        return;
    if (m->connector)
        m->connector->broken = true;
    else
        m->problems->source_errors++;
}

void
placed_tell(const struct placed *m, enum connect_code code, struct mapping_range range,
            const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    AUTO_BUF struct buf text = BUF_INIT(4096);
    buf_add_vfmt(&text, fmt, args);
    va_end(args);
    if (buf_failed(&text)) {
        m->problems->nomem = true;
        return;
    }
    range.start += m->offset;
    range.end += m->offset;
    connect_problem_add(m->problems, code,
                        connect_problem_place(m->problems, m->schema, m->written, range), "%s",
                        buf_text(&text));
    mark_failed(m, code);
}

bool
placed_count_only(const struct placed *m, enum connect_code code)
{
    struct connect_problems *p = m->problems;
    bool is_error = connect_code_severity(code) == CONNECT_ERROR;
    if (p->count < p->max)
        return false;
    p->errors += is_error;
    mark_failed(m, code);
    return true;
}

const char *
placed_did_you_mean(const struct placed *m, struct str word, const struct gql_names *names)
{
    struct gql_problems words = {.arena = m->problems->arena, .count = m->problems->count};
    return gql_did_you_mean(&words, word, names);
}

struct mapping_range
placed_range(const struct placed *m)
{
    const struct mapping_item *item = m->mapping->list ? m->mapping->list->items : NULL;
    if (m->mapping->value)
        return m->mapping->value->range;
    struct mapping_range range = {0, m->mapping->text.len};
    for (range.start = item ? item->range.start : 0; item; item = item->next)
        range.end = item->range.end;
    return range;
}

/* ---- every mapping --------------------------------------------------------------------------------- */

struct visit {
    struct placed placed;
    void (*look)(const struct placed *m);
};

static void
visit_slot(struct visit *v, enum mapping_place place, const struct mapping_slot *slot)
{
    if (!slot->mapping || v->placed.problems->nomem)
        return;
    v->placed.place = place;
    v->placed.written = slot->written;
    v->placed.offset = 0;
    v->placed.mapping = slot->mapping;
    v->look(&v->placed);
}

static void
visit_template(struct visit *v, enum mapping_place place, const struct template_slot *slot)
{
    const struct template_piece *piece = slot->template ? slot->template->pieces : NULL;
    for (; piece && !v->placed.problems->nomem; piece = piece->next) {
        if (!piece->hole)
            continue;
        v->placed.place = place;
        v->placed.written = slot->written;
        v->placed.offset = piece->range.start;
        v->placed.mapping = piece->hole;
        v->look(&v->placed);
    }
}

static void
visit_request(struct visit *v, enum mapping_place url, const struct connect_http *http)
{
    visit_template(v, url, &http->url);
    visit_slot(v, PLACE_PATH, &http->path);
    visit_slot(v, PLACE_QUERY, &http->query);
    for (const struct connect_header *h = http->headers; h; h = h->next)
        visit_template(v, PLACE_HEADER, &h->value);
    visit_slot(v, PLACE_BODY, &http->body);
}

static void
visit_errors(struct visit *v, const struct connect_errors *errors)
{
    visit_slot(v, PLACE_MESSAGE, &errors->message);
    visit_slot(v, PLACE_EXTENSIONS, &errors->extensions);
}

void
check_each_mapping(struct connect_schema *s, struct connect_problems *p,
                   void (*look)(const struct placed *m))
{
    struct visit v = {{.schema = s, .problems = p}, look};
    for (const struct connect_source *source = s->sources; source; source = source->next) {
        v.placed.source = source;
        visit_request(&v, PLACE_BASE_URL, &source->http);
        visit_slot(&v, PLACE_IS_SUCCESS, &source->is_success);
        visit_errors(&v, &source->errors);
    }
    v.placed.source = NULL;
    for (struct connector *c = s->connectors; c; c = c->next) {
        if (c->unread)
            continue;
        v.placed.connector = c;
        visit_request(&v, PLACE_URL, &c->http);
        visit_slot(&v, PLACE_SELECTION, &c->selection);
        visit_slot(&v, PLACE_IS_SUCCESS, &c->is_success);
        visit_errors(&v, &c->errors);
    }
}

/* ---- the variables of a place ---------------------------------------------------------------------- */

static const char *const known[] = {"$args",    "$this",     "$batch",  "$config", "$context",
                                    "$request", "$response", "$status", "$env"};

bool
placed_is_variable(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (str_eq(str_of(known[i]), name))
            return true;
    return false;
}

static void
add(struct shape_walk *w, struct shape_variable *variables, struct str name,
    const struct shape *shape)
{
    variables[w->variable_count++] = (struct shape_variable){name, shape ? shape : &shape_unknown};
}

static const struct shape *
open_object(struct shape_walk *w, struct str variable)
{
    struct shape *shape = shape_new(w, SHAPE_OBJECT, variable);
    if (shape)
        shape->element = shape_new(w, SHAPE_UNKNOWN, variable);
    return shape;
}

/* `$request`, `$response`: an object of headers, each an array of strings. */
static const struct shape *
message(struct shape_walk *w, struct str variable)
{
    struct shape *object = shape_new(w, SHAPE_OBJECT, variable);
    struct shape *headers = shape_new(w, SHAPE_OBJECT, variable);
    struct shape_member *member = shape_new_member(w);
    const struct shape *line = shape_new(w, SHAPE_STRING, variable);
    if (!object || !headers || !member || !line)
        return NULL;
    headers->is_headers = true;
    headers->element = shape_array(w, line);
    *member = (struct shape_member){NULL, STR("headers"), {0, 0}, headers, NULL};
    object->members = member;
    return object;
}

static const struct shape *
arguments_of(struct shape_walk *w, const struct connector *c)
{
    struct shape *shape = shape_new(w, SHAPE_OBJECT, STR("$args"));
    if (shape) {
        shape->is_arguments = true;
        shape->arguments = c->field->arguments;
    }
    return shape;
}

static const struct shape *
parent_of(struct shape_walk *w, const struct connector *c, struct str variable)
{
    struct shape *shape = shape_new(w, SHAPE_OBJECT, variable);
    if (shape)
        shape->type = c->type;
    return shape;
}

static void
add_of_connector(struct shape_walk *w, struct shape_variable *variables, const struct placed *m)
{
    const struct connector *c = m->connector;
    if (c->field)
        add(w, variables, STR("$args"), arguments_of(w, c));
    if (c->type && !(c->field && gql_is_root_type(m->schema->graphql, c->type)))
        add(w, variables, STR("$this"), parent_of(w, c, STR("$this")));
    if (!c->field && m->place != PLACE_SELECTION) {
        const struct shape *parent = parent_of(w, c, STR("$batch"));
        add(w, variables, STR("$batch"), parent ? shape_array(w, parent) : NULL);
    }
}

struct shape_walk
placed_walk(const struct placed *m, struct arena *a, struct shape_variable *variables)
{
    struct shape_walk w = {.graphql = m->schema->graphql,
                           .arena = a,
                           .version = m->schema->version,
                           .variables = variables};
    if (m->connector)
        add_of_connector(&w, variables, m);
    add(&w, variables, STR("$config"), open_object(&w, STR("$config")));
    if (w.version >= MAPPING_V3)
        add(&w, variables, STR("$env"), open_object(&w, STR("$env")));
    if (m->place == PLACE_BASE_URL)
        return w;
    add(&w, variables, STR("$context"), open_object(&w, STR("$context")));
    add(&w, variables, STR("$request"), message(&w, STR("$request")));
    if (!places[m->place].has_response)
        return w;
    w.input = &shape_unknown;
    add(&w, variables, STR("$response"), message(&w, STR("$response")));
    add(&w, variables, STR("$status"), shape_new(&w, SHAPE_NUMBER, STR("$status")));
    return w;
}
