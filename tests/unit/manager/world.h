/* world.h - a manager with a settings file, a platform of the test's own and the scripted plugin. */
#ifndef WORLD_H
#define WORLD_H

#include <gantry/gantry.h>
#include <gantry/plugin.h> /* before cmocka, which takes the word fail for itself */

#include "../manager_plugins/scripted.h"
#include "compiler.h"
#include "connector_folder.h"
#include "within.h"

#include <dlfcn.h>
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

static struct scripted *scripted;
static void (*scripted_clear)(void);
static int (*scripted_count)(const char *id, int state);

struct world {
    char home[64], path[96];
    struct gantry_manager *manager;
    bool started; /* on a thread of its own */
    pthread_mutex_t lock;
    char log[1 << 16]; /* the newest lines */
    size_t log_length;
    /* What the test's own platform is to list, and what became of it. */
    atomic_int wanted, fails, listed, told_started;
};

static void
take_line(void *context, int level, const char *line, size_t length)
{
    struct world *w = context;
    if (getenv("VERBOSE"))
        fprintf(stderr, "%d %.*s\n", level, (int)length, line);
    if (level > 2 || length > 4096)
        return;
    pthread_mutex_lock(&w->lock);
    if (w->log_length + length + 2 > sizeof w->log)
        w->log_length = 0;
    memcpy(w->log + w->log_length, line, length);
    memcpy(w->log + w->log_length + length, "\n", 2);
    w->log_length += length + 1;
    pthread_mutex_unlock(&w->lock);
}

static int
list_wanted(void *context, struct gantry_listing *listing)
{
    struct world *w = context;
    atomic_fetch_add(&w->listed, 1);
    if (atomic_load(&w->fails))
        return gantry_listing_fail(listing, GANTRY_E_UNAVAILABLE, "the feeds cannot be asked");
    for (int i = 0; i < atomic_load(&w->wanted); i++) {
        char id[16];
        snprintf(id, sizeof id, "c%d", i);
        struct gantry_desired d = {.size = sizeof d, .run = 1, .id = id, .image = "image:1"};
        int code = gantry_listing_add(listing, &d);
        if (code < 0)
            return code;
    }
    return 0;
}

static int
take_report(void *context, const struct gantry_report *report)
{
    struct world *w = context;
    atomic_fetch_add(&w->told_started, report->status == GANTRY_REPORT_STARTED);
    return 0;
}

static void
put_settings(const struct world *w, const char *text)
{
    char temporary[112];
    snprintf(temporary, sizeof temporary, "%s.new", w->path);
    FILE *f = fopen(temporary, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(temporary, w->path), 0);
}

/* The file that every test begins with, and more behind it. */
static void
settings(const struct world *w, const char *manager, const char *more)
{
    char text[4096];
    snprintf(text, sizeof text,
             "[manager]\nstate_dir = %s/state\nplugin_path = %s/tests/plugins\n%s%s\n"
             "[backend scripted]\n%s",
             w->home, GANTRY_BINARY_DIR, strncmp(manager, "id =", 4) == 0 ? "" : "id = m\n",
             manager, more);
    put_settings(w, text);
}

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    make_home(w->home);
    snprintf(w->path, sizeof w->path, "%s/gantry.ini", w->home);
    pthread_mutex_init(&w->lock, NULL);
    atomic_store(&w->wanted, 2);
    scripted_clear();
    *state = w;
    return 0;
}

/* Not opened yet. */
static void
make(struct world *w)
{
    struct gantry_options options = {
        .size = sizeof options, .path = w->path, .log = take_line, .log_context = w};
    struct gantry_platform own = {.size = sizeof own,
                                  .name = "own",
                                  .context = w,
                                  .list = list_wanted,
                                  .report = take_report};
    assert_int_equal(gantry_manager_new(&options, &w->manager, NULL), 0);
    assert_int_equal(gantry_manager_add_platform(w->manager, &own, NULL), 0);
}

static void
start(struct world *w)
{
    struct gantry_error *err = NULL;
    make(w);
    if (gantry_manager_start(w->manager, GANTRY_RUN_DAEMON, &err) < 0)
        fail_msg("%s", err->message);
    w->started = true;
}

static void
end(struct world *w)
{
    if (w->started) {
        gantry_manager_stop(w->manager);
        assert_int_equal(gantry_manager_join(w->manager, NULL), 0);
    }
    w->started = false;
    gantry_manager_free(w->manager);
    w->manager = NULL;
}

static int
tear_down(void **state)
{
    struct world *w = *state;
    static const char *const files[] = {
        "state/lock", "state/state.json", "state/events.jsonl", "state", "log.1",
        "log.2",      "gantry.ini",       "other.ini"};
    end(w);
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", w->home, files[i]);
        remove(path);
    }
    assert_int_equal(remove(w->home), 0);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return 0;
}

static bool
find_plugin(void)
{
    void *plugin = dlopen(GANTRY_BINARY_DIR "/tests/plugins/gantry-scripted.so", RTLD_NOW);
    if (!plugin)
        return false;
    scripted = dlsym(plugin, "scripted");
    *(void **)&scripted_clear = dlsym(plugin, "scripted_clear");
    *(void **)&scripted_count = dlsym(plugin, "scripted_count");
    return scripted && scripted_clear && scripted_count;
}

static int
running(void)
{
    return scripted_count(NULL, GANTRY_STATE_RUNNING);
}

#endif
