/* What libpod says of a container, in Docker's words, and its listing.  See podman.h.
 *
 * A start that failed leaves a container as "created" with no reason in it; the reason is in the answer to the
 * start, and nowhere else.  "stopped" is an end that Podman has not yet cleaned up after: with a restart
 * policy it is about to start the container again. */
#include "podman.h"
#include "times.h"

#include <stdlib.h>
#include <string.h>

static bool
restarts_by_itself(const char *policy, int64_t exit_code)
{
    if (!policy || !policy[0] || strcmp(policy, "no") == 0)
        return false;
    return strcmp(policy, "on-failure") != 0 || exit_code != 0;
}

static bool
set(cJSON *object, const char *key, cJSON *value)
{
    if (value && cJSON_ReplaceItemInObjectCaseSensitive(object, key, value))
        return true;
    cJSON_Delete(value);
    return false;
}

int
podman_translate(struct engine_task *task, cJSON *container)
{
    const char *unit = engine_label_of(container, PODMAN_LABEL_UNIT);
    if (unit)
        return engine_fail(task, GANTRY_E_NOT_FOUND,
                           "container '%s' belongs to the systemd unit '%.200s', which manages it",
                           engine_name_of(container), unit);
    cJSON *state = cJSON_GetObjectItemCaseSensitive(container, "State");
    const char *status = json_text(state, "Status");
    const char *policy = json_text(container, "HostConfig.RestartPolicy.Name");
    bool restarting = strcmp(status, "stopped") == 0 &&
                      restarts_by_itself(policy, json_integer(state, "ExitCode"));
    bool up = restarting || strcmp(status, "paused") == 0;
    if ((up && !set(state, "Running", cJSON_CreateTrue())) ||
        (restarting && !set(state, "Status", cJSON_CreateString("restarting"))))
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "inspect container '%s': the engine's answer cannot be read",
                           engine_name_of(container));
    return 0;
}

/* ---- list */

static void
read_end(const cJSON *item, struct gantry_status *status)
{
    status->exit_code = (int32_t)json_integer(item, "ExitCode");
    status->present |= GANTRY_STATUS_EXIT_CODE;
    /* The policy that it was made with: the listing has none. */
    const cJSON *policy =
        cJSON_GetObjectItemCaseSensitive(json_at(item, "Labels"), ENGINE_LABEL_RESTART);
    const char *state = json_text(item, "State");
    if (cJSON_IsString(policy) && strcmp(state, "stopped") == 0 &&
        restarts_by_itself(policy->valuestring, status->exit_code))
        status->state = GANTRY_STATE_RESTARTING;
    else if (!engine_ended_as_told(status->exit_code))
        status->state = GANTRY_STATE_FAILED;
}

static void
read_health(const char *health, struct gantry_status *status)
{
    if (!health || status->state != GANTRY_STATE_RUNNING)
        return;
    status->health = engine_health_of_word(health);
    if (status->health == GANTRY_HEALTH_STARTING)
        status->state = GANTRY_STATE_STARTING;
}

int
podman_emit_listed(struct engine_task *task, const cJSON *item)
{
    struct gantry_status status = {.size = sizeof status};
    const cJSON *labels = json_at(item, "Labels");
    const cJSON *name = cJSON_GetArrayItem(json_at(item, "Names"), 0);
    const char *created = json_text(item, "Created");
    struct gantry_pair *pairs;
    int64_t ns;
    status.handle = json_text(item, "Id");
    if (!status.handle || !json_text(item, "State"))
        return engine_fail(
            task, GANTRY_E_UNAVAILABLE,
            "list the containers of '%s': one has no id or state in the engine's answer",
            task->engine->address);
    if (cJSON_GetObjectItemCaseSensitive(labels, PODMAN_LABEL_UNIT))
        return 0;
    status.name = cJSON_IsString(name) ? name->valuestring : "";
    status.image = json_text(item, "Image");
    status.hash = engine_label_hash(labels);
    status.state = engine_state_of_word(json_text(item, "State"));
    if (status.state == GANTRY_STATE_EXITED)
        read_end(item, &status);
    read_health(json_text(item, "Status"), &status);
    if (created && time_parse(created, strlen(created), &ns)) {
        status.created_ms = ns / 1000000;
        status.present |= GANTRY_STATUS_CREATED;
    }
    if (engine_labels_of(labels, &status, &pairs) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "list containers: out of memory");
    int code = gantry_emit_status(task->engine->host, task->call, &status);
    free(pairs);
    return code;
}
