/* value_internal.h - how a value lies in memory. */
#ifndef VALUE_INTERNAL_H
#define VALUE_INTERNAL_H

#include "value.h"

struct value_member {
    struct str key;
    struct value *item;
};

/* An object's members in order.  From VALUE_INDEX_FROM members on, a hash table of member numbers
 * (0 is empty, n means members[n - 1]): a text of many names must not cost the square of them. */
struct value_object {
    struct value_member *members;
    uint32_t *index; /* NULL while there are few */
    uint32_t len, size, index_size;
    uint64_t seed[2];
};

struct value {
    enum value_kind kind;
    union {
        bool truth;
        int64_t integer;
        struct str text; /* string, number */
        struct {
            struct value **items;
            uint32_t len, size;
        } array;
        struct value_object *object;
    };
};

enum { VALUE_INDEX_FROM = 16 };

/* The length of the JSON number at the start of s (RFC 8259, section 6), or 0.  *integer: whether
 * it has neither fraction nor exponent. */
size_t value_number_length(struct str s, bool *integer);
/* A number by its spelling, which value_number_length has measured. */
struct value *value_of_spelling(struct arena *a, struct str spelling, bool integer);

#endif
