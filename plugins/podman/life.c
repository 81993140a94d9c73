/* Stopping a container.  See podman.h.
 *
 * Podman (seen with 4.3) says "not running" (304) of a container that it is about to start again by its restart
 * policy, and starts it; and it refuses to stop a paused one.  So what it says is looked at, and asked again. */
#include "podman.h"

#include <string.h>

#define AGAIN_MS  20
#define SETTLE_MS 300 /* a restart that was begun has come by then */

static int
ask_to_stop(struct engine_task *task, const char *id, int64_t grace_s, struct engine_reply *reply)
{
    AUTO_TEXT path = TEXT(1024);
    char subject[128];
    text_add(&path, "/containers/");
    text_add_url(&path, id);
    text_addf(&path, "/stop?timeout=%lld", (long long)grace_s);
    if (!id[0] || path.failed)
        return engine_fail(task, GANTRY_E_INVALID, "container '%.100s' is no handle of this engine",
                           id);
    snprintf(subject, sizeof subject, strlen(id) == 64 ? "%.12s" : "%.100s", id);
    const struct engine_request request = {
        .method = "POST",
        .path = text_cstr(&path),
        .doing = "stop container",
        .subject = subject,
    };
    return engine_do(task, &request, reply);
}

int
podman_stop(struct engine_task *task, const char *id, int64_t grace_s)
{
    int64_t starts = -1; /* at the last look, when it did not run */
    for (;;) {
        AUTO_REPLY reply = {0};
        int code = ask_to_stop(task, id, grace_s, &reply);
        if (code < 0 && code != GANTRY_E_CONFLICT)
            return code;
        AUTO_CONTAINER container = NULL;
        struct engine_task look = engine_task_again(task);
        int looked = engine_inspect(&look, id, &container);
        if (looked < 0)
            return looked;
        const char *state = json_text(container, "State.Status");
        const char *policy = json_text(container, "HostConfig.RestartPolicy.Name");
        bool restarts = policy && policy[0] && strcmp(policy, "no") != 0;
        int64_t count = json_integer(container, "RestartCount");
        bool goes_on = !state || strcmp(state, "running") == 0 ||
                       strcmp(state, "restarting") == 0 || strcmp(state, "stopping") == 0 ||
                       strcmp(state, "initialized") == 0;
        if (state && strcmp(state, "paused") == 0)
            code = engine_container_unpause(task, id);
        else if (!goes_on && (!restarts || count == starts))
            return code;
        else {
            starts = goes_on ? -1 : count;
            code = engine_pause(task, goes_on ? AGAIN_MS : SETTLE_MS);
        }
        if (code < 0)
            return code;
    }
}
