/* check_variables.c - the variables of every mapping: is each there in its place, and is what is read of it?
 * Methods that do not exist are told too. */
#include "check_mapping.h"

struct look {
    const struct placed *placed;
    const struct shape_walk *walk;
};

/* ---- a variable that is not there ------------------------------------------------------------------ */

/* "$args, $config and $context" */
static const char *
list_variables(const struct look *l)
{
    struct arena *a = l->placed->problems->arena;
    const char *text = "";
    for (size_t i = 0; i < l->walk->variable_count && text; i++)
        text = arena_fmt(a, "%s%s%.*s", text,
                         i == 0                             ? ""
                         : i + 1 == l->walk->variable_count ? " and "
                                                            : ", ",
                         STR_ARG(l->walk->variables[i].name));
    return text ? text : "";
}

static const char *
nearest_variable(const struct look *l, struct str name)
{
    const struct gql_schema *g = l->placed->schema->graphql;
    struct gql_names names = {.seed = {g->seed[0], g->seed[1]}};
    for (size_t i = 0; i < l->walk->variable_count; i++)
        if (!gql_names_set(&names, l->placed->problems->arena, l->walk->variables[i].name, l))
            l->placed->problems->nomem = true;
    return placed_did_you_mean(l->placed, name, &names);
}

static bool
reads_member(const struct mapping_node *node)
{
    return node->steps ? node->steps->kind == STEP_KEY : node->braces != NULL;
}

static void
tell_no_variable(const struct look *l, const struct shape_finding *f)
{
    const struct placed *m = l->placed;
    enum connect_code code = placed_code(m);
    bool is_known = placed_is_variable(f->name);
    if (m->place == PLACE_SELECTION && str_eq(f->name, STR("$this")) && reads_member(f->node))
        code = CONNECT_UNDEFINED_FIELD;
    if (is_known && str_eq(f->name, STR("$env")))
        placed_tell(m, code, f->range, "%s: $env needs connect v0.3 or later", placed_words(m));
    else if (is_known)
        placed_tell(m, code, f->range, "%s: %.*s is not available here; available are %s",
                    placed_words(m), STR_ARG(f->name), list_variables(l));
    else
        placed_tell(m, code, f->range, "%s: there is no variable %.*s%s; available are %s",
                    placed_words(m), STR_ARG(f->name), nearest_variable(l, f->name),
                    list_variables(l));
}

static void
tell_no_input(const struct look *l, const struct shape_finding *f)
{
    const struct placed *m = l->placed;
    bool is_key = f->node->head == HEAD_KEY;
    placed_tell(
        m, placed_code(m), f->range,
        "%s: %s%.*s%s is read of the response, and there is none yet; read a variable (%s)%s",
        placed_words(m), is_key ? "'" : "", STR_ARG(is_key ? f->name : STR("$")), is_key ? "'" : "",
        list_variables(l),
        is_key && m->place != PLACE_PATH ? ", or write a text as $(\"text\")" : "");
}

/* ---- a member that is not there -------------------------------------------------------------------- */

static enum connect_code
code_of_member(const struct placed *m, const struct shape *holder)
{
    if (m->place != PLACE_SELECTION)
        return placed_code(m);
    if (holder->is_arguments)
        return CONNECT_UNDEFINED_ARGUMENT;
    if (str_eq(holder->variable, STR("$args")) || str_eq(holder->variable, STR("$this")))
        return CONNECT_UNDEFINED_FIELD;
    return CONNECT_INVALID_SELECTION;
}

static const char *
nearest_argument(const struct placed *m, struct str name)
{
    const struct gql_schema *g = m->schema->graphql;
    struct gql_names names = {.seed = {g->seed[0], g->seed[1]}};
    for (const struct gql_member *a = m->connector->field->arguments; a; a = a->next)
        if (!gql_names_set(&names, m->problems->arena, a->name, a))
            m->problems->nomem = true;
    return placed_did_you_mean(m, name, &names);
}

static void
tell_no_member(const struct look *l, const struct shape_finding *f)
{
    const struct placed *m = l->placed;
    const struct shape *holder = f->holder;
    while (holder->kind == SHAPE_ARRAY)
        holder = holder->element;
    enum connect_code code = code_of_member(m, holder);
    const char *words = placed_words(m);
    if (holder->is_arguments)
        placed_tell(m, code, f->range, "%s: the field has no argument '%.*s'%s", words,
                    STR_ARG(f->name), nearest_argument(m, f->name));
    else if (holder->kind == SHAPE_OBJECT && holder->type)
        placed_tell(m, code, f->range, "%s: type '%.*s' has no field '%.*s'%s", words,
                    STR_ARG(holder->type->name), STR_ARG(f->name),
                    placed_did_you_mean(m, f->name, &holder->type->members));
    else if (holder->kind == SHAPE_OBJECT && holder->members &&
             str_eq(holder->members->name, STR("headers")))
        placed_tell(m, code, f->range, "%s: %.*s has no '%.*s'; write %.*s.headers", words,
                    STR_ARG(holder->variable), STR_ARG(f->name), STR_ARG(holder->variable));
    else if (holder->type)
        placed_tell(m, code, f->range,
                    "%s: '%.*s' is read of a value of type '%.*s', which has no fields", words,
                    STR_ARG(f->name), STR_ARG(holder->type->name));
    else
        placed_tell(m, code, f->range, "%s: there is no '%.*s' in what is read of %.*s", words,
                    STR_ARG(f->name), STR_ARG(holder->variable));
}

static void
tell_through_union(const struct look *l, const struct shape_finding *f)
{
    const struct placed *m = l->placed;
    const struct shape *holder = f->holder;
    while (holder->kind == SHAPE_ARRAY)
        holder = holder->element;
    enum connect_code code =
        m->place == PLACE_SELECTION ? CONNECT_UNSUPPORTED_VARIABLE_TYPE : placed_code(m);
    placed_tell(
        m, code, f->range,
        "%s: '%.*s' is read of a union%s%.*s, whose fields are not known; read a field that is "
        "no union",
        placed_words(m), STR_ARG(f->name), holder->type ? ", " : "",
        STR_ARG(holder->type ? holder->type->name : STR_NONE));
}

static void
tell_no_method(const struct look *l, const struct shape_finding *f)
{
    const struct placed *m = l->placed;
    const char *near = method_nearest(f->name);
    placed_tell(m, placed_code(m), f->range, "%s: there is no method ->%.*s%s%s%s", placed_words(m),
                STR_ARG(f->name), near ? "; did you mean ->" : "", near ? near : "",
                near ? "?" : "");
}

static void
found(void *context, const struct shape_finding *f)
{
    const struct look *l = context;
    if (shape_finding_is_note(f->kind) || placed_count_only(l->placed, placed_code(l->placed)))
        return;
    switch (f->kind) {
    case SHAPE_NO_VARIABLE:
        tell_no_variable(l, f);
        return;
    case SHAPE_NO_INPUT:
        tell_no_input(l, f);
        return;
    case SHAPE_NO_MEMBER:
        tell_no_member(l, f);
        return;
    case SHAPE_THROUGH_UNION:
        tell_through_union(l, f);
        return;
    case SHAPE_NO_METHOD:
        tell_no_method(l, f);
        return;
    case SHAPE_NEWER_METHOD:
    case SHAPE_EMPTY_PARENTHESES:
    case SHAPE_UPPER_CASE_HEADER:
    case SHAPE_MERGED_KEY:
    case SHAPE_NULLABLE_INLINE:
        return; /* check_notes.c says these */
    }
}

static void
look_at(const struct placed *m)
{
    AUTO_ARENA struct arena arena;
    struct shape_variable variables[PLACED_VARIABLES_MAX];
    arena_init(&arena, 0);
    struct shape_walk walk = placed_walk(m, &arena, variables);
    struct look look = {m, &walk};
    walk.found = found;
    walk.context = &look;
    (void)shape_of_mapping(&walk, m->mapping);
    m->problems->nomem |= walk.nomem;
    if (shape_is_unfinished(&walk) && !walk.nomem)
        placed_tell(m, CONNECT_CHECK_UNFINISHED, placed_range(m),
                    "%s is too large to be checked to its end; make it smaller", placed_words(m));
}

void
check_variables(struct connect_schema *s, struct connect_problems *p)
{
    check_each_mapping(s, p, look_at);
}
