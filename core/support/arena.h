/* arena.h - memory that is freed all at once: a cycle's, a request's, a loaded configuration's.
 *
 * Holds bytes only: what has a descriptor, a lock or a foreign handle is not put here.
 * arena_alloc returns memory aligned for any type, zeroed, or NULL. */
#ifndef SUPPORT_ARENA_H
#define SUPPORT_ARENA_H

#include "compiler.h"
#include "str.h"

struct arena_block;
struct arena {
    struct arena_block *first; /* the newest block */
    size_t used_bytes;         /* handed out since the last reset */
    size_t max_bytes;          /* 0: no limit */
    bool refused;              /* max_bytes was why something could not be had */
};

void arena_init(struct arena *a, size_t max_bytes);
void arena_clear(struct arena *a); /* frees all; usable again */
void arena_reset(struct arena *a); /* forgets all, keeps one block for the next use */
#define AUTO_ARENA AUTO(arena_clear)

void *arena_alloc(struct arena *a, size_t size);
/* For what needs no more alignment than a pointer: less is lost between small things. */
void *arena_alloc_small(struct arena *a, size_t size);
void *arena_alloc_array(struct arena *a, size_t count, size_t size); /* NULL on overflow too */
char *arena_dup(struct arena *a, struct str s);          /* NUL-terminated copy, or NULL */
char *arena_dup_text(struct arena *a, const char *text); /* NULL gives NULL */
char *arena_fmt(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
