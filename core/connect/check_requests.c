/* check_requests.c - what connectors say of their requests and of themselves: where they stand, ids, sources,
 * methods, URLs, headers. */
#include "check_parts.h"

enum { NEAR_MAX = 200, NAME_BYTES_MAX = 64 };

static struct connect_place
place_of_directive(const struct connector *c)
{
    return (struct connect_place){c->directive->at, c->directive->at + 1 + c->directive->name.len};
}

/* A connector on a type, and not on one of its fields. */
static void
check_on_type(const struct connect_schema *s, struct connect_problems *p, const struct connector *c)
{
    if (gql_is_root_type(s->graphql, c->type))
        connect_problem_add(p, CONNECT_CONNECT_ON_ROOT, place_of_directive(c),
                            "%.*s: a connector cannot stand on the root type '%.*s'; write it "
                            "behind a field",
                            STR_ARG(c->coordinate), STR_ARG(c->type->name));
    if (c->entity_written && str_eq(c->entity_written->text, STR("false")))
        connect_problem_add(p, CONNECT_CONNECT_ON_TYPE_MUST_BE_ENTITY,
                            connect_place_of(s, c->entity_written),
                            "%.*s: a connector on a type finds entities; leave out 'entity: false'",
                            STR_ARG(c->coordinate));
}

/* "; did you mean 'x'?", or what else to do. */
static const char *
nearest_source(const struct connect_schema *s, struct connect_problems *p, struct str word)
{
    static const char define[] = "; define it by @source";
    const char *names[NEAR_MAX];
    size_t n = 0;
    if (word.len > NAME_BYTES_MAX || p->count > NEAR_MAX)
        return define;
    const char *typed = arena_dup(p->arena, word), *text = define;
    for (const struct connect_source *it = s->sources; it && n < NEAR_MAX; it = it->next)
        if (it->name_written && it->name.len <= NAME_BYTES_MAX) {
            names[n] = arena_dup(p->arena, it->name);
            p->nomem |= !names[n];
            n += names[n] != NULL;
        }
    const char *near = typed && n ? text_nearest(typed, names, n) : NULL;
    if (near)
        text = arena_fmt(p->arena, "; did you mean '%s'?", near);
    p->nomem |= !typed || !text;
    return text ? text : "";
}

/* Of a source without a name that could be read was told; it may be any. */
static bool
has_nameless_source(const struct connect_schema *s)
{
    const struct connect_source *it = s->sources;
    while (it && it->name_written)
        it = it->next;
    return it != NULL;
}

static void
check_source(const struct connect_schema *s, struct connect_problems *p, struct connector *c)
{
    if (c->source)
        return;
    c->broken = true;
    if (s->sources && !has_nameless_source(s))
        connect_problem_add(p, CONNECT_SOURCE_NAME_MISMATCH, connect_place_of(s, c->source_written),
                            "%.*s: there is no source '%.*s'%s", STR_ARG(c->coordinate),
                            STR_ARG(c->source_written->text),
                            nearest_source(s, p, c->source_written->text));
}

static void
check_method(const struct connect_schema *s, struct connect_problems *p, const struct connector *c)
{
    static const struct str methods[] = {
        {"GET", 3}, {"POST", 4}, {"PUT", 3}, {"PATCH", 5}, {"DELETE", 6}};
    bool seen[ARRAY_LENGTH(methods)] = {false};
    size_t count = 0;
    const struct gql_argument *second = NULL;
    for (const struct gql_argument *it = c->http.written->elements; it; it = it->next)
        for (size_t i = 0; i < ARRAY_LENGTH(methods); i++) {
            if (seen[i] || it->value.kind == GQL_VALUE_NULL || !str_eq(it->name, methods[i]))
                continue;
            seen[i] = true;
            second = ++count == 2 ? it : second;
        }
    if (count == 0 && !c->http.has_unknown)
        connect_problem_add(p, CONNECT_MISSING_HTTP_METHOD, connect_place_of(s, c->http.written),
                            "%.*s: 'http' needs a method with its URL, such as GET: \"/cranes\"",
                            STR_ARG(c->coordinate));
    else if (count > 1)
        connect_problem_add(
            p, CONNECT_MULTIPLE_HTTP_METHODS, connect_place_of_name(second->at, second->name),
            "%.*s: 'http' has %zu methods; leave one", STR_ARG(c->coordinate), count);
}

static void
check_connector(const struct connect_schema *s, struct connect_problems *p, struct connector *c)
{
    const struct check_part part = {s, p, c->coordinate};
    size_t errors = p->errors;
    if (!c->field)
        check_on_type(s, p, c);
    if (c->source_written)
        check_source(s, p, c);
    if (c->http.written) {
        check_method(s, p, c);
        if (!c->source_is_unclear)
            check_connect_url(&part, &c->http.url, c->source_written != NULL);
        check_headers(&part, c->http.headers);
    }
    c->broken |= p->errors > errors;
}

struct count {
    const struct connector *second;
    size_t count;
};

static void
check_ids(const struct connect_schema *s, struct connect_problems *p)
{
    struct gql_names counts = {.seed = {s->graphql->seed[0], s->graphql->seed[1]}};
    for (const struct connector *c = s->connectors; c; c = c->next) {
        if (!c->id_written)
            continue;
        if (!gql_is_name(c->id))
            connect_problem_add(p, CONNECT_INVALID_CONNECTOR_ID_NAME,
                                connect_place_of(s, c->id_written),
                                "%.*s: the id '%.*s' is no name; it has letters, digits and '_', "
                                "and does not begin with a digit",
                                STR_ARG(c->coordinate), STR_ARG(c->id));
        struct count *n = gql_names_find(&counts, c->id);
        if (!n) {
            n = arena_alloc(p->arena, sizeof *n);
            if (!n || !gql_names_set(&counts, p->arena, c->id, n)) {
                p->nomem = true;
                return;
            }
        }
        if (++n->count == 2)
            n->second = c;
    }
    for (size_t i = 0; i < counts.len; i++) {
        const struct count *n = counts.all[i].value;
        if (n->second)
            connect_problem_add(p, CONNECT_DUPLICATE_ID_NAME,
                                connect_place_of(s, n->second->id_written),
                                "%.*s: there are %zu connectors with the id '%.*s'; each needs "
                                "its own",
                                STR_ARG(n->second->coordinate), n->count, STR_ARG(n->second->id));
    }
}

static bool
imports_source(const struct connect_schema *s)
{
    for (const struct gql_link_import *it = s->link->imports; it; it = it->next)
        if (it->is_directive && str_eq(it->name, STR("source")))
            return true;
    return false;
}

static bool
has_like(struct gql_problems *words, const struct gql_names *known, const struct gql_directive *d,
         struct str name)
{
    for (; d; d = d->next) {
        const char *near =
            gql_names_find(known, d->name) ? NULL : gql_nearest(words, d->name, known);
        if (near && str_eq(str_of(near), name))
            return true;
    }
    return false;
}

bool
check_is_misspelt(const struct connect_schema *s, struct connect_problems *p, struct str name)
{
    struct gql_problems words = {.arena = p->arena, .count = p->count};
    const struct gql_names *known = &s->graphql->directives;
    for (const struct gql_system *it = s->graphql->document->systems; it; it = it->next) {
        if (has_like(&words, known, it->directives, name))
            return true;
        for (const struct gql_member *m = it->members; m; m = m->next)
            if (has_like(&words, known, m->directives, name))
                return true;
    }
    return false;
}

/* Sources are named and there is none: perhaps because the name of the directive is another than was thought. */
static void
check_no_sources(const struct connect_schema *s, struct connect_problems *p)
{
    const struct connector *c = s->connectors;
    size_t others = 0;
    while (c && !c->source_written)
        c = c->next;
    if (!c || s->sources || check_is_misspelt(s, p, s->source_name))
        return;
    for (const struct connector *it = c->next; it; it = it->next)
        others += it->source_written != NULL;
    AUTO_BUF struct buf more = BUF_INIT(64);
    if (others)
        buf_add_fmt(&more, ", nor for %zu other connector%s", others, others == 1 ? "" : "s");
    p->nomem |= buf_failed(&more) != 0;
    connect_problem_add(p, CONNECT_NO_SOURCES_DEFINED, connect_place_of(s, c->source_written),
                        "%.*s: there is no source '%.*s'%s, and no source at all; define it by "
                        "@%.*s",
                        STR_ARG(c->coordinate), STR_ARG(c->source_written->text),
                        others ? buf_text(&more) : "", STR_ARG(s->source_name));
    if (!imports_source(s))
        connect_problem_add(
            p, CONNECT_NO_SOURCE_IMPORT,
            (struct connect_place){s->link->directive->at,
                                   s->link->directive->at + 1 + s->link->directive->name.len},
            "@source is not imported, and so it is @%.*s here; add \"@source\" to "
            "the imports",
            STR_ARG(s->source_name));
}

void
check_requests(struct connect_schema *s, struct connect_problems *p)
{
    check_no_sources(s, p);
    check_ids(s, p);
    for (struct connector *c = s->connectors; c; c = c->next)
        check_connector(s, p, c);
}
