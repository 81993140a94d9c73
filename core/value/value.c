/* value.c - making values and looking at them. */
#include "value_internal.h"

#include "map.h"
#include "random.h"

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
    return v && (v->kind == VALUE_ARRAY || v->kind == VALUE_OBJECT) ? v->len : 0;
}

struct value *
value_at(const struct value *v, size_t i)
{
    return i < value_count(v) ? value_item(v, i) : NULL;
}

struct str
value_key_at(const struct value *v, size_t i)
{
    if (!v || v->kind != VALUE_OBJECT || i >= v->len)
        return STR_NONE;
    return value_keys(v)->names[i];
}

/* The slot of a name in an index, or the empty one where it belongs. */
static uint32_t *
find_slot(const struct value_keys *keys, struct str name)
{
    struct value_index *index = keys->index;
    uint32_t mask = index->size - 1, at = (uint32_t)map_hash(index->seed, name) & mask;
    while (index->slots[at] && !str_eq(keys->names[index->slots[at] - 1], name))
        at = (at + 1) & mask;
    return &index->slots[at];
}

uint32_t
value_name_number(const struct value_keys *keys, uint32_t len, struct str name)
{
    if (len >= VALUE_INDEX_FROM) {
        uint32_t number = *find_slot(keys, name);
        return number && number <= len ? number - 1 : len;
    }
    for (uint32_t i = 0; i < len; i++)
        if (str_eq(keys->names[i], name))
            return i;
    return len;
}

struct value *
value_find(const struct value *v, struct str key)
{
    if (!v || v->kind != VALUE_OBJECT || v->len == 0)
        return NULL;
    uint32_t at = value_name_number(value_keys(v), v->len, key);
    return at < v->len ? value_item(v, at) : NULL;
}

struct value *
value_find_again(const struct value *v, struct str key, struct value_hint *hint)
{
    if (!v || v->kind != VALUE_OBJECT || v->len == 0)
        return NULL;
    const struct value_keys *keys = value_keys(v);
    if (keys != hint->keys || hint->at >= v->len) {
        uint32_t at = hint->at;
        if (at >= v->len || !str_eq(keys->names[at], key))
            at = value_name_number(keys, v->len, key);
        if (at == v->len)
            return NULL;
        *hint = (struct value_hint){keys, at};
    }
    return value_item(v, hint->at);
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

bool
value_read_number(struct str spelling, bool integer, struct value *out)
{
    int64_t number;
    bool minus_zero = str_eq(spelling, STR("-0"));
    if (integer && !minus_zero && str_to_int64(spelling, &number)) {
        *out = (struct value){.integer = number, .kind = VALUE_INT};
        return true;
    }
    *out =
        (struct value){.text = spelling.ptr, .len = (uint32_t)spelling.len, .kind = VALUE_NUMBER};
    return spelling.len <= UINT32_MAX;
}

struct value *
value_new_number(struct arena *a, struct str spelling)
{
    bool integer = false;
    size_t length = value_number_length(spelling, &integer);
    struct value number;
    if (length == 0 || length != spelling.len || !value_read_number(spelling, integer, &number))
        return NULL;
    struct value *v = new_value(a, VALUE_NUMBER);
    if (v)
        *v = number;
    return v;
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

/* What was read may be changed too: from then on its values are pointed to. */
static struct value **
point_to_items(struct arena *a, const struct value *v)
{
    struct value **items = larger(a, NULL, 0, v->len, sizeof(struct value *));
    for (size_t i = 0; items && i < v->len; i++)
        items[i] = value_item(v, i);
    return items;
}

int
value_add(struct arena *a, struct value *array, struct value *item)
{
    if (array->inlined) {
        struct value **items = point_to_items(a, array);
        if (!items)
            return GANTRY_E_NOMEM;
        array->items = items;
        array->inlined = false;
    }
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

/* Keep the index at most half full, with room for one more name. */
static int
grow_index(struct arena *a, struct value_keys *keys, uint32_t len)
{
    struct value_index *old = keys->index;
    if (len < VALUE_INDEX_FROM || (old && len <= old->size / 2))
        return 0;
    uint32_t size = VALUE_INDEX_FROM * 4;
    while (size / 2 < len)
        size *= 2;
    struct value_index *index = arena_alloc_small(a, sizeof *index + size * sizeof index->slots[0]);
    if (!index)
        return GANTRY_E_NOMEM;
    index->size = size;
    index->seed[0] = old ? old->seed[0] : random_u64();
    index->seed[1] = old ? old->seed[1] : random_u64();
    keys->index = index;
    for (uint32_t i = 0; i < keys->len; i++)
        *find_slot(keys, keys->names[i]) = i + 1;
    return 0;
}

/* The first len of some names again, with room for size. */
static struct value_keys *
copy_keys(struct arena *a, const struct value_keys *from, uint32_t len, uint32_t size)
{
    size_t bytes;
    if (size > UINT32_MAX / 8 || !size_mul(size, sizeof(struct str), &bytes) ||
        !size_add(bytes, sizeof(struct value_keys), &bytes))
        return NULL;
    struct value_keys *keys = arena_alloc_small(a, bytes);
    if (!keys)
        return NULL;
    keys->len = len;
    keys->size = size;
    if (from)
        memcpy(keys->names, from->names, len * sizeof keys->names[0]);
    return grow_index(a, keys, len) < 0 ? NULL : keys;
}

/* Make a name the one behind the first len; it is not among these.  *keys: may be NULL. */
static int
add_name(struct arena *a, struct value_keys **keys, uint32_t len, struct str name)
{
    struct value_keys *own = *keys;
    if (own && len < own->len && str_eq(own->names[len], name))
        return 0;
    if (!own || len < own->len || len == own->size) {
        own = copy_keys(a, own, len, MAX(UINT32_C(1) << bits_for(len), own ? own->size : 0));
        if (!own)
            return GANTRY_E_NOMEM;
    }
    int rc = grow_index(a, own, len + 1);
    if (rc < 0)
        return rc;
    own->names[len] = name;
    if (own->index)
        *find_slot(own, name) = len + 1;
    own->len = len + 1;
    *keys = own;
    return 0;
}

struct value_keys *
value_keys_new(struct arena *a, const struct str *names, size_t count)
{
    struct value_keys *keys =
        count <= UINT32_MAX / 8 ? copy_keys(a, NULL, 0, (uint32_t)count) : NULL;
    if (!keys || grow_index(a, keys, (uint32_t)count) < 0)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (value_name_number(keys, keys->len, names[i]) == keys->len &&
            add_name(a, &keys, keys->len, names[i]) < 0)
            return NULL;
    return keys;
}

/* Room for one more member, in an object that is not inlined from then on. */
static int
reserve_member(struct arena *a, struct value *object)
{
    if (object->inlined) {
        struct value_object *o = arena_alloc_small(a, sizeof *o);
        struct value **items = o ? point_to_items(a, object) : NULL;
        if (!items)
            return GANTRY_E_NOMEM;
        *o = (struct value_object){value_keys(object), items, object->len};
        object->object = o;
        object->inlined = false;
    }
    struct value_object *o = object->object;
    if (object->len < o->size)
        return 0;
    uint32_t size = UINT32_C(1) << bits_for(object->len);
    struct value **items =
        object->len < size ? larger(a, o->items, object->len, size, sizeof(struct value *)) : NULL;
    if (!items)
        return GANTRY_E_NOMEM;
    o->items = items;
    o->size = size;
    return 0;
}

static int
append(struct arena *a, struct value *object, struct str key, struct value *item)
{
    int rc = reserve_member(a, object);
    if (rc == 0)
        rc = add_name(a, &object->object->keys, object->len, key);
    if (rc < 0)
        return rc;
    object->object->items[object->len++] = item;
    return 0;
}

int
value_offer(struct arena *a, struct value *object, struct str key, struct value *item,
            struct value **before)
{
    const struct value_keys *keys = value_keys(object);
    bool expected = keys && object->len < keys->len && str_eq(keys->names[object->len], key);
    *before = expected ? NULL : value_find(object, key);
    return *before ? 0 : append(a, object, key, item);
}

int
value_set(struct arena *a, struct value *object, struct str key, struct value *item)
{
    uint32_t at =
        object->len ? value_name_number(value_keys(object), object->len, key) : object->len;
    if (at == object->len)
        return append(a, object, key, item);
    if (object->inlined && reserve_member(a, object) < 0)
        return GANTRY_E_NOMEM;
    object->object->items[at] = item;
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
        o->items = larger(a, NULL, 0, count, sizeof(struct value *));
        o->size = o->items ? (uint32_t)count : 0;
        return o->items ? 0 : GANTRY_E_NOMEM;
    }
    uint8_t bits = bits_for((uint32_t)count - 1);
    container->items = larger(a, NULL, 0, (size_t)1 << bits, sizeof(struct value *));
    container->size_bits = container->items ? bits : 0;
    return container->items ? 0 : GANTRY_E_NOMEM;
}

void
value_expect_like(struct value *object, const struct value *other)
{
    if (other && other->kind == VALUE_OBJECT && object->len == 0 && !object->inlined)
        object->object->keys = value_keys(other);
}
