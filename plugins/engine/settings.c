/* Looking up settings.  See settings.h. */
#include "settings.h"

#include <string.h>

const struct gantry_value *
settings_find(const struct gantry_settings *settings, const char *key)
{
    return settings ? gantry_find_value(settings, key) : NULL;
}

const char *
settings_text(const struct gantry_settings *settings, const char *key)
{
    const struct gantry_value *value = settings_find(settings, key);
    return value && value->text && value->text[0] ? value->text : NULL;
}
