/* snapshot.c - the picture of all connectors that other threads may take.
 *
 * The loop makes a new one when something has changed, and swaps it in under a lock; it is never
 * changed after that, and has a count of those who hold it. */
#include "manager_internal.h"

#include "err.h"

struct snapshot {
    struct gantry_snapshot view; /* first: what the outside sees */
    atomic_uint holders;
    struct arena arena;
};

static const char *const state_names[] = {
#define STATE_NAME_(name, value, word) [value] = word,
    GANTRY_STATES(STATE_NAME_)
#undef STATE_NAME_
};

static const char *
wish_word(const struct connector *c)
{
    if (!c->listed)
        return "gone";
    switch (c->wish) {
    case PLATFORM_WISH_STARTING:
        return "run";
    case PLATFORM_WISH_STOPPING:
        return "halt";
    case PLATFORM_WISH_UNKNOWN:
        break;
    }
    return "odd";
}

static const char *
state_word(const struct connector *c)
{
    if (!c->observed || c->platform->backend->list.failing)
        return "unknown";
    const struct seen *kept = connector_kept(c);
    return kept ? state_names[kept->state] : "absent";
}

static const char *
action_word(const struct connector *c)
{
    bool dry = c->platform->manager->how == GANTRY_RUN_DRY;
    enum reconcile_action action = dry ? c->decision.action : c->job ? c->doing : DO_NOTHING;
    if (action == DO_NOTHING || action == DO_ASK)
        return "";
    return reconcile_action_name(action);
}

static const char *
reason_word(const struct connector *c)
{
    if (c->standing || c->reason)
        return c->standing ? c->standing : c->reason;
    bool dry = c->platform->manager->how == GANTRY_RUN_DRY;
    return dry && c->decision.why ? c->decision.why : "";
}

/* A picture that lacks a text for lack of memory is still a picture. */
static const char *
copy(struct arena *a, const char *text)
{
    const char *made = arena_dup_text(a, text);
    return made ? made : "";
}

static void
fill(struct gantry_connector *out, const struct connector *c, struct arena *a)
{
    const struct seen *kept = connector_kept(c);
    *out = (struct gantry_connector){
        .size = sizeof *out,
        .restarts = (uint32_t)MIN(c->memory.total_exits, UINT32_MAX),
        .platform = copy(a, c->platform->settings->name),
        .id = copy(a, c->id),
        .name = copy(a, c->name),
        .image = copy(a, c->image),
        .wish = wish_word(c),
        .state = state_word(c),
        .action = action_word(c),
        .reason = copy(a, reason_word(c)),
        .started_ms = kept ? kept->started_ms : 0,
        .failures = c->memory.failures,
    };
}

void
gantry_snapshot_free(struct gantry_snapshot *view)
{
    struct snapshot *s = (struct snapshot *)(void *)view;
    if (!s || atomic_fetch_sub(&s->holders, 1) > 1)
        return;
    arena_clear(&s->arena);
    free(s);
}

void
snapshot_publish(struct gantry_manager *m)
{
    struct snapshot *s = calloc(1, sizeof *s);
    size_t count = 0;
    if (!s)
        return; /* the older picture stays; the next change tries again */
    for (size_t i = 0; i < m->platform_count; i++)
        count += m->platforms[i].connectors.len;
    arena_init(&s->arena, 0);
    struct gantry_connector *all = arena_alloc_array(&s->arena, count + 1, sizeof *all);
    size_t n = 0;
    for (size_t i = 0; all && i < m->platform_count; i++) {
        map_each (&m->platforms[i].connectors, e)
            fill(&all[n++], e->value, &s->arena);
    }
    atomic_init(&s->holders, 1);
    s->view = (struct gantry_snapshot){
        .size = sizeof s->view,
        .count = (uint32_t)n,
        .stride = sizeof *all,
        .connectors = all,
        .revision = m->snapshot ? m->snapshot->revision + 1 : 1,
    };
    pthread_mutex_lock(&m->snapshot_lock);
    struct gantry_snapshot *old = m->snapshot;
    m->snapshot = &s->view;
    pthread_mutex_unlock(&m->snapshot_lock);
    gantry_snapshot_free(old);
    m->changed = false;
}

int
gantry_manager_snapshot(struct gantry_manager *m, struct gantry_snapshot **out,
                        struct gantry_error **err)
{
    pthread_mutex_lock(&m->snapshot_lock);
    if (!m->snapshot) {
        pthread_mutex_unlock(&m->snapshot_lock);
        struct snapshot *s = calloc(1, sizeof *s);
        if (!s)
            return err_nomem(err);
        atomic_init(&s->holders, 1);
        s->view = (struct gantry_snapshot){.size = sizeof s->view,
                                           .stride = sizeof(struct gantry_connector)};
        *out = &s->view;
        return 0;
    }
    struct snapshot *s = (struct snapshot *)(void *)m->snapshot;
    atomic_fetch_add(&s->holders, 1);
    *out = &s->view;
    pthread_mutex_unlock(&m->snapshot_lock);
    return 0;
}
