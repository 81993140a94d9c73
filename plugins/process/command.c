/* What runs for an image: the command lines of the settings.  See process.h.
 *
 * An image is a name that the platform gives; which program that is, only the settings say.  An image
 * that is an absolute path counts only below a folder of program_folders, or whoever may edit a connector
 * on the platform could run anything on this host. */
#include "process.h"
#include "settings.h"
#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* How much of a reference is left without tag and digest. */
static size_t
bare_length(const char *image)
{
    size_t length = strcspn(image, "@");
    size_t tag = length;
    while (tag > 0 && image[tag - 1] != ':' && image[tag - 1] != '/')
        tag--;
    return tag > 0 && image[tag - 1] == ':' ? tag - 1 : length;
}

static const char *
find_command(const struct process *process, const char *image)
{
    size_t bare = bare_length(image);
    const char *found = NULL;
    for (size_t i = 0; i < process->image_count; i++) {
        const struct process_map *row = &process->images[i];
        if (strcmp(row->image, image) == 0)
            return row->command;
        if (strlen(row->image) == bare && strncmp(row->image, image, bare) == 0)
            found = row->command;
    }
    return found;
}

static bool
is_allowed_path(const struct process *process, const char *image)
{
    char *path = image[0] == '/' ? realpath(image, NULL) : NULL;
    bool allowed = false;
    for (size_t i = 0; path && !allowed && i < process->program_folder_count; i++) {
        char *folder = realpath(process->program_folders[i], NULL);
        size_t length = folder ? strlen(folder) : 0;
        allowed = length > 1 && strncmp(path, folder, length) == 0 && path[length] == '/';
        free(folder);
    }
    free(path);
    return allowed;
}

/* ---- is it there --------------------------------------------------------------------------------- */

static bool
can_be_run(const char *path)
{
    struct stat about;
    errno = 0;
    if (stat(path, &about) < 0)
        return false;
    errno = EACCES;
    return S_ISREG(about.st_mode) && about.st_mode & 0111;
}

static const char *
path_variable(const struct gantry_spec *spec)
{
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *variable =
            GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
        if (strcmp(variable->key, "PATH") == 0)
            return variable->value;
    }
    return DEFAULT_PATH;
}

/* 0, or an errno.  directory: where it will stand; may be NULL. */
static int
look_for(const char *program, const char *search, const char *directory)
{
    char path[4200];
    if (strchr(program, '/')) {
        snprintf(path, sizeof path, "%s%s%s",
                 program[0] == '/' ? ""
                 : directory       ? directory
                                   : "",
                 program[0] == '/' ? "" : "/", program);
        return can_be_run(path) ? 0 : errno;
    }
    int error = ENOENT;
    while (*search) {
        size_t length = strcspn(search, ":");
        snprintf(path, sizeof path, "%.*s/%s", (int)length, search, program);
        if (can_be_run(path))
            return 0;
        if (errno == EACCES)
            error = EACCES;
        search += length + (search[length] == ':');
    }
    return error;
}

int
spec_command(struct process_task *task, const struct gantry_spec *spec, struct text *out)
{
    const char *line = find_command(task->process, spec->image);
    AUTO_TEXT words = TEXT(1 << 17);
    size_t count = 1;
    const char *problem = NULL;
    if (line)
        problem = words_split(line, &words, &count);
    else if (is_allowed_path(task->process, spec->image))
        text_add_bytes(&words, spec->image, strlen(spec->image) + 1);
    else
        return process_fail(task, GANTRY_E_IMAGE_MISSING,
                            "image '%.200s' has no command here; add it to 'images' of the "
                            "[backend] section",
                            spec->image);
    if (problem || words.failed)
        return process_fail(task, GANTRY_E_INVALID, "images: the command of '%.200s': %s",
                            spec->image, problem ? problem : "out of memory");
    const char *program = text_cstr(&words);
    int error =
        look_for(program, path_variable(spec), settings_text(spec->settings, "working_directory"));
    if (error == EACCES)
        return process_fail(task, GANTRY_E_INVALID,
                            "image '%.200s': '%.300s' is no program that can be run", spec->image,
                            program);
    if (error)
        return process_fail(task, GANTRY_E_INVALID,
                            "image '%.200s': its program '%.300s' is not there: %s", spec->image,
                            program, strerrordesc_np(error));
    for (const char *word = program; count--; word += strlen(word) + 1)
        record_add(out, "arg", word);
    return 0;
}
