/* mapping_call.c - calls of methods: what may stand in the parentheses is checked here, for all. */
#include "mapping_eval.h"

#include <inttypes.h>

const struct mapping_node *
call_node(const struct call *c, size_t number)
{
    const struct mapping_node *node = c->step->arguments;
    while (node && number-- > 0)
        node = node->next;
    return node;
}

struct value *
call_argument_at(struct eval *e, const struct call *c, size_t number, struct value *at,
                 const struct trail *trail)
{
    const struct mapping_node *node = call_node(c, number);
    struct scope scope = *c->scope;
    scope.at = at;
    scope.at_trail = trail;
    return node ? eval_node(e, node, &scope) : NULL;
}

struct value *
call_argument(struct eval *e, const struct call *c, size_t number)
{
    return call_argument_at(e, c, number, c->input, c->trail);
}

struct value *
call_bad_argument(struct eval *e, const struct call *c, const struct value *got)
{
    eval_problem(e, GANTRY_MAPPING_ARGS, c->trail, c->step->range, "%.*s takes %s, and got %s",
                 STR_ARG(c->step->arrow), c->step->method->wants, kind_words(got));
    return NULL;
}

struct value *
call_bad_input(struct eval *e, const struct call *c, const struct value *got)
{
    eval_problem(e, GANTRY_MAPPING_INPUT, c->trail, c->step->range,
                 "%.*s works on %s, and was called on %s", STR_ARG(c->step->arrow),
                 c->step->method->takes, kind_words(got));
    return NULL;
}

static bool
arguments_fit(const struct mapping_step *step)
{
    size_t count = step->argument_count;
    switch (step->method->arguments) {
    case ARGS_NONE:
        return !step->has_parens;
    case ARGS_NONE_OR_EMPTY:
        return count == 0;
    case ARGS_ANY:
        return true;
    case ARGS_PARENS:
        return step->has_parens;
    case ARGS_ONE_UP:
        return count >= 1;
    case ARGS_ONE:
        return count == 1;
    case ARGS_ZERO_ONE:
        return count <= 1;
    }
    return false;
}

struct value *
eval_method(struct eval *e, const struct mapping_step *step, struct flow input, struct scope *scope,
            const struct trail *trail)
{
    const struct call call = {input.value, step, scope, trail};
    if (!step->method) {
        const char *near = method_nearest(step->name);
        eval_problem(e, GANTRY_MAPPING_NO_METHOD, trail, step->range,
                     "there is no method \"%.*s\"%s%s%s", STR_ARG(step->name),
                     near ? "; did you mean ->" : "", near ? near : "", near ? "?" : "");
        return NULL;
    }
    if (!arguments_fit(step)) {
        eval_problem(e, GANTRY_MAPPING_ARGS, trail, step->range,
                     "%.*s takes %s, and got %zu argument%s%s", STR_ARG(step->arrow),
                     step->method->wants, step->argument_count,
                     step->argument_count == 1 ? "" : "s",
                     step->has_parens && step->argument_count == 0 ? " in parentheses" : "");
        return NULL;
    }
    /* cppcheck-suppress returnDanglingLifetime; a value keeps nothing of the call */
    return step->method->run(e, &call);
}

struct value *
eval_bool(struct eval *e, bool truth)
{
    struct value *v = value_new_bool(e->arena, truth);
    return v ? v : eval_nomem(e);
}

struct value *
eval_string(struct eval *e, struct str text)
{
    struct value *v = value_new_string(e->arena, text);
    return v ? v : eval_nomem(e);
}

struct value *
eval_take_text(struct eval *e, struct buf *text)
{
    if (buf_failed(text) == GANTRY_E_INVALID)
        return eval_failed(e, GANTRY_E_INVALID, "a text grew longer than the limit");
    char *copy = buf_failed(text) ? NULL : arena_dup(e->arena, buf_view(text));
    return copy ? eval_string(e, (struct str){copy, text->len}) : eval_nomem(e);
}

bool
eval_add(struct eval *e, struct value *array, struct value *item)
{
    if (value_add(e->arena, array, item) == 0)
        return true;
    eval_nomem(e);
    return false;
}

bool
eval_set(struct eval *e, struct value *object, struct str key, struct value *item)
{
    if (value_set(e->arena, object, key, item) == 0)
        return true;
    eval_nomem(e);
    return false;
}

bool
eval_same(struct eval *e, const struct value *a, const struct value *b)
{
    bool same = value_same(a, b, &e->steps);
    return eval_step(e) && same;
}

const char *
kind_words(const struct value *v)
{
    if (!v)
        return "nothing";
    switch (value_kind(v)) {
    case VALUE_NULL:
        return "null";
    case VALUE_BOOL:
        return "a boolean";
    case VALUE_INT:
    case VALUE_NUMBER:
        return "a number";
    case VALUE_STRING:
        return "a string";
    case VALUE_ARRAY:
        return "an array";
    case VALUE_OBJECT:
        return "an object";
    }
    return "nothing";
}

bool
is_number(const struct value *v)
{
    return v && (value_kind(v) == VALUE_INT || value_kind(v) == VALUE_NUMBER);
}

struct str
text_beginning(struct str text)
{
    text.len = MIN(text.len, (size_t)40);
    text.len = str_utf8_valid_length(text);
    return text;
}

bool
add_scalar_text(const struct value *v, struct buf *out)
{
    switch (value_kind(v)) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        buf_add_text(out, value_bool(v) ? "true" : "false");
        return true;
    case VALUE_INT:
    case VALUE_NUMBER:
        value_add_number(v, out);
        return true;
    case VALUE_STRING:
        buf_add(out, value_text(v));
        return true;
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        return false;
    }
    return false;
}
