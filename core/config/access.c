/* access.c - the values, for the other rooms. */
#include "config_internal.h"

const struct config_manager *
config_manager(const struct config *config)
{
    return &config->manager;
}

const struct config_log *
config_log(const struct config *config)
{
    return &config->log;
}

size_t
config_platform_count(const struct config *config)
{
    return config->platform_count;
}

const struct config_platform *
config_platform(const struct config *config, size_t i)
{
    return &config->platforms[i];
}

size_t
config_backend_count(const struct config *config)
{
    return config->backend_count;
}

const struct config_backend *
config_backend(const struct config *config, size_t i)
{
    return &config->backends[i];
}

const char *
config_registry_prefix(const struct config *config, size_t backend)
{
    const char *own = config->backends[backend].registry;
    return own ? own : config->registry_prefix;
}

int
config_read_password(const char *path, struct secret *out, struct gantry_error **err)
{
    return secret_read(path, NULL, NULL, out, err);
}

int
config_set_manager_id(struct config *config, const char *id)
{
    struct section *section = section_find(config, SECTION_MANAGER, "");
    struct rule rule = core_rule(setting_find(GROUP_BIT(GROUP_MANAGER), "id"));
    const char *copy = config_dup(config, str_of(id));
    struct typed *typed =
        copy ? typed_from_text(config, section, copy, (struct origin){ORIGIN_MADE, 0, NULL}, &rule)
             : NULL;
    if (!typed)
        return GANTRY_E_NOMEM;
    config->manager.id = typed->value.text;
    return 0;
}

/* Docker Hub has several names. */
static struct str
canonical_host(struct str host)
{
    static const char *const hub[] = {"index.docker.io", "registry-1.docker.io",
                                      "registry.hub.docker.com"};
    for (size_t i = 0; i < ARRAY_LENGTH(hub); i++)
        if (str_eq_nocase(host, str_of(hub[i])))
            return STR("docker.io");
    return host;
}

/* The registry of a reference: what stands before the first slash, where that looks like a host. */
static struct str
host_of(struct str image)
{
    struct str rest, first = str_cut(image, '/', &rest);
    bool host = rest.ptr && (memchr(first.ptr, '.', first.len) ||
                             memchr(first.ptr, ':', first.len) || str_eq(first, STR("localhost")));
    return host ? canonical_host(first) : STR("docker.io");
}

struct str
config_registry_host(const char *image)
{
    return host_of(str_of(image));
}

const struct config_registry *
config_registry_for(const struct config *config, const char *image)
{
    struct str host = host_of(str_of(image));
    char name[DOCUMENT_MAX_NAME + 1];
    if (host.len > DOCUMENT_MAX_NAME)
        return NULL;
    memcpy(name, host.ptr, host.len);
    name[host.len] = '\0';
    for (size_t i = 0; i < config->registry_count; i++)
        if (str_eq_nocase(canonical_host(str_of(config->registries[i].host)), host))
            return &config->registries[i];
    for (size_t i = 0; i < config->registry_count; i++)
        if (section_at(config, SECTION_REGISTRY, i)->from_environment &&
            environment_same(config->registries[i].host, name))
            return &config->registries[i];
    return NULL;
}

const struct config_override *
config_override(const struct config *config, const char *id, const char *name)
{
    for (size_t i = 0; id && i < config->override_count; i++)
        if (text_eq(config->overrides[i].name, id))
            return &config->overrides[i];
    for (size_t i = 0; name && i < config->override_count; i++)
        if (text_eq(config->overrides[i].name, name))
            return &config->overrides[i];
    for (size_t i = 0; i < config->override_count; i++) {
        if (!section_at(config, SECTION_CONNECTOR, i)->from_environment)
            continue; /* a variable's name cannot say more than this */
        const char *given = config->overrides[i].name;
        if ((id && environment_same(given, id)) || (name && environment_same(given, name)))
            return &config->overrides[i];
    }
    return NULL;
}

const struct gantry_settings *
config_backend_settings(const struct config *config, size_t backend)
{
    const struct bound *bound = &config->bound[backend];
    return bound->plugin ? &bound->backend : &config->no_settings;
}

const struct gantry_settings *
config_workload_settings(const struct config *config, size_t backend, const char *id,
                         const char *name)
{
    const struct bound *bound = &config->bound[backend];
    const struct config_override *override = config_override(config, id, name);
    if (!bound->plugin)
        return &config->no_settings;
    return override ? &bound->overridden[override - config->overrides] : &bound->workload;
}
