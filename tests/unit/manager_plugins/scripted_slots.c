/* scripted_slots.c - the scripted plugin's workloads in memory, and what a test does to them. */
#include "scripted_slots.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { EVENTS = 256 };

GANTRY_API struct scripted scripted;

pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;
struct workload slots[SLOTS]; /* outlive the manager, as a runtime's do */

static struct {
    char id[80];
    int inside;
} busy[SLOTS];

/* Handles that changed, for the watch. */
static char events[EVENTS][2][80];
static unsigned events_made, events_told;

GANTRY_API void scripted_clear(void);
GANTRY_API void scripted_set_state(const char *id, uint32_t state);
GANTRY_API int scripted_count(const char *id, int state);
GANTRY_API int scripted_count_in(const char *place, const char *id, int state);
GANTRY_API void scripted_end(const char *id, int code, int out_of_memory, int ran_ms);
GANTRY_API void scripted_end_in(const char *place, const char *id, int code, int ran_ms);
GANTRY_API void scripted_restart(const char *id, int code, int ran_ms);
GANTRY_API void scripted_vanish(const char *id);
GANTRY_API void scripted_move(const char *from, const char *to);

const char *
slots_label(const struct workload *w, const char *key)
{
    for (uint32_t i = 0; i < w->label_count; i++)
        if (strcmp(w->labels[i].key, key) == 0)
            return w->labels[i].value;
    return "";
}

int64_t
slots_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
slots_tell(const struct workload *w)
{
    char(*event)[80] = events[events_made++ % EVENTS];
    snprintf(event[0], sizeof event[0], "%s", w->handle);
    snprintf(event[1], sizeof event[1], "%s", slots_label(w, GANTRY_LABEL_CONNECTOR));
}

void
scripted_clear(void)
{
    pthread_mutex_lock(&slots_lock);
    memset(slots, 0, sizeof slots);
    memset(busy, 0, sizeof busy);
    memset(&scripted, 0, sizeof scripted);
    events_told = events_made;
    pthread_mutex_unlock(&slots_lock);
}

void
scripted_set_state(const char *id, uint32_t state)
{
    pthread_mutex_lock(&slots_lock);
    for (struct workload *w = slots; w < slots + SLOTS; w++)
        if (w->handle[0] && strcmp(slots_label(w, GANTRY_LABEL_CONNECTOR), id) == 0) {
            w->state = state;
            slots_tell(w);
        }
    pthread_mutex_unlock(&slots_lock);
}

/* state RESTARTED: it ended, and runs again by the runtime's own hand. */
enum { RESTARTED = -1 };
static void
end_run(const char *place, const char *id, int state, int code, int out_of_memory, int ran_ms)
{
    pthread_mutex_lock(&slots_lock);
    for (struct workload *w = slots; w < slots + SLOTS; w++) {
        if (!w->handle[0] || strcmp(slots_label(w, GANTRY_LABEL_CONNECTOR), id) != 0 ||
            (place && strcmp(w->place, place) != 0))
            continue;
        w->started_ms = slots_now_ms() - ran_ms;
        w->finished_ms = slots_now_ms();
        w->exit_code = code;
        w->out_of_memory = out_of_memory != 0;
        w->ends++;
        w->state = (uint32_t)state;
        if (state == RESTARTED) {
            w->state = GANTRY_STATE_RUNNING;
            w->started_ms = slots_now_ms();
            w->exit_code = 0;
            w->restarts++;
        }
        slots_tell(w);
    }
    pthread_mutex_unlock(&slots_lock);
}

void
scripted_end(const char *id, int code, int out_of_memory, int ran_ms)
{
    end_run(NULL, id, code ? GANTRY_STATE_FAILED : GANTRY_STATE_EXITED, code, out_of_memory,
            ran_ms);
}

void
scripted_end_in(const char *place, const char *id, int code, int ran_ms)
{
    end_run(place, id, GANTRY_STATE_FAILED, code, 0, ran_ms);
}

void
scripted_restart(const char *id, int code, int ran_ms)
{
    end_run(NULL, id, RESTARTED, code, 0, ran_ms);
}

/* Somebody else removes it. */
void
scripted_vanish(const char *id)
{
    pthread_mutex_lock(&slots_lock);
    for (struct workload *w = slots; w < slots + SLOTS; w++)
        if (w->handle[0] && strcmp(slots_label(w, GANTRY_LABEL_CONNECTOR), id) == 0) {
            slots_tell(w);
            memset(w, 0, sizeof *w);
        }
    pthread_mutex_unlock(&slots_lock);
}

/* The engine has another address from now on. */
void
scripted_move(const char *from, const char *to)
{
    pthread_mutex_lock(&slots_lock);
    for (struct workload *w = slots; w < slots + SLOTS; w++)
        if (w->handle[0] && strcmp(w->place, from) == 0)
            snprintf(w->place, sizeof w->place, "%s", to);
    pthread_mutex_unlock(&slots_lock);
}

int
scripted_count(const char *id, int state)
{
    return scripted_count_in(NULL, id, state);
}

/* place, id: NULL: any; state -1: any */
int
scripted_count_in(const char *place, const char *id, int state)
{
    int n = 0;
    pthread_mutex_lock(&slots_lock);
    for (struct workload *w = slots; w < slots + SLOTS; w++)
        n += w->handle[0] && (!place || strcmp(w->place, place) == 0) &&
             (!id || strcmp(slots_label(w, GANTRY_LABEL_CONNECTOR), id) == 0) &&
             (state < 0 || w->state == (uint32_t)state);
    pthread_mutex_unlock(&slots_lock);
    return n;
}

struct workload *
slots_find(const char *handle)
{
    for (struct workload *w = slots; w < slots + SLOTS; w++)
        if (strcmp(w->handle, handle) == 0)
            return w;
    return NULL;
}

void
slots_enter(const char *id, int by)
{
    pthread_mutex_lock(&slots_lock);
    int at = 0;
    while (at < SLOTS - 1 && busy[at].id[0] && strcmp(busy[at].id, id) != 0)
        at++;
    snprintf(busy[at].id, sizeof busy[at].id, "%s", id);
    busy[at].inside += by;
    if (busy[at].inside > atomic_load(&scripted.side_by_side))
        atomic_store(&scripted.side_by_side, busy[at].inside);
    pthread_mutex_unlock(&slots_lock);
    atomic_fetch_add(&scripted.inside, by);
}

bool
slots_next_event(char event[2][80])
{
    pthread_mutex_lock(&slots_lock);
    bool some = events_told != events_made;
    if (some)
        memcpy(event, events[events_told++ % EVENTS], sizeof events[0]);
    pthread_mutex_unlock(&slots_lock);
    return some;
}
