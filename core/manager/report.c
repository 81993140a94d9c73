/* report.c - what the platform is told of a connector: status, health and logs, as few documents as
 * it allows, several connectors side by side, one report of a connector at a time. */
#include "manager_internal.h"

#include "clock.h"
#include "err.h"
#include "random.h"

#define QUEUE_RETRY_MS 1000

static enum platform_status
status_of(enum reconcile_say say)
{
    switch (say) {
    case SAY_STARTED:
        return PLATFORM_STATUS_STARTED;
    case SAY_STOPPED:
        return PLATFORM_STATUS_STOPPED;
    case SAY_UNCHANGED:
        break;
    }
    return PLATFORM_STATUS_NONE;
}

static bool
status_is_news(const struct connector *c)
{
    enum platform_status status = status_of(c->decision.say);
    return status != PLATFORM_STATUS_NONE && status != c->known;
}

/* Something may have to be told: queue it, unless it waits, is on its way, or nobody listens any
 * more. */
void
report_due(struct connector *c, int64_t now_ms)
{
    struct platform_side *p = c->platform;
    if (c->report_queued || c->reporting || !c->listed || p->manager->how == GANTRY_RUN_DRY ||
        !platform_side_accepts(p) || !p->list.answered)
        return;
    if (!status_is_news(c) && !c->health_due && !c->tail.dirty)
        return;
    if (now_ms < c->report_retry_ms) {
        c->due_ms = MIN(c->due_ms, c->report_retry_ms);
        p->manager->scan_ms = MIN(p->manager->scan_ms, c->report_retry_ms);
        return;
    }
    struct connector **slot = vec_push(&p->report_queue);
    if (slot) {
        *slot = c;
        c->report_queued = true;
    } else { /* out of memory: the next scan tries again */
        c->report_retry_ms = now_ms + QUEUE_RETRY_MS;
        p->manager->scan_ms = MIN(p->manager->scan_ms, c->report_retry_ms);
    }
}

/* What was told has arrived, or has to be told again. */
static void
reported(void *context, int code, const struct gantry_error *error)
{
    struct connector *c = context;
    struct platform_side *p = c->platform;
    struct gantry_manager *m = p->manager;
    c->reporting = false;
    p->reports_in_flight--;
    if (code == 0 || code == GANTRY_E_UNSUPPORTED) {
        if (code == 0 && c->said != SAY_UNCHANGED) {
            c->known = status_of(c->said);
            c->known_asked = m->asked;
            log_info(&m->log, "status reported", F_STR("connector", c->id),
                     F_STR("status", c->said == SAY_STARTED ? "started" : "stopped"));
        }
        if (code == GANTRY_E_UNSUPPORTED && c->said != SAY_UNCHANGED)
            c->known = status_of(c->said);
        if (c->report_failures > 0) /* it was refused, and is not any more: a new refusal is news */
        {
            (void)text_set(&p->report_problem, NULL);
            (void)connector_set_note(c, NOTE_REPORT_PROBLEM, NULL);
        }
        c->report_failures = 0;
        c->report_retry_ms = 0;
    } else {
        if (code != GANTRY_E_NOT_FOUND) { /* who is not there any more needs no logs */
            c->health_due |= c->said_health;
            c->tail.dirty |= c->said_logs;
        }
        c->report_failures++;
        c->report_retry_ms =
            clock_mono_ms() + reconcile_backoff_ms(c->report_failures, random_u64());
        bool news = !text_eq(p->report_problem, err_text(error)) &&
                    !text_eq(connector_note(c, NOTE_REPORT_PROBLEM), err_text(error));
        (void)connector_set_note(c, NOTE_REPORT_PROBLEM, err_text(error));
        if (news && text_set(&p->report_problem, err_text(error)) == 0)
            log_warn(&m->log, "report not accepted", F_STR("connector", c->id),
                     F_STR("error", err_text(error)));
    }
    report_due(c, clock_mono_ms());
    report_queue_run(p);
}

static void
send_report(struct connector *c)
{
    struct platform_side *p = c->platform;
    const struct seen *kept = connector_shown(c);
    struct platform_report report = {.id = c->id};
    struct platform_health health = {0};
    const char **lines = NULL;
    c->said = SAY_UNCHANGED;
    c->said_health = c->said_logs = false;
    if (status_is_news(c)) {
        c->said = c->decision.say;
        report.status = status_of(c->said);
    }
    if (c->health_due) {
        uint64_t restarts = c->memory.total_exits;
        health.restart_count = (int32_t)MIN(restarts, (uint64_t)INT32_MAX);
        health.started_ms = kept && (kept->present & GANTRY_STATUS_STARTED) ? kept->started_ms : 0;
        health.in_reboot_loop = c->memory.in_loop;
        report.health = &health;
        c->told_started_ms = health.started_ms;
        c->said_health = true;
        c->health_due = false;
    }
    if (c->tail.dirty && (lines = calloc(c->tail.count + 1, sizeof *lines))) {
        for (size_t i = 0; i < c->tail.count; i++)
            lines[i] = c->tail.lines[(c->tail.first + i) % c->tail.size];
        report.logs = lines;
        report.log_count = c->tail.count;
        c->said_logs = true;
        c->tail.dirty = false;
    }
    c->reporting = true;
    p->reports_in_flight++;
    platform_report(p->platform, &report, reported, c);
    free(lines);
}

void
report_queue_run(struct platform_side *p)
{
    while (p->report_queue.len > 0 && p->reports_in_flight < REPORTS_PER_PLATFORM) {
        struct connector *c = p->report_queue.ptr[0];
        vec_remove(&p->report_queue, 0);
        c->report_queued = false;
        if (c->listed && (status_is_news(c) || c->health_due || c->tail.dirty))
            send_report(c);
    }
    if (p->report_queue.len == 0)
        vec_reset(&p->report_queue);
}
