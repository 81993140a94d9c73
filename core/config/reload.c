/* reload.c - may a configuration take the place of the one that runs?  What cannot change while running
 * is said by the tables: `change` of settings.def, and the scope of a plugin's settings. */
#include "config_internal.h"

#include "err.h"

static bool
same_items(const struct gantry_value *a, const struct gantry_value *b)
{
    bool same = a->item_count == b->item_count;
    for (uint32_t i = 0; same && i < a->item_count; i++)
        same = text_eq(a->items[i], b->items[i]);
    return same;
}

static bool
same_value(const struct typed *a, const struct typed *b)
{
    if (a->type != b->type)
        return false;
    if (a->secret && b->secret) /* not as a text: it may hold a NUL */
        return str_eq(secret_bytes(a->secret), secret_bytes(b->secret));
    return a->value.number == b->value.number && text_eq(a->value.text, b->value.text) &&
           same_items(&a->value, &b->value);
}

static void
compare(const struct section *running, struct config *config, const struct section *fresh)
{
    for (const struct typed *t = fresh->values; t; t = t->next) {
        const struct typed *old = typed_find(running, t->key);
        if (t->restart && typed_find(fresh, t->key) == t && !(old && same_value(old, t)))
            problem_add(config, &t->origin, fresh->title, t->key,
                        "has changed, which needs a restart; restart, or change it back");
    }
    struct origin origin = section_origin(fresh);
    for (const struct typed *old = running->values; old; old = old->next)
        if (old->restart && old->origin.kind != ORIGIN_MADE && !typed_find(fresh, old->key))
            problem_add(config, &origin, fresh->title, old->key,
                        "is gone, which needs a restart; restart, or put it back");
}

/* Those of one kind: the same ones, and each as it was. */
static void
compare_kind(const struct config *running, struct config *fresh, enum section_kind kind)
{
    for (const struct section *s = fresh->sections; s; s = s->next) {
        const struct section *old = s->kind == kind ? section_find(running, kind, s->name) : NULL;
        struct origin origin = section_origin(s);
        if (s->kind != kind)
            continue;
        if (!old)
            problem_add(fresh, &origin, s->title, NULL,
                        "is new, which needs a restart; restart, or remove it");
        else if (old->index != s->index) /* it was read without options.running */
            problem_add(fresh, &origin, s->title, NULL,
                        "stands in another place, which needs a restart; restart, or put it back");
        else
            compare(old, fresh, s);
    }
    struct origin origin = {ORIGIN_FILE, 0, NULL};
    for (const struct section *old = running->sections; old; old = old->next)
        if (old->kind == kind && !section_find(fresh, kind, old->name))
            problem_add(fresh, &origin, old->title, NULL,
                        "is gone, which needs a restart; restart, or put it back");
}

int
config_reload_check(const struct config *running, struct config *fresh, struct gantry_error **err)
{
    if (fresh->problems.len > 0)
        return 0; /* a value that is wrong has not changed: it is not known */
    const struct typed *id = typed_find(section_find(running, SECTION_MANAGER, ""), "id");
    if (!fresh->manager.id && id && id->origin.kind == ORIGIN_MADE &&
        config_set_manager_id(fresh, id->value.text) < 0)
        return err_nomem(err);
    compare_kind(running, fresh, SECTION_MANAGER);
    compare_kind(running, fresh, SECTION_PLATFORM);
    compare_kind(running, fresh, SECTION_BACKEND);
    return fresh->failed ? err_nomem(err) : 0;
}
