/* connector_key.c - the key of a connector, from what its mappings read (connector_key.h).
 *
 * The source's mappings are not looked at: neither $this nor $batch nor $args may be in them. */
#include "connector_key.h"

#include "reads.h"

/* Where a mapping stands that is read. */
struct part {
    const struct gql_value *written;
    size_t offset; /* of the mapping in what the string means */
    bool counts;   /* request and selection: what it reads is in the key */
};

struct reader {
    const struct connect_schema *schema;
    struct arena *arena;
    struct connector_key *key;
};

static struct written_range
written_in(struct part part, struct mapping_range range)
{
    return (struct written_range){part.written,
                                  {part.offset + range.start, part.offset + range.end}};
}

static bool
add_members(const struct reader *r, struct part part, struct field_set *set,
            const struct mapping_member *member)
{
    for (; member; member = member->next) {
        if (str_eq(member->name, STR("__typename")))
            continue;
        struct set_field *field = field_set_add(set, r->schema, r->arena, member->name);
        if (!field)
            return false;
        if (!field->written) {
            struct written_range at = written_in(part, member->range);
            field->written = at.written;
            field->range = at.range;
        }
        if (!add_members(r, part, &field->below, member->members))
            return false;
    }
    return true;
}

static void
set_first(struct written_range *first, struct written_range found)
{
    if (!first->written)
        *first = found;
}

static bool
add_read(const struct reader *r, struct part part, const struct mapping_read *read)
{
    struct connector_key *key = r->key;
    struct written_range at = written_in(part, read->range);
    if (str_eq(read->variable, STR("$this")))
        set_first(&key->first_this, at);
    if (str_eq(read->variable, STR("$batch")))
        set_first(&key->first_batch, at);
    if (!part.counts || !str_eq(read->variable, key->variable))
        return true;
    set_first(&key->first, at);
    if (!read->members)
        set_first(&key->whole, at);
    return add_members(r, part, &key->fields, read->members);
}

static bool
read_mapping(const struct reader *r, struct part part, const struct mapping *m)
{
    struct mapping_read *read = NULL;
    if (!m)
        return true;
    if (!mapping_reads(m, r->arena, &read))
        return false;
    for (; read; read = read->next)
        if (!add_read(r, part, read))
            return false;
    return true;
}

static bool
read_slot(const struct reader *r, const struct mapping_slot *slot, bool counts)
{
    return read_mapping(r, (struct part){slot->written, 0, counts}, slot->mapping);
}

static bool
read_template(const struct reader *r, const struct template_slot *slot)
{
    const struct template_piece *piece = slot->template ? slot->template->pieces : NULL;
    for (; piece; piece = piece->next)
        if (!read_mapping(r, (struct part){slot->written, piece->range.start, true}, piece->hole))
            return false;
    return true;
}

static bool
read_request(const struct reader *r, const struct connector *c)
{
    const struct connect_http *http = &c->http;
    if (!read_template(r, &http->url) || !read_slot(r, &http->path, true) ||
        !read_slot(r, &http->query, true))
        return false;
    for (const struct connect_header *h = http->headers; h; h = h->next)
        if (!read_template(r, &h->value))
            return false;
    return read_slot(r, &http->body, true);
}

/* An entity connector that sends `$args` as a whole: what of it can be a key is a scalar or an enum. */
static bool
add_arguments(const struct reader *r, const struct gql_member *argument)
{
    for (; argument; argument = argument->next) {
        const struct gql_schema_type *type = gql_type_of(r->schema->graphql, argument->type);
        if (!type || type->kind == GQL_INPUT)
            continue;
        struct set_field *field =
            field_set_add(&r->key->fields, r->schema, r->arena, argument->name);
        if (!field)
            return false;
        if (!field->written) {
            field->written = r->key->whole.written;
            field->range = r->key->whole.range;
        }
    }
    return true;
}

static enum connector_kind
kind_of(const struct connect_schema *s, const struct connector *c)
{
    if (!c->field)
        return CONNECTOR_TYPE;
    if (!gql_is_root_type(s->graphql, c->type))
        return CONNECTOR_FIELD;
    return c->is_entity ? CONNECTOR_ENTITY : CONNECTOR_ROOT;
}

bool
connector_key(const struct connect_schema *s, const struct connector *c, struct arena *a,
              struct connector_key *out)
{
    static const struct str variables[] = {
        [CONNECTOR_ROOT] = {NULL, 0},      [CONNECTOR_ENTITY] = {"$args", 5},
        [CONNECTOR_FIELD] = {"$this", 5},  [CONNECTOR_TYPE] = {"$this", 5},
        [CONNECTOR_BATCH] = {"$batch", 6},
    };
    struct connector_key key;
    const struct reader r = {s, a, &key};
    enum connector_kind kind = kind_of(s, c);
    for (;;) {
        key = (struct connector_key){.kind = kind, .variable = variables[kind]};
        field_set_init(&key.fields, s);
        if (!read_request(&r, c))
            return false;
        /* Whether a connector on a type takes many is known when its request was read. */
        if (kind != CONNECTOR_TYPE || !key.first_batch.written)
            break;
        kind = CONNECTOR_BATCH;
    }
    if (!read_slot(&r, &c->selection, true) || !read_slot(&r, &c->errors.message, false) ||
        !read_slot(&r, &c->errors.extensions, false) || !read_slot(&r, &c->is_success, false))
        return false;
    if (kind == CONNECTOR_ENTITY && key.whole.written && !add_arguments(&r, c->field->arguments))
        return false;
    *out = key;
    return true;
}

const struct gql_schema_type *
connector_key_type(const struct connector *c, const struct connector_key *key)
{
    switch (key->kind) {
    case CONNECTOR_ROOT:
        return NULL;
    case CONNECTOR_ENTITY:
        return c->returns;
    case CONNECTOR_FIELD:
    case CONNECTOR_TYPE:
    case CONNECTOR_BATCH:
        break;
    }
    return c->type;
}
