/* events.c - what happens to connectors becomes events: each thing once, where it happens.
 *
 * A state is told when it changed by itself; what an action of ours changed is told by that action, with the
 * states before and after it.  A failure that repeats is told when its reason changes.  What a restart of
 * Gantry merely finds again is no event (S7), unless the state folder does not know it: then it is
 * adopted.  Causes are made in events_cause.c; errors are those of the log, which hold no secret (S10). */
#include "manager_internal.h"
#include "states.h"

#include "events.h"

#include <stdio.h>

#define CAUSE_MAX_BYTES ((size_t)512)

static struct gantry_manager_event
about(const struct connector *c, const char *kind)
{
    return (struct gantry_manager_event){
        .kind = kind,
        .platform = c->platform->settings->name,
        .backend = connector_backend(c)->name,
        .id = c->id,
        .name = c->name,
        .duration_ms = -1,
    };
}

static const char *
state_word(uint8_t state)
{
    if (state == EVENTS_ABSENT)
        return "absent";
    return state == GANTRY_STATE_UNKNOWN ? "" : state_name((enum gantry_state)state);
}

/* ---- wishes ---------------------------------------------------------------------------------- */

static void
tell_wish(struct connector *c, const char *name, const char *to, const char *cause)
{
    struct gantry_manager_event e = about(c, "wish");
    e.name = name;
    e.from = c->told.wish;
    e.to = to;
    e.cause = cause;
    c->told.wish = to;
    (void)connector_set_note(c, NOTE_ERROR, NULL); /* what fails from now on is news */
    events_add(c->platform->manager, &e);
}

void
events_wished(struct connector *c, const struct platform_connector *from)
{
    const char *to = reconcile_wish_name(WISH_ODD);
    const char *cause = "the platform's requested status is not one that we know";
    if (from->wish == PLATFORM_WISH_STARTING) {
        to = reconcile_wish_name(WISH_RUN);
        cause = "the platform wishes it to run";
    } else if (from->wish == PLATFORM_WISH_STOPPING) {
        to = reconcile_wish_name(WISH_HALT);
        cause = "the platform wishes it to be stopped";
    }
    if (!text_eq(c->told.wish, to))
        tell_wish(c, from->name, to, cause);
    events_hash(c, from->hash);
}

void
events_hash(struct connector *c, const char *hash)
{
    if (!c->listed || !c->hash || text_eq(c->hash, hash ? hash : ""))
        return;
    AUTO_BUF struct buf cause = BUF_INIT(CAUSE_MAX_BYTES);
    buf_add_text(&cause, "its configuration or image has changed on the platform ");
    cause_of_hash(&cause, c->hash, hash);
    tell_wish(c, c->name, c->told.wish, buf_text(&cause));
}

void
events_unlisted(struct connector *c)
{
    tell_wish(c, c->name, reconcile_wish_name(WISH_GONE), "the platform does not list it any more");
}

/* ---- states ---------------------------------------------------------------------------------- */

static bool
is_end(uint8_t state)
{
    return state == GANTRY_STATE_EXITED || state == GANTRY_STATE_FAILED;
}

/* It was there before this run, and the state folder does not know it. */
static void
tell_adoption(struct connector *c, const struct seen *kept, uint8_t state)
{
    struct gantry_manager_event e = about(c, "action");
    e.action = "adopt";
    e.from = e.to = state_word(state);
    e.cause = kept->named ? "it was made by an earlier run of Gantry, and is taken over as it is"
                          : "it was made by XTM Composer or its like, and is taken over as it is";
    events_add(c->platform->manager, &e);
}

static void
tell_state(struct connector *c, uint8_t state, bool exited)
{
    AUTO_BUF struct buf cause = BUF_INIT(CAUSE_MAX_BYTES);
    cause_of_state(&cause, c, state, exited);
    struct gantry_manager_event e = about(c, "state");
    e.from = state_word(c->told.state);
    e.to = state_word(state);
    e.cause = buf_text(&cause);
    events_add(c->platform->manager, &e);
}

static void
look_at_loop(struct connector *c, const struct seen *kept, int64_t now_ms)
{
    if (c->told.in_loop == c->memory.in_loop)
        return;
    c->told.in_loop = c->memory.in_loop;
    bool ran_long = kept && state_is_live(kept->state) &&
                    now_ms - c->memory.watched_since_ms >= RECONCILE_SHORT_RUN_MS;
    char begins[160];
    snprintf(
        begins, sizeof begins,
        "it ended %lu times in a row soon after its start: Gantry restarts it, with growing pauses",
        (unsigned long)c->memory.short_runs);
    struct gantry_manager_event e = about(c, "loop");
    e.from = c->told.in_loop ? "steady" : "looping";
    e.to = c->told.in_loop ? "looping" : "steady";
    e.cause = c->told.in_loop ? begins
              : ran_long      ? "it has run for long"
                              : "its configuration or what the platform wishes has changed";
    events_add(c->platform->manager, &e);
}

/* at_once: how it ended will not become known any more. */
static void
look(struct connector *c, int64_t now_ms, bool at_once)
{
    struct told *t = &c->told;
    const struct seen *kept = connector_kept(c);
    if (!c->observed || c->job || (!kept && c->seen.len > 0) ||
        (kept && kept->state == GANTRY_STATE_UNKNOWN))
        return; /* what is not known has not changed (S1) */
    uint8_t state = kept ? (uint8_t)kept->state : EVENTS_ABSENT;
    if (t->state == GANTRY_STATE_UNKNOWN) {
        if (kept && c->listed && !t->known)
            tell_adoption(c, kept, state);
        t->known = true;
        t->in_loop = c->memory.in_loop;
    } else {
        bool exited = c->memory.total_exits > t->exits;
        bool same = state == t->state || (is_end(state) && is_end(t->state));
        /* The listing may leave out the exit code, and an inspection follows. */
        if (is_end(state) && !same && !at_once && !kept->inspected &&
            !(kept->present & GANTRY_STATUS_EXIT_CODE))
            return;
        if (!same || (exited && kept)) {
            tell_state(c, state, exited);
            t->since_ms = now_ms;
        }
        look_at_loop(c, kept, now_ms);
    }
    t->state = state;
    t->exits = c->memory.total_exits;
}

void
events_look(struct connector *c, int64_t now_ms)
{
    look(c, now_ms, false);
}

/* ---- actions --------------------------------------------------------------------------------- */

void
events_acting(struct connector *c, int64_t now_ms)
{
    look(c, now_ms, true);
    const struct reconcile_decision *d = &c->decision;
    bool creates = c->doing == DO_CREATE;
    AUTO_BUF struct buf cause = BUF_INIT(CAUSE_MAX_BYTES);
    cause_of_action(&cause, c, now_ms);
    (void)connector_set_note(c, NOTE_CAUSE, buf_failed(&cause) ? NULL : buf_text(&cause));
    c->told.acting_on_kept = creates || d->target == d->kept;
    c->told.acting_from =
        creates || d->target >= c->seen.len ? EVENTS_ABSENT : (uint8_t)c->seen.ptr[d->target].state;
}

static uint8_t
state_after(const struct connector *c, const struct runtime_job *job)
{
    if (c->doing == DO_STOP)
        return GANTRY_STATE_EXITED;
    if (c->doing == DO_REMOVE)
        return EVENTS_ABSENT;
    uint32_t state = job->statuses.len > 0 ? job->statuses.ptr[0].state : GANTRY_STATE_RUNNING;
    return state < STATES_COUNT ? (uint8_t)state : GANTRY_STATE_UNKNOWN;
}

static bool
is_over(uint8_t state)
{
    return is_end(state) || state == GANTRY_STATE_RESTARTING;
}

/* A start that is over already is told with how it ended. */
static void
add_quick_end(const struct connector *c, const struct runtime_job *job, uint8_t state,
              struct buf *cause)
{
    vec_each (&c->seen, s) {
        if (!is_over(state) || job->statuses.len == 0 ||
            !text_eq(s->handle, job->statuses.ptr[0].handle))
            continue;
        buf_add_text(cause, "; and then at once: ");
        cause_of_end(cause, s);
    }
}

static void
note_success(struct connector *c, const struct runtime_job *job, uint8_t state, int64_t now_ms)
{
    struct told *t = &c->told;
    if (t->acting_on_kept || c->seen.len == 0) {
        t->state = state;
        t->since_ms = now_ms;
    }
    t->known = true;
    t->exits = c->memory.total_exits;
    if (is_over(state) && c->doing != DO_STOP && t->exits < UINT32_MAX)
        t->exits++; /* it ended at once: that exit is counted later, and told now */
    if (c->doing == DO_REPLACE)
        t->replaced = job->statuses.len > 0 && !text_eq(job->statuses.ptr[0].handle, job->handle);
    else if (c->doing == DO_REMOVE)
        t->replaced = false;
    (void)connector_set_note(c, NOTE_ERROR, NULL);
}

void
events_acted(struct connector *c, const struct runtime_job *job, const char *error, int64_t now_ms)
{
    struct told *t = &c->told;
    if (!job)
        events_acting(c, now_ms);
    const char *began = connector_note(c, NOTE_CAUSE);
    AUTO_BUF struct buf cause = BUF_INIT(2 * CAUSE_MAX_BYTES);
    buf_add_text(&cause, began ? began : c->decision.why);
    (void)connector_set_note(c, NOTE_CAUSE, NULL);
    struct gantry_manager_event e = about(c, "action");
    e.action = reconcile_action_name(c->doing);
    e.from = state_word(t->acting_from);
    e.duration_ms = job ? now_ms - c->acting_since_ms : -1;
    if (error || !job) {
        bool cancelled = job && job->code == GANTRY_E_CANCELLED && c->cancelled;
        e.error = cancelled ? "cancelled: the wish has changed" : error;
        bool news = !text_eq(connector_note(c, NOTE_ERROR), e.error);
        t->since_ms = now_ms;
        if (!news)
            return;
        (void)connector_set_note(c, NOTE_ERROR, e.error);
    } else {
        uint8_t state = state_after(c, job);
        e.to = state_word(state);
        if (c->doing != DO_STOP)
            add_quick_end(c, job, state, &cause);
        note_success(c, job, state, now_ms);
    }
    e.cause = buf_text(&cause);
    events_add(c->platform->manager, &e);
}
