/* tell.c - what the thread says: of workloads, of their lines, and to those who watch. */
#include "async.h"

#include <stdlib.h>
#include <string.h>

static bool
bears(const struct workload *workload, const struct gantry_pair *labels, uint32_t count,
      uint32_t stride)
{
    return gantry_has_labels(workload->labels, workload->label_count, sizeof workload->labels[0],
                             labels, count, stride);
}

static int
answer_status(struct loop *loop, struct ask *ask, const struct workload *workload)
{
    struct gantry_status status = {
        .size = sizeof status,
        .present = GANTRY_STATUS_CREATED | (workload->ran ? GANTRY_STATUS_STARTED : 0),
        .handle = workload->handle,
        .name = workload->name,
        .hash = workload->hash,
        .image = workload->image,
        .labels = workload->labels,
        .label_count = workload->label_count,
        .label_stride = sizeof workload->labels[0],
        .state = workload->state,
        .exit_code = workload->exit_code,
        .created_ms = workload->created_ms,
        .started_ms = workload->started_ms,
        .finished_ms = workload->finished_ms,
    };
    if (workload->finished_ms)
        status.present |= GANTRY_STATUS_FINISHED | GANTRY_STATUS_EXIT_CODE;
    return ask_answer_status(loop, ask, &status);
}

void
tell_end(struct loop *loop, struct ask *ask, const struct workload *workload)
{
    if (answer_status(loop, ask, workload) < 0)
        ask_end(loop, ask, GANTRY_E_NOMEM, "out of memory");
    else
        ask_end(loop, ask, 0, "%s", "");
}

static int
answer_line(struct loop *loop, struct ask *ask, const struct line *line)
{
    static const char mark[] = " [cut]";
    size_t most = ask->limits->max_line_bytes ? ask->limits->max_line_bytes : SIZE_MAX;
    char cursor[32];
    snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)line->number);
    struct gantry_line copy = {
        .size = sizeof copy,
        .stream = line->stream,
        .text = line->bytes,
        .text_size = line->size,
        .time_ns = line->time_ns,
        .cursor = cursor,
    };
    if (line->size <= most)
        return ask_answer_line(loop, ask, &copy);
    char *cut = malloc(most + sizeof mark);
    if (!cut)
        return GANTRY_E_NOMEM;
    memcpy(cut, line->bytes, most);
    memcpy(cut + most, mark, sizeof mark);
    copy.text = cut;
    copy.text_size = most + sizeof mark - 1;
    int rc = ask_answer_line(loop, ask, &copy);
    free(cut);
    return rc;
}

/* 0: there is no limit. */
static bool
over(uint64_t size, uint64_t most)
{
    return most != 0 && size > most;
}

void
tell_logs(struct loop *loop, struct ask *ask)
{
    const struct workload *workload = work_find(loop, ask->ref->handle);
    uint64_t seen = ask->cursor ? strtoull(ask->cursor, NULL, 10) : 0;
    uint64_t count = 0, bytes = 0;
    int rc = 0;
    if (!workload) {
        ask_end(loop, ask, GANTRY_E_NOT_FOUND, "there is no workload '%s'", ask->ref->handle);
        return;
    }
    const struct line *first = workload->lines;
    while (first && first->number <= seen)
        first = first->next;
    for (const struct line *line = first; line; line = line->next) {
        count++;
        bytes += line->size;
    }
    for (; first && (over(count, ask->limits->max_lines) || over(bytes, ask->limits->max_bytes));
         first = first->next) {
        count--;
        bytes -= first->size;
    }
    for (; first && rc == 0; first = first->next)
        rc = answer_line(loop, ask, first);
    ask_end(loop, ask, rc, "%s", rc ? "out of memory" : "");
}

void
tell_inspect(struct loop *loop, struct ask *ask)
{
    const struct workload *workload = work_find(loop, ask->ref->handle);
    if (workload)
        tell_end(loop, ask, workload);
    else
        ask_end(loop, ask, GANTRY_E_NOT_FOUND, "there is no workload '%s'", ask->ref->handle);
}

void
tell_list(struct loop *loop, struct ask *ask)
{
    int rc = 0;
    for (const struct workload *workload = loop->workloads; workload && rc == 0;
         workload = workload->next)
        if (bears(workload, ask->labels, ask->label_count, ask->label_stride))
            rc = answer_status(loop, ask, workload);
    ask_end(loop, ask, rc, "%s", rc ? "out of memory" : "");
}

/* ---- watching ------------------------------------------------------------------------------------- */

void
tell_no_more(struct loop *loop, struct ask *ask, int code, const char *text)
{
    struct ask **at = &loop->watchers;
    while (*at != ask)
        at = &(*at)->next_parked;
    *at = ask->next_parked;
    ask_end(loop, ask, code, "%s", text);
}

void
tell_watch(struct loop *loop, struct ask *ask)
{
    const struct gantry_event synced = {.size = sizeof synced, .kind = GANTRY_EVENT_SYNCED};
    ask->next_parked = loop->watchers;
    loop->watchers = ask;
    if (ask_answer_event(loop, ask, &synced) < 0)
        tell_no_more(loop, ask, GANTRY_E_NOMEM, "out of memory");
}

void
tell_changed(struct loop *loop, const struct workload *workload)
{
    const struct gantry_event changed = {.size = sizeof changed,
                                         .kind = GANTRY_EVENT_CHANGED,
                                         .handle = workload->handle,
                                         .id = workload->id};
    for (struct ask *ask = loop->watchers, *next; ask; ask = next) {
        next = ask->next_parked;
        if (bears(workload, ask->labels, ask->label_count, ask->label_stride) &&
            ask_answer_event(loop, ask, &changed) < 0)
            tell_no_more(loop, ask, GANTRY_E_NOMEM, "out of memory");
    }
}
