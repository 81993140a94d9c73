/* process.c - a whole life of a workload, and what of the process can be counted. */
#include "process.h"

#include "logs.h"

#include <dirent.h>

bool
kit_read_numbers(const char *folder, int *list, size_t max, size_t *count)
{
    DIR *dir = opendir(folder);
    int64_t number;
    *count = 0;
    if (!dir)
        return false;
    const struct dirent *entry;
    while ((entry = readdir(dir)) && *count < max)
        if (str_to_int64(str_of(entry->d_name), &number) && number != dirfd(dir))
            list[(*count)++] = (int)number;
    closedir(dir);
    return *count < max;
}

int
kit_round(struct kit *kit, kit_round_fn *round, const char *handle)
{
    struct arena kept = kit->arena;
    size_t jobs = kit->jobs.len;
    arena_init(&kit->arena, 0);
    int came = round(kit, handle);
    if (!kit->hung) {
        kit_drop_jobs(kit, jobs);
        arena_clear(&kit->arena);
    }
    kit->arena = kept;
    return came;
}

/* Into kit->runtime and kit->backend. */
static int
open_apart(struct kit *kit)
{
    AUTO_ERR struct gantry_error *err = NULL;
    if (runtime_new(1, &kit->log, &kit->runtime, &err) < 0)
        return kit_broken(kit, "%s", err_text(err));
    runtime_allow_overtime(kit->runtime, KIT_SOON_MS);
    if (runtime_keep_in(kit->runtime, kit->folder) < 0)
        return kit_broken(kit, "the kit ran out of memory");
    if (kit_open(kit, NULL, NULL, &kit->backend, &err) < 0)
        return kit_broken(kit, "the plugin cannot be opened once more: %s", err_text(err));
    return KIT_OK;
}

int
kit_apart(struct kit *kit, int (*body)(struct kit *kit))
{
    struct runtime *runtime = TAKE(kit->runtime);
    struct runtime_backend *backend = TAKE(kit->backend);
    size_t jobs = kit->jobs.len;
    int came = open_apart(kit);
    if (came == KIT_OK)
        came = body(kit);
    runtime_free(kit->runtime);
    runtime_close(kit->backend);
    if (!kit->hung)
        kit_drop_jobs(kit, jobs);
    kit->runtime = runtime;
    kit->backend = backend;
    return came;
}

/* watch() until it has begun, and its end. */
static int
watch_once(struct kit *kit)
{
    struct gantry_pair label = {GANTRY_LABEL_MANAGER, kit->manager};
    struct runtime_event event;
    if (!kit->table->watch)
        return KIT_OK;
    if (runtime_watch_start(kit->backend, &label, 1, NULL) < 0)
        return kit_broken(kit, "watch() cannot be started");
    for (int64_t until_ms = clock_mono_ms() + kit_patience_ms(kit); clock_mono_ms() < until_ms;) {
        if (!runtime_take_event(kit->runtime, &event)) {
            kit_pause(kit);
            continue;
        }
        enum runtime_event_kind kind = event.kind;
        kit->hung = kit->hung || (kind == RUNTIME_EVENT_ENDED && event.code == GANTRY_E_TIMEOUT);
        runtime_event_clear(&event);
        if (kind == RUNTIME_EVENT_ENDED)
            return KIT_OK;
        runtime_watch_stop(kit->backend);
    }
    return kit_broken(kit, "watch() does not begin or does not end");
}

int
kit_live_once(struct kit *kit)
{
    struct kit_connector *c = kit_connector(kit);
    if (!c)
        return KIT_BROKEN;
    struct kit_answer a = kit_start(kit, c, NULL, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start()", &a));
    const char *handle = a.status.handle, *next = handle;
    (void)kit_list(kit, NULL, NULL);
    (void)kit_inspect(kit, handle, NULL);
    (void)kit_logs(kit, handle, NULL, &kit_all_lines, NULL);
    (void)kit_logs(kit, "nothing", NULL, &kit_all_lines, NULL);
    (void)kit_inspect(kit, "nothing", NULL);
    if (kit->table->probe)
        (void)kit_probe(kit, NULL);
    if (kit->table->pull)
        (void)kit_pull(kit, c, NULL);
    if (!kit->given.slow) {
        KIT_CHECK(kit_change(kit, c));
        a = kit_start(kit, c, handle, 0, NULL);
        if (a.code == 0)
            next = a.status.handle;
    }
    KIT_CHECK(watch_once(kit));
    (void)kit_stop(kit, next, c, 1000, NULL);
    if (!text_eq(next, handle))
        (void)kit_remove(kit, handle, c, NULL);
    a = kit_remove(kit, next, c, NULL);
    return kit_expect_ok(kit, "remove()", &a);
}
