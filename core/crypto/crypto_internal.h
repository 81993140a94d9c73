/* crypto_internal.h - what the files of this room share; the only header here that shows OpenSSL.
 */
#ifndef CRYPTO_CRYPTO_INTERNAL_H
#define CRYPTO_CRYPTO_INTERNAL_H

#include "crypto.h"
#include "vec.h"

#include <openssl/evp.h>

struct crypto_key {
    EVP_PKEY *pkey;     /* RSA; read by many threads, each with its own EVP_PKEY_CTX */
    unsigned bits;      /* CRYPTO_KEY_BITS_MIN..MAX */
    size_t block_bytes; /* of the modulus: what one encrypted block takes */
};

struct crypto_ring {
    size_t others;                 /* owners beside the first */
    VEC(struct crypto_key *) keys; /* the current one first */
};

/* The padding of a sealed value's RSA block, by its version byte. */
enum crypto_version { CRYPTO_VERSION_PKCS1 = 1, CRYPTO_VERSION_OAEP = 2 };

#define CRYPTO_BLOCK_MAX_BYTES (CRYPTO_KEY_BITS_MAX / 8)
#define CRYPTO_SESSION_BYTES   44 /* what the block holds: AES key 32, nonce 12 */

/* Around every use of OpenSSL.  It leaves the thread's error queue as it was: libcurl uses the same
 * queue to tell what became of a TLS connection.  And it tells whether memory ran out meanwhile,
 * which OpenSSL often calls by another name: a key that is damaged, a padding that is wrong. */
void crypto_enter(void);
bool crypto_leave(void); /* true: memory ran out, whatever OpenSSL says */

/* A key of OpenSSL's.  pkey: taken, on failure too.  NULL when memory ran out. */
struct crypto_key *crypto_key_of(EVP_PKEY *pkey);

/* A context of this key for sealing (private_half false) or opening in that version; NULL on
 * failure. */
EVP_PKEY_CTX *crypto_key_context(const struct crypto_key *key, enum crypto_version version,
                                 bool private_half);

/* The private key as unencrypted PKCS#8 PEM.  out: set on success alone. */
MUST_CHECK int crypto_key_private_pem(const struct crypto_key *key, struct secret *out,
                                      struct gantry_error **err);

/* Strict base64 of RFC 4648, 4: standard alphabet, padded, no blanks, unused bits zero.
 * Is it that, and not empty?  *size: the decoded length, set when true. */
bool base64_check(struct str text, size_t *size);
/* Decode the first of a checked text's quads: at most 3 bytes, *size bytes, into out. */
void base64_decode_quad(const char *quad, unsigned char out[3], size_t *size);
/* Decode a checked text; out has room for the size that base64_check told. */
void base64_decode(struct str text, unsigned char *out);

#endif
