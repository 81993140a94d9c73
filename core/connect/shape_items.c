/* shape_items.c - the shape that a list of items puts together. */
#include "shape.h"

enum { FORMS_MAX = 32 };

/* One way in which the output may look.  There are several where what joins it is one of several. */
struct form {
    struct form *next;
    struct shape *object;
    struct shape_member **tail;
    struct str type_name; /* of a literal `__typename` */
    bool is_null;         /* what joined it was null: then all is, for good */
    bool is_impossible;   /* it would be of two types at once */
};

struct builder {
    struct shape_walk *walk;
    struct form *forms, **tail;
    size_t count;
    bool is_braces, failed; /* failed: too much; the shape is not known */
    struct str variable;
};

static struct form *
add_form(struct builder *b)
{
    struct shape *object =
        b->count < FORMS_MAX ? shape_new(b->walk, SHAPE_OBJECT, b->variable) : NULL;
    struct form *form = object ? arena_alloc(b->walk->arena, sizeof *form) : NULL;
    if (!form) {
        b->walk->nomem |= object != NULL;
        b->failed = true;
        return NULL;
    }
    object->is_braces = b->is_braces;
    form->object = object;
    form->tail = &object->members;
    *b->tail = form;
    b->tail = &form->next;
    b->count++;
    return form;
}

static void
add_member(struct builder *b, struct form *form, const struct shape_member *from)
{
    struct str type = str_eq(from->name, STR("__typename")) ? from->shape->literal : STR_NONE;
    struct shape_member *m = shape_new_member(b->walk);
    if (!m) {
        b->failed = true;
        return;
    }
    *m = *from;
    m->next = NULL;
    *form->tail = m;
    form->tail = &m->next;
    form->is_impossible |= type.ptr && form->type_name.ptr && !str_eq(type, form->type_name);
    form->type_name = type.ptr ? type : form->type_name;
}

static void
add_members(struct builder *b, struct form *form, const struct shape *object)
{
    form->object->is_open |=
        object->is_open || object->type || object->arguments || object->element;
    for (const struct shape_member *m = object->members; m && !b->failed; m = m->next)
        add_member(b, form, m);
}

/* A shape that is not one of several joins a form. */
static void
join_form(struct builder *b, struct form *form, const struct shape *shape)
{
    if (shape->kind == SHAPE_NULL)
        form->is_null = true;
    else if (shape->kind == SHAPE_UNKNOWN)
        form->object->is_open = true;
    else if (shape->kind == SHAPE_OBJECT)
        add_members(b, form, shape);
}

/* Each form with each choice is a new one. */
static void
join_choices(struct builder *b, const struct shape *shape)
{
    const struct form *before = b->forms;
    b->forms = NULL;
    b->tail = &b->forms;
    b->count = 0;
    for (const struct form *f = before; f && !b->failed; f = f->next)
        for (const struct shape_choice *c = shape->choices; c && !b->failed; c = c->next) {
            struct form *form = f->is_impossible ? NULL : add_form(b);
            if (!form)
                continue;
            form->is_null = f->is_null;
            add_members(b, form, f->object);
            join_form(b, form, c->shape);
        }
}

static void
join(struct builder *b, const struct shape *shape)
{
    if (shape->kind == SHAPE_ONE_OF) {
        join_choices(b, shape);
        return;
    }
    for (struct form *f = b->forms; f && !b->failed; f = f->next)
        join_form(b, f, shape);
}

static void
note_nullable(struct shape_walk *w, const struct mapping_item *item, const struct shape *shape,
              bool is_alone)
{
    if (!is_alone && shape->nullable && shape->variable.len)
        shape_found(w, &(struct shape_finding){.kind = SHAPE_NULLABLE_INLINE,
                                               .range = item->value->head_range,
                                               .name = shape->variable,
                                               .holder = shape,
                                               .node = item->value});
}

static void
add_item(struct builder *b, const struct mapping_item *item, const struct shape *shape)
{
    struct shape_walk *w = b->walk;
    if (item->kind != ITEM_NAMED) {
        join(b, shape);
        return;
    }
    const struct shape_member member = {.name = item->name,
                                        .range = shape_name_range(w, item->name, item->range),
                                        .shape = shape,
                                        .node = item->value};
    for (struct form *f = b->forms; f && !b->failed; f = f->next)
        add_member(b, f, &member);
}

/* A name that two items of a list give is said at the second. */
static void
note_merged(struct shape_walk *w, const struct mapping_list *list, const struct shape *object)
{
    struct gql_names seen = {.seed = {w->graphql->seed[0], w->graphql->seed[1]}};
    if (!w->found || list->count < 2)
        return;
    for (const struct shape_member *m = object->members; m; m = m->next) {
        if (gql_names_find(&seen, m->name))
            shape_found(w, &(struct shape_finding){
                               .kind = SHAPE_MERGED_KEY, .range = m->range, .name = m->name});
        else if (!gql_names_set(&seen, w->arena, m->name, m))
            w->nomem = true;
        if (w->nomem)
            return;
    }
}

static const struct shape *
finish(struct builder *b, const struct mapping_list *list)
{
    const struct shape *all = NULL;
    static const struct shape null = {.kind = SHAPE_NULL};
    if (b->failed || b->walk->nomem)
        return &shape_unknown;
    if (b->count == 1 && !b->forms->is_null && b->is_braces)
        note_merged(b->walk, list, b->forms->object);
    for (const struct form *f = b->forms; f; f = f->next) {
        if (f->is_impossible)
            continue;
        const struct shape *one = f->is_null ? &null : f->object;
        all = all ? shape_either(b->walk, all, one) : one;
    }
    return all ? all : &shape_unknown;
}

const struct shape *
shape_of_items(struct shape_walk *w, const struct mapping_list *list,
               const struct shape_scope *scope, bool is_braces, struct str variable)
{
    struct builder b = {.walk = w, .is_braces = is_braces, .variable = variable};
    if (list->items && !list->items->next && list->items->kind == ITEM_ALONE)
        return shape_of_node(w, list->items->value, scope); /* alone in its braces */
    b.tail = &b.forms;
    (void)add_form(&b);
    for (const struct mapping_item *i = list->items; i && !w->nomem; i = i->next) {
        const struct shape *shape = shape_of_node(w, i->value, scope);
        if (i->kind != ITEM_NAMED)
            note_nullable(w, i, shape, list->count == 1);
        if (!b.failed)
            add_item(&b, i, shape);
    }
    return finish(&b, list);
}

const struct shape *
shape_of_braces(struct shape_walk *w, const struct mapping_list *list, const struct shape *input,
                const struct shape_bound *bound)
{
    if (input->kind == SHAPE_ARRAY)
        return shape_array(w, shape_of_braces(w, list, input->element, bound));
    const struct shape_scope scope = {input, input, bound};
    const struct shape *made = shape_of_items(w, list, &scope, true, input->variable);
    if (!input->nullable || made->nullable || made->kind != SHAPE_OBJECT)
        return made;
    struct shape *copy = shape_new(w, made->kind, made->variable);
    if (!copy)
        return &shape_unknown;
    *copy = *made;
    copy->nullable = true;
    return copy;
}
