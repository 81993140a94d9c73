/* local_watch.c - hears from the system that a local platform's folder has changed.
 *
 * Only a hint, so that it is listed before its time: what is not heard (a file behind a symbolic link, a
 * folder on another machine) is found by listing from time to time.  The watch is renewed by each listing,
 * before the folder is read, so that nothing is missed in between, and a folder that was deleted, moved away
 * or mounted over is watched again once there is one. */
#include "err.h"
#include "file.h"
#include "platform_internal.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define OF_A_FILE (IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE)
#define OF_A_NAME (IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)
#define OF_ITSELF (IN_DELETE_SELF | IN_MOVE_SELF)

/* Once, until it works again. */
static void
say(struct local_watch *w, const struct platform *p, int errnum)
{
    AUTO_ERR struct gantry_error *err = NULL;
    if (w->said)
        return;
    w->said = true;
    (void)err_set_errno(&err, GANTRY_E_UNAVAILABLE, errnum, "inotify");
    log_warn(p->log, "the system cannot tell of changes: the folder is read from time to time",
             F_STR("platform", p->name), F_STR("why", err_text(err)));
}

void
local_watch_open(struct local_watch *w, const struct platform *p)
{
    *w = (struct local_watch){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .wd = -1};
    if (w->fd < 0)
        say(w, p, errno);
}

void
local_watch_close(struct local_watch *w)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = -1;
}

void
local_watch_renew(struct local_watch *w, const struct platform *p)
{
    if (w->fd < 0)
        return;
    int wd = inotify_add_watch(w->fd, p->path, OF_A_FILE | OF_A_NAME | OF_ITSELF | IN_ONLYDIR);
    int errnum = errno;
    if (w->wd >= 0 && w->wd != wd)
        (void)inotify_rm_watch(w->fd, w->wd); /* another folder has taken its name */
    w->wd = wd;
    if (wd >= 0)
        w->said = false;
    else if (errnum == ENOSPC || errnum == ENOMEM)
        say(w, p, errnum); /* of all else the listing tells */
}

/* A file that was just made is empty: its end of writing is waited for.  A link to one is complete. */
static bool
is_link(const struct platform *p, const char *name)
{
    AUTO_FREE char *path = file_join(p->path, name);
    struct stat info;
    return path && lstat(path, &info) == 0 && (S_ISLNK(info.st_mode) || info.st_nlink > 1);
}

static bool
matters(const struct local_watch *w, const struct platform *p, const struct inotify_event *e)
{
    if (e->mask & IN_Q_OVERFLOW)
        return true;
    if (e->wd != w->wd)
        return false; /* of a watch that was given up */
    if (e->len == 0 || e->mask & (OF_ITSELF | OF_A_NAME | IN_IGNORED))
        return true; /* a rename may bring many files: a folder of links is changed by one */
    return local_is_file_name(e->name) && (!(e->mask & IN_CREATE) || is_link(p, e->name));
}

bool
local_watch_changed(struct local_watch *w, const struct platform *p)
{
    alignas(struct inotify_event) char buffer[4096];
    bool changed = false;
    ssize_t n;
    while (w->fd >= 0 && (n = read(w->fd, buffer, sizeof buffer)) > 0) {
        for (const char *at = buffer; at < buffer + n;) {
            const struct inotify_event *e = (const void *)at;
            changed = changed || matters(w, p, e);
            if (e->wd == w->wd && e->mask & IN_IGNORED)
                w->wd = -1; /* the folder is gone */
            at += sizeof *e + e->len;
        }
    }
    return changed;
}
