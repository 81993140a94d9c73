/* promise_open.c - what open() and close() promise. */
#include "conformance_internal.h"

static void
note_request(struct kit_tap *tap, const char *function)
{
    if (text_eq(function, "perform"))
        tap->context = tap;
}

int
kit_try_open_contacts_nobody(struct kit *kit)
{
    struct runtime_backend *away = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    struct kit_tap *tap = arena_alloc(&kit->arena, sizeof *tap);
    if (!tap)
        return kit_broken(kit, "the kit ran out of memory");
    tap->asked = note_request;
    tap->kit = kit;
    kit->tap = tap;
    int rc = kit_open(kit, kit->given.away, NULL, &away, &err);
    kit->tap = NULL;
    runtime_close(away);
    if (rc < 0)
        return kit_broken(kit, "open() failed: %s", err_text(err));
    if (tap->context)
        return kit_broken(kit, "open() made an HTTP request");
    return kit->given.away ? KIT_OK : kit_not_offered(kit, "[kit] has no 'away'");
}

/* A workload on one of two; the other ends. */
static int
use_beside(struct kit *kit, struct runtime_backend *other)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    struct kit_answer a = kit_list(kit, NULL, &(struct kit_manner){.backend = other});
    KIT_CHECK(kit_expect_ok(kit, "list() of the second one", &a));
    return KIT_OK;
}

/* The second one has settings of its own. */
static int
open_away_beside(struct kit *kit)
{
    struct runtime_backend *away = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    if (!kit->given.away)
        return KIT_OK;
    if (kit_open(kit, kit->given.away, NULL, &away, &err) < 0)
        return kit_broken(kit, "a second open() failed: %s", err_text(err));
    int came = kit_expect_count(kit, "while a second one is out of reach", NULL, 1);
    runtime_close(away);
    return came;
}

int
kit_try_open_twice_side_by_side(struct kit *kit)
{
    struct runtime_backend *other = NULL;
    struct kit_connector *c;
    const char *handle;
    AUTO_ERR struct gantry_error *err = NULL;
    KIT_CHECK(kit_make(kit, &c, &handle));
    KIT_CHECK(open_away_beside(kit));
    if (kit_open(kit, NULL, NULL, &other, &err) < 0)
        return kit_broken(kit, "a second open() failed: %s", err_text(err));
    int came = use_beside(kit, other);
    runtime_close(other);
    KIT_CHECK(came);
    return kit_expect_count(kit, "after the second one was closed", NULL, 2);
}

int
kit_try_open_again_after_close(struct kit *kit)
{
    for (int i = 0; i < 3; i++) {
        struct runtime_backend *again = NULL;
        AUTO_ERR struct gantry_error *err = NULL;
        if (kit_open(kit, NULL, NULL, &again, &err) < 0)
            return kit_broken(kit, "open() after close() failed: %s", err_text(err));
        struct kit_answer a = kit_list(kit, NULL, &(struct kit_manner){.backend = again});
        runtime_close(again);
        KIT_CHECK(kit_expect_ok(kit, "list() after it was opened again", &a));
    }
    return KIT_OK;
}
