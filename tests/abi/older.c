/* older.c - a plugin from before the optional operations: its table ends where they begin. */
#include "variant.h"

static int
not_there(void *self, struct gantry_call *call)
{
    (void)self;
    (void)call;
    abort(); /* whatever lies behind an older table is not the plugin's */
}

VARIANT_ENTRY
{
    static struct gantry_plugin table;
    table = memory;
    table.name = "older";
    table.size = offsetof(struct gantry_plugin, watch);
    table.probe = not_there;
    return &table;
}
