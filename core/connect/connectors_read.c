/* connectors_read.c - the sources and connectors of a schema, in the order of its text (connectors.h). */
#include "reader.h"

static bool
read_source(struct connect_schema *s, struct connect_problems *p, const struct gql_directive *d,
            struct connect_source ***tail)
{
    struct connect_source *source = arena_alloc(&s->arena, sizeof *source);
    if (!source)
        return false;
    **tail = source;
    *tail = &source->next;
    struct reader r = {s, p, d, STR("a source")};
    source->directive = d;
    source->name_written = reader_require(&r, "name", READ_STRING);
    if (source->name_written) {
        source->name = source->name_written->text;
        const char *who = arena_fmt(&s->arena, "the source '%.*s'", STR_ARG(source->name));
        if (!who)
            return false;
        r.who = str_of(who);
    }
    reader_http(&r, reader_require(&r, "http", READ_OBJECT), true, &source->http);
    reader_errors(&r, &source->errors, &source->is_success);
    return true;
}

void
read_sources(struct connect_schema *s, struct connect_problems *p)
{
    struct connect_source **tail = &s->sources;
    for (const struct gql_system *it = s->graphql->document->systems; it; it = it->next)
        for (const struct gql_directive *d = it->kind == GQL_SCHEMA ? it->directives : NULL; d;
             d = d->next)
            if (str_eq(d->name, s->source_name) && !read_source(s, p, d, &tail))
                p->nomem = true;
}

static void
read_batch(struct reader *r, struct connector *c)
{
    static const char *const keys[] = {"maxSize", NULL};
    const struct gql_value *batch = reader_find(r, r->directive->arguments, "batch", READ_OBJECT);
    if (!batch)
        return;
    reader_check_keys(r, batch, "'batch'", keys);
    c->max_size_written = reader_find(r, batch->elements, "maxSize", READ_INT);
    uint64_t number = 0;
    if (!c->max_size_written)
        return;
    if (!str_to_uint64(c->max_size_written->text, &number) || number < 1 || number > INT32_MAX)
        reader_tell(r, CONNECT_GRAPH_QL_ERROR, connect_place_of(r->schema, c->max_size_written),
                    "'maxSize' must be an integer from 1 to %d", INT32_MAX);
    else
        c->max_size = (uint32_t)number;
}

static void
read_entity(struct reader *r, struct connector *c)
{
    c->entity_written = reader_find(r, r->directive->arguments, "entity", READ_BOOLEAN);
    c->is_entity = !c->field || (c->entity_written && str_eq(c->entity_written->text, STR("true")));
}

static void
read_parts(struct reader *r, struct connector *c)
{
    const struct gql_argument *arguments = r->directive->arguments;
    c->source_written = reader_find(r, arguments, "source", READ_STRING);
    c->source_is_unclear =
        !c->source_written && (reader_has(arguments, "source") || reader_has_unknown(r));
    c->id_written = reader_find(r, arguments, "id", READ_STRING);
    c->id = c->id_written ? c->id_written->text : STR_NONE;
    for (struct connect_source *it = c->source_written ? r->schema->sources : NULL;
         it && !c->source; it = it->next)
        if (it->name_written && str_eq(it->name, c->source_written->text))
            c->source = it;
    const struct gql_value *http = r->schema->version < MAPPING_V4
                                       ? reader_require(r, "http", READ_OBJECT)
                                       : reader_find(r, arguments, "http", READ_OBJECT);
    reader_http(r, http, false, &c->http);
    reader_mapping(r, reader_require(r, "selection", READ_STRING), "'selection'",
                   CONNECT_INVALID_SELECTION, &c->selection);
    read_entity(r, c);
    read_batch(r, c);
    reader_errors(r, &c->errors, &c->is_success);
    c->broken = (!http && r->schema->version < MAPPING_V4) || !c->selection.mapping;
}

/* Where the walk is. */
struct place {
    struct connect_schema *schema;
    struct connect_problems *problems;
    const struct gql_schema_type *type;
    const struct gql_member *field; /* NULL: at the type itself */
    struct connector **tail;
};

static bool
read_connector(struct place *at, const struct gql_directive *d, size_t index)
{
    struct connect_schema *s = at->schema;
    struct connector *c = arena_alloc(&s->arena, sizeof *c);
    struct str field = at->field ? at->field->name : STR_NONE;
    const char *coordinate = arena_fmt(&s->arena, "%.*s%s%.*s[%zu]", STR_ARG(at->type->name),
                                       field.len ? "." : "", STR_ARG(field), index);
    if (!c || !coordinate)
        return false;
    *at->tail = c;
    at->tail = &c->next;
    c->coordinate = str_of(coordinate);
    c->directive = d;
    c->type = at->type;
    c->field = at->field;
    c->returns = at->field ? gql_type_of(s->graphql, at->field->type) : at->type;
    struct reader r = {s, at->problems, d, c->coordinate};
    size_t errors = at->problems->errors;
    read_parts(&r, c);
    c->broken |= at->problems->errors > errors;
    return true;
}

/* Those of a list of directives; index: how many stand on the same thing before.  Returns how many do now. */
static size_t
read_list(struct place *at, const struct gql_directive *first, size_t index)
{
    for (const struct gql_directive *d = first; d; d = d->next)
        if (str_eq(d->name, at->schema->connect_name) && !read_connector(at, d, index++))
            at->problems->nomem = true;
    return index;
}

/* How many connectors stand on a type in what comes before a definition or extension of it. */
static size_t
count_before(const struct place *at, const struct gql_system *system)
{
    size_t count = 0;
    for (const struct gql_list *it = at->type->extensions; it && it->system != system;
         it = it->next)
        for (const struct gql_directive *d = it->system->directives; d; d = d->next)
            count += it->system->at < system->at && str_eq(d->name, at->schema->connect_name);
    return count;
}

void
read_connectors(struct connect_schema *s, struct connect_problems *p)
{
    struct place at = {.schema = s, .problems = p, .tail = &s->connectors};
    for (const struct gql_system *it = s->graphql->document->systems; it; it = it->next) {
        at.type = gql_type_find(s->graphql, it->name);
        at.field = NULL;
        /* What extends a type that is not there, or is another kind of type, was told. */
        if ((it->kind != GQL_OBJECT && it->kind != GQL_INTERFACE) || !at.type ||
            at.type->kind != it->kind)
            continue;
        if (it->kind == GQL_OBJECT)
            read_list(&at, it->directives, count_before(&at, it));
        for (const struct gql_member *m = it->members; m; m = m->next) {
            at.field = m;
            read_list(&at, m->directives, 0);
        }
    }
}
