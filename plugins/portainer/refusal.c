/* What Portainer's own refusals mean.
 *
 * It answers {"message": ..., "details": ...}, and passes on what the engine answers, which has a message alone.  So
 * a 404 with details is of an environment and says nothing of a container (S1), and whatever is 401 is of the key,
 * for an engine has none. */
#include "portainer.h"

#include <string.h>

#define TEXT_MAX 300

static bool
is_down(uint32_t status)
{
    return status == 502 || status == 503 || status == 504;
}

static const char *
nothing_else(const char *text)
{
    return text[0] ? text : "no reason given";
}

int
refusal_classify(const struct engine_reply *reply, bool is_pull, char *message, size_t size)
{
    AUTO_JSON answer = json_parse(&reply->body);
    const char *details = json_text(answer, "details");
    char said[TEXT_MAX], more[TEXT_MAX];
    text_one_line(said, sizeof said,
                  json_text(answer, "message") ? json_text(answer, "message") : "");
    text_one_line(more, sizeof more, details ? details : "");
    if (is_pull && said[0] && !details)
        return 0; /* what a registry refuses, which the newest engines pass on with its status */
    if (reply->status == 401) {
        snprintf(
            message, size,
            "Portainer refuses the API key: %s; correct 'api_key', or make a new key in Portainer",
            nothing_else(said));
        return GANTRY_E_DENIED;
    }
    if (is_down(reply->status) && !json_text(answer, "message")) {
        snprintf(message, size,
                 "Portainer does not reach the environment (HTTP status %u); is its engine or "
                 "agent running? A "
                 "setting of the container that Portainer forbids can look the same",
                 reply->status);
        return GANTRY_E_UNAVAILABLE;
    }
    if (reply->status == 403 || (details && strcasestr(said, "forbidden"))) {
        snprintf(
            message, size,
            "Portainer denies it to the user of 'api_key': %s%s%s; check the user's access there",
            nothing_else(said), more[0] ? ": " : "", more);
        return GANTRY_E_DENIED;
    }
    if (!details)
        return 0; /* the engine's own */
    const char *advice = reply->status == 404  ? "correct 'environment'"
                         : reply->status < 500 ? "see Portainer's log"
                                               : "is the environment's engine or agent running?";
    snprintf(message, size, "Portainer says: %s%s%s; %s", nothing_else(said),
             more[0] && strcmp(more, said) != 0 ? ": " : "", strcmp(more, said) != 0 ? more : "",
             advice);
    return GANTRY_E_UNAVAILABLE;
}

bool
refusal_has_moved(const struct engine_reply *reply)
{
    if (reply->status != 404)
        return false;
    AUTO_JSON answer = json_parse(&reply->body);
    return json_text(answer, "details") != NULL;
}
