/* memory.c - the smallest plugin that works: it keeps up to 64 workloads, in memory alone.
 *
 *   cc -shared -fPIC -fvisibility=hidden -I include -o gantry-memory.so memory.c */
#include <gantry/plugin.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 64, LABELS = 8 };
struct memory {
    const struct gantry_host *host;
    unsigned made; /* so many so far */
    struct workload {
        char handle[16], name[80]; /* handle "": this slot is free */
        uint32_t state, label_count;
        struct gantry_pair labels[LABELS];
        char texts[LABELS][2][100]; /* of the labels */
    } slots[SLOTS];
};

static struct workload *
find(struct memory *m, const char *handle) /* "": a free slot */
{
    for (struct workload *w = m->slots; w < m->slots + SLOTS; w++)
        if (strcmp(w->handle, handle) == 0)
            return w;
    return NULL;
}

static const char *
label(const struct workload *w, const char *key)
{
    for (uint32_t i = 0; i < w->label_count; i++)
        if (strcmp(w->labels[i].key, key) == 0)
            return w->labels[i].value;
    return "";
}

static int
emit(struct memory *m, struct gantry_call *call, const struct workload *w)
{
    if (!w)
        return gantry_fail(m->host, call, GANTRY_E_NOT_FOUND, "there is no such workload");
    struct gantry_status s = {.size = sizeof s, .handle = w->handle, .name = w->name};
    s.state = w->state;
    s.hash = label(w, GANTRY_LABEL_HASH);
    s.labels = w->labels;
    s.label_count = w->label_count;
    s.label_stride = sizeof w->labels[0];
    return gantry_emit_status(m->host, call, &s);
}

static int
memory_open(struct gantry_call *call, const struct gantry_host *host,
            const struct gantry_settings *settings, void **self)
{
    struct memory *m = *self = calloc(1, sizeof *m);
    (void)settings; /* it has none */
    if (m)
        m->host = host;
    return m ? 0 : gantry_fail(host, call, GANTRY_E_NOMEM, "out of memory");
}

static int
memory_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
             const struct gantry_spec *spec, uint32_t flags)
{
    struct memory *m = self;
    struct workload *old = existing ? find(m, existing->handle) : NULL;
    struct workload *w = spec ? find(m, "") : old;
    (void)flags; /* nothing restarts by itself here */
    if (spec && (!w || spec->label_count > LABELS))
        return gantry_fail(m->host, call, GANTRY_E_INVALID, "too many workloads or labels");
    if (!w || (existing && !old))
        return emit(m, call, NULL);
    for (uint32_t i = 0; spec && i < spec->label_count; i++) {
        const struct gantry_pair *from =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        snprintf(w->texts[i][0], sizeof w->texts[i][0], "%s", from->key);
        snprintf(w->texts[i][1], sizeof w->texts[i][1], "%s", from->value);
        w->labels[w->label_count++] = (struct gantry_pair){w->texts[i][0], w->texts[i][1]};
    }
    if (spec) {
        snprintf(w->handle, sizeof w->handle, "m%u", ++m->made);
        snprintf(w->name, sizeof w->name, old ? "%s-new-%04x" : "%s", spec->name, m->made & 0xffff);
    }
    if (old)
        old->state = GANTRY_STATE_EXITED;
    w->state = GANTRY_STATE_RUNNING;
    return emit(m, call, w);
}

static int
memory_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    struct workload *w = find(self, ref->handle);
    (void)call, (void)grace_ms;
    if (w)
        w->state = GANTRY_STATE_EXITED;
    return 0;
}

static int
memory_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct memory *m = self;
    struct workload *w = find(m, ref->handle);
    (void)call;
    for (struct workload *o = m->slots; w && o < m->slots + SLOTS; o++) /* who waits for its name */
        if (strcmp(label(o, GANTRY_LABEL_CONNECTOR), label(w, GANTRY_LABEL_CONNECTOR)) == 0)
            memmove(o->name, w->name, sizeof o->name);
    if (w)
        memset(w, 0, sizeof *w);
    return 0;
}

static int
memory_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
            const struct gantry_log_limits *limits)
{
    (void)self, (void)call, (void)ref, (void)cursor, (void)limits;
    return 0; /* they have nothing to say */
}

static int
memory_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    return emit(self, call, find(self, ref->handle));
}

static int
memory_list(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
            uint32_t stride)
{
    struct memory *m = self;
    int rc = 0;
    for (struct workload *w = m->slots; rc == 0 && w < m->slots + SLOTS; w++) {
        uint32_t same = 0;
        for (uint32_t i = 0; i < count; i++) {
            const struct gantry_pair *l = GANTRY_AT(struct gantry_pair, labels, stride, i);
            same += strcmp(label(w, l->key), l->value) == 0;
        }
        if (same == count && w->handle[0])
            rc = emit(m, call, w);
    }
    return rc;
}

static const struct gantry_plugin memory = {
    GANTRY_PLUGIN_HEAD, /* its thread model is the first one: serial, so nothing here needs a lock
                         */
    .name = "memory",          .summary = "keeps workloads in memory, as an example",
    .open = memory_open,       .close = free,
    .start = memory_start,     .stop = memory_stop,
    .remove = memory_remove,   .logs = memory_logs,
    .inspect = memory_inspect, .list = memory_list,
};
GANTRY_PLUGIN(memory)
