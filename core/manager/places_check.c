/* places_check.c - do the settings leave workloads behind?  By the memory of places.c, and by the backends
 * themselves where they can be asked. */
#include "places.h"

#include "err.h"

#include <assert.h>
#include <poll.h>

#define ASK_TIMEOUT_MS 10000
#define TEXT_MAX_BYTES ((size_t)128 * 1024) /* a place and some words */

/* Has a backend workloads of a platform, or (NULL) of any of these settings?  By a listing for which this
 * thread waits.  Returns 0, or why it cannot be said. */
static int
ask(struct backend_side *b, const char *platform, bool *some)
{
    struct gantry_manager *m = b->manager;
    struct runtime_job *wanted = backend_side_list_job(b), *job;
    if (!wanted)
        return GANTRY_E_NOMEM;
    wanted->timeout_ms = ASK_TIMEOUT_MS;
    runtime_submit(m->runtime, wanted);
    for (;;) {
        while ((job = runtime_take_done(m->runtime)) && job != wanted) {
            struct backend_side *other = manager_backend_of(m, job);
            if (other) /* of a run before this one */
                backend_side_done(other, job);
            runtime_job_free(job);
        }
        if (job)
            break;
        struct pollfd fds[] = {{.fd = runtime_fd(m->runtime), .events = POLLIN},
                               {.fd = m->wake_fd, .events = POLLIN}};
        eventfd_t woken;
        (void)poll(fds, ARRAY_LENGTH(fds), ASK_TIMEOUT_MS);
        (void)eventfd_read(m->wake_fd, &woken);
        if (atomic_load(&m->stopping))
            runtime_cancel(wanted);
    }
    int code = job->code;
    if (code == 0)
        *some = places_has(m, job, platform);
    else
        log_warn(&m->log, "backend cannot be asked what it still has",
                 F_STR("backend", b->settings->name), F_STR("error", err_text(job->error)));
    runtime_job_free(job);
    return code;
}

#define TAKE_DOWN                                                                                  \
    "run 'gantryd --down' with the settings of before first, which removes its workloads"

/* In the settings' own form, as it is the settings that must change. */
static int
refuse(struct gantry_manager *m, const char *section, const char *key, const char *text,
       struct gantry_error **err)
{
    if (config_add_problem(m->config, section, key, text) < 0)
        return err_nomem(err);
    size_t last = config_problem_count(m->config);
    return err_set(err, GANTRY_E_INVALID, "%s",
                   last > 0 ? config_problem(m->config, last - 1) : text);
}

/* Its section is there, and no platform whose workloads it has uses it. */
static int
refuse_unused(struct backend_side *b, struct gantry_error **err)
{
    AUTO_BUF struct buf section = BUF_INIT(1024);
    buf_add_fmt(&section, "backend %s", b->settings->name);
    if (buf_failed(&section))
        return err_nomem(err);
    return refuse(
        b->manager, buf_text(&section), NULL,
        "still holds workloads of platforms that do not use it any more; add 'drain = yes' "
        "to have them moved, or " TAKE_DOWN,
        err);
}

/* p: NULL: these settings do not have that platform either, so that nobody could move them. */
static int
refuse_gone(struct gantry_manager *m, const struct held *h, const char *platform,
            const struct platform_side *p, struct gantry_error **err)
{
    AUTO_BUF struct buf section = BUF_INIT(1024), text = BUF_INIT(TEXT_MAX_BYTES);
    buf_add_fmt(&section, "platform %s", platform);
    buf_add_fmt(&text,
                "workloads of platform '%s' are still on backend '%s' (plugin %s%s%s), which these "
                "settings do not have any more; ",
                platform, h->backend, h->plugin, h->place[0] ? ", " : "", h->place);
    buf_add_text(&text, p ? "put its section back with 'drain = yes' to have them moved, or " : "");
    buf_add_text(&text, TAKE_DOWN);
    if (buf_failed(&section) || buf_failed(&text))
        return err_nomem(err);
    return refuse(m, p ? buf_text(&section) : NULL, p ? "backend" : NULL, buf_text(&text), err);
}

static bool
uses(const struct platform_side *p, const struct backend_side *b)
{
    return (p && p->backend == b) || b->settings->drain;
}

/* Under another address, a section of the same name and plugin is the same place if it has them.  One that
 * is remembered by itself is another: a move was left unfinished. */
static bool
has_moved(struct held *h, struct backend_side *b, const char *platform)
{
    bool some = false;
    if (held_of(b) || !text_eq(h->backend, b->settings->name) ||
        !text_eq(h->plugin, b->settings->plugin) || ask(b, platform, &some) < 0 || !some ||
        text_set(&h->place, b->place) < 0)
        return false;
    log_info(&b->manager->log, "backend has another address, and its workloads are there",
             F_STR("backend", b->settings->name));
    b->manager->state_dirty = true;
    return true;
}

/* *gone: it has nothing of this platform any more. */
static int
check_one(struct gantry_manager *m, struct held *h, const char *platform, bool *gone,
          struct gantry_error **err)
{
    const struct platform_side *p = places_platform(m, platform);
    struct backend_side *there = NULL;
    bool some = true;
    assert(m->backends); /* it is open */
    for (size_t i = 0; i < m->backend_count; i++) {
        struct backend_side *b = &m->backends[i];
        if (held_is_at(h, b) && uses(p, b))
            return 0;
        if (held_is_at(h, b))
            there = b;
    }
    if (there && !p)
        return 0; /* a platform that these settings do not have: its workloads are left alone */
    if (there) {
        *gone = ask(there, platform, &some) == 0 && !some;
        return *gone ? 0 : refuse_unused(there, err);
    }
    for (size_t i = 0; i < m->backend_count; i++) {
        if (uses(p, &m->backends[i]) && has_moved(h, &m->backends[i], platform))
            return 0;
    }
    return refuse_gone(m, h, platform, p, err);
}

static bool
is_unused(const struct backend_side *b)
{
    const struct gantry_manager *m = b->manager;
    bool used = b->settings->drain;
    for (size_t i = 0; i < m->platform_count; i++)
        used |= m->platforms[i].backend == b;
    return !used;
}

/* What the memory has lost, a backend that nothing uses may tell; one that cannot be asked has nothing that
 * anybody knows of. */
static int
check_unused(struct gantry_manager *m, struct gantry_error **err)
{
    for (size_t i = 0; i < m->backend_count; i++) {
        bool some = false;
        if (is_unused(&m->backends[i]) && ask(&m->backends[i], NULL, &some) == 0 && some)
            return refuse_unused(&m->backends[i], err);
    }
    return 0;
}

int
places_check(struct gantry_manager *m, struct gantry_error **err)
{
    for (size_t i = m->held.len; i-- > 0;) {
        for (size_t k = m->held.ptr[i].platforms.len; k-- > 0;) {
            struct held *h = &m->held.ptr[i];
            bool gone = false, last = h->platforms.len == 1;
            int code = check_one(m, h, h->platforms.ptr[k], &gone, err);
            if (code < 0)
                return code;
            if (gone)
                held_drop(m, h, k);
            if (gone && last)
                break;
        }
    }
    return check_unused(m, err);
}
