/* process.h - what a process is besides its memory: what a plugin must leave as it was. */
#ifndef CONFORMANCE_PROCESS_H
#define CONFORMANCE_PROCESS_H

#include "conformance_internal.h"

/* Entries of a folder of /proc/self that are numbers; *list: count of them, at most max.  false: cannot be read. */
bool kit_read_numbers(const char *folder, int *list, size_t max, size_t *count);
#define KIT_DESCRIPTORS "/proc/self/fd"
#define KIT_THREADS     "/proc/self/task"

/* Something that leaves nothing of its own behind: what it puts into kit->arena, and the answers that the kit keeps,
 * are gone afterwards. */
typedef int kit_round_fn(struct kit *kit, const char *handle);
int kit_round(struct kit *kit, kit_round_fn *round, const char *handle);

/* Do it with a runtime of its own, which has one worker thread, and the plugin opened there as kit->backend; both are
 * gone afterwards, with all threads and descriptors of the host's. */
int kit_apart(struct kit *kit, int (*body)(struct kit *kit));

/* What the kernel keeps for a process, and a plugin must leave alone, as it is now.  free(); NULL: memory ran out. */
struct kit_surroundings *kit_surroundings(void);

/* Every operation once (a replace only where that is quick), on a workload of its own that is removed again; watch()
 * too.  Only what the runtime itself breaks counts: others say whether the answers are right. */
int kit_live_once(struct kit *kit);

#endif
