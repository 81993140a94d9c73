/* start() but the replacement: a new service, or one that is there already.  See swarm.h. */
#include "secrets.h"
#include "swarm.h"
#include "times.h"

#include <string.h>
#include <time.h>

#define POLL_SOON_MS    100 /* while it is likely to begin */
#define POLL_LATE_MS    500
#define SOON_MS         5000
#define START_LIMIT_MS  60000 /* where the spec names none */
#define START_MARGIN_MS 5000  /* left of the call's time for what follows */
#define FINISH_MS       30000

void
swarm_sleep(struct engine_task *task, int ms, bool heeds)
{
    (void)gantry_wait(task->engine->host, task->call, NULL, 0, ms, heeds ? 0 : GANTRY_WAIT_FINISH);
}

int64_t
swarm_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- has it begun --------------------------------------------------------------------------------- */

int
swarm_newest_ns(struct engine_task *task, const char *service, int64_t *newest_ns)
{
    AUTO_JSON_SECRET list = NULL;
    AUTO_TASKS tasks = {0};
    int code = swarm_tasks_of(task, service, &list);
    if (code < 0)
        return code;
    if (tasks_sort(list, &tasks) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "list the tasks of '%.100s': out of memory",
                           service);
    *newest_ns = tasks.count ? tasks.items[tasks.count - 1].created_ns : 0;
    return 0;
}

static int
could_not_start(struct engine_task *task, const char *name, const cJSON *failed)
{
    char reason[400];
    const char *told = task_reason(failed);
    text_one_line(reason, sizeof reason, told ? told : "the node gives no reason");
    bool image = strcasestr(reason, "no such image") || strcasestr(reason, "pull");
    return engine_fail(task, image ? GANTRY_E_IMAGE_MISSING : GANTRY_E_INVALID,
                       "service '%s' could not start: %s; %s", name, reason,
                       image ? "a node has not got the image: let it reach the registry, or load it"
                             : "correct the image or the settings");
}

/* The first of the tasks that are younger which says something decides.  1: it began, 0: not yet. */
static int
look(struct engine_task *task, const char *service, const char *name, int64_t after_ns,
     char *waits_for, size_t size)
{
    AUTO_JSON_SECRET list = NULL;
    AUTO_TASKS tasks = {0};
    int code = swarm_tasks_of(task, service, &list);
    if (code < 0)
        return code;
    if (tasks_sort(list, &tasks) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "start service '%s': out of memory", name);
    for (size_t i = 0; i < tasks.count; i++) {
        const cJSON *item = tasks.items[i].json;
        if (tasks.items[i].created_ns <= after_ns)
            continue;
        int began = task_began(item);
        if (began < 0)
            return could_not_start(task, name, item);
        if (began > 0)
            return 1;
        const char *told = task_reason(item);
        if (!told)
            told = json_text(item, "Status.Message");
        text_one_line(waits_for, size, told ? told : "");
    }
    return 0;
}

int
swarm_await_start(struct engine_task *task, const char *service, const char *name, int64_t after_ns,
                  int64_t limit_ms, bool heeds)
{
    char waits_for[300] = "";
    int64_t began_ms = swarm_clock_ms();
    for (;;) {
        int code = look(task, service, name, after_ns, waits_for, sizeof waits_for);
        if (code != 0)
            return code < 0 ? code : 0;
        code = heeds ? engine_cancelled(task) : 0;
        if (code < 0)
            return code;
        int64_t gone_ms = swarm_clock_ms() - began_ms;
        if (gone_ms >= limit_ms)
            return engine_fail(task, GANTRY_E_TIMEOUT,
                               "service '%s' does not run yet: %s; see 'docker service ps' there",
                               name, waits_for[0] ? waits_for : "no node has begun");
        swarm_sleep(task, gone_ms < SOON_MS ? POLL_SOON_MS : POLL_LATE_MS, heeds);
    }
}

static int64_t
start_limit(const struct engine_task *task, const struct gantry_spec *spec)
{
    int64_t wanted = spec && spec->start_timeout_ms ? spec->start_timeout_ms : START_LIMIT_MS;
    int64_t left = gantry_remaining_ms(task->engine->host, task->call) - START_MARGIN_MS;
    return left < wanted ? left : wanted;
}

/* ---- spec alone ----------------------------------------------------------------------------------- */

static bool
has_label_of(const cJSON *service, const struct gantry_spec *spec, const char *key)
{
    const char *theirs = swarm_label(service, key);
    const char *ours = gantry_find_label(spec->labels, spec->label_count, spec->label_stride, key);
    return theirs && ours && strcmp(theirs, ours) == 0;
}

int
swarm_check_name(struct engine_task *task, const struct gantry_spec *spec)
{
    AUTO_JSON_SECRET holder = NULL;
    int code = swarm_service(task, spec->name, &holder);
    if (code == GANTRY_E_NOT_FOUND)
        return 0;
    if (code < 0)
        return code;
    /* The engine also takes an id, or the beginning of one, for a name. */
    if (strcmp(swarm_name(holder), spec->name) != 0)
        return 0;
    bool own = has_label_of(holder, spec, GANTRY_LABEL_MANAGER) &&
               has_label_of(holder, spec, GANTRY_LABEL_CONNECTOR) &&
               (!swarm_label(holder, GANTRY_LABEL_NAMED) ||
                has_label_of(holder, spec, GANTRY_LABEL_NAMED));
    return engine_fail(
        task, own ? GANTRY_E_UNAVAILABLE : GANTRY_E_CONFLICT,
        own ? "service name '%s' is held by service %.12s, which is this connector's "
              "already; none is made beside it"
            : "service name '%s' is held by service %.12s, which is not this "
              "connector's; rename or remove it",
        spec->name, json_text(holder, "ID"));
}

static void
undo(struct engine_task *task, const char *id, const struct swarm_secrets *secrets)
{
    struct engine_task own = engine_task_again(task);
    own.finish_ms =
        FINISH_MS; /* also when the call was cancelled: nothing half-made stays behind */
    if (id[0] && swarm_delete(&own, id) < 0)
        gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN, "%s", own.error);
    seen_forget(swarm_of(task), id);
    secret_files_undo(task, secrets);
}

static int
create(struct engine_task *task, const struct gantry_spec *spec, bool once, char *id,
       struct swarm_secrets *secrets)
{
    AUTO_TEXT image = TEXT(8192);
    AUTO_TEXT json = TEXT_SECRET(64u << 20);
    AUTO_TEXT auth = TEXT_SECRET(1 << 17);
    int code = swarm_check_name(task, spec);
    if (code == 0)
        code = swarm_resolve(task, spec, &image);
    if (code == 0)
        code = engine_cancelled(task);
    if (code == 0)
        code = secret_files_make(task, spec, secrets);
    if (code < 0)
        return code;
    const struct swarm_body body = {.spec = spec,
                                    .name = spec->name,
                                    .image = text_cstr(&image),
                                    .secrets = secrets,
                                    .once = once};
    code = swarm_body(task, &body, &json);
    if (code == 0)
        code = engine_cancelled(task);
    swarm_auth(&auth, spec);
    if (code == 0)
        code = swarm_create(task, spec->name, &json, text_cstr(&auth), id);
    if (code == 0)
        seen_made(swarm_of(task), id);
    if (code == 0)
        code = swarm_await_start(task, id, spec->name, 0, start_limit(task, spec), true);
    /* It begins when a node has room for it; until then it is starting, and says what it waits for. */
    return code == GANTRY_E_TIMEOUT && id[0] ? 0 : code;
}

static int
start_new(struct engine_task *task, const struct gantry_spec *spec, bool once)
{
    char id[ENGINE_ID_MAX] = "";
    AUTO_SECRETS split = {0};
    struct swarm_secrets secrets = {0};
    int code = secret_files_split(task, spec, &split);
    if (code < 0)
        return code;
    code = create(task, &split.spec, once, id, &secrets);
    if (code < 0)
        undo(task, id, &secrets);
    secret_files_clear(&secrets);
    return code < 0 ? code : swarm_emit_id(task, id);
}

/* ---- existing alone ------------------------------------------------------------------------------- */

struct wake {
    bool once;
    bool anew; /* what is there has ended: another task, please */
    bool changed;
};

/* The swarm's restarting is taken away by ONCE, and given back by the next start without it. */
static int
wake(struct engine_task *task, const cJSON *service, cJSON *spec, void *context)
{
    struct wake *wake = context;
    cJSON *template = swarm_object(spec, "TaskTemplate");
    cJSON *policy = swarm_object(template, "RestartPolicy");
    const char *now = json_text(policy, "Condition");
    const char *label = swarm_label(service, SWARM_LABEL_RESTART);
    const char *usual = label ? label : now ? now : "any";
    bool good = policy != NULL;
    if (!json_at(spec, "Mode.Replicated"))
        return engine_fail(task, GANTRY_E_INVALID,
                           "service '%s' is not of the mode 'replicated'; remove it, so that it is "
                           "made anew",
                           swarm_name(service));
    wake->changed = swarm_replicas(service) == 0 || wake->anew;
    if (!wake->changed)
        return 0;
    if (swarm_replicas(service) == 0)
        good = good && swarm_set_number(swarm_object(swarm_object(spec, "Mode"), "Replicated"),
                                        "Replicas", 1);
    else
        good = good &&
               swarm_set_number(template, "ForceUpdate", json_integer(template, "ForceUpdate") + 1);
    if (!label) /* XTM Composer's: so that it gets back what it had */
        good = good && swarm_set_text(swarm_object(spec, "Labels"), SWARM_LABEL_RESTART, usual);
    char kept[64];
    snprintf(kept, sizeof kept, "%s", usual);
    good = good && swarm_set_text(policy, "Condition", wake->once ? "none" : kept);
    cJSON_DeleteItemFromObjectCaseSensitive(swarm_object(spec, "Labels"), SWARM_LABEL_EXIT);
    return good ? 1 : engine_fail(task, GANTRY_E_NOMEM, "start service: out of memory");
}

/* Has it ended, so that only another task makes it run?  newest_ns: of the tasks that are there. */
static int
look_at(struct engine_task *task, const char *id, bool *ended, int64_t *newest_ns)
{
    AUTO_JSON_SECRET service = NULL;
    AUTO_JSON_SECRET list = NULL;
    AUTO_TASKS tasks = {0};
    struct swarm_state state;
    int code = swarm_service(task, id, &service);
    if (code == 0 && strcmp(json_text(service, "ID"), id) != 0)
        return engine_fail(task, GANTRY_E_NOT_FOUND, "service '%.100s' is not there", id);
    if (code == 0)
        code = swarm_tasks_of(task, id, &list);
    if (code < 0)
        return code;
    if (tasks_sort(list, &tasks) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "start service: out of memory");
    state_of_service(service, &tasks, &state);
    *ended = state.state == GANTRY_STATE_FAILED || state.state == GANTRY_STATE_EXITED ||
             state.state == GANTRY_STATE_RESTARTING || state.state == GANTRY_STATE_UNKNOWN;
    *newest_ns = tasks.count ? tasks.items[tasks.count - 1].created_ns : 0;
    return 0;
}

static int
start_existing(struct engine_task *task, const struct gantry_ref *existing, bool once)
{
    struct wake change = {.once = once};
    int64_t newest_ns = 0;
    const char *name = existing->name ? existing->name : existing->handle;
    int code = look_at(task, existing->handle, &change.anew, &newest_ns);
    if (code == 0)
        code = swarm_change(task, existing->handle, wake, &change);
    if (code == 0 && change.changed)
        code = swarm_await_start(task, existing->handle, name, newest_ns, start_limit(task, NULL),
                                 true);
    if (code < 0 && code != GANTRY_E_TIMEOUT)
        return code;
    return swarm_emit_id(task, existing->handle);
}

int
swarm_op_start(struct engine_task *task, const struct gantry_ref *existing,
               const struct gantry_spec *spec, uint32_t flags)
{
    bool once = flags & GANTRY_START_ONCE;
    if (existing && spec)
        return swarm_replace(task, existing, spec, once);
    if (spec)
        return start_new(task, spec, once);
    if (existing)
        return start_existing(task, existing, once);
    return engine_fail(task, GANTRY_E_INVALID, "start: neither a workload nor a spec was given");
}
