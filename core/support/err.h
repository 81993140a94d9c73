/* err.h - making, wrapping and releasing errors (struct gantry_error of gantry/types.h).
 *
 * A function that can fail returns 0 or a negative GANTRY_E_* and takes `struct gantry_error **err`
 * last. err may be NULL; *err is NULL before the call and is set on failure alone.  Out of memory
 * is a static object: reporting it allocates nothing.  Both makers return the code, so that return
 * err_set(err, GANTRY_E_INVALID, "%s: not a number; write it without unit", key); return
 * err_wrap(err, rc, "manager key '%s'", path);    // "manager key 'x': <what *err said>"
 */
#ifndef SUPPORT_ERR_H
#define SUPPORT_ERR_H

#include "compiler.h"

#include <gantry/types.h>
#include <stdbool.h>

/* Make an error.  A newline or control character in the text becomes a blank; it ends at 4 KiB.
 * When *err is set already, the older one is freed.  Returns code (GANTRY_E_INTERNAL for 0). */
int err_set(struct gantry_error **err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same with the text of errno behind it: "cannot open 'x': No such file or directory". */
int err_set_errno(struct gantry_error **err, int code, int errnum, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Add context in front of the message; the old error becomes the cause.  Returns code. */
int err_wrap(struct gantry_error **err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int err_nomem(struct gantry_error **err); /* returns GANTRY_E_NOMEM */

/* The message, or "no reason was given" for NULL.  Borrowed. */
const char *err_text(const struct gantry_error *err);
void err_clear(struct gantry_error **err); /* frees *err and sets it to NULL; err may be NULL */
/* Move: *to (may be NULL) takes *from; *from becomes NULL. */
void err_move(struct gantry_error **to, struct gantry_error **from);
#define AUTO_ERR AUTO(err_clear)

/* The GANTRY_E_* that says what to do about an errno. */
int err_code_of_errno(int errnum);
bool err_is_code(int code); /* one of GANTRY_CODES, 0 too */

#endif
