/* events_cause.c - why something happened, in words for a person at night.
 *
 * A cause is made of fixed sentences, numbers, states, and the first digits of hashes, which are digests:
 * no value of a configuration can get into it (S10). */
#include "manager_internal.h"

#include "drain.h"
#include "events.h"

#include <signal.h>

/* What a code of 128 + n says: the signal, as people name it. */
static const char *
signal_words(int32_t exit_code)
{
    static const struct {
        int number;
        const char *words;
    } signals[] = {
        {SIGKILL, "killed"},      {SIGTERM, "told to end"},        {SIGINT, "interrupted"},
        {SIGHUP, "hung up"},      {SIGSEGV, "segmentation fault"}, {SIGBUS, "bus error"},
        {SIGABRT, "aborted"},     {SIGILL, "illegal instruction"}, {SIGFPE, "arithmetic error"},
        {SIGPIPE, "broken pipe"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(signals); i++) {
        if (exit_code == 128 + signals[i].number)
            return signals[i].words;
    }
    return NULL;
}

void
cause_of_end(struct buf *b, const struct seen *s)
{
    bool for_memory = (s->present & GANTRY_STATUS_OUT_OF_MEMORY) && s->out_of_memory;
    for_memory &=
        !(s->present & GANTRY_STATUS_EXIT_CODE) || s->exit_code != 0; /* else of a child */
    if (s->present & GANTRY_STATUS_EXIT_CODE) {
        const char *words = signal_words(s->exit_code);
        buf_add_fmt(b, "exited with code %d", (int)s->exit_code);
        if (for_memory)
            buf_add_text(b, ": ended for lack of memory");
        else if (words)
            buf_add_fmt(b, ": %s", words);
    } else {
        buf_add_text(b, for_memory ? "ended for lack of memory"
                                   : "it has ended; the runtime gives no exit code");
    }
}

static void
cause_of_life(struct buf *b, const struct connector *c, bool restarted)
{
    if (restarted)
        buf_add_text(b, "it ended, and the runtime restarted it");
    else if (c->told.state == GANTRY_STATE_RESTARTING)
        buf_add_text(b, "the runtime restarted it");
    else if (c->told.state == GANTRY_STATE_STARTING)
        buf_add_text(b, "it has started");
    else if (c->told.state == GANTRY_STATE_PAUSED)
        buf_add_text(b, "somebody let it go on");
    else
        buf_add_text(b, "started by somebody else, or by the runtime");
}

void
cause_of_state(struct buf *b, const struct connector *c, uint8_t state, bool exited)
{
    const struct seen *kept = connector_kept(c);
    switch (state) {
    case GANTRY_STATE_EXITED:
    case GANTRY_STATE_FAILED:
        cause_of_end(b, kept);
        break;
    case GANTRY_STATE_RESTARTING:
        cause_of_end(b, kept);
        buf_add_text(b, "; the runtime restarts it");
        break;
    case GANTRY_STATE_STARTING:
    case GANTRY_STATE_RUNNING:
        cause_of_life(b, c, exited);
        break;
    case GANTRY_STATE_PAUSED:
        buf_add_text(b, "somebody paused it");
        break;
    case GANTRY_STATE_STOPPING:
        buf_add_text(b, "somebody else, or the runtime, stops it");
        break;
    case GANTRY_STATE_DEAD:
        buf_add_text(b, "its removal failed half way");
        break;
    case EVENTS_ABSENT:
        buf_add_text(b, "it is gone: somebody else, or the runtime, removed it");
        break;
    default: /* created, or what a newer plugin says */
        buf_add_text(b, "the runtime says so");
    }
    if (exited && (state == c->told.state || state_is_live((enum gantry_state)state)))
        buf_add_fmt(b, " (exit %lu since its configuration changed)",
                    (unsigned long)c->memory.total_exits);
    if (connector_note(c, NOTE_ERROR))
        buf_add_text(b, "; the last action on it had failed");
}

/* The first digits of a hash tell two of them apart. */
static void
add_hash(struct buf *b, const char *hash)
{
    struct str digits = str_of(hash);
    digits.len = MIN(digits.len, 8);
    digits.len = str_utf8_valid_length(digits);
    buf_add(b, digits.len > 0 ? digits : STR("none"));
}

void
cause_of_hash(struct buf *b, const char *from, const char *to)
{
    buf_add_text(b, "(hash ");
    add_hash(b, from);
    buf_add_text(b, " -> ");
    add_hash(b, to);
    buf_add_char(b, ')');
}

/* What is waited for is a pause between attempts, or between the starts of one that ends again and again. */
static void
add_pace(struct buf *b, const struct connector *c, int64_t now_ms)
{
    int64_t pause_ms = now_ms - c->told.since_ms;
    if (c->memory.failures > 0)
        buf_add_fmt(b, "; attempt %lu", (unsigned long)c->memory.failures + 1);
    if ((c->memory.failures > 0 || c->memory.in_loop) && c->told.since_ms > 0 && pause_ms >= 1000)
        buf_add_fmt(b, "; due after %lld s of back-off", (long long)(pause_ms / 1000));
}

void
cause_of_action(struct buf *b, const struct connector *c, int64_t now_ms)
{
    const struct seen *target =
        c->decision.target < c->seen.len ? &c->seen.ptr[c->decision.target] : NULL;
    bool other = c->decision.target != c->decision.kept;
    if (other && c->told.replaced && (c->doing == DO_REMOVE || c->doing == DO_STOP)) {
        buf_add_text(b, "it has been replaced: the workload of before goes");
        return;
    }
    buf_add_text(b, c->decision.why);
    if (c->doing == DO_START && target && (target->present & GANTRY_STATUS_EXIT_CODE) &&
        (target->state == GANTRY_STATE_EXITED || target->state == GANTRY_STATE_FAILED)) {
        buf_add_text(b, ": ");
        cause_of_end(b, target);
    }
    if (c->doing == DO_REPLACE && target && !text_eq(target->hash, c->hash)) {
        buf_add_char(b, ' ');
        cause_of_hash(b, target->hash, c->hash);
    }
    if (c->doing == DO_CREATE && drain_from(c))
        buf_add_fmt(b, "; it moves here from backend '%s'", drain_from(c));
    add_pace(b, c, now_ms);
}
