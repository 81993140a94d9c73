/* newer.c - a plugin of a later minor version: longer structs, and a state that this host cannot
 * know. */
#include "variant.h"

struct newer_plugin {
    struct gantry_plugin known;
    int (*more)(void *self);
};
struct newer_status {
    struct gantry_status known;
    int64_t more;
};

static int
newer_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct newer_status s;
    memset(&s, 0, sizeof s);
    s.known.size = sizeof s;
    s.known.handle = ref->handle;
    s.known.name = "newer";
    s.known.state = 200;
    s.more = 1;
    return gantry_emit_status(((struct memory *)self)->host, call, &s.known);
}

VARIANT_ENTRY
{
    static struct newer_plugin table;
    table.known = memory;
    table.known.name = "newer";
    table.known.size = sizeof table;
    table.known.abi_minor = GANTRY_ABI_MINOR + 1;
    table.known.inspect = newer_inspect;
    return &table.known;
}
