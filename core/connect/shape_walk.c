/* shape_walk.c - the shape of a mapping's paths and expressions. */
#include "shape.h"

void
shape_found(struct shape_walk *w, const struct shape_finding *finding)
{
    if (w->found && !w->nomem)
        w->found(w->context, finding);
}

static bool
is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* A name is a view of the text, but for one that was written with escapes. */
struct mapping_range
shape_name_range(const struct shape_walk *w, struct str name, struct mapping_range otherwise)
{
    uintptr_t first = (uintptr_t)w->text.ptr, at = (uintptr_t)name.ptr;
    if (!name.len || at < first || at >= first + w->text.len)
        return otherwise;
    size_t start = (size_t)(at - first), end = start + name.len;
    if (start > 0 && end < w->text.len && is_quote(w->text.ptr[start - 1]) &&
        w->text.ptr[end] == w->text.ptr[start - 1])
        return (struct mapping_range){start - 1, end + 1};
    return (struct mapping_range){start, end};
}

/* Something unknown that comes from the same place. */
static const struct shape *
unknown_of(struct shape_walk *w, const struct shape *from)
{
    const struct shape *shape = NULL;
    if (from->variable.len)
        shape = shape_new(w, SHAPE_UNKNOWN, from->variable);
    return shape ? shape : &shape_unknown;
}

static bool
has_upper_case(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] >= 'A' && name.ptr[i] <= 'Z')
            return true;
    return false;
}

/* A key of a shape is read.  What a mapping has made itself may be read in vain. */
static const struct shape *
read_key(struct shape_walk *w, const struct shape *from, struct str name,
         struct mapping_range range, const struct mapping_node *node)
{
    struct shape_finding finding = {
        .range = shape_name_range(w, name, range), .name = name, .holder = from, .node = node};
    const struct shape *found = NULL;
    if (from->is_headers && has_upper_case(name)) {
        finding.kind = SHAPE_UPPER_CASE_HEADER;
        shape_found(w, &finding);
    }
    switch (shape_find(w, from, name, &found)) {
    case SHAPE_FOUND:
        return found;
    case SHAPE_IN_UNION:
        finding.kind = SHAPE_THROUGH_UNION;
        break;
    case SHAPE_ABSENT:
        finding.kind = SHAPE_NO_MEMBER;
        break;
    }
    if (from->variable.len)
        shape_found(w, &finding);
    return unknown_of(w, from);
}

static const struct shape *
no_input(struct shape_walk *w, const struct mapping_node *node)
{
    shape_found(
        w, &(struct shape_finding){.kind = SHAPE_NO_INPUT,
                                   .range = node->head == HEAD_KEY
                                                ? shape_name_range(w, node->name, node->head_range)
                                                : node->head_range,
                                   .name = node->name,
                                   .node = node});
    return &shape_unknown;
}

static const struct shape *
of_variable(struct shape_walk *w, const struct mapping_node *node, const struct shape_scope *scope)
{
    for (const struct shape_bound *b = scope->bound; b; b = b->outer)
        if (str_eq(b->name, node->name))
            return b->shape;
    for (size_t i = 0; i < w->variable_count; i++)
        if (str_eq(w->variables[i].name, node->name))
            return w->variables[i].shape;
    shape_found(w, &(struct shape_finding){.kind = SHAPE_NO_VARIABLE,
                                           .range = node->head_range,
                                           .name = node->name,
                                           .node = node});
    return &shape_unknown;
}

static const struct shape *
of_literal(struct shape_walk *w, const struct value *literal)
{
    static const enum shape_kind kinds[] = {
        [VALUE_NULL] = SHAPE_NULL,     [VALUE_BOOL] = SHAPE_BOOLEAN,  [VALUE_INT] = SHAPE_NUMBER,
        [VALUE_NUMBER] = SHAPE_NUMBER, [VALUE_STRING] = SHAPE_STRING, [VALUE_ARRAY] = SHAPE_ARRAY,
        [VALUE_OBJECT] = SHAPE_OBJECT};
    struct shape *shape = shape_new(w, kinds[value_kind(literal)], STR_NONE);
    if (!shape)
        return &shape_unknown;
    if (shape->kind == SHAPE_STRING)
        shape->literal = value_text(literal);
    return shape;
}

/* An array, of what all its elements may be; without elements of nothing known. */
static const struct shape *
of_array(struct shape_walk *w, const struct mapping_node *first, const struct shape_scope *scope)
{
    const struct shape *all = NULL;
    for (const struct mapping_node *n = first; n && !w->nomem; n = n->next) {
        const struct shape *one = shape_of_node(w, n, scope);
        all = all ? shape_either(w, all, one) : one;
    }
    return shape_array(w, all ? all : &shape_unknown);
}

/* `a ?? b`: null but of the last is passed over, `a ?! b`: what is missing. */
static const struct shape *
of_chain(struct shape_walk *w, const struct mapping_node *node, const struct shape_scope *scope)
{
    const struct shape *all = NULL;
    for (const struct mapping_node *n = node->inner; n && !w->nomem; n = n->next) {
        const struct shape *one = shape_of_node(w, n, scope);
        if (node->head == HEAD_COALESCE && one->kind == SHAPE_NULL && n->next)
            continue;
        if (node->head == HEAD_COALESCE && n->next)
            one = shape_without_null(w, one);
        all = all ? shape_either(w, all, one) : one;
    }
    return all ? all : &shape_unknown;
}

/* What `@` is where there is no response: nothing, so that nothing can be read of it. */
static const struct shape *
of_at(struct shape_walk *w, const struct mapping_node *node, const struct shape_scope *scope)
{
    if (scope->at)
        return scope->at;
    if ((node->steps && node->steps->kind == STEP_KEY) || node->braces)
        return no_input(w, node);
    return &shape_unknown;
}

static const struct shape *
of_head(struct shape_walk *w, const struct mapping_node *node, const struct shape_scope *scope)
{
    switch (node->head) {
    case HEAD_DOLLAR:
        return scope->dollar ? scope->dollar : no_input(w, node);
    case HEAD_AT:
        return of_at(w, node, scope);
    case HEAD_VARIABLE:
        return of_variable(w, node, scope);
    case HEAD_KEY:
        if (!scope->dollar)
            return no_input(w, node);
        return read_key(w, scope->dollar, node->name, node->head_range, node);
    case HEAD_EXPRESSION:
        return shape_of_node(w, node->inner, scope);
    case HEAD_LITERAL:
        return of_literal(w, node->literal);
    case HEAD_ARRAY:
        return of_array(w, node->inner, scope);
    case HEAD_OBJECT:
        return shape_of_items(w, node->items, scope, false, STR_NONE);
    case HEAD_GROUP:
        return scope->dollar ? scope->dollar : &shape_unknown;
    case HEAD_COALESCE:
    case HEAD_PRESENT:
        return of_chain(w, node, scope);
    }
    return &shape_unknown;
}

const struct shape *
shape_of_node(struct shape_walk *w, const struct mapping_node *node,
              const struct shape_scope *scope)
{
    struct shape_scope here = *scope;
    const struct shape *shape = of_head(w, node, &here);
    if (node->optional)
        shape = shape_without_null(w, shape);
    for (const struct mapping_step *s = node->steps; s && !w->nomem; s = s->next) {
        if (s->kind == STEP_KEY)
            shape = read_key(w, shape, s->name, s->range, node);
        else
            shape = shape_of_method(w, s, shape, &here);
        if (s->optional)
            shape = shape_without_null(w, shape);
    }
    if (!node->braces)
        return shape;
    if (node->head == HEAD_GROUP && !scope->dollar)
        return shape_of_items(w, node->braces, &here, true, STR_NONE);
    return shape_of_braces(w, node->braces, shape, here.bound);
}

const struct shape *
shape_of_mapping(struct shape_walk *w, const struct mapping *m)
{
    const struct shape_scope scope = {w->input, w->input, NULL};
    w->text = m->text;
    w->made = w->looked = 0;
    if (m->value)
        return shape_of_node(w, m->value, &scope);
    if (!w->input)
        return shape_of_items(w, m->list, &scope, true, STR_NONE);
    return shape_of_braces(w, m->list, w->input, NULL);
}
