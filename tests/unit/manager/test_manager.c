/* The whole manager, without network: the local platform's folder, and a plugin that keeps
 * workloads in memory. */
#include <gantry/gantry.h>

#include "clock.h"

#include "connector_folder.h"
#include "within.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    char home[64], folder[96], settings[1024];
    struct gantry_manager *manager;
    pthread_t thread;
    bool runs;
};

static void
quiet(void *context, int level, const char *line, size_t length)
{
    (void)context;
    if (getenv("VERBOSE"))
        fprintf(stderr, "%d %.*s\n", level, (int)length, line);
}

static void
write_connector(const struct world *w, const char *name, const char *image, const char *requested)
{
    folder_write(w->folder, name, image, requested);
}

static void
remove_connector(const struct world *w, const char *name)
{
    folder_remove(w->folder, name);
}

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    make_home(w->home);
    snprintf(w->folder, sizeof w->folder, "%s/connectors", w->home);
    mkdir(w->folder, 0700);
    snprintf(w->settings, sizeof w->settings,
             "[manager]\ninterval = 100ms\nstate_dir = %s/state\nplugin_path = %s/tests/plugins\n"
             "[log]\nlevel = debug\n"
             "[platform local]\npath = %s\n[backend memory]\n",
             w->home, GANTRY_BINARY_DIR, w->folder);
    *state = w;
    return 0;
}

static void
make(struct world *w)
{
    struct gantry_options options = {.size = sizeof options, .text = w->settings, .log = quiet};
    struct gantry_error *err = NULL;
    int code = gantry_manager_new(&options, &w->manager, &err);
    if (code == 0)
        code = gantry_manager_open(w->manager, &err);
    if (code < 0)
        fail_msg("%s", err->message);
}

static void *
run(void *argument)
{
    struct world *w = argument;
    struct gantry_error *err = NULL;
    int code = gantry_manager_run(w->manager, GANTRY_RUN_DAEMON, &err);
    if (code < 0)
        fprintf(stderr, "%s\n", err ? err->message : "failed");
    gantry_error_free(err);
    return NULL;
}

static void
start(struct world *w)
{
    make(w);
    assert_int_equal(pthread_create(&w->thread, NULL, run, w), 0);
    w->runs = true;
}

static void
stop(struct world *w)
{
    if (w->runs) {
        gantry_manager_stop(w->manager);
        pthread_join(w->thread, NULL);
    }
    w->runs = false;
    gantry_manager_free(w->manager);
    w->manager = NULL;
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

/* "state image action" of a connector, or "missing". */
static void
describe(const struct world *w, const char *id, char text[256])
{
    struct gantry_snapshot *s = NULL;
    assert_int_equal(gantry_manager_snapshot(w->manager, &s, NULL), 0);
    snprintf(text, 256, "missing");
    for (uint32_t i = 0; i < s->count; i++) {
        const struct gantry_connector *c = &s->connectors[i];
        if (strcmp(c->id, id) == 0)
            snprintf(text, 256, "%s %s %s%s", c->wish, c->state, c->image, c->action);
    }
    gantry_snapshot_free(s);
}

static void
wait_for(const struct world *w, const char *id, const char *expected)
{
    char text[256] = "";
    if (!WITHIN(COMES_MS, (describe(w, id, text), strcmp(text, expected) == 0)))
        fail_msg("%s is '%s', not '%s'", id, text, expected);
}

static void
listed_connectors_run(void **state)
{
    struct world *w = *state;
    write_connector(w, "one", "image:1", "starting");
    write_connector(w, "two", "image:2", "starting");
    start(w);
    wait_for(w, "one", "run running image:1");
    wait_for(w, "two", "run running image:2");
}

static void
stopping_stops_and_starting_starts_again(void **state)
{
    struct world *w = *state;
    write_connector(w, "one", "image:1", "starting");
    start(w);
    wait_for(w, "one", "run running image:1");
    write_connector(w, "one", "image:1", "stopping");
    wait_for(w, "one", "halt exited image:1");
    write_connector(w, "one", "image:1", "starting");
    wait_for(w, "one", "run running image:1");
}

static void
first_wish_to_stop_creates_nothing(void **state)
{
    struct world *w = *state;
    write_connector(w, "one", "image:1", "stopping");
    start(w);
    wait_for(w, "one", "halt absent image:1");
}

static void
changed_image_replaces(void **state)
{
    struct world *w = *state;
    write_connector(w, "one", "image:1", "starting");
    write_connector(w, "other", "image:1", "starting");
    start(w);
    wait_for(w, "one", "run running image:1");
    write_connector(w, "one", "image:2", "starting");
    wait_for(w, "one", "run running image:2");
    wait_for(w, "other", "run running image:1");
}

static void
deleted_file_removes(void **state)
{
    struct world *w = *state;
    write_connector(w, "one", "image:1", "starting");
    write_connector(w, "two", "image:1", "starting");
    start(w);
    wait_for(w, "one", "run running image:1");
    wait_for(w, "two", "run running image:1");
    remove_connector(w, "one");
    wait_for(w, "one", "missing");
    remove_connector(w, "two"); /* all of them: for files a deletion is an operator's word */
    wait_for(w, "two", "missing");
}

static void
once_ends_by_itself(void **state)
{
    struct world *w = *state;
    write_connector(w, "one", "image:1", "starting");
    make(w);
    assert_int_equal(gantry_manager_run(w->manager, GANTRY_RUN_ONCE, NULL), 0);
    char text[256];
    describe(w, "one", text);
    assert_string_equal(text, "run running image:1");
    assert_int_equal(gantry_manager_run(w->manager, GANTRY_RUN_DOWN, NULL), 0);
    assert_int_equal(gantry_manager_run(w->manager, GANTRY_RUN_DRY, NULL), 0);
    describe(w, "one", text); /* what ended so soon is not made again at once */
    assert_string_equal(text, "run absent image:1");
}

static void
dry_run_touches_nothing(void **state)
{
    struct world *w = *state;
    write_connector(w, "one", "image:1", "starting");
    make(w);
    assert_int_equal(gantry_manager_run(w->manager, GANTRY_RUN_DRY, NULL), 0);
    char text[256];
    describe(w, "one", text);
    assert_string_equal(text, "run absent image:1create");
}

static void
second_manager_on_one_state_folder_is_refused(void **state)
{
    struct world *w = *state;
    write_connector(w, "one", "image:1", "starting");
    start(w);
    wait_for(w, "one", "run running image:1");
    struct world second = *w;
    make(&second);
    struct gantry_error *err = NULL;
    assert_int_equal(gantry_manager_run(second.manager, GANTRY_RUN_ONCE, &err), GANTRY_E_CONFLICT);
    assert_non_null(strstr(err->message, "another manager"));
    gantry_error_free(err);
    gantry_manager_free(second.manager);
}

static void
two_managers_live_in_one_process(void **state)
{
    struct world *w = *state;
    void *other_state = NULL;
    assert_int_equal(set_up(&other_state), 0);
    struct world *other = other_state;
    write_connector(w, "one", "image:1", "starting");
    write_connector(other, "uno", "image:1", "starting");
    start(w);
    start(other);
    wait_for(w, "one", "run running image:1");
    wait_for(other, "uno", "run running image:1");
    wait_for(w, "uno", "missing");
    tear_down(&other_state);
}

static void
bad_settings_are_all_reported(void **state)
{
    (void)state;
    struct gantry_options options = {
        .size = sizeof options,
        .log = quiet,
        .text = "[manager]\ninterval = 10\nintervall = 5s\n[platform local]\npath = /nonexistent\n"
                "[backend memory]\n",
    };
    struct gantry_manager *m = NULL;
    struct gantry_error *err = NULL;
    assert_int_equal(gantry_manager_new(&options, &m, &err), 0);
    assert_int_equal(gantry_manager_open(m, &err), GANTRY_E_INVALID);
    gantry_manager_free(m);
    size_t lines = 0;
    for (const struct gantry_error *e = err; e; e = e->cause)
        lines++;
    assert_true(lines >= 3); /* the bare number, the unknown key, the plugin that is not found */
    gantry_error_free(err);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(listed_connectors_run),
        TEST(stopping_stops_and_starting_starts_again),
        TEST(first_wish_to_stop_creates_nothing),
        TEST(changed_image_replaces),
        TEST(deleted_file_removes),
        TEST(once_ends_by_itself),
        TEST(dry_run_touches_nothing),
        TEST(second_manager_on_one_state_folder_is_refused),
        TEST(two_managers_live_in_one_process),
        cmocka_unit_test(bad_settings_are_all_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
