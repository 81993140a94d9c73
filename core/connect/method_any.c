/* method_any.c - methods that work on any value: echo, map, match, as, JSON. */
#include "mapping_eval.h"

/* What a method may put together as one text. */
enum { TEXT_MAX = 256 * 1024 * 1024 };

struct value *
method_echo(struct eval *e, const struct call *c)
{
    return call_argument(e, c, 0);
}

struct value *
method_map(struct eval *e, const struct call *c)
{
    struct value *array = value_new_array(e->arena);
    if (!array)
        return eval_nomem(e);
    if (value_kind(c->input) != VALUE_ARRAY) {
        struct value *item = call_argument(e, c, 0);
        return item && eval_add(e, array, item) ? array : NULL;
    }
    for (size_t i = 0; i < value_count(c->input) && eval_step(e); i++) {
        struct trail *mark = trail_mark(e);
        struct value *item =
            call_argument_at(e, c, 0, value_at(c->input, i), trail_index(e, c->trail, i));
        trail_release(e, mark);
        if (!item && !(item = value_new_null(e->arena)))
            return eval_nomem(e);
        if (!eval_add(e, array, item))
            return NULL;
    }
    return array;
}

/* A pair is written as an array literal of two, with nothing behind it. */
static bool
is_pair(const struct mapping_node *node)
{
    return node->head == HEAD_ARRAY && !node->steps && !node->braces && node->inner &&
           node->inner->next && !node->inner->next->next;
}

struct value *
method_match(struct eval *e, const struct call *c)
{
    struct scope scope = *c->scope;
    scope.at = c->input;
    scope.at_trail = c->trail;
    for (const struct mapping_node *pair = c->step->arguments; pair && eval_step(e);
         pair = pair->next) {
        if (!is_pair(pair))
            continue;
        struct value *candidate = eval_node(e, pair->inner, &scope);
        if (candidate && eval_same(e, candidate, c->input))
            return eval_node(e, pair->inner->next, &scope);
    }
    eval_problem(e, GANTRY_MAPPING_NO_MATCH, c->trail, c->step->range,
                 "->match has no pair for this value; add one that takes all: [@, ...]");
    return NULL;
}

static bool
is_plain_variable(const struct mapping_node *node)
{
    return node && node->head == HEAD_VARIABLE && !node->steps && !node->braces && !node->optional;
}

/* Binds a name for the rest of the path, and gives its input on. */
struct value *
method_as(struct eval *e, const struct call *c)
{
    const struct mapping_node *name = call_node(c, 0);
    if (!is_plain_variable(name) || c->step->argument_count > 2) {
        call_bad_argument(e, c, NULL);
        return c->input;
    }
    struct value *value = c->input;
    if (c->step->argument_count == 2)
        value = call_argument(e, c, 1);
    if (!value) /* the name stays unbound */
        return e->rc < 0 ? NULL : c->input;
    struct binding *binding = arena_alloc(e->arena, sizeof *binding);
    if (!binding)
        return eval_nomem(e);
    *binding = (struct binding){c->scope->bindings, name->name, value};
    c->scope->bindings = binding;
    return c->input;
}

struct value *
method_json_stringify(struct eval *e, const struct call *c)
{
    AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
    if (value_print(c->input, VALUE_NORMAL, &text) < 0 && !buf_failed(&text))
        return eval_failed(e, GANTRY_E_INVALID, "values nested deeper than the limit");
    return eval_take_text(e, &text);
}

struct value *
method_json_parse(struct eval *e, const struct call *c)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct value *value = NULL;
    if (value_kind(c->input) != VALUE_STRING)
        return call_bad_input(e, c, c->input);
    const struct value_limits limits = {.max_bytes = TEXT_MAX};
    int rc = value_parse(e->arena, value_text(c->input), &limits, &value, &err);
    if (rc == GANTRY_E_NOMEM)
        return eval_nomem(e);
    if (rc < 0) {
        struct str text = shown_part(value_text(c->input));
        eval_problem(e, GANTRY_MAPPING_PARSE, c->trail, c->step->range,
                     "->jsonParse cannot read \"%.*s\": %s", STR_ARG(text), err_text(err));
        return NULL;
    }
    return value;
}

struct value *
method_to_string(struct eval *e, const struct call *c)
{
    AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
    if (value_kind(c->input) == VALUE_STRING)
        return c->input;
    if (!add_scalar_text(c->input, &text))
        return call_bad_input(e, c, c->input);
    return eval_take_text(e, &text);
}
