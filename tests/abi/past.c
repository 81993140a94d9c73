/* past.c - everything.c as of an earlier minor version: its table ends before the optional operations, its settings
 * and what it emits are shorter.  Whatever lies behind them is not the plugin's. */
#include <gantry/plugin.h>
#include <stdlib.h>
#include <string.h>

/* Emit no more than this much of an item, in a block of memory that ends there. */
static int
past_emit(const struct gantry_host *host, struct gantry_call *call, uint32_t kind, const void *item,
          uint32_t size)
{
    char *shorter = (char *)malloc(size);
    if (!shorter)
        return GANTRY_E_NOMEM;
    memcpy(shorter, item, size);
    memcpy(shorter, &size, sizeof size);
    int rc = host->emit(call, kind, shorter);
    free(shorter);
    return rc;
}

static int
past_emit_status(const struct gantry_host *host, struct gantry_call *call,
                 const struct gantry_status *item)
{
    struct gantry_status s = *item;
    s.present &= GANTRY_STATUS_EXIT_CODE | GANTRY_STATUS_OUT_OF_MEMORY;
    return past_emit(host, call, GANTRY_EMIT_STATUS, &s,
                     (uint32_t)offsetof(struct gantry_status, created_ms));
}

#define gantry_emit_status past_emit_status
#undef GANTRY_PLUGIN
#define GANTRY_PLUGIN(plugin)
#include "everything.c"

static int
past_nothing(void *self, struct gantry_call *call)
{
    (void)self, (void)call;
    abort(); /* it lies behind the table's end */
}

/* A setting without its help. */
enum {
    SHORT = offsetof(struct gantry_setting, help),
    COUNT = sizeof settings / sizeof settings[0]
};

GANTRY_API const struct gantry_plugin *gantry_plugin_entry(void);
const struct gantry_plugin *
gantry_plugin_entry(void)
{
    static struct gantry_plugin table;
    static uint64_t shorter[SHORT / sizeof(uint64_t) * COUNT];
    table = everything;
    table.name = "past";
    table.size = (uint32_t)offsetof(struct gantry_plugin, watch);
    table.probe = past_nothing;
    for (size_t i = 0; i < COUNT; i++) {
        uint32_t size = SHORT;
        char *to = (char *)shorter + i * SHORT;
        memcpy(to, &settings[i], SHORT);
        memcpy(to, &size, sizeof size);
    }
    table.settings = (const struct gantry_setting *)(const void *)shorter;
    table.setting_stride = SHORT;
    return &table;
}
