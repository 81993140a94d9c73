/* The log of events outlives what happens to files. */
#include "events_world.h"

#include <signal.h>
#include <sys/resource.h>

static void
the_file_says_what_the_callback_got(void **state)
{
    struct world *w = *state;
    struct read_back *r = malloc(sizeof *r);
    struct stat info;
    write_connector(w, "a", "i:1", "starting");
    start(w, GANTRY_RUN_DAEMON);
    wait_for(w, "create");
    assert_int_equal(read_log(w, 0, r), 3); /* while it runs */
    scripted_set_state("a", GANTRY_STATE_EXITED);
    wait_for(w, "start exited");
    stop(w);
    read_log(w, 0, r);
    assert_string_equal(r->text, w->told);
    read_log(w, 2, r);
    assert_int_equal(r->count, 2);
    assert_string_equal(r->text, strstr(w->told, "action a start exited"));
    assert_int_equal(stat(w->log, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    free(r);
}

static void
without_a_log_it_is_not_found(void **state)
{
    struct world *w = *state;
    struct read_back r;
    struct gantry_options options = {.size = sizeof options, .text = w->settings};
    struct gantry_error *err = NULL;
    assert_int_equal(gantry_events_read(&options, 0, read_one, &r, &err), GANTRY_E_NOT_FOUND);
    assert_non_null(strstr(err->message, w->home));
    gantry_error_free(err);
}

static int
end_at_first(void *context, const struct gantry_manager_event *e)
{
    (void)e;
    ++*(int *)context;
    return 7;
}

static void
what_the_caller_returns_ends_the_reading(void **state)
{
    struct world *w = *state;
    int calls = 0;
    struct gantry_options options = {.size = sizeof options, .text = w->settings};
    running_a(w);
    assert_int_equal(gantry_events_read(&options, 0, end_at_first, &calls, NULL), 7);
    assert_int_equal(calls, 1);
}

static void
add_to_log(const char *path, const char *text)
{
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void
a_torn_line_costs_itself_alone(void **state)
{
    struct world *w = *state;
    struct read_back *r = malloc(sizeof *r);
    running_a(w);
    stop(w);
    unsigned before = read_log(w, 0, r);
    add_to_log(w->log, "not json\n{\"time\":\"2026-11-21T00:00:00Z\"}\n\xff\n[]\n\n"
                       "{\"time\":\"2026-11-21T00:00:00Z\",\"kind\":\"later\",\"unknown\":[1,{}]}\n"
                       "{\"time\":\"2026-11-21T00:00:00Z\",\"kind\":\"torn\",\"cau");
    assert_int_equal(read_log(w, 0, r), before + 1);
    assert_non_null(strstr(r->text, "later ()\n"));
    assert_int_equal(read_log(w, 2, r), 2);
    w->told[0] = '\0';
    start(w, GANTRY_RUN_DAEMON);
    wait_for(w, ">running");
    stop(w);
    assert_int_equal(read_log(w, 0, r), before + 3);
    assert_int_equal(read_log(w, 2, r), 2);
    assert_string_equal(r->text, w->told);
    free(r);
}

static void
fill(const char *path, size_t bytes)
{
    static const char line[] =
        "{\"time\":\"2026-01-01T00:00:00.000Z\",\"kind\":\"old\",\"cause\":\"an old event\"}\n";
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t n = 0; n + sizeof line <= bytes; n += sizeof line - 1)
        fputs(line, f);
    assert_int_equal(fclose(f), 0);
}

static void
a_full_file_is_put_aside_and_one_is_kept(void **state)
{
    struct world *w = *state;
    struct read_back *r = malloc(sizeof *r);
    struct stat info;
    char folder[128];
    snprintf(folder, sizeof folder, "%s/state", w->home);
    assert_int_equal(mkdir(folder, 0700), 0);
    fill(w->log, (size_t)4 * 1024 * 1024);
    add_to_log(w->old_log, "{\"time\":\"2026-01-01T00:00:00Z\",\"kind\":\"oldest\"}\n");
    assert_int_equal(stat(w->log, &info), 0);
    unsigned all = read_log(w, 0, r);
    assert_non_null(strstr(r->text, "oldest"));
    running_a(w);
    stop(w);
    assert_int_equal(read_log(w, 0, r), all - 1 + 4); /* the oldest file has gone */
    assert_null(strstr(r->text, "oldest"));
    assert_int_equal(read_log(w, 6, r), 6);
    assert_int_equal(strncmp(r->text, "old (an old event)\nold (an old event)\n" STARTED,
                             strlen("old (an old event)\nold (an old event)\n" STARTED)),
                     0);
    off_t full = info.st_size;
    assert_int_equal(stat(w->old_log, &info), 0);
    assert_int_equal(info.st_size, full);
    assert_int_equal(stat(w->log, &info), 0);
    assert_true(info.st_size < 4096);
    assert_int_equal(info.st_mode & 07777, 0600);
    free(r);
}

static void
a_log_that_is_removed_is_made_anew(void **state)
{
    struct world *w = *state;
    struct read_back *r = malloc(sizeof *r);
    running_a(w);
    assert_int_equal(unlink(w->log), 0);
    scripted_set_state("a", GANTRY_STATE_EXITED);
    wait_for(w, "start exited");
    stop(w);
    assert_int_equal(read_log(w, 0, r), 3);
    free(r);
}

/* A file that may not grow: what is written of a line is taken back, and the manager goes on. */
static void
a_full_disk_costs_events_that_are_counted_and_nothing_else(void **state)
{
    struct world *w = *state;
    struct read_back *r = malloc(sizeof *r);
    struct stat info;
    struct rlimit limit, small;
    running_a(w);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(stat(w->log, &info), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = (rlim_t)info.st_size + 20;
    unsigned before = read_log(w, 0, r);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    scripted_set_state("a", GANTRY_STATE_EXITED);
    wait_for(w, "start exited");
    rest();
    off_t size = info.st_size;
    assert_int_equal(stat(w->log, &info), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(info.st_size, size);
    assert_int_equal(read_log(w, 0, r), before);
    assert_int_equal(w->warnings, 1);
    scripted_set_state("a", GANTRY_STATE_PAUSED);
    wait_for(w, "start paused");
    stop(w);
    assert_int_equal(read_log(w, 0, r), before + 3);
    assert_non_null(strstr(r->text, "(somebody paused it; 2 events before this one could not be "
                                    "written)\n"));
    assert_int_equal(w->warnings, 1);
    free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_says_what_the_callback_got),
        TEST(without_a_log_it_is_not_found),
        TEST(what_the_caller_returns_ends_the_reading),
        TEST(a_torn_line_costs_itself_alone),
        TEST(a_full_file_is_put_aside_and_one_is_kept),
        TEST(a_log_that_is_removed_is_made_anew),
        TEST(a_full_disk_costs_events_that_are_counted_and_nothing_else),
    };
    if (!find_plugin()) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
