/* A platform of the program's own: what it says is copied, what is wrong with it is told, and what it
 * cannot tell is never taken for nothing. */
#include "platform_test.h"

#include <gantry/platform.h>

enum { DESIRED_MAX = 4 };

/* The program. */
struct program {
    struct gantry_platform platform;
    struct gantry_desired desired[DESIRED_MAX];
    size_t count;
    int returns;           /* of list */
    const char *fail_text; /* gantry_listing_fail(), with fail_code */
    int fail_code;
    bool pass_on; /* what gantry_listing_add() says is what list returns */
    int added;    /* the last code of gantry_listing_add() */
    /* what it was told last */
    int report_returns;
    unsigned reports;
    struct gantry_report report;
    char id[64], line[256];
};

static int
program_list(void *context, struct gantry_listing *listing)
{
    struct program *p = context;
    for (size_t i = 0; i < p->count; i++) {
        p->added = gantry_listing_add(listing, &p->desired[i]);
        if (p->pass_on && p->added < 0)
            return p->added;
    }
    if (p->fail_text)
        (void)gantry_listing_fail(listing, p->fail_code, p->fail_text);
    return p->returns;
}

static int
program_report(void *context, const struct gantry_report *report)
{
    struct program *p = context;
    p->reports++;
    p->report = *report;
    (void)snprintf(p->id, sizeof p->id, "%s", report->id);
    p->line[0] = '\0';
    if (report->log_count > 0)
        (void)snprintf(p->line, sizeof p->line, "%s", report->logs[report->log_count - 1]);
    return p->report_returns;
}

static struct gantry_desired
desired(const char *id)
{
    return (struct gantry_desired){
        .size = sizeof(struct gantry_desired), .run = 1, .id = id, .image = "busybox:1"};
}

static struct side *
program_start(struct program *p)
{
    p->platform = (struct gantry_platform){
        .size = sizeof p->platform,
        .name = "main",
        .context = p,
        .list = program_list,
        .report = program_report,
    };
    return side_make(CONFIG_PLATFORM_CUSTOM, NULL, &p->platform);
}

static void
what_the_program_wants_is_listed(void **state)
{
    (void)state;
    struct program p = {.count = 2};
    p.desired[0] = desired("a");
    p.desired[1] = desired("b");
    p.desired[1].run = 0;
    p.desired[1].name = "Bee";
    p.desired[1].hash = "h1";
    struct side *s = program_start(&p);
    assert_string_equal("custom", platform_label(s->platform));
    assert_string_equal("main", platform_name(s->platform));
    assert_false(platform_is_local(s->platform));
    assert_int_equal(-1, platform_fd(s->platform));
    assert_int_equal(0, side_ping(s));
    assert_int_equal(0, side_list(s));
    assert_true(s->listing->complete);
    assert_int_equal(2, s->listing->count);
    const struct platform_connector *c = s->listing->connectors;
    assert_string_equal("a", c[0].id);
    assert_string_equal("a", c[0].name);
    assert_string_equal("busybox:1", c[0].image);
    assert_int_equal(16, strlen(c[0].hash));
    assert_int_equal(PLATFORM_WISH_STARTING, c[0].wish);
    assert_null(c[0].problem);
    assert_string_equal("Bee", c[1].name);
    assert_string_equal("h1", c[1].hash);
    assert_int_equal(PLATFORM_WISH_STOPPING, c[1].wish);
    side_free(s);
}

static void
an_answer_that_says_the_same_is_unchanged(void **state)
{
    (void)state;
    struct gantry_variable v = {"K", "1", 0, 0};
    struct program p = {.count = 1};
    p.desired[0] = desired("a");
    p.desired[0].environment = &v;
    p.desired[0].environment_count = 1;
    p.desired[0].environment_stride = sizeof v;
    struct side *s = program_start(&p);
    assert_int_equal(0, side_list(s));
    assert_false(s->unchanged);
    assert_int_equal(0, side_list(s));
    assert_true(s->unchanged);
    platform_forget_listing(s->platform);
    assert_int_equal(0, side_list(s));
    assert_false(s->unchanged);
    v.value = "2"; /* its hash is made from image and environment */
    assert_int_equal(0, side_list(s));
    assert_false(s->unchanged);
    p.desired[0].run = 0;
    assert_int_equal(0, side_list(s));
    assert_false(s->unchanged);
    side_free(s);
}

static void
configurations_are_those_of_the_last_good_answer(void **state)
{
    (void)state;
    char value[] = "s3cret";
    struct gantry_variable v[] = {{"K", value, 1, 0}, {"L", "", 0, 0}};
    struct program p = {.count = 1};
    p.desired[0] = desired("a");
    p.desired[0].environment = v;
    p.desired[0].environment_count = 2;
    p.desired[0].environment_stride = sizeof v[0];
    struct side *s = program_start(&p);
    assert_int_equal(GANTRY_E_UNAVAILABLE, side_configure(s)); /* there was no answer yet */
    assert_int_equal(0, side_list(s));
    memset(value, 'x', sizeof value - 1); /* it was copied */
    p.returns = GANTRY_E_UNAVAILABLE;
    p.count = 0;
    assert_int_equal(GANTRY_E_UNAVAILABLE, side_list(s));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(0, side_configure(s));
        assert_int_equal(1, s->configurations->count);
        const struct platform_configuration *c = &s->configurations->items[0];
        assert_string_equal("a", c->id);
        assert_string_equal("busybox:1", c->image);
        assert_int_equal(2, c->entry_count);
        assert_string_equal("K", c->entries[0].key);
        assert_string_equal("s3cret", c->entries[0].value);
        assert_true(c->entries[0].secret);
        assert_int_equal(PLATFORM_SEALED_NO, c->entries[0].sealed);
        assert_string_equal("", c->entries[1].value);
        assert_false(c->entries[1].secret);
    }
    p.returns = 0;
    assert_int_equal(0, side_list(s));
    assert_int_equal(0, side_configure(s));
    assert_int_equal(0, s->configurations->count);
    side_free(s);
}

static void
who_cannot_tell_lists_nothing(void **state)
{
    (void)state;
    static const struct {
        int returns, fail_code, code;
        const char *text, *message;
    } cases[] = {
        {GANTRY_E_DENIED, 0, GANTRY_E_DENIED, NULL, "the program's list function failed: denied"},
        {0, GANTRY_E_TIMEOUT, GANTRY_E_TIMEOUT, "the feed is slow;\nwait",
         "the feed is slow; wait"},
        {GANTRY_E_DENIED, GANTRY_E_TIMEOUT, GANTRY_E_TIMEOUT, "the feed is slow",
         "the feed is slow"},
        {GANTRY_E_NOT_FOUND, 0, GANTRY_E_UNAVAILABLE, NULL,
         "nothing is known: the program's list function failed: not found"},
        {7, 0, GANTRY_E_INTERNAL, NULL,
         "the program's list function returned 7, which is no GANTRY_E_* code"},
        {-99, 0, GANTRY_E_INTERNAL, NULL,
         "the program's list function returned -99, which is no GANTRY_E_* code"},
        {0, 5, GANTRY_E_INTERNAL, "odd", "odd"},
        {0, GANTRY_E_DENIED, GANTRY_E_DENIED, "\xff", "the program's reason is not UTF-8"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct program p = {.count = 1,
                            .returns = cases[i].returns,
                            .fail_text = cases[i].text,
                            .fail_code = cases[i].fail_code};
        p.desired[0] = desired("a");
        struct side *s = program_start(&p);
        assert_int_equal(cases[i].code, side_list(s));
        assert_string_equal(cases[i].message, s->message);
        assert_null(s->listing);
        side_free(s);
    }
}

static void
who_has_no_id_leaves_the_listing_in_doubt(void **state)
{
    (void)state;
    static const char *const ids[] = {NULL, "", "\xff"};
    for (size_t i = 0; i < ARRAY_LENGTH(ids); i++) {
        struct program p = {.count = 2};
        p.desired[0] = desired("a");
        p.desired[1] = desired(ids[i]);
        struct side *s = program_start(&p);
        assert_int_equal(0, side_list(s));
        assert_int_equal(GANTRY_E_INVALID, p.added);
        assert_false(s->listing->complete);
        assert_string_equal("the program lists a connector without an id in UTF-8",
                            s->listing->doubt);
        assert_int_equal(1, s->listing->count);
        p.count = 1; /* the doubt alone makes it another answer */
        assert_int_equal(0, side_list(s));
        assert_false(s->unchanged);
        assert_true(s->listing->complete);
        p.count = 2;
        p.pass_on = true;
        assert_int_equal(GANTRY_E_INVALID, side_list(s));
        assert_string_equal("the program lists a connector without an id in UTF-8; give it one",
                            s->message);
        side_free(s);
    }
}

static void
an_id_that_comes_twice_is_used_by_neither(void **state)
{
    (void)state;
    struct program p = {.count = 2};
    p.desired[0] = desired("a");
    p.desired[1] = desired("a");
    struct side *s = program_start(&p);
    assert_int_equal(0, side_list(s));
    assert_false(s->listing->complete);
    assert_int_equal(1, s->listing->count);
    assert_non_null(s->listing->connectors[0].problem);
    assert_int_equal(0, side_configure(s));
    assert_int_equal(0, s->configurations->count);
    assert_int_equal(1, s->configurations->unusable_count);
    side_free(s);
}

static void
what_is_wrong_with_one_connector_is_its_problem_alone(void **state)
{
    (void)state;
    static const struct gantry_variable twice[] = {{"K", "1", 0, 0}, {"K", "2", 0, 0}},
                                        nameless[] = {{"", "1", 0, 0}},
                                        equals[] = {{"A=B", "1", 0, 0}},
                                        keyless[] = {{NULL, "1", 0, 0}},
                                        valueless[] = {{"K", NULL, 0, 0}},
                                        raw[] = {{"K", "\xfe", 1, 0}};
#define NO_NAME  "a variable of its environment has no good name; write it in UTF-8, without '='"
#define NO_VALUE "its variable 'K' has no value in UTF-8; give it one"
    static const struct {
        const char *name, *image, *hash;
        const struct gantry_variable *environment;
        uint32_t count, stride;
        const char *problem;
    } cases[] = {
        {"\xff", "i", NULL, NULL, 0, 0, "its name, image or hash is not UTF-8"},
        {"n", "\xff", NULL, NULL, 0, 0, "its name, image or hash is not UTF-8"},
        {"n", "i", "\xff", NULL, 0, 0, "its name, image or hash is not UTF-8"},
        {"n", "i", NULL, twice, 2, sizeof twice[0],
         "its variable 'K' is given twice; give it once"},
        {"n", "i", NULL, nameless, 1, sizeof twice[0], NO_NAME},
        {"n", "i", NULL, equals, 1, sizeof twice[0], NO_NAME},
        {"n", "i", NULL, keyless, 1, sizeof twice[0], NO_NAME},
        {"n", "i", NULL, valueless, 1, sizeof twice[0], NO_VALUE},
        {"n", "i", "h", raw, 1, sizeof twice[0], NO_VALUE},
        {"n", "i", NULL, twice, 1, 0, "its environment has a count, and no array or no stride"},
        {"n", "i", NULL, NULL, 1, 24, "its environment has a count, and no array or no stride"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct program p = {.count = 2};
        p.desired[0] = desired("bad");
        p.desired[0].name = cases[i].name;
        p.desired[0].image = cases[i].image;
        p.desired[0].hash = cases[i].hash;
        p.desired[0].environment = cases[i].environment;
        p.desired[0].environment_count = cases[i].count;
        p.desired[0].environment_stride = cases[i].stride;
        p.desired[1] = desired("good");
        struct side *s = program_start(&p);
        assert_int_equal(0, side_list(s));
        assert_true(s->listing->complete);
        assert_int_equal(2, s->listing->count);
        assert_string_equal(cases[i].problem, s->listing->connectors[0].problem);
        assert_int_equal(PLATFORM_WISH_UNKNOWN, s->listing->connectors[0].wish);
        assert_null(s->listing->connectors[1].problem);
        assert_int_equal(0, side_configure(s));
        assert_int_equal(1, s->configurations->count);
        assert_string_equal("good", s->configurations->items[0].id);
        assert_int_equal(1, s->configurations->unusable_count);
        assert_string_equal("bad", s->configurations->unusable[0].id);
        assert_string_equal(cases[i].problem, s->configurations->unusable[0].text);
        side_free(s);
    }
}

/* As a program that was compiled against an earlier header: its structs end sooner, and behind them lies
 * something else. */
static int
list_as_of_old(void *context, struct gantry_listing *listing)
{
    (void)context;
    struct {
        const char *key, *value;
    } variables[] = {{"A", "1"}, {"B", "2"}};
    struct gantry_desired d = desired("a");
    d.size = offsetof(struct gantry_desired, hash);
    d.hash = (const char *)(uintptr_t)1; /* not its field */
    int code = gantry_listing_add(listing, &d);
    if (code < 0)
        return code;
    d = desired("b");
    d.environment = (const struct gantry_variable *)(const void *)variables;
    d.environment_count = 2;
    d.environment_stride = sizeof variables[0];
    return gantry_listing_add(listing, &d);
}

static void
an_older_programs_smaller_structs_work(void **state)
{
    (void)state;
    struct gantry_platform old = {
        .size = offsetof(struct gantry_platform, report),
        .name = "main",
        .list = list_as_of_old,
        .report = (int (*)(void *, const struct gantry_report *))(uintptr_t)1, /* not its field */
    };
    struct side *s = side_make(CONFIG_PLATFORM_CUSTOM, NULL, &old);
    assert_int_equal(0, side_list(s));
    assert_true(s->listing->complete);
    assert_int_equal(16, strlen(s->listing->connectors[0].hash));
    assert_int_equal(0, side_configure(s));
    assert_int_equal(2, s->configurations->count);
    assert_int_equal(2, s->configurations->items[1].entry_count);
    assert_string_equal("2", s->configurations->items[1].entries[1].value);
    assert_false(s->configurations->items[1].entries[1].secret);
    const struct platform_report report = {.id = "a", .status = PLATFORM_STATUS_STARTED};
    assert_int_equal(0, side_report(s, &report));
    side_free(s);
}

static void
the_program_is_told(void **state)
{
    (void)state;
    struct program p = {.count = 1};
    p.desired[0] = desired("a");
    struct side *s = program_start(&p);
    assert_int_equal(0, side_list(s));
    assert_int_equal(PLATFORM_STATUS_NONE, s->listing->connectors[0].known);
    static const char *const lines[] = {"one", "\x1b[31mred\x1b[0m \xff\x07"};
    const struct platform_health health = {
        .restart_count = 3, .started_ms = 1700000000000, .in_reboot_loop = true};
    const struct platform_report all = {.id = "a",
                                        .status = PLATFORM_STATUS_STARTED,
                                        .health = &health,
                                        .logs = lines,
                                        .log_count = 2};
    assert_int_equal(0, side_report(s, &all));
    assert_int_equal(1, p.reports);
    assert_int_equal(sizeof p.report, p.report.size);
    assert_string_equal("a", p.id);
    assert_int_equal(GANTRY_REPORT_STARTED, p.report.status);
    assert_int_equal(1, p.report.has_health);
    assert_int_equal(1, p.report.in_reboot_loop);
    assert_int_equal(3, p.report.restarts);
    assert_int_equal(1700000000000, p.report.started_ms);
    assert_int_equal(2, p.report.log_count);
    assert_string_equal("red \xef\xbf\xbd", p.line);
    const struct platform_report status = {.id = "a", .status = PLATFORM_STATUS_STOPPED};
    assert_int_equal(0, side_report(s, &status));
    assert_int_equal(GANTRY_REPORT_STOPPED, p.report.status);
    assert_int_equal(0, p.report.has_health);
    assert_null(p.report.logs);
    platform_forget_listing(s->platform);
    assert_int_equal(0, side_list(s));
    assert_int_equal(PLATFORM_STATUS_STOPPED, s->listing->connectors[0].known);
    p.count = 0; /* who comes again is told anew */
    assert_int_equal(0, side_list(s));
    p.count = 1;
    assert_int_equal(0, side_list(s));
    assert_int_equal(PLATFORM_STATUS_NONE, s->listing->connectors[0].known);
    side_free(s);
}

static void
a_report_that_fails_was_not_told(void **state)
{
    (void)state;
    static const struct {
        int returns, code;
        const char *message;
    } cases[] = {
        {GANTRY_E_UNAVAILABLE, GANTRY_E_UNAVAILABLE,
         "the program's report function failed: unavailable"},
        {1, GANTRY_E_INTERNAL,
         "the program's report function returned 1, which is no GANTRY_E_* code"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct program p = {.count = 1, .report_returns = cases[i].returns};
        p.desired[0] = desired("a");
        struct side *s = program_start(&p);
        const struct platform_report report = {.id = "a", .status = PLATFORM_STATUS_STARTED};
        assert_int_equal(cases[i].code, side_report(s, &report));
        assert_string_equal(cases[i].message, s->message);
        assert_int_equal(0, side_list(s));
        assert_int_equal(PLATFORM_STATUS_NONE, s->listing->connectors[0].known);
        side_free(s);
    }
}

static void
a_platform_that_nobody_provides_is_refused(void **state)
{
    (void)state;
    const struct config_platform settings = {.name = "mine", .kind = CONFIG_PLATFORM_CUSTOM};
    const struct gantry_platform empty = {.size = sizeof empty, .name = "mine"};
    const struct {
        const struct gantry_platform *custom;
        const char *message;
    } cases[] = {
        {NULL,
         "the program provides no platform of this name; let it add one, or remove the section"},
        {&empty, "the program's platform has no list function; give it one"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct platform_context context = {
            .manager_id = "m", .manager_name = "Gantry", .custom = cases[i].custom};
        struct platform *platform = NULL;
        struct gantry_error *err = NULL;
        assert_int_equal(GANTRY_E_INVALID, platform_new(&settings, &context, &platform, &err));
        assert_string_equal(cases[i].message, err_text(err));
        assert_null(platform);
        err_clear(&err);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_program_wants_is_listed),
        cmocka_unit_test(an_answer_that_says_the_same_is_unchanged),
        cmocka_unit_test(configurations_are_those_of_the_last_good_answer),
        cmocka_unit_test(who_cannot_tell_lists_nothing),
        cmocka_unit_test(who_has_no_id_leaves_the_listing_in_doubt),
        cmocka_unit_test(an_id_that_comes_twice_is_used_by_neither),
        cmocka_unit_test(what_is_wrong_with_one_connector_is_its_problem_alone),
        cmocka_unit_test(an_older_programs_smaller_structs_work),
        cmocka_unit_test(the_program_is_told),
        cmocka_unit_test(a_report_that_fails_was_not_told),
        cmocka_unit_test(a_platform_that_nobody_provides_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
