/* file.h - whole files: read with a limit, written so that a crash leaves the old or the new one.
 */
#ifndef SUPPORT_FILE_H
#define SUPPORT_FILE_H

#include "compiler.h"
#include "str.h"

#include <gantry/types.h>
#include <stdbool.h>
#include <sys/types.h>

/* Read a whole file.  *out: owned, free(), NUL-terminated; *len: may be NULL.
 * Returns 0, GANTRY_E_NOT_FOUND, _DENIED, _INVALID (larger than max_bytes, or no regular file),
 * _NOMEM... */
MUST_CHECK int file_read(const char *path, size_t max_bytes, char **out, size_t *len,
                         struct gantry_error **err);
/* Write beside it, fsync, rename. */
MUST_CHECK int file_write_atomic(const char *path, struct str content, mode_t mode,
                                 struct gantry_error **err);
/* Make a folder and its parents, mode as given for those that are made. */
MUST_CHECK int file_make_folder(const char *path, mode_t mode, struct gantry_error **err);
/* base/name, or name alone when it is absolute.  Owned, free(); NULL when memory ran out. */
char *file_join(const char *base, const char *name);

#endif
