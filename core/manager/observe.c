/* observe.c - turns what a backend says into each connector's set of workloads.
 *
 * Identity is labels, never names (S2): the manager's id, the platform, the connector's id. */
#include "manager_internal.h"
#include "states.h"

#include "drain.h"
#include "places.h"

#include "clock.h"
#include "err.h"

const char *
observe_label(const struct gantry_status *s, const char *key)
{
    return gantry_find_label(s->labels, s->label_count, s->label_stride, key);
}

/* The platform that a workload of this manager belongs to, or NULL; *ours: it may be removed when
 * that platform does not list it. */
static struct platform_side *
platform_of(struct gantry_manager *m, const struct gantry_status *s, const char *id, bool *ours)
{
    const char *named = observe_label(s, GANTRY_LABEL_NAMED);
    const char *kind = observe_label(s, GANTRY_LABEL_PLATFORM);
    struct platform_side *only = NULL, *lists = NULL;
    size_t of_kind = 0;
    *ours = named != NULL;
    for (size_t i = 0; i < m->platform_count; i++) {
        struct platform_side *p = &m->platforms[i];
        if (named) {
            if (strcmp(named, p->settings->name) == 0)
                return p;
            continue;
        }
        if (kind && strcmp(kind, platform_label(p->platform)) != 0)
            continue;
        of_kind++;
        only = p;
        const struct connector *c = map_find(&p->connectors, str_of(id));
        if (c && c->listed)
            lists = p;
    }
    if (named)
        return NULL;
    *ours = kind && of_kind == 1;
    if (lists)
        return lists;
    return of_kind == 1 ? only : NULL;
}

/* S2: without the manager's id and a connector's it is nobody's that we know. */
struct platform_side *
observe_platform(struct gantry_manager *m, const struct gantry_status *status, bool *ours)
{
    const char *id = observe_label(status, GANTRY_LABEL_CONNECTOR);
    const char *manager = observe_label(status, GANTRY_LABEL_MANAGER);
    if (!id || !id[0] || !text_eq(manager, m->settings->id))
        return NULL;
    return platform_of(m, status, id, ours);
}

/* On a backend that its platform does not use it is of concern only where that is drained. */
struct platform_side *
observe_owner(struct backend_side *b, const struct gantry_status *status, bool *ours)
{
    struct platform_side *p = observe_platform(b->manager, status, ours);
    bool everywhere = b->settings->drain || b->manager->how == GANTRY_RUN_DOWN;
    return p && (p->backend == b || everywhere) ? p : NULL;
}

int
observe_seen(struct seen *s, const struct gantry_status *status, bool full)
{
    int code = seen_set_texts(s, status->name ? status->name : "",
                              status->hash || full ? status->hash : s->hash);
    if (code < 0)
        return code;
    if (s->state !=
        (enum gantry_state)status->state) /* how its last run ended is not how this one did */
        s->present &= ~(GANTRY_STATUS_EXIT_CODE | GANTRY_STATUS_OUT_OF_MEMORY);
    s->named |= observe_label(status, GANTRY_LABEL_NAMED) != NULL;
    s->state =
        status->state < STATES_COUNT ? (enum gantry_state)status->state : GANTRY_STATE_UNKNOWN;
    s->present |= status->present;
    if (status->present & GANTRY_STATUS_EXIT_CODE)
        s->exit_code = status->exit_code;
    if (status->present & GANTRY_STATUS_OUT_OF_MEMORY)
        s->out_of_memory = status->out_of_memory;
    if (status->present & GANTRY_STATUS_CREATED)
        s->created_ms = status->created_ms;
    if (status->present & GANTRY_STATUS_STARTED)
        s->started_ms = status->started_ms;
    if (status->present & GANTRY_STATUS_FINISHED)
        s->finished_ms = status->finished_ms;
    if (status->present & GANTRY_STATUS_RESTARTS)
        s->restarts = status->restarts;
    s->inspected = full;
    s->stale = false;
    return 0;
}

/* Some give it with inspections alone, so one that is missing says nothing. */
static int
seen_set_digest(struct connector *c, struct seen *s, const char *digest)
{
    if (!digest || text_eq(s->digest, digest))
        return 0;
    const char *shared = text_share(c->platform, digest);
    if (!shared)
        return GANTRY_E_NOMEM;
    text_unshare(c->platform, s->digest);
    s->digest = shared;
    c->platform->manager->changed = true;
    return 0;
}

int
observe_status(struct connector *c, const struct gantry_status *status, bool full)
{
    struct seen *s = connector_seen(c, status->handle);
    if (status->state == GANTRY_STATE_REMOVING) {
        c->set_changed = true;
        c->removing += !full || s; /* an inspection may tell of one that was counted already */
        if (s && full) {
            connector_drop_seen(c, (size_t)(s - c->seen.ptr));
        } else if (s) {
            s->passed = false;
        }
        return 0;
    }
    bool same = s && s->state == (enum gantry_state)status->state;
    if (!s && !(s = connector_add_seen(c, status->handle)))
        return GANTRY_E_NOMEM;
    s->passed = true;
    c->set_changed |= !same;
    c->platform->manager->changed |= !same;
    if (same && !full) /* nothing has happened: what an inspection said still holds */
        return status->name ? seen_set_texts(s, status->name, s->hash) : 0;
    int code = seen_set_digest(c, s, status->image_digest);
    return code < 0 ? code : observe_seen(s, status, full);
}

/* A listing that was asked for before its last action ended knows nothing about this connector. */
static bool
is_outdated(const struct connector *c, uint64_t asked)
{
    return c->job || c->acted >= asked;
}

static void
begin_pass(struct backend_side *b, uint64_t asked)
{
    for (size_t i = 0; i < b->manager->platform_count; i++) {
        if (b->manager->platforms[i].backend != b)
            continue;
        map_each (&b->manager->platforms[i].connectors, e) {
            struct connector *c = e->value;
            if (is_outdated(c, asked))
                continue;
            c->set_changed = !c->observed || c->removing > 0 || !c->ours;
            c->removing = 0;
            c->ours = true;
            vec_each (&c->seen, s)
                s->passed = false;
        }
    }
}

/* Nothing is new, and nothing is waited for: deciding again would say the same. */
static bool
is_quiet(const struct connector *c)
{
    return !c->set_changed && !c->hung && c->decision.action == DO_NOTHING && c->due_ms == NEVER_MS;
}

static void
end_pass_one(struct connector *c)
{
    for (size_t i = c->seen.len; i-- > 0;) {
        if (c->seen.ptr[i].passed)
            continue;
        connector_drop_seen(c, i);
        c->set_changed = c->platform->manager->changed = true;
    }
    for (size_t i = 0; i < c->seen.len; i++) {
        if (!c->seen.ptr[i].inspected || c->seen.ptr[i].stale)
            connector_read_later(c);
    }
    c->observed = true;
    if (!is_quiet(c))
        connector_touch(c);
}

static void
end_pass(struct backend_side *b, uint64_t asked)
{
    for (size_t i = 0; i < b->manager->platform_count; i++) {
        struct platform_side *p = &b->manager->platforms[i];
        if (p->backend != b)
            continue;
        map_each (&p->connectors, e) {
            struct connector *c = e->value;
            if (!is_outdated(c, asked))
                end_pass_one(c);
        }
    }
}

static void
observe_one(struct backend_side *b, const struct gantry_status *status, uint64_t asked)
{
    struct gantry_manager *m = b->manager;
    const char *id = observe_label(status, GANTRY_LABEL_CONNECTOR);
    bool ours = true;
    struct platform_side *p = observe_owner(b, status, &ours);
    if (!p) {
        watching_ignore(b, status->handle);
        return;
    }
    struct connector *c = map_find(&p->connectors, str_of(id));
    if (!c) {
        c = connector_new(p, id);
        if (!c) {
            b->missed = true;
            return;
        }
        if (text_set(&c->name, status->name) < 0) {
            c->acted =
                asked; /* it has a workload, which was not taken over: not an empty set (S1) */
            b->missed = true;
            return;
        }
        log_info(&m->log, "workload found", F_STR("connector", id), F_STR("name", status->name),
                 F_STR("platform", p->settings->name));
        if (p->backend != b) /* whose last listing did not look for it (S1) */
            backend_side_refresh(p->backend);
    }
    if (p->backend != b) {
        drain_observe(c, b, status, asked, ours);
        return;
    }
    if (is_outdated(c, asked))
        return;
    c->ours &= ours; /* learnt while it is listed, for when it is not any more */
    struct seen *s = connector_seen(c, status->handle);
    if (s && s->told > asked) { /* an inspection that was asked for later has said more */
        s->passed = true;
        return;
    }
    c->set_changed |= !ours;
    if (observe_status(c, status, false) < 0) {
        c->observed = false;
        c->acted = asked; /* half a set is no set: wait for the next listing */
    }
}

void
observe_list(struct backend_side *b, const struct runtime_job *job, uint64_t asked)
{
    b->list_applied = asked;
    b->looked_ms = job->queued_ms;
    map_clear(&b->strangers);
    begin_pass(b, asked);
    drain_begin_pass(b, asked);
    vec_each (&job->statuses, status)
        observe_one(b, status, asked);
    end_pass(b, asked);
    drain_end_pass(b, asked);
    places_listed(b, job, asked);
}
