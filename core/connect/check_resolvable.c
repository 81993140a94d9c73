/* check_resolvable.c - does something give each field of each object type?  A field has a connector, or is in some
 * connector's selection, whichever way that type is reached, or is in a key that is resolvable. */
#include "connector_key.h"
#include "entity_keys.h"
#include "outputs.h"

struct seen {
    const struct connect_schema *schema;
    struct arena *arena;
    struct gql_names fields; /* "Type.field" -> struct gql_member, that something gives */
    bool nomem;
};

static void
mark(struct seen *seen, const struct gql_schema_type *type, const struct gql_member *field)
{
    const char *name =
        arena_fmt(seen->arena, "%.*s.%.*s", STR_ARG(type->name), STR_ARG(field->name));
    seen->nomem |= !name || !gql_names_set(&seen->fields, seen->arena, str_of(name), field);
}

static bool
is_marked(struct seen *seen, const struct gql_schema_type *type, const struct gql_member *field)
{
    const char *name =
        arena_fmt(seen->arena, "%.*s.%.*s", STR_ARG(type->name), STR_ARG(field->name));
    seen->nomem |= !name;
    return !name || gql_names_find(&seen->fields, str_of(name));
}

static void mark_forms(struct seen *seen, const struct gql_schema_type *type,
                       const struct output_form *form);

static void
mark_form(struct seen *seen, const struct gql_schema_type *type, const struct output_form *form)
{
    for (const struct output *o = form->outputs; o && !seen->nomem; o = o->next) {
        const struct gql_member *field = gql_names_find(&type->members, o->name);
        if (!field)
            continue;
        mark(seen, type, field);
        mark_forms(seen, gql_type_of(seen->schema->graphql, field->type), o->forms);
    }
}

/* type: may be NULL.  Of an abstract type, a form is one of the type that it names, or of any. */
static void
mark_forms(struct seen *seen, const struct gql_schema_type *type, const struct output_form *form)
{
    for (; type && form && !seen->nomem; form = form->next) {
        const struct gql_schema_type *named =
            form->type_name.len ? gql_type_find(seen->schema->graphql, form->type_name) : NULL;
        if (type->kind == GQL_OBJECT) {
            mark_form(seen, type, form);
        } else if (named) {
            mark_form(seen, named, form);
        } else {
            const struct gql_names *types =
                type->kind == GQL_UNION ? &type->interfaces : &type->possible;
            for (size_t i = 0; i < types->len; i++) {
                named = gql_type_find(seen->schema->graphql, types->all[i].name);
                if (named)
                    mark_form(seen, named, form);
            }
        }
    }
}

static void
mark_set(struct seen *seen, const struct gql_schema_type *type, const struct field_set *set)
{
    for (size_t i = 0; type && i < set->fields.len && !seen->nomem; i++) {
        const struct set_field *f = field_set_at(set, i);
        const struct gql_member *field = gql_names_find(&type->members, f->name);
        if (!field)
            continue;
        mark(seen, type, field);
        mark_set(seen, gql_type_of(seen->schema->graphql, field->type), &f->below);
    }
}

static void
mark_connector(struct seen *seen, const struct connector *c)
{
    struct outputs outputs;
    if (c->field)
        mark(seen, c->type, c->field);
    /* Of an interface: the fields of the types that implement it. */
    for (size_t i = 0; c->field && i < c->type->possible.len; i++) {
        const struct gql_schema_type *type = c->type->possible.all[i].value;
        const struct gql_member *field = gql_names_find(&type->members, c->field->name);
        if (field)
            mark(seen, type, field);
    }
    if (connector_outputs(seen->schema, c, seen->arena, &outputs))
        mark_forms(seen, c->returns, outputs.forms);
    else
        seen->nomem = true;
}

static void
check_type(struct seen *seen, struct connect_problems *p, const struct gql_schema_type *type,
           struct str external)
{
    bool is_root = type == seen->schema->graphql->root_types[GQL_QUERY] ||
                   type == seen->schema->graphql->root_types[GQL_MUTATION];
    for (size_t i = 0; i < type->members.len && !seen->nomem; i++) {
        const struct gql_member *field = type->members.all[i].value;
        if (has_directive(field->directives, external) || is_marked(seen, type, field))
            continue;
        connect_problem_add(p, CONNECT_CONNECTORS_UNRESOLVED_FIELD,
                            connect_place_of_name(field->name_at, field->name),
                            "%.*s.%.*s: no connector gives this field; %s", STR_ARG(type->name),
                            STR_ARG(field->name),
                            is_root ? "put one on it"
                                    : "add it to a selection that gives this type, or put a "
                                      "connector on it");
    }
}

static void
check_types(struct seen *seen, struct connect_problems *p, struct str external)
{
    const struct gql_names *types = &seen->schema->graphql->types;
    for (size_t i = 0; i < types->len && !seen->nomem; i++) {
        const struct gql_schema_type *type = types->all[i].value;
        if (type->kind == GQL_OBJECT && !type->is_built_in &&
            type != seen->schema->graphql->root_types[GQL_SUBSCRIPTION] &&
            !type_has_directive(type, external))
            check_type(seen, p, type, external);
    }
}

/* What a batch gives is matched by its key fields. */
static void
check_batches(struct seen *seen, struct connect_problems *p)
{
    for (const struct connector *c = seen->schema->connectors; c && !seen->nomem; c = c->next) {
        struct outputs outputs;
        if (c->key->kind != CONNECTOR_BATCH)
            continue;
        if (!connector_outputs(seen->schema, c, seen->arena, &outputs))
            seen->nomem = true;
        else if (outputs.is_never_object)
            connect_problem_add(p, CONNECT_CONNECTORS_UNRESOLVED_FIELD,
                                connect_place_of(seen->schema, c->selection.written),
                                "%.*s: the selection of a batch gives objects, with its key "
                                "fields, and this one cannot",
                                STR_ARG(c->coordinate));
    }
}

void
check_resolvable(struct connect_schema *s, struct connect_problems *p)
{
    AUTO_ARENA struct arena arena;
    struct seen seen = {.schema = s, .arena = &arena};
    struct federation_names names = {STR_NONE, STR_NONE};
    struct entity_key *keys = NULL;
    memcpy(seen.fields.seed, s->graphql->seed, sizeof seen.fields.seed);
    arena_init(&arena, 0);
    if (!federation_names(s, &arena, &names) || !entity_keys(s, &names, &arena, p, &keys))
        seen.nomem = true;
    for (const struct connector *c = s->connectors; c && !seen.nomem; c = c->next)
        mark_connector(&seen, c);
    for (; keys && !seen.nomem; keys = keys->next)
        mark_set(&seen, keys->type, &keys->fields);
    check_types(&seen, p, names.external);
    check_batches(&seen, p);
    p->nomem |= seen.nomem;
}
