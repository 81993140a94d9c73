/* notation.h - values as they are written: yes, 1h30m, 64MiB, 0.5.  Pure functions. */
#ifndef CONFIG_NOTATION_H
#define CONFIG_NOTATION_H

#include "buf.h"
#include "compiler.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

/* yes no true false on off.  lenient: also 1, 0 and any case, as other programs' variables have
 * them. */
bool value_parse_bool(struct str text, bool lenient, bool *out);
/* 1h30m, 500ms: hours, minutes, seconds, milliseconds, each at most once and in this order. */
bool value_parse_duration(struct str text, int64_t *out_ms);
/* A whole number with B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (of 1024).
 * lenient: also a bare number of bytes. */
bool value_parse_size(struct str text, bool lenient, int64_t *out_bytes);
/* A decimal number with or without a fraction: 2, 0.5. */
bool value_is_number(struct str text);

/* What was probably meant by a duration or size that did not parse, such as "10s" for "10" or
 * "64MiB" for "64M".  unit: of a bare number.  False when nothing comes to mind. */
bool value_guess_duration(struct str text, const char *unit, char *out, size_t size);
bool value_guess_size(struct str text, char *out, size_t size);

/* The shortest way to write one. */
void value_print_duration(struct buf *b, int64_t ms);
void value_print_size(struct buf *b, int64_t bytes);

#endif
