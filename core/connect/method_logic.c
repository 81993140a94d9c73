/* method_logic.c - comparisons and logic. */
#include "mapping_eval.h"

/* Two numbers by value; all else deeply and strictly. */
static bool
are_equal(struct eval *e, const struct value *a, const struct value *b)
{
    struct value_numeric x, y;
    if (!value_numeric(a, &x) || !value_numeric(b, &y))
        return eval_same(e, a, b);
    if (x.is_integer && y.is_integer)
        return x.is_negative == y.is_negative && x.magnitude == y.magnitude;
    return x.real == y.real;
}

struct value *
method_eq(struct eval *e, const struct call *c)
{
    const struct value *other = call_argument(e, c, 0);
    return other ? eval_bool(e, are_equal(e, c->input, other)) : NULL;
}

struct value *
method_ne(struct eval *e, const struct call *c)
{
    const struct value *other = call_argument(e, c, 0);
    return other ? eval_bool(e, !are_equal(e, c->input, other)) : NULL;
}

static int
compare_text(struct str a, struct str b)
{
    size_t common = MIN(a.len, b.len);
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
    return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

static int
compare_integers(const struct value_numeric *x, const struct value_numeric *y)
{
    if (x->is_negative != y->is_negative)
        return x->is_negative ? -1 : 1;
    int order = x->magnitude < y->magnitude ? -1 : x->magnitude > y->magnitude;
    return x->is_negative ? -order : order;
}

/* *order: below, at or above 0.  Returns false, having said why, when the two cannot be compared. */
static bool
compare(struct eval *e, const struct call *c, int *order)
{
    struct value_numeric x, y;
    bool numeric = value_numeric(c->input, &x);
    *order = 0;
    if (!numeric && value_kind(c->input) != VALUE_STRING)
        return call_bad_input(e, c, c->input);
    const struct value *other = call_argument(e, c, 0);
    if (!other)
        return false;
    if (numeric && value_numeric(other, &y)) {
        *order = x.is_integer && y.is_integer ? compare_integers(&x, &y)
                 : x.real < y.real            ? -1
                                              : x.real > y.real;
        return true;
    }
    if (numeric || value_kind(other) != VALUE_STRING)
        return call_bad_input(e, c, other);
    *order = compare_text(value_text(c->input), value_text(other));
    return true;
}

struct value *
method_gt(struct eval *e, const struct call *c)
{
    int order;
    return compare(e, c, &order) ? eval_bool(e, order > 0) : NULL;
}

struct value *
method_gte(struct eval *e, const struct call *c)
{
    int order;
    return compare(e, c, &order) ? eval_bool(e, order >= 0) : NULL;
}

struct value *
method_lt(struct eval *e, const struct call *c)
{
    int order;
    return compare(e, c, &order) ? eval_bool(e, order < 0) : NULL;
}

struct value *
method_lte(struct eval *e, const struct call *c)
{
    int order;
    return compare(e, c, &order) ? eval_bool(e, order <= 0) : NULL;
}

static struct value *
is_among(struct eval *e, const struct value *wanted, const struct value *array)
{
    for (size_t i = 0; i < value_count(array) && eval_step(e); i++)
        if (are_equal(e, wanted, value_at(array, i)))
            return eval_bool(e, true);
    return eval_bool(e, false);
}

struct value *
method_in(struct eval *e, const struct call *c)
{
    const struct value *array = call_argument(e, c, 0);
    if (!array)
        return NULL;
    if (value_kind(array) != VALUE_ARRAY)
        return call_bad_argument(e, c, array);
    return is_among(e, c->input, array);
}

struct value *
method_contains(struct eval *e, const struct call *c)
{
    if (value_kind(c->input) != VALUE_ARRAY)
        return call_bad_input(e, c, c->input);
    const struct value *wanted = call_argument(e, c, 0);
    return wanted ? is_among(e, wanted, c->input) : NULL;
}

/* Arguments in turn, until one is `decided`; what is no boolean is skipped. */
static struct value *
fold_booleans(struct eval *e, const struct call *c, bool decided)
{
    if (value_kind(c->input) != VALUE_BOOL)
        return call_bad_input(e, c, c->input);
    bool truth = value_bool(c->input);
    for (size_t i = 0; i < c->step->argument_count && truth != decided && eval_step(e); i++) {
        const struct value *argument = call_argument(e, c, i);
        if (!argument)
            return NULL;
        if (value_kind(argument) == VALUE_BOOL)
            truth = value_bool(argument);
        else
            call_bad_argument(e, c, argument);
    }
    return eval_bool(e, truth);
}

struct value *
method_and(struct eval *e, const struct call *c)
{
    return fold_booleans(e, c, false);
}

struct value *
method_or(struct eval *e, const struct call *c)
{
    return fold_booleans(e, c, true);
}

struct value *
method_not(struct eval *e, const struct call *c)
{
    if (value_kind(c->input) != VALUE_BOOL)
        return call_bad_input(e, c, c->input);
    return eval_bool(e, !value_bool(c->input));
}
