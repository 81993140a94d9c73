/* scripted_world.h - a whole manager between a platform and a plugin that do what a test tells them. */
#ifndef TESTS_MANAGER_SCRIPTED_WORLD_H
#define TESTS_MANAGER_SCRIPTED_WORLD_H

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

#include "connector_folder.h"
#include "within.h"

#include <dlfcn.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* No test needs all that is here. */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"

enum { TEXT_BYTES = 16384 };

static struct scripted *scripted;
static void (*scripted_clear)(void);
static void (*scripted_set_state)(const char *id, uint32_t state);
static int (*scripted_count)(const char *id, int state);
static int (*scripted_count_in)(const char *place, const char *id, int state);
static void (*scripted_end)(const char *id, int code, int out_of_memory, int ran_ms);
static void (*scripted_restart)(const char *id, int code, int ran_ms);
static void (*scripted_vanish)(const char *id);
static void (*scripted_end_in)(const char *place, const char *id, int code, int ran_ms);
static void (*scripted_move)(const char *from, const char *to);

/* ---- a platform ------------------------------------------------------------------------------ */

struct platform_fake {
    struct server *server;
    pthread_mutex_t lock;
    char listing[TEXT_BYTES], configurations[TEXT_BYTES], reports[TEXT_BYTES], pings[TEXT_BYTES];
    char told_status[TEXT_BYTES], told_logs[TEXT_BYTES],
        told_health[TEXT_BYTES]; /* bodies of the last that had some */
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
        if (strstr(x->body, "updateConnectorCurrentStatus"))
            fake_set(f, f->told_status, x->body);
        if (strstr(x->body, "updateConnectorLogs"))
            fake_set(f, f->told_logs, x->body);
        if (strstr(x->body, "updateConnectorHealth"))
            fake_set(f, f->told_health, x->body);
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

static bool
fake_was_told(struct platform_fake *f, char what[TEXT_BYTES], const char *text)
{
    static _Thread_local char body[TEXT_BYTES];
    fake_copy(f, body, what);
    return strstr(body, text) != NULL;
}

/* ---- a world --------------------------------------------------------------------------------- */

struct world {
    char home[64], folder[96], settings[4096];
    struct platform_fake fake;
    struct gantry_manager *manager;
    pthread_t thread;
    uint32_t how;
    int code;
    atomic_bool ended;
    atomic_int warnings, watch_warnings, offline_warnings, state_warnings, ends_said;
    atomic_int drained_said, would_act;
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
    if (level <= 1 && memmem(line, length, "watch", 5))
        atomic_fetch_add(&w->watch_warnings, 1);
    if (level <= 1 && memmem(line, length, "by its last listing", 19))
        atomic_fetch_add(&w->offline_warnings, 1);
    if (memmem(line, length, "state cannot be written", 23))
        atomic_fetch_add(&w->state_warnings, 1);
    if (memmem(line, length, "its section can be removed", 26))
        atomic_fetch_add(&w->drained_said, 1);
    if (memmem(line, length, "would act", 9))
        atomic_fetch_add(&w->would_act, 1);
    if (memmem(line, length, "workload ended", 14))
        atomic_fetch_add(&w->ends_said, 1);
}

static void
write_connector(const struct world *w, const char *name, const char *image, const char *requested)
{
    folder_write(w->folder, name, image, requested);
}

static void
remove_connector(const struct world *w, const char *name)
{
    folder_remove(w->folder, name);
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
    assert_non_null(w);
    make_home(w->home);
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
    if (gantry_manager_new(&options, &w->manager, &err) < 0 ||
        gantry_manager_open(w->manager, &err) < 0)
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

static void
pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* Does the count stand still for so long, sooner or later? */
static bool
rests(atomic_int *count, int ms)
{
    int64_t until = clock_mono_ms() + COMES_MS, since = clock_mono_ms();
    int before = atomic_load(count);
    while (clock_mono_ms() < since + ms && clock_mono_ms() < until) {
        pause_ms(5);
        if (atomic_load(count) != before)
            since = clock_mono_ms();
        before = atomic_load(count);
    }
    return clock_mono_ms() >= since + ms;
}

/* Starts the tests, or says 77 where the plugin is not built. */
static bool
find_plugin(void)
{
    void *plugin = dlopen(GANTRY_BINARY_DIR "/tests/plugins/gantry-scripted.so", RTLD_NOW);
    if (!plugin)
        return false;
    scripted = dlsym(plugin, "scripted");
    *(void **)&scripted_clear = dlsym(plugin, "scripted_clear");
    *(void **)&scripted_set_state = dlsym(plugin, "scripted_set_state");
    *(void **)&scripted_count = dlsym(plugin, "scripted_count");
    *(void **)&scripted_count_in = dlsym(plugin, "scripted_count_in");
    *(void **)&scripted_end = dlsym(plugin, "scripted_end");
    *(void **)&scripted_restart = dlsym(plugin, "scripted_restart");
    *(void **)&scripted_end_in = dlsym(plugin, "scripted_end_in");
    *(void **)&scripted_move = dlsym(plugin, "scripted_move");
    *(void **)&scripted_vanish = dlsym(plugin, "scripted_vanish");
    return scripted && scripted_clear && scripted_set_state && scripted_count &&
           scripted_count_in && scripted_end && scripted_restart && scripted_vanish &&
           scripted_end_in && scripted_move;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
