/* decide.c - asks reconcile what to do about one connector, and gets it going. */
#include "manager_internal.h"

#include "drain.h"
#include "events.h"

#include "clock.h"
#include "err.h"

/* After so many that failed in a row, a workload that has ended is started without. */
#define INSPECTIONS_OF_AN_END 3

static enum reconcile_wish
wish_of(const struct connector *c)
{
    if (!c->listed && !(c->remembered && platform_side_is_offline(c->platform)))
        return c->released && c->ours ? WISH_GONE : WISH_KEPT;
    switch (c->wish) {
    case PLATFORM_WISH_STARTING:
        return WISH_RUN;
    case PLATFORM_WISH_STOPPING:
        return WISH_HALT;
    case PLATFORM_WISH_UNKNOWN:
        break;
    }
    return WISH_ODD;
}

/* Why it can neither be created nor replaced, whatever is tried; NULL: it can. */
static const char *
standing_reason(const struct connector *c)
{
    const char *problem = connector_note(c, NOTE_PROBLEM);
    if (problem)
        return problem;
    const struct config_override *o = config_override(c->platform->manager->config, c->id, c->name);
    if (c->listed && (!c->image || !c->image[0]) && !(o && o->image))
        return "the platform gives no image for it; its contract may have left the catalogue";
    return NULL;
}

static bool
has_ended(const struct seen *s)
{
    return s->state == GANTRY_STATE_EXITED || s->state == GANTRY_STATE_FAILED ||
           s->state == GANTRY_STATE_RESTARTING || s->state == GANTRY_STATE_DEAD;
}

/* A workload whose hash cannot be read from a label is inspected before it is judged (S7).  So is one that
 * has ended and shall run, as how it ended is forgotten with its next start; but if that cannot be had, it
 * is started all the same. */
static bool
wants_inspection(const struct connector *c)
{
    for (size_t i = 0; i < c->seen.len; i++) {
        const struct seen *s = &c->seen.ptr[i];
        if (s->inspected)
            continue;
        if (!s->hash || (has_ended(s) && c->memory.seen_before && wish_of(c) == WISH_RUN &&
                         c->not_inspected < INSPECTIONS_OF_AN_END))
            return true;
    }
    return false;
}

/* A call that hangs may still change what is there: nothing is known until it returns. */
static bool
is_known(struct connector *c)
{
    const struct backend_side *b = c->platform->backend;
    if (c->hung && !runtime_is_hung(b->backend))
        c->hung = false;
    return c->observed && !c->hung && !b->list.failing && !wants_inspection(c);
}

static void
fill_input(struct connector *c, int64_t now_ms, struct reconcile_workload *workloads,
           struct reconcile_input *in)
{
    for (size_t i = 0; i < c->seen.len; i++) {
        const struct seen *s = &c->seen.ptr[i];
        workloads[i] = (struct reconcile_workload){
            .hash = s->hash,
            .state = s->state,
            .created_ms = s->created_ms,
            .started_ms = s->started_ms,
            .finished_ms = s->finished_ms,
            .restarts = s->restarts,
            .identity = seen_identity(s),
        };
    }
    *in = (struct reconcile_input){
        .wish = wish_of(c),
        .hash = c->hash ? c->hash : "",
        .known = is_known(c),
        .workloads = workloads,
        .count = c->seen.len,
        .removing = c->removing,
        .blocked = standing_reason(c) != NULL,
        .platform_up = platform_side_up(c->platform),
        .offline = platform_side_is_offline(c->platform),
        .busy = c->job != NULL,
        .now_ms = now_ms,
    };
}

static const char *
state_of(const struct connector *c)
{
    const struct seen *kept = connector_kept(c);
    return kept ? state_name(kept->state) : "absent";
}

/* Every change of a decision is said once, from here. */
static void
say_change(struct connector *c, const struct reconcile_decision *before)
{
    struct gantry_manager *m = c->platform->manager;
    const struct reconcile_decision *d = &c->decision;
    if (d->row == before->row && d->action == before->action)
        return;
    m->changed = true;
    if (d->warn)
        log_warn(&m->log, "connector needs attention", F_STR("connector", c->id),
                 F_STR("name", c->name), F_STR("wish", reconcile_wish_name(wish_of(c))),
                 F_STR("state", state_of(c)), F_STR("why", d->why));
    else
        log_debug(&m->log, "decided", F_STR("connector", c->id), F_STR("name", c->name),
                  F_STR("wish", reconcile_wish_name(wish_of(c))), F_STR("state", state_of(c)),
                  F_STR("action", reconcile_action_name(d->action)), F_STR("why", d->why));
}

/* A standing reason is said on the platform too, when it is new. */
static void
say_standing(struct connector *c)
{
    const char *reason = standing_reason(c);
    if (text_eq(connector_note(c, NOTE_STANDING), reason) ||
        connector_set_note(c, NOTE_STANDING, reason) < 0)
        return;
    c->platform->manager->changed = true;
    if (!reason)
        return;
    log_warn(&c->platform->manager->log, "connector cannot run", F_STR("connector", c->id),
             F_STR("name", c->name), F_STR("why", reason));
    tail_say(c, reason);
}

static void
begin(struct connector *c, int64_t now_ms)
{
    struct gantry_manager *m = c->platform->manager;
    switch (c->decision.action) {
    case DO_NOTHING:
        break;
    case DO_ASK:
        if (wants_inspection(c))
            connector_read_later(c);
        else
            backend_side_refresh(c->platform->backend);
        break;
    case DO_CREATE:
    case DO_START:
    case DO_REPLACE:
    case DO_STOP:
    case DO_REMOVE:
        if (c->decision.action == DO_START && connector_note(c, NOTE_LAST_WORDS))
            break; /* its last lines are being read */
        if (m->how == GANTRY_RUN_DRY)
            log_info(
                &m->log, "would act", F_STR("action", reconcile_action_name(c->decision.action)),
                F_STR("connector", c->id), F_STR("name", c->name), F_STR("why", c->decision.why));
        else
            act_begin(c, now_ms);
        break;
    case DO_COUNT:
        break;
    }
}

/* When something with this period is next due: on a grid, so that several connectors are served by one
 * waking, and never later than a period from now. */
int64_t
connector_next(int64_t now_ms, int64_t period_ms)
{
    int64_t grid = MAX(period_ms / 10, 1);
    int64_t due = (now_ms + period_ms) / grid * grid;
    return due > now_ms ? due : now_ms + period_ms;
}

/* Reading and telling have a rhythm of their own while a workload lives. */
static void
set_timers(struct connector *c, int64_t now_ms)
{
    const struct seen *kept = connector_shown(c);
    const struct config_platform *s = c->platform->settings;
    bool local = platform_is_local(c->platform->platform);
    bool live = kept && c->listed && c->platform->list.answered && !local &&
                (state_is_live(kept->state) || c->memory.in_loop);
    if (!live) {
        c->logs_ms = c->health_ms = NEVER_MS;
        return;
    }
    if (c->logs_ms == NEVER_MS)
        c->logs_ms = connector_next(now_ms, MIN(s->logs_interval_ms, 2000));
    if (c->health_ms == NEVER_MS) {
        c->health_ms = connector_next(now_ms, s->health_interval_ms);
        c->health_due |= kept->state == GANTRY_STATE_RUNNING || c->memory.in_loop;
    }
    /* It was started anew. */
    c->health_due |= kept->state == GANTRY_STATE_RUNNING && kept->inspected &&
                     (kept->present & GANTRY_STATUS_STARTED) &&
                     kept->started_ms != c->told_started_ms;
}

/* An action is in flight: what stands for the connector, and what is said of it, stay as they were. */
static void
decide_busy(struct connector *c, const struct reconcile_decision *before)
{
    bool can = c->doing == DO_CREATE || c->doing == DO_REPLACE; /* it may be a pull (S5) */
    bool cancel = c->decision.cancel && can && !c->cancelled;
    c->decision = *before;
    if (!cancel)
        return;
    c->cancelled = true;
    log_info(&c->platform->manager->log, "action cancelled: the wish has changed",
             F_STR("connector", c->id), F_STR("action", reconcile_action_name(c->doing)));
    runtime_ask_to_end(c->job);
}

void
decide(struct connector *c, int64_t now_ms)
{
    struct platform_side *p = c->platform;
    if (p->manager->how == GANTRY_RUN_DOWN)
        return; /* an action of a run before this one has ended: nothing follows it */
    if ((!p->list.answered && !platform_side_is_offline(p)) || !platform_side_accepts(p)) {
        /* Nothing is known of what should be: nothing is done.  Whoever learns it touches all. */
        c->due_ms = c->logs_ms = c->health_ms = NEVER_MS;
        return;
    }
    VEC(struct reconcile_workload) workloads = VEC_INIT;
    for (size_t i = 0; i < c->seen.len; i++) {
        if (vec_push(&workloads) == NULL) {
            vec_clear(&workloads);
            c->due_ms = now_ms + RECONCILE_BACKOFF_MIN_MS;
            return;
        }
    }
    struct reconcile_input in;
    struct reconcile_decision before = c->decision;
    fill_input(c, now_ms, workloads.ptr, &in);
    c->decision = reconcile_decide(&in, &c->memory);
    vec_clear(&workloads);
    c->due_ms = c->decision.deadline_ms;
    if (in.busy) {
        decide_busy(c, &before);
        return;
    }
    c->decision.say = drain_say(c->decision.say, drain_old_of(c));
    if (c->decision.health_now)
        c->health_due = true;
    say_change(c, &before);
    if (p->list.answered)
        say_standing(c);
    if (p->manager->how != GANTRY_RUN_DRY)
        exits_look(c, now_ms);
    events_look(c, now_ms);
    images_look(c);
    if (c->memory.failures == 0 && c->decision.action == DO_NOTHING)
        connector_set_reason(c, c->decision.warn ? c->decision.why : NULL);
    begin(c, now_ms);
    drain_look(c, in.wish, in.known, now_ms);
    set_timers(c, now_ms);
    report_due(c, now_ms);
    if (connector_is_forgotten(c) && c->due_ms == NEVER_MS)
        c->due_ms = now_ms; /* the loop lets it go */
    p->manager->scan_ms = MIN(p->manager->scan_ms, MIN(c->due_ms, MIN(c->logs_ms, c->health_ms)));
}
