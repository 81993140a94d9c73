/* cgroup.h - one cgroup v2 directory for each run of a workload: limits, and an end that nobody escapes.
 *
 * Where no cgroup2 tree can be written to there is none; then only limits that cannot be kept are an
 * error.  Plugin and shim share it. */
#ifndef PROCESS_CGROUP_H
#define PROCESS_CGROUP_H

#include "record.h"

#include <stdbool.h>

#define CGROUP_PATH_MAX 512

/* The cgroup2 directory of this very process; false: there is none that can be written to. */
bool cgroup_own(char *path, size_t size);

/* Make PARENT/gantry-NAME with the limits of spec: memory, cpus, pids_limit.  path: CGROUP_PATH_MAX; "" when
 * there is none and none is needed.  0, or a negative errno with a sentence in problem. */
int cgroup_make(const char *parent, const char *name, const struct record *spec, char *path,
                char *problem, size_t problem_size);
/* Put the calling process into it.  0, or a negative errno. */
int cgroup_enter(const char *path);
/* SIGKILL to all that is in it, as it stands; false: it cannot be done this way. */
bool cgroup_kill(const char *path);
/* How many of its processes were ended for lack of memory; 0: none, or not known. */
int64_t cgroup_oom_kills(const char *path);
/* Away with it; waits a little until it is empty. */
void cgroup_remove(const char *path);

#endif
