/* promise_table.c - what the file and its table promise. */
#include "conformance_internal.h"

#include <dlfcn.h>
#include <inttypes.h>

typedef const struct gantry_plugin *entry_fn(void);

int
kit_try_table_entry_is_constant(struct kit *kit)
{
    void *handle = dlopen(runtime_plugin_file(kit->plugin), RTLD_NOW | RTLD_LOCAL);
    void *symbol = handle ? dlsym(handle, GANTRY_PLUGIN_ENTRY) : NULL;
    if (!symbol)
        return kit_broken(kit, "the file cannot be loaded a second time");
    entry_fn *entry;
    memcpy(&entry, &symbol, sizeof entry);
    const struct gantry_plugin *first = entry();
    struct gantry_plugin before = {0};
    memcpy(&before, first, MIN(first->size, sizeof before));
    const struct gantry_plugin *second = entry();
    bool same = first == second && memcmp(&before, second, MIN(first->size, sizeof before)) == 0;
    (void)dlclose(handle);
    return same ? KIT_OK : kit_broken(kit, "a second call gives another table, or has changed it");
}

int
kit_try_table_exports_entry_alone(struct kit *kit)
{
    AUTO_ERR struct gantry_error *err = NULL;
    const char *name = NULL;
    if (kit_find_export(runtime_plugin_file(kit->plugin), &kit->arena, &name, &err) < 0)
        return kit_broken(kit, "%s", err_text(err));
    return name ? kit_broken(kit,
                             "it exports '%s', too; make it static, or compile with "
                             "-fvisibility=hidden",
                             name)
                : KIT_OK;
}

static bool
is_one_line(const char *text)
{
    size_t length = strlen(text);
    if (str_utf8_valid_length((struct str){text, length}) != length)
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return true;
}

int
kit_try_table_settings_have_help(struct kit *kit)
{
    for (uint32_t i = 0; i < kit->table->setting_count; i++) {
        const struct gantry_setting *s = &kit->table->settings[i];
        if (!s->help || !s->help[0])
            return kit_broken(kit, "setting '%s' has no help", s->key);
        if (!is_one_line(s->help))
            return kit_broken(kit, "the help of setting '%s' is not one line of UTF-8", s->key);
    }
    return KIT_OK;
}

int
kit_try_table_texts_are_one_line(struct kit *kit)
{
    const struct gantry_plugin *t = kit->table;
    if (t->version && !is_one_line(t->version))
        return kit_broken(kit, "its version is not one line of UTF-8");
    if (t->summary && !is_one_line(t->summary))
        return kit_broken(kit, "its summary is not one line of UTF-8");
    for (uint32_t i = 0; i < t->setting_count; i++) {
        const struct gantry_setting *s = &t->settings[i];
        bool many = s->type == GANTRY_TYPE_LIST || s->type == GANTRY_TYPE_MAP;
        if (s->fallback && !many && !is_one_line(s->fallback))
            return kit_broken(kit, "the default of setting '%s' is not one line of UTF-8", s->key);
    }
    return KIT_OK;
}

int
kit_try_table_places_are_public(struct kit *kit)
{
    for (uint32_t i = 0; i < kit->table->setting_count; i++) {
        const struct gantry_setting *s = &kit->table->settings[i];
        bool place = s->flags & GANTRY_SETTING_PLACE;
        if (place && (s->scope != GANTRY_SCOPE_BACKEND || s->type == GANTRY_TYPE_SECRET))
            return kit_broken(kit, "setting '%s' says where the runtime is, and is %s", s->key,
                              s->type == GANTRY_TYPE_SECRET ? "a secret" : "each workload's");
    }
    return KIT_OK;
}
