/* state.h - what the shim has to say of its workload: the file "state" of the workload's folder.
 *
 * Only the shim writes it, and the plugin where no shim lives. */
#ifndef PROCESS_STATE_H
#define PROCESS_STATE_H

#include "identity.h"
#include "record.h"

#include <gantry/workload.h>

/* The numbers of the file: name, member. */
#define STATE_NUMBERS(X)                                                                           \
    X("state", state)                                                                              \
    X("present", present)                                                                          \
    X("exit_code", exit_code)                                                                      \
    X("out_of_memory", out_of_memory)                                                              \
    X("started_ms", started_ms)                                                                    \
    X("finished_ms", finished_ms)                                                                  \
    X("restarts", restarts)                                                                        \
    X("stopped", stopped) /* 1: it was told to end */                                              \
    X("pid_namespace", machine.pid_namespace)                                                      \
    X("shim_pid", shim.pid)                                                                        \
    X("shim_ticks", shim.ticks)                                                                    \
    X("child_pid", child.pid)                                                                      \
    X("child_ticks", child.ticks)

struct process_state {
    int64_t state;   /* enum gantry_state */
    int64_t present; /* GANTRY_STATUS_* */
    int64_t exit_code, out_of_memory, started_ms, finished_ms, restarts, stopped;
    struct machine machine;
    struct identity shim, child;
    char cgroup[512]; /* its directory; "": none */
    char error[400];
};

/* 0, or a negative errno; -ENOENT: it never ran; -EBADMSG: something is missing in it, or is no number. */
int state_read(int folder, struct process_state *out);
int state_write(int folder, const struct process_state *state);

/* The file "lock" of the workload's folder: its shim holds it as long as it lives, and whoever removes the folder
 * meanwhile.  Waits for one that is just ending, which has said so before.  A descriptor, to be closed, or a
 * negative errno; -EWOULDBLOCK: a shim lives. */
int state_lock(int folder);

#endif
