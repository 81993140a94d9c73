/* mapping_eval.h - what the files of the evaluator share.
 *
 *   mapping_apply.c   the whole; limits; lists of items
 *   mapping_path.c    heads, steps, chains, literals
 *   mapping_merge.c   two values under one key
 *   mapping_problem.c why something is not there
 *   method_*.c        the methods, by what they work on
 *
 * A value that is NULL is MISSING.  What goes wrong for good (a limit, no memory) is kept in `rc`: all
 * is MISSING from then on, and every loop over data asks eval_step() whether to go on. */
#ifndef CONNECT_MAPPING_EVAL_H
#define CONNECT_MAPPING_EVAL_H

#include "err.h"
#include "mapping_tree.h"

/* The way from the input to a value, backwards.  NULL is the input itself. */
struct trail {
    const struct trail *parent;
    struct trail *made_before; /* in the order of making, to give them back */
    struct mapping_segment segment;
};

/* A name that `as` bound, or a variable of the caller's. */
struct binding {
    const struct binding *next;
    struct str name;
    struct value *value;
};

struct scope {
    struct value *dollar, *at;
    const struct trail *dollar_trail, *at_trail;
    const struct binding *bindings;
};

/* A value on its way through a path. */
struct flow {
    struct value *value;
    const struct trail *trail;
};

/* The problems so far, and a hash table of them: the same is told once. */
struct problems {
    struct mapping_problem *ptr;
    size_t len, size;
    uint32_t *index; /* number + 1, or 0 */
    size_t index_size;
    size_t max, dropped;
};

struct eval {
    const struct mapping *mapping;
    const struct mapping_input *input;
    struct arena *arena;
    struct problems problems;
    struct trail *trails, *free_trails;
    struct value_hint *hints; /* where each key was found the last time */
    struct value **made;      /* what each list of items made the last time */
    uint64_t steps;           /* left */
    size_t depth;             /* of recursion */
    int rc;
    struct gantry_error **err;
};

/* A method's call. */
struct call {
    struct value *input;
    const struct mapping_step *step;
    struct scope *scope;       /* of the path; `as` changes it */
    const struct trail *trail; /* of the result: the input's and "->name" */
};

/* Fail for good; both return NULL, for `return eval_...`. */
struct value *eval_failed(struct eval *e, int code, const char *what);
struct value *eval_nomem(struct eval *e);
/* One step of work.  Returns false when the evaluation has failed. */
bool eval_step(struct eval *e);
/* Before and after a recursion.  enter returns false, and nothing is to be left, when it failed. */
bool eval_enter(struct eval *e);
void eval_leave(struct eval *e);

/* Where the trails stand; all made since are given back. */
struct trail *trail_mark(const struct eval *e);
void trail_release(struct eval *e, struct trail *mark);
/* key: its ptr is not NULL, as those of all texts of a mapping; NULL marks an index. */
const struct trail *trail_key(struct eval *e, const struct trail *parent, struct str key);
const struct trail *trail_index(struct eval *e, const struct trail *parent, size_t index);

/* Say why something is not there.  The message is put together only when somebody wants it. */
void eval_problem(struct eval *e, enum gantry_mapping_problem_kind kind, const struct trail *at,
                  struct mapping_range range, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Forget the problems from one number up to another. */
void eval_forget(struct eval *e, size_t from, size_t to);

struct value *eval_node(struct eval *e, const struct mapping_node *node, const struct scope *scope);
struct value *eval_braces(struct eval *e, const struct mapping_list *list, struct flow flow,
                          const struct binding *bindings);
/* An object literal: nothing is rebound. */
struct value *eval_object(struct eval *e, const struct mapping_list *list,
                          const struct scope *scope);
struct value *eval_merge(struct eval *e, struct value *a, struct value *b, const struct trail *at,
                         struct mapping_range range);
struct value *eval_method(struct eval *e, const struct mapping_step *step, struct flow input,
                          struct scope *scope, const struct trail *trail);

/* For methods: an argument, evaluated with `@` bound to the input, or to an element. */
struct value *call_argument(struct eval *e, const struct call *c, size_t number);
struct value *call_argument_at(struct eval *e, const struct call *c, size_t number,
                               struct value *at, const struct trail *trail);
const struct mapping_node *call_node(const struct call *c, size_t number);
/* Say that an argument, or the input, is not what the method takes; return NULL. */
struct value *call_bad_argument(struct eval *e, const struct call *c, const struct value *got);
struct value *call_bad_input(struct eval *e, const struct call *c, const struct value *got);

/* New values of the evaluation; NULL: it has failed. */
struct value *eval_bool(struct eval *e, bool truth);
struct value *eval_string(struct eval *e, struct str text);
struct value *eval_take_text(struct eval *e, struct buf *text); /* copied into the arena */
bool eval_add(struct eval *e, struct value *array, struct value *item);
bool eval_set(struct eval *e, struct value *object, struct str key, struct value *item);
bool eval_same(struct eval *e, const struct value *a, const struct value *b);

/* As much of a text as a message shows; no character is cut. */
struct str shown_part(struct str text);
/* "an array", "null"; of NULL "nothing".  Static. */
const char *kind_words(const struct value *v);
bool is_number(const struct value *v);
/* The text of a scalar; false for arrays and objects. */
bool add_scalar_text(const struct value *v, struct buf *out);

#endif
