/* What holds of every mapping, shown on many that are generated from fixed seeds: what is printed is the same mapping,
 * and some of its output keys alone have the values that they have among all. */
#include "mapping_case.h"

#include "buf.h"
#include "chance.h"

#include <stdlib.h>
#include <string.h>

enum { MAPPINGS = 1500, ITEMS_MAX = 8, DEEP = 4, SIZE_MAX_TEXT = 1 << 20 };

static const char *const keys[] = {"a", "b", "c", "list", "'k k'", "\"q\"", "true"};
static const char *const names[] = {"a", "b", "c", "list", "k k", "q", "true"};

/* ---- values ---------------------------------------------------------------------------------------- */

static void
add_json(struct chance *c, struct buf *out, int deep)
{
    static const char *const scalars[] = {"null", "true", "1",        "1.0",     "-7",
                                          "2.50", "\"\"", "\"text\"", "\"é z\"", "1e3",
                                          "0",    "[]",   "\"a,b\"",  "{}",      "false"};
    uint32_t kind = deep > 0 ? roll(c, 4) : 0;
    if (kind == 0) {
        buf_add_text(out, PICK(c, scalars));
    } else if (kind == 1) {
        buf_add_char(out, '[');
        for (uint32_t i = 0, n = roll(c, 4); i < n; i++) {
            buf_add_text(out, i ? "," : "");
            add_json(c, out, deep - 1);
        }
        buf_add_char(out, ']');
    } else {
        buf_add_char(out, '{');
        uint32_t first = roll(c, ARRAY_LENGTH(names));
        for (uint32_t i = 0, n = 1 + roll(c, 5); i < n; i++) {
            buf_add_fmt(out, "%s\"%s\":", i ? "," : "", names[(first + i) % ARRAY_LENGTH(names)]);
            add_json(c, out, deep - 1);
        }
        buf_add_char(out, '}');
    }
}

/* ---- mappings -------------------------------------------------------------------------------------- */

static void add_expression(struct chance *c, struct buf *out, int deep);
static void add_braces(struct chance *c, struct buf *out, int deep);

static void
add_arguments(struct chance *c, struct buf *out, int deep, const char *method)
{
    buf_add_fmt(out, "->%s(", method);
    add_expression(c, out, deep - 1);
    buf_add_char(out, ')');
}

static void
add_match(struct chance *c, struct buf *out, int deep)
{
    buf_add_text(out, "->match([");
    add_expression(c, out, deep - 1);
    buf_add_text(out, ", ");
    add_expression(c, out, deep - 1);
    buf_add_text(out, "], [@, ");
    add_expression(c, out, deep - 1);
    buf_add_text(out, "])");
}

static void
add_step(struct chance *c, struct buf *out, int deep)
{
    static const char *const plain[] = {"->first",
                                        "->last",
                                        "->size",
                                        "->entries",
                                        "->jsonStringify",
                                        "->slice(0, 2)",
                                        "->joinNotNull(',')",
                                        "->toString",
                                        "->nothing",
                                        "->trim"};
    static const char *const taking[] = {"echo", "map", "eq", "filter", "find", "contains"};
    uint32_t kind = deep > 0 ? roll(c, 6) : roll(c, 4);
    if (kind < 3)
        buf_add_fmt(out, ".%s", PICK(c, keys));
    else if (kind == 3)
        buf_add_text(out, PICK(c, plain));
    else if (kind == 4)
        add_arguments(c, out, deep, PICK(c, taking));
    else
        add_match(c, out, deep);
    if (c->version >= MAPPING_V3 && roll(c, 5) == 0)
        buf_add_char(out, '?');
}

static void
add_path(struct chance *c, struct buf *out, int deep)
{
    static const char *const heads[] = {"$", "@", "$args", "$nope", "$.list"};
    uint32_t kind = roll(c, 8), steps = roll(c, 3);
    if (kind < 3) {
        buf_add_text(out, PICK(c, heads));
    } else if (kind == 3 && deep > 0) {
        buf_add_text(out, "$(");
        add_expression(c, out, deep - 1);
        buf_add_char(out, ')');
    } else { /* a key as head has a step */
        buf_add_text(out, PICK(c, keys));
        buf_add_fmt(out, ".%s", PICK(c, keys));
    }
    for (uint32_t i = 0; i < steps; i++)
        add_step(c, out, deep);
}

static void
add_literal(struct chance *c, struct buf *out, int deep)
{
    static const char *const literals[] = {"1",    "-2.5",       "'text'", "true",
                                           "null", "\"a\\\"b\"", ".5",     "007."};
    uint32_t kind = deep > 0 ? roll(c, 3) : 0;
    if (kind == 0) {
        buf_add_text(out, PICK(c, literals));
    } else if (kind == 1) {
        buf_add_char(out, '[');
        add_expression(c, out, deep - 1);
        buf_add_text(out, ", ");
        add_expression(c, out, deep - 1);
        buf_add_char(out, ']');
    } else {
        buf_add_fmt(out, "{ %s: ", PICK(c, keys));
        add_expression(c, out, deep - 1);
        buf_add_fmt(out, ", %s: ", PICK(c, keys));
        add_expression(c, out, deep - 1);
        buf_add_text(out, " }");
    }
}

static void
add_expression(struct chance *c, struct buf *out, int deep)
{
    if (roll(c, 2))
        add_literal(c, out, deep);
    else
        add_path(c, out, deep);
    for (uint32_t n = c->version >= MAPPING_V3 && deep > 0 ? roll(c, 3) : 0; n > 1; n--) {
        buf_add_text(out, " ?? ");
        add_path(c, out, deep - 1);
    }
}

/* One item.  *name: its output key; NULL: what it gives is not known. */
static void
add_item(struct chance *c, struct buf *out, int deep, const char **name)
{
    uint32_t key = roll(c, ARRAY_LENGTH(keys)), kind = roll(c, deep > 0 ? 6 : 2);
    *name = names[key];
    if (kind == 5) {
        *name = NULL;
        buf_add_text(out, c->version >= MAPPING_V4 && roll(c, 2) ? "... $." : "$.");
        buf_add_fmt(out, "%s ", keys[key]);
        add_braces(c, out, deep - 1);
        return;
    }
    buf_add_text(out, keys[key]);
    if (kind == 0)
        return;
    if (kind == 2) {
        add_braces(c, out, deep - 1);
        return;
    }
    buf_add_text(out, ": ");
    if (kind == 3)
        add_braces(c, out, deep - 1);
    else
        add_path(c, out, deep);
    if (kind == 4 && roll(c, 2))
        add_braces(c, out, deep - 1);
}

static void
add_braces(struct chance *c, struct buf *out, int deep)
{
    const char *name;
    buf_add_text(out, " {");
    for (uint32_t i = 0, n = 1 + roll(c, 3); i < n; i++) {
        buf_add_text(out, roll(c, 6) ? " " : " # a comment\n");
        add_item(c, out, deep, &name);
    }
    buf_add_text(out, " }");
}

/* ---- what holds of them ------------------------------------------------------------------------------ */

struct generated {
    struct chance chance;
    struct buf items[ITEMS_MAX], json, arguments;
    const char *names[ITEMS_MAX];
    size_t count;
};

static void
generate(struct generated *g, uint64_t seed, enum mapping_version version)
{
    *g = (struct generated){.chance = {seed, version}};
    g->count = 2 + roll(&g->chance, ITEMS_MAX - 1);
    for (size_t i = 0; i < g->count; i++) {
        g->items[i] = (struct buf)BUF_INIT(SIZE_MAX_TEXT);
        add_item(&g->chance, &g->items[i], DEEP, &g->names[i]);
    }
    g->json = (struct buf)BUF_INIT(SIZE_MAX_TEXT);
    g->arguments = (struct buf)BUF_INIT(SIZE_MAX_TEXT);
    add_json(&g->chance, &g->json, DEEP);
    add_json(&g->chance, &g->arguments, 2);
}

static void
degenerate(struct generated *g)
{
    for (size_t i = 0; i < g->count; i++)
        buf_clear(&g->items[i]);
    buf_clear(&g->json);
    buf_clear(&g->arguments);
}

/* The items whose key is in the set (a bit a name), and those whose keys nobody knows. */
static bool
add_selected(const struct generated *g, unsigned set, struct buf *out)
{
    bool any = false;
    for (size_t i = 0; i < g->count; i++) {
        size_t n = 0;
        while (g->names[i] && strcmp(g->names[i], names[n]) != 0)
            n++;
        if (g->names[i] && !(set >> n & 1u))
            continue;
        buf_add_text(out, any ? "\n" : "");
        buf_add(out, buf_view(&g->items[i]));
        any = true;
    }
    return any;
}

/* A key's value in an output; NULL: there is none, or the output is no object. */
static const struct value *
value_of(const struct value *data, const char *key)
{
    return data && value_kind(data) == VALUE_OBJECT ? value_find(data, str_of(key)) : NULL;
}

/* Both outputs have the same for the keys of the set.  *values: how many there were. */
static bool
same_in_set(const struct value *all, const struct value *some, unsigned set, size_t *values)
{
    if (all && some && value_kind(all) == VALUE_ARRAY && value_kind(some) == VALUE_ARRAY) {
        for (size_t i = 0; i < value_count(all); i++)
            if (!same_in_set(value_at(all, i), value_at(some, i), set, values))
                return false;
        return value_count(all) == value_count(some);
    }
    for (size_t n = 0; n < ARRAY_LENGTH(names); n++) {
        const struct value *one = value_of(all, names[n]), *two = value_of(some, names[n]);
        if ((set >> n & 1u) && !both_same(one, two))
            return false;
        *values += (set >> n & 1u) && one && value_kind(one) != VALUE_NULL;
    }
    return true;
}

static size_t
tell(const struct generated *g, uint64_t seed, const char *what, struct str a, struct str b)
{
    fprintf(stderr, "seed %llu, v0.%d: %s\n%.*s\n---\n%.*s\n--- input\n%.*s\n",
            (unsigned long long)seed, (int)g->chance.version, what, STR_ARG(a), STR_ARG(b),
            STR_ARG(buf_view(&g->json)));
    return 1;
}

/* Evaluate one mapping of the generated input.  NULL, and *failed, when that fails. */
static const struct value *
evaluate(const struct generated *g, const struct mapping *m, struct arena *a, bool *failed)
{
    struct value *data = NULL, *arguments = NULL;
    struct mapping_result result = {.data = NULL};
    if (value_parse(a, buf_view(&g->json), NULL, &data, NULL) < 0 ||
        value_parse(a, buf_view(&g->arguments), NULL, &arguments, NULL) < 0) {
        *failed = true;
        return NULL;
    }
    struct mapping_variable variable = {.name = STR("$args"), .value = arguments};
    struct mapping_input input = {.data = data, .variables = &variable, .variable_count = 1};
    *failed |= mapping_apply(m, &input, a, &result, NULL) < 0;
    return result.data;
}

static size_t
check_printed(const struct generated *g, uint64_t seed, const struct mapping *m, struct arena *a)
{
    AUTO_BUF struct buf one = BUF_INIT(SIZE_MAX_TEXT);
    AUTO_BUF struct buf two = BUF_INIT(SIZE_MAX_TEXT);
    struct mapping *again = NULL;
    bool failed = false;
    if (mapping_print(m, &one) < 0 ||
        mapping_parse(buf_view(&one), g->chance.version, &again, NULL, NULL) < 0)
        return tell(g, seed, "what was printed is refused", mapping_text(m), buf_view(&one));
    bool same = mapping_equal(m, again) && mapping_print(again, &two) == 0 &&
                str_eq(buf_view(&one), buf_view(&two)) &&
                both_same(evaluate(g, m, a, &failed), evaluate(g, again, a, &failed));
    mapping_free(again);
    if (!same || failed)
        return tell(g, seed, "what was printed is another", mapping_text(m), buf_view(&one));
    return 0;
}

static size_t
check_restricted(struct generated *g, uint64_t seed, const struct mapping *m, struct arena *a,
                 size_t *values)
{
    AUTO_BUF struct buf text = BUF_INIT(SIZE_MAX_TEXT);
    struct mapping *part = NULL;
    bool failed = false;
    unsigned set = roll(&g->chance, 1u << ARRAY_LENGTH(names));
    /* A list of one item may be a value, which is not what it is among others. */
    if (!add_selected(g, set, &text) || !m->list)
        return 0;
    if (mapping_parse(buf_view(&text), g->chance.version, &part, NULL, NULL) < 0)
        return tell(g, seed, "some items alone are refused", mapping_text(m), buf_view(&text));
    bool same = !part->list ||
                same_in_set(evaluate(g, m, a, &failed), evaluate(g, part, a, &failed), set, values);
    mapping_free(part);
    if (!same || failed)
        return tell(g, seed, "some keys alone have other values", mapping_text(m), buf_view(&text));
    return 0;
}

static size_t
check_generated(uint64_t seed, enum mapping_version version, size_t *values)
{
    AUTO_BUF struct buf text = BUF_INIT(SIZE_MAX_TEXT);
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO_ARENA struct arena arena;
    struct generated g;
    struct mapping *m = NULL;
    size_t failures = 0;
    arena_init(&arena, 0);
    generate(&g, seed, version);
    (void)add_selected(&g, ~0u, &text);
    if (mapping_parse(buf_view(&text), version, &m, NULL, &err) < 0)
        failures = tell(&g, seed, "it is refused", buf_view(&text), str_of(err_text(err)));
    else
        failures =
            check_printed(&g, seed, m, &arena) + check_restricted(&g, seed, m, &arena, values);
    mapping_free(m);
    degenerate(&g);
    return failures;
}

static void
generated_mappings_print_as_themselves_and_can_be_restricted(void **state)
{
    (void)state;
    size_t failures = 0, values = 0;
    for (uint64_t seed = 1; seed <= MAPPINGS && failures < 5; seed++)
        for (int version = MAPPING_V2; version <= MAPPING_V4; version++)
            failures += check_generated(seed, (enum mapping_version)version, &values);
    assert_int_equal(failures, 0);
    print_message("%zu values of restricted mappings were compared\n", values);
    assert_true(values > MAPPINGS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_mappings_print_as_themselves_and_can_be_restricted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
