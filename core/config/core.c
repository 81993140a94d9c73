/* core.c - the core's keys: settings.def applied to the sections, and the values put into
 * config.h's structs. */
#include "config_internal.h"

struct rule
core_rule(const struct setting *row)
{
    return (struct rule){row->key,   row->type, row->choices, row->unit,
                         row->flags, row->min,  row->max,     row->restart};
}

/* The C type of a field follows from the setting's type. */
static void
store(const struct setting *row, const struct typed *typed, void *target)
{
    if (row->offset == SIZE_MAX)
        return;
    void *field = (char *)target + row->offset;
    switch (row->type) {
    case GANTRY_TYPE_BOOL:
        *(bool *)field = typed->value.number != 0;
        break;
    case GANTRY_TYPE_INTEGER:
    case GANTRY_TYPE_DURATION:
    case GANTRY_TYPE_SIZE:
        *(int64_t *)field = typed->value.number;
        break;
    case GANTRY_TYPE_SECRET:
        *(const struct secret **)field = typed->secret;
        break;
    case GANTRY_TYPE_LIST:
        *(struct config_list *)field =
            (struct config_list){typed->value.items, typed->value.item_count};
        break;
    default: /* STRING, PATH, CHOICE */
        *(const char **)field = typed->value.text;
        break;
    }
}

void
problem_missing(struct config *config, const struct section *section, const char *key,
                const char *example, const char *note)
{
    struct origin origin = section_origin(section);
    if (section->from_program) {
        problem_add(config, &origin, section->title, key, "is missing; assign it%s", note);
        return;
    }
    if (config->file && !section->from_environment) {
        problem_add(config, &origin, section->title, key, "is missing; add '%s = %s'%s", key,
                    example, note);
        return;
    }
    const char *title = environment_form(config, section->title);
    const char *name = environment_form(config, key);
    if (title && name)
        problem_add(config, &origin, section->title, key, "is missing; set GANTRY__%s__%s%s", title,
                    name, note);
}

bool
problem_misplaced(struct config *config, const struct section *section, const struct entry *entry)
{
    const struct setting *elsewhere = setting_find(~0U, entry->key);
    if (!elsewhere)
        return false;
    const char *kinds = setting_kinds(elsewhere->group);
    if (section->kind == SECTION_PLATFORM && kinds)
        problem_add(config, &entry->origin, section->title, entry->key,
                    "is a key of platforms of kind %s; remove it", kinds);
    else
        problem_add(config, &entry->origin, section->title, entry->key,
                    "is a key of another section; move it to [%s]",
                    setting_section(elsewhere->group));
    return true;
}

static void
unknown_key(struct config *config, const struct section *section, const struct entry *entry,
            unsigned groups)
{
    if (problem_misplaced(config, section, entry))
        return;
    const char *near = setting_nearest(groups, entry->key);
    if (near)
        problem_add(config, &entry->origin, section->title, entry->key,
                    "unknown key; did you mean '%s'?", near);
    else
        problem_add(config, &entry->origin, section->title, entry->key,
                    "unknown key; remove it, or correct its name");
}

/* closed: the section has no keys but the core's. */
static void
apply_groups(struct config *config, struct section *section, unsigned groups, void *target,
             bool closed)
{
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *row = &settings_table[i];
        if (!(GROUP_BIT(row->group) & groups))
            continue;
        struct typed *typed = typed_find(section, row->key);
        struct entry *entry = entry_find(section, row->key);
        struct rule rule = core_rule(row);
        if (!typed && entry)
            typed = typed_from_entry(config, section, entry, &rule);
        else if (!typed && row->fallback)
            typed = typed_from_text(config, section, row->fallback,
                                    (struct origin){ORIGIN_DEFAULT, 0, NULL}, &rule);
        else if (!typed && row->flags & SETTING_REQUIRED)
            problem_missing(config, section, row->key, row->example ? row->example : "...", "");
        if (typed)
            store(row, typed, target);
    }
    for (const struct entry *entry = section->entries; closed && entry; entry = entry->next)
        if (!entry->used)
            unknown_key(config, section, entry, groups);
}

/* The kind decides which keys there are; without one, nothing more can be said of the section. */
static bool
find_kind(struct config *config, struct section *section, enum config_platform_kind *kind)
{
    const struct setting *row = setting_find(GROUP_BIT(GROUP_PLATFORM), "kind");
    struct rule rule = core_rule(row);
    struct entry *entry = entry_find(section, row->key);
    struct typed *typed = NULL;
    static const char *const names[] = {"opencti", "local", "custom", "openaev", "connect"};
    bool named = false;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        named = named || text_eq(section->name, names[i]);
    struct origin origin = section_origin(section);
    if (origin.kind == ORIGIN_FILE)
        origin.kind = ORIGIN_DEFAULT;
    if (entry)
        typed = typed_from_entry(config, section, entry, &rule);
    else if (named)
        typed = typed_from_text(config, section, section->name, origin, &rule);
    else
        problem_missing(config, section, row->key, "opencti", " or 'kind = local'");
    if (!typed)
        return false;
    const char *word = typed->value.text;
    *kind = text_eq(word, "local")    ? CONFIG_PLATFORM_LOCAL
            : text_eq(word, "custom") ? CONFIG_PLATFORM_CUSTOM
                                      : CONFIG_PLATFORM_OPENCTI;
    return true;
}

static unsigned
groups_of(enum config_platform_kind kind)
{
    switch (kind) {
    case CONFIG_PLATFORM_OPENCTI:
        return GROUP_BIT(GROUP_PLATFORM) | GROUP_BIT(GROUP_OPENCTI) | GROUP_BIT(GROUP_REPORTS);
    case CONFIG_PLATFORM_CUSTOM:
        return GROUP_BIT(GROUP_PLATFORM) | GROUP_BIT(GROUP_REPORTS);
    case CONFIG_PLATFORM_LOCAL:
        break;
    }
    return GROUP_BIT(GROUP_PLATFORM) | GROUP_BIT(GROUP_LOCAL);
}

static void
apply_platform(struct config *config, struct section *section)
{
    struct config_platform *platform = &config->platforms[section->index];
    platform->name = section->name;
    platform->connector_tls_reject_unauthorized = true;
    platform->tls_verify = true;
    if (!find_kind(config, section, &platform->kind)) {
        platform->kind = CONFIG_PLATFORM_OPENCTI;
        return;
    }
    apply_groups(config, section, groups_of(platform->kind), platform, true);
    check_platform(config, section, platform);
}

static void
apply_section(struct config *config, struct section *section)
{
    size_t i = section->index;
    switch (section->kind) {
    case SECTION_MANAGER:
        apply_groups(config, section, GROUP_BIT(GROUP_MANAGER), &config->manager, true);
        break;
    case SECTION_LOG:
        apply_groups(config, section, GROUP_BIT(GROUP_LOG), &config->log, true);
        check_log(config);
        break;
    case SECTION_PLATFORM:
        apply_platform(config, section);
        break;
    case SECTION_BACKEND:
        config->backends[i].name = section->name;
        config->bound[i].section = section;
        apply_groups(config, section, GROUP_BIT(GROUP_BACKEND), &config->backends[i], false);
        check_backend(config, section, &config->backends[i]);
        break;
    case SECTION_REGISTRY:
        config->registries[i].host = section->name;
        apply_groups(config, section, GROUP_BIT(GROUP_REGISTRY), &config->registries[i], true);
        check_registry(config, section, &config->registries[i]);
        break;
    case SECTION_CONNECTOR:
        config->overrides[i].name = section->name;
        apply_groups(config, section, GROUP_BIT(GROUP_CONNECTOR), &config->overrides[i], false);
        check_override(config, section, &config->overrides[i]);
        break;
    case SECTION_OWN:
        break;
    }
}

/* Room for n, and never none: an address is then always one. */
static void *
make_array(struct config *config, size_t n, size_t size)
{
    void *array = arena_alloc_array(&config->arena, n + 1, size);
    if (!array)
        config->failed = true;
    return array;
}

static void
check_presence(struct config *config)
{
    struct origin origin = {config->file ? ORIGIN_FILE : ORIGIN_DEFAULT, 0, NULL};
    if (config->platform_count == 0)
        problem_add(config, &origin, NULL, NULL,
                    "there is no platform; add a section [platform opencti] or [platform local]");
    if (config->backend_count == 0 && !config->backend_refused)
        problem_add(config, &origin, NULL, NULL,
                    "there is no backend; add a section such as [backend docker]");
}

/* Which one has which index is known outside while it runs: a reload keeps it.  Where others are there, there
 * will be no reload. */
static void
order_as_running(struct config *config, enum section_kind kind)
{
    const struct config *running = config->running;
    if (!running || section_count(config, kind) != section_count(running, kind))
        return;
    for (const struct section *s = config->sections; s; s = s->next)
        if (s->kind == kind && !section_find(running, kind, s->name))
            return;
    for (struct section *s = config->sections; s; s = s->next)
        if (s->kind == kind)
            s->index = section_find(running, kind, s->name)->index;
}

void
core_apply(struct config *config)
{
    order_as_running(config, SECTION_PLATFORM);
    order_as_running(config, SECTION_BACKEND);
    config->platform_count = section_count(config, SECTION_PLATFORM);
    config->backend_count = section_count(config, SECTION_BACKEND);
    config->registry_count = section_count(config, SECTION_REGISTRY);
    config->override_count = section_count(config, SECTION_CONNECTOR);
    config->platforms = make_array(config, config->platform_count, sizeof *config->platforms);
    config->backends = make_array(config, config->backend_count, sizeof *config->backends);
    config->registries = make_array(config, config->registry_count, sizeof *config->registries);
    config->overrides = make_array(config, config->override_count, sizeof *config->overrides);
    config->bound = make_array(config, config->backend_count, sizeof *config->bound);
    config->no_settings.size = (uint32_t)sizeof config->no_settings;
    config->no_settings.stride = (uint32_t)sizeof(struct gantry_value);
    config->no_settings.section = "";
    if (config->failed)
        return;
    for (struct section *section = config->sections; section; section = section->next)
        apply_section(config, section);
    check_manager(config); /* last: what it must have depends on the platforms */
    check_presence(config);
}
