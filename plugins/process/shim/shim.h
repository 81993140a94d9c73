/* shim.h - gantry-process-shim: one small process beside each workload that runs.
 *
 *     gantry-process-shim FOLDER CGROUP-PARENT once|restart        descriptor 3: how the start went
 *
 * It owns the workload's pipes and writes its log (log_writer.c), starts it and starts it again by the
 * restart policy (shim.c), and writes what happened into the file "state".  It outlives whoever started
 * it, and ends when the workload has ended for good.  It is asked by signals alone:
 *     SIGTERM   end the workload: SIGTERM, after the grace (ms, the signal's value) SIGKILL
 *     SIGUSR1   start it now, if it waits for its restart; let it go on, if it was paused; value 1: from now on do not
 *               start it again when it ends
 * child.c is what happens between fork and exec. */
#ifndef PROCESS_SHIM_H
#define PROCESS_SHIM_H

#include "log_file.h"
#include "state.h"

#include <gantry/types.h>

#define SHIM_TOLD_FD 3
/* What is written there once, when the first start has succeeded or failed. */
struct shim_told {
    int32_t code; /* 0 or GANTRY_E_* */
    char text[400];
};

/* What the first process reports when it cannot become the program. */
struct child_failure {
    int32_t code;      /* GANTRY_E_*; 0: it has become the program */
    int32_t exit_code; /* as a shell would say it: 126, 127 */
    bool again;        /* trying again later may help */
    char text[400];
};

struct child {
    struct identity identity;
    int out, err;  /* read ends, non-blocking */
    int go, wrong; /* write end: may go on; read end: its failure, closed by exec */
};

/* Fork.  It waits until child_go().  folder: of the workload.  0, or a negative errno. */
int child_fork(int folder, const char *cgroup, struct child *child);
/* Let it become the program, and wait until it has. */
void child_go(struct child *child, struct child_failure *failure);

#endif
