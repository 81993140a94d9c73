/* watch(): inotify on the folder of all workloads and on each workload's own, and a pidfd for each shim.
 *
 * Every change is a file that takes another's place, so it is told when it has happened; a shim that is
 * killed changes no file, so its pidfd tells that.  Nothing is asked in between. */
#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* One workload that bears the labels. */
struct watched {
    char handle[PROCESS_HANDLE_MAX];
    char *id; /* of the connector; may be NULL */
    int wd;
    int pidfd; /* of its shim, or of its program where the shim was killed; -1: neither lives */
    bool seen;
};

struct watching {
    struct process_task *task;
    const struct gantry_pair *labels;
    uint32_t count, stride;
    int inotify, root_wd;
    struct watched *list;
    size_t used, room;
    int32_t *fds; /* inotify, then the pidfds; room + 1 of them */
    bool lost;    /* the folder of all is gone */
    int emit_code;
};

static void
forget(struct watching *w, size_t i)
{
    struct watched *item = &w->list[i];
    inotify_rm_watch(w->inotify, item->wd);
    if (item->pidfd >= 0)
        close(item->pidfd);
    free(item->id);
    w->list[i] = w->list[--w->used];
}

static int
emit(struct watching *w, uint32_t kind, const struct watched *item)
{
    const struct gantry_event event = {
        .size = sizeof event,
        .kind = kind,
        .handle = item ? item->handle : NULL,
        .id = item ? item->id : NULL,
    };
    w->emit_code = gantry_emit_event(w->task->process->host, w->task->call, &event);
    return w->emit_code;
}

static struct watched *
find(struct watching *w, const char *handle)
{
    for (size_t i = 0; i < w->used; i++)
        if (strcmp(w->list[i].handle, handle) == 0)
            return &w->list[i];
    return NULL;
}

static int
follow_process(struct process_task *task, struct watched *item, struct workload *workload)
{
    int code = 0;
    if (item->pidfd >= 0)
        close(item->pidfd);
    item->pidfd = -1;
    while (code == 0 && item->pidfd < 0 && (workload->shim_lives || workload->child_lives)) {
        const struct process_state *state = &workload->state;
        int fd = identity_open(workload->shim_lives ? &state->shim : &state->child);
        item->pidfd = fd < 0 ? -1 : fd;
        if (fd == -ESRCH) /* it has ended since */
            code = workload_look(task, workload);
        else if (fd < 0)
            code = process_fail_errno(task, fd, "watch: '%s' cannot be followed",
                                      workload_name(workload));
    }
    return code;
}

static int
out_of_memory(struct watching *w)
{
    return process_fail(w->task, GANTRY_E_NOMEM, "watch: out of memory");
}

static int
add(struct watching *w, const struct workload *workload)
{
    if (w->used == w->room) {
        size_t room = w->room ? w->room * 2 : 32;
        struct watched *list = realloc(w->list, room * sizeof *list);
        if (list)
            w->list = list;
        int32_t *fds = realloc(w->fds, (room + 1) * sizeof *fds);
        if (fds)
            w->fds = fds;
        if (!list || !fds)
            return out_of_memory(w);
        w->room = room;
    }
    char path[64];
    const char *id = workload_text(workload, "id");
    struct watched item = {.pidfd = -1, .seen = true, .id = id ? strdup(id) : NULL};
    memcpy(item.handle, workload->handle, sizeof item.handle);
    snprintf(path, sizeof path, "/proc/self/fd/%d", workload->folder);
    item.wd = id && !item.id ? -1 : inotify_add_watch(w->inotify, path, IN_MOVED_TO | IN_ONLYDIR);
    if (item.wd < 0) {
        int error = errno;
        free(item.id);
        return process_fail_errno(w->task, -error, "watch: '%s' cannot be watched",
                                  workload_name(workload));
    }
    w->list[w->used++] = item;
    return 0;
}

/* Take over how it is now, and follow it. */
static int
follow(struct process_task *task, struct workload *workload, void *context)
{
    struct watching *w = context;
    (void)task;
    struct watched *item = find(w, workload->handle);
    if (!workload_has_labels(workload, w->labels, w->count, w->stride))
        return 0;
    if (!item) {
        int code = add(w, workload);
        if (code < 0)
            return code;
        item = &w->list[w->used - 1];
        /* What changed before it was watched. */
        struct process_task own = *task;
        (void)workload_look(&own, workload);
    }
    item->seen = true;
    return follow_process(task, item, workload);
}

/* Something happened to this one: what is it, and is it still there? */
static int
look_again(struct watching *w, const char *handle)
{
    AUTO_WORKLOAD workload = {.folder = -1};
    struct process_task own = *w->task;
    int code = workload_open(&own, handle, &workload);
    if (code == 0)
        code = follow(&own, &workload, w);
    /* What is damaged is inspected by the host, which hears why; else who is watched is not known any more. */
    if (code < 0 && code != GANTRY_E_NOT_FOUND && code != GANTRY_E_INTERNAL) {
        *w->task = own;
        return code;
    }
    struct watched *item = find(w, handle);
    if (!item)
        return 0; /* not one of ours, or not to be read: a listing says so */
    int emitted = emit(w, GANTRY_EVENT_CHANGED, item);
    if (code == GANTRY_E_NOT_FOUND)
        forget(w, (size_t)(item - w->list));
    else if (code < 0 && item->pidfd >= 0) {
        close(item->pidfd);
        item->pidfd = -1;
    }
    return emitted;
}

static int
scan(struct watching *w)
{
    for (size_t i = 0; i < w->used; i++)
        w->list[i].seen = false;
    int code = workload_each(w->task, follow, w);
    for (size_t i = w->used; code == 0 && i > 0; i--)
        if (!w->list[i - 1].seen)
            forget(w, i - 1);
    return code == 0 ? emit(w, GANTRY_EVENT_SYNCED, NULL) : code;
}

/* ---- events ------------------------------------------------------------------------------------------- */

static int
on_event(struct watching *w, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW)
        return scan(w);
    if (event->wd == w->root_wd) {
        w->lost |= (event->mask & (IN_IGNORED | IN_UNMOUNT)) != 0;
        return event->len && event->name[0] != '.' ? look_again(w, event->name) : 0;
    }
    if (event->len && strcmp(event->name, "state") != 0 && strcmp(event->name, "about") != 0)
        return 0;
    for (size_t i = 0; i < w->used; i++)
        if (w->list[i].wd == event->wd && !(event->mask & IN_IGNORED))
            return look_again(w, w->list[i].handle);
    return 0;
}

static int
read_events(struct watching *w)
{
    _Alignas(struct inotify_event) char block[16384];
    int code = 0;
    for (ssize_t got; code == 0 && (got = read(w->inotify, block, sizeof block)) > 0;)
        for (char *at = block; code == 0 && at < block + got;) {
            const struct inotify_event *event = (const void *)at;
            code = on_event(w, event);
            at += sizeof *event + event->len;
        }
    return code;
}

static int
look_at_processes(struct watching *w)
{
    int code = 0;
    for (size_t i = w->used; code == 0 && i > 0; i--) {
        const struct watched *item = i <= w->used ? &w->list[i - 1] : NULL;
        if (item && item->pidfd >= 0 && identity_has_ended(item->pidfd, 0)) {
            char handle[PROCESS_HANDLE_MAX];
            memcpy(handle, item->handle, sizeof handle);
            code = look_again(w, handle);
        }
    }
    return code;
}

static int
follow_all(struct watching *w)
{
    int code = scan(w);
    while (code == 0) {
        uint32_t count = 0;
        w->fds[count++] = w->inotify;
        for (size_t i = 0; i < w->used; i++)
            if (w->list[i].pidfd >= 0)
                w->fds[count++] = w->list[i].pidfd;
        bool readable = process_wait(w->task, w->fds, count, INT64_MAX);
        code = process_cancelled(w->task);
        if (code == 0 && readable)
            code = read_events(w);
        if (code == 0 && readable)
            code = look_at_processes(w);
        if (code == 0 && w->lost)
            code = process_fail(w->task, GANTRY_E_UNAVAILABLE, "watch: folder '%s' has gone",
                                w->task->process->folder);
    }
    return code;
}

int
process_op_watch(struct process_task *task, const struct gantry_pair *labels, uint32_t count,
                 uint32_t stride)
{
    struct watching w = {.task = task, .labels = labels, .count = count, .stride = stride};
    char path[64];
    int folder = workload_folder(task), code = folder < 0 ? folder : 0;
    if (code < 0)
        return code;
    w.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    snprintf(path, sizeof path, "/proc/self/fd/%d", folder);
    w.root_wd = w.inotify < 0
                    ? -1
                    : inotify_add_watch(w.inotify, path, IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
    if (w.root_wd < 0)
        code = process_fail_errno(task, -errno, "watch: '%s' cannot be watched",
                                  task->process->folder);
    close(folder);
    w.fds = malloc(sizeof *w.fds);
    if (!w.fds)
        code = out_of_memory(&w);
    if (code == 0)
        code = follow_all(&w);
    while (w.used)
        forget(&w, w.used - 1);
    free(w.list);
    free(w.fds);
    if (w.inotify >= 0)
        close(w.inotify);
    return w.emit_code ? w.emit_code : code;
}
