/* format_lines.c - arguments, directives and values that are too long for one line, or have comments inside.
 *
 * Each is first printed on its line; where it does not fit, that is taken back, and its parts get a line each. */
#include "format.h"

enum { WIDTH = 80 };

bool
format_fits(const struct format *f, size_t mark)
{
    size_t begin = mark;
    for (size_t i = mark; i < f->p.out->len; i++)
        if (f->p.out->ptr[i] == '\n')
            return false;
    while (begin > f->p.start && f->p.out->ptr[begin - 1] != '\n')
        begin--;
    return f->p.out->len - begin <= WIDTH;
}

bool
format_has_comment(const struct format *f, size_t at)
{
    return f->pending && f->pending->at < at;
}

/* The place of the last part. */
static size_t
last_at(const struct gql_argument *first)
{
    size_t at = 0;
    while (first) {
        const struct gql_argument *inner = first->value.elements;
        at = first->value.at;
        first = first->next ? first->next : inner;
    }
    return at;
}

static void
parts(struct format *f, const struct gql_argument *first, size_t depth, const char *brackets[2])
{
    format_open(f, brackets[0]);
    for (const struct gql_argument *it = first; it; it = it->next) {
        format_line(f, depth + 1, it->at);
        if (it->name.len) {
            buf_add(f->p.out, it->name);
            buf_add_text(f->p.out, ": ");
        }
        format_value(f, &it->value, depth + 1);
    }
    format_shut(f, depth, 0, brackets[1]);
}

void
format_value(struct format *f, const struct gql_value *value, size_t depth)
{
    static const char *list[2] = {"[", "]"}, *object[2] = {"{", "}"};
    size_t mark = f->p.out->len;
    if (value->kind == GQL_VALUE_BLOCK_STRING && gql_is_block_printable(value->text)) {
        gql_print_block_string(&f->p, value->text, depth);
        return;
    }
    gql_print_value(&f->p, value, depth);
    if (!value->elements ||
        (format_fits(f, mark) && !format_has_comment(f, last_at(value->elements))))
        return;
    buf_truncate(f->p.out, mark);
    parts(f, value->elements, depth, value->kind == GQL_VALUE_LIST ? list : object);
}

void
format_arguments(struct format *f, const struct gql_argument *first, size_t depth)
{
    static const char *round[2] = {"(", ")"};
    size_t mark = f->p.out->len;
    gql_print_arguments(&f->p, first, depth);
    if (!first || (format_fits(f, mark) && !format_has_comment(f, last_at(first))))
        return;
    buf_truncate(f->p.out, mark);
    parts(f, first, depth, round);
}

static bool
has_comments(const struct format *f, const struct gql_directive *first)
{
    for (; first; first = first->next)
        if (format_has_comment(f, MAX(first->at, last_at(first->arguments))))
            return true;
    return false;
}

void
format_directives(struct format *f, const struct gql_directive *first, size_t depth)
{
    size_t mark = f->p.out->len;
    gql_print_directives(&f->p, first, depth);
    if (!first || (format_fits(f, mark) && !has_comments(f, first)))
        return;
    buf_truncate(f->p.out, mark);
    for (const struct gql_directive *it = first; it; it = it->next) {
        format_next_line(f, depth + 1, it->at);
        buf_add_char(f->p.out, '@');
        buf_add(f->p.out, it->name);
        format_arguments(f, it->arguments, depth + 1);
    }
}
