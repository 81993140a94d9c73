/* mapping_expr.c - parses expressions: literals, paths and their steps. */
#include "mapping_parser.h"

#include <math.h>

static int
parse_sequence(struct parser *p, enum token_kind close, const char *what,
               struct mapping_node **first, size_t *count)
{
    while (!parse_is(p, close)) {
        int rc = parse_expression(p, first);
        if (rc < 0)
            return rc;
        first = &(*first)->next;
        ++*count;
        if (parse_is(p, TOKEN_COMMA))
            parse_skip(p);
        else if (!parse_is(p, close))
            return parse_expected(p, what);
    }
    parse_skip(p);
    return 0;
}

static int
parse_method(struct parser *p, struct mapping_step *step)
{
    step->kind = STEP_METHOD;
    if (!parse_is(p, TOKEN_IDENTIFIER))
        return parse_expected(p, "the name of a method behind '->'");
    step->name = parse_token(p)->text;
    step->method = method_find(step->name);
    step->arrow = str_of(arena_fmt(&p->mapping->arena, "->%.*s", STR_ARG(step->name)));
    if (!step->arrow.ptr)
        return err_nomem(p->err);
    parse_skip(p);
    if (!parse_is(p, TOKEN_OPEN_PAREN))
        return 0;
    step->has_parens = true;
    parse_skip(p);
    return parse_sequence(p, TOKEN_CLOSE_PAREN, "',' or ')' behind an argument", &step->arguments,
                          &step->argument_count);
}

static int
parse_key_step(struct parser *p, struct mapping_step *step)
{
    step->kind = STEP_KEY;
    if (!parse_is(p, TOKEN_IDENTIFIER) && !parse_is(p, TOKEN_STRING))
        return parse_expected(p, "a key behind '.'");
    step->name = parse_token(p)->text;
    step->number = p->mapping->key_count++;
    parse_skip(p);
    if (!parse_is(p, TOKEN_OPEN_PAREN))
        return 0;
    const char *meant = method_nearest(step->name);
    AUTO_BUF struct buf hint = BUF_INIT(200);
    buf_add_fmt(&hint, "a method is called by '->', as in ->%s(...)", meant ? meant : "map");
    if (buf_failed(&hint))
        return err_nomem(p->err);
    return parse_refused(p, parse_token(p)->range, "a key takes no arguments", buf_text(&hint));
}

static int
parse_optional(struct parser *p, bool *optional)
{
    if (!parse_is(p, TOKEN_QUESTION) || p->mapping->version < MAPPING_V3)
        return 0;
    *optional = true;
    parse_skip(p);
    if (parse_is(p, TOKEN_QUESTION))
        return parse_refused(p, parse_token(p)->range, "one '?' is enough", NULL);
    return 0;
}

int
parse_tail(struct parser *p, struct mapping_node *node)
{
    struct mapping_step **next = &node->steps;
    int rc = parse_optional(p, &node->optional);
    while (rc == 0 && (parse_is(p, TOKEN_DOT) || parse_is(p, TOKEN_ARROW))) {
        struct mapping_step *step = parse_alloc(p, sizeof *step);
        if (!step)
            return GANTRY_E_NOMEM;
        bool method = parse_is(p, TOKEN_ARROW);
        step->range.start = parse_token(p)->range.start;
        parse_skip(p);
        rc = method ? parse_method(p, step) : parse_key_step(p, step);
        if (rc < 0)
            return rc;
        rc = parse_optional(p, &step->optional);
        step->range.end = p->lexer.last_end;
        *next = step;
        next = &step->next;
    }
    if (rc == 0 && parse_is(p, TOKEN_OPEN_BRACE))
        rc = parse_braces(p, false, &node->braces);
    node->range.end = p->lexer.last_end;
    return rc;
}

/* `$( inner )`: the token is "$(". */
static int
parse_parens(struct parser *p, struct mapping_node *node)
{
    node->head = HEAD_EXPRESSION;
    parse_skip(p);
    int rc = parse_expression(p, &node->inner);
    if (rc < 0)
        return rc;
    if (!parse_is(p, TOKEN_CLOSE_PAREN))
        return parse_expected(p, "')'");
    parse_skip(p);
    return 0;
}

static int
parse_head(struct parser *p, struct mapping_node *node)
{
    const struct token *t = parse_token(p);
    if (t->kind == TOKEN_DOLLAR_OPEN) {
        int rc = parse_parens(p, node);
        node->head_range.end = p->lexer.last_end;
        return rc;
    }
    node->name = t->text;
    if (t->kind == TOKEN_DOLLAR) {
        node->head = HEAD_DOLLAR;
    } else if (t->kind == TOKEN_AT) {
        node->head = HEAD_AT;
    } else if (t->kind == TOKEN_VARIABLE) {
        node->head = HEAD_VARIABLE;
    } else if (t->kind == TOKEN_IDENTIFIER || t->kind == TOKEN_STRING) {
        node->head = HEAD_KEY;
        node->number = p->mapping->key_count++;
    } else if (t->kind == TOKEN_NUMBER || t->kind == TOKEN_OPEN_BRACKET) {
        return parse_refused(p, t->range, "expected a key, '$', '@' or '$('",
                             "a literal stands in $( ) before connect v0.4");
    } else {
        return parse_expected(p, "a key, '$', '@' or '$('");
    }
    parse_skip(p);
    return 0;
}

int
parse_path(struct parser *p, struct mapping_node **out)
{
    struct mapping_node *node = parse_new_node(p, HEAD_KEY);
    if (!node)
        return GANTRY_E_NOMEM;
    int rc = parse_head(p, node);
    if (rc == 0)
        rc = parse_tail(p, node);
    *out = node;
    return rc;
}

/* The value of a number token, with the minus before it or not. */
static int
parse_number(struct parser *p, struct mapping_node *node, bool negative)
{
    struct str text = parse_token(p)->text;
    bool has_point = memchr(text.ptr, '.', text.len) != NULL;
    uint64_t magnitude;
    if (!has_point && str_to_uint64(text, &magnitude) && !(negative && magnitude == 0) &&
        !(negative && magnitude > (uint64_t)INT64_MAX + 1)) {
        node->literal = value_new_integer(&p->mapping->arena, negative, magnitude);
    } else {
        char *copy = arena_fmt(&p->mapping->arena, "%s0%.*s", negative ? "-" : "", STR_ARG(text));
        double real = copy ? text_to_double(copy) : 0;
        if (copy && isinf(real))
            return parse_refused(p, parse_token(p)->range, "this number is too large", NULL);
        node->literal = copy ? value_new_double(&p->mapping->arena, real) : NULL;
    }
    if (!node->literal)
        return err_nomem(p->err);
    parse_skip(p);
    return 0;
}

static int
parse_word(struct parser *p, struct mapping_node *node, bool *is_word)
{
    struct str word = parse_token(p)->text;
    struct arena *a = &p->mapping->arena;
    *is_word = true;
    if (str_eq(word, STR("null")))
        node->literal = value_new_null(a);
    else if (str_eq(word, STR("true")) || str_eq(word, STR("false")))
        node->literal = value_new_bool(a, word.len == 4);
    else
        *is_word = false;
    if (!*is_word)
        return 0;
    if (!node->literal)
        return err_nomem(p->err);
    parse_skip(p);
    return 0;
}

/* What stands only in expressions.  *is_literal: false when it is a path. */
static int
parse_literal(struct parser *p, struct mapping_node *node, bool *is_literal)
{
    const struct token *t = parse_token(p);
    size_t count = 0;
    *is_literal = true;
    node->head = HEAD_LITERAL;
    if (t->kind == TOKEN_STRING) {
        node->literal = value_new_string(&p->mapping->arena, t->text);
        parse_skip(p);
        return node->literal ? 0 : err_nomem(p->err);
    }
    if (t->kind == TOKEN_NUMBER)
        return parse_number(p, node, false);
    if (t->kind == TOKEN_MINUS) {
        parse_skip(p);
        return parse_is(p, TOKEN_NUMBER) ? parse_number(p, node, true)
                                         : parse_expected(p, "a number behind '-'");
    }
    if (t->kind == TOKEN_OPEN_BRACKET) {
        node->head = HEAD_ARRAY;
        parse_skip(p);
        return parse_sequence(p, TOKEN_CLOSE_BRACKET, "',' or ']' behind an element", &node->inner,
                              &count);
    }
    if (t->kind == TOKEN_OPEN_BRACE) {
        node->head = HEAD_OBJECT;
        return parse_braces(p, true, &node->items);
    }
    if (t->kind == TOKEN_IDENTIFIER)
        return parse_word(p, node, is_literal);
    *is_literal = false;
    return 0;
}

static int
parse_operand(struct parser *p, struct mapping_node **out)
{
    struct mapping_node *node = parse_new_node(p, HEAD_LITERAL);
    bool is_literal;
    if (!node)
        return GANTRY_E_NOMEM;
    *out = node;
    int rc = parse_literal(p, node, &is_literal);
    if (rc == 0 && !is_literal) {
        if (!parse_is(p, TOKEN_IDENTIFIER) && !parse_is(p, TOKEN_DOLLAR) &&
            !parse_is(p, TOKEN_VARIABLE) && !parse_is(p, TOKEN_AT) &&
            !parse_is(p, TOKEN_DOLLAR_OPEN))
            return parse_expected(p, "a value: a literal, or a path");
        rc = parse_head(p, node);
        if (rc == 0 && node->head == HEAD_KEY && p->mapping->version < MAPPING_V3 &&
            !parse_is(p, TOKEN_DOT) && !parse_is(p, TOKEN_ARROW)) {
            struct str name = {node->name.ptr, MIN(node->name.len, (size_t)100)};
            AUTO_BUF struct buf hint = BUF_INIT(200);
            buf_add_fmt(&hint, "write $.%.*s%s (a lone key here needs connect v0.3)", STR_ARG(name),
                        name.len < node->name.len ? "..." : "");
            if (buf_failed(&hint))
                return err_nomem(p->err);
            return parse_refused(p, parse_token(p)->range, "expected '.' or '->' behind this key",
                                 buf_text(&hint));
        }
    }
    if (rc < 0)
        return rc;
    node->head_range.end = p->lexer.last_end;
    return parse_tail(p, node);
}

int
parse_chain(struct parser *p, struct mapping_node **node)
{
    enum token_kind joint = parse_token(p)->kind;
    if ((joint != TOKEN_COALESCE && joint != TOKEN_PRESENT) || p->mapping->version < MAPPING_V3)
        return 0;
    struct mapping_node *chain = parse_new_node(p, HEAD_COALESCE), **next;
    if (!chain)
        return GANTRY_E_NOMEM;
    chain->head = joint == TOKEN_COALESCE ? HEAD_COALESCE : HEAD_PRESENT;
    chain->range.start = chain->head_range.start = (*node)->range.start;
    chain->inner = *node;
    next = &chain->inner->next;
    *node = chain;
    while (parse_is(p, joint)) {
        parse_skip(p);
        int rc = parse_operand(p, next);
        if (rc < 0)
            return rc;
        next = &(*next)->next;
    }
    chain->range.end = chain->head_range.end = p->lexer.last_end;
    if (parse_is(p, TOKEN_COALESCE) || parse_is(p, TOKEN_PRESENT))
        return parse_refused(p, parse_token(p)->range, "all operators of one chain are the same",
                             "put the inner one into $( )");
    return 0;
}

int
parse_expression(struct parser *p, struct mapping_node **out)
{
    int rc = parse_enter(p);
    if (rc == 0)
        rc = parse_operand(p, out);
    if (rc == 0)
        rc = parse_chain(p, out);
    parse_leave(p);
    return rc;
}
