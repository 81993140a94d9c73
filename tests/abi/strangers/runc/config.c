/* config.c - a new bundle: a copy of the image, the files, and config.json (OCI runtime specification 1.0.2). */
#include "runc.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What every one has. */
static const char frame[] =
    "{\"ociVersion\":\"1.0.2\","
    "\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"cwd\":\"/"
    "\",\"noNewPrivileges\":true,\"args\":[],\"env\":[],"
    "\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],\"permitted\":["
    "\"CAP_KILL\"]}},"
    "\"root\":{\"path\":\"rootfs\"},"
    "\"mounts\":["
    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
    "\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
    "{\"destination\":\"/"
    "tmp\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"nodev\"]}],"
    "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":"
    "\"mount\"}]}}";

static const char *
find_image(const struct runc *runc, const char *image)
{
    size_t size = strlen(image);
    for (char **item = runc->images; *item; item++)
        if (strncmp(*item, image, size) == 0 && (*item)[size] == '=')
            return *item + size + 1;
    return NULL;
}

static bool
add_text(cJSON *array, const char *text)
{
    cJSON *item = cJSON_CreateString(text);
    return item && cJSON_AddItemToArray(array, item);
}

static int
add_environment(struct step *step, cJSON *array, const struct gantry_spec *spec)
{
    bool good =
        add_text(array, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (uint32_t i = 0; i < spec->environment_count && good; i++) {
        const struct gantry_variable *variable =
            GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
        size_t size = strlen(variable->key) + strlen(variable->value) + 2;
        char *text = malloc(size);
        if (text)
            snprintf(text, size, "%s=%s", variable->key, variable->value);
        good = text && add_text(array, text);
        free(text);
    }
    return good ? 0 : FAIL(step, GANTRY_E_NOMEM, "out of memory");
}

static bool
add_mount(cJSON *mounts, const char *source, const char *destination)
{
    cJSON *mount = cJSON_CreateObject();
    cJSON *options = mount ? cJSON_AddArrayToObject(mount, "options") : NULL;
    bool good = options && cJSON_AddStringToObject(mount, "type", "bind") &&
                cJSON_AddStringToObject(mount, "source", source) &&
                cJSON_AddStringToObject(mount, "destination", destination) &&
                add_text(options, "bind") && add_text(options, "ro");
    if (good && cJSON_AddItemToArray(mounts, mount))
        return true;
    cJSON_Delete(mount);
    return false;
}

static int
write_bytes(struct step *step, const char *path, const struct gantry_file *file)
{
    FILE *out = fopen(path, "wxe");
    if (!out)
        return FAIL(step, GANTRY_E_UNAVAILABLE, "file '%s' cannot be made: error %d", path, errno);
    bool good = fchmod(fileno(out), (mode_t)(file->mode & 07777)) == 0 &&
                fwrite(file->bytes, 1, file->bytes_size, out) == file->bytes_size;
    good = fclose(out) == 0 && good;
    return good ? 0 : FAIL(step, GANTRY_E_UNAVAILABLE, "file '%s' cannot be written", path);
}

static int
add_files(struct step *step, const struct bundle *bundle, const struct gantry_spec *spec)
{
    char path[PATH_MAX];
    cJSON *mounts = cJSON_GetObjectItemCaseSensitive(bundle->config, "mounts");
    if (access("/etc/resolv.conf", R_OK) == 0 &&
        !add_mount(mounts, "/etc/resolv.conf", "/etc/resolv.conf"))
        return FAIL(step, GANTRY_E_NOMEM, "out of memory");
    if (mkdir(bundle_path(bundle, "files", path), 0700) != 0)
        return FAIL(step, GANTRY_E_UNAVAILABLE, "folder '%s' cannot be made: error %d", path,
                    errno);
    for (uint32_t i = 0; i < spec->file_count; i++) {
        const struct gantry_file *file =
            GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i);
        char name[32];
        snprintf(name, sizeof name, "files/%u", i);
        int rc = write_bytes(step, bundle_path(bundle, name, path), file);
        if (rc < 0)
            return rc;
        if (!add_mount(mounts, name, file->path)) /* relative to the bundle, which may be renamed */
            return FAIL(step, GANTRY_E_NOMEM, "out of memory");
    }
    return 0;
}

static int
add_labels(struct step *step, cJSON *config, const struct gantry_spec *spec)
{
    cJSON *annotations = cJSON_AddObjectToObject(config, "annotations");
    bool good = annotations != NULL;
    for (uint32_t i = 0; i < spec->label_count && good; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        good = cJSON_AddStringToObject(annotations, label->key, label->value) != NULL;
    }
    return good ? 0 : FAIL(step, GANTRY_E_NOMEM, "out of memory");
}

static int
make_config(struct step *step, struct bundle *bundle, const struct gantry_spec *spec)
{
    bundle->config = cJSON_Parse(frame);
    cJSON *process = cJSON_GetObjectItemCaseSensitive(bundle->config, "process");
    cJSON *arguments = cJSON_GetObjectItemCaseSensitive(process, "args");
    const struct gantry_value *command = gantry_find_value(spec->settings, "command");
    bool good = process && cJSON_AddStringToObject(bundle->config, "hostname", spec->name);
    if (!command || command->item_count == 0)
        good = good && add_text(arguments, "/entrypoint");
    for (uint32_t i = 0; command && i < command->item_count && good; i++)
        good = add_text(arguments, command->items[i]);
    if (!good)
        return FAIL(step, GANTRY_E_NOMEM, "out of memory");
    int rc = add_environment(step, cJSON_GetObjectItemCaseSensitive(process, "env"), spec);
    if (rc == 0)
        rc = add_labels(step, bundle->config, spec);
    if (rc == 0)
        rc = add_files(step, bundle, spec);
    return rc;
}

static int
make_facts(struct step *step, struct bundle *bundle, const struct gantry_spec *spec)
{
    cJSON *facts = bundle->facts = cJSON_CreateObject();
    bool good = facts && cJSON_AddStringToObject(facts, "name", spec->name) &&
                cJSON_AddStringToObject(facts, "id", spec->id) &&
                cJSON_AddStringToObject(facts, "hash", spec->hash) &&
                cJSON_AddStringToObject(facts, "image", spec->image) &&
                cJSON_AddNumberToObject(facts, "grace_ms", spec->stop_grace_ms);
    return good ? 0 : FAIL(step, GANTRY_E_NOMEM, "out of memory");
}

/* As long as nobody can see it, nothing has to be undone but the folder. */
static int
fill(struct step *step, const struct gantry_spec *spec, const char *image, struct bundle *bundle)
{
    char rootfs[PATH_MAX], path[PATH_MAX], source[PATH_MAX];
    struct output output;
    snprintf(source, sizeof source, "%s/.", image);
    const char *const copy[] = {
        "cp", "-a", "--reflink=auto", "--", source, bundle_path(bundle, "rootfs", rootfs), NULL};
    int rc = mkdir(rootfs, 0755) == 0
                 ? 0
                 : FAIL(step, GANTRY_E_UNAVAILABLE, "folder '%s' cannot be made", rootfs);
    if (rc == 0)
        rc = command_run(step, copy, &output);
    if (rc == 0) {
        if (output.code != 0)
            rc = FAIL(step, GANTRY_E_UNAVAILABLE, "image folder '%s' cannot be copied: %s", image,
                      output.error);
        output_clear(&output);
    }
    if (rc == 0)
        rc = make_facts(step, bundle, spec);
    if (rc == 0)
        rc = make_config(step, bundle, spec);
    if (rc == 0) {
        char *text = cJSON_PrintUnformatted(bundle->config);
        struct gantry_file file = {
            .bytes = text, .bytes_size = text ? strlen(text) : 0, .mode = 0600};
        rc = text ? write_bytes(step, bundle_path(bundle, "config.json", path), &file)
                  : FAIL(step, GANTRY_E_NOMEM, "out of memory");
        cJSON_free(text);
    }
    return rc;
}

int
bundle_make(struct step *step, const struct gantry_spec *spec, struct bundle *bundle)
{
    struct runc *runc = step->runc;
    struct timespec now;
    *bundle = (struct bundle){0};
    const char *image = find_image(runc, spec->image);
    if (!image || access(image, F_OK) != 0)
        return FAIL(step, GANTRY_E_IMAGE_MISSING,
                    "image '%s' is not among the images, or its folder is gone", spec->image);
    mkdir(runc->folder, 0700); /* that they are there already is as good; all else fails below */
    mkdir(runc->workloads, 0700);
    clock_gettime(CLOCK_REALTIME, &now);
    int rc = 0, problem = EEXIST;
    for (int i = 0; i < 100 && problem == EEXIST; i++) {
        snprintf(bundle->handle, sizeof bundle->handle, "r%llx-%lx", (unsigned long long)now.tv_sec,
                 (unsigned long)now.tv_nsec + (unsigned long)i);
        snprintf(bundle->folder, sizeof bundle->folder, "%s/.%s", runc->workloads, bundle->handle);
        problem = mkdir(bundle->folder, 0700) == 0 ? 0 : errno;
    }
    if (problem != 0)
        return FAIL(step, GANTRY_E_UNAVAILABLE, "folder '%s' cannot be made: error %d",
                    bundle->folder, problem);
    rc = fill(step, spec, image, bundle);
    if (rc < 0)
        bundle_discard(step, bundle);
    return rc;
}
