/* mapping_lex.h - the tokens of the mapping language. */
#ifndef CONNECT_MAPPING_LEX_H
#define CONNECT_MAPPING_LEX_H

#include "mapping_tree.h"

enum token_kind {
    TOKEN_END,
    TOKEN_BAD, /* no token: `bad` says why */
    TOKEN_IDENTIFIER,
    TOKEN_STRING,
    TOKEN_NUMBER, /* without its sign */
    TOKEN_MINUS,
    TOKEN_DOLLAR,
    TOKEN_VARIABLE,    /* $name */
    TOKEN_DOLLAR_OPEN, /* $( */
    TOKEN_AT,
    TOKEN_DOT,
    TOKEN_SPREAD,   /* ... */
    TOKEN_ARROW,    /* -> */
    TOKEN_QUESTION, /* ? */
    TOKEN_COALESCE, /* ?? */
    TOKEN_PRESENT,  /* ?! */
    TOKEN_COLON,
    TOKEN_COMMA,
    TOKEN_OPEN_PAREN,
    TOKEN_CLOSE_PAREN,
    TOKEN_OPEN_BRACE,
    TOKEN_CLOSE_BRACE,
    TOKEN_OPEN_BRACKET,
    TOKEN_CLOSE_BRACKET,
};

struct token {
    enum token_kind kind;
    struct mapping_range range;
    struct str text; /* identifier, variable with "$", number: as written; string: unescaped */
    const char *bad; /* static */
};

struct lexer {
    struct mapping *mapping;               /* gets comments and unescaped texts */
    struct mapping_comment **next_comment; /* where the next one is put */
    struct token token;                    /* the one that is looked at */
    size_t last_end;                       /* where the one before it ended */
    bool out_of_memory;                    /* a text or comment is lost: the parse fails */
};

void lex_init(struct lexer *l, struct mapping *m); /* looks at the first token */
void lex_advance(struct lexer *l);                 /* looks at the next */
bool lex_is_identifier(struct str s);

#endif
