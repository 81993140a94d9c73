/* What the engine says of a container -> struct gantry_status; the operations list, inspect and
 * probe.
 *
 * exited or failed: the engine does not tell who ended a container.  Code 0 is an end as intended,
 * and so are 137 and 143, by which a container ends that was told to stop; but an end for lack of
 * memory (137 too) is a failure, and so is an engine's own error.  list sees no more than the code,
 * in a text. */
#include "engine.h"
#include "times.h"

#include <stdlib.h>
#include <string.h>

#define LABELS_MAX 4096

static const struct state_word {
    const char *word;
    uint32_t state;
} state_words[] = {
    {"created", GANTRY_STATE_CREATED},   {"running", GANTRY_STATE_RUNNING},
    {"paused", GANTRY_STATE_PAUSED},     {"restarting", GANTRY_STATE_RESTARTING},
    {"removing", GANTRY_STATE_REMOVING}, {"exited", GANTRY_STATE_EXITED},
    {"dead", GANTRY_STATE_DEAD},         {"stopping", GANTRY_STATE_STOPPING},
    {"stopped", GANTRY_STATE_EXITED},    {"initialized", GANTRY_STATE_STARTING}, /* Podman's */
};

uint32_t
engine_state_of_word(const char *word)
{
    for (size_t i = 0; word && i < sizeof state_words / sizeof state_words[0]; i++)
        if (strcmp(word, state_words[i].word) == 0)
            return state_words[i].state;
    return GANTRY_STATE_UNKNOWN;
}

uint32_t
engine_health_of_word(const char *word)
{
    if (!word)
        return GANTRY_HEALTH_NONE;
    if (strcmp(word, "starting") == 0)
        return GANTRY_HEALTH_STARTING;
    if (strcmp(word, "healthy") == 0)
        return GANTRY_HEALTH_HEALTHY;
    return strcmp(word, "unhealthy") == 0 ? GANTRY_HEALTH_UNHEALTHY : GANTRY_HEALTH_NONE;
}

bool
engine_ended_as_told(int32_t exit_code)
{
    return exit_code == 0 || exit_code == 128 + 9 || exit_code == 128 + 15;
}

/* *pairs: borrowed from the tree but for the array itself, free(). */
int
engine_labels_of(const cJSON *labels, struct gantry_status *status, struct gantry_pair **pairs)
{
    *pairs = NULL;
    int count = cJSON_GetArraySize(labels);
    status->label_stride = sizeof(struct gantry_pair);
    if (count <= 0)
        return 0;
    if (count > LABELS_MAX)
        count = LABELS_MAX;
    *pairs = calloc((size_t)count, sizeof **pairs);
    if (!*pairs)
        return GANTRY_E_NOMEM;
    uint32_t used = 0;
    const cJSON *label;
    cJSON_ArrayForEach(label, labels)
    {
        if (used < (uint32_t)count && cJSON_IsString(label) && label->string)
            (*pairs)[used++] = (struct gantry_pair){label->string, label->valuestring};
    }
    status->labels = *pairs;
    status->label_count = used;
    return 0;
}

const char *
engine_label_hash(const cJSON *labels)
{
    const cJSON *hash = cJSON_GetObjectItemCaseSensitive(labels, GANTRY_LABEL_HASH);
    return cJSON_IsString(hash) && hash->valuestring[0] ? hash->valuestring : NULL;
}

/* ID, or ID@NODE where there are several machines; NULL: it has none.  buffer: ENGINE_HANDLE_MAX. */
static const char *
handle_of(const cJSON *item, const char *node, char *buffer)
{
    const char *id = json_text(item, "Id");
    if (!id || !node)
        return id;
    int size = snprintf(buffer, ENGINE_HANDLE_MAX, "%s@%s", id, node);
    return size > 0 && size < ENGINE_HANDLE_MAX ? buffer : NULL;
}

/* ---- inspect
 * -------------------------------------------------------------------------------------- */

/* XTM Composer's containers have the hash in their environment alone. */
static const char *
environment_hash(const cJSON *container)
{
    static const char name[] = GANTRY_HASH_VARIABLE "=";
    const cJSON *entry;
    cJSON_ArrayForEach(entry, json_at(container, "Config.Env"))
    {
        if (cJSON_IsString(entry) && strncmp(entry->valuestring, name, sizeof name - 1) == 0)
            return entry->valuestring + sizeof name - 1;
    }
    return NULL;
}

static void
note_time(struct gantry_status *status, uint32_t bit, int64_t *field, const char *text)
{
    int64_t ns;
    if (text && time_parse(text, strlen(text), &ns)) {
        *field = ns / 1000000;
        status->present |= bit;
    }
}

static void
state_of_container(const cJSON *container, struct gantry_status *status)
{
    const char *error = json_text(container, "State.Error");
    status->state = engine_state_of_word(json_text(container, "State.Status"));
    status->health = engine_health_of_word(json_text(container, "State.Health.Status"));
    status->error = error && error[0] ? error : NULL;
    status->exit_code = (int32_t)json_integer(container, "State.ExitCode");
    status->out_of_memory = json_bool(container, "State.OOMKilled");
    status->restarts = json_integer(container, "RestartCount");
    status->present |= GANTRY_STATUS_OUT_OF_MEMORY | GANTRY_STATUS_RESTARTS;
    bool ended = status->state == GANTRY_STATE_EXITED || status->state == GANTRY_STATE_DEAD ||
                 status->state == GANTRY_STATE_RESTARTING;
    /* A start that failed leaves it "created", with a code and an error. */
    bool start_failed =
        status->state == GANTRY_STATE_CREATED && (status->exit_code != 0 || status->error);
    if (ended || start_failed)
        status->present |= GANTRY_STATUS_EXIT_CODE;
    bool killed_for_memory = status->out_of_memory && status->exit_code != 0;
    if (start_failed ||
        (status->state == GANTRY_STATE_EXITED &&
         (!engine_ended_as_told(status->exit_code) || status->error || killed_for_memory)))
        status->state = GANTRY_STATE_FAILED;
    if (status->state == GANTRY_STATE_RUNNING && status->health == GANTRY_HEALTH_STARTING)
        status->state = GANTRY_STATE_STARTING;
}

static int
emit_container(struct engine_task *task, const cJSON *container, const char *digest)
{
    struct gantry_status status = {.size = sizeof status};
    const cJSON *labels = json_at(container, "Config.Labels");
    struct gantry_pair *pairs;
    char handle[ENGINE_HANDLE_MAX];
    status.handle = handle_of(container, task->node, handle);
    status.name = engine_name_of(container);
    status.image = json_text(container, "Config.Image");
    status.image_digest = digest[0] ? digest : NULL;
    status.hash = engine_label_hash(labels);
    if (!status.hash)
        status.hash = environment_hash(container);
    state_of_container(container, &status);
    note_time(&status, GANTRY_STATUS_CREATED, &status.created_ms, json_text(container, "Created"));
    note_time(&status, GANTRY_STATUS_STARTED, &status.started_ms,
              json_text(container, "State.StartedAt"));
    note_time(&status, GANTRY_STATUS_FINISHED, &status.finished_ms,
              json_text(container, "State.FinishedAt"));
    if (engine_labels_of(labels, &status, &pairs) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "inspect container '%s': out of memory",
                           status.name);
    int code = gantry_emit_status(task->engine->host, task->call, &status);
    free(pairs);
    return code;
}

int
engine_emit_container(struct engine_task *task, const cJSON *container)
{
    char digest[160];
    engine_find_digest(task, container, digest, sizeof digest);
    return emit_container(task, container, digest);
}

int
engine_emit_id(struct engine_task *task, const char *id)
{
    AUTO_CONTAINER container = NULL;
    int code = engine_inspect(task, id, &container);
    return code < 0 ? code : engine_emit_container(task, container);
}

int
engine_op_inspect(struct engine_task *task, const struct gantry_ref *ref)
{
    return engine_emit_id(task, ref->handle);
}

/* ---- list
 * ----------------------------------------------------------------------------------------- */

/* Containers that others link to have several names; its own one has no second slash. */
static const char *
listed_name(const cJSON *item)
{
    const cJSON *name;
    cJSON_ArrayForEach(name, json_at(item, "Names"))
    {
        if (cJSON_IsString(name) && name->valuestring[0] == '/' &&
            !strchr(name->valuestring + 1, '/'))
            return name->valuestring + 1;
    }
    return "";
}

/* "Up 5 seconds (health: starting)", "Exited (3) 1 second ago" */
static void
read_status_text(const char *text, struct gantry_status *status)
{
    const char *bracket = text ? strchr(text, '(') : NULL;
    if (!bracket)
        return;
    if (status->state == GANTRY_STATE_RUNNING) {
        if (strncmp(bracket, "(health: starting)", 18) == 0) {
            status->state = GANTRY_STATE_STARTING;
            status->health = GANTRY_HEALTH_STARTING;
        } else if (strncmp(bracket, "(healthy)", 9) == 0) {
            status->health = GANTRY_HEALTH_HEALTHY;
        } else if (strncmp(bracket, "(unhealthy)", 11) == 0) {
            status->health = GANTRY_HEALTH_UNHEALTHY;
        }
        return;
    }
    if (status->state != GANTRY_STATE_EXITED && status->state != GANTRY_STATE_RESTARTING)
        return;
    char *end;
    long exit_code = strtol(bracket + 1, &end, 10);
    if (end == bracket + 1 || *end != ')')
        return;
    status->exit_code = (int32_t)exit_code;
    status->present |= GANTRY_STATUS_EXIT_CODE;
    if (status->state == GANTRY_STATE_EXITED && !engine_ended_as_told(status->exit_code))
        status->state = GANTRY_STATE_FAILED;
}

static int
emit_listed(struct engine_task *task, const cJSON *item)
{
    struct gantry_status status = {.size = sizeof status};
    const cJSON *labels = json_at(item, "Labels");
    struct gantry_pair *pairs;
    const struct engine_proxy *proxy = task->engine->proxy;
    char handle[ENGINE_HANDLE_MAX];
    if (cJSON_GetObjectItemCaseSensitive(labels, ENGINE_LABEL_SERVICE))
        return 0;
    status.handle = handle_of(item, proxy ? proxy->node_of(task->engine, item) : NULL, handle);
    status.name = listed_name(item);
    status.image = json_text(item, "Image");
    status.hash = engine_label_hash(labels);
    status.state = engine_state_of_word(json_text(item, "State"));
    read_status_text(json_text(item, "Status"), &status);
    int64_t created_s = json_integer(item, "Created");
    if (created_s > 0 && created_s < INT64_MAX / 1000) {
        status.created_ms = created_s * 1000;
        status.present |= GANTRY_STATUS_CREATED;
    }
    if (!status.handle)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "list the containers of '%s': one has no id in the engine's answer",
                           task->engine->address);
    if (engine_labels_of(labels, &status, &pairs) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "list containers: out of memory");
    int code = gantry_emit_status(task->engine->host, task->call, &status);
    free(pairs);
    return code;
}

int
engine_op_list(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
               uint32_t stride)
{
    const struct engine_dialect *dialect = task->engine->dialect;
    return engine_each_container(task, labels, count, stride,
                                 dialect ? dialect->emit_listed : emit_listed);
}

/* ---- probe
 * ---------------------------------------------------------------------------------------- */

int
engine_op_probe(struct engine_task *task)
{
    struct engine *engine = task->engine;
    int minor;
    atomic_store(&engine->api_minor, 0); /* a probe looks anew */
    int code = engine_version(task, &minor);
    if (code < 0)
        return code;
    const struct engine_request request = {.method = "GET",
                                           .path = "/version",
                                           .doing = "ask the version of",
                                           .subject = engine->address};
    AUTO_REPLY reply = {0};
    code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON answer = json_parse(&reply.body);
    const char *product = json_text(cJSON_GetArrayItem(json_at(answer, "Components"), 0), "Name");
    const char *os = json_text(answer, "Os"), *architecture = json_text(answer, "Arch");
    const char *version = json_text(answer, "Version");
    char detail[160];
    snprintf(detail, sizeof detail, "API 1.%d, %s/%s", minor, os ? os : "?",
             architecture ? architecture : "?");
    const struct gantry_traits traits = {
        .size = sizeof traits,
        .product = product && strcmp(product, "Engine") != 0 ? product : "Docker Engine",
        .version = version ? version : "",
        .detail = detail,
    };
    return gantry_emit_traits(engine->host, task->call, &traits);
}
