/* plugin_check.c - is this table one that the host can work with?
 *
 * A table is the plugin's memory, made by another compiler from another version of plugin.h:
 * nothing beyond what its size covers is read, and what it never knew is NULL in our copy. */
#include "runtime_internal.h"

#include "str.h"

#include <inttypes.h>
#include <string.h>

/* Sizes beyond these are garbage, not a newer version. */
#define TABLE_SIZE_MAX   65536U
#define SETTING_SIZE_MAX 4096U
#define SETTINGS_MAX     1000U

bool
plugin_name_is_valid(const char *name)
{
    if (!name || name[0] < 'a' || name[0] > 'z')
        return false;
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-'))
            return false;
    return strlen(name) <= 64;
}

static bool
is_setting_key(const char *key)
{
    if (!key || key[0] < 'a' || key[0] > 'z')
        return false;
    for (const char *c = key; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_'))
            return false;
    return true;
}

/* The required operations, one row each. */
#define REQUIRED(X) X(open) X(close) X(start) X(stop) X(remove) X(logs) X(inspect) X(list)

static int
check_operations(const struct gantry_plugin *table, const char *file, struct gantry_error **err)
{
#define CHECK_(operation)                                                                          \
    if (!table->operation)                                                                         \
        return err_set(err, GANTRY_E_INVALID,                                                      \
                       "%s: the required operation '" #operation "' is missing; rebuild it",       \
                       file);
    REQUIRED(CHECK_)
#undef CHECK_
    return 0;
}

static int
check_setting(const struct gantry_setting *s, const char *file, struct gantry_error **err)
{
    if (!is_setting_key(s->key))
        return err_set(err, GANTRY_E_INVALID,
                       "%s: the key of a setting is not lower case with underscores: '%s'", file,
                       s->key ? s->key : "");
    if (s->type < GANTRY_TYPE_STRING || s->type > GANTRY_TYPE_MAP)
        return err_set(err, GANTRY_E_INVALID,
                       "%s: setting '%s' has type %" PRIu32 ", which this Gantry does not know",
                       file, s->key, s->type);
    if (s->scope != GANTRY_SCOPE_BACKEND && s->scope != GANTRY_SCOPE_WORKLOAD)
        return err_set(err, GANTRY_E_INVALID,
                       "%s: setting '%s' has scope %" PRIu32 ", which this Gantry does not know",
                       file, s->key, s->scope);
    if (s->type == GANTRY_TYPE_CHOICE && (!s->choices || !s->choices[0]))
        return err_set(err, GANTRY_E_INVALID, "%s: setting '%s' is a choice without choices", file,
                       s->key);
    return 0;
}

/* Copy the settings, so that every reader has all fields that this host knows. */
static int
take_settings(struct runtime_plugin *plugin, const char *file, struct gantry_error **err)
{
    struct gantry_plugin *t = &plugin->table;
    if (t->setting_count == 0) {
        t->settings = NULL;
        return 0;
    }
    if (!t->settings || t->setting_count > SETTINGS_MAX ||
        t->setting_stride < offsetof(struct gantry_setting, fallback) ||
        t->setting_stride > SETTING_SIZE_MAX)
        return err_set(err, GANTRY_E_INVALID, "%s: its table of settings is broken; rebuild it",
                       file);
    struct gantry_setting *copy =
        arena_alloc_array(&plugin->arena, t->setting_count, sizeof(struct gantry_setting));
    if (!copy)
        return err_nomem(err);
    for (uint32_t i = 0; i < t->setting_count; i++) {
        const struct gantry_setting *from =
            GANTRY_AT(struct gantry_setting, t->settings, t->setting_stride, i);
        size_t size = MIN(from->size, t->setting_stride);
        memcpy(&copy[i], from, MIN(size, sizeof copy[i]));
        copy[i].size = sizeof copy[i];
        int rc = check_setting(&copy[i], file, err);
        if (rc < 0)
            return rc;
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(copy[i].key, copy[j].key) == 0)
                return err_set(err, GANTRY_E_INVALID, "%s: setting '%s' is declared twice", file,
                               copy[i].key);
    }
    t->settings = copy;
    t->setting_stride = sizeof *copy;
    return 0;
}

static int
check_head(const struct gantry_plugin *theirs, const char *file, const char *name,
           struct gantry_error **err)
{
    if (!theirs)
        return err_set(err, GANTRY_E_INVALID, "%s: it gives no table; rebuild it", file);
    /* Size and major version are where they are in every version; nothing else is, so they come
     * first. */
    if (theirs->size < offsetof(struct gantry_plugin, abi_minor) || theirs->size > TABLE_SIZE_MAX)
        return err_set(err, GANTRY_E_INVALID,
                       "%s: a table of %" PRIu32 " bytes is no plugin's; rebuild it", file,
                       theirs->size);
    if (theirs->abi_major != GANTRY_ABI_MAJOR)
        return err_set(err, GANTRY_E_INVALID,
                       "%s: plugin%s%s%s has ABI version %" PRIu32 ", this Gantry has %" PRIu32
                       "; rebuild the plugin for it",
                       file, name ? " '" : "", name ? name : "", name ? "'" : "", theirs->abi_major,
                       GANTRY_ABI_MAJOR);
    if (theirs->size < offsetof(struct gantry_plugin, open))
        return err_set(err, GANTRY_E_INVALID,
                       "%s: a table of %" PRIu32 " bytes has no operations; rebuild it", file,
                       theirs->size);
    return 0;
}

int
plugin_take_table(struct runtime_plugin *plugin, const struct gantry_plugin *theirs,
                  const char *file, const char *name, struct gantry_error **err)
{
    int rc = check_head(theirs, file, name, err);
    if (rc < 0)
        return rc;
    struct gantry_plugin *t = &plugin->table;
    memset(t, 0, sizeof *t);
    memcpy(t, theirs, MIN(theirs->size, sizeof *t));
    t->size = sizeof *t;
    if (!plugin_name_is_valid(t->name))
        return err_set(err, GANTRY_E_INVALID,
                       "%s: its name '%s' is not lower-case letters, digits and dashes", file,
                       t->name ? t->name : "");
    if (name && strcmp(name, t->name) != 0)
        return err_set(err, GANTRY_E_INVALID,
                       "%s: the plugin in it is called '%s'; name the file gantry-%s.so", file,
                       t->name, t->name);
    if (t->threads > GANTRY_THREADS_PARALLEL)
        return err_set(err, GANTRY_E_INVALID,
                       "%s: thread model %" PRIu32 " is not known to this Gantry", file,
                       t->threads);
    rc = check_operations(t, file, err);
    if (rc < 0)
        return rc;
    return take_settings(plugin, file, err);
}
