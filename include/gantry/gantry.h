/* gantry/gantry.h - embedding: make a manager, run it, look at it, stop it.
 *
 * A manager has one identity and one key, one or more platforms that say which connectors should run, and
 * for each a backend that runs them.  Several managers may live in one process.
 *
 *     struct gantry_manager *m = NULL;
 *     struct gantry_error *err = NULL;
 *     struct gantry_options o = {.size = sizeof o, .path = "/etc/gantry/gantry.ini"};
 *     if (gantry_manager_new(&o, &m, &err) < 0 || gantry_manager_run(m, GANTRY_RUN_DAEMON, &err) < 0)
 *         fprintf(stderr, "%s\n", err->message);
 *     gantry_manager_free(m);
 *     gantry_error_free(err);
 *
 * The life of a manager
 *     gantry_manager_new()                               the options are taken over
 *     gantry_manager_add_plugin(), _add_platform()       what the program itself brings, if anything
 *     gantry_manager_open()                              settings, plugins and key are read and checked
 *     one of three ways to run, any number of times:
 *       gantry_manager_run()                             on the calling thread, until it has ended
 *       gantry_manager_start(), _join()                  on a thread of its own
 *       gantry_manager_begin(), _step() ..., _end()      inside the program's own loop
 *     gantry_manager_free()
 *
 * Callbacks (log, event, those of an own platform) are called while the manager is locked: they are
 * brief, they may call gantry_manager_stop(), _reload() and _snapshot(), and no other thread may hold what
 * they wait for while it calls gantry_manager_snapshot(). */
#ifndef GANTRY_GANTRY_H
#define GANTRY_GANTRY_H

#include <gantry/platform.h>
#include <gantry/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gantry_manager;  /* opaque */
struct gantry_plugin;   /* gantry/plugin.h */
struct gantry_platform; /* gantry/platform.h */

/* One setting from code: what "KEY = VALUE" in [SECTION] of a settings file would say. */
struct gantry_assignment {
    const char *section; /* such as "manager", "platform NAME" */
    const char *key;
    const char *value;
};

/* Something that happened to a connector, or to the manager.  Texts are never NULL; "": does not apply.
 * They hold no secret. */
struct gantry_manager_event {
    uint32_t size;     /* sizeof(struct gantry_manager_event) */
    uint32_t reserved; /* 0 */
    int64_t time_ms;   /* Unix time in milliseconds */
    /* state: it changed by itself, not by an action; action: one has ended, or could not begin; wish: the
     * platform wishes something else, or gives another hash (from and to are the same then); loop: it
     * begins or ends to restart for ever; manager, platform, backend: of these, not of a connector */
    const char *kind;
    const char *platform; /* NAME of [platform NAME] */
    const char *backend;  /* NAME of [backend NAME] */
    const char *id;       /* of the connector */
    const char *name;     /* of the connector; of the workload when all are taken down */
    /* state, action: states of its workload, as in struct gantry_connector (action: of the workload that it
     * concerned; to: "" when it failed, as nobody knows how far it came).  wish: run, halt, odd, gone; from:
     * "" when it was not known.  loop: steady, looping.  manager: "", running, stopped.  platform,
     * backend: answering, lost; of one with 'drain = yes' also draining, drained. */
    const char *from, *to;
    /* create, start, replace, stop, remove; adopt: it was there before this manager, which takes it over */
    const char *action;
    const char *cause; /* why, one line for a person */
    /* Why it failed, one line; "": it did not.  The same failure again is no event. */
    const char *error;
    int64_t duration_ms; /* of the action; -1: none */
};

/* Where a manager's settings come from, and where its log goes.  Zero is a good default for each field. */
struct gantry_options {
    uint32_t size; /* sizeof(struct gantry_options) */
    uint32_t reserved;
    const char *path;         /* borrowed; the settings file; may be NULL: environment alone */
    const char *text;         /* borrowed; the settings instead of a file; may be NULL */
    char *const *environment; /* borrowed; NULL-terminated KEY=VALUE; may be NULL: none is read */
    /* Gets each line of the log instead of standard error or [log] file; may be NULL.  level: 0 error,
     * 1 warning, 2 information, 3 debug; line: borrowed, length bytes, no newline.  [any], one at a time. */
    void (*log)(void *context, int level, const char *line, size_t length);
    void *log_context; /* kept by the manager */
    /* Settings from code, over those of file, text and environment.  Borrowed; may be NULL when the count
     * is 0. */
    const struct gantry_assignment *assignments;
    uint32_t assignment_count;
    uint32_t assignment_stride; /* sizeof(struct gantry_assignment) */
    /* Gets each event, beside the log of events in the state folder; may be NULL.  event: borrowed.
     * [loop], and for the begin of a run the thread that begins it */
    void (*event)(void *context, const struct gantry_manager_event *event);
    void *event_context; /* kept by the manager */
};

/* Make a manager.  Reads nothing yet.
 * options: borrowed; its texts are copied.
 * *out: owned, gantry_manager_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_UNAVAILABLE (no more file descriptors) or GANTRY_E_NOMEM.  [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_new(const struct gantry_options *options,
                                                    struct gantry_manager **out,
                                                    struct gantry_error **err);

/* Bring a plugin that is part of this program: a backend whose plugin is called so uses it, and no file is
 * looked for.
 * plugin: kept.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_INVALID (what the message says is wrong with the table), GANTRY_E_CONFLICT (the
 * manager is open already, or has one of that name) or GANTRY_E_NOMEM.  [any & not open] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_add_plugin(struct gantry_manager *manager,
                                                           const struct gantry_plugin *plugin,
                                                           struct gantry_error **err);

/* Bring a platform that is part of this program.  It needs no [platform NAME] section; one with
 * "kind = custom" gives it settings.
 * platform: copied; its name too, its context is kept.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_INVALID (the message says what is wrong), GANTRY_E_CONFLICT (the manager is open
 * already, or has one of that name) or GANTRY_E_NOMEM.  [any & not open] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_add_platform(struct gantry_manager *manager,
                                                             const struct gantry_platform *platform,
                                                             struct gantry_error **err);

/* Read and check the settings, load and open the plugins, read the key.  Contacts nobody, and changes
 * nothing.  Running opens, when this was not called; a manager that is open stays so.
 * err: may be NULL; *err: owned, gantry_error_free().  For bad settings its message is the first problem;
 * the causes behind it are the others, in order, one line each.
 * Returns 0, GANTRY_E_INVALID (bad settings) or GANTRY_E_NOMEM.  [any & not running] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_open(struct gantry_manager *manager,
                                                     struct gantry_error **err);

/* Stop everything that is in progress, and free.  Workloads run on.
 * manager: taken; may be NULL; not running.  [any] */
GANTRY_API void gantry_manager_free(struct gantry_manager *manager);

/* How to run. */
#define GANTRY_RUN_DAEMON 0u /* until gantry_manager_stop() */
#define GANTRY_RUN_ONCE   1u /* cycles until nothing is due but back-off */
#define GANTRY_RUN_DRY    2u /* one cycle that says each action and why; touches nothing */
#define GANTRY_RUN_DOWN   3u /* stop and remove all workloads of this manager */

/* With GANTRY_RUN_ONCE, by |: the operator's word that all connectors that have vanished from a platform's
 * listing may be removed, even if that is every one of them. */
#define GANTRY_RUN_CONFIRM_REMOVALS UINT32_C(0x100)

/* Run on this thread, until it is done or stopped.  Takes the lock in the state folder first: a second
 * manager on the same folder is refused before anything is contacted.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0; GANTRY_E_CONFLICT (the state folder is in use), GANTRY_E_INVALID (the state
 * folder cannot be used; or a backend that still holds workloads of this manager is not used any more by these
 * settings, and is not drained: but for GANTRY_RUN_DOWN); for GANTRY_RUN_ONCE and GANTRY_RUN_DRY GANTRY_E_UNAVAILABLE when a platform or a
 * backend could not be asked, or an action failed; for GANTRY_RUN_DOWN GANTRY_E_UNAVAILABLE
 * when something could not be taken down.  [any], it becomes [loop] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_run(struct gantry_manager *manager, uint32_t how,
                                                    struct gantry_error **err);

/* Run on a thread of its own.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, what gantry_manager_begin() returns, or GANTRY_E_UNAVAILABLE (no thread could be started).
 * [any & not running] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_start(struct gantry_manager *manager, uint32_t how,
                                                      struct gantry_error **err);

/* Wait until the thread of gantry_manager_start() has ended: by gantry_manager_stop(), or by itself.
 * Returns what gantry_manager_end() returns.  [any & started] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_join(struct gantry_manager *manager,
                                                     struct gantry_error **err);

/* Inside a loop of the program's own:
 *
 *     if (gantry_manager_begin(m, GANTRY_RUN_DAEMON, &err) == 0) {
 *         while (gantry_manager_step(m)) {
 *             struct pollfd fd = {.fd = gantry_manager_fd(m), .events = POLLIN};
 *             poll(&fd, 1, gantry_manager_timeout_ms(m));
 *         }
 *         code = gantry_manager_end(m, &err);
 *     }
 */

/* Begin to run; how: as for gantry_manager_run(), but for GANTRY_RUN_DOWN, which blocks.  Opens the manager
 * and takes the lock in its state folder.  Where the settings have a backend that nothing uses, or one that
 * remembers workloads of a platform that has left it, that is asked what it still has: this waits for it, for
 * 10 s at most, each.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0; GANTRY_E_CONFLICT (the state folder is in use, or the manager runs), GANTRY_E_INVALID (the
 * settings, the state folder, how, or workloads that would be left behind) or GANTRY_E_NOMEM.  [any & not running] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_begin(struct gantry_manager *manager, uint32_t how,
                                                      struct gantry_error **err);

/* Do what is to do, and wait for nothing.  Call it when the descriptor is readable or the time is over; at
 * other times it does no harm.  The thread may be another each time, one at a time.
 * Returns 1, or 0 when the run has ended: gantry_manager_end() comes next.  [loop & running] */
GANTRY_API int gantry_manager_step(struct gantry_manager *manager);

/* The one descriptor to wait for: readable when there is something to do.  The same from
 * gantry_manager_new() to gantry_manager_free(); kept by the manager.  [any] */
GANTRY_API int gantry_manager_fd(const struct gantry_manager *manager);

/* Milliseconds until gantry_manager_step() is due, as poll(2) takes it: 0 at once, -1 never.
 * [loop & running] */
GANTRY_API int gantry_manager_timeout_ms(const struct gantry_manager *manager);

/* End a run, whether it was stopped or not: what is remembered is written, the lock is given back.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns what gantry_manager_run() returns; GANTRY_E_CONFLICT when no run was begun.  [loop & running] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_end(struct gantry_manager *manager,
                                                    struct gantry_error **err);

/* End the run soon: running calls are cancelled, workloads run on.  While none runs, the next one ends at
 * once: a signal between gantry_manager_open() and gantry_manager_run() is not lost.
 * manager: borrowed.  [any & signal] */
GANTRY_API void gantry_manager_stop(struct gantry_manager *manager);

/* Read the settings again, at the next step: all of them, or, when something is wrong with them or would
 * need a restart, none; how it went is in the log, an event, and the settings_problem of a snapshot.  What
 * runs is not touched: settings of workloads count for those that are made later.
 * manager: borrowed.  [any & signal] */
GANTRY_API void gantry_manager_reload(struct gantry_manager *manager);

/* Ask the platforms for their listings now, and not when their interval is over.
 * manager: borrowed.  [any & signal] */
GANTRY_API void gantry_manager_refresh(struct gantry_manager *manager);

/* The effective settings with the origin of each, secrets masked.  The manager is open.
 * *text: owned, gantry_text_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0 or GANTRY_E_NOMEM.  [any & not running] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_settings(const struct gantry_manager *manager,
                                                         char **text, struct gantry_error **err);

/* One connector as it is now. */
struct gantry_connector {
    uint32_t size;        /* sizeof(struct gantry_connector) */
    uint32_t restarts;    /* since it was made */
    const char *platform; /* NAME of [platform NAME] */
    const char *id;
    const char *name;
    const char *image;
    const char *wish;  /* run, halt, odd, or gone (not listed any more) */
    const char *state; /* of its workload: absent, created, running, ...; unknown while not known */
    const char *action;       /* what is being done: "" or start, stop, remove, replace */
    const char *reason;       /* why it is not as wished, one line; "" when it is */
    int64_t started_ms;       /* Unix time in milliseconds of the last start; 0: not known */
    uint32_t failures;        /* actions that failed in a row */
    uint32_t in_loop;         /* 1: it ends again and again, each time soon after its start */
    const char *image_digest; /* of the image that its workload was made from; "": not known */
    const char *progress; /* how far the action is, such as "pulling 45%"; "": nothing is said */
};

/* A platform or a backend as it is now. */
struct gantry_peer {
    uint32_t size;       /* sizeof(struct gantry_peer) */
    uint32_t up;         /* 1: its last answer was a good one */
    const char *kind;    /* platform, backend */
    const char *name;    /* NAME of its section */
    const char *problem; /* why it is not up, one line; "" when it is, and before it has answered */
};

/* A consistent picture of all connectors.  Read only. */
struct gantry_snapshot {
    uint32_t size; /* sizeof(struct gantry_snapshot) */
    uint32_t count;
    uint32_t stride; /* sizeof(struct gantry_connector) */
    uint32_t reserved;
    uint32_t settled; /* 1: every platform and backend has been asked, and nothing is left to do */
    const struct gantry_connector *connectors; /* in the platform's order */
    uint64_t revision;                         /* grows with every change */
    const struct gantry_peer *peers;           /* the platforms, then the backends */
    uint32_t peer_count;
    uint32_t peer_stride; /* sizeof(struct gantry_peer) */
    /* Why the settings could not be reloaded, the first problem; "": they could, or were not yet. */
    const char *settings_problem;
};

/* Take a picture of all connectors.
 * *out: owned, gantry_snapshot_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0 or GANTRY_E_NOMEM.  [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_snapshot(struct gantry_manager *manager,
                                                         struct gantry_snapshot **out,
                                                         struct gantry_error **err);

/* snapshot: taken; may be NULL.  [any] */
GANTRY_API void gantry_snapshot_free(struct gantry_snapshot *snapshot);

/* Read the log of events that a manager with these settings keeps in its state folder, oldest first.  The
 * manager may run meanwhile.  Of the settings only state_dir is looked at, so that mistakes elsewhere do not
 * stand in the way.  A line that is not whole, or not understood, is passed over.
 * options: borrowed; its callbacks are not used.
 * newest: no more than so many, the newest; 0: all.
 * each: gets each event, borrowed, with context; non-zero ends the reading, and is returned.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, what each returned, GANTRY_E_INVALID (the settings give no state folder), GANTRY_E_NOT_FOUND (no
 * settings file, or there is no log yet), GANTRY_E_DENIED, another code when reading failed, or
 * GANTRY_E_NOMEM.  [any] */
GANTRY_API GANTRY_MUST_CHECK int
gantry_events_read(const struct gantry_options *options, uint32_t newest,
                   int (*each)(void *context, const struct gantry_manager_event *event),
                   void *context, struct gantry_error **err);

/* Make an RSA key of 4096 bits for a manager: PKCS#8 PEM, mode 0600, never over an existing file.
 * path: borrowed.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_CONFLICT (the file exists), GANTRY_E_DENIED, GANTRY_E_NOT_FOUND (the folder) or
 * GANTRY_E_NOMEM.  [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_keygen(const char *path, struct gantry_error **err);

/* A settings file with every key of the core and what it means, all commented out.
 * *text: owned, gantry_text_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0 or GANTRY_E_NOMEM.  [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_settings_example(char **text, struct gantry_error **err);

#ifdef __cplusplus
}
#endif
#endif
