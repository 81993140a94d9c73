/* method_number.c - arithmetic, and reading integers.  Integers go from -2^63 to 2^64-1 and
 * are computed with more bits, so that what does not fit is seen. */
#include "mapping_eval.h"

#include <math.h>

enum operation { ADD, SUB, MUL, DIV, MOD };

__extension__ typedef __int128 wide;

static wide
wide_of(const struct value_numeric *n)
{
    return n->is_negative ? -(wide)n->magnitude : (wide)n->magnitude;
}

/* Returns false when there is no result within 64 bits. */
static bool
compute_integer(enum operation operation, wide x, wide y, wide *out)
{
    bool overflow = false;
    switch (operation) {
    case ADD:
        *out = x + y;
        break;
    case SUB:
        *out = x - y;
        break;
    case MUL:
        overflow = __builtin_mul_overflow(x, y, out);
        break;
    case MOD:
        if (y == 0)
            return false;
        *out = x % y;
        break;
    case DIV:
        return false;
    }
    return !overflow && *out >= (wide)INT64_MIN && *out <= (wide)UINT64_MAX;
}

static bool
compute_real(enum operation operation, double x, double y, double *out)
{
    if ((operation == DIV || operation == MOD) && y == 0)
        return false;
    switch (operation) {
    case ADD:
        *out = x + y;
        break;
    case SUB:
        *out = x - y;
        break;
    case MUL:
        *out = x * y;
        break;
    case DIV:
        *out = x / y;
        break;
    case MOD:
        *out = fmod(x, y);
        break;
    }
    return isfinite(*out);
}

/* *so_far becomes the result of it and one more number; false when there is none. */
static bool
compute(enum operation operation, struct value_numeric *so_far, const struct value_numeric *n)
{
    if (so_far->is_integer && n->is_integer && operation != DIV) {
        wide result;
        if (!compute_integer(operation, wide_of(so_far), wide_of(n), &result))
            return false;
        so_far->is_negative = result < 0;
        so_far->magnitude = (uint64_t)(result < 0 ? -result : result);
        so_far->real = (double)result;
        return true;
    }
    double result;
    if (!compute_real(operation, so_far->real, n->real, &result))
        return false;
    *so_far = (struct value_numeric){false, false, 0, result};
    return true;
}

static struct value *
fold_numbers(struct eval *e, const struct call *c, enum operation operation)
{
    struct value_numeric so_far, n;
    if (!value_numeric(c->input, &so_far))
        return call_bad_input(e, c, c->input);
    if (c->step->argument_count == 0)
        return c->input;
    for (size_t i = 0; i < c->step->argument_count && eval_step(e); i++) {
        const struct value *argument = call_argument(e, c, i);
        if (!argument || !value_numeric(argument, &n))
            return call_bad_argument(e, c, argument);
        if (!compute(operation, &so_far, &n)) {
            eval_problem(e, GANTRY_MAPPING_ARITH, c->trail, c->step->range,
                         "%.*s has no result: %s", STR_ARG(c->step->arrow),
                         n.real == 0 ? "division by zero" : "it is too large");
            return NULL;
        }
    }
    struct value *v = so_far.is_integer
                          ? value_new_integer(e->arena, so_far.is_negative, so_far.magnitude)
                          : value_new_double(e->arena, so_far.real);
    return v ? v : eval_nomem(e);
}

struct value *
method_add(struct eval *e, const struct call *c)
{
    return fold_numbers(e, c, ADD);
}

struct value *
method_sub(struct eval *e, const struct call *c)
{
    return fold_numbers(e, c, SUB);
}

struct value *
method_mul(struct eval *e, const struct call *c)
{
    return fold_numbers(e, c, MUL);
}

struct value *
method_div(struct eval *e, const struct call *c)
{
    return fold_numbers(e, c, DIV);
}

struct value *
method_mod(struct eval *e, const struct call *c)
{
    return fold_numbers(e, c, MOD);
}

static unsigned
digit_of(char c)
{
    return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
           : c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 10
           : c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') + 10
                                  : 99;
}

/* An optional sign and at least one digit of the base, all of it, within 64 bits. */
static bool
read_integer(struct str s, unsigned base, bool *negative, uint64_t *magnitude)
{
    *negative = s.len && s.ptr[0] == '-';
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = (struct str){s.ptr + 1, s.len - 1};
    *magnitude = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = digit_of(s.ptr[i]);
        if (digit >= base || __builtin_mul_overflow(*magnitude, (uint64_t)base, magnitude) ||
            __builtin_add_overflow(*magnitude, (uint64_t)digit, magnitude))
            return false;
    }
    return s.len && !(*negative && *magnitude > (uint64_t)INT64_MAX + 1);
}

/* A number is cut to an integer, and read as its decimal digits. */
static void
add_integer_digits(const struct value_numeric *n, const struct value *v, struct buf *out)
{
    if (n->is_integer)
        value_add_number(v, out);
    else
        buf_add_fmt(out, "%.0f", trunc(n->real));
}

struct value *
method_parse_int(struct eval *e, const struct call *c)
{
    AUTO_BUF struct buf digits = BUF_INIT(400);
    struct str text = value_text(c->input);
    struct value_numeric n, base = {.magnitude = 10};
    bool negative, is_string = value_kind(c->input) == VALUE_STRING;
    uint64_t magnitude;
    if (!is_string && !value_numeric(c->input, &n))
        return call_bad_input(e, c, c->input);
    if (c->step->argument_count) {
        const struct value *v = call_argument(e, c, 0);
        if (!v || !value_numeric(v, &base) || !base.is_integer || base.is_negative ||
            base.magnitude < 2 || base.magnitude > 36)
            return call_bad_argument(e, c, v);
    }
    if (!is_string) {
        add_integer_digits(&n, c->input, &digits);
        text = buf_view(&digits);
    }
    if (!read_integer(text, (unsigned)base.magnitude, &negative, &magnitude)) {
        text = text_beginning(text);
        eval_problem(e, GANTRY_MAPPING_PARSE, c->trail, c->step->range,
                     "->parseInt cannot read \"%.*s\" as an integer of base %u and 64 bits",
                     STR_ARG(text), (unsigned)base.magnitude);
        return NULL;
    }
    struct value *v = value_new_integer(e->arena, negative, magnitude);
    return v ? v : eval_nomem(e);
}
