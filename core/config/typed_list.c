/* typed_list.c - lists and maps: `a, b`, the key again, or indented lines. */
#include "config_internal.h"

#define ITEMS_MAX 4096

/* One item; piece: where it stands. */
struct item {
    struct str text;
    const struct piece *piece;
};

/* Visit each item.  A comma at a line's end is no item: it is how people write lists over lines. */
static bool
each_item(const struct entry *entry, bool (*visit)(void *context, const struct item *item),
          void *context)
{
    for (const struct piece *p = entry->pieces; p; p = p->next) {
        struct str rest = str_trim(str_of(p->text));
        while (rest.len > 0) {
            struct item item = {str_trim(str_cut(rest, ',', &rest)), p};
            if (!visit(context, &item))
                return false;
            rest = str_trim(rest);
        }
    }
    return true;
}

struct items {
    struct config *config;
    struct section *section;
    const struct entry *entry;
    const struct rule *rule;
    const char **texts;
    size_t count;
    bool good;
};

static bool
count_item(void *context, const struct item *item)
{
    struct items *items = context;
    (void)item;
    items->count++;
    return true;
}

static void
bad_item(struct items *items, const struct item *item, const char *text)
{
    struct origin origin = items->entry->origin;
    if (origin.kind == ORIGIN_FILE)
        origin.line = item->piece->line;
    problem_add(items->config, &origin, items->section->title, items->rule->key, "%s", text);
    items->good = false;
}

/* Is this KEY=VALUE whose KEY is new?  Otherwise why not. */
static const char *
map_defect(struct items *items, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return "is a list of KEY=VALUE; write each item so";
    size_t key = (size_t)(equals - text) + 1;
    for (size_t i = 0; i < items->count; i++)
        if (strncmp(items->texts[i], text, key) == 0)
            return "has one KEY twice; remove one of them";
    return NULL;
}

static bool
add_item(void *context, const struct item *item)
{
    struct items *items = context;
    if (item->text.len == 0) {
        bad_item(items, item, "an item is empty; remove the comma too many");
        return true;
    }
    const char *text = config_dup(items->config, item->text);
    if (text && items->rule->flags & SETTING_PATH_LIST)
        text = path_absolute(items->config, text, &items->entry->origin);
    if (!text)
        return false;
    const char *defect = items->rule->type == GANTRY_TYPE_MAP ? map_defect(items, text) : NULL;
    if (defect)
        bad_item(items, item, defect);
    else
        items->texts[items->count++] = text;
    return true;
}

bool
typed_read_items(struct config *config, struct section *section, const struct entry *entry,
                 const struct rule *rule, struct typed *typed)
{
    struct items items = {config, section, entry, rule, NULL, 0, true};
    if (!each_item(entry, count_item, &items))
        return false;
    if (items.count > ITEMS_MAX) {
        problem_add(config, &entry->origin, section->title, rule->key,
                    "has more than %d items; shorten the list", ITEMS_MAX);
        return false;
    }
    items.texts = config_alloc(config, (items.count + 1) * sizeof *items.texts);
    items.count = 0;
    if (!items.texts || !each_item(entry, add_item, &items))
        return false;
    typed->value.items = items.texts;
    typed->value.item_count = (uint32_t)items.count;
    return items.good;
}
