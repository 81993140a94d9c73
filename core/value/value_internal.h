/* value_internal.h - how a value lies in memory. */
#ifndef VALUE_INTERNAL_H
#define VALUE_INTERNAL_H

#include "value.h"

/* A hash table of numbers of names (0 is empty, n means names[n - 1]), from VALUE_INDEX_FROM names
 * on: a text of many names must not cost the square of them. */
struct value_index {
    uint64_t seed[2];
    uint32_t size;
    uint32_t slots[];
};

/* The names of an object's members in order, each once.  Objects alike share them: an object has as
 * many of the first of them as it has members, and whoever adds a member where another has put a
 * different name gets its own. */
struct value_keys {
    struct value_index *index; /* NULL while there are few */
    uint32_t len, size;
    struct str names[];
};

/* An object that was read: its values lie in it. */
struct value_record;

/* An object that is being made. */
struct value_object {
    struct value_keys *keys; /* NULL: empty */
    struct value **items;
    uint32_t size; /* of items */
};

struct value_record {
    struct value_keys *keys;
    struct value items[];
};

/* NULL: an empty object. */
static inline struct value_keys *
value_keys(const struct value *object)
{
    if (object->inlined)
        return object->record ? object->record->keys : NULL;
    return object->object->keys;
}

/* v: array or object; i < len. */
static inline struct value *
value_item(const struct value *v, size_t i)
{
    if (v->kind == VALUE_ARRAY)
        return v->inlined ? &v->row[i] : v->items[i];
    return v->inlined ? &v->record->items[i] : v->object->items[i];
}

enum { VALUE_INDEX_FROM = 32 };

/* How many of eight bytes come before the first one that JSON has a word to say about in a string: a
 * quote, a backslash, a control character (DEL too, which we write as an escape).  8: none is there. */
static inline size_t
json_plain_of_eight(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t eight, special;
    memcpy(&eight, at, sizeof eight);
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        eight = __builtin_bswap64(eight);
    uint64_t quote = eight ^ (ones * '"'), backslash = eight ^ (ones * '\\'),
             del = eight ^ (ones * 0x7f);
    /* Of each: the high bits of its bytes that are below a bound, the lowest of them surely. */
    special = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
              ((del - ones) & ~del) | ((eight - ones * 0x20) & ~eight);
    special &= ones * 0x80;
    return special ? (size_t)__builtin_ctzll(special) / 8 : 8;
}

/* The length of the JSON number at the start of s (RFC 8259, section 6), or 0.  *integer: whether
 * it has neither fraction nor exponent. */
size_t value_number_length(struct str s, bool *integer);
/* Names for objects, from some that may stand there more than once.  NULL: no memory. */
struct value_keys *value_keys_new(struct arena *a, const struct str *names, size_t count);
/* The number of a name among the first len of them, or len. */
uint32_t value_name_number(const struct value_keys *keys, uint32_t len, struct str name);
/* A number by its spelling, which value_number_length has measured; *out: wholly written.  Returns
 * false when it is too long. */
bool value_read_number(struct str spelling, bool integer, struct value *out);

#endif
