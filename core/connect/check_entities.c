/* check_entities.c - connectors as entity resolvers: where they may stand, and whether their arguments say which
 * object is meant.  It also finds each connector's key, for what comes after it. */
#include "connector_key.h"

/* Members that are to be fields of a type. */
struct pair {
    struct pair *next;
    const struct gql_schema_type *input, *type;
};

/* An entity connector whose arguments are looked at. */
struct entity {
    struct connect_schema *schema;
    struct connect_problems *problems;
    struct connector *connector;
    struct pair *pairs, **tail;
    struct gql_names seen; /* "Input Type" -> struct pair */
    bool failed;
};

static void
fail(struct connect_problems *p, struct connector *c, enum connect_code code,
     struct connect_place place, const char *what)
{
    c->broken = true;
    connect_problem_add(p, code, place, "%.*s: %s", STR_ARG(c->coordinate), what);
}

/* ---- arguments against fields --------------------------------------------------------------------- */

static void
tell_mismatch(struct entity *e, const struct gql_member *argument,
              const struct gql_schema_type *type, const char *what)
{
    e->failed = true;
    e->connector->broken = true;
    connect_problem_add(e->problems, CONNECT_ENTITY_RESOLVER_ARGUMENT_MISMATCH,
                        connect_place_of_name(argument->name_at, argument->name),
                        "%.*s: the argument '%.*s' of an entity connector must be a field of "
                        "'%.*s'%s",
                        STR_ARG(e->connector->coordinate), STR_ARG(argument->name),
                        STR_ARG(type->name), what);
}

/* Both have members, which are compared later.  No pair of types is compared twice: input types may contain
 * themselves. */
static void
add_pair(struct entity *e, const struct gql_schema_type *input, const struct gql_schema_type *type)
{
    struct arena *a = e->problems->arena;
    const char *name = arena_fmt(a, "%.*s %.*s", STR_ARG(input->name), STR_ARG(type->name));
    if (name && gql_names_find(&e->seen, str_of(name)))
        return;
    struct pair *pair = arena_alloc(a, sizeof *pair);
    if (!name || !pair || !gql_names_set(&e->seen, a, str_of(name), pair)) {
        e->problems->nomem = true;
        return;
    }
    *pair = (struct pair){NULL, input, type};
    *e->tail = pair;
    e->tail = &pair->next;
}

static void
compare(struct entity *e, const struct gql_member *argument, const struct gql_schema_type *type)
{
    const struct gql_schema *graphql = e->schema->graphql;
    const struct gql_member *field = gql_names_find(&type->members, argument->name);
    struct gql_problems words;
    gql_problems_init(&words, e->problems->arena, 1);
    if (!field) {
        tell_mismatch(e, argument, type, gql_did_you_mean(&words, argument->name, &type->members));
        return;
    }
    const struct gql_schema_type *given = gql_type_of(graphql, argument->type);
    const struct gql_schema_type *wanted = gql_type_of(graphql, field->type);
    if (!given || !wanted)
        return; /* told by its own name */
    bool composite = gql_kind_is_composite(wanted->kind);
    if (given->kind == GQL_INPUT && composite)
        add_pair(e, given, wanted);
    else if (given->kind == GQL_INPUT)
        tell_mismatch(e, argument, type, ", which is no object there; take its members out");
    else if (given != wanted)
        tell_mismatch(e, argument, type, ", of the same type as there");
}

/* An undefined type was told as a fault of GraphQL; what is told of one place is told once. */
static void
tell_undefined(struct entity *e, const struct gql_member *m)
{
    const struct gql_type *type = m->type;
    while (type->of)
        type = type->of;
    struct connect_problem *told = e->problems->first;
    while (told && (told->place.start != type->at || (told->code != CONNECT_GRAPH_QL_ERROR &&
                                                      told->code != CONNECT_MISSING_SCHEMA_TYPE)))
        told = told->next;
    e->failed = true;
    e->connector->broken = true;
    if (told)
        told->code = CONNECT_MISSING_SCHEMA_TYPE;
    else
        connect_problem_add(
            e->problems, CONNECT_MISSING_SCHEMA_TYPE, connect_place_of_name(type->at, type->name),
            "%.*s: '%.*s', of the input of an entity connector, has the type "
            "'%.*s', which is not defined; define it",
            STR_ARG(e->connector->coordinate), STR_ARG(m->name), STR_ARG(type->name));
}

static void
compare_member(struct entity *e, const struct gql_member *m, const struct gql_schema_type *type)
{
    if (gql_type_of(e->schema->graphql, m->type))
        compare(e, m, type);
    else
        tell_undefined(e, m);
}

static void
compare_arguments(struct entity *e, const struct gql_schema_type *type)
{
    e->tail = &e->pairs;
    for (const struct gql_member *m = e->connector->field->arguments; m; m = m->next)
        compare(e, m, type);
    for (const struct pair *pair = e->pairs; pair && !e->problems->nomem; pair = pair->next)
        for (size_t i = 0; i < pair->input->members.len; i++)
            compare_member(e, pair->input->members.all[i].value, pair->type);
    e->pairs = NULL;
}

/* The objects of a union have no fields in common: each of them must have the argument's. */
static void
check_arguments(struct entity *e)
{
    const struct gql_schema_type *returns = e->connector->returns;
    if (returns->kind != GQL_UNION) {
        compare_arguments(e, returns);
        return;
    }
    for (size_t i = 0; i < returns->interfaces.len && !e->failed; i++) {
        const struct gql_schema_type *type =
            gql_type_find(e->schema->graphql, returns->interfaces.all[i].name);
        if (type && type->kind == GQL_OBJECT)
            compare_arguments(e, type);
    }
}

/* ---- a connector ---------------------------------------------------------------------------------- */

static const char *
fault_of_type(const struct connect_schema *s, const struct connector *c)
{
    if (c->field->type->required)
        return "an entity connector's field may be null: without '!' behind its type, the object "
               "need not be there";
    if (c->field->type->of)
        return "an entity connector gives one object; a list needs a connector with $batch, on "
               "the type";
    if (!c->returns)
        return "an entity connector gives an object, and the type of this field is not defined";
    if (c->returns->kind == GQL_OBJECT)
        return NULL;
    if (s->version < MAPPING_V4)
        return "an entity connector gives an object; use it on a field whose type is one";
    return gql_kind_is_composite(c->returns->kind)
               ? NULL
               : "an entity connector gives an object, an interface or a union; use it on a field "
                 "of such a type";
}

static void
check_entity(struct connect_schema *s, struct connect_problems *p, struct connector *c)
{
    struct connect_place place = connect_place_of(s, c->entity_written);
    if (!c->field || c->type != s->graphql->root_types[GQL_QUERY]) {
        fail(p, c, CONNECT_ENTITY_NOT_ON_ROOT_QUERY, place,
             "'entity: true' is for fields of Query; leave it out, or put the connector there");
        return;
    }
    const char *fault = fault_of_type(s, c);
    if (fault) {
        fail(p, c, CONNECT_ENTITY_TYPE_INVALID, place, fault);
        return;
    }
    if (!c->field->arguments && c->broken) /* it reads one, which was told not to be there */
        return;
    if (!c->field->arguments) {
        fail(p, c, CONNECT_ENTITY_RESOLVER_ARGUMENT_MISMATCH, place,
             "an entity connector needs arguments, which say which object is meant; add one that "
             "is named like a field of the type");
        return;
    }
    struct entity e = {.schema = s, .problems = p, .connector = c};
    memcpy(e.seen.seed, s->graphql->seed, sizeof e.seen.seed);
    check_arguments(&e);
}

static void
check_batch_and_this(struct connect_schema *s, struct connect_problems *p, struct connector *c)
{
    const struct connector_key *key = c->key;
    if (key->first_this.written && key->first_batch.written)
        fail(p, c, CONNECT_CONNECT_BATCH_AND_THIS,
             connect_place_in(s, key->first_this.written, key->first_this.range),
             "$this is one object, and $batch, which this connector reads too, is many; use one of "
             "them");
}

static bool
find_key(struct connect_schema *s, struct connector *c)
{
    struct connector_key *key = arena_alloc(&s->arena, sizeof *key);
    if (!key || !connector_key(s, c, &s->arena, key))
        return false;
    c->key = key;
    return true;
}

void
check_entities(struct connect_schema *s, struct connect_problems *p)
{
    for (struct connector *c = s->connectors; c && !p->nomem; c = c->next) {
        if (!find_key(s, c)) {
            p->nomem = true;
            return;
        }
        if (c->unread)
            continue;
        /* On a type it need not be written; `false` there was told. */
        if (c->field && c->is_entity)
            check_entity(s, p, c);
        check_batch_and_this(s, p, c);
    }
}
