/* driver_spec.h - JSON of the driver's requests -> the structs of gantry/plugin.h. */
#ifndef DRIVER_SPEC_H
#define DRIVER_SPEC_H

#include "arena.h"

#include <cjson/cJSON.h>
#include <gantry/plugin.h>

const char *driver_text(const cJSON *object, const char *key); /* or NULL */
double driver_number(const cJSON *object, const char *key, double fallback);

/* An object as pairs; strings are borrowed from it. */
const struct gantry_pair *driver_pairs(const cJSON *object, struct arena *arena, uint32_t *count);
/* Values of those settings of the table that have this scope: given, or with a default. */
void driver_settings(const struct gantry_plugin *table, const cJSON *given, uint32_t scope,
                     struct arena *arena, struct gantry_settings *settings);
/* 0, or GANTRY_E_NOMEM.  What is left out is as it is in a small, usual spec. */
int driver_spec(const cJSON *object, struct arena *arena, struct gantry_spec *spec);

#endif
