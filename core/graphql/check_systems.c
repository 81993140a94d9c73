/* check_systems.c - the definitions of a schema one by one: names that are used twice or are unknown,
 * directives, extensions (section 3).  What the built schema must be is in check_types.c. */
#include "schema.h"

struct check {
    struct gql_schema *schema;
    struct gql_problems *problems;
    struct gql_names types, directives; /* name -> struct gql_system, so far */
    struct gql_names unknown;           /* names of directives that are not there, and were told */
    struct gql_names members;           /* "Type.member" -> struct gql_member */
    const struct gql_system *definition;
    const struct gql_member *operations[3];
};

/* Set a name; what had it before, or NULL. */
static const void *
note(struct check *c, struct gql_names *names, struct str name, const void *value)
{
    const void *old = gql_names_find(names, name);
    if (!old && !gql_names_set(names, &c->schema->arena, name, value))
        c->problems->nomem = true;
    return old;
}

static struct gql_names
no_names(const struct check *c)
{
    return (struct gql_names){.seed = {c->schema->seed[0], c->schema->seed[1]}};
}

static void
check_known(struct check *c, struct str name, size_t at)
{
    if (!gql_type_find(c->schema, name) || str_eq(name, STR("__Meta")))
        gql_problem_add(c->problems, at, "there is no type '%.*s'%s", STR_ARG(name),
                        gql_did_you_mean(c->problems, name, &c->schema->types));
}

static void
check_object_names(struct check *c, const struct gql_value *value)
{
    struct gql_names names = no_names(c);
    for (const struct gql_argument *it = value->elements; it; it = it->next) {
        const struct gql_argument *old =
            value->kind == GQL_VALUE_OBJECT ? note(c, &names, it->name, it) : NULL;
        if (old)
            gql_problem_add(c->problems, old->at, "the field '%.*s' is given more than once",
                            STR_ARG(it->name));
        check_object_names(c, &it->value);
    }
}

/* Arguments that the directive does not have.  meant: gets those that they seem to be. */
static void
check_argument_names(struct check *c, const struct gql_directive *d, const struct gql_system *known,
                     struct gql_names *meant)
{
    struct gql_names names = no_names(c);
    for (const struct gql_member *m = known->members; m; m = m->next)
        note(c, &names, m->name, m);
    for (const struct gql_argument *a = d->arguments; a; a = a->next) {
        if (gql_names_find(&names, a->name))
            continue;
        const char *near = gql_nearest(c->problems, a->name, &names);
        gql_problem_add(c->problems, a->at, "the directive '@%.*s' has no argument '%.*s'%s%s%s",
                        STR_ARG(d->name), STR_ARG(a->name), near ? "; did you mean '" : "",
                        near ? near : "", near ? "'?" : "");
        if (near)
            note(c, meant, str_of(near), a);
    }
}

static void
check_arguments(struct check *c, const struct gql_directive *d, const struct gql_system *known)
{
    struct gql_names names = no_names(c), meant = no_names(c);
    if (known)
        check_argument_names(c, d, known, &meant);
    for (const struct gql_argument *a = d->arguments; a; a = a->next) {
        const struct gql_argument *old = note(c, &names, a->name, a);
        if (old)
            gql_problem_add(c->problems, old->at, "the argument '%.*s' is given more than once",
                            STR_ARG(a->name));
    }
    for (const struct gql_argument *a = d->arguments; a; a = a->next)
        check_object_names(c, &a->value);
    for (const struct gql_member *m = known ? known->members : NULL; m; m = m->next)
        if (gql_is_required(m) && !gql_names_find(&names, m->name) &&
            !gql_names_find(&meant, m->name))
            gql_problem_add(
                c->problems, d->at, "the directive '@%.*s' needs the argument '%.*s' of type %s",
                STR_ARG(d->name), STR_ARG(m->name), gql_type_text(c->problems->arena, m->type));
}

static bool
may_stand(const struct gql_system *directive, const char *place)
{
    for (const struct gql_name *n = directive->names; n; n = n->next)
        if (str_eq(n->name, str_of(place)))
            return true;
    return false;
}

/* What is not imported is often used everywhere: it is told once. */
static void
check_unknown(struct check *c, const struct gql_directive *d)
{
    if (note(c, &c->unknown, d->name, d))
        return;
    const char *near = gql_did_you_mean(c->problems, d->name, &c->schema->directives);
    gql_problem_add(c->problems, d->at, "there is no directive '@%.*s'%s", STR_ARG(d->name),
                    near[0] ? near : "; import it by @link, or define it");
}

static void
check_directives(struct check *c, const struct gql_directive *first, const char *place)
{
    struct gql_names once = no_names(c);
    for (const struct gql_directive *d = first; d; d = d->next) {
        const struct gql_system *known = gql_names_find(&c->schema->directives, d->name);
        const struct gql_directive *old =
            known && !known->is_repeatable ? note(c, &once, d->name, d) : NULL;
        if (old)
            gql_problem_add(c->problems, old->at,
                            "the directive '@%.*s' can stand only once in a place",
                            STR_ARG(d->name));
    }
    for (const struct gql_directive *d = first; d; d = d->next) {
        const struct gql_system *known = gql_names_find(&c->schema->directives, d->name);
        if (!known)
            check_unknown(c, d);
        else if (!may_stand(known, place))
            gql_problem_add(c->problems, d->at, "the directive '@%.*s' cannot stand on a %s",
                            STR_ARG(d->name), place);
        check_arguments(c, d, known);
    }
}

static void
check_unique_arguments(struct check *c, const struct gql_member *first)
{
    struct gql_names names = no_names(c);
    for (const struct gql_member *m = first; m; m = m->next) {
        const struct gql_member *old = note(c, &names, m->name, m);
        if (old)
            gql_problem_add(c->problems, old->name_at,
                            "there are several arguments of the name '%.*s'", STR_ARG(m->name));
    }
}

static void
check_inputs(struct check *c, const struct gql_member *first, const char *place)
{
    for (const struct gql_member *m = first; m; m = m->next) {
        const struct gql_type *named = m->type;
        while (named->of)
            named = named->of;
        check_known(c, named->name, named->at);
        if (m->default_value)
            check_object_names(c, m->default_value);
        check_directives(c, m->directives, place);
    }
}

static void
check_fields(struct check *c, const struct gql_member *first)
{
    for (const struct gql_member *m = first; m; m = m->next) {
        const struct gql_type *named = m->type;
        while (named->of)
            named = named->of;
        check_unique_arguments(c, m->arguments);
        check_inputs(c, m->arguments, "ARGUMENT_DEFINITION");
        check_known(c, named->name, named->at);
        check_directives(c, m->directives, "FIELD_DEFINITION");
    }
}

static void
check_unique_members(struct check *c, const struct gql_system *s)
{
    const char *what = s->kind == GQL_ENUM ? "values" : "fields";
    for (const struct gql_member *m = s->members; m; m = m->next) {
        const char *key =
            arena_fmt(&c->schema->arena, "%.*s.%.*s", STR_ARG(s->name), STR_ARG(m->name));
        if (!key) {
            c->problems->nomem = true;
            return;
        }
        const struct gql_member *old = note(c, &c->members, str_of(key), m);
        if (old)
            gql_problem_add(c->problems, old->name_at,
                            "the type '%.*s' has several %s of the name '%.*s'", STR_ARG(s->name),
                            what, STR_ARG(m->name));
    }
}

static void
check_schema(struct check *c, const struct gql_system *s)
{
    if (!s->is_extension && c->definition)
        gql_problem_add(c->problems, s->at, "the schema is defined more than once");
    if (!s->is_extension)
        c->definition = s;
    for (const struct gql_member *m = s->members; m; m = m->next)
        for (unsigned kind = 0; kind < 3; kind++) {
            if (!str_eq(m->name, str_of(gql_operation_kind_word((enum gql_operation_kind)kind))))
                continue;
            if (c->operations[kind])
                gql_problem_add(c->problems, c->operations[kind]->at,
                                "there are several types for the operation '%.*s'",
                                STR_ARG(m->name));
            else
                c->operations[kind] = m;
        }
    check_directives(c, s->directives, "SCHEMA");
    for (const struct gql_member *m = s->members; m; m = m->next)
        check_known(c, m->type->name, m->type->at);
}

static void
check_extension(struct check *c, const struct gql_system *s)
{
    const struct gql_schema_type *type = gql_type_find(c->schema, s->name);
    if (!type || type->is_built_in)
        gql_problem_add(
            c->problems, s->name_at, "the type '%.*s' cannot be extended: it is not defined here%s",
            STR_ARG(s->name), gql_did_you_mean(c->problems, s->name, &c->schema->types));
    else if (type->kind != s->kind)
        gql_problem_add(c->problems, type->definition->at,
                        "the type '%.*s' is extended as what it is not", STR_ARG(s->name));
}

static void
check_directive(struct check *c, const struct gql_system *s)
{
    const struct gql_system *old = note(c, &c->directives, s->name, s);
    check_unique_arguments(c, s->members);
    if (old)
        gql_problem_add(c->problems, old->name_at,
                        "there are several directives of the name '@%.*s'", STR_ARG(s->name));
    check_inputs(c, s->members, "ARGUMENT_DEFINITION");
}

static void
check_parts(struct check *c, const struct gql_system *s)
{
    static const char *const places[] = {"SCHEMA", "SCALAR", "OBJECT",       "INTERFACE",
                                         "UNION",  "ENUM",   "INPUT_OBJECT", ""};
    if (s->kind != GQL_UNION)
        for (const struct gql_name *n = s->names; n; n = n->next)
            check_known(c, n->name, n->at);
    check_directives(c, s->directives, places[s->kind]);
    if (s->kind == GQL_UNION)
        for (const struct gql_name *n = s->names; n; n = n->next)
            check_known(c, n->name, n->at);
    if (s->kind == GQL_OBJECT || s->kind == GQL_INTERFACE)
        check_fields(c, s->members);
    else if (s->kind == GQL_INPUT)
        check_inputs(c, s->members, "INPUT_FIELD_DEFINITION");
    for (const struct gql_member *m = s->kind == GQL_ENUM ? s->members : NULL; m; m = m->next)
        check_directives(c, m->directives, "ENUM_VALUE");
}

void
gql_check_systems(struct gql_schema *schema, struct gql_problems *problems)
{
    struct check c = {.schema = schema, .problems = problems};
    c.types = c.directives = c.members = c.unknown = no_names(&c);
    for (const struct gql_definition *d = schema->document->definitions; d; d = d->next)
        gql_problem_add(problems, d->at, "an operation or fragment cannot stand in a schema");
    for (const struct gql_system *s = schema->document->systems; s && !problems->nomem;
         s = s->next) {
        if (s->kind == GQL_SCHEMA) {
            check_schema(&c, s);
            continue;
        }
        if (s->kind == GQL_DIRECTIVE) {
            check_directive(&c, s);
            continue;
        }
        const struct gql_system *old = s->is_extension ? NULL : note(&c, &c.types, s->name, s);
        if (old)
            gql_problem_add(problems, old->name_at, "there are several types of the name '%.*s'",
                            STR_ARG(s->name));
        check_unique_members(&c, s);
        if (s->is_extension)
            check_extension(&c, s);
        check_parts(&c, s);
    }
}
