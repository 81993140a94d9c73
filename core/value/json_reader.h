/* json_reader.h - where the reader of JSON stands, for its two files: json_parse.c has what nests,
 * json_scalar.c what does not.  The text is UTF-8; it need not end with a NUL. */
#ifndef VALUE_JSON_READER_H
#define VALUE_JSON_READER_H

#include "err.h"
#include "value_internal.h"
#include "vec.h"

struct json_reader {
    struct arena *arena;
    struct str text;
    size_t at;
    size_t depth, max_depth;
    /* What is in the containers that are not closed yet, the innermost last, and the names of those
     * objects among them that no model fits. */
    VEC(struct value) open;
    VEC(struct str) names;
    struct arena models;
    struct gantry_error **err;
};

/* Say what is wrong at a place of the text, or where it is being read; return GANTRY_E_INVALID. */
int json_fail_at(const struct json_reader *p, size_t offset, const char *what);
int json_fail(const struct json_reader *p, const char *what);

/* A number; a string, or a name, from its first quote on. */
MUST_CHECK int json_read_number(struct json_reader *p, struct value *out);
MUST_CHECK int json_read_text(struct json_reader *p, struct str *out);

static inline bool
json_at_end(const struct json_reader *p)
{
    return p->at >= p->text.len;
}

/* The next character, or NUL at the end (where a NUL in the text is an error as well). */
static inline char
json_peek(const struct json_reader *p)
{
    return json_at_end(p) ? '\0' : p->text.ptr[p->at];
}

static inline void
json_skip_blanks(struct json_reader *p)
{
    while (!json_at_end(p)) {
        char c = p->text.ptr[p->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
        p->at++;
    }
}

#endif
