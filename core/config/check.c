/* check.c - what goes beyond a value's type: names that must exist, values that belong together,
 * defaults that the environment decides. */
#include "config_internal.h"

#include "buf.h"
#include "notation.h"

#define ID_MAX 255

/* A default that another value decides: part of the effective values. */
static struct typed *
default_value(struct config *config, struct section *section, enum setting_group group,
              const char *key, const char *text)
{
    struct rule rule = core_rule(setting_find(GROUP_BIT(group), key));
    return typed_from_text(config, section, text, (struct origin){ORIGIN_DEFAULT, 0, NULL}, &rule);
}

static struct typed *
value_of(const struct section *section, const char *key)
{
    return typed_find(section, key);
}

static void
fail(struct config *config, const struct section *section, const struct typed *typed,
     const char *text)
{
    problem_add(config, &typed->origin, section->title, typed->key, "%s", text);
}

static bool
has_opencti(const struct config *config)
{
    for (size_t i = 0; i < config->platform_count; i++)
        if (config->platforms[i].kind == CONFIG_PLATFORM_OPENCTI)
            return true;
    return config->platform_count == 0;
}

/* Where all are local, an id can be made from the machine and the folder. */
static bool
needs_id(const struct config *config)
{
    for (size_t i = 0; i < config->platform_count; i++)
        if (config->platforms[i].kind != CONFIG_PLATFORM_LOCAL)
            return true;
    return config->platform_count == 0;
}

static void
check_id(struct config *config, const struct section *section)
{
    const struct typed *typed = value_of(section, "id");
    if (!typed && !entry_find(section, "id") && needs_id(config))
        problem_missing(config, section, "id", "UUID",
                        ", with a UUID of its own: uuidgen makes one");
    if (!typed)
        return;
    size_t length = strlen(typed->value.text);
    bool plain = length > 0 && length <= ID_MAX;
    for (size_t i = 0; plain && i < length; i++)
        plain = typed->value.text[i] > 0x20 && typed->value.text[i] < 0x7f;
    if (!plain)
        fail(config, section, typed,
             "must be 1 to 255 printable ASCII characters without blanks; write a UUID");
}

/* A path where its content should be is the likeliest mistake, and must not go out as a key. */
static bool
looks_like_pem(const struct secret *secret)
{
    return memmem(secret_bytes(secret).ptr, secret_bytes(secret).len, "-----BEGIN ", 11) != NULL;
}

static void
check_key(struct config *config, const struct section *section)
{
    struct config_manager *manager = &config->manager;
    const struct typed *typed = value_of(section, "key");
    if (!typed) {
        if (!entry_find(section, "key") && has_opencti(config))
            problem_missing(config, section, "key", "file:/etc/gantry/manager.pem",
                            "; 'gantry keygen FILE' makes one");
        return;
    }
    manager->key_origin = typed->note ? typed->note : "[manager] key";
    if (!looks_like_pem(typed->secret))
        fail(config, section, typed,
             typed->note
                 ? "what it names is no key in PEM; make one with 'gantry keygen FILE'"
                 : "is no key in PEM; write file:PATH, and make the file with 'gantry keygen'");
}

static void
check_old_keys(struct config *config, struct section *section)
{
    struct config_manager *manager = &config->manager;
    const struct typed *typed = value_of(section, "old_keys");
    struct entry *entry = entry_find(section, "old_keys");
    if (!typed || !entry || typed->value.item_count == 0)
        return;
    struct secret *keys = config_alloc(config, typed->value.item_count * sizeof *keys);
    const char **origins = config_alloc(config, typed->value.item_count * sizeof *origins);
    for (uint32_t i = 0; keys && origins && i < typed->value.item_count; i++) {
        const char *text = typed->value.items[i];
        if (!secret_is_reference(text)) {
            fail(config, section, typed, "each item must be file:PATH or env:NAME");
            continue;
        }
        const char *note;
        const struct secret *secret = secret_resolve(config, section, entry, text, &note);
        if (!secret)
            continue;
        if (!looks_like_pem(secret))
            problem_add(config, &typed->origin, section->title, typed->key,
                        "'%s' holds no key in PEM; correct it, or remove it", text);
        keys[manager->old_key_count] = *secret; /* the bytes stay config's */
        origins[manager->old_key_count++] = note;
    }
    manager->old_keys = keys;
    manager->old_key_origins = origins;
}

static const char *
absolute_variable(const struct config *config, const char *name)
{
    const char *value = config_variable(config, name);
    return value && *value == '/' ? value : NULL;
}

static void
default_state_dir(struct config *config, struct section *section)
{
    const char *systemd = absolute_variable(config, "STATE_DIRECTORY");
    const char *xdg = absolute_variable(config, "XDG_STATE_HOME");
    const char *home = absolute_variable(config, "HOME");
    const char *path = NULL;
    if (systemd) /* a list, where a unit names several */
        path = config_dup(config, (struct str){systemd, strcspn(systemd, ":")});
    else if (xdg)
        path = config_fmt(config, "%s/gantry", xdg);
    else if (home)
        path = config_fmt(config, "%s/.local/state/gantry", text_eq(home, "/") ? "" : home);
    else if (geteuid() == 0)
        path = "/var/lib/gantry";
    if (!path) {
        if (!config->failed)
            problem_missing(config, section, "state_dir", "/var/lib/gantry", "");
        return;
    }
    struct typed *typed = default_value(config, section, GROUP_MANAGER, "state_dir", path);
    config->manager.state_dir = typed ? typed->value.text : NULL;
}

static void
default_plugin_path(struct config *config, struct section *section)
{
    if (!config->default_plugin_path)
        return;
    struct typed *typed =
        default_value(config, section, GROUP_MANAGER, "plugin_path", config->default_plugin_path);
    if (typed)
        config->manager.plugin_path =
            (struct config_list){typed->value.items, typed->value.item_count};
}

void
check_manager(struct config *config)
{
    struct section *section = section_find(config, SECTION_MANAGER, "");
    check_id(config, section);
    check_key(config, section);
    check_old_keys(config, section);
    if (!entry_find(section, "state_dir"))
        default_state_dir(config, section);
    if (!entry_find(section, "plugin_path"))
        default_plugin_path(config, section);
}

void
check_log(struct config *config)
{
    const struct typed *format = value_of(section_find(config, SECTION_LOG, ""), "format");
    const char *word = format ? format->value.text : "auto";
    config->log.format = text_eq(word, "text")   ? CONFIG_LOG_TEXT
                         : text_eq(word, "json") ? CONFIG_LOG_JSON
                                                 : CONFIG_LOG_AUTO;
}

/* The backend that a key names; false: a problem was told. */
static bool
find_backend(struct config *config, const struct section *section, const struct typed *typed,
             size_t *out)
{
    const struct section *backend = section_find(config, SECTION_BACKEND, typed->value.text);
    if (backend) {
        *out = backend->index;
        return true;
    }
    const char *names[64];
    size_t n = 0;
    for (const struct section *s = config->sections; s && n < ARRAY_LENGTH(names); s = s->next)
        if (s->kind == SECTION_BACKEND)
            names[n++] = s->name;
    const char *text = typed->value.text;
    const char *near = strlen(text) <= DOCUMENT_MAX_NAME ? text_nearest(text, names, n) : NULL;
    if (near)
        problem_add(config, &typed->origin, section->title, typed->key,
                    "there is no [backend %s]; did you mean '%s'?", problem_quote(config, text),
                    near);
    else
        problem_add(config, &typed->origin, section->title, typed->key,
                    "there is no [backend %s]; add it, or name another",
                    problem_quote(config, text));
    return false;
}

/* As it is written: its section may not have been read yet.  A word that is none is told then. */
static bool
is_drained(const struct section *backend)
{
    const struct entry *entry = entry_find(backend, "drain");
    bool drained = false;
    return entry && entry->pieces &&
           value_parse_bool(str_of(entry->pieces->text), false, &drained) && drained;
}

/* Of those that are not drained: how many there are, and the first of them, or NULL. */
static size_t
count_lasting(const struct config *config, const struct section **first)
{
    size_t n = 0;
    *first = NULL;
    for (size_t i = 0; i < config->backend_count; i++) {
        const struct section *backend = section_at(config, SECTION_BACKEND, i);
        if (is_drained(backend))
            continue;
        if (n++ == 0)
            *first = backend;
    }
    return n;
}

static void
choose_backend(struct config *config, struct section *section, struct config_platform *platform)
{
    const struct section *first;
    size_t lasting = count_lasting(config, &first);
    if (lasting == 1) {
        platform->backend = first->index;
        default_value(config, section, GROUP_PLATFORM, "backend", first->name);
    } else if (lasting > 1) {
        problem_missing(config, section, "backend", first->name, ": there are several");
    } else if (config->backend_count > 0) {
        problem_missing(config, section, "backend", "NAME",
                        ", or a [backend NAME] without 'drain = yes', which it is to use");
    }
}

static void
check_platform_backend(struct config *config, struct section *section,
                       struct config_platform *platform)
{
    const struct typed *typed = value_of(section, "backend");
    if (!typed && !entry_find(section, "backend"))
        choose_backend(config, section, platform);
    if (typed && find_backend(config, section, typed, &platform->backend) &&
        is_drained(section_at(config, SECTION_BACKEND, platform->backend)))
        warning_add(config, &typed->origin, section->title, typed->key,
                    "names a backend that is drained: the connectors of this platform stay there");
}

/* Is it an address that libcurl can use as a proxy? */
static bool
is_proxy(const char *text)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++)
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
            return text[strlen(schemes[i])] && !strpbrk(text, " \t");
    return false;
}

static void
check_proxy(struct config *config, struct section *section, struct config_platform *platform)
{
    struct typed *typed = value_of(section, "proxy");
    if (!typed || text_eq(typed->value.text, "environment")) {
        platform->proxy = NULL;
    } else if (text_eq(typed->value.text, "none")) {
        platform->proxy = "";
    } else if (is_proxy(typed->value.text)) {
        platform->proxy = typed->value.text;
    } else {
        typed->value.text = ""; /* it may hold a password where nobody would look for one */
        fail(config, section, typed,
             "is no proxy; write environment, none, or an address such as "
             "http://proxy.example.org:3128");
    }
}

static void
join_no_proxy(struct config *config, struct section *section, struct config_platform *platform)
{
    const struct typed *typed = value_of(section, "no_proxy");
    AUTO_BUF struct buf b = BUF_INIT(CONFIG_MAX_FILE);
    if (!typed)
        return;
    for (uint32_t i = 0; i < typed->value.item_count; i++)
        buf_add_fmt(&b, "%s%s", i == 0 ? "" : ",", typed->value.items[i]);
    if (buf_failed(&b))
        config->failed = true;
    else
        platform->no_proxy = config_dup(config, (struct str){buf_text(&b), b.len});
}

/* It becomes an HTTP header, where a line break would begin another one. */
static void
check_token(struct config *config, struct section *section)
{
    const struct typed *typed = value_of(section, "token");
    if (!typed)
        return;
    struct str token = secret_bytes(typed->secret);
    for (size_t i = 0; i < token.len; i++) {
        if ((unsigned char)token.ptr[i] > 0x20 && token.ptr[i] != 0x7f)
            continue;
        fail(config, section, typed,
             "holds a blank or a line break; it must be the token alone, on one line");
        return;
    }
}

void
check_platform(struct config *config, struct section *section, struct config_platform *platform)
{
    check_platform_backend(config, section, platform);
    if (platform->kind != CONFIG_PLATFORM_OPENCTI)
        return;
    check_proxy(config, section, platform);
    join_no_proxy(config, section, platform);
    check_token(config, section);
    if (!platform->connector_url)
        platform->connector_url = platform->url;
}

/* OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT. */
static void
check_image_platform(struct config *config, struct section *section)
{
    const struct typed *typed = value_of(section, "platform");
    size_t slashes = 0;
    if (!typed)
        return;
    const char *text = typed->value.text;
    for (const char *c = text; *c; c++) {
        bool slash = *c == '/' && c > text && c[-1] != '/' && c[1];
        slashes += slash;
        if (slash || (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '.')
            continue;
        slashes = 9;
        break;
    }
    if (slashes < 1 || slashes > 2)
        fail(config, section, typed,
             "is no platform of images; write OS/ARCHITECTURE, such as linux/arm64");
}

static void
check_registry_prefix(struct config *config, struct section *section)
{
    const struct typed *typed = value_of(section, "registry");
    const char *text = typed ? typed->value.text : "";
    size_t length = strlen(text);
    if (typed &&
        (strstr(text, "://") || strpbrk(text, " \t@") || *text == '/' || text[length - 1] == '/'))
        fail(config, section, typed,
             "is no beginning of images' names; write HOST or HOST/FOLDER, such as "
             "registry.example.org/mirror");
}

void
check_backend(struct config *config, struct section *section, struct config_backend *backend)
{
    const struct typed *plugin = value_of(section, "plugin");
    const struct typed *policy = value_of(section, "pull_policy");
    const char *word = policy ? policy->value.text : "";
    check_image_platform(config, section);
    check_registry_prefix(config, section);
    backend->plugin = plugin ? plugin->value.text : section->name;
    if (!plugin && !entry_find(section, "plugin"))
        default_value(config, section, GROUP_BACKEND, "plugin", section->name);
    backend->pull_policy = text_eq(word, "always")  ? GANTRY_PULL_ALWAYS
                           : text_eq(word, "never") ? GANTRY_PULL_NEVER
                                                    : GANTRY_PULL_IF_NOT_PRESENT;
    for (const char *c = backend->plugin; plugin && *c; c++) {
        if ((*c >= 'a' && *c <= 'z') ||
            (c > backend->plugin && ((*c >= '0' && *c <= '9') || *c == '-')))
            continue;
        fail(config, section, plugin, "is no plugin's name; write small letters, digits and '-'");
        return;
    }
}

void
check_registry(struct config *config, struct section *section, struct config_registry *registry)
{
    bool user = registry->username || entry_find(section, "username");
    bool password = registry->password || entry_find(section, "password");
    registry->password_file = secret_file(config, entry_find(section, "password"));
    if (user && !password)
        problem_missing(config, section, "password", "file:PATH", "");
    else if (password && !user)
        problem_missing(config, section, "username", "USER", "");
}

void
check_override(struct config *config, struct section *section, struct config_override *override)
{
    const struct typed *backend = value_of(section, "backend");
    const struct typed *image = value_of(section, "image");
    override->backend = SIZE_MAX;
    check_image_platform(config, section);
    /* Each platform has one backend as yet: with several, another one would be a promise not kept.
     */
    const struct section *first;
    if (backend && find_backend(config, section, backend, &override->backend) &&
        (count_lasting(config, &first) > 1 ||
         is_drained(section_at(config, SECTION_BACKEND, override->backend))))
        fail(config, section, backend,
             "is not available in this version where there are several backends; remove it, and "
             "name "
             "the backend in the platform's section");
    if (image && strpbrk(image->value.text, " \t"))
        fail(config, section, image, "is no image; write it without blanks, such as NAME:TAG");
}
