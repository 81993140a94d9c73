/* shape.c - shapes: made, of GraphQL types, joined, and their members found. */
#include "shape.h"

enum { MADE_MAX = 1 << 18, LOOKED_MAX = 1 << 22, CHOICES_MAX = 32 };

const struct shape shape_unknown = {.kind = SHAPE_UNKNOWN};

/* NULL: memory ran out, or a mapping has made all that it may. */
static void *
make(struct shape_walk *w, size_t size)
{
    if (w->nomem || w->made >= MADE_MAX)
        return NULL;
    void *made = arena_alloc(w->arena, size);
    w->nomem = !made;
    w->made++;
    return made;
}

bool
shape_is_unfinished(const struct shape_walk *w)
{
    return w->made >= MADE_MAX || w->looked > LOOKED_MAX;
}

struct shape *
shape_new(struct shape_walk *w, enum shape_kind kind, struct str variable)
{
    struct shape *shape = make(w, sizeof *shape);
    if (!shape)
        return NULL;
    shape->kind = kind;
    shape->variable = variable;
    return shape;
}

struct shape_member *
shape_new_member(struct shape_walk *w)
{
    return make(w, sizeof(struct shape_member));
}

const struct shape *
shape_array(struct shape_walk *w, const struct shape *element)
{
    struct shape *shape = shape_new(w, SHAPE_ARRAY, element->variable);
    if (!shape)
        return &shape_unknown;
    shape->element = element;
    return shape;
}

static enum shape_kind
kind_of_scalar(const struct gql_schema_type *type)
{
    if (type->kind == GQL_ENUM || str_eq(type->name, STR("String")))
        return SHAPE_STRING;
    if (str_eq(type->name, STR("Int")) || str_eq(type->name, STR("Float")))
        return SHAPE_NUMBER;
    return str_eq(type->name, STR("Boolean")) ? SHAPE_BOOLEAN : SHAPE_SCALAR;
}

const struct shape *
shape_of_type(struct shape_walk *w, const struct gql_type *type, struct str variable)
{
    enum shape_kind kind = SHAPE_UNKNOWN;
    const struct gql_schema_type *named = NULL;
    const struct shape *element = NULL;
    if (type && type->of) {
        kind = SHAPE_ARRAY;
        element = shape_of_type(w, type->of, variable);
    } else if (type && (named = gql_type_of(w->graphql, type))) {
        kind = gql_kind_is_leaf(named->kind) ? kind_of_scalar(named) : SHAPE_OBJECT;
    }
    struct shape *shape = shape_new(w, kind, variable);
    if (!shape)
        return &shape_unknown;
    shape->nullable = type && !type->required;
    shape->element = element;
    shape->type = named;
    return shape;
}

/* ---- one of several -------------------------------------------------------------------------------- */

static bool
is_same(const struct shape *a, const struct shape *b)
{
    if (a == b)
        return true;
    bool plain = a->kind != SHAPE_ARRAY && a->kind != SHAPE_OBJECT && a->kind != SHAPE_ONE_OF;
    return plain && a->kind == b->kind && a->type == b->type && a->nullable == b->nullable &&
           str_eq(a->variable, b->variable) && a->literal.ptr == b->literal.ptr;
}

/* False: there are too many. */
static bool
add_choice(struct shape_walk *w, struct shape *to, const struct shape *shape)
{
    struct shape_choice **tail = &to->choices;
    size_t count = 0;
    for (; *tail; tail = &(*tail)->next, count++)
        if (is_same((*tail)->shape, shape))
            return true;
    struct shape_choice *choice =
        count < CHOICES_MAX ? arena_alloc(w->arena, sizeof *choice) : NULL;
    if (!choice) {
        w->nomem |= count < CHOICES_MAX;
        return false;
    }
    *choice = (struct shape_choice){NULL, shape};
    *tail = choice;
    return true;
}

static bool
add_choices(struct shape_walk *w, struct shape *to, const struct shape *shape)
{
    if (shape->kind != SHAPE_ONE_OF)
        return add_choice(w, to, shape);
    for (const struct shape_choice *c = shape->choices; c; c = c->next)
        if (!add_choice(w, to, c->shape))
            return false;
    return true;
}

const struct shape *
shape_either(struct shape_walk *w, const struct shape *a, const struct shape *b)
{
    struct str variable = str_eq(a->variable, b->variable) ? a->variable : STR_NONE;
    struct shape *shape = shape_new(w, SHAPE_ONE_OF, variable);
    if (!shape || !add_choices(w, shape, a) || !add_choices(w, shape, b))
        return &shape_unknown;
    return shape->choices->next ? shape : shape->choices->shape;
}

/* One that is not one of several. */
static const struct shape *
drop_null(struct shape_walk *w, const struct shape *shape)
{
    if (shape->kind == SHAPE_NULL)
        return &shape_unknown;
    struct shape *copy = shape->nullable ? shape_new(w, shape->kind, shape->variable) : NULL;
    if (!copy)
        return shape->nullable ? &shape_unknown : shape;
    *copy = *shape;
    copy->nullable = false;
    return copy;
}

const struct shape *
shape_without_null(struct shape_walk *w, const struct shape *shape)
{
    const struct shape *all = NULL;
    if (shape->kind != SHAPE_ONE_OF)
        return drop_null(w, shape);
    for (const struct shape_choice *c = shape->choices; c; c = c->next) {
        if (c->shape->kind == SHAPE_NULL)
            continue;
        const struct shape *one = drop_null(w, c->shape);
        all = all ? shape_either(w, all, one) : one;
    }
    return all ? all : &shape_unknown;
}

bool
shape_all(const struct shape *shape, bool (*is)(const struct shape *shape))
{
    if (shape->kind != SHAPE_ONE_OF)
        return is(shape);
    for (const struct shape_choice *c = shape->choices; c; c = c->next)
        if (!is(c->shape))
            return false;
    return true;
}

/* ---- members --------------------------------------------------------------------------------------- */

/* Of several members of a name the values are merged: nothing is said of that. */
static const struct shape *
find_written(struct shape_walk *w, const struct shape *object, struct str name)
{
    const struct shape *found = NULL;
    for (const struct shape_member *m = object->members; m; m = m->next) {
        if (++w->looked > LOOKED_MAX)
            return &shape_unknown;
        bool same = object->is_headers ? str_eq_nocase(m->name, name) : str_eq(m->name, name);
        if (same && found)
            return &shape_unknown;
        if (same)
            found = m->shape;
    }
    return found;
}

static enum shape_lookup
find_in_object(struct shape_walk *w, const struct shape *object, struct str name,
               const struct shape **out)
{
    const struct gql_member *field = NULL;
    const struct shape *found = find_written(w, object, name);
    if (!found && object->type && object->type->kind == GQL_UNION)
        return SHAPE_IN_UNION;
    if (!found && object->type)
        field = gql_names_find(&object->type->members, name);
    for (const struct gql_member *a = object->arguments; a && !field && !found; a = a->next) {
        if (++w->looked > LOOKED_MAX)
            found = &shape_unknown;
        else if (str_eq(a->name, name))
            field = a;
    }
    if (field)
        found = shape_of_type(w, field->type, object->variable);
    else if (!found && object->type && str_eq(name, STR("__typename")))
        found = shape_new(w, SHAPE_STRING, object->variable);
    else if (!found && object->element)
        found = object->element;
    else if (!found && !object->is_open)
        return SHAPE_ABSENT;
    *out = found ? found : &shape_unknown;
    return SHAPE_FOUND;
}

/* It is enough that one choice has it. */
static enum shape_lookup
find_in_choices(struct shape_walk *w, const struct shape *shape, struct str name,
                const struct shape **out)
{
    enum shape_lookup best = SHAPE_ABSENT;
    const struct shape *all = NULL;
    for (const struct shape_choice *c = shape->choices; c; c = c->next) {
        const struct shape *one = NULL;
        enum shape_lookup found = shape_find(w, c->shape, name, &one);
        if (found == SHAPE_FOUND)
            all = all ? shape_either(w, all, one) : one;
        else if (found == SHAPE_IN_UNION)
            best = found;
    }
    if (!all)
        return best;
    *out = all;
    return SHAPE_FOUND;
}

enum shape_lookup
shape_find(struct shape_walk *w, const struct shape *shape, struct str name,
           const struct shape **out)
{
    const struct shape *element = NULL;
    enum shape_lookup found;
    switch (shape->kind) {
    case SHAPE_UNKNOWN:
        *out = shape;
        return SHAPE_FOUND;
    case SHAPE_NULL:
    case SHAPE_BOOLEAN:
    case SHAPE_NUMBER:
    case SHAPE_STRING:
    case SHAPE_SCALAR:
        return SHAPE_ABSENT;
    case SHAPE_ARRAY:
        found = shape_find(w, shape->element, name, &element);
        if (found == SHAPE_FOUND)
            *out = shape_array(w, element);
        return found;
    case SHAPE_OBJECT:
        return find_in_object(w, shape, name, out);
    case SHAPE_ONE_OF:
        return find_in_choices(w, shape, name, out);
    }
    return SHAPE_ABSENT;
}
