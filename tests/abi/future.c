/* future.c - everything.c as of a later minor version: compiled with the headers that make-future.py writes, its
 * new fields filled, with flags that no host of today knows, and a state and a health likewise.
 *
 * On an older host it goes without what is newer, by GANTRY_HAS(); on its own one it uses that. */
#include <gantry/plugin.h>
#include <string.h>

#define NO_SUCH_BIT   UINT32_C(0x40000000)
#define NO_SUCH_STATE 200

/* An emit of a longer item, whose new field has something in it. */
#define FUTURE_EMIT(what)                                                                          \
    static int future_emit_##what(const struct gantry_host *host, struct gantry_call *call,        \
                                  const struct gantry_##what *item)                                \
    {                                                                                              \
        struct gantry_##what longer = *item;                                                       \
        memset(longer.future_, 0xa5, sizeof longer.future_);                                       \
        return gantry_emit_##what(host, call, &longer);                                            \
    }
FUTURE_EMIT(line)
FUTURE_EMIT(event)
FUTURE_EMIT(traits)
FUTURE_EMIT(image)

static int
future_emit_status(const struct gantry_host *host, struct gantry_call *call,
                   const struct gantry_status *item)
{
    struct gantry_status longer = *item;
    memset(longer.future_, 0xa5, sizeof longer.future_);
    longer.present |= NO_SUCH_BIT;
    if (host->abi_minor < GANTRY_ABI_MINOR && strcmp(item->image, "future") == 0)
        longer.state = longer.health = NO_SUCH_STATE;
    return gantry_emit_status(host, call, &longer);
}

#define gantry_emit_line   future_emit_line
#define gantry_emit_event  future_emit_event
#define gantry_emit_traits future_emit_traits
#define gantry_emit_image  future_emit_image
#define gantry_emit_status future_emit_status
#undef GANTRY_PLUGIN
#define GANTRY_PLUGIN(plugin)
#include "everything.c"

/* What is newer is there on a host that has it, and only there. */
#define IS_RIGHT(host, object, type)                                                               \
    (GANTRY_HAS(object, struct type, future_) == ((host)->abi_minor >= GANTRY_ABI_MINOR))

static int
future_open(struct gantry_call *call, const struct gantry_host *host,
            const struct gantry_settings *given, void **self)
{
    int is_new = host->abi_minor >= GANTRY_ABI_MINOR;
    if (GANTRY_HAS(host, struct gantry_host, future_function) != is_new ||
        !IS_RIGHT(host, given, gantry_settings))
        return gantry_fail(host, call, GANTRY_E_INTERNAL, "the host's sizes are not its version's");
    return everything_open(call, host, given, self);
}

static int
future_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
             const struct gantry_spec *spec, uint32_t flags)
{
    const struct gantry_host *host = ((struct everything *)self)->host;
    if ((spec && !IS_RIGHT(host, spec, gantry_spec)) ||
        (existing && !IS_RIGHT(host, existing, gantry_ref)))
        return gantry_fail(host, call, GANTRY_E_INTERNAL, "the host's sizes are not its version's");
    return everything_start(self, call, existing, spec, flags);
}

static int
future_operation(void *self)
{
    (void)self;
    abort(); /* a host that calls it has taken it for something else */
}

GANTRY_API const struct gantry_plugin *gantry_plugin_entry(void);
const struct gantry_plugin *
gantry_plugin_entry(void)
{
    enum { COUNT = sizeof settings / sizeof settings[0] };
    static struct gantry_plugin table;
    static struct gantry_setting longer[COUNT];
    table = everything;
    table.name = "future";
    table.open = future_open;
    table.start = future_start;
    table.future_operation = future_operation;
    memcpy(longer, settings, sizeof settings);
    for (int i = 0; i < COUNT; i++) {
        longer[i].flags |= NO_SUCH_BIT;
        memset(longer[i].future_, 0xa5, sizeof longer[i].future_);
    }
    table.settings = longer;
    return &table;
}
