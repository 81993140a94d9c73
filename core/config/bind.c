/* bind.c - a plugin's table of settings, applied to its [backend] and to the [connector] sections.
 */
#include "config_internal.h"

#include "err.h"

#define NEAR_MAX 256

static const struct gantry_setting *
setting_of(const struct gantry_plugin *plugin, uint32_t i)
{
    return GANTRY_AT(struct gantry_setting, plugin->settings, plugin->setting_stride, i);
}

static const struct gantry_setting *
find_setting(const struct gantry_plugin *plugin, const char *key)
{
    for (uint32_t i = 0; i < plugin->setting_count; i++)
        if (text_eq(setting_of(plugin, i)->key, key))
            return setting_of(plugin, i);
    return NULL;
}

static struct rule
rule_of(const struct gantry_setting *setting)
{
    return (struct rule){.key = setting->key,
                         .type = setting->type,
                         .choices = setting->choices,
                         .restart = (setting->scope & GANTRY_SCOPE_BACKEND) != 0};
}

/* The value of a setting in its backend's section: given, or the variable's, or the default. */
static void
bind_setting(struct config *config, struct section *section, const struct gantry_setting *setting)
{
    struct rule rule = rule_of(setting);
    struct entry *entry = entry_find(section, setting->key);
    const char *variable =
        setting->environment ? config_variable(config, setting->environment) : NULL;
    struct typed *typed = NULL;
    if (entry) {
        typed = typed_from_entry(config, section, entry, &rule);
    } else if (variable && *variable) {
        const struct secret *held = config_hold(config, str_of(variable));
        if (held)
            typed =
                typed_from_text(config, section, secret_bytes(held).ptr,
                                (struct origin){ORIGIN_FOREIGN, 0, setting->environment}, &rule);
    } else if (setting->fallback) {
        typed = typed_from_text(config, section, setting->fallback,
                                (struct origin){ORIGIN_DEFAULT, 0, NULL}, &rule);
    } else if (setting->flags & GANTRY_SETTING_REQUIRED) {
        problem_missing(config, section, setting->key, "...", "");
    }
    if (typed)
        typed->scope = setting->scope;
}

static size_t
count_values(const struct section *section, uint32_t scope)
{
    size_t n = 0;
    for (const struct typed *t = section->values; t; t = t->next)
        n += (t->scope & scope) != 0;
    return n;
}

static struct gantry_settings
new_settings(const struct config *config, const struct section *backend,
             struct gantry_value *values, size_t count)
{
    struct gantry_settings settings = config->no_settings;
    settings.count = (uint32_t)count;
    settings.values = values;
    settings.section = backend->name;
    return settings;
}

static struct gantry_settings
collect(struct config *config, const struct section *section, uint32_t scope)
{
    size_t count = count_values(section, scope), n = 0;
    struct gantry_value *values = config_alloc(config, (count + 1) * sizeof *values);
    for (const struct typed *t = section->values; values && t; t = t->next)
        if (t->scope & scope)
            values[n++] = t->value;
    return new_settings(config, section, values, n);
}

/* The backend's values for workloads, with what this connector's section says in their place. */
static struct gantry_settings
override_values(struct config *config, const struct bound *bound, struct section *section)
{
    const struct gantry_plugin *plugin = bound->plugin;
    size_t room = (size_t)bound->workload.count + plugin->setting_count + 1;
    struct gantry_value *values = config_alloc(config, room * sizeof *values);
    size_t n = bound->workload.count;
    if (!values)
        return bound->workload;
    for (size_t i = 0; i < n; i++)
        values[i] = bound->workload.values[i];
    for (uint32_t i = 0; i < plugin->setting_count; i++) {
        const struct gantry_setting *setting = setting_of(plugin, i);
        struct entry *entry = entry_find(section, setting->key);
        if (!entry || !(setting->scope & GANTRY_SCOPE_WORKLOAD) ||
            setting_find(GROUP_BIT(GROUP_CONNECTOR), setting->key))
            continue;
        struct rule rule = rule_of(setting);
        const struct typed *typed = typed_from_entry(config, section, entry, &rule);
        size_t at = 0;
        while (at < n && !text_eq(values[at].key, setting->key))
            at++;
        if (typed)
            values[at] = typed->value;
        n += typed && at == n;
    }
    return new_settings(config, bound->section, values, n);
}

/* Does a connector's section, by its `backend`, exclude this one? */
static bool
is_elsewhere(const struct config *config, const struct section *connector, size_t backend)
{
    size_t chosen = config->overrides[connector->index].backend;
    return chosen != SIZE_MAX && chosen != backend;
}

int
config_bind(struct config *config, size_t backend, const struct gantry_plugin *plugin,
            struct gantry_error **err)
{
    struct bound *bound = &config->bound[backend];
    bound->plugin = plugin;
    for (uint32_t i = 0; i < plugin->setting_count; i++)
        if (!setting_find(GROUP_BIT(GROUP_BACKEND), setting_of(plugin, i)->key))
            bind_setting(config, bound->section, setting_of(plugin, i));
    bound->backend = collect(config, bound->section, GANTRY_SCOPE_BACKEND | GANTRY_SCOPE_WORKLOAD);
    bound->workload = collect(config, bound->section, GANTRY_SCOPE_WORKLOAD);
    bound->overridden =
        config_alloc(config, (config->override_count + 1) * sizeof *bound->overridden);
    for (struct section *s = config->sections; bound->overridden && s; s = s->next) {
        if (s->kind != SECTION_CONNECTOR)
            continue;
        bound->overridden[s->index] =
            is_elsewhere(config, s, backend) ? bound->workload : override_values(config, bound, s);
    }
    return config->failed ? err_nomem(err) : 0;
}

int
config_bind_own(struct config *config, const struct gantry_setting *table, uint32_t count,
                const struct gantry_settings **out, struct gantry_error **err)
{
    struct section *section = section_find(config, SECTION_OWN, "");
    const char *keys[NEAR_MAX];
    for (uint32_t i = 0; i < count && i < NEAR_MAX; i++) {
        keys[i] = table[i].key;
        bind_setting(config, section, &table[i]);
    }
    for (const struct entry *entry = section->entries; entry; entry = entry->next) {
        const char *near =
            entry->used ? NULL : text_nearest(entry->key, keys, MIN(count, NEAR_MAX));
        if (near)
            problem_add(config, &entry->origin, section->title, entry->key,
                        "unknown key; did you mean '%s'?", near);
        else if (!entry->used)
            problem_add(config, &entry->origin, section->title, entry->key,
                        "unknown key; remove it, or correct its name");
    }
    config->own = collect(config, section, ~0U);
    *out = &config->own;
    return config->failed ? err_nomem(err) : 0;
}

/* The plugins that an unused key may have been meant for; wanted: SIZE_MAX: all. */
struct search {
    const struct config *config;
    size_t wanted;
    uint32_t scope;
    unsigned group;
    const char *keys[NEAR_MAX];
    size_t count;
};

static bool
is_wanted(const struct search *search, size_t backend)
{
    return search->config->bound[backend].plugin &&
           (search->wanted == SIZE_MAX || search->wanted == backend);
}

static const char *
nearest(struct search *search, const char *key)
{
    search->count = 0;
    for (size_t i = 0; i < settings_count && search->count < NEAR_MAX; i++)
        if (GROUP_BIT(settings_table[i].group) & search->group)
            search->keys[search->count++] = settings_table[i].key;
    for (size_t b = 0; b < search->config->backend_count; b++) {
        const struct gantry_plugin *plugin = search->config->bound[b].plugin;
        for (uint32_t i = 0; is_wanted(search, b) && i < plugin->setting_count; i++)
            if (search->count < NEAR_MAX && setting_of(plugin, i)->scope & search->scope)
                search->keys[search->count++] = setting_of(plugin, i)->key;
    }
    return text_nearest(key, search->keys, search->count);
}

/* The backend whose plugin knows a key in one of these scopes, or SIZE_MAX. */
static size_t
find_owner(const struct config *config, const char *key, uint32_t scope)
{
    for (size_t b = 0; b < config->backend_count; b++) {
        const struct gantry_plugin *plugin = config->bound[b].plugin;
        const struct gantry_setting *setting = plugin ? find_setting(plugin, key) : NULL;
        if (setting && setting->scope & scope)
            return b;
    }
    return SIZE_MAX;
}

static void
report(struct config *config, const struct section *section, const struct entry *entry,
       struct search *search)
{
    uint32_t any = GANTRY_SCOPE_BACKEND | GANTRY_SCOPE_WORKLOAD;
    size_t owner = find_owner(config, entry->key, any);
    if (section->kind == SECTION_CONNECTOR && owner != SIZE_MAX &&
        find_owner(config, entry->key, GANTRY_SCOPE_WORKLOAD) == SIZE_MAX) {
        problem_add(config, &entry->origin, section->title, entry->key,
                    "is a setting of the whole backend; move it to [%s]",
                    config->bound[owner].section->title);
        return;
    }
    if (owner != SIZE_MAX) {
        problem_add(config, &entry->origin, section->title, entry->key,
                    "is a key of plugin '%s', not of this one; remove it",
                    config->bound[owner].plugin->name);
        return;
    }
    if (problem_misplaced(config, section, entry))
        return;
    const char *near = nearest(search, entry->key);
    if (near)
        problem_add(config, &entry->origin, section->title, entry->key,
                    "unknown key; did you mean '%s'?", near);
    else if (section->kind == SECTION_BACKEND)
        problem_add(config, &entry->origin, section->title, entry->key,
                    "unknown key; 'gantry plugin info %s' lists the known ones",
                    config->backends[section->index].plugin);
    else
        problem_add(config, &entry->origin, section->title, entry->key,
                    "unknown key; remove it, or correct its name");
}

/* Are all plugins known that could know a key of this section? */
static bool
can_judge(const struct config *config, size_t wanted)
{
    for (size_t b = 0; b < config->backend_count; b++)
        if ((wanted == SIZE_MAX || wanted == b) && !config->bound[b].plugin)
            return false;
    return true;
}

int
config_finish(struct config *config, struct gantry_error **err)
{
    for (const struct section *section = config->sections; section; section = section->next) {
        struct search search = {.config = config};
        if (section->kind == SECTION_BACKEND) {
            search.wanted = section->index;
            search.scope = GANTRY_SCOPE_BACKEND | GANTRY_SCOPE_WORKLOAD;
            search.group = GROUP_BIT(GROUP_BACKEND);
        } else if (section->kind == SECTION_CONNECTOR) {
            search.wanted = config->overrides[section->index].backend;
            search.scope = GANTRY_SCOPE_WORKLOAD;
            search.group = GROUP_BIT(GROUP_CONNECTOR);
        } else {
            continue;
        }
        for (const struct entry *entry = section->entries; entry; entry = entry->next)
            if (!entry->used && can_judge(config, search.wanted))
                report(config, section, entry, &search);
    }
    return config->failed ? err_nomem(err) : 0;
}
