/* secret.c - bytes that are wiped when freed. */
#include "secret.h"

#include <gantry/types.h>
#include <string.h>

void
secret_wipe(void *memory, size_t n)
{
    if (memory && n)
        explicit_bzero(memory, n);
}

int
secret_set(struct secret *s, const void *bytes, size_t n)
{
    size_t size;
    if (!size_add(n, 1, &size))
        return GANTRY_E_NOMEM;
    char *copy = malloc(size);
    if (!copy)
        return GANTRY_E_NOMEM;
    if (n)
        memcpy(copy, bytes, n);
    copy[n] = '\0';
    secret_adopt(s, copy, n);
    return 0;
}

void
secret_adopt(struct secret *s, char *bytes, size_t n)
{
    secret_clear(s);
    s->ptr_ = bytes;
    s->len_ = n;
}

void
secret_clear(struct secret *s)
{
    secret_wipe(s->ptr_, s->len_);
    free(s->ptr_);
    s->ptr_ = NULL;
    s->len_ = 0;
}
