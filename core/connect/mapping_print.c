/* mapping_print.c - a mapping in its normal form: an item a line, two blanks for each level, what is
 * in expressions on one line.
 *
 * A comment keeps its place as far as a line may be: behind an item it stays behind it, on a line
 * before an item or a closing brace it stays there, and from within an item it goes before it. */
#include "mapping_lex.h"

struct printer {
    const struct mapping *mapping;
    struct buf *out;
    const struct mapping_comment *comment; /* the next that was not printed */
    size_t indent;
};

static void print_node(struct printer *p, const struct mapping_node *node);

static void
print_string(struct printer *p, struct str s)
{
    bool has_double = s.len && memchr(s.ptr, '"', s.len);
    bool has_single = s.len && memchr(s.ptr, '\'', s.len);
    char quote = has_double && !has_single ? '\'' : '"';
    buf_add_char(p->out, quote);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\n') {
            buf_add_text(p->out, "\\n");
            continue;
        }
        if (s.ptr[i] == quote || s.ptr[i] == '\\')
            buf_add_char(p->out, '\\');
        buf_add_char(p->out, s.ptr[i]);
    }
    buf_add_char(p->out, quote);
}

static void
print_key(struct printer *p, struct str key)
{
    if (lex_is_identifier(key))
        buf_add(p->out, key);
    else
        print_string(p, key);
}

static void
print_sequence(struct printer *p, const struct mapping_node *first, const char *between)
{
    for (const struct mapping_node *n = first; n; n = n->next) {
        if (n != first)
            buf_add_text(p->out, between);
        print_node(p, n);
    }
}

static void
print_step(struct printer *p, const struct mapping_step *step)
{
    if (step->kind == STEP_KEY) {
        buf_add_char(p->out, '.');
        print_key(p, step->name);
    } else {
        buf_add(p->out, step->arrow);
        if (step->has_parens) {
            buf_add_char(p->out, '(');
            print_sequence(p, step->arguments, ", ");
            buf_add_char(p->out, ')');
        }
    }
    if (step->optional)
        buf_add_char(p->out, '?');
}

static void
print_item(struct printer *p, const struct mapping_item *item)
{
    if (item->kind == ITEM_SPREAD)
        buf_add_text(p->out, "... ");
    if (item->has_alias) {
        print_key(p, item->name);
        buf_add_text(p->out, ": ");
    }
    print_node(p, item->value);
}

/* On one line, in an expression. */
static void
print_flat_list(struct printer *p, const struct mapping_list *list, const char *between)
{
    buf_add_char(p->out, '{');
    for (const struct mapping_item *item = list->items; item; item = item->next) {
        buf_add_text(p->out, item == list->items ? " " : between);
        print_item(p, item);
    }
    buf_add_text(p->out, list->items ? " }" : "}");
}

/* A float whose normal form has an exponent, d.ddde+XX: the language has none, so all zeros. */
static void
print_float(struct printer *p, struct str text)
{
    struct str rest, digits = str_cut(text, 'e', &rest);
    int64_t point = 0;
    if (digits.ptr[0] == '-')
        buf_add_char(p->out, '-');
    if (rest.len && rest.ptr[0] == '+')
        rest = (struct str){rest.ptr + 1, rest.len - 1};
    if (!str_to_int64(rest, &point))
        return;
    if (point < 0)
        buf_add_text(p->out, "0.");
    for (int64_t i = point + 1; i < 0; i++)
        buf_add_char(p->out, '0');
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] == '-' || digits.ptr[i] == '.')
            continue;
        buf_add_char(p->out, digits.ptr[i]);
        point--;
    }
    for (; point >= 0; point--)
        buf_add_char(p->out, '0');
    if (rest.ptr[0] != '-')
        buf_add_text(p->out, ".0");
}

static void
print_literal(struct printer *p, const struct mapping_node *node)
{
    if (value_kind(node->literal) == VALUE_STRING) {
        print_string(p, value_text(node->literal));
        return;
    }
    if (value_kind(node->literal) == VALUE_NUMBER &&
        memchr(value_text(node->literal).ptr, 'e', value_text(node->literal).len)) {
        print_float(p, value_text(node->literal));
        return;
    }
    if (value_print(node->literal, VALUE_NORMAL, p->out) < 0)
        return; /* the buffer remembers */
    struct value_numeric n;
    if (node->steps && node->steps->kind == STEP_KEY && value_numeric(node->literal, &n) &&
        n.is_integer)
        buf_add_char(p->out, ' '); /* or the point would be the number's */
}

static void
print_head(struct printer *p, const struct mapping_node *node)
{
    switch (node->head) {
    case HEAD_DOLLAR:
        buf_add_char(p->out, '$');
        break;
    case HEAD_AT:
        buf_add_char(p->out, '@');
        break;
    case HEAD_VARIABLE:
        buf_add(p->out, node->name);
        break;
    case HEAD_KEY:
        print_key(p, node->name);
        break;
    case HEAD_EXPRESSION:
        buf_add_text(p->out, "$(");
        print_node(p, node->inner);
        buf_add_char(p->out, ')');
        break;
    case HEAD_LITERAL:
        print_literal(p, node);
        break;
    case HEAD_ARRAY:
        buf_add_char(p->out, '[');
        print_sequence(p, node->inner, ", ");
        buf_add_char(p->out, ']');
        break;
    case HEAD_OBJECT:
        print_flat_list(p, node->items, ", ");
        break;
    case HEAD_GROUP:
        break;
    case HEAD_COALESCE:
        print_sequence(p, node->inner, " ?? ");
        break;
    case HEAD_PRESENT:
        print_sequence(p, node->inner, " ?! ");
        break;
    }
    if (node->optional)
        buf_add_char(p->out, '?');
}

/* Head and steps. */
static void
print_path(struct printer *p, const struct mapping_node *node)
{
    print_head(p, node);
    for (const struct mapping_step *step = node->steps; step; step = step->next)
        print_step(p, step);
    if (node->braces && node->head != HEAD_GROUP)
        buf_add_char(p->out, ' ');
}

static void
print_node(struct printer *p, const struct mapping_node *node)
{
    print_path(p, node);
    if (node->braces)
        print_flat_list(p, node->braces, " ");
}

static void
start_line(struct printer *p)
{
    for (size_t i = 0; i < p->indent; i++)
        buf_add_text(p->out, "  ");
}

static void
print_comment(struct printer *p)
{
    struct mapping_range range = p->comment->range;
    buf_add(p->out,
            str_trim((struct str){p->mapping->text.ptr + range.start, range.end - range.start}));
    p->comment = p->comment->next;
}

/* Those that stand before an offset, each on a line. */
static void
print_comments(struct printer *p, size_t before)
{
    while (p->comment && p->comment->range.start < before) {
        start_line(p);
        print_comment(p);
        buf_add_char(p->out, '\n');
    }
}

/* End a line; a comment that stood behind what is on it, and before an offset, goes with it. */
static void
end_line(struct printer *p, size_t before)
{
    if (p->comment && p->comment->trails && p->comment->range.start < before) {
        buf_add_char(p->out, ' ');
        print_comment(p);
    }
    buf_add_char(p->out, '\n');
}

static void print_lines(struct printer *p, const struct mapping_list *list);

/* Braces over several lines. */
static void
print_block(struct printer *p, const struct mapping_list *list)
{
    bool has_comment = p->comment && p->comment->range.start < list->range.end;
    if (!list->items && !has_comment) {
        buf_add_text(p->out, "{}");
        return;
    }
    buf_add_text(p->out, "{\n");
    p->indent++;
    print_lines(p, list);
    print_comments(p, list->range.end);
    p->indent--;
    start_line(p);
    buf_add_char(p->out, '}');
}

/* A value on lines of its own: its own braces are the only block in it. */
static void
print_value_lines(struct printer *p, const struct mapping_node *node)
{
    print_path(p, node);
    if (node->braces)
        print_block(p, node->braces);
}

static size_t
block_start(const struct mapping_node *node)
{
    return node->braces ? node->braces->range.start : node->range.end;
}

static void
print_lines(struct printer *p, const struct mapping_list *list)
{
    for (const struct mapping_item *item = list->items; item; item = item->next) {
        print_comments(p, block_start(item->value));
        start_line(p);
        if (item->kind == ITEM_SPREAD)
            buf_add_text(p->out, "... ");
        if (item->has_alias) {
            print_key(p, item->name);
            buf_add_text(p->out, ": ");
        }
        print_value_lines(p, item->value);
        end_line(p, item->next ? item->next->range.start : list->range.end);
    }
}

int
mapping_print(const struct mapping *m, struct buf *out)
{
    struct printer p = {m, out, m->comments, 0};
    if (m->value) {
        print_comments(&p, block_start(m->value));
        print_value_lines(&p, m->value);
        end_line(&p, m->text.len);
    } else {
        print_lines(&p, m->list);
    }
    print_comments(&p, m->text.len);
    return buf_failed(out);
}
