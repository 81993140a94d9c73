/* The files of a spec -> secrets of the swarm, which are mounted from memory.  See swarm.h.
 *
 * A secret cannot change and cannot be removed while a service uses it.  So each version has a name of its own,
 * NAME-XXXXXXXX with random digits (not those of a digest: names are public, and a short secret could be guessed
 * from one), the labels of the connector, and is swept away when no service uses it any more: after a switch,
 * with the service, and after a crash in between by the connector's next change. */
#include "secrets.h"
#include "swarm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SECRET_MAX_BYTES UINT64_C(512000) /* the swarm's own limit */
#define NAME_TRIES       4
#define FINISH_MS        30000

static void
add_base64(struct text *text, const void *bytes, size_t size)
{
    /* The engine wants the plain alphabet here, and the other one for credentials. */
    size_t start = text->size;
    text_add_base64url(text, bytes, size);
    for (size_t i = start; !text->failed && i < text->size; i++)
        text->data[i] = (char)(text->data[i] == '-'   ? '+'
                               : text->data[i] == '_' ? '/'
                                                      : text->data[i]);
}

static int
make_name(struct engine_task *task, const char *workload, char *name)
{
    unsigned char random[4];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return engine_fail(task, GANTRY_E_INTERNAL,
                           "workload '%s': no random numbers for the names "
                           "of its secrets",
                           workload);
    snprintf(name, SWARM_NAME_MAX, "%.50s-%02x%02x%02x%02x", workload, random[0], random[1],
             random[2], random[3]);
    return 0;
}

static bool
is_identity(const char *key)
{
    return strcmp(key, GANTRY_LABEL_MANAGER) == 0 || strcmp(key, GANTRY_LABEL_CONNECTOR) == 0 ||
           strcmp(key, GANTRY_LABEL_PLATFORM) == 0 || strcmp(key, GANTRY_LABEL_NAMED) == 0;
}

static void
add_labels(struct text *json, const struct gantry_spec *spec)
{
    const char *comma = "";
    for (uint32_t i = 0; i < spec->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        if (!is_identity(label->key))
            continue;
        text_add(json, comma);
        text_add_json(json, label->key);
        text_add_char(json, ':');
        text_add_json(json, label->value);
        comma = ",";
    }
}

static int
post_secret(struct engine_task *task, const struct gantry_spec *spec,
            const struct gantry_file *file, struct swarm_secret *secret)
{
    AUTO_TEXT json = TEXT_SECRET(4u << 20);
    text_add(&json, "{\"Name\":");
    text_add_json(&json, secret->name);
    text_add(&json, ",\"Labels\":{");
    add_labels(&json, spec);
    text_add(&json, "},\"Data\":\"");
    add_base64(&json, file->bytes, (size_t)file->bytes_size);
    text_add(&json, "\"}");
    if (json.failed)
        return engine_fail(task, GANTRY_E_NOMEM, "workload '%s': out of memory", spec->name);
    const struct engine_request request = {
        .method = "POST",
        .path = "/secrets/create",
        .doing = "create secret",
        .subject = secret->name,
        .content_type = "application/json",
        .body = text_cstr(&json),
        .body_size = json.size,
    };
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON answer = json_parse(&reply.body);
    const char *id = json_text(answer, "ID");
    if (!id || !id[0] || strlen(id) >= ENGINE_ID_MAX)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "create secret '%s': the engine's answer names no secret", secret->name);
    memcpy(secret->id, id, strlen(id) + 1);
    return 0;
}

static int
make_one(struct engine_task *task, const struct gantry_spec *spec, const struct gantry_file *file,
         struct swarm_secret *secret)
{
    if (file->bytes_size > SECRET_MAX_BYTES || file->bytes_size == 0)
        return engine_fail(
            task, GANTRY_E_UNSUPPORTED,
            "workload '%s': the file '%s' has %llu bytes, and a secret of a swarm has "
            "between 1 and %llu; hand it over otherwise",
            spec->name, file->path, (unsigned long long)file->bytes_size,
            (unsigned long long)SECRET_MAX_BYTES);
    int code = 0;
    for (int i = 0; i < NAME_TRIES; i++) {
        code = make_name(task, spec->name, secret->name);
        if (code == 0)
            code = post_secret(task, spec, file, secret);
        if (code != GANTRY_E_CONFLICT)
            break;
    }
    return code;
}

int
secret_files_make(struct engine_task *task, const struct gantry_spec *spec,
                  struct swarm_secrets *out)
{
    *out = (struct swarm_secrets){0};
    if (spec->file_count == 0)
        return 0;
    out->items = calloc(spec->file_count, sizeof *out->items);
    if (!out->items)
        return engine_fail(task, GANTRY_E_NOMEM, "workload '%s': out of memory", spec->name);
    for (uint32_t i = 0; i < spec->file_count; i++) {
        int code =
            make_one(task, spec, GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i),
                     &out->items[i]);
        if (code < 0) {
            secret_files_undo(task, out);
            return code;
        }
        out->count++;
    }
    return 0;
}

void
secret_files_clear(struct swarm_secrets *secrets)
{
    free(secrets->items);
    *secrets = (struct swarm_secrets){0};
}

/* An empty value is nothing to hide, and no secret of a swarm can be empty: it stays a variable. */
static void
keep_empty_values(struct secrets *split)
{
    struct gantry_spec *spec = &split->spec;
    for (uint32_t i = split->first_file; split->files && i < spec->file_count;) {
        const struct gantry_file *file = &split->files[i];
        if (file->bytes_size > 0) {
            i++;
            continue;
        }
        for (uint32_t k = 0; k < spec->environment_count; k++)
            if (split->variables[k].value == file->path)
                split->variables[k] =
                    (struct gantry_variable){.key = secrets_name(file), .value = ""};
        memmove(&split->files[i], &split->files[i + 1],
                (--spec->file_count - i) * sizeof *split->files);
    }
}

int
secret_files_split(struct engine_task *task, const struct gantry_spec *spec, struct secrets *split)
{
    char problem[400];
    int code = secrets_split(spec, split, problem, sizeof problem);
    if (code < 0)
        return engine_fail(task, code, "workload '%s': %s", spec->name, problem);
    keep_empty_values(split);
    return 0;
}

/* 0 also when it is gone, or still used: INVALID is what the swarm says then. */
static int
delete_secret(struct engine_task *task, const char *id)
{
    AUTO_TEXT path = TEXT(4096);
    text_add(&path, "/secrets/");
    text_add_url(&path, id);
    const struct engine_request request = {
        .method = "DELETE", .path = text_cstr(&path), .doing = "remove secret", .subject = id};
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    bool used = code == GANTRY_E_INVALID && strstr(text_cstr(&reply.body), "in use");
    return code == GANTRY_E_NOT_FOUND || used ? 0 : code;
}

void
secret_files_undo(struct engine_task *task, const struct swarm_secrets *secrets)
{
    for (uint32_t i = 0; i < secrets->count; i++) {
        struct engine_task own = engine_task_again(task);
        own.finish_ms = FINISH_MS; /* also when the call was cancelled */
        if (delete_secret(&own, secrets->items[i].id) < 0)
            gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN, "%s", own.error);
    }
}

static bool
uses(const cJSON *service, const char *id)
{
    const cJSON *secret;
    cJSON_ArrayForEach(secret, json_at(service, "Spec.TaskTemplate.ContainerSpec.Secrets"))
    {
        const char *used = json_text(secret, "SecretID");
        if (used && strcmp(used, id) == 0)
            return true;
    }
    return false;
}

static int
sweep(struct engine_task *task, const cJSON *service, const struct gantry_pair *labels,
      bool platform, bool gone)
{
    AUTO_TEXT filters = TEXT(1 << 18);
    AUTO_TEXT path = TEXT(1 << 19);
    text_add(&filters, "{\"label\":");
    engine_add_labels(&filters, labels, platform ? 3 : 2, sizeof labels[0]);
    text_add(&filters, "}");
    text_add(&path, "/secrets?filters=");
    text_add_url(&path, text_cstr(&filters));
    const struct engine_request request = {.method = "GET",
                                           .path = text_cstr(&path),
                                           .doing = "list the secrets of",
                                           .subject = swarm_name(service)};
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON list = json_parse(&reply.body);
    const cJSON *secret;
    cJSON_ArrayForEach(secret, list)
    {
        const char *id = json_text(secret, "ID");
        const cJSON *theirs =
            cJSON_GetObjectItemCaseSensitive(json_at(secret, "Spec.Labels"), GANTRY_LABEL_NAMED);
        /* Another platform may have a connector of the same id. */
        bool same = platform || !theirs;
        if (id && code == 0 && same && (gone || !uses(service, id)))
            code = delete_secret(task, id);
    }
    return code;
}

void
secret_files_sweep(struct engine_task *task, const cJSON *service, bool gone)
{
    const char *manager = swarm_label(service, GANTRY_LABEL_MANAGER);
    const char *connector = swarm_label(service, GANTRY_LABEL_CONNECTOR);
    const char *platform = swarm_label(service, GANTRY_LABEL_NAMED);
    if (!manager || !connector)
        return; /* got no secret from us */
    const struct gantry_pair labels[] = {{GANTRY_LABEL_MANAGER, manager},
                                         {GANTRY_LABEL_CONNECTOR, connector},
                                         {GANTRY_LABEL_NAMED, platform}};
    struct engine_task own = engine_task_again(task);
    if (sweep(&own, service, labels, platform != NULL, gone) < 0)
        gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN, "%s", own.error);
}
