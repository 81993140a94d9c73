/* other-major.c - the example's twin, compiled against a plugin.h of another major version. */
#include "variant.h"

VARIANT_ENTRY
{
    static struct gantry_plugin table;
    table = memory_plugin;
    table.abi_major = GANTRY_ABI_MAJOR + 1;
    return &table;
}
