/* The small ones: vectors, secrets, random numbers, result codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"
#include "secret.h"
#include "vec.h"

#include <gantry/types.h>

static void
a_vector_grows_zeroed_and_keeps_order(void **state)
{
    (void)state;
    struct item {
        int number, zero;
    };
    VEC(struct item) items = VEC_INIT;
    vec_each (&items, none)
        fail();
    for (int i = 0; i < 1000; i++) {
        struct item *slot = vec_push(&items);
        assert_non_null(slot);
        assert_int_equal(slot->number, 0);
        slot->number = i;
    }
    vec_remove(&items, 1);
    vec_remove(&items, items.len - 1);
    assert_int_equal(items.len, 998);
    int expected = 0;
    vec_each (&items, it) {
        assert_int_equal(it->number, expected);
        expected += expected == 0 ? 2 : 1;
    }
    vec_clear(&items);
    assert_int_equal(items.len, 0);
    assert_null(items.ptr);
}

static void
a_secret_is_replaced_and_cleared(void **state)
{
    (void)state;
    AUTO_SECRET struct secret s = {0};
    assert_int_equal(secret_set(&s, "hunter2", 7), 0);
    assert_true(str_eq(secret_bytes(&s), STR("hunter2")));
    assert_int_equal(secret_bytes(&s).ptr[7], '\0');
    struct str own = secret_bytes(&s);
    assert_int_equal(secret_set(&s, own.ptr, 3), 0); /* a part of itself */
    assert_true(str_eq(secret_bytes(&s), STR("hun")));
    assert_int_equal(secret_set(&s, NULL, 0), 0);
    assert_int_equal(secret_bytes(&s).len, 0);
    assert_non_null(secret_bytes(&s).ptr);
    secret_clear(&s);
    assert_null(secret_bytes(&s).ptr);
    char memory[4] = "abc";
    secret_wipe(memory, sizeof memory);
    assert_memory_equal(memory, "\0\0\0\0", 4);
    secret_wipe(NULL, 0);
}

static void
random_numbers_differ(void **state)
{
    (void)state;
    uint64_t all_or = 0, all_and = UINT64_MAX;
    for (int i = 0; i < 200; i++) {
        uint64_t number = random_u64();
        all_or |= number;
        all_and &= number;
    }
    assert_true(all_or == UINT64_MAX && all_and == 0); /* each bit was both */
}

static void
result_codes_have_names_and_actions(void **state)
{
    (void)state;
    assert_string_equal(gantry_code_name(GANTRY_E_TIMEOUT), "timed out");
    assert_string_equal(gantry_code_name(0), "ok");
    assert_string_equal(gantry_code_name(-999), "unknown");
    assert_string_equal(gantry_code_name(1), "unknown");
    assert_string_equal(gantry_code_action(GANTRY_E_DENIED), "correct credentials or rights");
    assert_non_null(gantry_code_action(-999));
    assert_string_equal(gantry_version(), GANTRY_VERSION_STRING);
    gantry_error_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vector_grows_zeroed_and_keeps_order),
        cmocka_unit_test(a_secret_is_replaced_and_cleared),
        cmocka_unit_test(random_numbers_differ),
        cmocka_unit_test(result_codes_have_names_and_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
