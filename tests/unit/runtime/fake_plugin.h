/* fake_plugin.h - a plugin handed over as a struct, whose operations a test replaces one by one. */
#ifndef FAKE_PLUGIN_H
#define FAKE_PLUGIN_H

#include "clock.h"
#include "err.h"
#include "runtime.h"
#include "runtime_internal.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* What the operations share with the test. */
static struct fake {
    const struct gantry_host *host;
    atomic_int inside, most_inside, entered, closed;
    atomic_bool go; /* those that wait may end */
} fake;

static inline int
fake_open(struct gantry_call *call, const struct gantry_host *host,
          const struct gantry_settings *settings, void **self)
{
    (void)call;
    (void)settings;
    fake.host = host;
    *self = &fake;
    return 0;
}

static inline void
fake_close(void *self)
{
    assert(self == &fake);
    atomic_fetch_add(&fake.closed, 1);
}

/* A status with nothing but what is needed. */
static inline struct gantry_status
fake_status(const char *handle)
{
    return (struct gantry_status){.size = sizeof(struct gantry_status),
                                  .handle = handle,
                                  .name = handle,
                                  .state = GANTRY_STATE_RUNNING};
}

static inline int
fake_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
           const struct gantry_spec *spec, uint32_t flags)
{
    (void)self;
    (void)existing;
    (void)spec;
    (void)flags;
    struct gantry_status s = fake_status("h1");
    return gantry_emit_status(fake.host, call, &s);
}

static inline int
fake_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    (void)self;
    (void)call;
    (void)ref;
    (void)grace_ms;
    return 0;
}

static inline int
fake_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    (void)self;
    (void)call;
    (void)ref;
    return 0;
}

static inline int
fake_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
          const struct gantry_log_limits *limits)
{
    (void)self;
    (void)ref;
    (void)cursor;
    (void)limits;
    return gantry_fail(fake.host, call, GANTRY_E_UNSUPPORTED, "no logs");
}

static inline int
fake_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    (void)self;
    struct gantry_status s = fake_status(ref->handle);
    return gantry_emit_status(fake.host, call, &s);
}

static inline int
fake_list(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
          uint32_t stride)
{
    (void)self;
    (void)call;
    (void)labels;
    (void)count;
    (void)stride;
    return 0;
}

static inline struct gantry_plugin
fake_table(void)
{
    return (struct gantry_plugin){
        GANTRY_PLUGIN_HEAD,  .threads = GANTRY_THREADS_PARALLEL,
        .name = "fake",      .open = fake_open,
        .close = fake_close, .start = fake_start,
        .stop = fake_stop,   .remove = fake_remove,
        .logs = fake_logs,   .inspect = fake_inspect,
        .list = fake_list,
    };
}

/* A runtime with one backend, called "box", of the table. */
struct rig {
    struct runtime *runtime;
    struct runtime_plugin *plugin;
    struct runtime_backend *backend;
};

static inline struct rig
rig_open_logged(const struct gantry_plugin *table, size_t workers, struct log *log)
{
    struct rig rig = {0};
    struct gantry_settings settings = {
        .size = sizeof settings, .stride = sizeof(struct gantry_value), .section = "box"};
    memset(&fake, 0, sizeof fake);
    assert_int_equal(runtime_plugin_adopt(table, &rig.plugin, NULL), 0);
    assert_int_equal(runtime_new(workers, log, &rig.runtime, NULL), 0);
    assert_int_equal(runtime_open(rig.runtime, rig.plugin, &settings, &rig.backend, NULL), 0);
    return rig;
}

static inline struct rig
rig_open(const struct gantry_plugin *table, size_t workers)
{
    return rig_open_logged(table, workers, NULL);
}

static inline void
rig_close(struct rig *rig)
{
    runtime_close(rig->backend);
    runtime_free(rig->runtime);
    runtime_plugin_free(rig->plugin);
}

static inline struct runtime_job *
rig_job(const struct rig *rig, enum runtime_op op, const char *id)
{
    struct runtime_job *job = runtime_job_new(op, rig->backend);
    assert_non_null(job);
    job->id = arena_dup_text(&job->arena, id);
    job->name = job->id;
    job->handle = arena_dup_text(&job->arena, "h1");
    return job;
}

/* Wait for the next job that is done. */
static inline struct runtime_job *
rig_take(const struct rig *rig)
{
    int64_t until = clock_mono_ms() + 20000;
    for (;;) {
        struct runtime_job *job = runtime_take_done(rig->runtime);
        if (job)
            return job;
        assert_true(clock_mono_ms() < until);
        struct pollfd fd = {.fd = runtime_fd(rig->runtime), .events = POLLIN};
        assert_int_not_equal(poll(&fd, 1, 20000), 0);
    }
}

/* Submit one and wait for it. */
static inline struct runtime_job *
rig_do(const struct rig *rig, struct runtime_job *job)
{
    runtime_submit(rig->runtime, job);
    assert_ptr_equal(rig_take(rig), job);
    return job;
}

/* Wait until what another thread does has happened. */
#define wait_until(condition)                                                                      \
    do {                                                                                           \
        int64_t until_ = clock_mono_ms() + 20000;                                                  \
        while (!(condition)) {                                                                     \
            assert_true(clock_mono_ms() < until_);                                                 \
            poll(NULL, 0, 1);                                                                      \
        }                                                                                          \
    } while (0)

#endif
