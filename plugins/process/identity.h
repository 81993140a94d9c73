/* identity.h - which process is meant: never by a bare pid.
 *
 * A pid is used again once its process is reaped.  So a process is remembered by its pid and its
 * start (clock ticks since boot); both mean something only in the same boot and the same pid
 * namespace, which struct machine has.  To use one: open a pidfd first, then compare, then use the
 * pidfd alone. */
#ifndef PROCESS_IDENTITY_H
#define PROCESS_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

struct identity {
    int64_t pid; /* 0: none */
    int64_t ticks;
};

struct machine {
    char boot[40];
    int64_t pid_namespace; /* inode */
};

/* 0, or a negative errno. */
int machine_read(struct machine *machine);
int identity_of(int64_t pid, struct identity *out);
/* A pidfd of that very process, to be closed.  -ESRCH: it has ended, if only as a zombie.  Another negative
 * errno: nobody knows. */
int identity_open(const struct identity *identity);
/* Has the process of a pidfd ended?  Waits up to timeout_ms. */
bool identity_has_ended(int pidfd, int timeout_ms);
/* A numeric UID or GID, digits alone; false: it is none, or the one that means nobody in particular. */
bool identity_parse_id(const char *text, uint32_t *out);
/* A field of a line of /proc/PID/stat, counted from 1 as in proc(5); false: not such a line. */
#define STAT_PARENT 4
#define STAT_START  22
bool identity_parse_stat(const char *line, int field, int64_t *out);
/* The parent's pid, by the path of such a file; false: it has gone, or cannot be read. */
bool identity_parent(const char *stat_path, int64_t *parent);

#endif
