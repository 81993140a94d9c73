/* place.c - from values and what strings mean to bytes of the schema's text. */
#include "connectors.h"

static bool
is_string(const struct gql_value *value)
{
    return value->kind == GQL_VALUE_STRING || value->kind == GQL_VALUE_BLOCK_STRING;
}

/* The end of the word or number at an offset; what is none is one character. */
static size_t
end_of_word(struct str text, size_t at)
{
    size_t end = at;
    while (end < text.len &&
           ((unsigned char)text.ptr[end] >= 0x80 || text.ptr[end] == '_' || text.ptr[end] == '.' ||
            text.ptr[end] == '-' || text.ptr[end] == '+' ||
            (text.ptr[end] >= '0' && text.ptr[end] <= '9') ||
            ((text.ptr[end] | 0x20) >= 'a' && (text.ptr[end] | 0x20) <= 'z')))
        end++;
    return MIN(MAX(end, at + 1), text.len);
}

static size_t
end_of_string(struct str text, const struct gql_value *string)
{
    size_t end = gql_string_span(text, string, SIZE_MAX).end;
    /* What a block string ends in may mean nothing. */
    while (end < text.len && text.ptr[end] != '"')
        end++;
    return MIN(end + (string->kind == GQL_VALUE_BLOCK_STRING ? 3 : 1), text.len);
}

/* The offset behind the bracket that closes a list or an object: behind its last element, blanks, commas and
 * comments are all that can stand before it. */
static size_t
end_of_brackets(struct str text, size_t at)
{
    for (bool comment = false; at < text.len; at++) {
        char c = text.ptr[at];
        if (!comment && (c == ']' || c == '}'))
            return at + 1;
        comment = c == '#' || (comment && c != '\n' && c != '\r');
    }
    return at;
}

static size_t
end_of_value(struct str text, const struct gql_value *value)
{
    size_t end = value->at + 1;
    if (is_string(value))
        return end_of_string(text, value);
    if (value->kind != GQL_VALUE_LIST && value->kind != GQL_VALUE_OBJECT)
        return end_of_word(text, value->at + (value->kind == GQL_VALUE_VARIABLE));
    for (const struct gql_argument *it = value->elements; it; it = it->next)
        end = it->next ? end : end_of_value(text, &it->value);
    return end_of_brackets(text, end);
}

struct connect_place
connect_place_of(const struct connect_schema *schema, const struct gql_value *value)
{
    return (struct connect_place){value->at, end_of_value(schema->graphql->document->text, value)};
}

struct connect_place
connect_place_of_name(size_t at, struct str name)
{
    return (struct connect_place){at, at + name.len};
}

struct connect_place
connect_place_in(const struct connect_schema *schema, const struct gql_value *string,
                 struct mapping_range range)
{
    struct str text = schema->graphql->document->text;
    if (string->text.len == 0)
        return connect_place_of(schema, string);
    struct gql_span first = gql_string_span(text, string, range.start), last = first;
    if (range.end > range.start)
        last = gql_string_span(text, string, range.end - 1);
    else
        last.end = first.start;
    return (struct connect_place){first.start, MAX(first.start, last.end)};
}

/* Make p->spans those of a string. */
static bool
find_spans(struct connect_problems *p, const struct connect_schema *schema,
           const struct gql_value *string)
{
    size_t count = string->text.len;
    if (p->spans_of == string)
        return true;
    p->spans_of = NULL;
    if (p->span_capacity < count) {
        size_t capacity = MAX(count, 2 * p->span_capacity);
        p->spans = arena_alloc_array(p->arena, capacity, sizeof *p->spans);
        p->span_capacity = p->spans ? capacity : 0;
        p->nomem |= !p->spans;
    }
    if (p->span_capacity < count)
        return false;
    gql_string_spans(schema->graphql->document->text, string, p->spans);
    p->spans_of = string;
    return true;
}

struct connect_place
connect_problem_place(struct connect_problems *p, const struct connect_schema *schema,
                      const struct gql_value *string, struct mapping_range range)
{
    enum { LONG = 4096 }; /* going through a shorter one costs little */
    if (string->text.len < LONG || range.start >= range.end || range.end > string->text.len ||
        !find_spans(p, schema, string))
        return connect_place_in(schema, string, range);
    size_t start = p->spans[range.start].start;
    return (struct connect_place){start, MAX(start, p->spans[range.end - 1].end)};
}
