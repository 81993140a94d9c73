/* mapping_fault.c - a mapping that is refused: where, what was expected, what stands there. */
#include "mapping_parser.h"

enum { FOUND_MAX = 24 };

/* The text from an offset on, cut between characters. */
static struct str
rest_of(const struct parser *p, size_t from, const char **more)
{
    struct str rest = {p->mapping->text.ptr + from, p->mapping->text.len - from};
    *more = "";
    if (rest.len > FOUND_MAX) {
        rest.len = FOUND_MAX;
        rest.len = str_utf8_valid_length(rest);
        *more = "...";
    }
    return rest;
}

int
parse_refused(struct parser *p, struct mapping_range at, const char *what, const char *hint)
{
    size_t line, column;
    const char *more, *between = hint ? "; " : "";
    struct str rest = rest_of(p, at.start, &more);
    str_position(p->mapping->text, at.start, &line, &column);
    if (p->where)
        *p->where = at;
    hint = hint ? hint : "";
    if (rest.len == 0)
        return err_set(p->err, GANTRY_E_INVALID,
                       "mapping, line %zu, column %zu: %s, but the text ends here%s%s", line,
                       column, what, between, hint);
    return err_set(p->err, GANTRY_E_INVALID, "mapping, line %zu, column %zu: %s, at \"%.*s%s\"%s%s",
                   line, column, what, STR_ARG(rest), more, between, hint);
}

int
parse_expected(struct parser *p, const char *what)
{
    const struct token *t = parse_token(p);
    AUTO_BUF struct buf text = BUF_INIT(400);
    if (p->lexer.out_of_memory)
        return err_nomem(p->err);
    if (t->kind == TOKEN_BAD)
        return parse_refused(p, t->range, t->bad, NULL);
    buf_add_fmt(&text, "expected %s", what);
    if (buf_failed(&text))
        return err_nomem(p->err);
    const char *hint = NULL;
    if (t->kind == TOKEN_SPREAD && p->mapping->version < MAPPING_V4)
        hint = "'...' needs connect v0.4";
    else if ((t->kind == TOKEN_QUESTION || t->kind == TOKEN_COALESCE || t->kind == TOKEN_PRESENT) &&
             p->mapping->version < MAPPING_V3)
        hint = "'?' and its operators need connect v0.3";
    else if (t->kind == TOKEN_COALESCE || t->kind == TOKEN_PRESENT)
        hint = "an operator stands in $( ), and all of one chain are the same";
    return parse_refused(p, t->range, buf_text(&text), hint);
}

int
parse_enter(struct parser *p)
{
    if (++p->depth > MAPPING_DEPTH_MAX)
        return parse_refused(p, parse_token(p)->range, "nested deeper than the limit", NULL);
    return 0;
}

void
parse_leave(struct parser *p)
{
    p->depth--;
}

void *
parse_alloc(struct parser *p, size_t size)
{
    void *memory = arena_alloc(&p->mapping->arena, size);
    if (!memory)
        err_nomem(p->err);
    return memory;
}

struct mapping_node *
parse_new_node(struct parser *p, enum mapping_head head)
{
    struct mapping_node *node = parse_alloc(p, sizeof *node);
    if (!node)
        return NULL;
    node->head = head;
    node->range = node->head_range = parse_token(p)->range;
    return node;
}
