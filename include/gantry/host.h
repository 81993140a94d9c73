/* gantry/host.h - find, load and describe plugins, without running anything.
 *
 * For tools and installers.  A manager loads its plugins by itself. */
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

#ifdef __cplusplus
}
#endif
#endif
