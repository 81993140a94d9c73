/* check_results.c - what mappings give, where only some of it can be used: a hole becomes text, `path` is a
 * list of texts, isSuccess a boolean.  Only what surely cannot be is told. */
#include "check_mapping.h"

static bool
is_structure(const struct shape *shape)
{
    return shape->kind == SHAPE_ARRAY || shape->kind == SHAPE_OBJECT;
}

static bool
is_id(const struct shape *shape)
{
    return shape->kind == SHAPE_SCALAR && shape->type && str_eq(shape->type->name, STR("ID"));
}

/* The value of a custom scalar may be anything. */
static bool
is_anything(const struct shape *shape)
{
    return shape->kind == SHAPE_UNKNOWN || (shape->kind == SHAPE_SCALAR && !is_id(shape));
}

static bool
is_segment(const struct shape *shape)
{
    return !is_structure(shape) && shape->kind != SHAPE_NULL && !shape->nullable;
}

static bool
is_no_path(const struct shape *shape)
{
    if (shape->kind == SHAPE_ARRAY)
        return !shape_all(shape->element, is_segment);
    return !is_anything(shape);
}

static bool
is_no_object(const struct shape *shape)
{
    return shape->kind != SHAPE_OBJECT && !is_anything(shape);
}

static bool
is_no_text(const struct shape *shape)
{
    return shape->kind != SHAPE_STRING && !is_id(shape) && !is_anything(shape);
}

static bool
is_no_boolean(const struct shape *shape)
{
    return shape->kind != SHAPE_BOOLEAN && !is_anything(shape);
}

static const struct {
    bool (*is_wrong)(const struct shape *shape);
    const char *wanted;
} wanted[] = {
    [PLACE_BASE_URL] = {is_structure, "a text, number or boolean"},
    [PLACE_URL] = {is_structure, "a text, number or boolean; read a member, or use ->joinNotNull"},
    [PLACE_HEADER] = {is_structure, "a text, number or boolean; use ->first or ->joinNotNull"},
    [PLACE_PATH] = {is_no_path, "an array of texts, numbers and booleans, none of them null"},
    [PLACE_QUERY] = {is_no_object, "an object, a member for each parameter"},
    [PLACE_BODY] = {NULL, NULL},
    [PLACE_SELECTION] = {NULL, NULL},
    [PLACE_IS_SUCCESS] = {is_no_boolean, "a boolean, as $status->eq(200) does"},
    [PLACE_MESSAGE] = {is_no_text,
                       "a string: $.key is one of the response, $(\"text\") one of yours"},
    [PLACE_EXTENSIONS] = {is_no_object, "an object"},
};

static const char *
words_of(const struct shape *shape)
{
    switch (shape->kind) {
    case SHAPE_UNKNOWN:
    case SHAPE_ONE_OF:
        break;
    case SHAPE_SCALAR:
        return "a scalar";
    case SHAPE_NULL:
        return "null";
    case SHAPE_BOOLEAN:
        return "a boolean";
    case SHAPE_NUMBER:
        return "a number";
    case SHAPE_STRING:
        return "a string";
    case SHAPE_ARRAY:
        if (!is_structure(shape->element) && !shape_all(shape->element, is_segment))
            return "an array whose elements may be null";
        return is_structure(shape->element) ? "an array of arrays or objects" : "an array";
    case SHAPE_OBJECT:
        return "an object";
    }
    return "something else";
}

/* What check_variables.c has told of, a wrong result would be its consequence. */
static void
found(void *context, const struct shape_finding *f)
{
    bool *is_told = context;
    *is_told |= !shape_finding_is_note(f->kind);
}

static void
look_at(const struct placed *m)
{
    AUTO_ARENA struct arena arena;
    struct shape_variable variables[PLACED_VARIABLES_MAX];
    arena_init(&arena, 0);
    if (!wanted[m->place].is_wrong)
        return;
    struct shape_walk walk = placed_walk(m, &arena, variables);
    bool is_told = m->mapping->list && !m->mapping->list->items; /* empty */
    walk.found = found;
    walk.context = &is_told;
    const struct shape *shape = shape_of_mapping(&walk, m->mapping);
    m->problems->nomem |= walk.nomem;
    if (!walk.nomem && !is_told && shape_all(shape, wanted[m->place].is_wrong))
        placed_tell(m, placed_code(m), placed_range(m), "%s: this gives %s; it must give %s",
                    placed_words(m), words_of(shape), wanted[m->place].wanted);
}

void
check_results(struct connect_schema *s, struct connect_problems *p)
{
    check_each_mapping(s, p, look_at);
}
