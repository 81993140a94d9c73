/* Processes that are told apart by more than their pid.  See identity.h. */
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

static int
read_small(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t got = read(fd, text, size - 1);
    int rc = got < 0 ? -errno : 0;
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return rc;
}

int
machine_read(struct machine *machine)
{
    struct stat about;
    int rc = read_small("/proc/sys/kernel/random/boot_id", machine->boot, sizeof machine->boot);
    if (rc < 0)
        return rc;
    machine->boot[strcspn(machine->boot, "\n")] = '\0';
    if (stat("/proc/self/ns/pid", &about) < 0)
        return -errno;
    machine->pid_namespace = (int64_t)about.st_ino;
    return 0;
}

bool
identity_parse_id(const char *text, uint32_t *out)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno || *end || number >= UINT32_MAX)
        return false;
    *out = (uint32_t)number;
    return true;
}

bool
identity_parse_stat(const char *line, int field, int64_t *out)
{
    /* The name stands in parentheses and may hold some: what follows the last one are fields from
     * the third on. */
    const char *at = strrchr(line, ')');
    for (int i = 2; at && i < field; i++)
        at = strchr(at + 1, ' ');
    char *end;
    if (!at)
        return false;
    errno = 0;
    long long value = strtoll(at + 1, &end, 10);
    if (errno || end == at + 1 || *end != ' ')
        return false;
    *out = value;
    return true;
}

bool
identity_parent(const char *stat_path, int64_t *parent)
{
    char line[1024];
    return read_small(stat_path, line, sizeof line) == 0 &&
           identity_parse_stat(line, STAT_PARENT, parent);
}

int
identity_of(int64_t pid, struct identity *out)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    int rc = read_small(path, line, sizeof line);
    if (rc < 0)
        return rc == -ENOENT ? -ESRCH : rc;
    struct identity found = {.pid = pid};
    if (!identity_parse_stat(line, STAT_START, &found.ticks))
        return -EBADMSG;
    *out = found;
    return 0;
}

int
identity_open(const struct identity *identity)
{
    struct identity now;
    if (identity->pid <= 0)
        return -ESRCH;
    int fd = pidfd_open((pid_t)identity->pid, 0);
    if (fd < 0) /* EINVAL and ENOENT: the number is that of a thread by now */
        return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
    int rc = identity_of(identity->pid, &now);
    if (rc == 0 && (now.ticks != identity->ticks || identity_has_ended(fd, 0)))
        rc = -ESRCH;
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

bool
identity_has_ended(int pidfd, int timeout_ms)
{
    struct pollfd fd = {.fd = pidfd, .events = POLLIN};
    return poll(&fd, 1, timeout_ms) > 0;
}
