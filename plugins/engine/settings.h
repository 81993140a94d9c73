/* settings.h - looking up what the host has checked. */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include <gantry/plugin.h>

/* The value of a key, or NULL when it has none.  settings: may be NULL. */
const struct gantry_value *settings_find(const struct gantry_settings *settings, const char *key);
/* Its text, or NULL when it has none or an empty one. */
const char *settings_text(const struct gantry_settings *settings, const char *key);

#endif
