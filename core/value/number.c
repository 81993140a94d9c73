/* number.c - numbers as one computes with them: read from their spelling, compared, and spelled in
 * their normal form. */
#include "value_internal.h"

#include <inttypes.h>
#include <math.h>

/* The largest number of digits that a double needs to read back. */
enum { DOUBLE_DIGITS = 17, SPELLING_MAX = 40 };

/* A spelling is no C string; only what is longer than any sensible number goes to the heap. */
static double
read_double(struct str spelling)
{
    char small[128];
    AUTO_FREE char *large = NULL;
    char *text = small;
    if (spelling.len >= sizeof small) {
        text = large = str_dup(spelling);
        if (!text)
            return NAN;
    } else {
        memcpy(small, spelling.ptr, spelling.len);
        small[spelling.len] = '\0';
    }
    return text_to_double(text);
}

static bool
read_integer(struct str spelling, struct value_numeric *out)
{
    bool negative = spelling.len && spelling.ptr[0] == '-';
    struct str digits = {spelling.ptr + negative, spelling.len - negative};
    uint64_t magnitude;
    if (!str_to_uint64(digits, &magnitude))
        return false;
    if (negative && (magnitude == 0 || magnitude > (uint64_t)INT64_MAX + 1))
        return false;
    *out = (struct value_numeric){true, negative, magnitude, 0};
    out->real = negative ? -(double)magnitude : (double)magnitude;
    return true;
}

bool
value_numeric(const struct value *v, struct value_numeric *out)
{
    if (v->kind == VALUE_INT) {
        bool negative = v->integer < 0;
        uint64_t magnitude = negative ? 0 - (uint64_t)v->integer : (uint64_t)v->integer;
        *out = (struct value_numeric){true, negative, magnitude, (double)v->integer};
        return true;
    }
    if (v->kind != VALUE_NUMBER)
        return false;
    if (read_integer(value_text(v), out))
        return true;
    *out = (struct value_numeric){false, false, 0, read_double(value_text(v))};
    return true;
}

/* Shortest digits that read back, as "%.*e" has them: d.ddde+XX.  Returns the exponent. */
static int
shortest(double real, char digits[SPELLING_MAX])
{
    for (int precision = 0; precision < DOUBLE_DIGITS; precision++) {
        text_from_double(digits, SPELLING_MAX, precision, real);
        if (text_to_double(digits) == real)
            break;
    }
    char *e = strchr(digits, 'e');
    int exponent = (int)strtol(e + 1, NULL, 10);
    *e = '\0';
    return exponent;
}

static void
add_double(double real, struct buf *out)
{
    char text[SPELLING_MAX];
    int exponent = shortest(real, text);
    const char *at = text;
    if (*at == '-') {
        buf_add_char(out, '-');
        at++;
    }
    if (exponent >= 16 || exponent < -5) {
        buf_add_fmt(out, "%se%s%d", at, exponent < 0 ? "" : "+", exponent);
        return;
    }
    char digits[SPELLING_MAX];
    int count = 0;
    for (; *at; at++)
        if (*at != '.')
            digits[count++] = *at;
    if (exponent < 0) {
        buf_add_fmt(out, "0.%.*s%.*s", -exponent - 1, "00000", count, digits);
        return;
    }
    for (int i = 0; i <= exponent; i++)
        buf_add_char(out, i < count ? digits[i] : '0');
    buf_add_char(out, '.');
    if (count > exponent + 1)
        buf_add_bytes(out, digits + exponent + 1, (size_t)(count - exponent - 1));
    else
        buf_add_char(out, '0');
}

void
value_add_number(const struct value *v, struct buf *out)
{
    struct value_numeric n;
    if (!value_numeric(v, &n))
        return;
    if (n.is_integer)
        buf_add_fmt(out, "%s%" PRIu64, n.is_negative ? "-" : "", n.magnitude);
    else if (isfinite(n.real))
        add_double(n.real, out);
    else
        buf_add(out, value_text(v)); /* beyond the doubles: as it was spelled */
}

struct value *
value_new_double(struct arena *a, double real)
{
    if (!isfinite(real))
        return NULL;
    AUTO_BUF struct buf text = BUF_INIT(SPELLING_MAX);
    add_double(real, &text);
    char *spelling = buf_failed(&text) ? NULL : arena_dup(a, buf_view(&text));
    return spelling ? value_new_number(a, str_of(spelling)) : NULL;
}

struct value *
value_new_integer(struct arena *a, bool negative, uint64_t magnitude)
{
    char *spelling = arena_fmt(a, "%s%" PRIu64, negative && magnitude ? "-" : "", magnitude);
    if (!spelling || (negative && magnitude > (uint64_t)INT64_MAX + 1))
        return NULL;
    return value_new_number(a, str_of(spelling));
}

static bool
same_number(const struct value *a, const struct value *b)
{
    struct value_numeric x, y;
    value_numeric(a, &x);
    value_numeric(b, &y);
    if (x.is_integer != y.is_integer)
        return false;
    if (x.is_integer)
        return x.is_negative == y.is_negative && x.magnitude == y.magnitude;
    return isfinite(x.real) || isfinite(y.real) ? x.real == y.real
                                                : str_eq(value_text(a), value_text(b));
}

static bool
same_at(const struct value *a, const struct value *b, uint64_t *steps, size_t depth)
{
    if (*steps == 0 || depth > VALUE_DEPTH_MAX)
        return false;
    (*steps)--;
    bool number = a->kind == VALUE_INT || a->kind == VALUE_NUMBER;
    if (number && (b->kind == VALUE_INT || b->kind == VALUE_NUMBER))
        return same_number(a, b);
    if (a->kind != b->kind)
        return false;
    if (a->kind != VALUE_ARRAY && a->kind != VALUE_OBJECT)
        return value_equal(a, b);
    if (value_count(a) != value_count(b))
        return false;
    for (size_t i = 0; i < value_count(a); i++) {
        const struct value *other =
            a->kind == VALUE_ARRAY ? value_at(b, i) : value_find(b, value_key_at(a, i));
        if (!other || !same_at(value_at(a, i), other, steps, depth + 1))
            return false;
    }
    return true;
}

bool
value_same(const struct value *a, const struct value *b, uint64_t *steps)
{
    return same_at(a, b, steps, 0);
}
