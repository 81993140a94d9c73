/* composer_engine.c - which engine XTM Composer's environment chooses, and that engine's options.
 *
 * Options go to the backend as they are, for the plugin's table to check. */
#include "config_internal.h"

#include "notation.h"

#include <inttypes.h>

#define DAEMON "OPENCTI__DAEMON__"

/* Its engines that are plugins of the same name here, and how their variables begin. */
static const struct engine_row {
    const char *name, *prefix;
} engines[] = {
    {"docker", DAEMON "DOCKER__"},
    {"portainer", DAEMON "PORTAINER__"},
    {"swarm", DAEMON "SWARM__"},
};

enum form {
    FORM_SAME,
    FORM_SECRET,
    FORM_NANO_CPUS,   /* thousand millionths of a CPU */
    FORM_NANOSECONDS, /* of a duration */
};

/* Options that are called otherwise here, or (key: NULL) have no effect. */
static const struct option_row {
    const char *name; /* of the variable */
    const char *key;
    enum form form;
} options[] = {
    {DAEMON "PORTAINER__API", "url", FORM_SAME},
    {DAEMON "PORTAINER__API_KEY", "api_key", FORM_SECRET},
    {DAEMON "PORTAINER__ENV_ID", "environment", FORM_SAME},
    {DAEMON "PORTAINER__ENV_TYPE", NULL, FORM_SAME}, /* docker is all that it knows */
    {DAEMON "PORTAINER__API_VERSION", NULL, FORM_SAME},
    {DAEMON "SWARM__RESOURCES__CPU_LIMIT", "cpus", FORM_NANO_CPUS},
    {DAEMON "SWARM__RESOURCES__CPU_RESERVATION", "cpus_reservation", FORM_NANO_CPUS},
    {DAEMON "SWARM__RESOURCES__MEMORY_LIMIT", "memory", FORM_SAME},
    {DAEMON "SWARM__RESOURCES__MEMORY_RESERVATION", "memory_reservation", FORM_SAME},
    {DAEMON "SWARM__RESTART_DELAY", "restart_delay", FORM_NANOSECONDS},
    {DAEMON "SWARM__STOP_GRACE_PERIOD", "stop_timeout", FORM_NANOSECONDS},
};

static const struct option_row *
find_option(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(options); i++) {
        if (text_eq(options[i].name, name))
            return &options[i];
    }
    return NULL;
}

static const struct engine_row *
find_engine(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(engines); i++) {
        if (str_eq_nocase(name, str_of(engines[i].name)))
            return &engines[i];
    }
    return NULL;
}

/* *engine: whose options it takes; NULL: nobody's. */
static struct section *
find_backend(struct config *config, const struct engine_row **engine)
{
    static const char name[] = "OPENCTI__DAEMON__SELECTOR";
    if (section_count(config, SECTION_BACKEND) > 0) {
        struct section *only = section_at(config, SECTION_BACKEND, 0);
        const struct entry *plugin = entry_find(only, "plugin");
        *engine = find_engine(str_of(plugin && plugin->pieces ? plugin->pieces->text : only->name));
        return section_count(config, SECTION_BACKEND) == 1 && *engine ? only : NULL;
    }
    struct origin origin = {ORIGIN_FOREIGN, 0, name};
    const char *selector = composer_variable(config, name);
    struct str word = str_trim(str_of(selector ? selector : "kubernetes"));
    *engine = find_engine(word);
    if (*engine) {
        struct section *made = section_add(config, SECTION_BACKEND, (*engine)->name);
        if (made)
            made->from_environment = true;
        return made;
    }
    if (!selector)
        problem_add(
            config, &origin, NULL, NULL,
            "is not set, which means kubernetes, and that is not available in this version; set "
            "it to docker, portainer or swarm");
    else if (str_eq_nocase(word, STR("kubernetes")))
        problem_add(config, &origin, NULL, NULL,
                    "%s is not available in this version; set it to docker, portainer or swarm",
                    selector);
    else
        problem_add(config, &origin, NULL, NULL,
                    "'%s' is not known; set it to docker, portainer or swarm",
                    problem_quote(config, selector));
    config->backend_refused = true;
    return NULL;
}

/* One string of a JSON array, in place.  Returns what is behind it, or NULL. */
static char *
json_string(char *text, const char **out)
{
    if (*text != '"')
        return NULL;
    char *to = ++text;
    *out = to;
    for (; *text && *text != '"'; text++) {
        if (*text == '\\' && *++text != '"' && *text != '\\' && *text != '/')
            return NULL;
        *to++ = *text;
    }
    if (!*text)
        return NULL;
    *to = '\0';
    return text + 1;
}

bool
composer_add_words(struct config *config, struct entry *entry, const char *value)
{
    char *text = arena_dup_text(&config->arena, value);
    if (!text) {
        config->failed = true;
        return true;
    }
    if (*text != '[') {
        entry_add_piece(config, entry, text);
        return true;
    }
    char *next = text + 1;
    next += strspn(next, " \t\r\n");
    while (*next != ']' || entry->pieces) {
        const char *item;
        next = json_string(next + strspn(next, " \t\r\n"), &item);
        if (!next)
            return false;
        entry_add_piece(config, entry, item);
        next += strspn(next, " \t\r\n");
        if (*next == ']')
            break;
        if (*next++ != ',')
            return false;
    }
    next++;
    if (!entry->pieces)
        entry_add_piece(config, entry, "");
    return next[strspn(next, " \t\r\n")] == '\0';
}

/* Item i of a list that is written as KEY__0, KEY__1; a ulimit is KEY__0__NAME, __SOFT, __HARD. */
static const char *
indexed_item(struct config *config, const char *option, unsigned i)
{
    const char *name = config_fmt(config, "%s__%u", option, i);
    const char *value = name ? composer_variable(config, name) : NULL;
    if (!name || value)
        return value;
    const char *parts[3], *const words[] = {"NAME", "SOFT", "HARD"};
    for (size_t k = 0; k < ARRAY_LENGTH(words); k++) {
        const char *part = config_fmt(config, "%s__%s", name, words[k]);
        parts[k] = part ? composer_variable(config, part) : NULL;
        if (!parts[k])
            return NULL;
    }
    return config_fmt(config, "%s=%s:%s", parts[0], parts[1], parts[2]);
}

static char *
lower(struct config *config, const char *upper)
{
    char *key = config_alloc(config, strlen(upper) + 1);
    for (size_t i = 0; key && upper[i]; i++)
        key[i] = upper[i] >= 'A' && upper[i] <= 'Z' ? (char)(upper[i] + ('a' - 'A')) : upper[i];
    return key;
}

/* A number in another unit; what is none is refused later, as everywhere. */
static const char *
convert(struct config *config, enum form form, const char *value)
{
    int64_t number;
    if (form == FORM_SAME || form == FORM_SECRET ||
        !str_to_int64(str_trim(str_of(value)), &number) || number < 0)
        return value;
    if (form == FORM_NANOSECONDS)
        return config_fmt(config, "%" PRId64 "ms", number / 1000000);
    return config_fmt(config, "%" PRId64 ".%09" PRId64, number / 1000000000, number % 1000000000);
}

/* One of the engine's options; its type is known when the plugin's table is.  option: its variable, without the
 * number of an item. */
static void
engine_option(struct config *config, struct section *backend, const char *name, const char *option,
              const char *upper)
{
    const struct option_row *row = find_option(option);
    const char *key = row ? row->key : lower(config, upper);
    const char *value = composer_variable(config, option);
    bool secret = row && row->form == FORM_SECRET, good = true;
    if (!key || entry_find(backend, key))
        return;
    if (row && value)
        value = convert(config, row->form, value);
    const struct secret *held = secret && value ? config_hold(config, str_of(value)) : NULL;
    struct entry *entry = entry_set(config, backend, key, held ? secret_bytes(held).ptr : NULL,
                                    (struct origin){ORIGIN_FOREIGN, 0, name});
    if (!entry)
        return;
    entry->literal = secret;
    if (secret)
        return;
    if (value) {
        good = composer_add_words(config, entry, value);
    } else {
        const char *item;
        for (unsigned i = 0; (item = indexed_item(config, option, i)); i++)
            entry_add_piece(config, entry, item);
        good = entry->pieces != NULL;
    }
    if (good)
        return;
    entry->pieces = entry->last = NULL;
    problem_add(config, &entry->origin, backend->title, key,
                "cannot be read; write a, b or set GANTRY__%s__%s instead",
                environment_form(config, backend->title), upper);
}

static void
apply_engine(struct config *config, struct section *backend, const struct engine_row *engine)
{
    struct str prefix = str_of(engine->prefix);
    for (char *const *it = config->environment; it && *it; it++) {
        struct str rest, name = str_cut(str_of(*it), '=', &rest);
        if (rest.len == 0 || !str_starts_with(name, prefix))
            continue;
        const char *variable_name = config_dup(config, name);
        bool whole = variable_name && find_option(variable_name);
        const char *end = variable_name && !whole ? strstr(variable_name + prefix.len, "__") : NULL;
        const char *option =
            end ? config_dup(config, (struct str){variable_name, (size_t)(end - variable_name)})
                : variable_name;
        if (option && option[prefix.len])
            engine_option(config, backend, variable_name, option, option + prefix.len);
    }
}

void
composer_apply_engine(struct config *config)
{
    const struct engine_row *engine = NULL;
    struct section *backend = find_backend(config, &engine);
    if (backend)
        apply_engine(config, backend, engine);
}
