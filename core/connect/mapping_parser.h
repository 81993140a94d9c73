/* mapping_parser.h - what the files of the parser share.
 *
 *   mapping_parse.c  the whole text, lists of items        calls  mapping_expr.c
 *   mapping_expr.c   expressions: literals, paths, steps   calls  parse_braces() for what is in braces
 *   mapping_fault.c  what is said when it cannot go on */
#ifndef CONNECT_MAPPING_PARSER_H
#define CONNECT_MAPPING_PARSER_H

#include "err.h"
#include "mapping_lex.h"

struct parser {
    struct lexer lexer;
    struct mapping *mapping;
    size_t depth;
    struct mapping_range *where; /* may be NULL */
    struct gantry_error **err;
};

/* Refuse the text at the token that is looked at, or, if that is no token, for what is wrong with
 * it.  Return the code. */
int parse_expected(struct parser *p, const char *what);
/* hint: what to do instead; may be NULL. */
int parse_refused(struct parser *p, struct mapping_range at, const char *what, const char *hint);
int parse_enter(struct parser *p); /* one deeper, or refused */
void parse_leave(struct parser *p);

static inline const struct token *
parse_token(const struct parser *p)
{
    return &p->lexer.token;
}

static inline bool
parse_is(const struct parser *p, enum token_kind kind)
{
    return p->lexer.token.kind == kind;
}

static inline void
parse_skip(struct parser *p)
{
    lex_advance(&p->lexer);
}

void *parse_alloc(struct parser *p, size_t size); /* NULL: *err is set */
struct mapping_node *parse_new_node(struct parser *p, enum mapping_head head);

/* In an expression: a literal, a path, or several with an operator between. */
int parse_expression(struct parser *p, struct mapping_node **out);
/* A path outside expressions: strings and words are keys. */
int parse_path(struct parser *p, struct mapping_node **out);
/* What may follow a head: a "?", steps, braces. */
int parse_tail(struct parser *p, struct mapping_node *node);
/* The operands that follow the first one, if any do; *node becomes the chain. */
int parse_chain(struct parser *p, struct mapping_node **node);
/* A list in braces; literal: an object literal, which has commas before v0.4. */
int parse_braces(struct parser *p, bool literal, struct mapping_list **out);

#endif
