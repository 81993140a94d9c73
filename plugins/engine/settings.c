/* Looking up settings.  See settings.h. */
#include "settings.h"

#include <string.h>

const struct gantry_value *
settings_find(const struct gantry_settings *settings, const char *key)
{
    if (!settings)
        return NULL;
    for (uint32_t i = 0; i < settings->count; i++) {
        const struct gantry_value *value =
            GANTRY_AT(struct gantry_value, settings->values, settings->stride, i);
        if (strcmp(value->key, key) == 0)
            return value;
    }
    return NULL;
}

const char *
settings_text(const struct gantry_settings *settings, const char *key)
{
    const struct gantry_value *value = settings_find(settings, key);
    return value && value->text && value->text[0] ? value->text : NULL;
}
