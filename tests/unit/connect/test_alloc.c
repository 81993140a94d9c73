/* Each allocation fails in turn while a mapping is parsed, evaluated, explained and printed. */
#include "faults.h"

#include <gantry/connect.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct work {
    const char *mapping, *json;
    uint32_t version;
};

static int
evaluate(const struct work *w, const struct gantry_mapping *mapping, struct gantry_error **err)
{
    const struct gantry_mapping_variable variable = {"$args", "{\"id\": [1, 2.50]}", 17};
    struct gantry_mapping_input input = {sizeof input};
    struct gantry_mapping_output *output = NULL, *explained = NULL;
    char *text = NULL;
    input.json = w->json;
    input.json_size = strlen(w->json);
    input.variables = &variable;
    input.variable_count = 1;
    input.variable_stride = sizeof variable;
    int rc = gantry_mapping_apply(mapping, &input, &output, err);
    fault_assert((rc == 0) == (output != NULL));
    if (rc == 0)
        rc = gantry_mapping_explain(mapping, &input, &explained, err);
    fault_assert(rc < 0 || strcmp(output->data, explained->data) == 0);
    if (rc == 0)
        rc = gantry_mapping_print(mapping, &text, err);
    fault_assert((rc == 0) == (text != NULL));
    gantry_text_free(text);
    gantry_mapping_output_free(output);
    gantry_mapping_output_free(explained);
    return rc;
}

static int
run(void *context, struct gantry_error **err)
{
    const struct work *w = context;
    const struct gantry_mapping_options options = {sizeof options, w->version};
    struct gantry_mapping_place place = {sizeof place};
    struct gantry_mapping *mapping = NULL;
    int rc = gantry_mapping_parse(w->mapping, strlen(w->mapping), &options, &mapping, &place, err);
    fault_assert((rc == 0) == (mapping != NULL));
    if (rc == 0)
        rc = evaluate(w, mapping, err);
    gantry_mapping_free(mapping);
    return rc;
}

static void
sweep(const char *what, struct work w, int expected)
{
    fault_sweep(what, &(struct fault_sweep){.run = run, .context = &w, .expected = expected});
}

static void
a_mapping_is_evaluated_whole_or_not_at_all(void **state)
{
    (void)state;
    sweep("fields and paths",
          (struct work){"a: x.y # c\n b { c 'd e' } n: $args.id->map({ v: @, \"w\\n\": 007. })",
                        "{\"x\":[{\"y\":1},{}],\"b\":[{\"c\":1},null,[{\"c\":2}]]}", 2},
          0);
    sweep("merges and chains",
          (struct work){"a: p a: q ... r { s } f: x?.y ?? $nope.z ?? [1, \"two\"]",
                        "{\"p\":{\"a\":[1,{\"b\":2}]},\"q\":{\"a\":[2,{\"c\":3}]},\"r\":{}}", 4},
          0);
    sweep(
        "methods",
        (struct work){"a: t->split(',')->map(@->trim->parseInt->add(1, 0.5)->toString)"
                      "->joinNotNull('-') b: $->jsonStringify->jsonParse->keysToCamelCaseDeep"
                      "->entries->filter(@.key->eq('t'))->slice(0, 1)->as($v)->get(-1) c: $->frst",
                      "{\"t\":\" 1, 2,3\",\"snake_case\":{\"a_b\":[{\"c_d\":1.50}]}}", 3},
        0);
}

static void
a_refused_mapping_is_told_or_memory_is_out(void **state)
{
    (void)state;
    sweep("broken", (struct work){"a: b->map('\\n', $(x.y) { c: [1, } ", "{}", 2},
          GANTRY_E_INVALID);
    sweep("lone key", (struct work){"a: $(b)", "{}", 2}, GANTRY_E_INVALID);
    sweep("no JSON", (struct work){"a", "{\"a\": tru}", 2}, GANTRY_E_INVALID);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_is_evaluated_whole_or_not_at_all),
        cmocka_unit_test(a_refused_mapping_is_told_or_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
