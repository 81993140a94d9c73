/* The embedded documents: each parses, and asks for what its row of the table says. */
#include "platform_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "err.h"

static struct gql_document *
parse(enum operation op)
{
    struct gql_document *document = NULL;
    struct gantry_error *err = NULL;
    if (gql_parse(str_of(operation_row(op)->document), NULL, &document, &err) < 0)
        fail_msg("%s: %s", operation_row(op)->field, err_text(err));
    return document;
}

static void
each_document_has_the_one_field_of_its_row(void **state)
{
    (void)state;
    for (int op = 0; op < OPERATION_COUNT; op++) {
        AUTO_GQL_DOCUMENT struct gql_document *document = parse((enum operation)op);
        struct str field;
        size_t count = 0;
        assert_int_equal(1, gql_operation_count(document));
        assert_int_equal(0, gql_root_fields(document, 0, &field, 1, &count));
        assert_int_equal(1, count);
        assert_true(str_eq(field, str_of(operation_row((enum operation)op)->field)));
    }
}

static void
each_document_has_the_variable_of_its_row(void **state)
{
    (void)state;
    for (int op = 0; op < OPERATION_COUNT; op++) {
        AUTO_GQL_DOCUMENT struct gql_document *document = parse((enum operation)op);
        AUTO_BUF struct buf text = BUF_INIT(4096);
        const char *variable = operation_row((enum operation)op)->variable;
        assert_int_equal(0, gql_print(document, GQL_COMPACT, &text));
        assert_int_equal(variable != NULL, strchr(buf_text(&text), '$') != NULL);
        if (variable) {
            char declared[64];
            (void)snprintf(declared, sizeof declared, "($%s:", variable);
            assert_non_null(strstr(buf_text(&text), declared));
        }
    }
}

static void
each_optional_field_is_asked_for(void **state)
{
    (void)state;
    for (int op = 0; op < OPERATION_COUNT; op++) {
        AUTO_GQL_DOCUMENT struct gql_document *document = parse((enum operation)op);
        struct str rest = str_of(operation_row((enum operation)op)->optional);
        while (rest.len > 0) {
            struct str field = str_cut(rest, ',', &rest);
            assert_true(gql_has_field(document, field));
            assert_true(operation_field_is_optional((enum operation)op, field));
        }
        assert_false(operation_field_is_optional((enum operation)op, STR("id")));
    }
}

/* The real platform refuses a document with an alias, and one that looks like introspection. */
static void
no_document_has_what_the_platform_refuses(void **state)
{
    (void)state;
    for (int op = 0; op < OPERATION_COUNT; op++) {
        AUTO_GQL_DOCUMENT struct gql_document *document = parse((enum operation)op);
        AUTO_BUF struct buf text = BUF_INIT(4096);
        assert_int_equal(0, gql_print(document, GQL_COMPACT, &text));
        const char *fields = strchr(buf_text(&text), '{');
        assert_non_null(fields);
        assert_null(strstr(fields, "__"));
        for (const char *colon = fields; (colon = strchr(colon + 1, ':'));)
            assert_int_equal('$', colon[1]); /* an argument's, not an alias */
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_document_has_the_one_field_of_its_row),
        cmocka_unit_test(each_document_has_the_variable_of_its_row),
        cmocka_unit_test(each_optional_field_is_asked_for),
        cmocka_unit_test(no_document_has_what_the_platform_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
