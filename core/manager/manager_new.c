/* manager_new.c - makes a manager out of its settings: contacts nobody, changes nothing. */
#include "manager_internal.h"

#include "buf.h"
#include "err.h"
#include "file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

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
copy_environment(struct gantry_manager *m, char *const *from, struct gantry_error **err)
{
    size_t n = 0;
    while (from && from[n])
        n++;
    m->environment = calloc(n + 1, sizeof *m->environment);
    for (size_t i = 0; m->environment && i < n; i++) {
        if (!(m->environment[i] = text_dup(from[i])))
            return err_nomem(err);
    }
    return m->environment ? 0 : err_nomem(err);
}

/* All problems become one error: the first is its message, the others are its causes, in order. */
static int
problems(const struct config *config, struct gantry_error **err)
{
    size_t n = config_problem_count(config);
    if (n == 0)
        return 0;
    if (!err)
        return GANTRY_E_INVALID;
    struct gantry_error **slot = err;
    for (size_t i = 0; i < n; i++) {
        (void)err_set(slot, GANTRY_E_INVALID, "%s", config_problem(config, i));
        if ((*slot)->code == GANTRY_E_NOMEM)
            break; /* a static object: nothing can hang on it */
        slot = &(*slot)->cause;
    }
    return GANTRY_E_INVALID;
}

/* ---- the key
 * -------------------------------------------------------------------------------------- */

static int
add_key(struct gantry_manager *m, const struct secret *pem, const char *origin, bool current,
        struct gantry_error **err)
{
    struct crypto_key *key = NULL;
    int code = crypto_key_parse(secret_bytes(pem), m->settings->key_passphrase, origin, &key, err);
    if (code < 0)
        return code;
    char fingerprint[65];
    if (current) {
        code = crypto_key_public_pem(key, CRYPTO_PUBLIC_PKCS1, &m->public_key, err);
        if (code == 0)
            code = crypto_key_fingerprint(key, fingerprint, err);
        if (code == 0 && !(m->fingerprint = text_dup(fingerprint)))
            code = err_nomem(err);
        if (code == 0 && crypto_key_is_short(key))
            log_warn(&m->log, "the manager's key is short: 3072 bits or more are advised",
                     F_INT("bits", crypto_key_bits(key)));
    }
    if (code < 0) {
        crypto_key_free(key);
        return code;
    }
    return crypto_ring_add(m->ring, key, err);
}

/* What is no PEM at all is among the settings' problems already. */
static bool
is_pem(const struct secret *key)
{
    struct str text = secret_bytes(key);
    return text.len > 0 && memmem(text.ptr, text.len, "-----BEGIN", 10) != NULL;
}

static int
read_keys(struct gantry_manager *m, struct gantry_error **err)
{
    const struct config_manager *s = m->settings;
    if (!s->key)
        return 0;
    int code = crypto_ring_new(&m->ring, err);
    if (code < 0)
        return code;
    struct gantry_error *why = NULL;
    if (is_pem(s->key))
        code = add_key(m, s->key, s->key_origin, true, &why);
    if (code == GANTRY_E_INVALID)
        code = config_add_problem(m->config, "manager", "key", err_text(why));
    for (size_t i = 0; code == 0 && i < s->old_key_count; i++) {
        err_clear(&why);
        if (is_pem(&s->old_keys[i]))
            code = add_key(m, &s->old_keys[i], s->old_key_origins[i], false, &why);
        if (code == GANTRY_E_INVALID)
            code = config_add_problem(m->config, "manager", "old_keys", err_text(why));
    }
    if (code < 0)
        err_move(err, &why);
    err_clear(&why);
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
    if (file_read("/etc/machine-id", 256, &machine, NULL, NULL) < 0 &&
        gethostname(host, sizeof host - 1))
        host[0] = '\0';
    const char *folder = NULL;
    for (size_t i = 0; !folder && i < m->platform_count; i++)
        folder = config_platform(m->config, i)->path;
    if (folder && !realpath(folder, real))
        snprintf(real, sizeof real, "%s", folder);
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
load_backend(struct gantry_manager *m, size_t i, struct gantry_error **err)
{
    struct backend_side *b = &m->backends[i];
    b->manager = m;
    b->index = i;
    b->settings = config_backend(m->config, i);
    AUTO_FREE char *section = NULL;
    AUTO_BUF struct buf name = BUF_INIT(1024);
    buf_add_fmt(&name, "backend %s", b->settings->name);
    if (!(section = buf_take(&name)))
        return err_nomem(err);
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
    AUTO_ERR struct gantry_error *why = NULL;
    int code = runtime_plugin_load(b->settings->plugin, folders, n, &b->plugin, &why);
    if (code == GANTRY_E_NOMEM)
        return err_nomem(err);
    if (code < 0)
        return config_add_problem(m->config, section, "plugin", err_text(why));
    return config_bind(m->config, i, runtime_plugin_table(b->plugin), err);
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
        .environment = m->environment,
    };
    int code = platform_new(p->settings, &context, &p->platform, err);
    return code < 0 ? err_wrap(err, code, "platform '%s'", p->settings->name) : 0;
}

static int
read_settings(struct gantry_manager *m, const struct gantry_options *o, struct gantry_error **err)
{
    struct config_options options = {
        .path = o->path,
        .text = o->text,
        .environment = m->environment,
    };
    int code = config_read(&options, &m->config, err);
    if (code < 0)
        return code;
    m->settings = config_manager(m->config);
    struct log_sink sink = {0};
    bool json = false;
    struct gantry_error *why = NULL;
    code = log_output_new(config_log(m->config), &m->output, &sink, &json, &why);
    if (code == GANTRY_E_NOMEM)
        err_move(err, &why);
    else if (code < 0)
        code = config_add_problem(m->config, "log", "file", err_text(why));
    err_clear(&why);
    if (code < 0)
        return code;
    enum log_level level = LOG_INFO;
#define LEVEL_(name, word)                                                                         \
    if (text_eq(config_log(m->config)->level, word))                                               \
        level = LOG_##name;
    LOG_LEVELS(LEVEL_)
#undef LEVEL_
    m->log.level = level;
    m->log.format = json ? LOG_JSON : LOG_TEXT;
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
        map_init(&p->connectors);
    }
    return 0;
}

/* Every step adds its problems to the configuration's, so that one run shows all of them. */
static int
build(struct gantry_manager *m, const struct gantry_options *o, struct gantry_error **err)
{
    int code = copy_environment(m, o->environment, err);
    if (code == 0)
        code = read_settings(m, o, err);
    if (code == 0)
        code = make_sides(m, err);
    for (size_t i = 0; code == 0 && i < m->backend_count; i++)
        code = load_backend(m, i, err);
    if (code == 0)
        code = config_finish(m->config, err);
    if (code == 0)
        code = read_keys(m, err);
    if (code == 0)
        code = problems(m->config, err);
    if (code == 0)
        code = make_id(m, err);
    if (code == 0)
        code = http_loop_new(&m->http, err);
    if (code == 0)
        code = runtime_new((size_t)m->settings->concurrency + READ_WORKERS * m->backend_count,
                           &m->log, &m->runtime, err);
    for (size_t i = 0; code == 0 && i < m->backend_count; i++)
        code = open_backend(m, &m->backends[i], err);
    if (code == 0)
        code = problems(m->config, err);
    for (size_t i = 0; code == 0 && i < m->platform_count; i++)
        code = make_platform(m, i, err);
    return code;
}

/* Lines for the embedder's callback. */
struct callback {
    void (*log)(void *context, int level, const char *line, size_t length);
    void *context;
};

static void
write_to_callback(void *context, enum log_level level, const char *line, size_t length)
{
    const struct callback *c = context;
    c->log(c->context, (int)level, line, length);
}

int
gantry_manager_new(const struct gantry_options *given, struct gantry_manager **out,
                   struct gantry_error **err)
{
    struct gantry_options o = {0};
    memcpy(&o, given, MIN(given->size, sizeof o));
    struct gantry_manager *m = calloc(1, sizeof *m);
    struct callback *callback = o.log ? calloc(1, sizeof *callback) : NULL;
    if (!m || (o.log && !callback)) {
        free(m);
        free(callback);
        return err_nomem(err);
    }
    m->lock_fd = -1;
    m->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&m->stopping, false);
    pthread_mutex_init(&m->snapshot_lock, NULL);
    struct log_sink sink = {0};
    if (callback) {
        *callback = (struct callback){o.log, o.log_context};
        sink = (struct log_sink){write_to_callback, callback};
    }
    m->callback = callback;
    log_init(&m->log, LOG_INFO, LOG_TEXT, sink);
    int code = m->stop_fd >= 0 ? build(m, &o, err)
                               : err_set(err, GANTRY_E_UNAVAILABLE, "out of file descriptors");
    if (code < 0) {
        gantry_manager_free(m);
        return code;
    }
    for (size_t i = 0; i < config_warning_count(m->config); i++)
        log_warn(&m->log, "settings", F_STR("warning", config_warning(m->config, i)));
    *out = m;
    return 0;
}

static void
platform_side_clear(struct platform_side *p)
{
    platform_free(p->platform); /* first: it must not call back into what is freed now */
    map_each (&p->connectors, e)
        connector_free(e->value);
    map_clear(&p->connectors);
    vec_clear(&p->report_queue);
    free(p->ping.problem);
    free(p->list.problem);
    free(p->configure.problem);
    free(p->doubt);
    free(p->report_problem);
}

void
gantry_manager_free(struct gantry_manager *m)
{
    if (!m)
        return;
    /* Cancels what runs; a job's owner is only looked at when a result is taken, and none is any
     * more. */
    runtime_free(m->runtime); /* first, so that all backends end at the same time */
    for (size_t i = 0; i < m->backend_count; i++)
        runtime_close(m->backends[i].backend);
    for (size_t i = 0; i < m->platform_count; i++)
        platform_side_clear(&m->platforms[i]);
    for (size_t i = 0; i < m->backend_count; i++) {
        runtime_plugin_free(m->backends[i].plugin);
        vec_clear(&m->backends[i].read_queue);
        free(m->backends[i].list.problem);
    }
    http_loop_free(m->http);
    state_close(m);
    free(m->platforms);
    free(m->backends);
    vec_clear(&m->touched);
    vec_clear(&m->waiting);
    err_clear(&m->first_error);
    gantry_snapshot_free(m->snapshot);
    pthread_mutex_destroy(&m->snapshot_lock);
    crypto_ring_free(m->ring);
    free(m->public_key);
    free(m->fingerprint);
    for (size_t i = 0; m->environment && m->environment[i]; i++)
        free(m->environment[i]);
    free(m->environment);
    config_free(m->config);
    if (m->stop_fd >= 0)
        close(m->stop_fd);
    log_clear(&m->log);
    log_output_free(m->output);
    free(m->callback);
    free(m);
}
