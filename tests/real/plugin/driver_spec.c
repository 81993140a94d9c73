/* JSON -> specs and settings.  See driver_spec.h. */
#include "driver_spec.h"

#include <string.h>

const char *
driver_text(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

double
driver_number(const cJSON *object, const char *key, double fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

static void *
array_for(const cJSON *list, struct arena *arena, size_t size)
{
    int count = cJSON_GetArraySize(list);
    return arena_alloc_array(arena, count > 0 ? (size_t)count : 1, size);
}

const struct gantry_pair *
driver_pairs(const cJSON *object, struct arena *arena, uint32_t *count)
{
    struct gantry_pair *pairs = array_for(object, arena, sizeof *pairs);
    const cJSON *item;
    *count = 0;
    cJSON_ArrayForEach(item, object) pairs[(*count)++] =
        (struct gantry_pair){item->string, item->valuestring};
    return pairs;
}

/* ---- settings
 * ------------------------------------------------------------------------------------- */

static void
value_of(struct gantry_value *value, const cJSON *item, struct arena *arena)
{
    value->text = cJSON_IsString(item) ? item->valuestring : "";
    value->number = cJSON_IsTrue(item) ? 1 : cJSON_IsNumber(item) ? (int64_t)item->valuedouble : 0;
    if (!cJSON_IsArray(item))
        return;
    const char **items = array_for(item, arena, sizeof *items);
    const cJSON *element;
    cJSON_ArrayForEach(element, item) items[value->item_count++] = element->valuestring;
    value->items = items;
}

/* "5m", "3s", "500ms". */
static int64_t
duration_ms(const char *text)
{
    char *unit;
    int64_t number = strtoll(text, &unit, 10);
    return strcmp(unit, "m") == 0   ? number * 60000
           : strcmp(unit, "s") == 0 ? number * 1000
                                    : number;
}

static void
value_of_fallback(struct gantry_value *value, const struct gantry_setting *setting)
{
    value->text = setting->fallback;
    if (setting->type == GANTRY_TYPE_BOOL)
        value->number = strcmp(setting->fallback, "yes") == 0;
    if (setting->type == GANTRY_TYPE_INTEGER)
        value->number = strtoll(setting->fallback, NULL, 10);
    if (setting->type == GANTRY_TYPE_DURATION)
        value->number = duration_ms(setting->fallback);
    if (setting->type == GANTRY_TYPE_SIZE) /* the only form in use */
        value->number = strtoll(setting->fallback, NULL, 10) * 1000000;
}

void
driver_settings(const struct gantry_plugin *table, const cJSON *given, uint32_t scope,
                struct arena *arena, struct gantry_settings *settings)
{
    struct gantry_value *values =
        arena_alloc_array(arena, table->setting_count + 1u, sizeof *values);
    *settings = (struct gantry_settings){
        .size = sizeof *settings, .stride = sizeof *values, .values = values, .section = "test"};
    for (uint32_t i = 0; i < table->setting_count; i++) {
        const struct gantry_setting *setting =
            GANTRY_AT(struct gantry_setting, table->settings, table->setting_stride, i);
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(given, setting->key);
        if (!(setting->scope & scope) || (!item && !setting->fallback))
            continue;
        struct gantry_value *value = &values[settings->count++];
        *value = (struct gantry_value){
            .size = sizeof *value, .given = item != NULL, .key = setting->key, .text = ""};
        if (item)
            value_of(value, item, arena);
        else
            value_of_fallback(value, setting);
        if (item && setting->type == GANTRY_TYPE_DURATION && cJSON_IsString(item))
            value->number = duration_ms(item->valuestring);
    }
}

/* ---- specs
 * ---------------------------------------------------------------------------------------- */

/* open: names of those that are no secrets. */
static void
add_environment(const cJSON *object, const cJSON *open, struct arena *arena,
                struct gantry_spec *spec)
{
    struct gantry_variable *variables = array_for(object, arena, sizeof *variables);
    const cJSON *item;
    cJSON_ArrayForEach(item, object) variables[spec->environment_count++] =
        (struct gantry_variable){.key = item->string,
                                 .value = item->valuestring,
                                 .secret = !cJSON_GetObjectItemCaseSensitive(open, item->string)};
    spec->environment = variables;
    spec->environment_stride = sizeof *variables;
}

static void
add_files(const cJSON *list, struct arena *arena, struct gantry_spec *spec)
{
    struct gantry_file *files = array_for(list, arena, sizeof *files);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const char *text = driver_text(item, "text");
        files[spec->file_count++] = (struct gantry_file){
            .path = driver_text(item, "path"),
            .bytes = text,
            .bytes_size = strlen(text),
            .mode = (uint32_t)driver_number(item, "mode", 0400),
            .secret = 1,
        };
    }
    spec->files = files;
    spec->file_stride = sizeof *files;
}

static void
add_registry(const cJSON *object, struct arena *arena, struct gantry_spec *spec)
{
    struct gantry_registry *registry = arena_alloc(arena, sizeof *registry);
    if (!object || !registry)
        return;
    *registry = (struct gantry_registry){
        .size = sizeof *registry,
        .host = driver_text(object, "host"),
        .username = driver_text(object, "username"),
        .password = driver_text(object, "password"),
    };
    spec->registry = registry;
}

static const char *
text_or(const cJSON *object, const char *key, const char *fallback)
{
    const char *text = driver_text(object, key);
    return text ? text : fallback;
}

int
driver_spec(const cJSON *object, struct arena *arena, struct gantry_spec *spec)
{
    struct gantry_plugin table = {0};
    struct gantry_settings *settings = arena_alloc(arena, sizeof *settings);
    if (!settings)
        return GANTRY_E_NOMEM;
    /* Workload settings come as they are; defaults are the plugin's own. */
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(object, "settings");
    struct gantry_setting *rows = array_for(given, arena, sizeof *rows);
    const cJSON *item;
    cJSON_ArrayForEach(item, given) rows[table.setting_count++] = (struct gantry_setting){
        .size = sizeof *rows, .scope = GANTRY_SCOPE_WORKLOAD, .key = item->string};
    table.settings = rows;
    table.setting_stride = sizeof *rows;
    driver_settings(&table, given, GANTRY_SCOPE_WORKLOAD, arena, settings);
    spec->settings = settings;
    spec->id = text_or(object, "id", "c1");
    spec->name = text_or(object, "name", "c1");
    spec->hash = text_or(object, "hash", "h1");
    spec->image = text_or(object, "image", "test/busy:latest");
    spec->platform = driver_text(object, "platform");
    spec->pull_policy = (uint32_t)driver_number(object, "pull_policy", 0);
    spec->stop_grace_ms = (uint32_t)driver_number(object, "stop_grace_ms", 2000);
    spec->pull_pause_ms = (uint32_t)driver_number(object, "pull_pause_ms", 0);
    spec->pull_stall_ms = (uint32_t)driver_number(object, "pull_stall_ms", 20000);
    spec->start_timeout_ms = (uint32_t)driver_number(object, "start_timeout_ms", 30000);
    spec->labels =
        driver_pairs(cJSON_GetObjectItemCaseSensitive(object, "labels"), arena, &spec->label_count);
    spec->label_stride = sizeof *spec->labels;
    add_environment(cJSON_GetObjectItemCaseSensitive(object, "env"),
                    cJSON_GetObjectItemCaseSensitive(object, "open_env"), arena, spec);
    add_files(cJSON_GetObjectItemCaseSensitive(object, "files"), arena, spec);
    add_registry(cJSON_GetObjectItemCaseSensitive(object, "registry"), arena, spec);
    return 0;
}
