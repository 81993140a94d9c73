/* times.h - the engine's times: RFC 3339 with up to nine decimals. */
#ifndef ENGINE_TIMES_H
#define ENGINE_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Unix time in nanoseconds.  false: not a time, or the engine's "never" (year 1), or out of range.
 */
bool time_parse(const char *text, size_t size, int64_t *ns);

#endif
