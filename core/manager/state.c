/* state.c - the state folder: a lock, and what may be lost: last wishes and counts of exits.
 *
 * The truth about workloads is in their labels (S7); a state file that cannot be read is said and
 * ignored. */
#include "manager_internal.h"

#include "buf.h"
#include "clock.h"
#include "err.h"
#include "file.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#define STATE_MAX_BYTES ((size_t)64 * 1024 * 1024)

static void
auto_json(cJSON **json)
{
    cJSON_Delete(*json);
}
#define AUTO_JSON AUTO(auto_json)

static void
auto_json_text(char **text)
{
    cJSON_free(*text);
}

/* The settings' own form, with file and line: it is the settings that must change. */
static int
refuse(struct gantry_manager *m, int code, const char *text, struct gantry_error **err)
{
    if (config_add_problem(m->config, "manager", "state_dir", text) < 0)
        return err_nomem(err);
    size_t last = config_problem_count(m->config);
    return err_set(err, code, "%s", last > 0 ? config_problem(m->config, last - 1) : text);
}

int
state_open(struct gantry_manager *m, struct gantry_error **err)
{
    const char *folder = m->settings->state_dir;
    AUTO_ERR struct gantry_error *why = NULL;
    AUTO_FREE char *path = file_join(folder, "lock");
    if (!path)
        return err_nomem(err);
    int code = file_make_folder(folder, 0700, &why);
    AUTO_CLOSE int fd = code < 0 ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (code == 0 && fd < 0)
        code = err_set_errno(&why, err_code_of_errno(errno), errno, "'%s' cannot be opened", path);
    if (code < 0)
        return refuse(m, GANTRY_E_INVALID, err_text(why), err);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        (void)err_set(
            &why, GANTRY_E_CONFLICT,
            "another manager uses '%s'; stop that one, or give this one a folder of its own",
            folder);
        return refuse(m, GANTRY_E_CONFLICT, err_text(why), err);
    }
    m->lock_fd = fd;
    fd = -1;
    return 0;
}

void
state_close(struct gantry_manager *m)
{
    if (m->lock_fd >= 0)
        close(m->lock_fd);
    m->lock_fd = -1;
}

static void
read_connector(struct platform_side *p, const cJSON *json)
{
    const char *wish = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "wish"));
    const cJSON *exits = cJSON_GetObjectItemCaseSensitive(json, "exits");
    const cJSON *hash = cJSON_GetObjectItemCaseSensitive(json, "hash");
    if (!json->string || !json->string[0] || map_find(&p->connectors, str_of(json->string)))
        return;
    struct connector *c = connector_new(p, json->string);
    if (!c)
        return;
    c->memory.seen_before = true;
    c->memory.last_wish = text_eq(wish, "run") ? WISH_RUN : WISH_HALT;
    if (cJSON_IsNumber(exits) && exits->valuedouble >= 0 && exits->valuedouble <= UINT32_MAX)
        c->memory.total_exits = (uint32_t)exits->valuedouble;
    uint64_t digest = 0;
    if (cJSON_IsString(hash) && str_to_uint64(str_of(hash->valuestring), &digest))
        c->memory.last_hash = digest;
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "name"));
    (void)text_set(&c->name, name ? name : "");
}

static void
check_key(struct gantry_manager *m, const cJSON *state)
{
    const char *old = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(state, "key"));
    if (old && m->fingerprint && !text_eq(old, m->fingerprint))
        log_warn(
            &m->log,
            "the manager's key is another than before: values sealed for the old one need it in "
            "old_keys, or must be entered again on the platform",
            F_STR("manager", m->settings->id));
}

void
state_read(struct gantry_manager *m)
{
    AUTO_FREE char *path = file_join(m->settings->state_dir, "state.json");
    AUTO_FREE char *text = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    size_t len = 0;
    int code = path ? file_read(path, STATE_MAX_BYTES, &text, &len, &err) : GANTRY_E_NOMEM;
    if (code == GANTRY_E_NOT_FOUND)
        return;
    AUTO_JSON cJSON *state = code == 0 ? cJSON_ParseWithLength(text, len) : NULL;
    if (!state) {
        log_warn(&m->log, "state file ignored", F_STR("file", path),
                 F_STR("error", code < 0 ? err_text(err) : "it is not JSON"));
        return;
    }
    check_key(m, state);
    const cJSON *platforms = cJSON_GetObjectItemCaseSensitive(state, "platforms");
    for (size_t i = 0; i < m->platform_count; i++) {
        const cJSON *connector = NULL,
                    *all =
                        cJSON_GetObjectItemCaseSensitive(platforms, m->platforms[i].settings->name);
        cJSON_ArrayForEach(connector, all) read_connector(&m->platforms[i], connector);
    }
}

static bool
add_connector(cJSON *all, const struct connector *c)
{
    char hash[24];
    snprintf(hash, sizeof hash, "%llu", (unsigned long long)c->memory.last_hash);
    cJSON *json = cJSON_AddObjectToObject(all, c->id);
    return json && cJSON_AddStringToObject(json, "name", c->name ? c->name : "") &&
           cJSON_AddStringToObject(json, "wish",
                                   c->memory.last_wish == WISH_RUN ? "run" : "halt") &&
           cJSON_AddStringToObject(json, "hash", hash) &&
           cJSON_AddNumberToObject(json, "exits", c->memory.total_exits);
}

static char *
print_state(const struct gantry_manager *m)
{
    AUTO_JSON cJSON *state = cJSON_CreateObject();
    bool ok = state && cJSON_AddNumberToObject(state, "version", 1) &&
              cJSON_AddStringToObject(state, "manager", m->settings->id);
    if (ok && m->fingerprint)
        ok = cJSON_AddStringToObject(state, "key", m->fingerprint) != NULL;
    cJSON *platforms = ok ? cJSON_AddObjectToObject(state, "platforms") : NULL;
    for (size_t i = 0; platforms && i < m->platform_count; i++) {
        const struct platform_side *p = &m->platforms[i];
        cJSON *all = cJSON_AddObjectToObject(platforms, p->settings->name);
        map_each (&p->connectors, e) {
            ok = ok && all &&
                 (!((struct connector *)e->value)->memory.seen_before ||
                  add_connector(all, e->value));
        }
    }
    return ok && platforms ? cJSON_PrintUnformatted(state) : NULL;
}

void
state_write(struct gantry_manager *m)
{
    AUTO_FREE char *path = file_join(m->settings->state_dir, "state.json");
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO(auto_json_text) char *text = print_state(m);
    int code = path && text ? file_write_atomic(path, str_of(text), 0600, &err) : GANTRY_E_NOMEM;
    if (code < 0 && !m->state_failing)
        log_warn(&m->log, "state cannot be written; it will be tried again", F_STR("file", path),
                 F_STR("error", err ? err_text(err) : gantry_code_name(code)));
    m->state_failing = code < 0;
    m->state_dirty = code < 0;
    m->state_ms = clock_mono_ms();
}
