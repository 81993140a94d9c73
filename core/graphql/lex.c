/* lex.c - text to tokens (section 2.1 of the specification). */
#include "graphql_internal.h"

#include "err.h"

const char *
gql_token_word(enum gql_token_kind kind)
{
#define WORD_(name, word)                                                                          \
    case GQL_TOKEN_##name:                                                                         \
        return word;
    switch (kind) {
        GQL_TOKENS(WORD_)
    }
#undef WORD_
    return "an unknown token";
}

int
gql_fail_at(struct gql_lexer *lexer, size_t at, const char *what)
{
    size_t line, column;
    lexer->failed_at = at;
    str_position(lexer->text, at, &line, &column);
    return err_set(lexer->err, GANTRY_E_INVALID, "GraphQL, line %zu, column %zu: %s", line, column,
                   what);
}

int
gql_lexer_check_text(struct gql_lexer *lexer)
{
    size_t valid = str_utf8_valid_length(lexer->text);
    for (size_t i = 0; i < valid; i++) {
        unsigned char c = (unsigned char)lexer->text.ptr[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return gql_fail_at(lexer, i, "control character; in a string, write it as an escape");
    }
    if (valid < lexer->text.len)
        return gql_fail_at(lexer, valid, "this byte is not UTF-8");
    return 0;
}

/* The character i places ahead, or NUL behind the end (no NUL is in the text). */
static char
ahead(const struct gql_lexer *lexer, size_t i)
{
    return lexer->text.len - lexer->at > i ? lexer->text.ptr[lexer->at + i] : '\0';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static struct str
rest_of(const struct gql_lexer *lexer)
{
    return (struct str){lexer->text.ptr + lexer->at, lexer->text.len - lexer->at};
}

static int
skip_comment(struct gql_lexer *lexer)
{
    size_t start = lexer->at;
    while (ahead(lexer, 0) && ahead(lexer, 0) != '\n' && ahead(lexer, 0) != '\r')
        lexer->at++;
    if (!lexer->comments)
        return 0;
    struct gql_comment *comment = arena_alloc(lexer->arena, sizeof *comment);
    if (!comment)
        return err_nomem(lexer->err);
    comment->at = start;
    comment->text = str_trim((struct str){lexer->text.ptr + start, lexer->at - start});
    while (start && strchr(" \t,", lexer->text.ptr[start - 1]))
        start--;
    comment->trails = start && !strchr("\r\n", lexer->text.ptr[start - 1]);
    *lexer->comments = comment;
    lexer->comments = &comment->next;
    return 0;
}

/* White space, line ends, commas, comments and byte order marks mean nothing (section 2.1). */
static int
skip_ignored(struct gql_lexer *lexer)
{
    for (;;) {
        char c = ahead(lexer, 0);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',') {
            lexer->at++;
        } else if (c == '#') {
            int rc = skip_comment(lexer);
            if (rc < 0)
                return rc;
        } else if (c == '\xef' && str_starts_with(rest_of(lexer), STR("\xef\xbb\xbf"))) {
            lexer->at += 3;
        } else {
            return 0;
        }
    }
}

static void
skip_digits(struct gql_lexer *lexer)
{
    while (is_digit(ahead(lexer, 0)))
        lexer->at++;
}

static int
lex_number(struct gql_lexer *lexer, struct gql_token *token)
{
    token->kind = GQL_TOKEN_INT;
    if (ahead(lexer, 0) == '-')
        lexer->at++;
    if (!is_digit(ahead(lexer, 0)))
        return gql_fail_at(lexer, lexer->at, "a digit is missing behind '-'");
    if (ahead(lexer, 0) == '0' && is_digit(ahead(lexer, 1)))
        return gql_fail_at(lexer, lexer->at + 1, "a number does not begin with 0");
    skip_digits(lexer);
    if (ahead(lexer, 0) == '.') {
        token->kind = GQL_TOKEN_FLOAT;
        lexer->at++;
        if (!is_digit(ahead(lexer, 0)))
            return gql_fail_at(lexer, lexer->at, "a digit is missing behind '.'");
        skip_digits(lexer);
    }
    if (ahead(lexer, 0) == 'e' || ahead(lexer, 0) == 'E') {
        token->kind = GQL_TOKEN_FLOAT;
        lexer->at++;
        if (ahead(lexer, 0) == '+' || ahead(lexer, 0) == '-')
            lexer->at++;
        if (!is_digit(ahead(lexer, 0)))
            return gql_fail_at(lexer, lexer->at, "a digit is missing in the exponent");
        skip_digits(lexer);
    }
    if (is_name_start(ahead(lexer, 0)) || ahead(lexer, 0) == '.')
        return gql_fail_at(lexer, lexer->at, "a number must end before a letter or a point");
    token->text = (struct str){lexer->text.ptr + token->at, lexer->at - token->at};
    return 0;
}

static int
lex_string(struct gql_lexer *lexer, struct gql_token *token)
{
    token->kind = GQL_TOKEN_STRING;
    size_t start = ++lexer->at;
    for (;;) {
        char c = ahead(lexer, 0);
        if (c == '"')
            break;
        if (c == '\0' || c == '\n' || c == '\r')
            return gql_fail_at(lexer, lexer->at, "the string that began before is not closed");
        lexer->at += c == '\\' && ahead(lexer, 1) ? 2 : 1;
    }
    struct str raw = {lexer->text.ptr + start, lexer->at - start};
    lexer->at++;
    return gql_string_meaning(lexer, start, raw, &token->text);
}

static int
lex_block_string(struct gql_lexer *lexer, struct gql_token *token)
{
    token->kind = GQL_TOKEN_BLOCK_STRING;
    lexer->at += 3;
    size_t start = lexer->at;
    while (!str_starts_with(rest_of(lexer), STR("\"\"\""))) {
        if (!ahead(lexer, 0))
            return gql_fail_at(lexer, lexer->at,
                               "the block string that began before is not closed");
        bool escape = str_starts_with(rest_of(lexer), STR("\\\"\"\""));
        lexer->at += escape ? 4 : 1;
    }
    struct str raw = {lexer->text.ptr + start, lexer->at - start};
    lexer->at += 3;
    return gql_block_meaning(lexer, raw, &token->text);
}

static int
lex_punctuator(struct gql_lexer *lexer, struct gql_token *token)
{
    static const struct {
        char c;
        enum gql_token_kind kind;
    } table[] = {
        {'!', GQL_TOKEN_BANG},          {'$', GQL_TOKEN_DOLLAR},
        {'&', GQL_TOKEN_AMPERSAND},     {'(', GQL_TOKEN_PAREN_LEFT},
        {')', GQL_TOKEN_PAREN_RIGHT},   {':', GQL_TOKEN_COLON},
        {'=', GQL_TOKEN_EQUALS},        {'@', GQL_TOKEN_AT},
        {'{', GQL_TOKEN_BRACE_LEFT},    {'[', GQL_TOKEN_BRACKET_LEFT},
        {']', GQL_TOKEN_BRACKET_RIGHT}, {'|', GQL_TOKEN_PIPE},
        {'}', GQL_TOKEN_BRACE_RIGHT},
    };
    if (str_starts_with(rest_of(lexer), STR("..."))) {
        token->kind = GQL_TOKEN_SPREAD;
        lexer->at += 3;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        if (table[i].c == ahead(lexer, 0)) {
            token->kind = table[i].kind;
            lexer->at++;
            return 0;
        }
    }
    return gql_fail_at(lexer, lexer->at, "GraphQL has no use for this character here");
}

int
gql_lexer_next(struct gql_lexer *lexer, struct gql_token *token)
{
    int rc = skip_ignored(lexer);
    if (rc < 0)
        return rc;
    *token = (struct gql_token){GQL_TOKEN_END, lexer->at, STR_NONE};
    char c = ahead(lexer, 0);
    if (c == '\0')
        return 0;
    if (++lexer->tokens > lexer->max_tokens)
        return gql_fail_at(lexer, lexer->at, "the document has more tokens than the limit");
    if (is_name_start(c)) {
        token->kind = GQL_TOKEN_NAME;
        while (is_name_start(ahead(lexer, 0)) || is_digit(ahead(lexer, 0)))
            lexer->at++;
        token->text = (struct str){lexer->text.ptr + token->at, lexer->at - token->at};
        return 0;
    }
    if (c == '-' || is_digit(c))
        return lex_number(lexer, token);
    if (c == '"')
        return str_starts_with(rest_of(lexer), STR("\"\"\"")) ? lex_block_string(lexer, token)
                                                              : lex_string(lexer, token);
    return lex_punctuator(lexer, token);
}
