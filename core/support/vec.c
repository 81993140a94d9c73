/* vec.c - growing the one array. */
#include "vec.h"

#include "compiler.h"

enum { FIRST_SIZE = 8 };

void *
vec_grow_(void **ptr, size_t *len, size_t *size, size_t element_size)
{
    if (*len == *size) {
        size_t more, bytes;
        if (!size_mul(*size ? *size : FIRST_SIZE / 2, 2, &more) ||
            !size_mul(more, element_size, &bytes))
            return NULL;
        void *grown = realloc(*ptr, bytes);
        if (!grown)
            return NULL;
        *ptr = grown;
        *size = more;
    }
    void *slot = (char *)*ptr + *len * element_size;
    memset(slot, 0, element_size);
    (*len)++;
    return slot;
}
