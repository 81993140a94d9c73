/* key_parse.c - a private key from PEM text, and one clear line for every way in which that can
 * fail. */
#include "crypto_internal.h"
#include "err.h"

#include <limits.h>
#include <openssl/pem.h>

/* What the passphrase callback is given, and what it saw. */
struct passphrase_request {
    const struct secret *passphrase; /* may be NULL */
    bool asked, too_long;
};

/* OpenSSL asks here instead of on the terminal. */
static int
give_passphrase(char *buffer, int size, int for_writing, void *data)
{
    struct passphrase_request *request = data;
    (void)for_writing;
    request->asked = true;
    if (!request->passphrase)
        return -1;
    struct str text = secret_bytes(request->passphrase);
    if (size < 0 || text.len > (size_t)size) {
        request->too_long = true;
        return -1;
    }
    if (text.len)
        memcpy(buffer, text.ptr, text.len);
    return (int)text.len;
}

/* PEM texts that people give by mistake, found by their first line. */
static const struct mistake {
    const char *marker, *text;
} mistakes[] = {
    {"-----BEGIN OPENSSH PRIVATE KEY-----",
     "is in OpenSSH's own form; convert it with 'ssh-keygen -p -m PKCS8 -f FILE'"},
    {"-----BEGIN PUBLIC KEY-----", "is a public key; give the private one"},
    {"-----BEGIN RSA PUBLIC KEY-----", "is a public key; give the private one"},
    {"-----BEGIN CERTIFICATE-----", "is a certificate; give its private key"},
    {"-----BEGIN EC PRIVATE KEY-----",
     "is an EC key; give an RSA key, made for example with 'gantry keygen FILE'"},
    {"-----BEGIN DSA PRIVATE KEY-----",
     "is a DSA key; give an RSA key, made for example with 'gantry keygen FILE'"},
};

/* The error of a text that gave no key. */
static int
explain(struct str pem, const struct passphrase_request *request, const char *origin,
        struct gantry_error **err)
{
    if (request->asked && !request->passphrase)
        return err_set(err, GANTRY_E_INVALID,
                       "%s: is encrypted, and no passphrase is given; set key_passphrase in "
                       "[manager] to a file: or env: reference",
                       origin);
    if (request->too_long)
        return err_set(err, GANTRY_E_INVALID, "%s: the passphrase is longer than %d bytes", origin,
                       PEM_BUFSIZE);
    if (request->asked)
        return err_set(err, GANTRY_E_INVALID,
                       "%s: cannot be decrypted; check key_passphrase in [manager] (a trailing "
                       "blank counts), or its cipher is not supported here",
                       origin);
    for (size_t i = 0; i < ARRAY_LENGTH(mistakes); i++) {
        if (memmem(pem.ptr, pem.len, mistakes[i].marker, strlen(mistakes[i].marker)))
            return err_set(err, GANTRY_E_INVALID, "%s: %s", origin, mistakes[i].text);
    }
    if (!memmem(pem.ptr, pem.len, "-----BEGIN ", strlen("-----BEGIN ")))
        return err_set(err, GANTRY_E_INVALID,
                       "%s: is no PEM text; it must have a line '-----BEGIN PRIVATE KEY-----'",
                       origin);
    return err_set(err, GANTRY_E_INVALID,
                   "%s: cannot be read as a private key; it may be cut or damaged: check it with "
                   "'openssl pkey -check -noout -in FILE'",
                   origin);
}

/* Seal and open one block: a damaged key that still parses would otherwise fail at every value. */
static bool
key_works(const struct crypto_key *key)
{
    static const unsigned char probe[CRYPTO_SESSION_BYTES];
    unsigned char sealed[CRYPTO_BLOCK_MAX_BYTES], opened[CRYPTO_BLOCK_MAX_BYTES];
    size_t sealed_size = sizeof sealed, opened_size = sizeof opened;
    EVP_PKEY_CTX *seal = crypto_key_context(key, CRYPTO_VERSION_OAEP, false);
    EVP_PKEY_CTX *open = crypto_key_context(key, CRYPTO_VERSION_OAEP, true);
    bool works = seal && open &&
                 EVP_PKEY_encrypt(seal, sealed, &sealed_size, probe, sizeof probe) > 0 &&
                 EVP_PKEY_decrypt(open, opened, &opened_size, sealed, sealed_size) > 0 &&
                 opened_size == sizeof probe && memcmp(opened, probe, sizeof probe) == 0;
    EVP_PKEY_CTX_free(seal);
    EVP_PKEY_CTX_free(open);
    return works;
}

/* Is it a key that the platforms can seal for? */
static int
check(const struct crypto_key *key, const char *origin, struct gantry_error **err)
{
    if (!EVP_PKEY_is_a(key->pkey, "RSA")) {
        const char *kind = EVP_PKEY_get0_type_name(key->pkey);
        return err_set(err, GANTRY_E_INVALID,
                       "%s: is of kind %s; give an RSA key, made for example with "
                       "'gantry keygen FILE'",
                       origin, kind ? kind : "unknown");
    }
    if (key->bits < CRYPTO_KEY_BITS_MIN || key->bits > CRYPTO_KEY_BITS_MAX)
        return err_set(err, GANTRY_E_INVALID,
                       "%s: is an RSA key of %u bits; give one of %u to %u, made for example with "
                       "'gantry keygen FILE'",
                       origin, key->bits, CRYPTO_KEY_BITS_MIN, CRYPTO_KEY_BITS_MAX);
    if (!key_works(key))
        return err_set(err, GANTRY_E_INVALID,
                       "%s: is damaged: what its public half seals, its private half does not open",
                       origin);
    return 0;
}

static int
parse(struct str pem, const struct secret *passphrase, const char *origin, struct crypto_key **out,
      struct gantry_error **err)
{
    struct passphrase_request request = {.passphrase = passphrase};
    BIO *text = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    if (!text)
        return err_nomem(err);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(text, NULL, give_passphrase, &request);
    BIO_free(text);
    if (!pkey)
        return explain(pem, &request, origin, err);
    if (!EVP_PKEY_get0_provider(
            pkey)) {         /* memory ran out, and it was read in an older way: such a */
        EVP_PKEY_free(pkey); /* key cannot be written again */
        return err_nomem(err);
    }
    struct crypto_key *key = crypto_key_of(pkey);
    if (!key)
        return err_nomem(err);
    int rc = check(key, origin, err);
    if (rc < 0) {
        crypto_key_free(key);
        return rc;
    }
    *out = key;
    return 0;
}

int
crypto_key_parse(struct str pem, const struct secret *passphrase, const char *origin,
                 struct crypto_key **out, struct gantry_error **err)
{
    if (str_trim(pem).len == 0)
        return err_set(err, GANTRY_E_INVALID, "%s: is empty; make a key with 'gantry keygen FILE'",
                       origin);
    if (pem.len > CRYPTO_PEM_MAX_BYTES)
        return err_set(err, GANTRY_E_INVALID, "%s: is larger than %zu bytes: no PEM of one key",
                       origin, CRYPTO_PEM_MAX_BYTES);
    crypto_enter();
    int rc = parse(pem, passphrase, origin, out, err);
    return crypto_leave() && rc < 0 ? err_nomem(err) : rc; /* the key is not to blame */
}
