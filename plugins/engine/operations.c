/* The operations of the plugin ABI for a plugin whose state begins with its struct engine, and that has nothing
 * to add to them.  See engine.h. */
#include "engine.h"

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
