/* graphql_internal.h - tokens, the parsed document, and what the files of this room share.
 *
 * Lists are singly linked in the order of the text; everything lives in the document's arena.  `at`
 * is the offset of a node's first character in the document's text, for positions in messages. */
#ifndef GRAPHQL_INTERNAL_H
#define GRAPHQL_INTERNAL_H

#include "arena.h"
#include "graphql.h"

/* kind, how a message calls it */
#define GQL_TOKENS(X)                                                                              \
    X(END, "the end of the text")                                                                  \
    X(BANG, "'!'")                                                                                 \
    X(DOLLAR, "'$'")                                                                               \
    X(AMPERSAND, "'&'")                                                                            \
    X(PAREN_LEFT, "'('")                                                                           \
    X(PAREN_RIGHT, "')'")                                                                          \
    X(SPREAD, "'...'")                                                                             \
    X(COLON, "':'")                                                                                \
    X(EQUALS, "'='")                                                                               \
    X(AT, "'@'")                                                                                   \
    X(BRACKET_LEFT, "'['")                                                                         \
    X(BRACKET_RIGHT, "']'")                                                                        \
    X(BRACE_LEFT, "'{'")                                                                           \
    X(PIPE, "'|'")                                                                                 \
    X(BRACE_RIGHT, "'}'")                                                                          \
    X(NAME, "a name")                                                                              \
    X(INT, "an integer")                                                                           \
    X(FLOAT, "a decimal number")                                                                   \
    X(STRING, "a string")                                                                          \
    X(BLOCK_STRING, "a block string")

#define GQL_TOKEN_ENUM_(kind, word) GQL_TOKEN_##kind,
enum gql_token_kind { GQL_TOKENS(GQL_TOKEN_ENUM_) };
#undef GQL_TOKEN_ENUM_

struct gql_token {
    enum gql_token_kind kind;
    size_t at;
    struct str text; /* name, number: as it stands; strings: the meaning */
};

struct gql_lexer {
    struct arena *arena; /* for the meaning of strings */
    struct str text;
    size_t at;
    size_t tokens, max_tokens;
    struct gantry_error **err;
};

/* Check the characters of the whole text (section 2.1.1): UTF-8, without control characters. */
MUST_CHECK int gql_lexer_check_text(const struct gql_lexer *lexer);
MUST_CHECK int gql_lexer_next(struct gql_lexer *lexer, struct gql_token *token);
const char *gql_token_word(enum gql_token_kind kind);
/* Make the error "GraphQL, line 1, column 2: what"; returns GANTRY_E_INVALID. */
int gql_fail_at(const struct gql_lexer *lexer, size_t at, const char *what);

/* The meaning of a string between its quotes; *out lives in the arena or is a view of raw. */
MUST_CHECK int gql_string_meaning(struct gql_lexer *lexer, size_t at, struct str raw,
                                  struct str *out);
/* The meaning of a block string between its triple quotes (BlockStringValue of section 2.9.4). */
MUST_CHECK int gql_block_meaning(struct gql_lexer *lexer, struct str raw, struct str *out);
/* Would text, written as a block string on lines of its own, mean itself? */
bool gql_is_block_printable(struct str text);

enum gql_value_kind {
    GQL_VALUE_VARIABLE,
    GQL_VALUE_INT,
    GQL_VALUE_FLOAT,
    GQL_VALUE_STRING,
    GQL_VALUE_BLOCK_STRING,
    GQL_VALUE_BOOLEAN,
    GQL_VALUE_NULL,
    GQL_VALUE_ENUM,
    GQL_VALUE_LIST,
    GQL_VALUE_OBJECT,
};

struct gql_value {
    enum gql_value_kind kind;
    size_t at;
    struct str text;               /* a variable's name, a spelling, or what a string means */
    struct gql_argument *elements; /* list: without names; object: its fields */
};

/* An argument, a field of an object value, or an element of a list value. */
struct gql_argument {
    struct gql_argument *next;
    size_t at;
    struct str name;
    struct gql_value value;
};

struct gql_directive {
    struct gql_directive *next;
    size_t at;
    struct str name;
    struct gql_argument *arguments;
};

struct gql_type {
    size_t at;
    bool required;       /* it ends in '!' */
    struct gql_type *of; /* a list's element type, or NULL */
    struct str name;     /* where it is no list */
};

struct gql_variable {
    struct gql_variable *next;
    size_t at;
    struct str name;
    struct gql_type *type;
    struct gql_value *default_value; /* or NULL */
    struct gql_directive *directives;
};

enum gql_selection_kind { GQL_FIELD, GQL_FRAGMENT_SPREAD, GQL_INLINE_FRAGMENT };

struct gql_selection {
    struct gql_selection *next;
    size_t at;
    enum gql_selection_kind kind;
    struct str name;  /* of the field or of the fragment that is spread */
    struct str alias; /* STR_NONE without one */
    struct str type;  /* of an inline fragment; STR_NONE without one */
    struct gql_argument *arguments;
    struct gql_directive *directives;
    struct gql_selection *selections; /* NULL: no braces */
};

struct gql_definition {
    struct gql_definition *next;
    size_t at;
    bool is_fragment;
    enum gql_operation_kind operation; /* where it is no fragment */
    struct str name;                   /* STR_NONE for an anonymous operation */
    struct str type;                   /* of a fragment */
    struct gql_variable *variables;
    struct gql_directive *directives;
    struct gql_selection *selections;
};

struct gql_document {
    struct arena arena;
    struct str text; /* a copy in the arena; names are views of it */
    struct gql_definition *definitions;
};

struct gql_parser {
    struct gql_lexer lexer;
    struct gql_token token; /* the next one, not yet taken */
    size_t depth, max_depth;
};

/* What the two halves of the parser share: parse.c has definitions and selections, parse_value.c
 * values, types, arguments and directives. */
MUST_CHECK int gql_parser_take(struct gql_parser *p, enum gql_token_kind kind,
                               struct gql_token *out);
MUST_CHECK int gql_parser_skip(struct gql_parser *p, enum gql_token_kind kind);
MUST_CHECK int gql_parser_enter(struct gql_parser *p);
void gql_parser_leave(struct gql_parser *p);
int gql_parser_expected(const struct gql_parser *p, const char *what);
int gql_parser_nomem(const struct gql_parser *p);
MUST_CHECK int gql_parse_value(struct gql_parser *p, bool is_const, struct gql_value *out);
MUST_CHECK int gql_parse_type(struct gql_parser *p, struct gql_type **out);
MUST_CHECK int gql_parse_arguments(struct gql_parser *p, bool is_const, struct gql_argument **out);
MUST_CHECK int gql_parse_directives(struct gql_parser *p, bool is_const,
                                    struct gql_directive **out);

static inline void *
gql_parser_alloc(const struct gql_parser *p, size_t size)
{
    return arena_alloc(p->lexer.arena, size);
}

#endif
