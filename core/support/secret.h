/* secret.h - bytes that are wiped when freed, and that nothing prints.
 *
 * There is no function that formats one, on purpose; secret_bytes() is the only way to the content.
 */
#ifndef SUPPORT_SECRET_H
#define SUPPORT_SECRET_H

#include "compiler.h"
#include "str.h"

struct secret {
    char *ptr_; /* NUL-terminated */
    size_t len_;
};

MUST_CHECK int secret_set(struct secret *s, const void *bytes,
                          size_t n); /* copies; 0 or GANTRY_E_NOMEM */
void secret_adopt(struct secret *s, char *bytes,
                  size_t n); /* bytes: taken, allocated, NUL at bytes[n] */
void secret_clear(struct secret *s);
#define AUTO_SECRET AUTO(secret_clear)

static inline struct str
secret_bytes(const struct secret *s)
{
    return (struct str){s->ptr_, s->len_};
}

/* Overwrite memory in a way that the compiler keeps. */
void secret_wipe(void *memory, size_t n);

#endif
