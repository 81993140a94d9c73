/* act.c - actions: from a decision to a job, and from its result back to the connector. */
#include "manager_internal.h"

#include "events.h"
#include "places.h"

#include "clock.h"
#include "err.h"
#include "random.h"

/* What stop() may take beyond the grace that the workload has. */
#define STOP_EXTRA_MS     20000
#define REMOVE_TIMEOUT_MS 120000

static struct runtime_job *
job_for(struct connector *c, enum runtime_op op, const struct seen *target)
{
    struct runtime_job *job = runtime_job_new(op, c->platform->backend->backend);
    if (!job)
        return NULL;
    job->id = arena_dup_text(&job->arena, c->id);
    job->owner = c;
    if (target) {
        job->handle = arena_dup_text(&job->arena, target->handle);
        job->name = arena_dup_text(&job->arena, target->name);
    }
    if (!job->id || (target && (!job->handle || !job->name))) {
        runtime_job_free(job);
        return NULL;
    }
    return job;
}

static enum runtime_op
op_of(enum reconcile_action action)
{
    switch (action) {
    case DO_STOP:
        return RUNTIME_STOP;
    case DO_REMOVE:
        return RUNTIME_REMOVE;
    case DO_NOTHING:
    case DO_ASK:
    case DO_CREATE:
    case DO_START:
    case DO_REPLACE:
    case DO_COUNT:
        break;
    }
    return RUNTIME_START;
}

static void
failed(struct connector *c, int code, const struct gantry_error *error, int64_t now_ms)
{
    struct gantry_manager *m = c->platform->manager;
    const char *text = err_text(error);
    bool news = !text_eq(connector_note(c, NOTE_REASON), text);
    LOG_AT_(&m->log, news ? LOG_WARN : LOG_DEBUG, "action failed", F_STR("connector", c->id),
            F_STR("name", c->name), F_STR("action", reconcile_action_name(c->doing)),
            F_STR("code", gantry_code_name(code)), F_STR("error", text),
            F_MS("retry_in", c->memory.retry_ms - now_ms));
    if (news) {
        connector_set_reason(c, text);
        tail_say(c, text);
    }
    if (!m->first_error)
        (void)err_set(&m->first_error, code, "connector '%s': %s", c->name ? c->name : c->id, text);
}

/* It could not even be tried. */
static void
not_begun(struct connector *c, int code, struct gantry_error *error, int64_t now_ms)
{
    events_acted(c, NULL, err_text(error), now_ms);
    reconcile_done(&c->memory, c->doing, code, now_ms, random_u64());
    failed(c, code, error, now_ms);
    err_clear(&error);
    c->due_ms = c->memory.retry_ms;
    c->doing = DO_NOTHING;
    c->platform->manager->changed = true;
}

/* The platform's configuration for it cannot be used: like an attempt that failed. */
void
act_refused(struct connector *c, const char *text)
{
    AUTO_ERR struct gantry_error *error = NULL;
    (void)err_set(&error, GANTRY_E_INVALID, "%s", text);
    c->doing = c->decision.action;
    not_begun(c, GANTRY_E_INVALID, TAKE(error), clock_mono_ms());
    connector_touch(c);
}

static bool
needs_configuration(const struct connector *c)
{
    return (c->doing == DO_CREATE || c->doing == DO_REPLACE) &&
           !(c->configuration && text_eq(c->configuration->hash, c->hash));
}

static void
submit(struct connector *c, int64_t now_ms)
{
    struct gantry_manager *m = c->platform->manager;
    const struct config_backend *b = connector_backend(c);
    const struct seen *target = c->doing == DO_CREATE ? NULL : &c->seen.ptr[c->decision.target];
    struct runtime_job *job = job_for(c, op_of(c->doing), target);
    if (!job) {
        not_begun(c, GANTRY_E_NOMEM, NULL, now_ms);
        return;
    }
    if (c->doing == DO_CREATE || c->doing == DO_REPLACE) {
        int code = workload_prepare(c, job);
        if (code < 0) {
            struct gantry_error *error = TAKE(job->error);
            runtime_job_free(job);
            not_begun(c, code, error, now_ms);
            return;
        }
    }
    job->grace_ms = (uint32_t)b->stop_timeout_ms;
    job->flags = c->decision.once ? GANTRY_START_ONCE : 0;
    if (c->doing == DO_STOP)
        job->timeout_ms = b->stop_timeout_ms + STOP_EXTRA_MS;
    else if (c->doing == DO_REMOVE)
        job->timeout_ms = REMOVE_TIMEOUT_MS;
    else if (c->doing == DO_START)
        job->timeout_ms = b->start_timeout_ms; /* a pull is bounded by its own stall limit */
    if (c->doing == DO_CREATE)
        places_will_hold(c->platform);
    log_info(&m->log, "action begins", F_STR("connector", c->id), F_STR("name", c->name),
             F_STR("action", reconcile_action_name(c->doing)), F_STR("why", c->decision.why));
    events_acting(c, now_ms);
    c->job = job;
    c->cancelled = false;
    c->acting_since_ms = now_ms;
    c->acting_asked = ++m->asked;
    m->actions_in_flight++;
    m->changed = true;
    runtime_submit(m->runtime, job);
}

void
act_begin(struct connector *c, int64_t now_ms)
{
    struct gantry_manager *m = c->platform->manager;
    c->doing = c->decision.action;
    if (needs_configuration(c)) {
        platform_side_want_configuration(c->platform);
        c->doing = DO_NOTHING;
        return; /* touched again when it is there */
    }
    if (m->actions_in_flight >= (size_t)m->settings->concurrency) {
        c->doing = DO_NOTHING;
        struct connector **slot = c->waits ? NULL : vec_push(&m->waiting);
        if (slot) {
            *slot = c;
            c->waits = true;
        }
        return;
    }
    submit(c, now_ms);
}

/* A worker is free: decide again about those that waited, the longest first. */
void
act_waiting(struct gantry_manager *m)
{
    size_t most = m->waiting.len;
    for (size_t i = 0; i < most && m->actions_in_flight < (size_t)m->settings->concurrency; i++) {
        struct connector *c = m->waiting.ptr[0];
        vec_remove(&m->waiting, 0);
        c->waits = false;
        if (!c->job)
            decide(c, clock_mono_ms());
    }
    if (m->waiting.len == 0)
        vec_reset(&m->waiting);
}

/* What the set is after an action that succeeded: the plugin has said what it made of it. */
static void
after_success(struct connector *c, const struct runtime_job *job)
{
    struct seen *target = job->handle ? connector_seen(c, job->handle) : NULL;
    switch (c->doing) {
    case DO_STOP:
        if (target) {
            target->state = GANTRY_STATE_EXITED;
            target->inspected = true;
        }
        break;
    case DO_REMOVE:
        watching_ignore(c->platform->backend, job->handle);
        if (target)
            connector_drop_seen(c, (size_t)(target - c->seen.ptr));
        if (c->seen.len > 0) /* one that waited for the name may have it now */
            backend_side_refresh(c->platform->backend);
        break;
    case DO_REPLACE:
        if (target && job->statuses.len > 0 &&
            !text_eq(job->statuses.ptr[0].handle, target->handle)) {
            target->state = GANTRY_STATE_EXITED;
            target->inspected = true;
        }
        break;
    case DO_NOTHING:
    case DO_ASK:
    case DO_CREATE:
    case DO_START:
    case DO_COUNT:
        break;
    }
    vec_each (&job->statuses, status) {
        if (observe_status(c, status, true) < 0)
            c->observed = false;
        struct seen *made = connector_seen(c, status->handle);
        if (made) /* its first event may have come before its name was known here */
            made->changed = MAX(made->changed, c->changed);
    }
    connector_still_changed(c, c->acting_asked);
    /* The configuration has done its work; its values need not stay here. */
    if (c->doing == DO_CREATE || c->doing == DO_REPLACE)
        connector_drop_configuration(c);
}

/* Was it not that way already? */
static bool
has_changed_something(struct connector *c, const struct runtime_job *job)
{
    const struct seen *target = job->handle ? connector_seen(c, job->handle) : NULL;
    if (c->doing == DO_STOP)
        return target && state_is_live(target->state);
    if (c->doing == DO_START)
        return target && (!state_is_live(target->state) || target->state == GANTRY_STATE_PAUSED);
    return true;
}

static void
succeeded(struct connector *c, const struct runtime_job *job, int64_t now_ms)
{
    struct gantry_manager *m = c->platform->manager;
    log_info(&m->log, "action done", F_STR("connector", c->id), F_STR("name", c->name),
             F_STR("action", reconcile_action_name(c->doing)),
             F_MS("took", now_ms - c->acting_since_ms));
    connector_set_reason(c, NULL);
    if (has_changed_something(c, job))
        watching_acted(c);
    after_success(c, job);
}

/* The plain name is a stranger's: the second form, at once, and once only. */
static bool
takes_second_name(struct connector *c, const struct runtime_job *job)
{
    if (job->code != GANTRY_E_CONFLICT || c->second_name ||
        (c->doing != DO_CREATE && c->doing != DO_REPLACE))
        return false;
    c->second_name = true;
    log_warn(&c->platform->manager->log, "name is taken by a foreign workload",
             F_STR("connector", c->id), F_STR("name", c->name),
             F_STR("error", err_text(job->error)));
    return true;
}

void
act_done(struct connector *c, struct runtime_job *job)
{
    struct gantry_manager *m = c->platform->manager;
    int64_t now = clock_mono_ms();
    c->job = NULL;
    crypto_ring_clear(&c->ring);
    c->hung = job->hung;
    m->actions_in_flight--;
    images_fetched(c, job);
    c->acted = m->asked;
    if (takes_second_name(c, job)) {
        reconcile_done(&c->memory, c->doing, GANTRY_E_CANCELLED, now, random_u64());
    } else {
        reconcile_done(&c->memory, c->doing, job->code, now, random_u64());
        pause_hear(c, job, now);
        if (job->code == 0) {
            succeeded(c, job, now);
        } else {
            /* Nobody knows how far it came: only a newer listing says what is there now (S1). */
            c->observed = false;
            backend_side_refresh(c->platform->backend);
            if (job->code != GANTRY_E_CANCELLED)
                failed(c, job->code, job->error, now);
        }
    }
    events_acted(c, job, job->code < 0 ? err_text(job->error) : NULL, now);
    c->doing = DO_NOTHING;
    m->state_dirty = m->changed = true;
    m->state_urgent |= c->memory.in_loop;
    connector_touch(c);
    act_waiting(m);
}
