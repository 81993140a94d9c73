/* gantryd_notify.c - sd_notify(3) and sd_watchdog_enabled(3), without libsystemd: a datagram on a Unix socket. */
#include "gantryd_notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* One who does not read must not hold up the loop. */
#define SEND_TIMEOUT_MS 500

static int64_t
monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
monotonic_ms(void)
{
    return monotonic_us() / 1000;
}

/* A number that fills the whole text; -1: it is none. */
static int64_t
number(const char *text)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno || end == text || *end || value < 0 ? -1 : value;
}

static int64_t
watchdog_period_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!usec || (pid && number(pid) != getpid()))
        return 0;
    int64_t us = number(usec);
    if (us <= 0) {
        fprintf(stderr, "gantryd: WATCHDOG_USEC '%s' is no number: no signs of life are sent\n",
                usec);
        return 0;
    }
    return us / 2000 > 0 ? us / 2000 : 1; /* half of it */
}

/* "/path", or "@name" of an abstract socket.  Returns the length of the address, or 0. */
static socklen_t
address_of(const char *path, struct sockaddr_un *address)
{
    size_t length = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || length < 2 || length >= sizeof address->sun_path)
        return 0;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, length);
    if (path[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] == '/'));
}

static int
connect_to(const char *path)
{
    char why[128];
    struct sockaddr_un address;
    struct timeval timeout = {.tv_usec = SEND_TIMEOUT_MS * 1000L};
    socklen_t length = address_of(path, &address);
    int fd = length > 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    if (length == 0)
        errno = EINVAL;
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
        if (connect(fd, (struct sockaddr *)&address, length) == 0)
            return fd;
    }
    fprintf(stderr, "gantryd: NOTIFY_SOCKET '%s' cannot be used: %s; nobody is told\n", path,
            strerror_r(errno, why, sizeof why));
    if (fd >= 0)
        close(fd);
    return -1;
}

void
notify_open(struct notify *n)
{
    const char *path = getenv("NOTIFY_SOCKET");
    *n = (struct notify){.fd = path && path[0] ? connect_to(path) : -1};
    if (n->fd >= 0)
        n->watchdog_ms = watchdog_period_ms();
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void
notify_close(struct notify *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

static void
say(struct notify *n, const char *text)
{
    char why[128];
    if (n->fd < 0)
        return;
    ssize_t sent;
    do
        sent = send(n->fd, text, strlen(text), MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && !n->failed)
        fprintf(stderr, "gantryd: the service manager cannot be told: %s\n",
                strerror_r(errno, why, sizeof why));
    n->failed = sent < 0;
}

void
notify_ready(struct notify *n)
{
    say(n, "READY=1");
}

void
notify_reloading(struct notify *n)
{
    char text[64];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, monotonic_us());
    say(n, text);
}

void
notify_stopping(struct notify *n)
{
    say(n, "STOPPING=1");
}

void
notify_status(struct notify *n, const char *text)
{
    char line[sizeof n->status + 8];
    if (n->fd < 0 || strncmp(n->status, text, sizeof n->status - 1) == 0)
        return;
    snprintf(n->status, sizeof n->status, "%s", text);
    snprintf(line, sizeof line, "STATUS=%s", n->status);
    say(n, line);
}

void
notify_alive(struct notify *n)
{
    int64_t now = monotonic_ms();
    if (n->watchdog_ms == 0 || now < n->watchdog_due_ms)
        return;
    say(n, "WATCHDOG=1");
    n->watchdog_due_ms = now + n->watchdog_ms;
}

int64_t
notify_timeout_ms(const struct notify *n)
{
    if (n->watchdog_ms == 0)
        return -1;
    int64_t left = n->watchdog_due_ms - monotonic_ms();
    return left > 0 ? left : 0;
}
