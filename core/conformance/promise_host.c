/* promise_host.c - hosts that are older or newer than the plugin, or that offer less: it works with each. */
#include "guest.h"
#include "logs.h"
#include "process.h"

#include <string.h>

/* A workload with labels, variables and a file, through all that can be done with it. */
static int
live(struct kit *kit)
{
    static const struct gantry_variable variables[] = {{"KIT_ONE", "1", 0, 0},
                                                       {"KIT_TWO", "2", 1, 0}};
    struct kit_connector *c = kit_connector(kit);
    const char *handle, *next;
    if (!c)
        return KIT_BROKEN;
    c->environment = variables;
    c->environment_count = ARRAY_LENGTH(variables);
    const struct gantry_spec *spec = kit_spec(kit, c);
    KIT_CHECK(kit_run(kit, c, &handle));
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &a));
    if (!spec)
        return kit_broken(kit, "the kit ran out of memory");
    KIT_CHECK(kit_expect_labels(kit, "inspect()", &a.status, spec));
    if (!text_eq(a.status.name, c->name))
        return kit_broken(kit, "the workload's name is '%s', and was to be '%s'", a.status.name,
                          c->name);
    KIT_CHECK(kit_expect_count(kit, "after a start", c, 1));
    a = kit_logs(kit, handle, NULL, &kit_all_lines, NULL);
    if (a.code != GANTRY_E_UNSUPPORTED)
        KIT_CHECK(kit_expect_ok(kit, "logs()", &a));
    if (a.line_count > 0) {
        a = kit_logs(kit, handle, a.lines[0].cursor, &kit_all_lines, NULL);
        KIT_CHECK(kit_expect_ok(kit, "logs() with a cursor", &a));
    }
    KIT_CHECK(kit_change(kit, c));
    a = kit_start(kit, c, handle, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "a replace", &a));
    next = a.status.handle;
    if (!text_eq(next, handle)) {
        a = kit_remove(kit, handle, c, NULL);
        KIT_CHECK(kit_expect_ok(kit, "remove() of the old one", &a));
    }
    a = kit_stop(kit, next, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    a = kit_remove(kit, next, c, NULL);
    KIT_CHECK(kit_expect_ok(kit, "remove()", &a));
    KIT_CHECK(kit_expect_count(kit, "after remove()", c, 0));
    return kit->given.slow ? KIT_OK : kit_live_once(kit); /* whatever else it has */
}

int
kit_try_host_newer_one_works(struct kit *kit)
{
    return kit_as_guest(kit, KIT_GUEST_LONGER, live);
}

int
kit_try_host_memory_is_borrowed(struct kit *kit)
{
    return kit_as_guest(kit, KIT_GUEST_EXACT, live);
}

/* ---- a host that has less ------------------------------------------------------------------------- */

static const void *
no_extension(const struct gantry_host *host, const char *id)
{
    (void)host, (void)id;
    return NULL;
}

/* It opens and lives, or open() or its calls say why not: it never crashes. */
int
kit_try_host_without_extensions(struct kit *kit)
{
    struct gantry_host host = kit_host_functions;
    struct runtime_backend *own = kit->backend, *other = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    host.extension = no_extension;
    int rc = kit_open(kit, NULL, &host, &other, &err);
    if (rc < 0)
        return rc != GANTRY_E_INTERNAL && !strstr(err_text(err), "gives no reason")
                   ? KIT_OK
                   : kit_broken(kit, "open() of a host without extensions: %s", err_text(err));
    struct kit_answer a = kit_list(kit, NULL, &(struct kit_manner){.backend = other});
    kit->backend = other;
    int came = KIT_OK;
    if (a.code == 0)
        came = kit_live_once(kit);
    else if (a.code == GANTRY_E_INTERNAL || a.code == GANTRY_E_NOT_FOUND ||
             strstr(a.text, "gives no reason"))
        came = kit_broken(kit, "list() with a host without extensions: %s", a.text);
    kit->backend = own;
    runtime_close(other);
    return came;
}
