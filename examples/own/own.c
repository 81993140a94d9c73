/* own.c - a platform and a runtime of the program's own: a function says what should run; a flag runs.
 *
 *     cc -o own own.c $(pkg-config --cflags --libs gantry)
 *
 * It wishes that "tick" runs, then that it stops, is told of both, and ends. */
#include <gantry/gantry.h>
#include <gantry/platform.h>
#include <gantry/plugin.h>
#include <stdlib.h>
#include <string.h>

/* ---- the runtime: one task, known by its connector's id; it is replaced in place -------------- */
struct task {
    const struct gantry_host *host;
    char id[40], hash[80]; /* id "": there is none */
    uint32_t state;
};

static int
task_open(struct gantry_call *call, const struct gantry_host *host,
          const struct gantry_settings *settings, void **self)
{
    struct task *t = *self = calloc(1, sizeof *t);
    (void)settings; /* it has none */
    if (t)
        t->host = host;
    return t ? 0 : gantry_fail(host, call, GANTRY_E_NOMEM, "out of memory");
}

static int
task_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct task *t = self;
    const struct gantry_pair labels[] = {{GANTRY_LABEL_MANAGER, "own"},
                                         {GANTRY_LABEL_NAMED, "own"},
                                         {GANTRY_LABEL_CONNECTOR, t->id}};
    struct gantry_status s = {.size = sizeof s, .state = t->state, .handle = t->id, .name = t->id};
    s.hash = t->hash, s.labels = labels, s.label_count = 3, s.label_stride = sizeof labels[0];
    if (strcmp(ref->handle, t->id) != 0)
        return gantry_fail(t->host, call, GANTRY_E_NOT_FOUND, "there is no such task");
    return gantry_emit_status(t->host, call, &s);
}

static int
task_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
           const struct gantry_spec *spec, uint32_t flags)
{
    struct task *t = self;
    (void)flags; /* it does not restart by itself */
    if (spec && !existing && t->id[0])
        return gantry_fail(t->host, call, GANTRY_E_INVALID, "there is room for one task only");
    if (spec) {
        snprintf(t->id, sizeof t->id, "%s", spec->id);
        snprintf(t->hash, sizeof t->hash, "%s", spec->hash);
    }
    t->state = GANTRY_STATE_RUNNING;
    printf("%s: runs\n", t->id);
    return task_inspect(self, call, &(struct gantry_ref){.handle = t->id});
}

static int
task_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    (void)call, (void)ref, (void)grace_ms;
    ((struct task *)self)->state = GANTRY_STATE_EXITED;
    printf("%s: stopped\n", ref->handle);
    return 0;
}

static int
task_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    (void)call, (void)ref;
    ((struct task *)self)->id[0] = '\0';
    return 0;
}

static int
task_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
          const struct gantry_log_limits *limits)
{
    (void)self, (void)call, (void)ref, (void)cursor, (void)limits;
    return 0; /* it has nothing to say */
}

static int
task_list(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
          uint32_t stride)
{
    const struct gantry_ref ref = {.handle = ((struct task *)self)->id};
    (void)labels, (void)count, (void)stride; /* whatever is here is this program's own */
    return ref.handle[0] ? task_inspect(self, call, &ref) : 0;
}

static const struct gantry_plugin plugin = {
    GANTRY_PLUGIN_HEAD,      .name = "task",    .open = task_open,     .close = free,
    .start = task_start,     .stop = task_stop, .remove = task_remove, .logs = task_logs,
    .inspect = task_inspect, .list = task_list};

/* ---- the platform --------------------------------------------------------------------------- */

static struct gantry_manager *manager;

static int
own_list(void *context, struct gantry_listing *listing)
{
    struct gantry_desired tick = {.size = sizeof tick, .id = "tick", .name = "tick"};
    tick.image = "none", tick.run = *(uint32_t *)context;
    return gantry_listing_add(listing, &tick);
}

static int
own_report(void *context, const struct gantry_report *report)
{
    uint32_t *wished = context;
    if (report->status == GANTRY_REPORT_STARTED) {
        printf("the platform is told: %s started\n", report->id);
        *wished = 0;
        gantry_manager_refresh(manager); /* ask me again now */
    } else if (report->status == GANTRY_REPORT_STOPPED && !*wished) {
        gantry_manager_stop(manager);
    }
    return 0;
}

int
main(int argc, char **argv)
{
    uint32_t wished = 1; /* run */
    struct gantry_platform own = {.size = sizeof own, .name = "own", .context = &wished};
    own.list = own_list, own.report = own_report;
    const char *folder = argc > 1 ? argv[1] : "own-state"; /* what it knows, for the next time */
    const struct gantry_assignment settings[] = {{"manager", "id", "own"},
                                                 {"manager", "state_dir", folder},
                                                 {"backend task", "plugin", "task"}};
    struct gantry_options options = {
        .size = sizeof options, .assignments = settings, .assignment_count = 3};
    struct gantry_error *err = NULL;
    options.assignment_stride = sizeof settings[0];
    if (gantry_manager_new(&options, &manager, &err) < 0 ||
        gantry_manager_add_plugin(manager, &plugin, &err) < 0 ||
        gantry_manager_add_platform(manager, &own, &err) < 0 ||
        gantry_manager_run(manager, GANTRY_RUN_DAEMON, &err) < 0)
        fprintf(stderr, "%s\n", err->message);
    int failed = err != NULL;
    gantry_error_free(err);
    gantry_manager_free(manager);
    return failed;
}
