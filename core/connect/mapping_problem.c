/* mapping_problem.c - why something is not there: kept in order, each once. */
#include "mapping_eval.h"

#include <stdarg.h>

enum { MESSAGE_MAX = 4096, FIRST_INDEX = 64 };

struct trail *
trail_mark(const struct eval *e)
{
    return e->trails;
}

void
trail_release(struct eval *e, struct trail *mark)
{
    while (e->trails != mark) {
        struct trail *trail = e->trails;
        e->trails = trail->made_before;
        trail->made_before = e->free_trails;
        e->free_trails = trail;
    }
}

/* Without memory the way is cut short, and the evaluation has failed anyway. */
static const struct trail *
add_trail(struct eval *e, const struct trail *parent, struct mapping_segment segment)
{
    struct trail *trail = e->free_trails;
    if (trail)
        e->free_trails = trail->made_before;
    else
        trail = arena_alloc(e->arena, sizeof *trail);
    if (!trail) {
        eval_nomem(e);
        return parent;
    }
    *trail = (struct trail){parent, e->trails, segment};
    e->trails = trail;
    return trail;
}

const struct trail *
trail_key(struct eval *e, const struct trail *parent, struct str key)
{
    return add_trail(e, parent, (struct mapping_segment){key, 0});
}

const struct trail *
trail_index(struct eval *e, const struct trail *parent, size_t index)
{
    return add_trail(e, parent, (struct mapping_segment){STR_NONE, index});
}

static uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return (hash ^ n) * UINT64_C(1099511628211);
}

static bool
segment_eq(const struct mapping_segment *a, const struct mapping_segment *b)
{
    return !a->key.ptr == !b->key.ptr &&
           (a->key.ptr ? str_eq(a->key, b->key) : a->index == b->index);
}

static bool
problem_eq(const struct mapping_problem *a, const struct mapping_problem *b)
{
    if (a->hash != b->hash || a->path_length != b->path_length || !str_eq(a->message, b->message))
        return false;
    for (size_t i = 0; i < a->path_length; i++)
        if (!segment_eq(&a->path[i], &b->path[i]))
            return false;
    return true;
}

/* The slot of an equal problem, or the empty one where it belongs. */
static uint32_t *
find_slot(const struct problems *all, const struct mapping_problem *problem)
{
    size_t mask = all->index_size - 1, at = problem->hash & mask;
    while (all->index[at] && !problem_eq(&all->ptr[all->index[at] - 1], problem))
        at = (at + 1) & mask;
    return &all->index[at];
}

/* Room for one more, the index at most half full. */
static bool
grow(struct eval *e)
{
    struct problems *all = &e->problems;
    if (all->len < all->size)
        return true;
    size_t size = all->size ? all->size * 2 : FIRST_INDEX / 2;
    struct mapping_problem *ptr = arena_alloc_array(e->arena, size, sizeof *ptr);
    uint32_t *index = arena_alloc_array(e->arena, size * 2, sizeof *index);
    if (!ptr || !index) {
        eval_nomem(e);
        return false;
    }
    if (all->len)
        memcpy(ptr, all->ptr, all->len * sizeof *ptr);
    all->ptr = ptr;
    all->size = size;
    all->index = index;
    all->index_size = size * 2;
    for (size_t i = 0; i < all->len; i++)
        *find_slot(all, &ptr[i]) = (uint32_t)(i + 1);
    return true;
}

/* Copies of path and message, which live as long as the arena. */
static bool
make_problem(struct eval *e, const struct trail *at, struct str message,
             struct mapping_problem *problem)
{
    for (const struct trail *t = at; t; t = t->parent)
        problem->path_length++;
    problem->path =
        arena_alloc_array(e->arena, MAX(problem->path_length, (size_t)1), sizeof *problem->path);
    char *text = arena_dup(e->arena, message);
    if (!problem->path || !text) {
        eval_nomem(e);
        return false;
    }
    problem->message = (struct str){text, message.len};
    size_t i = problem->path_length;
    for (const struct trail *t = at; t; t = t->parent)
        problem->path[--i] = t->segment;
    problem->hash = hash_bytes(UINT64_C(14695981039346656037), message.ptr, message.len);
    for (i = 0; i < problem->path_length; i++) {
        const struct mapping_segment *s = &problem->path[i];
        problem->hash = s->key.ptr ? hash_bytes(problem->hash, s->key.ptr, s->key.len)
                                   : hash_bytes(problem->hash, &s->index, sizeof s->index);
    }
    return true;
}

void
eval_problem(struct eval *e, enum gantry_mapping_problem_kind kind, const struct trail *at,
             struct mapping_range range, const char *fmt, ...)
{
    if (e->input->without_problems || e->rc < 0)
        return;
    if (e->problems.len >= e->problems.max) {
        e->problems.dropped++;
        return;
    }
    AUTO_BUF struct buf message = BUF_INIT(MESSAGE_MAX);
    va_list args;
    va_start(args, fmt);
    buf_add_vfmt(&message, fmt, args);
    va_end(args);
    if (buf_failed(&message) == GANTRY_E_NOMEM) {
        eval_nomem(e);
        return;
    }
    struct mapping_problem problem = {.kind = kind, .range = range};
    struct str text = buf_failed(&message) ? STR("(its text is too long)") : buf_view(&message);
    if (!make_problem(e, at, text, &problem) || !grow(e))
        return;
    uint32_t *slot = find_slot(&e->problems, &problem);
    if (*slot)
        return;
    e->problems.ptr[e->problems.len++] = problem;
    *slot = (uint32_t)e->problems.len;
}

void
eval_forget(struct eval *e, size_t from, size_t to)
{
    struct problems *all = &e->problems;
    if (from >= to)
        return;
    /* The youngest first: nobody's probing has passed its slot. */
    for (size_t i = all->len; i > from; i--)
        *find_slot(all, &all->ptr[i - 1]) = 0;
    memmove(all->ptr + from, all->ptr + to, (all->len - to) * sizeof *all->ptr);
    all->len -= to - from;
    for (size_t i = from; i < all->len; i++)
        *find_slot(all, &all->ptr[i]) = (uint32_t)(i + 1);
}
