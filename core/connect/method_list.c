/* method_list.c - methods on arrays and objects: parts of them, and choosing among elements.  Where
 * strings are taken too, first, last and get count characters, size and slice bytes. */
#include "mapping_eval.h"

#include <inttypes.h>

/* The length of the character at an offset of a string, which is UTF-8. */
static size_t
character(struct str s, size_t at)
{
    size_t end = at + 1;
    while (end < s.len && ((unsigned char)s.ptr[end] & 0xc0) == 0x80)
        end++;
    return end - at;
}

static size_t
character_start(struct str s, size_t at)
{
    while (at > 0 && at < s.len && ((unsigned char)s.ptr[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static struct value *
one_character(struct eval *e, struct str s, size_t at)
{
    return eval_string(e, (struct str){s.ptr + at, character(s, at)});
}

struct value *
method_first(struct eval *e, const struct call *c)
{
    if (value_kind(c->input) == VALUE_ARRAY)
        return value_at(c->input, 0);
    if (value_kind(c->input) == VALUE_STRING) {
        struct str s = value_text(c->input);
        return s.len ? one_character(e, s, 0) : NULL;
    }
    call_bad_input(e, c, c->input);
    return c->input;
}

struct value *
method_last(struct eval *e, const struct call *c)
{
    size_t count = value_count(c->input);
    if (value_kind(c->input) == VALUE_ARRAY)
        return count ? value_at(c->input, count - 1) : NULL;
    if (value_kind(c->input) == VALUE_STRING) {
        struct str s = value_text(c->input);
        return s.len ? one_character(e, s, character_start(s, s.len - 1)) : NULL;
    }
    call_bad_input(e, c, c->input);
    return c->input;
}

/* An end of a slice: an argument that is an integer, clamped to 0..length; any other is the default. */
static size_t
slice_end(struct eval *e, const struct call *c, size_t number, size_t length, size_t otherwise)
{
    const struct value *v = call_argument(e, c, number);
    struct value_numeric n;
    if (!v || !value_numeric(v, &n) || !n.is_integer)
        return otherwise;
    return n.is_negative ? 0 : n.magnitude < length ? (size_t)n.magnitude : length;
}

struct value *
method_slice(struct eval *e, const struct call *c)
{
    bool is_string = value_kind(c->input) == VALUE_STRING;
    if (!is_string && value_kind(c->input) != VALUE_ARRAY)
        return call_bad_input(e, c, c->input);
    if (!c->step->has_parens)
        return c->input;
    struct str s = value_text(c->input);
    size_t length = is_string ? s.len : value_count(c->input);
    size_t from = slice_end(e, c, 0, length, 0), to = slice_end(e, c, 1, length, length);
    if (is_string) {
        from = character_start(s, from);
        to = character_start(s, to);
        struct str part = {s.ptr + from, from < to ? to - from : 0};
        return eval_string(e, part);
    }
    struct value *array = value_new_array(e->arena);
    if (!array)
        return eval_nomem(e);
    for (size_t i = from; i < to; i++)
        if (!eval_step(e) || !eval_add(e, array, value_at(c->input, i)))
            return NULL;
    return array;
}

struct value *
method_size(struct eval *e, const struct call *c)
{
    enum value_kind kind = value_kind(c->input);
    size_t size = kind == VALUE_STRING ? value_text(c->input).len : value_count(c->input);
    if (kind != VALUE_STRING && kind != VALUE_ARRAY && kind != VALUE_OBJECT)
        return call_bad_input(e, c, c->input);
    struct value *v = value_new_int(e->arena, (int64_t)size);
    return v ? v : eval_nomem(e);
}

struct value *
method_entries(struct eval *e, const struct call *c)
{
    if (value_kind(c->input) != VALUE_OBJECT)
        return call_bad_input(e, c, c->input);
    struct value *array = value_new_array(e->arena);
    for (size_t i = 0; array && i < value_count(c->input); i++) {
        struct value *entry = value_new_object(e->arena);
        struct value *key = value_new_string(e->arena, value_key_at(c->input, i));
        if (!entry || !key)
            return eval_nomem(e);
        if (!eval_step(e) || !eval_set(e, entry, STR("key"), key) ||
            !eval_set(e, entry, STR("value"), value_at(c->input, i)) || !eval_add(e, array, entry))
            return NULL;
    }
    return array ? array : eval_nomem(e);
}

static struct value *
outside(struct eval *e, const struct call *c, const struct value *index, size_t length)
{
    AUTO_BUF struct buf text = BUF_INIT(200);
    add_scalar_text(index, &text);
    if (buf_failed(&text) == GANTRY_E_NOMEM)
        return eval_nomem(e);
    eval_problem(e, GANTRY_MAPPING_RANGE, c->trail, c->step->range,
                 "->get(%s%s%s) is outside of %s of %zu", is_number(index) ? "" : "\"",
                 buf_failed(&text) ? "..." : buf_text(&text), is_number(index) ? "" : "\"",
                 kind_words(c->input), length);
    return NULL;
}

static size_t
count_characters(struct str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* index: an integer, negative from the end. */
static struct value *
get_by_number(struct eval *e, const struct call *c, const struct value *index,
              const struct value_numeric *n)
{
    bool is_string = value_kind(c->input) == VALUE_STRING;
    struct str s = value_text(c->input);
    size_t length = is_string ? count_characters(s) : value_count(c->input);
    if (n->magnitude > length || (!n->is_negative && n->magnitude == length))
        return outside(e, c, index, length);
    size_t at = n->is_negative ? length - (size_t)n->magnitude : (size_t)n->magnitude;
    if (!is_string)
        return value_at(c->input, at);
    size_t offset = 0;
    while (at-- > 0)
        offset += character(s, offset);
    return one_character(e, s, offset);
}

struct value *
method_get(struct eval *e, const struct call *c)
{
    enum value_kind kind = value_kind(c->input);
    if (kind != VALUE_ARRAY && kind != VALUE_STRING && kind != VALUE_OBJECT)
        return call_bad_input(e, c, c->input);
    const struct value *index = call_argument(e, c, 0);
    struct value_numeric n;
    if (!index)
        return NULL;
    if (kind == VALUE_OBJECT) {
        if (value_kind(index) != VALUE_STRING)
            return call_bad_argument(e, c, index);
        struct value *found = value_find(c->input, value_text(index));
        return found ? found : outside(e, c, index, value_count(c->input));
    }
    if (!value_numeric(index, &n) || !n.is_integer)
        return call_bad_argument(e, c, index);
    return get_by_number(e, c, index, &n);
}

/* Does the condition hold for a value?  1, 0, or -1: it is no boolean, which was said. */
static int
holds(struct eval *e, const struct call *c, struct value *at, const struct trail *trail)
{
    const struct value *truth = call_argument_at(e, c, 0, at, trail);
    if (truth && value_kind(truth) == VALUE_BOOL)
        return value_bool(truth);
    eval_problem(e, GANTRY_MAPPING_CONDITION, trail, c->step->range,
                 "the condition of %.*s is %s, where a boolean was expected",
                 STR_ARG(c->step->arrow), kind_words(truth));
    return -1;
}

struct value *
method_filter(struct eval *e, const struct call *c)
{
    struct value *array = value_new_array(e->arena);
    bool is_array = value_kind(c->input) == VALUE_ARRAY, valid = true;
    if (!array)
        return eval_nomem(e);
    size_t count = is_array ? value_count(c->input) : 1;
    for (size_t i = 0; i < count && eval_step(e); i++) {
        struct trail *mark = trail_mark(e);
        struct value *item = is_array ? value_at(c->input, i) : c->input;
        int truth = holds(e, c, item, is_array ? trail_index(e, c->trail, i) : c->trail);
        trail_release(e, mark);
        valid = valid && truth >= 0;
        if (truth > 0 && !eval_add(e, array, item))
            return NULL;
    }
    return valid ? array : NULL;
}

struct value *
method_find_first(struct eval *e, const struct call *c)
{
    bool is_array = value_kind(c->input) == VALUE_ARRAY;
    size_t count = is_array ? value_count(c->input) : 1;
    for (size_t i = 0; i < count && eval_step(e); i++) {
        struct trail *mark = trail_mark(e);
        struct value *item = is_array ? value_at(c->input, i) : c->input;
        int truth = holds(e, c, item, is_array ? trail_index(e, c->trail, i) : c->trail);
        trail_release(e, mark);
        if (truth != 0)
            return truth > 0 ? item : NULL;
    }
    return NULL;
}
