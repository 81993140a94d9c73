/* work.c - what the thread does with a question. */
#include "async.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
bears(const struct workload *workload, const struct gantry_pair *labels, uint32_t count,
      uint32_t stride)
{
    return gantry_has_labels(workload->labels, workload->label_count, sizeof workload->labels[0],
                             labels, count, stride);
}

static struct workload *
find(const struct loop *loop, const char *handle)
{
    struct workload *workload = loop->workloads;
    while (workload && strcmp(workload->handle, handle) != 0)
        workload = workload->next;
    return workload;
}

static struct workload *
find_name(const struct loop *loop, const char *name)
{
    struct workload *workload = loop->workloads;
    while (workload && strcmp(workload->name, name) != 0)
        workload = workload->next;
    return workload;
}

/* Are they of one connector of one manager and platform? */
static bool
same_owner(const struct workload *workload, const struct gantry_pair *labels, uint32_t count,
           uint32_t stride)
{
    static const char *const keys[] = {GANTRY_LABEL_MANAGER, GANTRY_LABEL_PLATFORM,
                                       GANTRY_LABEL_CONNECTOR};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *own = gantry_find_label(workload->labels, workload->label_count,
                                            sizeof workload->labels[0], keys[i]);
        const char *other = gantry_find_label(labels, count, stride, keys[i]);
        if (strcmp(own ? own : "", other ? other : "") != 0)
            return false;
    }
    return true;
}

static const char *
find_program(const struct loop *loop, const char *image)
{
    size_t size = strlen(image);
    for (uint32_t i = 0; i < loop->programs.count; i++)
        if (strncmp(loop->programs.items[i], image, size) == 0 &&
            loop->programs.items[i][size] == '=')
            return loop->programs.items[i] + size + 1;
    return NULL;
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

static void
end_with_status(struct loop *loop, struct ask *ask, const struct workload *workload)
{
    if (answer_status(loop, ask, workload) < 0)
        ask_end(loop, ask, GANTRY_E_NOMEM, "out of memory");
    else
        ask_end(loop, ask, 0, "%s", "");
}

/* ---- waiting for the end of a process -------------------------------------------------------------- */

static void
park(struct ask *ask, struct workload *workload)
{
    ask->waits_for = workload;
    ask->next_parked = workload->parked;
    workload->parked = ask;
}

static void
unpark(struct ask *ask)
{
    struct ask **at = &ask->waits_for->parked;
    while (*at != ask)
        at = &(*at)->next_parked;
    *at = ask->next_parked;
    ask->waits_for = NULL;
}

/* ---- start ---------------------------------------------------------------------------------------- */

static void
drop(struct loop *loop, struct workload *workload)
{
    struct workload **at = &loop->workloads;
    while (*at != workload)
        at = &(*at)->next;
    *at = workload->next;
    run_free(workload);
}

/* NAME-new-XXXX, of which there is none. */
static bool
name_beside(struct loop *loop, struct workload *workload, const char *name)
{
    size_t size = strlen(name) + sizeof "-new-XXXX";
    char *made = malloc(size);
    if (!made)
        return false;
    do
        snprintf(made, size, "%s-new-%04x", name, loop->names++ & 0xffff);
    while (find_name(loop, made));
    free(workload->name);
    workload->name = made;
    return true;
}

/* Make one that does not run yet.  Returns NULL when the question has got its end. */
static struct workload *
make(struct loop *loop, struct ask *ask, const struct workload *old)
{
    const struct gantry_spec *spec = ask->spec;
    const char *program = find_program(loop, spec->image);
    const struct workload *holder = find_name(loop, spec->name);
    bool own = holder && same_owner(holder, spec->labels, spec->label_count, spec->label_stride);
    if (holder && !own)
        ask_end(loop, ask, GANTRY_E_CONFLICT, "another workload has the name '%s': rename one",
                spec->name);
    else if (holder && !old)
        ask_end(loop, ask, GANTRY_E_UNAVAILABLE, "workload '%s' is there already", spec->name);
    else if (!program)
        ask_end(loop, ask, GANTRY_E_IMAGE_MISSING,
                "image '%s' is not among the programs: name it there", spec->image);
    else if (access(program, X_OK) != 0)
        ask_end(loop, ask, GANTRY_E_INVALID, "program '%s' cannot be run: make it executable",
                program);
    else if (spec->file_count > 0)
        ask_end(loop, ask, GANTRY_E_UNSUPPORTED, "files cannot be given to a bare program");
    else {
        struct workload *made = run_new(spec, program);
        char handle[64];
        snprintf(handle, sizeof handle, "a%llx-%u", (unsigned long long)loop->born_ms,
                 ++loop->made);
        if (made && (made->handle = strdup(handle)) &&
            (!old || name_beside(loop, made, spec->name))) {
            made->next = loop->workloads;
            loop->workloads = made;
            return made;
        }
        run_free(made);
        ask_end(loop, ask, GANTRY_E_NOMEM, "out of memory");
    }
    return NULL;
}

static void
start_made(struct loop *loop, struct ask *ask, struct workload *made)
{
    int problem = run_spawn(loop, made);
    if (problem == 0) {
        work_changed(loop, made);
        end_with_status(loop, ask, made);
        return;
    }
    if (ask->old_ran && run_spawn(loop, find(loop, ask->ref->handle)) == 0)
        work_changed(loop, find(loop, ask->ref->handle));
    ask_end(loop, ask, GANTRY_E_INVALID, "program '%s' cannot be started: error %d", made->program,
            problem);
    drop(loop, made);
}

static void
start_again(struct loop *loop, struct ask *ask, struct workload *old)
{
    if (old->pid && old->told) { /* by a stop() that was cancelled: its end comes */
        park(ask, old);
        return;
    }
    int problem = old->pid ? 0 : run_spawn(loop, old);
    if (problem != 0) {
        ask_end(loop, ask, GANTRY_E_INVALID, "program '%s' cannot be started: error %d",
                old->program, problem);
        return;
    }
    work_changed(loop, old);
    end_with_status(loop, ask, old);
}

static void
begin_start(struct loop *loop, struct ask *ask)
{
    struct workload *old = ask->ref ? find(loop, ask->ref->handle) : NULL;
    if (ask->ref && !old) {
        ask_end(loop, ask, GANTRY_E_NOT_FOUND, "there is no workload '%s'", ask->ref->handle);
        return;
    }
    if (!ask->spec) {
        start_again(loop, ask, old);
        return;
    }
    struct workload *made = make(loop, ask, old);
    if (!made)
        return;
    if (!old || !old->pid) {
        start_made(loop, ask, made);
        return;
    }
    ask->made = made;
    ask->old_ran = !old->told;
    run_stop(old, old->grace_ms);
    park(ask, old);
}

/* ---- the others ----------------------------------------------------------------------------------- */

static void
begin_stop(struct loop *loop, struct ask *ask)
{
    struct workload *workload = find(loop, ask->ref->handle);
    if (!workload || !workload->pid) {
        ask_end(loop, ask, 0, "%s", "");
        return;
    }
    run_stop(workload, ask->grace_ms);
    park(ask, workload);
}

/* NAME-new-XXXX takes NAME, when that is free. */
static bool
inherit(struct loop *loop, struct workload *heir)
{
    size_t tail = sizeof "-new-XXXX" - 1, size = strlen(heir->name);
    if (size <= tail || strncmp(heir->name + size - tail, "-new-", 5) != 0)
        return false;
    char *name = strndup(heir->name, size - tail);
    if (!name || find_name(loop, name)) {
        free(name);
        return false;
    }
    free(heir->name);
    heir->name = name;
    work_changed(loop, heir);
    return true;
}

/* Remove one that does not run. */
static void
remove_it(struct loop *loop, struct workload *gone)
{
    struct workload **at = &loop->workloads;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    work_changed(loop, gone);
    struct workload *heir = loop->workloads;
    while (heir && !(same_owner(heir, gone->labels, gone->label_count, sizeof gone->labels[0]) &&
                     inherit(loop, heir)))
        heir = heir->next;
    run_free(gone);
}

static void
begin_remove(struct loop *loop, struct ask *ask)
{
    struct workload *workload = find(loop, ask->ref->handle);
    if (workload && workload->pid) {
        run_stop(workload, 0);
        park(ask, workload);
        return;
    }
    if (workload)
        remove_it(loop, workload);
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

static void
begin_logs(struct loop *loop, struct ask *ask)
{
    const struct workload *workload = find(loop, ask->ref->handle);
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

static void
begin_inspect(struct loop *loop, struct ask *ask)
{
    const struct workload *workload = find(loop, ask->ref->handle);
    if (workload)
        end_with_status(loop, ask, workload);
    else
        ask_end(loop, ask, GANTRY_E_NOT_FOUND, "there is no workload '%s'", ask->ref->handle);
}

static void
begin_list(struct loop *loop, struct ask *ask)
{
    int rc = 0;
    for (const struct workload *workload = loop->workloads; workload && rc == 0;
         workload = workload->next)
        if (bears(workload, ask->labels, ask->label_count, ask->label_stride))
            rc = answer_status(loop, ask, workload);
    ask_end(loop, ask, rc, "%s", rc ? "out of memory" : "");
}

/* ---- watching ------------------------------------------------------------------------------------- */

static void
end_watch(struct loop *loop, struct ask *ask, int code, const char *text)
{
    struct ask **at = &loop->watchers;
    while (*at != ask)
        at = &(*at)->next_parked;
    *at = ask->next_parked;
    ask_end(loop, ask, code, "%s", text);
}

static void
begin_watch(struct loop *loop, struct ask *ask)
{
    const struct gantry_event synced = {.size = sizeof synced, .kind = GANTRY_EVENT_SYNCED};
    ask->next_parked = loop->watchers;
    loop->watchers = ask;
    if (ask_answer_event(loop, ask, &synced) < 0)
        end_watch(loop, ask, GANTRY_E_NOMEM, "out of memory");
}

void
work_changed(struct loop *loop, const struct workload *workload)
{
    const struct gantry_event changed = {.size = sizeof changed,
                                         .kind = GANTRY_EVENT_CHANGED,
                                         .handle = workload->handle,
                                         .id = workload->id};
    for (struct ask *ask = loop->watchers, *next; ask; ask = next) {
        next = ask->next_parked;
        if (bears(workload, ask->labels, ask->label_count, ask->label_stride) &&
            ask_answer_event(loop, ask, &changed) < 0)
            end_watch(loop, ask, GANTRY_E_NOMEM, "out of memory");
    }
}

/* ---- questions come, are withdrawn, and go on when a process has ended ------------------------------ */

static void
begin_close(struct loop *loop)
{
    loop->closing = true;
    for (struct workload *workload = loop->workloads, *next; workload; workload = next) {
        next = workload->next;
        if (workload->pid)
            run_stop(workload, 0);
        else
            drop(loop, workload);
    }
}

void
work_begin(struct loop *loop, struct ask *ask)
{
    switch (ask->kind) {
    case ASK_START:
        begin_start(loop, ask);
        break;
    case ASK_STOP:
        begin_stop(loop, ask);
        break;
    case ASK_REMOVE:
        begin_remove(loop, ask);
        break;
    case ASK_LOGS:
        begin_logs(loop, ask);
        break;
    case ASK_INSPECT:
        begin_inspect(loop, ask);
        break;
    case ASK_LIST:
        begin_list(loop, ask);
        break;
    case ASK_WATCH:
        begin_watch(loop, ask);
        break;
    case ASK_CLOSE:
        begin_close(loop);
        break;
    }
}

void
work_withdraw(struct loop *loop, struct ask *ask)
{
    if (ask->made) /* the old one has been touched: this goes on to its end */
        return;
    if (ask->waits_for)
        unpark(ask);
    if (ask->kind == ASK_WATCH && ask->withdrawn)
        for (const struct ask *watcher = loop->watchers; watcher; watcher = watcher->next_parked)
            if (watcher == ask) {
                end_watch(loop, ask, GANTRY_E_CANCELLED, "the watch was cancelled");
                return;
            }
    ask_end(loop, ask, GANTRY_E_CANCELLED, "the call was to end before '%s' was done",
            ask->ref ? ask->ref->handle : "it");
}

void
work_exited(struct loop *loop, struct workload *workload)
{
    bool gone = false;
    work_changed(loop, workload);
    for (struct ask *ask = workload->parked, *next; ask; ask = next) {
        next = ask->next_parked;
        unpark(ask);
        if (ask->made)
            start_made(loop, ask, ask->made);
        else if (ask->kind == ASK_START)
            start_again(loop, ask, workload);
        else {
            gone = gone || ask->kind == ASK_REMOVE;
            ask_end(loop, ask, 0, "%s", "");
        }
    }
    if (loop->closing)
        drop(loop, workload);
    else if (gone && !workload->pid)
        remove_it(loop, workload);
}
