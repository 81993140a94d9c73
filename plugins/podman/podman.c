/* podman - runs workloads as containers of Podman, root's or a user's.
 *
 * This file has the plugin's table and its settings; podman.h tells where the work is done.  The manual is
 * podman.md. */
#include "podman.h"

#include "disk.h"
#include "endpoint.h"
#include "options.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct gantry_setting podman_settings[] = {
    ENDPOINT_SETTINGS("CONTAINER_HOST", NULL,
                      "where Podman listens: unix://PATH or tcp://HOST:PORT; found by itself", NULL,
                      NULL),
    ENDPOINT_WATCH_SPAN,
    ENGINE_SETTING("runtime_dir", GANTRY_TYPE_PATH, 0, "XDG_RUNTIME_DIR", NULL,
                   "folder of the user's session, where his Podman listens"),
    ENGINE_MIN_FREE_SPACE,
    ENGINE_SETTING("insecure_registries", GANTRY_TYPE_LIST, 0, NULL, NULL,
                   "registries, each HOST or HOST:PORT, without TLS or with a certificate that "
                   "cannot be verified"),

/* Podman restarts without a pause between: see podman.md. */
#define OPTION_RESTART   "no"
#define OPTION_ANY       ENGINE_OPTION
#define OPTION_CONTAINER ENGINE_OPTION
#define OPTION_SERVICE(key, type, fallback, choices, help)
#include "options.def"
};

static const struct engine_dialect libpod = {
    .prefix = PODMAN_API,
    .check = podman_check,
    .create = podman_create,
    .stop = podman_stop,
    .translate = podman_translate,
    .emit_listed = podman_emit_listed,
    .pull_path = podman_pull_path,
};

/* ---- open and close */

static void
podman_close(void *self)
{
    struct podman *podman = self;
    if (!podman)
        return;
    for (size_t i = 0; i < podman->insecure_count; i++)
        free(podman->insecure_registries[i]);
    free(podman->insecure_registries);
    endpoint_clear(&podman->engine);
    engine_free(podman);
}

static bool
copy_registries(struct podman *podman, const struct gantry_value *value)
{
    if (!value || value->item_count == 0)
        return true;
    podman->insecure_registries = calloc(value->item_count, sizeof *podman->insecure_registries);
    if (!podman->insecure_registries)
        return false;
    for (; podman->insecure_count < value->item_count; podman->insecure_count++) {
        char *copy = strdup(value->items[podman->insecure_count]);
        if (!copy)
            return false;
        podman->insecure_registries[podman->insecure_count] = copy;
    }
    return true;
}

static int
read_settings(struct podman *podman, const struct gantry_settings *settings, char *problem,
              size_t size)
{
    struct engine *engine = &podman->engine;
    engine->address = podman_find_address(settings_text(settings, "runtime_dir"), geteuid(),
                                          podman->advice, sizeof podman->advice);
    if (!engine->address ||
        !copy_registries(podman, settings_find(settings, "insecure_registries"))) {
        snprintf(problem, size, "podman: out of memory");
        return GANTRY_E_NOMEM;
    }
    if (!settings_text(settings, "socket"))
        engine->absent_advice = podman->advice;
    return endpoint_read(settings, engine, problem, size);
}

static int
podman_open(struct gantry_call *call, const struct gantry_host *host,
            const struct gantry_settings *settings, void **self)
{
    void *made = NULL;
    int code = engine_new(sizeof(struct podman), "podman", call, host, &made);
    if (code < 0)
        return code;
    struct podman *podman = made;
    podman->engine.dialect = &libpod;
    podman->engine.classify = podman_classify;
    engine_disk_settings(&podman->engine, settings);
    char problem[600];
    code = read_settings(podman, settings, problem, sizeof problem);
    if (code == 0 &&
        !engine_workload_defaults(&podman->engine, call, settings, problem, sizeof problem))
        code = GANTRY_E_INVALID;
    if (code < 0) {
        podman_close(podman);
        return gantry_fail(host, call, code, "%s", problem);
    }
    *self = podman;
    return 0;
}

static int
podman_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct engine_task task;
    engine_task_init(&task, self, call);
    return engine_end(&task, podman_op_inspect(&task, ref));
}

static const struct gantry_plugin podman = {
    GANTRY_PLUGIN_HEAD,
    .name = "podman",
    .version = GANTRY_VERSION_STRING,
    .summary = "runs connectors as containers of Podman, root's or a user's",
    .threads = GANTRY_THREADS_PARALLEL,
    GANTRY_SETTINGS(podman_settings),
    .open = podman_open,
    .close = podman_close,
    .start = engine_plugin_start,
    .stop = engine_plugin_stop,
    .remove = engine_plugin_remove,
    .logs = engine_plugin_logs,
    .inspect = podman_inspect,
    .list = engine_plugin_list,
    .watch = engine_plugin_watch,
    .pull = engine_plugin_pull,
    .probe = engine_plugin_probe,
    .remove_image = engine_plugin_remove_image,
};
GANTRY_PLUGIN(podman)
