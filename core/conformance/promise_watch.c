/* promise_watch.c - watch(): that a host which inspects upon each event is never left with an old picture. */
#include "watching.h"

#include <stdatomic.h>

#define STOP_CODE GANTRY_E_CONFLICT /* one that watch() has no reason to return by itself */

/* What a host does: inspect upon each CHANGED.  The last of these looks has to find it in one of these states;
 * 0: gone. */
static int
expect_told(struct kit *kit, const char *what, const char *handle, uint32_t states)
{
    int64_t until_ms = clock_mono_ms() + kit_patience_ms(kit);
    struct runtime_event event;
    unsigned told = 0;
    const char *seen = "";
    while (kit_next_event(kit, MAX(until_ms - clock_mono_ms(), 0), &event)) {
        if (event.kind == RUNTIME_EVENT_ENDED)
            return kit_broken(kit, "watch() ended by itself");
        if (event.kind != RUNTIME_EVENT_CHANGED || !text_eq(event.handle, handle))
            continue;
        told++;
        struct kit_answer a = kit_inspect(kit, handle, NULL);
        if (a.code != 0 && a.code != GANTRY_E_NOT_FOUND)
            return kit_expect_ok(kit, "inspect() upon an event", &a);
        if (states == 0 ? a.code != 0 : a.code == 0 && (states & (1U << a.status.state)))
            return KIT_OK;
        seen = a.code ? "gone" : kit_state_word(a.status.state);
    }
    return told ? kit_broken(kit, "watch() told of %s too early: upon its last event it was %s",
                             what, seen)
                : kit_broken(kit, "watch() did not tell of %s", what);
}

int
kit_try_watch_begins_with_synced(struct kit *kit)
{
    KIT_CHECK(kit_watch(kit));
    return kit_unwatch(kit);
}

int
kit_try_watch_tells_of_each_change(struct kit *kit)
{
    const struct kit_connector *c = kit_connector(kit);
    if (!c)
        return KIT_BROKEN;
    KIT_CHECK(kit_watch(kit));
    struct kit_answer a = kit_start(kit, c, NULL, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() beside a watch()", &a));
    const char *handle = a.status.handle;
    KIT_CHECK(expect_told(kit, "a start", handle, 1U << GANTRY_STATE_RUNNING));
    kit_forget_events(kit);
    a = kit_stop(kit, handle, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop() beside a watch()", &a));
    KIT_CHECK(expect_told(kit, "a stop", handle, KIT_ENDED));
    kit_forget_events(kit);
    a = kit_start(kit, NULL, handle, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() of an existing workload beside a watch()", &a));
    KIT_CHECK(
        expect_told(kit, "the start of an existing workload", handle, 1U << GANTRY_STATE_RUNNING));
    a = kit_stop(kit, handle, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop() beside a watch()", &a));
    KIT_CHECK(expect_told(kit, "a stop", handle, KIT_ENDED));
    kit_forget_events(kit);
    a = kit_remove(kit, handle, c, NULL);
    KIT_CHECK(kit_expect_ok(kit, "remove() beside a watch()", &a));
    KIT_CHECK(expect_told(kit, "a removal", handle, 0));
    return kit_unwatch(kit);
}

int
kit_try_watch_tells_of_an_end(struct kit *kit)
{
    KIT_CHECK(kit_needs_workload(kit));
    struct kit_connector *c = kit_connector(kit);
    if (!c)
        return KIT_BROKEN;
    c->program = "sleep 2; exit 3";
    KIT_CHECK(kit_watch(kit));
    struct kit_answer a = kit_start(kit, c, NULL, GANTRY_START_ONCE, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() beside a watch()", &a));
    KIT_CHECK(
        expect_told(kit, "the end of a workload", a.status.handle, 1U << GANTRY_STATE_FAILED));
    return kit_unwatch(kit);
}

int
kit_try_watch_ends_when_cancelled(struct kit *kit)
{
    for (int i = 0; i < 3; i++) { /* and another one can begin */
        KIT_CHECK(kit_watch(kit));
        KIT_CHECK(kit_unwatch(kit));
    }
    return KIT_OK;
}

/* ---- told to stop --------------------------------------------------------------------------------- */

struct stopping {
    struct kit_tap tap;
    atomic_bool refuses; /* from now on */
    atomic_uint refused;
};

static int
refuse_changes(struct kit_tap *tap, uint32_t kind, const void *item)
{
    struct stopping *stopping = tap->context;
    const struct gantry_event *event = item;
    if (kind != GANTRY_EMIT_EVENT || event->kind != GANTRY_EVENT_CHANGED ||
        !atomic_load(&stopping->refuses))
        return 0;
    atomic_fetch_add(&stopping->refused, 1);
    return STOP_CODE;
}

static int
expect_stopped(struct kit *kit, struct stopping *stopping)
{
    struct runtime_event event;
    int64_t until_ms = clock_mono_ms() + kit_patience_ms(kit);
    while (kit_next_event(kit, MAX(until_ms - clock_mono_ms(), 0), &event)) {
        if (event.kind != RUNTIME_EVENT_ENDED)
            continue;
        kit->detail[0] = '\0'; /* that it ended is what is wanted */
        if (event.code != STOP_CODE)
            return kit_broken(kit, "emit returned '%s', and watch() '%s'",
                              gantry_code_name(STOP_CODE), gantry_code_name(event.code));
        return atomic_load(&stopping->refused) == 1
                   ? KIT_OK
                   : kit_broken(kit, "watch() emitted more after emit had told it to end");
    }
    return kit_broken(kit, "emit told watch() to end, and it goes on");
}

int
kit_try_watch_ends_when_emit_says_so(struct kit *kit)
{
    const char *handle;
    struct kit_connector *c = kit_connector(kit);
    struct stopping *stopping = arena_alloc(&kit->arena, sizeof *stopping);
    if (!stopping || !c)
        return kit_broken(kit, "the kit ran out of memory");
    stopping->tap = (struct kit_tap){.emit = refuse_changes, .context = stopping, .kit = kit};
    kit->tap = &stopping->tap;
    int came = kit_watch(kit);
    atomic_store(&stopping->refuses, true);
    if (came == KIT_OK)
        came = kit_run(kit, c, &handle);
    if (came == KIT_OK)
        came = expect_stopped(kit, stopping);
    kit->tap = NULL;
    return came;
}
