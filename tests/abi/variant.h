/* variant.h - the template's plugin without its entry: a variant includes it and makes an entry of
 * its own. */
#ifndef VARIANT_H
#define VARIANT_H

#include <gantry/plugin.h>

#undef GANTRY_PLUGIN
#define GANTRY_PLUGIN(plugin)
#include "memory.c"

/* gantry_plugin_entry() of a table that may be changed first. */
#define VARIANT_ENTRY                                                                              \
    GANTRY_API const struct gantry_plugin *gantry_plugin_entry(void);                              \
    const struct gantry_plugin *gantry_plugin_entry(void)

#endif
