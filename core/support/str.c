/* str.c - looking at text: comparing, cutting, numbers, UTF-8, and the nearest of several words. */
#include "str.h"

#include "compiler.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool
str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool
str_ends_with(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

bool
str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_trim(struct str s)
{
    while (s.len && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct str
str_cut(struct str s, char separator, struct str *rest)
{
    const char *at = s.len ? memchr(s.ptr, separator, s.len) : NULL;
    if (!at) {
        *rest = STR_NONE;
        return s;
    }
    size_t before = (size_t)(at - s.ptr);
    *rest = (struct str){at + 1, s.len - before - 1};
    return (struct str){s.ptr, before};
}

bool
text_eq(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

uint64_t
text_digest(const char *text)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    for (const char *at = text; *at; at++)
        sum = (sum ^ (unsigned char)*at) * UINT64_C(1099511628211);
    return sum;
}

char *
str_dup(struct str s)
{
    size_t size;
    if (!size_add(s.len, 1, &size))
        return NULL;
    char *copy = malloc(size);
    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

char *
text_dup(const char *text)
{
    return text ? str_dup(str_of(text)) : NULL;
}

bool
str_to_uint64(struct str s, uint64_t *out)
{
    uint64_t number = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, digit, &number))
            return false;
    }
    *out = number;
    return true;
}

bool
str_to_int64(struct str s, int64_t *out)
{
    bool negative = s.len && s.ptr[0] == '-';
    if (negative) {
        s.ptr++;
        s.len--;
    }
    uint64_t size;
    if (!str_to_uint64(s, &size) || size > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *out = !negative ? (int64_t)size : size == 0 ? 0 : -(int64_t)(size - 1) - 1;
    return true;
}

/* The length of the well-formed sequence at p (RFC 3629, section 4), or 0. */
static size_t
utf8_sequence(const unsigned char *p, size_t left)
{
    unsigned char low = 0x80, high = 0xbf; /* what the second byte may be */
    size_t n;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    if (p[0] < 0xe0) {
        n = 2;
    } else if (p[0] < 0xf0) {
        n = 3;
        if (p[0] == 0xe0)
            low = 0xa0; /* shorter forms exist */
        if (p[0] == 0xed)
            high = 0x9f; /* surrogates */
    } else {
        n = 4;
        if (p[0] == 0xf0)
            low = 0x90;
        if (p[0] == 0xf4)
            high = 0x8f; /* above U+10FFFF */
    }
    if (left < n || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

size_t
str_utf8_valid_length(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t at = 0;
    while (at < s.len) {
        uint64_t eight;
        if (s.len - at >= sizeof eight) { /* nearly all text is ASCII */
            memcpy(&eight, p + at, sizeof eight);
            if (!(eight & 0x8080808080808080u)) {
                at += sizeof eight;
                continue;
            }
        }
        size_t n = utf8_sequence(p + at, s.len - at);
        if (n == 0)
            return at;
        at += n;
    }
    return s.len;
}

void
str_position(struct str text, size_t offset, size_t *line, size_t *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        bool pair = text.ptr[i] == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n';
        if (text.ptr[i] == '\n' || (text.ptr[i] == '\r' && !pair)) {
            (*line)++;
            *column = 1;
        } else if (((unsigned char)text.ptr[i] & 0xc0) != 0x80) {
            (*column)++;
        }
    }
}

enum { DISTANCE_MAX_LENGTH = 64 };

static size_t
least(size_t a, size_t b, size_t c)
{
    size_t ab = MIN(a, b);
    return MIN(ab, c);
}

/* One letter more, less, other, or two neighbours swapped: each counts one. */
size_t
text_distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    if (la > DISTANCE_MAX_LENGTH || lb > DISTANCE_MAX_LENGTH)
        return MAX(la, lb); /* no typing error of a short word: nothing alike */
    size_t rows[3][DISTANCE_MAX_LENGTH + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= lb; j++)
        above[j] = j;
    for (size_t i = 1; i <= la; i++) {
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            char ca = lower(a[i - 1]), cb = lower(b[j - 1]);
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == lower(b[j - 2]) && lower(a[i - 2]) == cb)
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[lb];
}

const char *
text_nearest(const char *word, const char *const *candidates, size_t n)
{
    const char *nearest = NULL;
    size_t length = strlen(word);
    size_t limit = MAX((length + 2) / 3, (size_t)1); /* a third of it may be wrong */
    for (size_t i = 0; i < n; i++) {
        if (!candidates[i])
            continue;
        size_t distance = text_distance(word, candidates[i]);
        if (distance <= limit && distance < length) {
            nearest = candidates[i];
            limit = distance ? distance - 1 : 0; /* the first of equally near ones */
            if (distance == 0)
                break;
        }
    }
    return nearest;
}

/* Of the locale "C" there is one, which costs nothing to ask for. */
double
text_to_double(const char *text)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double real = plain ? strtod_l(text, NULL, plain) : strtod(text, NULL);
    if (plain)
        freelocale(plain);
    return real;
}

void
text_from_double(char *out, size_t size, int precision, double real)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(plain); /* of this thread; 0 changes nothing */
    (void)snprintf(out, size, "%.*e", precision, real);
    uselocale(before);
    if (plain)
        freelocale(plain);
}
