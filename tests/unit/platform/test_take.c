/* Settings that change while a platform runs: later requests go out as they say, those in progress end as
 * they began, and nothing of the old configuration is needed any more. */
#include "platform_test.h"

#include <unistd.h>

struct running {
    struct fake *fake;
    struct http_loop *http;
    struct platform *platform;
    int gate[2];
    unsigned ends;
    int code;
};

static struct config *
read_settings(const struct fake *fake, const char *token, const char *more)
{
    AUTO_BUF struct buf text = BUF_INIT(4096);
    buf_add_fmt(&text,
                "[manager]\nid = m\nstate_dir = /s\nkey = -----BEGIN PRIVATE KEY-----\n"
                "[platform main]\nkind = opencti\nurl = %s\ntoken = %s\nproxy = none\n%s\n"
                "[backend docker]\n",
                fake->server->url, token, more);
    const struct config_options options = {.text = buf_text(&text)};
    struct config *config = NULL;
    assert_int_equal(0, config_read(&options, &config, NULL));
    for (size_t i = 0; i < config_problem_count(config); i++)
        fail_msg("%s", config_problem(config, i));
    return config;
}

/* A platform whose configuration is gone when this returns. */
static void
run_start(struct running *r, const char *more)
{
    *r = (struct running){.fake = fake_start()};
    assert_int_equal(0, pipe(r->gate));
    assert_int_equal(0, http_loop_new(&r->http, NULL));
    struct config *config = read_settings(r->fake, "first-token", more);
    char id[] = "m", name[] = "Gantry";
    const struct platform_context context = {
        .http = r->http, .manager_id = id, .manager_name = name};
    assert_int_equal(0, platform_new(config_platform(config, 0), &context, &r->platform, NULL));
    memset(id, 'x', 1);
    memset(name, 'x', sizeof name - 1);
    config_free(config);
}

static void
run_stop(struct running *r)
{
    fake_check(r->fake);
    platform_free(r->platform);
    http_loop_free(r->http);
    fake_stop(r->fake);
    close(r->gate[0]);
    close(r->gate[1]);
}

static void
ended(void *context, int code, const struct gantry_error *error)
{
    struct running *r = context;
    (void)error;
    r->ends++;
    r->code = code;
}

static void
run_until(struct running *r, unsigned ends)
{
    int64_t end = clock_mono_ms() + GUARD_MS;
    while (r->ends < ends) {
        assert_true(clock_mono_ms() < end);
        if (!platform_step(r->platform) && r->ends < ends)
            wait_step(r->http);
    }
}

static size_t
asked(struct running *r)
{
    pthread_mutex_lock(&r->fake->lock);
    size_t n = r->fake->next;
    pthread_mutex_unlock(&r->fake->lock);
    return n;
}

static void
run_until_asked(struct running *r, size_t requests)
{
    int64_t end = clock_mono_ms() + GUARD_MS;
    while (asked(r) < requests) {
        assert_true(clock_mono_ms() < end);
        http_loop_step(r->http);
        (void)poll(&(struct pollfd){.fd = http_loop_fd(r->http), .events = POLLIN}, 1, 10);
    }
}

static void
take(struct running *r, const char *token, const char *more)
{
    struct config *fresh = read_settings(r->fake, token, more);
    assert_int_equal(0, platform_take_settings(r->platform, config_platform(fresh, 0), NULL));
    config_free(fresh);
}

static void
later_requests_have_the_new_token_and_those_in_progress_go_on(void **state)
{
    (void)state;
    struct running r;
    run_start(&r, "ca_file = /etc/ssl/certs/ca-certificates.crt");
    EXPECT(r.fake, "registerConnectorsManager", REGISTERED("7.1"), .gate = r.gate[0]);
    platform_ping(r.platform, ended, &r);
    run_until_asked(&r, 1);
    assert_contains(r.fake->head, "Bearer first-token\r\n");
    take(&r, "second-token", "");
    take(&r, "third-token", "connect_timeout = 3s");
    assert_int_equal(0, r.ends);
    assert_int_equal(1, write(r.gate[1], "x", 1));
    run_until(&r, 1);
    assert_int_equal(0, r.code);
    EXPECT(r.fake, "updateConnectorManagerStatus", PINGED("7.1"));
    platform_ping(r.platform, ended, &r); /* it is registered still */
    run_until(&r, 2);
    assert_int_equal(0, r.code);
    assert_contains(r.fake->head, "Bearer third-token\r\n");
    assert_string_equal("main", platform_name(r.platform));
    run_stop(&r);
}

static void
a_platform_that_ends_cancels_what_went_out_under_either(void **state)
{
    (void)state;
    struct running r;
    run_start(&r, "");
    EXPECT(r.fake, .hold = true);
    EXPECT(r.fake, .hold = true);
    platform_ping(r.platform, ended, &r);
    run_until_asked(&r, 1);
    take(&r, "second-token", "");
    const struct platform_report report = {.id = "a", .status = PLATFORM_STATUS_STARTED};
    platform_report(r.platform, &report, ended, &r);
    run_until_asked(&r, 2);
    run_stop(&r);
    assert_int_equal(0, r.ends);
}

static void
timeouts_are_taken_over(void **state)
{
    (void)state;
    struct running r;
    run_start(&r, "request_timeout = 1h\nlist_timeout = 1h");
    take(&r, "first-token", "request_timeout = 2s");
    EXPECT(r.fake, .hold = true);
    platform_ping(r.platform, ended, &r);
    run_until(&r, 1);
    assert_int_equal(GANTRY_E_TIMEOUT, r.code);
    run_stop(&r);
}

/* A report that was refused is left out for a while; another token may be allowed to make it. */
static void
what_was_refused_is_asked_again(void **state)
{
    (void)state;
    struct running r;
    run_start(&r, "");
    const struct platform_report report = {.id = "a", .status = PLATFORM_STATUS_STARTED};
    EXPECT(r.fake, .body = ERRORS(ERROR_AT("updateConnectorCurrentStatus", "FORBIDDEN_ACCESS",
                                           "You are not allowed to do this.")));
    platform_report(r.platform, &report, ended, &r);
    run_until(&r, 1);
    assert_int_equal(GANTRY_E_DENIED, r.code);
    platform_report(r.platform, &report, ended, &r);
    run_until(&r, 2);
    assert_int_equal(GANTRY_E_UNSUPPORTED, r.code); /* it was not asked */
    take(&r, "second-token", "");
    EXPECT(r.fake, "updateConnectorCurrentStatus",
           "{\"data\":{\"updateConnectorCurrentStatus\":{\"id\":\"a\"}}}");
    platform_report(r.platform, &report, ended, &r);
    run_until(&r, 3);
    assert_int_equal(0, r.code);
    run_stop(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_requests_have_the_new_token_and_those_in_progress_go_on),
        cmocka_unit_test(a_platform_that_ends_cancels_what_went_out_under_either),
        cmocka_unit_test(timeouts_are_taken_over),
        cmocka_unit_test(what_was_refused_is_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
