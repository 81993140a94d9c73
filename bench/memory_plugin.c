/* memory_plugin.c - a runtime of any number of workloads, for bench/scale.sh: what the manager costs when the
 * runtime costs next to nothing.
 *
 * The workloads lie in a file that is mapped, shared: they are no part of the process's anonymous memory, which is
 * what is measured, and they outlive the daemon.  A handle is 64 hex digits, as an engine's; the first eight are the
 * number of the slot. */
#include <gantry/plugin.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLOTS = 32768, LABELS = 8 };

struct workload {
    char handle[65], name[96], image[128]; /* handle "": this slot is free */
    uint32_t state, label_count;
    char labels[LABELS][2][64];
};

struct scale {
    const struct gantry_host *host;
    struct workload *slots;
    uint32_t used; /* no slot behind it is in use */
};

static const struct gantry_setting settings[] = {
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_STRING,
     .scope = GANTRY_SCOPE_BACKEND,
     .key = "file",
     .help = "where the workloads are kept"},
};

static struct workload *
find(struct scale *s, const char *handle)
{
    char digits[9] = "";
    memcpy(digits, handle, strnlen(handle, 8));
    unsigned long i = strtoul(digits, NULL, 16);
    return i < SLOTS && strcmp(s->slots[i].handle, handle) == 0 ? &s->slots[i] : NULL;
}

static const char *
label(const struct workload *w, const char *key)
{
    for (uint32_t i = 0; i < w->label_count; i++)
        if (strcmp(w->labels[i][0], key) == 0)
            return w->labels[i][1];
    return "";
}

static int
emit(struct scale *s, struct gantry_call *call, const struct workload *w)
{
    struct gantry_pair labels[LABELS];
    if (!w)
        return gantry_fail(s->host, call, GANTRY_E_NOT_FOUND, "there is no such workload");
    for (uint32_t i = 0; i < w->label_count; i++)
        labels[i] = (struct gantry_pair){w->labels[i][0], w->labels[i][1]};
    const struct gantry_status status = {
        .size = sizeof status,
        .handle = w->handle,
        .name = w->name,
        .hash = label(w, GANTRY_LABEL_HASH),
        .image = w->image,
        .state = w->state,
        .labels = labels,
        .label_count = w->label_count,
        .label_stride = sizeof *labels,
    };
    return gantry_emit_status(s->host, call, &status);
}

static const char *
file_of(const struct gantry_settings *given)
{
    for (uint32_t i = 0; i < given->count; i++) {
        const struct gantry_value *v =
            GANTRY_AT(struct gantry_value, given->values, given->stride, i);
        if (strcmp(v->key, "file") == 0)
            return v->text;
    }
    return "";
}

static int
scale_open(struct gantry_call *call, const struct gantry_host *host,
           const struct gantry_settings *given, void **self)
{
    struct scale *s = *self = calloc(1, sizeof *s);
    if (!s)
        return gantry_fail(host, call, GANTRY_E_NOMEM, "out of memory");
    s->host = host;
    int fd = open(file_of(given), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    size_t size = SLOTS * sizeof *s->slots;
    s->slots = fd >= 0 && ftruncate(fd, (off_t)size) == 0
                   ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                   : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (s->slots == MAP_FAILED) {
        free(s);
        return gantry_fail(host, call, GANTRY_E_INVALID, "file cannot be mapped");
    }
    for (uint32_t i = 0; i < SLOTS && s->slots[i].state; i++) /* slots are never given back */
        s->used = i + 1;
    return 0;
}

static void
scale_close(void *self)
{
    struct scale *s = self;
    munmap(s->slots, SLOTS * sizeof *s->slots);
    free(s);
}

static void
fill(struct workload *w, uint32_t number, const struct gantry_spec *spec, bool beside)
{
    snprintf(w->handle, sizeof w->handle, "%08x%056x", number, number * 2654435761U);
    snprintf(w->name, sizeof w->name, beside ? "%.80s-new-%04x" : "%.80s", spec->name,
             number & 0xffff);
    snprintf(w->image, sizeof w->image, "%s", spec->image);
    for (uint32_t i = 0; i < spec->label_count; i++) {
        const struct gantry_pair *l =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        snprintf(w->labels[i][0], sizeof w->labels[i][0], "%s", l->key);
        snprintf(w->labels[i][1], sizeof w->labels[i][1], "%s", l->value);
    }
    w->label_count = spec->label_count;
}

static int
scale_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
            const struct gantry_spec *spec, uint32_t flags)
{
    struct scale *s = self;
    struct workload *old = existing ? find(s, existing->handle) : NULL, *w = old;
    (void)flags; /* nothing restarts by itself here */
    if (existing && !old)
        return emit(s, call, NULL);
    if (spec) {
        if (s->used == SLOTS || spec->label_count > LABELS)
            return gantry_fail(s->host, call, GANTRY_E_INVALID, "too many workloads or labels");
        w = &s->slots[s->used];
        fill(w, s->used++, spec, old != NULL);
    }
    if (old)
        old->state = GANTRY_STATE_EXITED;
    w->state = GANTRY_STATE_RUNNING;
    return emit(s, call, w);
}

static int
scale_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    struct workload *w = find(self, ref->handle);
    (void)call, (void)grace_ms;
    if (w)
        w->state = GANTRY_STATE_EXITED;
    return 0;
}

static int
scale_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct scale *s = self;
    struct workload *w = find(s, ref->handle);
    (void)call;
    for (uint32_t i = 0; w && i < s->used; i++) { /* who waits for its name */
        struct workload *o = &s->slots[i];
        if (o->handle[0] &&
            strcmp(label(o, GANTRY_LABEL_CONNECTOR), label(w, GANTRY_LABEL_CONNECTOR)) == 0)
            memmove(o->name, w->name, sizeof o->name);
    }
    if (w)
        w->handle[0] = '\0';
    return 0;
}

static int
scale_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
           const struct gantry_log_limits *limits)
{
    (void)self, (void)call, (void)ref, (void)cursor, (void)limits;
    return 0; /* they have nothing to say */
}

static int
scale_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    return emit(self, call, find(self, ref->handle));
}

static int
scale_list(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
           uint32_t stride)
{
    struct scale *s = self;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < s->used; i++) {
        uint32_t same = 0;
        for (uint32_t j = 0; j < count; j++) {
            const struct gantry_pair *l = GANTRY_AT(struct gantry_pair, labels, stride, j);
            same += strcmp(label(&s->slots[i], l->key), l->value) == 0;
        }
        if (same == count && s->slots[i].handle[0])
            rc = emit(s, call, &s->slots[i]);
    }
    return rc;
}

static const struct gantry_plugin scale = {
    GANTRY_PLUGIN_HEAD, /* serial: nothing here needs a lock */
    .name = "scale",
    .summary = "keeps thousands of workloads in a file, for the benchmark",
    GANTRY_SETTINGS(settings),
    .open = scale_open,
    .close = scale_close,
    .start = scale_start,
    .stop = scale_stop,
    .remove = scale_remove,
    .logs = scale_logs,
    .inspect = scale_inspect,
    .list = scale_list,
};
GANTRY_PLUGIN(scale)
