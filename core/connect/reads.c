/* reads.c - what a mapping reads of its variables and of its input (see reads.h).
 *
 * The tree is walked with what `$` and `@` stand for at each node, its place: the input, a member that was read and
 * may get members of its own, or something that is not known: what a method gave, a literal, what braces made. */
#include "reads.h"

#include "mapping_tree.h"

enum place_kind { PLACE_UNKNOWN, PLACE_INPUT, PLACE_MEMBER };

struct place {
    enum place_kind kind;
    struct mapping_member **tail; /* of a member: where the next one below it is put */
    size_t depth;                 /* how many names are above those */
};

/* A name that `->as` has bound. */
struct bound {
    const struct bound *outer;
    struct str name;
};

struct scope {
    struct place *dollar, *at;
    const struct bound *bound;
};

struct walk {
    struct arena *arena;
    struct str text;
    struct mapping_read **tail;
    bool nomem;
    struct place unknown; /* the one of its kind: nothing is put there */
};

static struct mapping_read *
add_read(struct walk *w, struct str variable, struct mapping_range range)
{
    struct mapping_read *read = arena_alloc(w->arena, sizeof *read);
    if (!read) {
        w->nomem = true;
        return NULL;
    }
    *read = (struct mapping_read){NULL, variable, range, NULL};
    *w->tail = read;
    w->tail = &read->next;
    return read;
}

/* Where a name stands: it is a view of the text, but for one that was written with escapes. */
static struct mapping_range
name_range(const struct walk *w, struct str name, struct mapping_range otherwise)
{
    uintptr_t first = (uintptr_t)w->text.ptr, at = (uintptr_t)name.ptr;
    if (!name.len || at < first || at >= first + w->text.len)
        return otherwise;
    return (struct mapping_range){(size_t)(at - first), (size_t)(at - first) + name.len};
}

/* A key is read of what stands at `from`; own: gets its place, which is returned.
 * head: where a read of the input begins. */
static struct place *
read_key(struct walk *w, struct place *from, struct str name, struct mapping_range range,
         struct mapping_range head, struct place *own)
{
    if (from->kind == PLACE_UNKNOWN || from->depth == MAPPING_DEPTH_MAX)
        return &w->unknown;
    struct mapping_member **tail = from->tail;
    if (from->kind == PLACE_INPUT) {
        struct mapping_read *read = add_read(w, STR("$"), head);
        tail = read ? &read->members : NULL;
    }
    struct mapping_member *member = tail ? arena_alloc(w->arena, sizeof *member) : NULL;
    if (!member) {
        w->nomem = true;
        return &w->unknown;
    }
    *member = (struct mapping_member){NULL, name, name_range(w, name, range), NULL};
    *tail = member;
    if (from->kind == PLACE_MEMBER)
        from->tail = &member->next;
    *own = (struct place){PLACE_MEMBER, &member->members, from->depth + 1};
    return own;
}

static struct place *walk_node(struct walk *w, const struct mapping_node *node,
                               const struct scope *scope, struct place *own);

static void
walk_nodes(struct walk *w, const struct mapping_node *first, const struct scope *scope)
{
    struct place own;
    for (const struct mapping_node *n = first; n && !w->nomem; n = n->next)
        (void)walk_node(w, n, scope, &own);
}

static void
walk_items(struct walk *w, const struct mapping_list *list, const struct scope *scope)
{
    struct place own;
    for (const struct mapping_item *i = list->items; i && !w->nomem; i = i->next)
        (void)walk_node(w, i->value, scope, &own);
}

static struct place *
walk_variable(struct walk *w, const struct mapping_node *node, const struct scope *scope,
              struct place *own)
{
    for (const struct bound *b = scope->bound; b; b = b->outer)
        if (str_eq(b->name, node->name))
            return &w->unknown;
    struct mapping_read *read = add_read(w, node->name, node->head_range);
    if (!read)
        return &w->unknown;
    *own = (struct place){PLACE_MEMBER, &read->members, 0};
    return own;
}

/* `$` or `@`: it is a read of the whole input when no key or brace says what of it is wanted. */
static struct place *
walk_whole(struct walk *w, const struct mapping_node *node, struct place *place)
{
    bool narrowed = node->steps ? node->steps->kind == STEP_KEY : node->braces != NULL;
    if (place->kind == PLACE_INPUT && !narrowed)
        (void)add_read(w, STR("$"), node->head_range);
    return place;
}

static struct place *
walk_head(struct walk *w, const struct mapping_node *node, const struct scope *scope,
          struct place *own)
{
    switch (node->head) {
    case HEAD_DOLLAR:
        return walk_whole(w, node, scope->dollar);
    case HEAD_AT:
        return walk_whole(w, node, scope->at);
    case HEAD_GROUP:
        return scope->dollar;
    case HEAD_VARIABLE:
        return walk_variable(w, node, scope, own);
    case HEAD_KEY:
        return read_key(w, scope->dollar, node->name, node->head_range, node->head_range, own);
    case HEAD_EXPRESSION:
        return walk_node(w, node->inner, scope, own);
    case HEAD_OBJECT:
        walk_items(w, node->items, scope);
        return &w->unknown;
    case HEAD_ARRAY:
    case HEAD_COALESCE:
    case HEAD_PRESENT:
        walk_nodes(w, node->inner, scope);
        return &w->unknown;
    case HEAD_LITERAL:
        break;
    }
    return &w->unknown;
}

/* Does this step bind a name?  It is the first argument, and no read. */
static bool
binds(const struct mapping_step *step)
{
    return str_eq(step->name, STR("as")) && step->arguments &&
           step->arguments->head == HEAD_VARIABLE && !step->arguments->steps &&
           !step->arguments->braces;
}

/* The arguments of a method; a name that `as` binds is known to the rest of the path. */
static void
walk_method(struct walk *w, const struct mapping_step *step, struct scope *scope)
{
    const struct scope inner = {scope->dollar, &w->unknown, scope->bound};
    bool is_as = binds(step);
    walk_nodes(w, is_as ? step->arguments->next : step->arguments, &inner);
    if (!is_as)
        return;
    struct bound *bound = arena_alloc(w->arena, sizeof *bound);
    w->nomem = w->nomem || !bound;
    if (bound) {
        *bound = (struct bound){scope->bound, step->arguments->name};
        scope->bound = bound;
    }
}

/* Returns what the node gives: one of the scope's places, own, or the unknown one. */
static struct place *
walk_node(struct walk *w, const struct mapping_node *node, const struct scope *scope,
          struct place *own)
{
    struct scope rest = *scope;
    struct place *at = walk_head(w, node, scope, own);
    for (const struct mapping_step *step = node->steps; step && !w->nomem; step = step->next) {
        if (step->kind == STEP_KEY) {
            at = read_key(w, at, step->name, step->range, node->head_range, own);
        } else {
            walk_method(w, step, &rest);
            at = &w->unknown;
        }
    }
    if (!node->braces || w->nomem)
        return at;
    rest.dollar = rest.at = at;
    walk_items(w, node->braces, &rest);
    return &w->unknown;
}

bool
mapping_reads(const struct mapping *m, struct arena *a, struct mapping_read **out)
{
    struct mapping_read *first = NULL;
    struct walk w = {a, m->text, &first, false, {PLACE_UNKNOWN, NULL, 0}};
    struct place input = {PLACE_INPUT, NULL, 0}, own;
    const struct scope scope = {&input, &input, NULL};
    if (m->value)
        (void)walk_node(&w, m->value, &scope, &own);
    else
        walk_items(&w, m->list, &scope);
    if (!w.nomem)
        *out = first;
    return !w.nomem;
}
