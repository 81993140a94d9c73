/* value.h - data as JSON has it (RFC 8259), in an arena: order kept, integers of 64 bits exact, the
 * spelling of all other numbers kept, strings counted.
 *
 * Values live as long as the arena that they were made in.  Several threads may read one, while
 * none changes it.  A name stands in an object once: read or set again, it keeps its place and gets
 * the new value (the last one wins). */
#ifndef VALUE_VALUE_H
#define VALUE_VALUE_H

#include "arena.h"
#include "buf.h"
#include "compiler.h"
#include "str.h"

#include <gantry/types.h>
#include <stdbool.h>
#include <stdint.h>

struct value_keys;
struct value_record;
struct value_object;

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,    /* a number without fraction and exponent that fits int64_t; not "-0" */
    VALUE_NUMBER, /* every other number, as it was spelled: 1.50e3, -0, 18446744073709551616 */
    VALUE_STRING, /* UTF-8, may hold NUL */
    VALUE_ARRAY,
    VALUE_OBJECT,
};

/* How a value lies in memory: only for core/value to look into.
 * There are as many of them as a text has values, so each is small.  What was read lies in its
 * container itself (`inlined`), what is made is pointed to: it may be in several. */
struct value {
    union {
        bool truth;
        int64_t integer;
        const char *text; /* string, number: of len bytes */
        struct value *row;
        struct value **items;
        struct value_record *record; /* NULL: empty */
        struct value_object *object;
    };
    uint32_t len;      /* of the text, or items, or members */
    uint8_t kind;      /* enum value_kind */
    uint8_t size_bits; /* array: room for 1 << size_bits items; 0: for len */
    bool inlined;      /* array: row; object: record */
};

/* Deeper than this nothing is read, printed or compared, whatever the limits. */
#define VALUE_DEPTH_MAX 512

/* What a text may cost.  0 means the default. */
struct value_limits {
    size_t max_bytes; /* of the text; default 16 MiB */
    size_t max_depth; /* of arrays and objects, one inside another; default 128 */
};

/* Parse one JSON text.  A byte order mark before it is skipped.
 * a: gets the document.  text: kept by the document (strings without escapes are views of it).
 * limits: may be NULL.  *out: lives in a; untouched on failure.
 * Returns 0, GANTRY_E_INVALID (the message has line and column, counted in characters from 1, and
 * nothing of the content) or GANTRY_E_NOMEM (the arena's own limit too). */
MUST_CHECK int value_parse(struct arena *a, struct str text, const struct value_limits *limits,
                           struct value **out, struct gantry_error **err);

/* compact: no white space.  indented: by two, a line a member or element.  normal: compact, and
 * numbers as value_add_number has them. */
enum value_style { VALUE_COMPACT, VALUE_INDENTED, VALUE_NORMAL };
/* Appends to out.  Returns 0, out's failure, or GANTRY_E_INVALID for more than VALUE_DEPTH_MAX. */
MUST_CHECK int value_print(const struct value *v, enum value_style style, struct buf *out);

/* The same for a text that need not be there as a whole: it is given away piece by piece.
 * write: returns 0, or a code, which ends it.  Returns 0, that code, GANTRY_E_NOMEM, or
 * GANTRY_E_INVALID for more than VALUE_DEPTH_MAX. */
struct value_writer {
    int (*write)(void *context, const char *bytes, size_t n);
    void *context;
};
MUST_CHECK int value_write(const struct value *v, enum value_style style,
                           const struct value_writer *to);

static inline enum value_kind
value_kind(const struct value *v)
{
    return (enum value_kind)v->kind;
}

const char *value_kind_name(enum value_kind kind); /* "object"...; static */

/* Content.  Each is for the kinds that it names. */
bool value_bool(const struct value *v);       /* bool */
int64_t value_int(const struct value *v);     /* int */
struct str value_text(const struct value *v); /* string: the content; number: the spelling */

/* Elements of an array, members of an object, in order.  Other kinds, and NULL, have none.
 * Borrowed. */
size_t value_count(const struct value *v);
struct value *value_at(const struct value *v, size_t i);  /* NULL when i >= count */
struct str value_key_at(const struct value *v, size_t i); /* of an object; i < count */
struct value *value_find(const struct value *v,
                         struct str key); /* NULL: no object, or no such name */
/* The same; cheap for one name of many objects alike: *hint, {0} at first, is where it was the last
 * time.  A hint is for one name, and for objects that live as long. */
struct value_hint {
    const struct value_keys *keys;
    uint32_t at;
};
struct value *value_find_again(const struct value *v, struct str key, struct value_hint *hint);

/* The same kind and content; the order of members does not count, the spelling of numbers does. */
bool value_equal(const struct value *a, const struct value *b);

/* A number as one computes with it.  Integers from -2^63 to 2^64-1 are exact; every other number is
 * the double next to it, "-0" too. */
struct value_numeric {
    bool is_integer;
    bool is_negative;   /* integer: below 0 */
    uint64_t magnitude; /* integer: without its sign */
    double real;        /* the number, or the double next to it */
};
/* v: int or number.  Returns false for other kinds. */
bool value_numeric(const struct value *v, struct value_numeric *out);
/* The same by meaning, as value_equal but for numbers: 1.50 is 1.5, and 0.0 is -0.0; the integer 1
 * is not 1.0.  *steps: what it may cost, in values looked at; 0 when that was not enough, and the
 * answer is then false. */
bool value_same(const struct value *a, const struct value *b, uint64_t *steps);
/* Append a number in its normal form: an integer in full; a double in the shortest form that reads
 * back, with a point or, from 1e16 on, an exponent.  v: int or number. */
void value_add_number(const struct value *v, struct buf *out);

/* Make values.  All return NULL when memory ran out; text is kept, not copied. */
struct value *value_new_null(struct arena *a);
struct value *value_new_bool(struct arena *a, bool truth);
struct value *value_new_int(struct arena *a, int64_t integer);
struct value *value_new_number(struct arena *a,
                               struct str spelling); /* NULL too when it is no JSON number */
struct value *value_new_double(struct arena *a, double real); /* finite; NULL when it is not */
/* From -2^63 to 2^64-1; NULL for others. */
struct value *value_new_integer(struct arena *a, bool negative, uint64_t magnitude);
struct value *value_new_string(struct arena *a, struct str text); /* text: UTF-8 */
struct value *value_new_array(struct arena *a);
struct value *value_new_object(struct arena *a);
/* Put item at the end of an array; set a member of an object.  item, key: kept.  A value is never
 * put into itself.  Return 0 or GANTRY_E_NOMEM. */
MUST_CHECK int value_add(struct arena *a, struct value *array, struct value *item);
MUST_CHECK int value_set(struct arena *a, struct value *object, struct str key, struct value *item);
/* The same, but a name that is in it keeps its value, and *before is that; else it is NULL. */
MUST_CHECK int value_offer(struct arena *a, struct value *object, struct str key,
                           struct value *item, struct value **before);
/* Make room for so many in an empty array or object; in another nothing is done.
 * Returns 0 or GANTRY_E_NOMEM. */
MUST_CHECK int value_expect(struct arena *a, struct value *container, size_t count);
/* An empty object will get the names of another one, in its order: they are shared.  other: of the
 * same arena; may be NULL. */
void value_expect_like(struct value *object, const struct value *other);

#endif
