/* The API version: asked once, min(ours, the engine's), and asked again when the engine changes.
 *
 * A pinned version would be refused sooner or later: engines drop old versions (Docker 29 takes
 * none below 1.44), and an unversioned path means "the newest", whose answers change shape under
 * us. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

/* The minor of "1.41"; -1 for what is not of major version 1. */
static int
minor_of(const char *version)
{
    if (!version || version[0] != '1' || version[1] != '.')
        return -1;
    char *end;
    long minor = strtol(version + 2, &end, 10);
    return *end == '\0' && minor >= 0 && minor < 10000 ? (int)minor : -1;
}

static int
choose(struct engine_task *task, const cJSON *answer, int *minor)
{
    const char *address = task->engine->address;
    const char *newest = json_text(answer, "ApiVersion");
    const char *oldest = json_text(answer, "MinAPIVersion");
    char shown_newest[24], shown_oldest[24];
    if (!newest)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "what answers at '%s' is no container engine: it tells no API version",
                           address);
    text_one_line(shown_newest, sizeof shown_newest, newest);
    text_one_line(shown_oldest, sizeof shown_oldest, oldest ? oldest : "");
    int high = minor_of(newest), low = oldest ? minor_of(oldest) : 0;
    if (high < 0 || low < 0)
        return engine_fail(
            task, GANTRY_E_UNSUPPORTED,
            "the engine at '%s' speaks API %s; only versions 1.%d and newer of API 1 "
            "can be used",
            address, shown_newest, ENGINE_API_MIN);
    if (high < ENGINE_API_MIN)
        return engine_fail(task, GANTRY_E_UNSUPPORTED,
                           "the engine at '%s' speaks API %s, 1.%d is needed; upgrade the engine",
                           address, shown_newest, ENGINE_API_MIN);
    if (low > ENGINE_API_MAX)
        return engine_fail(
            task, GANTRY_E_UNSUPPORTED,
            "the engine at '%s' takes API %s and newer, this plugin speaks up to 1.%d; "
            "upgrade Gantry, or lower 'min-api-version' of the engine",
            address, shown_oldest, ENGINE_API_MAX);
    *minor = high < ENGINE_API_MAX ? high : ENGINE_API_MAX;
    return 0;
}

int
engine_version(struct engine_task *task, int *minor)
{
    *minor = atomic_load(&task->engine->api_minor);
    if (*minor)
        return 0;
    AUTO_REPLY reply = {0};
    const struct engine_request request = {
        .method = "GET",
        .path = "/version",
        .doing = "ask the version of",
        .subject = task->engine->address,
        .unversioned = true,
    };
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON answer = json_parse(&reply.body);
    code = choose(task, answer, minor);
    if (code == 0)
        atomic_store(&task->engine->api_minor, *minor);
    return code;
}

bool
engine_version_refused(const struct engine_reply *reply)
{
    /* "client version 1.11 is too old. Minimum supported ..." as text, "... too new. Maximum ..."
     * as JSON */
    const char *body = text_cstr(&reply->body);
    return reply->status == 400 && strstr(body, "client version") &&
           (strstr(body, "is too old") || strstr(body, "is too new"));
}
