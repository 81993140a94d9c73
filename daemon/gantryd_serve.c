/* gantryd_serve.c - the daemon's loop: a manager in steps, SIGHUP, and what the service manager is told. */
#include "gantryd.h"
#include "gantryd_notify.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A picture of thousands of connectors has its price: no more than one a second. */
#define STATUS_EVERY_MS 1000

struct service {
    struct gantry_manager *manager;
    struct notify *notify;
    int hangup_fd;      /* SIGHUP; -1: it is not ours */
    int64_t status_ms;  /* of the last status */
    int status_is_old;  /* something may have changed since */
    int reload_is_told; /* RELOADING=1 was said, READY=1 not yet */
};

/* ---- the status line ------------------------------------------------------------------------- */

struct line {
    char text[512];
    size_t length;
    const char *comma;
};

__attribute__((format(printf, 2, 3))) static void
add(struct line *l, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof l->text - l->length;
    int n = vsnprintf(l->text + l->length, room, format, arguments);
    va_end(arguments);
    l->length += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
    if (n < 0 || (size_t)n < room)
        return;
    while (l->length > 0 && (l->text[l->length - 1] & 0xc0) == 0x80)
        l->length--; /* half a character makes the whole line invalid */
    if (l->length > 0 && (l->text[l->length - 1] & 0x80))
        l->length--;
    l->text[l->length] = '\0';
}

static void
add_count(struct line *l, unsigned count, const char *what)
{
    if (count == 0)
        return;
    add(l, "%s%u %s", l->comma, count, what);
    l->comma = ", ";
}

static void
add_connectors(struct line *l, const struct gantry_snapshot *s)
{
    unsigned run = 0, loop = 0, stopped = 0, other = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct gantry_connector *c =
            (const void *)((const char *)s->connectors + (size_t)s->stride * i);
        if (c->in_loop)
            loop++;
        else if (strcmp(c->wish, "run") != 0)
            stopped++;
        else if (strcmp(c->state, "running") == 0)
            run++;
        else
            other++;
    }
    add(l, "%" PRIu32 " connector%s", s->count, s->count == 1 ? "" : "s");
    l->comma = ": ";
    add_count(l, run, "run");
    add_count(l, loop, "in a loop");
    add_count(l, other, "not running");
    add_count(l, stopped, "not wanted");
}

static void
tell_status(struct service *v)
{
    struct gantry_snapshot *s = NULL;
    struct line l = {.comma = ""};
    if (gantry_manager_snapshot(v->manager, &s, NULL) < 0)
        return;
    add_connectors(&l, s);
    for (uint32_t i = 0; i < s->peer_count; i++) {
        const struct gantry_peer *p =
            (const void *)((const char *)s->peers + (size_t)s->peer_stride * i);
        if (p->problem[0])
            add(&l, "; %s %s down", p->kind, p->name);
    }
    if (s->settings_problem[0])
        add(&l, "; the settings were not reloaded: %s", s->settings_problem);
    notify_status(v->notify, l.text);
    gantry_snapshot_free(s);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void
after_step(struct service *v)
{
    if (v->notify->fd < 0)
        return;
    int64_t now = monotonic_ms();
    int is_news = v->reload_is_told;
    if (v->reload_is_told) {
        v->reload_is_told = 0;
        notify_ready(v->notify);
    }
    v->status_is_old = !is_news && now - v->status_ms < STATUS_EVERY_MS;
    if (!v->status_is_old) {
        v->status_ms = now;
        tell_status(v);
    }
    notify_alive(v->notify); /* here alone: the loop has turned */
}

static int64_t
sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void
wait_for_something(const struct service *v)
{
    struct pollfd fds[] = {{.fd = gantry_manager_fd(v->manager), .events = POLLIN},
                           {.fd = v->hangup_fd, .events = POLLIN}};
    int64_t timeout = sooner(gantry_manager_timeout_ms(v->manager), notify_timeout_ms(v->notify));
    if (v->status_is_old) {
        int64_t left = v->status_ms + STATUS_EVERY_MS - monotonic_ms();
        timeout = sooner(timeout, left > 0 ? left : 0);
    }
    (void)memory_poll(fds, sizeof fds / sizeof fds[0], (int)timeout);
}

static void
take_hangup(struct service *v)
{
    struct signalfd_siginfo signal;
    if (v->hangup_fd < 0 || read(v->hangup_fd, &signal, sizeof signal) != sizeof signal)
        return;
    notify_reloading(v->notify);
    v->reload_is_told = 1;
    gantry_manager_reload(v->manager); /* by the next step */
}

int
hangup_open(void)
{
    char why[128];
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &hangup, NULL);
    int fd = signalfd(-1, &hangup, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        fprintf(stderr, "gantryd: SIGHUP will be ignored: %s\n",
                strerror_r(errno, why, sizeof why));
    return fd;
}

int
serve(struct gantry_manager *m, struct notify *notify, int hangup_fd, struct gantry_error **err)
{
    struct service v = {.manager = m, .notify = notify, .hangup_fd = hangup_fd};
    int code = gantry_manager_begin(m, GANTRY_RUN_DAEMON, err);
    if (code < 0)
        return code;
    notify_ready(notify); /* who is not up yet is waited for */
    while (gantry_manager_step(m)) {
        after_step(&v);
        wait_for_something(&v);
        take_hangup(&v);
    }
    notify_stopping(notify);
    return gantry_manager_end(m, err);
}
