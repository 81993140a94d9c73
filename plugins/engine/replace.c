/* start() with both: a new container takes the place of an old one.
 *
 *     inspect old, name, image, create NAME-new-XXXX      nothing is touched yet: may fail or be cancelled
 *     stop old                                            from here on it is finished, or turned back
 *     start new                                           the old one stays, stopped, until remove()
 *
 * Whoever dies in between leaves two containers with the connector's labels, and a later listing shows
 * them: the host keeps one of them and removes the other. */
#include "engine.h"

#include <string.h>

/* What the two requests after the point of no return need, beside the grace. */
#define TURN_MARGIN_MS 10000

struct turn {
    const char *old_id;
    bool old_ran;
    char new_id[ENGINE_ID_MAX];
};

static void
warn(struct engine_task *task, const char *what)
{
    gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN, "%s", what);
}

/* Back to where it was: the new one gone, the old one running if it ran. */
static void
turn_back(struct engine_task *task, const struct turn *turn, bool old_was_stopped)
{
    struct engine_task undo = engine_task_undo(task);
    if (engine_container_delete(&undo, turn->new_id) < 0)
        warn(task, undo.error);
    if (old_was_stopped && turn->old_ran && engine_container_start(&undo, turn->old_id) < 0)
        warn(task, undo.error);
}

/* Nobody knows whether the new one started: look.  True when it runs. */
static bool
runs_after_all(struct engine_task *task, const struct turn *turn)
{
    struct engine_task own = engine_task_again(task);
    AUTO_CONTAINER container = NULL;
    return engine_inspect(&own, turn->new_id, &container) == 0 &&
           json_bool(container, "State.Running");
}

static int
enough_time(struct engine_task *task, const struct gantry_spec *spec)
{
    int64_t left = gantry_remaining_ms(task->engine->host, task->call);
    if (left >= (int64_t)spec->stop_grace_ms + TURN_MARGIN_MS)
        return 0;
    return engine_fail(
        task, GANTRY_E_TIMEOUT,
        "replace container '%s': too little time is left to stop the old one; it runs on",
        spec->name);
}

static int
turn_over(struct engine_task *task, const struct gantry_spec *spec, const struct turn *turn)
{
    int code = engine_cancelled(task);
    if (code == 0)
        code = enough_time(task, spec);
    if (code < 0) {
        turn_back(task, turn, false);
        return code;
    }
    task->finish_ms = spec->stop_grace_ms + ENGINE_FINISH_MS;
    code = turn->old_ran ? engine_container_stop(task, turn->old_id, spec->stop_grace_ms) : 0;
    if (code ==
        GANTRY_E_NOT_FOUND) /* somebody removed it meanwhile: that is what we were about to do */
        code = 0;
    if (code == 0)
        code = engine_container_start(task, turn->new_id);
    if (code == 0)
        return 0;
    bool unclear = code == GANTRY_E_TIMEOUT || code == GANTRY_E_UNAVAILABLE;
    if (unclear && runs_after_all(task, turn))
        return 0;
    turn_back(task, turn, true);
    return code == GANTRY_E_NOT_FOUND ? GANTRY_E_CONFLICT : code;
}

int
engine_replace(struct engine_task *task, const struct gantry_ref *existing,
               const struct gantry_spec *spec, bool once)
{
    AUTO_CONTAINER old = NULL;
    struct turn turn = {0};
    int code = engine_inspect(task, existing->handle, &old);
    if (code == 0)
        code = engine_name_check(task, spec, false);
    if (code == 0)
        code = engine_image_ensure(task, spec);
    if (code == 0)
        code = engine_cancelled(task);
    if (code == 0)
        code = engine_create(task, spec, true, once, turn.new_id);
    if (code < 0)
        return code;
    turn.old_id = json_text(old, "Id");
    /* Running is also true while it is paused, or waits to be restarted. */
    turn.old_ran = json_bool(old, "State.Running");
    code = turn_over(task, spec, &turn);
    return code < 0 ? code : engine_emit_id(task, turn.new_id);
}
