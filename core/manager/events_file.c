/* events_file.c - where events go: one line of JSON each in the state folder, and the program's own
 * function.
 *
 * events.jsonl is written by the loop alone, under the lock of the state folder, each line by one write():
 * what a crash leaves is whole lines, and at most one torn line at the end, which readers pass over and
 * the next run ends.  It is not fsynced: a crash of the machine may cost the last seconds, and nothing
 * depends on them.  At EVENTS_MAX_BYTES it becomes events.1.jsonl, in place of the one before.  A full disk
 * costs events, which are counted, and nothing else. */
#include "manager_internal.h"

#include "events.h"

#include "clock.h"
#include "err.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define EVENTS_MAX_BYTES     (INT64_C(4) * 1024 * 1024)
#define EVENT_LINE_MAX_BYTES ((size_t)64 * 1024)

struct events_file {
    int fd; /* -1: not open */
    bool failing;
    uint64_t dropped; /* since a line was last written */
};

/* ---- the file -------------------------------------------------------------------------------- */

static void
close_file(struct events_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

/* A line that a crash tore ends here, so that it does not spoil the next one. */
static int
open_file(struct events_file *f, const char *path)
{
    struct stat info = {0};
    char last = '\n';
    f->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (f->fd < 0)
        return -1;
    if (fstat(f->fd, &info) == 0 && S_ISREG(info.st_mode) &&
        (info.st_size == 0 || (pread(f->fd, &last, 1, info.st_size - 1) == 1 &&
                               (last == '\n' || write(f->fd, "\n", 1) == 1))))
        return 0;
    int errnum = info.st_mode && !S_ISREG(info.st_mode) ? EINVAL : errno;
    close_file(f);
    errno = errnum;
    return -1;
}

/* Room for a line of this length: opened, put aside when it is full, made anew when somebody has
 * removed it.  Returns 0 with the size of the file, or -1 with errno. */
static int
make_room(struct events_file *f, const struct gantry_manager *m, size_t length, int64_t *size)
{
    AUTO_FREE char *path = file_join(m->settings->state_dir, "events.jsonl");
    AUTO_FREE char *aside = file_join(m->settings->state_dir, "events.1.jsonl");
    struct stat info;
    if (!path || !aside) {
        errno = ENOMEM;
        return -1;
    }
    if (f->fd >= 0 && (fstat(f->fd, &info) < 0 || info.st_nlink == 0))
        close_file(f);
    if (f->fd < 0 && open_file(f, path) < 0)
        return -1;
    if (fstat(f->fd, &info) < 0)
        return -1;
    *size = info.st_size;
    if (*size + (int64_t)length <= EVENTS_MAX_BYTES)
        return 0;
    if (rename(path, aside) < 0)
        return -1;
    close_file(f);
    *size = 0;
    return open_file(f, path);
}

static int
write_line(struct events_file *f, const struct gantry_manager *m, struct str line)
{
    int64_t size = 0;
    if (make_room(f, m, line.len, &size) < 0)
        return -1;
    ssize_t n = write(f->fd, line.ptr, line.len);
    if (n == (ssize_t)line.len)
        return 0;
    int errnum = n < 0 ? errno : ENOSPC;
    if (n > 0 && ftruncate(f->fd, size) < 0) /* half a line is none; else the next open ends it */
        close_file(f);
    errno = errnum;
    return -1;
}

static void
keep(struct gantry_manager *m, struct str line)
{
    struct events_file *f = m->events;
    if (write_line(f, m, line) == 0) {
        f->failing = false;
        f->dropped = 0;
        return;
    }
    f->dropped++;
    if (f->failing)
        return;
    f->failing = true;
    AUTO_ERR struct gantry_error *err = NULL;
    int errnum = errno;
    (void)err_set_errno(&err, err_code_of_errno(errnum), errnum,
                        "cannot write to '%s/events.jsonl'", m->settings->state_dir);
    log_warn(&m->log, "events are lost; they are counted until they can be kept again",
             F_STR("error", err_text(err)));
}

/* ---- the line -------------------------------------------------------------------------------- */

static void
add_text(struct buf *b, const char *key, const char *value)
{
    if (!value || !value[0])
        return;
    buf_add_fmt(b, ",\"%s\":", key);
    buf_add_json(b, str_of(value)); /* mends what is not UTF-8 */
}

static void
print_event(struct buf *b, const struct gantry_manager_event *e, uint64_t dropped)
{
    char time[CLOCK_RFC3339_SIZE];
    buf_add_fmt(b, "{\"time\":\"%s\"", clock_rfc3339(e->time_ms, time));
    add_text(b, "kind", e->kind);
    add_text(b, "platform", e->platform);
    add_text(b, "backend", e->backend);
    add_text(b, "connector", e->id);
    add_text(b, "name", e->name);
    add_text(b, "from", e->from);
    add_text(b, "to", e->to);
    add_text(b, "action", e->action);
    add_text(b, "cause", e->cause);
    add_text(b, "error", e->error);
    if (e->duration_ms >= 0)
        buf_add_fmt(b, ",\"duration_ms\":%lld", (long long)e->duration_ms);
    if (dropped > 0)
        buf_add_fmt(b, ",\"events_dropped\":%llu", (unsigned long long)dropped);
    buf_add_text(b, "}\n");
}

static const char *
or_none(const char *text)
{
    return text ? text : "";
}

void
events_add(struct gantry_manager *m, const struct gantry_manager_event *event)
{
    if (m->how == GANTRY_RUN_DRY)
        return; /* it touches nothing, and nothing happens */
    struct gantry_manager_event e = *event;
    e.size = sizeof e;
    e.time_ms = clock_wall_ms();
    const char **texts[] = {&e.kind, &e.platform, &e.backend, &e.id,    &e.name,
                            &e.from, &e.to,       &e.action,  &e.cause, &e.error};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        *texts[i] = or_none(*texts[i]);
    if (!m->events && (m->events = calloc(1, sizeof *m->events)))
        m->events->fd = -1;
    if (m->events) {
        AUTO_BUF struct buf line = BUF_INIT(EVENT_LINE_MAX_BYTES);
        print_event(&line, &e, m->events->dropped);
        if (buf_failed(&line))
            m->events->dropped++;
        else
            keep(m, buf_view(&line));
    }
    if (m->given.event)
        m->given.event(m->given.event_context, &e);
}

void
events_close(struct gantry_manager *m)
{
    if (m->events)
        close_file(m->events);
    free(TAKE(m->events));
}

/* ---- of the manager, of platforms and backends -------------------------------------------------- */

void
events_manager(struct gantry_manager *m, const char *from, const char *to, const char *cause,
               const char *error)
{
    events_add(m, &(struct gantry_manager_event){.kind = "manager",
                                                 .from = from,
                                                 .to = to,
                                                 .cause = cause,
                                                 .error = error,
                                                 .duration_ms = -1});
}

/* One that has failed before, and fails for another reason, was lost already. */
static const char *
state_before(const struct asking *a, int code)
{
    return code == 0 || a->failures > 1 ? "lost" : "answering";
}

void
events_platform(const struct platform_side *p, const char *call, int code,
                const struct gantry_error *error, const struct asking *a)
{
    char cause[64];
    snprintf(cause, sizeof cause, "the call '%s' %s", call, code < 0 ? "failed" : "works again");
    events_add(p->manager, &(struct gantry_manager_event){
                               .kind = "platform",
                               .platform = p->settings->name,
                               .from = state_before(a, code),
                               .to = code < 0 ? "lost" : "answering",
                               .cause = cause,
                               .error = code < 0 ? err_text(error) : NULL,
                               .duration_ms = -1,
                           });
}

void
events_backend(const struct backend_side *b, int code, const struct gantry_error *error)
{
    events_add(b->manager, &(struct gantry_manager_event){
                               .kind = "backend",
                               .backend = b->settings->name,
                               .from = state_before(&b->list, code),
                               .to = code < 0 ? "lost" : "answering",
                               .cause = code < 0 ? "it cannot be asked" : "it answers again",
                               .error = code < 0 ? err_text(error) : NULL,
                               .duration_ms = -1,
                           });
}

void
events_down(const struct backend_side *b, const char *name)
{
    events_add(b->manager, &(struct gantry_manager_event){
                               .kind = "action",
                               .backend = b->settings->name,
                               .name = name,
                               .to = "absent",
                               .action = "remove",
                               .cause = "all workloads of this manager are taken down",
                               .duration_ms = -1,
                           });
}

void
events_drained(const struct backend_side *b)
{
    events_add(b->manager, &(struct gantry_manager_event){
                               .kind = "backend",
                               .backend = b->settings->name,
                               .from = "draining",
                               .to = "drained",
                               .cause = "nothing has to move away from there any more: its section "
                                        "can be removed",
                               .duration_ms = -1,
                           });
}

void
events_moved(const struct connector *c, const struct backend_side *b, const char *action,
             const char *from, const char *to, const char *cause, const char *error,
             int64_t took_ms)
{
    events_add(b->manager, &(struct gantry_manager_event){
                               .kind = "action",
                               .platform = c->platform->settings->name,
                               .backend = b->settings->name,
                               .id = c->id,
                               .name = c->name,
                               .action = action,
                               .from = from,
                               .to = to,
                               .cause = cause,
                               .error = error,
                               .duration_ms = took_ms,
                           });
}
