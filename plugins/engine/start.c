/* start() in its forms but the replacement, and stop().  See engine.h. */
#include "engine.h"

#include <string.h>

/* ---- whose name is it
 * ----------------------------------------------------------------------------- */

static bool
has_label_of(const cJSON *container, const struct gantry_spec *spec, const char *key)
{
    const char *theirs = engine_label_of(container, key);
    const char *ours = gantry_find_label(spec->labels, spec->label_count, spec->label_stride, key);
    return theirs && ours && strcmp(theirs, ours) == 0;
}

/* Two platforms may list the same id; what has no such label (XTM Composer's) is of the only one. */
static bool
is_of_other_platform(const cJSON *container, const struct gantry_spec *spec)
{
    return engine_label_of(container, GANTRY_LABEL_NAMED) &&
           !has_label_of(container, spec, GANTRY_LABEL_NAMED);
}

/* The container of this name, as engine_inspect() gives it. */
static int
find_by_name(struct engine_task *task, const char *name, cJSON **out)
{
    if (!task->engine->proxy)
        return engine_inspect(task, name, out);
    /* A proxy's rules are about ids: it may deny a name. */
    char id[ENGINE_ID_MAX];
    int code = engine_container_named(task, name, id);
    return code < 0 ? code : engine_inspect(task, id, out);
}

static bool
is_leaving(const cJSON *container)
{
    const char *state = json_text(container, "State.Status");
    return state && (strcmp(state, "removing") == 0 || strcmp(state, "dead") == 0);
}

int
engine_name_check(struct engine_task *task, const struct gantry_spec *spec, bool must_be_free)
{
    AUTO_CONTAINER holder = NULL;
    int code = find_by_name(task, spec->name, &holder);
    if (code == GANTRY_E_NOT_FOUND)
        return 0;
    if (code < 0)
        return code;
    /* The engine also takes the beginning of an id for a name. */
    if (strcmp(engine_name_of(holder), spec->name) != 0)
        return 0;
    if (!has_label_of(holder, spec, GANTRY_LABEL_MANAGER) ||
        !has_label_of(holder, spec, GANTRY_LABEL_CONNECTOR) || is_of_other_platform(holder, spec))
        return engine_fail(task, GANTRY_E_CONFLICT,
                           "container name '%s' is held by container %.12s, which is not this "
                           "connector's; rename or remove it",
                           spec->name, json_text(holder, "Id"));
    /* An engine may be stuck in removing one for ever: the other form of the name is free. */
    if (must_be_free && is_leaving(holder))
        return engine_fail(task, GANTRY_E_CONFLICT,
                           "container name '%s' is held by container %.12s, which is being removed",
                           spec->name, json_text(holder, "Id"));
    if (must_be_free)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "container name '%s' is held by container %.12s (%s), which is this "
                           "connector's already; none is made beside it",
                           spec->name, json_text(holder, "Id"), json_text(holder, "State.Status"));
    return 0;
}

/* ---- spec alone
 * ----------------------------------------------------------------------------------- */

#define MAKING_LOOK_MS 200
#define MAKING_LOOKS   50 /* an engine that is busy takes seconds to make a container */

/* The name was free when we looked, and was not when we took it: somebody was faster, or a creation of ours is not
 * over whose answer nobody heard.  Whose it is can be seen when it is there. */
static int
who_was_faster(struct engine_task *task, const struct gantry_spec *spec)
{
    for (int i = 0; i < MAKING_LOOKS; i++) {
        int code = engine_name_check(task, spec, true);
        if (code == 0)
            code = engine_pause(task, MAKING_LOOK_MS);
        if (code < 0)
            return code;
    }
    return engine_fail(task, GANTRY_E_CONFLICT,
                       "container name '%s' is held by something that the engine does not show; "
                       "rename or remove it",
                       spec->name);
}

static int
start_new(struct engine_task *task, const struct gantry_spec *spec, bool once)
{
    char id[ENGINE_ID_MAX];
    int code = engine_name_check(task, spec, true);
    if (code == 0)
        code = engine_image_ensure(task, spec);
    if (code == 0)
        code = engine_cancelled(task);
    if (code == 0)
        code = engine_create(task, spec, false, once, id);
    if (code == GANTRY_E_CONFLICT)
        code = who_was_faster(task, spec);
    if (code < 0)
        return code;
    code = engine_container_start(task, id);
    if (code == 0) {
        task->finish_ms = ENGINE_FINISH_MS; /* it runs: that is told also when the call has ended */
        return engine_emit_id(task, id);
    }
    if (code == GANTRY_E_NOT_FOUND)
        code = engine_fail(task, GANTRY_E_CONFLICT,
                           "start container '%s': somebody removed it at once", spec->name);
    /* A container that cannot start is of no use: with another setting it has to be made anew.  If
     * nobody knows whether it started, this fails too, and the next listing shows it. */
    struct engine_task undo = engine_task_undo(task);
    if (engine_container_delete(&undo, id) < 0)
        gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN, "%s", undo.error);
    return code;
}

/* ---- existing alone
 * ------------------------------------------------------------------------------- */

/* The engine's restarting is taken away by ONCE, and given back by the next start without it. */
static int
set_restart(struct engine_task *task, const cJSON *container, bool once)
{
    const char *now = json_text(container, "HostConfig.RestartPolicy.Name");
    const char *wanted = once ? "no" : engine_label_of(container, ENGINE_LABEL_RESTART);
    if (!now || !now[0])
        now = "no";
    if (!wanted || strcmp(now, wanted) == 0)
        return 0; /* a container of XTM Composer keeps what it has */
    if (task->engine->dialect) {
        gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN,
                   "container '%s': the engine cannot change its restart policy '%s', and restarts "
                   "it without a pause; without 'restart' Gantry does that",
                   engine_name_of(container), now);
        return 0;
    }
    return engine_container_restart_policy(task, json_text(container, "Id"), wanted);
}

/* The rest of a replacement that was broken off: it still waits for its name. */
static void
take_name(struct engine_task *task, const cJSON *container)
{
    const char *wanted = engine_label_of(container, ENGINE_LABEL_NAME);
    if (!wanted || !engine_name_has_form(engine_name_of(container), wanted, ENGINE_NAME_NEW))
        return;
    /* The old one may still have it: then remove() will do this. */
    struct engine_task own = engine_task_again(task);
    (void)engine_container_rename(&own, json_text(container, "Id"), wanted);
}

/* Made by a call that was cut off before its files were there. */
static bool
is_half_made(const cJSON *container)
{
    const char *wanted = engine_label_of(container, ENGINE_LABEL_NAME);
    return wanted && engine_name_has_form(engine_name_of(container), wanted, ENGINE_NAME_PART);
}

static int
start_existing(struct engine_task *task, const struct gantry_ref *existing, bool once)
{
    AUTO_CONTAINER container = NULL;
    int code = engine_inspect(task, existing->handle, &container);
    if (code < 0)
        return code;
    const char *id = json_text(container, "Id");
    if (is_half_made(container)) {
        code = engine_container_delete(task, id);
        return code < 0
                   ? code
                   : engine_fail(task, GANTRY_E_NOT_FOUND,
                                 "container '%s' was never finished, so it was removed; make it "
                                 "anew",
                                 engine_name_of(container));
    }
    code = set_restart(task, container, once);
    if (code < 0)
        return code;
    take_name(task, container);
    if (json_bool(container, "State.Paused"))
        code = engine_container_unpause(task, id);
    else
        code = engine_container_start(task, id);
    return code < 0 ? code : engine_emit_id(task, id);
}

int
engine_op_start(struct engine_task *task, const struct gantry_ref *existing,
                const struct gantry_spec *spec, uint32_t flags)
{
    bool once = flags & GANTRY_START_ONCE;
    if (existing && spec)
        return engine_replace(task, existing, spec, once);
    if (spec)
        return start_new(task, spec, once);
    if (existing)
        return start_existing(task, existing, once);
    return engine_fail(task, GANTRY_E_INVALID, "start: neither a workload nor a spec was given");
}

/* ---- stop
 * ----------------------------------------------------------------------------------------- */

int
engine_op_stop(struct engine_task *task, const struct gantry_ref *ref, uint32_t grace_ms)
{
    AUTO_CONTAINER container = NULL;
    int code = engine_inspect(task, ref->handle, &container);
    if (code < 0)
        return code == GANTRY_E_NOT_FOUND ? 0 : code;
    /* "always" means: also when somebody stopped it, at the engine's next start. */
    const char *policy = json_text(container, "HostConfig.RestartPolicy.Name");
    if (policy && strcmp(policy, "always") == 0 && !task->engine->dialect)
        code = engine_container_restart_policy(task, ref->handle, "unless-stopped");
    if (code == 0)
        code = engine_container_stop(task, ref->handle, grace_ms);
    return code == GANTRY_E_NOT_FOUND ? 0 : code;
}
