/* connector.c - a connector of one platform, and what is remembered of it. */
#include "manager_internal.h"

#include "drain.h"

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

size_t
text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

const char *
text_place(char **to, const char *text)
{
    if (!text)
        return NULL;
    char *copy = *to;
    *to += text_size(text);
    return memcpy(copy, text, text_size(text));
}

struct noted {
    struct noted *next;
    enum note note;
    char text[];
};

static struct noted **
find_note(struct noted **at, enum note note)
{
    while (*at && (*at)->note != note)
        at = &(*at)->next;
    return at;
}

static void
drop_note(struct noted **at)
{
    struct noted *gone = *at;
    *at = gone->next;
    free(gone);
}

const char *
connector_note(const struct connector *c, enum note note)
{
    for (const struct noted *n = c->notes; n; n = n->next) {
        if (n->note == note)
            return n->text;
    }
    return NULL;
}

int
connector_set_note(struct connector *c, enum note note, const char *text)
{
    struct noted **at = find_note(&c->notes, note), *made = NULL;
    if (text_eq(*at ? (*at)->text : NULL, text))
        return 0;
    if (text) {
        made = malloc(sizeof *made + text_size(text));
        if (!made)
            return GANTRY_E_NOMEM;
        made->note = note;
        memcpy(made->text, text, text_size(text));
    }
    if (*at)
        drop_note(at);
    if (made) {
        made->next = c->notes;
        c->notes = made;
    }
    return 0;
}

struct shared_text {
    size_t holders;
    char text[];
};

void
text_unshare(struct platform_side *p, const char *text)
{
    struct shared_text *shared = text ? map_find(&p->shared, str_of(text)) : NULL;
    if (shared && --shared->holders == 0) {
        (void)map_take(&p->shared, str_of(shared->text));
        free(shared);
    }
}

const char *
text_share(struct platform_side *p, const char *text)
{
    struct shared_text *shared = map_find(&p->shared, str_of(text));
    if (!shared) {
        size_t size = strlen(text) + 1;
        shared = calloc(1, sizeof *shared + size);
        if (!shared)
            return NULL;
        memcpy(shared->text, text, size);
        if (map_set(&p->shared, str_of(shared->text), shared, NULL) < 0) {
            free(shared);
            return NULL;
        }
    }
    shared->holders++;
    return shared->text;
}

int
connector_set_image(struct connector *c, const char *image)
{
    if (text_eq(c->image, image))
        return 0;
    const char *shared = text_share(c->platform, image);
    if (!shared)
        return GANTRY_E_NOMEM;
    text_unshare(c->platform, c->image);
    c->image = shared;
    return 0;
}

void
seen_clear(struct seen *s)
{
    free(s->handle);
    free(s->name);
    *s = (struct seen){0};
}

int
seen_set_texts(struct seen *s, const char *name, const char *hash)
{
    if (text_eq(s->name, name) && text_eq(s->hash, hash))
        return 0;
    char *texts = malloc(text_size(name) + text_size(hash) + 1), *end = texts; /* never nothing */
    if (!texts)
        return GANTRY_E_NOMEM;
    (void)text_place(&end, name);
    s->hash = text_place(&end, hash);
    free(s->name);
    s->name = texts;
    return 0;
}

uint64_t
seen_identity(const struct seen *s)
{
    uint64_t number = text_digest(s->handle);
    return number ? number : 1; /* 0: none */
}

struct connector *
connector_new(struct platform_side *p, const char *id)
{
    struct connector *c = calloc(1, sizeof *c + text_size(id));
    if (!c)
        return NULL;
    memcpy(c->id, id, text_size(id));
    c->platform = p;
    c->due_ms = c->logs_ms = c->health_ms = NEVER_MS;
    c->ours = true;
    c->decision.kept = SIZE_MAX;
    tail_init(&c->tail, (uint32_t)MAX(p->settings->logs_lines, 1));
    if (map_set(&p->connectors, str_of(c->id), c, NULL) < 0) {
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
    while (c->seen.len > 0)
        connector_drop_seen(c, c->seen.len - 1);
    vec_clear(&c->seen);
    drain_clear(c);
    tail_clear(&c->tail);
    free(c->name);
    text_unshare(c->platform, c->image);
    text_unshare(c->platform, c->digest);
    text_unshare(c->platform, c->digest_before);
    free(c->hash);
    while (c->notes)
        drop_note(&c->notes);
    connector_drop_configuration(c);
    crypto_ring_free(c->ring);
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
    if (c->remembered && !c->platform->list.answered)
        return false;
    return !c->listed && c->observed && c->seen.len == 0 && c->removing == 0 && !c->job &&
           !c->away && !c->hung && !c->reporting && !c->reading && !c->inspecting;
}

void
connector_set_reason(struct connector *c, const char *reason)
{
    if (!text_eq(connector_note(c, NOTE_REASON), reason) &&
        connector_set_note(c, NOTE_REASON, reason) == 0)
        c->platform->manager->changed = true;
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

struct seen *
connector_add_seen(struct connector *c, const char *handle)
{
    struct seen *s = vec_push(&c->seen);
    if (!s)
        return NULL;
    *s = (struct seen){.handle = text_dup(handle)};
    /* It may have been another connector's, whose text would be the key. */
    (void)map_take(&c->platform->backend->handles, str_of(handle));
    if (!s->handle || map_set(&c->platform->backend->handles, str_of(s->handle), c, NULL) < 0) {
        connector_drop_seen(c, c->seen.len - 1);
        return NULL;
    }
    return s;
}

void
connector_drop_seen(struct connector *c, size_t i)
{
    struct map *handles = &c->platform->backend->handles;
    struct seen *s = &c->seen.ptr[i];
    if (s->handle && map_find(handles, str_of(s->handle)) == c)
        (void)map_take(handles, str_of(s->handle));
    text_unshare(c->platform, s->digest);
    seen_clear(s);
    vec_remove(&c->seen, i);
}

void
connector_still_changed(struct connector *c, uint64_t asked)
{
    vec_each (&c->seen, s) {
        if (s->changed <= asked)
            continue;
        s->stale = true;
        connector_read_later(c);
    }
}

const struct seen *
connector_kept(const struct connector *c)
{
    if (c->decision.kept < c->seen.len)
        return &c->seen.ptr[c->decision.kept];
    return c->seen.len == 1 ? &c->seen.ptr[0] : NULL;
}

const struct seen *
connector_shown(const struct connector *c)
{
    const struct seen *kept = connector_kept(c);
    const struct seen *away = kept && state_is_live(kept->state) ? NULL : drain_running(c);
    return away ? away : kept;
}

const char *
state_name(enum gantry_state state)
{
    static const char *const names[] = {
#define STATE_NAME_(name, value, word) [value] = word,
        GANTRY_STATES(STATE_NAME_)
#undef STATE_NAME_
    };
    return (size_t)state < ARRAY_LENGTH(names) ? names[state] : names[GANTRY_STATE_UNKNOWN];
}

bool
state_is_live(enum gantry_state state)
{
    return state == GANTRY_STATE_STARTING || state == GANTRY_STATE_RUNNING ||
           state == GANTRY_STATE_RESTARTING || state == GANTRY_STATE_PAUSED;
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
