/* events_world.h - a manager whose events are kept as text: a folder of INI files is the platform, the scripted
 * plugin the runtime. */
#ifndef TESTS_MANAGER_EVENTS_WORLD_H
#define TESTS_MANAGER_EVENTS_WORLD_H

#include <gantry/gantry.h>
#include <gantry/workload.h>

#include "../manager_plugins/scripted.h"

#include "connector_folder.h"
#include "within.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

/* No test needs all that is here. */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"

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
write_connector(const struct world *w, const char *name, const char *image, const char *requested)
{
    folder_write(w->folder, name, image, requested);
}

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    make_home(w->home);
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
    if (!WITHIN(COMES_MS, times(w, words) > 0))
        fail_msg("'%s' was not told:\n%s", words, w->told);
}

/* Several listings later nothing more may have been told. */
static void
rest(void)
{
    int lists = atomic_load(&scripted->lists);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->lists) >= lists + 6));
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
