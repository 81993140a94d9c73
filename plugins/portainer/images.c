/* Images through Portainer: credentials that it holds, and references that its paths cannot have. */
#include "image.h"
#include "portainer.h"

#include <string.h>

/* The first part of a reference is a registry only when it cannot be a name on Docker Hub. */
static size_t
host_length(const char *reference)
{
    const char *slash = strchr(reference, '/');
    size_t length = slash ? (size_t)(slash - reference) : 0;
    bool is_host = length && (memchr(reference, '.', length) || memchr(reference, ':', length) ||
                              strncmp(reference, "localhost/", 10) == 0);
    return is_host ? length : 0;
}

bool
image_is_of(const char *reference, const char *host)
{
    size_t length = host_length(reference);
    if (length == 0)
        return strcmp(host, "docker.io") == 0;
    return strlen(host) == length && strncasecmp(reference, host, length) == 0;
}

void
image_registry_auth(const struct engine *engine, const char *reference, struct text *header)
{
    const struct portainer *portainer = (const struct portainer *)engine;
    for (uint32_t i = 0; i < portainer->registry_count; i++) {
        const char *item = portainer->registries[i], *id = strchr(item, '=');
        char host[256];
        if (!id)
            continue;
        snprintf(host, sizeof host, "%.*s", (int)(id - item), item);
        if (!image_is_of(reference, host))
            continue;
        char json[64];
        int size = snprintf(json, sizeof json, "{\"registryId\":%.20s}", id + 1);
        /* Portainer wants the standard alphabet; this text needs none of the digits in which the two differ. */
        text_add_base64url(header, json, (size_t)size);
        return;
    }
}

/* The reference as a listing has it: with a tag, and without what goes without saying. */
static bool
familiar(const char *reference, char *out, size_t size)
{
    struct image image;
    if (!image_parse(reference, &image))
        return false;
    const char *name = image.name;
    if (strncmp(name, "docker.io/", 10) == 0)
        name += 10;
    int length = snprintf(out, size, "%s%s%s", name, image.by_digest ? "@" : ":", image.select);
    return length > 0 && (size_t)length < size;
}

/* Portainer takes a path with /edge/ in it for one of its own, also when the slash is encoded. */
bool
image_path_is_taken(const char *reference)
{
    return strncmp(reference, "edge/", 5) == 0 || strstr(reference, "/edge/");
}

/* Such an image is looked up in a listing, and called by its id. */
int
image_name(struct engine_task *task, const char *reference, char *name, size_t size)
{
    char wanted[800];
    name[0] = '\0';
    if (!image_path_is_taken(reference) || !familiar(reference, wanted, sizeof wanted))
        return 0;
    AUTO_TEXT filters = TEXT(4096), path = TEXT(16384);
    text_add(&filters, "{\"reference\":[");
    text_add_json(&filters, wanted);
    text_add(&filters, "]}");
    text_add(&path, "/images/json?filters=");
    text_add_url(&path, text_cstr(&filters));
    const struct engine_request request = {
        .method = "GET", .path = text_cstr(&path), .doing = "look for image", .subject = reference};
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON list = json_parse(&reply.body);
    const cJSON *first = cJSON_GetArrayItem(list, 0);
    const char *id = json_text(first, "Id");
    if (cJSON_IsArray(list) && !first)
        return GANTRY_E_IMAGE_MISSING;
    if (!id || strlen(id) >= size)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "look for image '%s': the engine's answer cannot be read", reference);
    memcpy(name, id, strlen(id) + 1);
    return 0;
}
