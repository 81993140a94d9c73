/* json_parse.c - JSON text (RFC 8259) to values.  The text is known to be UTF-8 before the first
 * character is looked at; recursion ends at the depth limit. */
#include "json_model.h"
#include "json_reader.h"

enum { DEFAULT_BYTES = 16 * 1024 * 1024, DEFAULT_DEPTH = 128 };

static int parse_any(struct json_reader *p, struct json_place *place, struct value *out);

static int
keep(struct json_reader *p, const struct value *item)
{
    struct value *kept =
        p->open.len < p->open.size ? &p->open.ptr[p->open.len++] : vec_push(&p->open);
    if (!kept)
        return err_nomem(p->err);
    *kept = *item;
    return 0;
}

static int
keep_name(struct json_reader *p, struct str name)
{
    struct str *kept = vec_push(&p->names);
    if (!kept)
        return err_nomem(p->err);
    *kept = name;
    return 0;
}

/* Whether two texts are the same, behind both of which eight bytes more can be read. */
static bool
is_same(const char *a, const char *b, size_t len)
{
    uint64_t x = 0, y = 0;
    for (; len >= 8; len -= 8, a += 8, b += 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        if (x != y)
            return false;
    }
    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    x ^= y;
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        x = __builtin_bswap64(x);
    return (x & ((UINT64_C(1) << (len * 8)) - 1)) == 0;
}

/* Whether the string that begins here is this one.  Only of a name that is a view of the text: as it
 * has no escapes, the same bytes are the same name. */
static bool
is_at_name(const struct json_reader *p, struct str name)
{
    const char *here = p->text.ptr + p->at;
    size_t rest = p->text.len - p->at;
    bool is_view = (uintptr_t)name.ptr - (uintptr_t)p->text.ptr < p->at;
    return is_view && rest >= name.len + 10 && here[0] == '"' && here[name.len + 1] == '"' &&
           is_same(here + 1, name.ptr, name.len);
}

/* The name of a member, by its number.  *model: fits the names so far; becomes NULL when none does
 * any more, and the names are then in p->names. */
static int
parse_name(struct json_reader *p, const struct json_place *place, struct json_model **model,
           size_t member)
{
    const struct value_keys *keys = *model ? (*model)->keys : NULL;
    struct str name = STR_NONE;
    if (keys && member < keys->len && is_at_name(p, keys->names[member])) {
        p->at += keys->names[member].len + 2;
        return 0;
    }
    if (json_peek(p) != '"')
        return json_fail(p, "a member's name in quotes is missing");
    int rc = json_read_text(p, &name);
    if (rc < 0 || !keys)
        return rc < 0 ? rc : keep_name(p, name);
    if (member < keys->len && str_eq(keys->names[member], name)) /* spelled with escapes */
        return 0;
    *model = json_model_with(place, *model, member, name);
    if (*model)
        return 0;
    for (size_t i = 0; rc == 0 && i < member; i++)
        rc = keep_name(p, keys->names[i]);
    return rc < 0 ? rc : keep_name(p, name);
}

static int
parse_member(struct json_reader *p, const struct json_place *place, struct json_model **model,
             size_t member)
{
    struct value item;
    struct json_place *inner = NULL;
    int rc = parse_name(p, place, model, member);
    if (rc < 0)
        return rc;
    json_skip_blanks(p);
    if (json_peek(p) != ':')
        return json_fail(p, "':' is missing behind a member's name");
    p->at++;
    json_skip_blanks(p);
    if (*model && (json_peek(p) == '{' || json_peek(p) == '[')) {
        inner = json_place_of(&p->models, *model, member);
        if (!inner)
            return err_nomem(p->err);
    }
    rc = parse_any(p, inner, &item);
    return rc < 0 ? rc : keep(p, &item);
}

static int
parse_element(struct json_reader *p, struct json_place *place)
{
    struct value item;
    int rc = parse_any(p, place, &item);
    return rc < 0 ? rc : keep(p, &item);
}

/* All up to the closing bracket or brace. */
static int
parse_content(struct json_reader *p, bool object, struct json_place *place,
              struct json_model **model)
{
    for (size_t member = 0;; member++) {
        int rc = object ? parse_member(p, place, model, member) : parse_element(p, place);
        if (rc < 0)
            return rc;
        json_skip_blanks(p);
        if (json_peek(p) != ',')
            break;
        p->at++;
        json_skip_blanks(p);
    }
    if (json_peek(p) != (object ? '}' : ']'))
        return json_fail(p, object ? "',' or '}' is missing" : "',' or ']' is missing");
    return 0;
}

/* Give an array the open values from a number on. */
static int
close_array(struct json_reader *p, size_t first, struct value *out)
{
    size_t count = p->open.len - first;
    *out = (struct value){.kind = VALUE_ARRAY, .len = (uint32_t)count, .inlined = true};
    if (count == 0)
        return 0;
    if (count > UINT32_MAX / 2)
        return err_nomem(p->err);
    out->row = arena_alloc_small(p->arena, count * sizeof *out->row);
    if (!out->row)
        return err_nomem(p->err);
    memcpy(out->row, p->open.ptr + first, count * sizeof *out->row);
    p->open.len = first;
    return 0;
}

/* The same for an object; without model its names are those from a number on.  Of a name that stands
 * there more than once, the last value is put at the first place. */
static int
close_object(struct json_reader *p, size_t first, size_t first_name, struct value_keys *keys,
             struct value *out)
{
    size_t count = p->open.len - first;
    *out = (struct value){.kind = VALUE_OBJECT, .inlined = true};
    if (count == 0)
        return 0;
    const struct str *names = keys ? NULL : p->names.ptr + first_name;
    if (!keys)
        keys = value_keys_new(p->arena, names, count);
    struct value_record *record =
        keys ? arena_alloc_small(p->arena, sizeof *record + count * sizeof record->items[0]) : NULL;
    if (!record)
        return err_nomem(p->err);
    bool each_once = !names || keys->len == count;
    record->keys = keys;
    if (each_once)
        memcpy(record->items, p->open.ptr + first, count * sizeof record->items[0]);
    for (size_t i = 0; !each_once && i < count; i++)
        record->items[value_name_number(keys, keys->len, names[i])] = p->open.ptr[first + i];
    out->len = each_once ? (uint32_t)count : keys->len;
    out->record = record;
    p->open.len = first;
    p->names.len = first_name;
    return 0;
}

static int
parse_container(struct json_reader *p, struct json_place *place, struct value *out)
{
    bool object = json_peek(p) == '{';
    size_t first = p->open.len, first_name = p->names.len;
    struct json_model *model = object && place ? place->first : NULL;
    struct json_place elements = {NULL}; /* of an array that nothing like it was before */
    int rc;
    if (p->depth >= p->max_depth)
        return json_fail(p, "nested deeper than the limit");
    p->depth++;
    p->at++;
    json_skip_blanks(p);
    if (json_peek(p) != (object ? '}' : ']')) {
        rc = parse_content(p, object, place || object ? place : &elements, &model);
        if (rc < 0)
            return rc;
    }
    p->at++;
    p->depth--;
    if (!object)
        return close_array(p, first, out);
    rc = close_object(p, first, first_name, model ? model->keys : NULL, out);
    if (rc < 0 || model || !place || out->len == 0)
        return rc;
    rc = json_model_learn(&p->models, place, out->record->keys);
    return rc < 0 ? err_nomem(p->err) : 0;
}

static int
parse_word(struct json_reader *p, struct str word, struct value meant, struct value *out)
{
    if (!str_starts_with((struct str){p->text.ptr + p->at, p->text.len - p->at}, word))
        return json_fail_at(p, p->at, "a value is missing");
    p->at += word.len;
    *out = meant;
    return 0;
}

static int
parse_string(struct json_reader *p, struct value *out)
{
    struct str text = STR_NONE;
    int rc = json_read_text(p, &text);
    if (rc < 0)
        return rc;
    *out = (struct value){.text = text.ptr, .len = (uint32_t)text.len, .kind = VALUE_STRING};
    return text.len <= UINT32_MAX ? 0 : err_nomem(p->err);
}

/* place: where it stands; NULL: nothing like it was before. */
static int
parse_any(struct json_reader *p, struct json_place *place, struct value *out)
{
    json_skip_blanks(p);
    char c = json_peek(p);
    switch (c) {
    case '{':
    case '[':
        return parse_container(p, place, out);
    case '"':
        return parse_string(p, out);
    case 't':
        return parse_word(p, STR("true"), (struct value){.truth = true, .kind = VALUE_BOOL}, out);
    case 'f':
        return parse_word(p, STR("false"), (struct value){.truth = false, .kind = VALUE_BOOL}, out);
    case 'n':
        return parse_word(p, STR("null"), (struct value){.kind = VALUE_NULL}, out);
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return json_read_number(p, out);
        return json_fail(p, "a value is missing");
    }
}

static int
parse_whole(struct json_reader *p, struct value **out)
{
    struct json_place whole = {NULL};
    struct value *v = value_new_null(p->arena);
    int rc = v ? parse_any(p, &whole, v) : err_nomem(p->err);
    if (rc < 0)
        return rc;
    json_skip_blanks(p);
    if (!json_at_end(p))
        return json_fail(p, "more text behind the value");
    *out = v;
    return 0;
}

int
value_parse(struct arena *a, struct str text, const struct value_limits *limits, struct value **out,
            struct gantry_error **err)
{
    size_t max_bytes = limits && limits->max_bytes ? limits->max_bytes : DEFAULT_BYTES;
    size_t max_depth = limits && limits->max_depth ? limits->max_depth : DEFAULT_DEPTH;
    struct json_reader p = {.arena = a, .text = text, .err = err};
    p.max_depth = MIN(max_depth, (size_t)VALUE_DEPTH_MAX);
    if (text.len > max_bytes)
        return err_set(err, GANTRY_E_INVALID, "JSON of %zu bytes is longer than %zu, the limit",
                       text.len, max_bytes);
    size_t valid = str_utf8_valid_length(text);
    if (valid < text.len)
        return json_fail_at(&p, valid, "this byte is not UTF-8");
    if (str_starts_with(text, STR("\xef\xbb\xbf"))) {
        p.text.ptr += 3;
        p.text.len -= 3;
    }
    arena_init(&p.models, 0);
    int rc = parse_whole(&p, out);
    vec_clear(&p.open);
    vec_clear(&p.names);
    arena_clear(&p.models);
    return rc;
}
