/* check_types.c - what a schema must be as a whole (section 3): roots, fields, members, values, inputs. */
#include "schema.h"

static void
check_name(struct gql_problems *p, struct str name, size_t at)
{
    if (str_starts_with(name, STR("__")))
        gql_problem_add(p, at, "the name '%.*s' begins with '__', which is for GraphQL itself",
                        STR_ARG(name));
}

void
gql_check_roots(struct gql_schema *schema, struct gql_problems *p)
{
    if (!schema->root_types[GQL_QUERY])
        gql_problem_add(p, schema->definition ? schema->definition->at : 0,
                        "the schema has no query type; define the type 'Query'");
    for (unsigned kind = 0; kind < 3; kind++) {
        const struct gql_schema_type *type = schema->root_types[kind];
        if (type && type->kind != GQL_OBJECT)
            gql_problem_add(
                p, schema->roots[kind] ? schema->roots[kind]->type->at : type->definition->at,
                "the type of the operation '%s' must be an object type, and '%.*s' is "
                "none",
                gql_operation_kind_word((enum gql_operation_kind)kind), STR_ARG(type->name));
    }
}

static const struct gql_directive *
find_deprecated(const struct gql_member *m)
{
    const struct gql_directive *d = m->directives;
    while (d && !str_eq(d->name, STR("deprecated")))
        d = d->next;
    return d;
}

static bool
is_input(const struct gql_schema *schema, const struct gql_type *type)
{
    const struct gql_schema_type *found = gql_type_of(schema, type);
    return found && gql_kind_is_input(found->kind);
}

static void
check_input(struct gql_schema *schema, const struct gql_member *m, bool type_place,
            struct gql_problems *p)
{
    check_name(p, m->name, m->at);
    if (!is_input(schema, m->type))
        gql_problem_add(p, type_place ? m->type->at : m->at,
                        "'%.*s' cannot be of type %s, which is not for input", STR_ARG(m->name),
                        gql_type_text(p->arena, m->type));
    const struct gql_directive *deprecated = find_deprecated(m);
    if (deprecated && gql_is_required(m))
        gql_problem_add(p, deprecated->at, "'%.*s' is required, and so cannot be deprecated",
                        STR_ARG(m->name));
}

static void
check_fields(struct gql_schema *schema, const struct gql_schema_type *type, struct gql_problems *p)
{
    if (type->members.len == 0)
        gql_problem_add(p, type->definition->at, "the type '%.*s' has no fields",
                        STR_ARG(type->name));
    for (size_t i = 0; i < type->members.len; i++) {
        const struct gql_member *m = type->members.all[i].value;
        const struct gql_schema_type *of = gql_type_of(schema, m->type);
        check_name(p, m->name, m->at);
        if (of && of->kind == GQL_INPUT)
            gql_problem_add(p, m->type->at,
                            "the field '%.*s.%.*s' cannot be of type %s, which is for input alone",
                            STR_ARG(type->name), STR_ARG(m->name),
                            gql_type_text(p->arena, m->type));
        for (const struct gql_member *a = m->arguments; a; a = a->next)
            check_input(schema, a, true, p);
    }
}

static void
check_union(struct gql_schema *schema, const struct gql_schema_type *type, struct gql_problems *p)
{
    struct gql_names seen = {.seed = {schema->seed[0], schema->seed[1]}};
    if (type->interfaces.len == 0)
        gql_problem_add(p, type->definition->at, "the union '%.*s' has no members",
                        STR_ARG(type->name));
    for (const struct gql_list *it = type->extensions; it; it = it->next)
        for (const struct gql_name *n = it->system->names; n; n = n->next) {
            const struct gql_name *first = gql_names_find(&seen, n->name);
            const struct gql_schema_type *member = gql_type_find(schema, n->name);
            if (first)
                gql_problem_add(p, first->at, "the union '%.*s' has '%.*s' more than once",
                                STR_ARG(type->name), STR_ARG(n->name));
            else if (!gql_names_set(&seen, &schema->arena, n->name, n))
                p->nomem = true;
            else if (member && member->kind != GQL_OBJECT)
                gql_problem_add(p, n->at, "a union has object types alone, and '%.*s' is none",
                                STR_ARG(n->name));
        }
}

static void
check_enum(const struct gql_schema_type *type, struct gql_problems *p)
{
    if (type->members.len == 0)
        gql_problem_add(p, type->definition->at, "the enum '%.*s' has no values",
                        STR_ARG(type->name));
    for (size_t i = 0; i < type->members.len; i++) {
        const struct gql_member *m = type->members.all[i].value;
        check_name(p, m->name, m->at);
    }
}

static bool
is_one_of(const struct gql_schema_type *type)
{
    for (const struct gql_list *it = type->extensions; it; it = it->next)
        for (const struct gql_directive *d = it->system->directives; d; d = d->next)
            if (str_eq(d->name, STR("oneOf")))
                return true;
    return false;
}

static void
check_input_type(struct gql_schema *schema, const struct gql_schema_type *type,
                 struct gql_problems *p)
{
    bool one_of = is_one_of(type);
    if (type->members.len == 0)
        gql_problem_add(p, type->definition->at, "the input type '%.*s' has no fields",
                        STR_ARG(type->name));
    for (size_t i = 0; i < type->members.len; i++) {
        const struct gql_member *m = type->members.all[i].value;
        check_input(schema, m, true, p);
        if (one_of && m->type->required)
            gql_problem_add(p, m->type->at,
                            "the field '%.*s.%.*s' of a @oneOf input cannot be required",
                            STR_ARG(type->name), STR_ARG(m->name));
        if (one_of && m->default_value)
            gql_problem_add(p, m->at,
                            "the field '%.*s.%.*s' of a @oneOf input cannot have a default",
                            STR_ARG(type->name), STR_ARG(m->name));
    }
}

static void
check_type(struct gql_schema *schema, const struct gql_schema_type *type, struct gql_problems *p)
{
    check_name(p, type->name, type->definition->at);
    switch (type->kind) {
    case GQL_OBJECT:
    case GQL_INTERFACE:
        check_fields(schema, type, p);
        gql_check_implements(schema, type, p);
        break;
    case GQL_UNION:
        check_union(schema, type, p);
        break;
    case GQL_ENUM:
        check_enum(type, p);
        break;
    case GQL_INPUT:
        check_input_type(schema, type, p);
        break;
    case GQL_SCALAR:
    case GQL_SCHEMA:
    case GQL_DIRECTIVE:
        break;
    }
}

void
gql_check_types(struct gql_schema *schema, struct gql_problems *p)
{
    for (size_t i = 0; i < schema->directives.len; i++) {
        const struct gql_system *d = schema->directives.all[i].value;
        check_name(p, d->name, d->at);
        for (const struct gql_member *m = d->members; m; m = m->next)
            check_input(schema, m, false, p);
    }
    for (size_t i = 0; i < schema->types.len && !p->nomem; i++) {
        const struct gql_schema_type *type = schema->types.all[i].value;
        if (!type->is_built_in)
            check_type(schema, type, p);
    }
    gql_check_input_cycles(schema, p);
}
