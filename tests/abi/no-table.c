/* no-table.c - a plugin whose entry gives nothing. */
#include <gantry/plugin.h>

GANTRY_API const struct gantry_plugin *gantry_plugin_entry(void);

const struct gantry_plugin *
gantry_plugin_entry(void)
{
    return NULL;
}
