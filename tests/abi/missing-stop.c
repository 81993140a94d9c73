/* missing-stop.c - a plugin without one of the required operations. */
#include "variant.h"

VARIANT_ENTRY
{
    static struct gantry_plugin table;
    table = memory_plugin;
    table.name = "missing-stop";
    table.stop = NULL;
    return &table;
}
