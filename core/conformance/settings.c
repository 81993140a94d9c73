/* settings.c - a plugin and its settings file: [backend NAME] with gantryd's own rules, and [kit]. */
#include "conformance_internal.h"

#include "buf.h"

#include <string.h>

#define MAP_MAX 64 /* pairs of away and of refused */

/* What [kit] may say. */
#define KIT_SETTING .size = sizeof(struct gantry_setting), .scope = GANTRY_SCOPE_BACKEND
static const struct gantry_setting table[] = {
    {KIT_SETTING, .type = GANTRY_TYPE_STRING, .key = "image", .fallback = "gantry-kit:1",
     .help = "Image of the workloads."},
    {KIT_SETTING, .type = GANTRY_TYPE_BOOL, .key = "workload", .fallback = "no",
     .help = "The image runs workload.sh, which obeys the variable GANTRY_KIT."},
    {KIT_SETTING, .type = GANTRY_TYPE_STRING, .key = "missing_image",
     .help = "An image that its registry does not have."},
    {KIT_SETTING, .type = GANTRY_TYPE_STRING, .key = "broken_image",
     .help = "An image that is there and cannot be started."},
    {KIT_SETTING, .type = GANTRY_TYPE_STRING, .key = "slow_image",
     .help = "An image whose pull takes ten seconds and more."},
    {KIT_SETTING, .type = GANTRY_TYPE_MAP, .key = "away",
     .help = "Settings of [backend] with which the runtime is out of reach."},
    {KIT_SETTING, .type = GANTRY_TYPE_MAP, .key = "refused",
     .help = "Settings of [backend] with which the runtime refuses the credentials."},
    {KIT_SETTING, .type = GANTRY_TYPE_BOOL, .key = "slow", .fallback = "no",
     .help = "A real engine: repeat less, wait longer."},
};

static const char *
text_of(const struct gantry_settings *settings, const char *key)
{
    const struct gantry_value *v = gantry_find_value(settings, key);
    return v ? v->text : NULL;
}

/* The settings file, and what the program adds: a platform, because a manager needs one. */
struct reading {
    const char *file, *state_folder;
    struct gantry_assignment assignments[MAP_MAX + 4];
    size_t count;
};

static void
assign(struct reading *r, const char *section, const char *key, const char *value)
{
    if (r->count < ARRAY_LENGTH(r->assignments))
        r->assignments[r->count++] = (struct gantry_assignment){section, key, value};
}

static int
read_config(const struct reading *r, struct config **out, struct gantry_error **err)
{
    struct config_options options = {
        .path = r->file,
        .environment = environ,
        .assignments = r->assignments,
        .assignment_count = r->count,
        .own_section = "kit",
    };
    return config_read(&options, out, err);
}

/* The file's backend has to be of this plugin. */
static int
check_backend(struct config *config, const struct gantry_plugin *plugin, struct gantry_error **err)
{
    size_t n = config_backend_count(config);
    if (n > 1)
        return err_set(err, GANTRY_E_INVALID,
                       "the settings file has %zu backends; leave [backend %s] alone in it", n,
                       plugin->name);
    const char *name = n == 1 ? config_backend(config, 0)->plugin : plugin->name;
    if (strchr(name, '/') || text_eq(name, plugin->name))
        return 0;
    return err_set(
        err, GANTRY_E_INVALID,
        "[backend %s] is for plugin '%s', and this one is '%s'; call it [backend %s], or "
        "add 'plugin = %s'",
        config_backend(config, 0)->name, name, plugin->name, plugin->name, plugin->name);
}

static int
finish_config(struct config *config, const struct gantry_plugin *plugin,
              const struct gantry_settings **own, struct gantry_error **err)
{
    int rc = check_backend(config, plugin, err);
    if (rc == 0 && config_backend_count(config) == 1)
        rc = config_bind(config, 0, plugin, err);
    if (rc == 0)
        rc = config_bind_own(config, table, ARRAY_LENGTH(table), own, err);
    if (rc == 0)
        rc = config_finish(config, err);
    return rc == 0 ? config_judge(config, err) : rc;
}

static int
read_whole(const struct reading *r, const struct gantry_plugin *plugin,
           const struct gantry_settings **own, struct config **out, struct gantry_error **err)
{
    struct config *config = NULL;
    int rc = read_config(r, &config, err);
    if (rc == 0)
        rc = finish_config(config, plugin, own, err);
    if (rc < 0) {
        config_free(config);
        return rc;
    }
    *out = config;
    return 0;
}

/* The same settings with those of a map in [kit] over the backend's.  *out stays NULL where it is not given. */
static int
read_variant(const struct reading *base, const struct kit_source *source,
             const struct gantry_settings *own, const char *key, struct config **out,
             struct gantry_error **err)
{
    const struct gantry_value *map = gantry_find_value(own, key);
    if (!map || map->item_count == 0)
        return 0;
    if (map->item_count > MAP_MAX)
        return err_set(err, GANTRY_E_INVALID, "[kit] %s: more than %d settings; leave some out",
                       key, MAP_MAX);
    AUTO_ARENA struct arena arena;
    arena_init(&arena, 0);
    struct reading r = *base;
    const char *section = arena_fmt(&arena, "backend %s", config_backend(source->config, 0)->name);
    for (uint32_t i = 0; section && i < map->item_count; i++) {
        struct str value, name = str_cut(str_of(map->items[i]), '=', &value);
        const char *name_text = arena_dup(&arena, str_trim(name));
        const char *value_text = arena_dup(&arena, str_trim(value));
        if (!name_text || !value_text)
            return err_nomem(err);
        assign(&r, section, name_text, value_text);
    }
    const struct gantry_settings *ignored;
    int rc = section ? read_whole(&r, runtime_plugin_table(source->plugin), &ignored, out, err)
                     : err_nomem(err);
    return rc < 0 ? err_wrap(err, rc, "[kit] %s", key) : 0;
}

static bool
is_on(const struct gantry_settings *settings, const char *key)
{
    const struct gantry_value *v = gantry_find_value(settings, key);
    return v && v->number != 0;
}

static int
read_kit(struct kit_source *source, const struct reading *r, const struct gantry_settings *own,
         struct gantry_error **err)
{
    struct kit_settings *kit = &source->kit;
    int rc = read_variant(r, source, own, "away", &source->away, err);
    if (rc == 0)
        rc = read_variant(r, source, own, "refused", &source->refused, err);
    if (rc < 0)
        return rc;
    kit->image = text_of(own, "image");
    kit->runs_workload = is_on(own, "workload");
    kit->missing_image = text_of(own, "missing_image");
    kit->broken_image = text_of(own, "broken_image");
    kit->slow_image = text_of(own, "slow_image");
    kit->slow = is_on(own, "slow");
    kit->away = source->away ? config_backend_settings(source->away, 0) : NULL;
    kit->refused = source->refused ? config_backend_settings(source->refused, 0) : NULL;
    return 0;
}

static int
load_plugin(struct kit_source *source, const char *plugin, const char *const *folders,
            uint32_t folder_count, struct gantry_error **err)
{
    AUTO_FREE char *bundled = runtime_bundled_folder();
    AUTO_FREE const char **all = calloc(folder_count + (size_t)1, sizeof *all);
    if (!all)
        return err_nomem(err);
    size_t n = 0;
    for (; n < folder_count; n++)
        all[n] = folders[n];
    if (bundled)
        all[n++] = bundled;
    return runtime_plugin_load(plugin, all, n, &source->plugin, err);
}

int
kit_source_open(struct kit_source *source, const char *plugin, const char *const *folders,
                uint32_t folder_count, const char *settings_file, const char *state_folder,
                struct gantry_error **err)
{
    memset(source, 0, sizeof *source);
    int rc = load_plugin(source, plugin, folders, folder_count, err);
    if (rc < 0)
        return rc;
    const struct gantry_plugin *of = runtime_plugin_table(source->plugin);
    AUTO_ARENA struct arena arena;
    arena_init(&arena, 0);
    struct reading r = {.file = settings_file};
    static const struct gantry_settings none = {.size = sizeof none};
    const struct gantry_settings *own = &none;
    const char *section = arena_fmt(&arena, "backend %s", of->name);
    if (!section)
        rc = err_nomem(err);
    assign(&r, "platform kit", "kind", "local");
    assign(&r, "platform kit", "path", "/");
    if (state_folder)
        assign(&r, "manager", "state_dir", state_folder);
    if (!settings_file)
        assign(&r, section, "plugin", of->name);
    if (rc == 0)
        rc = read_whole(&r, of, &own, &source->config, err);
    if (rc == 0)
        rc = read_kit(source, &r, own, err);
    if (rc < 0)
        kit_source_clear(source);
    else
        source->settings = config_backend_settings(source->config, 0);
    return rc;
}

static bool
add_registry(const struct config *config, struct gantry_spec *spec, struct arena *arena)
{
    const struct config_registry *from = config_registry_for(config, spec->image);
    if (spec->registry || !from || !from->username || spec->pull_policy == GANTRY_PULL_NEVER)
        return true;
    struct gantry_registry *to = arena_alloc(arena, sizeof *to);
    if (!to)
        return false;
    *to = (struct gantry_registry){
        .size = sizeof *to,
        .host = from->host,
        .username = from->username,
        .password = from->password ? secret_bytes(from->password).ptr : "",
    };
    spec->registry = to;
    return true;
}

bool
kit_source_complete(const struct kit_source *source, struct gantry_spec *spec, struct arena *arena)
{
    const struct config_backend *b = config_backend(source->config, 0);
    if (!spec->settings)
        spec->settings = config_workload_settings(source->config, 0, spec->id, spec->name);
    if (!spec->platform)
        spec->platform = b->platform;
    if (!spec->pull_stall_ms)
        spec->pull_stall_ms = (uint32_t)b->pull_stall_timeout_ms;
    if (!spec->start_timeout_ms)
        spec->start_timeout_ms = (uint32_t)b->start_timeout_ms;
    return add_registry(source->config, spec, arena);
}

void
kit_source_clear(struct kit_source *source)
{
    config_free(TAKE(source->away));
    config_free(TAKE(source->refused));
    config_free(TAKE(source->config));
    runtime_plugin_free(TAKE(source->plugin));
}
