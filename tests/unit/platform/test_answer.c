/* Answers: what is one, what may be used of it, and what is said of the others. */
#include "platform_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "err.h"

#include <stdio.h>

static int
parse(const char *text, unsigned status, struct answer *out, struct gantry_error **err)
{
    char *copy = text_dup(text);
    assert_non_null(copy);
    int code = answer_parse(copy, strlen(copy), status, "text/html; charset=utf-8", out, err);
    free(copy);
    return code;
}

struct refused {
    const char *text;
    unsigned status;
    int code;
    const char *says;
};

static void
what_is_no_graphql_answer_is_refused_with_a_line_that_helps(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {"", 200, GANTRY_E_UNAVAILABLE, "answers nothing (HTTP 200, text/html)"},
        {"<html>hunter2</html>", 200, GANTRY_E_UNAVAILABLE, "no JSON"},
        {"<html>hunter2</html>", 502, GANTRY_E_UNAVAILABLE,
         "(HTTP 502, text/html); the platform is starting"},
        {"{\"data\":{\"x\":1", 200, GANTRY_E_UNAVAILABLE, "cut short"},
        {"{\"data\":{\"x\":1}} hunter2", 200, GANTRY_E_UNAVAILABLE, "no JSON"},
        {"{\"data\":{\"x\":\"\xff\"}}", 200, GANTRY_E_UNAVAILABLE, "no JSON"},
        {"null", 200, GANTRY_E_UNAVAILABLE, "no GraphQL answer"},
        {"[]", 200, GANTRY_E_UNAVAILABLE, "no GraphQL answer"},
        {"{}", 200, GANTRY_E_UNAVAILABLE, "no GraphQL answer"},
        {"{\"message\":\"hunter2\"}", 429, GANTRY_E_UNAVAILABLE, "asked too often"},
        {"{\"data\":[]}", 200, GANTRY_E_UNAVAILABLE, "no GraphQL answer"},
        {"{\"data\":\"hunter2\"}", 200, GANTRY_E_UNAVAILABLE, "no GraphQL answer"},
        {"no", 401, GANTRY_E_DENIED, "refuses the token"},
        {"no", 403, GANTRY_E_DENIED, "refuses the token"},
        {"moved", 302, GANTRY_E_UNAVAILABLE, "redirects"},
        {"not here", 404, GANTRY_E_UNAVAILABLE, "base path"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_ERR struct gantry_error *err = NULL;
        struct answer a = {0};
        assert_int_equal(cases[i].code, parse(cases[i].text, cases[i].status, &a, &err));
        assert_null(a.root);
        if (!strstr(err_text(err), cases[i].says))
            fail_msg("case %zu: '%s' is not in: %s", i, cases[i].says, err_text(err));
        assert_null(strstr(err_text(err), "hunter2"));
    }
}

static void
a_raw_nul_is_no_json(void **state)
{
    (void)state;
    char text[] = "{\"data\":{\"x\":\"a\0b\"}}";
    struct answer a = {0};
    assert_int_equal(GANTRY_E_UNAVAILABLE,
                     answer_parse(text, sizeof text - 1, 200, NULL, &a, NULL));
}

static void
nesting_without_end_is_refused(void **state)
{
    (void)state;
    size_t len = 200000;
    char *text = malloc(len + 16);
    assert_non_null(text);
    size_t head = (size_t)snprintf(text, 16, "{\"data\":");
    memset(text + head, '[', len);
    struct answer a = {0};
    assert_int_equal(GANTRY_E_UNAVAILABLE, answer_parse(text, head + len, 200, NULL, &a, NULL));
    free(text);
}

struct usable {
    const char *text;
    unsigned status;
    bool usable; /* data.list */
};

static void
a_field_is_used_only_when_nothing_is_wrong_inside(void **state)
{
    (void)state;
    static const struct usable cases[] = {
        {"{\"data\":{\"list\":[]}}", 200, true},
        {"{\"data\":{\"list\":[]},\"errors\":[]}", 200, true},
        {"{\"data\":{\"list\":[]},\"errors\":null}", 200, true},
        {"{\"data\":{\"list\":[]},\"extensions\":{}}", 200, true},
        {"{\"data\":{\"list\":[]},\"errors\":[{\"message\":\"m\",\"path\":[\"other\"]}]}", 200,
         true},
        {"{\"data\":{\"list\":[]},\"errors\":[{\"message\":\"m\",\"path\":[\"list\",0,\"name\"]}]}",
         200, false},
        {"{\"data\":{\"list\":[]},\"errors\":[{\"message\":\"m\"}]}", 200, false},
        {"{\"data\":{\"list\":[]},\"errors\":[null]}", 200, false},
        {"{\"data\":{\"list\":[]},\"errors\":{}}", 200, false},
        {"{\"data\":{\"list\":[]},\"errors\":\"no\"}", 200, false},
        {"{\"data\":{\"list\":[]},\"errors\":[{\"path\":[3]}]}", 200, false},
        {"{\"data\":{\"list\":null}}", 200, false},
        {"{\"data\":{}}", 200, false},
        {"{\"data\":null}", 200, false},
        {"{\"errors\":[{\"message\":\"m\",\"path\":[\"other\"]}]}", 200, false},
        {"{\"data\":{\"list\":[]}}", 500, false},
        {"{\"data\":{\"list\":[]}}", 302, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_ANSWER struct answer a = {0};
        if (parse(cases[i].text, cases[i].status, &a, NULL) < 0)
            fail_msg("case %zu is refused", i);
        if ((answer_field(&a, "list") != NULL) != cases[i].usable)
            fail_msg("case %zu: %s", i, cases[i].text);
    }
}

static void
a_text_that_c_cannot_hold_is_marked_and_not_cut(void **state)
{
    (void)state;
    AUTO_ANSWER struct answer a = {0};
    assert_int_equal(
        0, parse("{\"data\":{\"a\":\"x\\u0000y\",\"b\":\"x\\\\u0000y\",\"c\":\"\\ud83d\\ude00\","
                 "\"d\":\"\\ud83d!\",\"e\":\"\\ude00\\\\\"}}",
                 200, &a, NULL));
    assert_string_equal("x" ANSWER_MARK "y", answer_text(a.data, "a"));
    assert_string_equal("x\\u0000y", answer_text(a.data, "b"));
    assert_string_equal("\xf0\x9f\x98\x80", answer_text(a.data, "c"));
    assert_string_equal(ANSWER_MARK "!", answer_text(a.data, "d"));
    assert_string_equal(ANSWER_MARK "\\", answer_text(a.data, "e"));
}

static void
an_error_is_read_with_code_path_and_message(void **state)
{
    (void)state;
    AUTO_ANSWER struct answer a = {0};
    struct problem p;
    assert_int_equal(
        0, parse("{\"data\":null,\"errors\":[{\"message\":\"no\",\"path\":[\"list\",3,\"name\"],"
                 "\"extensions\":{\"code\":\"LOCK_ERROR\"}},{\"message\":7,\"path\":\"x\"}]}",
                 200, &a, NULL));
    assert_int_equal(2, answer_problem_count(&a));
    answer_problem(&a, 0, &p);
    assert_string_equal("LOCK_ERROR", p.code);
    assert_string_equal("list.3.name", p.path);
    assert_string_equal("no", p.message);
    assert_string_equal("list", p.field);
    answer_problem(&a, 1, &p);
    assert_string_equal("", p.code);
    assert_string_equal("", p.message);
    assert_null(p.field);
}

struct reaction {
    enum operation op;
    const char *code, *message;
    int gives;
    const char *says;
};

static void
each_code_says_what_to_do(void **state)
{
    (void)state;
    static const struct reaction cases[] = {
        {OP_CONNECTORS, "AUTH_REQUIRED", "You must be logged in", GANTRY_E_DENIED,
         "check the token of [platform x]"},
        {OP_CONNECTORS, "FORBIDDEN_ACCESS", "You are not allowed", GANTRY_E_DENIED,
         "the user of the token of [platform x] the capability SETTINGS_SETACCESSES"},
        {OP_PING, "FUNCTIONAL_ERROR", "Cant find element to update", GANTRY_E_NOT_FOUND,
         "updateConnectorManagerStatus: FUNCTIONAL_ERROR"},
        {OP_CONNECTORS, "FUNCTIONAL_ERROR", "Cant find element", GANTRY_E_UNAVAILABLE, "Cant find"},
        {OP_CONNECTORS, "RESOURCE_NOT_FOUND", "gone", GANTRY_E_UNAVAILABLE, "gone"},
        {OP_CONNECTORS, "FUNCTIONAL_ERROR", "auto-upgrade timed out", GANTRY_E_UNAVAILABLE,
         "upgrades"},
        {OP_REGISTER, "UNSUPPORTED_ERROR", "Only one connector manager is supported per instance",
         GANTRY_E_CONFLICT, "set [manager] id"},
        {OP_ADD, "FUNCTIONAL_ERROR", "CONNECTOR_NAME_ALREADY_EXISTS", GANTRY_E_CONFLICT,
         "another name"},
        {OP_ADD, "UNSUPPORTED_ERROR", "Target contract not found", GANTRY_E_NOT_FOUND,
         "without tag"},
        {OP_LOGS, "LOCK_ERROR", "busy", GANTRY_E_UNAVAILABLE, "updateConnectorLogs: LOCK_ERROR"},
        {OP_DELETE, "ALREADY_DELETED_ERROR", "gone", GANTRY_E_NOT_FOUND, "gone"},
        {OP_LOGS, "SOMETHING_NEW", "what", GANTRY_E_UNAVAILABLE, "SOMETHING_NEW"},
        {OP_LOGS, "", "what", GANTRY_E_UNAVAILABLE, "an error without code: what"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_ANSWER struct answer a = {0};
        AUTO_ERR struct gantry_error *err = NULL;
        char text[512];
        (void)snprintf(
            text, sizeof text,
            "{\"data\":null,\"errors\":[{\"message\":\"%s\",\"extensions\":{\"code\":\"%s\"}}]}",
            cases[i].message, cases[i].code);
        assert_int_equal(0, parse(text, 200, &a, NULL));
        assert_int_equal(cases[i].gives,
                         problem_error(cases[i].op, &a, "token of [platform x]", &err));
        if (!strstr(err_text(err), cases[i].says))
            fail_msg("case %zu: '%s' is not in: %s", i, cases[i].says, err_text(err));
    }
}

static void
a_value_that_the_platform_repeats_is_not_shown(void **state)
{
    (void)state;
    AUTO_ANSWER struct answer a = {0};
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(
        0,
        parse("{\"errors\":[{\"message\":\"Variable \\\"$input\\\" got invalid value {key: "
              "\\\"hunter2\\\"} at \\\"input\\\"; Field \\\"user_id\\\" is not defined by type "
              "\\\"AddManagedConnectorInput\\\".\",\"extensions\":{\"code\":\"BAD_USER_INPUT\"}}]}",
              200, &a, NULL));
    assert_int_equal(GANTRY_E_INVALID, problem_error(OP_ADD, &a, "token", &err));
    assert_null(strstr(err_text(err), "hunter2"));
    assert_non_null(strstr(err_text(err), "Field \"user_id\" is not defined by type"));
}

static void
null_without_an_error_is_unavailable(void **state)
{
    (void)state;
    AUTO_ANSWER struct answer a = {0};
    AUTO_ERR struct gantry_error *err = NULL;
    assert_int_equal(0, parse("{\"data\":{\"connectorsForManagers\":null}}", 200, &a, NULL));
    assert_int_equal(GANTRY_E_UNAVAILABLE, problem_error(OP_CONNECTORS, &a, "token", &err));
    assert_non_null(strstr(err_text(err), "null"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_graphql_answer_is_refused_with_a_line_that_helps),
        cmocka_unit_test(a_raw_nul_is_no_json),
        cmocka_unit_test(nesting_without_end_is_refused),
        cmocka_unit_test(a_field_is_used_only_when_nothing_is_wrong_inside),
        cmocka_unit_test(a_text_that_c_cannot_hold_is_marked_and_not_cut),
        cmocka_unit_test(an_error_is_read_with_code_path_and_message),
        cmocka_unit_test(each_code_says_what_to_do),
        cmocka_unit_test(a_value_that_the_platform_repeats_is_not_shown),
        cmocka_unit_test(null_without_an_error_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
