/* ring.c - the current key and the older ones. */
#include "crypto_internal.h"
#include "err.h"

int
crypto_ring_new(struct crypto_ring **out, struct gantry_error **err)
{
    struct crypto_ring *ring = calloc(1, sizeof *ring);
    if (!ring)
        return err_nomem(err);
    *out = ring;
    return 0;
}

int
crypto_ring_add(struct crypto_ring *ring, struct crypto_key *key, struct gantry_error **err)
{
    struct crypto_key **slot = vec_push(&ring->keys);
    if (!slot) {
        crypto_key_free(key);
        return err_nomem(err);
    }
    *slot = key;
    return 0;
}

struct crypto_ring *
crypto_ring_share(struct crypto_ring *ring)
{
    if (ring)
        ring->others++;
    return ring;
}

void
crypto_ring_free(struct crypto_ring *ring)
{
    if (!ring || ring->others-- > 0)
        return;
    vec_each (&ring->keys, key)
        crypto_key_free(*key);
    vec_clear(&ring->keys);
    free(ring);
}

void
crypto_ring_clear(struct crypto_ring **ring)
{
    crypto_ring_free(*ring);
    *ring = NULL;
}

const struct crypto_key *
crypto_ring_current(const struct crypto_ring *ring)
{
    return ring && ring->keys.len > 0 ? ring->keys.ptr[0] : NULL;
}
