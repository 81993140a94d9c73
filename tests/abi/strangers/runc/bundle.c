/* bundle.c - the folder of a workload: how it is made, read, renamed and removed. */
#define _GNU_SOURCE /* nftw */
#include "runc.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---------------------------------------------------------------------------------------- */

const char *
bundle_path(const struct bundle *bundle, const char *file, char *path)
{
    int size = snprintf(path, PATH_MAX, "%s/%s", bundle->folder, file);
    if (size < 0 || size >= PATH_MAX)
        path[0] = '\0'; /* no file has this name, so that whoever opens it gets an error */
    return path;
}

bool
bundle_has(const struct bundle *bundle, const char *file)
{
    char path[PATH_MAX];
    return access(bundle_path(bundle, file, path), F_OK) == 0;
}

static int
write_file(struct step *step, const char *path, const void *bytes, size_t size, mode_t mode)
{
    const char *at = bytes;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0;
    while (good && size > 0) {
        ssize_t done = write(fd, at, size);
        good = done > 0 || errno == EINTR;
        at += done > 0 ? done : 0;
        size -= done > 0 ? (size_t)done : 0;
    }
    good = good && fchmod(fd, mode) == 0; /* whatever the umask */
    int problem = errno;
    if (fd >= 0)
        good = close(fd) == 0 && good;
    return good ? 0
                : FAIL(step, GANTRY_E_UNAVAILABLE, "file '%s' cannot be written: error %d", path,
                       problem);
}

int
bundle_touch(struct step *step, const struct bundle *bundle, const char *file)
{
    char path[PATH_MAX];
    return bundle_has(bundle, file)
               ? 0
               : write_file(step, bundle_path(bundle, file, path), "", 0, 0600);
}

char *
file_read(const char *path)
{
    struct stat about;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &about) == 0 && (text = malloc((size_t)about.st_size + 1)) != NULL) {
        ssize_t got = read(fd, text, (size_t)about.st_size);
        if (got < 0) {
            free(text);
            text = NULL;
        } else
            text[got] = '\0';
    }
    int problem = errno;
    if (fd >= 0)
        close(fd);
    errno = problem;
    return text;
}

static int
write_json(struct step *step, const struct bundle *bundle, const char *file, const cJSON *json)
{
    char path[PATH_MAX], beside[PATH_MAX];
    char *text = cJSON_PrintUnformatted(json);
    if (!text)
        return FAIL(step, GANTRY_E_NOMEM, "out of memory");
    unlink(bundle_path(bundle, ".new", beside)); /* of a write that was interrupted */
    int rc = write_file(step, beside, text, strlen(text), 0600);
    if (rc == 0 && rename(beside, bundle_path(bundle, file, path)) != 0)
        rc = FAIL(step, GANTRY_E_UNAVAILABLE, "file '%s' cannot be renamed: error %d", beside,
                  errno);
    cJSON_free(text);
    return rc;
}

static int
remove_one(const char *path, const struct stat *about, int type, struct FTW *place)
{
    (void)about;
    (void)type;
    (void)place;
    return remove(path);
}

static int
remove_tree(struct step *step, const char *folder)
{
    if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 || errno == ENOENT)
        return 0;
    return FAIL(step, GANTRY_E_UNAVAILABLE, "folder '%s' cannot be removed: error %d", folder,
                errno);
}

/* ---- reading -------------------------------------------------------------------------------------- */

static char *
text_of(const cJSON *object, const char *key)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

static int
read_json(struct step *step, const struct bundle *bundle, const char *file, cJSON **out)
{
    char path[PATH_MAX];
    char *text = file_read(bundle_path(bundle, file, path));
    if (!text && errno == ENOENT)
        return GANTRY_E_NOT_FOUND;
    *out = text ? cJSON_Parse(text) : NULL;
    free(text);
    return *out ? 0
                : FAIL(step, GANTRY_E_UNAVAILABLE, "file '%s' cannot be read, or is no JSON", path);
}

static int
read_labels(struct step *step, struct bundle *bundle)
{
    cJSON *annotations = cJSON_GetObjectItemCaseSensitive(bundle->config, "annotations");
    size_t count = (size_t)cJSON_GetArraySize(annotations);
    bundle->labels = calloc(count + 1, sizeof bundle->labels[0]);
    if (!bundle->labels)
        return FAIL(step, GANTRY_E_NOMEM, "out of memory");
    for (const cJSON *item = annotations ? annotations->child : NULL; item; item = item->next)
        if (cJSON_IsString(item))
            bundle->labels[bundle->label_count++] =
                (struct gantry_pair){item->string, item->valuestring};
    return 0;
}

static int
read_facts(struct step *step, struct bundle *bundle)
{
    bundle->name = text_of(bundle->facts, "name");
    bundle->id = text_of(bundle->facts, "id");
    bundle->hash = text_of(bundle->facts, "hash");
    bundle->image = text_of(bundle->facts, "image");
    cJSON *grace = cJSON_GetObjectItemCaseSensitive(bundle->facts, "grace_ms");
    bundle->grace_ms = cJSON_IsNumber(grace) ? (uint32_t)grace->valuedouble : 0;
    return bundle->name && bundle->id && bundle->hash && bundle->image
               ? 0
               : FAIL(step, GANTRY_E_UNAVAILABLE, "file '%s/facts.json' lacks something",
                      bundle->folder);
}

static void
set_folder(const struct runc *runc, struct bundle *bundle, bool hidden)
{
    int size = snprintf(bundle->folder, sizeof bundle->folder, "%s/%s%s", runc->workloads,
                        hidden ? "." : "", bundle->handle);
    if (size < 0 || (size_t)size >= sizeof bundle->folder)
        bundle->folder[0] = '\0';
}

int
bundle_load(struct step *step, const char *handle, struct bundle *bundle)
{
    *bundle = (struct bundle){0};
    if (!handle[0] || handle[strspn(handle, "0123456789abcdef-r")] ||
        strlen(handle) >= sizeof bundle->handle)
        return GANTRY_E_NOT_FOUND; /* none of ours */
    snprintf(bundle->handle, sizeof bundle->handle, "%s", handle);
    set_folder(step->runc, bundle, false);
    int rc = read_json(step, bundle, "facts.json", &bundle->facts);
    if (rc == 0)
        rc = read_json(step, bundle, "config.json", &bundle->config);
    if (rc == 0)
        rc = read_facts(step, bundle);
    if (rc == 0)
        rc = read_labels(step, bundle);
    if (rc < 0)
        bundle_clear(bundle);
    return rc;
}

void
bundle_clear(struct bundle *bundle)
{
    cJSON_Delete(bundle->config);
    cJSON_Delete(bundle->facts);
    free(bundle->labels);
    *bundle = (struct bundle){0};
}

int
bundle_each(struct step *step, int (*each)(struct step *step, struct bundle *bundle, void *context),
            void *context)
{
    DIR *folder = opendir(step->runc->workloads);
    int rc = 0;
    if (!folder)
        return errno == ENOENT
                   ? 0
                   : FAIL(step, GANTRY_E_UNAVAILABLE, "folder '%s' cannot be read: error %d",
                          step->runc->workloads, errno);
    for (struct dirent *entry; rc == 0 && (errno = 0, entry = readdir(folder)) != NULL;) {
        struct bundle bundle;
        if (entry->d_name[0] == '.')
            continue;
        rc = bundle_load(step, entry->d_name, &bundle);
        if (rc == GANTRY_E_NOT_FOUND) { /* removed meanwhile */
            rc = 0;
            continue;
        }
        if (rc == 0)
            rc = each(step, &bundle, context);
        bundle_clear(&bundle);
    }
    if (rc == 0 && errno != 0)
        rc = FAIL(step, GANTRY_E_UNAVAILABLE, "folder '%s' cannot be read: error %d",
                  step->runc->workloads, errno);
    closedir(folder);
    return rc;
}

/* ---- labels --------------------------------------------------------------------------------------- */

bool
bundle_bears(const struct bundle *bundle, const struct gantry_pair *labels, uint32_t count,
             uint32_t stride)
{
    return gantry_has_labels(bundle->labels, bundle->label_count, sizeof bundle->labels[0], labels,
                             count, stride);
}

bool
bundle_same_owner(const struct bundle *bundle, const struct gantry_pair *labels, uint32_t count,
                  uint32_t stride)
{
    static const char *const keys[] = {GANTRY_LABEL_MANAGER, GANTRY_LABEL_PLATFORM,
                                       GANTRY_LABEL_CONNECTOR};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *own = gantry_find_label(bundle->labels, bundle->label_count,
                                            sizeof bundle->labels[0], keys[i]);
        const char *other = gantry_find_label(labels, count, stride, keys[i]);
        if (strcmp(own ? own : "", other ? other : "") != 0)
            return false;
    }
    return true;
}

/* ---- names ---------------------------------------------------------------------------------------- */

struct holder {
    const char *name;
    const struct gantry_spec *spec; /* whose name it shall be; may be NULL: nobody asks */
    bool taken, own;
};

static int
look_at_name(struct step *step, struct bundle *bundle, void *context)
{
    struct holder *holder = context;
    (void)step;
    if (strcmp(bundle->name, holder->name) != 0)
        return 0;
    holder->taken = true;
    holder->own =
        holder->spec && bundle_same_owner(bundle, holder->spec->labels, holder->spec->label_count,
                                          holder->spec->label_stride);
    return 0;
}

static int
write_facts(struct step *step, struct bundle *bundle, const char *name)
{
    cJSON *text = cJSON_CreateString(name);
    if (!text || !cJSON_ReplaceItemInObjectCaseSensitive(bundle->facts, "name", text)) {
        cJSON_Delete(text);
        return FAIL(step, GANTRY_E_NOMEM, "out of memory");
    }
    bundle->name = text->valuestring;
    return write_json(step, bundle, "facts.json", bundle->facts);
}

int
bundle_take_name(struct step *step, struct bundle *bundle, const char *name)
{
    struct holder holder = {.name = name};
    int rc = bundle_each(step, look_at_name, &holder);
    if (rc < 0 || holder.taken)
        return rc;
    rc = write_facts(step, bundle, name);
    return rc < 0 ? rc : 1;
}

static int
find_name(struct step *step, const struct gantry_spec *spec, const struct bundle *old, char *name,
          size_t size)
{
    struct holder holder = {.name = spec->name, .spec = spec};
    int rc = bundle_each(step, look_at_name, &holder);
    if (rc < 0)
        return rc;
    if (holder.taken && !holder.own)
        return FAIL(step, GANTRY_E_CONFLICT, "another workload has the name '%s': rename one",
                    spec->name);
    if (holder.taken && !old)
        return FAIL(step, GANTRY_E_UNAVAILABLE, "workload '%s' is there already", spec->name);
    snprintf(name, size, "%s", spec->name);
    while (rc == 0 && (old || holder.taken)) {
        snprintf(name, size, "%s-new-%04x", spec->name, step->runc->names++ & 0xffff);
        holder = (struct holder){.name = name, .spec = spec};
        rc = bundle_each(step, look_at_name, &holder);
        if (!holder.taken)
            break;
    }
    return rc;
}

int
bundle_publish(struct step *step, const struct gantry_spec *spec, const struct bundle *old,
               struct bundle *bundle)
{
    char name[128], hidden[PATH_MAX];
    pthread_mutex_lock(&step->runc->naming);
    int rc = find_name(step, spec, old, name, sizeof name);
    if (rc == 0)
        rc = write_facts(step, bundle, name);
    if (rc == 0) {
        snprintf(hidden, sizeof hidden, "%s", bundle->folder);
        set_folder(step->runc, bundle, false);
        if (rename(hidden, bundle->folder) != 0) {
            set_folder(step->runc, bundle, true);
            rc = FAIL(step, GANTRY_E_UNAVAILABLE, "folder '%s' cannot be renamed: error %d", hidden,
                      errno);
        }
    }
    pthread_mutex_unlock(&step->runc->naming);
    return rc;
}

int
bundle_remove(struct step *step, struct bundle *bundle)
{
    char seen[PATH_MAX];
    snprintf(seen, sizeof seen, "%s", bundle->folder);
    set_folder(step->runc, bundle, true);
    if (rename(seen, bundle->folder) != 0 && errno != ENOENT)
        return FAIL(step, GANTRY_E_UNAVAILABLE, "folder '%s' cannot be renamed: error %d", seen,
                    errno);
    return remove_tree(step, bundle->folder);
}

void
bundle_discard(struct step *step, struct bundle *bundle)
{
    if (bundle->folder[0])
        (void)remove_tree(step, bundle->folder);
    bundle_clear(bundle);
}
