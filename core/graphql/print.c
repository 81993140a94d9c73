/* print.c - documents as text: on one line for the wire, or indented for people.
 *
 * Recursion is bounded by the depth that the parser allowed. */
#include "print.h"

static bool
is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A name or number: a blank goes before it where it would grow together with the last one. */
static void
add_word(const struct gql_printer *p, struct str word)
{
    if (p->out->len > p->start && is_name_char(p->out->ptr[p->out->len - 1]))
        buf_add_char(p->out, ' ');
    buf_add(p->out, word);
}

static void
add_either(const struct gql_printer *p, const char *compact, const char *pretty)
{
    buf_add_text(p->out, p->pretty ? pretty : compact);
}

static void
add_line_break(const struct gql_printer *p, size_t depth)
{
    buf_add_char(p->out, '\n');
    for (size_t i = 0; i < depth; i++)
        buf_add_text(p->out, "  ");
}

/* The text on lines of its own, indented: gql_is_block_printable has seen that this means the same.
 */
void
gql_print_block_string(const struct gql_printer *p, struct str text, size_t depth)
{
    buf_add_text(p->out, "\"\"\"");
    for (struct str rest = text; rest.ptr;) {
        struct str line = str_cut(rest, '\n', &rest);
        if (line.len)
            add_line_break(p, depth);
        else
            buf_add_char(p->out, '\n');
        for (size_t i = 0; i < line.len; i++) {
            if (str_starts_with((struct str){line.ptr + i, line.len - i}, STR("\"\"\""))) {
                buf_add_text(p->out, "\\\"\"\"");
                i += 2;
            } else {
                buf_add_char(p->out, line.ptr[i]);
            }
        }
    }
    add_line_break(p, depth);
    buf_add_text(p->out, "\"\"\"");
}

/* "a: 1, b: 2"; elements of a list have no names. */
static void
print_named(const struct gql_printer *p, const struct gql_argument *first, size_t depth)
{
    for (const struct gql_argument *it = first; it; it = it->next) {
        if (it != first)
            add_either(p, ",", ", ");
        if (it->name.len) {
            add_word(p, it->name);
            add_either(p, ":", ": ");
        }
        gql_print_value(p, &it->value, depth);
    }
}

void
gql_print_value(const struct gql_printer *p, const struct gql_value *value, size_t depth)
{
    switch (value->kind) {
    case GQL_VALUE_VARIABLE:
        buf_add_char(p->out, '$');
        buf_add(p->out, value->text);
        break;
    case GQL_VALUE_INT:
    case GQL_VALUE_FLOAT:
    case GQL_VALUE_BOOLEAN:
    case GQL_VALUE_NULL:
    case GQL_VALUE_ENUM:
        add_word(p, value->text);
        break;
    case GQL_VALUE_BLOCK_STRING:
        if (p->pretty && gql_is_block_printable(value->text)) {
            gql_print_block_string(p, value->text, depth + 1);
            break;
        }
        buf_add_json(p->out, value->text);
        break;
    case GQL_VALUE_STRING: /* JSON's escapes are all GraphQL's, too */
        buf_add_json(p->out, value->text);
        break;
    case GQL_VALUE_LIST:
        buf_add_char(p->out, '[');
        print_named(p, value->elements, depth);
        buf_add_char(p->out, ']');
        break;
    case GQL_VALUE_OBJECT:
        buf_add_char(p->out, '{');
        print_named(p, value->elements, depth);
        buf_add_char(p->out, '}');
        break;
    }
}

void
gql_print_arguments(const struct gql_printer *p, const struct gql_argument *arguments, size_t depth)
{
    if (!arguments)
        return;
    buf_add_char(p->out, '(');
    print_named(p, arguments, depth);
    buf_add_char(p->out, ')');
}

void
gql_print_directives(const struct gql_printer *p, const struct gql_directive *directives,
                     size_t depth)
{
    for (const struct gql_directive *it = directives; it; it = it->next) {
        add_either(p, "@", " @");
        buf_add(p->out, it->name);
        gql_print_arguments(p, it->arguments, depth);
    }
}

void
gql_print_type(const struct gql_printer *p, const struct gql_type *type)
{
    if (type->of) {
        buf_add_char(p->out, '[');
        gql_print_type(p, type->of);
        buf_add_char(p->out, ']');
    } else {
        add_word(p, type->name);
    }
    if (type->required)
        buf_add_char(p->out, '!');
}

void
gql_print_variables(const struct gql_printer *p, const struct gql_variable *variables)
{
    if (!variables)
        return;
    buf_add_char(p->out, '(');
    for (const struct gql_variable *it = variables; it; it = it->next) {
        if (it != variables)
            add_either(p, ",", ", ");
        buf_add_char(p->out, '$');
        buf_add(p->out, it->name);
        add_either(p, ":", ": ");
        gql_print_type(p, it->type);
        if (it->default_value) {
            add_either(p, "=", " = ");
            gql_print_value(p, it->default_value, 0);
        }
        gql_print_directives(p, it->directives, 0);
    }
    buf_add_char(p->out, ')');
}

static void print_selections(const struct gql_printer *p, const struct gql_selection *first,
                             size_t depth);

static void
print_selection(const struct gql_printer *p, const struct gql_selection *s, size_t depth)
{
    switch (s->kind) {
    case GQL_FIELD:
        if (s->alias.len) {
            add_word(p, s->alias);
            add_either(p, ":", ": ");
        }
        add_word(p, s->name);
        gql_print_arguments(p, s->arguments, depth);
        break;
    case GQL_FRAGMENT_SPREAD:
        buf_add_text(p->out, "...");
        buf_add(p->out, s->name);
        break;
    case GQL_INLINE_FRAGMENT:
        buf_add_text(p->out, "...");
        if (s->type.len) {
            add_either(p, "on ", " on ");
            buf_add(p->out, s->type);
        }
        break;
    }
    gql_print_directives(p, s->directives, depth);
    if (s->selections) {
        add_either(p, "", " ");
        print_selections(p, s->selections, depth);
    }
}

static void
print_selections(const struct gql_printer *p, const struct gql_selection *first, size_t depth)
{
    buf_add_char(p->out, '{');
    for (const struct gql_selection *it = first; it; it = it->next) {
        if (p->pretty)
            add_line_break(p, depth + 1);
        print_selection(p, it, depth + 1);
    }
    if (p->pretty)
        add_line_break(p, depth);
    buf_add_char(p->out, '}');
}

static void
print_definition(const struct gql_printer *p, const struct gql_definition *d)
{
    if (d->is_fragment) {
        add_word(p, STR("fragment "));
        buf_add(p->out, d->name);
        buf_add_text(p->out, " on ");
        buf_add(p->out, d->type);
        gql_print_directives(p, d->directives, 0);
        add_either(p, "", " ");
    } else if (d->operation != GQL_QUERY || d->name.len || d->variables || d->directives) {
        add_word(p, str_of(gql_operation_kind_word(d->operation)));
        if (d->name.len)
            add_word(p, d->name);
        else if (d->variables)
            add_either(p, "", " ");
        gql_print_variables(p, d->variables);
        gql_print_directives(p, d->directives, 0);
        add_either(p, "", " ");
    }
    print_selections(p, d->selections, 0);
}

int
gql_print(const struct gql_document *doc, enum gql_style style, struct buf *out)
{
    const struct gql_printer p = {out, out->len, style == GQL_PRETTY};
    for (const struct gql_definition *it = doc->definitions; it; it = it->next) {
        if (it != doc->definitions)
            add_either(&p, "", "\n");
        print_definition(&p, it);
        add_either(&p, "", "\n");
    }
    return buf_failed(out);
}
