/* config.h - the settings file and the environment, checked.
 *
 * Reading has two steps, because a plugin declares its own settings:
 *   1. config_read() reads file and environment, and checks every key of the core.  What stands in
 *      [backend NAME] and [connector NAME] beyond the core's keys is kept as written.
 *   2. config_bind() checks one backend's section, and what concerns it in the [connector]
 * sections, against the table of its plugin; config_finish(), after the last one, reports the keys
 * that nobody knows. Problems are collected, not returned one by one: config_problems() has them
 * all, as `FILE:LINE: [section] key: what is wrong; what to do`.  A configuration is used only when
 * there is none.
 *
 * Every key of the core is one row of core/config/settings.def (section, key, type, default,
 * secret?, live or restart, help), from which check, help, manual and example are made.  All text in a struct config
 * lives in its arena. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "arena.h"
#include "compiler.h"
#include "secret.h"
#include "str.h"

#include <gantry/gantry.h>
#include <gantry/plugin.h>
#include <gantry/types.h>
#include <stdbool.h>
#include <stdint.h>

struct config;

struct config_list {
    const char *const *items;
    size_t count;
};

struct config_manager {
    const char *id; /* checked; for local platforms alone it may have been made up: see
                       config_set_manager_id */
    const char *name;
    const char *key_origin;   /* for messages: "file '/etc/gantry/manager.pem'" or "[manager] key";
                                 NULL: no key */
    const struct secret *key; /* PEM; NULL: not given (only where no platform needs it) */
    const struct secret *key_passphrase; /* may be NULL */
    const struct secret *old_keys;       /* PEMs; each may be protected by key_passphrase */
    const char *const *old_key_origins;
    size_t old_key_count;
    int64_t interval_ms, ping_interval_ms;
    int64_t concurrency;
    const char *state_dir; /* absolute */
    struct config_list plugin_path;
    int64_t max_removals, removal_confirmations;
    bool allow_remove_all;
};

enum config_log_format { CONFIG_LOG_AUTO, CONFIG_LOG_TEXT, CONFIG_LOG_JSON };

struct config_log {
    const char *level; /* error, warn, info, debug */
    enum config_log_format format;
    const char *file; /* NULL: standard error */
    int64_t max_size_bytes;
    int64_t max_files;
};

enum config_platform_kind {
    CONFIG_PLATFORM_OPENCTI,
    CONFIG_PLATFORM_LOCAL,
    CONFIG_PLATFORM_CUSTOM /* the program provides it: gantry/platform.h */
};

struct config_platform {
    const char *name; /* NAME of [platform NAME] */
    enum config_platform_kind kind;
    size_t backend; /* index of its backend */
    /* kind opencti */
    const char *url; /* without trailing slash */
    const struct secret *token;
    const char *ca_file; /* may be NULL */
    bool tls_verify;
    const char *proxy;    /* NULL: from the environment; "": none; else a URL */
    const char *no_proxy; /* comma separated; may be NULL */
    int64_t connect_timeout_ms, request_timeout_ms, list_timeout_ms;
    int64_t logs_interval_ms, logs_lines, health_interval_ms;
    const char *connector_url;     /* what connectors are told */
    bool connector_proxy;          /* pass proxy variables on to connectors */
    const char *connector_ca_file; /* may be NULL */
    /* XTM Composer's settings for connectors; each may be NULL */
    const char *connector_http_proxy, *connector_https_proxy, *connector_no_proxy;
    bool connector_tls_reject_unauthorized;
    /* kind local */
    const char *path; /* absolute */
};

struct config_backend {
    const char *name;   /* NAME of [backend NAME] */
    const char *plugin; /* name of its plugin */
    bool drain;         /* what belongs to another backend moves there */
    int64_t start_timeout_ms, stop_timeout_ms, pull_stall_timeout_ms;
    uint32_t pull_policy; /* GANTRY_PULL_* */
    const char *registry; /* put before images that name none; may be NULL */
    const char *platform; /* of images; may be NULL: the engine's */
    bool image_retention;
};

struct config_registry {
    const char *host;
    const char *username;          /* may be NULL: anonymous */
    const struct secret *password; /* as it was when the settings were read */
    const char *password_file;     /* that it came from, absolute; NULL: from elsewhere */
};

/* [connector NAME]: overrides for one connector, found by name or id. */
struct config_override {
    const char *name;
    const char *image;    /* may be NULL */
    const char *platform; /* of its image; may be NULL */
    size_t backend; /* index of the backend that runs it; SIZE_MAX: its platform's.  With several
                          backends it is refused in this version */
};

/* One row of the table of the core's keys. */
struct config_setting {
    const char *section; /* "manager", "platform NAME", ... */
    const char *
        kind; /* of the platforms that have it, "local" or "opencti or custom"; NULL: all, or no platform's */
    const char *key;
    const char *type;           /* "duration", "secret", ... */
    const char *fallback;       /* default as it would be written; may be NULL */
    const char *example;        /* may be NULL */
    const char *const *choices; /* NULL-terminated; may be NULL */
    bool required, secret;
    bool restart;     /* a change takes a restart */
    const char *help; /* one line */
};

struct config_options {
    const char *path;                /* of the file; may be NULL: environment alone */
    const char *text;                /* instead of a file: its content; may be NULL */
    char *const *environment;        /* NULL-terminated, as environ; may be NULL: empty; kept until
                                        config_finish() */
    const char *default_plugin_path; /* folder of the bundled plugins; may be NULL */
    /* Laid over file and environment: the program's own word is the strongest.  Sections may come into being
     * by them, and relative paths are relative to the working folder.  The same key again adds to a list. */
    const struct gantry_assignment *assignments; /* borrowed; may be NULL when the count is 0 */
    size_t assignment_count;
    /* For a reload: what is in force; borrowed; may be NULL.  Platforms and backends that both have get the
     * same index, wherever they stand in the file. */
    const struct config *running;
    /* A section of the caller's own, such as "kit", which takes no name: its keys are kept as written, for
     * config_bind_own().  NULL: none; it is then as unknown as any other. */
    const char *own_section;
};

/* Read and check.  *out is made even when there are problems (then it is good for config_problems()
 * only); fails itself only when the file cannot be read or memory ran out. */
MUST_CHECK int config_read(const struct config_options *options, struct config **out,
                           struct gantry_error **err);
void config_free(struct config *config); /* wipes secrets */

/* Check backend i's settings against its plugin's table. */
MUST_CHECK int config_bind(struct config *config, size_t backend,
                           const struct gantry_plugin *plugin, struct gantry_error **err);

/* Check the caller's own section against a table of its settings, as a plugin's is; what is not in the table is
 * a problem.  *out: borrowed from config; defaults alone where the section is not there. */
MUST_CHECK int config_bind_own(struct config *config, const struct gantry_setting *table,
                               uint32_t count, const struct gantry_settings **out,
                               struct gantry_error **err);

/* After the last config_bind(): report what no plugin knows in [backend] and [connector] sections.
 */
MUST_CHECK int config_finish(struct config *config, struct gantry_error **err);

/* config_manager()->id is NULL, without a problem, when only local platforms are there and none was
 * given: the caller then makes one up. */
MUST_CHECK int config_set_manager_id(struct config *config, const char *id);

/* Can fresh take the place of running without a restart?  Adds a problem to fresh for each thing that differs
 * and cannot change: the rows of settings.def that say RESTART, a plugin's settings of scope backend, and which
 * platforms and backends there are.  Everything else may differ.  Call it for a fresh one that was read with
 * options.running, bound and finished; what has problems already is not compared.  An id that was made up for
 * running is fresh's too.  Neither keeps anything of the other.
 * Returns 0, whatever it found, or GANTRY_E_NOMEM. */
MUST_CHECK int config_reload_check(const struct config *running, struct config *fresh,
                                   struct gantry_error **err);

/* Problems, in order of file and line; each one line. */
size_t config_problem_count(const struct config *config);
const char *config_problem(const struct config *config, size_t i);
/* 0 when there is none.  Else GANTRY_E_INVALID: the first is the error's message, the others are its causes, in
 * order. */
MUST_CHECK int config_judge(const struct config *config, struct gantry_error **err);
/* What is allowed but unwise (a secret that others may read, ...), in the same form. */
size_t config_warning_count(const struct config *config);
const char *config_warning(const struct config *config, size_t i);
/* Add one of another room's, such as "key: not an RSA key", to a section's key; key may be NULL. */
MUST_CHECK int config_add_problem(struct config *config, const char *section, const char *key,
                                  const char *text);

/* The values; borrowed from config. */
const struct config_manager *config_manager(const struct config *config);
const struct config_log *config_log(const struct config *config);
size_t config_platform_count(const struct config *config);
const struct config_platform *config_platform(const struct config *config, size_t i);
size_t config_backend_count(const struct config *config);
const struct config_backend *config_backend(const struct config *config, size_t i);
/* The registry of an image: what stands before the first slash where that looks like a host, else docker.io.
 * Borrowed from image, or static. */
struct str config_registry_host(const char *image);
/* Credentials for an image's registry, or NULL.  image: a full reference; Docker Hub is
 * "docker.io". */
const struct config_registry *config_registry_for(const struct config *config, const char *image);
/* A registry's password as its file has it now: whoever changes it reloads nothing.  path: password_file.
 * *out: owned, secret_clear(). */
MUST_CHECK int config_read_password(const char *path, struct secret *out,
                                    struct gantry_error **err);
/* Put before a backend's images without a registry of their own: its `registry`, else XTM Composer's
 * `registry.server`; may be NULL. */
const char *config_registry_prefix(const struct config *config, size_t backend);
/* The override of a connector, by id, else by name, or NULL. */
const struct config_override *config_override(const struct config *config, const char *id,
                                              const char *name);
/* After config_bind: all values of its section, for open(): what is wrong with the workloads' defaults is told
 * then, too. */
const struct gantry_settings *config_backend_settings(const struct config *config, size_t backend);
/* After config_bind: values of GANTRY_SCOPE_WORKLOAD for one connector: the backend's, overridden
 * by its own section. */
const struct gantry_settings *config_workload_settings(const struct config *config, size_t backend,
                                                       const char *id, const char *name);

/* Print every effective value with its origin (file:line, environment NAME, program, default),
 * secrets masked, as
 * `[section] key = value   # origin`.  Freed by free(). */
MUST_CHECK int config_print(const struct config *config, char **out, struct gantry_error **err);
/* The table of the core's keys, for manuals. */
size_t config_setting_count(void);
struct config_setting config_setting(size_t i);

/* A commented example file with every key of the core.  Freed by free(). */
MUST_CHECK int config_print_example(char **out, struct gantry_error **err);

/* A file of the local platform: NAME.ini with [connector], [environment] and [environment_from]. */
struct config_connector_entry {
    const char *key;
    const char *value; /* literal, or read through a reference */
    bool secret;       /* came through a reference */
};
struct config_connector {
    const char *id, *name, *image;
    bool wanted; /* requested = starting */
    const struct config_connector_entry *entries;
    size_t entry_count;
};
/* Read one.  text: its content; path: for messages and the default id; environment: for env:
 * references. Everything is put into arena.  The error's message has all problems, one a line
 * joined by "; ". */
MUST_CHECK int config_read_connector(const char *path, struct str text, char *const *environment,
                                     struct arena *arena, struct config_connector *out,
                                     struct gantry_error **err);

#endif
