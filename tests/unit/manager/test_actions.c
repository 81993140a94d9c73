/* Actions that outlive a wish, a cancel or the manager. */
#include "scripted_world.h"

static void
a_replace_that_is_past_cancelling_is_not_joined_by_another(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i:1", "starting");
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, scripted_count("a", GANTRY_STATE_RUNNING) == 1));
    atomic_store(&scripted->start_ms, 6000); /* a grace of 10 s is the default */
    atomic_store(&scripted->deaf, 1);        /* the old one has been touched */
    write_connector(w, "a", "i:2", "starting");
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inside) == 1));
    write_connector(w, "a", "i:3", "starting");
    pause_ms(6500);
    print_message("calls for one connector side by side: %d\n",
                  atomic_load(&scripted->side_by_side));
    atomic_store(&scripted->start_ms, 0);
    pause_ms(6500);
    assert_int_equal(1, atomic_load(&scripted->side_by_side));
}

static void
those_that_wait_for_a_worker_wait_once(void **state)
{
    struct world *w = *state;
    settle_on(w, "interval = 100ms\nconcurrency = 1");
    add_settings(w, "[platform local]\npath = %s\n[backend scripted]\n", w->folder);
    write_connector(w, "a", "i", "starting");
    write_connector(w, "b", "i", "starting");
    write_connector(w, "c", "i", "starting");
    atomic_store(&scripted->start_ms, 60000);
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(5000);
    join(w);
    print_message("two connectors wait %zu times\n", w->manager->waiting.len);
    assert_true(w->manager->waiting.len <= 2);
}

static void
two_backends_that_hang_end_within_five_seconds(void **state)
{
    struct world *w = *state;
    char other[160];
    snprintf(other, sizeof other, "%s/other", w->home);
    mkdir(other, 0700);
    settle_on(w, "interval = 100ms");
    add_settings(w,
                 "[platform one]\nkind = local\nbackend = x\npath = %s\n"
                 "[platform two]\nkind = local\nbackend = y\npath = %s\n"
                 "[backend x]\nplugin = scripted\n[backend y]\nplugin = scripted\n",
                 w->folder, other);
    write_connector(w, "a", "i", "starting");
    snprintf(w->folder, sizeof w->folder, "%.90s", other);
    write_connector(w, "b", "i", "starting");
    atomic_store(&scripted->start_ms, 12000);
    atomic_store(&scripted->deaf, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inside) == 2));
    int64_t began = clock_mono_ms();
    end(w);
    int64_t took = clock_mono_ms() - began;
    print_message("ended in %lld ms\n", (long long)took);
    atomic_store(&scripted->deaf, 0);
    pause_ms(200);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inside) == 0));
    assert_true(took < 5000);
}

static void
a_start_that_outlives_the_manager_reads_nothing_of_it(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i", "starting");
    atomic_store(&scripted->start_ms, 6000);
    atomic_store(&scripted->read_spec_late, 1);
    atomic_store(&scripted->deaf, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inside) == 1));
    end(w);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inside) == 0));
    pause_ms(200);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(a_replace_that_is_past_cancelling_is_not_joined_by_another),
        T(those_that_wait_for_a_worker_wait_once),
        T(two_backends_that_hang_end_within_five_seconds),
        T(a_start_that_outlives_the_manager_reads_nothing_of_it),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
