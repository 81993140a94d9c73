/* places.c - which backends hold workloads of which platforms, remembered over restarts: so that settings
 * which leave some behind are refused instead of running everything twice.
 *
 * A place is remembered from the moment before something is first made there until a complete listing of it
 * shows nothing (S1).  It is known by its plugin and by what the plugin's settings say of where it is
 * (GANTRY_SETTING_PLACE), not by the name of its section, which people change. */
#include "places.h"

#include "clock.h"
#include "err.h"

#include <cjson/cJSON.h>

#define PLACE_MAX_BYTES ((size_t)64 * 1024)

/* ---- where a backend is ---------------------------------------------------------------------- */

static bool
is_place(const struct gantry_plugin *plugin, const char *key)
{
    for (uint32_t i = 0; i < plugin->setting_count; i++) {
        const struct gantry_setting *s =
            GANTRY_AT(struct gantry_setting, plugin->settings, plugin->setting_stride, i);
        if (strcmp(s->key, key) == 0)
            return (s->flags & GANTRY_SETTING_PLACE) && s->type != GANTRY_TYPE_SECRET;
    }
    return false;
}

/* The user of an address is no part of where it is, and may have a password (S10).  In a path and in a name
 * an '@' is a letter like others: what is before it tells one place from another. */
static void
add_without_user(struct buf *place, const char *text)
{
    const char *host = strstr(text, "://");
    const char *at = host && host[3] != '/' ? strrchr(host, '@') : NULL;
    if (at)
        buf_add(place, (struct str){text, (size_t)(host + 3 - text)});
    buf_add_text(place, at ? at + 1 : text);
}

int
places_open(struct backend_side *b)
{
    const struct gantry_settings *settings = config_backend_settings(b->manager->config, b->index);
    AUTO_BUF struct buf place = BUF_INIT(PLACE_MAX_BYTES);
    buf_add_text(&place, "");
    for (uint32_t i = 0; i < settings->count; i++) {
        const struct gantry_value *v =
            GANTRY_AT(struct gantry_value, settings->values, settings->stride, i);
        if (!is_place(runtime_plugin_table(b->plugin), v->key))
            continue;
        buf_add_fmt(&place, "%s%s=", place.len ? " " : "", v->key);
        add_without_user(&place, v->text);
    }
    if (buf_failed(&place))
        return GANTRY_E_NOMEM;
    b->place = str_dup(buf_view(&place));
    return b->place ? 0 : GANTRY_E_NOMEM;
}

bool
held_is_at(const struct held *h, const struct backend_side *b)
{
    return text_eq(h->plugin, b->settings->plugin) && text_eq(h->place, b->place);
}

/* ---- the memory ------------------------------------------------------------------------------ */

static void
held_clear(struct held *h)
{
    vec_each (&h->platforms, name)
        free(*name);
    vec_clear(&h->platforms);
    free(h->backend);
    free(h->plugin);
    free(h->place);
}

static void
drop_held(struct gantry_manager *m, struct held *h)
{
    held_clear(h);
    vec_remove(&m->held, (size_t)(h - m->held.ptr));
}

void
places_clear(struct gantry_manager *m)
{
    vec_each (&m->held, h)
        held_clear(h);
    vec_clear(&m->held);
}

static struct held *
add_held(struct gantry_manager *m, const char *backend, const char *plugin, const char *place)
{
    vec_each (&m->held, h) {
        if (text_eq(h->plugin, plugin) && text_eq(h->place, place))
            return h;
    }
    struct held *made = vec_push(&m->held);
    if (!made)
        return NULL;
    *made = (struct held){text_dup(backend), text_dup(plugin), text_dup(place), VEC_INIT};
    if (made->backend && made->plugin && made->place)
        return made;
    drop_held(m, made);
    return NULL;
}

struct held *
held_of(const struct backend_side *b)
{
    vec_each (&b->manager->held, h) {
        if (held_is_at(h, b))
            return h;
    }
    return NULL;
}

static size_t
find_platform(const struct held *h, const char *name)
{
    size_t i = 0;
    while (i < h->platforms.len && !text_eq(h->platforms.ptr[i], name))
        i++;
    return i;
}

/* Returns whether it is news; without memory it is news again next time. */
static bool
add_platform(struct held *h, const char *name)
{
    if (find_platform(h, name) < h->platforms.len)
        return false;
    char **slot = vec_push(&h->platforms);
    if (slot && !(*slot = text_dup(name)))
        h->platforms.len--;
    return true;
}

/* h: is gone when it was the last one. */
void
held_drop(struct gantry_manager *m, struct held *h, size_t i)
{
    free(h->platforms.ptr[i]);
    vec_remove(&h->platforms, i);
    m->state_dirty = true;
    if (h->platforms.len == 0)
        drop_held(m, h);
}

int
places_read(struct gantry_manager *m, const cJSON *json)
{
    const cJSON *item, *name;
    cJSON_ArrayForEach(item, json)
    {
        const char *texts[3];
        static const char *const keys[] = {"name", "plugin", "place"};
        for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
            texts[i] = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, keys[i]));
        const cJSON *platforms = cJSON_GetObjectItemCaseSensitive(item, "platforms");
        if (!texts[0] || !texts[1] || !texts[2] || !cJSON_IsArray(platforms) || !platforms->child)
            continue;
        struct held *h = add_held(m, texts[0], texts[1], texts[2]);
        if (!h)
            return GANTRY_E_NOMEM;
        cJSON_ArrayForEach(name, platforms)
        {
            if (!cJSON_IsString(name))
                continue;
            (void)add_platform(h, name->valuestring);
            if (find_platform(h, name->valuestring) == h->platforms.len)
                return GANTRY_E_NOMEM;
        }
    }
    return 0;
}

void
places_print(struct buf *b, const struct gantry_manager *m)
{
    buf_add_text(b, ",\"backends\":[");
    vec_each (&m->held, h) {
        buf_add_text(b, h == m->held.ptr ? "{\"name\":" : ",{\"name\":");
        buf_add_json(b, str_of(h->backend));
        buf_add_text(b, ",\"plugin\":");
        buf_add_json(b, str_of(h->plugin));
        buf_add_text(b, ",\"place\":");
        buf_add_json(b, str_of(h->place));
        buf_add_text(b, ",\"platforms\":[");
        vec_each (&h->platforms, name) {
            if (name > h->platforms.ptr)
                buf_add_char(b, ',');
            buf_add_json(b, str_of(*name));
        }
        buf_add_text(b, "]}");
    }
    buf_add_char(b, ']');
}

/* ---- keeping it ------------------------------------------------------------------------------ */

/* Returns whether it is news. */
static bool
hold(struct backend_side *b, const char *platform)
{
    struct gantry_manager *m = b->manager;
    struct held *h = add_held(m, b->settings->name, b->settings->plugin, b->place);
    bool news = h && add_platform(h, platform);
    if (news)
        m->state_dirty = m->state_urgent = true;
    return news;
}

void
places_will_hold(struct platform_side *p)
{
    if (hold(p->backend, p->settings->name))
        state_write(p->manager);
}

/* The name of the platform whose workload it is; NULL: not ours, or nobody can tell. */
static const char *
platform_named(struct gantry_manager *m, const struct gantry_status *status)
{
    bool ours;
    const struct platform_side *p = observe_platform(m, status, &ours);
    if (p)
        return p->settings->name;
    bool of_ours = text_eq(observe_label(status, GANTRY_LABEL_MANAGER), m->settings->id) &&
                   observe_label(status, GANTRY_LABEL_CONNECTOR);
    return of_ours ? observe_label(status, GANTRY_LABEL_NAMED) : NULL;
}

/* Does a listing have workloads of a platform, or (NULL) of any of these settings? */
bool
places_has(struct gantry_manager *m, const struct runtime_job *job, const char *platform)
{
    bool ours;
    vec_each (&job->statuses, status) {
        const char *name = platform ? platform_named(m, status) : NULL;
        if (platform ? text_eq(name, platform) : observe_platform(m, status, &ours) != NULL)
            return true;
    }
    return false;
}

/* Something may have been made since that listing was asked for. */
static bool
is_making(const struct backend_side *b, const char *platform, uint64_t asked)
{
    const struct gantry_manager *m = b->manager;
    for (size_t i = 0; i < m->platform_count; i++) {
        const struct platform_side *p = &m->platforms[i];
        if (p->backend != b || !text_eq(p->settings->name, platform))
            continue;
        map_each (&p->connectors, e) {
            const struct connector *c = e->value;
            if (c->job || c->acted >= asked || c->hung)
                return true;
        }
    }
    return false;
}

const struct platform_side *
places_platform(const struct gantry_manager *m, const char *name)
{
    for (size_t i = 0; i < m->platform_count; i++) {
        if (text_eq(m->platforms[i].settings->name, name))
            return &m->platforms[i];
    }
    return NULL;
}

/* Nothing has to leave b any more: what it still shows of a platform that has another backend is that one's,
 * by another way to one engine. */
static bool
is_elsewhere(const struct backend_side *b, const char *platform)
{
    const struct platform_side *p = places_platform(b->manager, platform);
    const struct held *h = held_of(b);
    return b->drained && p && p->backend != b && !(h && held_is_at(h, p->backend));
}

void
places_listed(struct backend_side *b, const struct runtime_job *job, uint64_t asked)
{
    struct gantry_manager *m = b->manager;
    const char *last = NULL; /* they come in rows */
    vec_each (&job->statuses, status) {
        const char *name = platform_named(m, status);
        if (name && !text_eq(name, last) && !is_elsewhere(b, name))
            (void)hold(b, name);
        last = name ? name : last;
    }
    struct held *h = held_of(b);
    for (size_t i = h ? h->platforms.len : 0; i-- > 0;) {
        const char *name = h->platforms.ptr[i];
        if (!is_elsewhere(b, name) && (places_has(m, job, name) || is_making(b, name, asked)))
            continue;
        bool last_one = h->platforms.len == 1;
        held_drop(m, h, i);
        if (last_one)
            return;
    }
}

void
places_taken_down(struct backend_side *b)
{
    struct gantry_manager *m = b->manager;
    for (size_t i = 0; i < m->platform_count; i++) {
        struct held *h = held_of(b);
        size_t at = h ? find_platform(h, m->platforms[i].settings->name) : 0;
        if (h && at < h->platforms.len)
            held_drop(m, h, at);
    }
}
