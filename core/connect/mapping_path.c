/* mapping_path.c - evaluates paths: a head, steps, braces, and what else may be a
 * head: literals, chains. */
#include "mapping_eval.h"

static void
trace(const struct eval *e, struct mapping_range range, const struct value *input,
      const struct value *output)
{
    const struct mapping_trace *t = e->input->trace;
    if (t && e->rc == 0)
        t->step(t->context, e->depth, range, input, output);
}

/* $request.headers and $response.headers: the names of header fields have no case. */
static bool
are_headers(const struct trail *trail)
{
    const struct trail *variable = trail ? trail->parent : NULL;
    return variable && !variable->parent && str_eq(trail->segment.key, STR("headers")) &&
           (str_eq(variable->segment.key, STR("$request")) ||
            str_eq(variable->segment.key, STR("$response")));
}

static struct value *
find_header(const struct value *headers, struct str name)
{
    for (size_t i = 0; i < value_count(headers); i++)
        if (str_eq_nocase(value_key_at(headers, i), name))
            return value_at(headers, i);
    return NULL;
}

struct key {
    struct str name;
    uint32_t number;
    bool optional;
    struct mapping_range range;
};

static struct value *get_key(struct eval *e, const struct key *key, struct flow from);

/* Each element, to any depth; what is MISSING becomes null. */
static struct value *
get_key_of_each(struct eval *e, const struct key *key, struct flow from)
{
    struct value *array = value_new_array(e->arena);
    struct key each = *key;
    each.optional = false; /* it does not silence elements */
    if (!array)
        return eval_nomem(e);
    for (size_t i = 0; i < value_count(from.value) && eval_step(e); i++) {
        struct trail *mark = trail_mark(e);
        struct flow element = {value_at(from.value, i), trail_index(e, from.trail, i)};
        struct value *item = get_key(e, &each, element);
        trail_release(e, mark);
        if (!item && !(item = value_new_null(e->arena)))
            return eval_nomem(e);
        if (!eval_add(e, array, item))
            return NULL;
    }
    return array;
}

static struct value *
get_key(struct eval *e, const struct key *key, struct flow from)
{
    struct value *found = NULL;
    enum value_kind kind = value_kind(from.value);
    if (!eval_enter(e))
        return NULL;
    if (kind == VALUE_ARRAY) {
        found = get_key_of_each(e, key, from);
    } else {
        if (kind == VALUE_OBJECT)
            found = value_find_again(from.value, key->name, &e->hints[key->number]);
        if (!found && kind == VALUE_OBJECT && are_headers(from.trail))
            found = find_header(from.value, key->name);
        if (!found && !(key->optional && kind == VALUE_OBJECT) && !e->input->without_problems)
            eval_problem(e, GANTRY_MAPPING_MISSING, trail_key(e, from.trail, key->name), key->range,
                         "no key \"%.*s\" in %s", STR_ARG(key->name), kind_words(from.value));
    }
    eval_leave(e);
    return found;
}

static struct flow
step_key(struct eval *e, const struct key *key, struct flow from)
{
    struct value *found = get_key(e, key, from);
    return (struct flow){found, found ? trail_key(e, from.trail, key->name) : NULL};
}

static struct flow
head_variable(struct eval *e, const struct mapping_node *node, const struct scope *scope)
{
    for (const struct binding *b = scope->bindings; b; b = b->next)
        if (str_eq(b->name, node->name))
            return (struct flow){b->value, trail_key(e, NULL, b->name)};
    static const char *const known[] = {"$args",    "$this",     "$batch",  "$config", "$context",
                                        "$request", "$response", "$status", "$env"};
    char name[32] = "";
    if (node->name.len < sizeof name)
        memcpy(name, node->name.ptr, node->name.len);
    const char *near = text_nearest(name, known, ARRAY_LENGTH(known));
    if (near && str_eq(str_of(near), node->name))
        near = NULL;
    eval_problem(e, GANTRY_MAPPING_UNBOUND, scope->at_trail, node->head_range,
                 "the variable %.*s has no value here%s%s%s", STR_ARG(node->name),
                 near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return (struct flow){NULL, NULL};
}

static struct value *
eval_array(struct eval *e, const struct mapping_node *node, const struct scope *scope)
{
    struct value *array = value_new_array(e->arena);
    if (!array)
        return eval_nomem(e);
    for (const struct mapping_node *n = node->inner; n && eval_step(e); n = n->next) {
        struct value *item = eval_node(e, n, scope);
        if (!item && !(item = value_new_null(e->arena)))
            return eval_nomem(e);
        if (!eval_add(e, array, item))
            return NULL;
    }
    return array;
}

/* The problems of operands that were passed over are forgotten once another one is taken. */
static struct value *
eval_chain(struct eval *e, const struct mapping_node *node, const struct scope *scope)
{
    size_t first = e->problems.len;
    struct value *value = NULL;
    for (const struct mapping_node *n = node->inner; n && e->rc == 0; n = n->next) {
        size_t own = e->problems.len;
        value = eval_node(e, n, scope);
        bool taken = value && (node->head == HEAD_PRESENT || value_kind(value) != VALUE_NULL);
        if (taken) {
            eval_forget(e, first, own);
            break;
        }
    }
    return value;
}

static struct flow run_path(struct eval *e, const struct mapping_node *node,
                            const struct scope *scope);

static struct flow
run_head(struct eval *e, const struct mapping_node *node, const struct scope *scope)
{
    const struct flow dollar = {scope->dollar, scope->dollar_trail};
    switch (node->head) {
    case HEAD_DOLLAR:
    case HEAD_GROUP:
        return dollar;
    case HEAD_AT:
        return (struct flow){scope->at, scope->at_trail};
    case HEAD_VARIABLE:
        return head_variable(e, node, scope);
    case HEAD_KEY: {
        const struct key key = {node->name, node->number, node->optional, node->head_range};
        return step_key(e, &key, dollar);
    }
    case HEAD_EXPRESSION:
        return run_path(e, node->inner, scope);
    case HEAD_LITERAL:
        return (struct flow){node->literal, NULL};
    case HEAD_ARRAY:
        return (struct flow){eval_array(e, node, scope), NULL};
    case HEAD_OBJECT:
        return (struct flow){eval_object(e, node->items, scope), NULL};
    case HEAD_COALESCE:
    case HEAD_PRESENT:
        return (struct flow){eval_chain(e, node, scope), NULL};
    }
    return (struct flow){NULL, NULL};
}

/* Behind a "?" null is MISSING. */
static bool
is_dropped(const struct flow *flow, bool optional)
{
    return !flow->value || (optional && value_kind(flow->value) == VALUE_NULL);
}

static struct flow
run_step(struct eval *e, const struct mapping_step *step, struct flow from, struct scope *scope)
{
    if (step->kind == STEP_KEY) {
        const struct key key = {step->name, step->number, step->optional, step->range};
        return step_key(e, &key, from);
    }
    const struct trail *trail = trail_key(e, from.trail, step->arrow);
    return (struct flow){eval_method(e, step, from, scope, trail), trail};
}

static struct flow
run_steps(struct eval *e, const struct mapping_node *node, const struct scope *scope)
{
    const struct flow missing = {NULL, NULL};
    struct scope own = *scope; /* `as` binds for the rest of this path */
    struct flow flow = run_head(e, node, scope);
    if (node->head != HEAD_GROUP)
        trace(e, node->head_range, NULL, flow.value);
    if (is_dropped(&flow, node->optional))
        return missing;
    for (const struct mapping_step *step = node->steps; step; step = step->next) {
        struct value *before = flow.value;
        if (!eval_step(e))
            return missing;
        flow = run_step(e, step, flow, &own);
        trace(e, step->range, before, flow.value);
        if (is_dropped(&flow, step->optional))
            return missing;
    }
    if (node->braces) {
        struct value *before = flow.value;
        flow.value = eval_braces(e, node->braces, flow, own.bindings);
        trace(e, node->braces->range, before, flow.value);
    }
    return flow;
}

static struct flow
run_path(struct eval *e, const struct mapping_node *node, const struct scope *scope)
{
    if (!eval_enter(e))
        return (struct flow){NULL, NULL};
    struct flow flow = run_steps(e, node, scope);
    eval_leave(e);
    return e->rc < 0 ? (struct flow){NULL, NULL} : flow;
}

struct value *
eval_node(struct eval *e, const struct mapping_node *node, const struct scope *scope)
{
    struct trail *mark = trail_mark(e);
    struct flow flow = run_path(e, node, scope);
    trail_release(e, mark);
    return flow.value;
}
