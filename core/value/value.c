/* value.c - making values and looking at them. */
#include "value_internal.h"

#include "map.h"
#include "random.h"

enum value_kind
value_kind(const struct value *v)
{
    return (enum value_kind)v->kind;
}

const char *
value_kind_name(enum value_kind kind)
{
    switch (kind) {
    case VALUE_NULL:
        return "null";
    case VALUE_BOOL:
        return "boolean";
    case VALUE_INT:
    case VALUE_NUMBER:
        return "number";
    case VALUE_STRING:
        return "string";
    case VALUE_ARRAY:
        return "array";
    case VALUE_OBJECT:
        return "object";
    }
    return "unknown";
}

bool
value_bool(const struct value *v)
{
    return v->kind == VALUE_BOOL && v->truth;
}

int64_t
value_int(const struct value *v)
{
    return v->kind == VALUE_INT ? v->integer : 0;
}

struct str
value_text(const struct value *v)
{
    return v->kind == VALUE_STRING || v->kind == VALUE_NUMBER ? (struct str){v->text, v->len}
                                                              : STR_NONE;
}

size_t
value_count(const struct value *v)
{
    if (!v)
        return 0;
    return v->kind == VALUE_ARRAY ? v->len : v->kind == VALUE_OBJECT ? v->object->len : 0;
}

struct value *
value_at(const struct value *v, size_t i)
{
    if (i >= value_count(v))
        return NULL;
    return v->kind == VALUE_ARRAY ? v->items[i] : v->object->members[i].item;
}

struct str
value_key_at(const struct value *v, size_t i)
{
    if (!v || v->kind != VALUE_OBJECT || i >= v->object->len)
        return STR_NONE;
    return v->object->members[i].key;
}

/* The slot of a name in an index, or the empty one where it belongs. */
static uint32_t *
find_slot(const struct value_object *o, struct str key)
{
    uint32_t mask = o->index->size - 1, at = (uint32_t)map_hash(o->index->seed, key) & mask;
    while (o->index->slots[at] && !str_eq(o->members[o->index->slots[at] - 1].key, key))
        at = (at + 1) & mask;
    return &o->index->slots[at];
}

static struct value_member *
find_member(const struct value_object *o, struct str key)
{
    if (o->index) {
        uint32_t number = *find_slot(o, key);
        return number ? &o->members[number - 1] : NULL;
    }
    for (uint32_t i = 0; i < o->len; i++)
        if (str_eq(o->members[i].key, key))
            return &o->members[i];
    return NULL;
}

struct value *
value_find(const struct value *v, struct str key)
{
    if (!v || v->kind != VALUE_OBJECT)
        return NULL;
    const struct value_member *member = find_member(v->object, key);
    return member ? member->item : NULL;
}

struct value *
value_find_at(const struct value *v, struct str key, uint32_t *at)
{
    if (!v || v->kind != VALUE_OBJECT)
        return NULL;
    const struct value_object *o = v->object;
    if (*at < o->len && str_eq(o->members[*at].key, key))
        return o->members[*at].item;
    const struct value_member *member = find_member(o, key);
    if (!member)
        return NULL;
    *at = (uint32_t)(member - v->object->members);
    return member->item;
}

/* Recursion ends at the depth; deeper values count as different. */
static bool
equal_at(const struct value *a, const struct value *b, size_t depth)
{
    if (a->kind != b->kind || depth > VALUE_DEPTH_MAX)
        return false;
    switch (value_kind(a)) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a->truth == b->truth;
    case VALUE_INT:
        return a->integer == b->integer;
    case VALUE_NUMBER:
    case VALUE_STRING:
        return str_eq(value_text(a), value_text(b));
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        break;
    }
    if (value_count(a) != value_count(b))
        return false;
    for (size_t i = 0; i < value_count(a); i++) {
        const struct value *other =
            a->kind == VALUE_ARRAY ? value_at(b, i) : value_find(b, value_key_at(a, i));
        if (!other || !equal_at(value_at(a, i), other, depth + 1))
            return false;
    }
    return true;
}

bool
value_equal(const struct value *a, const struct value *b)
{
    return equal_at(a, b, 0);
}

static struct value *
new_value(struct arena *a, enum value_kind kind)
{
    struct value *v = arena_alloc_small(a, sizeof *v);
    if (v)
        v->kind = (uint8_t)kind;
    return v;
}

struct value *
value_new_null(struct arena *a)
{
    return new_value(a, VALUE_NULL);
}

struct value *
value_new_bool(struct arena *a, bool truth)
{
    struct value *v = new_value(a, VALUE_BOOL);
    if (v)
        v->truth = truth;
    return v;
}

struct value *
value_new_int(struct arena *a, int64_t integer)
{
    struct value *v = new_value(a, VALUE_INT);
    if (v)
        v->integer = integer;
    return v;
}

static struct value *
new_text(struct arena *a, enum value_kind kind, struct str text)
{
    struct value *v = text.len <= UINT32_MAX ? new_value(a, kind) : NULL;
    if (v) {
        v->text = text.ptr;
        v->len = (uint32_t)text.len;
    }
    return v;
}

struct value *
value_of_spelling(struct arena *a, struct str spelling, bool integer)
{
    int64_t number;
    bool minus_zero = str_eq(spelling, STR("-0"));
    if (integer && !minus_zero && str_to_int64(spelling, &number))
        return value_new_int(a, number);
    return new_text(a, VALUE_NUMBER, spelling);
}

struct value *
value_new_number(struct arena *a, struct str spelling)
{
    bool integer = false;
    size_t length = value_number_length(spelling, &integer);
    if (length == 0 || length != spelling.len)
        return NULL;
    return value_of_spelling(a, spelling, integer);
}

struct value *
value_new_string(struct arena *a, struct str text)
{
    return new_text(a, VALUE_STRING, text);
}

struct value *
value_new_array(struct arena *a)
{
    return new_value(a, VALUE_ARRAY);
}

struct value *
value_new_object(struct arena *a)
{
    struct value *v = new_value(a, VALUE_OBJECT);
    if (!v)
        return NULL;
    v->object = arena_alloc_small(a, sizeof *v->object);
    return v->object ? v : NULL;
}

/* A copy in the arena with room for more; the old one stays there unused until the arena is reset. */
static void *
larger(struct arena *a, const void *old, size_t len, size_t size, size_t element_size)
{
    size_t bytes;
    void *copy = size_mul(size, element_size, &bytes) ? arena_alloc_small(a, bytes) : NULL;
    if (copy && len)
        memcpy(copy, old, len * element_size);
    return copy;
}

/* The smallest power of two, at least 4, that has room for one more than len. */
static uint8_t
bits_for(uint32_t len)
{
    uint8_t bits = 2;
    while (bits < 31 && (UINT32_C(1) << bits) <= len)
        bits++;
    return bits;
}

int
value_add(struct arena *a, struct value *array, struct value *item)
{
    bool full = array->size_bits == 0 || array->len == UINT32_C(1) << array->size_bits;
    if (full) {
        uint8_t bits = bits_for(array->len);
        size_t size = (size_t)1 << bits;
        struct value **items =
            array->len < size ? larger(a, array->items, array->len, size, sizeof(struct value *))
                              : NULL;
        if (!items)
            return GANTRY_E_NOMEM;
        array->items = items;
        array->size_bits = bits;
    }
    array->items[array->len++] = item;
    return 0;
}

/* Keep the index at most half full, with room for one more member. */
static int
grow_index(struct arena *a, struct value_object *o, uint32_t len)
{
    if (len < VALUE_INDEX_FROM || (o->index && len <= o->index->size / 2))
        return 0;
    if (len > UINT32_MAX / 8)
        return GANTRY_E_NOMEM;
    uint32_t size = VALUE_INDEX_FROM * 4;
    while (size / 2 < len)
        size *= 2;
    struct value_index *index = arena_alloc_small(a, sizeof *index + size * sizeof index->slots[0]);
    if (!index)
        return GANTRY_E_NOMEM;
    index->size = size;
    index->seed[0] = o->index ? o->index->seed[0] : random_u64();
    index->seed[1] = o->index ? o->index->seed[1] : random_u64();
    o->index = index;
    for (uint32_t i = 0; i < o->len; i++)
        *find_slot(o, o->members[i].key) = i + 1;
    return 0;
}

int
value_append(struct arena *a, struct value *object, struct str key, struct value *item)
{
    struct value_object *o = object->object;
    if (o->len == o->size) {
        uint32_t size = UINT32_C(1) << bits_for(o->len);
        struct value_member *members =
            o->len < size ? larger(a, o->members, o->len, size, sizeof *members) : NULL;
        if (!members)
            return GANTRY_E_NOMEM;
        o->members = members;
        o->size = size;
    }
    int rc = grow_index(a, o, o->len + 1);
    if (rc < 0)
        return rc;
    o->members[o->len] = (struct value_member){key, item};
    if (o->index)
        *find_slot(o, key) = o->len + 1;
    o->len++;
    return 0;
}

int
value_set(struct arena *a, struct value *object, struct str key, struct value *item)
{
    struct value_member *member = find_member(object->object, key);
    if (!member)
        return value_append(a, object, key, item);
    member->item = item;
    return 0;
}

int
value_expect(struct arena *a, struct value *container, size_t count)
{
    if (value_count(container) != 0 || count < 2)
        return 0;
    if (count > UINT32_MAX / 64)
        return GANTRY_E_NOMEM;
    if (container->kind == VALUE_OBJECT) {
        struct value_object *o = container->object;
        o->members = larger(a, NULL, 0, count, sizeof *o->members);
        o->size = o->members ? (uint32_t)count : 0;
        return o->members ? 0 : GANTRY_E_NOMEM;
    }
    uint8_t bits = bits_for((uint32_t)count - 1);
    container->items = larger(a, NULL, 0, (size_t)1 << bits, sizeof(struct value *));
    container->size_bits = container->items ? bits : 0;
    return container->items ? 0 : GANTRY_E_NOMEM;
}

int
value_fill_array(struct arena *a, struct value *array, const struct value_member *items,
                 size_t count)
{
    if (count == 0)
        return 0;
    struct value **own =
        count <= UINT32_MAX / 2 ? larger(a, NULL, 0, count, sizeof(struct value *)) : NULL;
    if (!own)
        return GANTRY_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        own[i] = items[i].item;
    array->items = own;
    array->len = (uint32_t)count;
    return 0;
}

int
value_fill_object(struct arena *a, struct value *object, const struct value_member *members,
                  size_t count)
{
    struct value_object *o = object->object;
    if (count == 0)
        return 0;
    o->members = count <= UINT32_MAX / 8 ? larger(a, NULL, 0, count, sizeof *members) : NULL;
    if (!o->members || grow_index(a, o, (uint32_t)count) < 0)
        return GANTRY_E_NOMEM;
    o->size = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        struct value_member *before = find_member(o, members[i].key);
        if (before) {
            before->item = members[i].item;
            continue;
        }
        o->members[o->len] = members[i];
        if (o->index)
            *find_slot(o, members[i].key) = o->len + 1;
        o->len++;
    }
    return 0;
}
