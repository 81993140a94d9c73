/* Keys: every form that is read, every one that is refused and how that is said, the public halves
 * beside what Node's crypto writes, and the file that keygen makes. */
#include "crypto.h"
#include "err.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define KEYS GANTRY_SOURCE_DIR "/tests/vectors/crypto/keys/"

static char *
read_text(const char *name, const char *suffix)
{
    char path[512];
    snprintf(path, sizeof path, KEYS "%s%s", name, suffix);
    char *text = NULL;
    struct gantry_error *err = NULL;
    if (file_read(path, CRYPTO_PEM_MAX_BYTES, &text, NULL, &err) < 0)
        fail_msg("%s", err_text(err));
    return text;
}

static int
parse(const char *pem, const char *passphrase, struct crypto_key **key, struct gantry_error **err)
{
    AUTO_SECRET struct secret secret = {0};
    if (passphrase)
        assert_int_equal(secret_set(&secret, passphrase, strlen(passphrase)), 0);
    return crypto_key_parse(str_of(pem), passphrase ? &secret : NULL, "file 'k.pem'", key, err);
}

/* The key of a file, which must be one. */
static struct crypto_key *
load(const char *name, const char *passphrase)
{
    AUTO_FREE char *pem = read_text(name, ".pem");
    AUTO_ERR struct gantry_error *err = NULL;
    struct crypto_key *key = NULL;
    if (parse(pem, passphrase, &key, &err) < 0)
        fail_msg("%s: %s", name, err_text(err));
    return key;
}

/* The text must be refused, with one line that names the origin and has `part`. */
static void
refused_text(const char *pem, const char *passphrase, const char *part)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct crypto_key *key = NULL;
    assert_int_equal(parse(pem, passphrase, &key, &err), GANTRY_E_INVALID);
    assert_null(key);
    if (!strstr(err_text(err), part) || strncmp(err_text(err), "file 'k.pem': ", 14) != 0)
        fail_msg("'%s' should have '%s'", err_text(err), part);
    assert_int_equal(parse(pem, passphrase, &key, NULL), GANTRY_E_INVALID);
}

static void
refused(const char *name, const char *passphrase, const char *part)
{
    AUTO_FREE char *pem = read_text(name, ".pem");
    refused_text(pem, passphrase, part);
}

static void
same_public_half(const struct crypto_key *key, const char *name)
{
    AUTO_FREE char *pkcs1 = NULL, *spki = NULL;
    assert_int_equal(crypto_key_public_pem(key, CRYPTO_PUBLIC_PKCS1, &pkcs1, NULL), 0);
    assert_int_equal(crypto_key_public_pem(key, CRYPTO_PUBLIC_SPKI, &spki, NULL), 0);
    AUTO_FREE char *expected_pkcs1 = read_text(name, "-public-pkcs1.pem");
    AUTO_FREE char *expected_spki = read_text(name, "-public-spki.pem");
    assert_string_equal(pkcs1, expected_pkcs1);
    assert_string_equal(spki, expected_spki);

    char hex[CRYPTO_HEX_SIZE];
    assert_int_equal(crypto_key_fingerprint(key, hex, NULL), 0);
    AUTO_FREE char *expected = read_text(name, ".fingerprint");
    expected[strcspn(expected, "\n")] = '\0';
    assert_string_equal(hex, expected);
}

static void
public_half_is_what_node_writes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned bits;
        bool is_short;
    } cases[] = {
        {"rsa-2048", 2048, true},
        {"rsa-3072", 3072, false},
        {"rsa-4096", 4096, false},
        {"rsa-8192", 8192, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_CRYPTO_KEY struct crypto_key *key = load(cases[i].name, NULL);
        assert_int_equal(crypto_key_bits(key), cases[i].bits);
        assert_int_equal(crypto_key_is_short(key), cases[i].is_short);
        same_public_half(key, cases[i].name);
    }
}

static void
every_private_form_is_the_same_key(void **state)
{
    (void)state;
    static const struct {
        const char *name, *passphrase, *same_as;
    } cases[] = {
        {"rsa-2048-pkcs1", NULL, "rsa-2048"},
        {"rsa-2048-encrypted", "correct horse", "rsa-2048"},
        {"rsa-2048-pkcs1-encrypted", "correct horse", "rsa-2048"},
        {"rsa-4096-pkcs1", NULL, "rsa-4096"},
        {"rsa-4096-encrypted", "correct horse", "rsa-4096"},
        {"rsa-2048", "a passphrase that is not needed", "rsa-2048"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_CRYPTO_KEY struct crypto_key *key = load(cases[i].name, cases[i].passphrase);
        same_public_half(key, cases[i].same_as);
    }
}

static void
crlf_and_text_around_are_read(void **state)
{
    (void)state;
    AUTO_FREE char *pem = read_text("rsa-2048", ".pem");
    AUTO_FREE char *crlf = calloc(1, strlen(pem) * 2 + 64);
    char *to = crlf;
    to += snprintf(to, 64, "the manager's key\r\n");
    for (const char *from = pem; *from; from++) {
        if (*from == '\n')
            *to++ = '\r';
        *to++ = *from;
    }
    AUTO_CRYPTO_KEY struct crypto_key *key = NULL;
    assert_int_equal(parse(crlf, NULL, &key, NULL), 0);
    same_public_half(key, "rsa-2048");
}

static void
what_is_no_usable_key_is_refused_with_the_reason(void **state)
{
    (void)state;
    refused("bad-ec", NULL, "is of kind EC; give an RSA key");
    refused("bad-ec-sec1", NULL, "is of kind EC; give an RSA key");
    refused("bad-ed25519", NULL, "is of kind ED25519");
    refused("bad-rsa-pss", NULL, "is of kind RSA-PSS");
    refused("bad-rsa-1024", NULL, "RSA key of 1024 bits; give one of 2048 to 8192");
    refused("bad-rsa-8208", NULL, "RSA key of 8208 bits");
    refused("bad-damaged", NULL, "is damaged");
    refused("rsa-2048-public-spki", NULL, "is a public key");
    refused("rsa-2048-public-pkcs1", NULL, "is a public key");
    refused_text("", NULL, "is empty");
    refused_text(" \n", NULL, "is empty");
    refused_text("hunter2", NULL, "is no PEM text");
    refused_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n"
                 "-----END OPENSSH PRIVATE KEY-----\n",
                 NULL, "ssh-keygen");
}

static void
an_encrypted_key_is_never_asked_for_on_the_terminal(void **state)
{
    (void)state;
    refused("rsa-2048-encrypted", NULL, "set key_passphrase in [manager]");
    refused("rsa-2048-pkcs1-encrypted", NULL, "set key_passphrase in [manager]");
    refused("rsa-2048-encrypted", "wrong horse", "cannot be decrypted");
    refused("rsa-2048-encrypted", "", "cannot be decrypted");
    char longest[2000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    refused("rsa-2048-encrypted", longest, "longer than");
}

static void
no_cut_of_a_key_is_taken_for_a_key(void **state)
{
    (void)state;
    AUTO_FREE char *pem = read_text("rsa-2048", ".pem");
    size_t len = strlen(pem);
    for (size_t at = 1; at + 2 < len; at += 37) {
        AUTO_ERR struct gantry_error *err = NULL;
        struct crypto_key *key = NULL;
        int rc = crypto_key_parse((struct str){pem, at}, NULL, "k", &key, &err);
        assert_int_equal(rc, GANTRY_E_INVALID);
        assert_null(key);
    }
    AUTO_FREE char *large = calloc(1, CRYPTO_PEM_MAX_BYTES + 2);
    memset(large, 'x', CRYPTO_PEM_MAX_BYTES + 1);
    refused_text(large, NULL, "larger than");
}

static void
a_generated_key_differs_each_time(void **state)
{
    (void)state;
    AUTO_CRYPTO_KEY struct crypto_key *a = NULL, *b = NULL;
    assert_int_equal(crypto_key_generate(2048, &a, NULL), 0);
    assert_int_equal(crypto_key_generate(2048, &b, NULL), 0);
    assert_int_equal(crypto_key_bits(a), 2048);
    char of_a[CRYPTO_HEX_SIZE], of_b[CRYPTO_HEX_SIZE];
    assert_int_equal(crypto_key_fingerprint(a, of_a, NULL), 0);
    assert_int_equal(crypto_key_fingerprint(b, of_b, NULL), 0);
    assert_string_not_equal(of_a, of_b);

    struct crypto_key *none = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(crypto_key_generate(2047, &none, &err), GANTRY_E_INVALID);
    assert_int_equal(crypto_key_generate(8193, &none, &err), GANTRY_E_INVALID);
    assert_null(none);
}

static void
keygen_makes_a_file_that_only_its_owner_reads(void **state)
{
    (void)state;
    char folder[] = "/tmp/gantry-keygen-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/manager.pem", folder);
    AUTO_ERR struct gantry_error *err = NULL;
    mode_t old = umask(0277); /* would leave 0400 */
    int rc = crypto_keygen_file(path, 2048, &err);
    umask(old);
    if (rc < 0)
        fail_msg("%s", err_text(err));
    struct stat made;
    assert_int_equal(stat(path, &made), 0);
    assert_int_equal(made.st_mode & 07777, 0600);

    AUTO_FREE char *pem = NULL;
    assert_int_equal(file_read(path, CRYPTO_PEM_MAX_BYTES, &pem, NULL, NULL), 0);
    assert_int_equal(strncmp(pem, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
    AUTO_CRYPTO_KEY struct crypto_key *key = NULL;
    assert_int_equal(parse(pem, NULL, &key, NULL), 0);
    assert_int_equal(crypto_key_bits(key), 2048);
    unlink(path);
    rmdir(folder);
}

static void
keygen_never_writes_over_a_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/gantry-keygen-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64], link_path[64];
    snprintf(path, sizeof path, "%s/manager.pem", folder);
    snprintf(link_path, sizeof link_path, "%s/link.pem", folder);
    assert_int_equal(file_write_atomic(path, STR("old"), 0644, NULL), 0);
    assert_int_equal(symlink("nowhere", link_path), 0);

    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(crypto_keygen_file(path, 2048, &err), GANTRY_E_CONFLICT);
    assert_non_null(strstr(err_text(err), "exists already"));
    err_clear(&err);
    assert_int_equal(crypto_keygen_file(link_path, 2048, &err), GANTRY_E_CONFLICT);
    AUTO_FREE char *text = NULL;
    assert_int_equal(file_read(path, 100, &text, NULL, NULL), 0);
    assert_string_equal(text, "old");
    unlink(path);
    unlink(link_path);

    err_clear(&err);
    assert_int_equal(crypto_keygen_file(path, 1024, &err), GANTRY_E_INVALID);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(rmdir(folder), 0);
    err_clear(&err);
    assert_int_equal(crypto_keygen_file(path, 2048, &err), GANTRY_E_NOT_FOUND);
    assert_non_null(strstr(err_text(err), path));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_half_is_what_node_writes),
        cmocka_unit_test(every_private_form_is_the_same_key),
        cmocka_unit_test(crlf_and_text_around_are_read),
        cmocka_unit_test(what_is_no_usable_key_is_refused_with_the_reason),
        cmocka_unit_test(an_encrypted_key_is_never_asked_for_on_the_terminal),
        cmocka_unit_test(no_cut_of_a_key_is_taken_for_a_key),
        cmocka_unit_test(a_generated_key_differs_each_time),
        cmocka_unit_test(keygen_makes_a_file_that_only_its_owner_reads),
        cmocka_unit_test(keygen_never_writes_over_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
