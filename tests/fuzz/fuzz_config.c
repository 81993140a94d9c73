/* rooms: config */
/* fuzz_config.c - any bytes are a settings file or a connector's file, or problems that are one
 * line each and name their place. */
#include "config.h"
#include "document.h"
#include "err.h"
#include "fuzz.h"

static const char *const words[] = {"one", "two", NULL};
static const struct gantry_setting settings[] = {
    {.type = GANTRY_TYPE_STRING, .scope = GANTRY_SCOPE_BACKEND, .key = "text"},
    {.type = GANTRY_TYPE_BOOL, .scope = GANTRY_SCOPE_WORKLOAD, .key = "bool"},
    {.type = GANTRY_TYPE_INTEGER, .scope = GANTRY_SCOPE_WORKLOAD, .key = "integer"},
    {.type = GANTRY_TYPE_NUMBER, .scope = GANTRY_SCOPE_WORKLOAD, .key = "number"},
    {.type = GANTRY_TYPE_DURATION, .scope = GANTRY_SCOPE_BACKEND, .key = "duration"},
    {.type = GANTRY_TYPE_SIZE, .scope = GANTRY_SCOPE_WORKLOAD, .key = "size", .fallback = "1MiB"},
    {.type = GANTRY_TYPE_PATH, .scope = GANTRY_SCOPE_BACKEND, .key = "path"},
    {.type = GANTRY_TYPE_SECRET, .scope = GANTRY_SCOPE_BACKEND, .key = "secret"},
    {.type = GANTRY_TYPE_CHOICE, .scope = GANTRY_SCOPE_WORKLOAD, .key = "choice", .choices = words},
    {.type = GANTRY_TYPE_LIST, .scope = GANTRY_SCOPE_WORKLOAD, .key = "list"},
    {.type = GANTRY_TYPE_MAP, .scope = GANTRY_SCOPE_WORKLOAD, .key = "map"},
};
static const struct gantry_plugin plugin = {GANTRY_PLUGIN_HEAD, .name = "fuzz",
                                            GANTRY_SETTINGS(settings)};

static void
check_lines(const struct config *config)
{
    for (size_t i = 0; i < config_problem_count(config); i++) {
        const char *line = config_problem(config, i);
        must(strncmp(line, "fuzz.ini", 8) == 0 && !strpbrk(line, "\r\n"));
        must(str_utf8_valid_length(str_of(line)) == strlen(line));
    }
    for (size_t i = 0; i < config_warning_count(config); i++)
        must(!strpbrk(config_warning(config, i), "\r\n"));
}

/* A file may always take its own place. */
static void
reload(const struct config *running, const struct config_options *options)
{
    struct config_options again = *options;
    struct config *fresh = NULL;
    again.running = running;
    must(config_read(&again, &fresh, NULL) == 0);
    for (size_t i = 0; i < config_backend_count(fresh); i++)
        must(config_bind(fresh, i, &plugin, NULL) == 0);
    must(config_finish(fresh, NULL) == 0);
    must(config_reload_check(running, fresh, NULL) == 0);
    must(config_problem_count(fresh) == 0);
    config_free(fresh);
}

static void
read_settings(const char *text)
{
    static char *const environment[] = {NULL};
    const struct config_options options = {
        .path = "fuzz.ini", .text = text, .environment = environment, .default_plugin_path = "/p"};
    struct config *config = NULL;
    char *printed = NULL;
    must(config_read(&options, &config, NULL) == 0);
    for (size_t i = 0; i < config_backend_count(config); i++)
        must(config_bind(config, i, &plugin, NULL) == 0);
    must(config_finish(config, NULL) == 0);
    check_lines(config);
    for (size_t i = 0; i < config_backend_count(config); i++) {
        const struct gantry_settings *w = config_workload_settings(config, i, "id", "name");
        for (uint32_t k = 0; k < w->count; k++)
            must(w->values[k].text && w->values[k].key);
    }
    if (config_problem_count(config) == 0) {
        must(config_platform_count(config) > 0 && config_manager(config)->state_dir != NULL);
        for (size_t i = 0; i < config_platform_count(config); i++)
            must(config_platform(config, i)->backend < config_backend_count(config));
        reload(config, &options);
    }
    must(config_print(config, &printed, NULL) == 0);
    free(printed);
    config_free(config);
}

static void
read_connector(struct str text)
{
    AUTO_ARENA struct arena arena;
    AUTO_ERR struct gantry_error *err = NULL;
    arena_init(&arena, 0);
    struct config_connector out;
    int rc = config_read_connector("fuzz.ini", text, NULL, &arena, &out, &err);
    must(rc == 0 || (rc == GANTRY_E_INVALID && !strpbrk(err_text(err), "\r\n")));
    for (size_t i = 0; rc == 0 && i < out.entry_count; i++)
        must(out.entries[i].key[0] && !strchr(out.entries[i].key, ':') && out.entries[i].value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    read_connector((struct str){text, size});
    read_settings(text);
    free(text);
    return 0;
}
