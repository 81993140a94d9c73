/* json_parse.c - JSON text (RFC 8259) to values.  The text is known to be UTF-8 before the first
 * character is looked at; recursion ends at the depth limit. */
#include "value_internal.h"

#include "err.h"
#include "vec.h"

#include <stdint.h>

enum { DEFAULT_BYTES = 16 * 1024 * 1024, DEFAULT_DEPTH = 128 };

struct parser {
    struct arena *arena;
    struct str text;
    size_t at;
    size_t depth, max_depth;
    /* What is in the containers that are not closed yet, the innermost last. */
    VEC(struct value_member) open;
    struct gantry_error **err;
};

static bool
at_end(const struct parser *p)
{
    return p->at >= p->text.len;
}

/* The next character, or NUL at the end (where a NUL in the text is an error as well). */
static char
peek(const struct parser *p)
{
    return at_end(p) ? '\0' : p->text.ptr[p->at];
}

static int
fail_at(const struct parser *p, size_t offset, const char *what)
{
    size_t line, column;
    str_position(p->text, offset, &line, &column);
    return err_set(p->err, GANTRY_E_INVALID, "JSON, line %zu, column %zu: %s", line, column, what);
}

static int
fail(const struct parser *p, const char *what)
{
    return fail_at(p, p->at, at_end(p) ? "the text ends too early" : what);
}

static void
skip_blanks(struct parser *p)
{
    while (!at_end(p)) {
        char c = p->text.ptr[p->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
        p->at++;
    }
}

static bool
is_digit(struct str s, size_t at)
{
    return at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';
}

size_t
value_number_length(struct str s, bool *integer)
{
    size_t at = s.len && s.ptr[0] == '-' ? 1 : 0;
    if (!is_digit(s, at))
        return 0;
    if (s.ptr[at] == '0')
        at++;
    else
        while (is_digit(s, at))
            at++;
    if (is_digit(s, at)) /* 01 */
        return 0;
    *integer = true;
    if (at < s.len && s.ptr[at] == '.') {
        *integer = false;
        at++;
        if (!is_digit(s, at))
            return 0;
        while (is_digit(s, at))
            at++;
    }
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        *integer = false;
        at++;
        if (at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-'))
            at++;
        if (!is_digit(s, at))
            return 0;
        while (is_digit(s, at))
            at++;
    }
    return at;
}

static int
parse_number(struct parser *p, struct value **out)
{
    struct str rest = {p->text.ptr + p->at, p->text.len - p->at};
    bool integer = false;
    size_t length = value_number_length(rest, &integer);
    if (length == 0)
        return fail_at(p, p->at, "this is not how JSON spells a number");
    *out = value_of_spelling(p->arena, (struct str){rest.ptr, length}, integer);
    p->at += length;
    return *out ? 0 : err_nomem(p->err);
}

/* The four hexadecimal digits at an offset; -1 when they are not. */
static int32_t
hex4(struct str s, size_t at)
{
    int32_t number = 0;
    if (s.len - at < 4)
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        char c = s.ptr[i];
        int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
        if (digit < 0)
            return -1;
        number = number * 16 + digit;
    }
    return number;
}

static size_t
put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    to[0] = (char)(lead[n] | c);
    return n;
}

/* \uXXXX, or two of them for one character; p->at is behind the u.  Both halves of a pair or none:
 * a lone surrogate is no character, and could not be written as UTF-8. */
static int
parse_unicode_escape(struct parser *p, char *to, size_t *written)
{
    int32_t high = hex4(p->text, p->at);
    if (high < 0)
        return fail(p, "\\u needs four hexadecimal digits");
    uint32_t c = (uint32_t)high;
    size_t next = p->at + 4;
    if (high >= 0xd800 && high <= 0xdfff) {
        int32_t low = -1;
        if (high <= 0xdbff && p->text.len - next >= 6 && p->text.ptr[next] == '\\' &&
            p->text.ptr[next + 1] == 'u')
            low = hex4(p->text, next + 2);
        if (low < 0xdc00 || low > 0xdfff)
            return fail(p, "half of a surrogate pair; write both halves");
        c = 0x10000 + (((uint32_t)high - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        next += 6;
    }
    p->at = next;
    *written += put_utf8(to + *written, c);
    return 0;
}

static int
parse_escape(struct parser *p, char *to, size_t *written)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    p->at++; /* the backslash */
    char c = peek(p);
    if (c == 'u') {
        p->at++;
        return parse_unicode_escape(p, to, written);
    }
    const char *name = c ? strchr(names, c) : NULL;
    if (!name)
        return fail(p, "JSON has no such escape; write \\\\ for a backslash");
    to[(*written)++] = meant[name - names];
    p->at++;
    return 0;
}

/* Find the end of the string that starts at p->at, without looking into escapes. */
static int
measure_string(const struct parser *p, size_t *end, bool *escaped)
{
    size_t at = p->at;
    *escaped = false;
    for (; at < p->text.len; at++) {
        unsigned char c = (unsigned char)p->text.ptr[at];
        if (c > '\\') /* nearly all letters */
            continue;
        if (c == '"') {
            *end = at;
            return 0;
        }
        if (c < 0x20)
            return fail_at(p, at, "control character in a string; write it as an escape");
        if (c == '\\') {
            *escaped = true;
            at++;
        }
    }
    return fail_at(p, p->text.len, "the text ends inside a string");
}

static int
parse_text(struct parser *p, struct str *out)
{
    size_t end = 0;
    bool escaped = false;
    p->at++; /* the quote */
    int rc = measure_string(p, &end, &escaped);
    if (rc < 0)
        return rc;
    if (!escaped) {
        *out = (struct str){p->text.ptr + p->at, end - p->at};
        p->at = end + 1;
        return 0;
    }
    char *to =
        arena_alloc(p->arena, end - p->at); /* an escape is never shorter than what it means */
    if (!to)
        return err_nomem(p->err);
    size_t written = 0;
    while (p->at < end) {
        if (p->text.ptr[p->at] == '\\') {
            rc = parse_escape(p, to, &written);
            if (rc < 0)
                return rc;
        } else {
            to[written++] = p->text.ptr[p->at++];
        }
    }
    *out = (struct str){to, written};
    p->at = end + 1;
    return 0;
}

static int parse_any(struct parser *p, struct value **out);

/* Put a member, or an element without key, to those of the innermost container. */
static int
keep(struct parser *p, struct str key, struct value *item)
{
    struct value_member *member = vec_push(&p->open);
    if (!member)
        return err_nomem(p->err);
    *member = (struct value_member){key, item};
    return 0;
}

static int
parse_member(struct parser *p)
{
    struct str key = STR_NONE;
    struct value *item = NULL;
    if (peek(p) != '"')
        return fail(p, "a member's name in quotes is missing");
    int rc = parse_text(p, &key);
    if (rc < 0)
        return rc;
    skip_blanks(p);
    if (peek(p) != ':')
        return fail(p, "':' is missing behind a member's name");
    p->at++;
    rc = parse_any(p, &item);
    return rc < 0 ? rc : keep(p, key, item);
}

static int
parse_element(struct parser *p)
{
    struct value *item = NULL;
    int rc = parse_any(p, &item);
    return rc < 0 ? rc : keep(p, STR_NONE, item);
}

/* All up to the closing bracket or brace. */
static int
parse_content(struct parser *p, bool object)
{
    for (;;) {
        int rc = object ? parse_member(p) : parse_element(p);
        if (rc < 0)
            return rc;
        skip_blanks(p);
        if (peek(p) != ',')
            break;
        p->at++;
        skip_blanks(p);
    }
    if (peek(p) != (object ? '}' : ']'))
        return fail(p, object ? "',' or '}' is missing" : "',' or ']' is missing");
    return 0;
}

static int
parse_container(struct parser *p, struct value **out)
{
    bool object = peek(p) == '{';
    size_t first = p->open.len;
    if (p->depth >= p->max_depth)
        return fail(p, "nested deeper than the limit");
    struct value *container = object ? value_new_object(p->arena) : value_new_array(p->arena);
    if (!container)
        return err_nomem(p->err);
    p->depth++;
    p->at++;
    skip_blanks(p);
    if (peek(p) != (object ? '}' : ']')) {
        int rc = parse_content(p, object);
        if (rc < 0)
            return rc;
    }
    p->at++;
    p->depth--;
    size_t count = p->open.len - first;
    const struct value_member *content = count > 0 ? p->open.ptr + first : NULL;
    int rc = count == 0 ? 0
             : object   ? value_fill_object(p->arena, container, content, count)
                        : value_fill_array(p->arena, container, content, count);
    if (rc < 0)
        return err_nomem(p->err);
    p->open.len = first;
    *out = container;
    return 0;
}

static int
parse_word(struct parser *p, struct str word, struct value *meant, struct value **out)
{
    if (!str_starts_with((struct str){p->text.ptr + p->at, p->text.len - p->at}, word))
        return fail_at(p, p->at, "a value is missing");
    if (!meant)
        return err_nomem(p->err);
    p->at += word.len;
    *out = meant;
    return 0;
}

static int
parse_any(struct parser *p, struct value **out)
{
    skip_blanks(p);
    char c = peek(p);
    switch (c) {
    case '{':
    case '[':
        return parse_container(p, out);
    case '"': {
        struct str text = STR_NONE;
        int rc = parse_text(p, &text);
        if (rc < 0)
            return rc;
        *out = value_new_string(p->arena, text);
        return *out ? 0 : err_nomem(p->err);
    }
    case 't':
        return parse_word(p, STR("true"), value_new_bool(p->arena, true), out);
    case 'f':
        return parse_word(p, STR("false"), value_new_bool(p->arena, false), out);
    case 'n':
        return parse_word(p, STR("null"), value_new_null(p->arena), out);
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return parse_number(p, out);
        return fail(p, "a value is missing");
    }
}

int
value_parse(struct arena *a, struct str text, const struct value_limits *limits, struct value **out,
            struct gantry_error **err)
{
    size_t max_bytes = limits && limits->max_bytes ? limits->max_bytes : DEFAULT_BYTES;
    size_t max_depth = limits && limits->max_depth ? limits->max_depth : DEFAULT_DEPTH;
    struct parser p = {.arena = a, .text = text, .err = err};
    p.max_depth = MIN(max_depth, (size_t)VALUE_DEPTH_MAX);
    if (text.len > max_bytes)
        return err_set(err, GANTRY_E_INVALID, "JSON of %zu bytes is longer than %zu, the limit",
                       text.len, max_bytes);
    size_t valid = str_utf8_valid_length(text);
    if (valid < text.len)
        return fail_at(&p, valid, "this byte is not UTF-8");
    if (str_starts_with(text, STR("\xef\xbb\xbf"))) {
        p.text.ptr += 3;
        p.text.len -= 3;
    }
    struct value *whole = NULL;
    int rc = parse_any(&p, &whole);
    vec_clear(&p.open);
    if (rc < 0)
        return rc;
    skip_blanks(&p);
    if (!at_end(&p))
        return fail(&p, "more text behind the value");
    *out = whole;
    return 0;
}
