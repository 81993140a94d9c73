/* times.h - the engine's times: RFC 3339 with up to nine decimals, and HTTP dates. */
#ifndef ENGINE_TIMES_H
#define ENGINE_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Unix time in nanoseconds.  false: not a time, or the engine's "never" (year 1), or out of range.
 */
bool time_parse(const char *text, size_t size, int64_t *ns);
/* Unix time of an HTTP date, "Sat, 21 Nov 2026 12:39:34 GMT" (RFC 9110, 5.6.7: the one form that servers
 * send).  false: not one, *seconds untouched. */
bool time_parse_http(const char *text, int64_t *seconds);

#endif
