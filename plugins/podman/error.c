/* What Podman's refusals mean.
 *
 *     {"cause":"no such container","message":"no container with name or ID ...","response":404}
 *
 * The status misleads: a name that is taken, a container in the wrong state and a missing image are all 500.
 * The cause is the one stable word.  An answer without one comes from something else: it is never absence. */
#include "podman.h"

#include <string.h>

static const struct meaning {
    const char *cause;
    int code;
} meanings[] = {
    {"no such container", GANTRY_E_NOT_FOUND},
    {"image not known", GANTRY_E_IMAGE_MISSING},
    {"that name is already in use", GANTRY_E_CONFLICT},
    {"container already exists", GANTRY_E_CONFLICT},
    {"secret name in use", GANTRY_E_CONFLICT},
    {"container state improper", GANTRY_E_CONFLICT},
    {"container is running", GANTRY_E_CONFLICT},
    {"network not found", GANTRY_E_INVALID},
    {"no such network", GANTRY_E_INVALID},
    {"no such volume", GANTRY_E_INVALID},
    {"no such secret", GANTRY_E_INVALID},
    {"no such file or directory", GANTRY_E_INVALID}, /* a folder or profile that the spec names */
    {"invalid argument", GANTRY_E_INVALID},
    {"OCI runtime attempted to invoke a command that was not found", GANTRY_E_INVALID},
    {"OCI permission denied", GANTRY_E_INVALID},
    {"OCI runtime error", GANTRY_E_INVALID},
};

int
podman_classify(const struct engine_reply *reply, bool is_pull, char *message, size_t size)
{
    (void)message;
    (void)size;
    AUTO_JSON answer = json_parse(&reply->body);
    const char *cause = json_text(answer, "cause");
    for (size_t i = 0; cause && i < sizeof meanings / sizeof meanings[0]; i++)
        if (strcmp(cause, meanings[i].cause) == 0)
            return meanings[i].code;
    if (reply->status == 404 && !is_pull)
        return GANTRY_E_UNAVAILABLE;
    return 0;
}
