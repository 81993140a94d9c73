/* Each thing that happens is told once, with why. */
#include "events_world.h"

static void
each_wish_and_each_action_is_told_once_with_its_cause(void **state)
{
    struct world *w = *state;
    running_a(w);
    write_connector(w, "a", "i:2", "starting");
    wait_for(w, "remove");
    rest();
    pthread_mutex_lock(&w->lock);
    char from[16] = "", to[16] = "", expected[1024];
    const char *hash = strstr(w->told, "(hash ");
    assert_non_null(hash);
    snprintf(from, sizeof from, "%.8s", hash + 6);
    snprintf(to, sizeof to, "%.8s", hash + 6 + 8 + 4);
    pthread_mutex_unlock(&w->lock);
    assert_string_not_equal(from, to);
    snprintf(
        expected, sizeof expected,
        "wish a run>run (its configuration or image has changed on the platform (hash %s -> %s))\n"
        "action a replace running>running (its configuration or image has changed (hash %s -> "
        "%s))\n"
        "action a remove exited>absent (it has been replaced: the workload of before goes)\n",
        from, to, from, to);
    assert_told(w, expected);
    write_connector(w, "a", "i:2", "stopping");
    wait_for(w, "stop running");
    assert_told(w, "wish a run>halt (the platform wishes it to be stopped)\n"
                   "action a stop running>exited (it shall not run)\n");
    char path[256];
    snprintf(path, sizeof path, "%s/a.ini", w->folder);
    assert_int_equal(unlink(path), 0);
    wait_for(w, "remove");
    assert_told(w, "wish a halt>gone (the platform does not list it any more)\n"
                   "action a remove exited>absent (it is not listed any more)\n");
    assert_int_equal(stop(w), 0);
    assert_string_equal(w->told, "manager running>stopped (its run has ended)\n");
}

static void
a_workload_that_ends_by_itself_is_told_and_then_why_it_was_started(void **state)
{
    struct world *w = *state;
    running_a(w);
    scripted_set_state("a", GANTRY_STATE_FAILED);
    wait_for(w, "start failed>running");
    assert_told(w, "state a running>failed (it has ended; the runtime gives no exit code)\n"
                   "action a start failed>running (it shall run, and has ended)\n");
    scripted_set_state("a", GANTRY_STATE_PAUSED);
    wait_for(w, "start paused>running");
    assert_told(w, "state a running>paused (somebody paused it)\n"
                   "action a start paused>running (it shall run, and does not)\n");
}

static void
a_failure_is_told_once_however_often_it_is_tried_again(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->start_image_missing, 1);
    write_connector(w, "a", "i:1", "starting");
    start(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->starts) >= 3));
    assert_told(w, STARTED LISTED
                "action a create absent> (it shall run, and is not there) [no image 'i:1']\n");
    atomic_store(&scripted->start_image_missing, 0);
    wait_for(w, "absent>running");
    assert_int_equal(times(w, "; attempt "), 1);
    assert_int_equal(times(w, " s of back-off)"), 1);
}

static void
a_loop_begins_once(void **state)
{
    struct world *w = *state;
    running_a(w);
    for (int i = 1; i <= 4; i++) {
        scripted_set_state("a", GANTRY_STATE_FAILED);
        assert_true(WITHIN(COMES_MS, times(w, "state a running>failed") >= i));
        if (i < 4)
            assert_true(WITHIN(COMES_MS, scripted_count("a", GANTRY_STATE_RUNNING) > 0));
        rest();
    }
    assert_int_equal(times(w, "state a running>failed"), 4);
    assert_int_equal(times(w, "loop a steady>looping (it ended 4 times in a row"), 1);
    write_connector(w, "a", "i:2", "starting");
    wait_for(w, "loop a looping>steady (its configuration");
    rest();
    assert_int_equal(times(w, "loop a"), 2);
}

static void
a_backend_that_is_lost_comes_back(void **state)
{
    struct world *w = *state;
    running_a(w);
    atomic_store(&scripted->list_fails, 2);
    wait_for(w, "lost>answering");
    assert_told(w, "backend answering>lost (it cannot be asked) [cannot list]\n"
                   "backend lost>answering (it answers again)\n");
}

static void
a_platform_that_is_lost_comes_back(void **state)
{
    struct world *w = *state;
    char away[128];
    snprintf(away, sizeof away, "%s.away", w->folder);
    running_a(w);
    assert_int_equal(rename(w->folder, away), 0);
    wait_for(w, "platform answering>lost");
    rest();
    assert_int_equal(rename(away, w->folder), 0);
    wait_for(w, "platform lost>answering");
    rest();
    assert_int_equal(times(w, "platform "), 2);
    assert_int_equal(times(w, "\n"), 2);
}

static void
a_restart_tells_nothing_but_itself(void **state)
{
    struct world *w = *state;
    running_a(w);
    stop(w);
    w->told[0] = '\0';
    start(w, GANTRY_RUN_DAEMON);
    assert_told(w, STARTED);
}

static void
what_the_state_folder_does_not_know_is_adopted(void **state)
{
    struct world *w = *state;
    char path[128];
    running_a(w);
    stop(w);
    snprintf(path, sizeof path, "%s/state", w->home);
    remove_tree(path);
    w->told[0] = '\0';
    start(w, GANTRY_RUN_DAEMON);
    assert_told(w, STARTED LISTED "action a adopt running>running (it was made by an earlier run "
                                  "of Gantry, and is taken over "
                                  "as it is)\n");
    stop(w);
    remove_tree(path);
    w->told[0] = '\0';
    atomic_store(&scripted->bare_labels, 1); /* as XTM Composer makes them */
    start(w, GANTRY_RUN_DAEMON);
    wait_for(w, "(it was made by XTM Composer or its like");
}

static void
a_dry_run_tells_nothing_and_taking_down_tells_all(void **state)
{
    struct world *w = *state;
    running_a(w);
    stop(w);
    struct read_back *r = malloc(sizeof *r);
    unsigned before = read_log(w, 0, r);
    w->told[0] = '\0';
    write_connector(w, "b", "i:1", "starting");
    start(w, GANTRY_RUN_DRY);
    assert_int_equal(gantry_manager_join(w->manager, NULL), 0);
    assert_string_equal(w->told, "");
    assert_int_equal(read_log(w, 0, r), before);
    gantry_manager_free(w->manager);
    w->manager = NULL;
    start(w, GANTRY_RUN_DOWN);
    assert_int_equal(gantry_manager_join(w->manager, NULL), 0);
    assert_string_equal(w->told, STARTED
                        "action remove >absent (all workloads of this manager are taken down)\n"
                        "manager running>stopped (its run has ended)\n");
    gantry_manager_free(w->manager);
    w->manager = NULL;
    free(r);
}

static void
two_managers_of_one_process_tell_their_own(void **state)
{
    struct world *w = *state;
    void *second = NULL;
    assert_int_equal(set_up(&second), 0);
    struct world *other = second;
    write_connector(w, "a", "i:1", "starting");
    write_connector(other, "b", "i:1", "starting");
    start(w, GANTRY_RUN_DAEMON);
    start(other, GANTRY_RUN_DAEMON);
    wait_for(w, "action a create");
    wait_for(other, "action b create");
    assert_told(w, STARTED LISTED CREATED);
    assert_int_equal(times(other, " a "), 0);
    tear_down(&second);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_wish_and_each_action_is_told_once_with_its_cause),
        TEST(a_workload_that_ends_by_itself_is_told_and_then_why_it_was_started),
        TEST(a_failure_is_told_once_however_often_it_is_tried_again),
        TEST(a_loop_begins_once),
        TEST(a_backend_that_is_lost_comes_back),
        TEST(a_platform_that_is_lost_comes_back),
        TEST(a_restart_tells_nothing_but_itself),
        TEST(what_the_state_folder_does_not_know_is_adopted),
        TEST(a_dry_run_tells_nothing_and_taking_down_tells_all),
        TEST(two_managers_of_one_process_tell_their_own),
    };
    if (!find_plugin()) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
