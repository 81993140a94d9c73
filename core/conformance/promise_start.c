/* promise_start.c - what start() promises, but for replacing. */
#include "conformance_internal.h"

int
kit_try_start_emits_what_runs(struct kit *kit)
{
    const struct kit_connector *c = kit_connector(kit);
    if (!c)
        return KIT_BROKEN;
    struct kit_answer a = kit_start(kit, c, NULL, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() with a spec", &a));
    if (!(KIT_LIVE & (1U << a.status.state)))
        return kit_broken(kit, "start() succeeded, and its status says '%s'",
                          kit_state_word(a.status.state));
    return kit_await(kit, a.status.handle, 1U << GANTRY_STATE_RUNNING, NULL);
}

int
kit_try_start_keeps_what_the_spec_says(struct kit *kit)
{
    const struct kit_connector *c = kit_connector(kit);
    const struct gantry_spec *spec = c ? kit_spec(kit, c) : NULL;
    if (!spec)
        return kit_broken(kit, "the kit ran out of memory");
    struct kit_answer a = kit_start(kit, c, NULL, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() with a spec", &a));
    if (!text_eq(a.status.name, c->name))
        return kit_broken(kit, "the spec's name is '%s', and the status says '%s'", c->name,
                          a.status.name);
    return kit_expect_labels(kit, "the status of start()", &a.status, spec);
}

int
kit_try_start_handles_differ(struct kit *kit)
{
    struct kit_connector *one, *two;
    const char *first, *second;
    KIT_CHECK(kit_make(kit, &one, &first));
    KIT_CHECK(kit_make(kit, &two, &second));
    return text_eq(first, second) ? kit_broken(kit, "both have the handle '%s'", first) : KIT_OK;
}

int
kit_try_start_own_unseen_is_unavailable(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    struct kit_answer a = kit_start(kit, c, NULL, 0, NULL);
    KIT_CHECK(kit_expect_code(kit, "a second start() with a spec alone", &a, GANTRY_E_UNAVAILABLE));
    KIT_CHECK(kit_expect_count(kit, "after the second start()", c, 1));
    KIT_CHECK(kit_expect_running(kit, "the first one", handle));
    a = kit_stop(kit, handle, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    a = kit_start(kit, c, NULL, 0, NULL);
    KIT_CHECK(kit_expect_code(kit, "start() with a spec alone, beside one that is stopped", &a,
                              GANTRY_E_UNAVAILABLE));
    return kit_expect_count(kit, "after that", c, 1);
}

/* One that has the name of c, and differs. */
static int
expect_conflict(struct kit *kit, const struct kit_connector *foreign,
                const struct kit_connector *ours)
{
    const char *handle;
    KIT_CHECK(kit_run(kit, foreign, &handle));
    struct kit_answer before = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &before));
    struct kit_answer a = kit_start(kit, ours, NULL, 0, NULL);
    KIT_CHECK(kit_expect_code(kit, "start() with a foreign name", &a, GANTRY_E_CONFLICT));
    KIT_CHECK(kit_expect_count(kit, "after the conflict", ours, 0));
    KIT_CHECK(kit_expect_running(kit, "the foreign one", handle));
    struct kit_answer after = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &after));
    if (!text_eq(before.status.name, after.status.name) ||
        before.status.started_ms != after.status.started_ms)
        return kit_broken(kit, "the foreign one was renamed, or started again");
    a = kit_stop(kit, handle, foreign, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    a = kit_start(kit, ours, NULL, 0, NULL);
    KIT_CHECK(kit_expect_code(kit, "start() with the name of a foreign one that is stopped", &a,
                              GANTRY_E_CONFLICT));
    return kit_expect_count(kit, "after that", ours, 0);
}

int
kit_try_start_foreign_name_is_conflict(struct kit *kit)
{
    struct kit_connector *foreign = kit_connector(kit), *ours = kit_connector(kit);
    if (!foreign || !ours)
        return KIT_BROKEN;
    foreign->id = ours->id;
    foreign->name = ours->name;
    foreign->manager = kit_other_manager(kit);
    return foreign->manager ? expect_conflict(kit, foreign, ours)
                            : kit_broken(kit, "the kit ran out of memory");
}

int
kit_try_start_name_of_another_connector_is_conflict(struct kit *kit)
{
    struct kit_connector *foreign = kit_connector(kit), *ours = kit_connector(kit);
    if (!foreign || !ours)
        return KIT_BROKEN;
    foreign->name = ours->name;
    return expect_conflict(kit, foreign, ours);
}

/* ---- existing alone ------------------------------------------------------------------------------- */

int
kit_try_start_existing_runs_again(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    for (int i = 0; i < 2; i++) {
        struct kit_answer a = kit_stop(kit, handle, c, 1000, NULL);
        KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
        a = kit_start(kit, NULL, handle, 0, NULL);
        KIT_CHECK(kit_expect_ok(kit, "start() with existing alone", &a));
        if (!text_eq(a.status.handle, handle))
            return kit_broken(kit, "its handle was '%s', and is '%s' now", handle, a.status.handle);
        KIT_CHECK(kit_await(kit, handle, 1U << GANTRY_STATE_RUNNING, NULL));
        KIT_CHECK(kit_expect_count(kit, "after it was started again", c, 1));
    }
    return KIT_OK;
}

int
kit_try_start_existing_that_is_not_there(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make_and_remove(kit, &c, &handle));
    struct kit_answer a = kit_start(kit, NULL, handle, 0, NULL);
    KIT_CHECK(
        kit_expect_code(kit, "start() with existing that is not there", &a, GANTRY_E_NOT_FOUND));
    return kit_expect_count(kit, "afterwards", c, 0);
}

/* ---- images --------------------------------------------------------------------------------------- */

static int
expect_image_missing(struct kit *kit, uint32_t pull_policy)
{
    struct kit_connector *c = kit_connector(kit);
    if (!c)
        return KIT_BROKEN;
    if (!kit->given.missing_image)
        return kit_not_offered(kit, "[kit] has no 'missing_image'");
    c->image = kit->given.missing_image;
    c->pull_policy = pull_policy;
    struct kit_answer a = kit_start(kit, c, NULL, 0, NULL);
    KIT_CHECK(kit_expect_code(kit, "start() with a missing image", &a, GANTRY_E_IMAGE_MISSING));
    return kit_expect_count(kit, "after that", c, 0);
}

int
kit_try_start_missing_image(struct kit *kit)
{
    return expect_image_missing(kit, GANTRY_PULL_IF_NOT_PRESENT);
}

int
kit_try_start_policy_never_pulls_nothing(struct kit *kit)
{
    return expect_image_missing(kit, GANTRY_PULL_NEVER);
}

/* ---- the rest ------------------------------------------------------------------------------------- */

/* Start it once more by the flag; its program ends by itself. */
static int
expect_one_run(struct kit *kit, const struct kit_connector *c, const char *existing)
{
    struct gantry_status ended;
    struct kit_answer a = kit_start(kit, c, existing, GANTRY_START_ONCE, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() with GANTRY_START_ONCE", &a));
    KIT_CHECK(kit_await(kit, a.status.handle, KIT_ENDED, &ended));
    KIT_CHECK(kit_expect_stays_ended(kit, "what was started once and has ended", a.status.handle));
    struct kit_answer now = kit_inspect(kit, a.status.handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &now));
    if (now.status.started_ms != ended.started_ms || now.status.restarts != ended.restarts)
        return kit_broken(kit, "it was started again by the runtime");
    return KIT_OK;
}

int
kit_try_start_once_is_not_restarted(struct kit *kit)
{
    struct kit_connector *c;
    KIT_CHECK(kit_connector_of(kit, "sleep 1; exit 3", &c));
    return expect_one_run(kit, c, NULL);
}

/* How a manager takes restarting over from the runtime (S9): stop, then start with the flag. */
int
kit_try_start_existing_once_is_not_restarted(struct kit *kit)
{
    struct kit_connector *c;
    KIT_CHECK(kit_connector_of(kit, "sleep 1; exit 3", &c));
    struct kit_answer a = kit_start(kit, c, NULL, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start()", &a));
    const char *handle = a.status.handle;
    a = kit_stop(kit, handle, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    return expect_one_run(kit, NULL, handle);
}

int
kit_try_start_emit_that_says_stop(struct kit *kit)
{
    return kit_expect_emit_ends(
        kit, "start()", &(struct kit_call){.op = RUNTIME_START, .connector = kit_connector(kit)});
}
