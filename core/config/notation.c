/* notation.c - see notation.h. */
#include "notation.h"

#include <inttypes.h>
#include <stdio.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* From the largest to the smallest; the order in which they are written. */
static const struct unit durations[] = {
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};

/* The binary ones come first, and are preferred when printing. */
static const struct unit sizes[] = {
    {"TiB", INT64_C(1) << 40}, {"GiB", INT64_C(1) << 30},      {"MiB", INT64_C(1) << 20},
    {"KiB", INT64_C(1) << 10}, {"TB", INT64_C(1000000000000)}, {"GB", INT64_C(1000000000)},
    {"MB", INT64_C(1000000)},  {"KB", INT64_C(1000)},          {"B", 1},
};

static size_t
digits(struct str s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n;
}

static struct str
behind(struct str s, size_t n)
{
    return (struct str){s.ptr + n, s.len - n};
}

bool
value_parse_bool(struct str text, bool lenient, bool *out)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    size_t count = lenient ? ARRAY_LENGTH(words) : ARRAY_LENGTH(words) - 2;
    for (size_t i = 0; i < count; i++) {
        struct str word = str_of(words[i]);
        if (str_eq(text, word) || (lenient && str_eq_nocase(text, word))) {
            *out = i % 2 == 1;
            return true;
        }
    }
    return false;
}

bool
value_parse_duration(struct str text, int64_t *out_ms)
{
    int64_t total = 0;
    size_t next = 0;
    if (text.len == 0)
        return false;
    while (text.len > 0) {
        size_t n = digits(text);
        int64_t number, part;
        if (n == 0 || !str_to_int64((struct str){text.ptr, n}, &number))
            return false;
        text = behind(text, n);
        size_t len = 0;
        while (len < text.len && (text.ptr[len] < '0' || text.ptr[len] > '9'))
            len++;
        struct str unit = {text.ptr, len};
        while (next < ARRAY_LENGTH(durations) && !str_eq(unit, str_of(durations[next].name)))
            next++;
        if (next == ARRAY_LENGTH(durations))
            return false;
        if (__builtin_mul_overflow(number, durations[next].factor, &part) ||
            __builtin_add_overflow(total, part, &total))
            return false;
        next++;
        text = behind(text, len);
    }
    *out_ms = total;
    return true;
}

bool
value_parse_size(struct str text, bool lenient, int64_t *out_bytes)
{
    size_t n = digits(text);
    int64_t number, total;
    if (n == 0 || !str_to_int64((struct str){text.ptr, n}, &number))
        return false;
    struct str unit = behind(text, n);
    if (unit.len == 0 && lenient) {
        *out_bytes = number;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        if (!str_eq(unit, str_of(sizes[i].name)))
            continue;
        if (__builtin_mul_overflow(number, sizes[i].factor, &total))
            return false;
        *out_bytes = total;
        return true;
    }
    return false;
}

bool
value_is_number(struct str text)
{
    if (text.len > 0 && text.ptr[0] == '-')
        text = behind(text, 1);
    size_t whole = digits(text);
    if (whole == 0)
        return false;
    text = behind(text, whole);
    if (text.len == 0)
        return true;
    if (text.ptr[0] != '.')
        return false;
    text = behind(text, 1);
    return text.len > 0 && digits(text) == text.len;
}

bool
value_guess_duration(struct str text, const char *unit, char *out, size_t size)
{
    size_t n = digits(text);
    int64_t number;
    if (n == 0 || !str_to_int64((struct str){text.ptr, n}, &number))
        return false;
    struct str rest = str_trim(behind(text, n));
    if (rest.len == 0) {
        /* Thousands are what is left of milliseconds: nobody waits 30000 s for an answer. */
        const char *meant = number >= 1000 && number % 100 == 0 ? "ms" : unit;
        return snprintf(out, size, "%" PRId64 "%s", number, meant) < (int)size;
    }
    static const struct {
        const char *word, *unit;
    } words[] = {
        {"sec", "s"},   {"secs", "s"},   {"second", "s"},  {"seconds", "s"}, {"min", "m"},
        {"mins", "m"},  {"minute", "m"}, {"minutes", "m"}, {"hour", "h"},    {"hours", "h"},
        {"msec", "ms"}, {"s", "s"},      {"m", "m"},       {"h", "h"},       {"ms", "ms"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (str_eq_nocase(rest, str_of(words[i].word)))
            return snprintf(out, size, "%" PRId64 "%s", number, words[i].unit) < (int)size;
    if (str_eq_nocase(rest, STR("d")) && number <= 365)
        return snprintf(out, size, "%" PRId64 "h", number * 24) < (int)size;
    return false;
}

bool
value_guess_size(struct str text, char *out, size_t size)
{
    size_t n = digits(text);
    int64_t number;
    if (n == 0 || !str_to_int64((struct str){text.ptr, n}, &number))
        return false;
    struct str rest = str_trim(behind(text, n));
    if (rest.len == 0)
        return snprintf(out, size, "%" PRId64 "%s", number,
                        number == 0 || number >= 65536 ? "B" : "MiB") < (int)size;
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        struct str unit = str_of(sizes[i].name);
        struct str letter = {unit.ptr, 1};
        if (str_eq_nocase(rest, unit) || str_eq_nocase(rest, letter))
            return snprintf(out, size, "%" PRId64 "%s", number, sizes[i].name) < (int)size;
    }
    return false;
}

void
value_print_duration(struct buf *b, int64_t ms)
{
    if (ms == 0)
        buf_add_text(b, "0s");
    for (size_t i = 0; i < ARRAY_LENGTH(durations); i++) {
        if (ms >= durations[i].factor)
            buf_add_fmt(b, "%" PRId64 "%s", ms / durations[i].factor, durations[i].name);
        ms %= durations[i].factor;
    }
}

void
value_print_size(struct buf *b, int64_t bytes)
{
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        if (bytes % sizes[i].factor == 0 && (bytes > 0 || sizes[i].factor == 1)) {
            buf_add_fmt(b, "%" PRId64 "%s", bytes / sizes[i].factor, sizes[i].name);
            return;
        }
    }
}
