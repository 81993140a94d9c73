/* A program that has chosen a locale with a decimal comma: numbers of mappings and of JSON have a point all the same. */
#include "mapping_case.h"

#include <locale.h>
#include <stdlib.h>

static void
expect(const char *mapping, const char *json, const char *result)
{
    const struct gantry_mapping_options options = {sizeof options, 4};
    const struct gantry_mapping_input in = {
        .size = sizeof in, .json = json, .json_size = strlen(json)};
    AUTO_ERR struct gantry_error *err = NULL;
    struct gantry_mapping *m = NULL;
    struct gantry_mapping_output *out = NULL;
    if (gantry_mapping_parse(mapping, strlen(mapping), &options, &m, NULL, &err) < 0 ||
        gantry_mapping_apply(m, &in, &out, &err) < 0)
        fail_msg("%s: %s", mapping, err_text(err));
    assert_string_equal(out ? out->data : "", result);
    gantry_mapping_output_free(out);
    gantry_mapping_free(m);
}

static void
numbers_have_a_point(void **state)
{
    (void)state;
    expect("$(1.5)", "null", "1.5");
    expect("$->add(0.25)", "2.5", "2.75");
    expect("$->mul(2)", "1.5e-7", "3e-7");
    expect("$->toString", "0.1", "\"0.1\"");
    assert_string_equal(localeconv()->decimal_point, ","); /* it is as it was */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_have_a_point)};
    if (!setlocale(LC_ALL, "de_DE.UTF-8")) {
        fprintf(stderr, "there is no locale de_DE.UTF-8 in LOCPATH; run it by ctest\n");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
