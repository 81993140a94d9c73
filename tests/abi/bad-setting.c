/* bad-setting.c - a plugin that declares a setting of a type that does not exist. */
#include "variant.h"

static const struct gantry_setting settings[] = {{.size = sizeof(struct gantry_setting),
                                                  .type = 99,
                                                  .scope = GANTRY_SCOPE_BACKEND,
                                                  .key = "odd"}};

VARIANT_ENTRY
{
    static struct gantry_plugin table;
    table = memory;
    table.name = "bad-setting";
    table.settings = settings;
    table.setting_count = 1;
    table.setting_stride = sizeof settings[0];
    return &table;
}
