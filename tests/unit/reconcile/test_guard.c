/* The removal guard (S3): what a listing that names fewer connectors may remove, and when. */
#include "reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* A complete listing in which `vanished` of `running` running connectors are missing, and `off`
 * others. */
static struct guard_input
listing(size_t running, size_t vanished, size_t off)
{
    return (struct guard_input){
        .complete = true,
        .vanished = vanished * 1000 + off, /* a digest of the set */
        .vanished_count = vanished + off,
        .running = running,
        .running_vanished = vanished,
        .max_removals = 3,
        .removal_confirmations = 3,
    };
}

/* How many equal listings it takes until removing is allowed; 0: not within 50. */
static unsigned
listings_until_release(struct guard_input input, enum guard_verdict while_waiting)
{
    struct guard_memory memory = {0};
    for (unsigned n = 1; n <= 50; n++) {
        enum guard_verdict verdict = guard_decide(&input, &memory);
        if (verdict == GUARD_RELEASE)
            return n;
        assert_int_equal(verdict, while_waiting);
    }
    return 0;
}

static void
a_few_need_a_second_listing_that_agrees(void **state)
{
    (void)state;
    assert_int_equal(listings_until_release(listing(10, 1, 0), GUARD_AGREE), 2);
    assert_int_equal(listings_until_release(listing(10, 5, 0), GUARD_AGREE),
                     2); /* half is not more */
    assert_int_equal(listings_until_release(listing(4, 3, 0), GUARD_AGREE), 2); /* no more than 3 */
    assert_int_equal(listings_until_release(listing(1, 1, 0), GUARD_AGREE), 2); /* all, but one */
    assert_int_equal(listings_until_release(listing(0, 0, 9), GUARD_AGREE),
                     2); /* none of them runs */
}

static void
most_of_them_need_more_equal_listings(void **state)
{
    (void)state;
    assert_int_equal(listings_until_release(listing(7, 4, 0), GUARD_HOLD), 4);
    struct guard_input input = listing(7, 4, 2);
    input.removal_confirmations = 10;
    assert_int_equal(listings_until_release(input, GUARD_HOLD), 11);
    input.max_removals = 4;
    assert_int_equal(listings_until_release(input, GUARD_AGREE), 2);
}

static void
all_of_them_need_an_operators_word(void **state)
{
    (void)state;
    assert_int_equal(listings_until_release(listing(2, 2, 0), GUARD_ASK), 0);
    assert_int_equal(listings_until_release(listing(100, 100, 5), GUARD_ASK), 0);
    struct guard_input input = listing(100, 100, 5);
    input.allow_all = true;
    assert_int_equal(listings_until_release(input, GUARD_HOLD), 4);
    input.removal_confirmations = 0;
    assert_int_equal(listings_until_release(input, GUARD_AGREE), 2);
}

static void
the_word_ends_a_long_wait_at_once(void **state)
{
    (void)state;
    struct guard_memory memory = {0};
    struct guard_input input = listing(5, 5, 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(guard_decide(&input, &memory), GUARD_ASK);
    input.allow_all = true;
    assert_int_equal(guard_decide(&input, &memory), GUARD_RELEASE);
}

static void
a_listing_that_is_not_complete_changes_nothing(void **state)
{
    (void)state;
    struct guard_memory memory = {0};
    struct guard_input whole = listing(10, 1, 0), part = listing(10, 10, 0);
    part.complete = false;
    assert_int_equal(guard_decide(&part, &memory), GUARD_NOTHING);
    assert_int_equal(guard_decide(&whole, &memory), GUARD_AGREE);
    for (int i = 0; i < 10; i++)
        assert_int_equal(guard_decide(&part, &memory), GUARD_AGREE);
    struct guard_memory before = memory;
    part.vanished_count = 0;
    assert_int_equal(guard_decide(&part, &memory), GUARD_AGREE);
    assert_memory_equal(&memory, &before, sizeof memory);
    assert_int_equal(guard_decide(&whole, &memory), GUARD_RELEASE);
}

static void
a_listing_that_differs_starts_anew(void **state)
{
    (void)state;
    struct guard_memory memory = {0};
    struct guard_input a = listing(10, 1, 0), b = listing(10, 2, 0), none = listing(10, 0, 0);
    assert_int_equal(guard_decide(&a, &memory), GUARD_AGREE);
    assert_int_equal(guard_decide(&b, &memory), GUARD_AGREE);
    assert_int_equal(guard_decide(&a, &memory), GUARD_AGREE);
    assert_int_equal(guard_decide(&none, &memory), GUARD_NOTHING);
    assert_int_equal(guard_decide(&a, &memory), GUARD_AGREE);
    assert_int_equal(guard_decide(&a, &memory), GUARD_RELEASE);

    /* A listing that flaps never removes. */
    memory = (struct guard_memory){0};
    for (int i = 0; i < 50; i++)
        assert_int_equal(guard_decide(i % 2 ? &a : &none, &memory),
                         i % 2 ? GUARD_AGREE : GUARD_NOTHING);
}

static void
connectors_that_end_while_the_platform_is_empty_end_no_hold(void **state)
{
    (void)state;
    struct guard_memory memory = {0};
    struct guard_input input = listing(5, 5, 0);
    assert_int_equal(guard_decide(&input, &memory), GUARD_ASK);
    for (size_t running = 4; running != SIZE_MAX; running--) { /* they end, one after the other */
        struct guard_input fewer = listing(running, running, 5 - running);
        assert_int_equal(guard_decide(&fewer, &memory), GUARD_ASK);
        fewer.vanished = 5000; /* or as the same set */
        assert_int_equal(guard_decide(&fewer, &memory), GUARD_ASK);
    }
    /* Most are listed again, and run: what is missing now is judged for itself. */
    input = listing(4, 1, 0);
    assert_int_equal(guard_decide(&input, &memory), GUARD_AGREE);
    assert_int_equal(guard_decide(&input, &memory), GUARD_RELEASE);

    memory = (struct guard_memory){0};
    input = listing(9, 8, 0);
    assert_int_equal(guard_decide(&input, &memory), GUARD_HOLD);
    input.running = 1; /* the eight of the same set have ended */
    input.running_vanished = 0;
    assert_int_equal(guard_decide(&input, &memory), GUARD_HOLD);
    assert_int_equal(guard_decide(&input, &memory), GUARD_HOLD);
    assert_int_equal(guard_decide(&input, &memory), GUARD_RELEASE);
}

static void
every_small_case_keeps_the_promise(void **state)
{
    (void)state;
    for (size_t running = 0; running <= 12; running++) {
        for (size_t vanished = 0; vanished <= running; vanished++) {
            for (uint32_t most = 0; most <= 5; most++) {
                struct guard_input input = listing(running, vanished, 1);
                input.max_removals = most;
                struct guard_memory memory = {0};
                unsigned n = 1;
                while (n <= 20 && guard_decide(&input, &memory) != GUARD_RELEASE)
                    n++;
                bool all = running >= 2 && vanished == running;
                bool many = 2 * vanished > running && vanished > most;
                assert_int_equal(n, all ? 21 : many ? 4 : 2);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_need_a_second_listing_that_agrees),
        cmocka_unit_test(most_of_them_need_more_equal_listings),
        cmocka_unit_test(all_of_them_need_an_operators_word),
        cmocka_unit_test(the_word_ends_a_long_wait_at_once),
        cmocka_unit_test(a_listing_that_is_not_complete_changes_nothing),
        cmocka_unit_test(a_listing_that_differs_starts_anew),
        cmocka_unit_test(connectors_that_end_while_the_platform_is_empty_end_no_hold),
        cmocka_unit_test(every_small_case_keeps_the_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
