/* Sealed values: the vectors of tests/vectors/crypto/values.test, and one ring used by many
 * threads. */
#include "crypto.h"
#include "err.h"
#include "file.h"

#include <openssl/err.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define VECTORS           GANTRY_SOURCE_DIR "/tests/vectors/crypto/"
#define VECTORS_MAX_BYTES ((size_t)1024 * 1024)

/* One case of values.test; texts are owned, NULL when its line is missing. */
struct vector {
    char *title, *keys, *sealed, *opens, *fails, *looks_sealed;
    size_t opens_len, sealed_len;
    int line;
};

static char *
read_text(const char *path)
{
    char *text = NULL;
    struct gantry_error *err = NULL;
    if (file_read(path, VECTORS_MAX_BYTES, &text, NULL, &err) < 0)
        fail_msg("%s", err_text(err));
    return text;
}

/* A ring of the named keys, which blanks separate. */
static struct crypto_ring *
ring_of(const char *names)
{
    struct crypto_ring *ring = NULL;
    assert_int_equal(crypto_ring_new(&ring, NULL), 0);
    struct str rest = str_of(names);
    while (rest.len > 0) {
        struct str name = str_cut(rest, ' ', &rest);
        char path[512];
        snprintf(path, sizeof path, VECTORS "keys/%.*s.pem", STR_ARG(name));
        AUTO_FREE char *pem = read_text(path);
        struct crypto_key *key = NULL;
        struct gantry_error *err = NULL;
        if (crypto_key_parse(str_of(pem), NULL, path, &key, &err) < 0)
            fail_msg("%s", err_text(err));
        assert_int_equal(crypto_ring_add(ring, key, NULL), 0);
    }
    return ring;
}

static int
hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Undo \n \t \\ \xNN. */
static char *
unescape(struct str s, size_t *len)
{
    char *out = calloc(1, s.len + 1);
    assert_non_null(out);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '\\') {
            c = s.ptr[++i];
            if (c == 'n') {
                c = '\n';
            } else if (c == 't') {
                c = '\t';
            } else if (c == 'x') {
                c = (char)(hex_digit(s.ptr[i + 1]) * 16 + hex_digit(s.ptr[i + 2]));
                i += 2;
            }
        }
        out[n++] = c;
    }
    *len = n;
    return out;
}

static void
read_line(struct vector *v, struct str line)
{
    struct str value;
    struct str word = str_cut(line, ':', &value);
    size_t ignored;
    assert_true(value.len > 0 && value.ptr[0] == ' ');
    value.ptr++;
    value.len--;
    if (str_eq(word, STR("keys")))
        v->keys = str_dup(value);
    else if (str_eq(word, STR("sealed")))
        v->sealed = unescape(value, &v->sealed_len);
    else if (str_eq(word, STR("opens")))
        v->opens = unescape(value, &v->opens_len);
    else if (str_eq(word, STR("fails")))
        v->fails = unescape(value, &ignored);
    else if (str_eq(word, STR("looks-sealed")))
        v->looks_sealed = str_dup(value);
    else
        fail_msg("values.test: unknown word '%.*s'", STR_ARG(word));
}

static void
clear_vector(struct vector *v)
{
    free(v->title);
    free(v->keys);
    free(v->sealed);
    free(v->opens);
    free(v->fails);
    free(v->looks_sealed);
    *v = (struct vector){0};
}

static void
run_vector(const struct vector *v)
{
    struct crypto_ring *ring = ring_of(v->keys);
    struct str sealed = {v->sealed, v->sealed_len};
    AUTO_SECRET struct secret text = {0};
    AUTO_ERR struct gantry_error *err = NULL;
    int rc = crypto_open(ring, sealed, &text, &err);
    struct str opened = secret_bytes(&text);
    if (v->opens) {
        if (rc < 0)
            fail_msg("values.test:%d: %s: %s", v->line, v->title, err_text(err));
        if (!str_eq(opened, (struct str){v->opens, v->opens_len}) || opened.ptr[opened.len] != 0)
            fail_msg("values.test:%d: %s: opened to another text", v->line, v->title);
    } else if (!v->fails) {
        fail_msg("values.test:%d: %s: neither opens nor fails", v->line, v->title);
    } else {
        if (rc != GANTRY_E_INVALID || opened.ptr || !strstr(err_text(err), v->fails))
            fail_msg("values.test:%d: %s: returned %d, '%s' should have '%s'", v->line, v->title,
                     rc, err_text(err), v->fails);
        assert_int_equal(crypto_open(ring, sealed, &text, NULL), GANTRY_E_INVALID);
    }
    bool looks = !v->looks_sealed || strcmp(v->looks_sealed, "yes") == 0;
    if (crypto_looks_sealed(ring, sealed) != looks)
        fail_msg("values.test:%d: %s: looks sealed should be %d", v->line, v->title, looks);
    /* libcurl reads the same queue of errors, of the same thread. */
    assert_int_equal(ERR_peek_error(), 0);
    crypto_ring_free(ring);
}

static void
vectors_of_node_open_or_say_why_not(void **state)
{
    (void)state;
    AUTO_FREE char *text = read_text(VECTORS "values.test");
    struct vector v = {0};
    struct str rest = str_of(text);
    int line_number = 0, ran = 0;
    while (rest.ptr) {
        struct str line = str_cut(rest, '\n', &rest);
        line_number++;
        if (str_starts_with(line, STR("=== "))) {
            v.title = str_dup((struct str){line.ptr + 4, line.len - 4});
            v.line = line_number;
        } else if (line.len > 0) {
            read_line(&v, line);
        }
        if (v.title && (line.len == 0 || !rest.ptr)) {
            run_vector(&v);
            clear_vector(&v);
            ran++;
        }
    }
    assert_true(ran > 60);
}

/* The first value of values.test that opens with this key alone. */
static struct vector
vector_titled(const char *title)
{
    AUTO_FREE char *text = read_text(VECTORS "values.test");
    char heading[128];
    snprintf(heading, sizeof heading, "=== %s\n", title);
    const char *at = strstr(text, heading);
    assert_non_null(at);
    struct vector v = {0};
    v.title = text_dup(title);
    struct str rest = str_of(at + strlen(heading));
    for (struct str line = str_cut(rest, '\n', &rest); line.len > 0;
         line = str_cut(rest, '\n', &rest))
        read_line(&v, line);
    return v;
}

static void
without_a_key_nothing_opens(void **state)
{
    (void)state;
    struct vector v = vector_titled("UTF-8, version 2, 4096 bits");
    struct crypto_ring *empty = ring_of("");
    AUTO_SECRET struct secret text = {0};
    AUTO_ERR struct gantry_error *err = NULL;
    assert_null(crypto_ring_current(empty));
    assert_int_equal(crypto_open(empty, str_of(v.sealed), &text, &err), GANTRY_E_INVALID);
    assert_non_null(strstr(err_text(err), "has no key"));
    err_clear(&err);
    assert_int_equal(crypto_open(NULL, str_of(v.sealed), &text, &err), GANTRY_E_INVALID);
    assert_false(crypto_looks_sealed(empty, str_of(v.sealed)));
    assert_false(crypto_looks_sealed(NULL, str_of(v.sealed)));
    crypto_ring_free(empty);
    crypto_ring_free(NULL);
    clear_vector(&v);
}

static void
the_first_key_of_a_ring_is_the_current_one(void **state)
{
    (void)state;
    struct crypto_ring *ring = ring_of("rsa-3072 rsa-2048");
    assert_int_equal(crypto_key_bits(crypto_ring_current(ring)), 3072);
    crypto_ring_free(ring);
}

static void
a_value_of_any_size_is_bounded(void **state)
{
    (void)state;
    struct crypto_ring *ring = ring_of("rsa-2048");
    size_t len = CRYPTO_SEALED_MAX_BYTES + 4;
    AUTO_FREE char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'A', len);
    text[1] = 'Q'; /* version 1 */
    AUTO_SECRET struct secret out = {0};
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(crypto_open(ring, (struct str){text, len}, &out, &err), GANTRY_E_INVALID);
    assert_non_null(strstr(err_text(err), "larger than"));
    assert_false(crypto_looks_sealed(ring, (struct str){text, len}));
    assert_true(crypto_looks_sealed(ring, (struct str){text, len - 4}));
    crypto_ring_free(ring);
}

/* What each thread opens, again and again, from the one ring. */
struct opener {
    const struct crypto_ring *ring;
    const struct vector *values;
    size_t count;
    int wrong;
};

#define THREADS 4
#define ROUNDS  40

static void *
open_again_and_again(void *argument)
{
    struct opener *o = argument;
    for (int round = 0; round < ROUNDS; round++) {
        const struct vector *v = &o->values[(size_t)round % o->count];
        struct secret text = {0};
        struct gantry_error *err = NULL;
        int rc = crypto_open(o->ring, (struct str){v->sealed, v->sealed_len}, &text, &err);
        struct str expected = {v->opens, v->opens_len};
        bool right = v->opens ? rc == 0 && str_eq(secret_bytes(&text), expected)
                              : rc == GANTRY_E_INVALID && strstr(err_text(err), v->fails);
        o->wrong += !right;
        secret_clear(&text);
        err_clear(&err);
    }
    return NULL;
}

static void
four_threads_open_values_from_one_ring(void **state)
{
    (void)state;
    struct crypto_ring *ring = ring_of("rsa-3072 rsa-2048");
    struct vector values[] = {
        vector_titled("version 1, 2048 bits"),   vector_titled("version 2, 2048 bits"),
        vector_titled("version 2, 3072 bits"),   vector_titled("a tag that was changed, version 2"),
        vector_titled("another key, version 1"),
    };
    pthread_t threads[THREADS];
    struct opener openers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        openers[i] = (struct opener){ring, values, ARRAY_LENGTH(values), 0};
        assert_int_equal(pthread_create(&threads[i], NULL, open_again_and_again, &openers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(openers[i].wrong, 0);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
        clear_vector(&values[i]);
    crypto_ring_free(ring);
}

static void
digest_is_sha256_in_hex(void **state)
{
    (void)state;
    char hex[CRYPTO_HEX_SIZE];
    assert_int_equal(crypto_sha256_hex(STR("abc"), hex), 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(crypto_sha256_hex(STR_NONE, hex), 0);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_node_open_or_say_why_not),
        cmocka_unit_test(without_a_key_nothing_opens),
        cmocka_unit_test(the_first_key_of_a_ring_is_the_current_one),
        cmocka_unit_test(a_value_of_any_size_is_bounded),
        cmocka_unit_test(four_threads_open_values_from_one_ring),
        cmocka_unit_test(digest_is_sha256_in_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
