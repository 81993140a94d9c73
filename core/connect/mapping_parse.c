/* mapping_parse.c - parses a whole mapping, and lists of items. */
#include "mapping_parser.h"

static bool
is_key(const struct parser *p)
{
    return parse_is(p, TOKEN_IDENTIFIER) || parse_is(p, TOKEN_STRING);
}

/* Braces behind an alias: a group; in v0.4, with something behind them, an object literal. */
static int
parse_group(struct parser *p, struct mapping_node **out)
{
    struct mapping_node *node = parse_new_node(p, HEAD_GROUP);
    if (!node)
        return GANTRY_E_NOMEM;
    node->head_range.end = node->head_range.start;
    int rc = parse_braces(p, false, &node->braces);
    node->range.end = p->lexer.last_end;
    *out = node;
    if (rc < 0 || p->mapping->version < MAPPING_V4)
        return rc;
    if (parse_is(p, TOKEN_DOT) || parse_is(p, TOKEN_ARROW) || parse_is(p, TOKEN_QUESTION) ||
        parse_is(p, TOKEN_COALESCE) || parse_is(p, TOKEN_PRESENT)) {
        node->head = HEAD_OBJECT;
        node->head_range = node->range;
        node->items = node->braces;
        node->braces = NULL;
        rc = parse_tail(p, node);
    }
    return rc < 0 ? rc : parse_chain(p, out);
}

/* What stands behind an alias.  literal: in an object literal of before v0.4. */
static int
parse_aliased(struct parser *p, bool literal, struct mapping_node **out)
{
    if (literal)
        return parse_expression(p, out);
    if (parse_is(p, TOKEN_OPEN_BRACE))
        return parse_group(p, out);
    if (p->mapping->version >= MAPPING_V4)
        return parse_expression(p, out);
    return parse_path(p, out);
}

/* An item that begins with a key: an alias, a field, or a path. */
static int
parse_keyed(struct parser *p, bool literal, struct mapping_item *item)
{
    struct mapping_node *node = parse_new_node(p, HEAD_KEY);
    if (!node)
        return GANTRY_E_NOMEM;
    item->name = node->name = parse_token(p)->text;
    item->value = node;
    parse_skip(p);
    if (parse_is(p, TOKEN_COLON)) {
        parse_skip(p);
        item->has_alias = true;
        return parse_aliased(p, literal, &item->value);
    }
    if (literal)
        return parse_expected(p, "':' behind the key of an object");
    node->number = p->mapping->key_count++;
    int rc = parse_tail(p, node);
    if (rc == 0 && node->steps)
        item->kind = node->braces ? ITEM_INLINE : ITEM_ALONE;
    return rc;
}

/* No item begins here. */
static int
parse_no_item(struct parser *p)
{
    static const char what[] = "expected a field, a path or an alias";
    if (parse_is(p, TOKEN_COMMA) && p->mapping->version < MAPPING_V4)
        return parse_refused(p, parse_token(p)->range, what,
                             "blanks separate them; commas need connect v0.4");
    if (parse_is(p, TOKEN_OPEN_BRACKET))
        return parse_refused(p, parse_token(p)->range, what,
                             "there are no indices; write ->get(0), or ->first");
    if (parse_is(p, TOKEN_OPEN_BRACE) && p->lexer.last_end == 0)
        return parse_refused(p, parse_token(p)->range, what,
                             "leave the outer braces out, or write $({ ... })");
    if (parse_is(p, TOKEN_CLOSE_BRACE))
        return parse_refused(p, parse_token(p)->range, what, "no '{' belongs to this '}'");
    if (parse_is(p, TOKEN_END))
        return parse_refused(p, parse_token(p)->range, what, "a '}' is missing");
    return parse_expected(p, "a field, a path or an alias");
}

static int
parse_item(struct parser *p, bool literal, struct mapping_item **out)
{
    struct mapping_item *item = parse_alloc(p, sizeof *item);
    int rc = 0;
    if (!item)
        return GANTRY_E_NOMEM;
    item->range.start = parse_token(p)->range.start;
    item->kind = ITEM_NAMED;
    if (is_key(p)) {
        rc = parse_keyed(p, literal, item);
    } else if (literal) {
        rc = parse_expected(p, "a key, or '}'");
    } else if (parse_is(p, TOKEN_SPREAD) && p->mapping->version >= MAPPING_V4) {
        parse_skip(p);
        item->kind = ITEM_SPREAD;
        rc = parse_expression(p, &item->value);
    } else if (parse_is(p, TOKEN_DOLLAR) || parse_is(p, TOKEN_VARIABLE) || parse_is(p, TOKEN_AT) ||
               parse_is(p, TOKEN_DOLLAR_OPEN)) {
        rc = parse_path(p, &item->value);
        item->kind = rc == 0 && item->value->braces ? ITEM_INLINE : ITEM_ALONE;
    } else {
        rc = parse_no_item(p);
    }
    item->range.end = p->lexer.last_end;
    *out = item;
    return rc;
}

/* A path without name and braces must be alone; before v0.3, alone in the whole text. */
static int
check_alone(struct parser *p, const struct mapping_list *list, const struct mapping_item *item,
            bool whole, enum token_kind close)
{
    if (item->kind != ITEM_ALONE)
        return 0;
    if (list->items == item && parse_is(p, close) && (whole || p->mapping->version >= MAPPING_V3))
        return 0;
    if (whole && list->items == item && p->mapping->version >= MAPPING_V4 &&
        (parse_is(p, TOKEN_COALESCE) || parse_is(p, TOKEN_PRESENT)))
        return 0;
    if (parse_token(p)->kind == TOKEN_BAD || parse_is(p, TOKEN_COALESCE) ||
        parse_is(p, TOKEN_PRESENT) || parse_is(p, TOKEN_QUESTION))
        return parse_expected(p, "the end of this path");
    return parse_refused(p, parse_token(p)->range,
                         "a path in a list needs braces behind it or a name before it",
                         "as in name: $.a.b");
}

/* What stands between two items.  *commas: -1 not known yet, 0 none, 1 everywhere. */
static int
parse_between(struct parser *p, enum token_kind close, bool literal, int *commas)
{
    bool comma = parse_is(p, TOKEN_COMMA) && (literal || p->mapping->version >= MAPPING_V4);
    if (!comma && parse_is(p, close))
        return 0;
    if (literal && !comma)
        return parse_expected(p, "',' or '}' behind a member");
    if (*commas < 0)
        *commas = comma;
    if (*commas != (int)comma)
        return parse_refused(p, parse_token(p)->range,
                             "commas stand between all items of a list, or between none", NULL);
    if (comma)
        parse_skip(p);
    return 0;
}

static int
parse_items(struct parser *p, enum token_kind close, bool literal, struct mapping_list *list)
{
    struct mapping_item **next = &list->items;
    list->number = p->mapping->list_count++;
    int commas = -1, rc = 0;
    bool whole = close == TOKEN_END;
    while (!parse_is(p, close)) {
        rc = parse_item(p, literal, next);
        if (rc == 0)
            rc = check_alone(p, list, *next, whole, close);
        if (rc < 0)
            return rc;
        if (whole && (parse_is(p, TOKEN_COALESCE) || parse_is(p, TOKEN_PRESENT)) &&
            list->items == *next && p->mapping->version >= MAPPING_V4 && !(*next)->has_alias)
            return 0; /* the whole text is a chain */
        next = &(*next)->next;
        list->count++;
        rc = parse_between(p, close, literal, &commas);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int
parse_braces(struct parser *p, bool literal, struct mapping_list **out)
{
    struct mapping_list *list = parse_alloc(p, sizeof *list);
    if (!list)
        return GANTRY_E_NOMEM;
    list->range = parse_token(p)->range;
    int rc = parse_enter(p);
    if (rc == 0) {
        parse_skip(p);
        rc = parse_items(p, TOKEN_CLOSE_BRACE, literal && p->mapping->version < MAPPING_V4, list);
    }
    if (rc == 0)
        parse_skip(p);
    parse_leave(p);
    list->range.end = p->lexer.last_end;
    *out = list;
    return rc;
}

/* In an expression a string, or one of three words, is a literal and no key. */
static int
make_literal(struct parser *p, struct mapping_node *node)
{
    struct arena *a = &p->mapping->arena;
    char first = p->mapping->text.ptr[node->range.start];
    bool is_string = first == '"' || first == '\'';
    bool is_truth = str_eq(node->name, STR("true")) || str_eq(node->name, STR("false"));
    if (!is_string && !is_truth && !str_eq(node->name, STR("null")))
        return 0;
    node->literal = is_string  ? value_new_string(a, node->name)
                    : is_truth ? value_new_bool(a, node->name.len == 4)
                               : value_new_null(a);
    if (!node->literal)
        return err_nomem(p->err);
    node->head = HEAD_LITERAL;
    node->name = STR_NONE;
    return 0;
}

/* In v0.4 the whole text may be a chain; its first operand was read as an item. */
static int
parse_whole_chain(struct parser *p)
{
    struct mapping *m = p->mapping;
    m->value = m->list->items->value;
    m->list = NULL;
    int rc = m->value->head == HEAD_KEY ? make_literal(p, m->value) : 0;
    return rc < 0 ? rc : parse_chain(p, &m->value);
}

static bool
begins_literal(const struct parser *p)
{
    return parse_is(p, TOKEN_OPEN_BRACE) || parse_is(p, TOKEN_OPEN_BRACKET) ||
           parse_is(p, TOKEN_NUMBER) || parse_is(p, TOKEN_MINUS);
}

static int
parse_whole(struct parser *p)
{
    struct mapping *m = p->mapping;
    int rc;
    if (m->version >= MAPPING_V4 && begins_literal(p)) {
        rc = parse_expression(p, &m->value);
    } else {
        m->list = parse_alloc(p, sizeof *m->list);
        if (!m->list)
            return GANTRY_E_NOMEM;
        m->list->range = (struct mapping_range){0, m->text.len};
        rc = parse_items(p, TOKEN_END, false, m->list);
        const struct mapping_item *only = m->list->items;
        if (rc == 0 && !parse_is(p, TOKEN_END)) {
            rc = parse_whole_chain(p);
        } else if (rc == 0 && only && !only->next &&
                   (only->kind == ITEM_INLINE || only->kind == ITEM_ALONE)) {
            m->value = only->value;
            m->list = NULL;
        }
    }
    if (rc == 0 && !parse_is(p, TOKEN_END))
        rc = parse_expected(p, "the end of the text");
    if (rc == 0 && p->lexer.out_of_memory)
        rc = err_nomem(p->err);
    return rc;
}

static int
check_text(struct str text, struct mapping_range *where, struct gantry_error **err)
{
    size_t valid = str_utf8_valid_length(text), line, column;
    if (where)
        *where = (struct mapping_range){0, 0};
    if (text.len > MAPPING_TEXT_MAX)
        return err_set(err, GANTRY_E_INVALID, "a mapping of %zu bytes is longer than %d, the limit",
                       text.len, MAPPING_TEXT_MAX);
    if (valid == text.len)
        return 0;
    if (where)
        *where = (struct mapping_range){valid, valid + 1};
    str_position(text, valid, &line, &column);
    return err_set(err, GANTRY_E_INVALID, "mapping, line %zu, column %zu: this byte is not UTF-8",
                   line, column);
}

int
mapping_parse(struct str text, enum mapping_version version, struct mapping **out,
              struct mapping_range *where, struct gantry_error **err)
{
    int rc = check_text(text, where, err);
    if (rc < 0)
        return rc;
    struct mapping *m = calloc(1, sizeof *m);
    if (!m)
        return err_nomem(err);
    arena_init(&m->arena, 0);
    m->version = version;
    m->text = (struct str){arena_dup(&m->arena, text), text.len};
    struct parser p = {.mapping = m, .where = where, .err = err};
    if (!m->text.ptr) {
        rc = err_nomem(err);
    } else {
        lex_init(&p.lexer, m);
        rc = parse_whole(&p);
    }
    if (rc < 0)
        mapping_free(m);
    else
        *out = m;
    return rc;
}

void
mapping_free(struct mapping *m)
{
    if (!m)
        return;
    arena_clear(&m->arena);
    free(m);
}

struct str
mapping_text(const struct mapping *m)
{
    return m->text;
}
