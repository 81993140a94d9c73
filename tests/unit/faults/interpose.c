/* interpose.c - malloc and its kin, defined in the program, where every shared library finds them.
 *
 * Below it is the sanitizer's allocator where there is one, else glibc's.  This file is compiled
 * without sanitizers and builtins: it runs before the first are set up, and the second would make
 * calloc out of malloc. */
#include "interpose.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unwind.h>

#define EXPORT      __attribute__((visibility("default")))
#define IF_IT_IS_SO __attribute__((weak))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

/* AddressSanitizer's and ThreadSanitizer's, NULL without them. */
IF_IT_IS_SO void *__interceptor_malloc(size_t size);
IF_IT_IS_SO void *__interceptor_calloc(size_t n, size_t size);
IF_IT_IS_SO void *__interceptor_realloc(void *old, size_t size);
IF_IT_IS_SO void *__interceptor_memalign(size_t alignment, size_t size);
IF_IT_IS_SO void __interceptor_free(void *memory);

#define REAL(name) (__interceptor_##name ? __interceptor_##name : __libc_##name)

static atomic_bool armed, paused, all_after, tripped;
static _Thread_local bool exempt;
static atomic_size_t failing, asked;
static atomic_long live;
static void *trace[INTERPOSE_TRACE_MAX];
static size_t trace_length;

void
interpose_arm(size_t nth, bool all)
{
    atomic_store(&failing, nth);
    atomic_store(&all_after, all);
    atomic_store(&asked, 0);
    atomic_store(&tripped, false);
    atomic_store(&paused, false);
    trace_length = 0;
    atomic_store(&armed, true);
}

void
interpose_disarm(void)
{
    atomic_store(&armed, false);
}

void
interpose_set_paused(bool is_paused)
{
    atomic_store(&paused, is_paused);
}

size_t
interpose_allocations(void)
{
    return atomic_load(&asked);
}

bool
interpose_tripped(void)
{
    return atomic_load(&tripped);
}

long
interpose_live(void)
{
    return atomic_load(&live);
}

size_t
interpose_trace(void *frames[INTERPOSE_TRACE_MAX])
{
    memcpy(frames, trace, sizeof trace);
    return trace_length;
}

/* Not backtrace(): it loads a library first, and so allocates. */
static _Unwind_Reason_Code
keep_frame(struct _Unwind_Context *frame, void *unused)
{
    (void)unused;
    if (trace_length == INTERPOSE_TRACE_MAX)
        return _URC_END_OF_STACK;
    trace[trace_length++] = (void *)_Unwind_GetIP(frame);
    return _URC_NO_REASON;
}

static bool
fails(void)
{
    if (!atomic_load(&armed) || atomic_load(&paused) || exempt)
        return false;
    size_t number = atomic_fetch_add(&asked, 1) + 1, from = atomic_load(&failing);
    if (from == 0 || number < from || (number > from && !atomic_load(&all_after)))
        return false;
    if (!atomic_exchange(&tripped, true))
        (void)_Unwind_Backtrace(keep_frame, NULL);
    errno = ENOMEM;
    return true;
}

/* The sanitizers ask this of each new thread, and end the process when it fails. */
EXPORT int
pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    int (*real)(pthread_t, pthread_attr_t *) = NULL;
    exempt = true;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_getattr_np");
    int rc = real ? real(thread, attributes) : ENOSYS;
    exempt = false;
    return rc;
}

static void *
counted(void *memory)
{
    if (memory)
        atomic_fetch_add(&live, 1);
    return memory;
}

EXPORT void *
malloc(size_t size)
{
    return fails() ? NULL : counted(REAL(malloc)(size));
}

EXPORT void *
calloc(size_t n, size_t size)
{
    return fails() ? NULL : counted(REAL(calloc)(n, size));
}

EXPORT void
free(void *memory)
{
    if (!memory)
        return;
    atomic_fetch_sub(&live, 1);
    REAL(free)(memory);
}

EXPORT void *
realloc(void *old, size_t size)
{
    if (!old)
        return malloc(size);
    if (size == 0) {
        free(old);
        return NULL;
    }
    return fails() ? NULL : REAL(realloc)(old, size);
}

EXPORT void *
reallocarray(void *old, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, bytes);
}

EXPORT void *
memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : counted(REAL(memalign)(alignment, size));
}

EXPORT void *
aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORT int
posix_memalign(void **out, size_t alignment, size_t size)
{
    void *memory = memalign(alignment, size);
    if (!memory)
        return ENOMEM;
    *out = memory;
    return 0;
}

/* The sanitizers' own copies of these two would not pass through malloc. */
EXPORT char *
strndup(const char *text, size_t max)
{
    size_t length = strnlen(text, max);
    char *copy = malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

EXPORT char *
strdup(const char *text)
{
    return strndup(text, SIZE_MAX);
}

EXPORT char *
__strdup(const char *text)
{
    return strdup(text);
}
