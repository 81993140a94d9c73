/* config_internal.h - what the files of this room share.
 *
 * The way of a value:
 *   document.c     text            -> sections, keys, lines
 *   sections.c     file            -> struct section, struct entry: the tree of what was written
 *   environment.c  GANTRY__X__Y    -> the same tree, in front of the file
 *   program.c      assignments     -> the same tree, in front of both
 *   composer.c     XTM Composer's  -> the same tree, where nothing stands
 *   typed.c        entry + rule    -> struct typed (checked by type)
 *   core.c         settings.def    -> struct config_manager, ...
 *   bind.c         plugin's table  -> struct gantry_settings
 *   reload.c       two of them     -> what needs a restart
 *
 * Memory that runs out is remembered in config->failed: whoever makes something gives up quietly,
 * and config_read() or config_bind() returns GANTRY_E_NOMEM at its end. */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include "config.h"
#include "document.h"
#include "vec.h"

#define CONFIG_MAX_FILE   ((size_t)4 << 20)  /* bytes of a settings file */
#define CONFIG_MAX_SECRET ((size_t)64 << 10) /* bytes of a file that a secret comes from */

/* ---- the table of settings (settings.def, settings.c)
 * ---------------------------------------------- */

enum setting_group {
    GROUP_MANAGER,
    GROUP_LOG,
    GROUP_PLATFORM, /* every kind of platform */
    GROUP_OPENCTI,
    GROUP_REPORTS, /* of platforms that are told how connectors are: opencti, custom */
    GROUP_LOCAL,
    GROUP_BACKEND,
    GROUP_REGISTRY,
    GROUP_CONNECTOR,
    GROUP_COUNT
};
#define GROUP_BIT(group) (1U << (group))

#define SETTING_REQUIRED    1U
#define SETTING_NOT_EMPTY   2U
#define SETTING_URL         4U  /* http:// or https://, without user, kept without trailing slash */
#define SETTING_SECRET_LIST 8U  /* items are references to secrets */
#define SETTING_PATH_LIST   16U /* items are paths */

struct setting {
    enum setting_group group;
    uint32_t type; /* GANTRY_TYPE_* */
    unsigned flags;
    const char *key;
    const char *fallback;
    const char *unit;
    int64_t min, max;
    const char *const *choices;
    size_t offset; /* in its group's struct; SIZE_MAX: none */
    bool restart;  /* cannot change while running */
    const char *example;
    const char *help;
};

extern const struct setting settings_table[];
extern const size_t settings_count;
/* groups: GROUP_BIT()s; NULL when there is no such key. */
const struct setting *setting_find(unsigned groups, const char *key);
/* The key of these groups that was probably meant, or NULL. */
const char *setting_nearest(unsigned groups, const char *key);
const char *setting_type_word(uint32_t type);
const char *setting_section(enum setting_group group); /* "platform NAME" */
const char *
setting_kinds(enum setting_group group); /* of platforms that have it; NULL: no matter */

/* ---- what was written (sections.c)
 * ----------------------------------------------------------------- */

enum section_kind {
    SECTION_MANAGER,
    SECTION_LOG,
    SECTION_PLATFORM,
    SECTION_BACKEND,
    SECTION_REGISTRY,
    SECTION_CONNECTOR,
    SECTION_OWN, /* config_options.own_section */
};

enum origin_kind {
    ORIGIN_DEFAULT,
    ORIGIN_FILE,
    ORIGIN_VARIABLE, /* one of Gantry's own: GANTRY__... */
    ORIGIN_FOREIGN,  /* XTM Composer's, or one that a plugin names, such as DOCKER_HOST */
    ORIGIN_MADE,     /* made by Gantry: the manager's id */
    ORIGIN_PROGRAM,  /* an assignment of the program that embeds Gantry */
};

struct origin {
    enum origin_kind kind;
    uint32_t line;
    const char *variable;
};

struct entry {
    const char *key;
    struct origin origin; /* of its first line */
    struct piece *pieces; /* a key given again adds its lines */
    struct piece *last;
    bool literal; /* a secret's text is itself, never a reference */
    bool used;    /* a table of settings knows it */
    struct entry *next;
};

/* One value, checked. */
struct typed {
    const char *key;
    uint32_t type;
    uint32_t scope;              /* of a plugin's; else 0 */
    unsigned flags;              /* SETTING_* */
    bool restart;                /* cannot change while running */
    const struct secret *secret; /* of SECRET; else NULL */
    const char *note; /* of SECRET: where it came from, when that may be shown; else NULL */
    struct gantry_value value;
    struct origin origin;
    struct typed *next;
};

struct section {
    enum section_kind kind;
    const char *title; /* "backend docker" */
    const char *name;  /* "docker", or "" */
    uint32_t line;     /* 0: not in the file */
    bool from_environment;
    bool from_program; /* it is neither in the file nor in the environment */
    bool broken;       /* its keys make no sense, and are not checked further */
    struct entry *entries, *last;
    struct typed *values, *last_value;
    size_t index; /* among those of its kind */
    struct section *next;
};

struct problem {
    uint64_t rank; /* order: by line; then without line; then the environment */
    const char *text;
};

/* A secret in the arena, found again for wiping. */
struct held {
    struct secret secret;
    struct held *next;
};

/* What config_bind() made of one backend. */
struct bound {
    const struct gantry_plugin *plugin; /* NULL: not bound */
    struct section *section;
    struct gantry_settings backend;
    struct gantry_settings workload;
    struct gantry_settings
        *overridden; /* one for each [connector]; may be NULL when there is none */
};

struct config {
    struct arena arena;
    bool failed; /* memory ran out */
    char *text;  /* of the file; pieces point into it */
    size_t text_size;
    const char *file;    /* as it is called in messages; NULL: there is none */
    const char *folder;  /* absolute: what relative paths are relative to */
    const char *working; /* the working folder */
    bool exposed;        /* others than the owner may read the file */
    char *const *environment;
    const char *default_plugin_path;
    const struct gantry_assignment *assignments; /* while reading */
    size_t assignment_count;
    const struct config *running; /* while reading; may be NULL */
    const char *own_section;      /* may be NULL */
    struct gantry_settings own;   /* what config_bind_own() made of it */
    struct section *sections, *last_section;
    struct held *held;
    VEC(struct problem) problems;
    VEC(struct problem) warnings;
    struct config_manager manager;
    struct config_log log;
    struct config_platform *platforms;
    struct config_backend *backends;
    struct config_registry *registries;
    struct config_override *overrides;
    struct bound *bound; /* one for each backend */
    size_t platform_count, backend_count, registry_count, override_count;
    const char *registry_prefix;
    const char *registry_prefix_variable;
    bool backend_refused; /* why there is none was told */
    struct gantry_settings no_settings;
};

/* ---- memory (config.c)
 * ----------------------------------------------------------------------------- */

void *config_alloc(struct config *config, size_t size); /* zeroed; NULL: config->failed is set */
const char *config_dup(struct config *config, struct str text);
const char *config_fmt(struct config *config, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A secret that lives as long as config; NULL: config->failed is set. */
const struct secret *config_hold(struct config *config, struct str bytes);
/* The value of a variable of the environment, or NULL. */
const char *config_variable(const struct config *config, const char *name);
const char *variable_find(char *const *environment, const char *name);

/* ---- problems (problems.c)
 * ------------------------------------------------------------------------- */

/* One at an origin; section and key may be NULL. */
void problem_add(struct config *config, const struct origin *origin, const char *section,
                 const char *key, const char *fmt, ...) PRINTF_LIKE(5, 6);
void warning_add(struct config *config, const struct origin *origin, const char *section,
                 const char *key, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* At a section as a whole: its header's line. */
struct origin section_origin(const struct section *section);
/* A value as it may be quoted in a message: cut where it is long, without what stands before an '@'
 * in a URL. */
const char *problem_quote(struct config *config, const char *text);
/* The same without cutting. */
const char *text_without_user(struct config *config, const char *text);

/* ---- sections (sections.c, environment.c, composer.c)
 * ---------------------------------------------- */

void sections_from_document(struct config *config, const struct document *document);
struct section *section_find(const struct config *config, enum section_kind kind, const char *name);
/* The i-th of a kind, or NULL. */
struct section *section_at(const struct config *config, enum section_kind kind, size_t index);
size_t section_count(const struct config *config, enum section_kind kind);
struct section *section_add(struct config *config, enum section_kind kind, const char *name);
/* Recognise "backend docker".  Otherwise returns false, having told why. */
bool section_recognise(struct config *config, const struct origin *origin, const char *title,
                       enum section_kind *kind, const char **name);
struct entry *entry_find(const struct section *section, const char *key);
/* Set a key to one line, in place of what was there.  text: kept. */
struct entry *entry_set(struct config *config, struct section *section, const char *key,
                        const char *text, struct origin origin);
/* Add a line to it. */
void entry_add_piece(struct config *config, struct entry *entry, const char *text);
/* "backend my-docker" -> "BACKEND_MY_DOCKER"; NULL: config->failed is set. */
const char *environment_form(struct config *config, const char *title);
/* Are these names the same, as far as a variable's name can tell? */
bool environment_same(const char *a, const char *b);

void environment_apply(struct config *config);
void composer_apply(struct config *config);
/* A variable that is set, and not to nothing: compose files pass empty ones on. */
const char *composer_variable(const struct config *config, const char *name);
/* Add the items of a value to an entry: of a JSON array of texts, else the whole.  False: it is a
 * broken array. */
bool composer_add_words(struct config *config, struct entry *entry, const char *value);
void composer_apply_engine(struct config *config);
/* program.c: the program's assignments.  Its sections come first, so that variables find them by their names. */
void program_make_sections(struct config *config);
void program_apply(struct config *config);

/* ---- types (typed.c, secrets.c)
 * -------------------------------------------------------------------- */

/* What a value must be. */
struct rule {
    const char *key;
    uint32_t type;
    const char *const *choices;
    const char *unit;
    unsigned flags;   /* SETTING_* */
    int64_t min, max; /* both 0: any */
    bool restart;
};

/* Check an entry, put the value into the section's, and return it; NULL: a problem was told. */
struct typed *typed_from_entry(struct config *config, struct section *section, struct entry *entry,
                               const struct rule *rule);
/* The same of a default, or of a variable that a plugin names. */
struct typed *typed_from_text(struct config *config, struct section *section, const char *text,
                              struct origin origin, const struct rule *rule);
/* Fill in the items of a LIST or MAP.  False: a problem was told. */
bool typed_read_items(struct config *config, struct section *section, const struct entry *entry,
                      const struct rule *rule, struct typed *typed);
struct typed *typed_find(const struct section *section, const char *key);
/* Absolute, from what was written. */
const char *path_absolute(struct config *config, const char *text, const struct origin *origin);

/* Resolve `file:PATH`, `env:NAME`, or the text itself.  *note: where it came from, or NULL. */
const struct secret *secret_resolve(struct config *config, const struct section *section,
                                    const struct entry *entry, const char *text, const char **note);
/* The file that it names, absolute; NULL: it names none. */
const char *secret_file(struct config *config, const struct entry *entry);
/* Is it a reference? */
bool secret_is_reference(const char *text);
/* Read what a reference names, with the last newline dropped.  *out: owned.  The message says what
 * to do. */
MUST_CHECK int secret_read(const char *path, const char *variable, char *const *environment,
                           struct secret *out, struct gantry_error **err);

/* ---- the rest
 * -------------------------------------------------------------------------------------- */

void core_apply(struct config *config); /* core.c */
struct rule core_rule(const struct setting *row);
/* check.c: what goes beyond a type, and the values that take more than a copy. */
void check_manager(struct config *config);
void check_log(struct config *config);
void check_platform(struct config *config, struct section *section,
                    struct config_platform *platform);
void check_backend(struct config *config, struct section *section, struct config_backend *backend);
void check_registry(struct config *config, struct section *section,
                    struct config_registry *registry);
void check_override(struct config *config, struct section *section,
                    struct config_override *override);
/* How a key that is missing is to be given: "add 'url = ...'", or "set GANTRY__...".  note: behind
 * it; may be empty. */
void problem_missing(struct config *config, const struct section *section, const char *key,
                     const char *example, const char *note);
/* A key of the core that stands in the wrong section.  False: it is none. */
bool problem_misplaced(struct config *config, const struct section *section,
                       const struct entry *entry);

#endif
