/* manager_internal.h - the manager's state: one loop thread owns all of it.
 *
 *   platform_side.c  asks platforms: ping, listing, configurations      ─┐
 *   backend_side.c   asks backends: listing, inspecting                  ├─► decide.c ──► act.c ──►
 * workers observe.c        turns what backends say into each connector's set  ─┘       │ report.c,
 * tail.c what platforms are told                          ◄──────────┘
 *
 * Whatever changes about a connector ends in connector_touch(), which puts it on the list of those
 * that loop.c decides about next.  Each answer of a listing carries the number of the question
 * (`asked`), and each connector the number of its last action (`acted`): an answer to an older
 * question says nothing about it, or a listing that was on its way while a workload was made would
 * make it twice (S1). */
#ifndef MANAGER_INTERNAL_H
#define MANAGER_INTERNAL_H

#include "compiler.h"
#include "config.h"
#include "crypto.h"
#include "http.h"
#include "log.h"
#include "map.h"
#include "platform.h"
#include "reconcile.h"
#include "runtime.h"
#include "vec.h"

#include <gantry/gantry.h>
#include <pthread.h>
#include <stdatomic.h>

#define NEVER_MS INT64_MAX

/* Reports, reads and inspections that run side by side; actions have `concurrency`. */
#define REPORTS_PER_PLATFORM  16
#define LOGS_IN_FLIGHT        4
#define INSPECTIONS_IN_FLIGHT 2
/* Workers of each backend beyond those for actions, so that a slow pull holds up no listing. */
#define READ_WORKERS (LOGS_IN_FLIGHT + INSPECTIONS_IN_FLIGHT + 1)
/* Two listings of one backend are at least this far apart. */
#define LIST_GAP_MS 200

struct connector;
struct gantry_manager;

/* One workload as the backend last described it. */
struct seen {
    char *handle, *name, *hash, *image; /* hash, image: may be NULL */
    enum gantry_state state;
    uint32_t present; /* GANTRY_STATUS_* */
    int32_t exit_code;
    bool out_of_memory;
    int64_t created_ms, started_ms, finished_ms, restarts;
    bool inspected; /* since its state last changed */
    bool stale;     /* inspect again, though its state has not changed: health is due */
    bool passed;    /* used while a listing is applied */
};

/* The last lines of a connector, as the platform gets them. */
struct tail {
    char **lines; /* ring of `size` lines, owned */
    size_t size, first, count;
    char *cursor; /* of the plugin; NULL: from the end */
    char *handle; /* the workload that cursor belongs to */
    bool dirty;   /* lines that the platform has not got */
};

struct connector {
    struct platform_side *platform;
    char *id, *name, *image, *hash;
    enum platform_wish wish;
    char *problem;                     /* of the listing; NULL: none */
    enum platform_status known;        /* what the platform knows */
    enum platform_status listed_known; /* what the last listing said of that */
    uint64_t known_asked; /* number of the listing that said so, or of our later report */
    bool listed;
    bool ours;     /* removal is allowed by S2 */
    bool released; /* not listed, and the guard lets it go (S3) */
    bool passed;   /* used while a listing is applied */

    /* what the backend has */
    VEC(struct seen) seen;
    size_t removing;
    uint64_t acted; /* number of the last question asked when its last action ended */
    bool observed;  /* the set is known */
    bool hung;      /* its last action is still inside the plugin */
    bool inspecting;
    bool reads;             /* is in its backend's read_queue */
    uint64_t inspect_asked; /* number of the inspection */
    uint32_t not_found;     /* inspections in a row that found nothing */

    /* what is being done */
    struct reconcile_memory memory;
    struct reconcile_decision decision;
    struct runtime_job *job; /* its action in flight, or NULL; owned by the runtime */
    enum reconcile_action doing;
    bool cancelled; /* the action in flight was asked to end */
    bool waits;     /* is in manager.waiting */
    int64_t acting_since_ms;
    bool second_name; /* the plain name is taken: `name-` and 8 hex digits */
    char *standing;   /* why it can be neither created nor replaced, as it was said; NULL: it can */
    char *reason;     /* why it is not as wished; NULL: it is */
    struct platform_configuration *configuration; /* as the platform gave it; NULL: not fetched */
    struct arena configuration_arena;             /* what it lives in */

    /* what is told */
    struct tail tail;
    bool reading; /* a LOGS job is in flight */
    bool health_due, report_queued, reporting;
    int64_t logs_ms, health_ms, report_retry_ms; /* when next */
    uint32_t report_failures;
    char *report_problem;    /* the refusal that was said; NULL: none */
    enum reconcile_say said; /* in the report that is on its way */
    bool said_health, said_logs;

    bool touched;   /* is in manager.touched */
    int64_t due_ms; /* decide again at the latest */
};

/* One thing that is asked again and again: when next, and how it went. */
struct asking {
    bool in_flight;
    bool answered;     /* at least once */
    bool failing;      /* the last answer was an error, which has been said */
    uint32_t failures; /* in a row */
    int64_t next_ms;
    char *problem; /* text of the last error; NULL: none */
};

struct platform_side {
    struct gantry_manager *manager;
    const struct config_platform *settings;
    struct platform *platform;
    struct backend_side *backend;
    struct map connectors; /* id -> struct connector *, in the platform's order at first sight */
    struct asking ping, list, configure;
    bool ping_ended; /* at least once, well or not */
    bool refused;    /* another manager is registered there */
    bool configure_wanted;
    uint64_t list_asked; /* number of the listing in flight */
    struct guard_memory guard;
    enum guard_verdict verdict;
    char *doubt; /* of the last listing; NULL: none */
    size_t reports_in_flight;
    char *report_problem; /* the last refusal of a report that was said; NULL: none */
    VEC(struct connector *) report_queue;
};

struct backend_side {
    struct gantry_manager *manager;
    const struct config_backend *settings;
    size_t index;
    struct runtime_plugin *plugin;
    struct runtime_backend *backend;
    struct asking list;
    uint64_t list_asked;
    bool stale; /* list again as soon as LIST_GAP_MS allows */
    size_t logs_in_flight, inspections_in_flight;
    uint64_t list_applied;              /* number of the newest listing that was taken over */
    VEC(struct connector *) read_queue; /* wait for a read: inspect or logs */
};

struct gantry_manager {
    struct config *config;
    struct log log;
    struct log_output *output; /* where lines go, but for an embedder's callback */
    void *callback;            /* the embedder's, for the log's sink */
    const struct config_manager *settings;
    struct crypto_ring *ring; /* NULL without a key */
    char *public_key, *fingerprint;
    char **environment; /* copy of the embedder's */
    struct http_loop *http;
    struct runtime *runtime;
    struct platform_side *platforms;
    size_t platform_count;
    struct backend_side *backends;
    size_t backend_count;

    uint32_t how;   /* GANTRY_RUN_* */
    bool confirmed; /* GANTRY_RUN_CONFIRM_REMOVALS */
    int stop_fd;    /* eventfd: written by gantry_manager_stop() */
    atomic_bool stopping;
    int lock_fd;
    uint64_t asked; /* numbers of questions, for S1 */
    size_t actions_in_flight;
    VEC(struct connector *) touched;
    VEC(struct connector *) waiting; /* want an action, and wait for a free worker */
    int64_t scan_ms;                 /* the nearest due_ms, logs_ms, health_ms of all connectors */
    bool state_dirty, state_failing;
    int64_t state_ms;                 /* when state was last written */
    struct gantry_error *first_error; /* GANTRY_RUN_ONCE, _DRY: what is returned */

    pthread_mutex_t snapshot_lock;
    struct gantry_snapshot *snapshot; /* the last published; its maker keeps one reference */
    bool changed;                     /* since it was published */
};

/* manager_new.c */
struct backend_side *manager_backend_of(struct gantry_manager *m, const struct runtime_job *job);

/* connector.c */
struct connector *connector_new(struct platform_side *p, const char *id);
void connector_free(struct connector *c);
void connector_touch(struct connector *c);
bool connector_is_forgotten(
    const struct connector *c); /* nothing is left of it, and nobody asks for it */
void connector_set_reason(struct connector *c, const char *reason); /* NULL: as wished */
/* Replaces a text; NULL clears.  GANTRY_E_NOMEM leaves the old one, which texts for people may
 * ignore. */
int text_set(char **slot, const char *text);
void seen_clear(struct seen *s);
struct seen *connector_seen(struct connector *c, const char *handle);
const struct seen *connector_kept(const struct connector *c); /* that stands for it; NULL: none */
bool state_is_live(enum gantry_state state);
void connector_drop_configuration(struct connector *c); /* wipes it */
MUST_CHECK int connector_keep_configuration(struct connector *c,
                                            const struct platform_configuration *from);
const struct config_backend *connector_backend(const struct connector *c);
void connector_read_later(struct connector *c); /* put it on its backend's queue of reads */

/* asking.c */
bool asking_due(const struct asking *a, int64_t now_ms);
void asking_begin(struct asking *a);
/* How it went: true when that is news (it began to fail, for another reason, or is well again). */
bool asking_end(struct asking *a, int code, const struct gantry_error *error, int64_t period_ms);

/* platform_side.c */
void platform_side_step(struct platform_side *p, int64_t now_ms);
int64_t platform_side_due(const struct platform_side *p);
bool platform_side_accepts(const struct platform_side *p); /* may its wishes be acted on? */
bool platform_side_up(const struct platform_side *p);
void platform_side_want_configuration(struct platform_side *p);

/* listing.c */
void listing_apply(struct platform_side *p, struct platform_listing *listing, uint64_t asked);
void listing_repeated(struct platform_side *p);
void listing_guard(struct platform_side *p, bool complete);

/* backend_side.c */
void backend_side_step(struct backend_side *b, int64_t now_ms);
int64_t backend_side_due(const struct backend_side *b);
void backend_side_done(struct backend_side *b, struct runtime_job *job);
void backend_side_refresh(struct backend_side *b); /* list again soon */
void backend_side_refresh_in(struct backend_side *b, int64_t ms);

/* reads.c */
void reads_run(struct backend_side *b);
void read_inspected(struct connector *c, struct runtime_job *job);

/* observe.c */
/* The platform that a workload belongs to, or NULL: not ours at all.  *ours: it may be removed when
 * that platform does not list it. */
struct platform_side *observe_owner(struct backend_side *b, const struct gantry_status *status,
                                    bool *ours);
void observe_list(struct backend_side *b, const struct runtime_job *job, uint64_t asked);
MUST_CHECK int observe_status(struct connector *c, const struct gantry_status *status, bool full);

/* decide.c */
void decide(struct connector *c, int64_t now_ms);
int64_t connector_next(int64_t now_ms, int64_t period_ms);

/* act.c */
void act_begin(struct connector *c, int64_t now_ms);
void act_done(struct connector *c, struct runtime_job *job);
void act_refused(struct connector *c, const char *text);
void act_waiting(struct gantry_manager *m);

/* workload.c: what a workload is made of */
MUST_CHECK int workload_name(const struct connector *c, char name[64]);
MUST_CHECK int workload_prepare(struct connector *c, struct runtime_job *job);
MUST_CHECK int workload_labels(const struct connector *c, struct arena *arena,
                               const struct gantry_pair **labels, uint32_t *count);

/* report.c */
void report_due(struct connector *c, int64_t now_ms);
void report_queue_run(struct platform_side *p);

/* tail.c */
void tail_init(struct tail *t, size_t lines);
void tail_clear(struct tail *t);
void tail_add(struct tail *t, struct str line);
void tail_say(struct connector *c, const char *text); /* a line of Gantry's own */
void tail_read(struct connector *c);
void tail_done(struct connector *c, struct runtime_job *job);

/* down.c */
MUST_CHECK int down_run(struct gantry_manager *m, struct gantry_error **err);

/* loop.c */
MUST_CHECK int loop_run(struct gantry_manager *m, struct gantry_error **err);

/* state.c */
MUST_CHECK int state_open(struct gantry_manager *m, struct gantry_error **err); /* takes the lock */
void state_close(struct gantry_manager *m);
void state_read(struct gantry_manager *m);
void state_write(struct gantry_manager *m);

/* snapshot.c */
void snapshot_publish(struct gantry_manager *m);
bool manager_is_settled(const struct gantry_manager *m);
bool platform_side_is_unjudged(const struct platform_side *p); /* for --once: list again */

/* log_output.c */
struct log_output;
MUST_CHECK int log_output_new(const struct config_log *settings, struct log_output **out,
                              struct log_sink *sink, bool *json, struct gantry_error **err);
void log_output_free(struct log_output *output);

#endif
