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
    size_t failed_at;              /* where the text was refused; 0 before */
    struct gql_comment **comments; /* where the next comment is put; NULL: they are not kept */
    struct gantry_error **err;
};

struct gql_comment {
    struct gql_comment *next;
    size_t at;
    struct str text; /* from '#' to the end of the line */
    bool trails;     /* something stands before it on its line */
};

/* Is it a name (section 2.1.9)? */
bool gql_is_name(struct str s);
/* Check the characters of the whole text (section 2.1.1): UTF-8, without control characters. */
MUST_CHECK int gql_lexer_check_text(struct gql_lexer *lexer);
MUST_CHECK int gql_lexer_next(struct gql_lexer *lexer, struct gql_token *token);
const char *gql_token_word(enum gql_token_kind kind);
/* Make the error "GraphQL, line 1, column 2: what"; returns GANTRY_E_INVALID. */
int gql_fail_at(struct gql_lexer *lexer, size_t at, const char *what);

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
    size_t at, name_at;
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
    size_t name_at, type_at, brace_at, brace_end;
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
    size_t name_at, type_at, brace_at, brace_end;
    enum gql_operation_kind operation; /* where it is no fragment */
    struct str name;                   /* STR_NONE for an anonymous operation */
    struct str type;                   /* of a fragment */
    struct gql_variable *variables;
    struct gql_directive *directives;
    struct gql_selection *selections;
};

/* A name that stands for a type: an interface that is implemented, a member of a union; and the
 * location of a directive. */
struct gql_name {
    struct gql_name *next;
    size_t at;
    struct str name;
};

/* What stands on a line of its own in a type: a field, an argument, a field of an input type, the value
 * of an enum, an operation of the schema. */
struct gql_member {
    struct gql_member *next;
    size_t at, name_at; /* at: of the description, where there is one */
    struct gql_value *description;
    struct str name;
    struct gql_member *arguments;
    size_t arguments_end; /* of their ')' */
    struct gql_type *type;
    struct gql_value *default_value;
    struct gql_directive *directives;
};

enum gql_kind {
    GQL_SCHEMA,
    GQL_SCALAR,
    GQL_OBJECT,
    GQL_INTERFACE,
    GQL_UNION,
    GQL_ENUM,
    GQL_INPUT,
    GQL_DIRECTIVE,
};

/* A definition of the schema language, or an extension of one. */
struct gql_system {
    struct gql_system *next;
    enum gql_kind kind;
    bool is_extension, is_repeatable, has_braces;
    size_t at, word_at, name_at, brace_end; /* word_at: behind the description */
    struct gql_value *description;
    struct str name;
    struct gql_name *names; /* interfaces, members of a union, locations of a directive */
    struct gql_directive *directives;
    struct gql_member *members; /* a directive: its arguments */
};

struct gql_document {
    struct arena arena;
    struct str text; /* a copy in the arena; names are views of it */
    struct gql_definition *definitions;
    struct gql_system *systems;
    struct gql_comment *comments;
};

/* What a text may have in it. */
enum gql_language { GQL_EXECUTABLE, GQL_ALL };
/* Parse either language, or both.  failed_at: may be NULL; where the text was refused.  Comments are kept
 * for GQL_ALL.  Everything else as gql_parse. */
MUST_CHECK int gql_parse_all(struct str text, const struct gql_limits *limits,
                             enum gql_language language, struct gql_document **out,
                             size_t *failed_at, struct gantry_error **err);

/* Bytes of a text, from start up to, not including, end. */
struct gql_span {
    size_t start, end;
};
/* What a byte of a string's meaning is written as: an escape counts as one, a line end of a block string too.  text: of
 * the document.  Behind the last byte the span is empty. */
struct gql_span gql_string_span(struct str text, const struct gql_value *string, size_t offset);
/* The same of each byte: spans has string->text.len of them. */
void gql_string_spans(struct str text, const struct gql_value *string, struct gql_span *spans);

struct gql_parser {
    struct gql_lexer lexer;
    struct gql_token token; /* the next one, not yet taken */
    size_t depth, max_depth;
    enum gql_language language;
};

/* What the two halves of the parser share: parse.c has definitions and selections, parse_value.c
 * values, types, arguments and directives. */
MUST_CHECK int gql_parser_take(struct gql_parser *p, enum gql_token_kind kind,
                               struct gql_token *out);
MUST_CHECK int gql_parser_skip(struct gql_parser *p, enum gql_token_kind kind);
MUST_CHECK int gql_parser_enter(struct gql_parser *p);
void gql_parser_leave(struct gql_parser *p);
int gql_parser_expected(struct gql_parser *p, const char *what);
int gql_parser_nomem(const struct gql_parser *p);
bool gql_parser_is_word(const struct gql_parser *p, const char *word);
/* Is the next token the beginning of a definition of the schema language? */
bool gql_is_system(const struct gql_parser *p);
MUST_CHECK int gql_parse_system(struct gql_parser *p, struct gql_system *out);
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
