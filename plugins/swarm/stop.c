/* stop() and remove().  See swarm.h.
 *
 * A service without replicas loses its tasks, and what they knew: so how it ended is written on the service.
 * The swarm lets a task end by the grace that its service was made with.  A shorter one is kept to on this node
 * alone, whose containers can be reached. */
#include "swarm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_MS   100
#define MARGIN_MS 1000 /* of the call's time, to tell how it came out */
#define REAPED_MS 5000 /* after which a task is taken for one of a node that is down */

struct ending {
    char label[64];                /* "CODE MS" */
    bool known;                    /* CODE is one */
    char task[ENGINE_ID_MAX];      /* that ran when it was told to stop */
    char container[ENGINE_ID_MAX]; /* of that one */
};

static int64_t
wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
print_end(struct ending *ending, bool known, int64_t exit_code, int64_t ms)
{
    ending->known = known;
    if (known)
        snprintf(ending->label, sizeof ending->label, "%" PRId64 " %" PRId64, exit_code,
                 ms ? ms : wall_ms());
    else
        snprintf(ending->label, sizeof ending->label, "- %" PRId64, ms ? ms : wall_ms());
}

/* How it had ended before it was told to; false: it had not. */
static bool
had_ended(const cJSON *service, const struct swarm_tasks *tasks, struct ending *ending)
{
    struct swarm_state state;
    state_of_service(service, tasks, &state);
    bool ended = state.state == GANTRY_STATE_RESTARTING || state.state == GANTRY_STATE_FAILED ||
                 state.state == GANTRY_STATE_EXITED;
    print_end(ending, ended && state.has_exit, state.exit_code, ended ? state.finished_ms : 0);
    return ended;
}

/* How the task that ran has ended, as soon as it tells; older ones that are still there have their own ends. */
static void
note_end(const struct swarm_tasks *tasks, struct ending *ending)
{
    const cJSON *newest = tasks->count ? tasks->items[tasks->count - 1].json : NULL;
    const cJSON *code = json_at(newest, "Status.ContainerStatus.ExitCode");
    const char *container = json_text(newest, "Status.ContainerStatus.ContainerID");
    if (!newest)
        return;
    const char *id = json_text(newest, "ID");
    if (!task_is_over(newest)) {
        snprintf(ending->task, sizeof ending->task, "%s", id);
        snprintf(ending->container, sizeof ending->container, "%s", container ? container : "");
    } else if (strcmp(id, ending->task) == 0 && cJSON_IsNumber(code) &&
               json_integer(code, "") >= 0) {
        print_end(ending, true, json_integer(code, ""), task_time_ms(newest));
    }
}

/* A task goes within moments of its end; its container, if it was on this node, stays a little longer. */
static void
ask_container(struct engine_task *task, struct ending *ending)
{
    struct engine_task own = engine_task_again(task);
    AUTO_CONTAINER container = NULL;
    if (ending->known || !ending->container[0] ||
        engine_inspect(&own, ending->container, &container) < 0)
        return;
    if (strcmp(json_text(container, "State.Status"), "exited") == 0)
        print_end(ending, true, json_integer(container, "State.ExitCode"), 0);
}

static int
scale_down(struct engine_task *task, const cJSON *service, cJSON *spec, void *context)
{
    const struct ending *ending = context;
    cJSON *replicated = swarm_object(swarm_object(spec, "Mode"), "Replicated");
    if (swarm_replicas(service) == 0)
        return 0;
    bool good = replicated && swarm_set_number(replicated, "Replicas", 0) &&
                swarm_set_text(swarm_object(spec, "Labels"), SWARM_LABEL_EXIT, ending->label);
    return good ? 1 : engine_fail(task, GANTRY_E_NOMEM, "stop service: out of memory");
}

static int
write_end(struct engine_task *task, const cJSON *service, cJSON *spec, void *context)
{
    const struct ending *ending = context;
    if (swarm_replicas(service) != 0) /* somebody started it meanwhile */
        return 0;
    bool good = swarm_set_text(swarm_object(spec, "Labels"), SWARM_LABEL_EXIT, ending->label);
    return good ? 1 : engine_fail(task, GANTRY_E_NOMEM, "stop service: out of memory");
}

/* Ends the containers of this node at once; those of others end by their own grace. */
static void
hurry(struct engine_task *task, const struct swarm_tasks *tasks)
{
    for (size_t i = 0; i < tasks->count; i++) {
        const cJSON *item = tasks->items[i].json;
        const char *container = json_text(item, "Status.ContainerStatus.ContainerID");
        struct engine_task own = engine_task_again(task);
        if (!task_is_over(item) && container && container[0])
            (void)engine_container_stop(&own, container, 0);
    }
}

static bool
all_over(const struct swarm_tasks *tasks)
{
    for (size_t i = 0; i < tasks->count; i++)
        if (!task_is_over(tasks->items[i].json))
            return false;
    return true;
}

/* The tasks of a service, also of one that is gone: those bear the labels that it had. */
static int
tasks_left(struct engine_task *task, const cJSON *service, bool gone, cJSON **list,
           struct swarm_tasks *tasks)
{
    const char *manager = swarm_label(service, GANTRY_LABEL_MANAGER);
    const char *connector = swarm_label(service, GANTRY_LABEL_CONNECTOR);
    const char *id = json_text(service, "ID");
    const struct gantry_pair labels[] = {{GANTRY_LABEL_MANAGER, manager},
                                         {GANTRY_LABEL_CONNECTOR, connector}};
    if (gone && (!manager || !connector))
        return 0;
    int code = gone ? swarm_tasks_labelled(task, labels, 2, sizeof labels[0], list)
                    : swarm_tasks_of(task, id, list);
    if (code < 0)
        return code;
    if (tasks_sort(*list, tasks) < 0)
        return engine_fail(task, GANTRY_E_NOMEM, "stop service: out of memory");
    struct swarm_tasks own = tasks_of(tasks, id);
    if (own.items != tasks->items && own.count)
        memmove(tasks->items, own.items, own.count * sizeof *own.items);
    tasks->count = own.count;
    return 0;
}

static int
await_end(struct engine_task *task, const cJSON *service, bool gone, uint32_t grace_ms,
          struct ending *ending)
{
    int64_t began_ms = swarm_clock_ms();
    for (bool hurried = false;;) {
        AUTO_JSON_SECRET list = NULL;
        AUTO_TASKS tasks = {0};
        int code = tasks_left(task, service, gone, &list, &tasks);
        if (code == GANTRY_E_NOT_FOUND)
            return 0;
        if (code < 0)
            return code;
        note_end(&tasks, ending);
        if (all_over(&tasks))
            return 0;
        if (!hurried && swarm_clock_ms() - began_ms >= grace_ms) {
            hurry(task, &tasks);
            hurried = true;
        }
        if (gantry_remaining_ms(task->engine->host, task->call) <= MARGIN_MS)
            return engine_fail(task, GANTRY_E_TIMEOUT,
                               "service '%s': a container of it has not ended yet; is its node "
                               "down?",
                               swarm_name(service));
        code = engine_pause(task, POLL_MS);
        if (code < 0)
            return code;
    }
}

int
swarm_op_stop(struct engine_task *task, const struct gantry_ref *ref, uint32_t grace_ms)
{
    AUTO_JSON_SECRET service = NULL;
    AUTO_JSON_SECRET list = NULL;
    AUTO_TASKS tasks = {0};
    int code = swarm_service(task, ref->handle, &service);
    if (code == 0 && strcmp(json_text(service, "ID"), ref->handle) != 0)
        return 0;
    if (code == 0)
        code = tasks_left(task, service, false, &list, &tasks);
    if (code < 0)
        return code == GANTRY_E_NOT_FOUND ? 0 : code;
    struct ending ending, now = {.known = false};
    bool ended = had_ended(service, &tasks, &ending);
    note_end(&tasks, &now);
    code = swarm_change(task, ref->handle, scale_down, &ending);
    if (code == 0)
        code = await_end(task, service, false, grace_ms, &now);
    if (code == 0 && !ended)
        ask_container(task, &now);
    if (code == 0 && !ended && now.known)
        code = swarm_change(task, ref->handle, write_end, &now);
    return code == GANTRY_E_NOT_FOUND ? 0 : code;
}

static bool
are_being_removed(const struct swarm_tasks *tasks)
{
    for (size_t i = 0; i < tasks->count; i++)
        if (task_is_being_removed(tasks->items[i].json))
            return true;
    return false;
}

/* A manager (seen with 20.10) ends with a null pointer when a service is removed in the moment in which it takes
 * away the tasks that the service lost when it was stopped.  That is within a second of the stop. */
static int
await_reaper(struct engine_task *task, const cJSON *service)
{
    int64_t until_ms = swarm_clock_ms() + REAPED_MS;
    int code = 0;
    while (code == 0 && swarm_replicas(service) == 0 && swarm_clock_ms() < until_ms &&
           gantry_remaining_ms(task->engine->host, task->call) > MARGIN_MS) {
        AUTO_JSON_SECRET list = NULL;
        AUTO_TASKS tasks = {0};
        code = tasks_left(task, service, false, &list, &tasks);
        if (code == 0 && !are_being_removed(&tasks))
            break;
        if (code == 0)
            code = engine_pause(task, POLL_MS);
    }
    return code == GANTRY_E_NOT_FOUND ? 0 : code;
}

int
swarm_op_remove(struct engine_task *task, const struct gantry_ref *ref)
{
    AUTO_JSON_SECRET service = NULL;
    struct ending ending = {.known = false};
    int code = swarm_service(task, ref->handle, &service);
    if (code < 0)
        return code == GANTRY_E_NOT_FOUND ? 0 : code;
    if (strcmp(json_text(service, "ID"), ref->handle) != 0)
        return 0;
    code = await_reaper(task, service);
    if (code == 0)
        code = swarm_delete(task, ref->handle);
    if (code < 0)
        return code;
    seen_forget(swarm_of(task), ref->handle);
    secret_files_sweep(task, service, true);
    /* It is gone at once, its containers are not: one of the same name would run beside them. */
    return await_end(task, service, true, 0, &ending);
}
