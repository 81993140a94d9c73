/* snapshot.c - the picture of all connectors that other threads may take.
 *
 * One is made when somebody asks and something has changed since the last; it is never changed after
 * that, and has a count of those who hold it. */
#include "manager_internal.h"

#include "drain.h"

#include "err.h"

struct snapshot {
    struct gantry_snapshot view; /* first: what the outside sees */
    atomic_uint holders;
    struct arena arena;
};

static const char *
wish_word(const struct connector *c)
{
    if (!c->listed && !(c->remembered && platform_side_is_offline(c->platform)))
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
    const struct seen *away = drain_running(c);
    if (!away && (!c->observed || c->platform->backend->list.failing))
        return "unknown";
    const struct seen *kept = connector_shown(c);
    return kept ? state_name(kept->state) : "absent";
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
    const char *standing = connector_note(c, NOTE_STANDING);
    const char *reason = standing ? standing : connector_note(c, NOTE_REASON);
    if (reason)
        return reason;
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
    const struct seen *kept = connector_shown(c);
    char progress[160] = "";
    if (c->job)
        (void)runtime_progress(c->job, progress, sizeof progress);
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
        .in_loop = c->memory.in_loop,
        .image_digest = copy(a, kept ? kept->digest : NULL),
        .progress = copy(a, progress),
    };
}

static struct gantry_peer
peer(const char *kind, const char *name, bool up, const char *problem, struct arena *a)
{
    return (struct gantry_peer){
        .size = sizeof(struct gantry_peer),
        .up = up,
        .kind = kind,
        .name = copy(a, name),
        .problem = copy(a, problem),
    };
}

static bool
add_peers(struct gantry_snapshot *view, const struct gantry_manager *m, struct arena *a)
{
    size_t count = m->platform_count + m->backend_count, n = 0;
    struct gantry_peer *all = arena_alloc_array(a, count + 1, sizeof *all);
    for (size_t i = 0; all && i < m->platform_count; i++) {
        const struct platform_side *p = &m->platforms[i];
        const char *problem = p->list.failing ? p->list.problem : p->refused ? p->ping.problem : "";
        bool up = platform_side_up(p) && !p->refused;
        all[n++] = peer("platform", p->settings->name, up, problem, a);
    }
    for (size_t i = 0; all && i < m->backend_count; i++) {
        const struct backend_side *b = &m->backends[i];
        bool up = b->list.answered && !b->list.failing;
        all[n++] = peer("backend", b->settings->name, up, up ? "" : b->list.problem, a);
    }
    view->peers = all;
    view->peer_count = (uint32_t)n;
    view->peer_stride = sizeof *all;
    return all != NULL;
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

static struct snapshot *
make(const struct gantry_manager *m, bool settled)
{
    struct snapshot *s = calloc(1, sizeof *s);
    size_t count = 0, n = 0;
    if (!s)
        return NULL;
    for (size_t i = 0; i < m->platform_count; i++)
        count += m->platforms[i].connectors.len;
    arena_init(&s->arena, 0);
    struct gantry_connector *all = arena_alloc_array(&s->arena, count + 1, sizeof *all);
    for (size_t i = 0; all && i < m->platform_count; i++) {
        map_each (&m->platforms[i].connectors, e)
            fill(&all[n++], e->value, &s->arena);
    }
    atomic_init(&s->holders, 1);
    s->view = (struct gantry_snapshot){
        .size = sizeof s->view,
        .count = (uint32_t)n,
        .stride = sizeof *all,
        .settled = settled,
        .connectors = all,
        .revision = m->revision,
        .settings_problem = copy(&s->arena, m->settings_problem),
    };
    if (add_peers(&s->view, m, &s->arena) && all)
        return s;
    arena_clear(&s->arena);
    free(s);
    return NULL;
}

int
gantry_manager_snapshot(struct gantry_manager *m, struct gantry_snapshot **out,
                        struct gantry_error **err)
{
    pthread_mutex_lock(&m->lock);
    bool settled = m->running && manager_is_settled(m);
    uint64_t progress_count = m->runtime ? runtime_progress_count(m->runtime) : 0;
    m->changed |= m->progress_count != progress_count;
    m->progress_count = progress_count;
    if (m->changed || !m->snapshot || m->snapshot->settled != settled) {
        m->changed = false;
        m->revision++;
        gantry_snapshot_free(m->snapshot);
        struct snapshot *made = make(m, settled);
        m->snapshot = made ? &made->view : NULL;
    }
    struct snapshot *s = (struct snapshot *)(void *)m->snapshot;
    if (s) {
        atomic_fetch_add(&s->holders, 1);
        *out = &s->view;
    }
    pthread_mutex_unlock(&m->lock);
    return s ? 0 : err_nomem(err);
}
