/* string.c - what strings and block strings mean (section 2.9.4 of the specification). */
#include "graphql_internal.h"

#include "err.h"

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The number of a \uXXXX at s, or -1. */
static int32_t
unicode_escape(struct str s)
{
    int32_t number = 0;
    if (s.len < 6 || s.ptr[0] != '\\' || s.ptr[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(s.ptr[i]);
        if (digit < 0)
            return -1;
        number = number * 16 + digit;
    }
    return number;
}

static unsigned
utf8_length(uint32_t c)
{
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static void
add_utf8(struct buf *out, uint32_t c)
{
    unsigned n = utf8_length(c);
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    buf_add_char(out, (char)(lead[n == 1 ? 0 : n] | (c >> (6 * (n - 1)))));
    for (unsigned i = n - 1; i > 0; i--)
        buf_add_char(out, (char)(0x80 | ((c >> (6 * (i - 1))) & 0x3f)));
}

/* The character that the escape at the start of s means; returns its length, or 0 when it is none.  Half
 * a surrogate pair is none: it names no character. */
static size_t
read_escape(struct str s, uint32_t *meaning)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    if (s.len < 2)
        return 0;
    const char *name = memchr(names, s.ptr[1], sizeof names - 1);
    if (name) {
        *meaning = (unsigned char)meant[name - names];
        return 2;
    }
    int32_t c = unicode_escape(s);
    if (c < 0 || (c >= 0xdc00 && c <= 0xdfff))
        return 0;
    *meaning = (uint32_t)c;
    if (c < 0xd800 || c > 0xdbff)
        return 6;
    int32_t low = unicode_escape((struct str){s.ptr + 6, s.len - 6});
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *meaning = 0x10000 + (((uint32_t)c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
    return 12;
}

/* Move a built text into the document's arena. */
static int
keep(struct gql_lexer *lexer, const struct buf *built, struct str *out)
{
    char *copy = buf_failed(built) ? NULL : arena_dup(lexer->arena, buf_view(built));
    if (!copy)
        return err_nomem(lexer->err);
    *out = (struct str){copy, built->len};
    return 0;
}

int
gql_string_meaning(struct gql_lexer *lexer, size_t at, struct str raw, struct str *out)
{
    if (!raw.len || !memchr(raw.ptr, '\\', raw.len)) {
        *out = raw;
        return 0;
    }
    AUTO_BUF struct buf built = BUF_INIT(raw.len); /* no escape is shorter than what it means */
    for (size_t i = 0; i < raw.len;) {
        if (raw.ptr[i] != '\\') {
            buf_add_char(&built, raw.ptr[i++]);
            continue;
        }
        uint32_t meaning = 0;
        size_t length = read_escape((struct str){raw.ptr + i, raw.len - i}, &meaning);
        if (length == 0)
            return gql_fail_at(lexer, at + i,
                               "GraphQL has no such escape; write \\\\ for a backslash");
        add_utf8(&built, meaning);
        i += length;
    }
    return keep(lexer, &built, out);
}

/* Take the next line off the front of text; false at the end.  The last line has no line end behind
 * it, so the text "a\n" has two lines. */
struct lines {
    struct str left;
    bool ended;
};

static bool
next_line(struct lines *lines, struct str *line)
{
    if (lines->ended)
        return false;
    size_t n = 0;
    struct str s = lines->left;
    while (n < s.len && s.ptr[n] != '\n' && s.ptr[n] != '\r')
        n++;
    *line = (struct str){s.ptr, n};
    lines->ended = n == s.len;
    if (!lines->ended) {
        size_t end = s.ptr[n] == '\r' && n + 1 < s.len && s.ptr[n + 1] == '\n' ? 2 : 1;
        lines->left = (struct str){s.ptr + n + end, s.len - n - end};
    }
    return true;
}

static size_t
indent_of(struct str line)
{
    size_t n = 0;
    while (n < line.len && (line.ptr[n] == ' ' || line.ptr[n] == '\t'))
        n++;
    return n;
}

struct layout {
    size_t indent;      /* that all lines have but the first and the blank ones */
    size_t first, last; /* the lines that are not blank; first > last: none */
};

static struct layout
measure(struct str text, bool first_line_counts)
{
    struct layout layout = {SIZE_MAX, 1, 0};
    struct lines lines = {text, false};
    struct str line;
    for (size_t i = 0; next_line(&lines, &line); i++) {
        size_t indent = indent_of(line);
        if (indent == line.len)
            continue;
        if (i > 0 || first_line_counts)
            layout.indent = MIN(layout.indent, indent);
        if (layout.first > layout.last)
            layout.first = i;
        layout.last = i;
    }
    return layout;
}

/* Go through a block string's meaning, byte by byte, up to the byte `stop`: where that stands in raw, as a span.
 * built: may be NULL; gets the bytes before it.  spans: may be NULL; gets where those stand. */
static struct gql_span
walk_block(struct str raw, size_t stop, struct buf *built, struct gql_span *spans)
{
    struct layout layout = measure(raw, false);
    struct lines lines = {raw, false};
    struct gql_span span = {0, 0};
    struct str line;
    size_t made = 0;
    for (size_t i = 0; layout.first <= layout.last && next_line(&lines, &line); i++) {
        if (i < layout.first || i > layout.last)
            continue;
        size_t at = (size_t)(line.ptr - raw.ptr), end = at + line.len;
        if (i > layout.first) {
            if (made == stop)
                return span;
            if (spans)
                spans[made] = span;
            made++;
            if (built)
                buf_add_char(built, '\n');
        }
        for (at += i == 0 ? 0 : MIN(layout.indent, line.len); at < end; at = span.end) {
            bool quotes = str_starts_with((struct str){raw.ptr + at, end - at}, STR("\\\"\"\""));
            size_t length = quotes ? 3 : 1;
            span = (struct gql_span){at, at + (quotes ? 4 : 1)};
            if (stop < made + length)
                return span;
            for (size_t k = 0; spans && k < length; k++)
                spans[made + k] = span;
            made += length;
            if (built)
                buf_add_bytes(built, raw.ptr + (quotes ? at + 1 : at), length);
        }
        span = (struct gql_span){end, lines.ended ? end : (size_t)(lines.left.ptr - raw.ptr)};
    }
    return (struct gql_span){span.start, span.start};
}

int
gql_block_meaning(struct gql_lexer *lexer, struct str raw, struct str *out)
{
    AUTO_BUF struct buf built = BUF_INIT(raw.len);
    walk_block(raw, SIZE_MAX, &built, NULL);
    return keep(lexer, &built, out);
}

static struct gql_span
walk_string(struct str raw, size_t stop, struct gql_span *spans)
{
    size_t made = 0, length = 0;
    for (size_t i = 0; i < raw.len; i += length) {
        uint32_t meaning = 0;
        length =
            raw.ptr[i] == '\\' ? read_escape((struct str){raw.ptr + i, raw.len - i}, &meaning) : 0;
        size_t bytes = length ? utf8_length(meaning) : 1;
        length = length ? length : 1;
        if (stop < made + bytes)
            return (struct gql_span){i, i + length};
        for (size_t k = 0; spans && k < bytes; k++)
            spans[made + k] = (struct gql_span){i, i + length};
        made += bytes;
    }
    return (struct gql_span){raw.len, raw.len};
}

/* The offset behind the last character of a string whose first is at `at`. */
static size_t
end_of_string(struct str text, size_t at, bool block)
{
    while (at < text.len) {
        struct str rest = {text.ptr + at, text.len - at};
        if (str_starts_with(rest, block ? STR("\"\"\"") : STR("\"")))
            return at;
        if (block)
            at += str_starts_with(rest, STR("\\\"\"\"")) ? 4 : 1;
        else
            at += rest.ptr[0] == '\\' && rest.len > 1 ? 2 : 1;
    }
    return at;
}

struct gql_span
gql_string_span(struct str text, const struct gql_value *string, size_t offset)
{
    bool block = string->kind == GQL_VALUE_BLOCK_STRING;
    size_t start = string->at + (block ? 3 : 1);
    struct str raw = {text.ptr + start, end_of_string(text, start, block) - start};
    struct gql_span span =
        block ? walk_block(raw, offset, NULL, NULL) : walk_string(raw, offset, NULL);
    return (struct gql_span){span.start + start, span.end + start};
}

void
gql_string_spans(struct str text, const struct gql_value *string, struct gql_span *spans)
{
    bool block = string->kind == GQL_VALUE_BLOCK_STRING;
    size_t start = string->at + (block ? 3 : 1);
    struct str raw = {text.ptr + start, end_of_string(text, start, block) - start};
    if (block)
        walk_block(raw, string->text.len, NULL, spans);
    else
        walk_string(raw, string->text.len, spans);
    for (size_t i = 0; i < string->text.len; i++) {
        spans[i].start += start;
        spans[i].end += start;
    }
}

bool
gql_is_block_printable(struct str text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 && c != '\t' && c != '\n')
            return false;
        lines += c == '\n';
    }
    struct layout layout = measure(text, true);
    return layout.first == 0 && layout.last == lines - 1 && layout.indent == 0;
}
