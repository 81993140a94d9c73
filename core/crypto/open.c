/* open.c - opening sealed values.
 *
 * The keys of the ring are tried in turn.  That a block decrypts proves little with PKCS #1 v1.5
 * (newer OpenSSL gives random bytes for a block of another key, on purpose); only GCM's tag proves
 * a value.  So a value counts as opened when its tag fits, and each failure before that means "try
 * the next key". */
#include "crypto_internal.h"
#include "err.h"

#define TAG_BYTES   16
#define KEY_BYTES   32
#define NONCE_BYTES 12

/* A sealed value after base64; views of one buffer. */
struct envelope {
    unsigned version;
    const unsigned char *body; /* after the version byte */
    size_t body_size;
};

/* How far a key got with a value; the furthest of all keys decides what the error says. */
enum outcome { TOO_SHORT, OTHER_KEY, DAMAGED, NO_MEMORY, OPENED };

/* The block of the session key.  Returns OPENED or why not; session: to be wiped by the caller. */
static enum outcome
open_session(const struct crypto_key *key, const struct envelope *e,
             unsigned char session[CRYPTO_SESSION_BYTES])
{
    unsigned char block[CRYPTO_BLOCK_MAX_BYTES];
    size_t size = sizeof block;
    EVP_PKEY_CTX *context = crypto_key_context(key, (enum crypto_version)e->version, true);
    if (!context)
        return NO_MEMORY;
    int ok = EVP_PKEY_decrypt(context, block, &size, e->body, key->block_bytes);
    EVP_PKEY_CTX_free(context);
    enum outcome outcome = OTHER_KEY;
    if (ok > 0 && size == CRYPTO_SESSION_BYTES) {
        memcpy(session, block, CRYPTO_SESSION_BYTES);
        outcome = OPENED;
    }
    secret_wipe(block, sizeof block);
    return outcome;
}

/* AES-256-GCM.  text: room for n bytes. */
static bool
open_text(EVP_CIPHER_CTX *context, const unsigned char session[CRYPTO_SESSION_BYTES],
          const unsigned char *sealed, size_t n, char *text)
{
    unsigned char tag[TAG_BYTES], none[TAG_BYTES];
    int size = 0;
    memcpy(tag, sealed + n, TAG_BYTES);
    return EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, NULL, NULL) > 0 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, NONCE_BYTES, NULL) > 0 &&
           EVP_DecryptInit_ex(context, NULL, NULL, session, session + KEY_BYTES) > 0 &&
           EVP_DecryptUpdate(context, (unsigned char *)text, &size, sealed, (int)n) > 0 &&
           (size_t)size == n &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) > 0 &&
           EVP_DecryptFinal_ex(context, none, &size) > 0;
}

static enum outcome
open_with(const struct crypto_key *key, const struct envelope *e, struct secret *out)
{
    if (e->body_size < key->block_bytes + TAG_BYTES)
        return TOO_SHORT;
    unsigned char session[CRYPTO_SESSION_BYTES];
    enum outcome outcome = open_session(key, e, session);
    if (outcome != OPENED)
        return outcome;
    size_t n = e->body_size - key->block_bytes - TAG_BYTES;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    char *text = malloc(n + 1);
    if (!context || !text)
        outcome = NO_MEMORY;
    else if (!open_text(context, session, e->body + key->block_bytes, n, text))
        /* With OAEP the block was surely for this key; with PKCS #1 v1.5 it only looked so. */
        outcome = e->version == CRYPTO_VERSION_OAEP ? DAMAGED : OTHER_KEY;
    secret_wipe(session, sizeof session);
    EVP_CIPHER_CTX_free(context);
    if (outcome == OPENED) {
        text[n] = '\0';
        secret_adopt(out, text, n);
        return OPENED;
    }
    if (text)
        secret_wipe(text, n);
    free(text);
    return outcome;
}

static enum outcome
open_with_any(const struct crypto_ring *ring, const struct envelope *e, struct secret *out)
{
    enum outcome furthest = TOO_SHORT;
    vec_each (&ring->keys, key) {
        enum outcome outcome = open_with(*key, e, out);
        furthest = MAX(furthest, outcome);
        if (furthest >= NO_MEMORY)
            break;
    }
    return furthest;
}

/* What becomes an environment variable must be text: a NUL would cut it, silently. */
static int
check_text(struct str text, struct gantry_error **err)
{
    if (text.len > 0 && memchr(text.ptr, '\0', text.len))
        return err_set(err, GANTRY_E_INVALID,
                       "the sealed value holds a NUL byte, which no environment can carry; "
                       "enter it again on the platform");
    if (str_utf8_valid_length(text) != text.len)
        return err_set(err, GANTRY_E_INVALID,
                       "the sealed value is not UTF-8 text; enter it again on the platform");
    return 0;
}

static int
report(enum outcome outcome, struct gantry_error **err)
{
    switch (outcome) {
    case OPENED:
        return 0;
    case NO_MEMORY:
        return err_nomem(err);
    case TOO_SHORT:
        return err_set(err, GANTRY_E_INVALID,
                       "the sealed value is too short for this manager's key: it was cut, or "
                       "sealed for a shorter key; enter it again on the platform, or add the key "
                       "that it was sealed for to old_keys");
    case DAMAGED:
        return err_set(err, GANTRY_E_INVALID,
                       "the sealed value was changed or damaged after it was sealed; enter it "
                       "again on the platform");
    case OTHER_KEY:
        return err_set(err, GANTRY_E_INVALID,
                       "the sealed value is for another key than this manager's, or damaged; enter "
                       "it again on the platform, or add the key that it was sealed for to "
                       "old_keys");
    }
    return err_set(err, GANTRY_E_INTERNAL, "opening a sealed value ended in no known way");
}

static int
open_decoded(const struct crypto_ring *ring, const unsigned char *bytes, size_t size,
             struct secret *out, struct gantry_error **err)
{
    struct envelope e = {bytes[0], bytes + 1, size - 1};
    if (e.version != CRYPTO_VERSION_PKCS1 && e.version != CRYPTO_VERSION_OAEP)
        return err_set(err, GANTRY_E_INVALID,
                       "the sealed value is of version %u, and this manager knows 1 and 2; it is "
                       "not sealed at all, or by a newer platform: update Gantry",
                       e.version);
    AUTO_SECRET struct secret text = {0};
    crypto_enter();
    enum outcome outcome = open_with_any(ring, &e, &text);
    if (crypto_leave() && outcome != OPENED)
        outcome = NO_MEMORY; /* no key was truly tried */
    int rc = report(outcome, err);
    if (rc == 0)
        rc = check_text(secret_bytes(&text), err);
    if (rc < 0)
        return rc;
    *out = text;
    text = (struct secret){0};
    return 0;
}

int
crypto_open(const struct crypto_ring *ring, struct str sealed, struct secret *out,
            struct gantry_error **err)
{
    if (!crypto_ring_current(ring))
        return err_set(err, GANTRY_E_INVALID,
                       "the value is sealed, and this manager has no key; set key in [manager]");
    if (sealed.len > CRYPTO_SEALED_MAX_BYTES)
        return err_set(err, GANTRY_E_INVALID, "the sealed value is larger than %zu bytes",
                       CRYPTO_SEALED_MAX_BYTES);
    size_t size;
    if (!base64_check(sealed, &size))
        return err_set(err, GANTRY_E_INVALID,
                       "the sealed value is %s; enter it again on the platform",
                       sealed.len == 0 ? "empty" : "no base64 text");
    unsigned char *bytes = malloc(size);
    if (!bytes)
        return err_nomem(err);
    base64_decode(sealed, bytes);
    int rc = open_decoded(ring, bytes, size, out, err);
    free(bytes); /* ciphertext: nothing to wipe */
    return rc;
}

bool
crypto_looks_sealed(const struct crypto_ring *ring, struct str text)
{
    size_t size, quad_size;
    unsigned char quad[3];
    if (!ring || text.len > CRYPTO_SEALED_MAX_BYTES || !base64_check(text, &size))
        return false;
    base64_decode_quad(text.ptr, quad, &quad_size);
    if (quad[0] != CRYPTO_VERSION_PKCS1 && quad[0] != CRYPTO_VERSION_OAEP)
        return false;
    vec_each (&ring->keys, key) {
        if (size >= 1 + (*key)->block_bytes + TAG_BYTES)
            return true;
    }
    return false;
}
