/* arena.c - memory that is freed all at once.
 *
 *   first -> [head|used......|free] -> [head|used|free] -> NULL
 *
 * Allocation is from the first block alone.  What is larger than a block gets its own, which is put
 * behind the first one when that has more room left. */
#include "arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { FIRST_BLOCK = 2048, LARGEST_BLOCK = 256 * 1024, SMALL = 64 };

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    max_align_t data[];
};

void
arena_init(struct arena *a, size_t max_bytes)
{
    *a = (struct arena){.max_bytes = max_bytes};
}

static void
free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void
arena_clear(struct arena *a)
{
    free_blocks(a->first);
    a->first = NULL;
    a->used_bytes = 0;
}

void
arena_reset(struct arena *a)
{
    a->used_bytes = 0;
    if (!a->first)
        return;
    free_blocks(a->first->next);
    a->first->next = NULL;
    a->first->used = 0;
    if (a->first->size > LARGEST_BLOCK) /* one huge request does not stay for ever */
        arena_clear(a);
}

static struct arena_block *
add_block(struct arena *a, size_t needed)
{
    size_t size = FIRST_BLOCK, bytes;
    if (a->first)
        size = MIN(a->first->size * 2, (size_t)LARGEST_BLOCK);
    size = MAX(size, needed);
    if (!size_add(size, sizeof(struct arena_block), &bytes))
        return NULL;
    struct arena_block *block = malloc(bytes);
    if (!block)
        return NULL;
    block->size = size;
    block->used = 0;
    if (a->first && a->first->size - a->first->used > size - needed) {
        block->next = a->first->next;
        a->first->next = block;
    } else {
        block->next = a->first;
        a->first = block;
    }
    return block;
}

/* `used` of a block is a multiple of a pointer's size. */
static void *
alloc_aligned(struct arena *a, size_t size, size_t align)
{
    size_t rounded, total, skipped = 0;
    if (!size_add(size ? size : 1, align - 1, &rounded))
        return NULL;
    rounded -= rounded % align;
    if (!size_add(a->used_bytes, rounded, &total) || (a->max_bytes && total > a->max_bytes)) {
        a->refused = true;
        return NULL;
    }
    struct arena_block *block = a->first;
    if (block)
        skipped = (align - block->used % align) % align;
    if (!block || block->size - block->used < rounded + skipped) {
        block = add_block(a, rounded);
        skipped = 0;
    }
    if (!block)
        return NULL;
    block->used += skipped;
    void *memory = (char *)block->data + block->used;
    block->used += rounded;
    a->used_bytes = total;
    return memset(memory, 0, rounded);
}

void *
arena_alloc(struct arena *a, size_t size)
{
    return alloc_aligned(a, size, _Alignof(max_align_t));
}

void *
arena_alloc_small(struct arena *a, size_t size)
{
    struct arena_block *block = a->first;
    size_t rounded = (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
    /* Nearly always there is room, and the block is as aligned as it must be. */
    if (size - 1 < SMALL && block && block->size - block->used >= rounded &&
        (!a->max_bytes || a->used_bytes + rounded <= a->max_bytes)) {
        void **memory = (void **)(void *)((char *)block->data + block->used);
        block->used += rounded;
        a->used_bytes += rounded;
        for (size_t i = 0; i < rounded / sizeof *memory; i++)
            memory[i] = NULL;
        return memory;
    }
    return alloc_aligned(a, size, _Alignof(void *));
}

void *
arena_alloc_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    return size_mul(count, size, &bytes) ? arena_alloc(a, bytes) : NULL;
}

char *
arena_dup(struct arena *a, struct str s)
{
    size_t size;
    char *copy = size_add(s.len, 1, &size) ? arena_alloc(a, size) : NULL;
    if (copy && s.len)
        memcpy(copy, s.ptr, s.len);
    return copy;
}

char *
arena_dup_text(struct arena *a, const char *text)
{
    return text ? arena_dup(a, str_of(text)) : NULL;
}

char *
arena_fmt(struct arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *text = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (text)
        vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}
