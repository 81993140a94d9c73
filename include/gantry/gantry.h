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
 *     gantry_error_free(err); */
#ifndef GANTRY_GANTRY_H
#define GANTRY_GANTRY_H

#include <gantry/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gantry_manager; /* opaque */

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
};

/* Make a manager: reads and checks the settings, loads and opens the plugins, reads the key.  Contacts
 * nobody, and changes nothing.
 * options: borrowed.
 * *out: owned, gantry_manager_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().  For bad settings its message is the first problem;
 * the causes behind it are the others, in order, one line each.
 * Returns 0, GANTRY_E_INVALID (bad settings) or GANTRY_E_NOMEM.  [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_new(const struct gantry_options *options,
                                                    struct gantry_manager **out,
                                                    struct gantry_error **err);

/* Stop everything that is in progress, and free.  Workloads run on.
 * manager: taken; may be NULL; not running.  [any] */
GANTRY_API void gantry_manager_free(struct gantry_manager *manager);

/* How to run. */
#define GANTRY_RUN_DAEMON UINT32_C(0) /* until gantry_manager_stop() */
#define GANTRY_RUN_ONCE   UINT32_C(1) /* cycles until nothing is due but back-off */
#define GANTRY_RUN_DRY    UINT32_C(2) /* one cycle that says each action and why; touches nothing */
#define GANTRY_RUN_DOWN   UINT32_C(3) /* stop and remove all workloads of this manager */

/* With GANTRY_RUN_ONCE, by |: the operator's word that all connectors that have vanished from a platform's
 * listing may be removed, even if that is every one of them. */
#define GANTRY_RUN_CONFIRM_REMOVALS UINT32_C(0x100)

/* Run on this thread, until it is done or stopped.  Takes the lock in the state folder first: a second
 * manager on the same folder is refused before anything is contacted.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0; GANTRY_E_CONFLICT (the state folder is in use), GANTRY_E_INVALID (the state
 * folder cannot be used); for GANTRY_RUN_ONCE and GANTRY_RUN_DRY GANTRY_E_UNAVAILABLE when a platform or a
 * backend could not be asked, or an action failed; for GANTRY_RUN_DOWN GANTRY_E_UNAVAILABLE
 * when something could not be taken down.  [any], it becomes [loop] */
GANTRY_API GANTRY_MUST_CHECK int gantry_manager_run(struct gantry_manager *manager, uint32_t how,
                                                    struct gantry_error **err);

/* Make gantry_manager_run() return soon: running calls are cancelled, workloads run on.
 * manager: borrowed.  [any & signal] */
GANTRY_API void gantry_manager_stop(struct gantry_manager *manager);

/* The effective settings with the origin of each, secrets masked.
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
    const char *action; /* what is being done: "" or start, stop, remove, replace */
    const char *reason; /* why it is not as wished, one line; "" when it is */
    int64_t started_ms; /* Unix time in milliseconds of the last start; 0: not known */
    uint32_t failures;  /* actions that failed in a row */
    uint32_t reserved;
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
