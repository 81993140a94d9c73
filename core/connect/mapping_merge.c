/* mapping_merge.c - two values under one key become one. */
#include "mapping_eval.h"

static struct value *
merge_objects(struct eval *e, struct value *a, struct value *b, const struct trail *at,
              struct mapping_range range)
{
    struct value *both = value_new_object(e->arena);
    if (!both)
        return eval_nomem(e);
    for (size_t i = 0; i < value_count(a); i++)
        if (!eval_step(e) || !eval_set(e, both, value_key_at(a, i), value_at(a, i)))
            return NULL;
    for (size_t i = 0; i < value_count(b); i++) {
        struct str key = value_key_at(b, i);
        struct value *item = value_at(b, i), *before = value_find(both, key);
        if (before)
            item = eval_merge(e, before, item, at, range);
        if (!item || !eval_step(e) || !eval_set(e, both, key, item))
            return NULL;
    }
    return both;
}

static struct value *
merge_arrays(struct eval *e, struct value *a, struct value *b, const struct trail *at,
             struct mapping_range range)
{
    struct value *both = value_new_array(e->arena);
    if (!both)
        return eval_nomem(e);
    size_t count = MAX(value_count(a), value_count(b));
    for (size_t i = 0; i < count; i++) {
        struct value *x = value_at(a, i), *y = value_at(b, i);
        struct value *item = x && y ? eval_merge(e, x, y, at, range) : x ? x : y;
        if (!item || !eval_step(e) || !eval_add(e, both, item))
            return NULL;
    }
    return both;
}

struct value *
eval_merge(struct eval *e, struct value *a, struct value *b, const struct trail *at,
           struct mapping_range range)
{
    enum value_kind ka = value_kind(a), kb = value_kind(b);
    struct value *result = b;
    if (!eval_enter(e))
        return NULL;
    if (ka == VALUE_NULL) {
        result = a;
    } else if (ka == VALUE_OBJECT && kb == VALUE_OBJECT) {
        result = merge_objects(e, a, b, at, range);
    } else if (ka == VALUE_ARRAY && kb == VALUE_ARRAY) {
        result = merge_arrays(e, a, b, at, range);
    } else if (kb != VALUE_NULL && ka != kb && !(is_number(a) && is_number(b))) {
        eval_problem(e, GANTRY_MAPPING_LOSSY, at, range, "%s replaces %s under the same key",
                     kind_words(b), kind_words(a));
    }
    eval_leave(e);
    return result;
}
