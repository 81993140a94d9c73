/* scripted.c - a plugin for tests: keeps workloads in memory, and misbehaves as it is told. */
#include "scripted_slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned made;

struct self {
    const struct gantry_host *host;
    char place[16];
};

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

static int
emit(const struct self *self, struct gantry_call *call, const struct workload *from, int full)
{
    struct workload w = *from; /* the lock is not held across the border */
    struct gantry_status s = {.size = sizeof s, .handle = w.handle, .name = w.name};
    for (uint32_t i = 0; i < w.label_count; i++)
        w.labels[i] = (struct gantry_pair){w.texts[i][0], w.texts[i][1]};
    s.state = full && atomic_load(&scripted.inspect_removing) ? GANTRY_STATE_REMOVING : w.state;
    s.hash = atomic_load(&scripted.hide_hash) ? NULL : slots_label(&w, GANTRY_LABEL_HASH);
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
    struct workload *w = slots_find("");
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
    pthread_mutex_lock(&slots_lock);
    struct workload *old = existing ? slots_find(existing->handle) : NULL, *w = old;
    if (spec)
        w = make(self, spec, old != NULL);
    if (spec && old) {
        old->state = GANTRY_STATE_EXITED;
        slots_tell(old);
    }
    struct workload copy = {{0}, {0}, {0}, 0, 0, {{0}}, {{{0}}}, 0, 0, 0, 0, 0, 0};
    if (w) {
        w->state = GANTRY_STATE_RUNNING;
        w->started_ms = slots_now_ms();
        w->restarts = 0;
        slots_tell(w);
        copy = *w;
    }
    pthread_mutex_unlock(&slots_lock);
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
    slots_enter(id, 1);
    int rc = do_start(self, call, id, existing, spec);
    slots_enter(id, -1);
    return rc;
}

static int
s_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    char id[80];
    (void)grace_ms;
    snprintf(id, sizeof id, "%s", ref->id);
    atomic_fetch_add(&scripted.stops, 1);
    slots_enter(id, 1);
    int rc = pass_time(self, call, id, atomic_load(&scripted.stop_ms));
    if (rc == 0 && atomic_load(&scripted.stop_fails))
        rc = gantry_fail(((struct self *)self)->host, call, GANTRY_E_UNAVAILABLE, "cannot stop");
    pthread_mutex_lock(&slots_lock);
    struct workload *w = rc == 0 ? slots_find(ref->handle) : NULL;
    if (w && w->state != GANTRY_STATE_EXITED) {
        w->state = GANTRY_STATE_EXITED;
        slots_tell(w);
    }
    pthread_mutex_unlock(&slots_lock);
    slots_enter(id, -1);
    return rc;
}

static int
s_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    char id[80];
    snprintf(id, sizeof id, "%s", ref->id);
    atomic_fetch_add(&scripted.removes, 1);
    slots_enter(id, 1);
    int rc = pass_time(self, call, id, atomic_load(&scripted.remove_ms));
    pthread_mutex_lock(&slots_lock);
    struct workload *w = rc == 0 ? slots_find(ref->handle) : NULL;
    if (w && !atomic_load(&scripted.keep_removing)) {
        slots_tell(w);
        memset(w, 0, sizeof *w);
    }
    pthread_mutex_unlock(&slots_lock);
    slots_enter(id, -1);
    return rc;
}

static int
s_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
       const struct gantry_log_limits *limits)
{
    (void)limits;
    atomic_fetch_add(&scripted.logs, 1);
    pthread_mutex_lock(&slots_lock);
    const struct workload *w = slots_find(ref->handle);
    unsigned ends = w ? w->ends : 0;
    pthread_mutex_unlock(&slots_lock);
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
    char event[2][80];
    if (!slots_next_event(event) || atomic_load(&scripted.silent))
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
    pthread_mutex_lock(&slots_lock);
    struct workload *w = slots_find(ref->handle),
                    copy = {{0}, {0}, {0}, 0, 0, {{0}}, {{{0}}}, 0, 0, 0, 0, 0, 0};
    if (w)
        copy = *w; /* what an engine read before it took its time to answer */
    pthread_mutex_unlock(&slots_lock);
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
    pthread_mutex_lock(&slots_lock);
    memcpy(copy, slots, sizeof slots);
    pthread_mutex_unlock(&slots_lock);
    int rc = pass_time(self, call, NULL, atomic_load(&scripted.list_ms));
    for (struct workload *w = copy; rc == 0 && w < copy + SLOTS; w++) {
        uint32_t same = 0;
        for (uint32_t i = 0; i < w->label_count; i++)
            w->labels[i] = (struct gantry_pair){w->texts[i][0], w->texts[i][1]};
        for (uint32_t i = 0; i < count; i++) {
            const struct gantry_pair *l = GANTRY_AT(struct gantry_pair, labels, stride, i);
            same += strcmp(slots_label(w, l->key), l->value) == 0;
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
