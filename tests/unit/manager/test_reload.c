/* Settings that are read again while the manager runs: all are taken over, or none. */
#include "manager_internal.h"

#include "world.h"

#include <dirent.h>
#include <malloc.h>

#define FAST "interval = 100ms\nping_interval = 100ms"

/* How many lines of the log say so. */
static int
said(struct world *w, const char *text)
{
    int n = 0;
    pthread_mutex_lock(&w->lock);
    for (const char *at = w->log; (at = strstr(at, text)); at = strchr(at, '\n'))
        n++;
    pthread_mutex_unlock(&w->lock);
    return n;
}

static void
reload_and_wait(struct world *w, const char *answer)
{
    int before = said(w, answer);
    gantry_manager_reload(w->manager);
    assert_true(WITHIN(COMES_MS, said(w, answer) > before));
}

#define TAKEN   "settings reloaded"
#define REFUSED "settings not reloaded"

static void
start_with(struct world *w, const char *manager, const char *more)
{
    settings(w, manager, more);
    start(w);
    assert_true(WITHIN(COMES_MS, running() == 2));
}

/* The first problem, as a program sees it. */
static void
problem(const struct world *w, char text[512])
{
    struct gantry_snapshot *s = NULL;
    assert_int_equal(gantry_manager_snapshot(w->manager, &s, NULL), 0);
    snprintf(text, 512, "%s", s->settings_problem);
    gantry_snapshot_free(s);
}

static void
the_same_settings_change_nothing(void **state)
{
    struct world *w = *state;
    start_with(w, "interval = 60s", "");
    assert_true(WITHIN(COMES_MS, atomic_load(&w->told_started) == 2));
    int starts = atomic_load(&scripted->starts), listed = atomic_load(&w->listed);
    int lists = atomic_load(&scripted->lists), inspects = atomic_load(&scripted->inspects);
    for (int i = 0; i < 20; i++)
        reload_and_wait(w, TAKEN);
    (void)poll(NULL, 0, 500);
    assert_int_equal(atomic_load(&scripted->starts), starts);
    assert_int_equal(atomic_load(&scripted->stops), 0);
    assert_int_equal(atomic_load(&w->listed), listed);
    assert_int_equal(atomic_load(&w->told_started), 2);
    assert_in_range(atomic_load(&scripted->lists), lists, lists + 1); /* one may have been due */
    assert_in_range(atomic_load(&scripted->inspects), inspects, inspects + 2);
    assert_int_equal(running(), 2);
}

static void
a_shorter_interval_acts_at_once(void **state)
{
    struct world *w = *state;
    start_with(w, "interval = 60s", "");
    int listed = atomic_load(&w->listed);
    settings(w, FAST, "");
    reload_and_wait(w, TAKEN);
    assert_true(WITHIN(30000, atomic_load(&w->listed) >= listed + 3));
}

static void
a_longer_interval_acts_at_once(void **state)
{
    struct world *w = *state;
    start_with(w, FAST, "");
    settings(w, "interval = 60s\nping_interval = 60s", "");
    reload_and_wait(w, TAKEN);
    int listed = atomic_load(&w->listed);
    (void)poll(NULL, 0, 1000);
    assert_in_range(atomic_load(&w->listed), listed, listed + 1); /* one was on its way */
}

static void
what_needs_a_restart_is_refused_whole(void **state)
{
    struct world *w = *state;
    char text[512];
    start_with(w, "id = first\ninterval = 60s", "");
    int listed = atomic_load(&w->listed);
    settings(w, "id = second\n" FAST, "");
    reload_and_wait(w, REFUSED);
    assert_int_equal(said(w, "[manager] id: has changed, which needs a restart"), 1);
    problem(w, text);
    assert_non_null(strstr(text, "gantry.ini:4: [manager] id"));
    (void)poll(NULL, 0, 500);
    assert_int_equal(atomic_load(&w->listed), listed); /* the pace is the old one */
    settings(w, "id = first\n" FAST, "");
    reload_and_wait(w, TAKEN);
    problem(w, text);
    assert_string_equal(text, "");
    assert_true(WITHIN(30000, atomic_load(&w->listed) > listed));
    assert_int_equal(running(), 2);
}

static void
another_plugin_and_another_backend_need_a_restart(void **state)
{
    struct world *w = *state;
    start_with(w, "interval = 100ms", "plugin = scripted\n");
    settings(w, "interval = 100ms", "plugin = memory\n");
    reload_and_wait(w, REFUSED);
    assert_int_equal(said(w, "settings problem"), 1);
    assert_int_equal(said(w, "plugin: has changed, which needs a restart"), 1);
    settings(w, "interval = 100ms",
             "[backend other]\nplugin = scripted\n[platform own]\nbackend = scripted\n");
    reload_and_wait(w, REFUSED);
    assert_int_equal(said(w, "[backend other]: is new, which needs a restart"), 1);
    char text[512];
    snprintf(text, sizeof text,
             "[manager]\nid = m\nstate_dir = %s/state\n[backend other]\nplugin = scripted\n",
             w->home);
    put_settings(w, text);
    reload_and_wait(w, REFUSED);
    assert_int_equal(running(), 2);
}

static void
every_problem_is_one_line_and_nothing_is_taken_over(void **state)
{
    struct world *w = *state;
    start_with(w, "interval = 60s", "");
    int listed = atomic_load(&w->listed);
    settings(w, FAST "\nmax_removal = 3\nname = Other", "[log]\nlevel = loud\n");
    reload_and_wait(w, REFUSED);
    assert_int_equal(said(w, "settings problem"), 2);
    assert_int_equal(said(w, "max_removal"), 1);
    assert_int_equal(said(w, "loud"), 1);
    (void)poll(NULL, 0, 300);
    assert_int_equal(atomic_load(&w->listed), listed);
}

static void
a_file_that_cannot_be_read_changes_nothing(void **state)
{
    struct world *w = *state;
    start_with(w, "interval = 100ms", "");
    assert_int_equal(remove(w->path), 0);
    reload_and_wait(w, REFUSED);
    assert_int_equal(said(w, "settings problem"), 1);
    int listed = atomic_load(&w->listed);
    assert_true(WITHIN(30000, atomic_load(&w->listed) > listed));
    put_settings(w, "[manager\n");
    reload_and_wait(w, REFUSED);
    settings(w, "interval = 100ms", "");
    reload_and_wait(w, TAKEN);
    assert_int_equal(running(), 2);
}

static void
a_log_file_that_cannot_be_written_changes_nothing(void **state)
{
    struct world *w = *state;
    start_with(w, "interval = 60s", "");
    settings(w, FAST, "[log]\nfile = /nonexistent/log\n");
    reload_and_wait(w, REFUSED);
    assert_int_equal(said(w, "[log] file"), 1);
}

/* Under ThreadSanitizer: workers and the loop write lines while level, format and file change. */
static void
the_log_changes_while_lines_are_written(void **state)
{
    struct world *w = *state;
    char text[512];
    struct gantry_platform own = {
        .size = sizeof own, .name = "own", .context = w, .list = list_wanted};
    struct gantry_options options = {.size = sizeof options, .path = w->path};
    snprintf(text, sizeof text, "[log]\nlevel = debug\nformat = json\nfile = %s/log.1\n", w->home);
    settings(w, FAST, text);
    assert_int_equal(gantry_manager_new(&options, &w->manager, NULL), 0);
    assert_int_equal(gantry_manager_add_platform(w->manager, &own, NULL), 0);
    assert_int_equal(gantry_manager_start(w->manager, GANTRY_RUN_DAEMON, NULL), 0);
    w->started = true;
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "[log]\nlevel = %s\nformat = %s\nfile = %s/log.%d\n",
                 i % 3 ? "debug" : "info", i % 2 ? "text" : "json", w->home, i % 2 + 1);
        settings(w, FAST, text);
        gantry_manager_reload(w->manager);
        (void)poll(NULL, 0, 10);
    }
    assert_true(WITHIN(COMES_MS, running() == 2));
    end(w);
    for (int i = 1; i <= 2; i++) {
        struct stat st;
        snprintf(text, sizeof text, "%s/log.%d", w->home, i);
        assert_int_equal(stat(text, &st), 0);
        assert_true(st.st_size > 0);
    }
}

static size_t
open_descriptors(void)
{
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static void
reload_often(struct world *w, int times)
{
    for (int i = 0; i < times; i++) {
        settings(w, i % 2 ? FAST : "interval = 200ms",
                 i % 5 ? "[platform own]\nlogs_lines = 7\n" : "[manager\nid = broken\n");
        gantry_manager_reload(w->manager);
        (void)poll(NULL, 0, 1);
    }
    settings(w, "interval = 60s", "");
    reload_and_wait(w, TAKEN);
}

static void
a_thousand_reloads_leave_nothing_behind(void **state)
{
    struct world *w = *state;
    start_with(w, "interval = 60s", "");
    reload_often(w, 100);
    size_t descriptors = open_descriptors(), bytes = mallinfo2().uordblks;
    reload_often(w, 1000);
    size_t grown = mallinfo2().uordblks - bytes;
    print_message("1,000 reloads: %ld bytes more\n", (long)grown);
    assert_int_equal(open_descriptors(), descriptors);
    assert_true((long)grown < 64 * 1024);
    assert_int_equal(atomic_load(&scripted->starts), 2);
}

/* Under AddressSanitizer: what is being started reads its specification when the old settings are gone. */
static void
a_pull_goes_on_while_the_settings_change(void **state)
{
    struct world *w = *state;
    settings(w, FAST,
             "[registry image]\nusername = u\npassword = p\n[connector c1]\nimage = other:2\n");
    atomic_store(&scripted->start_ms, 700);
    atomic_store(&scripted->read_spec_late, 1);
    start(w);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inside) == 2));
    for (int i = 0; i < 10; i++) {
        settings(w, i % 2 ? FAST : "interval = 200ms", "");
        reload_and_wait(w, TAKEN);
    }
    assert_int_equal(atomic_load(&scripted->inside), 2); /* none was cancelled */
    assert_true(WITHIN(COMES_MS, running() == 2));
    assert_int_equal(atomic_load(&scripted->starts), 2);
}

/* Settings of workloads count for later starts: nothing that runs is replaced. */
static void
an_override_replaces_nothing(void **state)
{
    struct world *w = *state;
    start_with(w, "interval = 100ms", "");
    settings(w, "interval = 100ms", "stop_timeout = 5s\n[connector c1]\nimage = other:2\n");
    reload_and_wait(w, TAKEN);
    int listed = atomic_load(&w->listed);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->listed) > listed + 2));
    assert_int_equal(atomic_load(&scripted->starts), 2);
    assert_int_equal(atomic_load(&scripted->stops), 0);
}

static void
what_failed_is_tried_again_at_once(void **state)
{
    struct world *w = *state;
    settings(w, "interval = 60s", "");
    atomic_store(&scripted->start_image_missing, 1);
    atomic_store(&w->wanted, 1);
    start(w);
    assert_true(
        WITHIN(COMES_MS, atomic_load(&scripted->starts) == 4)); /* the next after 6 to 8 s */
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inside) == 0));
    atomic_store(&scripted->start_image_missing, 0);
    (void)poll(NULL, 0, 100);
    reload_and_wait(w, TAKEN);
    assert_true(WITHIN(4000, running() == 1));
}

static void
a_platform_that_fails_is_asked_at_once(void **state)
{
    struct world *w = *state;
    settings(w, "interval = 60s", "");
    atomic_store(&w->fails, 1);
    start(w);
    assert_true(WITHIN(COMES_MS, atomic_load(&w->listed) == 4));
    atomic_store(&w->fails, 0);
    reload_and_wait(w, TAKEN);
    assert_true(WITHIN(4000, running() == 2));
}

static void
fewer_lines_of_a_log_are_the_newest(void **state)
{
    (void)state;
    struct tail t;
    tail_init(&t, 4);
    static const char *const lines[] = {"a", "b", "c", "d", "e", "f"};
    for (size_t i = 0; i < 6; i++)
        tail_add(&t, str_of(lines[i]));
    t.dirty = false;
    tail_resize(&t, 6);
    assert_false(t.dirty);
    tail_add(&t, STR("g"));
    t.dirty = false;
    tail_resize(&t, 2);
    assert_true(t.dirty); /* the platform has more than it should */
    assert_int_equal(t.count, 2);
    assert_string_equal(t.lines[t.first], "f");
    assert_string_equal(t.lines[(t.first + 1) % t.size], "g");
    tail_clear(&t);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(the_same_settings_change_nothing),
        T(a_shorter_interval_acts_at_once),
        T(a_longer_interval_acts_at_once),
        T(what_needs_a_restart_is_refused_whole),
        T(another_plugin_and_another_backend_need_a_restart),
        T(every_problem_is_one_line_and_nothing_is_taken_over),
        T(a_file_that_cannot_be_read_changes_nothing),
        T(a_log_file_that_cannot_be_written_changes_nothing),
        T(the_log_changes_while_lines_are_written),
        T(a_thousand_reloads_leave_nothing_behind),
        T(a_pull_goes_on_while_the_settings_change),
        T(an_override_replaces_nothing),
        T(what_failed_is_tried_again_at_once),
        T(a_platform_that_fails_is_asked_at_once),
        T(fewer_lines_of_a_log_are_the_newest),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
