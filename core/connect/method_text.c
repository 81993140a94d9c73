/* method_text.c - methods on strings: joining, splitting, trimming, and keys in camel case. */
#include "mapping_eval.h"

enum { TEXT_MAX = 256 * 1024 * 1024 };

struct value *
method_join_not_null(struct eval *e, const struct call *c)
{
    const struct value *separator = call_argument(e, c, 0);
    AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
    bool joined = false;
    if (!separator || value_kind(separator) != VALUE_STRING)
        return call_bad_argument(e, c, separator);
    if (value_kind(c->input) != VALUE_ARRAY)
        return add_scalar_text(c->input, &text) ? eval_take_text(e, &text)
                                                : call_bad_input(e, c, c->input);
    for (size_t i = 0; i < value_count(c->input) && eval_step(e); i++) {
        const struct value *item = value_at(c->input, i);
        if (value_kind(item) == VALUE_NULL)
            continue;
        if (joined)
            buf_add(&text, value_text(separator));
        joined = true;
        if (!add_scalar_text(item, &text))
            return call_bad_input(e, c, item);
    }
    return eval_take_text(e, &text);
}

static bool
add_piece(struct eval *e, struct value *array, struct str piece)
{
    struct value *v = eval_string(e, piece);
    return v && eval_step(e) && eval_add(e, array, v);
}

static size_t
character(struct str s)
{
    size_t end = 1;
    while (end < s.len && ((unsigned char)s.ptr[end] & 0xc0) == 0x80)
        end++;
    return end;
}

/* An empty separator: characters. */
static struct value *
split(struct eval *e, struct str s, struct str separator, uint64_t limit)
{
    struct value *array = value_new_array(e->arena);
    if (!array)
        return eval_nomem(e);
    for (; limit > 0; limit--) {
        const char *at = separator.len == 0 ? NULL
                         : s.len            ? memmem(s.ptr, s.len, separator.ptr, separator.len)
                                            : NULL;
        if (separator.len == 0 && s.len == 0)
            break;
        size_t length = separator.len == 0 ? character(s) : at ? (size_t)(at - s.ptr) : s.len;
        if (!add_piece(e, array, (struct str){s.ptr, length}))
            return NULL;
        if (separator.len != 0 && !at)
            break;
        length += separator.len;
        s = (struct str){s.ptr + length, s.len - length};
    }
    return array;
}

struct value *
method_split(struct eval *e, const struct call *c)
{
    struct value_numeric n = {.magnitude = UINT64_MAX};
    if (value_kind(c->input) != VALUE_STRING)
        return call_bad_input(e, c, c->input);
    const struct value *separator = call_argument(e, c, 0);
    if (!separator || value_kind(separator) != VALUE_STRING)
        return call_bad_argument(e, c, separator);
    if (c->step->argument_count > 1) {
        const struct value *limit = call_argument(e, c, 1);
        if (!limit || !value_numeric(limit, &n) || !n.is_integer || n.is_negative)
            return call_bad_argument(e, c, limit);
    }
    return split(e, value_text(c->input), value_text(separator), n.magnitude);
}

/* The white space of Unicode (property White_Space), as UTF-8. */
static const char *const blanks[] = {
    "\t",           "\n",           "\v",           "\f",           "\r",           " ",
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82",
    "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88",
    "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
    "\xe3\x80\x80"};

static struct str
without_start(struct str s)
{
    for (size_t i = 0; i < ARRAY_LENGTH(blanks); i++) {
        struct str blank = str_of(blanks[i]);
        if (!str_starts_with(s, blank))
            continue;
        s = (struct str){s.ptr + blank.len, s.len - blank.len};
        i = (size_t)-1;
    }
    return s;
}

static struct str
without_end(struct str s)
{
    for (size_t i = 0; i < ARRAY_LENGTH(blanks); i++) {
        struct str blank = str_of(blanks[i]);
        if (!str_ends_with(s, blank))
            continue;
        s.len -= blank.len;
        i = (size_t)-1;
    }
    return s;
}

struct value *
method_trim(struct eval *e, const struct call *c)
{
    if (value_kind(c->input) != VALUE_STRING)
        return call_bad_input(e, c, c->input);
    return eval_string(e, without_end(without_start(value_text(c->input))));
}

struct value *
method_trim_start(struct eval *e, const struct call *c)
{
    if (value_kind(c->input) != VALUE_STRING)
        return call_bad_input(e, c, c->input);
    return eval_string(e, without_start(value_text(c->input)));
}

struct value *
method_trim_end(struct eval *e, const struct call *c)
{
    if (value_kind(c->input) != VALUE_STRING)
        return call_bad_input(e, c, c->input);
    return eval_string(e, without_end(value_text(c->input)));
}

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Words are parted by what is no letter, digit or non-ASCII character, and where upper case begins
 * behind lower case.  The first is lower case, the others begin with upper case.  In a key without
 * lower case (SCREAMING_SNAKE_CASE) each word is all upper case to begin with. */
static void
add_camel_case(struct str key, struct buf *out)
{
    bool begins = true, any = false, after_lower = false;
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        bool digit = c >= '0' && c <= '9';
        if (!is_upper(c) && !is_lower(c) && !digit && !((unsigned char)c & 0x80)) {
            begins = true;
            after_lower = false;
            continue;
        }
        /* The last capital of several begins a word when lower case follows: HTTPServer. */
        bool next_lower = i + 1 < key.len && is_lower(key.ptr[i + 1]);
        bool after_upper = i > 0 && is_upper(key.ptr[i - 1]);
        if (is_upper(c) && (after_lower || (after_upper && next_lower)))
            begins = true;
        if (begins && any && is_lower(c))
            c = (char)(c - 'a' + 'A');
        else if (is_upper(c) && !(begins && any))
            c = (char)(c - 'A' + 'a');
        after_lower = is_lower(key.ptr[i]) || digit;
        buf_add_char(out, c);
        begins = false;
        any = true;
    }
    if (!any)
        buf_add(out, key);
}

static struct value *camel_case(struct eval *e, struct value *v, bool deep);

static struct value *
camel_case_members(struct eval *e, struct value *v, bool deep)
{
    struct value *object = value_new_object(e->arena);
    for (size_t i = 0; object && i < value_count(v) && eval_step(e); i++) {
        AUTO_BUF struct buf key = BUF_INIT(TEXT_MAX);
        add_camel_case(value_key_at(v, i), &key);
        struct value *name = eval_take_text(e, &key);
        struct value *item = deep ? camel_case(e, value_at(v, i), true) : value_at(v, i);
        if (!name || !item || !eval_set(e, object, value_text(name), item))
            return NULL;
    }
    return object ? object : eval_nomem(e);
}

static struct value *
camel_case_elements(struct eval *e, struct value *v)
{
    struct value *array = value_new_array(e->arena);
    for (size_t i = 0; array && i < value_count(v) && eval_step(e); i++) {
        struct value *item = camel_case(e, value_at(v, i), true);
        if (!item || !eval_add(e, array, item))
            return NULL;
    }
    return array ? array : eval_nomem(e);
}

static struct value *
camel_case(struct eval *e, struct value *v, bool deep)
{
    struct value *made = v;
    if (!eval_enter(e))
        return NULL;
    if (value_kind(v) == VALUE_OBJECT)
        made = camel_case_members(e, v, deep);
    else if (value_kind(v) == VALUE_ARRAY)
        made = camel_case_elements(e, v);
    eval_leave(e);
    return made;
}

struct value *
method_keys_to_camel_case(struct eval *e, const struct call *c)
{
    if (value_kind(c->input) != VALUE_OBJECT)
        return call_bad_input(e, c, c->input);
    return camel_case(e, c->input, false);
}

struct value *
method_keys_to_camel_case_deep(struct eval *e, const struct call *c)
{
    if (value_kind(c->input) != VALUE_OBJECT && value_kind(c->input) != VALUE_ARRAY)
        return call_bad_input(e, c, c->input);
    return camel_case(e, c->input, true);
}
