/* What is known of services over time.  See swarm.h.
 *
 * The swarm keeps five tasks of a service and no count of them, and the time of a task is that of its last
 * change.  So what was seen once is kept: how many tasks ended by themselves and were followed by another, and
 * when the present run began.  It may be lost: the count then begins with the tasks that are there. */
#include "swarm.h"

#include <stdlib.h>
#include <string.h>

#define KNOWN_MAX 4096

struct swarm_known {
    char service[ENGINE_ID_MAX];
    char run[64]; /* id of the task that ran last */
    int64_t run_started_ms;
    int64_t counted_ns; /* tasks made until then are counted */
    int64_t restarts;
    bool made; /* here, and the watch has not looked since */
};

static struct swarm_known *
find(struct swarm *swarm, const char *service)
{
    for (size_t i = 0; i < swarm->known_count; i++)
        if (strcmp(swarm->known[i].service, service) == 0)
            return &swarm->known[i];
    return NULL;
}

/* NULL: no memory. */
static struct swarm_known *
find_or_add(struct swarm *swarm, const char *service)
{
    struct swarm_known *known = find(swarm, service);
    if (known)
        return known;
    if (swarm->known_count == KNOWN_MAX) { /* of services that somebody else removed, most likely */
        memmove(swarm->known, swarm->known + 1, (KNOWN_MAX - 1) * sizeof *swarm->known);
        swarm->known_count--;
    }
    if (swarm->known_count == swarm->known_size) {
        size_t size = swarm->known_size ? swarm->known_size * 2 : 16;
        struct swarm_known *grown = realloc(swarm->known, size * sizeof *grown);
        if (!grown)
            return NULL;
        swarm->known = grown;
        swarm->known_size = size;
    }
    known = &swarm->known[swarm->known_count++];
    *known = (struct swarm_known){0};
    snprintf(known->service, sizeof known->service, "%s", service);
    return known;
}

static void
note_run(struct swarm_known *known, const struct swarm_tasks *tasks,
         const struct swarm_state *state)
{
    const char *id = json_text(state->run, "ID");
    if (!id || strcmp(id, known->run) == 0)
        return;
    snprintf(known->run, sizeof known->run, "%s", id);
    known->run_started_ms = 0;
    if (state->state == GANTRY_STATE_RUNNING)
        known->run_started_ms = task_time_ms(state->run);
    else /* it was over before anybody saw it run: it began soon after it was made */
        for (size_t i = 0; i < tasks->count; i++)
            if (tasks->items[i].json == state->run)
                known->run_started_ms = tasks->items[i].created_ns / 1000000;
}

struct swarm_history
seen_note(struct swarm *swarm, const char *service, const struct swarm_tasks *tasks,
          const struct swarm_state *state)
{
    struct swarm_history history = {0, 0};
    pthread_mutex_lock(&swarm->lock);
    struct swarm_known *known = find_or_add(swarm, service);
    if (known) {
        note_run(known, tasks, state);
        for (size_t i = 0; i + 1 < tasks->count; i++) {
            const struct swarm_task *task = &tasks->items[i];
            const char *word = json_text(task->json, "Status.State");
            bool by_itself = strcmp(word, "failed") == 0 || strcmp(word, "complete") == 0;
            if (!by_itself || task_began(task->json) < 0 || task->created_ns <= known->counted_ns)
                continue;
            known->restarts++;
            known->counted_ns = task->created_ns;
        }
        history.restarts = known->restarts;
        history.started_ms = known->run_started_ms;
    }
    pthread_mutex_unlock(&swarm->lock);
    return history;
}

void
seen_made(struct swarm *swarm, const char *service)
{
    pthread_mutex_lock(&swarm->lock);
    struct swarm_known *known = find_or_add(swarm, service);
    if (known)
        known->made = true;
    pthread_mutex_unlock(&swarm->lock);
}

bool
seen_take_made(struct swarm *swarm, char *service)
{
    bool found = false;
    pthread_mutex_lock(&swarm->lock);
    for (size_t i = 0; !found && i < swarm->known_count; i++) {
        struct swarm_known *known = &swarm->known[i];
        found = known->made;
        known->made = false;
        if (found)
            memcpy(service, known->service, sizeof known->service);
    }
    pthread_mutex_unlock(&swarm->lock);
    return found;
}

void
seen_forget(struct swarm *swarm, const char *service)
{
    pthread_mutex_lock(&swarm->lock);
    struct swarm_known *known = find(swarm, service);
    if (known)
        *known = swarm->known[--swarm->known_count];
    pthread_mutex_unlock(&swarm->lock);
}

void
seen_clear(struct swarm *swarm)
{
    free(swarm->known);
    swarm->known = NULL;
    swarm->known_count = swarm->known_size = 0;
}
