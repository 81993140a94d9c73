/* The log of events: each thing that happens is told once, with why; and the file outlives what happens to
 * files.  A folder of INI files is the platform, the scripted plugin the runtime. */
#include <gantry/gantry.h>
#include <gantry/workload.h>

#include "clock.h"

#include "../manager_plugins/scripted.h"

#include <dirent.h>
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* What must come may take so long on a machine that is busy. */
#define COMES_MS 60000

static struct scripted *scripted;
static void (*scripted_clear)(void);
static void (*scripted_set_state)(const char *id, uint32_t state);
static int (*scripted_count)(const char *id, int state);

enum { TOLD_BYTES = 64 * 1024 };

struct world {
    char home[64], folder[96], log[128], old_log[128], settings[1024];
    struct gantry_manager *manager;
    pthread_mutex_t lock;
    char told[TOLD_BYTES]; /* what the callback got, one line an event */
    int warnings;          /* of the log, about events */
};

/* "kind action from>to (cause) [error]", what does not apply left out. */
static void
print_event(const struct gantry_manager_event *e, char *to, size_t size)
{
    bool moves = e->from[0] || e->to[0];
    snprintf(to, size, "%s%s%s%s%s%s%s%s%s (%s)%s%s%s\n", e->kind, e->id[0] ? " " : "", e->id,
             e->action[0] ? " " : "", e->action, moves ? " " : "", e->from, moves ? ">" : "", e->to,
             e->cause, e->error[0] ? " [" : "", e->error, e->error[0] ? "]" : "");
}

static void
append(char *to, const struct gantry_manager_event *e)
{
    size_t n = strlen(to);
    print_event(e, to + n, TOLD_BYTES - n);
}

static void
on_event(void *context, const struct gantry_manager_event *e)
{
    struct world *w = context;
    pthread_mutex_lock(&w->lock);
    append(w->told, e);
    pthread_mutex_unlock(&w->lock);
}

static void
on_line(void *context, int level, const char *line, size_t length)
{
    struct world *w = context;
    if (getenv("VERBOSE"))
        fprintf(stderr, "%d %.*s\n", level, (int)length, line);
    if (memmem(line, length, "events are lost", 15)) {
        pthread_mutex_lock(&w->lock);
        w->warnings++;
        pthread_mutex_unlock(&w->lock);
    }
}

/* ---- a world --------------------------------------------------------------------------------- */

static void
write_file(const char *path, const char *text)
{
    char beside[264];
    snprintf(beside, sizeof beside, "%s.new", path);
    FILE *f = fopen(beside, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(beside, path), 0);
}

static void
write_connector(const struct world *w, const char *name, const char *image, const char *requested)
{
    char path[256], text[256];
    snprintf(path, sizeof path, "%s/%s.ini", w->folder, name);
    snprintf(text, sizeof text, "[connector]\nimage = %s\nrequested = %s\n", image, requested);
    write_file(path, text);
}

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    snprintf(w->home, sizeof w->home, "/tmp/gantry-test.XXXXXX");
    if (!mkdtemp(w->home)) {
        free(w);
        return -1;
    }
    snprintf(w->folder, sizeof w->folder, "%s/connectors", w->home);
    snprintf(w->log, sizeof w->log, "%s/state/events.jsonl", w->home);
    snprintf(w->old_log, sizeof w->old_log, "%s/state/events.1.jsonl", w->home);
    snprintf(w->settings, sizeof w->settings,
             "[manager]\nid = %s\ninterval = 100ms\nstate_dir = %s/state\n"
             "plugin_path = %s/tests/plugins\n[platform local]\npath = %s\n[backend scripted]\n",
             strrchr(w->home, '.') + 1, w->home, GANTRY_BINARY_DIR, w->folder);
    mkdir(w->folder, 0700);
    pthread_mutex_init(&w->lock, NULL);
    scripted_clear();
    *state = w;
    return 0;
}

static void
remove_tree(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char child[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        remove_tree(child);
    }
    if (folder)
        closedir(folder);
    remove(path);
}

static void
start(struct world *w, uint32_t how)
{
    struct gantry_options options = {.size = sizeof options,
                                     .text = w->settings,
                                     .log = on_line,
                                     .log_context = w,
                                     .event = on_event,
                                     .event_context = w};
    struct gantry_error *err = NULL;
    if (gantry_manager_new(&options, &w->manager, &err) < 0 ||
        gantry_manager_start(w->manager, how, &err) < 0) {
        gantry_manager_free(w->manager);
        w->manager = NULL;
        fail_msg("%s", err->message);
    }
}

static int
stop(struct world *w)
{
    if (!w->manager)
        return 0;
    gantry_manager_stop(w->manager);
    int code = gantry_manager_join(w->manager, NULL);
    gantry_manager_free(w->manager);
    w->manager = NULL;
    return code;
}

static int
tear_down(void **state)
{
    struct world *w = *state;
    stop(w);
    remove_tree(w->home);
    free(w);
    return 0;
}

/* ---- what was told --------------------------------------------------------------------------- */

struct read_back {
    char text[TOLD_BYTES];
    unsigned count;
};

static int
read_one(void *context, const struct gantry_manager_event *e)
{
    struct read_back *r = context;
    if (r->count++ < 200)
        append(r->text, e);
    return 0;
}

static unsigned
read_log(const struct world *w, uint32_t newest, struct read_back *r)
{
    struct gantry_options options = {.size = sizeof options, .text = w->settings};
    struct gantry_error *err = NULL;
    *r = (struct read_back){{0}, 0};
    if (gantry_events_read(&options, newest, read_one, r, &err) != 0)
        fail_msg("%s", err->message);
    return r->count;
}

static int
times(struct world *w, const char *words)
{
    int n = 0;
    pthread_mutex_lock(&w->lock);
    for (const char *at = w->told; (at = strstr(at, words)); at += strlen(words))
        n++;
    pthread_mutex_unlock(&w->lock);
    return n;
}

static void
wait_for(struct world *w, const char *words)
{
    int64_t end = clock_mono_ms() + COMES_MS;
    while (times(w, words) == 0 && clock_mono_ms() < end)
        poll(NULL, 0, 5);
    if (times(w, words) == 0)
        fail_msg("'%s' was not told:\n%s", words, w->told);
}

/* Several listings later nothing more may have been told. */
static void
rest(void)
{
    int lists = atomic_load(&scripted->lists);
    int64_t end = clock_mono_ms() + COMES_MS;
    while (atomic_load(&scripted->lists) < lists + 6 && clock_mono_ms() < end)
        poll(NULL, 0, 5);
    assert_true(atomic_load(&scripted->lists) >= lists + 6);
}

static void
assert_told(struct world *w, const char *expected)
{
    rest();
    pthread_mutex_lock(&w->lock);
    char *told = strdup(w->told);
    w->told[0] = '\0';
    pthread_mutex_unlock(&w->lock);
    assert_string_equal(told, expected);
    free(told);
}

#define STARTED "manager >running (it was started)\n"
#define LISTED  "wish a >run (the platform wishes it to run)\n"
#define CREATED "action a create absent>running (it shall run, and is not there)\n"

static void
running_a(struct world *w)
{
    write_connector(w, "a", "i:1", "starting");
    start(w, GANTRY_RUN_DAEMON);
    wait_for(w, "create");
    assert_told(w, STARTED LISTED CREATED);
}

/* ---- events ---------------------------------------------------------------------------------- */

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
    int64_t end = clock_mono_ms() + COMES_MS;
    while (atomic_load(&scripted->starts) < 3 && clock_mono_ms() < end)
        poll(NULL, 0, 10);
    assert_true(atomic_load(&scripted->starts) >= 3);
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
        int64_t end = clock_mono_ms() + COMES_MS;
        scripted_set_state("a", GANTRY_STATE_FAILED);
        while (times(w, "state a running>failed") < i && clock_mono_ms() < end)
            poll(NULL, 0, 5);
        while (i < 4 && scripted_count("a", GANTRY_STATE_RUNNING) == 0 && clock_mono_ms() < end)
            poll(NULL, 0, 5);
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

/* ---- the file -------------------------------------------------------------------------------- */

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
    fill(w->log, 4 * 1024 * 1024);
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

/* ---- all of them ----------------------------------------------------------------------------- */

static bool
find_plugin(void)
{
    void *plugin = dlopen(GANTRY_BINARY_DIR "/tests/plugins/gantry-scripted.so", RTLD_NOW);
    if (!plugin)
        return false;
    scripted = dlsym(plugin, "scripted");
    *(void **)&scripted_clear = dlsym(plugin, "scripted_clear");
    *(void **)&scripted_set_state = dlsym(plugin, "scripted_set_state");
    *(void **)&scripted_count = dlsym(plugin, "scripted_count");
    return scripted && scripted_clear && scripted_set_state && scripted_count;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
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
