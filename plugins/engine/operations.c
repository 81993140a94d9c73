/* A plugin's state that begins with its struct engine: made and freed; and the operations of the plugin ABI where
 * there is nothing to add to them.  See engine.h. */
#include "engine.h"

#include <stdlib.h>

int
engine_new(size_t size, const char *plugin, struct gantry_call *call,
           const struct gantry_host *host, void **out)
{
    const struct gantry_http *http = gantry_extension(host, GANTRY_EXTENSION_HTTP);
    if (!http)
        return gantry_fail(host, call, GANTRY_E_UNSUPPORTED,
                           "%s: this host does not offer " GANTRY_EXTENSION_HTTP, plugin);
    struct engine *engine = calloc(1, size);
    if (!engine)
        return gantry_fail(host, call, GANTRY_E_NOMEM, "%s: out of memory", plugin);
    pthread_mutex_init(&engine->digests_lock, NULL);
    engine->host = host;
    engine->http = http;
    *out = engine;
    return 0;
}

void
engine_free(void *self)
{
    struct engine *engine = self;
    engine_forget_digests(engine);
    pthread_mutex_destroy(&engine->digests_lock);
    free(engine);
}

/* The beginning and the end of each operation. */
#define RUN(operation)                                                                             \
    struct engine_task task;                                                                       \
    engine_task_init(&task, self, call);                                                           \
    return engine_end(&task, operation)

int
engine_plugin_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
                    const struct gantry_spec *spec, uint32_t flags)
{
    RUN(engine_op_start(&task, existing, spec, flags));
}

int
engine_plugin_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                   uint32_t grace_ms)
{
    RUN(engine_op_stop(&task, ref, grace_ms));
}

int
engine_plugin_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    RUN(engine_op_remove(&task, ref));
}

int
engine_plugin_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                   const char *cursor, const struct gantry_log_limits *limits)
{
    RUN(engine_op_logs(&task, ref, cursor, limits));
}

int
engine_plugin_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    RUN(engine_op_inspect(&task, ref));
}

int
engine_plugin_list(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                   uint32_t count, uint32_t stride)
{
    RUN(engine_op_list(&task, labels, count, stride));
}

int
engine_plugin_watch(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                    uint32_t count, uint32_t stride)
{
    RUN(engine_op_watch(&task, labels, count, stride));
}

int
engine_plugin_pull(void *self, struct gantry_call *call, const struct gantry_spec *spec)
{
    RUN(engine_image_ensure(&task, spec));
}

int
engine_plugin_probe(void *self, struct gantry_call *call)
{
    RUN(engine_op_probe(&task));
}

int
engine_plugin_remove_image(void *self, struct gantry_call *call, const struct gantry_image *image)
{
    RUN(engine_op_remove_image(&task, image));
}
