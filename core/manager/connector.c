/* connector.c - a connector of one platform, and what is remembered of it. */
#include "manager_internal.h"

#include "secret.h"

int
text_set(char **slot, const char *text)
{
    if (text_eq(*slot, text))
        return 0;
    char *copy = text_dup(text);
    if (text && !copy)
        return GANTRY_E_NOMEM;
    free(*slot);
    *slot = copy;
    return 0;
}

void
seen_clear(struct seen *s)
{
    free(s->handle);
    free(s->name);
    free(s->hash);
    free(s->image);
    *s = (struct seen){0};
}

struct connector *
connector_new(struct platform_side *p, const char *id)
{
    struct connector *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->platform = p;
    c->id = text_dup(id);
    c->due_ms = c->logs_ms = c->health_ms = NEVER_MS;
    c->ours = true;
    c->decision.kept = SIZE_MAX;
    size_t lines = p->settings->logs_lines > 0 ? (size_t)p->settings->logs_lines : 1;
    tail_init(&c->tail, lines);
    if (!c->id || map_set(&p->connectors, str_of(id), c, NULL) < 0) {
        free(c->id);
        tail_clear(&c->tail);
        free(c);
        return NULL;
    }
    return c;
}

/* The caller has taken it out of the map, and nothing of it is in flight. */
void
connector_free(struct connector *c)
{
    if (!c)
        return;
    vec_each (&c->seen, s)
        seen_clear(s);
    vec_clear(&c->seen);
    tail_clear(&c->tail);
    free(c->id);
    free(c->name);
    free(c->image);
    free(c->hash);
    free(c->problem);
    free(c->reason);
    free(c->standing);
    free(c->report_problem);
    connector_drop_configuration(c);
    free(c);
}

void
connector_touch(struct connector *c)
{
    struct gantry_manager *m = c->platform->manager;
    m->changed = true;
    if (c->touched)
        return;
    struct connector **slot = vec_push(&m->touched);
    if (slot) {
        *slot = c;
        c->touched = true;
    } else {
        c->due_ms = 0; /* out of memory: found by the next scan */
        m->scan_ms = 0;
    }
}

bool
connector_is_forgotten(const struct connector *c)
{
    return !c->listed && c->observed && c->seen.len == 0 && c->removing == 0 && !c->job &&
           !c->hung && !c->reporting && !c->reading && !c->inspecting;
}

void
connector_set_reason(struct connector *c, const char *reason)
{
    if (!text_eq(c->reason, reason)) {
        if (text_set(&c->reason, reason) == 0)
            c->platform->manager->changed = true;
    }
}

struct seen *
connector_seen(struct connector *c, const char *handle)
{
    vec_each (&c->seen, s) {
        if (text_eq(s->handle, handle))
            return s;
    }
    return NULL;
}

const struct seen *
connector_kept(const struct connector *c)
{
    if (c->decision.kept < c->seen.len)
        return &c->seen.ptr[c->decision.kept];
    return c->seen.len == 1 ? &c->seen.ptr[0] : NULL;
}

bool
state_is_live(enum gantry_state state)
{
    return state == GANTRY_STATE_STARTING || state == GANTRY_STATE_RUNNING ||
           state == GANTRY_STATE_RESTARTING || state == GANTRY_STATE_PAUSED;
}

void
connector_drop_configuration(struct connector *c)
{
    if (c->configuration) {
        for (size_t i = 0; i < c->configuration->entry_count; i++) {
            const char *value = c->configuration->entries[i].value;
            if (value)
                secret_wipe((void *)(uintptr_t)value, strlen(value));
        }
    }
    c->configuration = NULL;
    arena_clear(&c->configuration_arena);
}

int
connector_keep_configuration(struct connector *c, const struct platform_configuration *from)
{
    connector_drop_configuration(c);
    struct arena *a = &c->configuration_arena;
    arena_init(a, 0);
    struct platform_configuration *copy = arena_alloc(a, sizeof *copy);
    struct platform_entry *entries = arena_alloc_array(a, from->entry_count + 1, sizeof *entries);
    if (!copy || !entries)
        return GANTRY_E_NOMEM;
    for (size_t i = 0; i < from->entry_count; i++) {
        entries[i] = from->entries[i];
        entries[i].key = arena_dup_text(a, from->entries[i].key);
        entries[i].value = arena_dup_text(a, from->entries[i].value);
        if (!entries[i].key || (from->entries[i].value && !entries[i].value))
            return GANTRY_E_NOMEM;
    }
    copy->id = c->id;
    copy->hash = arena_dup_text(a, from->hash);
    copy->image = arena_dup_text(a, from->image);
    copy->entries = entries;
    copy->entry_count = from->entry_count;
    if (!copy->hash || !copy->image)
        return GANTRY_E_NOMEM;
    c->configuration = copy;
    return 0;
}

const struct config_backend *
connector_backend(const struct connector *c)
{
    return c->platform->backend->settings;
}

void
connector_read_later(struct connector *c)
{
    struct backend_side *b = c->platform->backend;
    struct connector **slot = c->reads ? NULL : vec_push(&b->read_queue);
    if (slot) {
        *slot = c;
        c->reads = true;
    }
}
