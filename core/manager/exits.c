/* exits.c - what is said of a workload that ended by itself: its own last lines first, then how it ended, in a
 * line of Gantry's own, once for each end that was counted (S9).
 *
 * A start by ourselves waits a moment for these lines, as they are easily lost in those of the next run. */
#include "manager_internal.h"

#include "events.h"

#include "buf.h"
#include "clock.h"

#define LAST_LINES_WITHIN_MS 2000
#define WORDS_MAX_BYTES      512

static void
add_duration(struct buf *out, int64_t ms)
{
    if (ms < 10000)
        buf_add_fmt(out, "%d.%d s", (int)(ms / 1000), (int)(ms % 1000 / 100));
    else if (ms < INT64_C(120) * 1000)
        buf_add_fmt(out, "%d s", (int)(ms / 1000));
    else if (ms < INT64_C(120) * 60 * 1000)
        buf_add_fmt(out, "%d min", (int)(ms / 60000));
    else
        buf_add_fmt(out, "%lld h", (long long)(ms / 3600000));
}

static void
add_end(struct buf *out, const struct seen *kept)
{
    bool up = kept && (kept->state == GANTRY_STATE_RUNNING || kept->state == GANTRY_STATE_STARTING);
    if (!kept)
        buf_add_text(out, "ended, and its workload is gone");
    else if (up) /* what it says of an end may be of another run */
        buf_add_text(out, "ended, and was restarted by the runtime");
    else
        cause_of_end(out, kept);
}

static void
add_words(struct buf *out, const struct connector *c, const struct seen *kept, int64_t now_ms)
{
    const struct reconcile_decision *d = &c->decision;
    add_end(out, kept);
    if (d->run_ms >= 0) {
        buf_add_text(out, ", after ");
        add_duration(out, d->run_ms);
    }
    if (d->exits > 1)
        buf_add_fmt(out, ", the last of %llu ends", (unsigned long long)d->exits);
    buf_add_fmt(out, " (restart %u)", (unsigned)c->memory.total_exits);
    if (!c->memory.in_loop)
        return;
    buf_add_text(out, "; it is restarted by Gantry with growing pauses");
    if (c->memory.start_ms > now_ms) {
        buf_add_text(out, ", next in ");
        add_duration(out, c->memory.start_ms - now_ms);
    }
}

void
exits_say(struct connector *c)
{
    const char *words = connector_note(c, NOTE_LAST_WORDS);
    c->last_lines = false;
    if (!words)
        return;
    tail_say(c, words);
    (void)connector_set_note(c, NOTE_LAST_WORDS, NULL);
    connector_touch(c); /* its start may have waited for it */
}

bool
exits_want_lines(const struct connector *c)
{
    return !c->last_lines && connector_note(c, NOTE_LAST_WORDS);
}

void
exits_look(struct connector *c, int64_t now_ms)
{
    const struct reconcile_decision *d = &c->decision;
    struct gantry_manager *m = c->platform->manager;
    const struct seen *kept = d->kept < c->seen.len ? &c->seen.ptr[d->kept] : NULL;
    if (connector_note(c, NOTE_LAST_WORDS) && now_ms >= c->last_words_ms)
        exits_say(c);
    if (connector_note(c, NOTE_LAST_WORDS)) /* each decision says anew when the next one is due */
        c->due_ms = MIN(c->due_ms, c->last_words_ms);
    if (d->exits > 0 || d->loop != LOOP_AS_BEFORE)
        m->state_dirty = m->state_urgent = true;
    if (d->loop == LOOP_ENDED && c->listed)
        tail_say(c, "is not in a restart loop any more");
    if (d->exits == 0)
        return;
    AUTO_BUF struct buf words = BUF_INIT(WORDS_MAX_BYTES);
    add_words(&words, c, kept, now_ms);
    if (buf_failed(&words))
        return;
    log_warn(&m->log, "workload ended", F_STR("connector", c->id), F_STR("name", c->name),
             F_STR("how", buf_text(&words)));
    exits_say(c); /* of the end before, if its lines are still on their way */
    if (connector_set_note(c, NOTE_LAST_WORDS, buf_text(&words)) < 0)
        return;
    if (!kept || platform_is_local(c->platform->platform)) {
        exits_say(c);
        return;
    }
    c->last_words_ms = now_ms + LAST_LINES_WITHIN_MS;
    c->due_ms = MIN(c->due_ms, c->last_words_ms);
    connector_read_later(c);
}
