/* plugin_load.c - find a plugin's file, make sure that nobody else could have put it there, and
 * load it.
 *
 * A shared object runs with all rights of the manager from the moment it is mapped, so the file and
 * its folder are checked first: whoever else can write to either could make us run anything.  A
 * sticky bit does not help a folder, because it does not keep others from adding files. */
#include "runtime_internal.h"

#include "file.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIX "gantry-"
#define SUFFIX ".so"

typedef const struct gantry_plugin *entry_fn(void);

/* May only root and we ourselves write to it? */
static int
check_writers(const char *path, const char *what, struct gantry_error **err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return err_set_errno(err, err_code_of_errno(errno), errno, "plugin %s '%s'", what, path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return err_set(
            err, GANTRY_E_DENIED,
            "plugin %s '%s' belongs to user %lu; it must belong to root or to user %lu, who "
            "runs this: chown it",
            what, path, (unsigned long)st.st_uid, (unsigned long)geteuid());
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(
            err, GANTRY_E_DENIED,
            "plugin %s '%s' can be written to by others than its owner; run: chmod go-w '%s'", what,
            path, path);
    return 0;
}

/* NAME of .../gantry-NAME.so, in the arena. */
static int
name_of_file(struct arena *arena, const char *file, const char **out, struct gantry_error **err)
{
    const char *slash = strrchr(file, '/');
    struct str base = str_of(slash ? slash + 1 : file);
    if (!str_starts_with(base, STR(PREFIX)) || !str_ends_with(base, STR(SUFFIX)) ||
        base.len < sizeof PREFIX SUFFIX)
        return err_set(err, GANTRY_E_INVALID,
                       "%s: a plugin's file is called gantry-NAME.so; rename it", file);
    base.ptr += sizeof PREFIX - 1;
    base.len -= sizeof PREFIX SUFFIX - 1;
    *out = arena_dup(arena, base);
    return *out ? 0 : err_nomem(err);
}

/* The folder as it was named, the file behind all links, and that one's folder. */
static int
check_place(const char *file, struct gantry_error **err)
{
    char folder[PATH_MAX], real[PATH_MAX];
    int n = snprintf(folder, sizeof folder, "%s", file);
    if (n < 0 || (size_t)n >= sizeof folder)
        return err_set(err, GANTRY_E_INVALID, "the path of plugin '%.80s...' is too long", file);
    if (!realpath(file, real))
        return err_set_errno(err, err_code_of_errno(errno), errno, "plugin file '%s'", file);
    char *slash = strrchr(folder, '/');
    if (slash == folder)
        slash++;
    *slash = '\0'; /* the caller gave a path with a slash */
    int rc = check_writers(folder, "folder", err);
    if (rc < 0 || (rc = check_writers(real, "file", err)) < 0)
        return rc;
    slash = strrchr(real, '/');
    if (slash == real)
        slash++;
    *slash = '\0';
    return check_writers(real, "folder", err);
}

static int
load_file(const char *file, struct runtime_plugin *plugin, struct gantry_error **err)
{
    plugin->file = arena_dup_text(&plugin->arena, file);
    if (!plugin->file)
        return err_nomem(err);
    const char *name = NULL;
    int rc = name_of_file(&plugin->arena, file, &name, err);
    if (rc < 0 || (rc = check_place(file, err)) < 0)
        return rc;
    /* Never unloaded: a thread that hangs in it may still return one day. */
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        const char *why = dlerror();
        return err_set(err, GANTRY_E_INVALID, "plugin '%s' cannot be loaded: %s", name,
                       why ? why : file);
    }
    void *symbol = dlsym(handle, GANTRY_PLUGIN_ENTRY);
    if (!symbol) {
        dlclose(handle);
        return err_set(
            err, GANTRY_E_INVALID,
            "%s: no plugin: it does not export %s(); end its source with GANTRY_PLUGIN()", file,
            GANTRY_PLUGIN_ENTRY);
    }
    entry_fn *entry;
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from object to function */
    rc = plugin_take_table(plugin, entry(), file, name, err);
    dlclose(handle);
    return rc;
}

/* The first folder's file of that name.  *file: owned. */
static int
find_file(const char *name, const char *const *folders, size_t folder_count, char **file,
          struct gantry_error **err)
{
    AUTO_ARENA struct arena arena;
    arena_init(&arena, 0);
    const char *base = arena_fmt(&arena, PREFIX "%s" SUFFIX, name);
    const char *searched = "no folder is given";
    for (size_t i = 0; base && searched && i < folder_count; i++) {
        char *path = file_join(folders[i], base);
        if (!path)
            return err_nomem(err);
        /* Whatever it is that bears the name decides: a link into nothing is a fault to report. */
        struct stat st;
        if (lstat(path, &st) == 0) {
            *file = path;
            return 0;
        }
        int why = errno;
        free(path);
        if (why != ENOENT && why != ENOTDIR)
            return err_set_errno(err, err_code_of_errno(why), why, "plugin folder '%s'",
                                 folders[i]);
        searched = i == 0 ? arena_fmt(&arena, "looked in %s", folders[i])
                          : arena_fmt(&arena, "%s, %s", searched, folders[i]);
    }
    if (!base || !searched)
        return err_nomem(err);
    return err_set(err, GANTRY_E_NOT_FOUND, "there is no plugin '%s': %s; install %s there", name,
                   searched, base);
}

static struct runtime_plugin *
plugin_new(void)
{
    struct runtime_plugin *plugin = calloc(1, sizeof *plugin);
    if (plugin) {
        arena_init(&plugin->arena, 0);
        plugin->file = "";
    }
    return plugin;
}

int
runtime_plugin_load(const char *name, const char *const *folders, size_t folder_count,
                    struct runtime_plugin **out, struct gantry_error **err)
{
    AUTO_FREE char *file = NULL;
    if (strchr(name, '/')) {
        file = text_dup(name);
        if (!file)
            return err_nomem(err);
    } else {
        if (!plugin_name_is_valid(name))
            return err_set(
                err, GANTRY_E_INVALID,
                "'%s' is no plugin's name: lower-case letters, digits and dashes, or the "
                "path of a file",
                name);
        int rc = find_file(name, folders, folder_count, &file, err);
        if (!file)
            return rc;
        /* A folder may be given without any slash; dlopen would search elsewhere for such a file.
         */
        if (!strchr(file, '/')) {
            char *here = file_join(".", file);
            if (!here)
                return err_nomem(err);
            free(file);
            file = here;
        }
    }
    struct runtime_plugin *plugin = plugin_new();
    if (!plugin)
        return err_nomem(err);
    int rc = load_file(file, plugin, err);
    if (rc < 0) {
        runtime_plugin_free(plugin);
        return rc;
    }
    *out = plugin;
    return 0;
}

int
runtime_plugin_adopt(const struct gantry_plugin *table, struct runtime_plugin **out,
                     struct gantry_error **err)
{
    struct runtime_plugin *plugin = plugin_new();
    if (!plugin)
        return err_nomem(err);
    int rc = plugin_take_table(plugin, table, "plugin handed over by the program", NULL, err);
    if (rc < 0) {
        runtime_plugin_free(plugin);
        return rc;
    }
    *out = plugin;
    return 0;
}

void
runtime_plugin_free(struct runtime_plugin *plugin)
{
    if (!plugin)
        return;
    arena_clear(&plugin->arena);
    free(plugin);
}

const struct gantry_plugin *
runtime_plugin_table(const struct runtime_plugin *plugin)
{
    return &plugin->table;
}

const char *
runtime_plugin_file(const struct runtime_plugin *plugin)
{
    return plugin->file;
}
