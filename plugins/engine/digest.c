/* The registry's digest of a container's image.
 *
 * An image has an id of its own on the engine, which never means another image; so what was found for it
 * once holds, and an inspection costs one request and not two.  The few that are remembered are enough:
 * connectors of one kind share an image. */
#include "engine.h"
#include "image.h"

#include <stdlib.h>
#include <string.h>

/* Did the engine answer?  digest stays "" where the image has none. */
static bool
ask(struct engine_task *task, const char *image, const char *reference, char *digest, size_t size)
{
    AUTO_TEXT path = TEXT(1024);
    text_add(&path, "/images/");
    text_add_url(&path, image);
    text_add(&path, "/json");
    const struct engine_request request = {.method = "GET",
                                           .path = text_cstr(&path),
                                           .doing = "inspect image",
                                           .subject = reference,
                                           .secret_reply = true};
    struct engine_task own = engine_task_again(task);
    AUTO_REPLY reply = {0};
    if (engine_do(&own, &request, &reply) < 0)
        return false;
    AUTO_JSON_SECRET answer = json_parse(&reply.body);
    const char *found = image_digest(answer, reference);
    if (found)
        snprintf(digest, size, "%s", found);
    return true;
}

static bool
recall(struct engine *engine, const char *image, const char *reference, char *digest, size_t size)
{
    bool found = false;
    pthread_mutex_lock(&engine->digests_lock);
    for (size_t i = 0; i < ENGINE_DIGESTS && !found; i++) {
        const struct engine_digest *known = &engine->digests[i];
        found = known->image && strcmp(known->image, image) == 0 &&
                strcmp(known->reference, reference) == 0;
        if (found)
            snprintf(digest, size, "%s", known->digest);
    }
    pthread_mutex_unlock(&engine->digests_lock);
    return found;
}

static void
forget(struct engine_digest *known)
{
    free(known->image);
    free(known->reference);
    free(known->digest);
    *known = (struct engine_digest){0};
}

static void
remember(struct engine *engine, const char *image, const char *reference, const char *digest)
{
    struct engine_digest made = {strdup(image), strdup(reference), strdup(digest)};
    if (!made.image || !made.reference || !made.digest) {
        forget(&made);
        return;
    }
    pthread_mutex_lock(&engine->digests_lock);
    struct engine_digest *slot = &engine->digests[engine->digests_next++ % ENGINE_DIGESTS];
    forget(slot);
    *slot = made;
    pthread_mutex_unlock(&engine->digests_lock);
}

void
engine_forget_digests(struct engine *engine)
{
    for (size_t i = 0; i < ENGINE_DIGESTS; i++)
        forget(&engine->digests[i]);
}

/* From the reference, else asked of the engine.  "" where there is none, such as for an image that was
 * built here; a failure to ask is none either, and is not remembered. */
void
engine_find_digest(struct engine_task *task, const cJSON *container, char *digest, size_t size)
{
    const char *reference = json_text(container, "Config.Image");
    const char *at = reference ? strchr(reference, '@') : NULL;
    const char *image = json_text(container, "Image");
    if (!at && json_text(container, "ImageDigest")) { /* Podman's */
        snprintf(digest, size, "%s", json_text(container, "ImageDigest"));
        return;
    }
    digest[0] = '\0';
    if (at)
        snprintf(digest, size, "%s", at + 1);
    if (at || !image || !reference || recall(task->engine, image, reference, digest, size))
        return;
    if (ask(task, image, reference, digest, size))
        remember(task->engine, image, reference, digest);
}
