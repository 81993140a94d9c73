/* fuzz_mapping_apply.c - any mapping is evaluated on any JSON within its limits; without problems
 * the result is the same.  The first byte chooses the connect version; a NUL parts the mapping from
 * the JSON. */
#include "err.h"
#include "fuzz.h"
#include "mapping.h"

enum { PRINT_MAX = 16 * 1024 * 1024 };

static void
evaluate(const struct mapping *m, struct arena *a, struct value *data)
{
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO_ERR struct gantry_error *quiet_err = NULL;
    AUTO_BUF struct buf one = BUF_INIT(PRINT_MAX);
    AUTO_BUF struct buf two = BUF_INIT(PRINT_MAX);
    const struct mapping_limits limits = {100000, (size_t)64 * 1024 * 1024, 100};
    const struct mapping_variable variable = {STR("$args"), data};
    struct mapping_input input = {
        .data = data, .variables = &variable, .variable_count = 1, .limits = &limits};
    struct mapping_result result, quiet;
    int rc = mapping_apply(m, &input, a, &result, &err);
    input.without_problems = true;
    int quiet_rc = mapping_apply(m, &input, a, &quiet, &quiet_err);
    must(rc == 0 || (rc == GANTRY_E_INVALID && err));
    must(quiet_rc == 0 || quiet_rc == GANTRY_E_INVALID);
    if (rc < 0 || quiet_rc < 0)
        return;
    must(!result.data == !quiet.data && result.problem_count <= 100);
    if (!result.data)
        return;
    int printed = value_print(result.data, VALUE_COMPACT, &one);
    must(printed == value_print(quiet.data, VALUE_COMPACT, &two));
    must(printed < 0 || str_eq(buf_view(&one), buf_view(&two)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA struct arena a;
    struct mapping *m = NULL;
    struct value *value = NULL;
    const uint8_t *end = size ? memchr(data + 1, '\0', size - 1) : NULL;
    arena_init(&a, 0);
    if (!end)
        return 0;
    enum mapping_version version = (enum mapping_version)(MAPPING_V2 + data[0] % 3);
    struct str text = {(const char *)data + 1, (size_t)(end - data) - 1};
    struct str json = {(const char *)end + 1, size - (size_t)(end + 1 - data)};
    if (value_parse(&a, json, NULL, &value, NULL) < 0)
        return 0;
    if (mapping_parse(text, version, &m, NULL, NULL) < 0)
        return 0;
    evaluate(m, &a, value);
    mapping_free(m);
    return 0;
}
