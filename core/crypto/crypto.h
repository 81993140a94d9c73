/* crypto.h - the manager's RSA key, and the configuration values that a platform has sealed for it.
 *
 * A key comes from PEM text (crypto_key_parse), is never changed afterwards, and gives its public
 * half for registration.  A ring is the current key and any number of older ones: crypto_open tries
 * them in turn, because a platform does not seal its values anew when a manager registers another
 * key.  Who reads key files, and which variable of which connector a value belongs to, is the
 * caller's affair.
 *
 * A sealed value is base64(version[1] RSA(key[32] iv[12])[k] ciphertext[n] tag[16]), AES-256-GCM;
 * version 1 has PKCS #1 v1.5 padding in the RSA block, version 2 OAEP with SHA-256; k is the length
 * of the modulus.
 *
 * Keys and rings may be used by any number of threads once they are made.  No text of an error
 * holds a value, a passphrase or a part of a key. */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "compiler.h"
#include "secret.h"
#include "str.h"

#include <gantry/types.h>
#include <stdbool.h>

#define CRYPTO_KEY_BITS_MIN     2048u
#define CRYPTO_KEY_BITS_MAX     8192u
#define CRYPTO_KEY_BITS_ADVISED 3072u /* below it, crypto_key_is_short() */
#define CRYPTO_KEY_BITS_DEFAULT 4096u /* what 'gantry keygen' makes */
#define CRYPTO_PEM_MAX_BYTES    ((size_t)64 * 1024)
#define CRYPTO_SEALED_MAX_BYTES ((size_t)4 * 1024 * 1024) /* of base64 text */
#define CRYPTO_HEX_SIZE         65                        /* a SHA-256 in hex, and its NUL */

struct crypto_key; /* one RSA private key, immutable */

/* Read a private key: PEM of PKCS#8, encrypted PKCS#8 or PKCS#1.  Never asks on the terminal.
 * pem: borrowed.  passphrase: borrowed; may be NULL.  origin: what errors call it, such as "file
 * 'x'". *out: owned, crypto_key_free(). Returns 0, GANTRY_E_INVALID (no key, another kind, size or
 * passphrase) or GANTRY_E_NOMEM.   [any] */
MUST_CHECK int crypto_key_parse(struct str pem, const struct secret *passphrase, const char *origin,
                                struct crypto_key **out, struct gantry_error **err);
/* Make a key; takes seconds.  *out: owned.  0, GANTRY_E_INVALID (bits), GANTRY_E_NOMEM or
 * GANTRY_E_INTERNAL.   [any] */
MUST_CHECK int crypto_key_generate(unsigned bits, struct crypto_key **out,
                                   struct gantry_error **err);
void crypto_key_free(struct crypto_key *key); /* wipes; key: may be NULL */
void crypto_key_clear(struct crypto_key **key);
#define AUTO_CRYPTO_KEY AUTO(crypto_key_clear)

unsigned crypto_key_bits(const struct crypto_key *key);
bool crypto_key_is_short(const struct crypto_key *key); /* works, but a person should be told */

enum crypto_public_form {
    CRYPTO_PUBLIC_PKCS1, /* "RSA PUBLIC KEY": the form that OpenCTI gets */
    CRYPTO_PUBLIC_SPKI   /* "PUBLIC KEY": the only form that OpenAEV takes */
};
/* The public half as PEM with LF line ends.  *out: owned, free().   [any] */
MUST_CHECK int crypto_key_public_pem(const struct crypto_key *key, enum crypto_public_form form,
                                     char **out, struct gantry_error **err);
/* SHA-256 of the public key (DER of SPKI), to notice a changed key.   [any] */
MUST_CHECK int crypto_key_fingerprint(const struct crypto_key *key, char hex[CRYPTO_HEX_SIZE],
                                      struct gantry_error **err);
/* Make a key and write it as PKCS#8 PEM to a new file of mode 0600; what exists is never written
 * over. Returns 0, GANTRY_E_CONFLICT (the file exists), GANTRY_E_INVALID (bits) or the code of what
 * failed. */
MUST_CHECK int crypto_keygen_file(const char *path, unsigned bits, struct gantry_error **err);

struct crypto_ring; /* filled by one thread, then read by any */

/* *out: owned, crypto_ring_free(); empty.  Returns 0 or GANTRY_E_NOMEM. */
MUST_CHECK int crypto_ring_new(struct crypto_ring **out, struct gantry_error **err);
/* The first key added is the current one.  key: taken.  Returns 0 or GANTRY_E_NOMEM. */
MUST_CHECK int crypto_ring_add(struct crypto_ring *ring, struct crypto_key *key,
                               struct gantry_error **err);
/* One more owner, who frees it too; sharing and freeing are one thread's.  ring: may be NULL. */
struct crypto_ring *crypto_ring_share(struct crypto_ring *ring);
void crypto_ring_free(struct crypto_ring *ring); /* ring: may be NULL */
void crypto_ring_clear(struct crypto_ring **ring);
#define AUTO_CRYPTO_RING AUTO(crypto_ring_clear)
/* Borrowed from the ring; NULL while it is empty. */
const struct crypto_key *crypto_ring_current(const struct crypto_ring *ring);

/* Open a sealed value.
 * ring: may be NULL: no key.  sealed: base64 text, borrowed.  *out: set on success alone,
 * secret_clear(); UTF-8 without NUL. Returns 0; GANTRY_E_INVALID when it is malformed, cut short,
 * changed, of an unknown version or sealed for another key (the text says which, and what to do;
 * the caller adds variable and connector); GANTRY_E_NOMEM; GANTRY_E_INTERNAL.   [any] */
MUST_CHECK int crypto_open(const struct crypto_ring *ring, struct str sealed, struct secret *out,
                           struct gantry_error **err);
/* Does the text have the form of a value sealed for a key of this ring?  For platforms that do not
 * say whether a value is sealed; nothing is decrypted.   [any] */
bool crypto_looks_sealed(const struct crypto_ring *ring, struct str text);

/* SHA-256 of any bytes, in lower-case hex.  Returns 0, GANTRY_E_NOMEM or GANTRY_E_INTERNAL.   [any]
 */
MUST_CHECK int crypto_sha256_hex(struct str bytes, char hex[CRYPTO_HEX_SIZE]);

#endif
