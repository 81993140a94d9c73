/* parse.c - executable documents: operations, fragments, selections (sections 2.2 to 2.10).
 *
 * Recursive descent; whatever can nest goes through gql_parser_enter, so its depth is limited. */
#include "graphql_internal.h"

#include "err.h"

enum { DEFAULT_BYTES = 1024 * 1024, DEFAULT_TOKENS = 32768, DEFAULT_DEPTH = 64 };

int
gql_parser_nomem(const struct gql_parser *p)
{
    return err_nomem(p->lexer.err);
}

int
gql_parser_expected(struct gql_parser *p, const char *what)
{
    size_t line, column;
    p->lexer.failed_at = p->token.at;
    const struct gql_token *found = &p->token;
    str_position(p->lexer.text, found->at, &line, &column);
    if (found->kind == GQL_TOKEN_NAME && found->text.len <= 64)
        return err_set(p->lexer.err, GANTRY_E_INVALID,
                       "GraphQL, line %zu, column %zu: expected %s, found '%.*s'", line, column,
                       what, STR_ARG(found->text));
    return err_set(p->lexer.err, GANTRY_E_INVALID,
                   "GraphQL, line %zu, column %zu: expected %s, found %s", line, column, what,
                   gql_token_word(found->kind));
}

int
gql_parser_take(struct gql_parser *p, enum gql_token_kind kind, struct gql_token *out)
{
    if (p->token.kind != kind)
        return gql_parser_expected(p, gql_token_word(kind));
    *out = p->token;
    return gql_lexer_next(&p->lexer, &p->token);
}

int
gql_parser_skip(struct gql_parser *p, enum gql_token_kind kind)
{
    struct gql_token skipped = {0};
    return gql_parser_take(p, kind, &skipped);
}

int
gql_parser_enter(struct gql_parser *p)
{
    if (p->depth >= p->max_depth)
        return gql_fail_at(&p->lexer, p->token.at, "nested deeper than the limit");
    p->depth++;
    return 0;
}

void
gql_parser_leave(struct gql_parser *p)
{
    p->depth--;
}

bool
gql_parser_is_word(const struct gql_parser *p, const char *word)
{
    return p->token.kind == GQL_TOKEN_NAME && str_eq(p->token.text, str_of(word));
}

/* Where a selection set begins and ends. */
struct braces {
    size_t at, end;
};

static int parse_selections(struct gql_parser *p, struct braces *braces,
                            struct gql_selection **out);

static int
parse_braces(struct gql_parser *p, struct gql_selection *s)
{
    struct braces braces;
    int rc = parse_selections(p, &braces, &s->selections);
    s->brace_at = braces.at;
    s->brace_end = braces.end;
    return rc;
}

static int
parse_field(struct gql_parser *p, struct gql_selection *field)
{
    struct gql_token name = {0};
    field->kind = GQL_FIELD;
    int rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
    if (rc < 0)
        return rc;
    if (p->token.kind == GQL_TOKEN_COLON) {
        field->alias = name.text;
        rc = gql_parser_skip(p, GQL_TOKEN_COLON);
        if (rc == 0)
            rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
        if (rc < 0)
            return rc;
    }
    field->name = name.text;
    rc = gql_parse_arguments(p, false, &field->arguments);
    if (rc == 0)
        rc = gql_parse_directives(p, false, &field->directives);
    if (rc == 0 && p->token.kind == GQL_TOKEN_BRACE_LEFT)
        rc = parse_braces(p, field);
    return rc;
}

/* "...Name" spreads a fragment, "... on Type {" and "... {" are inline ones; no fragment is called
 * "on". */
static int
parse_fragment_use(struct gql_parser *p, struct gql_selection *use)
{
    struct gql_token name = {0};
    int rc = gql_parser_skip(p, GQL_TOKEN_SPREAD);
    if (rc < 0)
        return rc;
    bool with_type = gql_parser_is_word(p, "on");
    if (p->token.kind == GQL_TOKEN_NAME && !with_type) {
        use->kind = GQL_FRAGMENT_SPREAD;
        rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
        if (rc < 0)
            return rc;
        use->name = name.text;
        use->name_at = name.at;
        return gql_parse_directives(p, false, &use->directives);
    }
    use->kind = GQL_INLINE_FRAGMENT;
    if (with_type) {
        rc = gql_parser_skip(p, GQL_TOKEN_NAME);
        if (rc == 0)
            rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
        if (rc < 0)
            return rc;
        use->type = name.text;
        use->type_at = name.at;
    }
    rc = gql_parse_directives(p, false, &use->directives);
    return rc < 0 ? rc : parse_braces(p, use);
}

static int
parse_selections(struct gql_parser *p, struct braces *braces, struct gql_selection **out)
{
    *braces = (struct braces){p->token.at, p->token.at};
    int rc = gql_parser_enter(p);
    if (rc == 0)
        rc = gql_parser_skip(p, GQL_TOKEN_BRACE_LEFT);
    if (rc < 0)
        return rc;
    do { /* at least one: empty braces are not in the grammar */
        bool field = p->token.kind == GQL_TOKEN_NAME;
        if (!field && p->token.kind != GQL_TOKEN_SPREAD)
            return gql_parser_expected(p, "a field or '...'");
        struct gql_selection *selection = gql_parser_alloc(p, sizeof *selection);
        if (!selection)
            return gql_parser_nomem(p);
        selection->at = p->token.at;
        rc = field ? parse_field(p, selection) : parse_fragment_use(p, selection);
        if (rc < 0)
            return rc;
        *out = selection;
        out = &selection->next;
    } while (p->token.kind != GQL_TOKEN_BRACE_RIGHT);
    gql_parser_leave(p);
    braces->end = p->token.at;
    return gql_parser_skip(p, GQL_TOKEN_BRACE_RIGHT);
}

static int
parse_variable(struct gql_parser *p, struct gql_variable *variable)
{
    struct gql_token name = {0};
    int rc = gql_parser_skip(p, GQL_TOKEN_DOLLAR);
    if (rc == 0)
        rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
    if (rc == 0)
        rc = gql_parser_skip(p, GQL_TOKEN_COLON);
    if (rc == 0)
        rc = gql_parse_type(p, &variable->type);
    if (rc < 0)
        return rc;
    variable->name = name.text;
    variable->name_at = name.at;
    if (p->token.kind == GQL_TOKEN_EQUALS) {
        rc = gql_parser_skip(p, GQL_TOKEN_EQUALS);
        if (rc < 0)
            return rc;
        variable->default_value = gql_parser_alloc(p, sizeof *variable->default_value);
        if (!variable->default_value)
            return gql_parser_nomem(p);
        rc = gql_parse_value(p, true, variable->default_value);
        if (rc < 0)
            return rc;
    }
    return gql_parse_directives(p, true, &variable->directives);
}

static int
parse_variables(struct gql_parser *p, struct gql_variable **out)
{
    int rc = gql_parser_skip(p, GQL_TOKEN_PAREN_LEFT);
    if (rc < 0)
        return rc;
    do {
        struct gql_variable *variable = gql_parser_alloc(p, sizeof *variable);
        if (!variable)
            return gql_parser_nomem(p);
        variable->at = p->token.at;
        rc = parse_variable(p, variable);
        if (rc < 0)
            return rc;
        *out = variable;
        out = &variable->next;
    } while (p->token.kind != GQL_TOKEN_PAREN_RIGHT);
    return gql_parser_skip(p, GQL_TOKEN_PAREN_RIGHT);
}

static int
parse_body(struct gql_parser *p, struct gql_definition *d)
{
    struct braces braces;
    int rc = parse_selections(p, &braces, &d->selections);
    d->brace_at = braces.at;
    d->brace_end = braces.end;
    return rc;
}

static int
parse_operation(struct gql_parser *p, struct gql_definition *operation)
{
    struct gql_token name = {0};
    int rc = gql_parser_skip(p, GQL_TOKEN_NAME); /* the caller has read which operation it is */
    if (rc == 0 && p->token.kind == GQL_TOKEN_NAME) {
        rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
        operation->name = name.text;
        operation->name_at = name.at;
    }
    if (rc == 0 && p->token.kind == GQL_TOKEN_PAREN_LEFT)
        rc = parse_variables(p, &operation->variables);
    if (rc == 0)
        rc = gql_parse_directives(p, false, &operation->directives);
    return rc < 0 ? rc : parse_body(p, operation);
}

static int
parse_fragment(struct gql_parser *p, struct gql_definition *fragment)
{
    struct gql_token name = {0}, type = {0};
    fragment->is_fragment = true;
    int rc = gql_parser_skip(p, GQL_TOKEN_NAME);
    if (rc < 0)
        return rc;
    if (gql_parser_is_word(p, "on"))
        return gql_parser_expected(p, "the fragment's name");
    rc = gql_parser_take(p, GQL_TOKEN_NAME, &name);
    if (rc < 0)
        return rc;
    if (!gql_parser_is_word(p, "on"))
        return gql_parser_expected(p, "'on' and a type");
    rc = gql_parser_skip(p, GQL_TOKEN_NAME);
    if (rc == 0)
        rc = gql_parser_take(p, GQL_TOKEN_NAME, &type);
    if (rc < 0)
        return rc;
    fragment->name = name.text;
    fragment->name_at = name.at;
    fragment->type = type.text;
    fragment->type_at = type.at;
    rc = gql_parse_directives(p, false, &fragment->directives);
    return rc < 0 ? rc : parse_body(p, fragment);
}

static int
parse_definition(struct gql_parser *p, struct gql_definition *definition)
{
    static const enum gql_operation_kind kinds[] = {GQL_QUERY, GQL_MUTATION, GQL_SUBSCRIPTION};
    definition->at = p->token.at;
    if (p->token.kind == GQL_TOKEN_BRACE_LEFT)
        return parse_body(p, definition);
    if (gql_parser_is_word(p, "fragment"))
        return parse_fragment(p, definition);
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (gql_parser_is_word(p, gql_operation_kind_word(kinds[i]))) {
            definition->operation = kinds[i];
            return parse_operation(p, definition);
        }
    }
    return gql_parser_expected(p, p->language == GQL_ALL ? "a definition"
                                                         : "an operation or a fragment");
}

static int
add_definition(struct gql_parser *p, struct gql_definition ***tail)
{
    struct gql_definition *definition = gql_parser_alloc(p, sizeof *definition);
    if (!definition)
        return gql_parser_nomem(p);
    **tail = definition;
    *tail = &definition->next;
    return parse_definition(p, definition);
}

static int
add_system(struct gql_parser *p, struct gql_system ***tail)
{
    struct gql_system *system = gql_parser_alloc(p, sizeof *system);
    if (!system)
        return gql_parser_nomem(p);
    **tail = system;
    *tail = &system->next;
    return gql_parse_system(p, system);
}

static int
parse_document(struct gql_parser *p, struct gql_document *doc)
{
    struct gql_definition **tail = &doc->definitions;
    struct gql_system **systems = &doc->systems;
    int rc = gql_lexer_check_text(&p->lexer);
    if (rc == 0)
        rc = gql_lexer_next(&p->lexer, &p->token);
    if (rc < 0)
        return rc;
    do {
        if (p->language == GQL_ALL && gql_is_system(p))
            rc = add_system(p, &systems);
        else
            rc = add_definition(p, &tail);
        if (rc < 0)
            return rc;
    } while (p->token.kind != GQL_TOKEN_END);
    return 0;
}

int
gql_parse(struct str text, const struct gql_limits *limits, struct gql_document **out,
          struct gantry_error **err)
{
    return gql_parse_all(text, limits, GQL_EXECUTABLE, out, NULL, err);
}

int
gql_parse_all(struct str text, const struct gql_limits *limits, enum gql_language language,
              struct gql_document **out, size_t *failed_at, struct gantry_error **err)
{
    static const struct gql_limits none = {0};
    const struct gql_limits *l = limits ? limits : &none;
    size_t max_bytes = l->max_bytes ? l->max_bytes : DEFAULT_BYTES;
    if (text.len > max_bytes)
        return err_set(err, GANTRY_E_INVALID, "GraphQL of %zu bytes is longer than %zu, the limit",
                       text.len, max_bytes);
    AUTO_GQL_DOCUMENT struct gql_document *doc = calloc(1, sizeof *doc);
    if (!doc)
        return err_nomem(err);
    arena_init(&doc->arena, 0); /* bytes and tokens bound it */
    char *copy = arena_dup(&doc->arena, text);
    if (!copy)
        return err_nomem(err);
    doc->text = (struct str){copy, text.len};
    struct gql_parser p = {.lexer = {.arena = &doc->arena, .text = doc->text, .err = err}};
    p.lexer.max_tokens = l->max_tokens ? l->max_tokens : DEFAULT_TOKENS;
    p.max_depth = MIN(l->max_depth ? l->max_depth : DEFAULT_DEPTH, (size_t)GQL_DEPTH_MAX);
    p.language = language;
    p.lexer.comments = language == GQL_ALL ? &doc->comments : NULL;
    int rc = parse_document(&p, doc);
    if (rc < 0) {
        if (failed_at)
            *failed_at = p.lexer.failed_at;
        return rc;
    }
    *out = TAKE(doc);
    return 0;
}

void
gql_document_free(struct gql_document *doc)
{
    if (!doc)
        return;
    arena_clear(&doc->arena); /* doc itself is no part of it */
    free(doc);
}
