/* Which image a service is told to run.  See swarm.h.
 *
 * The nodes of a swarm pull by themselves, later, and each for itself.  So that a missing image or a wrong
 * password is found before anything is changed, and so that all nodes run the same, the reference is given the
 * digest that the registry has for it now: NAME:TAG@sha256:...
 *
 *     if_not_present   what this manager has, with the registry's digest where it knows it; else the registry
 *     always           the registry
 *     never            what this manager has; nodes that lack it may still pull it: no request forbids them to */
#include "image.h"
#include "swarm.h"

#include <string.h>

struct found {
    bool present;
    char digest[256]; /* "": none is known */
};

static bool
platform_fits(const cJSON *at, const char *os_key, const char *architecture_key,
              const char *variant_key, const char *platform)
{
    const char *os = json_text(at, os_key), *architecture = json_text(at, architecture_key);
    const char *variant = json_text(at, variant_key);
    if (!os || !architecture)
        return true;
    char own[160], own_variant[200];
    snprintf(own, sizeof own, "%s/%s", os, architecture);
    snprintf(own_variant, sizeof own_variant, "%s/%s", own, variant ? variant : "");
    return strcmp(platform, own) == 0 || strcmp(platform, own_variant) == 0;
}

static const char *
platform_of(const struct gantry_spec *spec)
{
    return spec->platform && spec->platform[0] ? spec->platform : NULL;
}

/* Does this manager's engine have it? */
static int
look_here(struct engine_task *task, const struct gantry_spec *spec, const struct image *image,
          struct found *found)
{
    AUTO_TEXT path = TEXT(8192);
    AUTO_REPLY reply = {0};
    text_add(&path, "/images/");
    text_add_url(&path, spec->image);
    text_add(&path, "/json");
    const struct engine_request request = {.method = "GET",
                                           .path = text_cstr(&path),
                                           .doing = "inspect image",
                                           .subject = spec->image,
                                           .secret_reply = true};
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code == GANTRY_E_IMAGE_MISSING ? 0 : code;
    AUTO_JSON_SECRET answer = json_parse(&reply.body);
    const char *platform = platform_of(spec);
    found->present = !platform || platform_fits(answer, "Os", "Architecture", "Variant", platform);
    const cJSON *entry;
    cJSON_ArrayForEach(entry, json_at(answer, "RepoDigests"))
    {
        /* One image may come from several repositories: the one of the reference counts. */
        const char *text = cJSON_IsString(entry) ? entry->valuestring : "";
        size_t length = strcspn(text, "@");
        if (text[length] && strlen(image->name) == length &&
            strncmp(text, image->name, length) == 0)
            snprintf(found->digest, sizeof found->digest, "%s", text + length + 1);
    }
    return 0;
}

static bool
offers_platform(const cJSON *answer, const char *platform)
{
    const cJSON *list = json_at(answer, "Platforms"), *entry;
    bool any = false;
    cJSON_ArrayForEach(entry, list)
    {
        const char *os = json_text(entry, "os");
        if (os && os[0]) {
            any = true;
            if (platform_fits(entry, "os", "architecture", "variant", platform))
                return true;
        }
    }
    return !any;
}

/* What the registry says; the engine asks it for us, with the credentials. */
static int
ask_registry(struct engine_task *task, const struct gantry_spec *spec, struct found *found)
{
    AUTO_TEXT path = TEXT(8192);
    AUTO_TEXT auth = TEXT_SECRET(1 << 17);
    AUTO_REPLY reply = {0};
    text_add(&path, "/distribution/");
    text_add_url(&path, spec->image);
    text_add(&path, "/json");
    swarm_auth(&auth, spec);
    if (path.failed || auth.failed)
        return engine_fail(task, GANTRY_E_INVALID,
                           "image '%s': its reference or credentials are too long", spec->image);
    const struct engine_request request = {
        .method = "GET",
        .path = text_cstr(&path),
        .doing = "look up image",
        .subject = spec->image,
        .registry_auth = text_cstr(&auth),
        .is_pull = true,
    };
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON answer = json_parse(&reply.body);
    const char *digest = json_text(answer, "Descriptor.digest");
    if (!digest || strncmp(digest, "sha256:", 7) != 0)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "look up image '%s': the engine's answer cannot be read", spec->image);
    if (platform_of(spec) && !offers_platform(answer, spec->platform))
        return engine_fail(task, GANTRY_E_IMAGE_MISSING,
                           "image '%s' is not there for platform '%s'; correct 'platform', or "
                           "publish the image for it",
                           spec->image, spec->platform);
    snprintf(found->digest, sizeof found->digest, "%s", digest);
    return 0;
}

/* Also where nobody logs in: an update without the header would keep the credentials of the time before. */
void
swarm_auth(struct text *header, const struct gantry_spec *spec)
{
    if (spec->registry)
        engine_registry_header(header, spec->registry);
    else
        text_add_base64url(header, "{}", 2);
}

int
swarm_resolve(struct engine_task *task, const struct gantry_spec *spec, struct text *reference)
{
    struct image image;
    struct found found = {0};
    if (!image_parse(spec->image, &image))
        return engine_fail(task, GANTRY_E_IMAGE_MISSING,
                           "image '%s' cannot be used: it is no reference of a registry's image",
                           spec->image);
    int code = 0;
    if (spec->pull_policy != GANTRY_PULL_ALWAYS)
        code = look_here(task, spec, &image, &found);
    if (code == 0 && !found.present && spec->pull_policy == GANTRY_PULL_NEVER)
        return engine_fail(task, GANTRY_E_IMAGE_MISSING,
                           "image '%s' is not on this manager's node, and pull_policy is never; "
                           "load it, or change pull_policy",
                           spec->image);
    if (code == 0 && !found.present)
        code = ask_registry(task, spec, &found);
    if (code < 0)
        return code;
    text_add(reference, spec->image);
    if (!image.by_digest && found.digest[0]) {
        if (strlen(image.name) == strlen(spec->image))
            text_addf(reference, ":%s", image.select);
        text_addf(reference, "@%s", found.digest);
    }
    if (reference->failed)
        return engine_fail(task, GANTRY_E_INVALID, "image '%.100s...' is too long", spec->image);
    return 0;
}
