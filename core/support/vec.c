/* vec.c - growing the one array. */
#include "vec.h"

#include "compiler.h"

/* Room for the first: eight pointers, or one of what is large. */
enum { FIRST_BYTES = 64 };

void *
vec_grow_(void **ptr, size_t *len, size_t *size, size_t element_size)
{
    if (*len == *size) {
        size_t more, bytes;
        if (*size == 0)
            more = MAX(FIRST_BYTES / element_size, (size_t)1);
        else if (!size_mul(*size, 2, &more))
            return NULL;
        if (!size_mul(more, element_size, &bytes))
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
