/* watching.c - a watch() beside a promise: its events, one by one. */
#include "watching.h"

#include <poll.h>

#define SILENT_MS 1000 /* after which it is given something to see */

static bool
take(struct kit *kit, struct runtime_event *event)
{
    struct runtime_event taken;
    if (!runtime_take_event(kit->runtime, &taken))
        return false;
    *event = taken;
    event->handle = arena_dup_text(&kit->arena, taken.handle);
    event->id = arena_dup_text(&kit->arena, taken.id);
    event->error = NULL;
    if (taken.error)
        (void)kit_broken(kit, "watch() ended (%s): %s", gantry_code_name(taken.code),
                         err_text(taken.error));
    runtime_event_clear(&taken);
    return true;
}

bool
kit_next_event(struct kit *kit, int64_t within_ms, struct runtime_event *event)
{
    int64_t until_ms = clock_mono_ms() + within_ms;
    while (!take(kit, event)) {
        int64_t left_ms = until_ms - clock_mono_ms();
        if (left_ms <= 0)
            return false;
        struct pollfd fd = {.fd = runtime_fd(kit->runtime), .events = POLLIN};
        (void)poll(&fd, 1, (int)left_ms);
    }
    return true;
}

void
kit_forget_events(struct kit *kit)
{
    struct runtime_event event;
    while (take(kit, &event))
        ;
}

/* What stands between it and the runtime may keep events back, and only one that comes shows that it does not: so
 * it may say SYNCED later where nothing runs. */
static int
await_first(struct kit *kit, struct runtime_event *event)
{
    const char *handle;
    if (kit_next_event(kit, SILENT_MS, event))
        return KIT_OK;
    KIT_CHECK(kit_run(kit, kit_connector(kit), &handle));
    if (!kit_next_event(kit, kit_patience_ms(kit), event))
        return kit_broken(kit, "watch() did not begin with SYNCED");
    struct runtime_event more;
    while (event->kind == RUNTIME_EVENT_SYNCED && kit_next_event(kit, SILENT_MS, &more))
        ; /* of what was started here */
    return KIT_OK;
}

int
kit_watch(struct kit *kit)
{
    struct gantry_pair label = {GANTRY_LABEL_MANAGER, kit->manager};
    struct runtime_event event;
    AUTO_ERR struct gantry_error *err = NULL;
    if (!kit->table->watch)
        return kit_not_offered(kit, "the plugin has no operation 'watch'");
    if (runtime_watch_start(kit->backend, &label, 1, &err) < 0)
        return kit_broken(kit, "watch() cannot be started: %s", err_text(err));
    KIT_CHECK(await_first(kit, &event));
    return event.kind == RUNTIME_EVENT_SYNCED
               ? KIT_OK
               : kit_broken(kit, "the first that watch() tells is not SYNCED");
}

int
kit_unwatch(struct kit *kit)
{
    struct runtime_event event;
    int64_t asked_ms = clock_mono_ms();
    runtime_watch_stop(kit->backend);
    while (kit_next_event(kit, INT64_C(2) * KIT_SOON_MS, &event))
        if (event.kind == RUNTIME_EVENT_ENDED) {
            int64_t took_ms = clock_mono_ms() - asked_ms;
            kit->hung = kit->hung || event.code == GANTRY_E_TIMEOUT;
            if (event.code == GANTRY_E_TIMEOUT || took_ms > KIT_SOON_MS)
                return kit_broken(kit, "watch() did not end within %lld ms after it was cancelled",
                                  (long long)took_ms);
            return event.code == 0 || event.code == GANTRY_E_CANCELLED
                       ? KIT_OK
                       : kit_broken(kit, "a cancelled watch() ended with '%s'",
                                    gantry_code_name(event.code));
        }
    return kit_broken(kit, "watch() did not end after it was cancelled");
}
