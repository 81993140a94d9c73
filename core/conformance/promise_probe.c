/* promise_probe.c - probe() says what the runtime is; pull() fetches an image, and nothing else. */
#include "stages.h"

#include <string.h>

#define SAME 2 /* times that it is asked */

static bool
is_one_line(const char *text)
{
    return text && text[0] && !strpbrk(text, "\r\n");
}

int
kit_try_probe_says_what_it_is(struct kit *kit)
{
    struct kit_answer first = {0};
    KIT_CHECK(kit_needs_operation(kit, kit->table->probe != NULL, "probe"));
    for (int i = 0; i < SAME; i++) {
        struct kit_answer a = kit_probe(kit, NULL);
        KIT_CHECK(kit_expect_ok(kit, "probe()", &a));
        if (!is_one_line(a.traits.product) || !is_one_line(a.traits.version) ||
            (a.traits.detail && strpbrk(a.traits.detail, "\r\n")))
            return kit_broken(kit, "product '%s', version '%s' or detail '%s' is not one line",
                              a.traits.product, a.traits.version,
                              a.traits.detail ? a.traits.detail : "");
        if (i == 0)
            first = a;
        if (!text_eq(a.traits.product, first.traits.product) ||
            !text_eq(a.traits.version, first.traits.version))
            return kit_broken(kit, "it is '%s %s', and then '%s %s'", first.traits.product,
                              first.traits.version, a.traits.product, a.traits.version);
    }
    return KIT_OK;
}

#define STOP_CODE GANTRY_E_CONFLICT /* one that probe() has no reason to return by itself */

static int
refuse(struct kit_tap *tap, uint32_t kind, const void *item)
{
    (void)tap, (void)kind, (void)item;
    return STOP_CODE;
}

int
kit_try_probe_ends_when_emit_says_so(struct kit *kit)
{
    struct kit_tap *tap = arena_alloc(&kit->arena, sizeof *tap);
    KIT_CHECK(kit_needs_operation(kit, kit->table->probe != NULL, "probe"));
    if (!tap)
        return kit_broken(kit, "the kit ran out of memory");
    tap->emit = refuse;
    struct kit_answer a = kit_probe(kit, &(struct kit_manner){.tap = tap});
    return a.code == STOP_CODE ? KIT_OK
                               : kit_broken(kit, "emit returned '%s', and probe() '%s'",
                                            gantry_code_name(STOP_CODE), gantry_code_name(a.code));
}

/* ---- pull ----------------------------------------------------------------------------------------- */

static int
expect_no_workload(struct kit *kit, const struct kit_connector *c)
{
    size_t count;
    KIT_CHECK(kit_count(kit, c, &count));
    return count == 0 ? KIT_OK : kit_broken(kit, "pull() has made a workload");
}

/* Twice: the second time, at the latest, it is there. */
int
kit_try_pull_makes_no_workload(struct kit *kit)
{
    KIT_CHECK(kit_needs_operation(kit, kit->table->pull != NULL, "pull"));
    const struct kit_connector *c = kit_connector(kit);
    if (!c)
        return KIT_BROKEN;
    struct kit_answer a = kit_pull(kit, c, NULL);
    KIT_CHECK(kit_expect_ok(kit, "pull()", &a));
    a = kit_pull(kit, c, NULL);
    KIT_CHECK(kit_expect_ok(kit, "pull() of an image that is there", &a));
    if (a.fetched.size)
        return kit_broken(kit, "pull() emits '%s' as fetched, and it was there before",
                          a.fetched.reference);
    return expect_no_workload(kit, c);
}

int
kit_try_pull_missing_image(struct kit *kit)
{
    KIT_CHECK(kit_needs_operation(kit, kit->table->pull != NULL, "pull"));
    struct kit_connector *c = kit_connector(kit);
    if (!c)
        return KIT_BROKEN;
    if (!kit->given.missing_image)
        return kit_not_offered(kit, "[kit] has no 'missing_image'");
    c->image = kit->given.missing_image;
    struct kit_answer a = kit_pull(kit, c, NULL);
    KIT_CHECK(kit_expect_code(kit, "pull() of a missing image", &a, GANTRY_E_IMAGE_MISSING));
    if (a.fetched.size)
        return kit_broken(kit, "pull() of a missing image emits it as fetched");
    return expect_no_workload(kit, c);
}

/* What a registry wants not to be asked for.  Who cannot remove an image has fetched none: it asks no registry. */
int
kit_try_pull_waits_for_a_pause(struct kit *kit)
{
    struct kit_connector *c = kit_connector(kit);
    if (!c)
        return KIT_BROKEN;
    KIT_CHECK(kit_needs_operation(kit, kit->table->remove_image != NULL, "remove_image"));
    if (!kit->given.missing_image)
        return kit_not_offered(kit, "[kit] has no 'missing_image'");
    c->pull_pause_ms = 60000;
    struct kit_answer a = kit_start(kit, c, NULL, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() during a pause, of an image that is there", &a));
    struct kit_connector *missing = kit_connector(kit);
    if (!missing)
        return KIT_BROKEN;
    missing->image = kit->given.missing_image;
    missing->pull_pause_ms = 60000;
    a = kit_start(kit, missing, NULL, 0, NULL);
    return kit_expect_code(kit, "start() during a pause, of an image that is not there", &a,
                           GANTRY_E_UNAVAILABLE);
}
