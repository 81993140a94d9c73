/* What the tasks of a service say of it.  Pure.  See swarm.h.
 *
 * The swarm runs a service by tasks, each an attempt at one container: when a container ends, its task is over
 * for ever, and a new task begins.  So the newest task tells how it is now, and those behind it how it came to
 * that; five are kept.  A task that is over and whose successor waits means: restarting.  With no replica
 * wanted all tasks go, a second after their end, and with them what they said. */
#include "swarm.h"
#include "times.h"

#include <stdlib.h>
#include <string.h>

/* ---- in order ------------------------------------------------------------------------------------- */

static int
compare(const void *left, const void *right)
{
    const struct swarm_task *a = left, *b = right;
    int order = strcmp(a->service, b->service);
    if (order)
        return order;
    return a->created_ns < b->created_ns ? -1 : a->created_ns > b->created_ns;
}

int
tasks_sort(const cJSON *array, struct swarm_tasks *out)
{
    int size = cJSON_GetArraySize(array);
    *out = (struct swarm_tasks){0};
    if (size <= 0)
        return 0;
    out->items = calloc((size_t)size, sizeof *out->items);
    if (!out->items)
        return GANTRY_E_NOMEM;
    const cJSON *task;
    cJSON_ArrayForEach(task, array)
    {
        struct swarm_task item = {.json = task, .service = json_text(task, "ServiceID")};
        const char *created = json_text(task, "CreatedAt");
        if (item.service && json_text(task, "ID") && json_text(task, "Status.State") && created &&
            time_parse(created, strlen(created), &item.created_ns))
            out->items[out->count++] = item;
    }
    qsort(out->items, out->count, sizeof *out->items, compare);
    return 0;
}

void
tasks_clear(struct swarm_tasks *tasks)
{
    free(tasks->items);
    *tasks = (struct swarm_tasks){0};
}

struct swarm_tasks
tasks_of(const struct swarm_tasks *all, const char *service)
{
    size_t low = 0, high = all->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(all->items[middle].service, service) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < all->count && strcmp(all->items[end].service, service) == 0)
        end++;
    return (struct swarm_tasks){all->items ? all->items + low : NULL, end - low};
}

/* ---- one task ------------------------------------------------------------------------------------- */

static bool
has_word(const cJSON *task, const char *path, const char *const *words)
{
    const char *word = json_text(task, path);
    for (; word && *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

static bool
is_in(const cJSON *task, const char *state)
{
    return has_word(task, "Status.State", (const char *const[]){state, NULL});
}

bool
task_is_over(const cJSON *task)
{
    static const char *const over[] = {"complete", "shutdown", "failed", "rejected",
                                       "remove",   "orphaned", NULL};
    return has_word(task, "Status.State", over);
}

bool
task_is_being_removed(const cJSON *task)
{
    return has_word(task, "DesiredState", (const char *const[]){"remove", NULL});
}

/* By itself, and not because it was told to. */
static bool
ended_by_itself(const cJSON *task)
{
    static const char *const ends[] = {"complete", "failed", "rejected", NULL};
    return has_word(task, "Status.State", ends);
}

/* Does the swarm still want it, or has it not yet seen its end? */
static bool
is_wanted(const cJSON *task)
{
    static const char *const unwanted[] = {"shutdown", "remove", "complete", "failed", NULL};
    return !has_word(task, "DesiredState", unwanted);
}

const char *
task_reason(const cJSON *task)
{
    const char *reason = json_text(task, "Status.Err");
    return reason && reason[0] ? reason : NULL;
}

/* A task whose container could not be started has failed too; its program never ran. */
int
task_began(const cJSON *task)
{
    const char *reason = task_reason(task);
    if (is_in(task, "rejected"))
        return -1;
    if (is_in(task, "failed"))
        return reason && strncmp(reason, "task: ", 6) != 0 ? -1 : 1;
    return is_in(task, "running") || is_in(task, "complete") || is_in(task, "shutdown");
}

int64_t
task_time_ms(const cJSON *task)
{
    const char *text = json_text(task, "Status.Timestamp");
    int64_t ns;
    return text && time_parse(text, strlen(text), &ns) ? ns / 1000000 : 0;
}

/* ---- the service ---------------------------------------------------------------------------------- */

static void
note_end(struct swarm_state *out, const cJSON *task)
{
    const cJSON *code = json_at(task, "Status.ContainerStatus.ExitCode");
    out->run = task;
    out->finished_ms = task_time_ms(task);
    /* -1: it is being stopped; a rejected one has a code that means nothing. */
    if (!cJSON_IsNumber(code) || json_integer(code, "") < 0 || is_in(task, "rejected"))
        return;
    out->has_exit = true;
    out->exit_code = (int32_t)json_integer(code, "");
}

/* "CODE MS", as stop() leaves it; the code is missing where nobody could tell. */
static void
recall_end(const cJSON *service, struct swarm_state *out)
{
    const char *text = swarm_label(service, SWARM_LABEL_EXIT);
    char *end;
    long code = strtol(text, &end, 10);
    out->has_exit = end != text && code >= 0 && code <= 255;
    out->exit_code = out->has_exit ? (int32_t)code : 0;
    if (*end == ' ')
        out->finished_ms = strtoll(end + 1, NULL, 10);
}

static void
state_unwanted(const cJSON *service, const struct swarm_tasks *tasks, struct swarm_state *out)
{
    for (size_t i = 0; i < tasks->count; i++)
        if (!task_is_over(tasks->items[i].json)) {
            out->state = GANTRY_STATE_STOPPING;
            out->run = tasks->items[i].json;
            return;
        }
    /* Tasks that had failed before stay a while; how the last run ended is written down. */
    if (swarm_label(service, SWARM_LABEL_EXIT))
        recall_end(service, out);
    else if (tasks->count)
        note_end(out, out->newest);
    bool fresh = tasks->count == 0 && !json_at(service, "PreviousSpec") &&
                 !swarm_label(service, SWARM_LABEL_EXIT);
    out->state = fresh ? GANTRY_STATE_CREATED : GANTRY_STATE_EXITED;
}

/* The newest task is over. */
static void
state_over(const cJSON *service, struct swarm_state *out)
{
    const cJSON *task = out->newest;
    const char *condition = json_text(service, "Spec.TaskTemplate.RestartPolicy.Condition");
    bool complete = is_in(task, "complete");
    bool stays = !is_wanted(task) || (condition && strcmp(condition, "none") == 0) ||
                 (condition && strcmp(condition, "on-failure") == 0 && complete);
    note_end(out, task);
    out->error = task_reason(task);
    if (is_in(task, "orphaned"))
        out->state = GANTRY_STATE_UNKNOWN; /* its node has not been heard of for a day */
    else if (task_began(task) < 0)
        out->state = GANTRY_STATE_FAILED;
    else if (!stays)
        out->state = GANTRY_STATE_RESTARTING;
    else
        out->state = is_in(task, "failed") ? GANTRY_STATE_FAILED : GANTRY_STATE_EXITED;
}

/* The newest task is on its way; before: the one before it, or NULL. */
static void
state_coming(const cJSON *before, struct swarm_state *out)
{
    const cJSON *task = out->newest;
    bool same = before &&
                json_integer(before, "Spec.ForceUpdate") == json_integer(task, "Spec.ForceUpdate");
    out->state = GANTRY_STATE_STARTING;
    out->error = task_reason(task);
    if (!same || !ended_by_itself(before))
        return;
    note_end(out, before);
    out->state = task_began(before) < 0 ? GANTRY_STATE_FAILED : GANTRY_STATE_RESTARTING;
    if (!out->error)
        out->error = task_reason(before);
}

void
state_of_service(const cJSON *service, const struct swarm_tasks *tasks, struct swarm_state *out)
{
    *out = (struct swarm_state){.state = GANTRY_STATE_STARTING};
    size_t count = tasks->count;
    out->newest = count ? tasks->items[count - 1].json : NULL;
    if (swarm_replicas(service) == 0) {
        state_unwanted(service, tasks, out);
    } else if (out->newest && task_is_over(out->newest)) {
        state_over(service, out);
    } else if (out->newest && is_in(out->newest, "running") && is_wanted(out->newest)) {
        out->state = GANTRY_STATE_RUNNING;
        out->run = out->newest;
    } else if (out->newest) {
        state_coming(count > 1 ? tasks->items[count - 2].json : NULL, out);
    }
}
