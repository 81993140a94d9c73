/* The folders of workloads: found, read, made and removed.  See process.h. */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_STEP_MS 5

/* ---- the folder of all -------------------------------------------------------------------------- */

/* FOLDER and its parents are made, and below it what is ours; where it was there before and is not any
 * more, that is an error and no reason to begin anew (S1). */
static int
make_folder(const char *path, mode_t mode)
{
    if (mkdir(path, mode) < 0)
        return errno == EEXIST ? 0 : -errno;
    return chmod(path, mode) < 0 ? -errno : 0; /* whatever the umask says */
}

static int
make_folders(struct process_task *task, const char *path)
{
    char *copy = strdup(path);
    int rc = copy ? 0 : -ENOMEM;
    for (char *at = copy; rc == 0 && (at = strchr(at + 1, '/'));) {
        *at = '\0';
        rc = make_folder(copy, 0711);
        *at = '/';
    }
    if (rc == 0)
        rc = make_folder(path, 0700);
    free(copy);
    return rc < 0 ? process_fail_errno(task, rc, "folder '%s' cannot be made", path) : 0;
}

int
workload_folder(struct process_task *task)
{
    struct process *process = task->process;
    AUTO_TEXT path = TEXT(4096);
    text_addf(&path, "%s/workloads", process->folder);
    if (path.failed)
        return process_fail(task, GANTRY_E_INVALID, "the path of 'folder' is too long");
    int fd = open(text_cstr(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !atomic_load(&process->was_there)) {
        int code = make_folders(task, text_cstr(&path));
        if (code < 0)
            return code;
        fd = open(text_cstr(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0) {
        int error = errno == ENOENT ? EIO : errno;
        return process_fail_errno(task, -error, "folder '%s' cannot be read", text_cstr(&path));
    }
    struct stat about;
    int error = fstat(fd, &about) < 0 ? errno : 0;
    /* Whoever can write there says what we run, and as whom. */
    if (error || about.st_uid != geteuid() || about.st_mode & 022) {
        close(fd);
        return error ? process_fail_errno(task, -error, "folder '%s' cannot be read",
                                          text_cstr(&path))
                     : process_fail(task, GANTRY_E_DENIED,
                                    "folder '%s' has to belong to the user %lu, who runs this, and "
                                    "nobody else may write to it",
                                    text_cstr(&path), (unsigned long)geteuid());
    }
    atomic_store(&process->was_there, true);
    return fd;
}

int
workload_lock(struct process_task *task)
{
    int folder = workload_folder(task);
    if (folder < 0)
        return folder;
    int fd = openat(folder, "../lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600),
        rc = fd < 0 ? -errno : 0;
    close(folder);
    while (rc == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        rc = errno == EINTR || errno == EWOULDBLOCK ? 0 : -errno;
        /* It is not for ever that another waits for one who hangs: the call can end. */
        int code = task->finishing ? 0 : process_cancelled(task);
        if (code < 0) {
            close(fd);
            return code;
        }
        nanosleep(&(struct timespec){.tv_nsec = LOCK_STEP_MS * 1000000L}, NULL);
    }
    if (rc == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return process_fail_errno(task, rc, "'%s/lock' cannot be locked", task->process->folder);
}

/* ---- one ---------------------------------------------------------------------------------------- */

static bool
is_handle(const char *text)
{
    size_t length = strspn(text, "0123456789abcdef");
    return length && length < PROCESS_HANDLE_MAX && !text[length];
}

/* Its folder was opened, and is being removed since. */
static bool
is_gone(const struct workload *workload)
{
    struct stat about;
    char path[PROCESS_HANDLE_MAX + 4];
    snprintf(path, sizeof path, "../%s", workload->handle);
    return fstatat(workload->folder, path, &about, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static int
not_found(struct process_task *task, const char *handle)
{
    return process_fail(task, GANTRY_E_NOT_FOUND, "there is no workload '%.40s'", handle);
}

static int
read_about(struct process_task *task, struct workload *workload)
{
    int rc = record_read(workload->folder, "about", &workload->about);
    if (rc == -ENOENT && is_gone(workload))
        return not_found(task, workload->handle);
    if (rc == 0 && !record_find(&workload->about, "name"))
        rc = -EBADMSG;
    if (rc < 0)
        return process_fail_errno(task, rc, "'%s/workloads/%s/about' cannot be read",
                                  task->process->folder, workload->handle);
    return 0;
}

static int
open_at(struct process_task *task, int folder, const char *handle, struct workload *out)
{
    *out = (struct workload){.folder = -1};
    snprintf(out->handle, sizeof out->handle, "%s", handle);
    if (is_handle(handle))
        out->folder = openat(folder, handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    else
        errno = ENOENT;
    if (out->folder < 0 && errno == ENOENT)
        return not_found(task, handle);
    if (out->folder < 0)
        return process_fail_errno(task, -errno, "'%s/workloads/%s' cannot be read",
                                  task->process->folder, handle);
    int code = read_about(task, out);
    if (code == 0)
        code = workload_look(task, out);
    /* Without its file it has never run, unless that is gone with the rest. */
    if (code == 0 && out->state.state == GANTRY_STATE_CREATED && is_gone(out))
        code = not_found(task, handle);
    return code;
}

int
workload_open(struct process_task *task, const char *handle, struct workload *out)
{
    *out = (struct workload){.folder = -1};
    int folder = workload_folder(task);
    if (folder < 0)
        return folder;
    int code = open_at(task, folder, handle, out);
    close(folder);
    return code;
}

void
workload_close(struct workload *workload)
{
    if (workload->folder >= 0)
        close(workload->folder);
    workload->folder = -1;
    record_clear(&workload->about);
}

const char *
workload_text(const struct workload *workload, const char *key)
{
    return record_find(&workload->about, key);
}

const char *
workload_name(const struct workload *workload)
{
    return record_find(&workload->about, "name");
}

const char *
workload_label(const struct workload *workload, const char *key)
{
    size_t length = strlen(key);
    for (const char *label = NULL; (label = record_next(&workload->about, "label", label));)
        if (strncmp(label, key, length) == 0 && label[length] == '=')
            return label + length + 1;
    return NULL;
}

bool
workload_has_labels(const struct workload *workload, const struct gantry_pair *labels,
                    uint32_t count, uint32_t stride)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct gantry_pair *label = GANTRY_AT(struct gantry_pair, labels, stride, i);
        const char *value = workload_label(workload, label->key);
        if (!value || strcmp(value, label->value) != 0)
            return false;
    }
    return true;
}

/* ---- how it is ------------------------------------------------------------------------------------ */

/* 1: that very process lives; 0: it does not; or a negative errno. */
static int
lives(const struct identity *identity)
{
    int fd = identity_open(identity);
    if (fd < 0)
        return fd == -ESRCH ? 0 : fd;
    close(fd);
    return 1;
}

static bool
is_final(int64_t state)
{
    return state == GANTRY_STATE_EXITED || state == GANTRY_STATE_FAILED ||
           state == GANTRY_STATE_CREATED;
}

/* No shim lives: what was written down last is not the end of the story. */
static void
judge_orphan(struct workload *workload)
{
    struct process_state *state = &workload->state;
    if (workload->child_lives) {
        state->state =
            state->state == GANTRY_STATE_STOPPING ? GANTRY_STATE_STOPPING : GANTRY_STATE_RUNNING;
        snprintf(state->error, sizeof state->error,
                 "its shim was killed; what it says is lost until it is started anew");
        return;
    }
    state->present &= ~(int64_t)(GANTRY_STATUS_EXIT_CODE | GANTRY_STATUS_FINISHED);
    state->state = state->stopped ? GANTRY_STATE_EXITED : GANTRY_STATE_FAILED;
    if (!state->stopped)
        snprintf(state->error, sizeof state->error,
                 "its shim was killed, so nobody knows how it ended");
}

/* What ran before the machine, or the container that Gantry runs in, was started anew. */
static int
gone_with_its_world(struct process_state *state)
{
    state->state = GANTRY_STATE_EXITED;
    state->present &= ~(int64_t)(GANTRY_STATUS_EXIT_CODE | GANTRY_STATUS_FINISHED);
    state->cgroup[0] = '\0';
    return 0;
}

/* Started in another pid namespace, where its pids say nothing here: its shim's lock tells whether that lives. */
static int
look_elsewhere(struct workload *workload)
{
    int lock = state_lock(workload->folder);
    if (lock >= 0) {
        close(lock);
        return gone_with_its_world(&workload->state);
    }
    if (lock != -EWOULDBLOCK)
        return lock;
    workload->state.state = GANTRY_STATE_UNKNOWN;
    snprintf(workload->state.error, sizeof workload->state.error,
             "it was started in another pid namespace, and runs there");
    return 0;
}

static int
look_once(struct workload *workload)
{
    struct process_state *state = &workload->state;
    struct machine machine;
    workload->shim_lives = workload->child_lives = false;
    int rc = state_read(workload->folder, state);
    if (rc == -ENOENT) {
        *state = (struct process_state){.state = GANTRY_STATE_CREATED};
        return 0;
    }
    if (rc < 0 || is_final(state->state))
        return rc;
    rc = machine_read(&machine);
    if (rc < 0)
        return rc;
    if (strcmp(machine.boot, state->machine.boot) != 0)
        return gone_with_its_world(state);
    if (machine.pid_namespace != state->machine.pid_namespace)
        return look_elsewhere(workload);
    int shim = lives(&state->shim), child = shim == 0 ? lives(&state->child) : 0;
    workload->shim_lives = shim == 1;
    workload->child_lives = child == 1;
    return shim < 0 ? shim : child;
}

int
workload_look(struct process_task *task, struct workload *workload)
{
    struct identity shim;
    int rc, tries = 0;
    do { /* a shim that ends between the two looks has written down how */
        rc = look_once(workload);
        shim = workload->state.shim;
        struct process_state again;
        if (rc < 0 || workload->shim_lives || is_final(workload->state.state) ||
            state_read(workload->folder, &again) < 0 ||
            (again.shim.pid == shim.pid && !is_final(again.state)))
            break;
    } while (++tries < 3);
    if (rc < 0)
        return process_fail_errno(task, rc, "the state of '%s' (%s) cannot be read",
                                  workload_name(workload), workload->handle);
    if (!workload->shim_lives && !is_final(workload->state.state) &&
        workload->state.state != GANTRY_STATE_UNKNOWN)
        judge_orphan(workload);
    return 0;
}

/* ---- all ------------------------------------------------------------------------------------------ */

int
workload_each(struct process_task *task,
              int (*each)(struct process_task *task, struct workload *workload, void *context),
              void *context)
{
    int fd = workload_folder(task), code = 0;
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !entries) {
        code = process_fail_errno(task, -errno, "'%s' cannot be read", task->process->folder);
        close(fd);
    }
    if (!entries)
        return fd < 0 ? fd : code;
    const struct dirent *entry;
    while (code == 0 && (errno = 0, entry = readdir(entries))) {
        if (!is_handle(entry->d_name))
            continue;
        AUTO_WORKLOAD workload = {.folder = -1};
        struct process_task own = *task;
        code = open_at(&own, fd, entry->d_name, &workload);
        if (code == 0)
            code = each(task, &workload, context);
        else if (code == GANTRY_E_NOT_FOUND)
            code = 0; /* removed meanwhile */
        else
            *task = own;
        if (code == 0)
            errno = 0;
    }
    if (code == 0 && errno)
        code = process_fail_errno(task, -errno, "'%s' cannot be read", task->process->folder);
    closedir(entries);
    return code;
}

/* ---- changes ---------------------------------------------------------------------------------------- */

/* A folder that holds files and nothing else. */
static int
delete_tree(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (!entries) {
        int rc = errno == ENOENT ? 0 : -errno;
        if (fd >= 0)
            close(fd);
        return rc;
    }
    int rc = 0;
    const struct dirent *entry;
    while ((entry = readdir(entries))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, entry->d_name, 0) < 0 && errno != ENOENT)
            rc = -errno;
    }
    closedir(entries);
    if (rc == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        rc = -errno;
    return rc;
}

/* Nobody shall begin to run what is being removed.  A descriptor, or a negative errno; -ENOENT: it is not there. */
static int
lock_out_shims(int folder, const char *handle)
{
    int fd = openat(folder, handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    int lock = state_lock(fd);
    /* A shim that has opened the folder before finds nothing to run in it. */
    if (lock >= 0)
        (void)unlinkat(fd, "spec", 0);
    close(fd);
    return lock;
}

int
workload_delete(struct process_task *task, const char *handle)
{
    if (!is_handle(handle)) /* nothing that we made */
        return not_found(task, handle);
    int folder = workload_folder(task);
    if (folder < 0)
        return folder;
    char aside[PROCESS_HANDLE_MAX + 1], files[PROCESS_HANDLE_MAX + 16];
    snprintf(aside, sizeof aside, ".%s", handle);
    snprintf(files, sizeof files, "../files/%s", handle);
    int lock = lock_out_shims(folder, handle), rc = lock < 0 && lock != -ENOENT ? lock : 0;
    /* Nobody shall find half of one. */
    if (rc == 0 && renameat(folder, handle, folder, aside) < 0 && errno != ENOENT)
        rc = -errno;
    if (rc == 0) { /* what cannot be removed is no reason to keep the rest, and its secrets */
        int rest = delete_tree(folder, files);
        rc = delete_tree(folder, aside);
        rc = rc < 0 ? rc : rest;
    }
    if (lock >= 0)
        close(lock);
    close(folder);
    if (rc == -EWOULDBLOCK)
        return process_fail(task, GANTRY_E_UNAVAILABLE,
                            "workload '%s' cannot be removed: a shim has begun to run it", handle);
    return rc < 0 ? process_fail_errno(task, rc, "the folder of workload '%s' cannot be removed",
                                       handle)
                  : 0;
}

int
workload_rename(struct process_task *task, struct workload *workload, const char *name)
{
    AUTO_TEXT text = TEXT(RECORD_MAX);
    record_add(&text, "name", name);
    const char *end = workload->about.data + workload->about.size;
    for (const char *at = workload->about.data; at < end; at += strlen(at) + 1)
        if (strncmp(at, "name=", 5) != 0)
            text_add_bytes(&text, at, strlen(at) + 1);
    int rc = record_write(workload->folder, "about", &text);
    return rc < 0 ? process_fail_errno(task, rc, "'%s' cannot be called '%s'",
                                       workload_name(workload), name)
                  : 0;
}
