/* validate_operations.c - rules about operations and fragments as wholes (sections 5.1, 5.2 and 5.5). */
#include "validate.h"

GQL_RULE(executable)
{
    (void)node;
    for (const struct gql_system *s = c->doc->systems; s; s = s->next)
        gql_problem_add(c->problems, s->at,
                        "a definition of the schema language cannot stand in a document");
}

GQL_RULE(operation_name)
{
    const struct gql_definition *d = node;
    const void *old;
    if (d->name.len && !gql_check_name(c, &c->operations, d->name, d, &old))
        gql_problem_add(c->problems, ((const struct gql_definition *)old)->name_at,
                        "there are several operations of the name '%.*s'", STR_ARG(d->name));
}

GQL_RULE(lone_anonymous)
{
    const struct gql_definition *d = node;
    if (!d->name.len && c->operation_count > 1)
        gql_problem_add(c->problems, d->at,
                        "an operation without a name must be the only one in its document");
}

/* The root fields of a subscription, through fragments; each fragment once. */
struct roots {
    struct gql_check *c;
    const struct gql_schema_type *root;
    size_t mark;
    struct gql_names groups; /* response name -> its first field */
    const struct gql_selection *extra;
};

static bool
applies(const struct roots *r, struct str condition)
{
    const struct gql_schema_type *type = gql_type_find(r->c->schema, condition);
    return !condition.len || type == r->root || (type && gql_type_is_possible(type, r->root));
}

static void
collect_roots(struct roots *r, const struct gql_selection *first)
{
    for (const struct gql_selection *it = first; it && gql_check_step(r->c, 1); it = it->next) {
        struct str key = it->alias.len ? it->alias : it->name;
        if (it->kind == GQL_FIELD) {
            if (gql_check_name(r->c, &r->groups, key, it, NULL) && r->groups.len == 2)
                r->extra = it;
        } else if (it->kind == GQL_INLINE_FRAGMENT) {
            if (applies(r, it->type))
                collect_roots(r, it->selections);
        } else {
            struct gql_facts *f = gql_names_find(&r->c->fragments, it->name);
            if (!f || f->mark == r->mark || !applies(r, f->definition->type))
                continue;
            f->mark = r->mark;
            collect_roots(r, f->definition->selections);
        }
    }
}

GQL_RULE(subscription)
{
    const struct gql_definition *d = node;
    struct roots r = {.c = c, .root = c->schema->root_types[GQL_SUBSCRIPTION], .mark = ++c->walks};
    if (d->operation != GQL_SUBSCRIPTION || !r.root)
        return;
    r.groups = gql_check_names(c);
    collect_roots(&r, d->selections);
    if (r.extra)
        gql_problem_add(c->problems, r.extra->at, "a subscription has only one field at its root");
    for (size_t i = 0; i < r.groups.len; i++) {
        const struct gql_selection *s = r.groups.all[i].value;
        if (str_starts_with(s->name, STR("__")))
            gql_problem_add(c->problems, s->at,
                            "the root field of a subscription cannot be an introspection field");
    }
}

GQL_RULE(type_known)
{
    const struct gql_type *type = node;
    const struct gql_schema_type *found = gql_type_find(c->schema, type->name);
    if (!found || str_eq(type->name, STR("__Meta"))) /* that one is our own */
        gql_problem_add(c->problems, type->at, "there is no type '%.*s'%s", STR_ARG(type->name),
                        gql_did_you_mean(c->problems, type->name, &c->schema->types));
}

static void
check_condition(struct gql_check *c, struct str name, size_t at)
{
    const struct gql_schema_type *type = gql_type_find(c->schema, name);
    if (type && !gql_kind_is_composite(type->kind))
        gql_problem_add(c->problems, at,
                        "a fragment is on an object, interface or union type, and '%.*s' is none",
                        STR_ARG(name));
}

GQL_RULE(inline_type)
{
    const struct gql_selection *s = node;
    if (s->type.len)
        check_condition(c, s->type, s->type_at);
}

GQL_RULE(fragment_type)
{
    const struct gql_definition *d = node;
    check_condition(c, d->type, d->type_at);
}

GQL_RULE(fragment_name)
{
    const struct gql_definition *d = node;
    const void *old;
    if (!gql_check_name(c, &c->told, d->name, d, &old))
        gql_problem_add(c->problems, ((const struct gql_definition *)old)->name_at,
                        "there are several fragments of the name '%.*s'", STR_ARG(d->name));
}

GQL_RULE(spread_known)
{
    const struct gql_selection *s = node;
    if (!gql_names_find(&c->fragments, s->name))
        gql_problem_add(c->problems, s->name_at, "there is no fragment '%.*s'%s", STR_ARG(s->name),
                        gql_did_you_mean(c->problems, s->name, &c->fragments));
}

GQL_RULE(fragments_used)
{
    (void)node;
    struct gql_names used = gql_check_names(c);
    for (struct gql_facts *f = c->all; f && !c->nomem; f = f->next) {
        if (f->definition->is_fragment)
            continue;
        struct gql_reached r = gql_check_reach(c, f);
        for (size_t i = 0; i < r.count; i++)
            (void)gql_check_name(c, &used, r.all[i]->definition->name, f, NULL);
    }
    for (const struct gql_facts *f = c->all; f; f = f->next)
        if (f->definition->is_fragment && !gql_names_find(&used, f->definition->name))
            gql_problem_add(c->problems, f->definition->at, "the fragment '%.*s' is never used",
                            STR_ARG(f->definition->name));
}

static void
check_overlap(struct gql_check *c, const struct gql_schema_type *type, size_t at)
{
    if (type && gql_kind_is_composite(type->kind) && c->parent &&
        gql_check_step(c, type->possible.len + 1) && !gql_types_overlap(type, c->parent))
        gql_problem_add(c->problems, at,
                        "a fragment on '%.*s' can never apply here: no '%.*s' can be one",
                        STR_ARG(type->name), STR_ARG(c->parent->name));
}

GQL_RULE(inline_possible)
{
    check_overlap(c, gql_type_of(c->schema, c->type), ((const struct gql_selection *)node)->at);
}

GQL_RULE(spread_possible)
{
    const struct gql_selection *s = node;
    const struct gql_facts *f = gql_names_find(&c->fragments, s->name);
    if (f)
        check_overlap(c, gql_type_find(c->schema, f->definition->type), s->at);
}

/* Depth first from a fragment that was not searched before; what is on the path is a circle. */
struct circle {
    struct gql_check *c;
    const struct gql_selection **path;
    size_t length;
};

static void
search(struct circle *x, struct gql_facts *f)
{
    if (f->searched)
        return;
    f->searched = true;
    f->path = x->length + 1;
    for (const struct gql_spread *s = f->spreads; s; s = s->next) {
        struct gql_facts *to = s->to;
        x->path[x->length++] = s->selection;
        if (to && to->path == 0)
            search(x, to);
        else if (to)
            gql_problem_add(x->c->problems, x->path[to->path - 1]->at,
                            "the fragment '%.*s' is in itself", STR_ARG(to->definition->name));
        x->length--;
    }
    f->path = 0;
}

GQL_RULE(fragment_circle)
{
    (void)node;
    struct circle x = {.c = c};
    if (c->facts->searched)
        return;
    x.path = gql_check_alloc(c, (c->fragments.len + 2) * sizeof *x.path);
    if (x.path)
        search(&x, c->facts);
}
