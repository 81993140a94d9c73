/* Each allocation fails in turn: a listing is whole or an error (S1), a configuration too (S8), and
 * what was learned of a platform is not forgotten.  cJSON's and libcurl's allocations fail as well;
 * the platform, a process of its own, has all the memory that it wants. */
#define SERVER_CONNECTIONS 8192
#include "platform_test.h"

#include "err.h"
#include "faults.h"
#include "platform_internal.h"

#include <netdb.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define FOLDER GANTRY_BINARY_DIR "/tests/platform-alloc"

/* --- bodies, without a network */

#define ENTRY(key, value, sealed)                                                                  \
    "{\"key\":\"" key "\",\"value\":" value ",\"encrypted\":" sealed "}"
#define CONFIGURED(id, entries)                                                                    \
    "{\"id\":\"" id "\",\"name\":\"n\\u00e9\",\"manager_contract_hash\":\"h\","                    \
    "\"manager_contract_image\":\"i\",\"manager_requested_status\":\"starting\","                  \
    "\"manager_contract_configuration\":[" entries "]}"

static const char listing_body[] = LISTED(CONFIGURED(
    "one",
    ENTRY("A", "\"x\"", "false") "," ENTRY("B", "null", "null") "," ENTRY(
        "OPENCTI_TOKEN", "\"AAAA\"",
        "true")) "," CONNECTOR("two", "h2",
                               "stopping") ",null,"
                                           "{\"id\":\"three\",\"name\":7}"
                                           "," CONFIGURED("four", ENTRY("", "\"x\"", "false")) "," CONNECTOR(
                                               "two", "h2",
                                               "stopping") "," CONFIGURED("five", ENTRY("K", "[1]",
                                                                                        "fals"
                                                                                        "e")));

static int
read_body(void *context, struct gantry_error **err)
{
    const char *text = context;
    char body[4096];
    struct platform_listing *listing = NULL;
    struct platform_configurations *configurations = NULL;
    (void)snprintf(body, sizeof body, "%s", text);
    int rc = opencti_read_body(body, strlen(body), &listing, &configurations, err);
    if (rc == 0) {
        fault_assert(listing->count == 5 && !listing->complete && listing->doubt);
        fault_assert(listing->connectors[1].problem && listing->connectors[2].problem);
        fault_assert(configurations->count == 1 && configurations->items[0].entry_count == 3);
        fault_assert(strcmp(configurations->items[0].entries[2].value, "AAAA") == 0);
        fault_assert(configurations->unusable_count == 4);
        for (size_t i = 0; i < 4; i++)
            fault_assert(configurations->unusable[i].text[0] != '\0');
    } else {
        fault_assert(!configurations);
    }
    platform_listing_free(listing);
    platform_configurations_free(configurations);
    return rc;
}

static void
a_listing_is_whole_or_an_error(void **state)
{
    (void)state;
    static const char *const errors[] = {
        ERRORS(ERROR_AT("connectorsForManagers", "FORBIDDEN_ACCESS", "no")),
        "{\"data\":{\"connectorsForManagers\":null}}",
    };
    /* What is doubtful about a listing has a shorter text for when memory runs out. */
    fault_sweep("a listing", &(struct fault_sweep){.run = read_body,
                                                   .context = (void *)(uintptr_t)listing_body,
                                                   .tolerance = FAULT_TOLERATED});
    fault_sweep("a refusal", &(struct fault_sweep){.run = read_body,
                                                   .context = (void *)(uintptr_t)errors[0],
                                                   .expected = GANTRY_E_DENIED});
    fault_sweep("null", &(struct fault_sweep){.run = read_body,
                                              .context = (void *)(uintptr_t)errors[1],
                                              .expected = GANTRY_E_UNAVAILABLE});
}

/* --- what a platform lacks */

static int
negotiate(void *context, struct gantry_error **err)
{
    static const enum operation report[] = {OP_CURRENT_STATUS, OP_HEALTH, OP_LOGS};
    static const enum operation configure[] = {OP_CONFIGURATIONS};
    AUTO_BUF struct buf first = BUF_INIT(65536), second = BUF_INIT(65536), joined = BUF_INIT(65536);
    AUTO_ANSWER struct answer answer = {0};
    char body[] = ERRORS(INVALID("encrypted"));
    struct negotiate n;
    (void)context;
    negotiate_init(&n, NULL, "main");
    (void)negotiate_version(&n, "7.1");
    int rc = negotiate_document(&n, configure, 1, &first, err);
    if (rc == 0)
        rc = answer_parse(body, strlen(body), 400, NULL, &answer, err);
    if (rc == 0) { /* a field is taken out without memory */
        fault_assert(negotiate_learn(&n, configure, 1, &answer));
        rc = negotiate_document(&n, configure, 1, &second, err);
    }
    if (rc == 0)
        rc = negotiate_document(&n, report, ARRAY_LENGTH(report), &joined, err);
    if (rc == 0) {
        fault_assert(strstr(buf_text(&first), "encrypted") && !n.slots[OP_CONFIGURATIONS].lacking);
        fault_assert(!strstr(buf_text(&second), "encrypted"));
        fault_assert(strstr(buf_text(&joined), "updateConnectorHealth"));
    }
    negotiate_clear(&n);
    return rc;
}

static void
what_is_lacking_is_learned_or_memory_is_out(void **state)
{
    (void)state;
    fault_sweep("negotiation",
                &(struct fault_sweep){.run = negotiate, .tolerance = FAULT_TOLERATED});
}

/* --- a folder */

struct outcome {
    unsigned ends;
    int code;
    bool unchanged;
    struct gantry_error *error; /* a copy; NULL: none */
    struct platform_listing *listing;
    struct platform_configurations *configurations;
};

static void
outcome_done(void *context, int code, const struct gantry_error *error)
{
    struct outcome *o = context;
    o->ends++;
    o->code = code;
    fault_pause();
    if (error)
        (void)err_set(&o->error, error->code, "%s", error->message);
    fault_resume();
}

static void
outcome_listed(void *context, int code, const struct gantry_error *error,
               struct platform_listing *listing, bool unchanged)
{
    struct outcome *o = context;
    fault_assert(code == 0 || (!listing && !unchanged));
    outcome_done(context, code, error);
    o->listing = listing;
    o->unchanged = unchanged;
}

static void
outcome_configured(void *context, int code, const struct gantry_error *error,
                   struct platform_configurations *configurations)
{
    fault_assert((code == 0) == (configurations != NULL));
    outcome_done(context, code, error);
    ((struct outcome *)context)->configurations = configurations;
}

/* Until the call has ended; gives its code and error. */
static int
end_call(struct platform *p, struct http_loop *http, struct outcome *o, struct gantry_error **err)
{
    int64_t end = clock_mono_ms() + GUARD_MS;
    while (platform_active(p) > 0) {
        fault_assert(clock_mono_ms() < end);
        if (!platform_step(p) && platform_active(p) > 0)
            wait_step(http);
    }
    fault_assert(o->ends == 1 && (o->code == 0) == (o->error == NULL));
    err_move(err, &o->error);
    o->ends = 0;
    return o->code;
}

static void
outcome_clear(struct outcome *o)
{
    platform_listing_free(o->listing);
    platform_configurations_free(o->configurations);
    o->listing = NULL;
    o->configurations = NULL;
}

static const struct platform_report report = {
    .id = "one",
    .status = PLATFORM_STATUS_STARTED,
    .health = &(const struct platform_health){.restart_count = 1},
    .logs = (const char *const[]){"line \x1b[1mone", "line two"},
    .log_count = 2,
};

/* Everything that is asked of a platform, in its order. */
static int
ask_all(struct platform *p, struct http_loop *http, struct outcome *o, struct gantry_error **err)
{
    platform_ping(p, outcome_done, o);
    int rc = end_call(p, http, o, err);
    if (rc < 0)
        return rc;
    platform_list(p, outcome_listed, o);
    rc = end_call(p, http, o, err);
    if (rc < 0)
        return rc;
    fault_assert(o->listing->count == 2 && !o->unchanged);
    fault_assert(o->listing->connectors[0].wish == PLATFORM_WISH_STARTING);
    platform_configure(p, outcome_configured, o);
    rc = end_call(p, http, o, err);
    if (rc < 0)
        return rc;
    fault_assert(o->configurations->count >= 1 && o->configurations->items[0].entry_count == 2);
    platform_report(p, &report, outcome_done, o);
    return end_call(p, http, o, err);
}

static int
use_folder(void *context, struct gantry_error **err)
{
    const struct config_platform settings = {
        .name = "main", .kind = CONFIG_PLATFORM_LOCAL, .path = FOLDER};
    struct http_loop *http = context;
    const struct platform_context given = {
        .http = http, .manager_id = "m", .manager_name = "n", .environment = environ};
    struct platform *p = NULL;
    struct outcome o = {0};
    int rc = platform_new(&settings, &given, &p, err);
    fault_assert((rc == 0) == (p != NULL));
    if (rc < 0)
        return rc;
    rc = ask_all(p, http, &o, err);
    if (rc == 0) {
        fault_assert(o.listing->connectors[1].problem);
        fault_assert(!strstr(o.listing->connectors[1].problem, "memory"));
        fault_assert(o.configurations->unusable_count == 1);
        outcome_clear(&o);
        platform_forget_listing(p);
        platform_list(p, outcome_listed, &o);
        rc = end_call(p, http, &o, err);
        fault_assert(rc < 0 ||
                     (!o.unchanged && o.listing->connectors[0].known == PLATFORM_STATUS_STARTED));
    }
    outcome_clear(&o);
    platform_free(p);
    return rc;
}

static void
write_connector(const char *path, const char *text)
{
    assert_int_equal(file_write_atomic(path, str_of(text), 0600, NULL), 0);
}

static void
a_folder_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    assert_int_equal(file_make_folder(FOLDER, 0700, NULL), 0);
    write_connector(FOLDER "/one.ini", "[connector]\nid = one\nimage = i\n[environment]\nA = b\n"
                                       "[environment_from]\nB = env:PATH\n");
    write_connector(FOLDER "/two.ini", "[connector]\nimag = i\n");
    struct http_loop *http = new_loop();
    fault_sweep("a folder", &(struct fault_sweep){
                                .run = use_folder, .context = http, .tolerance = FAULT_TOLERATED});
    http_loop_free(http);
}

/* --- over HTTP */

static int
use_http(void *context, struct gantry_error **err)
{
    struct secret token = {NULL, 0};
    struct http_loop *http = NULL;
    struct platform *p = NULL;
    struct outcome o = {0};
    fault_pause();
    assert_int_equal(secret_set(&token, TOKEN, strlen(TOKEN)), 0);
    fault_resume();
    const struct config_platform settings = {
        .name = "main",
        .kind = CONFIG_PLATFORM_OPENCTI,
        .url = context,
        .token = &token,
        .proxy = "",
        .connect_timeout_ms = 5000,
        .request_timeout_ms = 5000,
        .list_timeout_ms = 5000,
    };
    int rc = http_loop_new(&http, err);
    const struct platform_context given = {
        .http = http, .manager_id = "m", .manager_name = "n", .public_key = "PEM"};
    if (rc == 0)
        rc = platform_new(&settings, &given, &p, err);
    if (rc == 0)
        rc = ask_all(p, http, &o, err);
    fault_assert(rc !=
                 GANTRY_E_TIMEOUT); /* what cannot be done for want of memory is not waited for */
    outcome_clear(&o);
    platform_free(p);
    http_loop_free(http);
    secret_clear(&token);
    return rc;
}

/* By what is asked, not by a script: any question may be missing. */
static void
answer_any(struct exchange *x)
{
    static const char listing[] =
        LISTED(CONNECTOR("one", "h1", "starting") "," CONNECTOR("two", "h2", "stopping"));
    static const char configurations[] =
        LISTED(CONFIGURED("one", ENTRY("A", "\"b\"", "false") "," ENTRY("B", "\"c\"", "false")));
    const char *body = strstr(x->body, "registerConnectorsManager")        ? REGISTERED("7.1")
                       : strstr(x->body, "manager_contract_configuration") ? configurations
                       : strstr(x->body, "connectorsForManagers")
                           ? listing
                           : "{\"data\":{\"updateConnectorCurrentStatus\":{\"id\":\"one\"},"
                             "\"updateConnectorHealth\":{\"id\":\"one\"},"
                             "\"updateConnectorLogs\":\"one\"}}";
    server_ok(x, body);
}

/* In a process of its own, where nothing fails; until it is killed. */
static void
serve(int ready)
{
    struct server *server = server_start_tcp(answer_any, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (write(ready, server->url, sizeof server->url) == sizeof server->url)
        for (;;)
            pause();
}

static void *
resolve(void *unused)
{
    struct addrinfo *addresses = NULL;
    if (getaddrinfo("127.0.0.1", "1", NULL, &addresses) == 0)
        freeaddrinfo(addresses);
    return unused;
}

static void
an_exchange_ends_well_or_memory_is_out(void **state)
{
    (void)state;
    char url[64] = "";
    int pipes[2];
    pthread_t thread;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        serve(pipes[1]);
        _exit(0);
    }
    /* What libcurl has no memory for, it asks its resolver: a thread.  The first thread, and what it
     * asks, leaves memory behind for the next one. */
    assert_int_equal(pthread_create(&thread, NULL, resolve, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(child > 0 && read(pipes[0], url, sizeof url) == sizeof url);
    fault_sweep("HTTP",
                &(struct fault_sweep){.run = use_http, .context = url, .tolerance = FAULT_RENAMED});
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(pipes[0]);
    close(pipes[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listing_is_whole_or_an_error),
        cmocka_unit_test(what_is_lacking_is_learned_or_memory_is_out),
        cmocka_unit_test(a_folder_is_read_whole_or_not_at_all),
        cmocka_unit_test(an_exchange_ends_well_or_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
