/* inspect(), and the health checks that nobody else runs.  See podman.h.
 *
 * Podman has a health check run by a timer of systemd.  Where there is none the health is "starting" for ever:
 * then one probe is made here, when somebody looks and the last one is long ago. */
#include "podman.h"
#include "times.h"

#include <string.h>
#include <time.h>

#define PROBE_MS  10000 /* a probe that takes longer tells of itself at the next look */
#define SECOND_NS INT64_C(1000000000)

static int64_t
time_of(const cJSON *root, const char *path)
{
    const char *text = json_text(root, path);
    int64_t ns;
    return text && time_parse(text, strlen(text), &ns) ? ns : 0;
}

/* When the last probe ended; else when the container was started. */
static int64_t
last_probe_ns(const cJSON *container)
{
    const cJSON *log = json_at(container, "State.Health.Log");
    int count = cJSON_GetArraySize(log);
    int64_t ns = count > 0 ? time_of(cJSON_GetArrayItem(log, count - 1), "End") : 0;
    return ns ? ns : time_of(container, "State.StartedAt");
}

/* Whoever runs probes has been silent for two intervals. */
static bool
is_due(const cJSON *container)
{
    int64_t interval_ns = json_integer(container, "Config.Healthcheck.Interval");
    int64_t age_ns = (int64_t)time(NULL) * SECOND_NS - last_probe_ns(container);
    return interval_ns > 0 && json_bool(container, "State.Running") &&
           strcmp(json_text(container, "State.Status"), "running") == 0 && age_ns / 2 > interval_ns;
}

/* Its answer is seen by the next inspection; a failure says nothing that the health does not. */
static void
probe(struct engine_task *task, const char *id)
{
    AUTO_TEXT path = TEXT(1024);
    text_add(&path, "/containers/");
    text_add_url(&path, id);
    text_add(&path, "/healthcheck");
    const struct engine_request request = {
        .method = "GET",
        .path = text_cstr(&path),
        .doing = "check the health of container",
        .subject = id,
        .total_ms = PROBE_MS,
    };
    struct engine_task own = engine_task_again(task);
    AUTO_REPLY reply = {0};
    (void)engine_do(&own, &request, &reply);
}

int
podman_op_inspect(struct engine_task *task, const struct gantry_ref *ref)
{
    AUTO_CONTAINER container = NULL;
    int code = engine_inspect(task, ref->handle, &container);
    if (code == 0 && is_due(container)) {
        probe(task, json_text(container, "Id"));
        json_clear_secret(&container);
        code = engine_inspect(task, ref->handle, &container);
    }
    return code < 0 ? code : engine_emit_container(task, container);
}
