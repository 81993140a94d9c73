/* Each allocation fails in turn, OpenSSL's too: a key or a value that memory ran out for is never
 * said to be damaged, or somebody else's. */
#include "crypto.h"
#include "err.h"
#include "faults.h"
#include "file.h"

#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define VECTORS GANTRY_SOURCE_DIR "/tests/vectors/crypto/"

static char *
read_text(const char *name)
{
    char path[512];
    char *text = NULL;
    (void)snprintf(path, sizeof path, VECTORS "%s", name);
    assert_int_equal(file_read(path, (size_t)1 << 20, &text, NULL, NULL), 0);
    return text;
}

/* OpenSSL keeps the queue of its errors for each thread, and what they say. */
static void
settle(void)
{
    OPENSSL_thread_stop();
}

struct key_case {
    const char *file, *passphrase;
    int expected;
    size_t stride; /* of some hundreds */
};

struct key_run {
    const char *pem;
    struct secret passphrase;
};

static int
read_key(void *context, struct gantry_error **err)
{
    const struct key_run *run = context;
    AUTO_CRYPTO_KEY struct crypto_key *key = NULL;
    AUTO_CRYPTO_RING struct crypto_ring *ring = NULL;
    AUTO_FREE char *pkcs1 = NULL, *spki = NULL;
    char hex[CRYPTO_HEX_SIZE] = "";
    int rc = crypto_key_parse(str_of(run->pem), run->passphrase.ptr_ ? &run->passphrase : NULL,
                              "file 'k'", &key, err);
    fault_assert((rc == 0) == (key != NULL));
    if (rc == 0)
        rc = crypto_key_public_pem(key, CRYPTO_PUBLIC_PKCS1, &pkcs1, err);
    if (rc == 0)
        rc = crypto_key_public_pem(key, CRYPTO_PUBLIC_SPKI, &spki, err);
    if (rc == 0)
        rc = crypto_key_fingerprint(key, hex, err);
    if (rc == 0)
        rc = crypto_ring_new(&ring, err);
    if (rc == 0)
        rc = crypto_ring_add(ring, TAKE(key), err);
    fault_assert(rc < 0 || (pkcs1 && spki && hex[0]));
    return rc;
}

static void
sweep_key(const struct key_case *c)
{
    AUTO_FREE char *pem = read_text(c->file);
    struct key_run run = {.pem = pem};
    if (c->passphrase)
        assert_int_equal(secret_set(&run.passphrase, c->passphrase, strlen(c->passphrase)), 0);
    fault_sweep(c->file, &(struct fault_sweep){.run = read_key,
                                               .context = &run,
                                               .expected = c->expected,
                                               .tolerance = FAULT_TOLERATED,
                                               .stride = c->stride,
                                               .settle = settle});
    secret_clear(&run.passphrase);
}

static void
a_key_is_read_or_memory_is_out(void **state)
{
    (void)state;
    sweep_key(&(struct key_case){"keys/rsa-2048.pem", NULL, 0, 127});
    sweep_key(&(struct key_case){"keys/rsa-2048-pkcs1.pem", NULL, 0, 131});
}

static void
an_encrypted_key_is_not_blamed_on_its_passphrase(void **state)
{
    (void)state;
    sweep_key(&(struct key_case){"keys/rsa-2048-encrypted.pem", "correct horse", 0, 137});
    sweep_key(&(struct key_case){"keys/rsa-2048-encrypted.pem", "wrong", GANTRY_E_INVALID, 73});
    sweep_key(&(struct key_case){"keys/rsa-2048-pkcs1-encrypted.pem", "correct horse", 0, 139});
}

static void
what_is_no_key_is_told_or_memory_is_out(void **state)
{
    (void)state;
    sweep_key(&(struct key_case){"keys/bad-ec.pem", NULL, GANTRY_E_INVALID, 23});
    sweep_key(&(struct key_case){"keys/bad-damaged.pem", NULL, GANTRY_E_INVALID, 23});
    sweep_key(&(struct key_case){"keys/rsa-2048-public-spki.pem", NULL, GANTRY_E_INVALID, 23});
}

struct open_run {
    const struct crypto_ring *ring;
    const char *sealed;
    const char *opens; /* NULL: not at all */
};

static int
open_value(void *context, struct gantry_error **err)
{
    const struct open_run *run = context;
    AUTO_SECRET struct secret out = {0};
    int rc = crypto_open(run->ring, str_of(run->sealed), &out, err);
    fault_assert((rc == 0) == (out.ptr_ != NULL));
    fault_assert(rc < 0 || strcmp(out.ptr_, run->opens) == 0);
    return rc;
}

/* The text behind `word` in the case of that title. */
static char *
vector_line(const char *title, const char *word)
{
    AUTO_FREE char *text = read_text("values.test");
    const char *at = strstr(text, title);
    at = at ? strstr(at, word) : NULL;
    assert_non_null(at);
    at += strlen(word);
    return str_dup((struct str){at, strcspn(at, "\n")});
}

static void
sweep_open(const struct crypto_ring *ring, const char *title, int expected)
{
    AUTO_FREE char *sealed = vector_line(title, "\nsealed: ");
    AUTO_FREE char *opens = expected ? NULL : vector_line(title, "\nopens: ");
    struct open_run run = {ring, sealed, opens};
    fault_sweep(title, &(struct fault_sweep){.run = open_value,
                                             .context = &run,
                                             .expected = expected,
                                             .tolerance = FAULT_TOLERATED,
                                             .settle = settle});
}

static void
a_value_is_opened_or_memory_is_out(void **state)
{
    (void)state;
    static const char *const names[] = {"keys/rsa-3072.pem", "keys/rsa-2048.pem"};
    AUTO_CRYPTO_RING struct crypto_ring *ring = NULL;
    assert_int_equal(crypto_ring_new(&ring, NULL), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        AUTO_FREE char *pem = read_text(names[i]);
        struct crypto_key *key = NULL;
        assert_int_equal(crypto_key_parse(str_of(pem), NULL, "k", &key, NULL), 0);
        assert_int_equal(crypto_ring_add(ring, key, NULL), 0);
    }
    sweep_open(ring, "=== base64 of length 3n+2, version 1", 0);
    sweep_open(ring, "=== base64 of length 3n+2, version 2", 0);
    sweep_open(ring, "=== an older key of the ring, version 1", 0);
    sweep_open(ring, "=== a tag that was changed, version 1", GANTRY_E_INVALID);
    sweep_open(ring, "=== version 1, 8192 bits", GANTRY_E_INVALID);
}

static int
digest(void *context, struct gantry_error **err)
{
    char hex[CRYPTO_HEX_SIZE] = "untouched";
    int rc = crypto_sha256_hex(str_of(context), hex);
    fault_assert(rc == 0 || strcmp(hex, "untouched") == 0);
    return rc < 0 ? err_set(err, rc, "digest") : 0;
}

static void
a_digest_is_made_or_memory_is_out(void **state)
{
    (void)state;
    static char text[] = "text";
    fault_sweep("SHA-256", &(struct fault_sweep){.run = digest,
                                                 .context = text,
                                                 .tolerance = FAULT_TOLERATED,
                                                 .settle = settle});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_read_or_memory_is_out),
        cmocka_unit_test(an_encrypted_key_is_not_blamed_on_its_passphrase),
        cmocka_unit_test(what_is_no_key_is_told_or_memory_is_out),
        cmocka_unit_test(a_value_is_opened_or_memory_is_out),
        cmocka_unit_test(a_digest_is_made_or_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
