/* reach.c - what can be had of an object (reach.h).
 *
 * A connector whose key is not there waits at the first field that it lacks, and is looked at again when that is given,
 * or more of what is in it. */
#include "reach.h"

#include "entity_keys.h"

enum { STEPS_MAX = 5 * 1000 * 1000, DEPTH_MAX = 8 };

void
reach_init_names(const struct reach *r, struct gql_names *names)
{
    *names = (struct gql_names){0};
    memcpy(names->seed, r->schema->graphql->seed, sizeof names->seed);
}

bool
reach_is_over(const struct reach *r)
{
    return r->nomem || r->steps > STEPS_MAX;
}

void *
reach_make(struct reach *r, struct arena *a, size_t size)
{
    void *made = arena_alloc(a, size);
    r->nomem |= !made;
    return made;
}

bool
reach_add_source(struct reach *r, struct arena *a, struct reach_source **list,
                 const struct connector *c, const struct output_form *forms)
{
    while (*list && (*list)->forms != forms) {
        list = &(*list)->next;
        r->steps++;
    }
    struct reach_source *source = *list ? NULL : reach_make(r, a, sizeof *source);
    if (!source)
        return false;
    *source = (struct reach_source){NULL, c, forms};
    *list = source;
    return true;
}

void
reach_add_candidate(struct reach *r, const struct gql_schema_type *type, const struct connector *c,
                    const struct output_form *forms)
{
    struct reach_candidate *candidate = reach_make(r, r->arena, sizeof *candidate);
    if (!candidate)
        return;
    *candidate = (struct reach_candidate){gql_names_find(&r->candidates, type->name), c, forms};
    r->nomem |= !gql_names_set(&r->candidates, r->arena, type->name, candidate);
}

bool
reach_is_of(const struct output_form *form, const struct gql_schema_type *type)
{
    return !form->type_name.len || str_eq(form->type_name, type->name);
}

bool
reach_has(const struct reach_object *object, struct str name)
{
    const struct reach_field *field = gql_names_find(&object->fields, name);
    return field && field->is_given;
}

/* The field of this name, given or not; NULL: the type has none. */
static struct reach_field *
find_field(struct reach_object *o, struct str name)
{
    struct reach_field *given = gql_names_find(&o->fields, name);
    const struct gql_member *field = gql_names_find(&o->type->members, name);
    o->reach->steps++;
    if (given || !field)
        return given;
    given = reach_make(o->reach, o->reach->scratch, sizeof *given);
    if (given) {
        given->field = field;
        o->reach->nomem |= !gql_names_set(&o->fields, o->reach->scratch, field->name, given);
    }
    return given;
}

/* A field is given, by this too.  Who waits for it is looked at again. */
static void
give(struct reach_object *o, struct str name, const struct connector *by,
     const struct output_form *forms)
{
    struct reach_field *given = find_field(o, name);
    if (!given)
        return;
    bool more = reach_add_source(o->reach, o->reach->scratch, &given->sources, by, forms);
    if (given->is_given && !more)
        return;
    given->is_given = true;
    while (given->waiting) {
        struct reach_candidate *next = given->waiting->next;
        given->waiting->next = o->ready;
        o->ready = given->waiting;
        given->waiting = next;
    }
}

static void
give_forms(struct reach_object *o, const struct connector *by, const struct output_form *forms)
{
    for (const struct output_form *f = forms; f; f = f->next)
        for (const struct output *it = reach_is_of(f, o->type) ? f->outputs : NULL; it;
             it = it->next)
            give(o, it->name, by, it->forms);
}

static bool has_below(struct reach_object *o, const struct reach_field *given,
                      const struct field_set *set);

/* The first of these fields that is not given, nor somebody else's; NULL: all are. */
static const struct set_field *
find_missing(struct reach_object *o, const struct field_set *set)
{
    for (size_t i = 0; i < set->fields.len; i++) {
        const struct set_field *wanted = field_set_at(set, i);
        const struct gql_member *field = gql_names_find(&o->type->members, wanted->name);
        const struct reach_field *given = gql_names_find(&o->fields, wanted->name);
        o->reach->steps++;
        if (field && has_directive(field->directives, o->reach->external))
            continue;
        if (!given || !given->is_given || !has_below(o, given, &wanted->below))
            return wanted;
    }
    return NULL;
}

/* What is in an object may have connectors of its own.  Of abstract types, and too deep down, nobody looks: what is not
 * known to be wrong is right. */
static bool
has_below(struct reach_object *o, const struct reach_field *given, const struct field_set *set)
{
    struct reach_object inner = {
        .reach = o->reach,
        .type = gql_type_of(o->reach->schema->graphql, given->field->type),
        .depth = o->depth + 1,
    };
    if (!set->fields.len || !inner.type || inner.type->kind != GQL_OBJECT ||
        inner.depth > DEPTH_MAX)
        return true;
    return reach_close(&inner, given->sources) && !find_missing(&inner, set);
}

static void
ask(struct reach_object *o, struct reach_candidate *candidate)
{
    const struct connector *connector = candidate->connector;
    const struct set_field *missing = find_missing(o, &connector->key->fields);
    struct reach_field *given = missing ? find_field(o, missing->name) : NULL;
    if (given) {
        candidate->next = given->waiting;
        given->waiting = candidate;
    } else if (!missing && connector->key->kind == CONNECTOR_FIELD) {
        give(o, connector->field->name, connector, candidate->forms);
    } else if (!missing) {
        give_forms(o, connector, candidate->forms);
    }
}

bool
reach_close(struct reach_object *o, const struct reach_source *sources)
{
    struct reach *r = o->reach;
    const struct reach_candidate *next = gql_names_find(&r->candidates, o->type->name);
    reach_init_names(r, &o->fields);
    for (const struct reach_source *s = sources; s; s = s->next)
        give_forms(o, s->connector, s->forms);
    for (; next && !r->nomem; next = next->next) {
        struct reach_candidate *copy = reach_make(r, r->scratch, sizeof *copy);
        if (copy) {
            *copy = *next;
            copy->next = o->ready;
            o->ready = copy;
        }
    }
    while (o->ready && !reach_is_over(r)) {
        struct reach_candidate *candidate = o->ready;
        o->ready = candidate->next;
        ask(o, candidate);
    }
    return !reach_is_over(r);
}
