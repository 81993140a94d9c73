/* check_keys.c - the keys of connectors: each is a set of fields of its type, what a batch gives can be matched by it,
 * and each resolvable @key has a connector that takes it. */
#include "connector_key.h"
#include "entity_keys.h"
#include "outputs.h"

struct check {
    const struct connect_schema *schema;
    struct connect_problems *problems;
    struct arena *arena;
};

/* Of its name, with '@'. */
static struct connect_place
place_of_directive(const struct gql_directive *d)
{
    return (struct connect_place){d->at, d->at + 1 + d->name.len};
}

/* ---- what a connector reads ----------------------------------------------------------------------- */

static void
tell_no_key(const struct check *k, const struct connector *c, struct connect_place place,
            const char *what)
{
    connect_problem_add(k->problems, CONNECT_CONNECTORS_CANNOT_RESOLVE_KEY, place, "%.*s: %s",
                        STR_ARG(c->coordinate), what);
}

/* A connector on a type cannot be asked without a key; one on a field may need none. */
static void
check_empty(const struct check *k, const struct connector *c)
{
    const struct connector_key *key = c->key;
    if (key->whole.written && key->kind != CONNECTOR_ENTITY)
        tell_no_key(k, c, connect_place_in(k->schema, key->whole.written, key->whole.range),
                    key->kind == CONNECTOR_BATCH
                        ? "$batch alone does not say which fields are the key; read a member, as "
                          "in $batch.id or $batch { id }"
                        : "$this alone does not say which fields are the key; read a member, as "
                          "in $this.id or $this { id }");
    else if (!c->field)
        tell_no_key(
            k, c, place_of_directive(c->directive),
            "a connector on a type must read the key of the object that is wanted; use a member "
            "of $this or $batch in its request, as in {$this.id}");
}

static const char *
why_no_field(const struct connect_schema *s, const struct set_field *field,
             const struct gql_schema_type *owner)
{
    const struct gql_member *m = gql_names_find(&owner->members, field->name);
    const struct gql_schema_type *type = m ? gql_type_of(s->graphql, m->type) : NULL;
    if (!type)
        return "which has no such field";
    if (gql_kind_is_composite(type->kind) == (field->below.fields.len > 0))
        return "where it has arguments that must be given";
    return field->below.fields.len ? "where it has no fields of its own"
                                   : "where it is an object; say which of its fields are the key";
}

static void
check_fields(const struct check *k, const struct connector *c, const struct gql_schema_type *type)
{
    const struct gql_schema_type *owner;
    const struct set_field *fault = field_set_fault(k->schema, &c->key->fields, type, &owner);
    if (fault)
        connect_problem_add(k->problems, CONNECT_CONNECTORS_CANNOT_RESOLVE_KEY,
                            connect_place_in(k->schema, fault->written, fault->range),
                            "%.*s: '%.*s' cannot be in the key of '%.*s', %s",
                            STR_ARG(c->coordinate), STR_ARG(fault->name), STR_ARG(owner->name),
                            why_no_field(k->schema, fault, owner));
}

static void
check_connector(const struct check *k, const struct connector *c)
{
    const struct gql_schema_type *type = connector_key_type(c, c->key);
    if (!type)
        return;
    if (!c->key->fields.fields.len) {
        check_empty(k, c);
        return;
    }
    if (type->kind != GQL_UNION) {
        check_fields(k, c, type);
        return;
    }
    size_t errors = k->problems->errors;
    for (size_t i = 0; i < type->interfaces.len && k->problems->errors == errors; i++) {
        const struct gql_schema_type *member =
            gql_type_find(k->schema->graphql, type->interfaces.all[i].name);
        if (member)
            check_fields(k, c, member);
    }
}

/* ---- what a batch gives --------------------------------------------------------------------------- */

static void
tell_variable(const struct check *k, const struct connector *c, const struct output *output)
{
    connect_problem_add(k->problems, CONNECT_CONNECTORS_NON_ROOT_BATCH_KEY,
                        connect_place_in(k->schema, c->selection.written, output->range),
                        "%.*s: the key field '%.*s' must come from the response, or nothing tells "
                        "which object it belongs to",
                        STR_ARG(c->coordinate), STR_ARG(output->name));
}

static void
tell_not_selected(const struct check *k, const struct connector *c, const struct set_field *key)
{
    connect_problem_add(k->problems, CONNECT_CONNECTORS_BATCH_KEY_NOT_IN_SELECTION,
                        connect_place_in(k->schema, key->written, key->range),
                        "%.*s: the key field '%.*s' is read of $batch, so the selection must give "
                        "it, too",
                        STR_ARG(c->coordinate), STR_ARG(key->name));
}

static void check_batch_keys(const struct check *k, const struct connector *c,
                             const struct field_set *keys, const struct output_form *form);

static void
check_batch_form(const struct check *k, const struct connector *c, const struct field_set *keys,
                 const struct output_form *form)
{
    struct gql_names found = {.seed = {keys->fields.seed[0], keys->fields.seed[1]}};
    for (const struct output *o = form->outputs; o; o = o->next) {
        const struct set_field *key = field_set_find(keys, o->name);
        if (!key)
            continue;
        if (o->from_variable)
            tell_variable(k, c, o);
        else
            check_batch_keys(k, c, &key->below, o->forms);
        if (!gql_names_set(&found, k->arena, key->name, key))
            k->problems->nomem = true;
    }
    for (size_t i = 0; i < keys->fields.len && !form->is_open; i++)
        if (!gql_names_find(&found, field_set_at(keys, i)->name))
            tell_not_selected(k, c, field_set_at(keys, i));
}

/* The first form that lacks one is told, not all. */
static void
check_batch_keys(const struct check *k, const struct connector *c, const struct field_set *keys,
                 const struct output_form *form)
{
    static const struct output_form nothing;
    size_t errors = k->problems->errors;
    for (const struct output_form *f = form ? form : &nothing;
         f && keys->fields.len && k->problems->errors == errors; f = f->next)
        check_batch_form(k, c, keys, f);
}

static void
check_batch(const struct check *k, const struct connector *c)
{
    struct outputs outputs;
    if (!connector_outputs(k->schema, c, k->arena, &outputs))
        k->problems->nomem = true;
    else if (!outputs.is_never_object)
        check_batch_keys(k, c, &c->key->fields, outputs.forms);
}

/* ---- each @key has a connector -------------------------------------------------------------------- */

struct asked {
    struct asked *next;
    const struct connector_key *key;
};

static bool
add_asked(const struct check *k, struct gql_names *types, struct str type,
          const struct connector_key *key)
{
    struct asked *asked = arena_alloc(k->arena, sizeof *asked);
    if (!asked)
        return false;
    *asked = (struct asked){gql_names_find(types, type), key};
    return gql_names_set(types, k->arena, type, asked);
}

/* An entity connector of an abstract type answers for the types that its selection names. */
static bool
add_named(const struct check *k, struct gql_names *types, const struct connector *c)
{
    struct outputs outputs;
    if (!connector_outputs(k->schema, c, k->arena, &outputs))
        return false;
    for (const struct output_form *f = outputs.forms; f; f = f->next)
        if (f->type_name.len && !add_asked(k, types, f->type_name, c->key))
            return false;
    return true;
}

/* Type name -> struct asked: the connectors that answer for objects of it. */
static bool
find_asked(const struct check *k, struct gql_names *types)
{
    for (const struct connector *c = k->schema->connectors; c; c = c->next) {
        const struct gql_schema_type *type = connector_key_type(c, c->key);
        bool done = true;
        if (!type || c->key->kind == CONNECTOR_FIELD)
            continue;
        if (type->kind == GQL_OBJECT)
            done = add_asked(k, types, type->name, c->key);
        else
            done = add_named(k, types, c);
        if (!done)
            return false;
    }
    return true;
}

static void
check_entity_key(const struct check *k, const struct entity_key *key, const struct asked *asked)
{
    for (; asked; asked = asked->next)
        if (field_set_covers(&asked->key->fields, &key->fields))
            return;
    connect_problem_add(k->problems, CONNECT_MISSING_ENTITY_CONNECTOR,
                        place_of_directive(key->directive),
                        "%.*s: no connector takes this key; put one on the type that reads these "
                        "fields of $this, or on a field of Query with 'entity: true' that reads "
                        "them of $args, or say 'resolvable: false'",
                        STR_ARG(key->type->name));
}

static bool
check_entity_keys(const struct check *k)
{
    struct gql_names types = {0};
    struct federation_names names;
    struct entity_key *keys;
    memcpy(types.seed, k->schema->graphql->seed, sizeof types.seed);
    if (!federation_names(k->schema, k->arena, &names) ||
        !entity_keys(k->schema, &names, k->arena, NULL, &keys) || !find_asked(k, &types))
        return false;
    for (; keys; keys = keys->next)
        check_entity_key(k, keys, gql_names_find(&types, keys->type->name));
    return true;
}

void
check_keys(struct connect_schema *s, struct connect_problems *p)
{
    AUTO_ARENA struct arena arena;
    const struct check k = {s, p, &arena};
    bool right = true;
    arena_init(&arena, 0);
    for (const struct connector *c = s->connectors; c; c = c->next) {
        size_t errors = p->errors;
        check_connector(&k, c);
        if (p->errors > errors)
            right = false;
        else if (c->key->kind == CONNECTOR_BATCH)
            check_batch(&k, c);
    }
    if (right && !check_entity_keys(&k))
        p->nomem = true;
}
