/* Images: is it there, and fetching it.  See engine.h. */
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

/* *present: the engine has the image, for the platform of the spec. */
static int
look(struct engine_task *task, const struct gantry_spec *spec, bool *present)
{
    AUTO_TEXT path = TEXT(4096);
    text_add(&path, "/images/");
    text_add_url(&path, spec->image);
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
    *present = false;
    if (code == GANTRY_E_IMAGE_MISSING)
        return 0;
    if (code < 0)
        return code;
    AUTO_JSON image = cJSON_ParseWithLength(text_cstr(&reply.body), reply.body.size);
    if (!json_text(image, "Id"))
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "look for image '%s': the engine's answer cannot be read", spec->image);
    *present = platform_fits(image, spec->platform);
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
static void
registry_header(struct text *header, const struct gantry_registry *registry)
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

static int
fetch_result(struct engine_task *task, const struct gantry_spec *spec, uint32_t stall_ms, int code,
             const struct pull_stream *stream)
{
    if (code == GANTRY_E_TIMEOUT && gantry_remaining_ms(task->engine->host, task->call) > 0)
        return engine_fail(task, code,
                           "pull image '%s': no progress for %u s; is the registry slow or out of "
                           "reach?",
                           spec->image, stall_ms / 1000);
    if (code < 0 || !stream->error[0])
        return code;
    code = engine_classify(500, stream->error, true);
    return engine_fail(
        task, code, "pull image '%s': %s%s", spec->image, stream->error,
        code == GANTRY_E_DENIED ? "; check the credentials of its [registry HOST] section" : "");
}

static int
fetch(struct engine_task *task, const struct gantry_spec *spec, const struct image *image)
{
    AUTO_TEXT path = TEXT(8192);
    AUTO_TEXT auth = TEXT_SECRET(1 << 17);
    text_add(&path, "/images/create?fromImage=");
    text_add_url(&path, image->name);
    text_add(&path, "&tag=");
    text_add_url(&path, image->select);
    if (spec->platform && spec->platform[0]) {
        text_add(&path, "&platform=");
        text_add_url(&path, spec->platform);
    }
    if (spec->registry)
        registry_header(&auth, spec->registry);
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
        .registry_auth = spec->registry ? text_cstr(&auth) : NULL,
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
    code = fetch_result(task, spec, stall_ms, code, &state.stream);
    pull_stream_clear(&state.stream);
    return code;
}

int
engine_image_ensure(struct engine_task *task, const struct gantry_spec *spec)
{
    struct image image;
    bool present = false;
    int code = 0;
    if (spec->pull_policy != GANTRY_PULL_ALWAYS) {
        code = look(task, spec, &present);
        if (code < 0 || present)
            return code;
        if (spec->pull_policy == GANTRY_PULL_NEVER)
            return engine_fail(
                task, GANTRY_E_IMAGE_MISSING,
                "image '%s' is not on the engine, and pull_policy is never; load it, or "
                "change pull_policy",
                spec->image);
    }
    if (!image_parse(spec->image, &image))
        return engine_fail(task, GANTRY_E_IMAGE_MISSING,
                           "image '%s' cannot be pulled: it is no reference of a registry's image",
                           spec->image);
    code = fetch(task, spec, &image);
    if (code < 0)
        return code;
    code = look(task, spec, &present);
    if (code == 0 && !present)
        return engine_fail(
            task, GANTRY_E_IMAGE_MISSING,
            "pull image '%s': the engine pulled something, but not for platform '%s'", spec->image,
            spec->platform ? spec->platform : "its own");
    return code;
}
