/* Which of Portainer's environments is meant, and where it is.
 *
 * It is looked up by number or name at each connect: one that is added anew has another number, and what it is
 * decides whether it can be used at all. */
#include "portainer.h"

#include <stdlib.h>
#include <string.h>

/* How Portainer counts kinds of environments. */
enum kind {
    KIND_DOCKER = 1,
    KIND_AGENT,
    KIND_AZURE,
    KIND_EDGE_AGENT,
    KIND_KUBERNETES,
    KIND_KUBERNETES_AGENT,
    KIND_KUBERNETES_EDGE_AGENT
};

static int
check_kind(const cJSON *item, const char *wanted, struct environment *found, char *problem,
           size_t problem_size)
{
    int64_t kind = json_integer(item, "Type");
    if (kind != KIND_DOCKER && kind != KIND_AGENT && kind != KIND_EDGE_AGENT) {
        snprintf(problem, problem_size,
                 "environment '%.100s' is no Docker environment (Portainer's type %lld); name one "
                 "that is in "
                 "'environment'",
                 wanted, (long long)kind);
        return GANTRY_E_UNSUPPORTED;
    }
    /* No tunnel is ever opened to such a one. */
    if (kind == KIND_EDGE_AGENT && json_bool(item, "Edge.AsyncMode")) {
        snprintf(problem, problem_size,
                 "environment '%.100s' is an asynchronous Edge agent, through which Docker cannot "
                 "be reached; use "
                 "a standard one",
                 wanted);
        return GANTRY_E_UNSUPPORTED;
    }
    int64_t id = json_integer(item, "Id");
    if (id <= 0 || id > INT32_MAX) {
        snprintf(problem, problem_size, "environment '%.100s': Portainer tells no number of it",
                 wanted);
        return GANTRY_E_UNAVAILABLE;
    }
    found->id = (int)id;
    found->is_agent = kind != KIND_DOCKER;
    return 0;
}

static int
not_found(const cJSON *list, const char *wanted, char *problem, size_t problem_size)
{
    AUTO_TEXT names = TEXT(300);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const char *name = json_text(item, "Name");
        text_addf(&names, "%s%.60s (%lld)", names.size ? ", " : "", name ? name : "?",
                  (long long)json_integer(item, "Id"));
    }
    char shown[320];
    text_one_line(shown, sizeof shown, names.size ? text_cstr(&names) : "none");
    snprintf(problem, problem_size,
             "Portainer has no environment '%.100s'; the key's user may use: %s%s; correct "
             "'environment'",
             wanted, shown, names.failed ? ", ..." : "");
    /* It may be added again at any time; what runs there is not known until then (S1). */
    return GANTRY_E_UNAVAILABLE;
}

int
environment_choose(const cJSON *list, const char *wanted, struct environment *found, char *problem,
                   size_t problem_size)
{
    char *end;
    long long number = strtoll(wanted, &end, 10);
    const cJSON *item, *match = NULL;
    if (!cJSON_IsArray(list)) {
        snprintf(problem, problem_size,
                 "Portainer's list of environments cannot be read; is 'url' right?");
        return GANTRY_E_UNAVAILABLE;
    }
    cJSON_ArrayForEach(item, list)
    {
        const char *name = json_text(item, "Name");
        /* A name that looks like a number still counts as a name where no such number is. */
        if (*end == '\0' && json_integer(item, "Id") == number) {
            match = item;
            break;
        }
        if (!match && name && strcmp(name, wanted) == 0)
            match = item;
    }
    return match ? check_kind(match, wanted, found, problem, problem_size)
                 : not_found(list, wanted, problem, problem_size);
}

/* Agents of a swarm answer for all its machines; one agent alone, for its own. */
static int
ask_for_nodes(struct engine_task *task, int id)
{
    struct portainer *portainer = (struct portainer *)task->engine;
    char path[80];
    snprintf(path, sizeof path, "/api/endpoints/%d/docker/info", id);
    const struct engine_request request = {.method = "GET",
                                           .path = path,
                                           .doing = "look at the nodes of",
                                           .subject = task->engine->address,
                                           .outside = true};
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON answer = json_parse(&reply.body);
    const char *swarm = json_text(answer, "Swarm.LocalNodeState");
    atomic_store(&portainer->has_nodes, swarm && strcmp(swarm, "active") == 0);
    return 0;
}

static int
look_up(struct engine_task *task, int *id)
{
    struct portainer *portainer = (struct portainer *)task->engine;
    const struct engine_request request = {.method = "GET",
                                           .path = "/api/endpoints?excludeSnapshots=true",
                                           .doing = "find the environment at",
                                           .subject = task->engine->address,
                                           .outside = true};
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    struct environment found = {0};
    char problem[700];
    AUTO_JSON list = json_parse(&reply.body);
    code = environment_choose(list, portainer->environment, &found, problem, sizeof problem);
    if (code < 0)
        return engine_fail(task, code, "%s", problem);
    if (found.is_agent)
        code = ask_for_nodes(task, found.id);
    if (code < 0)
        return code;
    atomic_store(&portainer->environment_id, found.id);
    *id = found.id;
    return 0;
}

int
environment_place(struct engine_task *task, struct text *url)
{
    struct portainer *portainer = (struct portainer *)task->engine;
    int id = atomic_load(&portainer->environment_id);
    if (id == 0 || atomic_load(&task->engine->api_minor) == 0) {
        int code = look_up(task, &id);
        if (code < 0)
            return code;
    }
    text_addf(url, "/api/endpoints/%d/docker", id);
    return 0;
}

int
environment_find(struct engine_task *task)
{
    AUTO_TEXT url = TEXT(100);
    return environment_place(task, &url);
}
