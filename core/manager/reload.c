/* reload.c - the settings: read at first, and read again while the manager runs.  Then all of them are
 * taken over, or, when one is wrong or needs a restart, none.
 *
 * Jobs have copies of what they need, and platforms too: nothing but the loop's own structures points
 * into a configuration, so the old one goes as soon as the fresh one is in its place. */
#include "settings.h"

#include "events.h"

#include "buf.h"
#include "clock.h"
#include "err.h"

/* ---- reading --------------------------------------------------------------------------------- */

int
settings_read(const struct gantry_manager *m, const struct config *running, struct config **out,
              struct gantry_error **err)
{
    struct config_options options = {
        .path = m->given.path,
        .text = m->given.text,
        .environment = m->given.environment,
        .assignments = m->given.assignments.ptr,
        .assignment_count = m->given.assignments.len,
        .running = running,
    };
    return config_read(&options, out, err);
}

/* A file that cannot be written is a problem of the settings, like the others. */
int
settings_open_log(struct config *config, struct log_output **out, struct log_sink *sink, bool *json,
                  struct gantry_error **err)
{
    AUTO_ERR struct gantry_error *why = NULL;
    int code = log_output_new(config_log(config), out, sink, json, &why);
    if (code == GANTRY_E_NOMEM)
        return err_nomem(err);
    return code < 0 ? config_add_problem(config, "log", "file", err_text(why)) : 0;
}

void
settings_take_log(struct gantry_manager *m, const struct config *config, bool json)
{
    enum log_level level = LOG_INFO;
#define LEVEL_(name, word)                                                                         \
    if (text_eq(config_log(config)->level, word))                                                  \
        level = LOG_##name;
    LOG_LEVELS(LEVEL_)
#undef LEVEL_
    m->log.level = level;
    m->log.format = json ? LOG_JSON : LOG_TEXT;
}

/* ---- reading again --------------------------------------------------------------------------- */

struct fresh {
    struct config *config;
    struct crypto_ring *ring;
    struct log_output *output;
    bool json;
};

/* The plugins stay as they are loaded.  What is not among them is told by config_reload_check(). */
static int
bind_backends(struct gantry_manager *m, struct config *config, struct gantry_error **err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < MIN(m->backend_count, config_backend_count(config)); i++) {
        const struct config_backend *fresh = config_backend(config, i);
        const struct config_backend *old = m->backends[i].settings;
        AUTO_BUF struct buf section = BUF_INIT(1024);
        buf_add_fmt(&section, "backend %s", fresh->name);
        if (buf_failed(&section))
            return err_nomem(err);
        if (!text_eq(fresh->name, old->name))
            continue;
        if (text_eq(fresh->plugin, old->plugin))
            code = config_bind(config, i, runtime_plugin_table(m->backends[i].plugin), err);
        else
            code = config_add_problem(
                config, buf_text(&section), "plugin",
                "has changed, which needs a restart; restart, or change it back");
    }
    return code;
}

static int
read_again(struct gantry_manager *m, struct fresh *fresh, struct gantry_error **err)
{
    struct log_sink sink; /* the one that is in place stays there */
    int code = settings_read(m, m->config, &fresh->config, err);
    if (code == 0)
        code = settings_open_log(fresh->config, &fresh->output, &sink, &fresh->json, err);
    if (code == 0)
        code = bind_backends(m, fresh->config, err);
    if (code == 0)
        code = config_finish(fresh->config, err);
    if (code == 0)
        code = keys_read(fresh->config, &fresh->ring, err);
    if (code == 0)
        code = config_reload_check(m->config, fresh->config, err);
    return code;
}

/* ---- taking over ----------------------------------------------------------------------------- */

/* The only part that can fail: first, and undone where it did. */
static int
take_platforms(struct gantry_manager *m, const struct config *config, struct gantry_error **err)
{
    for (size_t i = 0; i < m->platform_count; i++) {
        int code =
            platform_take_settings(m->platforms[i].platform, config_platform(config, i), err);
        if (code == 0)
            continue;
        while (i-- > 0) {
            struct platform_side *p = &m->platforms[i];
            if (platform_take_settings(p->platform, p->settings, NULL) < 0)
                log_error(&m->log,
                          "platform has the new settings, others have the old: reload again",
                          F_STR("platform", p->settings->name));
        }
        return code;
    }
    return 0;
}

/* What is asked in a rhythm keeps its last time, and has the new period from there. */
static void
change_pace(struct asking *a, int64_t old_ms, int64_t new_ms, int64_t now_ms)
{
    if (!a->in_flight && !a->failing && a->next_ms > now_ms)
        a->next_ms = MAX(now_ms, a->next_ms + new_ms - old_ms);
}

/* What failed may have been healed by the new settings: a token, a certificate. */
static void
ask_again(struct asking *a, int64_t now_ms)
{
    if (!a->in_flight && a->failing)
        a->next_ms = now_ms;
}

static void
change_connector(struct connector *c, const struct config_platform *old,
                 const struct config_platform *fresh, int64_t now_ms)
{
    if (old->logs_interval_ms != fresh->logs_interval_ms && c->logs_ms != NEVER_MS &&
        c->logs_ms > now_ms)
        c->logs_ms = connector_next(now_ms, fresh->logs_interval_ms);
    if (old->health_interval_ms != fresh->health_interval_ms && c->health_ms != NEVER_MS &&
        c->health_ms > now_ms)
        c->health_ms = connector_next(now_ms, fresh->health_interval_ms);
    if (old->logs_lines != fresh->logs_lines)
        tail_resize(&c->tail, fresh->logs_lines);
    /* What could not be done may go well now: a registry's password, an image.  A loop is no matter of
     * settings, and stays spaced (S9). */
    if (c->memory.failures > 0 && !c->memory.in_loop)
        c->memory.retry_ms = 0;
    connector_touch(c);
}

static void
take_pace(struct gantry_manager *m, const struct config *config)
{
    const struct config_manager *old = m->settings, *fresh = config_manager(config);
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < m->platform_count; i++) {
        struct platform_side *p = &m->platforms[i];
        change_pace(&p->ping, old->ping_interval_ms, fresh->ping_interval_ms, now);
        change_pace(&p->list, old->interval_ms, fresh->interval_ms, now);
        ask_again(&p->ping, now);
        ask_again(&p->list, now);
        ask_again(&p->configure, now);
        map_each (&p->connectors, e)
            change_connector(e->value, p->settings, config_platform(config, i), now);
    }
    for (size_t i = 0; i < m->backend_count; i++)
        change_pace(&m->backends[i].list, old->interval_ms, fresh->interval_ms, now);
    m->scan_ms = now;
}

static void
take_over(struct gantry_manager *m, struct fresh *fresh)
{
    struct config *old = m->config;
    take_pace(m, fresh->config);
    m->config = TAKE(fresh->config);
    m->settings = config_manager(m->config);
    for (size_t i = 0; i < m->platform_count; i++)
        m->platforms[i].settings = config_platform(m->config, i);
    for (size_t i = 0; i < m->backend_count; i++)
        m->backends[i].settings = config_backend(m->config, i);
    crypto_ring_free(m->ring); /* what is being started keeps its own share */
    m->ring = TAKE(fresh->ring);
    log_output_swap(m->output, fresh->output, &m->log);
    settings_take_log(m, m->config, fresh->json);
    config_free(old);
    (void)text_set(&m->settings_problem, NULL);
    events_manager(m, "running", "running", "its settings were read again", NULL);
    settings_warn(m);
    log_info(&m->log, "settings reloaded", F_STR("file", m->given.path));
}

void
settings_warn(struct gantry_manager *m)
{
    for (size_t i = 0; i < config_warning_count(m->config); i++)
        log_warn(&m->log, "settings", F_STR("warning", config_warning(m->config, i)));
}

static void
refuse(struct gantry_manager *m, const struct config *config, const char *why)
{
    size_t count = config ? config_problem_count(config) : 0;
    if (why)
        log_error(&m->log, "settings problem", F_STR("problem", why));
    for (size_t i = 0; !why && i < count; i++)
        log_error(&m->log, "settings problem", F_STR("problem", config_problem(config, i)));
    log_error(&m->log, "settings not reloaded: those that were in force before stay, all of them");
    if (!why && count > 0)
        why = config_problem(config, 0);
    (void)text_set(&m->settings_problem, why);
    events_manager(m, "running", "running", "its settings were read again, and stay as they were",
                   why ? why : "");
}

void
settings_reload(struct gantry_manager *m)
{
    struct fresh fresh = {0};
    AUTO_ERR struct gantry_error *err = NULL;
    int code = read_again(m, &fresh, &err);
    bool good = code == 0 && config_problem_count(fresh.config) == 0;
    if (good)
        code = take_platforms(m, fresh.config, &err);
    if (good && code == 0)
        take_over(m, &fresh);
    else
        refuse(m, fresh.config, code < 0 ? err_text(err) : NULL);
    m->changed = true;
    config_free(fresh.config);
    crypto_ring_free(fresh.ring);
    log_output_free(fresh.output);
}
