/* state.c - the state folder: a lock, and what may be lost: last wishes and counts of exits.
 *
 * The truth about workloads is in their labels (S7); a state file that cannot be read is said and
 * ignored. */
#include "manager_internal.h"

#include "places.h"

#include "buf.h"
#include "clock.h"
#include "err.h"
#include "file.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>

#define STATE_MAX_BYTES ((size_t)64 * 1024 * 1024)

static void
auto_json(cJSON **json)
{
    cJSON_Delete(*json);
}
#define AUTO_JSON AUTO(auto_json)

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

#define STATE_EVERY_MS  10000
#define STATE_URGENT_MS 500
/* A write may take this part of the time, or many connectors in loops would do nothing but write. */
#define STATE_SHARE 50

int64_t
state_due(const struct gantry_manager *m)
{
    if (!m->state_dirty || m->how == GANTRY_RUN_DRY)
        return NEVER_MS;
    int64_t soon = MAX(STATE_URGENT_MS, m->state_took_ms * STATE_SHARE);
    bool urgent = m->state_urgent && !m->state_failing;
    return m->state_ms + (urgent ? MIN(soon, STATE_EVERY_MS) : STATE_EVERY_MS);
}

static int
read_connector(struct platform_side *p, const char *id, const cJSON *json)
{
    const char *wish = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "wish"));
    const cJSON *exits = cJSON_GetObjectItemCaseSensitive(json, "exits");
    const cJSON *hash = cJSON_GetObjectItemCaseSensitive(json, "hash");
    if (!id[0] || map_find(&p->connectors, str_of(id)))
        return 0;
    struct connector *c = connector_new(p, id);
    if (!c)
        return GANTRY_E_NOMEM;
    c->memory.seen_before = wish != NULL;
    c->memory.last_wish = text_eq(wish, "run") ? WISH_RUN : WISH_HALT;
    if (cJSON_IsNumber(exits) && exits->valuedouble >= 0 && exits->valuedouble <= UINT32_MAX)
        c->memory.total_exits = (uint32_t)exits->valuedouble;
    uint64_t digest = 0;
    if (cJSON_IsString(hash) && str_to_uint64(str_of(hash->valuestring), &digest))
        c->memory.last_hash = digest;
    c->told.known = true;
    c->told.wish = c->memory.seen_before ? reconcile_wish_name(c->memory.last_wish) : NULL;
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "name"));
    if (text_set(&c->name, name ? name : "") < 0)
        return GANTRY_E_NOMEM;
    state_read_runs(cJSON_GetObjectItemCaseSensitive(json, "runs"), c);
    if (images_read_connector(c, json) < 0)
        return GANTRY_E_NOMEM;
    return state_read_listing(cJSON_GetObjectItemCaseSensitive(json, "listing"), c);
}

static void
check_key(struct gantry_manager *m, const char *old)
{
    if (old && m->fingerprint && !text_eq(old, m->fingerprint))
        log_warn(
            &m->log,
            "the manager's key is another than before: values sealed for the old one need it in "
            "old_keys, or must be entered again on the platform",
            F_STR("manager", m->settings->id));
}

/* The file is read in pieces, a tree for each connector: a tree of all would leave the connectors scattered over its
 * place in memory, which could not be given back. */
struct reader {
    struct gantry_manager *m;
    struct platform_side *platform; /* whose connectors are read; NULL: nobody's */
    const char *at, *end;
    bool checks;  /* only whether all of it is JSON */
    bool foreign; /* another manager's, which had this folder before */
    bool no_memory;
};

static bool
is_next(struct reader *r, char wanted)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
        r->at++;
    return r->at < r->end && *r->at == wanted;
}

static bool
skip(struct reader *r, char wanted)
{
    bool there = is_next(r, wanted);
    r->at += there;
    return there;
}

static cJSON *
read_value(struct reader *r)
{
    const char *stop = r->at;
    errno = 0;
    cJSON *value = cJSON_ParseWithLengthOpts(r->at, (size_t)(r->end - r->at), &stop, false);
    r->at = stop;
    r->no_memory |= !value && errno == ENOMEM; /* cJSON does not tell, but malloc's errno does */
    return value;
}

/* of: is called before each member's value, and reads it. */
static bool
read_members(struct reader *r, bool (*of)(struct reader *r, const char *key))
{
    if (!skip(r, '{'))
        return false;
    if (skip(r, '}'))
        return true;
    do {
        AUTO_JSON cJSON *key = read_value(r);
        if (!cJSON_IsString(key) || !skip(r, ':') || !of(r, key->valuestring))
            return false;
    } while (skip(r, ','));
    return skip(r, '}');
}

static bool
of_platform(struct reader *r, const char *id)
{
    AUTO_JSON cJSON *json = read_value(r);
    if (json && r->platform && !r->checks)
        r->no_memory |= read_connector(r->platform, id, json) < 0;
    return json != NULL;
}

static bool
of_platforms(struct reader *r, const char *name)
{
    r->platform = NULL;
    for (size_t i = 0; i < r->m->platform_count; i++) {
        if (text_eq(r->m->platforms[i].settings->name, name))
            r->platform = &r->m->platforms[i];
    }
    if (is_next(r, '{'))
        return read_members(r, of_platform);
    AUTO_JSON cJSON *other = read_value(r);
    return other != NULL;
}

static bool
of_state(struct reader *r, const char *key)
{
    if (text_eq(key, "platforms") && is_next(r, '{'))
        return read_members(r, of_platforms);
    AUTO_JSON cJSON *value = read_value(r);
    if (text_eq(key, "backends") && !r->checks)
        r->no_memory |= places_read(r->m, value) < 0;
    if (text_eq(key, "key") && !r->checks)
        check_key(r->m, cJSON_GetStringValue(value));
    if (text_eq(key, "images") && !r->checks)
        r->no_memory |= images_read(r->m, value) < 0;
    if (text_eq(key, "manager"))
        r->foreign = !text_eq(cJSON_GetStringValue(value), r->m->settings->id);
    return value != NULL;
}

int
state_read(struct gantry_manager *m, struct gantry_error **err)
{
    AUTO_FREE char *path = file_join(m->settings->state_dir, "state.json");
    AUTO_FREE char *text = NULL;
    AUTO_ERR struct gantry_error *why = NULL;
    size_t len = 0;
    int code = path ? file_read(path, STATE_MAX_BYTES, &text, &len, &why) : GANTRY_E_NOMEM;
    if (code == GANTRY_E_NOT_FOUND)
        return 0;
    struct reader r = {.m = m, .at = text, .end = text ? text + len : NULL, .checks = true};
    bool good = code == 0 && read_members(&r, of_state);
    if (code == GANTRY_E_NOMEM || r.no_memory)
        return err_nomem(err);
    if (!good || r.foreign) {
        log_warn(&m->log, "state file ignored", F_STR("file", path),
                 F_STR("error", code < 0    ? err_text(why)
                                : r.foreign ? "it is that of a manager with another id"
                                            : "it is not JSON"));
        return 0;
    }
    r.at = text;
    r.checks = false;
    (void)read_members(&r, of_state); /* it is good: that was checked */
    return r.no_memory ? err_nomem(err) : 0;
}

static void
add_connector(struct buf *b, const struct connector *c)
{
    buf_add_json(b, str_of(c->id));
    buf_add_text(b, ":{\"name\":");
    buf_add_json(b, str_of(c->name ? c->name : ""));
    if (c->memory.seen_before) {
        buf_add_fmt(b, ",\"wish\":\"%s\",\"hash\":\"%" PRIu64 "\",\"exits\":%" PRIu32,
                    c->memory.last_wish == WISH_RUN ? "run" : "halt", c->memory.last_hash,
                    c->memory.total_exits);
        state_add_runs(b, c);
    }
    images_write_connector(b, c);
    if (c->remembered)
        state_add_listing(b, c);
    buf_add_char(b, '}');
}

static void
add_platform(struct buf *b, const struct platform_side *p)
{
    const char *comma = "";
    buf_add_json(b, str_of(p->settings->name));
    buf_add_text(b, ":{");
    map_each (&p->connectors, e) {
        const struct connector *c = e->value;
        if (!c->memory.seen_before && !c->remembered)
            continue;
        buf_add_text(b, comma);
        add_connector(b, c);
        comma = ",";
    }
    buf_add_char(b, '}');
}

/* Straight into text: a tree of thousands of connectors would cost more than all else that a change causes. */
static void
print_state(struct buf *b, const struct gantry_manager *m)
{
    buf_add_text(b, "{\"version\":1,\"manager\":");
    buf_add_json(b, str_of(m->settings->id));
    if (m->fingerprint) {
        buf_add_text(b, ",\"key\":");
        buf_add_json(b, str_of(m->fingerprint));
    }
    places_print(b, m);
    buf_add_text(b, ",\"platforms\":{");
    for (size_t i = 0; i < m->platform_count; i++) {
        if (i > 0)
            buf_add_char(b, ',');
        add_platform(b, &m->platforms[i]);
    }
    buf_add_char(b, '}');
    images_write(b, m);
    buf_add_char(b, '}');
}

void
state_write(struct gantry_manager *m)
{
    AUTO_FREE char *path = file_join(m->settings->state_dir, "state.json");
    AUTO_ERR struct gantry_error *err = NULL;
    int64_t begun = clock_mono_ms();
    AUTO_BUF struct buf text = BUF_INIT(STATE_MAX_BYTES);
    print_state(&text, m);
    int code = path ? buf_failed(&text) : GANTRY_E_NOMEM;
    if (code == 0)
        code = file_write_atomic(path, buf_view(&text), 0600, &err);
    if (code < 0 && !m->state_failing)
        log_warn(&m->log, "state cannot be written; it will be tried again", F_STR("file", path),
                 F_STR("error", err ? err_text(err) : gantry_code_name(code)));
    m->state_failing = code < 0;
    m->state_dirty = code < 0;
    m->state_urgent &= m->state_dirty;
    m->state_ms = clock_mono_ms();
    m->state_took_ms = m->state_ms - begun;
}
