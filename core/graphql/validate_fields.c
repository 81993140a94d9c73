/* validate_fields.c - rules about fields, directives and their arguments (sections 5.3, 5.4 and 5.7). */
#include "validate.h"

GQL_RULE(leaf)
{
    const struct gql_selection *s = node;
    const struct gql_schema_type *type = gql_type_of(c->schema, c->type);
    if (!type)
        return;
    if (gql_kind_is_leaf(type->kind) && s->selections)
        gql_problem_add(c->problems, s->brace_at,
                        "the field '%.*s' of type %s has no fields; leave out the braces",
                        STR_ARG(s->name), gql_type_text(c->arena, c->type));
    else if (!gql_kind_is_leaf(type->kind) && !s->selections)
        gql_problem_add(
            c->problems, s->at,
            "the field '%.*s' of type %s needs a selection of its fields: '%.*s { ... }'",
            STR_ARG(s->name), gql_type_text(c->arena, c->type), STR_ARG(s->name));
}

GQL_RULE(field_known)
{
    const struct gql_selection *s = node;
    if (c->parent && !c->field)
        gql_problem_add(c->problems, s->at, "the type '%.*s' has no field '%.*s'%s",
                        STR_ARG(c->parent->name), STR_ARG(s->name),
                        gql_did_you_mean(c->problems, s->name, &c->parent->members));
}

static const char *
suggest(struct gql_check *c, struct str name, const struct gql_member *first)
{
    struct gql_names names = gql_check_names(c);
    for (; first; first = first->next)
        (void)gql_check_name(c, &names, first->name, first, NULL);
    return gql_did_you_mean(c->problems, name, &names);
}

GQL_RULE(argument_known)
{
    const struct gql_argument *a = node;
    if (!c->directive_node && c->field && !c->argument)
        gql_problem_add(c->problems, a->at, "the field '%.*s.%.*s' has no argument '%.*s'%s",
                        STR_ARG(c->parent->name), STR_ARG(c->field->name), STR_ARG(a->name),
                        suggest(c, a->name, c->field->arguments));
}

GQL_RULE(directive_arguments)
{
    const struct gql_directive *d = node;
    for (const struct gql_argument *a = c->directive ? d->arguments : NULL; a; a = a->next)
        if (!gql_argument_find(c->directive->members, a->name))
            gql_problem_add(c->problems, a->at, "the directive '@%.*s' has no argument '%.*s'%s",
                            STR_ARG(d->name), STR_ARG(a->name),
                            suggest(c, a->name, c->directive->members));
}

static void
check_once(struct gql_check *c, const struct gql_argument *first)
{
    struct gql_names names = gql_check_names(c);
    const void *old;
    for (const struct gql_argument *a = first; a; a = a->next)
        if (!gql_check_name(c, &names, a->name, a, &old))
            gql_problem_add(c->problems, ((const struct gql_argument *)old)->at,
                            "the argument '%.*s' is given more than once", STR_ARG(a->name));
}

GQL_RULE(field_arguments_once)
{
    check_once(c, ((const struct gql_selection *)node)->arguments);
}

GQL_RULE(directive_arguments_once)
{
    check_once(c, ((const struct gql_directive *)node)->arguments);
}

static void
check_required(struct gql_check *c, size_t at, const char *what, struct str name,
               const struct gql_member *known, const struct gql_argument *given)
{
    struct gql_names names = gql_check_names(c);
    for (; given; given = given->next)
        (void)gql_check_name(c, &names, given->name, given, NULL);
    for (; known; known = known->next)
        if (gql_is_required(known) && !gql_names_find(&names, known->name))
            gql_problem_add(c->problems, at, "the %s%.*s' needs the argument '%.*s' of type %s",
                            what, STR_ARG(name), STR_ARG(known->name),
                            gql_type_text(c->arena, known->type));
}

GQL_RULE(field_required)
{
    const struct gql_selection *s = node;
    if (c->field)
        check_required(c, s->at, "field '", s->name, c->field->arguments, s->arguments);
}

GQL_RULE(directive_required)
{
    const struct gql_directive *d = node;
    if (c->directive)
        check_required(c, d->at, "directive '@", d->name, c->directive->members, d->arguments);
}

GQL_RULE(directive_known)
{
    const struct gql_directive *d = node;
    if (!c->directive) {
        gql_problem_add(c->problems, d->at, "there is no directive '@%.*s'%s", STR_ARG(d->name),
                        gql_did_you_mean(c->problems, d->name, &c->schema->directives));
        return;
    }
    for (const struct gql_name *n = c->directive->names; n; n = n->next)
        if (str_eq(n->name, str_of(c->place)))
            return;
    gql_problem_add(c->problems, d->at, "the directive '@%.*s' cannot stand on a %s",
                    STR_ARG(d->name), c->place);
}

GQL_RULE(directive_once)
{
    struct gql_names names = gql_check_names(c);
    const void *old;
    for (const struct gql_directive *d = node; d; d = d->next) {
        const struct gql_system *known = gql_names_find(&c->schema->directives, d->name);
        if (known && !known->is_repeatable && !gql_check_name(c, &names, d->name, d, &old))
            gql_problem_add(c->problems, ((const struct gql_directive *)old)->at,
                            "the directive '@%.*s' can stand only once in a place",
                            STR_ARG(d->name));
    }
}
