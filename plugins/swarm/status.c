/* What the swarm says of a service -> struct gantry_status; list, inspect and probe.  See swarm.h. */
#include "swarm.h"
#include "times.h"

#include <stdlib.h>
#include <string.h>

#define KILLED 137

static int
labels_of(const cJSON *service, struct gantry_status *status, struct gantry_pair **pairs)
{
    const cJSON *labels = json_at(service, "Spec.Labels"), *label;
    int count = cJSON_GetArraySize(labels);
    *pairs = NULL;
    status->label_stride = sizeof(struct gantry_pair);
    if (count <= 0)
        return 0;
    *pairs = calloc((size_t)count, sizeof **pairs);
    if (!*pairs)
        return GANTRY_E_NOMEM;
    cJSON_ArrayForEach(label, labels)
    {
        if (cJSON_IsString(label) && label->string)
            (*pairs)[status->label_count++] =
                (struct gantry_pair){label->string, label->valuestring};
    }
    status->labels = *pairs;
    return 0;
}

/* XTM Composer's services have the hash in their environment alone. */
static const char *
environment_hash(const cJSON *service)
{
    static const char name[] = GANTRY_HASH_VARIABLE "=";
    const cJSON *entry;
    cJSON_ArrayForEach(entry, json_at(service, "Spec.TaskTemplate.ContainerSpec.Env"))
    {
        if (cJSON_IsString(entry) && strncmp(entry->valuestring, name, sizeof name - 1) == 0)
            return entry->valuestring + sizeof name - 1;
    }
    return NULL;
}

static void
note_time(struct gantry_status *status, uint32_t bit, int64_t *field, int64_t ms)
{
    if (ms <= 0)
        return;
    *field = ms;
    status->present |= bit;
}

static void
note_image(const cJSON *service, struct gantry_status *status)
{
    const char *image = json_text(service, "Spec.TaskTemplate.ContainerSpec.Image");
    const char *asked = swarm_label(service, SWARM_LABEL_IMAGE);
    const char *at = image ? strchr(image, '@') : NULL;
    status->image = asked ? asked : image;
    status->image_digest = at ? at + 1 : NULL;
}

/* No task tells why it was killed; the container does, where it lies on this node. */
static void
note_memory(struct engine_task *task, const struct swarm_state *state, struct gantry_status *status)
{
    const char *id = json_text(state->run, "Status.ContainerStatus.ContainerID");
    if (!state->has_exit || state->exit_code != KILLED || !id || !id[0])
        return;
    struct engine_task own = engine_task_again(task);
    AUTO_CONTAINER container = NULL;
    if (engine_inspect(&own, id, &container) < 0)
        return;
    status->present |= GANTRY_STATUS_OUT_OF_MEMORY;
    status->out_of_memory = json_bool(container, "State.OOMKilled");
}

int
swarm_emit(struct engine_task *task, const cJSON *service, const struct swarm_tasks *tasks,
           bool whole)
{
    struct gantry_status status = {.size = sizeof status};
    struct gantry_pair *pairs;
    struct swarm_state state;
    char error[400] = "";
    const char *created = json_text(service, "CreatedAt");
    int64_t created_ns = 0;
    status.handle = json_text(service, "ID");
    status.name = swarm_name(service);
    status.hash = swarm_label(service, GANTRY_LABEL_HASH);
    if (whole && (!status.hash || !status.hash[0]))
        status.hash = environment_hash(service);
    note_image(service, &status);
    state_of_service(service, tasks, &state);
    struct swarm_history history = seen_note(swarm_of(task), status.handle, tasks, &state);
    status.state = state.state;
    text_one_line(error, sizeof error, state.error ? state.error : "");
    status.error = error[0] ? error : NULL;
    status.restarts = history.restarts;
    status.present |= GANTRY_STATUS_RESTARTS;
    if (state.has_exit) {
        status.exit_code = state.exit_code;
        status.present |= GANTRY_STATUS_EXIT_CODE;
    }
    if (created && time_parse(created, strlen(created), &created_ns))
        note_time(&status, GANTRY_STATUS_CREATED, &status.created_ms, created_ns / 1000000);
    note_time(&status, GANTRY_STATUS_STARTED, &status.started_ms, history.started_ms);
    note_time(&status, GANTRY_STATUS_FINISHED, &status.finished_ms, state.finished_ms);
    if (whole)
        note_memory(task, &state, &status);
    if (labels_of(service, &status, &pairs) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "service '%s': out of memory", status.name);
    int code = gantry_emit_status(task->engine->host, task->call, &status);
    free(pairs);
    return code;
}

int
swarm_emit_id(struct engine_task *task, const char *id)
{
    AUTO_JSON_SECRET service = NULL;
    AUTO_JSON_SECRET list = NULL;
    AUTO_TASKS tasks = {0};
    int code = swarm_service(task, id, &service);
    if (code == 0 && strcmp(json_text(service, "ID"), id) != 0)
        return engine_fail(task, GANTRY_E_NOT_FOUND, "service '%.100s' is not there", id);
    if (code == 0)
        code = swarm_tasks_of(task, id, &list);
    if (code < 0)
        return code;
    if (tasks_sort(list, &tasks) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "inspect service '%.100s': out of memory", id);
    struct swarm_tasks own = tasks_of(&tasks, id);
    return swarm_emit(task, service, &own, true);
}

int
swarm_op_inspect(struct engine_task *task, const struct gantry_ref *ref)
{
    return swarm_emit_id(task, ref->handle);
}

/* Two requests, however many there are.  The tasks are asked second: a service that is removed in between is
 * still told, and a later look finds it gone. */
int
swarm_op_list(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
              uint32_t stride)
{
    AUTO_JSON_SECRET services = NULL;
    AUTO_JSON_SECRET list = NULL;
    AUTO_TASKS tasks = {0};
    int code = swarm_services(task, labels, count, stride, &services);
    if (code == 0)
        code = swarm_tasks_labelled(task, labels, count, stride, &list);
    if (code < 0)
        return code;
    if (tasks_sort(list, &tasks) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "list the services: out of memory");
    const cJSON *service;
    cJSON_ArrayForEach(service, services)
    {
        const char *id = json_text(service, "ID");
        if (!id || !json_text(service, "Spec.Name"))
            return engine_fail(task, GANTRY_E_UNAVAILABLE,
                               "list the services of '%s': one has no id in the engine's answer",
                               task->engine->address);
    }
    cJSON_ArrayForEach(service, services)
    {
        struct swarm_tasks own = tasks_of(&tasks, json_text(service, "ID"));
        code = swarm_emit(task, service, &own, false);
        if (code < 0)
            return code;
    }
    return 0;
}

int
swarm_op_probe(struct engine_task *task)
{
    struct engine *engine = task->engine;
    int minor;
    atomic_store(&engine->api_minor, 0); /* a probe looks anew */
    int code = engine_version(task, &minor);
    if (code < 0)
        return code;
    const struct engine_request request = {
        .method = "GET", .path = "/info", .doing = "ask the state of", .subject = engine->address};
    AUTO_REPLY reply = {0};
    code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON answer = json_parse(&reply.body);
    const char *local = json_text(answer, "Swarm.LocalNodeState");
    if (!json_bool(answer, "Swarm.ControlAvailable")) {
        bool member = local && strcmp(local, "active") == 0;
        return engine_fail(
            task, GANTRY_E_UNSUPPORTED, "the engine at '%s' is %s; %s", engine->address,
            member ? "a worker of its swarm, and only a manager can be asked" : "not in a swarm",
            member ? "let 'socket' name a manager, or run 'docker node promote' there"
                   : "run 'docker swarm init' there, or use the docker plugin");
    }
    const char *version = json_text(answer, "ServerVersion");
    char detail[160];
    snprintf(detail, sizeof detail, "API 1.%d, %lld nodes, %lld managers", minor,
             (long long)json_integer(answer, "Swarm.Nodes"),
             (long long)json_integer(answer, "Swarm.Managers"));
    const struct gantry_traits traits = {.size = sizeof traits,
                                         .product = "Docker Swarm",
                                         .version = version ? version : "",
                                         .detail = detail};
    return gantry_emit_traits(engine->host, task->call, &traits);
}
