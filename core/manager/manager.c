/* manager.c - running: begin, step and end, and the two ways that are made of them; and what may be
 * asked of a running manager from anywhere. */
#include "manager_internal.h"

#include "drain.h"
#include "events.h"
#include "places.h"

#include "err.h"

#include <errno.h>
#include <poll.h>

/* ---- begin, step, end ------------------------------------------------------------------------ */

static int
mode_of(uint32_t how, uint32_t *mode, struct gantry_error **err)
{
    *mode = how & ~GANTRY_RUN_CONFIRM_REMOVALS;
    if (*mode > GANTRY_RUN_DOWN || (*mode != how && *mode != GANTRY_RUN_ONCE))
        return err_set(err, GANTRY_E_INVALID, "%u is no way to run a manager", (unsigned)how);
    return 0;
}

/* What is remembered: of connectors, and of backends, which these settings may not leave behind. */
static int
recall(struct gantry_manager *m, uint32_t mode, struct gantry_error **err)
{
    m->how = GANTRY_RUN_DOWN; /* what an earlier run began is taken in, and nothing follows it */
    int code = state_read(m, err);
    if (code == 0 && mode != GANTRY_RUN_DOWN)
        code = places_check(m, err);
    if (code < 0)
        state_close(m);
    return code;
}

static int
begin_locked(struct gantry_manager *m, uint32_t how, struct gantry_error **err)
{
    uint32_t mode = how;
    int code = mode_of(how, &mode, err);
    if (code == 0 && m->running)
        code = err_set(err, GANTRY_E_CONFLICT, "the manager runs already");
    if (code == 0)
        code = gantry_manager_open(m, err);
    /* A dry run changes nothing, not even the state folder: it may be had beside a running manager. */
    if (code == 0 && mode != GANTRY_RUN_DRY)
        code = state_open(m, err);
    if (code == 0)
        code = recall(m, mode, err);
    if (code < 0)
        return code;
    m->how = mode;
    m->confirmed = mode != how;
    m->running = true;
    err_clear(&m->first_error);
    events_manager(m, "", "running", "it was started", NULL);
    if (mode == GANTRY_RUN_DOWN)
        return 0;
    log_info(&m->log, "manager runs", F_STR("manager", m->settings->id),
             F_STR("name", m->settings->name), F_STR("version", gantry_version()));
    loop_begin(m);
    return 0;
}

static int
begin(struct gantry_manager *m, uint32_t how, struct gantry_error **err)
{
    pthread_mutex_lock(&m->lock);
    int code = begin_locked(m, how, err);
    pthread_mutex_unlock(&m->lock);
    return code;
}

int
gantry_manager_begin(struct gantry_manager *m, uint32_t how, struct gantry_error **err)
{
    if (how == GANTRY_RUN_DOWN)
        return err_set(err, GANTRY_E_INVALID,
                       "taking all workloads down blocks: use gantry_manager_run() for it");
    return begin(m, how, err);
}

int
gantry_manager_step(struct gantry_manager *m)
{
    eventfd_t count;
    (void)eventfd_read(m->wake_fd, &count);
    if (atomic_load(&m->stopping))
        return 0;
    pthread_mutex_lock(&m->lock);
    bool goes_on = m->running && loop_step(m);
    pthread_mutex_unlock(&m->lock);
    return goes_on;
}

int
gantry_manager_fd(const struct gantry_manager *m)
{
    return m->wait_fd;
}

int
gantry_manager_timeout_ms(const struct gantry_manager *m)
{
    return m->running ? loop_timeout_ms(m) : -1;
}

/* The program may wait for long before it runs the manager again, or never do. */
static void
end_actions(struct gantry_manager *m)
{
    for (size_t i = 0; i < m->platform_count; i++) {
        map_each (&m->platforms[i].connectors, e) {
            const struct connector *c = e->value;
            if (c->job)
                runtime_ask_to_end(c->job);
            drain_end_actions(e->value);
        }
    }
}

static int
end_locked(struct gantry_manager *m, struct gantry_error **err)
{
    if (!m->running)
        return err_set(err, GANTRY_E_CONFLICT, "the manager does not run: there is nothing to end");
    for (size_t i = 0; i < m->backend_count; i++)
        watching_end(&m->backends[i]);
    end_actions(m);
    if (m->how != GANTRY_RUN_DOWN) {
        if (m->how != GANTRY_RUN_DRY && m->state_dirty)
            state_write(m);
        log_info(&m->log, "manager stops; workloads run on");
    }
    events_manager(m, "running", "stopped", "its run has ended", NULL);
    events_close(m);
    state_close(m);
    m->running = false;
    atomic_store(&m->stopping, false);
    if (m->how == GANTRY_RUN_DAEMON || !m->first_error)
        return 0;
    err_move(err, &m->first_error);
    return m->how == GANTRY_RUN_DOWN ? m->down_code : GANTRY_E_UNAVAILABLE;
}

int
gantry_manager_end(struct gantry_manager *m, struct gantry_error **err)
{
    pthread_mutex_lock(&m->lock);
    int code = end_locked(m, err);
    pthread_mutex_unlock(&m->lock);
    return code;
}

/* ---- on this thread, on one of its own ------------------------------------------------------- */

static void
run_to_the_end(struct gantry_manager *m)
{
    if (m->how == GANTRY_RUN_DOWN) {
        m->down_code = down_run(m, &m->first_error);
        return;
    }
    while (gantry_manager_step(m)) {
        struct pollfd fd = {.fd = m->wait_fd, .events = POLLIN};
        (void)poll(&fd, 1, gantry_manager_timeout_ms(m));
    }
}

int
gantry_manager_run(struct gantry_manager *m, uint32_t how, struct gantry_error **err)
{
    int code = begin(m, how, err);
    if (code < 0)
        return code;
    run_to_the_end(m);
    return gantry_manager_end(m, err);
}

static void *
thread_main(void *context)
{
    run_to_the_end(context);
    return NULL;
}

int
gantry_manager_start(struct gantry_manager *m, uint32_t how, struct gantry_error **err)
{
    int code = begin(m, how, err);
    if (code < 0)
        return code;
    int rc = runtime_thread_start(&m->thread, "gantry-loop", thread_main, m);
    if (rc == 0)
        return 0;
    code = gantry_manager_end(m, NULL); /* nothing has been done: it cannot have failed */
    (void)code;
    return err_set_errno(err, GANTRY_E_UNAVAILABLE, rc, "no thread can be started");
}

int
gantry_manager_join(struct gantry_manager *m, struct gantry_error **err)
{
    (void)pthread_join(m->thread, NULL);
    return gantry_manager_end(m, err);
}

/* ---- from anywhere --------------------------------------------------------------------------- */

static void
wake(struct gantry_manager *m, atomic_bool *flag)
{
    int kept = errno; /* a signal handler leaves it alone */
    atomic_store(flag, true);
    (void)eventfd_write(m->wake_fd, 1); /* full: it is readable already */
    errno = kept;
}

void
gantry_manager_stop(struct gantry_manager *m)
{
    wake(m, &m->stopping);
}

void
gantry_manager_reload(struct gantry_manager *m)
{
    wake(m, &m->reload_wanted);
}

void
gantry_manager_refresh(struct gantry_manager *m)
{
    wake(m, &m->refresh_wanted);
}

int
gantry_manager_settings(const struct gantry_manager *m, char **text, struct gantry_error **err)
{
    return config_print(m->config, text, err);
}

int
gantry_settings_example(char **text, struct gantry_error **err)
{
    return config_print_example(text, err);
}

int
gantry_keygen(const char *path, struct gantry_error **err)
{
    return crypto_keygen_file(path, 4096, err);
}
