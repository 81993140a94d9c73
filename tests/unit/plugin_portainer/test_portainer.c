/* Which environment is meant, what Portainer's refusals mean, images, settings, and streams that are held back. */
#include "fake_engine.h"
#include "portainer.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LIST         "GET /api/endpoints?excludeSnapshots=true"
#define VERSION      "{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}"
#define NO_SUCH_PLACE                                                                              \
    "{\"message\":\"Unable to find an environment with the specified identifier inside the "       \
    "database\",\"details\":\"object not found\"}"

/* ---- environments -------------------------------------------------------------------------------------------- */

static const char *const environments =
    "[{\"Id\":2,\"Name\":\"main\",\"Type\":1},{\"Id\":4,\"Name\":\"3\",\"Type\":2},"
    "{\"Id\":5,\"Name\":\"main\",\"Type\":1},{\"Id\":6,\"Name\":\"edge\",\"Type\":4,\"Edge\":{"
    "\"AsyncMode\":false}},"
    "{\"Id\":7,\"Name\":\"async\",\"Type\":4,\"Edge\":{\"AsyncMode\":true}},{\"Id\":8,\"Name\":"
    "\"k8s\",\"Type\":5},"
    "{\"Id\":1e12,\"Name\":\"broken\",\"Type\":1}]";

static void
environment_is_chosen_by_number_or_name(void **state)
{
    static const struct {
        const char *wanted;
        int code, id;
        bool is_agent;
        const char *problem;
    } cases[] = {
        {"2", 0, 2, false, ""},
        {"main", 0, 2, false, ""},
        {"3", 0, 4, true, ""}, /* no such number: a name */
        {"edge", 0, 6, true, ""},
        {"async", GANTRY_E_UNSUPPORTED, 0, false, "asynchronous"},
        {"7", GANTRY_E_UNSUPPORTED, 0, false, "asynchronous"},
        {"k8s", GANTRY_E_UNSUPPORTED, 0, false, "no Docker environment"},
        {"broken", GANTRY_E_UNAVAILABLE, 0, false, "no number"},
        {"Main", GANTRY_E_UNAVAILABLE, 0, false, "main (2), 3 (4), main (5), edge (6)"},
    };
    (void)state;
    AUTO_JSON list = cJSON_Parse(environments);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct environment found = {0};
        char problem[700] = "";
        assert_int_equal(environment_choose(list, cases[i].wanted, &found, problem, sizeof problem),
                         cases[i].code);
        assert_int_equal(found.id, cases[i].id);
        assert_int_equal(found.is_agent, cases[i].is_agent);
        assert_non_null(strstr(problem, cases[i].problem));
    }
}

static void
list_that_is_none_is_no_absence(void **state)
{
    static const char *const answers[] = {"null", "{}", "\"x\""};
    struct environment found;
    char problem[700];
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        AUTO_JSON list = cJSON_Parse(answers[i]);
        assert_int_equal(environment_choose(list, "main", &found, problem, sizeof problem),
                         GANTRY_E_UNAVAILABLE);
    }
    assert_int_equal(environment_choose(NULL, "main", &found, problem, sizeof problem),
                     GANTRY_E_UNAVAILABLE);
}

/* ---- refusals ------------------------------------------------------------------------------------------------ */

static void
refusals_of_portainer_are_told_apart_from_the_engines(void **state)
{
    static const struct {
        uint32_t status;
        const char *body;
        int code; /* 0: the engine's own */
        bool moved;
        const char *words;
    } cases[] = {
        {401, "{\"message\":\"Invalid JWT token\",\"details\":\"x\"}", GANTRY_E_DENIED, false,
         "'api_key'"},
        {401, "", GANTRY_E_DENIED, false, "no reason given"},
        {403,
         "{\"message\":\"Permission denied to access environment\",\"details\":\"Permission "
         "denied\"}",
         GANTRY_E_DENIED, false, "Permission denied to access environment"},
        {403, "{\"message\":\"access denied to resource\"}", GANTRY_E_DENIED, false,
         "access denied to resource"},
        {404, NO_SUCH_PLACE, GANTRY_E_UNAVAILABLE, true, "'environment'"},
        {404, "{\"message\":\"No such container: x\"}", 0, false, "as it was"},
        {404, "<html>", 0, false, "as it was"},
        {409, "{\"message\":\"Conflict\"}", 0, false, "as it was"},
        {500, "{\"message\":\"no basic auth credentials\"}", 0, false, "as it was"},
        {500,
         "{\"message\":\"Unable to proxy the request via the Docker socket\",\"details\":\"dial "
         "unix\"}",
         GANTRY_E_UNAVAILABLE, false, "dial unix"},
        {500,
         "{\"message\":\"forbidden to use container capabilities\",\"details\":\"forbidden to "
         "use\"}",
         GANTRY_E_DENIED, false, "forbidden to use container capabilities"},
        {502, "", GANTRY_E_UNAVAILABLE, false, "does not reach"},
        {503, "<html>", GANTRY_E_UNAVAILABLE, false, "does not reach"},
        {503, "{\"message\":\"This node is not a swarm manager\"}", 0, false, "as it was"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct engine_reply reply = {.status = cases[i].status, .body = TEXT(1000)};
        char message[500] = "as it was";
        text_add(&reply.body, cases[i].body);
        assert_int_equal(refusal_classify(&reply, false, message, sizeof message), cases[i].code);
        assert_int_equal(refusal_has_moved(&reply), cases[i].moved);
        if (!strstr(message, cases[i].words))
            fail_msg("case %zu: '%s' lacks '%s'", i, message, cases[i].words);
        engine_reply_clear(&reply);
    }
}

static void
refusal_of_a_registry_is_none_of_portainers(void **state)
{
    struct engine_reply reply = {.status = 401, .body = TEXT(1000)};
    char message[500] = "as it was";
    (void)state;
    text_add(&reply.body, "{\"message\":\"unauthorized: incorrect username or password\"}");
    assert_int_equal(refusal_classify(&reply, true, message, sizeof message), 0);
    assert_int_equal(refusal_classify(&reply, false, message, sizeof message), GANTRY_E_DENIED);
    engine_reply_clear(&reply);
}

/* ---- through a script ---------------------------------------------------------------------------------------- */

static struct portainer portainer;

static const struct engine_proxy proxy = {
    .place = environment_place,
    .has_moved = refusal_has_moved,
    .image_name = image_name,
    .registry_auth = image_registry_auth,
    .node_header = "X-PortainerAgent-Target",
};

/* The task's engine is a Portainer that answers from the script. */
static struct engine_task *
begin(struct fake_engine *fake, const struct fake_answer *answers, size_t count)
{
    static char wanted[] = "main";
    fake_begin(fake, answers, count);
    memset(&portainer, 0, sizeof portainer);
    portainer.engine.host = fake->engine.host;
    portainer.engine.http = fake->engine.http;
    portainer.engine.address = fake->engine.address;
    portainer.engine.base_url = fake->engine.base_url;
    portainer.engine.classify = refusal_classify;
    portainer.engine.proxy = &proxy;
    portainer.environment = wanted;
    fake->task.engine = &portainer.engine;
    return &fake->task;
}

static void
environment_that_moved_is_looked_up_once_more(void **state)
{
    static const struct fake_answer answers[] = {
        {.request = LIST, .status = 200, .body = "[{\"Id\":2,\"Name\":\"main\",\"Type\":1}]"},
        {.request = "GET /api/endpoints/2/docker/version", .status = 200, .body = VERSION},
        {.request = "GET /api/endpoints/2/docker/v1.41/containers/x/json",
         .status = 404,
         .body = NO_SUCH_PLACE},
        {.request = LIST, .status = 200, .body = "[{\"Id\":5,\"Name\":\"main\",\"Type\":1}]"},
        {.request = "GET /api/endpoints/5/docker/version", .status = 200, .body = VERSION},
        {.request = "GET /api/endpoints/5/docker/v1.41/containers/x/json",
         .status = 404,
         .body = "{\"message\":\"No such container: x\"}"},
        {.request = "GET /api/endpoints/5/docker/v1.41/containers/x/json",
         .status = 404,
         .body = NO_SUCH_PLACE},
        {.request = LIST, .status = 200, .body = "[{\"Id\":2,\"Name\":\"other\",\"Type\":1}]"},
    };
    struct fake_engine fake;
    cJSON *container = NULL;
    (void)state;
    struct engine_task *task = begin(&fake, answers, COUNT(answers));
    assert_int_equal(engine_inspect(task, "x", &container), GANTRY_E_NOT_FOUND);
    assert_int_equal(engine_inspect(task, "x", &container), GANTRY_E_UNAVAILABLE);
    assert_non_null(strstr(task->error, "other (2)"));
    fake_end(&fake);
}

static void
image_whose_path_portainer_has_is_looked_up_in_a_listing(void **state)
{
    static const struct fake_answer answers[] = {
        {.request = LIST, .status = 200, .body = "[{\"Id\":2,\"Name\":\"main\",\"Type\":1}]"},
        {.request = "GET /api/endpoints/2/docker/version", .status = 200, .body = VERSION},
        {.request = "GET "
                    "/api/endpoints/2/docker/v1.41/images/"
                    "json?filters=%7B%22reference%22%3A%5B%22acme%2Fedge%2F"
                    "app%3Alatest%22%5D%7D",
         .status = 200,
         .body = "[{\"Id\":\"sha256:aa\"}]"},
        {.request = "GET "
                    "/api/endpoints/2/docker/v1.41/images/"
                    "json?filters=%7B%22reference%22%3A%5B%22edge%2Fapp%3A1"
                    "%22%5D%7D",
         .status = 200,
         .body = "[]"},
        {.request = "GET "
                    "/api/endpoints/2/docker/v1.41/images/"
                    "json?filters=%7B%22reference%22%3A%5B%22edge%2Fapp%3A1"
                    "%22%5D%7D",
         .status = 200,
         .body = "{}"},
    };
    struct fake_engine fake;
    char name[100];
    (void)state;
    struct engine_task *task = begin(&fake, answers, COUNT(answers));
    assert_int_equal(image_name(task, "acme/edges/app", name, sizeof name), 0);
    assert_string_equal(name, "");
    assert_int_equal(image_name(task, "docker.io/acme/edge/app", name, sizeof name), 0);
    assert_string_equal(name, "sha256:aa");
    assert_int_equal(image_name(task, "edge/app:1", name, sizeof name), GANTRY_E_IMAGE_MISSING);
    assert_int_equal(image_name(task, "edge/app:1", name, sizeof name), GANTRY_E_UNAVAILABLE);
    fake_end(&fake);
}

#define PLACE  "/api/endpoints/2/docker/v1.41"
#define EVENTS "GET " PLACE "/events?since=1000000000.500000000&filters="
#define OWN                                                                                        \
    "%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22top%22%5D%2C%22container%22%3A%"  \
    "5B%22c1%22%5D%7D"
#define INFO                                                                                       \
    {                                                                                              \
        .request = "GET " PLACE "/info", .status = 200,                                            \
        .body = "{\"SystemTime\":\"2001-09-09T01:46:40.5Z\"}"                                      \
    }
#define CONTAINERS(list)                                                                           \
    {                                                                                              \
        .request = "GET " PLACE "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22k%3Dv%22"   \
                   "%5D%7D",                                                                       \
        .status = 200, .body = (list)                                                              \
    }
#define RUNNING "[{\"Id\":\"c0\",\"State\":\"exited\"},{\"Id\":\"c1\",\"State\":\"running\"}]"
#define TOP                                                                                        \
    {                                                                                              \
        .request = "GET " PLACE "/containers/c1/top", .status = 200, .body = "{}"                  \
    }

/* After the three answers by which it gets there. */
static void
proof_of(const struct fake_answer *answers, size_t count, enum engine_proof expected, int code)
{
    struct fake_engine fake;
    static const struct gantry_pair label = {"k", "v"};
    enum engine_proof proof;
    struct engine_task *task = begin(&fake, answers, count);
    atomic_store(&portainer.engine.api_minor, 41);
    atomic_store(&portainer.environment_id, 2);
    assert_int_equal(engine_events_prove(task, &label, 1, sizeof label, "ALL", &proof), code);
    assert_int_equal(proof, expected);
    fake_end(&fake);
}

static void
stream_is_believed_only_when_a_byte_came(void **state)
{
    static const struct fake_answer comes
        [] = {INFO, CONTAINERS(RUNNING), TOP, {.request = EVENTS OWN, .status = 200, .body = "{}"}},
   held[] = {INFO, CONTAINERS(RUNNING), TOP, {.request = EVENTS OWN, .code = GANTRY_E_TIMEOUT}},
   nothing_runs[] = {INFO, CONTAINERS("[]"), {.request = EVENTS "ALL", .code = GANTRY_E_TIMEOUT}},
   first_one[] = {INFO, CONTAINERS("[]"), {.request = EVENTS "ALL", .status = 200, .body = "{"}},
   broken[] = {INFO,
               CONTAINERS(RUNNING),
               TOP,
               {.request = EVENTS OWN, .code = GANTRY_E_UNAVAILABLE}},
   ended[] = {INFO, CONTAINERS("[]"), {.request = EVENTS "ALL", .status = 200, .body = ""}},
   ended_early[] = {
       INFO, CONTAINERS(RUNNING), TOP, {.request = EVENTS OWN, .status = 200, .body = ""}};
    (void)state;
    proof_of(comes, COUNT(comes), ENGINE_PROVEN, 0);
    proof_of(held, COUNT(held), ENGINE_BLIND, 0);
    proof_of(nothing_runs, COUNT(nothing_runs), ENGINE_UNPROVEN, 0);
    proof_of(first_one, COUNT(first_one), ENGINE_PROVEN, 0);
    proof_of(broken, COUNT(broken), ENGINE_UNPROVEN, GANTRY_E_UNAVAILABLE);
    proof_of(ended, COUNT(ended), ENGINE_UNPROVEN, GANTRY_E_UNAVAILABLE);
    proof_of(ended_early, COUNT(ended_early), ENGINE_UNPROVEN, GANTRY_E_UNAVAILABLE);
}

/* ---- registries and settings --------------------------------------------------------------------------------- */

static void
stored_credentials_are_named_by_number(void **state)
{
    static char hub[] = "docker.io=3", own[] = "Registry.example:5000=12";
    static char *items[] = {hub, own};
    static const struct portainer holder = {.registries = items, .registry_count = 2};
    static const struct {
        const char *reference, *header;
    } cases[] = {
        {"registry.example:5000/a/b:1", "eyJyZWdpc3RyeUlkIjoxMn0="}, /* {"registryId":12} */
        {"nginx", "eyJyZWdpc3RyeUlkIjozfQ=="},                       /* {"registryId":3} */
        {"acme/app:1", "eyJyZWdpc3RyeUlkIjozfQ=="},
        {"docker.io/acme/app", "eyJyZWdpc3RyeUlkIjozfQ=="},
        {"registry.example/a", ""},
        {"localhost/a", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_TEXT header = TEXT(200);
        image_registry_auth(&holder.engine, cases[i].reference, &header);
        assert_string_equal(text_cstr(&header), cases[i].header);
    }
}

#define VALUE(k, t)                                                                                \
    {                                                                                              \
        .size = sizeof(struct gantry_value), .given = 1, .key = (k), .text = (t)                   \
    }

static void
settings_that_cannot_be_are_told(void **state)
{
    static const struct {
        const char *url, *key, *environment, *registry, *base_url, *problem;
    } cases[] = {
        {"https://p:9443", "k", "main", "h=1", "https://p:9443", ""},
        {"https://p:9443/", "k", "2", NULL, "https://p:9443", ""},
        {"http://p/sub/api/", "k", "2", NULL, "http://p/sub", ""},
        {"p:9443", "k", "2", NULL, NULL, "url: 'p:9443'"},
        {"https://", "k", "2", NULL, NULL, "url:"},
        {"https://user:secret@p", "k", "2", NULL, NULL, "url: ''"},
        {"https://p", NULL, "2", NULL, NULL, "api_key: it is missing"},
        {"https://p", "secret\nsecret", "2", NULL, NULL, "api_key: it has more than one line"},
        {"https://p", "k", NULL, NULL, NULL, "environment: it is missing"},
        {"https://p", "k", "2", "h", NULL, "registries: 'h'"},
        {"https://p", "k", "2", "=1", NULL, "registries: '=1'"},
        {"https://p", "k", "2", "h=", NULL, "registries: 'h='"},
        {"https://p", "k", "2", "h=1x", NULL, "registries: 'h=1x'"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gantry_value values[] = {VALUE("url", cases[i].url), VALUE("api_key", cases[i].key),
                                        VALUE("environment", cases[i].environment),
                                        VALUE("registries", "")};
        values[3].items = &cases[i].registry;
        values[3].item_count = cases[i].registry != NULL;
        struct gantry_settings settings = {.size = sizeof settings,
                                           .count = COUNT(values),
                                           .stride = sizeof values[0],
                                           .values = values};
        struct portainer read = {0};
        char problem[600] = "";
        int code = connection_read(&settings, &read, problem, sizeof problem);
        assert_int_equal(code, cases[i].base_url ? 0 : GANTRY_E_INVALID);
        if (strncmp(problem, cases[i].problem, strlen(cases[i].problem)) != 0)
            fail_msg("case %zu: '%s'", i, problem);
        assert_null(strstr(problem, "secret"));
        if (cases[i].base_url)
            assert_string_equal(read.engine.base_url, cases[i].base_url);
        connection_clear(&read);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environment_is_chosen_by_number_or_name),
        cmocka_unit_test(list_that_is_none_is_no_absence),
        cmocka_unit_test(refusals_of_portainer_are_told_apart_from_the_engines),
        cmocka_unit_test(refusal_of_a_registry_is_none_of_portainers),
        cmocka_unit_test(environment_that_moved_is_looked_up_once_more),
        cmocka_unit_test(image_whose_path_portainer_has_is_looked_up_in_a_listing),
        cmocka_unit_test(stream_is_believed_only_when_a_byte_came),
        cmocka_unit_test(stored_credentials_are_named_by_number),
        cmocka_unit_test(settings_that_cannot_be_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
