/* check_satisfiable.c - can each field be had wherever an object of its type is given?
 *
 * A position is an object that something gives: what a field of Query gives, then whatever is given below that.  What
 * cannot be had there, no request could ever fetch.
 *
 *   position --reach_close()--> field name -> what gives it --each field--> position, unless it was looked at
 *
 * Positions that the same selections give are one.  Of n selections there may be 2^n positions, so there is a budget;
 * it is told when it ends the search. */
#include "entity_keys.h"
#include "reach.h"

enum { POSITIONS_MAX = 100000, TOLD_NAMES = 3 };

struct position {
    struct position *next;
    const struct position *parent; /* NULL: a field of Query or Mutation */
    struct str field, root;        /* its name in the parent; of the root type, without parent */
    const struct gql_schema_type *type;
    struct reach_source *sources;
};

struct walk {
    struct reach reach;
    struct connect_problems *problems;
    struct gql_names seen; /* bytes of a type's and its sources' addresses -> struct position */
    struct position *first, **tail;
    size_t positions;
};

static bool
is_over(const struct walk *w)
{
    return w->positions > POSITIONS_MAX || reach_is_over(&w->reach);
}

/* ---- which connectors may be asked ---------------------------------------------------------------- */

static const struct gql_names *
possible_types(const struct gql_schema_type *abstract)
{
    return abstract->kind == GQL_UNION ? &abstract->interfaces : &abstract->possible;
}

/* For objects of each type that the connector is about. */
static void
add_candidates(struct walk *w, const struct connector *c, const struct gql_schema_type *type,
               const struct output_form *forms)
{
    if (type->kind == GQL_OBJECT) {
        reach_add_candidate(&w->reach, type, c, forms);
        return;
    }
    const struct gql_names *types = possible_types(type);
    for (size_t i = 0; i < types->len; i++) {
        const struct gql_schema_type *t =
            gql_type_find(w->reach.schema->graphql, types->all[i].name);
        if (t)
            reach_add_candidate(&w->reach, t, c, forms);
    }
}

/* ---- positions ------------------------------------------------------------------------------------ */

static int
compare_addresses(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return x < y ? -1 : x > y;
}

/* Has a position of this type and these sources been looked at?  If not, it has now. */
static bool
is_seen(struct walk *w, const struct position *position)
{
    size_t n = 1, size;
    for (const struct reach_source *s = position->sources; s; s = s->next)
        n++;
    uintptr_t *key = arena_alloc_array(w->reach.arena, n, sizeof *key);
    if (!key || !size_mul(n, sizeof *key, &size)) {
        w->reach.nomem = true;
        return true;
    }
    n = 0;
    key[n++] = (uintptr_t)position->type;
    for (const struct reach_source *s = position->sources; s; s = s->next)
        key[n++] = (uintptr_t)s->forms;
    qsort(key + 1, n - 1, sizeof *key, compare_addresses);
    const struct str name = {(const char *)key, size};
    if (gql_names_find(&w->seen, name))
        return true;
    w->reach.nomem |= !gql_names_set(&w->seen, w->reach.arena, name, position);
    return false;
}

/* Does anything say that objects of this type are given here, and which fields they have? */
static bool
is_told(const struct walk *w, const struct position *position)
{
    for (const struct reach_source *s = position->sources; s; s = s->next) {
        if (!s->forms && w->reach.schema->version >= MAPPING_V4)
            return false;
        for (const struct output_form *f = s->forms; f; f = f->next)
            if (reach_is_of(f, position->type) && f->is_open)
                return false;
    }
    return true;
}

static bool
may_be(const struct position *position, const struct gql_schema_type *type)
{
    for (const struct reach_source *s = position->sources; s; s = s->next)
        for (const struct output_form *f = s->forms; f; f = f->next)
            if (reach_is_of(f, type))
                return true;
    return false;
}

static void
add_position(struct walk *w, const struct position *what)
{
    struct position *position = reach_make(&w->reach, w->reach.arena, sizeof *position);
    if (!position)
        return;
    *position = *what;
    position->sources = NULL;
    for (const struct reach_source *s = what->sources; s; s = s->next)
        reach_add_source(&w->reach, w->reach.arena, &position->sources, s->connector, s->forms);
    if (w->reach.nomem || is_seen(w, position))
        return;
    *w->tail = position;
    w->tail = &position->next;
    w->positions++;
}

static bool
is_root_type(const struct walk *w, const struct gql_schema_type *type)
{
    const struct gql_schema *graphql = w->reach.schema->graphql;
    return type == graphql->root_types[GQL_QUERY] || type == graphql->root_types[GQL_MUTATION];
}

/* what.type: of the field, which may be abstract. */
static void
add_positions(struct walk *w, struct position what)
{
    /* What a root type has does not depend on where it is given. */
    if (!what.type || !gql_kind_is_composite(what.type->kind) || is_root_type(w, what.type))
        return;
    if (what.type->kind == GQL_OBJECT) {
        add_position(w, &what);
        return;
    }
    const struct gql_names *types = possible_types(what.type);
    for (size_t i = 0; i < types->len && !is_over(w); i++) {
        what.type = gql_type_find(w->reach.schema->graphql, types->all[i].name);
        if (what.type && what.type->kind == GQL_OBJECT && may_be(&what, what.type))
            add_position(w, &what);
    }
}

/* ---- what is missing ------------------------------------------------------------------------------ */

static void
add_path(struct buf *b, const struct position *position)
{
    enum { STEPS = 8 };
    const struct position *way[STEPS];
    struct str root;
    size_t n = 0;
    do {
        way[n++] = position;
        root = position->root;
        position = position->parent;
    } while (position && n < STEPS);
    buf_add(b, position ? STR("...") : root);
    while (n--) {
        buf_add_char(b, '.');
        buf_add(b, way[n]->field);
    }
}

static struct connect_place
place_of(const struct connector *c)
{
    if (c->field)
        return connect_place_of_name(c->field->name_at, c->field->name);
    return (struct connect_place){c->directive->at, c->directive->at + 1 + c->directive->name.len};
}

static void
tell(struct walk *w, const struct position *position, const struct buf *names, size_t count)
{
    AUTO_BUF struct buf path = BUF_INIT(4096);
    AUTO_BUF struct buf more = BUF_INIT(64);
    add_path(&path, position);
    if (count > TOLD_NAMES)
        buf_add_fmt(&more, " and %zu more", count - TOLD_NAMES);
    connect_problem_add(
        w->problems, CONNECT_SATISFIABILITY_ERROR, place_of(position->sources->connector),
        "%s: %s%s of '%.*s' cannot be had here; add %s to the selection, or give "
        "'%.*s' a connector whose key is among what is given here",
        buf_text(&path), buf_text(names), buf_text(&more), STR_ARG(position->type->name),
        count == 1 ? "it" : "them", STR_ARG(position->type->name));
}

static void
check_given(struct walk *w, const struct position *position, const struct reach_object *object)
{
    AUTO_BUF struct buf names = BUF_INIT(4096);
    size_t count = 0;
    for (size_t i = 0; i < position->type->members.len; i++) {
        const struct gql_member *field = position->type->members.all[i].value;
        if (reach_has(object, field->name) || has_directive(field->directives, w->reach.external))
            continue;
        if (count++ < TOLD_NAMES)
            buf_add_fmt(&names, "%s'%.*s'", count > 1 ? ", " : "", STR_ARG(field->name));
    }
    if (count)
        tell(w, position, &names, count);
}

static void
check_position(struct walk *w, const struct position *position)
{
    struct reach_object object = {.reach = &w->reach, .type = position->type};
    arena_reset(w->reach.scratch);
    if (!reach_close(&object, position->sources))
        return;
    if (is_told(w, position) && !type_has_directive(position->type, w->reach.external))
        check_given(w, position, &object);
    for (size_t i = 0; i < object.fields.len && !is_over(w); i++) {
        const struct reach_field *given = object.fields.all[i].value;
        struct position what = {.parent = position,
                                .field = given->field->name,
                                .type = gql_type_of(w->reach.schema->graphql, given->field->type),
                                .sources = given->sources};
        if (given->is_given)
            add_positions(w, what);
    }
}

/* The search ends here, and what it would have found is not known.  Told where the way to here begins. */
static void
tell_unfinished(struct walk *w, const struct position *position)
{
    const struct position *root = position;
    AUTO_BUF struct buf path = BUF_INIT(4096);
    add_path(&path, position);
    while (root->parent)
        root = root->parent;
    connect_problem_add(
        w->problems, CONNECT_CHECK_UNFINISHED, place_of(root->sources->connector),
        "%s: there are too many ways in which connectors together give objects, and whether "
        "each field can be had was looked at only up to one of '%.*s'; let fewer connectors give "
        "parts of one type",
        buf_text(&path), STR_ARG(position->type->name));
}

/* Positions are added behind those that are looked at. */
static void
check_positions(struct walk *w)
{
    const struct position *last = w->first;
    for (const struct position *at = w->first; at && !is_over(w); at = at->next) {
        check_position(w, at);
        last = at;
    }
    if (last && is_over(w) && !w->reach.nomem)
        tell_unfinished(w, last);
}

/* ---- the whole schema ----------------------------------------------------------------------------- */

static bool
is_root(const struct connector *c)
{
    return c->key->kind == CONNECTOR_ROOT || c->key->kind == CONNECTOR_ENTITY;
}

/* Connectors of one field stand behind each other. */
static const struct connector *
add_root(struct walk *w, const struct connector *c, struct gql_names *forms)
{
    const struct connector *first = c;
    struct position what = {.field = c->field->name, .root = c->type->name, .type = c->returns};
    for (; c && c->field == first->field; c = c->next)
        reach_add_source(&w->reach, w->reach.arena, &what.sources, c,
                         gql_names_find(forms, c->coordinate));
    add_positions(w, what);
    return c;
}

static void
add_roots(struct walk *w, struct gql_names *forms)
{
    for (const struct connector *c = w->reach.schema->connectors; c && !w->reach.nomem;)
        c = is_root(c) ? add_root(w, c, forms) : c->next;
}

/* forms: coordinate -> what the connector's selection gives. */
static void
read_connectors(struct walk *w, struct gql_names *forms)
{
    for (const struct connector *c = w->reach.schema->connectors; c && !w->reach.nomem;
         c = c->next) {
        const struct gql_schema_type *type = connector_key_type(c, c->key);
        struct outputs outputs;
        if (!connector_outputs(w->reach.schema, c, w->reach.arena, &outputs) ||
            !gql_names_set(forms, w->reach.arena, c->coordinate, outputs.forms))
            w->reach.nomem = true;
        else if (type && (c->key->kind != CONNECTOR_ENTITY || c->key->fields.fields.len))
            add_candidates(w, c, type, outputs.forms);
    }
}

void
check_satisfiable(struct connect_schema *s, struct connect_problems *p)
{
    AUTO_ARENA struct arena arena, scratch;
    struct walk w = {.reach = {.schema = s, .arena = &arena, .scratch = &scratch},
                     .problems = p,
                     .tail = &w.first};
    struct federation_names names = {STR_NONE, STR_NONE};
    struct gql_names forms;
    arena_init(&arena, 0);
    arena_init(&scratch, 0);
    reach_init_names(&w.reach, &w.reach.candidates);
    reach_init_names(&w.reach, &w.seen);
    reach_init_names(&w.reach, &forms);
    w.reach.nomem = !federation_names(s, &arena, &names);
    w.reach.external = names.external;
    read_connectors(&w, &forms);
    add_roots(&w, &forms);
    check_positions(&w);
    p->nomem |= w.reach.nomem;
}
