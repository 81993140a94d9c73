/* platform.h - where desired state comes from, and where status, health and logs go.
 *
 * A platform is asked and told asynchronously, on the http_loop it was given: each call returns at once, and
 * its `done` is called once, later, on the loop's thread, from http_loop_step() or platform_step().  A call
 * that cannot even be made ends the same way.  Nothing here blocks, but reading the local platform's folder.
 *
 * opencti   GraphQL over HTTP, by the operations in core/platform/operations/ (embedded at build time).
 *           Its documents are parsed; a field that this platform does not know is dropped from the parsed
 *           document and remembered until the platform's version changes; an operation that it lacks is said
 *           once and skipped: done gets GANTRY_E_UNSUPPORTED.
 * local     a folder of INI files, one a connector; reports are accepted and dropped.
 * custom    the program's own: two functions of gantry/platform.h, called on the loop's thread inside
 *           platform_list() and platform_report().
 *
 * An answer is used only when data.<field> is there, not null, and no error lies inside it: a listing is
 * whole or is an error (S1). */
#ifndef PLATFORM_PLATFORM_H
#define PLATFORM_PLATFORM_H

#include "arena.h"
#include "compiler.h"
#include "config.h"
#include "http.h"
#include "log.h"

#include <gantry/platform.h>
#include <gantry/types.h>
#include <stdbool.h>

struct platform;

/* What the platform wishes.  UNKNOWN: null, or a word that is none of these; wish_text has it. */
enum platform_wish { PLATFORM_WISH_UNKNOWN, PLATFORM_WISH_STARTING, PLATFORM_WISH_STOPPING };
/* `stopped`, the real platform's first value, is PLATFORM_WISH_STOPPING. */

enum platform_status { PLATFORM_STATUS_NONE, PLATFORM_STATUS_STARTED, PLATFORM_STATUS_STOPPED };

/* One connector of a listing.  Texts live as long as the listing. */
struct platform_connector {
    /* id is never empty; image is "" when the platform has none. */
    const char *id, *name, *image, *hash;
    enum platform_wish wish;
    const char *wish_text;      /* as it came; NULL: null */
    enum platform_status known; /* the current status that the platform knows */
    /* What is wrong with it: one line, or NULL.  Such a connector is neither started, replaced nor removed. */
    const char *problem;
};

struct platform_listing {
    struct platform_connector *connectors; /* in the platform's order; ids are unique */
    size_t count;
    /* False when something in it could not be understood (an element without id, an id twice): it may start
     * and stop, but nothing may be removed by it.  doubt says what; else NULL. */
    bool complete;
    const char *doubt;
    struct arena arena;
};
void platform_listing_free(struct platform_listing *listing);

/* One entry of a configuration. */
enum platform_sealed { PLATFORM_SEALED_UNKNOWN, PLATFORM_SEALED_NO, PLATFORM_SEALED_YES };
struct platform_entry {
    const char *key, *value; /* value NULL: null */
    enum platform_sealed sealed;
    bool secret; /* not shown, though in the clear */
};
struct platform_configuration {
    const char *id, *hash, *image; /* of the same answer: these three belong together */
    const struct platform_entry *entries;
    size_t entry_count;
};
/* One that must not be used, and why: one line. */
struct platform_unusable {
    const char *id, *text;
};
struct platform_configurations {
    struct platform_configuration *items; /* ids are unique */
    size_t count;
    /* Those that could not be understood: they are not among the items, as an empty or a partial
     * configuration would be taken for the whole (S8). */
    struct platform_unusable *unusable;
    size_t unusable_count;
    struct arena arena;
};
void platform_configurations_free(struct platform_configurations *configurations); /* wipes first */

struct platform_health {
    int32_t restart_count;
    int64_t started_ms; /* Unix time in ms; 0: not known: now is sent */
    bool in_reboot_loop;
};

/* What is told of one connector; each part is optional.  All of it goes in as few documents as the platform
 * allows: one connector's status, health and logs share one. */
struct platform_report {
    const char *id;
    enum platform_status status;          /* NONE: not told */
    const struct platform_health *health; /* NULL: not told */
    const char *const *logs;              /* lines, oldest first: the whole tail; NULL: not told */
    size_t log_count;
};

struct platform_context {
    struct http_loop *http; /* kept */
    struct log *log;        /* kept; may be NULL */
    const char *manager_id, *manager_name;
    const char *public_key;   /* PEM, as the platform takes it; NULL for local */
    char *const *environment; /* for env: references of local files; kept */
    /* Of kind custom: what the program offers under this name; else NULL.  Borrowed (copied); its context
     * and functions are kept. */
    const struct gantry_platform *custom;
};

/* settings, context: borrowed: nothing of them is pointed to later, but what is marked as kept.
 * GANTRY_E_INVALID: of kind custom, and the program offers none. */
MUST_CHECK int platform_new(const struct config_platform *settings,
                            const struct platform_context *context, struct platform **out,
                            struct gantry_error **err);
void platform_free(struct platform *platform); /* cancels what is in progress; done is not called */

/* Take over what can change while running: token, certificates, proxy, timeouts.  Requests in progress end as
 * they began; later ones are as fresh says.  fresh: borrowed; of the same name, kind, url and path (see
 * config_reload_check()).  On failure (out of memory) nothing has changed. */
MUST_CHECK int platform_take_settings(struct platform *platform,
                                      const struct config_platform *fresh,
                                      struct gantry_error **err);

/* A descriptor that is readable when the platform may say something else than before, so that it is worth
 * asking before its time; -1: there is none, and asking from time to time is all.  Borrowed; the same for
 * the platform's life. */
int platform_fd(const struct platform *platform);
/* Read away what made it readable.  True: list again, now. */
bool platform_changed(struct platform *platform);

const char *platform_name(const struct platform *platform); /* NAME of [platform NAME] */
/* The value of GANTRY_LABEL_PLATFORM: opencti, local, custom. */
const char *platform_label(const struct platform *platform);
bool platform_is_local(const struct platform *platform);

/* In every done: code is 0 or negative; error: borrowed, NULL when code is 0. */
typedef void platform_done(void *context, int code, const struct gantry_error *error);

/* Make this manager known and alive: registers where that is due (first, after a change of the platform's
 * version, after the platform forgot it), else pings.  One request, or two.  */
void platform_ping(struct platform *platform, platform_done *done, void *context);

/* The connectors that should run.  listing: taken by the callee; NULL when code is set, and also when
 * unchanged is true: the bytes of the answer are those of the last listing that was handed out. */
typedef void platform_listed(void *context, int code, const struct gantry_error *error,
                             struct platform_listing *listing, bool unchanged);
void platform_list(struct platform *platform, platform_listed *done, void *context);
/* Hand out the next listing even when it is unchanged. */
void platform_forget_listing(struct platform *platform);

/* The configurations of all connectors, sealed values as they are.  configurations: taken. */
typedef void platform_configured(void *context, int code, const struct gantry_error *error,
                                 struct platform_configurations *configurations);
void platform_configure(struct platform *platform, platform_configured *done, void *context);

/* report: borrowed (copied).  GANTRY_E_UNSUPPORTED: the platform lacks every operation that was needed, or
 * refused it a moment ago (said then as GANTRY_E_DENIED). */
void platform_report(struct platform *platform, const struct platform_report *report,
                     platform_done *done, void *context);

/* Calls that were made but need no network end here: call it after making calls, until it returns false. */
bool platform_step(struct platform *platform);

/* How many requests are in progress. */
size_t platform_active(const struct platform *platform);

#endif
