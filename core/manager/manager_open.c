/* manager_open.c - makes a manager work: reads and checks its settings, loads and opens its plugins,
 * reads its key.  Contacts nobody, changes nothing, and can be undone. */
#include "manager_internal.h"

#include "events.h"
#include "places.h"

#include "buf.h"
#include "err.h"
#include "file.h"
#include "settings.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

struct backend_side *
manager_backend_of(struct gantry_manager *m, const struct runtime_job *job)
{
    for (size_t i = 0; i < m->backend_count; i++) {
        if (m->backends[i].backend == job->backend)
            return &m->backends[i];
    }
    return NULL;
}

static int
read_keys(struct gantry_manager *m, struct gantry_error **err)
{
    int code = keys_read(m->config, &m->ring, err);
    const struct crypto_key *key = crypto_ring_current(m->ring);
    char fingerprint[65];
    if (code < 0 || !key) /* none is given, or it is among the problems */
        return code;
    code = crypto_key_public_pem(key, CRYPTO_PUBLIC_PKCS1, &m->public_key, err);
    if (code == 0)
        code = crypto_key_fingerprint(key, fingerprint, err);
    if (code == 0 && !(m->fingerprint = text_dup(fingerprint)))
        code = err_nomem(err);
    if (code == 0 && crypto_key_is_short(key))
        log_warn(&m->log, "the manager's key is short: 3072 bits or more are advised",
                 F_INT("bits", crypto_key_bits(key)));
    return code;
}

/* With local platforms alone the id may be left out: the same for the same machine and folder. */
static int
make_id(struct gantry_manager *m, struct gantry_error **err)
{
    if (m->settings->id)
        return 0;
    AUTO_FREE char *machine = NULL;
    char host[256] = "", real[PATH_MAX] = "", digest[65], id[64];
    int code = file_read("/etc/machine-id", 256, &machine, NULL, err);
    if (code == GANTRY_E_NOT_FOUND || code == GANTRY_E_DENIED || code == GANTRY_E_INVALID) {
        err_clear(err); /* so it will be next time */
        if (gethostname(host, sizeof host - 1))
            host[0] = '\0';
    } else if (code < 0) {
        return code; /* by another id, what runs would be taken for somebody else's (S1) */
    }
    const char *folder = NULL;
    for (size_t i = 0; !folder && i < m->platform_count; i++)
        folder = config_platform(m->config, i)->path;
    if (folder && !realpath(folder, real)) {
        if (errno == ENOMEM)
            return err_nomem(err);
        snprintf(real, sizeof real, "%s", folder);
    }
    AUTO_BUF struct buf text = BUF_INIT((size_t)2 * PATH_MAX);
    buf_add(&text, str_trim(str_of(machine ? machine : host)));
    buf_add_char(&text, '\n');
    buf_add_text(&text, real);
    if (buf_failed(&text) || crypto_sha256_hex(buf_view(&text), digest) < 0)
        return err_nomem(err);
    snprintf(id, sizeof id, "local-%.16s", digest);
    return config_set_manager_id(m->config, id) < 0 ? err_nomem(err) : 0;
}

/* ---- backends and platforms
 * ----------------------------------------------------------------------- */

static int
load_plugin(struct gantry_manager *m, const char *name, struct runtime_plugin **out,
            struct gantry_error **err)
{
    const struct config_list *path = &m->settings->plugin_path;
    AUTO_FREE char *bundled = runtime_bundled_folder();
    AUTO_FREE const char **folders = calloc(path->count + 1, sizeof *folders);
    if (!folders)
        return err_nomem(err);
    size_t n = 0;
    for (; n < path->count; n++)
        folders[n] = path->items[n];
    if (bundled)
        folders[n++] = bundled;
    return runtime_plugin_load(name, folders, n, out, err);
}

static int
load_backend(struct gantry_manager *m, size_t i, struct gantry_error **err)
{
    struct backend_side *b = &m->backends[i];
    b->manager = m;
    b->index = i;
    b->settings = config_backend(m->config, i);
    b->watch.proof_ms = NEVER_MS;
    map_init_borrowing(&b->handles);
    map_init(&b->strangers);
    b->plugin = manager_added_plugin(m, b->settings->plugin);
    b->plugin_is_added = b->plugin != NULL;
    if (!b->plugin) {
        AUTO_ERR struct gantry_error *why = NULL;
        AUTO_BUF struct buf section = BUF_INIT(1024);
        buf_add_fmt(&section, "backend %s", b->settings->name);
        int code = load_plugin(m, b->settings->plugin, &b->plugin, &why);
        if (code == GANTRY_E_NOMEM || buf_failed(&section))
            return err_nomem(err);
        if (code < 0)
            return config_add_problem(m->config, buf_text(&section), "plugin", err_text(why));
    }
    int code = config_bind(m->config, i, runtime_plugin_table(b->plugin), err);
    if (code == 0 && places_open(b) < 0)
        code = err_nomem(err);
    return code;
}

/* open() checks what a table cannot say; it contacts nobody. */
static int
open_backend(struct gantry_manager *m, struct backend_side *b, struct gantry_error **err)
{
    AUTO_ERR struct gantry_error *why = NULL;
    int code = runtime_open(m->runtime, b->plugin, config_backend_settings(m->config, b->index),
                            &b->backend, &why);
    if (code == 0)
        return 0;
    if (code == GANTRY_E_NOMEM)
        return err_nomem(err);
    AUTO_BUF struct buf name = BUF_INIT(1024);
    buf_add_fmt(&name, "backend %s", b->settings->name);
    return buf_failed(&name) ? err_nomem(err)
                             : config_add_problem(m->config, buf_text(&name), NULL, err_text(why));
}

static int
make_platform(struct gantry_manager *m, size_t i, struct gantry_error **err)
{
    struct platform_side *p = &m->platforms[i];
    struct platform_context context = {
        .http = m->http,
        .log = &m->log,
        .manager_id = m->settings->id,
        .manager_name = m->settings->name,
        .public_key = m->public_key,
        .environment = m->given.environment,
        .custom = manager_added_platform(m, p->settings->name),
    };
    AUTO_ERR struct gantry_error *why = NULL;
    int code = platform_new(p->settings, &context, &p->platform, &why);
    if (code == GANTRY_E_INVALID) {
        AUTO_BUF struct buf section = BUF_INIT(1024);
        buf_add_fmt(&section, "platform %s", p->settings->name);
        return buf_failed(&section)
                   ? err_nomem(err)
                   : config_add_problem(m->config, buf_text(&section), NULL, err_text(why));
    }
    if (code < 0) {
        err_move(err, &why);
        return err_wrap(err, code, "platform '%s'", p->settings->name);
    }
    int fd = platform_fd(p->platform);
    return fd < 0 ? 0 : manager_wait_for(m, fd, err);
}

static int
read_settings(struct gantry_manager *m, struct gantry_error **err)
{
    struct log_sink sink = {0};
    bool json = false;
    int code = settings_read(m, NULL, &m->config, err);
    if (code < 0)
        return code;
    m->settings = config_manager(m->config);
    code = settings_open_log(m->config, &m->output, &sink, &json, err);
    if (code < 0)
        return code;
    settings_take_log(m, m->config, json);
    if (!m->log.sink.write)
        m->log.sink = sink;
    return 0;
}

static int
make_sides(struct gantry_manager *m, struct gantry_error **err)
{
    m->backend_count = config_backend_count(m->config);
    m->platform_count = config_platform_count(m->config);
    m->backends = calloc(m->backend_count + 1, sizeof *m->backends);
    m->platforms = calloc(m->platform_count + 1, sizeof *m->platforms);
    if (!m->backends || !m->platforms) {
        m->backend_count = m->platform_count = 0;
        return err_nomem(err);
    }
    for (size_t i = 0; i < m->platform_count; i++) {
        struct platform_side *p = &m->platforms[i];
        p->manager = m;
        p->settings = config_platform(m->config, i);
        if (p->settings->backend < m->backend_count) /* else it is among the problems */
            p->backend = &m->backends[p->settings->backend];
        map_init_borrowing(&p->connectors);
        map_init_borrowing(&p->shared);
    }
    return 0;
}

/* Every step adds its problems to the configuration's, so that one run shows all of them. */
static int
read_all(struct gantry_manager *m, struct gantry_error **err)
{
    int code = read_settings(m, err);
    if (code == 0)
        code = make_sides(m, err);
    for (size_t i = 0; code == 0 && i < m->backend_count; i++)
        code = load_backend(m, i, err);
    if (code == 0)
        code = config_finish(m->config, err);
    if (code == 0)
        code = read_keys(m, err);
    if (code == 0)
        code = config_judge(m->config, err);
    return code == 0 ? make_id(m, err) : code;
}

static int
make_all(struct gantry_manager *m, struct gantry_error **err)
{
    int code = http_loop_new(&m->http, err);
    if (code == 0)
        code = runtime_new((size_t)m->settings->concurrency + READ_WORKERS * m->backend_count,
                           &m->log, &m->runtime, err);
    if (code == 0 && m->settings->state_dir &&
        runtime_keep_in(m->runtime, m->settings->state_dir) < 0)
        code = err_nomem(err);
    if (code == 0)
        code = manager_wait_for(m, http_loop_fd(m->http), err);
    if (code == 0)
        code = manager_wait_for(m, runtime_fd(m->runtime), err);
    for (size_t i = 0; code == 0 && i < m->backend_count; i++)
        code = open_backend(m, &m->backends[i], err);
    if (code == 0)
        code = config_judge(m->config, err);
    for (size_t i = 0; code == 0 && i < m->platform_count; i++)
        code = make_platform(m, i, err);
    return code == 0 ? config_judge(m->config, err) : code;
}

static int
open_locked(struct gantry_manager *m, struct gantry_error **err)
{
    if (m->open)
        return 0;
    int code = read_all(m, err);
    if (code == 0)
        code = make_all(m, err);
    if (code < 0) {
        manager_close(m);
        return code;
    }
    m->open = true;
    settings_warn(m);
    return 0;
}

int
gantry_manager_open(struct gantry_manager *m, struct gantry_error **err)
{
    pthread_mutex_lock(&m->lock);
    int code = open_locked(m, err);
    pthread_mutex_unlock(&m->lock);
    return code;
}

/* ---- the way back ---------------------------------------------------------------------------- */

static void
platform_side_clear(struct platform_side *p)
{
    platform_free(p->platform); /* first: it must not call back into what is freed now */
    map_each (&p->connectors, e)
        connector_free(e->value);
    map_clear(&p->connectors);
    map_clear(&p->shared);
    vec_clear(&p->report_queue);
    free(p->ping.problem);
    free(p->list.problem);
    free(p->configure.problem);
    free(p->doubt);
    free(p->report_problem);
}

static void
backend_side_clear(struct backend_side *b)
{
    if (!b->plugin_is_added)
        runtime_plugin_free(b->plugin);
    vec_clear(&b->read_queue);
    watching_clear(b);
    images_clear(&b->images);
    free(b->list.problem);
    free(b->place);
}

void
manager_close(struct gantry_manager *m)
{
    /* Cancels what runs; a job's owner is only looked at when a result is taken, and none is any
     * more.  First, so that all backends end at the same time. */
    runtime_end(m->runtime);
    for (size_t i = 0; i < m->backend_count; i++)
        runtime_close(m->backends[i].backend);
    runtime_free(TAKE(m->runtime));
    for (size_t i = 0; i < m->platform_count; i++)
        platform_side_clear(&m->platforms[i]);
    for (size_t i = 0; i < m->backend_count; i++)
        backend_side_clear(&m->backends[i]);
    http_loop_free(TAKE(m->http));
    events_close(m);
    state_close(m);
    free(TAKE(m->platforms));
    free(TAKE(m->backends));
    m->platform_count = m->backend_count = 0;
    places_clear(m);
    vec_clear(&m->touched);
    vec_clear(&m->waiting);
    pauses_clear(&m->pauses);
    err_clear(&m->first_error);
    crypto_ring_free(TAKE(m->ring));
    free(TAKE(m->public_key));
    free(TAKE(m->fingerprint));
    free(TAKE(m->settings_problem));
    config_free(TAKE(m->config));
    m->settings = NULL;
    log_clear(&m->log);
    log_output_free(TAKE(m->output));
    manager_log_begin(m);
    m->open = false;
}
