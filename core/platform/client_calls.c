/* client_calls.c - client.h's calls, one an operation, and any query. */
#include "client_internal.h"
#include "err.h"

#include "clock.h"

static void
asked(void *context, const struct exchange_result *result)
{
    struct gantry_client *c = context;
    const char *name = operation_row(result->parts[0].op)->field;
    c->done = true;
    c->code = result->code;
    struct problem problem;
    if (result->answer && answer_field_problem(result->answer, name, &problem))
        client_keep_problem(c, &problem);
    /* null without an error is an answer of its own: there is no such thing */
    const struct answer *a = result->answer;
    c->is_null = result->code < 0 && a && a->data && !a->errors && a->status / 100 == 2 &&
                 cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(a->data, name));
    if (result->code < 0) {
        (void)err_set(&c->error, result->code, "%s", err_text(result->error));
        return;
    }
    c->json = cJSON_PrintUnformatted(answer_field(result->answer, name));
    if (!c->json)
        c->code = err_nomem(&c->error);
}

static bool
is_slow(enum operation op)
{
    return op == OP_OVERVIEW || op == OP_CATALOGS;
}

int
client_ask(struct gantry_client *c, enum operation op, char *value, char **json,
           struct gantry_error **err)
{
    struct exchange_order order = {
        .parts[0] = {.op = op, .value = value},
        .count = 1,
        .timeout_ms = is_slow(op) ? c->list_timeout_ms : c->request_timeout_ms,
    };
    client_begin(c);
    int code = exchange_start(&c->session, &order, asked, c, err);
    if (code == 0)
        code = client_wait(c, err);
    if (code == 0 && json)
        *json = TAKE(c->json);
    return code;
}

/* Ends a call whose argument is wrong; the last call's problem is not this one's. */
static int
bad_argument(struct gantry_client *c, struct gantry_error **err, const char *text)
{
    client_begin(c);
    return err_set(err, GANTRY_E_INVALID, "%s", text);
}

static bool
is_json_object(const char *text)
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithOpts(text, &end, 1);
    bool is = cJSON_IsObject(json) && str_utf8_valid_length(str_of(text)) == strlen(text);
    cJSON_Delete(json);
    return is;
}

/* Whether an answer is GraphQL is looked at; what it says is the caller's affair. */
static void
queried(void *context, struct http_answer *answer)
{
    struct gantry_client *c = context;
    AUTO_ANSWER struct answer a = {0};
    struct problem problem;
    c->done = true;
    c->query = NULL;
    c->code = answer->code;
    if (answer->code < 0) {
        err_move(&c->error, &answer->error);
    } else {
        char *text = str_dup((struct str){answer->body, answer->body_len});
        c->code = text ? answer_parse(answer->body, answer->body_len, answer->status,
                                      answer->content_type, &a, &c->error)
                       : err_nomem(&c->error);
        if (c->code == 0) {
            c->json = TAKE(text);
            if (answer_problem_count(&a) > 0) {
                answer_problem(&a, 0, &problem);
                client_keep_problem(c, &problem);
            }
        }
        free(text);
    }
    http_answer_clear(answer);
}

int
gantry_client_query(struct gantry_client *c, const char *document, const char *variables,
                    char **response, struct gantry_error **err)
{
    AUTO_GQL_DOCUMENT struct gql_document *parsed = NULL;
    client_begin(c);
    int code = gql_parse(str_of(document), NULL, &parsed, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < gql_operation_count(parsed); i++)
        if (gql_operation_kind(parsed, i) == GQL_SUBSCRIPTION)
            return bad_argument(c, err, "a subscription cannot be asked for; use a query");
    if (variables && !is_json_object(variables))
        return bad_argument(c, err, "the variables are no JSON object");
    const struct transport_request request = {
        .document = str_of(document),
        .variables = str_of(variables),
        .timeout_ms = c->list_timeout_ms,
    };
    struct transport *t = c->session.transport;
    code = t->kind->send(t, &request, queried, c, &c->query, err);
    if (code == 0)
        code = client_wait(c, err);
    if (code == 0)
        *response = TAKE(c->json);
    return code;
}

int
gantry_client_version(struct gantry_client *c, char **version, struct gantry_error **err)
{
    AUTO_FREE char *json = NULL;
    int code = client_ask(c, OP_VERSION, NULL, &json, err);
    if (code < 0)
        return code;
    cJSON *about = cJSON_Parse(json);
    const char *text = answer_text(about, "version");
    char *copy = text_dup(text);
    if (text && copy)
        *version = copy;
    else if (text)
        code = err_nomem(err);
    else
        code = err_set(err, GANTRY_E_UNAVAILABLE, "the platform does not tell its version");
    cJSON_Delete(about);
    return code;
}

int
gantry_client_catalogs(struct gantry_client *c, char **json, struct gantry_error **err)
{
    return client_ask(c, OP_CATALOGS, NULL, json, err);
}

int
gantry_client_connectors(struct gantry_client *c, char **json, struct gantry_error **err)
{
    return client_ask(c, OP_OVERVIEW, NULL, json, err);
}

int
gantry_client_register(struct gantry_client *c, const char *id, const char *name,
                       const char *public_key, char **json, struct gantry_error **err)
{
    return client_ask(c, OP_REGISTER, value_manager(id, name, public_key), json, err);
}

int
gantry_client_ping(struct gantry_client *c, const char *id, char **json, struct gantry_error **err)
{
    return client_ask(c, OP_PING, value_id(id), json, err);
}

/* The first releases call the member user_id connector_user_id. */
static char *
with_older_name(const char *input)
{
    cJSON *json = cJSON_Parse(input);
    cJSON *user = cJSON_DetachItemFromObjectCaseSensitive(json, "user_id");
    char *text = NULL;
    if (user && !cJSON_GetObjectItemCaseSensitive(json, "connector_user_id"))
        user = cJSON_AddItemToObject(json, "connector_user_id", user) ? NULL : user;
    if (json)
        text = cJSON_PrintUnformatted(json);
    cJSON_Delete(user);
    cJSON_Delete(json);
    return text;
}

int
gantry_client_add(struct gantry_client *c, const char *input, char **json,
                  struct gantry_error **err)
{
    if (!is_json_object(input))
        return bad_argument(c, err, "what describes the connector is no JSON object");
    AUTO_ERR struct gantry_error *first = NULL;
    int code = client_ask(c, OP_ADD, text_dup(input), json, &first);
    const struct gantry_client_problem *problem = gantry_client_problem(c);
    if (code == GANTRY_E_INVALID && problem &&
        strstr(problem->message, "Field \"user_id\" is not defined"))
        return client_ask(c, OP_ADD, with_older_name(input), json, err);
    if (code < 0)
        err_move(err, &first);
    return code;
}

int
gantry_client_request_status(struct gantry_client *c, const char *id, const char *status,
                             struct gantry_error **err)
{
    if (strcmp(status, "starting") != 0 && strcmp(status, "stopping") != 0)
        return bad_argument(c, err, "a requested status is 'starting' or 'stopping'");
    return client_ask(c, OP_REQUESTED_STATUS, value_status(id, status), NULL, err);
}

int
gantry_client_set_status(struct gantry_client *c, const char *id, const char *status,
                         struct gantry_error **err)
{
    if (strcmp(status, "started") != 0 && strcmp(status, "stopped") != 0)
        return bad_argument(c, err, "a current status is 'started' or 'stopped'");
    return client_ask(c, OP_CURRENT_STATUS, value_status(id, status), NULL, err);
}

int
gantry_client_logs(struct gantry_client *c, const char *id, const char *const *lines,
                   size_t line_count, struct gantry_error **err)
{
    return client_ask(c, OP_LOGS, value_logs(id, lines, line_count), NULL, err);
}

int
gantry_client_health(struct gantry_client *c, const char *id, int32_t restart_count,
                     int64_t started_ms, int in_reboot_loop, struct gantry_error **err)
{
    const struct platform_health health = {restart_count, started_ms, in_reboot_loop != 0};
    if (restart_count < 0)
        return bad_argument(c, err, "a number of restarts is not negative");
    return client_ask(c, OP_HEALTH, value_health(id, &health, clock_wall_ms()), NULL, err);
}

int
gantry_client_delete(struct gantry_client *c, const char *id, struct gantry_error **err)
{
    AUTO_ERR struct gantry_error *failed = NULL;
    int code = client_ask(c, OP_DELETE, values_text(id), NULL, &failed);
    const struct gantry_client_problem *problem = gantry_client_problem(c);
    if (code < 0 && problem && strcmp(problem->code, "ALREADY_DELETED_ERROR") == 0)
        return 0;
    if (code < 0)
        err_move(err, &failed);
    return code;
}

int
gantry_client_managers(struct gantry_client *c, char **json, struct gantry_error **err)
{
    return client_ask(c, OP_MANAGERS, NULL, json, err);
}

int
gantry_client_manager(struct gantry_client *c, const char *id, char **json,
                      struct gantry_error **err)
{
    AUTO_ERR struct gantry_error *failed = NULL;
    int code = client_ask(c, OP_MANAGER, values_text(id), json, &failed);
    if (code < 0 && c->is_null)
        return err_set(err, GANTRY_E_NOT_FOUND, "there is no manager '%s'", id);
    if (code < 0)
        err_move(err, &failed);
    return code;
}
