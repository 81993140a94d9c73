/* options.h - the options of a workload (options.def), as far as they mean the same on every engine: the
 * value in force, and the written forms.  How an engine wants to be told is the plugin's own. */
#ifndef ENGINE_OPTIONS_H
#define ENGINE_OPTIONS_H

#include "text.h"

#include <gantry/plugin.h>
#include <stdbool.h>

extern const char *const option_secrets_choices[];   /* environment, files */
extern const char *const option_restart_choices[];   /* unless-stopped, always, on-failure, no */
extern const char *const option_condition_choices[]; /* any, on-failure, none */

/* The value in force: what was given, else what hardened = yes stands for, else the default; NULL when it
 * has none.  settings: may be NULL.  Borrowed from settings, or static. */
const struct gantry_value *option_find(const struct gantry_settings *settings, const char *key);
const char *option_text(const struct gantry_settings *settings,
                        const char *key); /* NULL: none, or empty */
bool option_is_on(const struct gantry_settings *settings, const char *key);
/* Its items when it is a list or a map and has some; else NULL. */
const struct gantry_value *option_items(const struct gantry_settings *settings, const char *key);

/* Are all options written as they have to be, as far as that is the same on every engine?  A file that
 * one names is read.  False: the problem says which, what is wrong, and how it is written.  For open(), and
 * before a workload is made: those of [connector NAME] come with its spec. */
bool options_check(const struct gantry_settings *settings, char *problem, size_t size);
/* Appends the content of seccomp_profile's file, which is read anew each time; nothing when there is none. */
bool option_seccomp(const struct gantry_settings *settings, struct text *out, char *problem,
                    size_t size);
/* Which options in force give a workload rights over its host ("privileged, pid_mode"), for a warning;
 * "" when none does. */
void options_powers(const struct gantry_settings *settings, char *list, size_t size);

struct option_ulimit {
    char name[64];
    long long soft, hard; /* -1: unlimited */
};
/* "nofile=1024:2048", or "nofile=1024" for both. */
bool option_parse_ulimit(const char *item, struct option_ulimit *ulimit);
/* "1.5" as thousand millionths of a CPU, above 0. */
bool option_parse_cpus(const char *text, long long *nano);
/* "KEY=VALUE": the key into key, the value as a view of item. */
bool option_parse_pair(const char *item, char *key, size_t size, const char **value);

struct option_volume {
    char source[1024]; /* a folder of the host, absolute, or the name of a volume of the engine */
    char target[1024]; /* absolute */
    bool is_folder, read_only;
};
/* "data:/var/lib/data", "/srv/data:/data:ro".  A folder of the host has to be there already: where the
 * engine would make it, it must be told not to (bind of type "bind" in Mounts, not Binds). */
bool option_parse_volume(const char *item, struct option_volume *volume);
/* "/tmp" or "/tmp:size=64m,mode=1777": the path into path, the options as a view of item, or "". */
bool option_parse_tmpfs(const char *item, char *path, size_t size, const char **options);

/* As a JSON array of texts; as an object, of KEY=VALUE items that are well written. */
void option_print_list(struct text *json, const struct gantry_value *value);
void option_print_map(struct text *json, const struct gantry_value *value);

/* An option that is one member of what an engine is told. */
struct option_member {
    const char *key;
    const char *member;
    enum { OPTION_TEXT, OPTION_LIST, OPTION_BOOL, OPTION_INTEGER, OPTION_MAP } shape;
};
/* Appends ,"MEMBER":VALUE when there is a value, and it is not empty.  Returns whether it did. */
bool option_write(struct text *json, const struct gantry_settings *settings,
                  const struct option_member *option);

#endif
