/* The environment of a spec, as every engine of this family takes it.  See engine.h. */
#include "engine.h"

#include <string.h>

int
engine_environment_check(struct engine_task *task, const struct gantry_spec *spec)
{
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *variable =
            GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
        if (!variable->key[0] || strchr(variable->key, '=') || !text_is_utf8(variable->key))
            return engine_fail(task, GANTRY_E_INVALID,
                               "workload '%s': environment variable %u has no usable name",
                               spec->name, i + 1);
        /* JSON has no other bytes; the engine would replace them without a word. */
        if (!text_is_utf8(variable->value))
            return engine_fail(
                task, GANTRY_E_INVALID,
                "workload '%s': the value of environment variable '%s' is not UTF-8, "
                "and the engine's API cannot take it",
                spec->name, variable->key);
    }
    return 0;
}

void
engine_environment_print(struct text *json, const struct gantry_spec *spec)
{
    AUTO_TEXT entry = TEXT_SECRET(64u << 20);
    text_add(json, ",\"Env\":[");
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *variable =
            GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
        text_reset(&entry);
        text_add(&entry, variable->key);
        text_add_char(&entry, '=');
        text_add(&entry, variable->value);
        if (i)
            text_add_char(json, ',');
        text_add_json(json, text_cstr(&entry));
    }
    text_add(json, "]");
    json->failed |= entry.failed;
}
