/* swarm - runs connectors as services of a Docker swarm.
 *
 * This file has the plugin's table and its settings; swarm.h tells where the work is done.  The manual is
 * swarm.md. */
#include "swarm.h"

#include "endpoint.h"
#include "options.h"
#include "settings.h"

#include <stdlib.h>

#define WATCH_MIN_MS     1000
#define WATCH_MAX_MS     60000
#define WATCH_DEFAULT_MS 3000

static const struct gantry_setting swarm_settings[] = {
    ENDPOINT_SETTINGS("DOCKER_HOST", "unix:///var/run/docker.sock",
                      "where the engine of a manager listens: unix://PATH or tcp://HOST:PORT",
                      "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"),
    ENGINE_SETTING("watch_interval", GANTRY_TYPE_DURATION, 0, NULL, "3s",
                   "how often the tasks are looked at, besides what events tell"),

#define OPTION_ANY     ENGINE_OPTION
#define OPTION_SERVICE ENGINE_OPTION
#define OPTION_CONTAINER(key, type, fallback, choices, help)
#include "options.def"
};

static void
swarm_close(void *self)
{
    struct swarm *swarm = self;
    if (!swarm)
        return;
    endpoint_clear(&swarm->engine);
    seen_clear(swarm);
    pthread_mutex_destroy(&swarm->lock);
    engine_free(swarm);
}

static int
read_settings(struct swarm *swarm, const struct gantry_settings *settings, char *problem,
              size_t size)
{
    const struct gantry_value *interval = settings_find(settings, "watch_interval");
    int64_t ms = interval ? interval->number : WATCH_DEFAULT_MS;
    int code = endpoint_read(settings, &swarm->engine, problem, size);
    if (code < 0)
        return code;
    if (ms < WATCH_MIN_MS || ms > WATCH_MAX_MS) {
        snprintf(problem, size, "watch_interval: it has to be between 1s and 60s, such as 3s");
        return GANTRY_E_INVALID;
    }
    swarm->watch_ms = (uint32_t)ms;
    /* The workloads' defaults are in the same section: what is wrong there is told now. */
    if (!template_check(settings, problem, size))
        return GANTRY_E_INVALID;
    return 0;
}

static int
swarm_open(struct gantry_call *call, const struct gantry_host *host,
           const struct gantry_settings *settings, void **self)
{
    void *made = NULL;
    int code = engine_new(sizeof(struct swarm), "swarm", call, host, &made);
    if (code < 0)
        return code;
    struct swarm *swarm = made;
    pthread_mutex_init(&swarm->lock, NULL);
    swarm->engine.classify = swarm_classify;
    char problem[600] = "";
    code = read_settings(swarm, settings, problem, sizeof problem);
    if (code < 0) {
        swarm_close(swarm);
        return gantry_fail(host, call, code, "%s", problem);
    }
    struct engine *engine = &swarm->engine;
    options_powers(settings, engine->powers, sizeof engine->powers);
    if (engine->powers[0])
        gantry_log(host, call, GANTRY_LOG_WARN,
                   "[backend %s] gives every connector power over its node: %s", settings->section,
                   engine->powers);
    *self = swarm;
    return 0;
}

/* The beginning and the end of each operation. */
#define RUN(operation)                                                                             \
    struct engine_task task;                                                                       \
    engine_task_init(&task, &((struct swarm *)self)->engine, call);                                \
    return engine_end(&task, operation)

static int
swarm_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
            const struct gantry_spec *spec, uint32_t flags)
{
    RUN(swarm_op_start(&task, existing, spec, flags));
}

static int
swarm_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    RUN(swarm_op_stop(&task, ref, grace_ms));
}

static int
swarm_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    RUN(swarm_op_remove(&task, ref));
}

static int
swarm_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
           const struct gantry_log_limits *limits)
{
    RUN(swarm_op_logs(&task, ref, cursor, limits));
}

static int
swarm_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    RUN(swarm_op_inspect(&task, ref));
}

static int
swarm_list(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
           uint32_t stride)
{
    RUN(swarm_op_list(&task, labels, count, stride));
}

static int
swarm_watch(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
            uint32_t stride)
{
    RUN(swarm_op_watch(&task, labels, count, stride));
}

static int
swarm_probe(void *self, struct gantry_call *call)
{
    RUN(swarm_op_probe(&task));
}

/* No pull: the nodes do that by themselves. */
static const struct gantry_plugin swarm = {
    GANTRY_PLUGIN_HEAD,
    .name = "swarm",
    .version = GANTRY_VERSION_STRING,
    .summary = "runs connectors as services of a Docker swarm",
    .threads = GANTRY_THREADS_PARALLEL,
    GANTRY_SETTINGS(swarm_settings),
    .open = swarm_open,
    .close = swarm_close,
    .start = swarm_start,
    .stop = swarm_stop,
    .remove = swarm_remove,
    .logs = swarm_logs,
    .inspect = swarm_inspect,
    .list = swarm_list,
    .watch = swarm_watch,
    .probe = swarm_probe,
};
GANTRY_PLUGIN(swarm)
