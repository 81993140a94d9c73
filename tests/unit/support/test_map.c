/* The map: insertion order, replacing, taking, many entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "map.h"

#include <stdio.h>

static void
entries_are_walked_in_insertion_order(void **state)
{
    (void)state;
    static int values[5000];
    AUTO_MAP struct map m;
    map_init(&m);
    char key[32];
    for (int i = 0; i < 5000; i++) {
        int n = snprintf(key, sizeof key, "key-%d", i);
        assert_int_equal(map_set(&m, (struct str){key, (size_t)n}, &values[i], NULL), 0);
    }
    for (int i = 0; i < 5000; i += 2) {
        snprintf(key, sizeof key, "key-%d", i);
        assert_ptr_equal(map_take(&m, str_of(key)), &values[i]);
        assert_null(map_take(&m, str_of(key)));
    }
    assert_int_equal(map_set(&m, STR("key-0"), &values[0], NULL), 0); /* now the last */
    int expected = 1, seen = 0;
    map_each (&m, it) {
        assert_ptr_equal(it->value, &values[expected]);
        seen++;
        expected = expected == 4999 ? 0 : expected + 2;
    }
    assert_int_equal(seen, 2501);
    assert_int_equal(m.len, 2501);
}

static void
setting_again_replaces_and_tells_the_old_value(void **state)
{
    (void)state;
    AUTO_MAP struct map m;
    map_init(&m);
    int one = 1, two = 2;
    void *old = &two;
    assert_null(map_find(&m, STR("a")));
    assert_int_equal(map_set(&m, STR("a"), &one, &old), 0);
    assert_null(old);
    assert_int_equal(map_set(&m, STR("a"), &two, &old), 0);
    assert_ptr_equal(old, &one);
    assert_ptr_equal(map_find(&m, STR("a")), &two);
    assert_int_equal(m.len, 1);
    assert_int_equal(map_set(&m, STR("a\0b"), &one, NULL), 0); /* counted, not NUL-terminated */
    assert_int_equal(map_set(&m, STR_NONE, &one, NULL), 0);
    assert_int_equal(m.len, 3);
    assert_ptr_equal(map_find(&m, STR_NONE), &one);
}

static void
coming_and_going_does_not_make_it_grow(void **state)
{
    (void)state;
    AUTO_MAP struct map m;
    map_init(&m);
    int value = 0;
    char key[32];
    for (int i = 0; i < 100000; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(map_set(&m, str_of(key), &value, NULL), 0);
        assert_ptr_equal(map_take(&m, str_of(key)), &value);
    }
    assert_int_equal(m.len, 0);
    assert_true(m.size < 64 && m.index_size < 64);
}

static void
taking_while_walking_is_safe(void **state)
{
    (void)state;
    AUTO_MAP struct map m;
    map_init(&m);
    int value = 0, seen = 0;
    static const char *const keys[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(map_set(&m, str_of(keys[i]), &value, NULL), 0);
    map_each (&m, it) {
        map_take(&m, (struct str){it->key, it->key_len});
        seen++;
    }
    assert_int_equal(seen, 4);
    assert_int_equal(m.len, 0);
}

static void
the_hash_is_siphash_1_3(void **state)
{
    (void)state;
    /* Of the key 00 01 .. 0f and the first bytes of 00 01 02 .., by an independent implementation.
     */
    const uint64_t seed[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    assert_true(map_hash(seed, STR_NONE) == 0xabac0158050fc4dcu);
    assert_true(map_hash(seed, STR("\0")) == 0xc9f49bf37d57ca93u);
}

static void
borrowed_keys_are_the_callers(void **state)
{
    (void)state;
    char keys[100][8];
    AUTO_MAP struct map m;
    map_init_borrowing(&m);
    for (int i = 0; i < 100; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        assert_int_equal(map_set(&m, str_of(keys[i]), keys[i], NULL), 0);
    }
    assert_ptr_equal(map_take(&m, STR("k7")), keys[7]); /* frees nothing of ours */
    assert_null(map_find(&m, STR("k7")));
    map_each (&m, e)
        assert_ptr_equal(e->key, e->value);
    assert_ptr_equal(map_find(&m, STR("k99")), keys[99]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_walked_in_insertion_order),
        cmocka_unit_test(setting_again_replaces_and_tells_the_old_value),
        cmocka_unit_test(coming_and_going_does_not_make_it_grow),
        cmocka_unit_test(taking_while_walking_is_safe),
        cmocka_unit_test(the_hash_is_siphash_1_3),
        cmocka_unit_test(borrowed_keys_are_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
