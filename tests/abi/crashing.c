/* crashing.c - a plugin that ends the process in one of its operations. */
#include "variant.h"

static int
crash(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
      const struct gantry_log_limits *limits)
{
    (void)self;
    (void)call;
    (void)ref;
    (void)cursor;
    (void)limits;
    abort();
}

VARIANT_ENTRY
{
    static struct gantry_plugin table;
    table = memory_plugin;
    table.name = "crashing";
    table.logs = crash;
    return &table;
}
