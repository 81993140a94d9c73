/* mapping_case.h - one case of tests/vectors/mapping, and what must hold of every mapping in them.
 *
 *   === name
 *   the mapping
 *   --- versions      connect versions that it holds in: "2 3"; without it all, 2 3 4
 *   --- variables     a line each: $name=JSON
 *   --- input         JSON
 *   --- output        JSON, compared parsed; without it: nothing comes out
 *   --- problems      a line each: kind@path start-end message
 *   --- error         instead of all these but versions: the mapping is refused, and why */
#ifndef TESTS_MAPPING_CASE_H
#define TESTS_MAPPING_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../vectors/vectors.h"
#include "mapping.h"
#include "mapping_tree.h"

enum { CASE_VARIABLES = 8, CASE_TEXT_MAX = 1 << 22 };

struct mapping_case {
    const struct vector *vector;
    enum mapping_version version;
    struct arena arena;
    struct mapping_variable variables[CASE_VARIABLES];
    struct mapping_input input;
};

static inline size_t
case_failed(const struct mapping_case *c, const char *what, struct str expected, struct str found)
{
    char full[100];
    snprintf(full, sizeof full, "v0.%d, %s", (int)c->version, what);
    return vector_differs(c->vector, full, expected, found) ? 1 : 0;
}

static inline bool
case_prepare(struct mapping_case *c)
{
    struct str rest = vector_section(c->vector, "variables");
    struct str input = vector_section(c->vector, "input");
    arena_init(&c->arena, 0);
    while (rest.ptr && rest.len && c->input.variable_count < CASE_VARIABLES) {
        struct str json, line = str_cut(rest, '\n', &rest), name = str_cut(line, '=', &json);
        struct mapping_variable *v = &c->variables[c->input.variable_count++];
        v->name = name;
        if (value_parse(&c->arena, json, NULL, &v->value, NULL) < 0)
            return false;
    }
    c->input.variables = c->variables;
    return value_parse(&c->arena, input, NULL, &c->input.data, NULL) == 0;
}

static inline void
add_problem_line(struct buf *out, const struct mapping_problem *p)
{
    if (out->len)
        buf_add_char(out, '\n');
    buf_add_fmt(out, "%s@", gantry_mapping_problem_word(p->kind));
    for (size_t i = 0; i < p->path_length; i++) {
        if (i > 0)
            buf_add_char(out, '.');
        if (p->path[i].key.ptr)
            buf_add(out, p->path[i].key);
        else
            buf_add_fmt(out, "%zu", p->path[i].index);
    }
    buf_add_fmt(out, " %zu-%zu ", p->range.start, p->range.end);
    buf_add(out, p->message);
}

/* Is what came out what the case says?  Values by meaning, texts byte for byte. */
static inline size_t
case_check_data(struct mapping_case *c, const struct value *found)
{
    struct str expected = vector_section(c->vector, "output");
    AUTO_BUF struct buf text = BUF_INIT(CASE_TEXT_MAX);
    struct value *value = NULL;
    uint64_t steps = 1000000;
    if (found && value_print(found, VALUE_COMPACT, &text) < 0)
        return case_failed(c, "output", expected, STR("(cannot be printed)"));
    if (!expected.ptr || !found)
        return expected.ptr || found
                   ? case_failed(c, "output", expected.ptr ? expected : STR("(nothing)"),
                                 found ? buf_view(&text) : STR("(nothing)"))
                   : 0;
    if (value_parse(&c->arena, expected, NULL, &value, NULL) == 0 &&
        value_same(value, found, &steps))
        return 0;
    case_failed(c, "output", expected, buf_view(&text));
    return 1;
}

static inline size_t
case_check_problems(struct mapping_case *c, const struct mapping_result *result)
{
    AUTO_BUF struct buf text = BUF_INIT(CASE_TEXT_MAX);
    for (size_t i = 0; i < result->problem_count; i++)
        add_problem_line(&text, &result->problems[i]);
    return case_failed(c, "problems", vector_section(c->vector, "problems"), buf_view(&text));
}

static inline bool
both_same(const struct value *a, const struct value *b)
{
    uint64_t steps = 1000000;
    return a && b ? value_same(a, b, &steps) : a == b;
}

/* print(parse(x)) parses as the same, and prints as the same. */
static inline size_t
case_check_print(struct mapping_case *c, const struct mapping *m)
{
    AUTO_BUF struct buf one = BUF_INIT(CASE_TEXT_MAX);
    AUTO_BUF struct buf two = BUF_INIT(CASE_TEXT_MAX);
    AUTO_ERR struct gantry_error *err = NULL;
    struct mapping *again = NULL;
    struct mapping_result result, result_again;
    if (mapping_print(m, &one) < 0)
        return case_failed(c, "print", STR("a text"), STR("a failure"));
    if (mapping_parse(buf_view(&one), c->version, &again, NULL, &err) < 0)
        return case_failed(c, "what was printed is refused", buf_view(&one), str_of(err_text(err)));
    size_t failures = 0;
    if (!mapping_equal(m, again) || mapping_print(again, &two) < 0)
        failures += case_failed(c, "what was printed is another", mapping_text(m), buf_view(&one));
    failures += case_failed(c, "printed twice", buf_view(&one), buf_view(&two));
    if (mapping_apply(m, &c->input, &c->arena, &result, NULL) < 0 ||
        mapping_apply(again, &c->input, &c->arena, &result_again, NULL) < 0 ||
        !both_same(result.data, result_again.data))
        failures +=
            case_failed(c, "what was printed maps otherwise", mapping_text(m), buf_view(&one));
    mapping_free(again);
    return failures;
}

/* A copy of a list that has the items of one output key, and those whose keys nobody knows. */
static inline struct mapping_list
restricted(struct arena *a, const struct mapping_list *list, struct str key)
{
    struct mapping_list copy = {.range = list->range};
    struct mapping_item **next = &copy.items;
    for (const struct mapping_item *item = list->items; item; item = item->next) {
        if (item->kind == ITEM_NAMED && !str_eq(item->name, key))
            continue;
        *next = arena_alloc(a, sizeof **next);
        **next = *item;
        (*next)->next = NULL;
        next = &(*next)->next;
    }
    return copy;
}

/* A mapping that is restricted to one of its output keys gives the same value for it. */
static inline size_t
case_check_restricted(struct mapping_case *c, const struct mapping *m, const struct value *data)
{
    size_t failures = 0;
    if (!m->list || !data || value_kind(data) != VALUE_OBJECT)
        return 0;
    for (size_t i = 0; i < value_count(data); i++) {
        struct mapping_result result;
        struct mapping_list list = restricted(&c->arena, m->list, value_key_at(data, i));
        struct mapping part = *m;
        part.list = &list;
        if (mapping_apply(&part, &c->input, &c->arena, &result, NULL) < 0 ||
            !both_same(value_find(result.data, value_key_at(data, i)), value_at(data, i)))
            failures += case_failed(c, "restricted to one key it gives another value",
                                    value_key_at(data, i), STR("another"));
    }
    return failures;
}

static inline size_t
case_run_version(const struct vector *v, enum mapping_version version)
{
    struct mapping_case c = {.vector = v, .version = version};
    AUTO_ERR struct gantry_error *err = NULL;
    struct mapping *m = NULL;
    struct mapping_result result = {.data = NULL}, quiet = {.data = NULL};
    struct str expected = vector_section(v, "error");
    int rc = mapping_parse(vector_section(v, ""), version, &m, NULL, &err);
    if (expected.ptr || rc < 0) {
        mapping_free(m);
        return case_failed(&c, "error", expected, str_of(rc < 0 ? err_text(err) : "(no error)"));
    }
    size_t failures = 1;
    if (!case_prepare(&c))
        case_failed(&c, "input or variables", STR("JSON"), STR("something else"));
    else if (mapping_apply(m, &c.input, &c.arena, &result, &err) < 0)
        case_failed(&c, "mapping", STR("a result"), str_of(err_text(err)));
    else
        failures = case_check_data(&c, result.data) + case_check_problems(&c, &result) +
                   case_check_print(&c, m) + case_check_restricted(&c, m, result.data);
    c.input.without_problems = true;
    if (failures == 0 && (mapping_apply(m, &c.input, &c.arena, &quiet, &err) < 0 ||
                          quiet.problem_count != 0 || !both_same(result.data, quiet.data)))
        failures += case_failed(&c, "without problems", STR("the same"), STR("something else"));
    arena_clear(&c.arena);
    mapping_free(m);
    return failures;
}

static inline size_t
case_run(const struct vector *v)
{
    struct str versions = vector_section(v, "versions");
    size_t failures = 0;
    for (int version = MAPPING_V2; version <= MAPPING_V4; version++)
        if (!versions.ptr || memchr(versions.ptr, '0' + version, versions.len))
            failures += case_run_version(v, (enum mapping_version)version);
    return failures;
}

#endif
