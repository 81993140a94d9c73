/* map.c - the one map: entries in insertion order, and an index of entry numbers beside them.
 *
 *   index    0 . . 2 . 1 . .      open addressing; 0 is empty, n means entries[n - 1]
 *   entries  [a] [b]              a removed entry keeps its place, key NULL, until the next rebuild
 *
 * Keys come from platforms, so the hash is seeded: nobody outside can make all keys collide. */
#include "map.h"

#include "random.h"

#include <gantry/types.h>

enum { FIRST_INDEX = 16 };
#define LARGEST_INDEX ((size_t)1 << 31)

#define ROTATE(x, n) (((x) << (n)) | ((x) >> (64 - (n))))

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = ROTATE(v[1], 13) ^ v[0];
    v[0] = ROTATE(v[0], 32);
    v[2] += v[3];
    v[3] = ROTATE(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = ROTATE(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = ROTATE(v[1], 17) ^ v[2];
    v[2] = ROTATE(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein): one round a word, three at the end. */
uint64_t
map_hash(const uint64_t seed[2], struct str key)
{
    uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575u, seed[1] ^ 0x646f72616e646f6du,
                     seed[0] ^ 0x6c7967656e657261u, seed[1] ^ 0x7465646279746573u};
    size_t at = 0;
    uint64_t word;
    for (; key.len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, key.ptr + at, sizeof word);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = 0;
    if (key.len > at)
        memcpy(&word, key.ptr + at, key.len - at);
    word ^= (uint64_t)key.len << 56;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
map_init(struct map *m)
{
    memset(m, 0, sizeof *m);
    m->seed[0] = random_u64();
    m->seed[1] = random_u64();
}

void
map_init_borrowing(struct map *m)
{
    map_init(m);
    m->borrows = true;
}

static void
free_key(const struct map *m, const struct map_entry *entry)
{
    if (!m->borrows)
        free((void *)(uintptr_t)entry->key); /* our own copy */
}

void
map_clear(struct map *m)
{
    for (size_t i = 0; i < m->used; i++)
        free_key(m, &m->entries[i]);
    free(m->entries);
    free(m->index);
    m->entries = NULL;
    m->index = NULL;
    m->len = m->used = m->size = m->index_size = 0;
}

/* The half that is kept: the index is never larger than that. */
static uint32_t
hash_of(const struct map *m, struct str key)
{
    return (uint32_t)map_hash(m->seed, key);
}

static struct map_entry *
find_entry(const struct map *m, struct str key, uint32_t hash)
{
    if (m->len == 0)
        return NULL;
    size_t mask = m->index_size - 1;
    for (size_t i = hash & mask; m->index[i] != 0; i = (i + 1) & mask) {
        struct map_entry *entry = &m->entries[m->index[i] - 1];
        if (entry->key && entry->hash == hash &&
            str_eq((struct str){entry->key, entry->key_len}, key))
            return entry;
    }
    return NULL;
}

static void
index_entry(uint32_t *index, size_t index_size, uint32_t hash, size_t number)
{
    size_t mask = index_size - 1;
    size_t i = hash & mask;
    while (index[i] != 0)
        i = (i + 1) & mask;
    index[i] = (uint32_t)number + 1;
}

/* Make both tables anew, without the removed entries, with room for one more. */
static int
rebuild(struct map *m)
{
    size_t index_size = FIRST_INDEX;
    while (index_size / 2 <= m->len) { /* half full at most, so that it lasts a while */
        if (index_size >= LARGEST_INDEX)
            return GANTRY_E_NOMEM;
        index_size *= 2;
    }
    size_t size = index_size / 4 * 3;
    struct map_entry *entries = calloc(size, sizeof *entries);
    uint32_t *index = calloc(index_size, sizeof *index);
    if (!entries || !index) {
        free(entries);
        free(index);
        return GANTRY_E_NOMEM;
    }
    size_t used = 0;
    for (size_t i = 0; i < m->used; i++) {
        if (!m->entries[i].key)
            continue;
        entries[used] = m->entries[i];
        index_entry(index, index_size, entries[used].hash, used);
        used++;
    }
    free(m->entries);
    free(m->index);
    m->entries = entries;
    m->index = index;
    m->used = used;
    m->size = size;
    m->index_size = index_size;
    return 0;
}

void *
map_find(const struct map *m, struct str key)
{
    const struct map_entry *entry = find_entry(m, key, hash_of(m, key));
    return entry ? entry->value : NULL;
}

int
map_set(struct map *m, struct str key, void *value, void **old)
{
    uint32_t hash = hash_of(m, key);
    struct map_entry *entry = find_entry(m, key, hash);
    if (old)
        *old = entry ? entry->value : NULL;
    if (entry) {
        entry->value = value;
        return 0;
    }
    if (key.len > UINT32_MAX || (m->used == m->size && rebuild(m) < 0))
        return GANTRY_E_NOMEM;
    const char *kept = m->borrows ? key.ptr : str_dup(key);
    if (!kept)
        return GANTRY_E_NOMEM;
    m->entries[m->used] = (struct map_entry){kept, value, (uint32_t)key.len, hash};
    index_entry(m->index, m->index_size, hash, m->used);
    m->used++;
    m->len++;
    return 0;
}

void *
map_take(struct map *m, struct str key)
{
    struct map_entry *entry = find_entry(m, key, hash_of(m, key));
    if (!entry)
        return NULL;
    void *value = entry->value;
    free_key(m, entry);
    *entry = (struct map_entry){0};
    m->len--;
    return value;
}
