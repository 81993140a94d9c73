/* shape_method.c - what a method gives, by what it is called on, and since when it is there.
 *
 * Before connect v0.3 nothing is inferred about that; the arguments are looked at in any case. */
#include "shape.h"

#include "compiler.h"

struct call {
    struct shape_walk *walk;
    const struct mapping_step *step;
    const struct shape *input;
    struct shape_scope *scope; /* of the path */
};

static const struct mapping_node *
argument(const struct call *c, size_t number)
{
    const struct mapping_node *node = c->step->arguments;
    while (node && number-- > 0)
        node = node->next;
    return node;
}

static const struct shape *
shape_of_argument(const struct call *c, const struct mapping_node *node, const struct shape *at)
{
    struct shape_scope scope = *c->scope;
    scope.at = at;
    return node ? shape_of_node(c->walk, node, &scope) : &shape_unknown;
}

/* Arguments that say nothing about the result are looked at too: what is wrong in them is told. */
static void
look_at_arguments(const struct call *c, const struct mapping_node *first, const struct shape *at)
{
    for (const struct mapping_node *n = first; n && !c->walk->nomem; n = n->next)
        (void)shape_of_argument(c, n, at);
}

static const struct shape *
plain(const struct call *c, enum shape_kind kind)
{
    const struct shape *shape = shape_new(c->walk, kind, c->input->variable);
    return shape ? shape : &shape_unknown;
}

static const struct shape *
unknown(const struct call *c)
{
    return c->input->variable.len ? plain(c, SHAPE_UNKNOWN) : &shape_unknown;
}

/* Of an array; what is no array is an array of itself to the methods that go over elements. */
static const struct shape *
element_of(const struct call *c)
{
    const struct shape *input = c->input;
    if (input->kind == SHAPE_ARRAY)
        return input->element;
    return input->kind == SHAPE_UNKNOWN || input->kind == SHAPE_ONE_OF ? unknown(c) : input;
}

static const struct shape *
gives_unknown(const struct call *c)
{
    look_at_arguments(c, c->step->arguments, c->input);
    return unknown(c);
}

static const struct shape *
gives_string(const struct call *c)
{
    look_at_arguments(c, c->step->arguments, c->input);
    return plain(c, SHAPE_STRING);
}

static const struct shape *
gives_number(const struct call *c)
{
    look_at_arguments(c, c->step->arguments, c->input);
    return plain(c, SHAPE_NUMBER);
}

static const struct shape *
gives_boolean(const struct call *c)
{
    look_at_arguments(c, c->step->arguments, c->input);
    return plain(c, SHAPE_BOOLEAN);
}

static const struct shape *
gives_strings(const struct call *c)
{
    return shape_array(c->walk, gives_string(c));
}

/* `first`, `last`: of an array an element, which may not be there; everything else stays what it is, but that of a
 * string it is another one. */
static const struct shape *
gives_element(const struct call *c)
{
    if (c->input->kind == SHAPE_STRING)
        return gives_string(c);
    look_at_arguments(c, c->step->arguments, c->input);
    return element_of(c);
}

static const struct shape *
gives_slice(const struct call *c)
{
    look_at_arguments(c, c->step->arguments, c->input);
    if (c->input->kind == SHAPE_ARRAY)
        return c->input;
    return c->input->kind == SHAPE_STRING ? plain(c, SHAPE_STRING) : unknown(c);
}

static const struct shape *
gives_got(const struct call *c)
{
    const struct shape *key = shape_of_argument(c, argument(c, 0), c->input), *found = NULL;
    if (c->input->kind == SHAPE_OBJECT && key->literal.ptr &&
        shape_find(c->walk, c->input, key->literal, &found) == SHAPE_FOUND)
        return found;
    if (c->input->kind == SHAPE_ARRAY)
        return c->input->element;
    return c->input->kind == SHAPE_STRING ? plain(c, SHAPE_STRING) : unknown(c);
}

static const struct shape *
gives_entries(const struct call *c)
{
    struct shape *entry = shape_new(c->walk, SHAPE_OBJECT, c->input->variable);
    struct shape_member *key = shape_new_member(c->walk), *value = shape_new_member(c->walk);
    look_at_arguments(c, c->step->arguments, c->input);
    if (!entry || !key || !value)
        return &shape_unknown;
    struct mapping_range range = c->step->range;
    *value = (struct shape_member){NULL, STR("value"), range, unknown(c), NULL};
    *key = (struct shape_member){value, STR("key"), range, plain(c, SHAPE_STRING), NULL};
    entry->members = key;
    return shape_array(c->walk, entry);
}

static const struct shape *
gives_argument(const struct call *c)
{
    const struct mapping_node *first = argument(c, 0);
    const struct shape *shape = shape_of_argument(c, first, c->input);
    if (first)
        look_at_arguments(c, first->next, c->input);
    return shape;
}

static const struct shape *
gives_mapped(const struct call *c)
{
    const struct shape *element = element_of(c);
    const struct mapping_node *first = argument(c, 0);
    const struct shape *shape = shape_of_argument(c, first, element);
    if (first)
        look_at_arguments(c, first->next, element);
    return shape_array(c->walk, shape);
}

static const struct shape *
gives_filtered(const struct call *c)
{
    look_at_arguments(c, c->step->arguments, element_of(c));
    /* Whether it lets null through is not known. */
    return shape_array(c->walk, shape_without_null(c->walk, element_of(c)));
}

static const struct shape *
gives_found(const struct call *c)
{
    look_at_arguments(c, c->step->arguments, element_of(c));
    return element_of(c);
}

/* One of the values of its pairs; an argument that is no pair is skipped. */
static const struct shape *
gives_match(const struct call *c)
{
    const struct shape *all = NULL;
    for (const struct mapping_node *n = c->step->arguments; n && !c->walk->nomem; n = n->next) {
        const struct mapping_node *value = n->inner ? n->inner->next : NULL;
        bool is_pair = n->head == HEAD_ARRAY && value && !value->next && !n->steps && !n->braces;
        if (!is_pair) {
            (void)shape_of_argument(c, n, c->input);
            continue;
        }
        (void)shape_of_argument(c, n->inner, c->input);
        const struct shape *one = shape_of_argument(c, value, c->input);
        all = all ? shape_either(c->walk, all, one) : one;
    }
    return all ? all : unknown(c);
}

static bool
is_plain_variable(const struct mapping_node *node)
{
    return node && node->head == HEAD_VARIABLE && !node->steps && !node->braces && !node->optional;
}

/* `as($v)`, `as($v, e)`: gives its input on, and binds a name for the rest of the path. */
static const struct shape *
gives_input(const struct call *c)
{
    const struct mapping_node *name = argument(c, 0), *value = argument(c, 1);
    if (!is_plain_variable(name)) {
        look_at_arguments(c, c->step->arguments, c->input);
        return c->input;
    }
    const struct shape *shape = value ? shape_of_argument(c, value, c->input) : c->input;
    struct shape_bound *bound = arena_alloc(c->walk->arena, sizeof *bound);
    if (!bound) {
        c->walk->nomem = true;
        return &shape_unknown;
    }
    *bound = (struct shape_bound){c->scope->bound, name->name, shape};
    c->scope->bound = bound;
    return c->input;
}

/* What each method gives, and the connect version that it came with: METHOD in methods.def has no name here until
 * somebody says it. */
#define RULE_method_echo                    gives_argument, MAPPING_V2
#define RULE_method_map                     gives_mapped, MAPPING_V2
#define RULE_method_match                   gives_match, MAPPING_V2
#define RULE_method_as                      gives_input, MAPPING_V3
#define RULE_method_json_stringify          gives_string, MAPPING_V2
#define RULE_method_json_parse              gives_unknown, MAPPING_V3
#define RULE_method_to_string               gives_string, MAPPING_V3
#define RULE_method_first                   gives_element, MAPPING_V2
#define RULE_method_last                    gives_element, MAPPING_V2
#define RULE_method_slice                   gives_slice, MAPPING_V2
#define RULE_method_size                    gives_number, MAPPING_V2
#define RULE_method_get                     gives_got, MAPPING_V3
#define RULE_method_entries                 gives_entries, MAPPING_V2
#define RULE_method_filter                  gives_filtered, MAPPING_V3
#define RULE_method_find_first              gives_found, MAPPING_V3
#define RULE_method_keys_to_camel_case      gives_unknown, MAPPING_V4
#define RULE_method_keys_to_camel_case_deep gives_unknown, MAPPING_V4
#define RULE_method_join_not_null           gives_string, MAPPING_V2
#define RULE_method_split                   gives_strings, MAPPING_V4
#define RULE_method_trim                    gives_string, MAPPING_V4
#define RULE_method_trim_start              gives_string, MAPPING_V4
#define RULE_method_trim_end                gives_string, MAPPING_V4
#define RULE_method_parse_int               gives_number, MAPPING_V3
#define RULE_method_eq                      gives_boolean, MAPPING_V3
#define RULE_method_ne                      gives_boolean, MAPPING_V3
#define RULE_method_gt                      gives_boolean, MAPPING_V3
#define RULE_method_gte                     gives_boolean, MAPPING_V3
#define RULE_method_lt                      gives_boolean, MAPPING_V3
#define RULE_method_lte                     gives_boolean, MAPPING_V3
#define RULE_method_in                      gives_boolean, MAPPING_V3
#define RULE_method_contains                gives_boolean, MAPPING_V3
#define RULE_method_and                     gives_boolean, MAPPING_V3
#define RULE_method_or                      gives_boolean, MAPPING_V3
#define RULE_method_not                     gives_boolean, MAPPING_V3
#define RULE_method_add                     gives_number, MAPPING_V3
#define RULE_method_sub                     gives_number, MAPPING_V3
#define RULE_method_mul                     gives_number, MAPPING_V3
#define RULE_method_div                     gives_number, MAPPING_V3
#define RULE_method_mod                     gives_number, MAPPING_V3

static const struct rule {
    const char *name;
    const struct shape *(*gives)(const struct call *c);
    enum mapping_version since;
} rules[] = {
#define METHOD(name, function, arguments, takes, wants) {name, RULE_##function},
#include "methods.def"
#undef METHOD
};

static const struct rule *
rule_of(const struct method *method)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (str_eq(str_of(rules[i].name), str_of(method->name)))
            return &rules[i];
    return NULL; /* never: both tables have the same rows */
}

static void
note(const struct call *c, enum shape_finding_kind kind, enum mapping_version since)
{
    const struct mapping_step *s = c->step;
    shape_found(c->walk,
                &(struct shape_finding){.kind = kind,
                                        .range = shape_name_range(c->walk, s->name, s->range),
                                        .name = s->name,
                                        .holder = c->input,
                                        .since = since});
}

const struct shape *
shape_of_method(struct shape_walk *w, const struct mapping_step *step, const struct shape *input,
                struct shape_scope *scope)
{
    struct call c = {w, step, input, scope};
    const struct rule *rule = step->method ? rule_of(step->method) : NULL;
    if (!rule)
        note(&c, SHAPE_NO_METHOD, w->version);
    else if (rule->since > w->version)
        note(&c, SHAPE_NEWER_METHOD, rule->since);
    if (rule && step->method->arguments == ARGS_NONE && step->has_parens &&
        step->argument_count == 0)
        note(&c, SHAPE_EMPTY_PARENTHESES, w->version);
    if (w->version < MAPPING_V3)
        c.input = unknown(&c);
    const struct shape *given = rule ? rule->gives(&c) : gives_unknown(&c);
    return w->version < MAPPING_V3 ? c.input : given;
}
