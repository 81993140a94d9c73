/* One request about one container, each.  See engine.h. */
#include "engine.h"

#include <string.h>

#define REMOVAL_POLL_MS 250

/* The path of a container's resource; id may be anything that a ref holds. */
static int
container_path(struct engine_task *task, struct text *path, const char *id, const char *rest)
{
    *path = TEXT(4096);
    text_add(path, "/containers/");
    text_add_url(path, id);
    text_add(path, rest);
    if (!id[0] || path->failed)
        return engine_fail(task, GANTRY_E_INVALID, "container '%.100s' is no handle of this engine",
                           id);
    return 0;
}

/* The shown part of a handle: the twelve digits that people know. */
static const char *
shown(const char *id, char *buffer, size_t size)
{
    snprintf(buffer, size, strlen(id) == 64 ? "%.12s" : "%.100s", id);
    return buffer;
}

/* POST without a body, or with JSON. */
static int
post(struct engine_task *task, const char *id, const char *rest, const char *doing,
     const char *json)
{
    AUTO_TEXT path = {0};
    int code = container_path(task, &path, id, rest);
    if (code < 0)
        return code;
    char subject[128];
    const struct engine_request request = {
        .method = "POST",
        .path = text_cstr(&path),
        .doing = doing,
        .subject = shown(id, subject, sizeof subject),
        .content_type = json ? "application/json" : NULL,
        .body = json,
        .body_size = json ? strlen(json) : 0,
    };
    AUTO_REPLY reply = {0};
    return engine_do(task, &request, &reply);
}

int
engine_inspect(struct engine_task *task, const char *id, cJSON **out)
{
    AUTO_TEXT path = {0};
    int code = container_path(task, &path, id, "/json");
    if (code < 0)
        return code;
    char subject[128];
    const struct engine_request request = {
        .method = "GET",
        .path = text_cstr(&path),
        .doing = "inspect container",
        .subject = shown(id, subject, sizeof subject),
        .secret_reply = true,
    };
    AUTO_REPLY reply = {0};
    code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON_SECRET container = json_parse(&reply.body);
    if (!json_text(container, "Id") || !json_text(container, "Name") ||
        !json_text(container, "State.Status"))
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "inspect container '%s': the engine's answer cannot be read", subject);
    const struct engine_dialect *dialect = task->engine->dialect;
    code = dialect ? dialect->translate(task, container) : 0;
    if (code < 0)
        return code;
    *out = container;
    container = NULL;
    return 0;
}

const char *
engine_name_of(const cJSON *container)
{
    const char *name = json_text(container, "Name");
    return !name ? "" : name[0] == '/' ? name + 1 : name;
}

const char *
engine_label_of(const cJSON *container, const char *label)
{
    /* Labels have dots, so no path reaches them. */
    const cJSON *labels = json_at(container, "Config.Labels");
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(labels, label);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

int
engine_container_start(struct engine_task *task, const char *id)
{
    return post(task, id, "/start", "start container", NULL);
}

int
engine_container_unpause(struct engine_task *task, const char *id)
{
    return post(task, id, "/unpause", "unpause container", NULL);
}

int
engine_container_stop(struct engine_task *task, const char *id, uint32_t grace_ms)
{
    /* The answer comes when it has ended.  Where the call's time is over before that, the workload keeps its
     * grace: the engine goes on, and the next stop finds it ended. */
    int64_t grace_s = ((int64_t)grace_ms + 999) / 1000;
    if (task->engine->dialect)
        return task->engine->dialect->stop(task, id, grace_s);
    char rest[64];
    snprintf(rest, sizeof rest, "/stop?t=%lld", (long long)grace_s);
    return post(task, id, rest, "stop container", NULL);
}

int
engine_container_rename(struct engine_task *task, const char *id, const char *name)
{
    AUTO_TEXT rest = TEXT(1024);
    text_add(&rest, "/rename?name=");
    text_add_url(&rest, name);
    return post(task, id, text_cstr(&rest), "rename container", NULL);
}

int
engine_container_restart_policy(struct engine_task *task, const char *id, const char *policy)
{
    AUTO_TEXT json = TEXT(1024);
    text_add(&json, "{\"RestartPolicy\":{\"Name\":");
    text_add_json(&json, policy);
    text_add(&json, "}}");
    return post(task, id, "/update", "change the restart policy of container", text_cstr(&json));
}

int
engine_pause(struct engine_task *task, int ms)
{
    const struct gantry_host *host = task->engine->host;
    int64_t left = gantry_remaining_ms(host, task->call);
    if (left <= 0)
        return engine_fail(task, GANTRY_E_TIMEOUT, "the call's time is over");
    int code = gantry_wait(host, task->call, NULL, 0, left < ms ? left : ms, 0);
    return code < 0 ? code : engine_cancelled(task);
}

/* Another removal is under way: wait until the container is gone, or the call's time is over. */
static int
await_removal(struct engine_task *task, const char *id)
{
    for (;;) {
        AUTO_CONTAINER container = NULL;
        int code = engine_inspect(task, id, &container);
        if (code < 0)
            return code == GANTRY_E_NOT_FOUND ? 0 : code;
        /* A removal that failed half way leaves it dead: that is no removal to wait for. */
        if (strcmp(json_text(container, "State.Status"), "removing") != 0)
            return engine_fail(task, GANTRY_E_UNAVAILABLE,
                               "remove container '%.12s': another removal of it failed; try again",
                               id);
        code = engine_pause(task, REMOVAL_POLL_MS);
        if (code == GANTRY_E_TIMEOUT)
            return engine_fail(task, code,
                               "remove container '%.12s': the engine is still removing it", id);
        if (code < 0)
            return code;
    }
}

/* Podman answers 200 also when it failed: [{"Id":"...","Err":...}]. */
static int
check_removal(struct engine_task *task, const struct engine_reply *reply, const char *subject)
{
    AUTO_JSON answer = json_parse(&reply->body);
    const cJSON *err = json_at(cJSON_GetArrayItem(answer, 0), "Err");
    char reason[300];
    if (!err || cJSON_IsNull(err))
        return 0;
    text_one_line(reason, sizeof reason,
                  cJSON_IsString(err) ? err->valuestring : "it could not remove it");
    return engine_fail(task, GANTRY_E_UNAVAILABLE, "remove container '%s': the engine says: %s",
                       subject, reason);
}

int
engine_container_delete(struct engine_task *task, const char *id)
{
    AUTO_TEXT path = {0};
    int code =
        container_path(task, &path, id, "?force=1&v=1&timeout=0"); /* the last one is Podman's */
    if (code < 0)
        return code;
    char subject[128];
    const struct engine_request request = {
        .method = "DELETE",
        .path = text_cstr(&path),
        .doing = "remove container",
        .subject = shown(id, subject, sizeof subject),
    };
    AUTO_REPLY reply = {0};
    code = engine_do(task, &request, &reply);
    if (code == 0)
        return check_removal(task, &reply, subject);
    if (code == GANTRY_E_NOT_FOUND)
        return 0;
    if (code == GANTRY_E_CONFLICT && strstr(text_cstr(&reply.body), "already in progress"))
        return await_removal(task, id);
    return code;
}

void
engine_add_labels(struct text *json, const struct gantry_pair *labels, uint32_t count,
                  uint32_t stride)
{
    text_add_char(json, '[');
    for (uint32_t i = 0; i < count; i++) {
        const struct gantry_pair *label = GANTRY_AT(struct gantry_pair, labels, stride, i);
        AUTO_TEXT pair = TEXT(1 << 16);
        text_addf(&pair, "%s=%s", label->key, label->value);
        if (i)
            text_add_char(json, ',');
        text_add_json(json, text_cstr(&pair));
        json->failed |= pair.failed;
    }
    text_add_char(json, ']');
}

static int
ask_filtered(struct engine_task *task, const struct text *filters, struct engine_reply *reply)
{
    AUTO_TEXT path = TEXT(1 << 19);
    text_add(&path, "/containers/json?all=1&filters=");
    text_add_url(&path, text_cstr(filters));
    if (filters->failed || path.failed)
        return engine_fail(task, GANTRY_E_INVALID, "list containers: the labels are too long");
    const struct engine_request request = {
        .method = "GET",
        .path = text_cstr(&path),
        .doing = "list the containers of",
        .subject = task->engine->address,
    };
    return engine_do(task, &request, reply);
}

static int
ask_containers(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
               uint32_t stride, struct engine_reply *reply)
{
    AUTO_TEXT filters = TEXT(1 << 18);
    text_add(&filters, "{\"label\":");
    engine_add_labels(&filters, labels, count, stride);
    text_add(&filters, "}");
    return ask_filtered(task, &filters, reply);
}

static int
unreadable_list(struct engine_task *task)
{
    return engine_fail(task, GANTRY_E_UNAVAILABLE,
                       "list the containers of '%s': the engine's answer cannot be read",
                       task->engine->address);
}

int
engine_containers(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                  uint32_t stride, cJSON **out)
{
    AUTO_REPLY reply = {0};
    int code = ask_containers(task, labels, count, stride, &reply);
    if (code < 0)
        return code;
    cJSON *list = json_parse(&reply.body);
    if (!cJSON_IsArray(list)) {
        cJSON_Delete(list);
        return unreadable_list(task);
    }
    *out = list;
    return 0;
}

static const char *
skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* The tree of a hundred containers takes a megabyte; that of one, ten kilobytes. */
int
engine_each_container(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                      uint32_t stride, int (*each)(struct engine_task *task, const cJSON *item))
{
    AUTO_REPLY reply = {0};
    int code = ask_containers(task, labels, count, stride, &reply);
    if (code < 0)
        return code;
    const char *at = skip_blanks(text_cstr(&reply.body));
    if (*at != '[')
        return unreadable_list(task);
    at = skip_blanks(at + 1);
    for (bool first = true; *at != ']'; first = false) {
        const char *end = NULL;
        if (!first && *at != ',')
            return unreadable_list(task);
        at = skip_blanks(first ? at : at + 1);
        AUTO_JSON item = cJSON_ParseWithOpts(at, &end, 0);
        if (!cJSON_IsObject(item))
            return unreadable_list(task);
        code = each(task, item);
        if (code < 0)
            return code;
        at = skip_blanks(end);
    }
    return *skip_blanks(at + 1) == '\0' ? 0 : unreadable_list(task);
}

int
engine_container_named(struct engine_task *task, const char *name, char *id)
{
    AUTO_TEXT filters = TEXT(1024);
    AUTO_REPLY reply = {0};
    /* The filter is a regular expression: names have no letter that means something there, but '.'. */
    text_addf(&filters, "{\"name\":[\"^/%.200s$\"]}", name);
    int code = ask_filtered(task, &filters, &reply);
    if (code < 0)
        return code;
    AUTO_JSON list = json_parse(&reply.body);
    if (!cJSON_IsArray(list))
        return unreadable_list(task);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const char *found = json_text(item, "Id");
        if (!found || strlen(found) >= ENGINE_ID_MAX)
            return unreadable_list(task);
        memcpy(id, found, strlen(found) + 1);
        return 0;
    }
    return engine_fail(task, GANTRY_E_NOT_FOUND, "there is no container '%s'", name);
}
