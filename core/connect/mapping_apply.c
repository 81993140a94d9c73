/* mapping_apply.c - evaluates a mapping: its limits, and its lists of items. */
#include "mapping_eval.h"

enum { DEFAULT_PROBLEMS = 10000, RECURSION_MAX = 600 };
#define DEFAULT_STEPS UINT64_C(100000000)
#define DEFAULT_BYTES ((size_t)1 << 30)

struct value *
eval_failed(struct eval *e, int code, const char *what)
{
    if (e->rc == 0)
        e->rc = err_set(e->err, code, "mapping: %s", what);
    return NULL;
}

struct value *
eval_nomem(struct eval *e)
{
    if (e->arena->refused)
        return eval_failed(e, GANTRY_E_INVALID,
                           "it needs more memory than an evaluation may have; make less of the "
                           "input, or raise the limit");
    if (e->rc == 0)
        e->rc = err_nomem(e->err);
    return NULL;
}

bool
eval_step(struct eval *e)
{
    if (e->rc < 0)
        return false;
    if (e->steps == 0) {
        eval_failed(e, GANTRY_E_INVALID,
                    "more steps than an evaluation may take; nest fewer methods over the same "
                    "array, or raise the limit");
        return false;
    }
    e->steps--;
    return true;
}

bool
eval_enter(struct eval *e)
{
    if (!eval_step(e))
        return false;
    if (e->depth >= RECURSION_MAX) {
        eval_failed(e, GANTRY_E_INVALID, "values nested deeper than the limit");
        return false;
    }
    e->depth++;
    return true;
}

void
eval_leave(struct eval *e)
{
    e->depth--;
}

/* What a list of items has put together so far. */
struct output {
    struct value *object;
    struct value *value; /* instead of it: null for good, or what a lone path gave */
};

static void
add_member(struct eval *e, struct output *out, struct str name, struct value *item,
           const struct scope *scope, struct mapping_range range)
{
    struct value *before = NULL;
    if (value_offer(e->arena, out->object, name, item, &before) < 0)
        eval_nomem(e);
    if (!before)
        return;
    item = eval_merge(e, before, item, scope->at_trail, range);
    if (item)
        eval_set(e, out->object, name, item);
}

/* The members of a value join the output. */
static void
join(struct eval *e, struct output *out, const struct mapping_item *item, struct value *value,
     const struct scope *scope)
{
    if (!value) {
        eval_problem(e, GANTRY_MAPPING_INLINE_MISSING, scope->at_trail, item->range,
                     "nothing to join the object with, where an object was expected");
        return;
    }
    enum value_kind kind = value_kind(value);
    if (kind == VALUE_NULL) {
        out->value = value;
        return;
    }
    if (kind == VALUE_OBJECT) {
        for (size_t i = 0; i < value_count(value) && eval_step(e); i++)
            add_member(e, out, value_key_at(value, i), value_at(value, i), scope, item->range);
        return;
    }
    if (item->kind == ITEM_ALONE && kind != VALUE_ARRAY) {
        eval_problem(e, GANTRY_MAPPING_LOSSY, scope->at_trail, item->range,
                     "%s replaces an object under the same key", kind_words(value));
        out->value = value;
        return;
    }
    eval_problem(e, GANTRY_MAPPING_INLINE_TYPE, scope->at_trail, item->range,
                 "%s cannot join an object, where an object was expected", kind_words(value));
}

static void
add_item(struct eval *e, struct output *out, const struct mapping_item *item,
         const struct scope *scope)
{
    struct value *value = eval_node(e, item->value, scope);
    if (e->rc < 0 || out->value) /* null absorbs all, but what is behind it is evaluated */
        return;
    if (item->kind != ITEM_NAMED)
        join(e, out, item, value, scope);
    else if (value)
        add_member(e, out, item->name, value, scope, item->range);
}

/* Start an output, and put all items of a list into it. */
static bool
add_items(struct eval *e, struct output *out, const struct mapping_list *list,
          const struct scope *scope)
{
    *out = (struct output){value_new_object(e->arena), NULL};
    if (!out->object)
        return eval_nomem(e);
    if (value_expect(e->arena, out->object, list->count) < 0)
        return eval_nomem(e);
    value_expect_like(out->object, e->made[list->number]);
    for (const struct mapping_item *item = list->items; item && e->rc == 0; item = item->next)
        add_item(e, out, item, scope);
    e->made[list->number] = out->object;
    return e->rc == 0;
}

struct value *
eval_object(struct eval *e, const struct mapping_list *list, const struct scope *scope)
{
    struct output out;
    if (e->mapping->version >= MAPPING_V4) {
        if (!add_items(e, &out, list, scope))
            return NULL;
        return out.value ? out.value : out.object;
    }
    out.object = value_new_object(e->arena); /* of one key the last member wins */
    if (!out.object)
        return eval_nomem(e);
    for (const struct mapping_item *item = list->items; item && e->rc == 0; item = item->next) {
        struct value *value = eval_node(e, item->value, scope);
        if (value)
            eval_set(e, out.object, item->name, value);
    }
    return out.object;
}

static struct value *
braces_on_each(struct eval *e, const struct mapping_list *list, struct flow flow,
               const struct binding *bindings)
{
    struct value *array = value_new_array(e->arena);
    if (!array || value_expect(e->arena, array, value_count(flow.value)) < 0)
        return eval_nomem(e);
    for (size_t i = 0; i < value_count(flow.value) && eval_step(e); i++) {
        struct trail *mark = trail_mark(e);
        struct flow element = {value_at(flow.value, i), trail_index(e, flow.trail, i)};
        struct value *made = eval_braces(e, list, element, bindings);
        trail_release(e, mark);
        if (!made || !eval_add(e, array, made))
            return NULL;
    }
    return array;
}

struct value *
eval_braces(struct eval *e, const struct mapping_list *list, struct flow flow,
            const struct binding *bindings)
{
    struct value *made = NULL;
    struct output out;
    if (!eval_enter(e))
        return NULL;
    if (value_kind(flow.value) == VALUE_ARRAY) {
        made = braces_on_each(e, list, flow, bindings);
    } else {
        const struct scope scope = {flow.value, flow.value, flow.trail, flow.trail, bindings};
        if (add_items(e, &out, list, &scope))
            made = out.value ? out.value : out.object;
        if (made && !out.value && value_count(out.object) == 0 &&
            value_kind(flow.value) != VALUE_OBJECT)
            made = flow.value; /* nothing of a scalar or null was selected: it stays what it is */
    }
    eval_leave(e);
    return made;
}

static const struct binding *
bind_variables(struct eval *e)
{
    const struct mapping_input *input = e->input;
    struct binding *all =
        arena_alloc_array(e->arena, input->variable_count + 1, sizeof(struct binding));
    const struct binding *last = NULL;
    if (!all)
        return (const struct binding *)eval_nomem(e);
    for (size_t i = 0; i < input->variable_count; i++) {
        all[i] = (struct binding){last, input->variables[i].name, input->variables[i].value};
        last = &all[i];
    }
    return last;
}

static struct value *
apply_whole(struct eval *e)
{
    struct value *data = e->input->data;
    const struct mapping *m = e->mapping;
    e->hints = arena_alloc_array(e->arena, (size_t)m->key_count + 1, sizeof *e->hints);
    e->made = arena_alloc_array(e->arena, (size_t)m->list_count + 1, sizeof(struct value *));
    const struct scope scope = {data, data, NULL, NULL, bind_variables(e)};
    if (!e->hints || !e->made)
        return eval_nomem(e);
    if (e->rc < 0)
        return NULL;
    if (m->value)
        return eval_node(e, m->value, &scope);
    return eval_braces(e, m->list, (struct flow){data, NULL}, scope.bindings);
}

int
mapping_apply(const struct mapping *m, const struct mapping_input *input, struct arena *a,
              struct mapping_result *out, struct gantry_error **err)
{
    static const struct mapping_limits none = {0, 0, 0};
    const struct mapping_limits *limits = input->limits ? input->limits : &none;
    struct eval e = {.mapping = m, .input = input, .arena = a, .err = err};
    size_t before = a->max_bytes, bytes = limits->max_bytes ? limits->max_bytes : DEFAULT_BYTES;
    e.steps = limits->max_steps ? limits->max_steps : DEFAULT_STEPS;
    e.problems.max = limits->max_problems ? limits->max_problems : DEFAULT_PROBLEMS;
    e.problems.max = MIN(e.problems.max, (size_t)UINT32_MAX / 4);
    if (!size_add(a->used_bytes, bytes, &bytes))
        bytes = SIZE_MAX;
    a->max_bytes = before ? MIN(before, bytes) : bytes;
    a->refused = false;
    struct value *data = apply_whole(&e);
    a->max_bytes = before;
    if (e.rc < 0)
        return e.rc;
    *out = (struct mapping_result){data, e.problems.ptr, e.problems.len, e.problems.dropped};
    return 0;
}
