/* validate.c - the walk through a document, with the types of all that it passes. */
#include "validate.h"

#include "err.h"

enum { STEPS = 10 * 1000 * 1000 };

bool
gql_check_step(struct gql_check *c, size_t steps)
{
    if (c->steps == 0)
        return false;
    c->steps -= MIN(c->steps, steps);
    if (c->steps)
        return true;
    gql_problem_add(c->problems, 0, "the document takes too long to check; make it simpler");
    c->problems->max = c->problems->count; /* what was not looked at is not wrong */
    return false;
}

void *
gql_check_alloc(struct gql_check *c, size_t size)
{
    void *memory = arena_alloc(c->arena, size);
    c->nomem = c->nomem || !memory;
    return memory;
}

struct gql_names
gql_check_names(const struct gql_check *c)
{
    return (struct gql_names){.seed = {c->schema->seed[0], c->schema->seed[1]}};
}

bool
gql_check_name(struct gql_check *c, struct gql_names *names, struct str name, const void *value,
               const void **old)
{
    const void *before = gql_names_find(names, name);
    if (old)
        *old = before;
    if (before)
        return false;
    if (!gql_names_set(names, c->arena, name, value))
        c->nomem = true;
    return true;
}

static void
visit(struct gql_check *c, enum gql_node kind, bool at_end, const void *node)
{
    for (size_t i = 0; i < c->rule_count && !c->nomem; i++)
        if (c->rules[i].node == kind && c->rules[i].at_end == at_end)
            c->rules[i].check(c, node);
}

static void walk_value(struct gql_check *c, const struct gql_value *value);

static void
walk_object_field(struct gql_check *c, const struct gql_argument *field)
{
    const struct gql_check saved = *c;
    const struct gql_schema_type *object = gql_type_of(c->schema, c->input);
    const struct gql_member *m =
        object && object->kind == GQL_INPUT ? gql_names_find(&object->members, field->name) : NULL;
    c->parent_input = c->input;
    c->input = m ? m->type : NULL;
    c->has_default = m && m->default_value;
    visit(c, GQL_NODE_OBJECT_FIELD, false, field);
    walk_value(c, &field->value);
    c->parent_input = saved.parent_input;
    c->input = saved.input;
    c->has_default = saved.has_default;
}

static void
walk_list(struct gql_check *c, const struct gql_value *value)
{
    const struct gql_type *list = c->input, *parent = c->parent_input;
    bool has_default = c->has_default;
    c->parent_input = list;
    c->input = list && list->of ? list->of : list;
    c->has_default = false;
    visit(c, GQL_NODE_VALUE, false, value);
    for (const struct gql_argument *it = value->elements; it; it = it->next)
        walk_value(c, &it->value);
    visit(c, GQL_NODE_VALUE, true, value);
    c->input = list;
    c->parent_input = parent;
    c->has_default = has_default;
}

static void
walk_value(struct gql_check *c, const struct gql_value *value)
{
    if (value->kind == GQL_VALUE_LIST) {
        walk_list(c, value);
        return;
    }
    struct gql_names object = c->object;
    visit(c, GQL_NODE_VALUE, false, value);
    c->object = gql_check_names(c);
    for (const struct gql_argument *it = value->elements; it; it = it->next)
        walk_object_field(c, it);
    c->object = object;
    visit(c, GQL_NODE_VALUE, true, value);
}

const struct gql_member *
gql_argument_find(const struct gql_member *first, struct str name)
{
    for (; first && !str_eq(first->name, name); first = first->next)
        ;
    return first;
}

static void
walk_arguments(struct gql_check *c, const struct gql_argument *first,
               const struct gql_member *known)
{
    for (const struct gql_argument *it = first; it; it = it->next) {
        const struct gql_type *input = c->input;
        c->argument = gql_argument_find(known, it->name);
        c->input = c->argument ? c->argument->type : NULL;
        c->has_default = c->argument && c->argument->default_value;
        visit(c, GQL_NODE_ARGUMENT, false, it);
        walk_value(c, &it->value);
        c->argument = NULL;
        c->input = input;
        c->has_default = false;
    }
}

static void
walk_directives(struct gql_check *c, const struct gql_directive *first, const char *place)
{
    visit(c, GQL_NODE_DIRECTIVES, false, first);
    for (const struct gql_directive *it = first; it; it = it->next) {
        c->place = place;
        c->directive_node = it;
        c->directive = gql_names_find(&c->schema->directives, it->name);
        visit(c, GQL_NODE_DIRECTIVE, false, it);
        walk_arguments(c, it->arguments, c->directive ? c->directive->members : NULL);
        visit(c, GQL_NODE_DIRECTIVE, true, it);
        c->directive_node = NULL;
        c->directive = NULL;
    }
}

const struct gql_member *
gql_field_find(const struct gql_schema *schema, const struct gql_schema_type *parent,
               struct str name)
{
    const struct gql_schema_type *meta = gql_type_find(schema, STR("__Meta"));
    const struct gql_member *found = gql_names_find(&parent->members, name);
    if (found && parent->kind != GQL_UNION)
        return found;
    if (str_eq(name, STR("__typename")) || parent == schema->root_types[GQL_QUERY])
        found = gql_names_find(&meta->members, name);
    return found;
}

static void walk_set(struct gql_check *c, const struct gql_selection *first, size_t at);

static void
walk_field(struct gql_check *c, const struct gql_selection *s)
{
    const struct gql_member *field = c->field;
    const struct gql_type *type = c->type;
    c->field = c->parent ? gql_field_find(c->schema, c->parent, s->name) : NULL;
    c->type = c->field ? c->field->type : NULL;
    visit(c, GQL_NODE_FIELD, false, s);
    walk_arguments(c, s->arguments, c->field ? c->field->arguments : NULL);
    walk_directives(c, s->directives, "FIELD");
    if (s->selections)
        walk_set(c, s->selections, s->brace_at);
    visit(c, GQL_NODE_FIELD, true, s);
    c->field = field;
    c->type = type;
}

/* A reference to a type by its name alone; NULL when there is no such type that can be given out. */
static const struct gql_type *
ref_of(struct gql_check *c, struct str name, size_t at)
{
    struct gql_type *ref = gql_check_alloc(c, sizeof *ref);
    if (!ref)
        return NULL;
    ref->name = name;
    ref->at = at;
    return ref;
}

static const struct gql_type *
known(const struct gql_check *c, const struct gql_type *ref, bool input)
{
    const struct gql_schema_type *type = gql_type_of(c->schema, ref);
    bool fits = type && (input ? gql_kind_is_input(type->kind) : type->kind != GQL_INPUT);
    return fits ? ref : NULL;
}

static void
walk_condition(struct gql_check *c, struct str name, size_t at)
{
    const struct gql_type *ref = ref_of(c, name, at);
    if (ref)
        visit(c, GQL_NODE_TYPE, false, ref);
}

static void
walk_inline(struct gql_check *c, const struct gql_selection *s)
{
    const struct gql_type *type = c->type;
    if (s->type.len)
        c->type = known(c, ref_of(c, s->type, s->type_at), false);
    else if (type)
        c->type = ref_of(c, gql_type_name(type), s->at);
    visit(c, GQL_NODE_INLINE, false, s);
    if (s->type.len)
        walk_condition(c, s->type, s->type_at);
    walk_directives(c, s->directives, "INLINE_FRAGMENT");
    walk_set(c, s->selections, s->brace_at);
    visit(c, GQL_NODE_INLINE, true, s);
    c->type = type;
}

static void
walk_set(struct gql_check *c, const struct gql_selection *first, size_t at)
{
    const struct gql_set set = {first, at};
    const struct gql_schema_type *parent = c->parent, *type = gql_type_of(c->schema, c->type);
    c->parent = type && gql_kind_is_composite(type->kind) ? type : NULL;
    visit(c, GQL_NODE_SET, false, &set);
    for (const struct gql_selection *it = first; it && !c->nomem; it = it->next) {
        if (it->kind == GQL_FIELD) {
            walk_field(c, it);
        } else if (it->kind == GQL_INLINE_FRAGMENT) {
            walk_inline(c, it);
        } else {
            visit(c, GQL_NODE_SPREAD, false, it);
            walk_directives(c, it->directives, "FRAGMENT_SPREAD");
        }
    }
    visit(c, GQL_NODE_SET, true, &set);
    c->parent = parent;
}

static void
walk_variable(struct gql_check *c, const struct gql_variable *v)
{
    const struct gql_type *named = v->type;
    while (named->of)
        named = named->of;
    c->input = known(c, v->type, true);
    visit(c, GQL_NODE_VARIABLE, false, v);
    visit(c, GQL_NODE_TYPE, false, named);
    if (v->default_value)
        walk_value(c, v->default_value);
    walk_directives(c, v->directives, "VARIABLE_DEFINITION");
    c->input = NULL;
}

static void
walk_definition(struct gql_check *c, const struct gql_definition *d)
{
    static const char *const places[] = {"QUERY", "MUTATION", "SUBSCRIPTION"};
    enum gql_node node = d->is_fragment ? GQL_NODE_FRAGMENT : GQL_NODE_OPERATION;
    c->type = d->is_fragment ? known(c, ref_of(c, d->type, d->type_at), false)
                             : c->schema->root_refs[d->operation];
    visit(c, node, false, d);
    for (const struct gql_variable *v = d->variables; v; v = v->next)
        walk_variable(c, v);
    if (d->is_fragment)
        walk_condition(c, d->type, d->type_at);
    walk_directives(c, d->directives,
                    d->is_fragment ? "FRAGMENT_DEFINITION" : places[d->operation]);
    walk_set(c, d->selections, d->brace_at);
    visit(c, node, true, d);
    c->type = NULL;
}

static void
walk(struct gql_check *c, const struct gql_rule *rules, size_t count)
{
    c->rules = rules;
    c->rule_count = count;
    visit(c, GQL_NODE_DOCUMENT, false, NULL);
    for (c->facts = c->all; c->facts && !c->nomem; c->facts = c->facts->next)
        walk_definition(c, c->facts->definition);
    visit(c, GQL_NODE_DOCUMENT, true, NULL);
}

bool
gql_is_one_of(const struct gql_schema_type *type)
{
    for (const struct gql_list *it = type->extensions; it && type->kind == GQL_INPUT; it = it->next)
        for (const struct gql_directive *d = it->system->directives; d; d = d->next)
            if (str_eq(d->name, STR("oneOf")))
                return true;
    return false;
}

/* The first walk: who uses which variable where. */
static void
collect_use(struct gql_check *c, const void *node)
{
    const struct gql_value *value = node;
    if (value->kind != GQL_VALUE_VARIABLE)
        return;
    struct gql_use *use = gql_check_alloc(c, sizeof *use);
    if (!use)
        return;
    const struct gql_schema_type *parent = gql_type_of(c->schema, c->parent_input);
    *use = (struct gql_use){NULL, value, c->input, c->has_default, parent && gql_is_one_of(parent)};
    *c->facts->uses_tail = use;
    c->facts->uses_tail = &use->next;
}

/* The spreads of a definition: those of a selection set, then those of the sets in it, the last first. */
static void
collect_spreads(struct gql_check *c, struct gql_facts *f)
{
    struct set {
        struct set *below;
        const struct gql_selection *first;
    } *stack = gql_check_alloc(c, sizeof *stack);
    struct gql_spread **tail = &f->spreads;
    if (stack)
        stack->first = f->definition->selections;
    while (stack && !c->nomem) {
        const struct gql_selection *it = stack->first;
        stack = stack->below;
        for (; it && !c->nomem; it = it->next) {
            if (it->kind == GQL_FRAGMENT_SPREAD) {
                *tail = gql_check_alloc(c, sizeof **tail);
                if (*tail) {
                    (*tail)->selection = it;
                    tail = &(*tail)->next;
                }
            } else if (it->selections) {
                struct set *more = gql_check_alloc(c, sizeof *more);
                if (more) {
                    *more = (struct set){stack, it->selections};
                    stack = more;
                }
            }
        }
    }
}

static void
collect(struct gql_check *c)
{
    static const struct gql_rule rules[] = {{GQL_NODE_VALUE, false, collect_use}};
    struct gql_facts **tail = &c->all;
    for (const struct gql_definition *d = c->doc->definitions; d; d = d->next) {
        struct gql_facts *f = gql_check_alloc(c, sizeof *f);
        if (!f)
            return;
        f->definition = d;
        f->uses_tail = &f->uses;
        *tail = f;
        tail = &f->next;
        collect_spreads(c, f);
        c->operation_count += !d->is_fragment;
        /* of two with one name the last counts, and that there are two is told */
        if (d->is_fragment && !gql_names_set(&c->fragments, c->arena, d->name, f))
            c->nomem = true;
    }
    walk(c, rules, ARRAY_LENGTH(rules));
}

/* What the spreads of all definitions mean. */
static void
resolve_spreads(struct gql_check *c)
{
    for (struct gql_facts *f = c->all; f; f = f->next)
        for (struct gql_spread *s = f->spreads; s; s = s->next)
            s->to = gql_names_find(&c->fragments, s->selection->name);
    c->stack = gql_check_alloc(c, (c->fragments.len + 1) * 2 * sizeof(struct gql_facts *));
}

struct gql_reached
gql_check_reach(struct gql_check *c, struct gql_facts *from)
{
    struct gql_facts **stack = c->stack, **found = stack + c->fragments.len + 1;
    size_t mark = ++c->walks, depth = 0, count = 0;
    if (from->reached.all)
        return from->reached;
    stack[depth++] = from;
    while (depth) {
        const struct gql_facts *f = stack[--depth];
        for (const struct gql_spread *s = f->spreads; s && gql_check_step(c, 1); s = s->next) {
            if (!s->to || s->to->mark == mark)
                continue;
            s->to->mark = mark;
            found[count++] = stack[depth++] = s->to;
        }
    }
    struct gql_facts **all = gql_check_alloc(c, (count + 1) * sizeof(struct gql_facts *));
    if (!all)
        return (struct gql_reached){NULL, 0};
    memcpy(all, found, count * sizeof(struct gql_facts *));
    return from->reached = (struct gql_reached){all, count};
}

int
gql_validate(const struct gql_schema *schema, const struct gql_document *doc,
             struct gql_problems *problems)
{
    AUTO_ARENA struct arena arena;
    struct gql_check c = {.schema = schema, .doc = doc, .problems = problems, .steps = STEPS};
    arena_init(&arena, (size_t)2 << 30);
    c.arena = &arena;
    c.fragments = c.operations = c.told = c.variables = c.object = gql_check_names(&c);
    collect(&c);
    if (!c.nomem)
        resolve_spreads(&c);
    if (!c.nomem)
        walk(&c, gql_rules, gql_rule_count);
    return c.nomem || problems->nomem ? GANTRY_E_NOMEM : 0;
}
