/* start() in its three forms, stop() and remove().  See process.h. */
#include "process.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* What the steps after the point of no return need, beside the grace. */
#define TURN_MARGIN_MS 10000

/* ---- names ------------------------------------------------------------------------------------------- */

/* NAME-new-XXXX, which waits for NAME. */
static void
make_new_name(char *target, const char *name)
{
    uint16_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = (uint16_t)getpid();
    snprintf(target, PROCESS_NAME_MAX, "%.63s-new-%04x", name, random);
}

static bool
waits_for_name(const struct workload *workload)
{
    const char *wanted = workload_text(workload, "wanted"), *name = workload_name(workload);
    return wanted && strcmp(wanted, name) != 0;
}

static const char *
spec_label(const struct gantry_spec *spec, const char *key)
{
    return gantry_find_label(spec->labels, spec->label_count, spec->label_stride, key);
}

static bool
same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool
is_of_spec(const struct workload *workload, const struct gantry_spec *spec)
{
    const char *named = workload_label(workload, GANTRY_LABEL_NAMED);
    return same_text(workload_label(workload, GANTRY_LABEL_MANAGER),
                     spec_label(spec, GANTRY_LABEL_MANAGER)) &&
           same_text(workload_label(workload, GANTRY_LABEL_CONNECTOR),
                     spec_label(spec, GANTRY_LABEL_CONNECTOR)) &&
           (!named || same_text(named, spec_label(spec, GANTRY_LABEL_NAMED)));
}

struct name_check {
    const struct gantry_spec *spec;
    bool must_be_free;
};

static int
check_name(struct process_task *task, struct workload *workload, void *context)
{
    const struct name_check *check = context;
    if (strcmp(workload_name(workload), check->spec->name) != 0)
        return 0;
    if (!is_of_spec(workload, check->spec))
        return process_fail(task, GANTRY_E_CONFLICT,
                            "name '%s' is held by workload %s, which is not this connector's",
                            check->spec->name, workload->handle);
    if (!check->must_be_free)
        return 0;
    return process_fail(task, GANTRY_E_UNAVAILABLE,
                        "name '%s' is held by workload %s, which is this connector's already; "
                        "none is made beside it",
                        check->spec->name, workload->handle);
}

/* ---- start --------------------------------------------------------------------------------------------- */

static int
emit_handle(struct process_task *task, const char *handle)
{
    AUTO_WORKLOAD workload = {.folder = -1};
    int code = workload_open(task, handle, &workload);
    return code < 0 ? code : process_emit(task, &workload);
}

static int
make(struct process_task *task, const struct gantry_spec *spec, bool beside, char *handle)
{
    char name[PROCESS_NAME_MAX];
    struct name_check check = {spec, !beside};
    if ((size_t)snprintf(name, sizeof name, "%s", spec->name) >= sizeof name)
        return process_fail(task, GANTRY_E_INVALID, "name '%.40s...' has more than %d bytes",
                            spec->name, PROCESS_NAME_MAX - 1); /* cut, it would be another's */
    if (beside)
        make_new_name(name, spec->name);
    int lock = workload_lock(task);
    if (lock < 0)
        return lock;
    int code = workload_each(task, check_name, &check);
    if (code == 0)
        code = process_cancelled(task);
    if (code == 0)
        code = spec_make(task, spec, name, handle);
    close(lock);
    return code;
}

/* After a failure, whose text stays. */
static void
unmake(const struct process_task *task, const char *handle)
{
    struct process_task own = *task;
    own.finishing = true;
    AUTO_WORKLOAD workload = {.folder = -1};
    int code = workload_open(&own, handle, &workload);
    if (code == 0)
        code = run_stop(&own, &workload, 0);
    if (code == 0)
        run_clear(&workload);
    int lock = code < 0 ? code : workload_lock(&own);
    if (lock >= 0) {
        code = workload_delete(&own, handle);
        close(lock);
    }
    if (code < 0 && code != GANTRY_E_NOT_FOUND)
        gantry_log(task->process->host, task->call, GANTRY_LOG_WARN, "%s", own.error);
}

static int
start_new(struct process_task *task, const struct gantry_spec *spec, bool once)
{
    char handle[PROCESS_HANDLE_MAX];
    int code = make(task, spec, false, handle);
    if (code < 0)
        return code;
    code = run_start(task, handle, once);
    if (code == 0)
        return emit_handle(task, handle);
    unmake(task, handle);
    return code;
}

struct holder {
    const char *name, *handle;
    bool held;
};

static int
find_holder(struct process_task *task, struct workload *workload, void *context)
{
    struct holder *holder = context;
    (void)task;
    holder->held |= strcmp(workload_name(workload), holder->name) == 0 &&
                    strcmp(workload->handle, holder->handle) != 0;
    return 0;
}

/* The rest of a replacement that was broken off: it takes its name if nobody else has it. */
static void
take_name(const struct process_task *task, struct workload *workload)
{
    struct process_task own = *task;
    char wanted[PROCESS_NAME_MAX];
    if (!waits_for_name(workload))
        return;
    snprintf(wanted, sizeof wanted, "%s", workload_text(workload, "wanted"));
    struct holder holder = {wanted, workload->handle, false};
    int lock = workload_lock(&own);
    if (lock < 0)
        return;
    if (workload_each(&own, find_holder, &holder) == 0 && !holder.held)
        (void)workload_rename(&own, workload,
                              wanted); /* else remove() of the other one does this */
    close(lock);
}

static int
start_existing(struct process_task *task, const struct gantry_ref *existing, bool once)
{
    AUTO_WORKLOAD workload = {.folder = -1};
    int code = workload_open(task, existing->handle, &workload);
    if (code < 0)
        return code;
    if (workload.state.state == GANTRY_STATE_UNKNOWN)
        return process_fail(task, GANTRY_E_UNAVAILABLE, "'%s': %s", workload_name(&workload),
                            workload.state.error);
    take_name(task, &workload);
    if (workload.shim_lives)
        code = run_go_on(task, &workload, once);
    if (code == 0 && !workload.shim_lives && !workload.child_lives) {
        run_clear(&workload);
        code = run_start(task, workload.handle, once);
    }
    return code < 0 ? code : emit_handle(task, workload.handle);
}

/* ---- replace --------------------------------------------------------------------------------------------- */

static int
enough_time(struct process_task *task, const struct gantry_spec *spec)
{
    int64_t left = gantry_remaining_ms(task->process->host, task->call);
    if (left >= (int64_t)spec->stop_grace_ms + TURN_MARGIN_MS)
        return 0;
    return process_fail(task, GANTRY_E_TIMEOUT,
                        "replace '%s': too little time is left to stop the old one; it runs on",
                        spec->name);
}

/* The new one is made; from here on it is finished, or turned back. */
static int
turn_over(struct process_task *task, const struct gantry_spec *spec, struct workload *old,
          const char *handle, bool once)
{
    bool old_ran = old->shim_lives || old->child_lives;
    int code = process_cancelled(task);
    if (code == 0)
        code = enough_time(task, spec);
    if (code < 0) {
        unmake(task, handle);
        return code;
    }
    task->finishing = true;
    code = old_ran ? run_stop(task, old, spec->stop_grace_ms) : 0;
    if (code == 0)
        code = run_start(task, handle, once);
    if (code == 0)
        return 0;
    unmake(task, handle);
    struct process_task undo = *task;
    if (old_ran && workload_look(&undo, old) == 0 && !old->shim_lives && !old->child_lives &&
        run_start(&undo, old->handle, false) < 0)
        gantry_log(task->process->host, task->call, GANTRY_LOG_WARN, "%s", undo.error);
    return code;
}

static int
replace(struct process_task *task, const struct gantry_ref *existing,
        const struct gantry_spec *spec, bool once)
{
    char handle[PROCESS_HANDLE_MAX];
    AUTO_WORKLOAD old = {.folder = -1};
    int code = workload_open(task, existing->handle, &old);
    if (code == 0 && old.state.state == GANTRY_STATE_UNKNOWN)
        code = process_fail(task, GANTRY_E_UNAVAILABLE, "'%s': %s", workload_name(&old),
                            old.state.error);
    if (code == 0)
        code = make(task, spec, true, handle);
    if (code == 0)
        code = turn_over(task, spec, &old, handle, once);
    return code < 0 ? code : emit_handle(task, handle);
}

int
process_op_start(struct process_task *task, const struct gantry_ref *existing,
                 const struct gantry_spec *spec, uint32_t flags)
{
    bool once = flags & GANTRY_START_ONCE;
    if (existing && spec)
        return replace(task, existing, spec, once);
    if (spec)
        return start_new(task, spec, once);
    if (existing)
        return start_existing(task, existing, once);
    return process_fail(task, GANTRY_E_INVALID, "start: neither a workload nor a spec was given");
}

/* ---- stop, remove ----------------------------------------------------------------------------------------- */

int
process_op_stop(struct process_task *task, const struct gantry_ref *ref, uint32_t grace_ms)
{
    AUTO_WORKLOAD workload = {.folder = -1};
    int code = workload_open(task, ref->handle, &workload);
    if (code == 0)
        code = run_stop(task, &workload, grace_ms);
    return code == GANTRY_E_NOT_FOUND ? 0 : code;
}

/* Another workload of the one that leaves waits for a name: now it gets it, unless somebody else has it. */
static int
hand_over(struct process_task *task, struct workload *other, void *context)
{
    const struct workload *leaving = context;
    static const char *const keys[] = {GANTRY_LABEL_MANAGER, GANTRY_LABEL_CONNECTOR,
                                       GANTRY_LABEL_NAMED};
    if (strcmp(other->handle, leaving->handle) == 0 || !waits_for_name(other))
        return 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *mine = workload_label(leaving, keys[i]), *its = workload_label(other, keys[i]);
        if ((mine || its) && !same_text(mine, its))
            return 0;
    }
    struct holder holder = {workload_text(other, "wanted"), leaving->handle, false};
    int code = workload_each(task, find_holder, &holder);
    return code < 0 || holder.held ? code : workload_rename(task, other, holder.name);
}

int
process_op_remove(struct process_task *task, const struct gantry_ref *ref)
{
    AUTO_WORKLOAD workload = {.folder = -1};
    int code = workload_open(task, ref->handle, &workload);
    if (code == 0)
        code = run_stop(task, &workload, 0);
    if (code == 0)
        run_clear(&workload);
    int lock = code < 0 ? code : workload_lock(task);
    if (lock < 0)
        return lock == GANTRY_E_NOT_FOUND ? 0 : lock;
    code = workload_each(task, hand_over, &workload);
    if (code == 0)
        code = workload_delete(task, workload.handle);
    close(lock);
    return code;
}
