/* compiler.h - what the compiler offers beyond C11, under names of our own. */
#ifndef SUPPORT_COMPILER_H
#define SUPPORT_COMPILER_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define UNUSED            __attribute__((unused))

#define MIN(a, b)       ((a) < (b) ? (a) : (b))
#define MAX(a, b)       ((a) > (b) ? (a) : (b))
#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Cleanup by attribute: an early return is always right.  AUTO(free_fn) takes a function of T **.
 */
#define AUTO(fn) __attribute__((cleanup(fn)))

static inline void
auto_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void
auto_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define AUTO_FREE  AUTO(auto_free)
#define AUTO_CLOSE AUTO(auto_close)

/* Move ownership out of a variable, leaving NULL behind: `*out = TAKE(text);` */
#define TAKE(pointer)                                                                              \
    (__extension__({                                                                               \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    }))

/* Checked size arithmetic: false on overflow, and *out is then not to be used. */
static inline MUST_CHECK int
size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline MUST_CHECK int
size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

#endif
