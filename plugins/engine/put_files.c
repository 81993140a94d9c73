/* A spec's files -> the container, between its creation and its start.  See engine.h.
 *
 * The engine takes them as an archive, into the container's writable layer.  That does not do where the
 * root is read-only (it refuses), or below a folder in memory (which would cover them): such files go
 * into an anonymous volume in the place of their folder, which lives and goes with the container. */
#include "engine.h"
#include "options.h"
#include "tar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER_MAX 4096

static const struct gantry_file *
file_at(const struct gantry_spec *spec, uint32_t i)
{
    return GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i);
}

/* Is the file below a folder in memory?  at_once: right in it. */
static bool
is_in_memory(const struct gantry_spec *spec, const struct gantry_file *file, bool at_once)
{
    const struct gantry_value *tmpfs = option_items(spec->settings, "tmpfs");
    for (uint32_t i = 0; tmpfs && i < tmpfs->item_count; i++) {
        char folder[1024];
        const char *options;
        if (!option_parse_tmpfs(tmpfs->items[i], folder, sizeof folder, &options))
            continue;
        size_t length = strlen(folder);
        while (length > 1 && folder[length - 1] == '/')
            length--;
        if (strncmp(file->path, folder, length) == 0 && file->path[length] == '/' &&
            (!at_once || !strchr(file->path + length + 1, '/')))
            return true;
    }
    return false;
}

static bool
needs_volume(const struct gantry_spec *spec, const struct gantry_file *file)
{
    return option_is_on(spec->settings, "read_only") || is_in_memory(spec, file, false);
}

/* Where the archive with this file is unpacked: the folder of its volume, else the root. */
static void
folder_of(const struct gantry_spec *spec, const struct gantry_file *file, char *folder)
{
    size_t length = (size_t)(strrchr(file->path, '/') - file->path);
    if (length == 0 || !needs_volume(spec, file))
        length = 0;
    memcpy(folder, file->path, length);
    folder[length] = '\0';
}

/* Is file i the first one with its folder? */
static bool
is_first(const struct gantry_spec *spec, uint32_t i, const char *folder)
{
    char other[FOLDER_MAX];
    for (uint32_t k = 0; k < i; k++) {
        folder_of(spec, file_at(spec, k), other);
        if (strcmp(other, folder) == 0)
            return false;
    }
    return true;
}

int
engine_files_check(struct engine_task *task, const struct gantry_spec *spec)
{
    for (uint32_t i = 0; i < spec->file_count; i++) {
        const struct gantry_file *file = file_at(spec, i);
        if (!tar_path_is_good(file->path))
            return engine_fail(task, GANTRY_E_INVALID,
                               "workload '%s': file path '%s' is not absolute and plain",
                               spec->name, file->path);
        if (strrchr(file->path, '/') == file->path && needs_volume(spec, file))
            return engine_fail(task, GANTRY_E_INVALID,
                               "workload '%s': file '%s' cannot lie in a root folder that is "
                               "read-only; set read_only = no",
                               spec->name, file->path);
        if (is_in_memory(spec, file, true))
            return engine_fail(task, GANTRY_E_INVALID,
                               "workload '%s': file '%s' cannot lie in a folder of tmpfs itself; "
                               "name the folder above it there",
                               spec->name, file->path);
    }
    return 0;
}

void
engine_add_volumes(struct text *body, const struct gantry_spec *spec)
{
    char folder[FOLDER_MAX];
    const char *comma = "";
    text_add(body, ",\"Volumes\":{");
    for (uint32_t i = 0; i < spec->file_count; i++) {
        folder_of(spec, file_at(spec, i), folder);
        if (!folder[0] || !is_first(spec, i, folder))
            continue;
        text_add(body, comma);
        text_add_json(body, folder);
        text_add(body, ":{}");
        comma = ",";
    }
    text_add_char(body, '}');
}

/* ---- whose they are -------------------------------------------------------------------------------- */

/* A number or root; *end is behind it. */
bool
engine_read_id(const char *text, uint32_t *id, const char **end)
{
    char *after;
    errno = 0;
    unsigned long value = strtoul(text, &after, 10);
    if (strncmp(text, "root", 4) == 0) {
        value = 0;
        *end = text + 4;
    } else if (text[0] < '0' || text[0] > '9' || errno || value > 2097151) {
        return false; /* more does not fit into an archive's header */
    } else {
        *end = after;
    }
    *id = (uint32_t)value;
    return true;
}

/* Secret files are the user's that it runs as, or nobody could read them. */
static int
find_owner(struct engine_task *task, const struct gantry_spec *spec, const char *id,
           struct tar_owner *owner)
{
    bool wanted = false;
    for (uint32_t i = 0; i < spec->file_count; i++)
        wanted |= file_at(spec, i)->secret != 0;
    if (!wanted)
        return 0;
    AUTO_CONTAINER container = NULL;
    int code = engine_inspect(task, id, &container);
    if (code < 0)
        return code;
    const char *user = json_text(container, "Config.User"); /* the option, else the image's */
    const char *end;
    if (!user || !user[0])
        return 0;
    if (!engine_read_id(user, &owner->user, &end) || (*end != '\0' && *end != ':'))
        return engine_fail(task, GANTRY_E_INVALID,
                           "workload '%s' runs as '%.100s', and secret files need the number of "
                           "their owner; set user to its UID",
                           spec->name, user);
    if (*end == ':' && !engine_read_id(end + 1, &owner->group, &end))
        owner->group = 0; /* of no matter: only the owner may read */
    return 0;
}

/* ---- putting them there ---------------------------------------------------------------------------- */

static int
put_folder(struct engine_task *task, const struct gantry_spec *spec, const char *id,
           const char *folder, const struct tar_owner *owner)
{
    static const struct tar_owner root;
    char other[FOLDER_MAX];
    AUTO_TEXT archive = TEXT_SECRET(256u << 20);
    for (uint32_t i = 0; i < spec->file_count; i++) {
        const struct gantry_file *file = file_at(spec, i);
        folder_of(spec, file, other);
        if (strcmp(other, folder) == 0)
            tar_add_file(&archive, file, file->path + strlen(folder) + 1,
                         file->secret ? owner : &root);
    }
    tar_finish(&archive);
    AUTO_TEXT path = TEXT(16384);
    text_add(&path, "/containers/");
    text_add_url(&path, id);
    text_add(&path, "/archive?path=");
    text_add_url(&path, folder[0] ? folder : "/");
    if (archive.failed || path.failed)
        return engine_fail(task, GANTRY_E_NOMEM, "workload '%s': its files are too large",
                           spec->name);
    const struct engine_request request = {
        .method = "PUT",
        .path = text_cstr(&path),
        .doing = "put files into container",
        .subject = spec->name,
        .content_type = "application/x-tar",
        .body = text_cstr(&archive),
        .body_size = archive.size,
    };
    AUTO_REPLY reply = {0};
    return engine_do(task, &request, &reply);
}

int
engine_put_files(struct engine_task *task, const struct gantry_spec *spec, const char *id)
{
    char folder[FOLDER_MAX];
    struct tar_owner owner = {0, 0};
    int code = find_owner(task, spec, id, &owner);
    for (uint32_t i = 0; code == 0 && i < spec->file_count; i++) {
        folder_of(spec, file_at(spec, i), folder);
        if (is_first(spec, i, folder))
            code = put_folder(task, spec, id, folder, &owner);
    }
    return code;
}
