/* map.h - the one map: text to pointer, seeded hash, walked in insertion order.
 *
 * Keys are copied, but in a map that borrows them: there they are the caller's, NUL-terminated, and
 * live as long as they are in it.  Values are the caller's (map_clear does not free them). */
#ifndef SUPPORT_MAP_H
#define SUPPORT_MAP_H

#include "compiler.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

struct map_entry {
    const char *key; /* NUL-terminated; NULL: a removed entry, skipped by map_each */
    void *value;
    uint32_t key_len, hash;
};

struct map {
    struct map_entry *entries; /* in insertion order */
    size_t len, used, size;    /* live entries; slots used (live and removed); slots allocated */
    uint32_t *index;           /* hash table of entry numbers */
    size_t index_size;
    uint64_t seed[2];
    bool borrows; /* keys are not copied */
};

void map_init(struct map *m); /* takes a random seed */
void map_init_borrowing(struct map *m);
void map_clear(struct map *m);
#define AUTO_MAP AUTO(map_clear)

void *map_find(const struct map *m, struct str key); /* the value, borrowed, or NULL */
/* Set a key's value.  *old: may be NULL; what was there before, or NULL.  0 or GANTRY_E_NOMEM. */
MUST_CHECK int map_set(struct map *m, struct str key, void *value, void **old);
void *map_take(struct map *m, struct str key); /* removes the key, returns the value, or NULL */

/* The hash of the map, for other tables whose keys come from outside.  seed: two random numbers. */
uint64_t map_hash(const uint64_t seed[2], struct str key);

#define map_each(m, it)                                                                            \
    for (struct map_entry *it = (m)->entries; it && it < (m)->entries + (m)->used; it++)           \
        if (it->key)

#endif
