/* parse_value.c - values, types, arguments and directives (sections 2.6, 2.9, 2.11 and 2.12). */
#include "graphql_internal.h"

static int
parse_variable(struct gql_parser *p, bool is_const, struct gql_value *out)
{
    if (is_const)
        return gql_fail_at(&p->lexer, p->token.at, "a variable cannot stand in a constant value");
    struct gql_token name;
    int rc = gql_parser_skip(p, GQL_TOKEN_DOLLAR);
    if (rc == 0)
        rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
    if (rc < 0)
        return rc;
    out->kind = GQL_VALUE_VARIABLE;
    out->text = name.text;
    return 0;
}

static int
parse_named(struct gql_parser *p, bool is_const, struct gql_argument **out)
{
    struct gql_token name;
    int rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
    if (rc == 0)
        rc = gql_parser_skip(p, GQL_TOKEN_COLON);
    if (rc < 0)
        return rc;
    struct gql_argument *argument = gql_parser_alloc(p, sizeof *argument);
    if (!argument)
        return gql_parser_nomem(p);
    argument->at = name.at;
    argument->name = name.text;
    *out = argument;
    return gql_parse_value(p, is_const, &argument->value);
}

static int
parse_element(struct gql_parser *p, bool is_const, struct gql_argument **out)
{
    struct gql_argument *element = gql_parser_alloc(p, sizeof *element);
    if (!element)
        return gql_parser_nomem(p);
    element->at = p->token.at;
    *out = element;
    return gql_parse_value(p, is_const, &element->value);
}

/* A list or an object, whose brackets are the only difference in form. */
static int
parse_container(struct gql_parser *p, bool is_const, struct gql_value *out)
{
    bool list = p->token.kind == GQL_TOKEN_BRACKET_LEFT;
    enum gql_token_kind close = list ? GQL_TOKEN_BRACKET_RIGHT : GQL_TOKEN_BRACE_RIGHT;
    struct gql_argument **tail = &out->elements;
    out->kind = list ? GQL_VALUE_LIST : GQL_VALUE_OBJECT;
    int rc = gql_parser_enter(p);
    if (rc == 0)
        rc = gql_parser_skip(p, p->token.kind);
    while (rc == 0 && p->token.kind != close) {
        rc = list ? parse_element(p, is_const, tail) : parse_named(p, is_const, tail);
        if (rc == 0)
            tail = &(*tail)->next;
    }
    if (rc < 0)
        return rc;
    gql_parser_leave(p);
    return gql_parser_skip(p, close);
}

static enum gql_value_kind
kind_of_name(struct str name)
{
    if (str_eq(name, STR("true")) || str_eq(name, STR("false")))
        return GQL_VALUE_BOOLEAN;
    return str_eq(name, STR("null")) ? GQL_VALUE_NULL : GQL_VALUE_ENUM;
}

static int
parse_scalar(struct gql_parser *p, enum gql_value_kind kind, struct gql_value *out)
{
    out->kind = kind;
    out->text = p->token.text;
    return gql_parser_skip(p, p->token.kind);
}

int
gql_parse_value(struct gql_parser *p, bool is_const, struct gql_value *out)
{
    out->at = p->token.at;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum" /* of all tokens, these begin a value */
    switch (p->token.kind) {
    case GQL_TOKEN_DOLLAR:
        return parse_variable(p, is_const, out);
    case GQL_TOKEN_BRACKET_LEFT:
    case GQL_TOKEN_BRACE_LEFT:
        return parse_container(p, is_const, out);
    case GQL_TOKEN_NAME:
        return parse_scalar(p, kind_of_name(p->token.text), out);
    case GQL_TOKEN_INT:
        return parse_scalar(p, GQL_VALUE_INT, out);
    case GQL_TOKEN_FLOAT:
        return parse_scalar(p, GQL_VALUE_FLOAT, out);
    case GQL_TOKEN_STRING:
        return parse_scalar(p, GQL_VALUE_STRING, out);
    case GQL_TOKEN_BLOCK_STRING:
        return parse_scalar(p, GQL_VALUE_BLOCK_STRING, out);
    default:
        return gql_parser_expected(p, "a value");
    }
#pragma GCC diagnostic pop
}

int
gql_parse_type(struct gql_parser *p, struct gql_type **out)
{
    struct gql_type *type = gql_parser_alloc(p, sizeof *type);
    struct gql_token name = {GQL_TOKEN_END, 0, STR_NONE};
    if (!type)
        return gql_parser_nomem(p);
    type->at = p->token.at;
    int rc;
    if (p->token.kind == GQL_TOKEN_BRACKET_LEFT) {
        rc = gql_parser_enter(p);
        if (rc == 0)
            rc = gql_parser_skip(p, GQL_TOKEN_BRACKET_LEFT);
        if (rc == 0)
            rc = gql_parse_type(p, &type->of);
        if (rc == 0)
            rc = gql_parser_skip(p, GQL_TOKEN_BRACKET_RIGHT);
        gql_parser_leave(p);
    } else if (p->token.kind == GQL_TOKEN_NAME) {
        rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
        type->name = name.text;
    } else {
        return gql_parser_expected(p, "a type");
    }
    type->required = rc == 0 && p->token.kind == GQL_TOKEN_BANG;
    if (type->required)
        rc = gql_parser_skip(p, GQL_TOKEN_BANG);
    *out = type;
    return rc;
}

int
gql_parse_arguments(struct gql_parser *p, bool is_const, struct gql_argument **out)
{
    if (p->token.kind != GQL_TOKEN_PAREN_LEFT)
        return 0;
    int rc = gql_parser_skip(p, GQL_TOKEN_PAREN_LEFT);
    do { /* at least one: empty parentheses are not in the grammar */
        if (rc == 0)
            rc = parse_named(p, is_const, out);
        if (rc < 0)
            return rc;
        out = &(*out)->next;
    } while (p->token.kind != GQL_TOKEN_PAREN_RIGHT);
    return gql_parser_skip(p, GQL_TOKEN_PAREN_RIGHT);
}

int
gql_parse_directives(struct gql_parser *p, bool is_const, struct gql_directive **out)
{
    while (p->token.kind == GQL_TOKEN_AT) {
        struct gql_directive *directive = gql_parser_alloc(p, sizeof *directive);
        struct gql_token name;
        if (!directive)
            return gql_parser_nomem(p);
        directive->at = p->token.at;
        int rc = gql_parser_skip(p, GQL_TOKEN_AT);
        if (rc == 0)
            rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
        if (rc < 0)
            return rc;
        directive->name = name.text;
        rc = gql_parse_arguments(p, is_const, &directive->arguments);
        if (rc < 0)
            return rc;
        *out = directive;
        out = &directive->next;
    }
    return 0;
}
