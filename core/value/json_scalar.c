/* json_scalar.c - reads numbers and strings of JSON (RFC 8259, sections 6 and 7), and says what is
 * wrong with a text. */
#include "json_reader.h"

/* So many digits surely fit into int64_t. */
enum { SHORT_DIGITS = 17 };

int
json_fail_at(const struct json_reader *p, size_t offset, const char *what)
{
    size_t line, column;
    str_position(p->text, offset, &line, &column);
    return err_set(p->err, GANTRY_E_INVALID, "JSON, line %zu, column %zu: %s", line, column, what);
}

int
json_fail(const struct json_reader *p, const char *what)
{
    return json_fail_at(p, p->at, json_at_end(p) ? "the text ends too early" : what);
}

/* The first byte from at on that is no digit. */
static const char *
behind_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

size_t
value_number_length(struct str s, bool *integer)
{
    const char *end = s.ptr + s.len, *at = s.ptr, *digits;
    if (at < end && *at == '-')
        at++;
    digits = at;
    at = behind_digits(at, end);
    if (at == digits || (*digits == '0' && at > digits + 1)) /* 01 */
        return 0;
    *integer = true;
    if (at < end && *at == '.') {
        *integer = false;
        digits = at + 1;
        at = behind_digits(digits, end);
        if (at == digits)
            return 0;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        *integer = false;
        digits = at + 1;
        if (digits < end && (*digits == '+' || *digits == '-'))
            digits++;
        at = behind_digits(digits, end);
        if (at == digits)
            return 0;
    }
    return (size_t)(at - s.ptr);
}

/* A short integer, as most numbers are; false for every other one. */
static bool
read_short_integer(struct json_reader *p, struct value *out)
{
    const char *at = p->text.ptr + p->at;
    size_t len = MIN(p->text.len - p->at, (size_t)SHORT_DIGITS + 1), i = at[0] == '-', first = i;
    int64_t integer = 0;
    for (; i < len && at[i] >= '0' && at[i] <= '9'; i++)
        integer = integer * 10 + (at[i] - '0');
    bool is_whole = i < len && at[i] != '.' && at[i] != 'e' && at[i] != 'E';
    if (!is_whole || i == first || at[first] == '0')
        return false;
    *out = (struct value){.integer = first ? -integer : integer, .kind = VALUE_INT};
    p->at += i;
    return true;
}

int
json_read_number(struct json_reader *p, struct value *out)
{
    struct str rest = {p->text.ptr + p->at, p->text.len - p->at};
    bool integer = false;
    if (read_short_integer(p, out))
        return 0;
    size_t length = value_number_length(rest, &integer);
    if (length == 0)
        return json_fail_at(p, p->at, "this is not how JSON spells a number");
    p->at += length;
    return value_read_number((struct str){rest.ptr, length}, integer, out) ? 0 : err_nomem(p->err);
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
parse_unicode_escape(struct json_reader *p, char *to, size_t *written)
{
    int32_t high = hex4(p->text, p->at);
    if (high < 0)
        return json_fail(p, "\\u needs four hexadecimal digits");
    uint32_t c = (uint32_t)high;
    size_t next = p->at + 4;
    if (high >= 0xd800 && high <= 0xdfff) {
        int32_t low = -1;
        if (high <= 0xdbff && p->text.len - next >= 6 && p->text.ptr[next] == '\\' &&
            p->text.ptr[next + 1] == 'u')
            low = hex4(p->text, next + 2);
        if (low < 0xdc00 || low > 0xdfff)
            return json_fail(p, "half of a surrogate pair; write both halves");
        c = 0x10000 + (((uint32_t)high - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        next += 6;
    }
    p->at = next;
    *written += put_utf8(to + *written, c);
    return 0;
}

static int
parse_escape(struct json_reader *p, char *to, size_t *written)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    p->at++; /* the backslash */
    char c = json_peek(p);
    if (c == 'u') {
        p->at++;
        return parse_unicode_escape(p, to, written);
    }
    const char *name = c ? strchr(names, c) : NULL;
    if (!name)
        return json_fail(p, "JSON has no such escape; write \\\\ for a backslash");
    to[(*written)++] = meant[name - names];
    p->at++;
    return 0;
}

/* Find the end of the string that starts at p->at, without looking into escapes. */
static int
measure_string(const struct json_reader *p, size_t *end, bool *escaped)
{
    size_t at = p->at, len = p->text.len, plain = 8;
    *escaped = false;
    while (at < len) {
        while (len - at >= 8 && (plain = json_plain_of_eight(p->text.ptr + at)) == 8)
            at += 8;
        at += len - at >= 8 ? plain : 0;
        if (at >= len)
            break;
        char c = p->text.ptr[at];
        if (c == '"') {
            *end = at;
            return 0;
        }
        if ((unsigned char)c < 0x20)
            return json_fail_at(p, at, "control character in a string; write it as an escape");
        if (c == '\\') {
            *escaped = true;
            at++;
        }
        at++;
    }
    return json_fail_at(p, len, "the text ends inside a string");
}

int
json_read_text(struct json_reader *p, struct str *out)
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
        const char *from = p->text.ptr + p->at;
        size_t plain = end - p->at >= 8 ? json_plain_of_eight(from) : 0;
        if (end - p->at >= 8) { /* there is as much room: what was written is not longer */
            memcpy(to + written, from, 8);
            written += plain;
            p->at += plain;
        }
        if (plain > 0)
            continue;
        if (*from == '\\') {
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
