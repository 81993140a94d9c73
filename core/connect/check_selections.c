/* check_selections.c - selections against the types that they are for: fields that are not there, braces where none
 * belong or are needed, types that come back to themselves.
 *
 * Before connect v0.4 what is written decides: braces make an object.  From then on the static shape does: one of
 * several passes when one of them fits, and for an interface or union each possible type needs one that fits. */
#include "check_mapping.h"

/* Shapes share their parts, and choices are looked at twice: as a tree it could be endless. */
enum { VISITS_MAX = 1 << 21 };

/* The types on the way down to here. */
struct way {
    const struct way *outer;
    const struct gql_schema_type *type;
};

/* Where something was told that is common to the shapes of several types. */
struct told {
    struct told *next;
    size_t at;
};

struct selection {
    const struct placed *placed;
    const char *words; /* of the place */
    struct shape_walk walk;
    bool is_quiet; /* faults are only counted */
    struct told *told;
    size_t faults, visits;
};

/* What is looked at: a shape that is given for a type, and where it is named. */
struct given {
    const struct gql_schema_type *type;
    const struct shape *shape;
    struct mapping_range at;
};

static void check_given(struct selection *s, struct given given, const struct way *way);

/* Is it to be told? */
static bool
count_fault(struct selection *s)
{
    s->faults++;
    return !s->is_quiet && !placed_count_only(s->placed, CONNECT_SELECTED_FIELD_NOT_FOUND);
}

static bool
is_abstract(const struct gql_schema_type *type)
{
    return type->kind == GQL_INTERFACE || type->kind == GQL_UNION;
}

/* ---- an object ------------------------------------------------------------------------------------- */

/* A name that no type of an interface has is told for the first of them. */
static bool
is_first(struct selection *s, size_t at)
{
    for (const struct told *t = s->told; t; t = t->next)
        if (t->at == at)
            return false;
    struct told *told = arena_alloc(s->walk.arena, sizeof *told);
    s->walk.nomem |= !told;
    if (told) {
        *told = (struct told){s->told, at};
        s->told = told;
    }
    return told != NULL;
}

static void
check_name(struct selection *s, const struct gql_schema_type *type, const struct shape_member *m)
{
    const struct gql_member *field = gql_names_find(&type->members, m->name);
    if (str_eq(m->name, STR("__typename")))
        return;
    if (!field && count_fault(s) && is_first(s, m->range.start))
        placed_tell(s->placed, CONNECT_SELECTED_FIELD_NOT_FOUND, m->range,
                    "%s gives '%.*s', which type '%.*s' does not have%s", s->words,
                    STR_ARG(m->name), STR_ARG(type->name),
                    placed_did_you_mean(s->placed, m->name, &type->members));
    if (field && field->arguments && count_fault(s))
        placed_tell(s->placed, CONNECT_CONNECTORS_FIELD_WITH_ARGUMENTS, m->range,
                    "%s gives '%.*s', a field of '%.*s' with arguments, which no selection sees; "
                    "give the field a connector of its own and leave it out here",
                    s->words, STR_ARG(m->name), STR_ARG(type->name));
}

/* Before v0.4 braces stand behind objects, and behind nothing else. */
static void
check_braces(struct selection *s, const struct gql_schema_type *type, const struct shape_member *m)
{
    bool is_object = gql_kind_is_composite(type->kind);
    bool has_braces = m->node && m->node->braces;
    if (s->walk.version >= MAPPING_V4 || is_object == has_braces || !count_fault(s))
        return;
    if (is_object)
        placed_tell(s->placed, CONNECT_GROUP_SELECTION_REQUIRED_FOR_OBJECT, m->range,
                    "%s gives '%.*s', an object of type '%.*s', without braces; write %.*s { ... } "
                    "with its fields",
                    s->words, STR_ARG(m->name), STR_ARG(type->name), STR_ARG(m->name));
    else
        placed_tell(s->placed, CONNECT_GROUP_SELECTION_IS_NOT_OBJECT, m->range,
                    "%s gives '%.*s' with braces, and '%.*s' is no object type; leave them out",
                    s->words, STR_ARG(m->name), STR_ARG(type->name));
}

/* All names of a level before what is inside. */
static void
check_members(struct selection *s, const struct gql_schema_type *type, const struct shape *object,
              const struct way *way)
{
    for (const struct shape_member *m = object->members; m && s->visits < VISITS_MAX; m = m->next) {
        s->visits++;
        check_name(s, type, m);
    }
    for (const struct shape_member *m = object->members; m; m = m->next) {
        const struct gql_member *field = gql_names_find(&type->members, m->name);
        const struct gql_schema_type *inner =
            field ? gql_type_of(s->walk.graphql, field->type) : NULL;
        if (!inner)
            continue;
        check_braces(s, inner, m);
        check_given(s, (struct given){inner, m->shape, m->range}, way);
    }
}

/* Is the type on the way already?  It is said then. */
static bool
is_circular(struct selection *s, struct given g, const struct way *way)
{
    const struct way *outer = way;
    while (outer && outer->type != g.type)
        outer = outer->outer;
    if (outer && count_fault(s))
        placed_tell(s->placed, CONNECT_CIRCULAR_REFERENCE, g.at,
                    "%s comes back to type '%.*s' inside itself; select only its key here, in a "
                    "field with a connector of its own",
                    s->words, STR_ARG(g.type->name));
    return outer != NULL;
}

static void
check_object(struct selection *s, struct given g, const struct way *way)
{
    const struct way here = {way, g.type};
    if (gql_kind_is_composite(g.type->kind)) {
        if (!is_circular(s, g, way))
            check_members(s, g.type, g.shape, &here);
    } else if (s->walk.version >= MAPPING_V4 && (g.type->kind == GQL_ENUM || g.type->is_built_in) &&
               count_fault(s)) {
        placed_tell(s->placed, CONNECT_GROUP_SELECTION_IS_NOT_OBJECT, g.at,
                    "%s gives an object where '%.*s' is wanted, which is no object type", s->words,
                    STR_ARG(g.type->name));
    }
}

/* ---- one of several shapes ------------------------------------------------------------------------- */

/* May it stand for an object? */
static bool
may_be_null_or_any(const struct shape *shape)
{
    while (shape->kind == SHAPE_ARRAY)
        shape = shape->element;
    return shape->kind == SHAPE_NULL || shape->kind == SHAPE_UNKNOWN || shape->kind == SHAPE_SCALAR;
}

static bool
fits(struct selection *s, struct given given, const struct way *way)
{
    const bool was_quiet = s->is_quiet;
    const size_t before = s->faults;
    s->is_quiet = true;
    check_given(s, given, way);
    const bool found = s->faults == before;
    s->is_quiet = was_quiet;
    s->faults = before;
    return found;
}

static void
check_choices(struct selection *s, struct given g, const struct way *way)
{
    const struct shape *wrong = NULL;
    for (const struct shape_choice *c = g.shape->choices; c; c = c->next) {
        const struct shape *shape = c->shape;
        while (shape->kind == SHAPE_ARRAY)
            shape = shape->element;
        bool is_object = shape->kind == SHAPE_OBJECT || shape->kind == SHAPE_ONE_OF;
        if (may_be_null_or_any(shape) || (!is_object && !gql_kind_is_composite(g.type->kind)))
            return;
        if (is_object && fits(s, (struct given){g.type, shape, g.at}, way))
            return;
        wrong = is_object && !wrong ? shape : wrong;
    }
    if (wrong)
        check_given(s, (struct given){g.type, wrong, g.at}, way);
}

/* ---- interfaces and unions ------------------------------------------------------------------------- */

static struct str
type_name_of(struct selection *s, const struct shape *object)
{
    for (const struct shape_member *m = object->members; m; m = m->next, s->visits++)
        if (str_eq(m->name, STR("__typename")) && m->shape->literal.ptr)
            return m->shape->literal;
    return STR_NONE;
}

/* What one possible type has to do with the shapes. */
struct candidate {
    bool fits, has_objects;
    bool others_fit; /* one that names another type has no field that this lacks */
    const struct shape *named, *unnamed; /* the first that name the type, or none */
};

static void
consider(struct selection *s, struct candidate *best, struct given g, const struct way *way)
{
    while (g.shape->kind == SHAPE_ARRAY)
        g.shape = g.shape->element;
    best->fits |= may_be_null_or_any(g.shape);
    if (g.shape->kind != SHAPE_OBJECT)
        return;
    best->has_objects = true;
    struct str name = type_name_of(s, g.shape);
    bool found = fits(s, g, way);
    best->others_fit |= found;
    if (name.ptr && !str_eq(name, g.type->name))
        return;
    best->fits |= found;
    if (name.ptr && !best->named)
        best->named = g.shape;
    else if (!name.ptr && !best->unnamed)
        best->unnamed = g.shape;
}

/* False: a shape that names no type was told; it would be told again for the next type. */
static bool
check_possible(struct selection *s, struct given g, const struct gql_schema_type *possible,
               const struct way *way)
{
    struct candidate best = {0};
    if (g.shape->kind == SHAPE_ONE_OF)
        for (const struct shape_choice *c = g.shape->choices; c; c = c->next)
            consider(s, &best, (struct given){possible, c->shape, g.at}, way);
    else
        consider(s, &best, (struct given){possible, g.shape, g.at}, way);
    if (best.fits || !best.has_objects)
        return true;
    const struct shape *wrong = best.named ? best.named : best.unnamed;
    if (wrong)
        check_given(s, (struct given){possible, wrong, g.at}, way);
    else if (!best.others_fit && count_fault(s))
        placed_tell(s->placed, CONNECT_SELECTED_FIELD_NOT_FOUND, g.at,
                    "%s gives nothing that may be a '%.*s', one of the types of '%.*s'; add an "
                    "object with __typename: \"%.*s\"",
                    s->words, STR_ARG(possible->name), STR_ARG(g.type->name),
                    STR_ARG(possible->name));
    return best.named || !wrong;
}

/* Each possible type needs one shape whose fields all exist on it. */
static void
check_abstract(struct selection *s, struct given g, const struct way *way)
{
    const struct way here = {way, g.type};
    const struct gql_names *names =
        g.type->kind == GQL_UNION ? &g.type->interfaces : &g.type->possible;
    if (s->walk.version < MAPPING_V4 || is_circular(s, g, way))
        return;
    for (size_t i = 0; i < names->len && s->visits < VISITS_MAX; i++) {
        const struct gql_schema_type *possible = gql_type_find(s->walk.graphql, names->all[i].name);
        if (possible && !is_abstract(possible) && !check_possible(s, g, possible, &here))
            return;
    }
}

/* ---- a selection ----------------------------------------------------------------------------------- */

static void
check_given(struct selection *s, struct given g, const struct way *way)
{
    while (g.shape->kind == SHAPE_ARRAY)
        g.shape = g.shape->element;
    if (s->visits++ >= VISITS_MAX || s->placed->problems->nomem)
        return;
    if (is_abstract(g.type))
        check_abstract(s, g, way);
    else if (g.shape->kind == SHAPE_ONE_OF)
        check_choices(s, g, way);
    else if (g.shape->kind == SHAPE_OBJECT && (g.shape->is_braces || s->walk.version >= MAPPING_V4))
        check_object(s, g, way);
}

/* A connector of a field whose type is where the field stands.  Told at the field. */
static bool
is_own_parent(const struct placed *m)
{
    const struct connector *c = m->connector;
    if (!c->field || c->returns != c->type || gql_is_root_type(m->schema->graphql, c->type))
        return false;
    m->connector->broken = true;
    connect_problem_add(m->problems, CONNECT_CIRCULAR_REFERENCE,
                        connect_place_of_name(c->field->name_at, c->field->name),
                        "%.*s: the field gives its own type '%.*s', which would never end; give "
                        "type '%.*s' a connector, and this field a key of it in a selection",
                        STR_ARG(c->coordinate), STR_ARG(c->type->name), STR_ARG(c->type->name));
    return true;
}

static void
check_whole(struct selection *s, const struct mapping *mapping)
{
    const struct placed *m = s->placed;
    const struct gql_schema_type *type = m->connector->returns;
    const struct shape *shape = shape_of_mapping(&s->walk, mapping);
    bool has_braces = !mapping->value || mapping->value->braces;
    if (s->walk.version < MAPPING_V4 && !gql_kind_is_composite(type->kind) && has_braces)
        placed_tell(m, CONNECT_GROUP_SELECTION_IS_NOT_OBJECT, placed_range(m),
                    "%s gives an object, and '%.*s' is no object type; write a path, as in $.%.*s",
                    s->words, STR_ARG(type->name),
                    STR_ARG(m->connector->field ? m->connector->field->name : STR("id")));
    else if (has_braces || s->walk.version >= MAPPING_V4)
        check_given(s, (struct given){type, shape, placed_range(m)}, NULL);
}

static void
look_at(const struct placed *m)
{
    AUTO_ARENA struct arena arena;
    struct shape_variable variables[PLACED_VARIABLES_MAX];
    arena_init(&arena, 0);
    if (m->place != PLACE_SELECTION || !m->connector->returns || is_own_parent(m))
        return;
    struct selection s = {.placed = m, .walk = placed_walk(m, &arena, variables)};
    s.words = placed_words(m);
    check_whole(&s, m->mapping);
    m->problems->nomem |= s.walk.nomem;
    if (s.visits >= VISITS_MAX && !m->problems->nomem)
        placed_tell(m, CONNECT_CHECK_UNFINISHED, placed_range(m),
                    "%s may look in so many ways that not all were held against '%.*s'; let it "
                    "have fewer ->match inside each other",
                    s.words, STR_ARG(m->connector->returns->name));
}

void
check_selections(struct connect_schema *s, struct connect_problems *p)
{
    check_each_mapping(s, p, look_at);
}
