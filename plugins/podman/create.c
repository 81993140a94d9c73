/* Making a container, and the path by which its image is pulled.  See podman.h. */
#include "image.h"
#include "options.h"
#include "podman.h"

#include <string.h>

static void
add_pair(struct text *body, const char *before, const char *key, const char *value)
{
    text_add(body, before);
    text_add_json(body, key);
    text_add_char(body, ':');
    text_add_json(body, value);
}

static void
add_environment(struct text *body, const struct gantry_spec *spec)
{
    text_add(body, ",\"env\":{");
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *variable =
            GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
        add_pair(body, i ? "," : "", variable->key, variable->value);
    }
    text_add_char(body, '}');
}

static void
add_labels(struct text *body, const struct gantry_spec *spec, const char *restart)
{
    add_pair(body, ",\"labels\":{", ENGINE_LABEL_NAME, spec->name);
    add_pair(body, ",", ENGINE_LABEL_RESTART, restart);
    for (uint32_t i = 0; i < spec->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        add_pair(body, ",", label->key, label->value);
    }
    text_add_char(body, '}');
}

/* Podman takes no tag beside a digest. */
static void
add_reference(struct text *out, const char *reference)
{
    struct image image;
    if (image_parse(reference, &image) && image.by_digest) {
        text_add(out, image.name);
        text_add_char(out, '@');
        text_add(out, image.select);
    } else {
        text_add(out, reference);
    }
}

static int
too_large(struct engine_task *task, const struct gantry_spec *spec)
{
    return engine_fail(task, GANTRY_E_NOMEM, "workload '%s': its configuration is too large",
                       spec->name);
}

/* All but its files and its end. */
static void
make_body(const struct gantry_spec *spec, const char *name, bool once, struct text *body)
{
    const char *restart = once ? "no" : podman_restart_wanted(spec->settings);
    AUTO_TEXT image = TEXT(4096);
    add_reference(&image, spec->image);
    add_pair(body, "{", "name", name);
    add_pair(body, ",", "image", text_cstr(&image));
    add_pair(body, ",", "restart_policy", restart);
    text_addf(body, ",\"stop_timeout\":%u", (spec->stop_grace_ms + 999) / 1000);
    add_labels(body, spec, restart);
    add_environment(body, spec);
    podman_write_options(body, spec->settings);
    podman_write_mounts(body, spec);
    body->failed |= image.failed;
}

int
podman_create(struct engine_task *task, const struct gantry_spec *spec, const char *name, bool once,
              char *id)
{
    AUTO_TEXT body = TEXT_SECRET(128u << 20);
    struct podman_files files;
    char problem[400];
    if (!podman_check(spec->settings, problem, sizeof problem))
        return engine_fail(task, GANTRY_E_INVALID, "workload '%s': %s", spec->name, problem);
    make_body(spec, name, once, &body);
    int code = 0;
    if (spec->file_count > 0)
        code = podman_files_put(task, spec, option_text(spec->settings, "user"), &files, &body);
    text_add_char(&body, '}');
    if (code == 0)
        code = body.failed ? too_large(task, spec)
                           : engine_container_post(task, "/containers/create", name, &body, id);
    if (spec->file_count > 0)
        podman_files_drop(task, &files);
    return code;
}

/* ---- pull */

static bool
is_insecure(const struct podman *podman, const char *reference)
{
    size_t length = strcspn(reference, "/");
    for (size_t i = 0; i < podman->insecure_count; i++)
        if (strlen(podman->insecure_registries[i]) == length &&
            strncmp(podman->insecure_registries[i], reference, length) == 0)
            return true;
    return false;
}

/* "linux/arm64/v8" */
static void
add_platform(struct text *path, const char *platform)
{
    static const char *const keys[] = {"OS", "Arch", "Variant"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && *platform; i++) {
        size_t length = strcspn(platform, "/");
        char part[64];
        snprintf(part, sizeof part, "%.*s", (int)length, platform);
        text_addf(path, "&%s=", keys[i]);
        text_add_url(path, part);
        platform += length + (platform[length] == '/');
    }
}

void
podman_pull_path(const struct engine *engine, const struct gantry_spec *spec, struct text *path)
{
    AUTO_TEXT reference = TEXT(4096);
    add_reference(&reference, spec->image);
    text_add(path, "/images/pull?policy=always&reference=");
    text_add_url(path, text_cstr(&reference));
    if (is_insecure((const struct podman *)engine, spec->image))
        text_add(path, "&tlsVerify=false");
    if (spec->platform)
        add_platform(path, spec->platform);
    path->failed |= reference.failed;
}
