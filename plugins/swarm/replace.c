/* start() with both: the service gets a new spec in place, and keeps its id and its name.  See swarm.h.
 *
 *     inspect, look up the image, make secrets      nothing is touched yet: may fail or be cancelled
 *     post the new spec                             the swarm stops the old task, then starts a new one
 *     wait until that runs                          else the old spec is put back
 *
 * Whoever dies in between leaves one service, which the next listing shows: with the old spec or the new. */
#include "secrets.h"
#include "swarm.h"

#include <stdlib.h>
#include <string.h>

#define UPDATE_TRIES    20
#define UPDATE_PAUSE_MS 50
#define START_LIMIT_MS  60000
#define BACK_LIMIT_MS   30000
#define MARGIN_MS       10000
#define FINISH_MS       60000

struct turn {
    const struct gantry_spec *spec; /* split */
    const char *image, *auth;
    const struct swarm_secrets *secrets;
    bool once;
    int64_t before_ns; /* tasks younger than this are of the new spec */
};

static int64_t
grace_of(const cJSON *service)
{
    int64_t ns = json_integer(service, "Spec.TaskTemplate.ContainerSpec.StopGracePeriod");
    return ns > 0 ? ns / 1000000 : 10000; /* the engine's own */
}

static bool
is_same_hash(const cJSON *left, const cJSON *right)
{
    const char *one = swarm_label(left, GANTRY_LABEL_HASH);
    const char *two = swarm_label(right, GANTRY_LABEL_HASH);
    return one && two ? strcmp(one, two) == 0 : one == two;
}

/* The version rises by itself, so a refusal means most of the time: read it again. */
static int
post(struct engine_task *task, const cJSON *old, const struct turn *turn)
{
    for (int i = 0;; i++) {
        AUTO_JSON_SECRET service = NULL;
        AUTO_TEXT json = TEXT_SECRET(64u << 20);
        int code = swarm_service(task, json_text(old, "ID"), &service);
        if (code < 0)
            return code;
        if (!is_same_hash(service, old))
            return engine_fail(task, GANTRY_E_CONFLICT,
                               "service '%s' was changed by somebody else meanwhile",
                               swarm_name(old));
        const struct swarm_body body = {
            .spec = turn->spec,
            .name = swarm_name(service),
            .image = turn->image,
            .secrets = turn->secrets,
            .force_update = json_integer(service, "Spec.TaskTemplate.ForceUpdate") + 1,
            .once = turn->once,
        };
        code = swarm_body(task, &body, &json);
        if (code == 0)
            code = swarm_update(task, service, &json, turn->auth, false);
        if (code != GANTRY_E_CONFLICT || i == UPDATE_TRIES)
            return code;
        swarm_sleep(task, UPDATE_PAUSE_MS, true);
    }
}

/* Nobody knows whether the update was taken: look. */
static bool
was_taken(struct engine_task *task, const cJSON *old)
{
    struct engine_task own = engine_task_again(task);
    AUTO_JSON_SECRET service = NULL;
    return swarm_service(&own, json_text(old, "ID"), &service) == 0 &&
           json_integer(service, "Spec.TaskTemplate.ForceUpdate") >
               json_integer(old, "Spec.TaskTemplate.ForceUpdate") &&
           !is_same_hash(service, old);
}

/* The old spec again.  Its task began anew, so that it runs as it did. */
static void
turn_back(struct engine_task *task, const cJSON *old)
{
    struct engine_task own = engine_task_again(task);
    own.finish_ms = FINISH_MS;
    const char *id = json_text(old, "ID");
    int64_t newest_ns = 0;
    bool known = swarm_newest_ns(&own, id, &newest_ns) == 0;
    int code = GANTRY_E_CONFLICT;
    for (int i = 0; code == GANTRY_E_CONFLICT && i < UPDATE_TRIES; i++) {
        AUTO_JSON_SECRET service = NULL;
        AUTO_TEXT json = TEXT_SECRET(64u << 20);
        code = swarm_service(&own, id, &service);
        if (code < 0)
            break;
        swarm_print(&json, cJSON_GetObjectItemCaseSensitive(service, "Spec"));
        code = swarm_update(&own, service, &json, NULL, true);
        if (code == GANTRY_E_CONFLICT)
            swarm_sleep(&own, UPDATE_PAUSE_MS, false);
    }
    if (code == 0 && known && swarm_replicas(old) > 0)
        code = swarm_await_start(&own, id, swarm_name(old), newest_ns, BACK_LIMIT_MS, false);
    if (code < 0)
        gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN,
                   "service '%s' was not put back as it was: %s", swarm_name(old), own.error);
}

static int
enough_time(struct engine_task *task, const cJSON *old)
{
    int64_t left = gantry_remaining_ms(task->engine->host, task->call);
    if (left >= grace_of(old) + MARGIN_MS)
        return 0;
    return engine_fail(task, GANTRY_E_TIMEOUT,
                       "replace service '%s': too little time is left to stop the old one; it runs "
                       "on",
                       swarm_name(old));
}

static int
turn_over(struct engine_task *task, const cJSON *old, const struct turn *turn)
{
    int code = engine_cancelled(task);
    if (code == 0)
        code = enough_time(task, old);
    if (code < 0)
        return code;
    int64_t left = gantry_remaining_ms(task->engine->host, task->call) - MARGIN_MS / 2;
    int64_t limit = turn->spec->start_timeout_ms ? turn->spec->start_timeout_ms : START_LIMIT_MS;
    limit += grace_of(old);
    task->finish_ms = FINISH_MS;
    code = post(task, old, turn);
    bool unclear = code == GANTRY_E_TIMEOUT || code == GANTRY_E_UNAVAILABLE;
    if (code < 0 && !(unclear && was_taken(task, old)))
        return code;
    code = swarm_await_start(task, json_text(old, "ID"), swarm_name(old), turn->before_ns,
                             limit < left ? limit : left, false);
    if (code < 0)
        turn_back(task, old);
    return code;
}

static int
prepare(struct engine_task *task, const cJSON *old, struct turn *turn,
        struct swarm_secrets *secrets)
{
    AUTO_TEXT image = TEXT(8192);
    AUTO_TEXT auth = TEXT_SECRET(1 << 17);
    int code = swarm_resolve(task, turn->spec, &image);
    if (code == 0)
        code = engine_cancelled(task);
    if (code == 0)
        code = secret_files_make(task, turn->spec, secrets);
    if (code < 0)
        return code;
    swarm_auth(&auth, turn->spec);
    turn->image = text_cstr(&image);
    turn->auth = text_cstr(&auth);
    turn->secrets = secrets;
    /* Not knowing is not "no task": the old one would be taken for the new one that runs. */
    code = swarm_newest_ns(task, json_text(old, "ID"), &turn->before_ns);
    return code < 0 ? code : turn_over(task, old, turn);
}

int
swarm_replace(struct engine_task *task, const struct gantry_ref *existing,
              const struct gantry_spec *spec, bool once)
{
    AUTO_JSON_SECRET old = NULL;
    AUTO_SECRETS split = {0};
    struct swarm_secrets secrets = {0};
    int code = swarm_service(task, existing->handle, &old);
    if (code < 0)
        return code;
    if (strcmp(json_text(old, "ID"), existing->handle) != 0)
        return engine_fail(task, GANTRY_E_NOT_FOUND, "service '%.100s' is not there",
                           existing->handle);
    /* No service can be renamed: it keeps its name, also where the connector has got another. */
    if (strcmp(swarm_name(old), spec->name) != 0)
        code = swarm_check_name(task, spec);
    if (code == 0)
        code = secret_files_split(task, spec, &split);
    if (code < 0)
        return code;
    struct turn turn = {.spec = &split.spec, .once = once};
    code = prepare(task, old, &turn, &secrets);
    if (code < 0)
        secret_files_undo(task, &secrets);
    secret_files_clear(&secrets);
    if (code < 0)
        return code;
    AUTO_JSON_SECRET now = NULL;
    struct engine_task own = engine_task_again(task);
    if (swarm_service(&own, existing->handle, &now) == 0)
        secret_files_sweep(task, now, false);
    return swarm_emit_id(task, existing->handle);
}
