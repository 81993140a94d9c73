/* vec.h - the one growing array, typed by macro.
 *
 *   VEC(struct item) items = VEC_INIT;
 *   struct item *slot = vec_push(&items);      // zeroed; NULL when memory ran out
 *   vec_each(&items, it) use(it);              // it: struct item *
 *   vec_clear(&items);
 */
#ifndef SUPPORT_VEC_H
#define SUPPORT_VEC_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *ptr;                                                                                 \
        size_t len, size;                                                                          \
    }
#define VEC_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/* Make room for one more; returns the new, zeroed last element, or NULL. */
#define vec_push(v)                                                                                \
    (vec_grow_((void **)&(v)->ptr, &(v)->len, &(v)->size, sizeof *(v)->ptr)                        \
         ? (v)->ptr + ((v)->len - 1)                                                               \
         : NULL)
#define vec_each(v, it)                                                                            \
    for (__typeof__(*(v)->ptr) *it = (v)->ptr; it && it < (v)->ptr + (v)->len; it++)
/* Remove element i, keeping the order. */
#define vec_remove(v, i)                                                                           \
    (memmove((v)->ptr + (i), (v)->ptr + (i) + 1, ((v)->len - (i)-1) * sizeof *(v)->ptr), (v)->len--)
/* Forget all; what thousands needed once is freed, what a few need is kept for the next ones. */
#define vec_reset(v) ((v)->size > 256 ? vec_clear(v) : (void)((v)->len = 0))
#define vec_clear(v) ((void)(free((v)->ptr), (v)->ptr = NULL, (v)->len = (v)->size = 0))

void *vec_grow_(void **ptr, size_t *len, size_t *size, size_t element_size);

#endif
