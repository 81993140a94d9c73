/* gantry/plugin.h - the runtime ABI: all that a plugin needs, and all that it may use.
 *
 * A plugin makes something run workloads: a container engine, an orchestrator, the operating system.
 * It is one shared object, gantry-NAME.so, that exports one function, gantry_plugin_entry(), made by
 * GANTRY_PLUGIN() at the end of this file.  Compile it with this folder on the include path and nothing
 * else:  cc -shared -fPIC -I include -o gantry-mine.so mine.c
 *
 * The life of a plugin in a host
 *     gantry_plugin_entry()      once: a static description; no work is done here
 *     open()                     once for each [backend] section: checks its settings, makes its state
 *       probe() list() start() stop() remove() logs() inspect() pull() remove_image()   any number of times
 *       watch()                  on a thread of its own, until it is cancelled
 *     close()                    after every other call has returned
 *
 * Rules
 *  1. The host calls the plugin from its worker threads, as gantry_plugin.threads allows.  A call may
 *     block; it ends by its deadline, and soon after gantry_cancelled() turns true.
 *  2. No memory changes owner.  What the host passes in is borrowed for the call.  What the plugin gives
 *     back it passes to gantry_emit_*(), whose argument is borrowed for that call.  Handles are strings.
 *  3. When an emit returns non-zero the call ends, with that code.
 *  4. An error is never absence.  GANTRY_E_NOT_FOUND says that the runtime answered and knows no such
 *     workload; whoever could not ask returns GANTRY_E_UNAVAILABLE, GANTRY_E_DENIED or GANTRY_E_TIMEOUT.
 *     list() either emits every workload that bears the labels and returns 0, or fails.
 *  5. An error has a text: `return gantry_fail(host, call, GANTRY_E_DENIED, "socket '%s': ...", path);` one
 *     line: what failed, on what, and what to do; without secret values.
 *  6. stop() and remove() are idempotent: what is already so is success.
 *  7. A plugin touches only what it is told to: a ref, or what bears all the labels that list() is given.
 *  8. Secrets (spec environment, files, registry password, settings marked secret) reach the workload and
 *     nothing else: no log, no error text, no command line.
 *  9. emit, HTTP and its callbacks are used only on the thread that entered the call; gantry_log(),
 *     gantry_progress(), gantry_retry_after(), gantry_cancelled() and gantry_remaining_ms() on any, while
 *     the call lasts.
 * 10. A plugin starts no thread that outlives close(), installs no signal handler, never calls exit, and
 *     waits for no child process but its own, by pid.
 *
 * Stability.  Every struct that crosses begins with its size as its maker knew it, and arrays carry count
 * and stride; fields are only ever added at the end.  A reader takes a missing field as zero.  Use
 * GANTRY_AT() to walk an array, and GANTRY_HAS() before reading a field that a later minor version added.
 * The major version is 0 while the ABI may still change; host and plugin must have the same one.
 *
 * The thread words of types.h are used: all operations are [worker], but watch [watch]. */
#ifndef GANTRY_PLUGIN_H
#define GANTRY_PLUGIN_H

#include <gantry/http.h>
#include <gantry/types.h>
#include <gantry/workload.h>

#include <stdarg.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GANTRY_ABI_MAJOR UINT32_C(0)
/* 1: the first.  2: gantry_host.retry_after, GANTRY_EMIT_IMAGE, gantry_plugin.remove_image,
 * gantry_spec.pull_pause_ms. */
#define GANTRY_ABI_MINOR UINT32_C(2)

/* Element i of an array whose maker gave its stride. */
#define GANTRY_AT(type, array, stride, i)                                                          \
    ((const type *)(const void *)((const char *)(const void *)(array) + (size_t)(stride) * (i)))
/* Does this object, whose maker gave its size, have this field? */
#define GANTRY_HAS(object, type, field)                                                            \
    ((object)->size >= offsetof(type, field) + sizeof((object)->field))

/* ---- settings ------------------------------------------------------------------------------------- */

/* Types of settings, and how the host has checked and normalised the value:
 *   STRING    text
 *   BOOL      number 0 or 1                        written yes, no, true, false, on, off
 *   INTEGER   number                               written as a decimal number
 *   NUMBER    text, a decimal number with fraction written 0.5
 *   DURATION  number of milliseconds               written 10s, 500ms, 2h
 *   SIZE      number of bytes                      written 64MiB, 10MB
 *   PATH      text, absolute                       relative ones are to the folder of the file
 *   SECRET    text; the reference is resolved      written as itself, file:PATH or env:NAME
 *   CHOICE    text, one of choices
 *   LIST      items                                written a, b; or the key again; or indented lines
 *   MAP       items, each KEY=VALUE                written like a list */
#define GANTRY_TYPE_STRING   UINT32_C(1)
#define GANTRY_TYPE_BOOL     UINT32_C(2)
#define GANTRY_TYPE_INTEGER  UINT32_C(3)
#define GANTRY_TYPE_NUMBER   UINT32_C(4)
#define GANTRY_TYPE_DURATION UINT32_C(5)
#define GANTRY_TYPE_SIZE     UINT32_C(6)
#define GANTRY_TYPE_PATH     UINT32_C(7)
#define GANTRY_TYPE_SECRET   UINT32_C(8)
#define GANTRY_TYPE_CHOICE   UINT32_C(9)
#define GANTRY_TYPE_LIST     UINT32_C(10)
#define GANTRY_TYPE_MAP      UINT32_C(11)

/* Where a setting may stand: in [backend NAME]; or there as the default for every workload and in
 * [connector NAME] for one. */
#define GANTRY_SCOPE_BACKEND  UINT32_C(1)
#define GANTRY_SCOPE_WORKLOAD UINT32_C(2)

#define GANTRY_SETTING_REQUIRED UINT32_C(1)
/* Of scope BACKEND, and no secret: it says where the runtime is, such as the address of an engine.  The host
 * remembers these values; with other ones, it is another runtime, with other workloads. */
#define GANTRY_SETTING_PLACE UINT32_C(2)

/* One setting that the plugin understands.  The host refuses every other key in the plugin's sections,
 * naming the nearest one. */
struct gantry_setting {
    uint32_t size;           /* sizeof(struct gantry_setting) */
    uint32_t type;           /* GANTRY_TYPE_* */
    uint32_t scope;          /* GANTRY_SCOPE_* */
    uint32_t flags;          /* GANTRY_SETTING_* */
    const char *key;         /* lower case, words joined by underscores */
    const char *fallback;    /* default, as it would be written; may be NULL: none */
    const char *environment; /* variable that stands in for it, such as DOCKER_HOST; may be NULL */
    const char *const *choices; /* CHOICE: NULL-terminated; else may be NULL */
    const char *help;           /* one line */
};

/* One value that the host has checked. */
struct gantry_value {
    uint32_t size;  /* sizeof(struct gantry_value) */
    uint32_t given; /* 1: by the file or the environment; 0: the default */
    const char *key;
    const char *text;         /* NUL-terminated; "" for LIST and MAP */
    int64_t number;           /* BOOL, INTEGER, DURATION, SIZE; else 0 */
    const char *const *items; /* LIST, MAP; may be NULL when item_count is 0 */
    uint32_t item_count;
    uint32_t reserved;
};

/* All that were given or have a default.  A key that is not in it has no value. */
struct gantry_settings {
    uint32_t size; /* sizeof(struct gantry_settings) */
    uint32_t count;
    uint32_t stride; /* sizeof(struct gantry_value) */
    uint32_t reserved;
    const struct gantry_value *values; /* may be NULL when count is 0 */
    const char *section;               /* NAME of [backend NAME], for messages */
};

/* ---- what the host offers ------------------------------------------------------------------------- */

struct gantry_call; /* one call of one operation; opaque */

#define GANTRY_EMIT_STATUS UINT32_C(1) /* const struct gantry_status * */
#define GANTRY_EMIT_LINE   UINT32_C(2) /* const struct gantry_line * */
#define GANTRY_EMIT_EVENT  UINT32_C(3) /* const struct gantry_event * */
#define GANTRY_EMIT_TRAITS UINT32_C(4) /* const struct gantry_traits * */
#define GANTRY_EMIT_IMAGE  UINT32_C(5) /* const struct gantry_image * ; minor 2 */

#define GANTRY_LOG_ERROR UINT32_C(0)
#define GANTRY_LOG_WARN  UINT32_C(1)
#define GANTRY_LOG_INFO  UINT32_C(2)
#define GANTRY_LOG_DEBUG UINT32_C(3)

/* The host's table.  Use the inline functions below it. */
struct gantry_host {
    uint32_t size; /* sizeof(struct gantry_host) */
    uint32_t abi_major, abi_minor;
    uint32_t reserved;
    const char *version; /* of the host, such as "0.1.0" */
    int (*emit)(struct gantry_call *call, uint32_t kind, const void *item);
    void (*fail)(struct gantry_call *call, int code, const char *text);
    void (*log)(struct gantry_call *call, uint32_t level, const char *text);
    void (*progress)(struct gantry_call *call, const char *what, uint64_t done, uint64_t total);
    int64_t (*remaining_ms)(struct gantry_call *call);
    int (*cancelled)(struct gantry_call *call);
    const void *(*extension)(const struct gantry_host *host, const char *id);
    void (*retry_after)(struct gantry_call *call, int64_t ms); /* minor 2; may be NULL */
};

/* The extension "gantry.http/1": the host's HTTP client.  Connections are kept for each [backend]. */
#define GANTRY_EXTENSION_HTTP "gantry.http/1"
struct gantry_http {
    uint32_t size; /* sizeof(struct gantry_http) */
    uint32_t reserved;
    /* Run n requests side by side; returns when all have ended.  on_part is called on this thread, with
     * the parts of all requests as they come; when it returns non-zero, that request ends with that code.
     * Bound to the call: at its deadline and on cancellation all that is left ends.
     * call, requests: borrowed.  stride: sizeof(struct gantry_http_request).
     * Returns 0 when every request had an answer, whatever its status; else the first one's code, whose
     * text the call then has. */
    int (*perform)(struct gantry_call *call, const struct gantry_http_request *requests, uint32_t n,
                   uint32_t stride,
                   int (*on_part)(void *context, const struct gantry_http_part *part),
                   void *context);
};

/* The extension "gantry.folder/1": where a plugin may keep what has to outlive the host. */
#define GANTRY_EXTENSION_FOLDER "gantry.folder/1"
struct gantry_folder {
    uint32_t size; /* sizeof(struct gantry_folder) */
    uint32_t reserved;
    /* An absolute path for this [backend] alone, the same at every run.  The plugin makes the folder when it
     * first needs it.  host: as given to open().  Returns NULL when this host keeps nothing; else kept by the
     * host until close().  [any] */
    const char *(*path)(const struct gantry_host *host);
};

/* The extension "gantry.wait/1": a wait that ends with the call, without asking for its end again and again. */
#define GANTRY_EXTENSION_WAIT "gantry.wait/1"
struct gantry_wait {
    uint32_t size; /* sizeof(struct gantry_wait) */
    uint32_t reserved;
    /* Wait until one of n file descriptors can be read (or has an error, or its other end is closed), the call
     * is to end, or timeout_ms is over; INT64_MAX: no such limit.
     * call: on the thread that entered it.  fds: borrowed; may be NULL when n is 0.
     * Returns 1: one can, or may; 0: none; or a GANTRY_E_*, when the plugin has broken a rule. */
    int (*readable)(struct gantry_call *call, const int32_t *fds, uint32_t n, int64_t timeout_ms);
};

/* Emit one status, line, event, or the traits.  Non-zero: return it from the operation at once. */
static inline int
gantry_emit_status(const struct gantry_host *host, struct gantry_call *call,
                   const struct gantry_status *status)
{
    return host->emit(call, GANTRY_EMIT_STATUS, status);
}

static inline int
gantry_emit_line(const struct gantry_host *host, struct gantry_call *call,
                 const struct gantry_line *line)
{
    return host->emit(call, GANTRY_EMIT_LINE, line);
}

static inline int
gantry_emit_event(const struct gantry_host *host, struct gantry_call *call,
                  const struct gantry_event *event)
{
    return host->emit(call, GANTRY_EMIT_EVENT, event);
}

static inline int
gantry_emit_traits(const struct gantry_host *host, struct gantry_call *call,
                   const struct gantry_traits *traits)
{
    return host->emit(call, GANTRY_EMIT_TRAITS, traits);
}

/* Say that this call has fetched an image which the runtime did not have before, under any name: start()
 * and pull() alone, at most once a call, as soon as it is there.  It holds also when the call fails
 * afterwards.  What was there before is never said: the host may have removed what was said here. */
static inline int
gantry_emit_image(const struct gantry_host *host, struct gantry_call *call,
                  const struct gantry_image *image)
{
    return host->abi_minor < 2 ? 0 : host->emit(call, GANTRY_EMIT_IMAGE, image);
}

/* Give the call its error text, and return the code: `return gantry_fail(host, call, code, "...")`. */
GANTRY_PRINTF(4, 5)
static inline int
gantry_fail(const struct gantry_host *host, struct gantry_call *call, int code, const char *format,
            ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    host->fail(call, code, text);
    return code;
}

/* Say something in the host's log.  level: GANTRY_LOG_*. */
GANTRY_PRINTF(4, 5)
static inline void
gantry_log(const struct gantry_host *host, struct gantry_call *call, uint32_t level,
           const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    host->log(call, level, text);
}

/* Say how far a long step is, such as a pull.  what: one word or two; total 0: not known. */
static inline void
gantry_progress(const struct gantry_host *host, struct gantry_call *call, const char *what,
                uint64_t done, uint64_t total)
{
    host->progress(call, what, done, total);
}

/* Milliseconds until the call's deadline; 0 when it has passed; INT64_MAX when there is none. */
static inline int64_t
gantry_remaining_ms(const struct gantry_host *host, struct gantry_call *call)
{
    return host->remaining_ms(call);
}

/* Somebody asked for a pause, as by the HTTP status 429: when this call fails, the host does not try the
 * same again within ms; 0: it was not said for how long.  Where the call has a spec, the pause is that of
 * its image's registry, and counts for all workloads (gantry_spec.pull_pause_ms). */
static inline void
gantry_retry_after(const struct gantry_host *host, struct gantry_call *call, int64_t ms)
{
    if (GANTRY_HAS(host, struct gantry_host, retry_after) && host->retry_after)
        host->retry_after(call, ms);
}

/* Has the host asked for the call's end?  Non-zero: clean up, return GANTRY_E_CANCELLED. */
static inline int
gantry_cancelled(const struct gantry_host *host, struct gantry_call *call)
{
    return host->cancelled(call);
}

/* A table of further functions by id, such as GANTRY_EXTENSION_HTTP.  NULL: not offered; no error. */
static inline const void *
gantry_extension(const struct gantry_host *host, const char *id)
{
    return host->extension(host, id);
}

/* ---- the plugin ----------------------------------------------------------------------------------- */

/* Thread models: how the host may enter the operations of one opened plugin.  watch() runs beside any. */
#define GANTRY_THREADS_SERIAL       UINT32_C(0) /* one call at a time */
#define GANTRY_THREADS_PER_WORKLOAD UINT32_C(1) /* one call at a time for each workload */
#define GANTRY_THREADS_PARALLEL     UINT32_C(2) /* any */

/* start(): the runtime must not start it again by itself when it ends. */
#define GANTRY_START_ONCE UINT32_C(1)

/* The plugin.  self is what open() made.  All operations return 0 or a negative GANTRY_E_*, with a text
 * given by gantry_fail(). */
struct gantry_plugin {
    uint32_t size;                         /* sizeof(struct gantry_plugin), by GANTRY_PLUGIN_HEAD */
    uint32_t abi_major;                    /* by GANTRY_PLUGIN_HEAD */
    uint32_t abi_minor;                    /* by GANTRY_PLUGIN_HEAD */
    uint32_t threads;                      /* GANTRY_THREADS_* */
    const char *name;                      /* static; NAME of gantry-NAME.so: [a-z][a-z0-9-]* */
    const char *version;                   /* static; the plugin's own; may be NULL */
    const char *summary;                   /* static; one line: what it drives; may be NULL */
    const struct gantry_setting *settings; /* static; may be NULL when setting_count is 0 */
    uint32_t setting_count;
    uint32_t setting_stride; /* sizeof(struct gantry_setting), by GANTRY_SETTINGS() */

    /* Check the settings and make the state; contacts nobody.  host: kept until close.  settings:
     * borrowed; all of its section, with the defaults for workloads, which each spec has again and a
     * [connector NAME] may have changed there.  *self: owned by the plugin; may be left NULL.  Required. */
    int (*open)(struct gantry_call *call, const struct gantry_host *host,
                const struct gantry_settings *settings, void **self);

    /* Free the state.  No call is in progress, and none will come.  Required. */
    void (*close)(void *self);

    /* Make a workload run, and emit its status, with the new handle.
     *   spec alone      pull the image by policy, create, start.
     *   existing alone  start it again, or unpause it.  No secret is needed.
     *   both            replace: pull, create beside it (or update in place, where the runtime does that
     *                   itself), stop the old one, start the new one.  The new one is called NAME-new-XXXX
     *                   (4 hex digits) and takes NAME when the old one is removed by remove(); the old one
     *                   stays, stopped, until then.  If anything fails, the old one runs again, the new
     *                   one is gone, and the error is returned.  A status with existing's handle means
     *                   updated in place: nothing is left to remove.
     * existing, spec: borrowed; each may be NULL, not both.  flags: GANTRY_START_ONCE.
     * Cancellation is honoured until the old one is touched.
     * A workload of that name that lacks the spec's labels (manager and connector id) is foreign:
     * GANTRY_E_CONFLICT, before anything is changed.  One that bears them, though the host gives a spec
     * alone, is one that it has not seen yet: GANTRY_E_UNAVAILABLE, and none is made beside it.
     * GANTRY_E_IMAGE_MISSING: the registry says that there is no such image, or policy forbids to pull it.
     * Required. */
    int (*start)(void *self, struct gantry_call *call, const struct gantry_ref *existing,
                 const struct gantry_spec *spec, uint32_t flags);

    /* Stop it: politely, then, after grace_ms, hard; also ends the runtime's own restarting.
     * Not running, or not there: 0.  Required. */
    int (*stop)(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                uint32_t grace_ms);

    /* Remove it with all that belongs to it, and nothing else.  If another workload of the same connector
     * waits for its name (NAME-new-XXXX), that one is renamed.  Not there: 0.  Required. */
    int (*remove)(void *self, struct gantry_call *call, const struct gantry_ref *ref);

    /* Emit the lines after cursor, oldest first.  cursor: as emitted earlier; NULL: the last ones that the
     * limits allow.  limits: borrowed.  GANTRY_E_UNSUPPORTED where it cannot be done.  Required. */
    int (*logs)(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                const char *cursor, const struct gantry_log_limits *limits);

    /* Emit its full status, or return GANTRY_E_NOT_FOUND.  Required. */
    int (*inspect)(void *self, struct gantry_call *call, const struct gantry_ref *ref);

    /* Emit the status of every workload that bears all of these labels.  Required. */
    int (*list)(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                uint32_t count, uint32_t stride);

    /* Emit events until the call is cancelled: SYNCED when watching has begun, and after each gap; CHANGED
     * when inspect() of such a workload may say something new; LOST when it is interrupted, which it then
     * mends by itself.  Return earlier only with an error that does not heal.  labels: as for list,
     * borrowed.  May be NULL: the host lists in its interval.  [watch] */
    int (*watch)(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                 uint32_t count, uint32_t stride);

    /* Fetch the image of a spec, by its policy, and nothing else.  May be NULL. */
    int (*pull)(void *self, struct gantry_call *call, const struct gantry_spec *spec);

    /* Reach the runtime, and emit its traits.  May be NULL. */
    int (*probe)(void *self, struct gantry_call *call);

    /* Remove an image that was emitted as fetched, to make room; never by force.  Used by any workload,
     * whoever's it is: GANTRY_E_CONFLICT.  Names that others have given it stay, and it with them: 0.  Not
     * there: 0.  image: borrowed.  May be NULL.  Minor 2. */
    int (*remove_image)(void *self, struct gantry_call *call, const struct gantry_image *image);
};

/* The first fields of a struct gantry_plugin. */
#define GANTRY_PLUGIN_HEAD                                                                         \
    .size = (uint32_t)sizeof(struct gantry_plugin), .abi_major = GANTRY_ABI_MAJOR,                 \
    .abi_minor = GANTRY_ABI_MINOR

/* Its table of settings: GANTRY_SETTINGS(docker_settings), an array. */
#define GANTRY_SETTINGS(array)                                                                     \
    .settings = (array), .setting_count = (uint32_t)(sizeof(array) / sizeof((array)[0])),          \
    .setting_stride = (uint32_t)sizeof((array)[0])

/* The one symbol that a plugin exports. */
#define GANTRY_PLUGIN_ENTRY "gantry_plugin_entry"
#ifdef __cplusplus
#define GANTRY_PLUGIN_EXTERN_ extern "C"
#else
#define GANTRY_PLUGIN_EXTERN_
#endif
#define GANTRY_PLUGIN(plugin)                                                                      \
    GANTRY_PLUGIN_EXTERN_ GANTRY_API const struct gantry_plugin *gantry_plugin_entry(void);        \
    GANTRY_PLUGIN_EXTERN_ GANTRY_API const struct gantry_plugin *gantry_plugin_entry(void)         \
    {                                                                                              \
        return &(plugin);                                                                          \
    }

#ifdef __cplusplus
}
#endif
#endif
