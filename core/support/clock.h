/* clock.h - what time it is, and times as text. */
#ifndef SUPPORT_CLOCK_H
#define SUPPORT_CLOCK_H

#include "str.h"

#include <stdbool.h>
#include <stdint.h>

int64_t clock_mono_ms(void); /* monotonic, for deadlines */
int64_t clock_wall_ms(void); /* Unix time in milliseconds */

#define CLOCK_RFC3339_SIZE 32
/* RFC 3339 in UTC with milliseconds: "2026-01-31T12:00:00.000Z".  Returns text. */
const char *clock_rfc3339(int64_t unix_ms, char text[CLOCK_RFC3339_SIZE]);
/* Parse RFC 3339 with 0 to 9 fractional digits and Z or an offset; false when it is not one. */
bool clock_parse_rfc3339(struct str text, int64_t *unix_ms);

#endif
