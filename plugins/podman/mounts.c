/* What is mounted into a container: folders in memory, and folders that outlive it.  See podman.h. */
#include "options.h"
#include "podman.h"
#include "secrets.h"

#include <stdio.h>
#include <string.h>

static const char *
begin_mount(struct text *json, const char *comma, const char *type, const char *source,
            const char *destination)
{
    text_addf(json, "%s{\"type\":\"%s\",\"source\":", comma, type);
    text_add_json(json, source);
    text_add(json, ",\"destination\":");
    text_add_json(json, destination);
    text_add(json, ",\"options\":[");
    return ",";
}

/* "size=1m,mode=1777" */
static void
add_options(struct text *json, const char *options)
{
    for (const char *before = ""; *options; before = ",") {
        char one[256];
        size_t length = strcspn(options, ",");
        snprintf(one, sizeof one, "%.*s", (int)length, options);
        text_add(json, before);
        text_add_json(json, one);
        options += length + (options[length] == ',');
    }
    text_add(json, "]}");
}

static const char *
add_folders(struct text *json, const struct gantry_settings *settings, const char *comma)
{
    const struct gantry_value *tmpfs = option_items(settings, "tmpfs");
    const struct gantry_value *volumes = option_items(settings, "volumes");
    for (uint32_t i = 0; tmpfs && i < tmpfs->item_count; i++) {
        char path[1024];
        const char *options;
        if (!option_parse_tmpfs(tmpfs->items[i], path, sizeof path, &options))
            continue;
        comma = begin_mount(json, comma, "tmpfs", "tmpfs", path);
        add_options(json, options);
    }
    for (uint32_t i = 0; volumes && i < volumes->item_count; i++) {
        struct option_volume volume;
        if (!option_parse_volume(volumes->items[i], &volume) || !volume.is_folder)
            continue;
        comma = begin_mount(json, comma, "bind", volume.source, volume.target);
        add_options(json, volume.read_only ? "rbind,ro" : "rbind,rw");
    }
    return comma;
}

/* Volumes that Podman keeps, by their names. */
static void
add_named(struct text *json, const struct gantry_settings *settings)
{
    const struct gantry_value *volumes = option_items(settings, "volumes");
    const char *comma = "";
    text_add(json, ",\"volumes\":[");
    for (uint32_t i = 0; volumes && i < volumes->item_count; i++) {
        struct option_volume volume;
        if (!option_parse_volume(volumes->items[i], &volume) || volume.is_folder)
            continue;
        text_addf(json, "%s{\"Name\":", comma);
        text_add_json(json, volume.source);
        text_add(json, ",\"Dest\":");
        text_add_json(json, volume.target);
        text_addf(json, ",\"Options\":[\"%s\"]}", volume.read_only ? "ro" : "rw");
        comma = ",";
    }
    text_add_char(json, ']');
}

/* Podman has a folder of its own for secrets, which is read-only where the root is. */
static void
add_secrets_folder(struct text *json, const struct gantry_spec *spec, const char *comma)
{
    for (uint32_t i = 0; i < spec->file_count; i++) {
        const struct gantry_file *file =
            GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i);
        if (strncmp(file->path, SECRETS_FOLDER "/", sizeof SECRETS_FOLDER) != 0)
            continue;
        begin_mount(json, comma, "tmpfs", "tmpfs", SECRETS_FOLDER);
        add_options(json, "size=64k,mode=0755");
        return;
    }
}

void
podman_write_mounts(struct text *json, const struct gantry_spec *spec)
{
    text_add(json, ",\"mounts\":[");
    const char *comma = add_folders(json, spec->settings, "");
    add_secrets_folder(json, spec, comma);
    text_add_char(json, ']');
    add_named(json, spec->settings);
}
