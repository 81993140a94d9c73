/* What the engine's refusals mean.
 *
 * The engine has no machine-readable codes: a status and an English sentence are all there is, and
 * the status alone misleads (500 is often the caller's fault, 404 at start may be a network).  The
 * table is read from the top; the first row that fits decides. */
#include "engine.h"

#include <string.h>

#define ANY_STATUS 0

enum when { ALWAYS, PULLING };

struct meaning {
    uint32_t status;
    enum when when;
    const char *words; /* of the message, in any case; NULL: whatever it says */
    int code;
};

static const struct meaning meanings[] = {
    {ANY_STATUS, ALWAYS, "no space left on device", GANTRY_E_UNAVAILABLE},
    {ANY_STATUS, PULLING, "toomanyrequests", GANTRY_E_UNAVAILABLE},
    {ANY_STATUS, PULLING, "too many requests", GANTRY_E_UNAVAILABLE},
    {ANY_STATUS, PULLING, "unauthorized", GANTRY_E_DENIED},
    {ANY_STATUS, PULLING, "no basic auth credentials", GANTRY_E_DENIED},
    {ANY_STATUS, PULLING, "authentication required", GANTRY_E_DENIED},
    {ANY_STATUS, PULLING, "incorrect username or password", GANTRY_E_DENIED},
    {ANY_STATUS, PULLING, "pull access denied", GANTRY_E_DENIED},
    {ANY_STATUS, PULLING, "access to the resource is denied", GANTRY_E_DENIED},
    {ANY_STATUS, PULLING, "403 forbidden", GANTRY_E_DENIED},
    {ANY_STATUS, PULLING, "manifest unknown", GANTRY_E_IMAGE_MISSING},
    {ANY_STATUS, PULLING, "name unknown", GANTRY_E_IMAGE_MISSING},
    {ANY_STATUS, PULLING, "no matching manifest", GANTRY_E_IMAGE_MISSING},
    {ANY_STATUS, PULLING, "no image found in manifest list", GANTRY_E_IMAGE_MISSING}, /* Podman's */
    {ANY_STATUS, PULLING, "did not resolve to an alias", GANTRY_E_IMAGE_MISSING},     /* likewise */
    {ANY_STATUS, PULLING, "does not match the specified platform", GANTRY_E_IMAGE_MISSING},
    {404, PULLING, NULL, GANTRY_E_IMAGE_MISSING},
    {404, ALWAYS, "no such container", GANTRY_E_NOT_FOUND},
    {404, ALWAYS, "o such image", GANTRY_E_IMAGE_MISSING},
    {404, ALWAYS, "network ", GANTRY_E_INVALID},
    {404, ALWAYS, NULL,
     GANTRY_E_UNAVAILABLE}, /* an unknown route, a proxy: says nothing of a workload */
    {400, ALWAYS, NULL, GANTRY_E_INVALID},
    {401, ALWAYS, NULL, GANTRY_E_DENIED},
    {403, ALWAYS, NULL, GANTRY_E_DENIED},
    {409, ALWAYS, NULL, GANTRY_E_CONFLICT},
    {500, ALWAYS, "port is already allocated", GANTRY_E_CONFLICT},
    {500, ALWAYS, "address already in use", GANTRY_E_CONFLICT},
    {500, ALWAYS, "cannot unmarshal", GANTRY_E_INVALID},
    {500, ALWAYS, "invalid reference format", GANTRY_E_INVALID},
    {500, ALWAYS, "oci runtime create failed", GANTRY_E_INVALID},
    {500, ALWAYS, "invalid --security-opt", GANTRY_E_INVALID},
    {500, ALWAYS, "unable to find user", GANTRY_E_INVALID},
    {500, ALWAYS, "unable to find group", GANTRY_E_INVALID},
    {501, ALWAYS, NULL, GANTRY_E_UNSUPPORTED},
};

int
engine_classify(uint32_t status, const char *message, bool is_pull)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        const struct meaning *row = &meanings[i];
        if ((row->status == ANY_STATUS || row->status == status) &&
            (row->when == ALWAYS || is_pull) && (!row->words || strcasestr(message, row->words)))
            return row->code;
    }
    return GANTRY_E_UNAVAILABLE;
}

void
engine_message(const struct engine_reply *reply, char *text, size_t size)
{
    AUTO_JSON answer = json_parse(&reply->body);
    const char *message = json_text(answer, "message");
    text_one_line(text, size, message ? message : text_cstr(&reply->body));
    if (!text[0])
        snprintf(text, size, "HTTP status %u", reply->status);
}

static const char *
advice(int code, const struct engine_request *request, char *text, size_t size)
{
    if (code == GANTRY_E_DENIED && request->is_pull)
        return engine_registry_advice(request->subject, request->registry_auth != NULL,
                                      request->auth_holder, text, size);
    if (code == GANTRY_E_DENIED)
        return "; check the rights at the engine";
    if (code == GANTRY_E_IMAGE_MISSING)
        return "; correct the image reference, or publish the image";
    if (code == GANTRY_E_INVALID && !request->is_pull)
        return "; correct the image or the settings";
    return "";
}

int
engine_refused(struct engine_task *task, const struct engine_request *request,
               const struct engine_reply *reply)
{
    char message[500], hint[400];
    engine_message(reply, message, sizeof message);
    const struct engine *engine = task->engine;
    int code =
        engine->classify ? engine->classify(reply, request->is_pull, message, sizeof message) : 0;
    if (request->is_pull)
        engine_hear_words(task, message);
    if (code < 0) /* it says what to do, too */
        return engine_fail(task, code, "%s '%s': %s", request->doing, request->subject, message);
    code = engine_classify(reply->status, message, request->is_pull);
    return engine_fail(task, code, "%s '%s': the engine says: %s%s", request->doing,
                       request->subject, message, advice(code, request, hint, sizeof hint));
}
