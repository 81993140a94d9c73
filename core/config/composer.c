/* composer.c - XTM Composer's environment, understood where Gantry's own names and the file are
 * silent.
 *
 * Its compose file then works with the image replaced.  What it means that Gantry has not yet is
 * refused.  Its engines and their options are composer_engine.c's. */
#include "config_internal.h"

#include "notation.h"

#define CA "OPENCTI__HTTPS_PROXY_CA"

enum conversion {
    AS_TEXT,
    AS_SECRET,  /* the text itself, never a reference */
    AS_FILE,    /* a path, which becomes file:PATH */
    AS_SECONDS, /* a number of seconds */
    AS_BOOL,
    AS_OPPOSITE, /* a bool that is meant the other way round */
    AS_LEVEL,
    AS_FORMAT,
    AS_NOTHING, /* known, but read elsewhere or of no effect */
};

/* A later row of the same key is used where the earlier one's variable is not set. */
static const struct variable_row {
    const char *name;
    const char *key;
    enum section_kind section;
    enum conversion conversion;
} rows[] = {
    {"MANAGER__ID", "id", SECTION_MANAGER, AS_TEXT},
    {"MANAGER__NAME", "name", SECTION_MANAGER, AS_TEXT},
    {"MANAGER__EXECUTE_SCHEDULE", "interval", SECTION_MANAGER, AS_SECONDS},
    {"MANAGER__PING_ALIVE_SCHEDULE", "ping_interval", SECTION_MANAGER, AS_SECONDS},
    {"MANAGER__CREDENTIALS_KEY_FILEPATH", "key", SECTION_MANAGER, AS_FILE},
    {"MANAGER__CREDENTIALS_KEY", "key", SECTION_MANAGER, AS_SECRET},
    {"MANAGER__LOGGER__LEVEL", "level", SECTION_LOG, AS_LEVEL},
    {"MANAGER__LOGGER__FORMAT", "format", SECTION_LOG, AS_FORMAT},
    {"MANAGER__LOGGER__DIRECTORY", NULL, SECTION_LOG, AS_NOTHING},
    {"MANAGER__LOGGER__CONSOLE", NULL, SECTION_LOG, AS_NOTHING},
    {"MANAGER__DEBUG__SHOW_ENV_VARS", NULL, SECTION_LOG, AS_NOTHING},
    {"MANAGER__DEBUG__SHOW_SENSITIVE_ENV_VARS", NULL, SECTION_LOG, AS_NOTHING},
    {"OPENCTI__ENABLE", NULL, SECTION_PLATFORM, AS_NOTHING},
    {"OPENCTI__URL", "url", SECTION_PLATFORM, AS_TEXT},
    {"OPENCTI__TOKEN", "token", SECTION_PLATFORM, AS_SECRET},
    {"OPENCTI__UNSECURED_CERTIFICATE", "tls_verify", SECTION_PLATFORM, AS_OPPOSITE},
    {"OPENCTI__WITH_PROXY", "connector_proxy", SECTION_PLATFORM, AS_BOOL},
    {"OPENCTI__HTTP_PROXY", "connector_http_proxy", SECTION_PLATFORM, AS_TEXT},
    {"OPENCTI__HTTPS_PROXY", "connector_https_proxy", SECTION_PLATFORM, AS_TEXT},
    {"OPENCTI__NO_PROXY", "connector_no_proxy", SECTION_PLATFORM, AS_TEXT},
    {CA, NULL, SECTION_PLATFORM, AS_NOTHING},
    {"OPENCTI__HTTPS_PROXY_REJECT_UNAUTHORIZED", "connector_tls_verify", SECTION_PLATFORM, AS_BOOL},
    {"OPENCTI__LOGS_SCHEDULE", "logs_interval", SECTION_PLATFORM, AS_SECONDS},
    {"OPENCTI__REQUEST_TIMEOUT", "request_timeout", SECTION_PLATFORM, AS_SECONDS},
    {"OPENCTI__CONNECT_TIMEOUT", "connect_timeout", SECTION_PLATFORM, AS_SECONDS},
    {"OPENCTI__DAEMON__SELECTOR", NULL, SECTION_BACKEND, AS_NOTHING},
    {"OPENCTI__DAEMON__REGISTRY__SERVER", NULL, SECTION_REGISTRY, AS_NOTHING},
    {"OPENCTI__DAEMON__REGISTRY__USERNAME", NULL, SECTION_REGISTRY, AS_NOTHING},
    {"OPENCTI__DAEMON__REGISTRY__PASSWORD", NULL, SECTION_REGISTRY, AS_NOTHING},
    {"OPENCTI__DAEMON__REGISTRY__EMAIL", NULL, SECTION_REGISTRY, AS_NOTHING},
};

const char *
composer_variable(const struct config *config, const char *name)
{
    const char *value = config_variable(config, name);
    return value && *value ? value : NULL;
}

static bool
is_true(const struct config *config, const char *name)
{
    bool value = false;
    const char *text = composer_variable(config, name);
    return text && value_parse_bool(str_trim(str_of(text)), true, &value) && value;
}

/* A bool of another program, as yes or no; what is none is refused later, as everywhere. */
static const char *
convert_bool(struct config *config, const char *text, bool opposite)
{
    bool value;
    if (!value_parse_bool(str_trim(str_of(text)), true, &value))
        return config_dup(config, str_of(text));
    return value != opposite ? "yes" : "no";
}

static const char *
convert_seconds(struct config *config, const char *text)
{
    int64_t seconds;
    struct str trimmed = str_trim(str_of(text));
    return config_fmt(config, str_to_int64(trimmed, &seconds) ? "%.*ss" : "%.*s", STR_ARG(trimmed));
}

static const char *
convert_word(struct config *config, const char *text, const char *theirs, const char *ours)
{
    return str_eq_nocase(str_trim(str_of(text)), str_of(theirs)) ? ours
                                                                 : config_dup(config, str_of(text));
}

static const char *
convert(struct config *config, enum conversion conversion, const char *text)
{
    const struct secret *held;
    switch (conversion) {
    case AS_TEXT:
        return config_dup(config, str_of(text));
    case AS_SECRET:
        held = config_hold(config, str_of(text));
        return held ? secret_bytes(held).ptr : NULL;
    case AS_FILE:
        return config_fmt(config, "file:%s", text);
    case AS_SECONDS:
        return convert_seconds(config, text);
    case AS_BOOL:
        return convert_bool(config, text, false);
    case AS_OPPOSITE:
        return convert_bool(config, text, true);
    case AS_LEVEL:
        return convert_word(config, text, "trace", "debug");
    case AS_FORMAT:
        return convert_word(config, text, "pretty", "text");
    case AS_NOTHING:
        break;
    }
    return NULL;
}

static void
apply_rows(struct config *config, struct section *section)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const char *text = composer_variable(config, rows[i].name);
        if (rows[i].section != section->kind || !rows[i].key || !text ||
            entry_find(section, rows[i].key))
            continue;
        struct origin origin = {ORIGIN_FOREIGN, 0, rows[i].name};
        const char *value = convert(config, rows[i].conversion, text);
        struct entry *entry = value ? entry_set(config, section, rows[i].key, value, origin) : NULL;
        if (entry)
            entry->literal = rows[i].conversion == AS_SECRET;
    }
}

/* The platform that OPENCTI__ variables are about: the only one of that kind, or, where no platform
 * stands anywhere, a new one. */
static struct section *
find_platform(struct config *config, bool *made)
{
    struct section *found = NULL;
    size_t count = 0;
    *made = false;
    for (struct section *s = config->sections; s; s = s->next) {
        if (s->kind != SECTION_PLATFORM)
            continue;
        const struct entry *kind = entry_find(s, "kind");
        if (!text_eq(kind && kind->pieces ? kind->pieces->text : s->name, "opencti"))
            continue;
        found = s;
        count++;
    }
    if (section_count(config, SECTION_PLATFORM) > 0)
        return count == 1 ? found : NULL;
    bool enabled =
        !composer_variable(config, "OPENCTI__ENABLE") || is_true(config, "OPENCTI__ENABLE");
    if (!enabled || (!composer_variable(config, "OPENCTI__URL") &&
                     !composer_variable(config, "OPENCTI__TOKEN")))
        return NULL;
    *made = true;
    found = section_add(config, SECTION_PLATFORM, "opencti");
    if (found)
        found->from_environment = true;
    return found;
}

/* Its `https_proxy_ca` is a path, PEM text, or several of them; here it is one path. */
static void
apply_ca(struct config *config, struct section *platform)
{
    struct origin origin = {ORIGIN_FOREIGN, 0, CA};
    const char *text = composer_variable(config, CA);
    if (!text) {
        origin.variable = CA "__0";
        text = composer_variable(config, CA "__0");
    }
    if (!text || entry_find(platform, "connector_ca_file"))
        return;
    struct entry *entry = entry_set(config, platform, "connector_ca_file", NULL, origin);
    if (!entry)
        return;
    if (!composer_add_words(config, entry, text) || !entry->pieces || entry->pieces->next ||
        strstr(text, "-----BEGIN") || composer_variable(config, CA "__1")) {
        entry->pieces = entry->last = NULL;
        problem_add(
            config, &origin, platform->title, "connector_ca_file",
            "must be the path of one file; put all certificates into one PEM file and name it");
    }
}

/* `server` is put in front of images, and its host is what the credentials are for. */
static void
apply_registry(struct config *config)
{
    static const char server[] = "OPENCTI__DAEMON__REGISTRY__SERVER";
    static const char user[] = "OPENCTI__DAEMON__REGISTRY__USERNAME";
    static const char password[] = "OPENCTI__DAEMON__REGISTRY__PASSWORD";
    const char *text = composer_variable(config, server);
    struct str prefix = str_trim(str_of(text));
    const char *scheme = text ? strstr(text, "://") : NULL;
    if (scheme)
        prefix = str_trim(str_of(scheme + 3));
    while (str_ends_with(prefix, STR("/")))
        prefix.len--;
    if (prefix.len > 0) {
        config->registry_prefix = config_dup(config, prefix);
        config->registry_prefix_variable = server;
    }
    if (!composer_variable(config, user) || !composer_variable(config, password))
        return; /* one alone is not used there either */
    struct str rest, host = str_cut(prefix.len > 0 ? prefix : STR("docker.io"), '/', &rest);
    const char *name = config_dup(config, host);
    if (!name)
        return;
    for (const struct section *s = config->sections; s; s = s->next)
        if (s->kind == SECTION_REGISTRY && environment_same(s->name, name))
            return;
    struct section *section = section_add(config, SECTION_REGISTRY, name);
    const struct secret *held = config_hold(config, str_of(composer_variable(config, password)));
    if (!section || !held)
        return;
    section->from_environment = true;
    entry_set(config, section, "username",
              config_dup(config, str_of(composer_variable(config, user))),
              (struct origin){ORIGIN_FOREIGN, 0, user});
    struct entry *entry = entry_set(config, section, "password", secret_bytes(held).ptr,
                                    (struct origin){ORIGIN_FOREIGN, 0, password});
    if (entry)
        entry->literal = true;
}

/* What is set, and does not do here what it did there. */
static void
warn(struct config *config)
{
    static const char directory[] = "MANAGER__LOGGER__DIRECTORY";
    static const char shown[] = "MANAGER__DEBUG__SHOW_SENSITIVE_ENV_VARS";
    struct origin origin = {ORIGIN_FOREIGN, 0, directory};
    if (is_true(config, directory))
        warning_add(
            config, &origin, NULL, NULL,
            "has no effect: the log goes to standard error; set GANTRY__LOG__FILE for a file");
    origin.variable = shown;
    if (is_true(config, shown))
        warning_add(config, &origin, NULL, NULL, "has no effect: secrets are never logged");
    for (char *const *it = config->environment; it && *it; it++) {
        struct str rest, name = str_cut(str_of(*it), '=', &rest);
        if (!str_starts_with(name, STR("MANAGER__")) && !str_starts_with(name, STR("OPENCTI__")))
            continue;
        const char *names[ARRAY_LENGTH(rows)];
        bool known =
            str_starts_with(name, STR("OPENCTI__DAEMON__")) || str_starts_with(name, STR(CA "__"));
        for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
            names[i] = rows[i].name;
            known = known || str_eq(name, str_of(names[i]));
        }
        origin.variable = config_dup(config, name);
        if (known || !origin.variable || name.len > DOCUMENT_MAX_NAME)
            continue;
        const char *near = text_nearest(origin.variable, names, ARRAY_LENGTH(names));
        if (near)
            warning_add(config, &origin, NULL, NULL, "is not known; did you mean %s?", near);
        else
            warning_add(config, &origin, NULL, NULL, "is not known; remove it");
    }
}

void
composer_apply(struct config *config)
{
    static const char openaev[] = "OPENAEV__ENABLE";
    struct origin origin = {ORIGIN_FOREIGN, 0, openaev};
    if (is_true(config, openaev))
        problem_add(config, &origin, NULL, NULL,
                    "OpenAEV is not available in this version; set it to false");
    bool made;
    struct section *platform = find_platform(config, &made);
    apply_rows(config, section_find(config, SECTION_MANAGER, ""));
    apply_rows(config, section_find(config, SECTION_LOG, ""));
    if (!platform || config->failed)
        return;
    apply_rows(config, platform);
    apply_ca(config, platform);
    apply_registry(config);
    if (made || section_count(config, SECTION_BACKEND) > 0)
        composer_apply_engine(config);
    if (made)
        warn(config);
}
