/* wrong-name.c - a plugin whose file is called otherwise. */
#include "variant.h"

VARIANT_ENTRY
{
    return &memory_plugin;
}
