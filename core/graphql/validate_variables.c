/* validate_variables.c - rules about variables (section 5.8). */
#include "validate.h"

GQL_RULE(variable_type)
{
    const struct gql_variable *v = node;
    const struct gql_schema_type *type = gql_type_of(c->schema, v->type);
    if (type && !gql_kind_is_input(type->kind))
        gql_problem_add(c->problems, v->type->at,
                        "the variable '$%.*s' cannot be of type %s, which is not for input",
                        STR_ARG(v->name), gql_type_text(c->arena, v->type));
}

/* Also notes what is defined, for the rules that follow. */
GQL_RULE(variable_names)
{
    const struct gql_definition *d = node;
    struct gql_names told = gql_check_names(c);
    c->variables = gql_check_names(c);
    for (const struct gql_variable *v = d->variables; v; v = v->next) {
        const struct gql_variable *first = gql_names_find(&c->variables, v->name);
        if (!first && !gql_names_set(&c->variables, c->arena, v->name, v))
            c->nomem = true;
        if (first && gql_check_name(c, &told, v->name, v, NULL))
            gql_problem_add(c->problems, first->name_at,
                            "the variable '$%.*s' is defined more than once", STR_ARG(v->name));
    }
}

/* Call with each use of a variable in an operation and in the fragments that it uses. */
static void
each_use(struct gql_check *c, void (*check)(struct gql_check *, const struct gql_use *, void *),
         void *context)
{
    struct gql_reached r = gql_check_reach(c, c->facts);
    for (const struct gql_use *u = c->facts->uses; u; u = u->next)
        check(c, u, context);
    for (size_t i = 0; i < r.count; i++)
        for (const struct gql_use *u = r.all[i]->uses; u && gql_check_step(c, 1); u = u->next)
            check(c, u, context);
}

static void
check_defined(struct gql_check *c, const struct gql_use *use, void *context)
{
    (void)context;
    struct str name = use->value->text;
    if (!gql_names_find(&c->variables, name))
        gql_problem_add(c->problems, use->value->at, "the variable '$%.*s' is not defined%s",
                        STR_ARG(name), gql_did_you_mean(c->problems, name, &c->variables));
}

GQL_RULE(variables_defined)
{
    (void)node;
    each_use(c, check_defined, NULL);
}

static void
note_used(struct gql_check *c, const struct gql_use *use, void *context)
{
    (void)gql_check_name(c, context, use->value->text, use, NULL);
}

GQL_RULE(variables_used)
{
    const struct gql_definition *d = node;
    struct gql_names used = gql_check_names(c);
    each_use(c, note_used, &used);
    for (const struct gql_variable *v = d->variables; v; v = v->next)
        if (!gql_names_find(&used, v->name))
            gql_problem_add(c->problems, v->at, "the variable '$%.*s' is never used",
                            STR_ARG(v->name));
}

static bool
fits(const struct gql_check *c, const struct gql_variable *v, const struct gql_use *use)
{
    struct gql_type wanted = *use->type;
    if (wanted.required && !v->type->required) {
        bool has_value = v->default_value && v->default_value->kind != GQL_VALUE_NULL;
        if (!has_value && !use->has_default)
            return false;
        wanted.required = false;
    }
    return gql_type_is_sub(c->schema, v->type, &wanted);
}

static void
check_fits(struct gql_check *c, const struct gql_use *use, void *context)
{
    (void)context;
    const struct gql_variable *v = gql_names_find(&c->variables, use->value->text);
    if (!v || !use->type || !gql_type_of(c->schema, v->type))
        return;
    if (!fits(c, v, use))
        gql_problem_add(
            c->problems, v->at, "the variable '$%.*s' of type %s is used where %s is wanted",
            STR_ARG(v->name), gql_type_text(c->arena, v->type), gql_type_text(c->arena, use->type));
    if (use->in_one_of && !v->type->required)
        gql_problem_add(c->problems, v->at,
                        "the variable '$%.*s' of type %s may be null, and is used in a @oneOf "
                        "input",
                        STR_ARG(v->name), gql_type_text(c->arena, v->type));
}

GQL_RULE(variables_fit)
{
    (void)node;
    each_use(c, check_fits, NULL);
}
