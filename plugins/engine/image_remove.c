/* Taking away an image that the host says it has fetched.  See engine.h.
 *
 * The engine removes names; with the last one goes the image.  It refuses that by itself while a container
 * was made from it, but it gives up one name of several without a question: so we look first, and never
 * touch a name but the one that was fetched. */
#include "engine.h"
#include "image.h"

#include <string.h>

/* Is a container there that was made from it, running or not, whoever's it is? */
static int
check_unused(struct engine_task *task, const char *id, const char *reference)
{
    AUTO_TEXT filter = TEXT(4096);
    AUTO_TEXT path = TEXT(8192);
    text_add(&filter, "{\"ancestor\":[");
    text_add_json(&filter, id);
    text_add(&filter, "]}");
    text_add(&path, "/containers/json?all=1&filters=");
    text_add_url(&path, text_cstr(&filter));
    if (filter.failed || path.failed)
        return engine_fail(task, GANTRY_E_NOMEM, "remove image '%s': out of memory", reference);
    const struct engine_request request = {.method = "GET",
                                           .path = text_cstr(&path),
                                           .doing = "look who uses image",
                                           .subject = reference};
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON found = json_parse(&reply.body);
    if (!cJSON_IsArray(found))
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "look who uses image '%s': the engine's answer cannot be read",
                           reference);
    const char *user = json_text(cJSON_GetArrayItem(found, 0), "Id");
    if (cJSON_GetArraySize(found) > 0)
        return engine_fail(task, GANTRY_E_CONFLICT,
                           "image '%s' is not removed: container %.12s uses it", reference,
                           user ? user : "");
    return 0;
}

/* The image by its digest, which a tag that has moved on does not change.  *image stays NULL: gone. */
static int
find_image(struct engine_task *task, const struct gantry_image *wanted, cJSON **image)
{
    struct image parsed;
    AUTO_TEXT path = TEXT(4096);
    if (!image_parse(wanted->reference, &parsed))
        return engine_fail(task, GANTRY_E_INVALID,
                           "remove image '%s': it is no reference of a registry's image",
                           wanted->reference);
    text_add(&path, "/images/");
    text_add_url(&path, parsed.name);
    text_add(&path, "@");
    text_add_url(&path, wanted->digest);
    text_add(&path, "/json");
    const struct engine_request request = {.method = "GET",
                                           .path = text_cstr(&path),
                                           .doing = "look for image",
                                           .subject = wanted->reference,
                                           .secret_reply = true};
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code == GANTRY_E_IMAGE_MISSING)
        return 0;
    if (code < 0)
        return code;
    AUTO_JSON_SECRET answer = json_parse(&reply.body);
    if (!json_text(answer, "Id"))
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "look for image '%s': the engine's answer cannot be read",
                           wanted->reference);
    *image = answer;
    answer = NULL;
    return 0;
}

/* What to ask the engine to remove: our tag, or the image where nobody has a tag on it; NULL: others have
 * named it, and it is theirs. */
static const char *
name_to_remove(const cJSON *image, const char *reference)
{
    const cJSON *tags = json_at(image, "RepoTags"), *tag;
    cJSON_ArrayForEach(tag, tags)
    {
        if (cJSON_IsString(tag) && image_same(tag->valuestring, reference))
            return tag->valuestring;
    }
    return cJSON_GetArraySize(tags) > 0 ? NULL : json_text(image, "Id");
}

static int
remove_name(struct engine_task *task, const char *name, const char *reference)
{
    AUTO_TEXT path = TEXT(4096);
    text_add(&path, "/images/");
    text_add_url(&path, name);
    text_add(&path, "?noprune=1");
    const struct engine_request request = {.method = "DELETE",
                                           .path = text_cstr(&path),
                                           .doing = "remove image",
                                           .subject = reference};
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    return code == GANTRY_E_IMAGE_MISSING ? 0 : code;
}

int
engine_op_remove_image(struct engine_task *task, const struct gantry_image *image)
{
    AUTO_JSON_SECRET found = NULL;
    int code = find_image(task, image, &found);
    if (code < 0 || !found)
        return code;
    const char *name = name_to_remove(found, image->reference);
    if (!name)
        return 0;
    code = check_unused(task, json_text(found, "Id"), image->reference);
    return code < 0 ? code : remove_name(task, name, image->reference);
}
