/* str.h - a borrowed view of text: pointer and length, not NUL-terminated.
 *
 * Parsers hand out views of their input; whoever keeps one longer than the input copies it. */
#ifndef SUPPORT_STR_H
#define SUPPORT_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr; /* may be NULL when len is 0 */
    size_t len;      /* bytes */
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NONE     ((struct str){NULL, 0})
/* for printf: "%.*s", STR_ARG(s) */
#define STR_ARG(s) (int)((s).len > 0x7fffffff ? 0x7fffffff : (s).len), (s).ptr ? (s).ptr : ""

static inline struct str
str_of(const char *text) /* may be NULL: the empty view */
{
    return (struct str){text, text ? strlen(text) : 0};
}

static inline bool
str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
bool str_eq_nocase(struct str a, struct str b); /* ASCII letters only */
struct str str_trim(struct str s);              /* blanks, tabs, CR and LF at both ends */
/* Cut s at the first separator: returns what is before it, and leaves in *rest what is after it.
 * Without a separator returns s, and *rest is STR_NONE with ptr NULL. */
struct str str_cut(struct str s, char separator, struct str *rest);

/* Both NULL, or both the same text. */
bool text_eq(const char *a, const char *b);

/* FNV-1a with 64 bits: to notice a change, or as a number for a name; no defence against one who may
 * choose the text (map_hash is). */
uint64_t text_digest(const char *text);

/* Copies on the heap; NULL when memory ran out.  Freed by free(). */
char *str_dup(struct str s);
char *text_dup(const char *text); /* NULL gives NULL */

/* Parse a whole view as a decimal number: false when it is not one, or does not fit. */
bool str_to_int64(struct str s, int64_t *out);
bool str_to_uint64(struct str s, uint64_t *out);

/* strtod() and snprintf("%.*e") with a point, whatever the process has chosen by setlocale(). */
double text_to_double(const char *text);
void text_from_double(char *out, size_t size, int precision, double real);

/* The offset of the first byte that is not well-formed UTF-8 (RFC 3629), or s.len. */
size_t str_utf8_valid_length(struct str s);

/* Where an offset into a text is: line and column, from 1, columns in characters.  A line ends at
 * LF, CR or both together. */
void str_position(struct str text, size_t offset, size_t *line, size_t *column);

/* Case-insensitive edit distance between two short texts, for "did you mean". */
size_t text_distance(const char *a, const char *b);
/* Of n candidates the nearest to word, or NULL when none is near enough to be meant.  Borrowed. */
const char *text_nearest(const char *word, const char *const *candidates, size_t n);

#endif
