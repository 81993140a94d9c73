/* promise_inspect.c - what inspect() promises. */
#include "conformance_internal.h"

#include <inttypes.h>

#define SKEW_MS (INT64_C(3600) * 1000) /* the runtime's clock may be another machine's */

int
kit_try_inspect_not_found(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make_and_remove(kit, &c, &handle));
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    return kit_expect_code(kit, "inspect() of what was removed", &a, GANTRY_E_NOT_FOUND);
}

int
kit_try_inspect_tells_all(struct kit *kit)
{
    const struct kit_connector *c = kit_connector(kit);
    const struct gantry_spec *spec = c ? kit_spec(kit, c) : NULL;
    const char *handle;
    if (!spec)
        return kit_broken(kit, "the kit ran out of memory");
    KIT_CHECK(kit_run(kit, c, &handle));
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &a));
    if (!text_eq(a.status.handle, handle))
        return kit_broken(kit, "'%s' was inspected, and the status has handle '%s'", handle,
                          a.status.handle);
    if (!text_eq(a.status.name, c->name))
        return kit_broken(kit, "its name is '%s', and the spec says '%s'", a.status.name, c->name);
    if (!text_eq(a.status.hash, c->hash))
        return kit_broken(kit, "its hash is '%s', and the spec says '%s'",
                          a.status.hash ? a.status.hash : "(none)", c->hash);
    if (a.status.image && !text_eq(a.status.image, c->image))
        return kit_broken(kit, "it was made from '%s', and the spec says '%s'", a.status.image,
                          c->image);
    if (a.status.image_digest && strncmp(a.status.image_digest, "sha256:", 7) != 0)
        return kit_broken(kit, "its image_digest is '%s', and should begin with 'sha256:'",
                          a.status.image_digest);
    return kit_expect_labels(kit, "the status of inspect()", &a.status, spec);
}

/* What one operation of several leaves. */
static int
expect_state(struct kit *kit, const char *after, const char *handle, uint32_t states)
{
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &a));
    if (!text_eq(a.status.handle, handle))
        return kit_broken(kit, "after %s its handle is '%s', and was '%s'", after, a.status.handle,
                          handle);
    if (!(states & (1U << a.status.state)))
        return kit_broken(kit, "after %s, inspect() says '%s'", after,
                          kit_state_word(a.status.state));
    return KIT_OK;
}

static int
stop_and_start(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    KIT_CHECK(expect_state(kit, "start()", handle, KIT_LIVE));
    struct kit_answer a = kit_stop(kit, handle, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    KIT_CHECK(expect_state(kit, "stop()", handle, KIT_ENDED));
    a = kit_start(kit, NULL, handle, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() with existing alone", &a));
    KIT_CHECK(expect_state(kit, "start() with existing alone", handle, KIT_LIVE));
    return KIT_OK;
}

int
kit_try_inspect_handle_is_stable(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    for (int i = 0; i < 3; i++) {
        struct kit_answer a = kit_list(kit, c, NULL);
        KIT_CHECK(kit_expect_ok(kit, "list()", &a));
        if (a.status_count != 1 || !text_eq(a.status.handle, handle))
            return kit_broken(kit, "its handle was '%s', and list() says '%s'", handle,
                              a.status_count ? a.status.handle : "nothing");
        a = i % 2 ? kit_start(kit, NULL, handle, 0, NULL) : kit_stop(kit, handle, c, 1000, NULL);
        KIT_CHECK(kit_expect_ok(kit, i % 2 ? "start() with existing alone" : "stop()", &a));
        KIT_CHECK(expect_state(kit, "that", handle, KIT_LIVE | KIT_ENDED));
    }
    return KIT_OK;
}

int
kit_try_inspect_state_follows(struct kit *kit)
{
    return stop_and_start(kit);
}

static int
expect_near(struct kit *kit, const char *what, int64_t time_ms)
{
    int64_t now_ms = clock_wall_ms();
    if (time_ms > now_ms - SKEW_MS && time_ms < now_ms + SKEW_MS)
        return KIT_OK;
    return kit_broken(kit,
                      "%s is %" PRId64 ", which is not Unix time in milliseconds, or an hour "
                      "off",
                      what, time_ms);
}

static int
check_times(struct kit *kit, const struct gantry_status *s)
{
    bool created = s->present & GANTRY_STATUS_CREATED, started = s->present & GANTRY_STATUS_STARTED;
    if (created)
        KIT_CHECK(expect_near(kit, "created_ms", s->created_ms));
    if (started)
        KIT_CHECK(expect_near(kit, "started_ms", s->started_ms));
    /* Two clocks of one machine may differ by their grain. */
    if (created && started && s->started_ms < s->created_ms - 1000)
        return kit_broken(kit, "it was started before it was created");
    return KIT_OK;
}

int
kit_try_inspect_times_are_sane(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &a));
    uint32_t times = GANTRY_STATUS_CREATED | GANTRY_STATUS_STARTED | GANTRY_STATUS_FINISHED;
    if (!(a.status.present & times))
        return kit_not_offered(kit, "its status has no time");
    KIT_CHECK(check_times(kit, &a.status));
    a = kit_stop(kit, handle, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    a = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &a));
    KIT_CHECK(check_times(kit, &a.status));
    if (!(a.status.present & GANTRY_STATUS_FINISHED))
        return KIT_OK;
    KIT_CHECK(expect_near(kit, "finished_ms", a.status.finished_ms));
    if (a.status.present & GANTRY_STATUS_STARTED && a.status.finished_ms < a.status.started_ms)
        return kit_broken(kit, "it was stopped, and its last end is before its last start");
    return KIT_OK;
}

int
kit_try_inspect_hash_of_the_variable(struct kit *kit)
{
    struct kit_connector *c = kit_connector(kit);
    const char *handle;
    if (!c)
        return KIT_BROKEN;
    c->without_hash_label = true;
    KIT_CHECK(kit_run(kit, c, &handle));
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &a));
    if (!text_eq(a.status.hash, c->hash))
        return kit_broken(kit, "the hash is '%s', and %s is '%s'",
                          a.status.hash ? a.status.hash : "(none)", GANTRY_HASH_VARIABLE, c->hash);
    return KIT_OK;
}

/* What a program that ends by itself leaves. */
static int
expect_end(struct kit *kit, const char *program, uint32_t state, int32_t exit_code)
{
    struct kit_connector *c;
    struct gantry_status status;
    KIT_CHECK(kit_connector_of(kit, program, &c));
    struct kit_answer a = kit_start(kit, c, NULL, GANTRY_START_ONCE, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start()", &a));
    KIT_CHECK(kit_await(kit, a.status.handle, KIT_ENDED, &status));
    if (status.state != state)
        return kit_broken(kit, "it ended with code %" PRId32 ", and is %s", exit_code,
                          kit_state_word(status.state));
    if (status.present & GANTRY_STATUS_EXIT_CODE && status.exit_code != exit_code)
        return kit_broken(kit, "it ended with code %" PRId32 ", and its status says %" PRId32,
                          exit_code, status.exit_code);
    return KIT_OK;
}

int
kit_try_inspect_end_with_0_is_exited(struct kit *kit)
{
    return expect_end(kit, "sleep 1; exit 0", GANTRY_STATE_EXITED, 0);
}

int
kit_try_inspect_end_with_3_is_failed(struct kit *kit)
{
    return expect_end(kit, "sleep 1; exit 3", GANTRY_STATE_FAILED, 3);
}

int
kit_try_inspect_emit_that_says_stop(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    return kit_expect_emit_ends(kit, "inspect()",
                                &(struct kit_call){.op = RUNTIME_INSPECT, .handle = handle});
}
