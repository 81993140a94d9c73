/* headers.c - the headers of a request: the connector's, then those of the source that it does not
 * have, then what the engine adds.  One that cannot be sent is left out, and told. */
#include "err.h"
#include "request.h"

struct headers {
    struct request_builder *b;
    struct request_header **next;
};

struct str
headers_find(const struct request_header *headers, struct str name)
{
    for (const struct request_header *h = headers; h; h = h->next)
        if (str_eq_nocase(h->name, name))
            return h->value;
    return STR_NONE;
}

/* value: kept. */
static int
add_header(struct headers *out, struct str name, struct str value)
{
    struct request_header *header = arena_alloc(out->b->arena, sizeof *header);
    if (!header)
        return err_nomem(out->b->err);
    header->name = name;
    header->value = value;
    *out->next = header;
    out->next = &header->next;
    return 0;
}

/* May it stand on the line of a header?  No line end ever; what others sent may have bytes beyond ASCII. */
static bool
is_sendable(struct str value, bool is_forwarded)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f || (c >= 0x80 && !is_forwarded))
            return false;
    }
    return true;
}

static int
left_out(struct request_builder *b, struct mapping_range at, const char *why)
{
    return request_tell(b, at, "the header '%.*s' is left out: %s", STR_ARG(b->spot.header), why);
}

static int
forward(struct headers *out, const struct connect_header *entry, const struct value *value)
{
    struct request_builder *b = out->b;
    struct str text = value_kind(value) == VALUE_STRING ? value_text(value) : STR_NONE;
    if (value_kind(value) != VALUE_STRING)
        return left_out(b, b->at, "what came under its name is no text");
    if (!is_sendable(text, true))
        return left_out(b, b->at, "what came under its name has a character that no header has");
    char *copy = arena_dup(b->arena, text);
    return copy ? add_header(out, entry->name, (struct str){copy, text.len}) : err_nomem(b->err);
}

/* What $request.headers has under a name, whatever its case; NULL: nothing. */
static const struct value *
find_incoming(const struct request_builder *b, struct str name)
{
    const struct value *headers = NULL;
    for (size_t i = 0; i < b->variable_counts[b->spot.scope]; i++)
        if (str_eq(b->variables[i].name, STR("$request")))
            headers = value_find(b->variables[i].value, STR("headers"));
    if (!headers || value_kind(headers) != VALUE_OBJECT)
        return NULL;
    for (size_t i = 0; i < value_count(headers); i++)
        if (str_eq_nocase(value_key_at(headers, i), name))
            return value_at(headers, i);
    return NULL;
}

/* `from`: every value of the incoming header, each on a line of its own. */
static int
add_from(struct headers *out, const struct connect_header *entry)
{
    struct request_builder *b = out->b;
    int rc = 0;
    b->spot.written = entry->from_written;
    b->at = (struct mapping_range){0, entry->from.len};
    const struct value *found = find_incoming(b, entry->from);
    if (!found)
        return request_tell(b, b->at, "the incoming request has no header '%.*s'",
                            STR_ARG(entry->from));
    if (value_kind(found) != VALUE_ARRAY)
        return forward(out, entry, found);
    for (size_t i = 0; i < value_count(found) && rc == 0; i++)
        rc = forward(out, entry, value_at(found, i));
    return rc;
}

/* `value`: a template, not encoded. */
static int
add_value(struct headers *out, const struct connect_header *entry)
{
    AUTO_RENDERING struct rendering r = RENDERING_INIT(REQUEST_HEADER_MAX);
    struct request_builder *b = out->b;
    struct str value = STR_NONE;
    if (!entry->value.template)
        return 0;
    b->spot.written = entry->value.written;
    int rc = template_render(b, entry->value.template, TEMPLATE_RAW, &r);
    if (rc < 0)
        return rc;
    b->at = (struct mapping_range){0, entry->value.template->text.len};
    if (buf_failed(&r.text) == GANTRY_E_NOMEM)
        return err_nomem(b->err);
    if (r.bad)
        return left_out(b, r.bad->range, "a hole gives an array or an object");
    if (buf_failed(&r.text))
        return left_out(b, b->at, "its value is too long");
    if (!is_sendable(buf_view(&r.text), false))
        return left_out(b, b->at,
                        "its value has a character other than visible ASCII, space and "
                        "tab");
    rc = request_keep(b, &r.text, &value);
    return rc < 0 ? rc : add_header(out, entry->name, value);
}

static bool
has_entry(const struct connect_header *entries, struct str name)
{
    for (; entries; entries = entries->next)
        if (str_eq_nocase(entries->name, name))
            return true;
    return false;
}

/* overriding: those that take the place of others of their name. */
static int
add_entries(struct headers *out, const struct connect_header *entries,
            const struct connect_header *overriding, struct request_spot spot)
{
    int rc = 0;
    for (; entries && rc == 0; entries = entries->next) {
        if (has_entry(overriding, entries->name))
            continue;
        spot.header = entries->name;
        out->b->spot = spot;
        rc = entries->from.ptr ? add_from(out, entries) : add_value(out, entries);
    }
    return rc;
}

int
headers_build(struct request_builder *b, struct request_header **out)
{
    const struct connector *c = b->connector;
    struct headers headers = {b, out};
    int rc = add_entries(&headers, c->http.headers, NULL,
                         (struct request_spot){SCOPE_CONNECTOR, "connect.headers"});
    if (rc == 0 && c->source)
        rc = add_entries(&headers, c->source->http.headers, c->http.headers,
                         (struct request_spot){SCOPE_SOURCE, "source.headers"});
    if (rc == 0 && c->http.body.mapping && !headers_find(*out, STR("content-type")).ptr)
        rc = add_header(&headers, STR("content-type"), STR("application/json"));
    return rc;
}
