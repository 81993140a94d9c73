/* validate_merge.c - fields of one response name must be mergeable (section 5.3.2).
 *
 * For each selection set: the fields that it has itself, by response name, and the fragments that it spreads.
 * Fields of one name are compared in pairs, then with those of each fragment, then fragments with each other;
 * a pair of fragments that was compared is not compared again.  Pairs are still quadratic, so each takes
 * steps of the budget. */
#include "validate.h"

#include <stdio.h>

struct entry {
    struct entry *next;
    const struct gql_selection *field;
    const struct gql_schema_type *parent;
    const struct gql_member *definition;
};

struct fields {
    struct gql_names names;     /* response name -> the first struct entry */
    struct gql_names fragments; /* name -> struct gql_facts */
};

/* What is remembered for the whole document. */
struct gql_merge {
    struct gql_names pairs; /* "F G" or "F G!" -> anything */
    struct gql_names sets;  /* address of a selection list and type -> struct fields */
    const struct entry *at; /* the first field of the conflict that was found last */
};

static struct fields *
collect_into(struct gql_check *c, struct fields *f, const struct gql_schema_type *parent,
             const struct gql_selection *first)
{
    for (const struct gql_selection *it = first; it && gql_check_step(c, 1); it = it->next) {
        if (it->kind == GQL_FRAGMENT_SPREAD) {
            const struct gql_facts *to = gql_names_find(&c->fragments, it->name);
            if (to)
                (void)gql_check_name(c, &f->fragments, it->name, to, NULL);
        } else if (it->kind == GQL_INLINE_FRAGMENT) {
            const struct gql_schema_type *type =
                it->type.len ? gql_type_find(c->schema, it->type) : parent;
            collect_into(c, f, type, it->selections);
        } else {
            struct str key = it->alias.len ? it->alias : it->name;
            struct entry *e = gql_check_alloc(c, sizeof *e);
            const void *old = NULL;
            if (!e)
                return f;
            e->field = it;
            e->parent = parent;
            bool composite = parent && gql_kind_is_composite(parent->kind);
            e->definition = composite ? gql_field_find(c->schema, parent, it->name) : NULL;
            if (!gql_check_name(c, &f->names, key, e, &old)) {
                struct entry *last = (struct entry *)(uintptr_t)old;
                while (last->next && gql_check_step(c, 1))
                    last = last->next;
                last->next = e;
            }
        }
    }
    return f;
}

static struct fields *
collect(struct gql_check *c, const struct gql_schema_type *parent,
        const struct gql_selection *first)
{
    char *key = gql_check_alloc(c, 40);
    if (!key)
        return NULL;
    int n = snprintf(key, 40, "%p %p", (const void *)first, (const void *)parent);
    struct str name = {key, (size_t)n};
    struct fields *f = gql_names_find(&c->merge->sets, name);
    if (f)
        return f;
    f = gql_check_alloc(c, sizeof *f);
    if (!f)
        return NULL;
    f->names = f->fragments = gql_check_names(c);
    (void)gql_check_name(c, &c->merge->sets, name, f, NULL);
    return collect_into(c, f, parent, first);
}

static bool same_arguments(struct gql_check *c, const struct gql_argument *a,
                           const struct gql_argument *b, bool ordered);

static bool
same_value(struct gql_check *c, const struct gql_value *a, const struct gql_value *b)
{
    return a->kind == b->kind && str_eq(a->text, b->text) &&
           same_arguments(c, a->elements, b->elements, a->kind == GQL_VALUE_LIST);
}

static bool
same_arguments(struct gql_check *c, const struct gql_argument *a, const struct gql_argument *b,
               bool ordered)
{
    size_t more = 0;
    for (const struct gql_argument *it = b; it; it = it->next)
        more++;
    for (const struct gql_argument *it = a; it; it = it->next) {
        const struct gql_argument *other = b;
        while (!ordered && other && !str_eq(other->name, it->name) && gql_check_step(c, 1))
            other = other->next;
        if (!other || more-- == 0 || !same_value(c, &it->value, &other->value))
            return false;
        if (ordered)
            b = b->next;
    }
    return more == 0;
}

/* Could no answer have both types? */
static bool
types_conflict(const struct gql_check *c, const struct gql_type *a, const struct gql_type *b)
{
    for (; a->of && b->of && a->required == b->required; b = b->of)
        a = a->of;
    if (a->of || b->of || a->required != b->required)
        return true;
    const struct gql_schema_type *x = gql_type_find(c->schema, a->name);
    const struct gql_schema_type *y = gql_type_find(c->schema, b->name);
    bool leaf = (x && gql_kind_is_leaf(x->kind)) || (y && gql_kind_is_leaf(y->kind));
    return leaf && x != y;
}

/* The first conflict that is found is told as why; NULL: none. */
struct pair {
    struct gql_check *c;
    bool exclusive; /* the parents can never be one object */
};

static const char *between(struct pair p, const struct fields *a, const struct fields *b);
static const char *with_fragment(struct pair p, const struct fields *a, const struct gql_facts *f);
static const char *fragments(struct pair p, const struct gql_facts *a, const struct gql_facts *b);

static const char *
sub_selections(struct pair p, const struct entry *a, const struct entry *b)
{
    struct gql_check *c = p.c;
    const struct gql_type *ta = a->definition ? a->definition->type : NULL;
    const struct gql_type *tb = b->definition ? b->definition->type : NULL;
    const struct fields *x = collect(c, gql_type_of(c->schema, ta), a->field->selections);
    const struct fields *y = collect(c, gql_type_of(c->schema, tb), b->field->selections);
    if (!x || !y)
        return NULL;
    const char *why = between(p, x, y);
    for (size_t i = 0; !why && i < y->fragments.len; i++)
        why = with_fragment(p, x, y->fragments.all[i].value);
    for (size_t i = 0; !why && i < x->fragments.len; i++)
        why = with_fragment(p, y, x->fragments.all[i].value);
    for (size_t i = 0; !why && i < x->fragments.len; i++)
        for (size_t j = 0; !why && j < y->fragments.len; j++)
            why = fragments(p, x->fragments.all[i].value, y->fragments.all[j].value);
    return why;
}

static const char *
entries(struct pair p, const struct entry *a, const struct entry *b)
{
    struct gql_check *c = p.c;
    if (!gql_check_step(c, 1))
        return NULL;
    p.exclusive = p.exclusive || (a->parent != b->parent && a->parent && b->parent &&
                                  a->parent->kind == GQL_OBJECT && b->parent->kind == GQL_OBJECT);
    if (!p.exclusive && !str_eq(a->field->name, b->field->name))
        return "they are different fields";
    if (!p.exclusive && !same_arguments(c, a->field->arguments, b->field->arguments, false))
        return "they have different arguments";
    if (a->definition && b->definition &&
        types_conflict(c, a->definition->type, b->definition->type))
        return "they have different types";
    return a->field->selections && b->field->selections ? sub_selections(p, a, b) : NULL;
}

static const char *
between(struct pair p, const struct fields *a, const struct fields *b)
{
    for (size_t i = 0; i < a->names.len; i++)
        for (const struct entry *x = a->names.all[i].value; x; x = x->next)
            for (const struct entry *y = gql_names_find(&b->names, a->names.all[i].name);
                 y && gql_check_step(p.c, 1); y = y->next) {
                const char *why = entries(p, x, y);
                if (!why)
                    continue;
                p.c->merge->at = x; /* the outermost call comes last */
                return why;
            }
    return NULL;
}

static const struct fields *
fields_of(struct gql_check *c, const struct gql_facts *f)
{
    return collect(c, gql_type_find(c->schema, f->definition->type), f->definition->selections);
}

/* Note that two were compared; false when they were before, at least as strictly. */
static bool
first_time(struct pair p, const void *a, const void *b)
{
    char *key = gql_check_alloc(p.c, 44);
    if (!key || !gql_check_step(p.c, 8))
        return false;
    int n = snprintf(key, 44, "%p %p", a < b ? a : b, a < b ? b : a);
    if (gql_names_find(&p.c->merge->pairs, (struct str){key, (size_t)n}))
        return false;
    if (p.exclusive)
        n += snprintf(key + n, 4, "!");
    return gql_check_name(p.c, &p.c->merge->pairs, (struct str){key, (size_t)n}, key, NULL);
}

static const char *
with_fragment(struct pair p, const struct fields *a, const struct gql_facts *f)
{
    const struct fields *b = fields_of(p.c, f);
    if (!b || a == b || !first_time(p, a, f))
        return NULL;
    const char *why = between(p, a, b);
    for (size_t i = 0; !why && i < b->fragments.len; i++)
        why = with_fragment(p, a, b->fragments.all[i].value);
    return why;
}

static const char *
fragments(struct pair p, const struct gql_facts *a, const struct gql_facts *b)
{
    if (a == b || !first_time(p, a, b))
        return NULL;
    const struct fields *x = fields_of(p.c, a), *y = fields_of(p.c, b);
    if (!x || !y)
        return NULL;
    const char *why = between(p, x, y);
    for (size_t i = 0; !why && i < y->fragments.len; i++)
        why = fragments(p, a, y->fragments.all[i].value);
    for (size_t i = 0; !why && i < x->fragments.len; i++)
        why = fragments(p, x->fragments.all[i].value, b);
    return why;
}

static void
report(struct gql_check *c, const struct entry *at, const char *why)
{
    if (!why)
        return;
    const struct gql_selection *s = at->field;
    gql_problem_add(c->problems, s->at,
                    "the fields called '%.*s' cannot be merged: %s; give one an alias",
                    STR_ARG(s->alias.len ? s->alias : s->name), why);
}

static void
check_own(struct gql_check *c, const struct fields *f)
{
    const struct pair p = {c, false};
    for (size_t i = 0; i < f->names.len; i++)
        for (const struct entry *x = f->names.all[i].value; x; x = x->next)
            for (const struct entry *y = x->next; y && gql_check_step(c, 1); y = y->next)
                report(c, x, entries(p, x, y));
}

GQL_RULE(merge)
{
    const struct gql_set *set = node;
    const struct pair p = {c, false};
    if (!c->merge) {
        c->merge = gql_check_alloc(c, sizeof *c->merge);
        if (!c->merge)
            return;
        c->merge->pairs = c->merge->sets = gql_check_names(c);
    }
    const struct fields *f = collect(c, c->parent, set->first);
    if (!f)
        return;
    check_own(c, f);
    for (size_t i = 0; i < f->fragments.len; i++) {
        const char *why = with_fragment(p, f, f->fragments.all[i].value);
        report(c, c->merge->at, why);
        for (size_t j = i + 1; j < f->fragments.len; j++) {
            why = fragments(p, f->fragments.all[i].value, f->fragments.all[j].value);
            report(c, c->merge->at, why);
        }
    }
}
