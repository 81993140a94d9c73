/* keys.c - the manager's key and the older ones, from the settings. */
#include "settings.h"

#include "err.h"

#include <string.h>

/* What is no PEM at all is among the settings' problems already. */
static bool
is_pem(const struct secret *key)
{
    struct str text = secret_bytes(key);
    return text.len > 0 && memmem(text.ptr, text.len, "-----BEGIN", 10) != NULL;
}

/* A key that cannot be read is a problem of the settings. */
static int
add_key(struct config *config, struct crypto_ring *ring, const char *setting,
        const struct secret *pem, const char *origin, struct gantry_error **err)
{
    AUTO_ERR struct gantry_error *why = NULL;
    struct crypto_key *key = NULL;
    if (!is_pem(pem))
        return 0;
    int code = crypto_key_parse(secret_bytes(pem), config_manager(config)->key_passphrase, origin,
                                &key, &why);
    if (code == 0)
        return crypto_ring_add(ring, key, err);
    if (code == GANTRY_E_INVALID)
        return config_add_problem(config, "manager", setting, err_text(why));
    err_move(err, &why);
    return code;
}

int
keys_read(struct config *config, struct crypto_ring **out, struct gantry_error **err)
{
    const struct config_manager *s = config_manager(config);
    AUTO_CRYPTO_RING struct crypto_ring *ring = NULL;
    if (!s->key)
        return 0;
    int code = crypto_ring_new(&ring, err);
    if (code == 0)
        code = add_key(config, ring, "key", s->key, s->key_origin, err);
    for (size_t i = 0; code == 0 && i < s->old_key_count; i++)
        code = add_key(config, ring, "old_keys", &s->old_keys[i], s->old_key_origins[i], err);
    if (code == 0)
        *out = TAKE(ring);
    return code;
}
