/* outputs.c - the static keys of a selection, read off its shape (see outputs.h). */
#include "outputs.h"

#include "check_mapping.h"

/* Shapes share their parts: looked at as trees they could be endless. */
enum { OUTPUTS_MAX = 1 << 18, DEPTH_MAX = MAPPING_DEPTH_MAX };

struct copier {
    struct shape_walk walk;
    size_t made;
    bool nomem;
};

static void *
make(struct copier *c, size_t size)
{
    if (c->nomem || c->made >= OUTPUTS_MAX)
        return NULL;
    void *made = arena_alloc(c->walk.arena, size);
    c->nomem = !made;
    c->made++;
    return made;
}

static struct output_form *forms_of(struct copier *c, const struct shape *shape, size_t depth);

static void
copy_members(struct copier *c, const struct shape *object, struct output_form *form, size_t depth)
{
    struct output **tail = &form->outputs;
    for (const struct shape_member *m = object->members; m && !c->nomem; m = m->next) {
        struct output *output = make(c, sizeof *output);
        if (!output) {
            form->is_open = true;
            return;
        }
        *output = (struct output){.name = m->name,
                                  .range = m->range,
                                  .from_variable = m->shape->variable.len > 0,
                                  .forms = forms_of(c, m->shape, depth + 1)};
        if (str_eq(m->name, STR("__typename")) && m->shape->literal.ptr)
            form->type_name = m->shape->literal;
        *tail = output;
        tail = &output->next;
    }
}

static struct output_form *
form_of_object(struct copier *c, const struct shape *object, size_t depth)
{
    if (!object->is_braces && c->walk.version < MAPPING_V4)
        return NULL;
    struct output_form *form = make(c, sizeof *form);
    if (!form)
        return NULL;
    form->is_open = object->is_open || object->type || object->arguments || object->element;
    copy_members(c, object, form, depth);
    return form;
}

static struct output_form *
forms_of(struct copier *c, const struct shape *shape, size_t depth)
{
    struct output_form *all = NULL, **tail = &all;
    while (shape->kind == SHAPE_ARRAY)
        shape = shape->element;
    if (depth > DEPTH_MAX)
        return NULL;
    if (shape->kind == SHAPE_OBJECT)
        return form_of_object(c, shape, depth);
    if (shape->kind != SHAPE_ONE_OF)
        return NULL;
    for (const struct shape_choice *choice = shape->choices; choice; choice = choice->next) {
        *tail = forms_of(c, choice->shape, depth);
        while (*tail)
            tail = &(*tail)->next;
    }
    return all;
}

static bool
is_no_object(const struct shape *shape)
{
    while (shape->kind == SHAPE_ARRAY)
        shape = shape->element;
    if (shape->kind == SHAPE_ONE_OF)
        return shape_all(shape, is_no_object);
    return shape->kind != SHAPE_OBJECT && shape->kind != SHAPE_UNKNOWN &&
           shape->kind != SHAPE_SCALAR;
}

bool
connector_outputs(const struct connect_schema *s, const struct connector *c, struct arena *a,
                  struct outputs *out)
{
    struct shape_variable variables[PLACED_VARIABLES_MAX];
    const struct placed m = {.schema = s,
                             .connector = (struct connector *)(uintptr_t)c,
                             .place = PLACE_SELECTION,
                             .written = c->selection.written,
                             .mapping = c->selection.mapping};
    struct copier copier = {.walk = placed_walk(&m, a, variables)};
    *out = (struct outputs){NULL, false};
    if (!m.mapping)
        return true;
    const struct shape *shape = shape_of_mapping(&copier.walk, m.mapping);
    out->forms = forms_of(&copier, shape, 0);
    out->is_never_object = is_no_object(shape);
    return !copier.nomem && !copier.walk.nomem;
}
