/* tail.c - the last lines of a connector, read with a cursor from the backend and told as a whole:
 * the platform keeps what it was sent last, and nothing else. */
#include "manager_internal.h"

#include "buf.h"
#include "clock.h"

#define LINE_MAX_BYTES  4096
#define READ_MAX_BYTES  UINT64_C(65536)
#define READ_TIMEOUT_MS 30000

void
tail_init(struct tail *t, uint32_t lines)
{
    *t = (struct tail){.size = lines};
}

void
tail_clear(struct tail *t)
{
    for (size_t i = 0; t->lines && i < t->size; i++)
        free(t->lines[i]);
    free(t->lines);
    free(t->cursor);
    *t = (struct tail){0};
}

void
tail_resize(struct tail *t, int64_t lines)
{
    struct tail old = *t;
    t->lines = NULL;
    t->first = t->count = 0;
    t->size = lines > 0 && lines < INT32_MAX ? (uint32_t)lines : 1;
    for (uint32_t i = 0; i < old.count; i++)
        tail_add(t, str_of(old.lines[(old.first + i) % old.size]));
    t->dirty = old.dirty || old.count > t->size; /* the platform has more than it should */
    for (uint32_t i = 0; old.lines && i < old.size; i++)
        free(old.lines[i]);
    free(old.lines);
}

/* Keeps the newest lines.  A line that finds no memory is left out: logs are no reason to stop. */
void
tail_add(struct tail *t, struct str line)
{
    if (!t->lines)
        t->lines = calloc(t->size, sizeof *t->lines);
    char *copy = t->lines ? str_dup(line) : NULL;
    if (!copy)
        return;
    uint32_t slot = (t->first + t->count) % t->size;
    if (t->count == t->size) {
        t->first = (t->first + 1) % t->size;
        free(t->lines[slot]);
    } else {
        t->count++;
    }
    t->lines[slot] = copy;
    t->dirty = true;
}

void
tail_say(struct connector *c, const char *text)
{
    char time[CLOCK_RFC3339_SIZE];
    AUTO_BUF struct buf line = BUF_INIT(LINE_MAX_BYTES);
    buf_add_fmt(&line, "%s [gantry] ", clock_rfc3339(clock_wall_ms(), time));
    buf_add_text(&line, text);
    if (!buf_failed(&line))
        tail_add(&c->tail, buf_view(&line));
    report_due(c, clock_mono_ms());
}

/* Ask the backend for what is new.  A workload that has not run has nothing to say. */
void
tail_read(struct connector *c)
{
    struct gantry_manager *m = c->platform->manager;
    const struct seen *kept = connector_kept(c);
    if (!kept || kept->state == GANTRY_STATE_CREATED || c->reading)
        return;
    struct runtime_job *job = runtime_job_new(RUNTIME_LOGS, c->platform->backend->backend);
    if (!job)
        return;
    if (c->tail.workload != seen_identity(kept)) {
        c->tail.workload = seen_identity(kept);
        (void)text_set(&c->tail.cursor, NULL);
    }
    job->handle = arena_dup_text(&job->arena, kept->handle);
    job->id = arena_dup_text(&job->arena, c->id);
    job->name = arena_dup_text(&job->arena, kept->name);
    job->cursor = arena_dup_text(&job->arena, c->tail.cursor);
    job->limits = (struct gantry_log_limits){
        .size = sizeof job->limits,
        .max_lines = c->tail.size,
        .max_bytes = READ_MAX_BYTES,
        .max_line_bytes = LINE_MAX_BYTES,
    };
    job->timeout_ms = READ_TIMEOUT_MS;
    job->owner = c;
    c->reading = true;
    c->platform->backend->logs_in_flight++;
    runtime_submit(m->runtime, job);
}

void
tail_read_last(struct connector *c)
{
    tail_read(c);
    if (c->reading)
        c->last_lines = true;
    else
        exits_say(c);
}

void
tail_done(struct connector *c, struct runtime_job *job)
{
    struct gantry_manager *m = c->platform->manager;
    c->reading = false;
    if (job->code == 0 && job->lines.len > 0) {
        vec_each (&job->lines, line)
            tail_add(&c->tail, (struct str){line->text, (size_t)line->text_size});
        (void)text_set(&c->tail.cursor, job->lines.ptr[job->lines.len - 1].cursor);
    } else if (job->code < 0 && job->code != GANTRY_E_UNSUPPORTED &&
               job->code != GANTRY_E_CANCELLED) {
        log_debug(&m->log, "logs could not be read", F_STR("connector", c->id),
                  F_STR("error", job->error ? job->error->message : NULL));
    }
    if (c->last_lines)
        exits_say(c);
    if (c->tail.dirty)
        report_due(c, clock_mono_ms());
}
