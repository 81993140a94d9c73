/* mapping_lex.c - text to tokens.  One is looked at; comments are put aside for the printer. */
#include "mapping_lex.h"

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The character so far behind the token's start, or NUL. */
static char
char_at(const struct lexer *l, size_t at)
{
    return at < l->mapping->text.len ? l->mapping->text.ptr[at] : '\0';
}

static size_t
identifier_end(const struct lexer *l, size_t at)
{
    while (is_letter(char_at(l, at)) || is_digit(char_at(l, at)))
        at++;
    return at;
}

bool
lex_is_identifier(struct str s)
{
    if (s.len == 0 || !is_letter(s.ptr[0]))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!is_letter(s.ptr[i]) && !is_digit(s.ptr[i]))
            return false;
    return true;
}

static void
keep_comment(struct lexer *l, struct mapping_range range)
{
    struct mapping_comment *comment = arena_alloc(&l->mapping->arena, sizeof *comment);
    if (!comment) {
        l->out_of_memory = true;
        return;
    }
    comment->range = range;
    comment->trails = l->last_end > 0;
    for (size_t at = range.start; at > l->last_end && comment->trails; at--)
        comment->trails = char_at(l, at - 1) != '\n';
    *l->next_comment = comment;
    l->next_comment = &comment->next;
}

/* Skip blanks and comments.  Returns where the next token begins. */
static size_t
skip_blanks(struct lexer *l, size_t at)
{
    for (;; at++) {
        char c = char_at(l, at);
        if (c == '#') {
            size_t end = at;
            while (end < l->mapping->text.len && char_at(l, end) != '\n')
                end++;
            keep_comment(l, (struct mapping_range){at, end});
            at = end;
            c = char_at(l, at);
        }
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return at;
    }
}

static void
bad(struct token *t, size_t at, const char *why)
{
    t->kind = TOKEN_BAD;
    t->range.start = t->range.end = at;
    t->bad = why;
}

/* A string: the closing quote is found first, so that the copy has its size. */
static void
lex_string(struct lexer *l, struct token *t)
{
    char quote = char_at(l, t->range.start);
    size_t size = l->mapping->text.len, at = t->range.start + 1;
    bool has_escape = false;
    for (; at < size && char_at(l, at) != quote; at++)
        if (char_at(l, at) == '\\') {
            has_escape = true;
            at++;
        }
    if (at >= size) {
        bad(t, t->range.start, "the text ends inside this string");
        return;
    }
    t->kind = TOKEN_STRING;
    t->range.end = at + 1;
    t->text = (struct str){l->mapping->text.ptr + t->range.start + 1, at - t->range.start - 1};
    if (!has_escape)
        return;
    char *to = arena_alloc(&l->mapping->arena, t->text.len);
    if (!to) {
        l->out_of_memory = true;
        return;
    }
    size_t written = 0;
    for (size_t i = 0; i < t->text.len; i++) {
        char c = t->text.ptr[i];
        if (c == '\\') {
            c = t->text.ptr[++i];
            c = c == 'n' ? '\n' : c;
        }
        to[written++] = c;
    }
    t->text = (struct str){to, written};
}

/* Digits with a point among, before or behind them; all together. */
static void
lex_number(struct lexer *l, struct token *t)
{
    size_t at = t->range.start;
    while (is_digit(char_at(l, at)))
        at++;
    if (char_at(l, at) == '.') {
        at++;
        while (is_digit(char_at(l, at)))
            at++;
    }
    if (is_letter(char_at(l, at))) {
        bad(t, at, "a number ends at this letter; there are no exponents and no units");
        return;
    }
    t->kind = TOKEN_NUMBER;
    t->range.end = at;
    t->text = (struct str){l->mapping->text.ptr + t->range.start, at - t->range.start};
}

static void
lex_dollar(struct lexer *l, struct token *t)
{
    size_t start = t->range.start;
    t->kind = TOKEN_DOLLAR;
    t->range.end = start + 1;
    if (char_at(l, start + 1) == '(') {
        t->kind = TOKEN_DOLLAR_OPEN;
        t->range.end = start + 2;
    } else if (is_letter(char_at(l, start + 1))) {
        t->kind = TOKEN_VARIABLE;
        t->range.end = identifier_end(l, start + 1);
        t->text = (struct str){l->mapping->text.ptr + start, t->range.end - start};
    }
}

struct sign {
    const char *text;
    enum token_kind kind;
};

/* The longer of two that begin alike comes first. */
static const struct sign signs[] = {
    {"...", TOKEN_SPREAD},     {"->", TOKEN_ARROW},      {"??", TOKEN_COALESCE},
    {"?!", TOKEN_PRESENT},     {"?", TOKEN_QUESTION},    {"-", TOKEN_MINUS},
    {"@", TOKEN_AT},           {".", TOKEN_DOT},         {":", TOKEN_COLON},
    {",", TOKEN_COMMA},        {"(", TOKEN_OPEN_PAREN},  {")", TOKEN_CLOSE_PAREN},
    {"{", TOKEN_OPEN_BRACE},   {"}", TOKEN_CLOSE_BRACE}, {"[", TOKEN_OPEN_BRACKET},
    {"]", TOKEN_CLOSE_BRACKET}};

static void
lex_sign(struct lexer *l, struct token *t)
{
    struct str rest = {l->mapping->text.ptr + t->range.start,
                       l->mapping->text.len - t->range.start};
    for (size_t i = 0; i < ARRAY_LENGTH(signs); i++)
        if (str_starts_with(rest, str_of(signs[i].text))) {
            t->kind = signs[i].kind;
            t->range.end = t->range.start + strlen(signs[i].text);
            return;
        }
    bool is_operator = rest.ptr[0] && strchr("+*/%=<>!&|", rest.ptr[0]);
    bad(t, t->range.start,
        is_operator ? "this is no operator here; write a method, such as ->add, ->eq or ->and"
                    : "no part of a mapping begins with this character");
}

void
lex_advance(struct lexer *l)
{
    struct token *t = &l->token;
    size_t from = t->range.end;
    l->last_end = from;
    *t = (struct token){.kind = TOKEN_END};
    size_t at = skip_blanks(l, from);
    t->range = (struct mapping_range){at, at};
    char c = char_at(l, at);
    if (at >= l->mapping->text.len)
        return;
    if (is_letter(c)) {
        t->kind = TOKEN_IDENTIFIER;
        t->range.end = identifier_end(l, at);
        t->text = (struct str){l->mapping->text.ptr + at, t->range.end - at};
    } else if (c == '"' || c == '\'') {
        lex_string(l, t);
    } else if (is_digit(c) || (c == '.' && is_digit(char_at(l, at + 1)))) {
        lex_number(l, t);
    } else if (c == '$') {
        lex_dollar(l, t);
    } else {
        lex_sign(l, t);
    }
}

void
lex_init(struct lexer *l, struct mapping *m)
{
    *l = (struct lexer){.mapping = m, .next_comment = &m->comments};
    lex_advance(l);
}
