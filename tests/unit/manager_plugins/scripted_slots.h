/* scripted_slots.h - the scripted plugin's workloads: the operations of scripted.c work on them, and tests from
 * outside. */
#ifndef SCRIPTED_SLOTS_H
#define SCRIPTED_SLOTS_H

#include "scripted.h"

#include <gantry/plugin.h>
#include <pthread.h>
#include <stdbool.h>

enum { SLOTS = 64, LABELS = 8 };

struct workload {
    char handle[16], name[80];
    char place[16]; /* setting `place` of its backend: another place is another engine */
    uint32_t state, label_count;
    struct gantry_pair labels[LABELS];
    char texts[LABELS][2][300];
    int64_t started_ms, finished_ms, restarts;
    int32_t exit_code;
    uint32_t out_of_memory, ends;
};

extern GANTRY_API struct scripted scripted;
extern pthread_mutex_t slots_lock; /* of all that follows */
extern struct workload slots[SLOTS];

/* Under the lock. */
const char *slots_label(const struct workload *w, const char *key); /* "": it has none */
struct workload *slots_find(const char *handle);                    /* "": a free one; or NULL */
void slots_tell(const struct workload *w);                          /* to the watch: it changed */

/* Without it. */
int64_t slots_now_ms(void);
void slots_enter(const char *id, int by); /* 1: an action is inside; -1: it is not any more */
bool slots_next_event(char event[2][80]); /* handle and connector; false: there is none */

#endif
