/* The folder of a workload from what is to run.  See process.h.
 *
 * It is made under a name that begins with a dot and gets its own when it is whole, so that nobody finds
 * half of one; what is left of a call that was cut off is removed by the next. */
#include "options.h"
#include "process.h"
#include "settings.h"
#include "ulimits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CPUS_MIN_NANO 10000000 /* 0.01: less is no quota for the kernel */

/* ---- settings -------------------------------------------------------------------------------------- */

static const char *const text_settings[] = {"restart", "cpus", NULL};
static const char *const number_settings[] = {"memory",       "pids_limit",    "hardened",
                                              "log_max_size", "log_max_files", NULL};

static bool
number_is_good(const struct gantry_settings *settings, const char *key, int64_t least,
               char *problem, size_t size)
{
    const struct gantry_value *value = settings_find(settings, key);
    if (!value || value->number >= least)
        return true;
    snprintf(problem, size, "%s: it has to be at least %lld", key, (long long)least);
    return false;
}

bool
spec_settings_check(const struct gantry_settings *settings, char *problem, size_t size)
{
    const struct gantry_value *ulimits = settings_find(settings, "ulimits");
    const char *cpus = settings_text(settings, "cpus");
    char why[200];
    for (uint32_t i = 0; ulimits && i < ulimits->item_count; i++)
        if (!ulimit_check(ulimits->items[i], why, sizeof why)) {
            snprintf(problem, size, "ulimits: %s", why);
            return false;
        }
    long long nano = 0;
    if (cpus && (!option_parse_cpus(cpus, &nano) || nano < CPUS_MIN_NANO)) {
        snprintf(problem, size, "cpus: it has to be at least 0.01");
        return false;
    }
    return number_is_good(settings, "memory", 1 << 20, problem, size) &&
           number_is_good(settings, "pids_limit", 1, problem, size) &&
           number_is_good(settings, "log_max_size", 1 << 10, problem, size) &&
           number_is_good(settings, "log_max_files", 1, problem, size);
}

/* NAME or NAME:GROUP; the setting of the group alone wins. */
struct owner {
    char user[256], group[256];
};

static struct owner
owner_of(const struct gantry_settings *settings)
{
    const char *user = settings_text(settings, "user"), *group = settings_text(settings, "group");
    struct owner owner = {0};
    size_t length = user ? strcspn(user, ":") : 0;
    if (user)
        snprintf(owner.user, sizeof owner.user, "%.*s", (int)length, user);
    if (group || (user && user[length]))
        snprintf(owner.group, sizeof owner.group, "%s", group ? group : user + length + 1);
    return owner;
}

static void
add_settings(struct text *out, const struct gantry_settings *settings)
{
    const struct gantry_value *ulimits = settings_find(settings, "ulimits");
    const char *directory = settings_text(settings, "working_directory");
    for (const char *const *key = text_settings; *key; key++)
        if (settings_text(settings, *key))
            record_add(out, *key, settings_text(settings, *key));
    for (const char *const *key = number_settings; *key; key++)
        if (settings_find(settings, *key))
            record_add_number(out, *key, settings_find(settings, *key)->number);
    for (uint32_t i = 0; ulimits && i < ulimits->item_count; i++)
        record_add(out, "ulimit", ulimits->items[i]);
    if (directory)
        record_add(out, "directory", directory);
    if (option_is_on(settings, "no_new_privileges"))
        record_add_number(out, "no_new_privileges", 1);
    struct owner owner = owner_of(settings);
    if (*owner.user)
        record_add(out, "user", owner.user);
    if (*owner.group)
        record_add(out, "group", owner.group);
}

/* ---- files of the program ---------------------------------------------------------------------------- */

struct making {
    struct process_task *task;
    const struct gantry_spec *spec;
    const char *handle;
    int folder; /* its own, with a dot */
    int files;  /* its files; -1: it has none yet */
    uid_t uid;  /* of the user that it runs as */
    gid_t gid;
    struct text out; /* the file spec */
};

/* The one who may read its files; an unknown user is told by the start. */
static void
find_owner(struct making *m)
{
    struct owner owner = owner_of(m->spec->settings);
    char text[4096];
    struct passwd entry, *found = NULL;
    m->uid = geteuid();
    m->gid = getegid();
    if (!*owner.user)
        return;
    if (!identity_parse_id(owner.user, &m->uid) &&
        getpwnam_r(owner.user, &entry, text, sizeof text, &found) == 0 && found) {
        m->uid = found->pw_uid;
        m->gid = found->pw_gid;
    }
}

static int
open_files(struct making *m)
{
    char path[PROCESS_HANDLE_MAX + 16];
    if (m->files >= 0)
        return 0;
    find_owner(m);
    snprintf(path, sizeof path, "../../files/%s", m->handle);
    bool made = mkdirat(m->folder, "../../files", 0711) == 0;
    if (!made && errno != EEXIST)
        return -errno;
    if (made && fchmodat(m->folder, "../../files", 0711, 0) < 0) /* whatever the umask says */
        return -errno;
    if (mkdirat(m->folder, path, 0700) < 0)
        return -errno;
    m->files = openat(m->folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (m->files < 0)
        return -errno;
    return m->uid != geteuid() && fchown(m->files, m->uid, m->gid) < 0 ? -errno : 0;
}

static int
write_file(const struct making *m, const char *name, const void *bytes, size_t size, mode_t mode)
{
    int fd = openat(m->files, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    ssize_t wrote = write(fd, bytes, size);
    int rc = wrote < 0 ? -errno : (size_t)wrote < size ? -ENOSPC : 0;
    if (rc == 0 && m->uid != geteuid() && fchown(fd, m->uid, m->gid) < 0)
        rc = -errno;
    if (rc == 0 && fchmod(fd, mode) < 0)
        rc = -errno;
    close(fd);
    return rc;
}

/* Where the program finds it; also the name of the entry by which the start checks that it can. */
static void
add_file_path(const struct making *m, struct text *out, const char *name)
{
    text_addf(out, "%s/files/%s/%s", m->task->process->folder, m->handle, name);
}

static int
add_file(struct making *m, const char *name, const void *bytes, size_t size, mode_t mode)
{
    int rc = open_files(m);
    if (rc == 0)
        rc = write_file(m, name, bytes, size, mode);
    if (rc < 0)
        return process_fail_errno(m->task, rc, "file '%.100s' of '%s' cannot be written", name,
                                  m->spec->name);
    text_add(&m->out, "file=");
    add_file_path(m, &m->out, name);
    text_add_bytes(&m->out, "", 1);
    return 0;
}

static void
name_of_file(char *name, size_t size, uint32_t index, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%u-%.100s", index, slash ? slash + 1 : path);
}

static int
add_files(struct making *m)
{
    int code = 0;
    for (uint32_t i = 0; code == 0 && i < m->spec->file_count; i++) {
        const struct gantry_file *file =
            GANTRY_AT(struct gantry_file, m->spec->files, m->spec->file_stride, i);
        char name[128];
        name_of_file(name, sizeof name, i, file->path);
        code = add_file(m, name, file->bytes, (size_t)file->bytes_size, file->mode & 0777);
    }
    return code;
}

/* ---- environment --------------------------------------------------------------------------------------- */

/* A process has the host's files: one that was meant for a path stands in the workload's own folder, and
 * a variable that names the path names that. */
static void
add_value(struct making *m, const char *value)
{
    for (uint32_t i = 0; i < m->spec->file_count; i++) {
        const struct gantry_file *file =
            GANTRY_AT(struct gantry_file, m->spec->files, m->spec->file_stride, i);
        char name[128];
        if (strcmp(file->path, value) != 0)
            continue;
        name_of_file(name, sizeof name, i, file->path);
        add_file_path(m, &m->out, name);
        return;
    }
    text_add(&m->out, value);
}

/* Libraries read these, and know no NAME_FILE. */
static bool
is_proxy(const char *key)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(key, names[i]) == 0)
            return true;
    return false;
}

static int
add_environment(struct making *m)
{
    const char *secrets = settings_text(m->spec->settings, "secrets");
    bool as_files = secrets && strcmp(secrets, "files") == 0;
    int code = 0;
    for (uint32_t i = 0; code == 0 && i < m->spec->environment_count; i++) {
        const struct gantry_variable *variable =
            GANTRY_AT(struct gantry_variable, m->spec->environment, m->spec->environment_stride, i);
        if (!*variable->key || strpbrk(variable->key, "=/"))
            return process_fail(m->task, GANTRY_E_INVALID,
                                "'%.100s' is no name of an environment variable", variable->key);
        bool as_file = as_files && variable->secret && *variable->value && !is_proxy(variable->key);
        if (as_file)
            code = add_file(m, variable->key, variable->value, strlen(variable->value), 0400);
        text_addf(&m->out, "env=%s%s=", variable->key, as_file ? "_FILE" : "");
        if (as_file)
            add_file_path(m, &m->out, variable->key);
        else
            add_value(m, variable->value);
        text_add_bytes(&m->out, "", 1);
    }
    return code;
}

/* ---- the whole ------------------------------------------------------------------------------------------- */

static int
write_about(struct making *m, const char *name)
{
    AUTO_TEXT about = TEXT(RECORD_MAX);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    record_add(&about, "name", name);
    record_add(&about, "wanted", m->spec->name);
    record_add(&about, "id", m->spec->id);
    record_add(&about, "hash", m->spec->hash);
    record_add(&about, "image", m->spec->image);
    record_add_number(&about, "created_ms", (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    for (uint32_t i = 0; i < m->spec->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, m->spec->labels, m->spec->label_stride, i);
        text_addf(&about, "label=%s=%s", label->key, label->value);
        text_add_bytes(&about, "", 1);
    }
    int rc = record_write(m->folder, "about", &about);
    return rc < 0 ? process_fail_errno(m->task, rc, "'%s' cannot be written down", name) : 0;
}

static int
write_all(struct making *m, const char *name)
{
    char problem[400];
    if (!spec_settings_check(m->spec->settings, problem, sizeof problem))
        return process_fail(m->task, GANTRY_E_INVALID, "%s", problem);
    add_settings(&m->out, m->spec->settings);
    int code = spec_command(m->task, m->spec, &m->out);
    if (code == 0)
        code = add_files(m);
    if (code == 0)
        code = add_environment(m);
    if (code == 0)
        code = write_about(m, name);
    int rc = code == 0 ? record_write(m->folder, "spec", &m->out) : 0;
    if (rc < 0)
        code = process_fail_errno(m->task, rc, "'%s' cannot be written down", name);
    return code;
}

/* What calls that were cut off have left: all of it is older than the lock that is held. */
static void
sweep(struct process_task *task, int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    if (!entries && fd >= 0)
        close(fd);
    while (entries && (entry = readdir(entries)))
        if (entry->d_name[0] == '.' && entry->d_name[1] != '.' && entry->d_name[1])
            (void)workload_delete(task, entry->d_name + 1);
    if (entries)
        closedir(entries);
}

int
spec_make(struct process_task *task, const struct gantry_spec *spec, const char *name, char *handle)
{
    uint64_t random;
    char aside[PROCESS_HANDLE_MAX + 1];
    struct making m = {.task = task, .spec = spec, .files = -1, .out = TEXT_SECRET(RECORD_MAX)};
    int parent = workload_folder(task);
    if (parent < 0)
        return parent;
    struct process_task own = *task;
    sweep(&own, parent);
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = (uint64_t)(uintptr_t)&random ^ (uint64_t)time(NULL);
    snprintf(handle, PROCESS_HANDLE_MAX, "%016llx", (unsigned long long)random);
    snprintf(aside, sizeof aside, ".%s", handle);
    m.handle = handle;
    int rc = mkdirat(parent, aside, 0700) < 0 ? -errno : 0;
    m.folder = rc < 0 ? -1 : openat(parent, aside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = m.folder < 0
                   ? process_fail_errno(task, rc ? rc : -errno, "a folder in '%s' cannot be made",
                                        task->process->folder)
                   : write_all(&m, name);
    if (code == 0 && renameat(parent, aside, parent, handle) < 0)
        code = process_fail_errno(task, -errno, "the folder of '%s' cannot be named", name);
    if (code < 0) {
        own = *task;
        (void)workload_delete(&own, handle);
    }
    text_clear(&m.out);
    if (m.files >= 0)
        close(m.files);
    if (m.folder >= 0)
        close(m.folder);
    close(parent);
    return code;
}
