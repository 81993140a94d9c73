/* config.c - reading from beginning to end, and the memory of what was read. */
#include "config_internal.h"

#include "buf.h"
#include "err.h"
#include "file.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>

void *
config_alloc(struct config *config, size_t size)
{
    void *memory = arena_alloc(&config->arena, size);
    if (!memory)
        config->failed = true;
    return memory;
}

const char *
config_dup(struct config *config, struct str text)
{
    const char *copy = arena_dup(&config->arena, text);
    if (!copy)
        config->failed = true;
    return copy;
}

const char *
config_fmt(struct config *config, const char *fmt, ...)
{
    AUTO_BUF struct buf b = BUF_INIT(2 * CONFIG_MAX_FILE);
    va_list args;
    va_start(args, fmt);
    buf_add_vfmt(&b, fmt, args);
    va_end(args);
    if (!buf_failed(&b))
        return config_dup(config, buf_view(&b));
    config->failed = true;
    return NULL;
}

const struct secret *
config_hold(struct config *config, struct str bytes)
{
    struct held *held = config_alloc(config, sizeof *held);
    if (!held || secret_set(&held->secret, bytes.ptr, bytes.len) < 0) {
        config->failed = true;
        return NULL;
    }
    held->next = config->held;
    config->held = held;
    return &held->secret;
}

const char *
variable_find(char *const *environment, const char *name)
{
    size_t length = strlen(name);
    for (char *const *it = environment; it && *it; it++)
        if (strncmp(*it, name, length) == 0 && (*it)[length] == '=')
            return *it + length + 1;
    return NULL;
}

const char *
config_variable(const struct config *config, const char *name)
{
    return variable_find(config->environment, name);
}

void
config_free(struct config *config)
{
    if (!config)
        return;
    for (struct held *held = config->held; held; held = held->next)
        secret_clear(&held->secret);
    secret_wipe(config->text, config->text_size);
    free(config->text);
    vec_clear(&config->problems);
    vec_clear(&config->warnings);
    arena_clear(&config->arena);
    free(config);
}

/* The folders that relative paths are relative to. */
static int
find_folders(struct config *config, const char *path, struct gantry_error **err)
{
    char working[PATH_MAX];
    if (!getcwd(working, sizeof working))
        return err_set_errno(err, err_code_of_errno(errno), errno,
                             "cannot tell the working folder; start in one that exists");
    config->working = config_dup(config, str_of(working));
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!config->working)
        return err_nomem(err);
    if (!slash) {
        config->folder = config->working;
        return 0;
    }
    struct origin here = {ORIGIN_FOREIGN, 0, NULL};
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    const char *folder = config_dup(config, (struct str){path, length});
    config->folder = folder ? path_absolute(config, folder, &here) : NULL;
    return config->folder ? 0 : err_nomem(err);
}

static int
load_text(struct config *config, const struct config_options *options, struct gantry_error **err)
{
    config->file = options->path ? config_dup(config, str_of(options->path)) : NULL;
    if (options->text) {
        config->text_size = strlen(options->text);
        config->text = text_dup(options->text);
        if (!config->file)
            config->file = "settings";
        return config->text ? 0 : err_nomem(err);
    }
    if (!options->path)
        return 0;
    int rc = file_read(options->path, CONFIG_MAX_FILE, &config->text, &config->text_size, err);
    if (rc == GANTRY_E_NOT_FOUND)
        return err_set(err, rc, "%s: there is no such file; make it, or name another",
                       options->path);
    if (rc == GANTRY_E_DENIED)
        return err_set(err, rc, "%s: permission denied; let this user read it", options->path);
    if (rc < 0)
        return rc;
    struct stat info;
    config->exposed = stat(options->path, &info) == 0 && (info.st_mode & 044) != 0;
    return 0;
}

static int
read_sections(struct config *config, struct gantry_error **err)
{
    if (config->text) {
        struct document document;
        int rc = document_read(config->text, config->text_size, &config->arena, &document);
        if (rc == GANTRY_E_NOMEM)
            return err_nomem(err);
        if (rc < 0)
            return err_set(err, rc, "%s: inih does not agree with its reader; report this defect",
                           config->file);
        sections_from_document(config, &document);
    }
    program_make_sections(config);
    environment_apply(config);
    program_apply(config);
    if (!section_find(config, SECTION_MANAGER, ""))
        section_add(config, SECTION_MANAGER, "");
    if (!section_find(config, SECTION_LOG, ""))
        section_add(config, SECTION_LOG, "");
    if (config->own_section && !section_find(config, SECTION_OWN, ""))
        section_add(config, SECTION_OWN, "");
    if (config->failed)
        return err_nomem(err);
    composer_apply(config);
    return config->failed ? err_nomem(err) : 0;
}

int
config_read(const struct config_options *options, struct config **out, struct gantry_error **err)
{
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        return err_nomem(err);
    arena_init(&config->arena, 0);
    config->environment = options->environment;
    config->default_plugin_path = options->default_plugin_path;
    config->assignments = options->assignments;
    config->assignment_count = options->assignment_count;
    config->running = options->running;
    config->own_section = options->own_section;
    int rc = find_folders(config, options->path, err);
    if (rc == 0)
        rc = load_text(config, options, err);
    if (rc == 0)
        rc = read_sections(config, err);
    if (rc == 0) {
        core_apply(config);
        rc = config->failed ? err_nomem(err) : 0;
    }
    if (rc < 0) {
        config_free(config);
        return rc;
    }
    config->assignments = NULL; /* the caller's again */
    config->assignment_count = 0;
    config->running = NULL;
    *out = config;
    return 0;
}
