/* work.c - what the thread does with a question. */
#include "async.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct workload *
work_find(const struct loop *loop, const char *handle)
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
        tell_changed(loop, made);
        tell_end(loop, ask, made);
        return;
    }
    if (ask->old_ran && run_spawn(loop, work_find(loop, ask->ref->handle)) == 0)
        tell_changed(loop, work_find(loop, ask->ref->handle));
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
    tell_changed(loop, old);
    tell_end(loop, ask, old);
}

static void
begin_start(struct loop *loop, struct ask *ask)
{
    struct workload *old = ask->ref ? work_find(loop, ask->ref->handle) : NULL;
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
    struct workload *workload = work_find(loop, ask->ref->handle);
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
    tell_changed(loop, heir);
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
    tell_changed(loop, gone);
    struct workload *heir = loop->workloads;
    while (heir && !(same_owner(heir, gone->labels, gone->label_count, sizeof gone->labels[0]) &&
                     inherit(loop, heir)))
        heir = heir->next;
    run_free(gone);
}

static void
begin_remove(struct loop *loop, struct ask *ask)
{
    struct workload *workload = work_find(loop, ask->ref->handle);
    if (workload && workload->pid) {
        run_stop(workload, 0);
        park(ask, workload);
        return;
    }
    if (workload)
        remove_it(loop, workload);
    ask_end(loop, ask, 0, "%s", "");
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
        tell_logs(loop, ask);
        break;
    case ASK_INSPECT:
        tell_inspect(loop, ask);
        break;
    case ASK_LIST:
        tell_list(loop, ask);
        break;
    case ASK_WATCH:
        tell_watch(loop, ask);
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
                tell_no_more(loop, ask, GANTRY_E_CANCELLED, "the watch was cancelled");
                return;
            }
    ask_end(loop, ask, GANTRY_E_CANCELLED, "the call was to end before '%s' was done",
            ask->ref ? ask->ref->handle : "it");
}

void
work_exited(struct loop *loop, struct workload *workload)
{
    bool gone = false;
    tell_changed(loop, workload);
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
