/* client.h: each operation's document, its answer, and its errors. */
#include "platform_test.h"

#include <gantry/client.h>

#include <pthread.h>

struct tool {
    struct fake *fake;
    struct gantry_client *client;
    struct gantry_error *err;
    char *json;
};

static void
tool_new(struct tool *t)
{
    *t = (struct tool){.fake = fake_start()};
    char url[128];
    (void)snprintf(url, sizeof url, "%s/base//", t->fake->server->url);
    struct gantry_client_options o = {.size = sizeof o, .url = url, .token = TOKEN, .proxy = ""};
    assert_int_equal(0, gantry_client_new(&o, &t->client, NULL));
}

static void
tool_next(struct tool *t)
{
    gantry_text_free(t->json);
    err_clear(&t->err);
    t->json = NULL;
}

static void
tool_free(struct tool *t)
{
    tool_next(t);
    gantry_client_free(t->client);
    fake_check(t->fake);
    fake_stop(t->fake);
}

static void
queries_give_the_value_of_their_field(void **state)
{
    (void)state;
    struct tool t;
    tool_new(&t);
    EXPECT(t.fake, .body = "{\"data\":{\"about\":{\"version\":\"7.260306.1\"}}}");
    assert_int_equal(0, gantry_client_version(t.client, &t.json, &t.err));
    assert_string_equal("7.260306.1", t.json);
    golden("version.json", t.fake->bodies[0]);
    assert_contains(t.fake->head, "POST /base/graphql ");
    assert_null(gantry_client_problem(t.client));
    tool_next(&t);
    EXPECT(t.fake,
           .body = "{\"data\":{\"catalogs\":[{\"id\":\"c\",\"contracts\":[\"{}\",null]}]}}");
    assert_int_equal(0, gantry_client_catalogs(t.client, &t.json, &t.err));
    assert_string_equal("[{\"id\":\"c\",\"contracts\":[\"{}\",null]}]", t.json);
    golden("catalogs.json", t.fake->bodies[1]);
    tool_next(&t);
    EXPECT(t.fake, .body = LISTED("{\"id\":\"one\"}"));
    assert_int_equal(0, gantry_client_connectors(t.client, &t.json, &t.err));
    assert_string_equal("[{\"id\":\"one\"}]", t.json);
    golden("overview.json", t.fake->bodies[2]);
    tool_next(&t);
    EXPECT(t.fake, .body = "{\"data\":{\"connectorManagers\":[{\"id\":\"m\"}]}}");
    assert_int_equal(0, gantry_client_managers(t.client, &t.json, &t.err));
    assert_string_equal("[{\"id\":\"m\"}]", t.json);
    golden("managers.json", t.fake->bodies[3]);
    tool_next(&t);
    EXPECT(t.fake, .body = "{\"data\":{\"connectorManager\":null}}");
    assert_int_equal(GANTRY_E_NOT_FOUND, gantry_client_manager(t.client, "m", &t.json, &t.err));
    assert_string_equal("there is no manager 'm'", err_text(t.err));
    golden("manager.json", t.fake->bodies[4]);
    tool_free(&t);
}

#define INPUT                                                                                      \
    "{\"name\":\"IpInfo\",\"user_id\":\"u\",\"catalog_id\":\"c\",\"manager_contract_image\":"      \
    "\"i\","                                                                                       \
    "\"manager_contract_configuration\":[{\"key\":\"A\",\"value\":\"hunter2\"}]}"

static void
mutations_send_what_they_are_told(void **state)
{
    (void)state;
    struct tool t;
    static const char *const lines[] = {"one", "two"};
    tool_new(&t);
    EXPECT(t.fake, .body = REGISTERED("7.1"));
    EXPECT(t.fake, .body = PINGED("7.1"));
    EXPECT(t.fake, .body = "{\"data\":{\"managedConnectorAdd\":{\"id\":\"n\"}}}");
    EXPECT(t.fake, .body = "{\"data\":{\"updateConnectorRequestedStatus\":{\"id\":\"n\"}}}");
    EXPECT(t.fake, .body = "{\"data\":{\"updateConnectorCurrentStatus\":{\"id\":\"n\"}}}");
    EXPECT(t.fake, .body = "{\"data\":{\"updateConnectorLogs\":\"n\"}}");
    EXPECT(t.fake, .body = "{\"data\":{\"updateConnectorHealth\":\"n\"}}");
    EXPECT(t.fake, .body = "{\"data\":{\"deleteConnector\":\"n\"}}");
    assert_int_equal(0, gantry_client_register(t.client, "m", "Gantry", "PEM", &t.json, &t.err));
    tool_next(&t);
    assert_int_equal(0, gantry_client_ping(t.client, "m", &t.json, &t.err));
    assert_string_equal("{\"id\":\"m\",\"about_version\":\"7.1\"}", t.json);
    tool_next(&t);
    assert_int_equal(0, gantry_client_add(t.client, INPUT, &t.json, &t.err));
    assert_string_equal("{\"id\":\"n\"}", t.json);
    assert_int_equal(0, gantry_client_request_status(t.client, "n", "starting", &t.err));
    assert_int_equal(0, gantry_client_set_status(t.client, "n", "stopped", &t.err));
    assert_int_equal(0, gantry_client_logs(t.client, "n", lines, 2, &t.err));
    assert_int_equal(0, gantry_client_health(t.client, "n", 1, 1769860800000, 1, &t.err));
    assert_int_equal(0, gantry_client_delete(t.client, "n", &t.err));
    golden("client-register.json", t.fake->bodies[0]);
    golden("client-add.json", t.fake->bodies[2]);
    golden("client-request-status.json", t.fake->bodies[3]);
    golden("client-set-status.json", t.fake->bodies[4]);
    golden("client-logs.json", t.fake->bodies[5]);
    golden("client-health.json", t.fake->bodies[6]);
    golden("client-delete.json", t.fake->bodies[7]);
    tool_free(&t);
}

static void
an_error_is_told_with_code_path_and_message(void **state)
{
    (void)state;
    struct tool t;
    tool_new(&t);
    EXPECT(t.fake, .body = "{\"data\":{\"catalogs\":null},\"errors\":[" ERROR_AT(
                       "catalogs", "FORBIDDEN_ACCESS", "You are not allowed") "]}");
    assert_int_equal(GANTRY_E_DENIED, gantry_client_catalogs(t.client, &t.json, &t.err));
    assert_null(t.json);
    assert_contains(err_text(t.err), "capability INGESTION");
    const struct gantry_client_problem *problem = gantry_client_problem(t.client);
    assert_non_null(problem);
    assert_string_equal("FORBIDDEN_ACCESS", problem->code);
    assert_string_equal("catalogs", problem->path);
    assert_string_equal("You are not allowed", problem->message);
    tool_free(&t);
}

static void
fields_that_the_platform_lacks_are_left_out(void **state)
{
    (void)state;
    struct tool t;
    tool_new(&t);
    EXPECT(t.fake, .body = ERRORS(INVALID("title") "," INVALID("manager_health_metrics")));
    EXPECT(t.fake, .body = LISTED());
    assert_int_equal(0, gantry_client_connectors(t.client, &t.json, &t.err));
    assert_null(strstr(t.fake->bodies[1], "title"));
    assert_null(strstr(t.fake->bodies[1], "restart_count"));
    tool_free(&t);
}

static void
an_older_platform_is_told_the_user_under_its_older_name(void **state)
{
    (void)state;
    struct tool t;
    tool_new(&t);
    EXPECT(
        t.fake, "\"user_id\"",
        ERRORS(ERROR("BAD_USER_INPUT",
                     "Variable \\\"$input\\\" got invalid value { key: \\\"hunter2\\\" }; Field "
                     "\\\"user_id\\\" is not defined by type \\\"AddManagedConnectorInput\\\".")));
    EXPECT(t.fake, "\"connector_user_id\":\"u\"",
           "{\"data\":{\"managedConnectorAdd\":{\"id\":\"n\"}}}");
    assert_int_equal(0, gantry_client_add(t.client, INPUT, &t.json, &t.err));
    assert_null(t.err);
    tool_free(&t);
}

static void
what_is_deleted_already_is_deleted(void **state)
{
    (void)state;
    struct tool t;
    tool_new(&t);
    EXPECT(t.fake, .body = ERRORS(ERROR_AT("deleteConnector", "ALREADY_DELETED_ERROR", "gone")));
    EXPECT(t.fake, .body = ERRORS(ERROR_AT("deleteConnector", "FORBIDDEN_ACCESS", "no")));
    assert_int_equal(0, gantry_client_delete(t.client, "n", &t.err));
    assert_null(t.err);
    assert_int_equal(GANTRY_E_DENIED, gantry_client_delete(t.client, "n", &t.err));
    assert_contains(err_text(t.err), "MODULES_MODMANAGE");
    tool_free(&t);
}

static void
any_query_gives_the_whole_answer(void **state)
{
    (void)state;
    struct tool t;
    tool_new(&t);
    EXPECT(t.fake, "\"variables\":{\"n\":1}",
           "{\"data\":{\"me\":null},\"errors\":[" ERROR_AT("me", "AUTH_REQUIRED", "no") "]}");
    EXPECT(t.fake, "{ me { name } }", "{\"data\":{\"me\":{\"name\":\"x\"}}}");
    EXPECT(t.fake, .body = "<html>", .type = "text/html");
    assert_int_equal(0, gantry_client_query(t.client, "query ($n: Int) { me(n: $n) { name } }",
                                            "{\"n\":1}", &t.json, &t.err));
    assert_contains(t.json, "AUTH_REQUIRED");
    assert_string_equal("AUTH_REQUIRED", gantry_client_problem(t.client)->code);
    tool_next(&t);
    assert_int_equal(0, gantry_client_query(t.client, "{ me { name } }", NULL, &t.json, &t.err));
    assert_string_equal("{\"data\":{\"me\":{\"name\":\"x\"}}}", t.json);
    assert_null(gantry_client_problem(t.client));
    tool_next(&t);
    assert_int_equal(GANTRY_E_UNAVAILABLE,
                     gantry_client_query(t.client, "{ me }", NULL, &t.json, &t.err));
    assert_null(t.json);
    tool_free(&t);
}

static void
bad_arguments_are_refused_before_anybody_is_asked(void **state)
{
    (void)state;
    struct tool t;
    tool_new(&t);
    assert_int_equal(GANTRY_E_INVALID,
                     gantry_client_query(t.client, "{ me", NULL, &t.json, &t.err));
    assert_contains(err_text(t.err), "1");
    assert_int_equal(GANTRY_E_INVALID,
                     gantry_client_query(t.client, "{ me }", "[1]", &t.json, NULL));
    assert_int_equal(GANTRY_E_INVALID,
                     gantry_client_query(t.client, "{ me }", "{} x", &t.json, NULL));
    assert_int_equal(GANTRY_E_INVALID,
                     gantry_client_query(t.client, "subscription { me }", NULL, &t.json, NULL));
    assert_int_equal(GANTRY_E_INVALID, gantry_client_add(t.client, "7", &t.json, NULL));
    assert_int_equal(GANTRY_E_INVALID, gantry_client_set_status(t.client, "n", "starting", NULL));
    assert_int_equal(GANTRY_E_INVALID,
                     gantry_client_request_status(t.client, "n", "started", NULL));
    assert_int_equal(GANTRY_E_INVALID, gantry_client_health(t.client, "n", -1, 0, 0, NULL));
    tool_free(&t);
}

static void
a_client_needs_an_address_and_a_token(void **state)
{
    (void)state;
    struct gantry_client *client = NULL;
    struct gantry_client_options o = {.size = sizeof o, .token = TOKEN};
    assert_int_equal(GANTRY_E_INVALID, gantry_client_new(&o, &client, NULL));
    o.url = "ftp://x";
    assert_int_equal(GANTRY_E_INVALID, gantry_client_new(&o, &client, NULL));
    o.url = "http://x";
    o.token = "a b";
    assert_int_equal(GANTRY_E_INVALID, gantry_client_new(&o, &client, NULL));
    o.token = "";
    assert_int_equal(GANTRY_E_INVALID, gantry_client_new(&o, &client, NULL));
    assert_null(client);
}

static void *
cancel(void *context)
{
    struct tool *t = context;
    while (atomic_load(&t->fake->server->requests) == 0)
        sched_yield();
    gantry_client_cancel(t->client);
    return NULL;
}

static void
a_call_can_be_cancelled_and_the_client_used_again(void **state)
{
    (void)state;
    struct tool t;
    pthread_t thread;
    tool_new(&t);
    EXPECT(t.fake, .hold = true);
    EXPECT(t.fake, .body = PINGED("7.1"));
    assert_int_equal(0, pthread_create(&thread, NULL, cancel, &t));
    assert_int_equal(GANTRY_E_CANCELLED, gantry_client_ping(t.client, "m", &t.json, &t.err));
    assert_int_equal(0, pthread_join(thread, NULL));
    tool_next(&t);
    assert_int_equal(0, gantry_client_ping(t.client, "m", &t.json, &t.err));
    gantry_client_cancel(t.client); /* the next call */
    tool_next(&t);
    assert_int_equal(GANTRY_E_CANCELLED,
                     gantry_client_query(t.client, "{ me }", NULL, &t.json, &t.err));
    gantry_client_free(t.client);
    t.client = NULL;
    fake_stop(t.fake); /* whether the last request came is nobody's affair */
    tool_next(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_give_the_value_of_their_field),
        cmocka_unit_test(mutations_send_what_they_are_told),
        cmocka_unit_test(an_error_is_told_with_code_path_and_message),
        cmocka_unit_test(fields_that_the_platform_lacks_are_left_out),
        cmocka_unit_test(an_older_platform_is_told_the_user_under_its_older_name),
        cmocka_unit_test(what_is_deleted_already_is_deleted),
        cmocka_unit_test(any_query_gives_the_whole_answer),
        cmocka_unit_test(bad_arguments_are_refused_before_anybody_is_asked),
        cmocka_unit_test(a_client_needs_an_address_and_a_token),
        cmocka_unit_test(a_call_can_be_cancelled_and_the_client_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
