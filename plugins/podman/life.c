/* Stopping a container.  See podman.h.
 *
 * Podman (seen with 4.3) says "not running" (304) of a container that it is about to start again by its restart
 * policy, and starts it; and it refuses to stop a paused one.  So what it says is looked at, and asked again. */
#include "podman.h"

#include <string.h>

#define AGAIN_MS 20

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
    for (;;) {
        AUTO_REPLY reply = {0};
        int code = ask_to_stop(task, id, grace_s, &reply);
        bool was_stopped = code == 0 && reply.status != 304;
        if (was_stopped || (code < 0 && code != GANTRY_E_CONFLICT))
            return code;
        AUTO_CONTAINER container = NULL;
        struct engine_task look = engine_task_again(task);
        int looked = engine_inspect(&look, id, &container);
        const char *state = looked == 0 ? json_text(container, "State.Status") : "";
        bool goes_on = strcmp(state, "running") == 0 || strcmp(state, "restarting") == 0 ||
                       strcmp(state, "stopping") == 0 || strcmp(state, "initialized") == 0;
        if (looked == 0 && strcmp(state, "paused") == 0)
            code = engine_container_unpause(task, id);
        else if (looked < 0 || !goes_on)
            return code == 0 || looked < 0 ? looked : code;
        else
            code = engine_pause(task, AGAIN_MS);
        if (code < 0)
            return code;
    }
}
