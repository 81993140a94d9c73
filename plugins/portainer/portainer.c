/* portainer - runs workloads as containers of a Docker environment of Portainer.
 *
 * Portainer passes the Docker Engine API on, which plugins/engine speaks; this folder has what it adds: the key, the
 * environment, errors of its own, and agents.  This file has the plugin's table and its settings.  The manual is
 * portainer.md. */
#include "portainer.h"

#include "endpoint.h"
#include "options.h"

#include <stdlib.h>
#include <string.h>

#define NODE_MAX 256

static const struct gantry_setting portainer_settings[] = {
    ENGINE_SETTING("url", GANTRY_TYPE_STRING, GANTRY_SETTING_REQUIRED | GANTRY_SETTING_PLACE, NULL,
                   NULL, "where Portainer is, such as https://portainer.example.org:9443"),
    ENGINE_SETTING("api_key", GANTRY_TYPE_SECRET, GANTRY_SETTING_REQUIRED, NULL, NULL,
                   "access token of a user of Portainer"),
    ENGINE_SETTING("environment", GANTRY_TYPE_STRING,
                   GANTRY_SETTING_REQUIRED | GANTRY_SETTING_PLACE, NULL, NULL,
                   "number or name of the environment whose engine runs the workloads"),
    ENGINE_SETTING("ca_file", GANTRY_TYPE_PATH, 0, NULL, NULL,
                   "certificates that are trusted instead of the system's"),
    ENGINE_SETTING("tls_verify", GANTRY_TYPE_BOOL, 0, NULL, "yes",
                   "verify Portainer's certificate; no: use it unverified"),
    ENGINE_SETTING(
        "node", GANTRY_TYPE_STRING, 0, NULL, NULL,
        "machine on which containers are made, where agents of a swarm are the environment"),
    ENGINE_SETTING("stack", GANTRY_TYPE_STRING, 0, NULL, NULL,
                   "stack as a part of which Portainer shows the containers"),
    ENGINE_SETTING("registries", GANTRY_TYPE_MAP, 0, NULL, NULL,
                   "registries whose credentials Portainer holds, each HOST=NUMBER"),
    ENDPOINT_WATCH_SPAN,

#define OPTION_ANY       ENGINE_OPTION
#define OPTION_CONTAINER ENGINE_OPTION
#define OPTION_SERVICE(key, type, fallback, choices, help)
#include "options.def"
};

static const char *
node_of(const struct engine *engine, const cJSON *item)
{
    const struct portainer *portainer = (const struct portainer *)engine;
    return atomic_load(&portainer->has_nodes) ? json_text(item, "Portainer.Agent.NodeName") : NULL;
}

static const struct engine_proxy proxy = {
    .name = "Portainer",
    .place = environment_place,
    .has_moved = refusal_has_moved,
    .image_name = image_name,
    .registry_auth = image_registry_auth,
    .node_of = node_of,
    .node_header = "X-PortainerAgent-Target",
};

static void
portainer_close(void *self)
{
    struct portainer *portainer = self;
    if (!portainer)
        return;
    connection_clear(portainer);
    engine_free(portainer);
}

static int
portainer_open(struct gantry_call *call, const struct gantry_host *host,
               const struct gantry_settings *settings, void **self)
{
    void *made = NULL;
    int code = engine_new(sizeof(struct portainer), "portainer", call, host, &made);
    if (code < 0)
        return code;
    struct portainer *portainer = made;
    struct engine *engine = &portainer->engine;
    engine->classify = refusal_classify;
    engine->proxy = &proxy;
    char problem[600];
    code = connection_read(settings, portainer, problem, sizeof problem);
    if (code == 0 && !engine_workload_defaults(engine, call, settings, problem, sizeof problem))
        code = GANTRY_E_INVALID;
    if (code < 0) {
        portainer_close(portainer);
        return gantry_fail(host, call, code, "%s", problem);
    }
    *self = portainer;
    return 0;
}

/* ---- the operations: a handle is ID, or ID@NODE where there are several machines -------------------------- */

struct target {
    struct engine_task task;
    struct gantry_ref ref;
    char id[ENGINE_ID_MAX];
    char node[NODE_MAX];
};

static int
begin(struct target *target, struct portainer *portainer, struct gantry_call *call,
      const struct gantry_ref *ref)
{
    engine_task_init(&target->task, &portainer->engine, call);
    if (!ref)
        return 0;
    const char *at = strchr(ref->handle, '@');
    size_t length = at ? (size_t)(at - ref->handle) : strlen(ref->handle);
    if (length >= sizeof target->id || (at && strlen(at + 1) >= sizeof target->node))
        return engine_fail(&target->task, GANTRY_E_INVALID,
                           "container '%.100s' is no handle of this engine", ref->handle);
    memcpy(target->id, ref->handle, length);
    target->id[length] = '\0';
    target->ref = (struct gantry_ref){
        .size = sizeof target->ref, .handle = target->id, .id = ref->id, .name = ref->name};
    if (at) {
        snprintf(target->node, sizeof target->node, "%s", at + 1);
        target->task.node = target->node;
    }
    return 0;
}

/* Where is a new container made?  Agents of a swarm would each take a part of the work. */
static int
choose_node(struct target *target, struct portainer *portainer)
{
    if (target->task.node)
        return 0;
    int code = environment_find(&target->task);
    if (code < 0 || !atomic_load(&portainer->has_nodes))
        return code;
    if (!portainer->node)
        return engine_fail(
            &target->task, GANTRY_E_INVALID,
            "environment '%s' is a swarm of several machines: name in 'node' the one on which "
            "containers are made",
            portainer->environment);
    target->task.node = portainer->node;
    return 0;
}

static int
portainer_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
                const struct gantry_spec *spec, uint32_t flags)
{
    struct target target;
    int code = begin(&target, self, call, existing);
    if (code == 0 && spec)
        code = choose_node(&target, self);
    if (code == 0)
        code = engine_op_start(&target.task, existing ? &target.ref : NULL, spec, flags);
    return engine_end(&target.task, code);
}

static int
portainer_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref,
               uint32_t grace_ms)
{
    struct target target;
    int code = begin(&target, self, call, ref);
    if (code == 0)
        code = engine_op_stop(&target.task, &target.ref, grace_ms);
    return engine_end(&target.task, code);
}

static int
portainer_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct target target;
    int code = begin(&target, self, call, ref);
    if (code == 0)
        code = engine_op_remove(&target.task, &target.ref);
    return engine_end(&target.task, code);
}

static int
portainer_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref,
               const char *cursor, const struct gantry_log_limits *limits)
{
    struct target target;
    int code = begin(&target, self, call, ref);
    if (code == 0)
        code = engine_op_logs(&target.task, &target.ref, cursor, limits);
    return engine_end(&target.task, code);
}

static int
portainer_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct target target;
    int code = begin(&target, self, call, ref);
    if (code == 0)
        code = engine_op_inspect(&target.task, &target.ref);
    return engine_end(&target.task, code);
}

static int
portainer_list(void *self, struct gantry_call *call, const struct gantry_pair *labels,
               uint32_t count, uint32_t stride)
{
    struct target target;
    int code = begin(&target, self, call, NULL);
    if (code == 0)
        code = engine_op_list(&target.task, labels, count, stride);
    return engine_end(&target.task, code);
}

static int
portainer_watch(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                uint32_t count, uint32_t stride)
{
    struct portainer *portainer = self;
    struct target target;
    int code = begin(&target, portainer, call, NULL);
    /* Not reached yet: engine_op_watch() waits for it, and by then this is known. */
    if (code == 0 && environment_find(&target.task) == 0 && atomic_load(&portainer->has_nodes))
        code = engine_fail(
            &target.task, GANTRY_E_UNSUPPORTED,
            "environment '%s' is a swarm: an agent tells what happens on its own machine alone",
            portainer->environment);
    if (code == 0)
        code = engine_op_watch(&target.task, labels, count, stride);
    return engine_end(&target.task, code);
}

static int
portainer_pull(void *self, struct gantry_call *call, const struct gantry_spec *spec)
{
    struct target target;
    int code = begin(&target, self, call, NULL);
    if (code == 0)
        code = choose_node(&target, self);
    if (code == 0)
        code = engine_image_ensure(&target.task, spec);
    return engine_end(&target.task, code);
}

static int
portainer_remove_image(void *self, struct gantry_call *call, const struct gantry_image *image)
{
    struct target target;
    int code = begin(&target, self, call, NULL);
    if (code == 0 && image_path_is_taken(image->reference))
        code = engine_fail(
            &target.task, GANTRY_E_UNSUPPORTED,
            "remove image '%s': Portainer takes its path for one of its own; remove it there",
            image->reference);
    if (code == 0)
        code = choose_node(&target, self);
    if (code == 0)
        code = engine_op_remove_image(&target.task, image);
    return engine_end(&target.task, code);
}

static int
portainer_probe(void *self, struct gantry_call *call)
{
    struct target target;
    int code = begin(&target, self, call, NULL);
    if (code == 0)
        code = engine_op_probe(&target.task);
    return engine_end(&target.task, code);
}

static const struct gantry_plugin portainer = {
    GANTRY_PLUGIN_HEAD,
    .name = "portainer",
    .version = GANTRY_VERSION_STRING,
    .summary = "runs connectors as containers of a Docker environment of Portainer",
    .threads = GANTRY_THREADS_PARALLEL,
    GANTRY_SETTINGS(portainer_settings),
    .open = portainer_open,
    .close = portainer_close,
    .start = portainer_start,
    .stop = portainer_stop,
    .remove = portainer_remove,
    .logs = portainer_logs,
    .inspect = portainer_inspect,
    .list = portainer_list,
    .watch = portainer_watch,
    .pull = portainer_pull,
    .probe = portainer_probe,
    .remove_image = portainer_remove_image,
};
GANTRY_PLUGIN(portainer)
