/* drain.c - backends that are drained: each connector's workloads there, beside the set on its own
 * backend, until they have moved.
 *
 * The new workload is made on the connector's own backend by decide.c and act.c, which know nothing of
 * this one; here the old one is ended once drain_decide() says so.  Such a backend is listed, and not
 * inspected: it tells what is there, and that is all that is asked. */
#include "drain.h"
#include "events.h"

#include "clock.h"
#include "err.h"
#include "random.h"

#define STOP_EXTRA_MS     20000
#define REMOVE_TIMEOUT_MS 120000
#define LOOK_AGAIN_MS     1000

/* ---- what is done ---------------------------------------------------------------------------- */

static void
tell(const struct connector *c, const struct away *a, const char *to, const char *error)
{
    AUTO_BUF struct buf cause = BUF_INIT(512);
    buf_add_fmt(&cause, "%s; it moves to backend '%s'", a->decision.why,
                connector_backend(c)->name);
    events_moved(c, a->backend, reconcile_action_name(a->doing), state_name(a->acting_from), to,
                 buf_text(&cause), error, clock_mono_ms() - a->acting_since_ms);
}

static void
failed(struct connector *c, struct away *a, int code, const struct gantry_error *error)
{
    struct gantry_manager *m = c->platform->manager;
    const char *text = err_text(error);
    int64_t now = clock_mono_ms();
    reconcile_done(&a->memory, a->doing, code, now, random_u64());
    if (code == GANTRY_E_CANCELLED)
        return;
    if (!m->first_error)
        (void)err_set(&m->first_error, code, "connector '%s': %s", c->name ? c->name : c->id, text);
    if (text_eq(a->problem, text))
        return;
    log_warn(&m->log, "action failed", F_STR("connector", c->id), F_STR("name", c->name),
             F_STR("action", reconcile_action_name(a->doing)),
             F_STR("backend", a->backend->settings->name), F_STR("code", gantry_code_name(code)),
             F_STR("error", text), F_MS("retry_in", a->memory.retry_ms - now));
    (void)text_set(&a->problem, text);
    tell(c, a, NULL, text);
}

static struct runtime_job *
job_for(struct connector *c, const struct away *a, const struct seen *target)
{
    struct runtime_job *job =
        runtime_job_new(a->doing == DO_STOP ? RUNTIME_STOP : RUNTIME_REMOVE, a->backend->backend);
    int64_t grace_ms = a->backend->settings->stop_timeout_ms;
    if (!job)
        return NULL;
    job->id = arena_dup_text(&job->arena, c->id);
    job->handle = arena_dup_text(&job->arena, target->handle);
    job->name = arena_dup_text(&job->arena, target->name);
    job->owner = c;
    job->grace_ms = (uint32_t)grace_ms;
    job->timeout_ms = a->doing == DO_STOP ? grace_ms + STOP_EXTRA_MS : REMOVE_TIMEOUT_MS;
    if (job->id && job->handle && job->name)
        return job;
    runtime_job_free(job);
    return NULL;
}

static void
act(struct connector *c, struct away *a, const struct seen *target, int64_t now_ms)
{
    struct gantry_manager *m = c->platform->manager;
    a->doing = a->decision.action;
    a->acting_from = target->state;
    a->acting_since_ms = now_ms;
    struct runtime_job *job = job_for(c, a, target);
    if (!job) {
        AUTO_ERR struct gantry_error *error = NULL;
        failed(c, a, err_nomem(&error), error);
        c->due_ms = MIN(c->due_ms, a->memory.retry_ms);
        return;
    }
    log_info(&m->log, "action begins", F_STR("connector", c->id), F_STR("name", c->name),
             F_STR("action", reconcile_action_name(a->doing)),
             F_STR("backend", a->backend->settings->name), F_STR("why", a->decision.why));
    a->job = job;
    m->actions_in_flight++;
    m->changed = true;
    runtime_submit(m->runtime, job);
}

static void
wait_for_worker(struct connector *c)
{
    struct connector **slot = c->waits ? NULL : vec_push(&c->platform->manager->waiting);
    if (!slot)
        return;
    *slot = c;
    c->waits = true;
}

static void
begin(struct connector *c, struct away *a, const struct seen *target, int64_t now_ms)
{
    struct gantry_manager *m = c->platform->manager;
    switch (a->decision.action) {
    case DO_ASK:
        backend_side_refresh(a->backend);
        break;
    case DO_STOP:
    case DO_REMOVE:
        if (m->how == GANTRY_RUN_DRY)
            log_info(&m->log, "would act",
                     F_STR("action", reconcile_action_name(a->decision.action)),
                     F_STR("connector", c->id), F_STR("name", c->name),
                     F_STR("backend", a->backend->settings->name), F_STR("why", a->decision.why));
        else if (m->actions_in_flight >= (size_t)m->settings->concurrency)
            wait_for_worker(c);
        else
            act(c, a, target, now_ms);
        break;
    case DO_NOTHING:
    case DO_CREATE:
    case DO_START:
    case DO_REPLACE:
    case DO_COUNT:
        break;
    }
}

/* Of a dry run: as if what is to be done there had been done. */
static enum drain_home
home_of(const struct connector *c, bool known, int64_t now_ms)
{
    const struct seen *kept = connector_kept(c);
    enum reconcile_action action = c->decision.action;
    if (c->platform->manager->how == GANTRY_RUN_DRY &&
        (action == DO_CREATE || action == DO_START ||
         (kept && kept->state == GANTRY_STATE_RUNNING)))
        return HOME_RUNS;
    if (!known || (!kept && c->seen.len > 0))
        return HOME_UNKNOWN;
    return drain_home_of(kept ? kept->state : GANTRY_STATE_EXITED, &c->memory, now_ms);
}

/* That it has run for so long must have been seen, not supposed: without a watch, its new backend is listed once
 * more (S1). */
static bool
has_been_seen_for_long(const struct connector *c)
{
    const struct backend_side *b = c->platform->backend;
    return b->manager->how == GANTRY_RUN_DRY || watching_is_healthy(b) ||
           b->looked_ms - c->memory.watched_since_ms >= DRAIN_FRESH_MS;
}

static void
look(struct connector *c, struct away *a, struct drain_input *in, int64_t now_ms)
{
    VEC(struct reconcile_workload) set = VEC_INIT;
    VEC(const struct seen *) of = VEC_INIT;
    for (size_t i = 0; i < a->seen.len; i++) {
        const struct seen *s = &a->seen.ptr[i];
        if (away_is_at_home(c, s))
            continue;
        const struct seen **slot = vec_push(&of);
        struct reconcile_workload *w = slot ? vec_push(&set) : NULL;
        if (!w) { /* without memory: later */
            c->due_ms = MIN(c->due_ms, now_ms + RECONCILE_BACKOFF_MIN_MS);
            vec_clear(&set);
            break;
        }
        *slot = s;
        *w = (struct reconcile_workload){
            .state = s->state, .created_ms = s->created_ms, .identity = seen_identity(s)};
    }
    in->workloads = set.ptr;
    in->count = set.len;
    in->known = away_is_known(a);
    a->home = in->home;
    if (!a->job && set.len > 0) {
        int row = a->decision.row;
        a->decision = drain_decide(in, &a->memory);
        c->due_ms = MIN(c->due_ms, a->decision.deadline_ms);
        if (row != a->decision.row)
            log_debug(&c->platform->manager->log, "decided", F_STR("connector", c->id),
                      F_STR("name", c->name), F_STR("backend", a->backend->settings->name),
                      F_STR("action", reconcile_action_name(a->decision.action)),
                      F_STR("why", a->decision.why));
        begin(c, a, of.ptr[a->decision.target], now_ms);
    }
    vec_clear(&set);
    vec_clear(&of);
}

void
drain_look(struct connector *c, enum reconcile_wish wish, bool known, int64_t now_ms)
{
    if (!c->away || c->job) /* S5; when that has ended, this is looked at again */
        return;
    struct drain_input in = {
        .judged = c->platform->list.answered,
        .home = home_of(c, known, now_ms),
        .home_since_ms = c->memory.watched_since_ms,
        .now_ms = now_ms,
    };
    if (in.home == HOME_RUNS && !has_been_seen_for_long(c)) {
        in.home = HOME_FRESH;
        in.home_since_ms = now_ms - DRAIN_FRESH_MS + LOOK_AGAIN_MS;
        backend_side_refresh(c->platform->backend);
    }
    for (struct away *a = c->away; a; a = a->next) {
        in.wish = c->listed ? wish : c->released && a->ours ? WISH_GONE : WISH_KEPT;
        look(c, a, &in, now_ms);
    }
}

/* ---- how it went ----------------------------------------------------------------------------- */

static struct away *
away_doing(const struct connector *c, const struct runtime_job *job)
{
    struct away *a = c->away;
    while (a && a->job != job)
        a = a->next;
    return a;
}

bool
drain_is_mine(const struct connector *c, const struct runtime_job *job)
{
    return away_doing(c, job) != NULL;
}

static void
succeeded(struct connector *c, struct away *a, const struct runtime_job *job)
{
    struct gantry_manager *m = c->platform->manager;
    struct seen *s = away_find(a, job->handle);
    int64_t now = clock_mono_ms();
    reconcile_done(&a->memory, a->doing, 0, now, random_u64());
    (void)text_set(&a->problem, NULL);
    log_info(&m->log, "action done", F_STR("connector", c->id), F_STR("name", c->name),
             F_STR("action", reconcile_action_name(a->doing)),
             F_STR("backend", a->backend->settings->name), F_MS("took", now - a->acting_since_ms));
    bool removed = a->doing == DO_REMOVE;
    tell(c, a, removed ? "absent" : state_name(GANTRY_STATE_EXITED), NULL);
    if (removed)
        watching_ignore(a->backend, job->handle);
    if (s && removed)
        away_drop(a, (size_t)(s - a->seen.ptr));
    else if (s)
        s->state = GANTRY_STATE_EXITED;
}

void
drain_done(struct connector *c, struct runtime_job *job)
{
    struct gantry_manager *m = c->platform->manager;
    struct away *a = away_doing(c, job);
    a->job = NULL;
    a->hung = job->hung;
    a->acted = m->asked;
    m->actions_in_flight--;
    m->changed = true;
    if (job->code == 0) {
        succeeded(c, a, job);
    } else {
        a->known = false; /* nobody knows how far it came: a newer listing does (S1) */
        failed(c, a, job->code, job->error);
    }
    if (job->code < 0 || a->doing == DO_REMOVE)
        backend_side_refresh(a->backend);
    a->doing = DO_NOTHING;
    away_drop_if_empty(c, a);
    connector_touch(c);
    act_waiting(m);
}

void
drain_end_actions(struct connector *c)
{
    for (struct away *a = c->away; a; a = a->next) {
        if (a->job)
            runtime_ask_to_end(a->job);
    }
}
