/* manager_internal.h - the manager's state: one loop thread owns all of it.
 *
 *   platform_side.c  asks platforms                    ─┐
 *   backend_side.c   asks backends                      ├─► decide.c ─► act.c ─► workers
 *   watching.c       hears from backends               ─┤       │
 *   observe.c        each connector's set of workloads ─┘       └─► report.c, tail.c ─► platforms
 *
 * Where a backend is drained, drain.c does the same for the workloads that connectors still have
 * there, beside the set on their own; which backends have any is remembered by places.c.  What
 * happens on the way is told by events.c, each thing once.
 *
 * Whatever changes about a connector ends in connector_touch(), which puts it on the list of those
 * that loop.c decides about next.  Each answer of a listing carries the number of the question
 * (`asked`), and each connector the number of its last action (`acted`): an answer to an older
 * question says nothing about it, or a listing that was on its way while a workload was made would
 * make it twice (S1). */
#ifndef MANAGER_INTERNAL_H
#define MANAGER_INTERNAL_H

#include "buf.h"
#include "compiler.h"
#include "config.h"
#include "crypto.h"
#include "http.h"
#include "images.h"
#include "log.h"
#include "map.h"
#include "platform.h"
#include "reconcile.h"
#include "runtime.h"
#include "states.h"
#include "vec.h"

#include <gantry/gantry.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#define NEVER_MS INT64_MAX

/* Reports, reads and inspections that run side by side; actions have `concurrency`. */
#define REPORTS_PER_PLATFORM  16
#define LOGS_IN_FLIGHT        4
#define INSPECTIONS_IN_FLIGHT 2
/* Workers of each backend beyond those for actions, so that a slow pull holds up no listing. */
#define READ_WORKERS (LOGS_IN_FLIGHT + INSPECTIONS_IN_FLIGHT + 1)
/* Two listings of one backend are at least this far apart. */
#define LIST_GAP_MS 200

struct cJSON;
struct away;
struct held;
struct noted;

/* One workload as the backend last described it. */
struct seen {
    char *handle;
    char *name;         /* its block has hash, too: seen_set_texts() */
    const char *hash;   /* NULL: none that can be read */
    const char *digest; /* of its image, by text_share(); NULL: not known */
    int64_t created_ms, started_ms, finished_ms, restarts;
    uint64_t changed; /* number of the last question when the watch named it; 0: never */
    uint64_t told;    /* number of the inspection that was taken over last */
    enum gantry_state state;
    uint32_t present; /* GANTRY_STATUS_* */
    int32_t exit_code;
    bool out_of_memory;
    bool named;     /* bears the label that only Gantry gives */
    bool inspected; /* since its state last changed */
    bool stale;     /* inspect again, though its state has not changed */
    bool passed;    /* used while a listing is applied */
};

/* The last lines of a connector, as the platform gets them. */
struct tail {
    bool dirty; /* lines that the platform has not got */
    uint32_t size, first, count;
    char **lines;      /* ring of `size` lines, owned; NULL before the first */
    char *cursor;      /* of the plugin; NULL: from the end */
    uint64_t workload; /* seen_identity() of the one that cursor belongs to */
};

/* What the log of events says of a connector so far, so that each thing is told once. */
struct told {
    const char *wish;    /* static; NULL: none yet */
    int64_t since_ms;    /* `state`, or the last attempt that failed (monotonic) */
    uint32_t exits;      /* memory.total_exits then */
    uint8_t state;       /* enum gantry_state; UNKNOWN: none yet; EVENTS_ABSENT */
    uint8_t acting_from; /* the state of the workload that the action in flight concerns */
    bool acting_on_kept; /* which is the one that stands for the connector */
    bool known, in_loop; /* an earlier run, or this one, has had it; memory.in_loop then */
    bool replaced;       /* the workload of before a replacement has still to go */
};
#define EVENTS_ABSENT ((uint8_t)STATES_COUNT)

/* Texts that few connectors have, each at most one of a kind. */
enum note {
    NOTE_PROBLEM,        /* of the listing */
    NOTE_STANDING,       /* why it can be neither created nor replaced, as it was said */
    NOTE_REASON,         /* why it is not as wished */
    NOTE_REPORT_PROBLEM, /* the refusal of a report that was said */
    NOTE_LAST_WORDS,     /* how it ended, to be said after its last lines */
    NOTE_CAUSE,          /* of the action in flight, for the events */
    NOTE_ERROR           /* of its last action, if that failed, as the events told it */
};

/* There are thousands of them: in each group, what is large comes first, so that no room is lost in between. */
struct connector {
    struct platform_side *platform;
    char *name, *hash;
    const char *image;                  /* by text_share(), as the next two: */
    const char *digest, *digest_before; /* of the images that it runs, ran before */
    uint64_t known_asked; /* number of the listing that said `known`, or of our later report */
    enum platform_wish wish;
    enum platform_status known;        /* what the platform knows */
    enum platform_status listed_known; /* what the last listing said of that */
    bool listed;
    bool remembered; /* is in the last good listing, of this run or of an earlier one */
    bool ours;       /* removal is allowed by S2 */
    bool released;   /* not listed, and the guard lets it go (S3) */

    /* what the backend has */
    VEC(struct seen) seen;
    uint64_t acted;         /* number of the last question asked when its last action ended */
    uint64_t acting_asked;  /* number of its action in flight */
    uint64_t changed;       /* as in struct seen: the watch named one that is not in the set yet */
    uint64_t inspect_asked; /* number of the inspection */
    uint32_t removing;
    uint32_t not_found;     /* inspections in a row that found nothing */
    uint32_t not_inspected; /* inspections in a row that failed */
    bool observed;          /* the set is known */
    bool hung;              /* its last action is still inside the plugin */
    bool set_changed;       /* the set, by the listing that is being applied */
    bool inspecting;

    /* what is being done */
    struct reconcile_memory memory;
    struct reconcile_decision decision;
    struct runtime_job *job;  /* its action in flight, or NULL; owned by the runtime */
    struct crypto_ring *ring; /* what that reads; NULL: nothing */
    int64_t acting_since_ms;
    struct noted *notes; /* connector_note() */
    struct away *away;   /* what it has on backends that are drained (drain.c); NULL: nothing */
    /* As the platform gave it; NULL: not fetched. */
    struct platform_configuration *configuration;
    int64_t due_ms; /* decide again at the latest */
    enum reconcile_action doing;
    bool cancelled;   /* the action in flight was asked to end */
    bool second_name; /* the plain name is taken: `name-` and 8 hex digits */

    /* what it is in, each for a while */
    bool passed;        /* the listing that is being applied */
    bool touched;       /* manager.touched */
    bool waits;         /* manager.waiting */
    bool reads;         /* its backend's read_queue */
    bool report_queued; /* platform_side.report_queue */

    /* what is told */
    bool reading;   /* a LOGS job is in flight */
    bool reporting; /* a report is on its way: the next three are of that */
    bool said_health, said_logs;
    enum reconcile_say said;
    uint32_t report_failures;
    int64_t logs_ms, health_ms, report_retry_ms; /* when next */
    int64_t told_started_ms;                     /* in the last health */
    int64_t last_words_ms;                       /* NOTE_LAST_WORDS are said at the latest then */
    bool last_lines;                             /* are being read */
    bool health_due;
    struct tail tail;
    struct told told; /* in events */

    char id[]; /* never changes */
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
    struct map
        connectors; /* id (borrowed) -> struct connector *, in the platform's order at first sight */
    struct map shared; /* text (borrowed) -> struct shared_text *: many connectors have the same */
    struct asking ping, list, configure;
    int64_t list_began_ms; /* the last one */
    bool ping_ended;       /* at least once, well or not */
    bool refused;          /* another manager is registered there */
    bool offline;          /* it could not be listed since the run began, which was said */
    bool configure_wanted;
    struct configuration_block *configurations; /* NULL but while an answer is taken over */
    uint64_t list_asked; /* number of the listing in flight; 0: a run before this one asked */
    struct guard_memory guard;
    enum guard_verdict verdict;
    char *doubt; /* of the last listing; NULL: none */
    size_t reports_in_flight;
    char *report_problem; /* the last refusal of a report that was said; NULL: none */
    VEC(struct connector *) report_queue;
};

/* A backend's watch (watching.c). */
struct watching {
    bool wanted;      /* by this run */
    bool unsupported; /* the plugin has none */
    bool running;     /* from its start to its last event */
    bool synced;      /* between SYNCED and LOST or its end */
    bool blind;       /* it did not tell of what we changed, and has told nothing since */
    uint32_t failures;
    int64_t retry_ms;  /* not started before */
    int64_t synced_ms; /* since then it is synced */
    int64_t event_ms;  /* of its last event */
    int64_t
        proof_ms; /* an event of our own change must have come by then; NEVER_MS: none is waited for */
    char *problem; /* as it was said; NULL: none */
};

struct backend_side {
    struct gantry_manager *manager;
    const struct config_backend *settings;
    size_t index;
    struct runtime_plugin *plugin;
    bool plugin_is_added; /* the program's own, which outlives this */
    struct runtime_backend *backend;
    struct asking list;
    uint64_t list_asked; /* number of the listing in flight; 0: a run before this one asked */
    int64_t listed_ms;   /* when the last one ended */
    int64_t looked_ms;   /* when the newest that was taken over was asked for */
    bool stale;          /* list again as soon as LIST_GAP_MS allows */
    size_t logs_in_flight, inspections_in_flight;
    uint64_t list_applied;              /* number of the newest listing that was taken over */
    VEC(struct connector *) read_queue; /* wait for a read: inspect or logs */
    struct watching watch;
    struct images images;
    struct map handles; /* handle (borrowed of `seen`) -> struct connector *, of all that is seen */
    struct map strangers; /* handles that events may name for nothing: nobody's, or removed by us */
    char *place;          /* where it is (places.c) */
    bool missed;    /* drained: something of the listing that is being applied was not taken over */
    uint32_t empty; /* drained: listings in a row that showed nothing that has to move */
    bool drained;   /* that was said */
};

/* What the embedder gave, copied, as it outlives the call that gave it. */
struct manager_given {
    char *path, *text;
    char **environment;
    VEC(struct gantry_assignment) assignments; /* texts owned */
    VEC(struct runtime_plugin *) plugins;      /* the program's own */
    VEC(struct gantry_platform) platforms;     /* likewise; names owned */
    void (*log)(void *context, int level, const char *line, size_t length);
    void *log_context;
    void (*event)(void *context, const struct gantry_manager_event *event);
    void *event_context;
};

/* Locks: `lock` is held while the loop works (begin, step, end) and while a picture is taken; it is not
 * held while the loop waits. */
struct gantry_manager {
    struct manager_given given;
    pthread_mutex_t lock;
    int wake_fd; /* eventfd: written by gantry_manager_stop() and its like */
    int wait_fd; /* epoll: wake_fd, and whatever else the loop waits for */
    atomic_bool stopping, reload_wanted, refresh_wanted;
    bool open, running;
    pthread_t thread; /* of gantry_manager_start() */

    struct config *config;
    char *settings_problem; /* why the last reload was refused; NULL: it was not */
    struct log log;
    struct events_file *events; /* NULL: none was told yet */
    struct log_output *output;  /* where lines go, but for an embedder's callback */
    const struct config_manager *settings;
    struct crypto_ring *ring; /* NULL without a key */
    char *public_key, *fingerprint;
    struct http_loop *http;
    struct runtime *runtime;
    struct platform_side *platforms;
    size_t platform_count;
    struct backend_side *backends;
    size_t backend_count;
    VEC(struct held) held; /* places.h */

    uint32_t how;   /* GANTRY_RUN_* */
    bool confirmed; /* GANTRY_RUN_CONFIRM_REMOVALS */
    int lock_fd;
    uint64_t asked; /* numbers of questions, for S1 */
    size_t actions_in_flight;
    pause_list pauses;
    VEC(struct connector *) touched;
    VEC(struct connector *) waiting; /* want an action, and wait for a free worker */
    int64_t scan_ms;                 /* the nearest due_ms, logs_ms, health_ms of all connectors */
    bool state_dirty, state_failing;
    bool state_urgent;                /* what changed is worth more than one write in a while */
    int64_t state_ms;                 /* when state was last written */
    int64_t state_took_ms;            /* that write */
    struct gantry_error *first_error; /* GANTRY_RUN_ONCE, _DRY, _DOWN: what is returned */
    int down_code;

    struct gantry_snapshot *snapshot; /* the last that was made; the manager holds one reference */
    uint64_t revision;
    bool changed;            /* since `revision` */
    uint64_t progress_count; /* of the runtime, then */
};

/* manager_new.c */
MUST_CHECK int manager_assign(struct gantry_manager *m, const char *section, const char *key,
                              const char *value);
struct runtime_plugin *manager_added_plugin(const struct gantry_manager *m, const char *name);
const struct gantry_platform *manager_added_platform(const struct gantry_manager *m,
                                                     const char *name);
void manager_log_begin(struct gantry_manager *m);
MUST_CHECK int manager_wait_for(struct gantry_manager *m, int fd, struct gantry_error **err);

/* manager_open.c */
void manager_close(struct gantry_manager *m);
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
/* The note of a kind; NULL: none.  Borrowed until it is replaced, as by text_set(). */
const char *connector_note(const struct connector *c, enum note note);
int connector_set_note(struct connector *c, enum note note, const char *text);
size_t text_size(const char *text);                  /* with its NUL; 0 of NULL */
const char *text_place(char **to, const char *text); /* copies it there, and moves *to behind it */
MUST_CHECK int connector_set_image(struct connector *c, const char *image);
/* The platform's one copy of a text; NULL when memory ran out.  Each is given back; NULL: no-op. */
MUST_CHECK const char *text_share(struct platform_side *p, const char *text);
void text_unshare(struct platform_side *p, const char *text);
void seen_clear(struct seen *s);
MUST_CHECK int seen_set_texts(struct seen *s, const char *name,
                              const char *hash); /* hash: or NULL */
uint64_t seen_identity(const struct seen *s);    /* a number for its handle; never 0 */
struct seen *connector_seen(struct connector *c, const char *handle);
struct seen *connector_add_seen(struct connector *c, const char *handle); /* NULL: no memory */
void connector_drop_seen(struct connector *c, size_t i);
/* What the watch named after question `asked` was put is still to be inspected. */
void connector_still_changed(struct connector *c, uint64_t asked);
const struct seen *connector_kept(const struct connector *c); /* that stands for it; NULL: none */
/* That runs, for people and for the platform: the one that stands for it, or while that does not
 * run one on a backend that is drained; NULL: none. */
const struct seen *connector_shown(const struct connector *c);
bool state_is_live(enum gantry_state state);
const char *state_name(enum gantry_state state); /* as in GANTRY_STATES */
const struct config_backend *connector_backend(const struct connector *c);
void connector_read_later(struct connector *c); /* put it on its backend's queue of reads */

/* configuration.c */
MUST_CHECK int connector_keep_configuration(struct connector *c,
                                            const struct platform_configuration *from);
void connector_drop_configuration(struct connector *c); /* wipes it */
void configurations_taken(struct platform_side *p);     /* no more is kept for now */

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
/* It could not be listed since the run began: what is known of it is its last good listing. */
bool platform_side_is_offline(const struct platform_side *p);
void platform_side_want_configuration(struct platform_side *p);

/* listing.c */
void listing_apply(struct platform_side *p, struct platform_listing *listing, uint64_t asked);
void listing_repeated(struct platform_side *p);
void listing_guard(struct platform_side *p, bool complete);

/* backend_side.c */
void backend_side_step(struct backend_side *b, int64_t now_ms);
int64_t backend_side_due(const struct backend_side *b);
void backend_side_done(struct backend_side *b, struct runtime_job *job);
struct runtime_job *backend_side_list_job(struct backend_side *b); /* of ours; NULL: no memory */
void backend_side_refresh(struct backend_side *b);                 /* list again soon */
void backend_side_refresh_in(struct backend_side *b, int64_t ms);

/* watching.c */
void watching_begin(struct backend_side *b); /* with each run that watches */
void watching_end(struct backend_side *b);
void watching_clear(struct backend_side *b);
bool watching_is_healthy(const struct backend_side *b);
int64_t watching_list_period_ms(const struct backend_side *b);
void watching_step(struct backend_side *b, int64_t now_ms);
int64_t watching_due(const struct backend_side *b);
void watching_take(struct gantry_manager *m);   /* the events that wait */
void watching_acted(const struct connector *c); /* its action really changed something */
void watching_ignore(struct backend_side *b,
                     const char *handle); /* nothing is learnt of its events */

/* reads.c */
void reads_run(struct backend_side *b);
void read_inspected(struct connector *c, struct runtime_job *job);

/* observe.c */
/* The platform of these settings that a workload belongs to, whatever backend it is on; or NULL: not
 * ours at all.  *ours: it may be removed when
 * that platform does not list it. */
struct platform_side *observe_platform(struct gantry_manager *m, const struct gantry_status *status,
                                       bool *ours);
/* The same; NULL also for what is of no concern on this backend. */
struct platform_side *observe_owner(struct backend_side *b, const struct gantry_status *status,
                                    bool *ours);
const char *observe_label(const struct gantry_status *status, const char *key); /* or NULL */
MUST_CHECK int observe_seen(struct seen *s, const struct gantry_status *status, bool full);
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
char *workload_image(const struct connector *c); /* in full; owned, free(); NULL: no memory */
MUST_CHECK int workload_prepare(struct connector *c, struct runtime_job *job);
MUST_CHECK int workload_labels(const struct connector *c, struct arena *arena,
                               const struct gantry_pair **labels, uint32_t *count);

/* report.c */
void report_due(struct connector *c, int64_t now_ms);
void report_queue_run(struct platform_side *p);

/* tail.c */
void tail_init(struct tail *t, uint32_t lines);
void tail_clear(struct tail *t);
void tail_resize(struct tail *t, int64_t lines); /* the newest stay */
void tail_add(struct tail *t, struct str line);
void tail_say(struct connector *c, const char *text); /* a line of Gantry's own */
void tail_read(struct connector *c);
void tail_read_last(struct connector *c); /* of a run that has ended: exits_say() follows */
void tail_done(struct connector *c, struct runtime_job *job);

/* exits.c */
void exits_look(struct connector *c, int64_t now_ms); /* after each decision */
bool exits_want_lines(const struct connector *c);
void exits_say(struct connector *c); /* its last lines are there, or will not come */

/* down.c */
MUST_CHECK int down_run(struct gantry_manager *m, struct gantry_error **err);

/* loop.c */
void loop_begin(struct gantry_manager *m);
bool loop_step(struct gantry_manager *m); /* false: the run has ended */
int loop_timeout_ms(const struct gantry_manager *m);

/* state.c */
MUST_CHECK int state_open(struct gantry_manager *m, struct gantry_error **err); /* takes the lock */
void state_close(struct gantry_manager *m);
/* What cannot be read or understood is said and ignored; fails with GANTRY_E_NOMEM alone: half of it would
 * be written back. */
MUST_CHECK int state_read(struct gantry_manager *m, struct gantry_error **err);
void state_write(struct gantry_manager *m);
int64_t state_due(const struct gantry_manager *m); /* when it is to be written; NEVER_MS */

/* state_memory.c: what the state file has of one connector beside its wish: members of its object, of which there are
 * some already; json: may be NULL */
void state_add_runs(struct buf *b, const struct connector *c);
void state_read_runs(const struct cJSON *json, struct connector *c);
void state_add_listing(struct buf *b, const struct connector *c);
MUST_CHECK int state_read_listing(const struct cJSON *json, struct connector *c);

/* snapshot.c */
bool manager_is_settled(const struct gantry_manager *m);
bool platform_side_is_unjudged(const struct platform_side *p); /* for --once: list again */

#endif
