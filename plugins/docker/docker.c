/* docker - runs workloads as containers of a Docker Engine.
 *
 * This file has the plugin's table and its settings; the work is done by plugins/engine, which
 * speaks the Docker Engine API.  The manual is docker.md. */
#include "endpoint.h"
#include "engine.h"

#include <stdlib.h>

#define BACKEND_SETTING(k, t, env, def, what)                                                      \
    {                                                                                              \
        .size = sizeof(struct gantry_setting), .type = (t), .scope = GANTRY_SCOPE_BACKEND,         \
        .key = (k), .environment = (env), .fallback = (def), .help = (what)                        \
    }
#define WORKLOAD_SETTING(k, t, what) ENGINE_WORKLOAD_SETTING(k, t, NULL, NULL, what)

static const struct gantry_setting docker_settings[] = {
    BACKEND_SETTING("socket", GANTRY_TYPE_STRING, "DOCKER_HOST", "unix:///var/run/docker.sock",
                    "where the engine listens: unix://PATH or tcp://HOST:PORT"),
    BACKEND_SETTING("cert_path", GANTRY_TYPE_PATH, "DOCKER_CERT_PATH", NULL,
                    "folder with ca.pem, cert.pem and key.pem for TLS"),
    BACKEND_SETTING("ca_file", GANTRY_TYPE_PATH, NULL, NULL,
                    "certificates that are trusted instead of the system's"),
    BACKEND_SETTING("cert_file", GANTRY_TYPE_PATH, NULL, NULL, "client certificate"),
    BACKEND_SETTING("key_file", GANTRY_TYPE_PATH, NULL, NULL, "key of the client certificate"),
    BACKEND_SETTING(
        "tls_verify", GANTRY_TYPE_STRING, "DOCKER_TLS_VERIFY", NULL,
        "use TLS on tcp://, and verify the engine's certificate; no: use it unverified"),
    BACKEND_SETTING("watch_span", GANTRY_TYPE_DURATION, NULL, "5m",
                    "how long one stream of events lasts before the next is opened"),

    WORKLOAD_SETTING("network_mode", GANTRY_TYPE_STRING,
                     "bridge, host, none, container:ID or the name of a network"),
    WORKLOAD_SETTING("extra_hosts", GANTRY_TYPE_LIST, "lines for /etc/hosts, each NAME:ADDRESS"),
    WORKLOAD_SETTING("dns", GANTRY_TYPE_LIST, "addresses of name servers"),
    WORKLOAD_SETTING("dns_search", GANTRY_TYPE_LIST, "domains to search names in"),
    WORKLOAD_SETTING("privileged", GANTRY_TYPE_BOOL, "give it all rights on the host"),
    WORKLOAD_SETTING("cap_add", GANTRY_TYPE_LIST, "capabilities to add"),
    WORKLOAD_SETTING("cap_drop", GANTRY_TYPE_LIST, "capabilities to drop; ALL for all"),
    WORKLOAD_SETTING("security_opt", GANTRY_TYPE_LIST, "such as no-new-privileges:true"),
    WORKLOAD_SETTING("userns_mode", GANTRY_TYPE_STRING, "user namespace: host, or the engine's"),
    WORKLOAD_SETTING("pid_mode", GANTRY_TYPE_STRING, "process namespace: host or container:ID"),
    WORKLOAD_SETTING("ipc_mode", GANTRY_TYPE_STRING, "IPC namespace: private, shareable, host ..."),
    WORKLOAD_SETTING("uts_mode", GANTRY_TYPE_STRING, "host name namespace: host"),
    WORKLOAD_SETTING("runtime", GANTRY_TYPE_STRING, "OCI runtime of the engine, such as runc"),
    WORKLOAD_SETTING("shm_size", GANTRY_TYPE_SIZE, "size of /dev/shm"),
    WORKLOAD_SETTING("sysctls", GANTRY_TYPE_MAP, "kernel parameters of its namespaces"),
    WORKLOAD_SETTING("ulimits", GANTRY_TYPE_LIST, "limits of its processes, each NAME=SOFT:HARD"),
    WORKLOAD_SETTING("memory", GANTRY_TYPE_SIZE, "most memory that it may use, swap included"),
    WORKLOAD_SETTING("cpus", GANTRY_TYPE_NUMBER, "most CPUs that it may use, such as 1.5"),
    WORKLOAD_SETTING("pids_limit", GANTRY_TYPE_INTEGER, "most processes and threads"),
    ENGINE_WORKLOAD_SETTING("init", GANTRY_TYPE_BOOL, "yes", NULL,
                            "run a small init that passes signals on and reaps processes"),
    ENGINE_WORKLOAD_SETTING("restart", GANTRY_TYPE_CHOICE, "unless-stopped", engine_restart_choices,
                            "when the engine starts it again by itself"),
    ENGINE_WORKLOAD_SETTING("log_max_size", GANTRY_TYPE_SIZE, "10MB", NULL,
                            "size at which the engine begins a new log file"),
    ENGINE_WORKLOAD_SETTING("log_max_files", GANTRY_TYPE_INTEGER, "3", NULL,
                            "how many log files the engine keeps"),
};

static void
docker_close(void *self)
{
    struct engine *engine = self;
    if (!engine)
        return;
    endpoint_clear(engine);
    engine_forget_digests(engine);
    pthread_mutex_destroy(&engine->digests_lock);
    free(engine);
}

static int
docker_open(struct gantry_call *call, const struct gantry_host *host,
            const struct gantry_settings *settings, void **self)
{
    const struct gantry_http *http = gantry_extension(host, GANTRY_EXTENSION_HTTP);
    if (!http)
        return gantry_fail(host, call, GANTRY_E_UNSUPPORTED,
                           "docker: this host does not offer " GANTRY_EXTENSION_HTTP);
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return gantry_fail(host, call, GANTRY_E_NOMEM, "docker: out of memory");
    pthread_mutex_init(&engine->digests_lock, NULL);
    engine->host = host;
    engine->http = http;
    char problem[600];
    int code = endpoint_read(settings, engine, problem, sizeof problem);
    if (code == 0) {
        /* The workloads' defaults are in the same section: what is wrong there is told now. */
        AUTO_TEXT unused = TEXT(1 << 20);
        if (!engine_host_config(&unused, settings, "no", problem, sizeof problem))
            code = GANTRY_E_INVALID;
    }
    if (code < 0) {
        docker_close(engine);
        return gantry_fail(host, call, code, "%s", problem);
    }
    *self = engine;
    return 0;
}

static int
docker_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
             const struct gantry_spec *spec, uint32_t flags)
{
    struct engine_task task;
    engine_task_init(&task, self, call);
    return engine_end(&task, engine_op_start(&task, existing, spec, flags));
}

static int
docker_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    struct engine_task task;
    engine_task_init(&task, self, call);
    return engine_end(&task, engine_op_stop(&task, ref, grace_ms));
}

static int
docker_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct engine_task task;
    engine_task_init(&task, self, call);
    return engine_end(&task, engine_op_remove(&task, ref));
}

static int
docker_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
            const struct gantry_log_limits *limits)
{
    struct engine_task task;
    engine_task_init(&task, self, call);
    return engine_end(&task, engine_op_logs(&task, ref, cursor, limits));
}

static int
docker_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct engine_task task;
    engine_task_init(&task, self, call);
    return engine_end(&task, engine_op_inspect(&task, ref));
}

static int
docker_list(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
            uint32_t stride)
{
    struct engine_task task;
    engine_task_init(&task, self, call);
    return engine_end(&task, engine_op_list(&task, labels, count, stride));
}

static int
docker_watch(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
             uint32_t stride)
{
    struct engine_task task;
    engine_task_init(&task, self, call);
    return engine_end(&task, engine_op_watch(&task, labels, count, stride));
}

static int
docker_pull(void *self, struct gantry_call *call, const struct gantry_spec *spec)
{
    struct engine_task task;
    engine_task_init(&task, self, call);
    return engine_end(&task, engine_image_ensure(&task, spec));
}

static int
docker_probe(void *self, struct gantry_call *call)
{
    struct engine_task task;
    engine_task_init(&task, self, call);
    return engine_end(&task, engine_op_probe(&task));
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
    .start = docker_start,
    .stop = docker_stop,
    .remove = docker_remove,
    .logs = docker_logs,
    .inspect = docker_inspect,
    .list = docker_list,
    .watch = docker_watch,
    .pull = docker_pull,
    .probe = docker_probe,
};
GANTRY_PLUGIN(docker)
