/* The answers of the two steps of the poll: what cannot be understood is a problem of that
 * connector alone, and never an absence. */
#include "platform_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "err.h"

#define GOOD(id)                                                                                   \
    "{\"id\":\"" id                                                                                \
    "\",\"name\":\"a\",\"manager_contract_hash\":\"h\",\"manager_contract_image\":\"i\","          \
    "\"manager_requested_status\":\"starting\",\"manager_current_status\":\"started\"}"

static struct platform_listing *
listing_of(const char *items)
{
    struct platform_listing *listing = NULL;
    struct gantry_error *err = NULL;
    cJSON *json = cJSON_Parse(items);
    assert_non_null(json);
    if (opencti_read_listing(json, &listing, &err) < 0)
        fail_msg("%s", err_text(err));
    cJSON_Delete(json);
    return listing;
}

static struct platform_configurations *
configurations_of(const char *items)
{
    struct platform_configurations *configurations = NULL;
    struct gantry_error *err = NULL;
    cJSON *json = cJSON_Parse(items);
    assert_non_null(json);
    if (opencti_read_configurations(json, &configurations, &err) < 0)
        fail_msg("%s", err_text(err));
    cJSON_Delete(json);
    return configurations;
}

static void
a_connector_is_read_whole(void **state)
{
    (void)state;
    struct platform_listing *l = listing_of("[" GOOD("one") "]");
    assert_int_equal(1, l->count);
    assert_true(l->complete);
    assert_null(l->doubt);
    const struct platform_connector *c = &l->connectors[0];
    assert_string_equal("one", c->id);
    assert_string_equal("a", c->name);
    assert_string_equal("i", c->image);
    assert_string_equal("h", c->hash);
    assert_int_equal(PLATFORM_WISH_STARTING, c->wish);
    assert_string_equal("starting", c->wish_text);
    assert_int_equal(PLATFORM_STATUS_STARTED, c->known);
    assert_null(c->problem);
    platform_listing_free(l);
}

static void
an_empty_list_is_a_listing(void **state)
{
    (void)state;
    struct platform_listing *l = listing_of("[]");
    assert_int_equal(0, l->count);
    assert_true(l->complete);
    platform_listing_free(l);
}

static void
what_is_no_list_is_an_error(void **state)
{
    (void)state;
    static const char *const texts[] = {"\"none\"", "{}", "7", "true"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct platform_listing *listing = NULL;
        cJSON *json = cJSON_Parse(texts[i]);
        assert_int_equal(GANTRY_E_UNAVAILABLE, opencti_read_listing(json, &listing, NULL));
        assert_null(listing);
        cJSON_Delete(json);
    }
}

static void
an_element_that_nobody_can_be_named_for_makes_the_listing_doubtful(void **state)
{
    (void)state;
    static const char *const elements[] = {
        "null", "7", "[]", "{}", "{\"id\":null}", "{\"id\":\"\"}", "{\"id\":7}", "{\"id\":\"a b\"}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(elements); i++) {
        AUTO_BUF struct buf text = BUF_INIT(4096);
        buf_add_fmt(&text, "[%s,%s]", elements[i], GOOD("one"));
        struct platform_listing *l = listing_of(buf_text(&text));
        assert_int_equal(1, l->count);
        assert_string_equal("one", l->connectors[0].id);
        assert_null(l->connectors[0].problem);
        assert_false(l->complete);
        assert_non_null(strstr(l->doubt, "element 0"));
        platform_listing_free(l);
    }
}

static void
one_id_twice_is_one_connector_with_a_problem(void **state)
{
    (void)state;
    struct platform_listing *l = listing_of("[" GOOD("one") "," GOOD("two") "," GOOD("one") "]");
    assert_int_equal(2, l->count);
    assert_string_equal("one", l->connectors[0].id);
    assert_non_null(strstr(l->connectors[0].problem, "more than once"));
    assert_null(l->connectors[1].problem);
    assert_false(l->complete);
    assert_non_null(strstr(l->doubt, "'one'"));
    platform_listing_free(l);
}

struct odd {
    const char *members;
    enum platform_wish wish;
    bool problem;
    const char *image, *name;
};

static void
odd_members_are_a_problem_of_their_connector_alone(void **state)
{
    (void)state;
    static const struct odd cases[] = {
        {"\"name\":\"n\",\"manager_contract_image\":\"i\"", PLATFORM_WISH_UNKNOWN, true, "i", "n"},
        {"\"name\":\"n\",\"manager_contract_image\":\"i\",\"manager_contract_hash\":null",
         PLATFORM_WISH_UNKNOWN, true, "i", "n"},
        {"\"name\":\"n\",\"manager_contract_image\":\"i\",\"manager_contract_hash\":7",
         PLATFORM_WISH_UNKNOWN, true, "i", "n"},
        {"\"name\":\"n\",\"manager_contract_image\":null,\"manager_contract_hash\":\"h\"",
         PLATFORM_WISH_UNKNOWN, false, "", "n"},
        {"\"name\":\"n\",\"manager_contract_hash\":\"h\"", PLATFORM_WISH_UNKNOWN, false, "", "n"},
        {"\"name\":\"n\",\"manager_contract_image\":[],\"manager_contract_hash\":\"h\"",
         PLATFORM_WISH_UNKNOWN, true, "", "n"},
        {"\"manager_contract_image\":\"i\",\"manager_contract_hash\":\"h\"", PLATFORM_WISH_UNKNOWN,
         false, "i", "one"},
        {"\"name\":{},\"manager_contract_image\":\"i\",\"manager_contract_hash\":\"h\"",
         PLATFORM_WISH_UNKNOWN, true, "i", "one"},
        {"\"name\":\"n\",\"manager_contract_image\":\"i\",\"manager_contract_hash\":\"h\","
         "\"manager_requested_status\":\"dancing\"",
         PLATFORM_WISH_UNKNOWN, false, "i", "n"},
        {"\"name\":\"n\",\"manager_contract_image\":\"i\",\"manager_contract_hash\":\"h\","
         "\"manager_requested_status\":7",
         PLATFORM_WISH_UNKNOWN, false, "i", "n"},
        {"\"name\":\"n\",\"manager_contract_image\":\"i\",\"manager_contract_hash\":\"h\","
         "\"manager_requested_status\":\"stopped\"",
         PLATFORM_WISH_STOPPING, false, "i", "n"},
        {"\"name\":\"n\",\"manager_contract_image\":\"i\",\"manager_contract_hash\":\"h\","
         "\"manager_requested_status\":\"stopping\"",
         PLATFORM_WISH_STOPPING, false, "i", "n"},
        {"\"name\":\"n" ANSWER_MARK
         "\",\"manager_contract_image\":\"i\",\"manager_contract_hash\":\"h\"",
         PLATFORM_WISH_UNKNOWN, true, "i", "one"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_BUF struct buf text = BUF_INIT(4096);
        buf_add_fmt(&text, "[{\"id\":\"one\",%s},%s]", cases[i].members, GOOD("two"));
        struct platform_listing *l = listing_of(buf_text(&text));
        assert_int_equal(2, l->count);
        assert_true(l->complete);
        const struct platform_connector *c = &l->connectors[0];
        if ((c->problem != NULL) != cases[i].problem || c->wish != cases[i].wish)
            fail_msg("case %zu: %s", i, cases[i].members);
        assert_string_equal(cases[i].image, c->image);
        assert_string_equal(cases[i].name, c->name);
        assert_null(l->connectors[1].problem);
        platform_listing_free(l);
    }
}

static void
a_wish_that_is_none_is_kept_as_it_came(void **state)
{
    (void)state;
    struct platform_listing *l =
        listing_of("[{\"id\":\"a\",\"manager_requested_status\":\"dancing\"},"
                   "{\"id\":\"b\",\"manager_requested_status\":null},{\"id\":\"c\",\"manager_"
                   "requested_status\":3}]");
    assert_string_equal("dancing", l->connectors[0].wish_text);
    assert_null(l->connectors[1].wish_text);
    assert_string_equal("(no text)", l->connectors[2].wish_text);
    platform_listing_free(l);
}

#define CONFIGURED(id, entries)                                                                    \
    "{\"id\":\"" id "\",\"manager_contract_hash\":\"h\",\"manager_contract_image\":\"i\","         \
    "\"manager_contract_configuration\":" entries "}"

static void
entries_are_read_in_their_order_byte_for_byte(void **state)
{
    (void)state;
    struct platform_configurations *c = configurations_of("[" CONFIGURED(
        "one", "[{\"key\":\"B\",\"value\":\"a=b=c\\n\xc3\xa9\"},{\"key\":\"A\",\"value\":\"\"},"
               "{\"key\":\"N\",\"value\":null},{\"key\":\"B\",\"value\":\"again\"}]") "]");
    assert_int_equal(1, c->count);
    assert_int_equal(0, c->unusable_count);
    const struct platform_configuration *one = &c->items[0];
    assert_string_equal("h", one->hash);
    assert_string_equal("i", one->image);
    assert_int_equal(4, one->entry_count);
    assert_string_equal("B", one->entries[0].key);
    assert_string_equal("a=b=c\n\xc3\xa9", one->entries[0].value);
    assert_string_equal("", one->entries[1].value);
    assert_null(one->entries[2].value);
    assert_string_equal("again", one->entries[3].value);
    platform_configurations_free(c);
}

static void
whether_an_entry_is_sealed_is_not_guessed(void **state)
{
    (void)state;
    struct platform_configurations *c = configurations_of("[" CONFIGURED(
        "one", "[{\"key\":\"A\",\"value\":\"x\",\"encrypted\":true},"
               "{\"key\":\"B\",\"value\":\"x\",\"encrypted\":false},"
               "{\"key\":\"C\",\"value\":\"x\",\"encrypted\":null},{\"key\":\"D\",\"value\":\"x\"},"
               "{\"key\":\"E\",\"value\":\"x\",\"encrypted\":\"yes\"}]") "]");
    static const enum platform_sealed expected[] = {PLATFORM_SEALED_YES, PLATFORM_SEALED_NO,
                                                    PLATFORM_SEALED_NO, PLATFORM_SEALED_UNKNOWN,
                                                    PLATFORM_SEALED_UNKNOWN};
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_int_equal(expected[i], c->items[0].entries[i].sealed);
    platform_configurations_free(c);
}

static void
secrets_in_the_clear_are_known_as_such(void **state)
{
    (void)state;
    struct platform_configurations *c = configurations_of(
        "[" CONFIGURED("one", "[{\"key\":\"OPENCTI_TOKEN\",\"value\":\"x\"},"
                              "{\"key\":\"HTTP_PROXY\",\"value\":\"http://user:x@proxy\"},"
                              "{\"key\":\"HTTPS_PROXY\",\"value\":\"http://proxy\"},"
                              "{\"key\":\"A\",\"value\":\"x\"}]") "]");
    const struct platform_entry *e = c->items[0].entries;
    assert_true(e[0].secret);
    assert_true(e[1].secret);
    assert_false(e[2].secret);
    assert_false(e[3].secret);
    platform_configurations_free(c);
}

static void
what_cannot_be_understood_is_unusable_and_not_shorter(void **state)
{
    (void)state;
    static const char *const entries[] = {
        "null",
        "{}",
        "\"\"",
        "[null]",
        "[7]",
        "[{}]",
        "[{\"key\":\"\"}]",
        "[{\"key\":\"A=B\",\"value\":\"x\"}]",
        "[{\"key\":\"A\",\"value\":7}]",
        "[{\"key\":\"A\",\"value\":{}}]",
        "[{\"key\":\"OK\",\"value\":\"x\"},{\"key\":\"A\",\"value\":\"" ANSWER_MARK "\"}]",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(entries); i++) {
        AUTO_BUF struct buf text = BUF_INIT(4096);
        buf_add_fmt(
            &text,
            "[{\"id\":\"one\",\"manager_contract_hash\":\"h\",\"manager_contract_image\":\"i\","
            "\"manager_contract_configuration\":%s},null,%s]",
            entries[i], CONFIGURED("two", "[]"));
        struct platform_configurations *c = configurations_of(buf_text(&text));
        if (c->count != 1 || strcmp(c->items[0].id, "two") != 0 || c->unusable_count != 1)
            fail_msg("case %zu: %s", i, entries[i]);
        assert_string_equal("one", c->unusable[0].id);
        assert_non_null(c->unusable[0].text);
        platform_configurations_free(c);
    }
}

static void
of_two_configurations_of_one_id_neither_is_used(void **state)
{
    (void)state;
    struct platform_configurations *c =
        configurations_of("[" CONFIGURED("one", "[{\"key\":\"A\",\"value\":\"x\"}]") "," CONFIGURED(
            "two", "[]") "," CONFIGURED("one", "[]") "]");
    assert_int_equal(1, c->count);
    assert_string_equal("two", c->items[0].id);
    assert_int_equal(1, c->unusable_count);
    assert_string_equal("one", c->unusable[0].id);
    platform_configurations_free(c);
}

static void
an_unusable_twin_rules_a_configuration_out(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[" CONFIGURED("one", "[]") "," CONFIGURED("one", "null") "]",
        "[" CONFIGURED("one", "null") "," CONFIGURED("one", "[]") "]",
        "[" CONFIGURED("one", "null") "," CONFIGURED("one", "null") "]",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct platform_configurations *c = configurations_of(texts[i]);
        assert_int_equal(0, c->count);
        assert_int_equal(1, c->unusable_count);
        platform_configurations_free(c);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connector_is_read_whole),
        cmocka_unit_test(an_empty_list_is_a_listing),
        cmocka_unit_test(what_is_no_list_is_an_error),
        cmocka_unit_test(an_element_that_nobody_can_be_named_for_makes_the_listing_doubtful),
        cmocka_unit_test(one_id_twice_is_one_connector_with_a_problem),
        cmocka_unit_test(odd_members_are_a_problem_of_their_connector_alone),
        cmocka_unit_test(a_wish_that_is_none_is_kept_as_it_came),
        cmocka_unit_test(entries_are_read_in_their_order_byte_for_byte),
        cmocka_unit_test(whether_an_entry_is_sealed_is_not_guessed),
        cmocka_unit_test(secrets_in_the_clear_are_known_as_such),
        cmocka_unit_test(what_cannot_be_understood_is_unusable_and_not_shorter),
        cmocka_unit_test(of_two_configurations_of_one_id_neither_is_used),
        cmocka_unit_test(an_unusable_twin_rules_a_configuration_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
