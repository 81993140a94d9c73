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
 *  9. emit, wait, HTTP and its callbacks are used only on the thread that entered the call; progress,
 *     retry_after, cancelled and remaining_ms on any, while the call lasts; gantry_log() on any, until
 *     close() returns.
 * 10. A plugin starts no thread that outlives close(), and its threads block all signals.  It changes no
 *     signal handler, working directory, umask, environment or locale, never calls exit, writes nothing to
 *     standard output or error, waits for no child process but its own, by pid, and marks its descriptors
 *     close-on-exec.
 * 11. The host enters with all signals blocked; a child process has to unblock its own.  It never reaps a
 *     plugin's children, and SIGCHLD is not ignored.
 * 12. No exception, longjmp or thread cancellation crosses the border, in either direction.
 *
 * Texts are UTF-8 and end in NUL.  Those that come in are whole UTF-8; in those that go out the host replaces
 * what is not.  An array may be NULL when its count is 0.
 *
 * Stability.  Every struct that crosses begins with its size as its maker knew it, and arrays carry count
 * and stride, a multiple of 8; fields are only ever added at the end.  A reader takes a missing field as zero,
 * and ignores what it does not know: reserved fields, and bits of flags.  Use GANTRY_AT() to walk an array, and
 * GANTRY_HAS(), or GANTRY_AT_HAS() for an element without a size, before reading a field that a later minor
 * version added.  Host and plugin must have the same major version; any two minor ones work together.
 *
 * The thread words of types.h are used: all operations are [worker], but watch [watch]. */
#ifndef GANTRY_PLUGIN_H
#define GANTRY_PLUGIN_H

#include <gantry/extensions.h>
#include <gantry/types.h>
#include <gantry/workload.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GANTRY_ABI_MAJOR 1u
#define GANTRY_ABI_MINOR 0u

/* Element i of an array whose maker gave its stride. */
#ifdef __cplusplus
#define GANTRY_AT(type, array, stride, i)                                                          \
    (reinterpret_cast<const type *>(reinterpret_cast<const char *>(array) +                        \
                                    static_cast<size_t>(stride) * (i)))
#define GANTRY_AT_HAS(stride, type, field)                                                         \
    ((stride) >= offsetof(type, field) + sizeof(static_cast<type *>(nullptr)->field))
#else
#define GANTRY_AT(type, array, stride, i)                                                          \
    ((const type *)(const void *)((const char *)(const void *)(array) + (size_t)(stride) * (i)))
/* Does an element of an array with this stride have this field? */
#define GANTRY_AT_HAS(stride, type, field)                                                         \
    ((stride) >= offsetof(type, field) + sizeof(((type *)0)->field))
#endif
/* Does this object, whose maker gave its size, have this field? */
#define GANTRY_HAS(object, type, field) GANTRY_AT_HAS((object)->size, type, field)

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
#define GANTRY_TYPE_STRING   1u
#define GANTRY_TYPE_BOOL     2u
#define GANTRY_TYPE_INTEGER  3u
#define GANTRY_TYPE_NUMBER   4u
#define GANTRY_TYPE_DURATION 5u
#define GANTRY_TYPE_SIZE     6u
#define GANTRY_TYPE_PATH     7u
#define GANTRY_TYPE_SECRET   8u
#define GANTRY_TYPE_CHOICE   9u
#define GANTRY_TYPE_LIST     10u
#define GANTRY_TYPE_MAP      11u

/* Where a setting may stand: in [backend NAME]; or there as the default for every workload and in
 * [connector NAME] for one. */
#define GANTRY_SCOPE_BACKEND  1u
#define GANTRY_SCOPE_WORKLOAD 2u

#define GANTRY_SETTING_REQUIRED 1u
/* Of scope BACKEND, and no secret: it says where the runtime is, such as the address of an engine.  The host
 * remembers these values; with other ones, it is another runtime, with other workloads. */
#define GANTRY_SETTING_PLACE 2u

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
    const char *text;         /* "" where the value is a number or items */
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

/* The value of a key.  Returns borrowed; NULL: it has none. */
static inline const struct gantry_value *
gantry_find_value(const struct gantry_settings *settings, const char *key)
{
    for (uint32_t i = 0; i < settings->count; i++) {
        const struct gantry_value *value =
            GANTRY_AT(struct gantry_value, settings->values, settings->stride, i);
        if (strcmp(value->key, key) == 0)
            return value;
    }
    return NULL;
}

/* The value of a label.  Returns borrowed; NULL: there is no such label. */
static inline const char *
gantry_find_label(const struct gantry_pair *labels, uint32_t count, uint32_t stride,
                  const char *key)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct gantry_pair *label = GANTRY_AT(struct gantry_pair, labels, stride, i);
        if (strcmp(label->key, key) == 0)
            return label->value;
    }
    return NULL;
}

/* Are all wanted labels among these, with the same values?  Returns 1 or 0. */
static inline int
gantry_has_labels(const struct gantry_pair *labels, uint32_t count, uint32_t stride,
                  const struct gantry_pair *wanted, uint32_t wanted_count, uint32_t wanted_stride)
{
    for (uint32_t i = 0; i < wanted_count; i++) {
        const struct gantry_pair *one = GANTRY_AT(struct gantry_pair, wanted, wanted_stride, i);
        const char *value = gantry_find_label(labels, count, stride, one->key);
        if (!value || strcmp(value, one->value) != 0)
            return 0;
    }
    return 1;
}

/* ---- what the host offers ------------------------------------------------------------------------- */

struct gantry_call; /* one call of one operation; opaque */

#define GANTRY_EMIT_STATUS 1u /* const struct gantry_status * */
#define GANTRY_EMIT_LINE   2u /* const struct gantry_line * */
#define GANTRY_EMIT_EVENT  3u /* const struct gantry_event * */
#define GANTRY_EMIT_TRAITS 4u /* const struct gantry_traits * */
#define GANTRY_EMIT_IMAGE  5u /* const struct gantry_image * */

#define GANTRY_LOG_ERROR 0u
#define GANTRY_LOG_WARN  1u
#define GANTRY_LOG_INFO  2u
#define GANTRY_LOG_DEBUG 3u

/* The host's table.  Use the inline functions below it. */
struct gantry_host {
    uint32_t size; /* sizeof(struct gantry_host) */
    uint32_t abi_major, abi_minor;
    uint32_t reserved;
    const char *version; /* of the host, such as "0.1.0" */
    int (*emit)(struct gantry_call *call, uint32_t kind, const void *item);
    void (*fail)(struct gantry_call *call, int code, const char *text);
    void (*log)(const struct gantry_host *host, struct gantry_call *call, uint32_t level,
                const char *text);
    void (*progress)(struct gantry_call *call, const char *what, uint64_t done, uint64_t total);
    int64_t (*remaining_ms)(struct gantry_call *call);
    int (*cancelled)(struct gantry_call *call);
    void (*retry_after)(struct gantry_call *call, int64_t ms);
    int (*wait)(struct gantry_call *call, const int32_t *fds, uint32_t n, int64_t timeout_ms,
                uint32_t flags);
    const void *(*extension)(const struct gantry_host *host, const char *id);
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
    return host->emit(call, GANTRY_EMIT_IMAGE, image);
}

/* Give the call its error text, and return the code: `return gantry_fail(host, call, code, "...")`.  Of several
 * texts the last one counts. */
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

/* Say something in the host's log.  call: may be NULL: it belongs to none, as on a thread of the plugin's own, or
 * in close().  level: GANTRY_LOG_*. */
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
    host->log(host, call, level, text);
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
    host->retry_after(call, ms);
}

/* Has the host asked for the call's end?  Non-zero: clean up, return GANTRY_E_CANCELLED. */
static inline int
gantry_cancelled(const struct gantry_host *host, struct gantry_call *call)
{
    return host->cancelled(call);
}

/* gantry_wait(): neither cancellation nor the deadline ends the wait, but it lasts 60 s at the most: for what must be
 * finished, or undone, once it was begun. */
#define GANTRY_WAIT_FINISH 1u

/* Wait until one of n file descriptors can be read (or has an error, or its other end is closed), the call is to
 * end, or timeout_ms is over; INT64_MAX: no such limit.
 * fds: borrowed; may be NULL when n is 0.  flags: GANTRY_WAIT_FINISH.
 * Returns 1: one can, or may; 0: none; or a GANTRY_E_*, when the plugin has broken a rule. */
static inline int
gantry_wait(const struct gantry_host *host, struct gantry_call *call, const int32_t *fds,
            uint32_t n, int64_t timeout_ms, uint32_t flags)
{
    return host->wait(call, fds, n, timeout_ms, flags);
}

/* A table of further functions by id, such as GANTRY_EXTENSION_HTTP.  NULL: not offered; no error. */
static inline const void *
gantry_extension(const struct gantry_host *host, const char *id)
{
    return host->extension(host, id);
}

/* ---- the plugin ----------------------------------------------------------------------------------- */

/* Thread models: how the host may enter the operations of one opened plugin.  watch() runs beside any.  A workload
 * is here what has one connector id, in spec or ref; operations that have neither run beside any but in SERIAL. */
#define GANTRY_THREADS_SERIAL       0u /* one call at a time */
#define GANTRY_THREADS_PER_WORKLOAD 1u /* one call at a time for each workload */
#define GANTRY_THREADS_PARALLEL     2u /* any */

/* start(): the runtime must not start it again by itself when it ends.  Without this flag it may; where it does
 * not, the host does. */
#define GANTRY_START_ONCE 1u

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
     * [connector NAME] may have changed there.  *self: NULL; owned by the plugin; may be left NULL.
     * Required. */
    int (*open)(struct gantry_call *call, const struct gantry_host *host,
                const struct gantry_settings *settings, void **self);

    /* Free the state.  No call is in progress, and none will come.  Workloads run on: the next open() with the
     * same settings finds them, with the same handles.  Only what runs inside the plugin itself ends with it.
     * Required. */
    void (*close)(void *self);

    /* Make a workload run, and emit its status, with the new handle: it runs, or is STARTING.
     *   spec alone      pull the image by policy, create, start.
     *   existing alone  start it again, or unpause it.  No secret is needed.
     *   both            replace: pull, create beside it (or update in place, where the runtime does that
     *                   itself), stop the old one, start the new one.  With NAME being the spec's name, the
     *                   new one is called NAME-new-XXXX (4 hex digits) and takes NAME when the old one is
     *                   removed by remove(); the old one stays, stopped, until then.  If anything fails, the
     *                   old one runs again if it did, the new one is gone, and the error is returned.  A status
     *                   with existing's handle means updated in place: nothing is left to remove.
     * existing, spec: borrowed; each may be NULL, not both.  flags: GANTRY_START_ONCE.
     * Cancellation and deadline are honoured until the old one is touched; from then on the call goes on to its
     * end, for 60 s and the spec's stop_grace_ms at the most.
     * An existing that is not there: GANTRY_E_NOT_FOUND, and nothing is made.
     * A workload of that name that lacks the spec's labels (manager and connector id) is foreign:
     * GANTRY_E_CONFLICT, before anything is changed.  One that bears them, though the host gives a spec
     * alone, is one that it has not seen yet: GANTRY_E_UNAVAILABLE, and none is made beside it.
     * GANTRY_E_IMAGE_MISSING: the registry says that there is no such image, or policy forbids to pull it.
     * GANTRY_E_UNSUPPORTED: this runtime cannot do what the spec asks for, such as files; before anything is
     * changed.
     * Required. */
    int (*start)(void *self, struct gantry_call *call, const struct gantry_ref *existing,
                 const struct gantry_spec *spec, uint32_t flags);

    /* Stop it: politely, then, after grace_ms, hard; also ends the runtime's own restarting.
     * Not running, or not there: 0.  Required. */
    int (*stop)(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                uint32_t grace_ms);

    /* Remove it with all that belongs to it, and nothing else.  Another workload with its manager, platform and
     * connector labels that waits for a name (it is called NAME-new-XXXX) then takes NAME, unless somebody else
     * has it.  Not there: 0.  Required. */
    int (*remove)(void *self, struct gantry_call *call, const struct gantry_ref *ref);

    /* Emit the lines after cursor, in the order of each stream, oldest first.  A line that has no end yet may wait
     * for it, until the workload has ended.  cursor: as emitted earlier; NULL: the last lines that the limits
     * allow.  One that means nothing (its log is gone, another version made it) is as NULL.  limits: borrowed.
     * GANTRY_E_UNSUPPORTED where it cannot be done.  Required. */
    int (*logs)(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                const char *cursor, const struct gantry_log_limits *limits);

    /* Emit its full status, or return GANTRY_E_NOT_FOUND.  Required. */
    int (*inspect)(void *self, struct gantry_call *call, const struct gantry_ref *ref);

    /* Emit the status of every workload that bears all of these labels, each once.  count: at least 1.
     * Required. */
    int (*list)(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                uint32_t count, uint32_t stride);

    /* Emit events until the call is cancelled: SYNCED when watching has begun, and after each gap; CHANGED
     * when inspect() of such a workload may say something new, or NOT_FOUND; LOST when it is interrupted, which
     * it then mends by itself.  CHANGED may come more than once for a change, and for others than the labels'.
     * Return GANTRY_E_CANCELLED, or earlier only with an error that does not heal.  labels: as for list,
     * borrowed.  May be NULL: the host lists in its interval.  [watch] */
    int (*watch)(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                 uint32_t count, uint32_t stride);

    /* Fetch the image of a spec, by its policy, and nothing else.  May be NULL. */
    int (*pull)(void *self, struct gantry_call *call, const struct gantry_spec *spec);

    /* Reach the runtime, and emit its traits.  May be NULL. */
    int (*probe)(void *self, struct gantry_call *call);

    /* Remove an image that was emitted as fetched, to make room; never by force.  Used by any workload,
     * whoever's it is: GANTRY_E_CONFLICT.  Names that others have given it stay, and it with them: 0.  Not
     * there: 0.  image: borrowed.  May be NULL. */
    int (*remove_image)(void *self, struct gantry_call *call, const struct gantry_image *image);
};

/* The first fields of a struct gantry_plugin, before all others in its braces.  In C++ assign all fields
 * instead: `gantry_plugin p{}; p.size = sizeof p; p.abi_major = GANTRY_ABI_MAJOR; ...`. */
#define GANTRY_PLUGIN_HEAD                                                                         \
    (uint32_t)sizeof(struct gantry_plugin), GANTRY_ABI_MAJOR, GANTRY_ABI_MINOR

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
