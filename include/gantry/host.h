/* gantry/host.h - find, load, describe, call and test plugins, without a manager.
 *
 * For tools, installers and authors of plugins.  A manager loads its plugins by itself. */
#ifndef GANTRY_HOST_H
#define GANTRY_HOST_H

#include <gantry/plugin.h>
#include <gantry/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gantry_loaded_plugin; /* opaque: a plugin that passed the checks */

/* Load one plugin and check it; none of its operations is called.
 * name: borrowed; NAME of gantry-NAME.so, looked for in folders and then in the folder of the bundled
 * plugins; or the path of a file, when it holds a '/'.
 * folders: borrowed; may be NULL when folder_count is 0.
 * *out: owned, gantry_loaded_plugin_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_NOT_FOUND, GANTRY_E_INVALID (not a plugin, or of another ABI), GANTRY_E_DENIED (others
 * can write to it) or GANTRY_E_NOMEM.  [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_plugin_load(const char *name, const char *const *folders,
                                                    size_t folder_count,
                                                    struct gantry_loaded_plugin **out,
                                                    struct gantry_error **err);

/* plugin: taken; may be NULL.  The shared object stays mapped.  [any] */
GANTRY_API void gantry_loaded_plugin_free(struct gantry_loaded_plugin *plugin);

/* The plugin's table as this host knows it: operations that an older plugin never knew are NULL.
 * Returns borrowed, kept by plugin.  [any] */
GANTRY_API const struct gantry_plugin *
gantry_loaded_plugin_table(const struct gantry_loaded_plugin *plugin);

/* The file that it came from.  Returns borrowed, kept by plugin.  [any] */
GANTRY_API const char *gantry_loaded_plugin_file(const struct gantry_loaded_plugin *plugin);

/* The plugin's manual, made from its table: what it is, its settings with type, scope, default and help.
 * Returns owned, gantry_text_free(); NULL when memory ran out.  [any] */
GANTRY_API char *gantry_plugin_manual(const struct gantry_plugin *plugin);

/* Look at every gantry-*.so of the folders, then of the bundled folder, in that order.
 * found: called for each file; name: NAME from the file's name; plugin: borrowed, NULL when it was refused,
 * and then problem says why (else NULL); shadowed: 1 when an earlier folder has the same name.  Non-zero
 * ends the walk and is returned.
 * Returns 0, what found returned, or GANTRY_E_NOMEM.  [any] */
GANTRY_API GANTRY_MUST_CHECK int
gantry_plugin_walk(const char *const *folders, size_t folder_count,
                   int (*found)(void *context, const char *file, const char *name,
                                const struct gantry_plugin *plugin, int shadowed,
                                const struct gantry_error *problem),
                   void *context);

/* ---- calling a plugin by hand --------------------------------------------------------------------- */

/* An open plugin, called as a manager would call it: on threads of the library's own, with deadlines, the
 * thread model that it declares, and every rule of plugin.h checked. */
struct gantry_session;

struct gantry_session_options {
    uint32_t size; /* sizeof(struct gantry_session_options) */
    uint32_t folder_count;
    const char *plugin;         /* as gantry_plugin_load()'s name */
    const char *const *folders; /* may be NULL when folder_count is 0 */
    /* An INI file with one [backend NAME]; [kit] may stand in it.  May be NULL: only defaults. */
    const char *settings_file;
    /* What passes between host and plugin, one line each; may be NULL.  [any] */
    void (*trace)(void *context, const char *line);
    void *context;
};

/* Load a plugin, check its settings, and open it.
 * options: borrowed.  *out: owned, gantry_session_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0 or what gantry_plugin_load() or the plugin's open() returned.  [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_session_open(const struct gantry_session_options *options,
                                                     struct gantry_session **out,
                                                     struct gantry_error **err);
/* Ends what is inside, closes the plugin.
 * session: taken; may be NULL.  [any] */
GANTRY_API void gantry_session_free(struct gantry_session *session);

/* One call of one operation.  What the operation does not take is ignored. */
struct gantry_request {
    uint32_t size;  /* sizeof(struct gantry_request) */
    uint32_t flags; /* start: GANTRY_START_ONCE */
    const char *
        operation; /* its name in struct gantry_plugin, such as "start" or "remove_image"; not open, close */
    const struct gantry_ref *ref; /* start (existing; may be NULL), stop, remove, logs, inspect */
    /* start (may be NULL), pull.  What it lacks (settings, registry, platform, timeouts) is the settings file's. */
    const struct gantry_spec *spec;
    const struct gantry_image *image; /* remove_image */
    const struct gantry_pair *labels; /* list, watch; may be NULL when label_count is 0 */
    uint32_t label_count, label_stride;
    const char *cursor;                     /* logs; may be NULL */
    const struct gantry_log_limits *limits; /* logs */
    int64_t timeout_ms;                     /* 0: none; a watch that ends by it has succeeded */
    uint32_t grace_ms;                      /* stop */
    uint32_t reserved;
    /* What it emits, GANTRY_EMIT_*, borrowed.  On the thread that called gantry_session_call(), when the operation
     * has succeeded; watch: as it comes.  Non-zero: no more is wanted, which ends a watch, and is what the call
     * returns.  May be NULL. */
    int (*emitted)(void *context, uint32_t kind, const void *item);
    void *context;
};

/* Call an operation, and wait for its end.
 * session, request: borrowed.  err: may be NULL; *err: owned, gantry_error_free().
 * Returns the operation's code; GANTRY_E_UNSUPPORTED when the plugin has no such operation;
 * GANTRY_E_INTERNAL when the plugin broke a rule.  [any, one at a time for each session] */
GANTRY_API GANTRY_MUST_CHECK int gantry_session_call(struct gantry_session *session,
                                                     const struct gantry_request *request,
                                                     struct gantry_error **err);

/* Ask the call that runs to end, as a manager does; when none does, the next one.  It returns what the plugin
 * makes of that, GANTRY_E_CANCELLED as a rule; a watch, 0.
 * session: borrowed.  [any & signal] */
GANTRY_API void gantry_session_cancel(struct gantry_session *session);

/* ---- the conformance kit -------------------------------------------------------------------------- */

#define GANTRY_PROMISE_OK          1u
#define GANTRY_PROMISE_FAILED      2u
#define GANTRY_PROMISE_NOT_OFFERED 3u /* the plugin, or the settings, lack what it takes */

/* One thing that plugin.h promises, which the kit tries out. */
struct gantry_promise {
    uint32_t size; /* sizeof(struct gantry_promise) */
    uint32_t reserved;
    const char *name; /* GROUP.WORDS, such as "remove.leaves_foreign" */
    const char *text; /* one sentence */
};

/* The promises that this kit knows, in the order in which they are tried.
 * Returns static text, NULL when index is beyond the last one.  [any] */
GANTRY_API const struct gantry_promise *gantry_promise_at(size_t index);

struct gantry_conformance {
    uint32_t size; /* sizeof(struct gantry_conformance) */
    uint32_t folder_count;
    const char *plugin;         /* as gantry_plugin_load()'s name */
    const char *const *folders; /* may be NULL when folder_count is 0 */
    /* An INI file with [backend NAME] for the plugin, and [kit]: docs/plugins.md.  May be NULL. */
    const char *settings_file;
    const char *const *only; /* names of promises; may be NULL when only_count is 0: all */
    uint32_t only_count;
    uint32_t reserved;
    /* Before and after each promise; non-zero ends the test and is returned.  began may be NULL.
     * detail: failed: what was seen; not offered: why; else NULL.  Borrowed. */
    int (*began)(void *context, const struct gantry_promise *promise);
    int (*ended)(void *context, const struct gantry_promise *promise, uint32_t outcome,
                 const char *detail, int64_t took_ms);
    void (*trace)(void *context, const char *line); /* as in gantry_session_options; may be NULL */
    void *context;
};

/* Try a plugin.  Each promise is tried on a plugin that was opened for it, with workloads of a manager of its
 * own, which are removed afterwards.  A plugin that crashes takes the process with it: call this in one that may
 * end.
 * conformance: borrowed.  err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0 when all were tried, whatever came of them; else the code by which the plugin could not be loaded or
 * its settings are wrong, or what began or ended returned.  [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_plugin_test(const struct gantry_conformance *conformance,
                                                    struct gantry_error **err);

#ifdef __cplusplus
}
#endif
#endif
