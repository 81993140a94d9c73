/* runtime.h - plugins: found, checked, opened, and called on worker threads with deadlines.
 *
 * The loop thread makes a struct runtime_job, submits it, and gets the same job back, with its result, from
 * runtime_take_done() when runtime_fd() is readable.  A worker owns the job in between; nothing else is
 * shared.  This room is the one gate into plugins: it traces each call, sets deadline and cancellation,
 * keeps the thread model that the plugin declared, and checks what the plugin emits (sizes, strides, UTF-8
 * of handles, states); what is wrong becomes GANTRY_E_INTERNAL with the plugin's name.
 *
 * A call that is still inside the plugin RUNTIME_OVERTIME_MS after its deadline or cancellation is handed
 * back as GANTRY_E_TIMEOUT with job->hung set: its backend is then unknown until the call returns
 * (runtime_is_hung), a serial plugin is not entered again, and another worker takes the lost one's place. */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include "arena.h"
#include "compiler.h"
#include "log.h"
#include "vec.h"

#include <gantry/plugin.h>
#include <pthread.h>
#include <stdbool.h>

struct runtime;         /* workers and queues of one manager */
struct runtime_plugin;  /* a checked plugin, loaded from a file or handed over */
struct runtime_backend; /* an opened plugin: one [backend] section */

#define RUNTIME_OVERTIME_MS 3000

/* ---- plugins -------------------------------------------------------------------------------------- */

/* Load gantry-NAME.so from the first of the folders that has it; or, when name holds a '/', that file.
 * Refused: a folder or file that others than root and the owner can write to, another ABI major, a missing
 * operation, a name that is not the file's.  The message names the file, and both versions. */
MUST_CHECK int runtime_plugin_load(const char *name, const char *const *folders,
                                   size_t folder_count, struct runtime_plugin **out,
                                   struct gantry_error **err);
/* Take a plugin that is in this program.  table: kept. */
MUST_CHECK int runtime_plugin_adopt(const struct gantry_plugin *table, struct runtime_plugin **out,
                                    struct gantry_error **err);
void runtime_plugin_free(struct runtime_plugin *plugin); /* no backend of it is open */
/* Its table as this host knows it: what an older plugin never knew is NULL.  Borrowed. */
const struct gantry_plugin *runtime_plugin_table(const struct runtime_plugin *plugin);
const char *runtime_plugin_file(const struct runtime_plugin *plugin); /* "" when handed over */
/* The folder of the bundled plugins, beside this library: ../plugins in a build, gantry/plugins below the
 * library's folder when installed.  Owned, free(); NULL when there is none. */
char *runtime_bundled_folder(void);

/* ---- backends and workers ------------------------------------------------------------------------- */

/* workers: how many jobs run side by side.  log: kept; may be NULL. */
MUST_CHECK int runtime_new(size_t workers, struct log *log, struct runtime **out,
                           struct gantry_error **err);
/* How long calls may stay inside the plugin after their time, in the place of RUNTIME_OVERTIME_MS.  Before the first
 * job. */
void runtime_allow_overtime(struct runtime *runtime, int64_t ms);
/* Cancels what runs, waits up to RUNTIME_OVERTIME_MS.  Afterwards its backends can be closed, and nothing else;
 * a plugin's close() may still log.  NULL: no-op. */
void runtime_end(struct runtime *runtime);
/* The same, if it has not been done, and frees; the log is not used any more.  A call that hangs keeps its memory. */
void runtime_free(struct runtime *runtime);
/* Where backends may keep what has to outlive this process, each in a folder of its own; before any is
 * opened, and at most once.  Returns 0 or GANTRY_E_NOMEM. */
MUST_CHECK int runtime_keep_in(struct runtime *runtime, const char *folder);
/* Readable: take the done ones.  Kept by the runtime. */
int runtime_fd(const struct runtime *runtime);

/* Open a plugin: calls its open() on this thread.  plugin: kept.  settings: borrowed. */
MUST_CHECK int runtime_open(struct runtime *runtime, const struct runtime_plugin *plugin,
                            const struct gantry_settings *settings, struct runtime_backend **out,
                            struct gantry_error **err);
/* The same with a host table of the caller's own between the plugin and the host's: for the plugin kit.
 * host: copied, as far as its size says, at most RUNTIME_HOST_MAX_BYTES; its functions may delegate to those
 * of runtime_host_functions().  context: kept; what runtime_call_context() says of open() and watch(), and of
 * each job that has no call_context. */
#define RUNTIME_HOST_MAX_BYTES 512
MUST_CHECK int runtime_open_tapped(struct runtime *runtime, const struct runtime_plugin *plugin,
                                   const struct gantry_settings *settings,
                                   const struct gantry_host *host, void *context,
                                   struct runtime_backend **out, struct gantry_error **err);
/* What every plugin gets from runtime_open().  Static. */
const struct gantry_host *runtime_host_functions(void);
void *runtime_call_context(const struct gantry_call *call);
/* Is this the thread that entered the plugin, and has it not returned? */
bool runtime_call_is_here(const struct gantry_call *call);
/* Closes it when no call is inside; a hung one is left open. */
void runtime_close(struct runtime_backend *backend);
bool runtime_is_hung(const struct runtime_backend *backend);
const struct gantry_plugin *runtime_backend_table(const struct runtime_backend *backend);

/* ---- jobs ----------------------------------------------------------------------------------------- */

#define RUNTIME_OPS(X)                                                                             \
    X(PROBE, "probe")                                                                              \
    X(LIST, "list")                                                                                \
    X(INSPECT, "inspect")                                                                          \
    X(START, "start")                                                                              \
    X(STOP, "stop")                                                                                \
    X(REMOVE, "remove") X(LOGS, "logs") X(PULL, "pull") X(REMOVE_IMAGE, "remove_image")
#define RUNTIME_OP_ENUM_(name, word) RUNTIME_##name,
enum runtime_op { RUNTIME_OPS(RUNTIME_OP_ENUM_) RUNTIME_OP_COUNT };
#undef RUNTIME_OP_ENUM_
const char *runtime_op_name(enum runtime_op op);

struct runtime_job {
    /* Request: set by the caller before runtime_submit; strings live in arena. */
    enum runtime_op op;
    struct runtime_backend *backend;
    const char *handle; /* INSPECT, STOP, REMOVE, LOGS; START: the existing one, or NULL */
    const char *id;     /* of the connector; it also keeps calls of one workload apart */
    const char *name;   /* of the workload */
    uint32_t flags;     /* START: GANTRY_START_ONCE */
    uint32_t grace_ms;  /* STOP */
    const char *cursor; /* LOGS; may be NULL */
    struct gantry_log_limits limits;  /* LOGS; size is set by runtime_submit */
    const struct gantry_pair *labels; /* LIST */
    uint32_t label_count;
    struct gantry_image image; /* REMOVE_IMAGE; size is set by runtime_submit */
    int64_t timeout_ms;        /* 0: none */
    /* START and PULL: makes the spec, on the worker, so that secrets are opened there and only while the
     * call lasts.  NULL: no spec.  Strings go into arena or prepare_context; the worker calls
     * prepare_done (may be NULL) when the plugin has returned, to wipe them. */
    int (*prepare)(void *prepare_context, struct runtime_job *job, struct gantry_spec *spec,
                   struct gantry_error **err);
    void (*prepare_done)(void *prepare_context);
    void *prepare_context;
    void *
        call_context; /* of a backend that is tapped: runtime_call_context(); NULL: the backend's */
    void *owner;      /* the caller's, untouched */
    /* May be NULL; called by runtime_job_free or, when the job was hung, after its call has returned, on
     * that thread: it frees memory, and touches nothing else. */
    void (*free_owner)(void *owner);

    /* Result: set when it comes back. */
    int code;                   /* 0 or GANTRY_E_* */
    bool hung;                  /* the call is still inside the plugin */
    struct gantry_error *error; /* the plugin's own text, or one that names it; not the backend */
    VEC(struct gantry_status) statuses; /* START, INSPECT: one; LIST: any; strings in arena */
    VEC(struct gantry_line) lines;      /* LOGS; texts and cursors in arena */
    struct gantry_traits traits;        /* PROBE; strings in arena */
    struct gantry_image fetched; /* START, PULL, failed or not; strings in arena; size 0: none */
    bool retry_asked;            /* somebody wants a pause: */
    int64_t retry_after_ms;      /* for so long; 0: it was not said */
    int64_t queued_ms, started_ms, ended_ms; /* clock_mono_ms() */

    struct arena arena;
    struct runtime_job_private *private_; /* of the runtime */
};

/* NULL when memory ran out. */
struct runtime_job *runtime_job_new(enum runtime_op op, struct runtime_backend *backend);
void runtime_job_free(struct runtime_job *job);
/* job: taken until runtime_take_done gives it back.  Never fails: what cannot run comes back as failed. */
void runtime_submit(struct runtime *runtime, struct runtime_job *job);
/* Ask a submitted job to end; it comes back as usual.  Safe while the job is not freed.  [loop] */
void runtime_cancel(struct runtime_job *job);
/* The same without a limit: a call that may finish what it has begun, such as a replace that has touched the
 * old workload, comes back when it does, and is not taken for one that hangs.  [loop] */
void runtime_ask_to_end(struct runtime_job *job);
/* Grows with every change of any job's progress.  [any] */
uint64_t runtime_progress_count(const struct runtime *runtime);
/* What the plugin last said of its progress, such as "pulling 45%"; "" when nothing.  [loop] */
const char *runtime_progress(struct runtime_job *job, char *text, size_t size);
/* The next job that is done, or NULL.  Owned: runtime_job_free. */
struct runtime_job *runtime_take_done(struct runtime *runtime);

/* Start a thread with a name and all signals blocked.  Returns 0 or an errno. */
MUST_CHECK int runtime_thread_start(pthread_t *thread, const char *name, void *(*main)(void *),
                                    void *context);

/* ---- watching ------------------------------------------------------------------------------------- */

/* What a plugin's watch() tells.  At most so many wait for each backend; when one more comes, they all become
 * one SYNCED (list anew), with a LOST behind it if the plugin is not watching then. */
#define RUNTIME_EVENTS_MAX 4096

enum runtime_event_kind {
    RUNTIME_EVENT_CHANGED, /* something happened to this workload: inspect it */
    RUNTIME_EVENT_SYNCED,  /* watching from now on: what was before is found by a listing */
    RUNTIME_EVENT_LOST,    /* not watching at present; the plugin tries again by itself */
    RUNTIME_EVENT_ENDED, /* the last one of a watch: its thread has left the plugin, or hangs in it */
};

struct runtime_event {
    struct runtime_backend *backend;
    enum runtime_event_kind kind;
    char *handle, *id; /* CHANGED; owned; id may be NULL */
    /* ENDED: why the plugin's watch() returned; its text.  0 only when it was asked to.  GANTRY_E_TIMEOUT
     * with a text that says so: it was asked to, and hangs. */
    int code;
    struct gantry_error *error;
    int64_t at_ms; /* clock_mono_ms() when it was emitted */
};
void runtime_event_clear(struct runtime_event *event);

/* Start watch() of this backend on a thread of its own ("gantry-watch"); it needs no worker, and runs beside
 * the calls of a serial plugin too.  At most one a backend: GANTRY_E_CONFLICT while there is one, also while
 * one hangs.  labels: copied.  GANTRY_E_UNSUPPORTED: the plugin has no watch.  GANTRY_E_UNAVAILABLE: no
 * thread could be started.  [loop] */
MUST_CHECK int runtime_watch_start(struct runtime_backend *backend,
                                   const struct gantry_pair *labels, uint32_t count,
                                   struct gantry_error **err);
/* Ask it to end.  RUNTIME_EVENT_ENDED follows, also when the plugin does not obey within RUNTIME_OVERTIME_MS:
 * then its code is GANTRY_E_TIMEOUT, the thread is left behind, what it still emits is dropped, and a new
 * watch can be started only when it has returned; runtime_fd() is readable once when it does.  No-op when
 * none runs.  [loop] */
void runtime_watch_stop(struct runtime_backend *backend);
/* The next event of any backend, oldest first; false: none.  runtime_fd() is readable while there is one.
 * *event: runtime_event_clear.  CHANGED comes once for a handle, however often it was emitted since the last
 * one was taken.  A closed backend's are dropped.  [loop] */
MUST_CHECK bool runtime_take_event(struct runtime *runtime, struct runtime_event *event);

#endif
