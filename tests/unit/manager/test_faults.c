/* The whole manager under faults: a plugin and a platform that misbehave as a test tells them. */
#include <gantry/gantry.h>

#include "manager_internal.h"

#include "clock.h"

/* Names that both have. */
#define seen       http_seen
#define seen_clear http_seen_clear
#include "../http/server.h"
#undef seen
#undef seen_clear

#include "../manager_plugins/scripted.h"

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { TEXT_BYTES = 16384 };

static struct scripted *scripted;
static void (*scripted_clear)(void);
static void (*scripted_set_state)(const char *id, uint32_t state);
static int (*scripted_count)(const char *id, int state);

/* ---- a platform ------------------------------------------------------------------------------ */

struct platform_fake {
    struct server *server;
    pthread_mutex_t lock;
    char listing[TEXT_BYTES], configurations[TEXT_BYTES], reports[TEXT_BYTES], pings[TEXT_BYTES];
    atomic_int listed, configured, reported, statuses, list_ms;
};

static void
fake_copy(struct platform_fake *f, char to[TEXT_BYTES], const char *from)
{
    pthread_mutex_lock(&f->lock);
    memcpy(to, from, TEXT_BYTES);
    pthread_mutex_unlock(&f->lock);
}

static void
fake_set(struct platform_fake *f, char to[TEXT_BYTES], const char *from)
{
    pthread_mutex_lock(&f->lock);
    snprintf(to, TEXT_BYTES, "%s", from);
    pthread_mutex_unlock(&f->lock);
}

static void
fake_answer(struct exchange *x)
{
    struct platform_fake *f = x->server->context;
    static _Thread_local char body[TEXT_BYTES];
    if (strstr(x->body, "registerConnectorsManager") ||
        strstr(x->body, "updateConnectorManagerStatus")) {
        fake_copy(f, body, f->pings);
    } else if (strstr(x->body, "manager_contract_configuration")) {
        atomic_fetch_add(&f->configured, 1);
        fake_copy(f, body, f->configurations);
    } else if (strstr(x->body, "connectorsForManagers")) {
        atomic_fetch_add(&f->listed, 1);
        (void)poll(NULL, 0, atomic_load(&f->list_ms));
        fake_copy(f, body, f->listing);
    } else {
        atomic_fetch_add(&f->reported, 1);
        if (strstr(x->body, "updateConnectorCurrentStatus"))
            atomic_fetch_add(&f->statuses, 1);
        fake_copy(f, body, f->reports);
    }
    char head[256];
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
             strlen(body));
    server_say(x, head);
    server_say(x, body);
}

#define GOOD_PING                                                                                  \
    "{\"data\":{\"registerConnectorsManager\":{\"id\":\"m\",\"name\":\"m\",\"about_version\":"     \
    "\"7\"},\"updateConnectorManagerStatus\":{\"id\":\"m\",\"about_version\":\"7\"}}}"
#define GOOD_REPORT                                                                                \
    "{\"data\":{\"updateConnectorCurrentStatus\":{\"id\":\"x\",\"manager_current_status\":"        \
    "\"started\"},\"updateConnectorLogs\":\"x\",\"updateConnectorHealth\":\"x\"}}"
#define ERROR(code, message)                                                                       \
    "{\"data\":null,\"errors\":[{\"message\":\"" message "\",\"extensions\":{\"code\":\"" code     \
    "\"}}]}"
#define LISTED(items) "{\"data\":{\"connectorsForManagers\":[" items "]}}"
#define CONNECTOR(id, hash, wish, status)                                                          \
    "{\"id\":\"" id "\",\"name\":\"" id "\",\"manager_contract_hash\":\"" hash                     \
    "\",\"manager_contract_image\":\"i\",\"manager_current_status\":" status                       \
    ",\"manager_requested_status\":\"" wish "\"}"
#define CONFIGURED(id, hash)                                                                       \
    "{\"id\":\"" id "\",\"manager_contract_hash\":\"" hash                                         \
    "\",\"manager_contract_image\":\"i\",\"manager_contract_configuration\":[{\"key\":\"A\","      \
    "\"value\":\"x\",\"encrypted\":null}]}"

/* ---- a world --------------------------------------------------------------------------------- */

struct world {
    char home[64], folder[96], settings[4096];
    struct platform_fake fake;
    struct gantry_manager *manager;
    pthread_t thread;
    uint32_t how;
    int code;
    atomic_bool ended;
    atomic_int warnings, state_warnings, cancels;
    bool runs;
};

static void
take_line(void *context, int level, const char *line, size_t length)
{
    struct world *w = context;
    if (getenv("VERBOSE"))
        fprintf(stderr, "%lld %d %.*s\n", (long long)clock_mono_ms() % 1000000, level, (int)length,
                line);
    if (level <= 1)
        atomic_fetch_add(&w->warnings, 1);
    if (memmem(line, length, "state cannot be written", 23))
        atomic_fetch_add(&w->state_warnings, 1);
}

static void
write_connector(const struct world *w, const char *name, const char *image, const char *requested)
{
    char path[256], temporary[272];
    snprintf(path, sizeof path, "%s/%s.ini", w->folder, name);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *f = fopen(temporary, "w");
    assert_non_null(f);
    fprintf(f, "[connector]\nimage = %s\nrequested = %s\n\n[environment]\nNAME = %s\n", image,
            requested, name);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(temporary, path), 0);
}

static void
remove_connector(const struct world *w, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s.ini", w->folder, name);
    assert_int_equal(unlink(path), 0);
}

PRINTF_LIKE(2, 3)
static void
add_settings(struct world *w, const char *format, ...)
{
    size_t n = strlen(w->settings);
    va_list args;
    va_start(args, format);
    vsnprintf(w->settings + n, sizeof w->settings - n, format, args);
    va_end(args);
}

/* [manager] and what every test has. */
static void
settle_on(struct world *w, const char *manager)
{
    add_settings(w,
                 "[manager]\nid = m\nkey = file:%s/tests/vectors/crypto/keys/rsa-2048.pem\n"
                 "state_dir = %s/state\nplugin_path = %s/tests/plugins\n%s\n[log]\nlevel = debug\n",
                 GANTRY_SOURCE_DIR, w->home, GANTRY_BINARY_DIR, manager);
}

static void
with_local(struct world *w)
{
    settle_on(w, "interval = 100ms");
    add_settings(w, "[platform local]\npath = %s\n[backend scripted]\n", w->folder);
}

static void
with_opencti(struct world *w, const char *manager, const char *platform)
{
    settle_on(w, manager);
    add_settings(w, "[platform opencti]\nurl = %s\ntoken = t\n%s\n[backend scripted]\n",
                 w->fake.server->url, platform);
}

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    snprintf(w->home, sizeof w->home, "/tmp/gantry-test.XXXXXX");
    if (!mkdtemp(w->home)) {
        free(w);
        return -1;
    }
    snprintf(w->folder, sizeof w->folder, "%s/connectors", w->home);
    mkdir(w->folder, 0700);
    pthread_mutex_init(&w->fake.lock, NULL);
    fake_set(&w->fake, w->fake.pings, GOOD_PING);
    fake_set(&w->fake, w->fake.reports, GOOD_REPORT);
    fake_set(&w->fake, w->fake.listing, LISTED(""));
    fake_set(&w->fake, w->fake.configurations, LISTED(""));
    w->fake.server = server_start_tcp(fake_answer, &w->fake);
    scripted_clear();
    *state = w;
    return 0;
}

static void
remove_tree(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char child[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        remove_tree(child);
    }
    if (folder)
        closedir(folder);
    remove(path);
}

static void *
run_manager(void *argument)
{
    struct world *w = argument;
    struct gantry_error *err = NULL;
    w->code = gantry_manager_run(w->manager, w->how, &err);
    gantry_error_free(err);
    atomic_store(&w->ended, true);
    return NULL;
}

static void
begin(struct world *w, uint32_t how)
{
    struct gantry_options options = {
        .size = sizeof options, .text = w->settings, .log = take_line, .log_context = w};
    struct gantry_error *err = NULL;
    if (gantry_manager_new(&options, &w->manager, &err) < 0)
        fail_msg("%s", err->message);
    w->how = how;
    atomic_store(&w->ended, false);
    assert_int_equal(0, pthread_create(&w->thread, NULL, run_manager, w));
    w->runs = true;
}

static void
join(struct world *w)
{
    if (w->runs) {
        gantry_manager_stop(w->manager);
        pthread_join(w->thread, NULL);
    }
    w->runs = false;
}

static void
end(struct world *w)
{
    join(w);
    gantry_manager_free(w->manager);
    w->manager = NULL;
}

static int
tear_down(void **state)
{
    struct world *w = *state;
    atomic_store(&scripted->deaf, 0);
    end(w);
    server_stop(w->fake.server);
    remove_tree(w->home);
    free(w);
    return 0;
}

#define WITHIN(ms, condition)                                                                      \
    __extension__({                                                                                \
        int64_t until_ = clock_mono_ms() + (ms);                                                   \
        bool so_ = false;                                                                          \
        while (!(so_ = (condition)) && clock_mono_ms() < until_)                                   \
            (void)poll(NULL, 0, 5);                                                                \
        so_;                                                                                       \
    })

static void
pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* ---- ONCE and DRY ---------------------------------------------------------------------------- */

static void
once_removes_what_is_not_listed_any_more(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i", "starting");
    write_connector(w, "b", "i", "starting");
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(10000, atomic_load(&w->ended)));
    end(w);
    assert_int_equal(2, scripted_count(NULL, GANTRY_STATE_RUNNING));
    remove_connector(w, "b");
    atomic_store(&scripted->list_ms, 50);
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(10000, atomic_load(&w->ended)));
    assert_int_equal(0, scripted_count("b", -1));
}

static void
once_ends_when_configurations_are_refused(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, ERROR("DATABASE_ERROR", "no"));
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(6000, atomic_load(&w->ended)));
}

static void
once_ends_when_a_configuration_does_not_come(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(6000, atomic_load(&w->ended)));
}

static void
once_serves_a_platform_while_another_is_away(void **state)
{
    struct world *w = *state;
    settle_on(w, "interval = 200ms");
    add_settings(w,
                 "[platform opencti]\nurl = http://127.0.0.1:1\ntoken = t\n"
                 "[platform local]\npath = %s\n[backend scripted]\n",
                 w->folder);
    write_connector(w, "a", "i", "starting");
    atomic_store(&scripted->list_ms, 50);
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(10000, atomic_load(&w->ended)));
    assert_int_equal(1, scripted_count("a", GANTRY_STATE_RUNNING));
}

static void
once_ends_when_the_manager_is_refused(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.pings,
             ERROR("UNSUPPORTED_ERROR", "Only one connector manager is supported per instance"));
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(6000, atomic_load(&w->ended)));
    assert_true(w->code < 0);
}

static void
a_dry_run_on_a_platform_ends(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    begin(w, GANTRY_RUN_DRY);
    assert_true(WITHIN(6000, atomic_load(&w->ended)));
    assert_int_equal(0, w->code);
    assert_int_equal(0, atomic_load(&scripted->starts));
    assert_int_equal(0, atomic_load(&w->fake.reported));
}

static void
a_dry_run_that_waits_does_not_spin(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i", "starting");
    atomic_store(&scripted->list_ms, 1500);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    begin(w, GANTRY_RUN_DRY);
    assert_true(WITHIN(10000, atomic_load(&w->ended)));
    getrusage(RUSAGE_SELF, &after);
    long ms = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec -
               before.ru_stime.tv_sec) *
                  1000 +
              (after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec -
               before.ru_stime.tv_usec) /
                  1000;
    print_message("CPU of a dry run that waits 1500 ms: %ld ms\n", ms);
    assert_true(ms < 500);
}

/* ---- reports --------------------------------------------------------------------------------- */

static void
a_report_that_finds_no_connector_is_not_repeated_at_once(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 10s", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    fake_set(&w->fake, w->fake.reports, ERROR("FUNCTIONAL_ERROR", "Cant find element to update"));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(5000, atomic_load(&w->fake.statuses) > 0));
    int before = atomic_load(&w->fake.reported);
    pause_ms(2000);
    int more = atomic_load(&w->fake.reported) - before;
    print_message("reports in 2 s: %d\n", more);
    assert_true(more < 10);
}

static void
a_status_that_the_platform_lost_is_told_again(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "stopping", "null")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(5000, atomic_load(&w->fake.statuses) > 0));
    /* The listing goes on to say that it knows none. */
    assert_true(WITHIN(3000, atomic_load(&w->fake.statuses) > 1));
}

static void
logs_are_read_in_their_own_interval(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 60s", "logs_interval = 300ms");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(5000, atomic_load(&scripted->logs) > 0));
    pause_ms(3000);
    print_message("reads of logs in 3 s at 300 ms: %d\n", atomic_load(&scripted->logs));
    assert_true(atomic_load(&scripted->logs) >= 7);
}

/* ---- actions --------------------------------------------------------------------------------- */

static void
a_replace_that_is_past_cancelling_is_not_joined_by_another(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i:1", "starting");
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(5000, scripted_count("a", GANTRY_STATE_RUNNING) == 1));
    atomic_store(&scripted->start_ms, 6000); /* a grace of 10 s is the default */
    atomic_store(&scripted->deaf, 1);        /* the old one has been touched */
    write_connector(w, "a", "i:2", "starting");
    assert_true(WITHIN(5000, atomic_load(&scripted->inside) == 1));
    write_connector(w, "a", "i:3", "starting");
    pause_ms(6500);
    print_message("calls for one connector side by side: %d\n",
                  atomic_load(&scripted->side_by_side));
    atomic_store(&scripted->start_ms, 0);
    pause_ms(6500);
    assert_int_equal(1, atomic_load(&scripted->side_by_side));
}

static void
those_that_wait_for_a_worker_wait_once(void **state)
{
    struct world *w = *state;
    settle_on(w, "interval = 100ms\nconcurrency = 1");
    add_settings(w, "[platform local]\npath = %s\n[backend scripted]\n", w->folder);
    write_connector(w, "a", "i", "starting");
    write_connector(w, "b", "i", "starting");
    write_connector(w, "c", "i", "starting");
    atomic_store(&scripted->start_ms, 60000);
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(5000);
    join(w);
    print_message("two connectors wait %zu times\n", w->manager->waiting.len);
    assert_true(w->manager->waiting.len <= 2);
}

static void
two_backends_that_hang_end_within_five_seconds(void **state)
{
    struct world *w = *state;
    char other[160];
    snprintf(other, sizeof other, "%s/other", w->home);
    mkdir(other, 0700);
    settle_on(w, "interval = 100ms");
    add_settings(w,
                 "[platform one]\nkind = local\nbackend = x\npath = %s\n"
                 "[platform two]\nkind = local\nbackend = y\npath = %s\n"
                 "[backend x]\nplugin = scripted\n[backend y]\nplugin = scripted\n",
                 w->folder, other);
    write_connector(w, "a", "i", "starting");
    snprintf(w->folder, sizeof w->folder, "%.90s", other);
    write_connector(w, "b", "i", "starting");
    atomic_store(&scripted->start_ms, 12000);
    atomic_store(&scripted->deaf, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(5000, atomic_load(&scripted->inside) == 2));
    int64_t began = clock_mono_ms();
    end(w);
    int64_t took = clock_mono_ms() - began;
    print_message("ended in %lld ms\n", (long long)took);
    atomic_store(&scripted->deaf, 0);
    pause_ms(200);
    assert_true(WITHIN(15000, atomic_load(&scripted->inside) == 0));
    assert_true(took < 5000);
}

static void
a_start_that_outlives_the_manager_reads_nothing_of_it(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i", "starting");
    atomic_store(&scripted->start_ms, 6000);
    atomic_store(&scripted->read_spec_late, 1);
    atomic_store(&scripted->deaf, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(5000, atomic_load(&scripted->inside) == 1));
    end(w);
    assert_true(WITHIN(10000, atomic_load(&scripted->inside) == 0));
    pause_ms(200);
}

/* ---- what backends say ----------------------------------------------------------------------- */

static void
an_inspection_that_finds_nothing_makes_no_storm(void **state)
{
    struct world *w = *state;
    settle_on(w, "interval = 10s");
    add_settings(w, "[platform local]\npath = %s\n[backend scripted]\n", w->folder);
    write_connector(w, "a", "i", "starting");
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(10000, atomic_load(&w->ended)));
    end(w);
    atomic_store(&scripted->inspect_missing, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(5000, atomic_load(&scripted->inspects) > 0));
    int before = atomic_load(&scripted->lists);
    pause_ms(5000);
    print_message("listings in 5 s at an interval of 10 s: %d\n",
                  atomic_load(&scripted->lists) - before);
    assert_true(atomic_load(&scripted->lists) - before < 6);
}

static void
an_inspection_that_finds_it_being_removed_makes_no_storm(void **state)
{
    struct world *w = *state;
    settle_on(w, "interval = 10s");
    add_settings(w, "[platform local]\npath = %s\n[backend scripted]\n", w->folder);
    write_connector(w, "a", "i", "starting");
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(10000, atomic_load(&w->ended)));
    end(w);
    atomic_store(&scripted->inspect_removing, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(5000, atomic_load(&scripted->inspects) > 0));
    pause_ms(2000);
    print_message("inspections in 2 s: %d\n", atomic_load(&scripted->inspects));
    assert_true(atomic_load(&scripted->inspects) < 10);
}

static void
an_inspection_older_than_an_action_says_nothing(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i", "starting");
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(10000, atomic_load(&w->ended)));
    end(w);
    int starts = atomic_load(&scripted->starts);
    atomic_store(&scripted->stops, 0);
    memcpy(strstr(w->settings, "interval = 100ms"), "interval = 60s  ", 16);
    write_connector(w, "a", "i", "stopping");
    atomic_store(&scripted->inspect_ms, 2000); /* begins with the listing, before the stop */
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(5000, scripted_count("a", GANTRY_STATE_EXITED) == 1));
    pause_ms(3500);
    print_message("stops of a workload that was stopped once: %d\n", atomic_load(&scripted->stops));
    assert_int_equal(starts, atomic_load(&scripted->starts));
    assert_int_equal(1, atomic_load(&scripted->stops));
}

static void
a_hash_that_cannot_be_read_is_said_once(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 150ms", "health_interval = 400ms\nlogs_interval = 60s");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(5000, atomic_load(&w->fake.statuses) > 0));
    atomic_store(&scripted->hide_hash, 1);
    atomic_store(&scripted->inspect_ms, 100);
    end(w); /* a new one that knows no hash */
    atomic_store(&w->warnings, 0);
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(5000);
    print_message("warnings in 5 s of one lasting fault: %d\n", atomic_load(&w->warnings));
    assert_true(atomic_load(&w->warnings) <= 2);
}

/* ---- what may be removed --------------------------------------------------------------------- */

static void
one_that_is_being_removed_does_not_hide_that_all_have_vanished(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing,
             LISTED(CONNECTOR("a", "aa", "starting", "\"started\"") "," CONNECTOR(
                 "b", "aa", "starting", "\"started\"") "," CONNECTOR("c", "aa", "starting",
                                                                     "\"started\"")));
    fake_set(&w->fake, w->fake.configurations,
             LISTED(CONFIGURED("a", "aa") "," CONFIGURED("b", "aa") "," CONFIGURED("c", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(8000, scripted_count(NULL, GANTRY_STATE_RUNNING) == 3));
    atomic_store(&scripted->slow_id, "a");
    atomic_store(&scripted->stop_ms, 60000); /* a takes its time to stop */
    fake_set(&w->fake, w->fake.listing,
             LISTED(CONNECTOR("b", "aa", "starting",
                              "\"started\"") "," CONNECTOR("c", "aa", "starting", "\"started\"")));
    assert_true(WITHIN(5000, atomic_load(&scripted->stops) == 1));
    fake_set(&w->fake, w->fake.listing, LISTED(""));
    pause_ms(3000);
    print_message("of b and c run on: %d\n", scripted_count("b", GANTRY_STATE_RUNNING) +
                                                 scripted_count("c", GANTRY_STATE_RUNNING));
    assert_int_equal(1, scripted_count("b", GANTRY_STATE_RUNNING));
    assert_int_equal(1, scripted_count("c", GANTRY_STATE_RUNNING));
}

/* Without any platform label: reported when it is unlisted, and never removed (S2). */
static void
a_workload_without_a_platform_is_never_removed(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms\nallow_remove_all = yes", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "\"started\"")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(8000, scripted_count(NULL, GANTRY_STATE_RUNNING) == 1));
    atomic_store(&scripted->bare_labels, 1);
    pause_ms(600);
    atomic_store(&scripted->list_fails, 2); /* the backend is away while it vanishes */
    pause_ms(250);
    fake_set(&w->fake, w->fake.listing, LISTED(""));
    pause_ms(5000);
    print_message("stops %d, removes %d\n", atomic_load(&scripted->stops),
                  atomic_load(&scripted->removes));
    assert_int_equal(1, scripted_count("a", GANTRY_STATE_RUNNING));
}

static void
a_manager_that_is_refused_touches_nothing(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.pings,
             ERROR("UNSUPPORTED_ERROR", "Only one connector manager is supported per instance"));
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(3000);
    print_message("starts %d, statuses told %d\n", atomic_load(&scripted->starts),
                  atomic_load(&w->fake.statuses));
    assert_int_equal(0, atomic_load(&scripted->starts));
}

static void
a_manager_that_is_refused_later_does_not_spin(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 60s\nping_interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    atomic_store(&scripted->start_image_missing, 1);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(5000, atomic_load(&scripted->starts) == 3)); /* the next waits 4 s */
    fake_set(&w->fake, w->fake.pings,
             ERROR("UNSUPPORTED_ERROR", "Only one connector manager is supported per instance"));
    pause_ms(6000);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    sleep(2); /* one call: our own waiting is not counted */
    getrusage(RUSAGE_SELF, &after);
    long woken = after.ru_nvcsw - before.ru_nvcsw;
    print_message("woken %ld times in 2 s\n", woken);
    assert_true(woken < 120);
}

/* ---- what is said, and the end --------------------------------------------------------------- */

static void
a_state_folder_that_cannot_be_written_is_said_once(void **state)
{
    struct world *w = *state;
    char path[160];
    snprintf(path, sizeof path, "%s/state", w->home);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/state/state.json", w->home);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/state/state.json/x", w->home);
    mkdir(path, 0700);
    with_local(w);
    write_connector(w, "a", "i", "starting");
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(22000);
    print_message("said %d times in 22 s\n", atomic_load(&w->state_warnings));
    assert_true(atomic_load(&w->state_warnings) <= 1);
}

static void
a_standing_reason_and_a_failing_stop_are_said_once_each(void **state)
{
    struct world *w = *state;
    with_opencti(w, "interval = 200ms", "");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "\"started\"")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(8000, scripted_count(NULL, GANTRY_STATE_RUNNING) == 1));
    atomic_store(&scripted->stop_fails, 1);
    atomic_store(&w->warnings, 0);
    fake_set(&w->fake, w->fake.listing,
             LISTED("{\"id\":\"a\",\"name\":\"a\",\"manager_contract_hash\":\"aa\","
                    "\"manager_contract_image\":\"\",\"manager_current_status\":\"started\","
                    "\"manager_requested_status\":\"stopping\"}"));
    pause_ms(12000);
    print_message("warnings in 12 s of two lasting faults: %d\n", atomic_load(&w->warnings));
    assert_true(atomic_load(&w->warnings) <= 3);
}

static atomic_int resolver_ms;
static int (*real_getaddrinfo)(const char *, const char *, const struct addrinfo *,
                               struct addrinfo **);
__attribute__((visibility("default"))) int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **out)
{
    if (node && strcmp(node, "nobody.invalid") == 0) {
        (void)poll(NULL, 0, atomic_load(&resolver_ms));
        return EAI_AGAIN;
    }
    return real_getaddrinfo(node, service, hints, out);
}

static void
a_resolver_that_hangs_does_not_hold_up_the_end(void **state)
{
    struct world *w = *state;
    settle_on(w, "");
    add_settings(w, "[platform opencti]\nurl = http://nobody.invalid\ntoken = t\nproxy = none\n"
                    "[backend scripted]\n");
    atomic_store(&resolver_ms, 10000);
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(500);
    int64_t began = clock_mono_ms();
    end(w);
    print_message("ended in %lld ms\n", (long long)(clock_mono_ms() - began));
    assert_true(clock_mono_ms() - began < 5000);
}

static void
a_resolver_that_hangs_does_not_hold_up_others(void **state)
{
    struct world *w = *state;
    settle_on(w, "interval = 100ms");
    add_settings(w,
                 "[platform opencti]\nurl = http://nobody.invalid\ntoken = t\nproxy = none\n"
                 "connect_timeout = 500ms\nrequest_timeout = 500ms\nlist_timeout = 500ms\n"
                 "[platform local]\npath = %s\n[backend scripted]\n",
                 w->folder);
    atomic_store(&resolver_ms, 6000);
    begin(w, GANTRY_RUN_DAEMON);
    pause_ms(1500);
    write_connector(w, "a", "i", "starting");
    int64_t began = clock_mono_ms();
    (void)WITHIN(15000, scripted_count("a", GANTRY_STATE_RUNNING) == 1);
    int64_t took = clock_mono_ms() - began;
    print_message("a connector of another platform runs after %lld ms\n", (long long)took);
    assert_true(took < 1500);
}

static void
down_says_what_it_could_not_remove(void **state)
{
    struct world *w = *state;
    with_local(w);
    write_connector(w, "a", "i", "starting");
    begin(w, GANTRY_RUN_ONCE);
    assert_true(WITHIN(10000, atomic_load(&w->ended)));
    end(w);
    scripted_set_state("a", GANTRY_STATE_REMOVING); /* an engine may be stuck on it for ever */
    atomic_store(&scripted->list_ms, 10);
    atomic_store(&scripted->keep_removing, 1);
    begin(w, GANTRY_RUN_DOWN);
    assert_true(WITHIN(10000, atomic_load(&w->ended)));
    assert_int_equal(1, scripted_count("a", -1));
    assert_true(w->code < 0);
}

static bool
find_plugin(void)
{
    void *plugin = dlopen(GANTRY_BINARY_DIR "/tests/plugins/gantry-scripted.so", RTLD_NOW);
    if (!plugin)
        return false;
    *(void **)&real_getaddrinfo = dlsym(RTLD_NEXT, "getaddrinfo");
    scripted = dlsym(plugin, "scripted");
    *(void **)&scripted_clear = dlsym(plugin, "scripted_clear");
    *(void **)&scripted_set_state = dlsym(plugin, "scripted_set_state");
    *(void **)&scripted_count = dlsym(plugin, "scripted_count");
    return scripted && scripted_clear && scripted_set_state && scripted_count;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(once_removes_what_is_not_listed_any_more),
        T(once_ends_when_configurations_are_refused),
        T(once_ends_when_a_configuration_does_not_come),
        T(once_serves_a_platform_while_another_is_away),
        T(once_ends_when_the_manager_is_refused),
        T(a_dry_run_on_a_platform_ends),
        T(a_dry_run_that_waits_does_not_spin),
        T(a_report_that_finds_no_connector_is_not_repeated_at_once),
        T(a_status_that_the_platform_lost_is_told_again),
        T(logs_are_read_in_their_own_interval),
        T(a_replace_that_is_past_cancelling_is_not_joined_by_another),
        T(those_that_wait_for_a_worker_wait_once),
        T(two_backends_that_hang_end_within_five_seconds),
        T(an_inspection_that_finds_nothing_makes_no_storm),
        T(an_inspection_that_finds_it_being_removed_makes_no_storm),
        T(an_inspection_older_than_an_action_says_nothing),
        T(a_hash_that_cannot_be_read_is_said_once),
        T(one_that_is_being_removed_does_not_hide_that_all_have_vanished),
        T(a_workload_without_a_platform_is_never_removed),
        T(a_manager_that_is_refused_touches_nothing),
        T(a_manager_that_is_refused_later_does_not_spin),
        T(a_state_folder_that_cannot_be_written_is_said_once),
        T(a_standing_reason_and_a_failing_stop_are_said_once_each),
        T(a_resolver_that_hangs_does_not_hold_up_the_end),
        T(a_resolver_that_hangs_does_not_hold_up_others),
        T(down_says_what_it_could_not_remove),
        T(a_start_that_outlives_the_manager_reads_nothing_of_it),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
