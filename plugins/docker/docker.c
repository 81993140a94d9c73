/* docker - runs workloads as containers of a Docker Engine.
 *
 * This file has the plugin's table and its settings; the work is done by plugins/engine, which
 * speaks the Docker Engine API.  The manual is docker.md. */
#include "disk.h"
#include "endpoint.h"
#include "engine.h"
#include "options.h"

#include <stdlib.h>

static const struct gantry_setting docker_settings[] = {
    ENDPOINT_SETTINGS("DOCKER_HOST", "unix:///var/run/docker.sock",
                      "where the engine listens: unix://PATH or tcp://HOST:PORT",
                      "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"),
    ENDPOINT_WATCH_SPAN,
    ENGINE_MIN_FREE_SPACE,

#define OPTION_ANY       ENGINE_OPTION
#define OPTION_CONTAINER ENGINE_OPTION
#define OPTION_SERVICE(key, type, fallback, choices, help)
#include "options.def"
};

static void
docker_close(void *self)
{
    struct engine *engine = self;
    if (!engine)
        return;
    endpoint_clear(engine);
    engine_free(engine);
}

static int
docker_open(struct gantry_call *call, const struct gantry_host *host,
            const struct gantry_settings *settings, void **self)
{
    void *made = NULL;
    int code = engine_new(sizeof(struct engine), "docker", call, host, &made);
    if (code < 0)
        return code;
    struct engine *engine = made;
    engine_disk_settings(engine, settings);
    char problem[600];
    code = endpoint_read(settings, engine, problem, sizeof problem);
    if (code == 0 && !engine_workload_defaults(engine, call, settings, problem, sizeof problem))
        code = GANTRY_E_INVALID;
    if (code < 0) {
        docker_close(engine);
        return gantry_fail(host, call, code, "%s", problem);
    }
    *self = engine;
    return 0;
}

static const struct gantry_plugin docker = {
    GANTRY_PLUGIN_HEAD,
    .name = "docker",
    .version = GANTRY_VERSION_STRING,
    .summary = "runs connectors as containers of a Docker Engine",
    .threads = GANTRY_THREADS_PARALLEL,
    GANTRY_SETTINGS(docker_settings),
    .open = docker_open,
    .close = docker_close,
    .start = engine_plugin_start,
    .stop = engine_plugin_stop,
    .remove = engine_plugin_remove,
    .logs = engine_plugin_logs,
    .inspect = engine_plugin_inspect,
    .list = engine_plugin_list,
    .watch = engine_plugin_watch,
    .pull = engine_plugin_pull,
    .probe = engine_plugin_probe,
    .remove_image = engine_plugin_remove_image,
};
GANTRY_PLUGIN(docker)
