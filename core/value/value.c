/* value.c - making values and looking at them. */
#include "value_internal.h"

#include "map.h"
#include "random.h"

enum { FIRST_SIZE = 4 };

enum value_kind
value_kind(const struct value *v)
{
    return v->kind;
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
    return v->kind == VALUE_STRING || v->kind == VALUE_NUMBER ? v->text : STR_NONE;
}

size_t
value_count(const struct value *v)
{
    if (!v)
        return 0;
    return v->kind == VALUE_ARRAY ? v->array.len : v->kind == VALUE_OBJECT ? v->object->len : 0;
}

struct value *
value_at(const struct value *v, size_t i)
{
    if (i >= value_count(v))
        return NULL;
    return v->kind == VALUE_ARRAY ? v->array.items[i] : v->object->members[i].item;
}

struct str
value_key_at(const struct value *v, size_t i)
{
    if (!v || v->kind != VALUE_OBJECT || i >= v->object->len)
        return STR_NONE;
    return v->object->members[i].key;
}

static struct value_member *
find_member(const struct value_object *o, struct str key)
{
    if (!o->index) {
        for (uint32_t i = 0; i < o->len; i++)
            if (str_eq(o->members[i].key, key))
                return &o->members[i];
        return NULL;
    }
    uint32_t mask = o->index_size - 1;
    for (uint32_t at = (uint32_t)map_hash(o->seed, key) & mask; o->index[at]; at = (at + 1) & mask)
        if (str_eq(o->members[o->index[at] - 1].key, key))
            return &o->members[o->index[at] - 1];
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

/* Recursion ends at the depth; deeper values count as different. */
static bool
equal_at(const struct value *a, const struct value *b, size_t depth)
{
    if (a->kind != b->kind || depth > VALUE_DEPTH_MAX)
        return false;
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a->truth == b->truth;
    case VALUE_INT:
        return a->integer == b->integer;
    case VALUE_NUMBER:
    case VALUE_STRING:
        return str_eq(a->text, b->text);
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
    struct value *v = arena_alloc(a, sizeof *v);
    if (v)
        v->kind = kind;
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

struct value *
value_of_spelling(struct arena *a, struct str spelling, bool integer)
{
    int64_t number;
    bool minus_zero = str_eq(spelling, STR("-0"));
    if (integer && !minus_zero && str_to_int64(spelling, &number))
        return value_new_int(a, number);
    struct value *v = new_value(a, VALUE_NUMBER);
    if (v)
        v->text = spelling;
    return v;
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
    struct value *v = new_value(a, VALUE_STRING);
    if (v)
        v->text = text;
    return v;
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
    v->object = arena_alloc(a, sizeof *v->object);
    return v->object ? v : NULL;
}

/* A larger copy of an array in the arena; the old one stays there unused until the arena is reset.
 */
static void *
larger(struct arena *a, const void *old, uint32_t len, uint32_t *size, size_t element_size)
{
    if (*size > UINT32_MAX / 2)
        return NULL;
    uint32_t more = *size ? *size * 2 : FIRST_SIZE;
    void *copy = arena_alloc_array(a, more, element_size);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, old, len * element_size);
    *size = more;
    return copy;
}

int
value_add(struct arena *a, struct value *array, struct value *item)
{
    if (array->array.len == array->array.size) {
        struct value **items = larger(a, array->array.items, array->array.len, &array->array.size,
                                      sizeof(struct value *));
        if (!items)
            return GANTRY_E_NOMEM;
        array->array.items = items;
    }
    array->array.items[array->array.len++] = item;
    return 0;
}

static void
index_member(const struct value_object *o, uint32_t number)
{
    uint32_t mask = o->index_size - 1;
    uint32_t at = (uint32_t)map_hash(o->seed, o->members[number].key) & mask;
    while (o->index[at])
        at = (at + 1) & mask;
    o->index[at] = number + 1;
}

/* Keep the index at most half full. */
static int
grow_index(struct arena *a, struct value_object *o)
{
    if (o->len + 1 < VALUE_INDEX_FROM || o->len + 1 <= o->index_size / 2)
        return 0;
    if (o->index_size > UINT32_MAX / 4)
        return GANTRY_E_NOMEM;
    uint32_t size = o->index_size ? o->index_size * 2 : VALUE_INDEX_FROM * 4;
    uint32_t *index = arena_alloc_array(a, size, sizeof *index);
    if (!index)
        return GANTRY_E_NOMEM;
    if (!o->index) {
        o->seed[0] = random_u64();
        o->seed[1] = random_u64();
    }
    o->index = index;
    o->index_size = size;
    for (uint32_t i = 0; i < o->len; i++)
        index_member(o, i);
    return 0;
}

int
value_set(struct arena *a, struct value *object, struct str key, struct value *item)
{
    struct value_object *o = object->object;
    struct value_member *member = find_member(o, key);
    if (member) {
        member->item = item;
        return 0;
    }
    if (o->len == o->size) {
        struct value_member *members =
            larger(a, o->members, o->len, &o->size, sizeof(struct value_member));
        if (!members)
            return GANTRY_E_NOMEM;
        o->members = members;
    }
    int rc = grow_index(a, o);
    if (rc < 0)
        return rc;
    o->members[o->len] = (struct value_member){key, item};
    if (o->index)
        index_member(o, o->len);
    o->len++;
    return 0;
}
