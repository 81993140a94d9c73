/* chance.h - what tests roll when they generate: the same from the same seed, everywhere. */
#ifndef TESTS_CHANCE_H
#define TESTS_CHANCE_H

#include <stddef.h>
#include <stdint.h>

#include "mapping.h"

struct chance {
    uint64_t state;
    enum mapping_version version;
};

/* splitmix64 */
static inline uint32_t
roll(struct chance *c, uint32_t sides)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % sides);
}

static inline const char *
pick(struct chance *c, const char *const *words, size_t count)
{
    return words[roll(c, (uint32_t)count)];
}

#define PICK(c, words) pick(c, words, ARRAY_LENGTH(words))

#endif
