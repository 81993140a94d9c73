/* format.c - the normal form of schemas and documents: a line a definition's part, comments kept.
 *
 * A comment that stood alone on its line stands alone before what follows it; one behind something stays at the
 * end of that line.  Where it leaves no line, it moves to the next one.  One empty line
 * stays where there was one; between definitions there is always one. */
#include "format.h"
#include "schema.h"

/* Is there an empty line before this place of the source? */
static bool
is_blank_before(const struct format *f, size_t at)
{
    size_t ends = 0;
    while (at && strchr(" \t,\r\n", f->text.ptr[at - 1])) {
        char c = f->text.ptr[--at];
        ends += c == '\n' || (c == '\r' && f->text.ptr[at + 1] != '\n');
    }
    return ends > 1;
}

static void
start_line(struct format *f, size_t depth, bool blank)
{
    bool is_first = f->p.out->len == f->p.start;
    if (!is_first)
        buf_add_char(f->p.out, '\n');
    if (!is_first && (f->want_blank || (blank && !f->opened)))
        buf_add_char(f->p.out, '\n');
    for (size_t i = 0; i < depth; i++)
        buf_add_text(f->p.out, "  ");
    f->opened = f->want_blank = false;
}

/* The comments before a place of the source. */
static void
flush(struct format *f, size_t depth, size_t at)
{
    bool same_line = f->p.out->len > f->p.start;
    for (; f->pending && f->pending->at < at; f->pending = f->pending->next) {
        if (same_line && f->pending->trails)
            buf_add_char(f->p.out, ' ');
        else
            start_line(f, depth, is_blank_before(f, f->pending->at));
        buf_add(f->p.out, f->pending->text);
        same_line = false;
    }
}

void
format_line(struct format *f, size_t depth, size_t at)
{
    flush(f, depth, at);
    start_line(f, depth, is_blank_before(f, at));
}

void
format_next_line(struct format *f, size_t depth, size_t at)
{
    flush(f, depth, at);
    f->opened = true;
    start_line(f, depth, false);
}

void
format_open(struct format *f, const char *bracket)
{
    buf_add_text(f->p.out, bracket);
    f->opened = true;
}

void
format_shut(struct format *f, size_t depth, size_t at, const char *bracket)
{
    flush(f, depth + 1, at);
    f->opened = true;
    start_line(f, depth, false);
    buf_add_text(f->p.out, bracket);
}

static void
description(struct format *f, const struct gql_value *value, size_t depth, size_t behind)
{
    if (!value)
        return;
    if (value->kind == GQL_VALUE_BLOCK_STRING && gql_is_block_printable(value->text))
        gql_print_block_string(&f->p, value->text, depth);
    else
        buf_add_json(f->p.out, value->text);
    format_next_line(f, depth, behind);
}

static void selections(struct format *f, const struct gql_selection *first, size_t end,
                       size_t depth);

static void
selection(struct format *f, const struct gql_selection *s, size_t depth)
{
    struct buf *out = f->p.out;
    if (s->kind != GQL_FIELD)
        buf_add_text(out, "...");
    if (s->kind == GQL_INLINE_FRAGMENT && s->type.len) {
        buf_add_text(out, " on ");
        buf_add(out, s->type);
    }
    if (s->alias.len) {
        buf_add(out, s->alias);
        buf_add_text(out, ": ");
    }
    buf_add(out, s->name);
    format_arguments(f, s->arguments, depth);
    format_directives(f, s->directives, depth);
    if (s->selections)
        selections(f, s->selections, s->brace_end, depth);
}

static void
selections(struct format *f, const struct gql_selection *first, size_t end, size_t depth)
{
    format_open(f, " {");
    for (const struct gql_selection *it = first; it; it = it->next) {
        format_line(f, depth + 1, it->at);
        selection(f, it, depth + 1);
    }
    format_shut(f, depth, end, "}");
}

static void
definition(struct format *f, const struct gql_definition *d)
{
    struct buf *out = f->p.out;
    format_line(f, 0, d->at);
    if (d->is_fragment) {
        buf_add_text(out, "fragment ");
        buf_add(out, d->name);
        buf_add_text(out, " on ");
        buf_add(out, d->type);
    } else {
        buf_add_text(out, gql_operation_kind_word(d->operation));
        if (d->name.len || d->variables)
            buf_add_char(out, ' ');
        buf_add(out, d->name);
        gql_print_variables(&f->p, d->variables);
    }
    format_directives(f, d->directives, 0);
    selections(f, d->selections, d->brace_end, 0);
}

static void members(struct format *f, const struct gql_member *first, size_t depth);

static void
type_and_default(struct format *f, const struct gql_member *m, size_t depth)
{
    if (m->type) {
        buf_add_text(f->p.out, ": ");
        gql_print_type(&f->p, m->type);
    }
    if (m->default_value) {
        buf_add_text(f->p.out, " = ");
        format_value(f, m->default_value, depth);
    }
    format_directives(f, m->directives, depth);
}

/* On one line, unless that is too long, or there is more to say of one. */
static void
arguments(struct format *f, const struct gql_member *first, size_t end, size_t depth)
{
    bool lines = format_has_comment(f, end);
    size_t mark = f->p.out->len;
    for (const struct gql_member *m = first; m; m = m->next)
        lines = lines || m->description;
    for (const struct gql_member *m = first; m && !lines; m = m->next) {
        buf_add_text(f->p.out, m == first ? "(" : ", ");
        buf_add(f->p.out, m->name);
        type_and_default(f, m, depth);
        if (!m->next)
            buf_add_char(f->p.out, ')');
        lines = !format_fits(f, mark);
    }
    if (!first || !lines)
        return;
    buf_truncate(f->p.out, mark);
    format_open(f, "(");
    members(f, first, depth + 1);
    format_shut(f, depth, end, ")");
}

static void
members(struct format *f, const struct gql_member *first, size_t depth)
{
    for (const struct gql_member *m = first; m; m = m->next) {
        format_line(f, depth, m->at);
        description(f, m->description, depth, m->name_at);
        buf_add(f->p.out, m->name);
        arguments(f, m->arguments, m->arguments_end, depth);
        type_and_default(f, m, depth);
    }
}

static void
names(struct format *f, const char *before, const char *between, const struct gql_name *first)
{
    for (const struct gql_name *n = first; n; n = n->next) {
        buf_add_text(f->p.out, n == first ? before : between);
        buf_add(f->p.out, n->name);
    }
}

static void
system_definition(struct format *f, const struct gql_system *s)
{
    static const char *const words[] = {"schema", "scalar ", "type ",  "interface ",
                                        "union ", "enum ",   "input ", "directive @"};
    format_line(f, 0, s->at);
    description(f, s->description, 0, s->word_at);
    if (s->is_extension)
        buf_add_text(f->p.out, "extend ");
    buf_add_text(f->p.out, words[s->kind]);
    buf_add(f->p.out, s->name);
    if (s->kind == GQL_DIRECTIVE) {
        arguments(f, s->members, s->brace_end, 0);
        buf_add_text(f->p.out, s->is_repeatable ? " repeatable" : "");
        names(f, " on ", " | ", s->names);
        return;
    }
    if (s->kind != GQL_UNION)
        names(f, " implements ", " & ", s->names);
    format_directives(f, s->directives, 0);
    if (s->kind == GQL_UNION)
        names(f, " = ", " | ", s->names);
    if (s->has_braces) {
        format_open(f, " {");
        members(f, s->members, 1);
        format_shut(f, 0, s->brace_end, "}");
    }
}

int
gql_format(const struct gql_document *doc, struct buf *out)
{
    struct format f = {{out, out->len, true}, doc->text, doc->comments, false, false};
    const struct gql_definition *d = doc->definitions;
    const struct gql_system *s = doc->systems;
    while (d || s) {
        f.want_blank = true;
        if (!s || (d && d->at < s->at)) {
            definition(&f, d);
            d = d->next;
        } else {
            system_definition(&f, s);
            s = s->next;
        }
    }
    flush(&f, 0, SIZE_MAX);
    buf_add_char(out, '\n');
    return buf_failed(out);
}
