/* loop.c - the loop that joins platforms, backends and the state machine; one thread owns all
 * state.
 *
 * It sleeps until an answer arrives or the nearest deadline comes, and then looks only at the
 * connectors that were touched; all of them only when one of their own deadlines has come. */
#include "manager_internal.h"

#include "drain.h"

#include "clock.h"
#include "settings.h"

static void
take_results(struct gantry_manager *m)
{
    struct runtime_job *job;
    while ((job = runtime_take_done(m->runtime))) {
        struct backend_side *b = manager_backend_of(m, job);
        if (b)
            backend_side_done(b, job);
        runtime_job_free(job);
    }
    watching_take(m);
}

/* Logs and health have a rhythm of their own for each connector. */
static void
connector_timers(struct connector *c, int64_t now_ms)
{
    if (c->health_ms <= now_ms) {
        const struct seen *kept = connector_kept(c), *shown = connector_shown(c);
        c->health_ms = connector_next(now_ms, c->platform->settings->health_interval_ms);
        c->health_due |= shown && (shown->state == GANTRY_STATE_RUNNING || c->memory.in_loop);
        if (watching_is_healthy(c->platform->backend) || !kept) {
            report_due(c, now_ms);
        } else {
            /* A restart by the backend between two listings shows in an inspection alone. */
            vec_each (&c->seen, s)
                s->stale |= s == kept;
            connector_read_later(c); /* what it finds is reported then */
        }
    }
    if (c->logs_ms <= now_ms)
        connector_read_later(c);
    if (c->report_retry_ms <= now_ms)
        report_due(c, now_ms);
}

static int64_t
connector_due(const struct connector *c, int64_t now_ms)
{
    int64_t due = MIN(c->due_ms, c->health_ms);
    if (c->logs_ms > now_ms) /* else it waits in the queue of reads */
        due = MIN(due, c->logs_ms);
    if (c->report_retry_ms > now_ms)
        due = MIN(due, c->report_retry_ms);
    return due;
}

static void
forget(struct platform_side *p, struct connector *c)
{
    for (size_t i = p->report_queue.len; i-- > 0;) {
        if (p->report_queue.ptr[i] == c)
            vec_remove(&p->report_queue, i);
    }
    for (size_t i = p->backend->read_queue.len; i-- > 0;) {
        if (p->backend->read_queue.ptr[i] == c)
            vec_remove(&p->backend->read_queue, i);
    }
    for (size_t i = p->manager->waiting.len; i-- > 0;) {
        if (p->manager->waiting.ptr[i] == c)
            vec_remove(&p->manager->waiting, i);
    }
    (void)map_take(&p->connectors, str_of(c->id));
    connector_free(c);
    p->manager->state_dirty = p->manager->changed = true;
}

/* All connectors of all platforms: once a deadline of one of them has come. */
static void
scan(struct gantry_manager *m, int64_t now_ms)
{
    m->scan_ms = NEVER_MS;
    for (size_t i = 0; i < m->platform_count; i++) {
        struct platform_side *p = &m->platforms[i];
        map_each (&p->connectors, e) {
            struct connector *c = e->value;
            connector_timers(c, now_ms);
            if (c->due_ms <= now_ms)
                decide(c, now_ms);
            if (connector_is_forgotten(c) && !c->touched) {
                forget(p, c);
                continue;
            }
            m->scan_ms = MIN(m->scan_ms, connector_due(c, now_ms));
        }
    }
    /* What is due at once and is not done yet waits for an answer, not for the clock. */
    m->scan_ms = MAX(m->scan_ms, now_ms + 10);
}

static void
decide_touched(struct gantry_manager *m, int64_t now_ms)
{
    for (size_t i = 0; i < m->touched.len; i++) { /* it may grow while we walk */
        struct connector *c = m->touched.ptr[i];
        c->touched = false;
        decide(c, now_ms);
        m->scan_ms = MIN(m->scan_ms, connector_due(c, now_ms));
    }
    vec_reset(&m->touched);
}

static void
step(struct gantry_manager *m)
{
    int64_t now = clock_mono_ms();
    take_results(m);
    http_loop_step(m->http);
    for (size_t i = 0; i < m->backend_count; i++)
        backend_side_step(&m->backends[i], now);
    for (size_t i = 0; i < m->platform_count; i++)
        platform_side_step(&m->platforms[i], now);
    decide_touched(m, now);
    if (m->scan_ms <= now)
        scan(m, now);
    for (size_t i = 0; i < m->backend_count; i++)
        reads_run(&m->backends[i]);
    for (size_t i = 0; i < m->platform_count; i++)
        platform_side_step(&m->platforms[i], now);
    if (state_due(m) <= now)
        state_write(m);
}

static int64_t
next_due(const struct gantry_manager *m)
{
    int64_t due = m->scan_ms;
    for (size_t i = 0; i < m->backend_count; i++)
        due = MIN(due, backend_side_due(&m->backends[i]));
    for (size_t i = 0; i < m->platform_count; i++)
        due = MIN(due, platform_side_due(&m->platforms[i]));
    return MIN(due, state_due(m));
}

int
loop_timeout_ms(const struct gantry_manager *m)
{
    int64_t now = clock_mono_ms();
    int64_t due = m->touched.len > 0 ? now : next_due(m);
    int64_t ms = due == NEVER_MS ? 60000 : due - now;
    int64_t http_ms = http_loop_timeout_ms(m->http);
    if (http_ms >= 0)
        ms = MIN(ms, http_ms);
    return (int)MAX(0, MIN(ms, 60000));
}

/* GANTRY_RUN_ONCE and _DRY end when nothing is due but back-off; who cannot be asked holds up nobody else. */
static bool
is_done(const struct gantry_manager *m)
{
    return m->how != GANTRY_RUN_DAEMON && manager_is_settled(m);
}

/* Removals wait for a second listing that agrees: while one is due, --once asks again at once. */
static void
hurry(struct gantry_manager *m)
{
    if (m->how != GANTRY_RUN_ONCE)
        return;
    for (size_t i = 0; i < m->platform_count; i++) {
        struct platform_side *p = &m->platforms[i];
        if (!p->list.in_flight && !p->list.failing && platform_side_is_unjudged(p))
            p->list.next_ms = MIN(p->list.next_ms, clock_mono_ms() + LIST_GAP_MS);
    }
}

/* What an earlier run has seen, and what it asked and has not heard yet, is old: everybody is asked again
 * before anything is done.  Another manager may have had its turn in between. */
void
loop_begin(struct gantry_manager *m)
{
    m->asked++;
    for (size_t i = 0; i < m->backend_count; i++) {
        m->backends[i].list.answered = m->backends[i].list.failing = false;
        m->backends[i].list.next_ms = 0;
        m->backends[i].list_asked = 0;
        m->backends[i].drained = false;
        m->backends[i].empty = 0;
        if (m->how == GANTRY_RUN_DAEMON)
            watching_begin(&m->backends[i]);
    }
    for (size_t i = 0; i < m->platform_count; i++) {
        struct platform_side *p = &m->platforms[i];
        p->ping.answered = p->ping.failing = p->list.answered = p->list.failing = false;
        p->ping_ended = p->offline = false;
        p->ping.next_ms = p->list.next_ms = 0;
        p->list_asked = 0;
        platform_forget_listing(p->platform);
        map_each (&p->connectors, e) {
            struct connector *c = e->value;
            c->observed = false;
            c->acted = m->asked; /* what was asked before this says nothing any more */
            drain_forget_run(c);
        }
    }
    m->scan_ms = NEVER_MS;
}

static void
take_wishes(struct gantry_manager *m)
{
    if (atomic_exchange(&m->reload_wanted, false))
        settings_reload(m);
    if (!atomic_exchange(&m->refresh_wanted, false))
        return;
    for (size_t i = 0; i < m->platform_count; i++)
        m->platforms[i].list.next_ms = 0;
}

bool
loop_step(struct gantry_manager *m)
{
    take_wishes(m);
    step(m);
    if (is_done(m))
        return false;
    hurry(m);
    return true;
}
