/* bad-setting.c - a plugin that declares a setting of a type that does not exist. */
#include "variant.h"

static const struct gantry_setting odd[] = {{.size = sizeof(struct gantry_setting),
                                             .type = 99,
                                             .scope = GANTRY_SCOPE_BACKEND,
                                             .key = "odd"}};

VARIANT_ENTRY
{
    static struct gantry_plugin table;
    table = memory_plugin;
    table.name = "bad-setting";
    table.settings = odd;
    table.setting_count = 1;
    table.setting_stride = sizeof odd[0];
    return &table;
}
