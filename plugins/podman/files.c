/* A workload's files as secrets of Podman.  See podman.h.
 *
 * Podman copies a secret into a container's own folder when the container is made; the container does not need
 * it any more then, also not for its restarts.  So the secrets are removed at once, and a value is kept in one
 * place.  What a call that was cut off leaves behind is found by its name, which is the connector's: Podman 4.3
 * knows no labels of secrets. */
#include "podman.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#define SECRET_MAX 511999 /* bytes */
#define FINISH_MS                                                                                  \
    30000 /* what one request may take once it was begun, whatever becomes of the call */

/* FNV-1a: a name that is always the same and tells nothing. */
static uint64_t
add_to_hash(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

/* Of manager, platform and connector. */
static void
make_prefix(const struct gantry_spec *spec, char *prefix, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < spec->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        if (strcmp(label->key, GANTRY_LABEL_MANAGER) == 0 ||
            strcmp(label->key, GANTRY_LABEL_NAMED) == 0)
            hash = add_to_hash(hash, label->value);
    }
    snprintf(prefix, size, "gantry-%016" PRIx64 "-", add_to_hash(hash, spec->id));
}

static int
post(struct engine_task *task, const char *name, const struct gantry_file *file)
{
    AUTO_TEXT path = TEXT(1024);
    text_add(&path, "/secrets/create?name=");
    text_add_url(&path, name);
    const struct engine_request request = {
        .method = "POST",
        .path = text_cstr(&path),
        .doing = "hand over file",
        .subject = file->path,
        .content_type = "application/octet-stream",
        .body = file->bytes,
        .body_size = file->bytes_size,
    };
    AUTO_REPLY reply = {0};
    return engine_do(task, &request, &reply);
}

/* The number of the user that it runs as: of the option, else of the image. */
static int
find_owner(struct engine_task *task, const struct gantry_spec *spec, const char *wanted,
           uint32_t *owner)
{
    AUTO_TEXT path = TEXT(4096);
    AUTO_REPLY reply = {0};
    AUTO_JSON_SECRET image = NULL;
    const char *end;
    if (!wanted) {
        text_add(&path, "/images/");
        text_add_url(&path, spec->image);
        text_add(&path, "/json");
        const struct engine_request request = {.method = "GET",
                                               .path = text_cstr(&path),
                                               .doing = "look at image",
                                               .subject = spec->image,
                                               .secret_reply = true};
        int code = engine_do(task, &request, &reply);
        if (code < 0)
            return code;
        image = json_parse(&reply.body);
        wanted = json_text(image, "Config.User");
    }
    if (!wanted || !wanted[0]) {
        *owner = 0;
        return 0;
    }
    if (!engine_read_id(wanted, owner, &end) || (*end && *end != ':'))
        return engine_fail(task, GANTRY_E_INVALID,
                           "workload '%s' runs as '%.100s', and secret files need the number of "
                           "their owner; set user to its UID",
                           spec->name, wanted);
    return 0;
}

static int
put_one(struct engine_task *task, const struct gantry_file *file, uint32_t owner,
        struct podman_files *files, struct text *json)
{
    char name[128];
    uint32_t unique = 0;
    if (file->bytes_size < 1 || file->bytes_size > SECRET_MAX)
        return engine_fail(task, GANTRY_E_UNSUPPORTED,
                           "file '%s' has %llu bytes, and Podman takes 1 to %d; put it into the "
                           "image or a volume",
                           file->path, (unsigned long long)file->bytes_size, SECRET_MAX);
    /* Without randomness the engine's refusal of a taken name still keeps them apart. */
    if (getrandom(&unique, sizeof unique, GRND_NONBLOCK) != (ssize_t)sizeof unique)
        unique = files->count;
    snprintf(name, sizeof name, "%s%08x-%u", files->prefix, unique, files->count);
    int code = post(task, name, file);
    if (code < 0)
        return code;
    text_add(json, files->count++ ? ",{\"source\":" : "{\"source\":");
    text_add_json(json, name);
    text_add(json, ",\"target\":");
    text_add_json(json, file->path);
    text_addf(json, ",\"uid\":%u,\"gid\":0,\"mode\":%u}", owner, file->mode);
    return 0;
}

int
podman_files_put(struct engine_task *task, const struct gantry_spec *spec, const char *user,
                 struct podman_files *files, struct text *json)
{
    uint32_t owner = 0;
    bool secret = false;
    int code = 0;
    files->count = 0;
    make_prefix(spec, files->prefix, sizeof files->prefix);
    text_add(json, ",\"secrets\":[");
    for (uint32_t i = 0; i < spec->file_count; i++)
        secret |= GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i)->secret != 0;
    if (secret)
        code = find_owner(task, spec, user, &owner);
    for (uint32_t i = 0; code == 0 && i < spec->file_count; i++) {
        const struct gantry_file *file =
            GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i);
        code = put_one(task, file, file->secret ? owner : 0, files, json);
    }
    text_add_char(json, ']');
    return code;
}

static void
remove_one(struct engine_task *task, const char *name)
{
    AUTO_TEXT path = TEXT(1024);
    text_add(&path, "/secrets/");
    text_add_url(&path, name);
    const struct engine_request request = {
        .method = "DELETE", .path = text_cstr(&path), .doing = "remove secret", .subject = name};
    AUTO_REPLY reply = {0};
    if (engine_do(task, &request, &reply) < 0 && reply.status != 404)
        gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN, "%s", task->error);
}

void
podman_files_drop(struct engine_task *task, const struct podman_files *files)
{
    struct engine_task own = engine_task_again(task);
    own.finish_ms = FINISH_MS; /* also when the call was cancelled */
    const struct engine_request request = {.method = "GET",
                                           .path = "/secrets/json",
                                           .doing = "list the secrets of",
                                           .subject = task->engine->address};
    AUTO_REPLY reply = {0};
    if (engine_do(&own, &request, &reply) < 0) {
        gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN, "%s", own.error);
        return;
    }
    AUTO_JSON list = json_parse(&reply.body);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const char *name = json_text(item, "Spec.Name");
        if (name && strncmp(name, files->prefix, strlen(files->prefix)) == 0)
            remove_one(&own, name);
    }
}
