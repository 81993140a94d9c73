/* ulimits.h - limits of a process, written NAME=SOFT:HARD or NAME=BOTH as for container engines. */
#ifndef PROCESS_ULIMITS_H
#define PROCESS_ULIMITS_H

#include <stdbool.h>
#include <stddef.h>

/* -1 is unlimited.  false: problem says what is wrong. */
bool ulimit_check(const char *text, char *problem, size_t size);
bool ulimit_set(const char *text, char *problem, size_t size); /* for the calling process */

#endif
