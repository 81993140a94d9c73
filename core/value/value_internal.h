/* value_internal.h - how a value lies in memory. */
#ifndef VALUE_INTERNAL_H
#define VALUE_INTERNAL_H

#include "value.h"

struct value_member {
    struct str key;
    struct value *item;
};

/* A hash table of member numbers (0 is empty, n means members[n - 1]), from VALUE_INDEX_FROM members
 * on: a text of many names must not cost the square of them. */
struct value_index {
    uint64_t seed[2];
    uint32_t size;
    uint32_t slots[];
};

/* An object's members in order. */
struct value_object {
    struct value_member *members;
    struct value_index *index; /* NULL while there are few */
    uint32_t len, size;
};

/* There are as many of them as a text has values, so each is small. */
struct value {
    union {
        bool truth;
        int64_t integer;
        const char *text; /* string, number: of len bytes */
        struct value **items;
        struct value_object *object;
    };
    uint32_t len;      /* of the text, or of the items */
    uint8_t kind;      /* enum value_kind */
    uint8_t size_bits; /* array: room for 1 << size_bits items; 0: for len */
};

enum { VALUE_INDEX_FROM = 32 };

/* The length of the JSON number at the start of s (RFC 8259, section 6), or 0.  *integer: whether
 * it has neither fraction nor exponent. */
size_t value_number_length(struct str s, bool *integer);
/* Give a new, empty container its content, with room for exactly that.  Of a name that stands among
 * members more than once, the last value is put at the first place.  Return 0 or GANTRY_E_NOMEM. */
MUST_CHECK int value_fill_array(struct arena *a, struct value *array,
                                const struct value_member *items, size_t count);
MUST_CHECK int value_fill_object(struct arena *a, struct value *object,
                                 const struct value_member *members, size_t count);
/* A number by its spelling, which value_number_length has measured. */
struct value *value_of_spelling(struct arena *a, struct str spelling, bool integer);

#endif
