/* entity_keys.c - @key and @external are read (entity_keys.h). */
#include "entity_keys.h"

bool
federation_names(const struct connect_schema *s, struct arena *a, struct federation_names *out)
{
    struct gql_link *link = NULL;
    if (!gql_links(a, s->graphql->document, &link))
        return false;
    while (link && !str_eq(link->name, STR("federation")))
        link = link->next;
    return gql_link_name(a, link, STR("key"), true, &out->key) &&
           gql_link_name(a, link, STR("external"), true, &out->external);
}

bool
has_directive(const struct gql_directive *first, struct str name)
{
    for (; first; first = first->next)
        if (str_eq(first->name, name))
            return true;
    return false;
}

bool
type_has_directive(const struct gql_schema_type *type, struct str name)
{
    for (const struct gql_list *it = type->extensions; it; it = it->next)
        if (has_directive(it->system->directives, name))
            return true;
    return false;
}

static const struct gql_value *
argument(const struct gql_directive *d, const char *name)
{
    for (const struct gql_argument *a = d->arguments; a; a = a->next)
        if (str_eq(a->name, str_of(name)))
            return &a->value;
    return NULL;
}

static bool
is_string(const struct gql_value *value)
{
    return value && (value->kind == GQL_VALUE_STRING || value->kind == GQL_VALUE_BLOCK_STRING);
}

static bool
is_resolvable(const struct gql_directive *d)
{
    const struct gql_value *resolvable = argument(d, "resolvable");
    return !resolvable || resolvable->kind != GQL_VALUE_BOOLEAN ||
           str_eq(resolvable->text, STR("true"));
}

/* Are these fields of the type?  If not, it is told. */
static bool
is_right(const struct connect_schema *s, struct connect_problems *p, const struct entity_key *key)
{
    const struct gql_schema_type *owner;
    const struct set_field *fault = field_set_fault(s, &key->fields, key->type, &owner);
    if (fault && p)
        connect_problem_add(p, CONNECT_GRAPH_QL_ERROR,
                            connect_place_in(s, fault->written, fault->range),
                            "%.*s: the key field '%.*s' must be a field of '%.*s', with braces "
                            "behind it if it is an object",
                            STR_ARG(key->type->name), STR_ARG(fault->name), STR_ARG(owner->name));
    return !fault;
}

/* Read one; *out: NULL when it is left out. */
static bool
read_key(const struct connect_schema *s, struct arena *a, struct connect_problems *p,
         const struct gql_schema_type *type, const struct gql_directive *d, struct entity_key **out)
{
    const struct gql_value *fields = argument(d, "fields");
    struct entity_key *key = arena_alloc(a, sizeof *key);
    struct mapping_range where;
    *out = NULL;
    if (!key)
        return false;
    if (!is_string(fields)) /* told by the checks of GraphQL */
        return true;
    *key = (struct entity_key){.type = type, .directive = d};
    int rc = field_set_parse(s, fields, a, &key->fields, &where);
    if (rc == GANTRY_E_INVALID && p)
        connect_problem_add(p, CONNECT_GRAPH_QL_ERROR, connect_place_in(s, fields, where),
                            "%.*s: the fields of a key are names, with braces behind an object, as "
                            "in \"id dock { gate }\"",
                            STR_ARG(type->name));
    if (rc == 0 && is_right(s, p, key))
        *out = key;
    return rc != GANTRY_E_NOMEM;
}

bool
entity_keys(const struct connect_schema *s, const struct federation_names *names, struct arena *a,
            struct connect_problems *p, struct entity_key **out)
{
    struct entity_key **tail = out;
    *out = NULL;
    for (const struct gql_system *it = s->graphql->document->systems; it; it = it->next) {
        const struct gql_schema_type *type =
            it->kind == GQL_OBJECT ? gql_type_find(s->graphql, it->name) : NULL;
        for (const struct gql_directive *d = it->directives; type && d; d = d->next) {
            if (!str_eq(d->name, names->key) || !is_resolvable(d) || type->kind != GQL_OBJECT)
                continue;
            if (!read_key(s, a, p, type, d, tail))
                return false;
            tail = *tail ? &(*tail)->next : tail;
        }
    }
    return true;
}
