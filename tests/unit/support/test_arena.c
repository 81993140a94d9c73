/* Arenas: alignment, zeroes, limits, reuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arena.h"

static void
memory_is_aligned_and_zeroed_also_when_reused(void **state)
{
    (void)state;
    AUTO_ARENA struct arena a;
    arena_init(&a, 0);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 300; size++) {
            unsigned char *p = arena_alloc(&a, size);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xee, size);
        }
        arena_reset(&a);
        assert_int_equal(a.used_bytes, 0);
    }
}

static void
small_things_lie_close_and_leave_others_aligned(void **state)
{
    (void)state;
    AUTO_ARENA struct arena a;
    arena_init(&a, 0);
    char *before = arena_alloc_small(&a, 24), *next = arena_alloc_small(&a, 1);
    assert_true(before && next == before + 24);
    for (size_t size = 1; size < 200; size++) {
        unsigned char *p = arena_alloc_small(&a, size), *q = arena_alloc(&a, size);
        assert_true(p && q && (uintptr_t)p % _Alignof(void *) == 0);
        assert_int_equal((uintptr_t)q % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_true(p[i] == 0 && q[i] == 0);
        memset(p, 0xee, size);
        memset(q, 0xee, size);
    }
    arena_clear(&a);
    arena_init(&a, 64);
    assert_non_null(arena_alloc_small(&a, 60));
    assert_null(arena_alloc_small(&a, 1));
}

static void
a_large_piece_does_not_end_the_block_in_use(void **state)
{
    (void)state;
    AUTO_ARENA struct arena a;
    arena_init(&a, 0);
    char *small = arena_alloc(&a, 16);
    char *large = arena_alloc(&a, 1000000);
    char *next = arena_alloc(&a, 16);
    assert_true(small && large && next);
    assert_ptr_equal(next, small + 16);
    memset(large, 1, 1000000);
}

static void
the_limit_holds_and_reset_renews_it(void **state)
{
    (void)state;
    AUTO_ARENA struct arena a;
    arena_init(&a, 4096);
    assert_null(arena_alloc(&a, 4097));
    assert_non_null(arena_alloc(&a, 4000));
    assert_null(arena_alloc(&a, 1000));
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 4000));
    assert_null(arena_alloc_array(&a, SIZE_MAX / 2, 3));
    assert_null(arena_alloc(&a, SIZE_MAX));
}

static void
texts_are_copied(void **state)
{
    (void)state;
    AUTO_ARENA struct arena a;
    arena_init(&a, 0);
    assert_string_equal(arena_dup(&a, STR("abc")), "abc");
    assert_string_equal(arena_dup(&a, STR_NONE), "");
    assert_null(arena_dup_text(&a, NULL));
    assert_string_equal(arena_fmt(&a, "%s-%d", "x", 42), "x-42");
    arena_clear(&a);
    assert_string_equal(arena_dup_text(&a, "again"), "again");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_and_zeroed_also_when_reused),
        cmocka_unit_test(small_things_lie_close_and_leave_others_aligned),
        cmocka_unit_test(a_large_piece_does_not_end_the_block_in_use),
        cmocka_unit_test(the_limit_holds_and_reset_renews_it),
        cmocka_unit_test(texts_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
