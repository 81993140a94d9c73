/* check_headers.c - the entries of `headers`: names, which may be set, one of `from` and `value`. */
#include "check_parts.h"

/* No author sets these: the connection's, and what the engine itself counts. */
static const char *const reserved[] = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-encoding",
    "accept-encoding",
};
/* These are the connector's own, and not those of whoever asks. */
static const char *const value_only[] = {"content-type", "accept", "host"};

static bool
is_one_of(struct str name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    return false;
}

/* A token of RFC 9110, 5.6.2. */
static bool
is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return name.len != 0;
}

static bool
has_key(const struct connect_header *header, const char *key)
{
    const struct gql_argument *it = header->written->elements;
    while (it && (!str_eq(it->name, str_of(key)) || it->value.kind == GQL_VALUE_NULL))
        it = it->next;
    return it != NULL;
}

static void
tell(const struct check_part *c, const struct gql_value *at, const char *fault, struct str name)
{
    connect_problem_add(c->problems, CONNECT_INVALID_HEADER, connect_place_of(c->schema, at),
                        "%.*s: header '%.*s': %s", STR_ARG(c->who), STR_ARG(name), fault);
}

static void
check_name(const struct check_part *c, const struct connect_header *header)
{
    if (!is_name(header->name))
        tell(c, header->name_written, "this is no name of a header; it has letters, digits and '-'",
             header->name);
    else if (is_one_of(header->name, reserved, ARRAY_LENGTH(reserved)))
        tell(c, header->name_written, "it cannot be set; leave it to the engine", header->name);
    else if (header->from_written && is_one_of(header->name, value_only, ARRAY_LENGTH(value_only)))
        tell(c, header->name_written, "it cannot be taken over by 'from'; write a 'value'",
             header->name);
}

static void
check_header(const struct check_part *c, const struct connect_header *header)
{
    bool from = has_key(header, "from"), value = has_key(header, "value");
    if (header->name_written)
        check_name(c, header);
    if (!from && !value && !header->has_unknown)
        tell(c, header->written, "it needs 'from' or 'value'", header->name);
    else if (from && value)
        tell(c, header->written, "it has both 'from' and 'value'; leave out one", header->name);
    if (header->from_written && !is_name(header->from))
        tell(c, header->from_written,
             "what stands in 'from' is no name of a header; it has letters, digits and '-'",
             header->name);
    check_holes(c, &header->value, CONNECT_INVALID_HEADER, "a header's value");
}

/* The name in lower case, for the table; NULL when memory ran out. */
static const char *
lower(struct arena *a, struct str name)
{
    char *text = arena_dup(a, name);
    for (size_t i = 0; text && i < name.len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] + 'a' - 'A');
    return text;
}

void
check_headers(const struct check_part *c, const struct connect_header *first)
{
    const uint64_t *seed = c->schema->graphql->seed;
    struct gql_names seen = {.seed = {seed[0], seed[1]}};
    for (const struct connect_header *it = first; it; it = it->next) {
        check_header(c, it);
        if (!it->name_written)
            continue;
        const char *name = lower(c->problems->arena, it->name);
        if (!name) {
            c->problems->nomem = true;
            return;
        }
        if (gql_names_find(&seen, str_of(name)))
            connect_problem_add(c->problems, CONNECT_HTTP_HEADER_NAME_COLLISION,
                                connect_place_of(c->schema, it->name_written),
                                "%.*s: the header '%.*s' is set twice; leave out one entry",
                                STR_ARG(c->who), STR_ARG(it->name));
        else if (!gql_names_set(&seen, c->problems->arena, str_of(name), it))
            c->problems->nomem = true;
    }
}
