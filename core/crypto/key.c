/* key.c - one RSA private key: made, asked for its public half, freed.  Reading PEM is in
 * key_parse.c. */
#include "crypto_internal.h"
#include "err.h"

#include <errno.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

void
crypto_enter(void)
{
    ERR_set_mark();
    errno = 0;
}

bool
crypto_leave(void)
{
    bool no_memory = errno == ENOMEM; /* malloc's, and nothing in between sets another */
    ERR_pop_to_mark();
    return no_memory;
}

struct crypto_key *
crypto_key_of(EVP_PKEY *pkey)
{
    struct crypto_key *key = calloc(1, sizeof *key);
    if (!key) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    key->pkey = pkey;
    key->bits = (unsigned)EVP_PKEY_get_bits(pkey);
    key->block_bytes = (size_t)EVP_PKEY_get_size(pkey);
    return key;
}

void
crypto_key_free(struct crypto_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey); /* OpenSSL overwrites the private numbers */
    free(key);
}

void
crypto_key_clear(struct crypto_key **key)
{
    crypto_key_free(*key);
    *key = NULL;
}

unsigned
crypto_key_bits(const struct crypto_key *key)
{
    return key->bits;
}

bool
crypto_key_is_short(const struct crypto_key *key)
{
    return key->bits < CRYPTO_KEY_BITS_ADVISED;
}

int
crypto_key_generate(unsigned bits, struct crypto_key **out, struct gantry_error **err)
{
    if (bits < CRYPTO_KEY_BITS_MIN || bits > CRYPTO_KEY_BITS_MAX)
        return err_set(err, GANTRY_E_INVALID, "a key of %u bits: give %u to %u", bits,
                       CRYPTO_KEY_BITS_MIN, CRYPTO_KEY_BITS_MAX);
    crypto_enter();
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    bool no_memory = crypto_leave();
    if (!pkey && no_memory)
        return err_nomem(err);
    if (!pkey)
        return err_set(err, GANTRY_E_INTERNAL, "OpenSSL could not make an RSA key of %u bits",
                       bits);
    struct crypto_key *key = crypto_key_of(pkey);
    if (!key)
        return err_nomem(err);
    *out = key;
    return 0;
}

static bool
set_padding(EVP_PKEY_CTX *context, enum crypto_version version)
{
    switch (version) {
    case CRYPTO_VERSION_PKCS1:
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0;
    case CRYPTO_VERSION_OAEP:
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
               EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) > 0 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) > 0;
    }
    return false;
}

EVP_PKEY_CTX *
crypto_key_context(const struct crypto_key *key, enum crypto_version version, bool private_half)
{
    /* Opening has a copy of its own: OpenSSL keeps the numbers that blind the private ones with the
     * key, and when memory runs out while it renews them, the next values are opened to garbage. */
    EVP_PKEY *own = private_half ? EVP_PKEY_dup(key->pkey) : NULL;
    if (private_half && !own)
        return NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, own ? own : key->pkey, NULL);
    EVP_PKEY_free(own); /* the context has its own reference */
    if (!context)
        return NULL;
    int ready = private_half ? EVP_PKEY_decrypt_init(context) : EVP_PKEY_encrypt_init(context);
    if (ready > 0 && set_padding(context, version))
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

/* The key in one of OpenSSL's forms.  *out: freed by OPENSSL_clear_free(*out, *size). */
static int
encode(const struct crypto_key *key, int selection, const char *type, const char *structure,
       unsigned char **out, size_t *size, struct gantry_error **err)
{
    crypto_enter();
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key->pkey, selection, type, structure, NULL);
    unsigned char *bytes = NULL;
    size_t n = 0;
    int ok = context && OSSL_ENCODER_CTX_get_num_encoders(context) > 0 &&
             OSSL_ENCODER_to_data(context, &bytes, &n);
    OSSL_ENCODER_CTX_free(context);
    bool no_memory = crypto_leave();
    if (!ok && no_memory)
        return err_nomem(err);
    if (!ok)
        return err_set(err, GANTRY_E_INTERNAL, "OpenSSL could not write an RSA key as %s (%s)",
                       type, structure);
    *out = bytes;
    *size = n;
    return 0;
}

int
crypto_key_public_pem(const struct crypto_key *key, enum crypto_public_form form, char **out,
                      struct gantry_error **err)
{
    const char *structure = form == CRYPTO_PUBLIC_PKCS1 ? "type-specific" : "SubjectPublicKeyInfo";
    unsigned char *pem = NULL;
    size_t n = 0;
    int rc = encode(key, EVP_PKEY_PUBLIC_KEY, "PEM", structure, &pem, &n, err);
    if (rc < 0)
        return rc;
    char *text = str_dup((struct str){(const char *)pem, n});
    OPENSSL_free(pem);
    if (!text)
        return err_nomem(err);
    *out = text;
    return 0;
}

int
crypto_key_fingerprint(const struct crypto_key *key, char hex[CRYPTO_HEX_SIZE],
                       struct gantry_error **err)
{
    unsigned char *der = NULL;
    size_t n = 0;
    int rc = encode(key, EVP_PKEY_PUBLIC_KEY, "DER", "SubjectPublicKeyInfo", &der, &n, err);
    if (rc < 0)
        return rc;
    rc = crypto_sha256_hex((struct str){(const char *)der, n}, hex);
    OPENSSL_free(der);
    if (rc == GANTRY_E_NOMEM)
        return err_nomem(err);
    return rc < 0 ? err_set(err, rc, "OpenSSL could not make a SHA-256 of the public key") : 0;
}

int
crypto_key_private_pem(const struct crypto_key *key, struct secret *out, struct gantry_error **err)
{
    unsigned char *pem = NULL;
    size_t n = 0;
    int rc = encode(key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", &pem, &n, err);
    if (rc < 0)
        return rc;
    rc = secret_set(out, pem, n);
    OPENSSL_clear_free(pem, n);
    return rc < 0 ? err_nomem(err) : 0;
}
