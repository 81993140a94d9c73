/* parse_system.c - the schema language: definitions of types, directives and the schema, and what
 * extends them (section 3 of the specification). */
#include "graphql_internal.h"

#include "err.h"

static const struct {
    const char *word;
    enum gql_kind kind;
} words[] = {
    {"schema", GQL_SCHEMA},       {"scalar", GQL_SCALAR},       {"type", GQL_OBJECT},
    {"interface", GQL_INTERFACE}, {"union", GQL_UNION},         {"enum", GQL_ENUM},
    {"input", GQL_INPUT},         {"directive", GQL_DIRECTIVE},
};

bool
gql_is_system(const struct gql_parser *p)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (gql_parser_is_word(p, words[i].word))
            return true;
    return gql_parser_is_word(p, "extend") || p->token.kind == GQL_TOKEN_STRING ||
           p->token.kind == GQL_TOKEN_BLOCK_STRING;
}

static int
parse_description(struct gql_parser *p, struct gql_value **out)
{
    if (p->token.kind != GQL_TOKEN_STRING && p->token.kind != GQL_TOKEN_BLOCK_STRING)
        return 0;
    *out = gql_parser_alloc(p, sizeof **out);
    return *out ? gql_parse_value(p, true, *out) : gql_parser_nomem(p);
}

static int
take_name(struct gql_parser *p, struct str *name, size_t *at)
{
    struct gql_token token;
    int rc = gql_parser_take(p, GQL_TOKEN_NAME, &token);
    if (rc < 0)
        return rc;
    *name = token.text;
    *at = token.at;
    return 0;
}

static int
skip_if(struct gql_parser *p, enum gql_token_kind kind)
{
    return p->token.kind == kind ? gql_parser_skip(p, kind) : 0;
}

/* "A & B", "A | B": the separator may stand before the first, too. */
static int
parse_names(struct gql_parser *p, enum gql_token_kind separator, struct gql_name **out)
{
    int rc = skip_if(p, separator);
    while (rc == 0) {
        *out = gql_parser_alloc(p, sizeof **out);
        if (!*out)
            return gql_parser_nomem(p);
        rc = take_name(p, &(*out)->name, &(*out)->at);
        if (rc < 0 || p->token.kind != separator)
            return rc;
        out = &(*out)->next;
        rc = gql_parser_skip(p, separator);
    }
    return rc;
}

static int
parse_default(struct gql_parser *p, struct gql_value **out)
{
    int rc = gql_parser_skip(p, GQL_TOKEN_EQUALS);
    if (rc < 0)
        return rc;
    *out = gql_parser_alloc(p, sizeof **out);
    return *out ? gql_parse_value(p, true, *out) : gql_parser_nomem(p);
}

/* What a member has behind its name is a matter of where it stands. */
enum member_form { FORM_FIELD, FORM_INPUT, FORM_VALUE, FORM_OPERATION };

static int parse_members(struct gql_parser *p, enum member_form form, enum gql_token_kind open,
                         enum gql_token_kind close, struct gql_member **out, size_t *end);

static int
parse_operation_type(struct gql_parser *p, struct gql_member *m)
{
    struct gql_token name;
    if (!gql_parser_is_word(p, "query") && !gql_parser_is_word(p, "mutation") &&
        !gql_parser_is_word(p, "subscription"))
        return gql_parser_expected(p, "query, mutation or subscription");
    int rc = take_name(p, &m->name, &m->name_at);
    if (rc == 0)
        rc = gql_parser_skip(p, GQL_TOKEN_COLON);
    if (rc < 0)
        return rc;
    m->type = gql_parser_alloc(p, sizeof *m->type);
    if (!m->type)
        return gql_parser_nomem(p);
    rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
    if (rc < 0)
        return rc;
    m->type->at = name.at;
    m->type->name = name.text;
    return 0;
}

static int
parse_enum_value(struct gql_parser *p, struct gql_member *m)
{
    if (gql_parser_is_word(p, "true") || gql_parser_is_word(p, "false") ||
        gql_parser_is_word(p, "null"))
        return gql_parser_expected(p, "a name other than true, false and null");
    int rc = take_name(p, &m->name, &m->name_at);
    return rc < 0 ? rc : gql_parse_directives(p, true, &m->directives);
}

static int
parse_member(struct gql_parser *p, enum member_form form, struct gql_member *m)
{
    m->at = p->token.at;
    if (form == FORM_OPERATION)
        return parse_operation_type(p, m);
    int rc = parse_description(p, &m->description);
    if (rc < 0)
        return rc;
    if (form == FORM_VALUE)
        return parse_enum_value(p, m);
    rc = take_name(p, &m->name, &m->name_at);
    if (rc == 0 && form == FORM_FIELD && p->token.kind == GQL_TOKEN_PAREN_LEFT)
        rc = parse_members(p, FORM_INPUT, GQL_TOKEN_PAREN_LEFT, GQL_TOKEN_PAREN_RIGHT,
                           &m->arguments, &m->arguments_end);
    if (rc == 0)
        rc = gql_parser_skip(p, GQL_TOKEN_COLON);
    if (rc == 0)
        rc = gql_parse_type(p, &m->type);
    if (rc == 0 && form == FORM_INPUT && p->token.kind == GQL_TOKEN_EQUALS)
        rc = parse_default(p, &m->default_value);
    return rc < 0 ? rc : gql_parse_directives(p, true, &m->directives);
}

static int
parse_members(struct gql_parser *p, enum member_form form, enum gql_token_kind open,
              enum gql_token_kind close, struct gql_member **out, size_t *end)
{
    int rc = gql_parser_skip(p, open);
    do { /* at least one: empty braces are not in the grammar */
        if (rc < 0)
            return rc;
        *out = gql_parser_alloc(p, sizeof **out);
        if (!*out)
            return gql_parser_nomem(p);
        rc = parse_member(p, form, *out);
        out = &(*out)->next;
    } while (rc < 0 || p->token.kind != close);
    *end = p->token.at;
    return gql_parser_skip(p, close);
}

static int
parse_block(struct gql_parser *p, enum member_form form, struct gql_system *s)
{
    if (p->token.kind != GQL_TOKEN_BRACE_LEFT)
        return 0;
    s->has_braces = true;
    return parse_members(p, form, GQL_TOKEN_BRACE_LEFT, GQL_TOKEN_BRACE_RIGHT, &s->members,
                         &s->brace_end);
}

static bool
is_location(struct str name)
{
    static const char *const all[] = {"QUERY",
                                      "MUTATION",
                                      "SUBSCRIPTION",
                                      "FIELD",
                                      "FRAGMENT_DEFINITION",
                                      "FRAGMENT_SPREAD",
                                      "INLINE_FRAGMENT",
                                      "VARIABLE_DEFINITION",
                                      "SCHEMA",
                                      "SCALAR",
                                      "OBJECT",
                                      "FIELD_DEFINITION",
                                      "ARGUMENT_DEFINITION",
                                      "INTERFACE",
                                      "UNION",
                                      "ENUM",
                                      "ENUM_VALUE",
                                      "INPUT_OBJECT",
                                      "INPUT_FIELD_DEFINITION"};
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++)
        if (str_eq(name, str_of(all[i])))
            return true;
    return false;
}

static int
parse_locations(struct gql_parser *p, struct gql_system *s)
{
    if (!gql_parser_is_word(p, "on"))
        return gql_parser_expected(p, "'on' and where the directive may stand");
    int rc = gql_parser_skip(p, GQL_TOKEN_NAME);
    struct gql_name **out = &s->names;
    if (rc == 0)
        rc = skip_if(p, GQL_TOKEN_PIPE);
    while (rc == 0) {
        if (p->token.kind == GQL_TOKEN_NAME && !is_location(p->token.text))
            return gql_parser_expected(p, "a place such as FIELD_DEFINITION or OBJECT");
        *out = gql_parser_alloc(p, sizeof **out);
        if (!*out)
            return gql_parser_nomem(p);
        rc = take_name(p, &(*out)->name, &(*out)->at);
        if (rc < 0 || p->token.kind != GQL_TOKEN_PIPE)
            return rc;
        out = &(*out)->next;
        rc = gql_parser_skip(p, GQL_TOKEN_PIPE);
    }
    return rc;
}

static int
parse_directive_definition(struct gql_parser *p, struct gql_system *s)
{
    int rc = gql_parser_skip(p, GQL_TOKEN_AT);
    if (rc == 0)
        rc = take_name(p, &s->name, &s->name_at);
    if (rc == 0 && p->token.kind == GQL_TOKEN_PAREN_LEFT)
        rc = parse_members(p, FORM_INPUT, GQL_TOKEN_PAREN_LEFT, GQL_TOKEN_PAREN_RIGHT, &s->members,
                           &s->brace_end);
    if (rc < 0)
        return rc;
    s->is_repeatable = gql_parser_is_word(p, "repeatable");
    if (s->is_repeatable)
        rc = gql_parser_skip(p, GQL_TOKEN_NAME);
    return rc < 0 ? rc : parse_locations(p, s);
}

static int
parse_interfaces(struct gql_parser *p, struct gql_system *s)
{
    if (!gql_parser_is_word(p, "implements"))
        return 0;
    int rc = gql_parser_skip(p, GQL_TOKEN_NAME);
    return rc < 0 ? rc : parse_names(p, GQL_TOKEN_AMPERSAND, &s->names);
}

static int
parse_union_members(struct gql_parser *p, struct gql_system *s)
{
    if (p->token.kind != GQL_TOKEN_EQUALS)
        return 0;
    int rc = gql_parser_skip(p, GQL_TOKEN_EQUALS);
    return rc < 0 ? rc : parse_names(p, GQL_TOKEN_PIPE, &s->names);
}

/* Behind the name and the directives. */
static int
parse_body(struct gql_parser *p, struct gql_system *s)
{
    switch (s->kind) {
    case GQL_SCHEMA:
        if (!s->is_extension && p->token.kind != GQL_TOKEN_BRACE_LEFT)
            return gql_parser_expected(p, "'{'");
        return parse_block(p, FORM_OPERATION, s);
    case GQL_OBJECT:
    case GQL_INTERFACE:
        return parse_block(p, FORM_FIELD, s);
    case GQL_UNION:
        return parse_union_members(p, s);
    case GQL_ENUM:
        return parse_block(p, FORM_VALUE, s);
    case GQL_INPUT:
        return parse_block(p, FORM_INPUT, s);
    case GQL_SCALAR:
    case GQL_DIRECTIVE:
        break;
    }
    return 0;
}

static int
parse_kind(struct gql_parser *p, struct gql_system *s)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (!gql_parser_is_word(p, words[i].word) ||
            (s->is_extension && words[i].kind == GQL_DIRECTIVE))
            continue;
        s->kind = words[i].kind;
        return gql_parser_skip(p, GQL_TOKEN_NAME);
    }
    return gql_parser_expected(p, "schema, scalar, type, interface, union, enum or input");
}

int
gql_parse_system(struct gql_parser *p, struct gql_system *s)
{
    s->at = p->token.at;
    int rc = parse_description(p, &s->description);
    s->word_at = p->token.at;
    s->is_extension = !s->description && gql_parser_is_word(p, "extend");
    if (rc == 0 && s->description &&
        (p->token.kind == GQL_TOKEN_BRACE_LEFT || gql_parser_is_word(p, "extend")))
        return gql_fail_at(&p->lexer, s->at, "a description cannot stand here");
    if (rc == 0 && s->is_extension)
        rc = gql_parser_skip(p, GQL_TOKEN_NAME);
    if (rc == 0)
        rc = parse_kind(p, s);
    if (rc == 0 && s->kind == GQL_DIRECTIVE)
        return parse_directive_definition(p, s);
    if (rc == 0 && s->kind != GQL_SCHEMA)
        rc = take_name(p, &s->name, &s->name_at);
    if (rc == 0 && (s->kind == GQL_OBJECT || s->kind == GQL_INTERFACE))
        rc = parse_interfaces(p, s);
    if (rc == 0)
        rc = gql_parse_directives(p, true, &s->directives);
    if (rc == 0)
        rc = parse_body(p, s);
    if (rc == 0 && s->is_extension && !s->names && !s->directives && !s->members)
        return gql_parser_expected(p, "what the extension adds");
    return rc;
}
