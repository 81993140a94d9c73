/* scripted.c - a plugin for tests: keeps workloads in memory, and misbehaves as it is told. */
#include "scripted.h"

#include <gantry/plugin.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 64, LABELS = 8, EVENTS = 256 };

struct workload {
    char handle[16], name[80];
    char place[16]; /* setting `place` of its backend: another place is another engine */
    uint32_t state, label_count;
    struct gantry_pair labels[LABELS];
    char texts[LABELS][2][300];
    int64_t started_ms, finished_ms, restarts;
    int32_t exit_code;
    uint32_t out_of_memory, ends;
};

GANTRY_API struct scripted scripted;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct workload slots[SLOTS]; /* outlive the manager, as a runtime's do */
static unsigned made;
static struct {
    char id[80];
    int inside;
} busy[SLOTS];

/* Handles that changed, for the watch. */
static char events[EVENTS][2][80];
static unsigned events_made, events_told;

struct self {
    const struct gantry_host *host;
    char place[16];
};

GANTRY_API void scripted_clear(void);
GANTRY_API void scripted_set_state(const char *id, uint32_t state);
GANTRY_API int scripted_count(const char *id, int state);
GANTRY_API int scripted_count_in(const char *place, const char *id, int state);
GANTRY_API void scripted_end(const char *id, int code, int out_of_memory, int ran_ms);
GANTRY_API void scripted_end_in(const char *place, const char *id, int code, int ran_ms);
GANTRY_API void scripted_restart(const char *id, int code, int ran_ms);
GANTRY_API void scripted_vanish(const char *id);
GANTRY_API void scripted_move(const char *from, const char *to);

static const char *
label(const struct workload *w, const char *key)
{
    for (uint32_t i = 0; i < w->label_count; i++)
        if (strcmp(w->labels[i].key, key) == 0)
            return w->labels[i].value;
    return "";
}

static int64_t
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The lock is held. */
static void
tell(const struct workload *w)
{
    char(*event)[80] = events[events_made++ % EVENTS];
    snprintf(event[0], sizeof event[0], "%s", w->handle);
    snprintf(event[1], sizeof event[1], "%s", label(w, GANTRY_LABEL_CONNECTOR));
}

void
scripted_clear(void)
{
    pthread_mutex_lock(&lock);
    memset(slots, 0, sizeof slots);
    memset(busy, 0, sizeof busy);
    memset(&scripted, 0, sizeof scripted);
    events_told = events_made;
    pthread_mutex_unlock(&lock);
}

void
scripted_set_state(const char *id, uint32_t state)
{
    pthread_mutex_lock(&lock);
    for (struct workload *w = slots; w < slots + SLOTS; w++)
        if (w->handle[0] && strcmp(label(w, GANTRY_LABEL_CONNECTOR), id) == 0) {
            w->state = state;
            tell(w);
        }
    pthread_mutex_unlock(&lock);
}

/* state RESTARTED: it ended, and runs again by the runtime's own hand. */
enum { RESTARTED = -1 };
static void
end_run(const char *place, const char *id, int state, int code, int out_of_memory, int ran_ms)
{
    pthread_mutex_lock(&lock);
    for (struct workload *w = slots; w < slots + SLOTS; w++) {
        if (!w->handle[0] || strcmp(label(w, GANTRY_LABEL_CONNECTOR), id) != 0 ||
            (place && strcmp(w->place, place) != 0))
            continue;
        w->started_ms = now_ms() - ran_ms;
        w->finished_ms = now_ms();
        w->exit_code = code;
        w->out_of_memory = out_of_memory != 0;
        w->ends++;
        w->state = (uint32_t)state;
        if (state == RESTARTED) {
            w->state = GANTRY_STATE_RUNNING;
            w->started_ms = now_ms();
            w->exit_code = 0;
            w->restarts++;
        }
        tell(w);
    }
    pthread_mutex_unlock(&lock);
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
    pthread_mutex_lock(&lock);
    for (struct workload *w = slots; w < slots + SLOTS; w++)
        if (w->handle[0] && strcmp(label(w, GANTRY_LABEL_CONNECTOR), id) == 0) {
            tell(w);
            memset(w, 0, sizeof *w);
        }
    pthread_mutex_unlock(&lock);
}

/* The engine has another address from now on. */
void
scripted_move(const char *from, const char *to)
{
    pthread_mutex_lock(&lock);
    for (struct workload *w = slots; w < slots + SLOTS; w++)
        if (w->handle[0] && strcmp(w->place, from) == 0)
            snprintf(w->place, sizeof w->place, "%s", to);
    pthread_mutex_unlock(&lock);
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
    pthread_mutex_lock(&lock);
    for (struct workload *w = slots; w < slots + SLOTS; w++)
        n += w->handle[0] && (!place || strcmp(w->place, place) == 0) &&
             (!id || strcmp(label(w, GANTRY_LABEL_CONNECTOR), id) == 0) &&
             (state < 0 || w->state == (uint32_t)state);
    pthread_mutex_unlock(&lock);
    return n;
}

static struct workload *
find(const char *handle)
{
    for (struct workload *w = slots; w < slots + SLOTS; w++)
        if (strcmp(w->handle, handle) == 0)
            return w;
    return NULL;
}

static int
pass_time(const struct self *self, struct gantry_call *call, const char *id, int ms)
{
    const char *slow = atomic_load(&scripted.slow_id);
    if (slow && id && strcmp(slow, id) != 0)
        return 0;
    for (; ms > 0; ms -= 10) {
        if (!atomic_load(&scripted.deaf) && gantry_cancelled(self->host, call))
            return gantry_fail(self->host, call, GANTRY_E_CANCELLED, "cancelled");
        struct timespec t = {0, 10000000};
        nanosleep(&t, NULL);
    }
    return 0;
}

static void
enter(const char *id, int by)
{
    pthread_mutex_lock(&lock);
    int at = 0;
    while (at < SLOTS - 1 && busy[at].id[0] && strcmp(busy[at].id, id) != 0)
        at++;
    snprintf(busy[at].id, sizeof busy[at].id, "%s", id);
    busy[at].inside += by;
    if (busy[at].inside > atomic_load(&scripted.side_by_side))
        atomic_store(&scripted.side_by_side, busy[at].inside);
    pthread_mutex_unlock(&lock);
    atomic_fetch_add(&scripted.inside, by);
}

static int
emit(const struct self *self, struct gantry_call *call, const struct workload *from, int full)
{
    struct workload w = *from; /* the lock is not held across the border */
    struct gantry_status s = {.size = sizeof s, .handle = w.handle, .name = w.name};
    for (uint32_t i = 0; i < w.label_count; i++)
        w.labels[i] = (struct gantry_pair){w.texts[i][0], w.texts[i][1]};
    s.state = full && atomic_load(&scripted.inspect_removing) ? GANTRY_STATE_REMOVING : w.state;
    s.hash = atomic_load(&scripted.hide_hash) ? NULL : label(&w, GANTRY_LABEL_HASH);
    s.labels = w.labels;
    s.label_count = atomic_load(&scripted.bare_labels) ? 2 : w.label_count;
    s.label_stride = sizeof w.labels[0];
    if (full && atomic_load(&scripted.details)) {
        s.present = GANTRY_STATUS_STARTED | GANTRY_STATUS_FINISHED | GANTRY_STATUS_EXIT_CODE |
                    GANTRY_STATUS_OUT_OF_MEMORY | GANTRY_STATUS_RESTARTS;
        s.started_ms = w.started_ms;
        s.finished_ms = w.finished_ms;
        s.exit_code = w.exit_code;
        s.out_of_memory = w.out_of_memory;
        s.restarts = w.restarts;
    }
    return gantry_emit_status(self->host, call, &s);
}

static int
s_open(struct gantry_call *call, const struct gantry_host *host,
       const struct gantry_settings *settings, void **out)
{
    struct self *self = *out = calloc(1, sizeof *self);
    for (uint32_t i = 0; self && i < settings->count; i++) {
        const struct gantry_value *v =
            GANTRY_AT(struct gantry_value, settings->values, settings->stride, i);
        if (strcmp(v->key, "place") == 0)
            snprintf(self->place, sizeof self->place, "%s", v->text);
    }
    if (self)
        self->host = host;
    return self ? 0 : gantry_fail(host, call, GANTRY_E_NOMEM, "out of memory");
}

/* Is this one of those that faults concern? */
static bool
is_faulty(const struct self *self)
{
    const char *only = atomic_load(&scripted.only_place);
    return !only || strcmp(only, self->place) == 0;
}

static struct workload *
make(const struct self *self, const struct gantry_spec *spec, int beside)
{
    struct workload *w = find("");
    for (uint32_t i = 0; w && i < spec->label_count && i < LABELS; i++) {
        const struct gantry_pair *l =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        snprintf(w->texts[i][0], sizeof w->texts[i][0], "%s", l->key);
        snprintf(w->texts[i][1], sizeof w->texts[i][1], "%s", l->value);
        w->labels[w->label_count++] = (struct gantry_pair){w->texts[i][0], w->texts[i][1]};
    }
    if (w) {
        made++;
        snprintf(w->place, sizeof w->place, "%s", self->place);
        if (atomic_load(&scripted.same_handles))
            snprintf(w->handle, sizeof w->handle, "of-%.12s", spec->name);
        else
            snprintf(w->handle, sizeof w->handle, "s%u", made);
        snprintf(w->name, sizeof w->name, beside ? "%s-new-%04x" : "%s", spec->name, made & 0xffff);
        w->state = GANTRY_STATE_RUNNING;
    }
    return w;
}

static int
do_start(struct self *self, struct gantry_call *call, const char *id,
         const struct gantry_ref *existing, const struct gantry_spec *spec)
{
    int rc = pass_time(self, call, id, atomic_load(&scripted.start_ms));
    if (rc < 0)
        return rc;
    if (spec && atomic_load(&scripted.start_image_missing) && is_faulty(self))
        return gantry_fail(self->host, call, GANTRY_E_IMAGE_MISSING, "no image '%s'", spec->image);
    if (spec && atomic_load(&scripted.read_spec_late)) {
        volatile size_t n = 0;
        for (uint32_t i = 0; i < spec->label_count; i++)
            n += strlen(GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i)->value);
        if (spec->settings)
            n += spec->settings->count;
        if (spec->registry)
            n += strlen(spec->registry->password);
    }
    pthread_mutex_lock(&lock);
    struct workload *old = existing ? find(existing->handle) : NULL, *w = old;
    if (spec)
        w = make(self, spec, old != NULL);
    if (spec && old) {
        old->state = GANTRY_STATE_EXITED;
        tell(old);
    }
    struct workload copy = {{0}, {0}, {0}, 0, 0, {{0}}, {{{0}}}, 0, 0, 0, 0, 0, 0};
    if (w) {
        w->state = GANTRY_STATE_RUNNING;
        w->started_ms = now_ms();
        w->restarts = 0;
        tell(w);
        copy = *w;
    }
    pthread_mutex_unlock(&lock);
    return w ? emit(self, call, &copy, 0)
             : gantry_fail(self->host, call, GANTRY_E_NOT_FOUND, "there is no such workload");
}

static int
s_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
        const struct gantry_spec *spec, uint32_t flags)
{
    char id[80];
    (void)flags;
    atomic_fetch_add(&scripted.starts, 1);
    snprintf(id, sizeof id, "%s", spec ? spec->id : existing->id);
    enter(id, 1);
    int rc = do_start(self, call, id, existing, spec);
    enter(id, -1);
    return rc;
}

static int
s_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    char id[80];
    (void)grace_ms;
    snprintf(id, sizeof id, "%s", ref->id);
    atomic_fetch_add(&scripted.stops, 1);
    enter(id, 1);
    int rc = pass_time(self, call, id, atomic_load(&scripted.stop_ms));
    if (rc == 0 && atomic_load(&scripted.stop_fails))
        rc = gantry_fail(((struct self *)self)->host, call, GANTRY_E_UNAVAILABLE, "cannot stop");
    pthread_mutex_lock(&lock);
    struct workload *w = rc == 0 ? find(ref->handle) : NULL;
    if (w && w->state != GANTRY_STATE_EXITED) {
        w->state = GANTRY_STATE_EXITED;
        tell(w);
    }
    pthread_mutex_unlock(&lock);
    enter(id, -1);
    return rc;
}

static int
s_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    char id[80];
    snprintf(id, sizeof id, "%s", ref->id);
    atomic_fetch_add(&scripted.removes, 1);
    enter(id, 1);
    int rc = pass_time(self, call, id, atomic_load(&scripted.remove_ms));
    pthread_mutex_lock(&lock);
    struct workload *w = rc == 0 ? find(ref->handle) : NULL;
    if (w && !atomic_load(&scripted.keep_removing)) {
        tell(w);
        memset(w, 0, sizeof *w);
    }
    pthread_mutex_unlock(&lock);
    enter(id, -1);
    return rc;
}

static int
s_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
       const struct gantry_log_limits *limits)
{
    (void)limits;
    atomic_fetch_add(&scripted.logs, 1);
    pthread_mutex_lock(&lock);
    const struct workload *w = find(ref->handle);
    unsigned ends = w ? w->ends : 0;
    pthread_mutex_unlock(&lock);
    int rc = pass_time(self, call, ref->id, atomic_load(&scripted.logs_ms));
    unsigned read = cursor ? (unsigned)strtoul(cursor, NULL, 10) : 0;
    if (rc < 0 || !atomic_load(&scripted.lines) || read >= ends)
        return rc;
    char text[32], next[16];
    snprintf(text, sizeof text, "last line of run %u", ends);
    snprintf(next, sizeof next, "%u", ends);
    struct gantry_line line = {.size = sizeof line,
                               .stream = GANTRY_STREAM_STDOUT,
                               .text = text,
                               .text_size = strlen(text),
                               .cursor = next};
    return gantry_emit_line(((struct self *)self)->host, call, &line);
}

static int
emit_event(struct self *self, struct gantry_call *call, uint32_t kind, const char *handle,
           const char *id)
{
    struct gantry_event event = {.size = sizeof event, .kind = kind, .handle = handle, .id = id};
    return gantry_emit_event(self->host, call, &event);
}

/* The next event, if there is one, told or swallowed. */
static int
tell_next(struct self *self, struct gantry_call *call)
{
    char event[2][80] = {"", ""};
    pthread_mutex_lock(&lock);
    if (events_told != events_made)
        memcpy(event, events[events_told++ % EVENTS], sizeof event);
    pthread_mutex_unlock(&lock);
    if (!event[0][0] || atomic_load(&scripted.silent))
        return 0;
    return emit_event(self, call, GANTRY_EVENT_CHANGED, event[0], event[1]);
}

static int
s_watch(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
        uint32_t stride)
{
    (void)labels, (void)count, (void)stride;
    const struct gantry_host *host = ((struct self *)self)->host;
    if (!atomic_load(&scripted.watches))
        return gantry_fail(host, call, GANTRY_E_UNSUPPORTED, "it cannot be watched");
    atomic_fetch_add(&scripted.watched, 1);
    int fails = atomic_load(&scripted.watch_fails);
    if (fails > 0)
        atomic_fetch_sub(&scripted.watch_fails, 1);
    if (fails)
        return gantry_fail(host, call, GANTRY_E_UNAVAILABLE, "cannot watch");
    int rc = emit_event(self, call, GANTRY_EVENT_SYNCED, NULL, NULL);
    if (rc == 0 && atomic_load(&scripted.watch_flaps))
        return gantry_fail(host, call, GANTRY_E_UNAVAILABLE, "cannot watch any more");
    while (rc == 0 && atomic_load(&scripted.watch_floods))
        rc = emit_event(self, call, GANTRY_EVENT_SYNCED, NULL, NULL);
    bool lost = false;
    while (rc == 0 && !gantry_cancelled(host, call)) {
        struct timespec t = {0, 2000000};
        nanosleep(&t, NULL);
        bool lose = atomic_load(&scripted.lose);
        if (lose != lost)
            rc = emit_event(self, call, lose ? GANTRY_EVENT_LOST : GANTRY_EVENT_SYNCED, NULL, NULL);
        lost = lose;
        if (rc == 0)
            rc = tell_next(self, call);
    }
    return rc < 0 ? rc : GANTRY_E_CANCELLED;
}

static int
s_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    atomic_fetch_add(&scripted.inspects, 1);
    pthread_mutex_lock(&lock);
    struct workload *w = find(ref->handle),
                    copy = {{0}, {0}, {0}, 0, 0, {{0}}, {{{0}}}, 0, 0, 0, 0, 0, 0};
    if (w)
        copy = *w; /* what an engine read before it took its time to answer */
    pthread_mutex_unlock(&lock);
    int rc = pass_time(self, call, NULL, atomic_load(&scripted.inspect_ms));
    if (rc < 0)
        return rc;
    if (atomic_load(&scripted.inspect_fails) > 0) {
        atomic_fetch_sub(&scripted.inspect_fails, 1);
        return gantry_fail(((struct self *)self)->host, call, GANTRY_E_UNAVAILABLE,
                           "cannot inspect");
    }
    if (!w || atomic_load(&scripted.inspect_missing))
        return gantry_fail(((struct self *)self)->host, call, GANTRY_E_NOT_FOUND,
                           "there is no such workload");
    return emit(self, call, &copy, 1);
}

static int
s_list(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
       uint32_t stride)
{
    atomic_fetch_add(&scripted.lists, 1);
    const struct self *this = self;
    int fails = is_faulty(this) ? atomic_load(&scripted.list_fails) : 0;
    if (fails > 0)
        atomic_fetch_sub(&scripted.list_fails, 1);
    if (fails)
        return gantry_fail(((struct self *)self)->host, call, GANTRY_E_UNAVAILABLE, "cannot list");
    /* Not thread-local: a plugin's are allocated late, and glibc ends the process without memory. */
    struct workload *copy = malloc(sizeof slots);
    if (!copy)
        return gantry_fail(((struct self *)self)->host, call, GANTRY_E_NOMEM, "out of memory");
    pthread_mutex_lock(&lock);
    memcpy(copy, slots, sizeof slots);
    pthread_mutex_unlock(&lock);
    int rc = pass_time(self, call, NULL, atomic_load(&scripted.list_ms));
    for (struct workload *w = copy; rc == 0 && w < copy + SLOTS; w++) {
        uint32_t same = 0;
        for (uint32_t i = 0; i < w->label_count; i++)
            w->labels[i] = (struct gantry_pair){w->texts[i][0], w->texts[i][1]};
        for (uint32_t i = 0; i < count; i++) {
            const struct gantry_pair *l = GANTRY_AT(struct gantry_pair, labels, stride, i);
            same += strcmp(label(w, l->key), l->value) == 0;
        }
        if (same == count && w->handle[0] && strcmp(w->place, this->place) == 0)
            rc = emit(self, call, w, 0);
    }
    free(copy);
    return rc;
}

static const struct gantry_setting settings[] = {
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_STRING,
     .scope = GANTRY_SCOPE_BACKEND,
     .flags = GANTRY_SETTING_PLACE,
     .key = "place",
     .help = "which of its engines it is"},
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_SECRET,
     .scope = GANTRY_SCOPE_BACKEND,
     .flags = GANTRY_SETTING_PLACE,
     .key = "password",
     .help = "is a secret, and no place, whatever its flags say"},
};

static const struct gantry_plugin plugin = {
    GANTRY_PLUGIN_HEAD,   .threads = GANTRY_THREADS_PARALLEL,
    .name = "scripted",   .summary = "does what a test tells it",
    .open = s_open,       .close = free,
    .start = s_start,     .stop = s_stop,
    .remove = s_remove,   .logs = s_logs,
    .inspect = s_inspect, .list = s_list,
    .watch = s_watch,     .settings = settings,
    .setting_count = 2,   .setting_stride = sizeof settings[0],
};
GANTRY_PLUGIN(plugin)
