/* drain_seen.c - what connectors have on backends that are drained, by their listings, and whether anything is
 * left to be moved. */
#include "drain.h"
#include "events.h"
#include "places.h"

#include "clock.h"
#include "err.h"

#define LOOK_AGAIN_MS  1000
#define EMPTY_LISTINGS 2 /* in a row, until a backend counts as drained */

struct away *
away_of(const struct connector *c, const struct backend_side *b)
{
    struct away *a = c->away;
    while (a && a->backend != b)
        a = a->next;
    return a;
}

static struct away *
away_new(struct connector *c, struct backend_side *b)
{
    struct away *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    *a = (struct away){.next = c->away, .backend = b, .ours = true};
    a->decision.row = -1;
    c->away = a;
    return a;
}

void
away_drop(struct away *a, size_t i)
{
    seen_clear(&a->seen.ptr[i]);
    vec_remove(&a->seen, i);
}

static void
away_free(struct away *a)
{
    while (a->seen.len > 0)
        away_drop(a, a->seen.len - 1);
    vec_clear(&a->seen);
    free(a->problem);
    free(a);
}

void
drain_clear(struct connector *c)
{
    while (c->away) {
        struct away *a = c->away;
        c->away = a->next;
        away_free(a);
    }
}

/* Nothing is left of it there. */
void
away_drop_if_empty(struct connector *c, struct away *gone)
{
    struct away **at = &c->away;
    if (gone->seen.len > 0 || gone->job)
        return;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    away_free(gone);
}

struct seen *
away_find(const struct away *a, const char *handle)
{
    vec_each (&a->seen, s) {
        if (text_eq(s->handle, handle))
            return s;
    }
    return NULL;
}

/* An engine may say the time to the second in one answer and more exactly in another. */
static bool
same_time(int64_t a_ms, int64_t b_ms)
{
    return a_ms == 0 || b_ms == 0 || llabs(a_ms - b_ms) < 2000;
}

bool
away_is_at_home(const struct connector *c, const struct seen *s)
{
    for (size_t i = 0; i < c->seen.len; i++) {
        const struct seen *own = &c->seen.ptr[i];
        if (text_eq(own->handle, s->handle) && same_time(own->created_ms, s->created_ms))
            return true;
    }
    return false;
}

/* ---- what is there --------------------------------------------------------------------------- */

/* A listing that was asked for before its last action ended knows nothing about it. */
static bool
is_outdated(const struct away *a, uint64_t asked)
{
    return a->job || a->acted >= asked;
}

static struct seen *
add_seen(struct away *a, const char *handle)
{
    struct seen *s = vec_push(&a->seen);
    if (!s)
        return NULL;
    *s = (struct seen){.handle = text_dup(handle)};
    if (s->handle)
        return s;
    a->seen.len--;
    return NULL;
}

void
drain_observe(struct connector *c, struct backend_side *b, const struct gantry_status *status,
              uint64_t asked, bool ours)
{
    struct away *a = away_of(c, b);
    if (status->state == GANTRY_STATE_REMOVING || (a && is_outdated(a, asked)))
        return;
    if (!a && !(a = away_new(c, b))) {
        b->missed = true;
        return;
    }
    a->ours &= ours;
    struct seen *s = away_find(a, status->handle);
    if (!s)
        s = add_seen(a, status->handle);
    if (!s || observe_seen(s, status, false) < 0) {
        b->missed = true;
        a->acted = asked; /* half a set is no set: wait for the next listing (S1) */
        a->known = false;
        return;
    }
    s->passed = true;
}

static void
each_away(struct backend_side *b, uint64_t asked,
          void (*visit)(struct connector *c, struct away *a))
{
    struct gantry_manager *m = b->manager;
    for (size_t i = 0; i < m->platform_count; i++) {
        map_each (&m->platforms[i].connectors, e) {
            struct away *a = away_of(e->value, b);
            if (a && !is_outdated(a, asked))
                visit(e->value, a);
        }
    }
}

static void
begin_one(struct connector *c, struct away *a)
{
    (void)c;
    a->ours = true;
    vec_each (&a->seen, s)
        s->passed = false;
}

static void
end_one(struct connector *c, struct away *a)
{
    for (size_t i = a->seen.len; i-- > 0;) {
        if (!a->seen.ptr[i].passed)
            away_drop(a, i);
    }
    a->known = true;
    connector_touch(c);
    away_drop_if_empty(c, a);
}

bool
away_has_to_move(const struct connector *c, const struct away *a)
{
    if (a->job || !a->known)
        return true;
    vec_each (&a->seen, s) {
        if (!away_is_at_home(c, s))
            return true;
    }
    return false;
}

static size_t
count_moving(const struct backend_side *b)
{
    const struct gantry_manager *m = b->manager;
    size_t n = 0;
    for (size_t i = 0; i < m->platform_count; i++) {
        map_each (&m->platforms[i].connectors, e) {
            const struct away *a = away_of(e->value, b);
            n += a && away_has_to_move(e->value, a);
        }
    }
    return n;
}

/* Though nothing moves away from it: a platform names it, or it holds workloads of one that these settings do not
 * have. */
static bool
is_needed(const struct backend_side *b)
{
    const struct gantry_manager *m = b->manager;
    for (size_t i = 0; i < m->platform_count; i++) {
        if (m->platforms[i].backend == b)
            return true;
    }
    const struct held *h = held_of(b);
    for (size_t i = 0; h && i < h->platforms.len; i++) {
        if (!places_platform(m, h->platforms.ptr[i]))
            return true;
    }
    return false;
}

void
drain_begin_pass(struct backend_side *b, uint64_t asked)
{
    b->missed = false;
    if (b->settings->drain)
        each_away(b, asked, begin_one);
}

/* Empty, and so it stays: one listing may be of a moment when something was on its way. */
void
drain_end_pass(struct backend_side *b, uint64_t asked)
{
    if (!b->settings->drain)
        return;
    each_away(b, asked, end_one);
    if (b->missed || count_moving(b) > 0) {
        b->empty = 0;
        b->drained = false;
        return;
    }
    if (b->empty < EMPTY_LISTINGS)
        b->empty++;
    if (b->empty < EMPTY_LISTINGS) {
        backend_side_refresh_in(b, LOOK_AGAIN_MS);
    } else if (is_needed(b)) {
        b->drained = false;
    } else if (!b->drained) {
        b->drained = true;
        events_drained(b);
        log_info(&b->manager->log, "backend is drained: its section can be removed",
                 F_STR("backend", b->settings->name));
    }
}

/* It can be asked now, or cannot any more: what is told of all that do not run elsewhere hangs on it. */
void
drain_said(struct backend_side *b)
{
    struct gantry_manager *m = b->manager;
    for (size_t i = 0; b->settings->drain && i < m->platform_count; i++) {
        map_each (&m->platforms[i].connectors, e)
            connector_touch(e->value);
    }
}

bool
away_is_known(const struct away *a)
{
    const struct backend_side *b = a->backend;
    return a->known && b->list.answered && !b->list.failing &&
           !(a->hung && runtime_is_hung(b->backend));
}

const struct seen *
drain_running(const struct connector *c)
{
    for (const struct away *a = c->away; a; a = a->next) {
        for (size_t i = 0; away_is_known(a) && i < a->seen.len; i++) {
            if (a->seen.ptr[i].state == GANTRY_STATE_RUNNING &&
                !away_is_at_home(c, &a->seen.ptr[i]))
                return &a->seen.ptr[i];
        }
    }
    return NULL;
}

const char *
drain_from(const struct connector *c)
{
    return c->away ? c->away->backend->settings->name : NULL;
}

enum drain_old
drain_old_of(const struct connector *c)
{
    const struct gantry_manager *m = c->platform->manager;
    enum drain_old old = OLD_NONE;
    if (drain_running(c))
        return OLD_RUNS;
    for (size_t i = 0; i < m->backend_count; i++) {
        const struct backend_side *b = &m->backends[i];
        if (!b->settings->drain || b == c->platform->backend)
            continue;
        const struct away *a = away_of(c, b);
        if (!b->list.answered || b->list.failing || (a && !away_is_known(a)))
            return OLD_UNKNOWN;
        for (size_t k = 0; a && k < a->seen.len; k++) {
            enum gantry_state state = a->seen.ptr[k].state;
            if (away_is_at_home(c, &a->seen.ptr[k]))
                continue;
            if (state == GANTRY_STATE_UNKNOWN || state_is_live(state))
                return OLD_UNKNOWN; /* on its way up, or down */
            old = OLD_OFF;
        }
    }
    return old;
}

void
drain_forget_run(struct connector *c)
{
    for (struct away *a = c->away; a; a = a->next) {
        a->known = false;
        a->acted = c->platform->manager->asked;
    }
}

/* ---- is anything left to do? ----------------------------------------------------------------- */

/* What does not run where it moves to, and is not about to, will not do so without a change. */
static bool
away_is_settled(const struct connector *c, const struct away *a, bool dry)
{
    const struct seen *kept = connector_kept(c);
    if (a->job || !a->known)
        return false;
    if (dry || a->memory.failures > 0)
        return true;
    if (a->decision.action != DO_NOTHING)
        return false;
    bool comes =
        kept && (kept->state == GANTRY_STATE_STARTING || kept->state == GANTRY_STATE_RESTARTING);
    return a->home != HOME_FRESH && !(comes && !c->memory.in_loop);
}

bool
drain_is_settled(const struct backend_side *b)
{
    const struct gantry_manager *m = b->manager;
    size_t moving = 0;
    if (!b->settings->drain || b->list.failing)
        return true;
    for (size_t i = 0; i < m->platform_count; i++) {
        const struct platform_side *p = &m->platforms[i];
        map_each (&p->connectors, e) {
            const struct connector *c = e->value;
            const struct away *a = away_of(c, b);
            bool stuck = p->list.failing || p->refused || p->backend->list.failing;
            if (!a || !away_has_to_move(c, a))
                continue;
            moving++;
            if (!stuck && !away_is_settled(c, a, m->how == GANTRY_RUN_DRY))
                return false;
        }
    }
    return moving > 0 || b->empty >= EMPTY_LISTINGS;
}
