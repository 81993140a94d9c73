/* mapping_equal.c - do two mappings say the same?  Positions and comments do not count. */
#include "mapping_tree.h"

static bool lists_eq(const struct mapping_list *a, const struct mapping_list *b);

static bool steps_eq(const struct mapping_step *a, const struct mapping_step *b);

static bool
nodes_eq(const struct mapping_node *a, const struct mapping_node *b)
{
    for (; a && b; a = a->next, b = b->next) {
        bool same_literal = a->literal && b->literal ? value_equal(a->literal, b->literal)
                                                     : a->literal == b->literal;
        if (a->head != b->head || a->optional != b->optional || !str_eq(a->name, b->name) ||
            !same_literal || !nodes_eq(a->inner, b->inner) || !lists_eq(a->items, b->items) ||
            !steps_eq(a->steps, b->steps) || !lists_eq(a->braces, b->braces))
            return false;
    }
    return a == b; /* both at their end */
}

static bool
steps_eq(const struct mapping_step *a, const struct mapping_step *b)
{
    for (; a && b; a = a->next, b = b->next)
        if (a->kind != b->kind || a->optional != b->optional || a->has_parens != b->has_parens ||
            !str_eq(a->name, b->name) || !nodes_eq(a->arguments, b->arguments))
            return false;
    return a == b;
}

static bool
lists_eq(const struct mapping_list *a, const struct mapping_list *b)
{
    if (!a || !b)
        return a == b;
    const struct mapping_item *x = a->items, *y = b->items;
    for (; x && y; x = x->next, y = y->next)
        if (x->kind != y->kind || x->has_alias != y->has_alias || !str_eq(x->name, y->name) ||
            !nodes_eq(x->value, y->value))
            return false;
    return x == y;
}

bool
mapping_equal(const struct mapping *a, const struct mapping *b)
{
    return a->version == b->version && nodes_eq(a->value, b->value) && lists_eq(a->list, b->list);
}
