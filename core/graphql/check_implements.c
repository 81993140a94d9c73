/* check_implements.c - types against the interfaces that they implement, and inputs that need themselves. */
#include "schema.h"

/* The name of an interface where a type says that it implements it. */
static size_t
place_of(const struct gql_schema_type *type, struct str name)
{
    const struct gql_name *n = gql_names_find(&type->interfaces, name);
    return n ? n->at : type->definition->at;
}

static const struct gql_member *
find_argument(const struct gql_member *field, struct str name)
{
    const struct gql_member *m = field->arguments;
    while (m && !str_eq(m->name, name))
        m = m->next;
    return m;
}

static void
check_arguments(const struct gql_schema_type *face, const struct gql_member *wanted,
                const struct gql_member *field, struct gql_problems *p)
{
    for (const struct gql_member *a = wanted->arguments; a; a = a->next) {
        const struct gql_member *has = find_argument(field, a->name);
        if (!has)
            gql_problem_add(p, a->at,
                            "the field '%.*s' lacks the argument '%.*s' of interface '%.*s'",
                            STR_ARG(field->name), STR_ARG(a->name), STR_ARG(face->name));
        else if (!gql_type_eq(a->type, has->type))
            gql_problem_add(p, a->type->at,
                            "the argument '%.*s' is of type %s in interface '%.*s', and of type %s "
                            "where it is implemented",
                            STR_ARG(a->name), gql_type_text(p->arena, a->type), STR_ARG(face->name),
                            gql_type_text(p->arena, has->type));
    }
    for (const struct gql_member *a = field->arguments; a; a = a->next)
        if (gql_is_required(a) && !find_argument(wanted, a->name))
            gql_problem_add(p, a->at,
                            "the argument '%.*s' is required, and interface '%.*s' has none",
                            STR_ARG(a->name), STR_ARG(face->name));
}

static void
check_interface(struct gql_schema *schema, const struct gql_schema_type *type,
                const struct gql_schema_type *face, struct gql_problems *p)
{
    for (size_t i = 0; i < face->interfaces.len; i++) {
        const struct gql_name *n = face->interfaces.all[i].value;
        if (!gql_names_find(&type->interfaces, n->name))
            gql_problem_add(p, n->at, "the type '%.*s' must also implement '%.*s', as '%.*s' does",
                            STR_ARG(type->name), STR_ARG(n->name), STR_ARG(face->name));
    }
    for (size_t i = 0; i < face->members.len; i++) {
        const struct gql_member *wanted = face->members.all[i].value;
        const struct gql_member *field = gql_names_find(&type->members, wanted->name);
        if (!field) {
            gql_problem_add(p, wanted->at,
                            "the type '%.*s' lacks the field '%.*s' of interface '%.*s'",
                            STR_ARG(type->name), STR_ARG(wanted->name), STR_ARG(face->name));
            continue;
        }
        if (!gql_type_is_sub(schema, field->type, wanted->type))
            gql_problem_add(p, wanted->type->at,
                            "the field '%.*s' is of type %s in interface '%.*s', and of type %s in "
                            "'%.*s'",
                            STR_ARG(field->name), gql_type_text(p->arena, wanted->type),
                            STR_ARG(face->name), gql_type_text(p->arena, field->type),
                            STR_ARG(type->name));
        check_arguments(face, wanted, field, p);
    }
}

void
gql_check_implements(struct gql_schema *schema, const struct gql_schema_type *type,
                     struct gql_problems *p)
{
    struct gql_names seen = {.seed = {schema->seed[0], schema->seed[1]}};
    for (const struct gql_list *it = type->extensions; it; it = it->next)
        for (const struct gql_name *n = it->system->names; n && !p->nomem; n = n->next) {
            const struct gql_schema_type *face = gql_type_find(schema, n->name);
            size_t at = place_of(type, n->name);
            if (!face || face->kind != GQL_INTERFACE)
                gql_problem_add(p, at, "only an interface can be implemented, and '%.*s' is none",
                                STR_ARG(n->name));
            else if (face == type)
                gql_problem_add(p, at, "the interface '%.*s' cannot implement itself",
                                STR_ARG(n->name));
            else if (gql_names_find(&seen, n->name))
                gql_problem_add(p, at, "the type '%.*s' implements '%.*s' more than once",
                                STR_ARG(type->name), STR_ARG(n->name));
            else if (!gql_names_set(&seen, &schema->arena, n->name, n))
                p->nomem = true;
            else
                check_interface(schema, type, face, p);
        }
}

/* Depth first through required fields of input types; marks: 0 new, 1 done, more: 2 + place on the path. */
enum { DEEPEST = 4096 };
struct circle {
    struct gql_schema *schema;
    struct gql_problems *problems;
    const struct gql_member *path[DEEPEST];
    unsigned length;
};

static void
search(struct circle *x, struct gql_schema_type *type)
{
    type->mark = x->length + 2;
    for (size_t i = 0; i < type->members.len; i++) {
        const struct gql_member *m = type->members.all[i].value;
        struct gql_schema_type *to =
            m->type->required && !m->type->of ? gql_type_find(x->schema, m->type->name) : NULL;
        if (!to || to->kind != GQL_INPUT || to->mark == 1)
            continue;
        if (x->length == DEEPEST) {
            gql_problem_add(x->problems, m->at, "input types are nested deeper than the limit");
            break;
        }
        x->path[x->length++] = m;
        if (to->mark == 0)
            search(x, to);
        else
            gql_problem_add(x->problems, x->path[to->mark - 2]->at,
                            "the input type '%.*s' needs itself: no value could ever be complete",
                            STR_ARG(to->name));
        x->length--;
    }
    type->mark = 1;
}

void
gql_check_input_cycles(struct gql_schema *schema, struct gql_problems *p)
{
    struct circle *x = arena_alloc(&schema->arena, sizeof *x);
    if (!x) {
        p->nomem = true;
        return;
    }
    x->schema = schema;
    x->problems = p;
    for (size_t i = 0; i < schema->types.len; i++) {
        struct gql_schema_type *type = schema->types.all[i].value;
        if (type->kind == GQL_INPUT && type->mark == 0)
            search(x, type);
    }
}
