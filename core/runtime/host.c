/* host.c - gantry/host.h: plugins for those who only look at them. */
#include "runtime_internal.h"

#include "file.h"
#include "map.h"
#include "str.h"

#include <gantry/host.h>

#include <dirent.h>
#include <string.h>

/* The public name of a checked plugin. */
struct gantry_loaded_plugin {
    struct runtime_plugin *plugin;
};

typedef VEC(const char *) folder_list;

/* The folders, and the bundled one behind them.  *bundled: owned, free(). */
static int
with_bundled(const char *const *folders, size_t count, folder_list *list, char **bundled)
{
    for (size_t i = 0; i < count; i++) {
        const char **slot = vec_push(list);
        if (!slot)
            return GANTRY_E_NOMEM;
        *slot = folders[i];
    }
    *bundled = runtime_bundled_folder();
    if (!*bundled)
        return 0;
    const char **slot = vec_push(list);
    if (!slot)
        return GANTRY_E_NOMEM;
    *slot = *bundled;
    return 0;
}

int
gantry_plugin_load(const char *name, const char *const *folders, size_t folder_count,
                   struct gantry_loaded_plugin **out, struct gantry_error **err)
{
    folder_list list = VEC_INIT;
    AUTO_FREE char *bundled = NULL;
    struct gantry_loaded_plugin *loaded = calloc(1, sizeof *loaded);
    if (err)
        *err = NULL;
    int rc = loaded ? with_bundled(folders, folder_count, &list, &bundled) : GANTRY_E_NOMEM;
    if (rc < 0)
        err_nomem(err);
    else
        rc = runtime_plugin_load(name, list.ptr, list.len, &loaded->plugin, err);
    vec_clear(&list);
    if (rc < 0) {
        free(loaded);
        return rc;
    }
    *out = loaded;
    return 0;
}

void
gantry_loaded_plugin_free(struct gantry_loaded_plugin *plugin)
{
    if (!plugin)
        return;
    runtime_plugin_free(plugin->plugin);
    free(plugin);
}

const struct gantry_plugin *
gantry_loaded_plugin_table(const struct gantry_loaded_plugin *plugin)
{
    return runtime_plugin_table(plugin->plugin);
}

const char *
gantry_loaded_plugin_file(const struct gantry_loaded_plugin *plugin)
{
    return runtime_plugin_file(plugin->plugin);
}

/* ---- walking the folders --------------------------------------------------------------------- */

typedef int found_fn(void *context, const char *file, const char *name,
                     const struct gantry_plugin *plugin, int shadowed,
                     const struct gantry_error *problem);

struct walk {
    found_fn *found;
    void *context;
    struct map seen; /* names of earlier folders */
};

static int
is_plugin_file(const struct dirent *entry)
{
    struct str name = str_of(entry->d_name);
    return str_starts_with(name, STR("gantry-")) && str_ends_with(name, STR(".so")) &&
           name.len > sizeof "gantry-.so" - 1;
}

static int
visit_file(struct walk *walk, const char *folder, const char *base)
{
    AUTO_FREE char *file = file_join(folder, base);
    struct str stem = str_of(base);
    stem.ptr += sizeof "gantry-" - 1;
    stem.len -= sizeof "gantry-.so" - 1;
    AUTO_FREE char *name = str_dup(stem);
    if (!file || !name)
        return GANTRY_E_NOMEM;
    struct runtime_plugin *plugin = NULL;
    AUTO_ERR struct gantry_error *problem = NULL;
    AUTO_FREE char *here = strchr(file, '/') ? NULL : file_join(".", file);
    int rc = runtime_plugin_load(here ? here : file, NULL, 0, &plugin, &problem);
    if (rc == GANTRY_E_NOMEM)
        return rc;
    bool shadowed = map_find(&walk->seen, stem) != NULL;
    rc = walk->found(walk->context, file, name, plugin ? &plugin->table : NULL, shadowed, problem);
    runtime_plugin_free(plugin);
    if (rc == 0 && !shadowed)
        rc = map_set(&walk->seen, stem, walk, NULL); /* any value but NULL */
    return rc;
}

static int
visit_folder(struct walk *walk, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_plugin_file, alphasort);
    int rc = 0;
    for (int i = 0; i < count; i++) { /* a folder that is not there has none */
        if (rc == 0)
            rc = visit_file(walk, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

int
gantry_plugin_walk(const char *const *folders, size_t folder_count, found_fn *found, void *context)
{
    folder_list list = VEC_INIT;
    AUTO_FREE char *bundled = NULL;
    struct walk walk = {.found = found, .context = context};
    map_init(&walk.seen);
    int rc = with_bundled(folders, folder_count, &list, &bundled);
    for (size_t i = 0; rc == 0 && i < list.len; i++)
        rc = visit_folder(&walk, list.ptr[i]);
    map_clear(&walk.seen);
    vec_clear(&list);
    return rc;
}
