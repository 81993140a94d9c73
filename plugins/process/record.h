/* record.h - small files of KEY=VALUE, each entry ended by a NUL, as /proc/PID/environ has them.
 *
 * A value may hold any byte but NUL, so nothing is quoted and the environment goes in as it is; the
 * same key may stand many times.  `tr '\0' '\n'` shows such a file.  Plugin and shim share it. */
#ifndef PROCESS_RECORD_H
#define PROCESS_RECORD_H

#include "text.h"

#include <stdint.h>
#include <sys/types.h>

#define RECORD_MAX (32u << 20)

struct record {
    char *data; /* whole entries, each with its NUL */
    size_t size;
};
#define AUTO_RECORD __attribute__((cleanup(record_clear))) struct record

/* Read a file of the folder.  0, or a negative errno; -EBADMSG: it ends in the middle of an entry. */
int record_read(int folder, const char *name, struct record *out);
void record_clear(struct record *record); /* wiped, too: it may hold secrets */

/* The value of the next entry with this key; from the beginning when after is NULL.  Borrowed, or NULL. */
const char *record_next(const struct record *record, const char *key, const char *after);
const char *record_find(const struct record *record, const char *key);
int64_t record_number(const struct record *record, const char *key, int64_t fallback);

void record_add(struct text *out, const char *key, const char *value);
void record_add_number(struct text *out, const char *key, int64_t value);

/* Write beside it, fsync, rename.  0, or a negative errno. */
int record_write(int folder, const char *name, const struct text *content);

#endif
