/* One request about services or tasks, each.  See swarm.h.
 *
 * A service changes by having its whole spec posted, with the version that it was read at.  The version is the
 * swarm's own and rises by itself, also during an update: whoever comes late reads and posts again. */
#include "swarm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE_MAX_BYTES (64u << 20)
#define CHANGE_TRIES      20
#define CHANGE_PAUSE_MS   50

int
swarm_classify(const struct engine_reply *reply, bool is_pull, char *message, size_t size)
{
    if (is_pull)
        return 0;
    if (strcasestr(message, "is not a swarm manager")) {
        snprintf(message, size,
                 "this node is not a manager of a swarm; let 'socket' name one that is, or make "
                 "it one: docker swarm init, docker swarm join");
        return GANTRY_E_UNAVAILABLE;
    }
    if (reply->status == 404 && strncasecmp(message, "service ", 8) == 0 &&
        strstr(message, " not found"))
        return GANTRY_E_NOT_FOUND;
    /* Somebody removed it while this was being done: the status is 404 then, or 500. */
    if (strstr(message, "code = NotFound desc = service ") && strstr(message, " not found"))
        return GANTRY_E_NOT_FOUND;
    if (reply->status == 404 && strncasecmp(message, "secret ", 7) == 0 &&
        strstr(message, " not found"))
        return GANTRY_E_NOT_FOUND;
    if (strstr(message, "update out of sequence"))
        return GANTRY_E_CONFLICT;
    return 0;
}

/* ---- reading -------------------------------------------------------------------------------------- */

static int
get(struct engine_task *task, const char *path, const char *doing, const char *subject, cJSON **out)
{
    const struct engine_request request = {
        .method = "GET", .path = path, .doing = doing, .subject = subject, .secret_reply = true};
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    *out = json_parse(&reply.body);
    return 0;
}

static int
unreadable(struct engine_task *task, const char *doing, const char *subject)
{
    return engine_fail(task, GANTRY_E_UNAVAILABLE,
                       "%s '%.100s': the engine's answer cannot be read", doing, subject);
}

int
swarm_service(struct engine_task *task, const char *id, cJSON **out)
{
    AUTO_TEXT path = TEXT(4096);
    text_add(&path, "/services/");
    text_add_url(&path, id);
    if (!id[0] || path.failed)
        return engine_fail(task, GANTRY_E_INVALID, "service '%.100s' is no handle of this engine",
                           id);
    AUTO_JSON_SECRET service = NULL;
    int code = get(task, text_cstr(&path), "inspect service", id, &service);
    if (code < 0)
        return code;
    if (!json_text(service, "ID") || !json_text(service, "Spec.Name") ||
        !cJSON_IsNumber(json_at(service, "Version.Index")))
        return unreadable(task, "inspect service", id);
    *out = service;
    service = NULL;
    return 0;
}

const char *
swarm_name(const cJSON *service)
{
    const char *name = json_text(service, "Spec.Name");
    return name ? name : "";
}

const char *
swarm_label(const cJSON *service, const char *label)
{
    /* Labels have dots, so no path reaches them. */
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json_at(service, "Spec.Labels"), label);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

/* Of a service of another mode: as if it were one. */
int64_t
swarm_replicas(const cJSON *service)
{
    const cJSON *replicas = json_at(service, "Spec.Mode.Replicated.Replicas");
    return cJSON_IsNumber(replicas) ? json_integer(replicas, "") : 1;
}

static int
get_list(struct engine_task *task, const char *what, const struct text *filters,
         const char *subject, cJSON **out)
{
    AUTO_TEXT path = TEXT(1 << 19);
    char doing[64];
    snprintf(doing, sizeof doing, "list the %s of", what);
    text_addf(&path, "/%s?filters=", what);
    text_add_url(&path, text_cstr(filters));
    if (filters->failed || path.failed)
        return engine_fail(task, GANTRY_E_INVALID, "%s '%.100s': the labels are too long", doing,
                           subject);
    AUTO_JSON_SECRET list = NULL;
    int code = get(task, text_cstr(&path), doing, subject, &list);
    if (code < 0)
        return code;
    if (!cJSON_IsArray(list))
        return unreadable(task, doing, subject);
    *out = list;
    list = NULL;
    return 0;
}

static int
get_labelled(struct engine_task *task, const char *what, const struct gantry_pair *labels,
             uint32_t count, uint32_t stride, cJSON **out)
{
    AUTO_TEXT filters = TEXT(1 << 18);
    text_add(&filters, "{\"label\":");
    engine_add_labels(&filters, labels, count, stride);
    text_add(&filters, "}");
    return get_list(task, what, &filters, task->engine->address, out);
}

int
swarm_services(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
               uint32_t stride, cJSON **out)
{
    return get_labelled(task, "services", labels, count, stride, out);
}

int
swarm_tasks_labelled(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                     uint32_t stride, cJSON **out)
{
    return get_labelled(task, "tasks", labels, count, stride, out);
}

int
swarm_tasks_of(struct engine_task *task, const char *service, cJSON **out)
{
    AUTO_TEXT filters = TEXT(4096);
    text_add(&filters, "{\"service\":[");
    text_add_json(&filters, service);
    text_add(&filters, "]}");
    return get_list(task, "tasks", &filters, service, out);
}

/* ---- writing -------------------------------------------------------------------------------------- */

int
swarm_create(struct engine_task *task, const char *name, const struct text *body, const char *auth,
             char *id)
{
    const struct engine_request request = {
        .method = "POST",
        .path = "/services/create",
        .doing = "create service",
        .subject = name,
        .content_type = "application/json",
        .body = text_cstr(body),
        .body_size = body->size,
        .registry_auth = auth,
    };
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON answer = json_parse(&reply.body);
    const char *made = json_text(answer, "ID");
    if (!made || !made[0] || strlen(made) >= ENGINE_ID_MAX)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "create service '%s': the engine's answer names no service", name);
    memcpy(id, made, strlen(made) + 1);
    return 0;
}

int
swarm_update(struct engine_task *task, const cJSON *service, const struct text *body,
             const char *auth, bool rollback)
{
    AUTO_TEXT path = TEXT(1024);
    text_add(&path, "/services/");
    text_add_url(&path, json_text(service, "ID"));
    text_addf(&path, "/update?version=%lld%s", (long long)json_integer(service, "Version.Index"),
              rollback ? "&rollback=previous" : "");
    if (path.failed || body->failed)
        return engine_fail(task, GANTRY_E_NOMEM, "update service '%s': out of memory",
                           swarm_name(service));
    const struct engine_request request = {
        .method = "POST",
        .path = text_cstr(&path),
        .doing = "update service",
        .subject = swarm_name(service),
        .content_type = "application/json",
        .body = text_cstr(body),
        .body_size = body->size,
        .registry_auth = auth,
    };
    AUTO_REPLY reply = {0};
    return engine_do(task, &request, &reply);
}

int
swarm_delete(struct engine_task *task, const char *id)
{
    AUTO_TEXT path = TEXT(4096);
    text_add(&path, "/services/");
    text_add_url(&path, id);
    const struct engine_request request = {
        .method = "DELETE", .path = text_cstr(&path), .doing = "remove service", .subject = id};
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    return code == GANTRY_E_NOT_FOUND ? 0 : code;
}

/* ---- changing ------------------------------------------------------------------------------------- */

/* cJSON prints large numbers with an exponent, which the engine does not take for an integer. */
static bool
write_out_numbers(cJSON *item)
{
    for (; item; item = item->next) {
        if (cJSON_IsNumber(item) && fabs(item->valuedouble) >= 1e15) {
            char digits[32];
            snprintf(digits, sizeof digits, "%lld", (long long)json_integer(item, ""));
            char *raw = strdup(digits);
            if (!raw)
                return false;
            item->type = cJSON_Raw | (item->type & ~0xFF);
            item->valuestring = raw;
        }
        if (!write_out_numbers(item->child))
            return false;
    }
    return true;
}

/* Through a buffer that is large enough at once: where cJSON lets it grow, values would be left behind. */
void
swarm_print(struct text *out, cJSON *spec)
{
    if (!write_out_numbers(spec)) {
        out->failed = true;
        return;
    }
    size_t size = 1 << 16;
    for (; size <= SERVICE_MAX_BYTES; size *= 4) {
        char *buffer = malloc(size);
        bool fits = buffer && cJSON_PrintPreallocated(spec, buffer, (int)size, 0);
        if (fits)
            text_add(out, buffer);
        if (buffer)
            explicit_bzero(buffer, size);
        free(buffer);
        if (fits)
            return;
    }
    out->failed = true;
}

bool
swarm_set_number(cJSON *object, const char *key, int64_t number)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    return cJSON_AddNumberToObject(object, key, (double)number) != NULL;
}

bool
swarm_set_text(cJSON *object, const char *key, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    return cJSON_AddStringToObject(object, key, text) != NULL;
}

cJSON *
swarm_object(cJSON *parent, const char *key)
{
    cJSON *found = parent ? cJSON_GetObjectItemCaseSensitive(parent, key) : NULL;
    if (found && !cJSON_IsObject(found)) {
        cJSON_DeleteItemFromObjectCaseSensitive(parent, key);
        found = NULL;
    }
    return found || !parent ? found : cJSON_AddObjectToObject(parent, key);
}

int
swarm_change(struct engine_task *task, const char *id, swarm_change_fn *change, void *context)
{
    for (int i = 0;; i++) {
        AUTO_JSON_SECRET service = NULL;
        AUTO_TEXT body = TEXT_SECRET(SERVICE_MAX_BYTES);
        int code = swarm_service(task, id, &service);
        if (code < 0)
            return code;
        cJSON *spec = cJSON_GetObjectItemCaseSensitive(service, "Spec");
        code = change(task, service, spec, context);
        if (code <= 0)
            return code;
        swarm_print(&body, spec);
        code = swarm_update(task, service, &body, NULL, false);
        if (code != GANTRY_E_CONFLICT || i == CHANGE_TRIES)
            return code;
        swarm_sleep(task, CHANGE_PAUSE_MS, true);
    }
}
