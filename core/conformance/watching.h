/* watching.h - a watch() that runs beside a promise. */
#ifndef CONFORMANCE_WATCHING_H
#define CONFORMANCE_WATCHING_H

#include "conformance_internal.h"

/* Start one for the workloads of kit->manager, and wait for its SYNCED.  Not offered where there is no watch(). */
int kit_watch(struct kit *kit);
/* The next event within so many milliseconds; false: none.  *event: strings in kit->arena. */
bool kit_next_event(struct kit *kit, int64_t within_ms, struct runtime_event *event);
/* Forget what has been told so far. */
void kit_forget_events(struct kit *kit);
/* End it.  Broken when it does not end soon. */
int kit_unwatch(struct kit *kit);

#endif
