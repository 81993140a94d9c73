/* conformance_internal.h - what the files of the plugin kit share.
 *
 * The kit is a small host.  It opens a plugin through core/runtime, which checks what every host checks, and puts
 * a tap (runtime_open_tapped) between the two, by which a promise sees each thing that the plugin does, and can
 * answer in the host's place.
 *
 * A promise is one row of promises.def and one function, kit_try_GROUP_WORDS() in a file promise_GROUP.c (or
 * promise_GROUP_SUBJECT.c).  It gets a fresh struct kit with the plugin open, and ends with
 *     return KIT_OK;                                 it was kept
 *     return kit_broken(kit, "what was seen");       it was not
 *     return kit_not_offered(kit, "why");            it cannot be tried
 * A helper that returns int returns one of these too, and the promise passes on what is not KIT_OK:
 * KIT_CHECK(kit_...).  Everything that a promise makes carries the labels of the kit's manager, and is removed
 * when it has ended, whatever came of it. */
#ifndef CONFORMANCE_INTERNAL_H
#define CONFORMANCE_INTERNAL_H

#include "arena.h"
#include "clock.h"
#include "compiler.h"
#include "config.h"
#include "err.h"
#include "runtime.h"
#include "str.h"

#include <gantry/host.h>

#define KIT_OK          0
#define KIT_BROKEN      1
#define KIT_NOT_OFFERED 2

#define KIT_CHECK(expression)                                                                      \
    do {                                                                                           \
        int kit_came_ = (expression);                                                              \
        if (kit_came_ != KIT_OK)                                                                   \
            return kit_came_;                                                                      \
    } while (0)

/* What [kit] of the settings file says (settings.c has the table).  NULL and false: not given. */
struct kit_settings {
    const char *image; /* what the workloads run; default "gantry-kit:1" */
    /* `workload = yes`: image runs share/gantry/kit/workload.sh, which obeys the variable GANTRY_KIT */
    bool runs_workload;
    const char *missing_image; /* its registry answers, and has no such image */
    const char *broken_image;  /* is there, and cannot be started */
    const char *slow_image;    /* its pull takes ten seconds and more */
    /* [backend] with these in the place of its own: the runtime is out of reach; it refuses the credentials */
    const struct gantry_settings *away, *refused;
    bool slow; /* `slow = yes`: a real engine: repeat less, wait longer */
};

/* A plugin, and the settings file that goes with it (settings.c). */
struct kit_source {
    struct runtime_plugin *plugin;
    struct config *config;         /* of the file; its one backend is the plugin's */
    struct config *away, *refused; /* the same with [kit]'s away and refused; NULL: not given */
    const struct gantry_settings *settings; /* of config, for open() */
    struct kit_settings kit;
    struct kit_surroundings *before; /* before the plugin was loaded; NULL for sessions */
};
/* Load and check both.  settings_file: may be NULL: defaults.  state_folder: what stands for [manager] state_dir;
 * NULL: the file's. */
MUST_CHECK int kit_source_open(struct kit_source *source, const char *plugin,
                               const char *const *folders, uint32_t folder_count,
                               const char *settings_file, const char *state_folder,
                               struct gantry_error **err);
void kit_source_clear(struct kit_source *source);
/* Fill in what the settings file says of a spec, where the spec does not.  False: memory ran out. */
MUST_CHECK bool kit_source_complete(const struct kit_source *source, struct gantry_spec *spec,
                                    struct arena *arena);

struct kit_job {
    struct runtime_job *job;
    bool done;
};

/* One promise that is being tried. */
struct kit {
    const struct gantry_conformance *request;
    const struct kit_source *source;
    const char *folder; /* what gantry.folder/1 hands out parts of; of this test alone */
    struct runtime *runtime;
    const struct runtime_plugin *plugin;
    const struct gantry_plugin *table; /* of plugin */
    struct runtime_backend *backend;   /* opened with the settings file's values; NULL: not open */
    const struct gantry_settings *settings; /* that it was opened with */
    struct kit_settings given;
    char manager[40];    /* value of GANTRY_LABEL_MANAGER: of this promise alone */
    struct arena arena;  /* of this promise */
    char detail[1024];   /* why it is broken or not offered */
    struct kit_tap *tap; /* may be NULL: see below */
    unsigned made;       /* connectors so far */
    bool hung;           /* a call has not come back: what it may use is never freed */

    /* of kit.c and calls.c */
    struct kit_tap *plain; /* stands for tap where that is NULL */
    struct log log;        /* to request->trace */
    /* All calls of this promise: answers are borrowed from those that came back. */
    VEC(struct kit_job) jobs;
    VEC(const char *) managers; /* of all connectors: what is listed and removed at the end */
};

/* PRINTF: sets kit->detail; the first one stays. */
int kit_broken(struct kit *kit, const char *format, ...) PRINTF_LIKE(2, 3);
int kit_not_offered(struct kit *kit, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- workloads ------------------------------------------------------------------------------------ */

/* One connector of the kit: id, name and labels of its own; `program` goes into the variable GANTRY_KIT. */
struct kit_connector {
    const char *id, *name;
    const char *hash;    /* changed by kit_change() */
    const char *manager; /* kit->manager, or another: then it is foreign to kit->manager */
    const char *image;   /* kit->given.image */
    const char *program; /* of workload.sh, such as "lines 3; wait"; NULL: "wait" */
    uint32_t pull_policy;
    bool without_hash_label; /* as XTM Composer's: the hash is in the variable alone */
    const struct gantry_variable *environment; /* besides GANTRY_KIT and GANTRY_HASH_VARIABLE */
    uint32_t environment_count;
    const struct gantry_file *files;
    uint32_t file_count;
    const struct gantry_registry *registry; /* NULL: by the settings file */
    uint32_t pull_pause_ms;
};
/* A new one; strings in kit->arena.  NULL: memory ran out, and the promise is broken. */
struct kit_connector *kit_connector(struct kit *kit);
/* A UUID: workloads of another run, or of a real manager, never bear it. */
void kit_make_manager(char manager[40]);
const char *kit_other_manager(struct kit *kit); /* in kit->arena; NULL: memory ran out */
/* Another hash, so that a start with existing and spec is a replace. */
int kit_change(struct kit *kit, struct kit_connector *connector);

/* ---- calls ---------------------------------------------------------------------------------------- */

/* What came of one call; strings in kit->arena. */
struct kit_answer {
    int code;
    const char *text;                     /* of the error; "" when code is 0 */
    struct gantry_status status;          /* the first one; size 0: none */
    const struct gantry_status *statuses; /* all */
    size_t status_count;
    const struct gantry_line *lines;
    size_t line_count;
    struct gantry_traits traits; /* size 0: none */
    struct gantry_image fetched; /* size 0: none */
    bool hung;                   /* it had not returned KIT_SOON_MS after its end was due */
    int64_t took_ms;
};

/* How a call is made; a zeroed one is a plain call. */
struct kit_manner {
    int64_t timeout_ms;              /* of the call; 0: kit's own, which is long */
    struct kit_tap *tap;             /* for this call; NULL: kit->tap */
    struct runtime_backend *backend; /* NULL: kit->backend */
};

/* A call in two steps, so that several can run side by side. */
struct kit_call {
    enum runtime_op op;
    const char *handle; /* START: the existing one; may be NULL */
    const struct kit_connector
        *connector;    /* START, PULL: the spec.  Else id and name of the ref; may be NULL */
    bool without_spec; /* START: connector is for the ref alone */
    uint32_t flags, grace_ms;
    const char *cursor;
    struct gantry_log_limits limits;
    const struct gantry_pair *labels; /* LIST */
    uint32_t label_count;
    struct gantry_image image; /* REMOVE_IMAGE */
};
/* NULL: memory ran out.  job: kit_finish() gives the answer; runtime_cancel() asks it to end. */
struct runtime_job *kit_begin(struct kit *kit, const struct kit_call *call,
                              const struct kit_manner *manner);
/* Wait for it.  job: may be NULL; it is the kit's again, and lives as long as the promise. */
struct kit_answer kit_finish(struct kit *kit, struct runtime_job *job);
/* Forget all calls but the first ones, and free their answers. */
void kit_drop_jobs(struct kit *kit, size_t keep);
/* Both. */
struct kit_answer kit_do(struct kit *kit, const struct kit_call *call,
                         const struct kit_manner *manner);
/* The spec that a start of this connector gets, in kit->arena.  NULL: memory ran out. */
const struct gantry_spec *kit_spec(struct kit *kit, const struct kit_connector *connector);

/* spec NULL: existing alone. */
struct kit_answer kit_start(struct kit *kit, const struct kit_connector *spec, const char *existing,
                            uint32_t flags, const struct kit_manner *manner);
struct kit_answer kit_stop(struct kit *kit, const char *handle, const struct kit_connector *of,
                           uint32_t grace_ms, const struct kit_manner *manner);
struct kit_answer kit_remove(struct kit *kit, const char *handle, const struct kit_connector *of,
                             const struct kit_manner *manner);
struct kit_answer kit_inspect(struct kit *kit, const char *handle, const struct kit_manner *manner);
/* of: the labels are its manager's and id's; NULL: kit->manager's alone. */
struct kit_answer kit_list(struct kit *kit, const struct kit_connector *of,
                           const struct kit_manner *manner);
struct kit_answer kit_logs(struct kit *kit, const char *handle, const char *cursor,
                           const struct gantry_log_limits *limits, const struct kit_manner *manner);
struct kit_answer kit_pull(struct kit *kit, const struct kit_connector *spec,
                           const struct kit_manner *manner);
struct kit_answer kit_probe(struct kit *kit, const struct kit_manner *manner);

/* The call succeeded; else broken, with what was called and the plugin's own words. */
int kit_expect_ok(struct kit *kit, const char *what, const struct kit_answer *answer);
/* The call failed with this code, and gave a text of one line. */
int kit_expect_code(struct kit *kit, const char *what, const struct kit_answer *answer, int code);
/* Start a connector that runs; *handle in kit->arena. */
int kit_run(struct kit *kit, const struct kit_connector *connector, const char **handle);
/* emit refuses the first status with a code of its own: the call ends with that code, and emits no more. */
int kit_expect_emit_ends(struct kit *kit, const char *what, const struct kit_call *call);
/* A new connector, running. */
int kit_make(struct kit *kit, struct kit_connector **connector, const char **handle);
/* The same, which was stopped and removed again: *handle names nothing. */
int kit_make_and_remove(struct kit *kit, struct kit_connector **connector, const char **handle);
/* The status has every label of the spec, as it was given. */
int kit_expect_labels(struct kit *kit, const char *what, const struct gantry_status *status,
                      const struct gantry_spec *spec);
/* It does not run for a while. */
int kit_expect_stays_ended(struct kit *kit, const char *what, const char *handle);
/* It is there, under the same handle, and runs. */
int kit_expect_running(struct kit *kit, const char *what, const char *handle);
/* list() of this connector (NULL: of all of kit->manager) emits so many. */
int kit_expect_count(struct kit *kit, const char *when, const struct kit_connector *of, size_t n);
/* The states in which a workload runs, or will soon; in which it has ended, or never ran. */
#define KIT_LIVE                                                                                   \
    (1U << GANTRY_STATE_STARTING | 1U << GANTRY_STATE_RUNNING | 1U << GANTRY_STATE_RESTARTING)
#define KIT_ENDED                                                                                  \
    (1U << GANTRY_STATE_CREATED | 1U << GANTRY_STATE_EXITED | 1U << GANTRY_STATE_FAILED)
const char *kit_state_word(uint32_t state);
/* Value of a label, or NULL. */
const char *kit_label(const struct gantry_status *status, const char *key);
/* "not offered", where the workloads do not obey GANTRY_KIT. */
int kit_needs_workload(struct kit *kit);
/* A connector whose workload obeys this program; likewise. */
int kit_connector_of(struct kit *kit, const char *program, struct kit_connector **connector);
/* Inspect until it is in one of these states (bits 1 << GANTRY_STATE_*), at the longest the kit's patience. */
int kit_await(struct kit *kit, const char *handle, uint32_t states, struct gantry_status *status);

/* ---- the tap -------------------------------------------------------------------------------------- */

/* Sees what a plugin asks of the host, on the thread that asks.  Any member may be NULL.  A zeroed one changes
 * nothing.  One call at a time runs with it; with kit->tap, the open()s and the watch() too. */
struct kit_tap {
    /* Before an emit: non-zero is returned to the plugin, and nothing is emitted. */
    int (*emit)(struct kit_tap *tap, uint32_t kind, const void *item);
    /* Before anything else that the plugin asks: "cancelled", "remaining_ms", "progress", "log", "fail", "perform",
     * "readable".  It may call kit_tap_cancel(). */
    void (*asked)(struct kit_tap *tap, const char *function);
    /* What it said by "fail", "log" or "progress", before the host has cleaned it; text may be NULL. */
    void (*said)(struct kit_tap *tap, const char *function, const char *text);
    void *context;
    struct kit *kit; /* set by kit_begin() */
    const char *_Atomic
        strayed; /* what was used on another thread than the one that entered; NULL: nothing */
    struct runtime_job *_Atomic job;                      /* that runs with it; NULL: none */
    void (*trace)(void *trace_context, const char *line); /* what passes; may be NULL */
    void *trace_context;
};
/* Ask the call that runs with this tap to end, as a manager does. */
void kit_tap_cancel(struct kit_tap *tap);
/* Tell the trace that this call begins. */
void kit_tap_begin(const struct kit_tap *tap, const struct runtime_job *job);
/* The host's table with the tap in it: each function finds its struct kit_tap by runtime_call_context(). */
extern const struct gantry_host kit_host_functions;

/* ---- opening -------------------------------------------------------------------------------------- */

/* Open the plugin once more, beside kit->backend, with these settings (NULL: kit's); host: NULL, or a table that
 * stands in for an older or a newer host: kit_host_functions with other sizes.  *out: runtime_close(). */
int kit_open(struct kit *kit, const struct gantry_settings *settings,
             const struct gantry_host *host, struct runtime_backend **out,
             struct gantry_error **err);

/* Within which a call ends that was told to.  More than a host allows (RUNTIME_OVERTIME_MS): the machine may be
 * loaded, and what a plugin has begun it may undo. */
#define KIT_SOON_MS 10000
/* The kit's own patience, in milliseconds. */
int64_t kit_patience_ms(const struct kit *kit);
void kit_pause(const struct kit *kit); /* between two looks: a moment, longer where it is slow */

/* What a shared object exports beside its entry: *name in arena; NULL: nothing. */
MUST_CHECK int kit_find_export(const char *file, struct arena *arena, const char **name,
                               struct gantry_error **err);

/* ---- the promises --------------------------------------------------------------------------------- */

#define PROMISE(group, words, text) int kit_try_##group##_##words(struct kit *kit);
#include "promises.def"
#undef PROMISE

#endif
