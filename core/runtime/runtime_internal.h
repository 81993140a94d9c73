/* runtime_internal.h - what the files of this room share.
 *
 * Who holds which lock.  Two kinds exist, and nobody holds two at once, or calls out while holding
 * one: runtime.lock       queue, running, done, states of jobs, workers, counters of backends,
 *                           watches, their events
 *   gantry_call.lock   what the plugin has said so far: where emitted things go, error, progress
 *
 * A job goes NEW -> QUEUED -> STARTED -> INSIDE -> STARTED -> DONE.  INSIDE means in the plugin's
 * code, and only there it can become HUNG: then the job goes back to the caller without its arena,
 * which stays with the private part until both the call has returned and the job is freed. */
#ifndef RUNTIME_RUNTIME_INTERNAL_H
#define RUNTIME_RUNTIME_INTERNAL_H

#include "runtime.h"

#include "clock.h"
#include "err.h"
#include "http.h"
#include "map.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- plugins --------------------------------------------------------------------------------- */

struct runtime_plugin {
    struct gantry_plugin table; /* what the plugin never knew is NULL */
    struct arena arena;         /* settings and file */
    const char *file;
};

/* Is this NAME of gantry-NAME.so?  [a-z][a-z0-9-]* */
bool plugin_name_is_valid(const char *name);
/* Check a table and copy what this host knows of it.  file: for messages; name: what the plugin has
 * to be called, or NULL: anything. */
MUST_CHECK int plugin_take_table(struct runtime_plugin *plugin, const struct gantry_plugin *theirs,
                                 const char *file, const char *name, struct gantry_error **err);

/* ---- calls ----------------------------------------------------------------------------------- */

#define CALL_PROGRESS_SIZE 128

/* One call of one operation, as plugin.h promises it. */
struct gantry_call {
    struct runtime_backend *backend;
    const char *op;      /* "start"; "open" */
    const char *id;      /* of the connector; may be NULL */
    uint32_t emits;      /* the GANTRY_EMIT_* that this operation may emit; 0: nothing */
    uint32_t emits_max;  /* how many; 0: any number */
    int64_t deadline_ms; /* on clock_mono_ms(); 0: none */
    pthread_t thread;    /* the one that entered the plugin */
    atomic_bool entered; /* between entry and return */
    atomic_bool cancelled;
    atomic_int cancel_fd; /* eventfd, readable when cancelled; -1: nobody has asked for it */
    struct watch *watch;  /* of a watch(): takes what is emitted; else NULL */
    void *context;        /* whose tap it is; may be NULL */

    pthread_mutex_t lock;
    struct runtime_job *job;    /* takes what is emitted; NULL: open(), or handed back */
    struct gantry_error *error; /* what the plugin gave, or what it did wrong */
    int forced;                 /* not 0: the call's result, whatever the plugin returns */
    uint64_t line_bytes;        /* of the emitted lines */
    char progress[CALL_PROGRESS_SIZE];
    bool retry_asked;
    int64_t retry_after_ms;
};

extern const struct gantry_host
    call_host_functions; /* the table that each backend gets a copy of */

MUST_CHECK int call_init(struct gantry_call *call, struct runtime_backend *backend, const char *op);
void call_clear(struct gantry_call *call);
void call_enter(struct gantry_call *call); /* on the thread that is about to enter the plugin */
void call_leave(struct gantry_call *call);
bool call_is_here(const struct gantry_call *call); /* entered, and by this thread */
void call_cancel(struct gantry_call *call);
int call_cancel_fd(struct gantry_call *call); /* kept by the call; -1 when none is to be had */
/* The plugin has broken a rule: that is the result, whatever it returns.  Returns
 * GANTRY_E_INTERNAL. */
int call_break(struct gantry_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same, while call->lock is held. */
int call_break_locked(struct gantry_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Make the result of what the plugin returned: the code, and, if it is not 0, *err. */
int call_judge(struct gantry_call *call, int returned, struct gantry_error **err);
/* Replace what is no UTF-8, and control characters, by '?' and blanks. */
void call_clean_text(char *text);
/* Put an emitted item into the job; called with call->lock held and call->job set. */
MUST_CHECK int emit_locked(struct gantry_call *call, uint32_t kind, const void *item);
/* Check an event.  *out: borrows from the item.  Called with call->lock held. */
MUST_CHECK int emit_check_event(struct gantry_call *call, uint32_t kind, const void *item,
                                struct gantry_event *out);
/* What a successful operation must have emitted, and did not: GANTRY_E_INTERNAL. */
MUST_CHECK int emit_check_whole(struct gantry_call *call, struct runtime_job *job);
const void *http_extension(void);
const void *folder_extension(void);
/* gantry_wait(). */
int call_wait(struct gantry_call *call, const int32_t *fds, uint32_t n, int64_t timeout_ms,
              uint32_t flags);

/* ---- backends -------------------------------------------------------------------------------- */

/* So many calls of one backend may hang; after that it is not entered until one returns. */
#define BACKEND_HUNG_MAX 8

struct runtime_backend {
    union {
        struct gantry_host host; /* first: the plugin's pointer to it is a pointer to this */
        unsigned char host_bytes[RUNTIME_HOST_MAX_BYTES];
    };
    void *tap_context; /* of runtime_open_tapped() */
    struct gantry_plugin table;
    void *self;
    char *name;   /* NAME of [backend NAME] */
    char *folder; /* what outlives the host lies there; NULL: nothing does */
    struct http_pool *pool;
    struct runtime *runtime;

    /* under runtime->lock */
    size_t inside;         /* calls that have entered and not returned, the hung ones too */
    size_t hung;           /* of these */
    bool abandoned;        /* closed while one hangs: who returns last closes it */
    struct watch *watch;   /* whose thread has not left the plugin, or NULL */
    struct map changed;    /* its CHANGED that wait, by handle */
    size_t events_waiting; /* of its events, all kinds */
    bool watch_is_lost;    /* by the last LOST or SYNCED that it emitted */
};

/* The backend that was given this table. */
static inline struct runtime_backend *
runtime_backend_of(const struct gantry_host *host)
{
    return (struct runtime_backend *)(uintptr_t)host;
}

void
backend_destroy(struct runtime_backend *backend); /* calls the plugin's close; no lock is held */
/* Closed, and nobody is inside any more: the caller has to destroy it.  The lock is held. */
bool backend_is_left_locked(const struct runtime_backend *backend);

/* ---- jobs ------------------------------------------------------------------------------------ */

enum job_state { JOB_NEW, JOB_QUEUED, JOB_STARTED, JOB_INSIDE, JOB_HUNG, JOB_DONE };

struct runtime_job_private {
    struct gantry_call call;
    struct runtime_job *job; /* not to be used by the worker once state is HUNG */
    atomic_int refs;         /* the job's and the worker's */
    struct arena kept;       /* the job's arena, when it may not go before the call returns */
    void *owner;             /* of the freed job, likewise */
    void (*free_owner)(void *owner);

    /* under runtime->lock */
    struct runtime *runtime; /* NULL before it is submitted */
    enum job_state state;
    int64_t overtime_ms;                       /* when it counts as hung; 0: never */
    struct runtime_job_private *next, *before; /* in queue or running */
    struct runtime_job_private *next_done;     /* a hung one is in running and in done */
};

struct job_list {
    struct runtime_job_private *first, *last;
};
void job_list_add(struct job_list *list, struct runtime_job_private *p);
void job_list_remove(struct job_list *list, struct runtime_job_private *p);

void job_release(struct runtime_job_private *p);
/* What the operation may emit, and how often. */
void job_op_emits(enum runtime_op op, uint32_t *kind, uint32_t *max);
/* Do a started job on this worker: make the spec, enter the plugin, judge.  Returns with the job's
 * result set, unless the job was handed back as hung in the meantime. */
void job_run(struct runtime_job_private *p);

/* ---- watches --------------------------------------------------------------------------------- */

/* One event that waits for the loop. */
struct event_node {
    struct runtime_event event;
    struct event_node *next, *before;
};

enum watch_state { WATCH_INSIDE, WATCH_HUNG, WATCH_RETURNED };

/* One watch() and its thread.  The thread puts it among runtime->ended, and whoever comes by joins it. */
struct watch {
    struct gantry_call call;
    struct runtime *runtime;
    struct runtime_backend *backend; /* not to be used once it has left backend->watch */
    struct arena arena;
    const struct gantry_pair *labels; /* in arena */
    uint32_t label_count;
    pthread_t thread;
    struct event_node *ended; /* made before it begins, so that its end can always be told */

    /* under runtime->lock */
    enum watch_state state;
    int64_t overtime_ms; /* when it counts as hung; 0: nobody has asked it to end */
    bool orphan;         /* the runtime is gone: frees itself */
    struct watch *next;  /* in watches or ended */
};

/* Take what watch() emitted: the host's emit. */
MUST_CHECK int runtime_watch_emit(struct watch *watch, uint32_t kind, const void *item);
/* Ask one to end; it counts as hung after its time.  The lock is held. */
void runtime_watch_cancel_locked(struct watch *watch);
void runtime_watch_cancel_all_locked(struct runtime *runtime);
/* Tell the loop of those whose time is over, or of all that are inside.  The lock is held. */
void runtime_watch_sweep_locked(struct runtime *runtime, bool all);
int64_t
runtime_watch_due_locked(const struct runtime *runtime); /* when the next one's is; or INT64_MAX */
/* Is one in the plugin, or about to leave its thread, that does not hang?  The lock is held. */
bool runtime_watch_is_busy_locked(const struct runtime *runtime);
void runtime_watch_join_ended(struct runtime *runtime); /* no lock is held */
void runtime_watch_leave_hung(struct runtime *runtime); /* the runtime ends: they free themselves */

/* events.c: the queue. */
/* node: taken.  Never fails: it is merged with what waits, or the queue becomes a SYNCED.  The lock is held. */
void runtime_events_add_locked(struct runtime_backend *backend, struct event_node *node);
void runtime_events_drop_locked(struct runtime *runtime,
                                const struct runtime_backend *backend); /* NULL: all */
void runtime_event_node_free(struct event_node *node);
/* The eventfd is readable while jobs or events wait: clear it when none do.  The lock is held. */
void runtime_settle_fd_locked(struct runtime *runtime);

/* ---- the runtime ----------------------------------------------------------------------------- */

struct worker {
    struct runtime *runtime;
    pthread_t thread;
    struct runtime_job_private *doing; /* NULL: idle */
    bool lost;                         /* its call hangs: another worker has taken its place */
    bool orphan;                       /* the runtime is gone: frees itself */
    struct worker *next;
};

struct runtime {
    size_t worker_max;
    atomic_uint_least64_t progress_count;
    int64_t overtime_allowed_ms; /* RUNTIME_OVERTIME_MS, or as runtime_allow_overtime() says */
    int done_fd;
    pthread_mutex_t lock;
    pthread_cond_t work;  /* something may have become eligible, or stopping */
    pthread_cond_t quiet; /* a call has ended, or a log line was written */
    pthread_cond_t poke;  /* the overtime thread has to look again */
    pthread_t overtime_thread;
    char *folder; /* of what the backends keep; NULL: nothing is kept */

    /* under lock */
    struct log *log; /* NULL from runtime_free on */
    size_t logging;  /* threads that write to it now */
    struct job_list queue, running;
    struct runtime_job_private *done_first, *done_last;
    struct watch *watches, *ended;
    struct event_node *event_first, *event_last;
    size_t queued;
    struct worker *workers;
    size_t live, idle;  /* workers that are not lost; those that wait */
    int64_t watched_ms; /* until when the overtime thread sleeps; INT64_MAX: for ever */
    bool stopping;
    size_t refs; /* the owner's, the backends', the orphans' */
};

void runtime_ref_locked(struct runtime *runtime);
void runtime_unref(struct runtime *runtime); /* the last one frees it */
/* Borrow the log for one line; NULL: there is none.  Each non-NULL is given back. */
struct log *runtime_log_borrow(struct runtime *runtime);
void runtime_log_return(struct runtime *runtime);
/* Wait for a condition of the runtime, whose lock is held, until until_ms.  false: the time is
 * over. */
bool runtime_wait(struct runtime *runtime, pthread_cond_t *cond, int64_t until_ms);

/* A worker for what is queued: wake one, or start one.  The lock is held. */
void runtime_wake_locked(struct runtime *runtime);
/* Done: hand it to the loop.  The lock is held. */
void runtime_post_locked(struct runtime *runtime, struct runtime_job_private *p);
/* Take a queued job out as failed.  The lock is held. */
void runtime_refuse_locked(struct runtime *runtime, struct runtime_job_private *p, int code,
                           const char *why);
/* Refuse all queued jobs that would have to wait for a hung call.  The lock is held. */
void runtime_refuse_stuck_locked(struct runtime *runtime);
/* Set when a call counts as hung, and see that the overtime thread knows.  The lock is held. */
void overtime_set_locked(struct runtime_job_private *p, int64_t at_ms);
/* See that the overtime thread looks at this time.  The lock is held. */
void overtime_poke_locked(struct runtime *runtime, int64_t at_ms);
/* Hand back what hangs: whose time is over, or all that are inside.  The lock is held, and is
 * released in between. */
void overtime_sweep_locked(struct runtime *runtime, bool all);
void *overtime_main(void *runtime);
/* Cancel a job wherever it is.  The lock is held. */
void runtime_cancel_locked(struct runtime_job_private *p);
/* Give up the workers: join those that end, detach those that hang.  No lock is held. */
void workers_end(struct runtime *runtime);

#endif
