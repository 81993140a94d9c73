/* manager.c - the operations of gantry/gantry.h that are not a subject of their own. */
#include "manager_internal.h"

#include "clock.h"
#include "err.h"

#include <errno.h>

int
gantry_manager_run(struct gantry_manager *m, uint32_t how, struct gantry_error **err)
{
    uint32_t mode = how & ~GANTRY_RUN_CONFIRM_REMOVALS;
    if (mode > GANTRY_RUN_DOWN || (mode != how && mode != GANTRY_RUN_ONCE))
        return err_set(err, GANTRY_E_INVALID, "gantry_manager_run: %u is no way to run",
                       (unsigned)how);
    m->confirmed = mode != how;
    m->how = how = mode;
    /* A dry run changes nothing, not even the state folder: it may be had beside a running manager. */
    int code = how == GANTRY_RUN_DRY ? 0 : state_open(m, err);
    if (code < 0)
        return code;
    if (how == GANTRY_RUN_DOWN) {
        code = down_run(m, err);
    } else {
        state_read(m);
        log_info(&m->log, "manager runs", F_STR("manager", m->settings->id),
                 F_STR("name", m->settings->name), F_STR("version", gantry_version()));
        code = loop_run(m, err);
        if (how != GANTRY_RUN_DRY && m->state_dirty)
            state_write(m);
        log_info(&m->log, "manager stops; workloads run on");
    }
    state_close(m);
    return code;
}

void
gantry_manager_stop(struct gantry_manager *m)
{
    int kept = errno; /* a signal handler leaves it alone */
    uint64_t one = 1;
    atomic_store(&m->stopping, true);
    ssize_t n = write(m->stop_fd, &one, sizeof one);
    (void)n; /* full: it is readable already */
    errno = kept;
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
