/* acts.c - the operations as the promises of cancellation and of deadlines try them, and what must be so
 * afterwards. */
#include "stages.h"

#define LISTED 3 /* workloads that a listing has to tell of */

static const struct gantry_log_limits limits = {
    .size = sizeof limits, .max_lines = 1000, .max_bytes = 1 << 20, .max_line_bytes = 1 << 16};

/* ---- surroundings --------------------------------------------------------------------------------- */

static int
set_nothing(struct kit *kit, struct kit_scene *scene)
{
    scene->connector = kit_connector(kit);
    return scene->connector ? KIT_OK : KIT_BROKEN;
}

static int
set_running(struct kit *kit, struct kit_scene *scene)
{
    KIT_CHECK(set_nothing(kit, scene));
    return kit_run(kit, scene->connector, &scene->handle);
}

static int
set_stopped(struct kit *kit, struct kit_scene *scene)
{
    struct gantry_status status;
    KIT_CHECK(set_running(kit, scene));
    struct kit_answer stopped = kit_stop(kit, scene->handle, scene->connector, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop", &stopped));
    return kit_await(kit, scene->handle, KIT_ENDED, &status);
}

static int
set_replace(struct kit *kit, struct kit_scene *scene)
{
    KIT_CHECK(set_running(kit, scene));
    return kit_change(kit, scene->connector);
}

static int
set_several(struct kit *kit, struct kit_scene *scene)
{
    for (scene->workloads = 0; scene->workloads < LISTED; scene->workloads++)
        KIT_CHECK(set_running(kit, scene));
    return KIT_OK;
}

/* Remove whatever the connector has. */
static int
clear(struct kit *kit, const struct kit_scene *scene, const char *when)
{
    size_t left;
    struct kit_answer listed = kit_list(kit, scene->connector, NULL);
    KIT_CHECK(kit_expect_ok(kit, "list", &listed));
    for (size_t i = 0; i < listed.status_count; i++) {
        struct kit_answer removed =
            kit_remove(kit, listed.statuses[i].handle, scene->connector, NULL);
        KIT_CHECK(kit_expect_ok(kit, "remove afterwards", &removed));
    }
    KIT_CHECK(kit_count(kit, scene->connector, &left));
    return left == 0 ? KIT_OK
                     : kit_broken(kit, "%s: %zu workloads could not be removed", when, left);
}

/* It runs, or soon will. */
static int
lives(struct kit *kit, const char *handle, const char *which, const char *when)
{
    int64_t until_ms = clock_mono_ms() + kit_patience_ms(kit);
    for (;;) {
        struct kit_answer a = kit_inspect(kit, handle, NULL);
        if (a.code != 0)
            return kit_broken(kit, "%s: the %s workload cannot be inspected: %s", when, which,
                              a.text);
        if (KIT_LIVE & (1U << a.status.state))
            return KIT_OK;
        if (clock_mono_ms() > until_ms)
            return kit_broken(kit, "%s: the %s workload does not run; it is %s", when, which,
                              kit_state_word(a.status.state));
        kit_pause(kit);
    }
}

/* ---- start ---------------------------------------------------------------------------------------- */

static struct kit_answer
call_start(struct kit *kit, const struct kit_scene *scene, const struct kit_manner *manner)
{
    return kit_start(kit, scene->connector, NULL, 0, manner);
}

/* Success: one that runs.  Cancelled: nothing half made.  Late: nothing is known, but there are not several, and
 * what is there can be removed.  Then it can be started as if nothing had been. */
static int
after_start(struct kit *kit, struct kit_scene *scene, const struct kit_answer *answer,
            enum kit_interference what, const char *when)
{
    size_t count;
    const char *handle;
    struct gantry_status status;
    KIT_CHECK(kit_count(kit, scene->connector, &count));
    if (answer->code == 0 && count != 1)
        return kit_broken(kit, "%s: it succeeded, and list() tells of %zu workloads", when, count);
    if (answer->code == 0)
        KIT_CHECK(kit_await(kit, answer->status.handle, KIT_LIVE, &status));
    if (answer->code != 0 && count > (what == KIT_OVERDUE ? 1 : 0))
        return kit_broken(kit, "%s: it left %zu workloads behind", when, count);
    KIT_CHECK(clear(kit, scene, when));
    if (answer->code == 0)
        return KIT_OK;
    KIT_CHECK(kit_run(kit, scene->connector, &handle));
    return clear(kit, scene, when);
}

static struct kit_answer
call_start_again(struct kit *kit, const struct kit_scene *scene, const struct kit_manner *manner)
{
    return kit_start(kit, NULL, scene->handle, 0, manner);
}

/* It is there still, and can be started. */
static int
after_start_again(struct kit *kit, struct kit_scene *scene, const struct kit_answer *answer,
                  enum kit_interference what, const char *when)
{
    struct gantry_status status;
    (void)what;
    if (answer->code != 0) {
        struct kit_answer again = kit_start(kit, NULL, scene->handle, 0, NULL);
        KIT_CHECK(kit_expect_ok(kit, "start afterwards", &again));
    }
    KIT_CHECK(kit_await(kit, scene->handle, KIT_LIVE, &status));
    return clear(kit, scene, when);
}

static struct kit_answer
call_replace(struct kit *kit, const struct kit_scene *scene, const struct kit_manner *manner)
{
    return kit_start(kit, scene->connector, scene->handle, 0, manner);
}

/* S4: something of this connector always runs; when it has failed, the old one does, and the new one is gone. */
static int
after_replace(struct kit *kit, struct kit_scene *scene, const struct kit_answer *answer,
              enum kit_interference what, const char *when)
{
    size_t count;
    (void)what;
    const char *runs = answer->code == 0 ? answer->status.handle : scene->handle;
    KIT_CHECK(lives(kit, runs, answer->code == 0 ? "new" : "old", when));
    KIT_CHECK(kit_count(kit, scene->connector, &count));
    if (answer->code != 0 && count != 1)
        return kit_broken(kit, "%s: it failed, and %zu workloads are there beside the old one",
                          when, count - 1);
    return clear(kit, scene, when);
}

/* ---- stop and remove ------------------------------------------------------------------------------ */

static struct kit_answer
call_stop(struct kit *kit, const struct kit_scene *scene, const struct kit_manner *manner)
{
    return kit_stop(kit, scene->handle, scene->connector, 1000, manner);
}

static int
after_stop(struct kit *kit, struct kit_scene *scene, const struct kit_answer *answer,
           enum kit_interference what, const char *when)
{
    struct gantry_status status;
    (void)what;
    if (answer->code != 0) {
        struct kit_answer again = kit_stop(kit, scene->handle, scene->connector, 1000, NULL);
        KIT_CHECK(kit_expect_ok(kit, "stop afterwards", &again));
    }
    KIT_CHECK(kit_await(kit, scene->handle, KIT_ENDED, &status));
    return clear(kit, scene, when);
}

static struct kit_answer
call_remove(struct kit *kit, const struct kit_scene *scene, const struct kit_manner *manner)
{
    return kit_remove(kit, scene->handle, scene->connector, manner);
}

static int
after_remove(struct kit *kit, struct kit_scene *scene, const struct kit_answer *answer,
             enum kit_interference what, const char *when)
{
    size_t count;
    (void)what;
    KIT_CHECK(kit_count(kit, scene->connector, &count));
    if (answer->code == 0 && count > 0)
        return kit_broken(kit, "%s: it succeeded, and the workload is there", when);
    struct kit_answer again = kit_remove(kit, scene->handle, scene->connector, NULL);
    KIT_CHECK(kit_expect_ok(kit, "remove afterwards", &again));
    return clear(kit, scene, when);
}

/* ---- what only reads ------------------------------------------------------------------------------ */

static struct kit_answer
call_inspect(struct kit *kit, const struct kit_scene *scene, const struct kit_manner *manner)
{
    return kit_inspect(kit, scene->handle, manner);
}

static struct kit_answer
call_list(struct kit *kit, const struct kit_scene *scene, const struct kit_manner *manner)
{
    (void)scene;
    return kit_list(kit, NULL, manner);
}

static struct kit_answer
call_logs(struct kit *kit, const struct kit_scene *scene, const struct kit_manner *manner)
{
    return kit_logs(kit, scene->handle, NULL, &limits, manner);
}

static struct kit_answer
call_probe(struct kit *kit, const struct kit_scene *scene, const struct kit_manner *manner)
{
    (void)scene;
    return kit_probe(kit, manner);
}

static struct kit_answer
call_pull(struct kit *kit, const struct kit_scene *scene, const struct kit_manner *manner)
{
    return kit_pull(kit, scene->connector, manner);
}

/* It runs on, and can be asked as before. */
static int
after_reading(struct kit *kit, struct kit_scene *scene, const struct kit_answer *answer,
              enum kit_interference what, const char *when)
{
    (void)answer, (void)what;
    return lives(kit, scene->handle, "same", when);
}

/* A listing that succeeds is whole (S1). */
static int
after_list(struct kit *kit, struct kit_scene *scene, const struct kit_answer *answer,
           enum kit_interference what, const char *when)
{
    (void)what;
    if (answer->code == 0 && answer->status_count != scene->workloads)
        return kit_broken(kit, "%s: it succeeded with %zu of %u workloads", when,
                          answer->status_count, scene->workloads);
    return KIT_OK;
}

static int
after_pull(struct kit *kit, struct kit_scene *scene, const struct kit_answer *answer,
           enum kit_interference what, const char *when)
{
    size_t count;
    (void)answer, (void)what;
    KIT_CHECK(kit_count(kit, scene->connector, &count));
    return count == 0 ? KIT_OK : kit_broken(kit, "%s: it made a workload", when);
}

const struct kit_act kit_act_start = {"start", set_nothing, call_start, after_start, false, false};
const struct kit_act kit_act_start_again = {"start of a stopped one", set_stopped, call_start_again,
                                            after_start_again,        false,       false};
const struct kit_act kit_act_replace = {"replace",     set_replace, call_replace,
                                        after_replace, false,       true};
const struct kit_act kit_act_stop = {"stop", set_running, call_stop, after_stop, false, false};
const struct kit_act kit_act_remove = {"remove",     set_stopped, call_remove,
                                       after_remove, false,       false};
const struct kit_act kit_act_inspect = {"inspect",     set_running, call_inspect,
                                        after_reading, true,        false};
const struct kit_act kit_act_list = {"list", set_several, call_list, after_list, true, false};
const struct kit_act kit_act_logs = {"logs", set_running, call_logs, after_reading, true, false};
const struct kit_act kit_act_probe = {"probe", set_running, call_probe, after_reading, true, false};
const struct kit_act kit_act_pull = {"pull", set_nothing, call_pull, after_pull, true, false};
