/* drain_world.h - a manager whose workloads run on one backend, and whose settings name another. */
#ifndef TESTS_MANAGER_DRAIN_WORLD_H
#define TESTS_MANAGER_DRAIN_WORLD_H

#include "scripted_world.h"

#define RUNNING   GANTRY_STATE_RUNNING
#define STARTED   "\"started\""
#define DRAINED   "[backend old]\nplugin = scripted\nplace = a\ndrain = yes\n"
#define NEW       "[backend new]\nplugin = scripted\nplace = b\n"
#define ON_OLD(x) scripted_count_in("a", x, RUNNING)
#define ON_NEW(x) scripted_count_in("b", x, RUNNING)

static void
settings(struct world *w, const char *manager, const char *backends)
{
    w->settings[0] = '\0';
    settle_on(w, manager);
    add_settings(w, "[platform opencti]\nurl = %s\ntoken = t\nhealth_interval = 200ms\n%s",
                 w->fake.server->url, backends);
}

#define QUICK "interval = 100ms"
#define OLD   "[backend old]\nplugin = scripted\nplace = a\n"

/* Runs to rest.  text: of the error, or "". */
static int
run_once(struct world *w, uint32_t how, char text[512])
{
    struct gantry_options options = {
        .size = sizeof options, .text = w->settings, .log = take_line, .log_context = w};
    struct gantry_error *err = NULL;
    int code = gantry_manager_new(&options, &w->manager, &err);
    if (code == 0)
        code = gantry_manager_run(w->manager, how, &err);
    snprintf(text, 512, "%s", err ? err->message : "");
    gantry_error_free(err);
    gantry_manager_free(w->manager);
    w->manager = NULL;
    return code;
}

static void
runs_well(struct world *w, uint32_t how)
{
    char text[512];
    if (run_once(w, how, text) < 0)
        fail_msg("%s", text);
}

static void
is_refused(struct world *w, uint32_t how, const char *where)
{
    char text[512];
    int starts = atomic_load(&scripted->starts);
    assert_int_equal(GANTRY_E_INVALID, run_once(w, how, text));
    assert_non_null(strstr(text, where));
    assert_non_null(strstr(text, "drain = yes"));
    assert_non_null(strstr(text, "gantryd --down"));
    assert_null(strchr(text, '\n'));
    assert_int_equal(starts, atomic_load(&scripted->starts));
}

/* a and b run on the old backend, and the platform knows it. */
static void
two_on_the_old_one(struct world *w)
{
    fake_set(&w->fake, w->fake.listing,
             LISTED(CONNECTOR("a", "aa", "starting", STARTED) "," CONNECTOR("b", "aa", "starting",
                                                                            STARTED)));
    fake_set(&w->fake, w->fake.configurations,
             LISTED(CONFIGURED("a", "aa") "," CONFIGURED("b", "aa")));
    settings(w, QUICK, OLD);
    runs_well(w, GANTRY_RUN_ONCE);
    assert_int_equal(2, scripted_count_in("a", NULL, RUNNING));
    atomic_store(&w->fake.statuses, 0);
    atomic_store(&scripted->starts, 0);
}

#endif
