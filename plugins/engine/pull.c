/* Images: is it there, and fetching it.  See engine.h. */
#include "disk.h"
#include "engine.h"
#include "image.h"
#include "pull_stream.h"

#include <string.h>

/* The engine sends its first line when the registry has answered; it gives up on one that does not
 * by itself, after several tries. */
#define PULL_FIRST_BYTE_MIN_MS 90000u
#define PULL_STALL_DEFAULT_MS  120000u

/* Is a local image of the platform os/arch[/variant] that the spec asks for? */
static bool
platform_fits(const cJSON *image, const char *platform)
{
    const char *os = json_text(image, "Os"), *architecture = json_text(image, "Architecture");
    const char *variant = json_text(image, "Variant");
    if (!platform || !platform[0] || !os || !architecture)
        return true;
    char own[160], own_variant[200];
    snprintf(own, sizeof own, "%s/%s", os, architecture);
    snprintf(own_variant, sizeof own_variant, "%s/%s", own, variant ? variant : "");
    return strcmp(platform, own) == 0 || strcmp(platform, own_variant) == 0;
}

/* What the engine has under a reference. */
struct local {
    bool fits; /* there, and for the platform of the spec */
    char id[160];
    char digest[160]; /* of its registry; "" : none */
};

static int
look(struct engine_task *task, const struct gantry_spec *spec, struct local *local)
{
    AUTO_TEXT path = TEXT(4096);
    const struct engine_proxy *proxy = task->engine->proxy;
    const char *name = spec->image;
    char other_name[ENGINE_ID_MAX];
    *local = (struct local){0};
    if (proxy) {
        int found = proxy->image_name(task, name, other_name, sizeof other_name);
        if (found < 0)
            return found == GANTRY_E_IMAGE_MISSING ? 0 : found;
        name = other_name[0] ? other_name : name;
    }
    text_add(&path, "/images/");
    text_add_url(&path, name);
    text_add(&path, "/json");
    if (path.failed)
        return engine_fail(task, GANTRY_E_INVALID, "image '%.80s...': the reference is too long",
                           spec->image);
    const struct engine_request request = {
        .method = "GET",
        .path = text_cstr(&path),
        .doing = "look for image",
        .subject = spec->image,
        .secret_reply = true,
    };
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code == GANTRY_E_IMAGE_MISSING)
        return 0;
    if (code < 0)
        return code;
    AUTO_JSON_SECRET image = json_parse(&reply.body);
    const char *id = json_text(image, "Id"), *digest = image_digest(image, spec->image);
    if (!id)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "look for image '%s': the engine's answer cannot be read", spec->image);
    local->fits = platform_fits(image, spec->platform);
    snprintf(local->id, sizeof local->id, "%s", id);
    snprintf(local->digest, sizeof local->digest, "%s", digest ? digest : "");
    return 0;
}

/* ---- fetching
 * ------------------------------------------------------------------------------------- */

struct fetch {
    struct engine_task *task;
    struct pull_stream stream;
};

static int
on_data(void *context, const void *data, size_t size)
{
    struct fetch *fetch = context;
    int code = pull_stream_feed(&fetch->stream, data, size);
    if (code == 0 && fetch->stream.moved) {
        fetch->stream.moved = false;
        gantry_progress(fetch->task->engine->host, fetch->task->call, "pulling", fetch->stream.done,
                        fetch->stream.total);
    }
    return code;
}

/* The header's value: JSON in base64 of the URL alphabet, with padding.  Any other form is not
 * refused but silently taken as anonymous. */
void
engine_registry_header(struct text *header, const struct gantry_registry *registry)
{
    AUTO_TEXT json = TEXT_SECRET(1 << 16);
    text_add(&json, "{\"username\":");
    text_add_json(&json, registry->username);
    text_add(&json, ",\"password\":");
    text_add_json(&json, registry->password);
    text_add(&json, ",\"serveraddress\":");
    text_add_json(&json, registry->host);
    text_add(&json, "}");
    text_add_base64url(header, text_cstr(&json), json.size);
    header->failed |= json.failed;
}

const char *
engine_registry_advice(const char *image, bool had_credentials, const char *holder, char *text,
                       size_t size)
{
    size_t length;
    const char *host = image_registry(image, &length);
    if (holder) {
        snprintf(text, size, "; check the credentials that %s holds for %.*s", holder,
                 length < 300 ? (int)length : 300, host);
        return text;
    }
    snprintf(text, size,
             had_credentials ? "; check username and password of [registry %.*s]"
                             : "; if it wants a password, give username and password in "
                               "[registry %.*s]",
             length < 300 ? (int)length : 300, host);
    return text;
}

static int
fetch_result(struct engine_task *task, const struct gantry_spec *spec,
             const struct engine_request *request, int code, const struct pull_stream *stream)
{
    if (code == GANTRY_E_TIMEOUT && gantry_remaining_ms(task->engine->host, task->call) > 0)
        return engine_fail(task, code,
                           "pull image '%s': no progress for %u s; is the registry slow or out of "
                           "reach?",
                           spec->image, request->stall_ms / 1000);
    if (code < 0 || !stream->error[0])
        return code;
    char hint[400];
    code = engine_classify(500, stream->error, true);
    engine_hear_words(task, stream->error);
    return engine_fail(task, code, "pull image '%s': %s%s", spec->image, stream->error,
                       code == GANTRY_E_DENIED
                           ? engine_registry_advice(spec->image, request->registry_auth != NULL,
                                                    request->auth_holder, hint, sizeof hint)
                           : "");
}

static void
pull_path(const struct engine *engine, const struct gantry_spec *spec, const struct image *image,
          struct text *path)
{
    if (engine->dialect) {
        engine->dialect->pull_path(engine, spec, path);
        return;
    }
    text_add(path, "/images/create?fromImage=");
    text_add_url(path, image->name);
    text_add(path, "&tag=");
    text_add_url(path, image->select);
    if (spec->platform && spec->platform[0]) {
        text_add(path, "&platform=");
        text_add_url(path, spec->platform);
    }
}

static int
fetch(struct engine_task *task, const struct gantry_spec *spec, const struct image *image)
{
    AUTO_TEXT path = TEXT(8192);
    AUTO_TEXT auth = TEXT_SECRET(1 << 17);
    pull_path(task->engine, spec, image, &path);
    const struct engine_proxy *proxy = task->engine->proxy;
    if (proxy)
        proxy->registry_auth(task->engine, spec->image, &auth);
    const char *holder = auth.size ? proxy->name : NULL;
    if (!holder && spec->registry)
        engine_registry_header(&auth, spec->registry);
    if (path.failed || auth.failed)
        return engine_fail(task, GANTRY_E_INVALID,
                           "pull image '%s': its reference or credentials are too long",
                           spec->image);
    uint32_t stall_ms = spec->pull_stall_ms ? spec->pull_stall_ms : PULL_STALL_DEFAULT_MS;
    struct fetch state = {.task = task};
    pull_stream_init(&state.stream);
    const struct engine_request request = {
        .method = "POST",
        .path = text_cstr(&path),
        .doing = "pull image",
        .subject = spec->image,
        .registry_auth = auth.size ? text_cstr(&auth) : NULL,
        .auth_holder = holder,
        .stall_ms = stall_ms,
        .first_byte_ms = stall_ms > PULL_FIRST_BYTE_MIN_MS ? stall_ms : PULL_FIRST_BYTE_MIN_MS,
        .max_bytes = UINT64_C(1) << 40, /* a long pull of many layers talks a lot */
        .on_data = on_data,
        .context = &state,
        .is_pull = true,
    };
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    pull_stream_finish(&state.stream);
    code = fetch_result(task, spec, &request, code, &state.stream);
    pull_stream_clear(&state.stream);
    return code;
}

/* All images of the engine, under whatever name or none, as its own text; "" when it does not say. */
static void
list_images(struct engine_task *task, const char *subject, struct engine_reply *reply)
{
    const struct engine_request request = {
        .method = "GET", .path = "/images/json", .doing = "list images before", .subject = subject};
    struct engine_task own = engine_task_again(task);
    if (engine_do(&own, &request, reply) < 0)
        text_reset(&reply->body);
}

/* Told only when it is certain that nobody had it before. */
static int
tell_fetched(struct engine_task *task, const struct gantry_spec *spec, const struct local *now,
             const struct engine_reply *images_before)
{
    const char *before = text_cstr(&images_before->body);
    if (before[0] != '[' || strstr(before, now->id) || !now->digest[0])
        return 0;
    const struct gantry_image fetched = {
        .size = sizeof fetched, .reference = spec->image, .digest = now->digest};
    return gantry_emit_image(task->engine->host, task->call, &fetched);
}

static int
replenish(struct engine_task *task, const struct gantry_spec *spec, const struct image *image)
{
    if (GANTRY_HAS(spec, struct gantry_spec, pull_pause_ms) && spec->pull_pause_ms > 0) {
        gantry_retry_after(task->engine->host, task->call, spec->pull_pause_ms);
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "pull image '%s': its registry asked for a pause; not before %u s",
                           spec->image, spec->pull_pause_ms / 1000 + 1);
    }
    AUTO_REPLY before = {0};
    struct local now = {0};
    int code = engine_disk_check(task, spec->image);
    if (code < 0)
        return code;
    list_images(task, spec->image, &before);
    code = fetch(task, spec, image);
    if (code == 0)
        code = look(task, spec, &now);
    if (code < 0)
        return code;
    if (!now.fits)
        return engine_fail(
            task, GANTRY_E_IMAGE_MISSING,
            "pull image '%s': the engine pulled something, but not for platform '%s'", spec->image,
            spec->platform ? spec->platform : "its own");
    return tell_fetched(task, spec, &now, &before);
}

int
engine_image_ensure(struct engine_task *task, const struct gantry_spec *spec)
{
    struct image image;
    struct local local = {0};
    bool is_reference = image_parse(spec->image, &image);
    int code = look(task, spec, &local);
    if (code < 0)
        return code;
    /* What a digest means never changes. */
    if (local.fits &&
        (spec->pull_policy != GANTRY_PULL_ALWAYS || (is_reference && image.by_digest)))
        return 0;
    if (spec->pull_policy == GANTRY_PULL_NEVER)
        return engine_fail(task, GANTRY_E_IMAGE_MISSING,
                           "image '%s' is not on the engine, and pull_policy is never; load it, or "
                           "change pull_policy",
                           spec->image);
    if (!is_reference)
        return engine_fail(task, GANTRY_E_IMAGE_MISSING,
                           "image '%s' cannot be pulled: it is no reference of a registry's image",
                           spec->image);
    return replenish(task, spec, &image);
}
