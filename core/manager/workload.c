/* workload.c - what a workload is made of: its image, environment and options.
 *
 * The specification is built on the worker, from a copy that belongs to the job; sealed values are
 * opened there, and wiped as soon as the plugin has returned (S10). */
#include "manager_internal.h"

#include "buf.h"
#include "clock.h"
#include "err.h"
#include "file.h"

#define IMAGE_MAX_BYTES ((size_t)64 * 1024) /* far more than a reference has */

/* What the worker needs, all of it the job's own. */
struct recipe {
    struct gantry_spec spec; /* but for the environment */
    struct platform_entry *entries;
    size_t entry_count;
    struct gantry_variable extra[16]; /* the manager's own variables, after the platform's */
    size_t extra_count;
    const struct crypto_ring *ring;   /* kept by the connector while the job runs, immutable */
    struct secret *opened;            /* entry_count of them */
    char *password;                   /* of the registry; NULL: none, or: */
    const char *password_file;        /* read again by each use; NULL: none */
    struct secret read_password;      /* from there */
    struct gantry_registry *registry; /* the spec's; NULL: none */
    const char *id;
};

static void
wipe_text(const char *text)
{
    if (text)
        secret_wipe((void *)(uintptr_t)text, strlen(text));
}

static void
recipe_wipe(void *context)
{
    struct recipe *r = context;
    for (size_t i = 0; i < r->entry_count; i++) {
        secret_clear(&r->opened[i]);
        wipe_text(r->entries[i].value);
    }
    wipe_text(r->password);
    secret_clear(&r->read_password);
}

/* The value as the workload gets it: opened when it is sealed, else as it came. */
static int
open_value(struct recipe *r, size_t i, const char **value, struct gantry_error **err)
{
    const struct platform_entry *e = &r->entries[i];
    *value = e->value ? e->value : "";
    bool sealed =
        e->sealed == PLATFORM_SEALED_YES || (e->sealed == PLATFORM_SEALED_UNKNOWN && r->ring &&
                                             crypto_looks_sealed(r->ring, str_of(e->value)));
    if (!sealed)
        return 0;
    if (!r->ring)
        return err_set(err, GANTRY_E_INVALID,
                       "connector '%s': variable %s is sealed; set [manager] key", r->id, e->key);
    struct gantry_error *why = NULL;
    int code = crypto_open(r->ring, str_of(e->value), &r->opened[i], &why);
    if (code < 0) {
        /* Also where the platform does not say which values it sealed: what has the form of a
         * sealed value and does not open is never handed to a connector as if it were the value
         * (S8). */
        err_move(err, &why);
        return err_wrap(err, code, "connector '%s': variable %s cannot be opened", r->id, e->key);
    }
    struct str bytes = secret_bytes(&r->opened[i]);
    if (bytes.len > 0 && memchr(bytes.ptr, '\0', bytes.len))
        return err_set(err, GANTRY_E_INVALID,
                       "connector '%s': variable %s holds a NUL byte; no environment can", r->id,
                       e->key);
    *value = bytes.ptr ? bytes.ptr : "";
    return 0;
}

/* A key that comes twice: the last one wins, at the place of the first. */
static void
put_variable(struct gantry_variable *all, uint32_t *count, struct map *index,
             struct gantry_variable variable)
{
    struct gantry_variable *slot = map_find(index, str_of(variable.key));
    if (!slot) {
        slot = &all[(*count)++];
        if (map_set(index, str_of(variable.key), slot, NULL) < 0)
            (*count)--;
    }
    *slot = variable;
}

static int
read_password(struct recipe *r, struct gantry_registry *registry, struct gantry_error **err)
{
    if (!r->password_file)
        return 0;
    int code = config_read_password(r->password_file, &r->read_password, err);
    if (code < 0) /* never as "not found", which could be taken for the workload's */
        return err_wrap(err, code == GANTRY_E_NOMEM ? code : GANTRY_E_INVALID,
                        "password of [registry %s]", registry->host);
    registry->password = secret_bytes(&r->read_password).ptr;
    return 0;
}

static int
prepare(void *context, struct runtime_job *job, struct gantry_spec *spec, struct gantry_error **err)
{
    struct recipe *r = context;
    size_t most = r->entry_count + r->extra_count;
    int read = read_password(r, r->registry, err);
    if (read < 0)
        return read;
    struct gantry_variable *all = arena_alloc_array(&job->arena, most + 1, sizeof *all);
    if (!all)
        return err_nomem(err);
    AUTO_MAP struct map index;
    map_init(&index);
    uint32_t count = 0;
    for (size_t i = 0; i < r->entry_count; i++) {
        const char *value = NULL;
        int code = open_value(r, i, &value, err);
        if (code < 0)
            return code;
        uint32_t secret = r->entries[i].secret || r->entries[i].sealed != PLATFORM_SEALED_NO;
        put_variable(all, &count, &index,
                     (struct gantry_variable){r->entries[i].key, value, secret, 0});
    }
    for (size_t i = 0; i < r->extra_count; i++)
        put_variable(all, &count, &index, r->extra[i]);
    *spec = r->spec;
    spec->environment = all;
    spec->environment_count = count;
    spec->environment_stride = sizeof *all;
    return 0;
}

static void
add_extra(struct recipe *r, struct arena *arena, const char *key, const char *value, bool secret)
{
    char *copy = arena_dup_text(arena, value);
    if (copy && r->extra_count < ARRAY_LENGTH(r->extra))
        r->extra[r->extra_count++] = (struct gantry_variable){key, copy, secret, 0};
}

/* What the manager itself adds: after the platform's, so that these win. */
static void
add_own_variables(struct recipe *r, const struct connector *c, struct arena *arena)
{
    const struct config_platform *s = c->platform->settings;
    if (!platform_is_local(c->platform->platform)) {
        add_extra(r, arena, "OPENCTI_URL", s->connector_url, false);
        if (s->connector_proxy) { /* a proxy's URL may hold its password */
            add_extra(r, arena, "HTTP_PROXY", s->connector_http_proxy, true);
            add_extra(r, arena, "HTTPS_PROXY", s->connector_https_proxy, true);
            add_extra(r, arena, "NO_PROXY", s->connector_no_proxy, false);
            if (!s->connector_tls_reject_unauthorized)
                add_extra(r, arena, "NODE_TLS_REJECT_UNAUTHORIZED", "0", false);
        }
    }
    add_extra(r, arena, GANTRY_HASH_VARIABLE, c->hash, false);
}

/* The CA bundle that connectors are to trust, where XTM Composer's connectors have it too. */
#define CA_PATH "/etc/ssl/certs/xtm-proxy-ca.crt"
static int
add_ca_file(struct recipe *r, const struct connector *c, struct arena *arena,
            struct gantry_error **err)
{
    const char *path = c->platform->settings->connector_ca_file;
    if (!path)
        return 0;
    AUTO_FREE char *pem = NULL;
    size_t len = 0;
    int code = file_read(path, (size_t)1024 * 1024, &pem, &len, err);
    if (code < 0)
        return err_wrap(err, code, "connector_ca_file");
    struct gantry_file *file = arena_alloc(arena, sizeof *file);
    char *bytes = arena_dup(arena, (struct str){pem, len});
    if (!file || !bytes)
        return err_nomem(err);
    *file = (struct gantry_file){CA_PATH, bytes, len, 0444, 0};
    r->spec.files = file;
    r->spec.file_count = 1;
    r->spec.file_stride = sizeof *file;
    static const char *const variables[] = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
                                            "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"};
    for (size_t i = 0; i < ARRAY_LENGTH(variables); i++)
        add_extra(r, arena, variables[i], CA_PATH, false);
    return 0;
}

/* Has the reference a registry of its own: a first part with a dot or a colon, or localhost. */
static bool
names_registry(const char *image)
{
    struct str rest, first = str_cut(str_of(image), '/', &rest);
    return rest.ptr && (memchr(first.ptr, '.', first.len) || memchr(first.ptr, ':', first.len) ||
                        str_eq(first, STR("localhost")));
}

char *
workload_image(const struct connector *c)
{
    struct gantry_manager *m = c->platform->manager;
    const struct config_override *o = config_override(m->config, c->id, c->name);
    const char *image = o && o->image ? o->image : c->image;
    const char *prefix = config_registry_prefix(m->config, c->platform->backend->index);
    AUTO_BUF struct buf full = BUF_INIT(IMAGE_MAX_BYTES);
    if (prefix && !names_registry(image ? image : ""))
        buf_add_fmt(&full, "%s/", prefix);
    buf_add_text(&full, image);
    return buf_take(&full);
}

static const char *
full_image(const struct connector *c, struct arena *arena)
{
    AUTO_FREE char *image = workload_image(c);
    return image ? arena_dup_text(arena, image) : NULL;
}

/* NULL: that of the engine. */
static const char *
image_platform(const struct connector *c)
{
    const struct config_override *o = config_override(c->platform->manager->config, c->id, c->name);
    return o && o->platform ? o->platform : connector_backend(c)->platform;
}

static int
copy_entries(struct recipe *r, const struct connector *c, struct arena *arena)
{
    const struct platform_configuration *from = c->configuration;
    r->entry_count = from->entry_count;
    r->entries = arena_alloc_array(arena, r->entry_count + 1, sizeof *r->entries);
    r->opened = arena_alloc_array(arena, r->entry_count + 1, sizeof *r->opened);
    if (!r->entries || !r->opened)
        return GANTRY_E_NOMEM;
    for (size_t i = 0; i < r->entry_count; i++) {
        r->entries[i] = from->entries[i];
        r->entries[i].key = arena_dup_text(arena, from->entries[i].key);
        r->entries[i].value = arena_dup_text(arena, from->entries[i].value);
        if (!r->entries[i].key || (from->entries[i].value && !r->entries[i].value))
            return GANTRY_E_NOMEM;
    }
    return 0;
}

static bool
copy_value(struct gantry_value *to, const struct gantry_value *from, struct arena *arena)
{
    *to = *from;
    to->key = arena_dup_text(arena, from->key);
    to->text = arena_dup_text(arena, from->text);
    const char **items = arena_alloc_array(arena, from->item_count + (size_t)1, sizeof *items);
    if (!to->key || !items || (from->text && !to->text))
        return false;
    for (uint32_t i = 0; i < from->item_count; i++) {
        if (!(items[i] = arena_dup_text(arena, from->items[i])))
            return false;
    }
    to->items = items;
    return true;
}

static const struct gantry_settings *
copy_settings(const struct gantry_settings *from, struct arena *arena)
{
    struct gantry_settings *to = arena_alloc(arena, sizeof *to);
    struct gantry_value *values = arena_alloc_array(arena, from->count + (size_t)1, sizeof *values);
    if (!to || !values)
        return NULL;
    for (uint32_t i = 0; i < from->count; i++) {
        if (!copy_value(&values[i], GANTRY_AT(struct gantry_value, from->values, from->stride, i),
                        arena))
            return NULL;
    }
    *to = *from;
    to->section = arena_dup_text(arena, from->section);
    to->values = values;
    to->stride = sizeof *values;
    return from->section && !to->section ? NULL : to;
}

/* The password is the recipe's own, to be wiped with the opened values. */
static int
copy_registry(struct recipe *r, const struct config_registry *from, struct arena *arena)
{
    if (!from || !from->username || r->spec.pull_policy == GANTRY_PULL_NEVER)
        return 0;
    struct gantry_registry *to = arena_alloc(arena, sizeof *to);
    if (!to)
        return GANTRY_E_NOMEM;
    bool now = !from->password_file && from->password;
    r->password = arena_dup(arena, now ? secret_bytes(from->password) : STR(""));
    r->password_file = arena_dup_text(arena, from->password_file);
    r->registry = to;
    *to = (struct gantry_registry){
        .size = sizeof *to,
        .host = arena_dup_text(arena, from->host),
        .username = arena_dup_text(arena, from->username),
        .password = r->password,
    };
    r->spec.registry = to;
    bool whole =
        to->host && to->username && r->password && (r->password_file || !from->password_file);
    return whole ? 0 : GANTRY_E_NOMEM;
}

static int
fill_spec(struct recipe *r, const struct connector *c, struct runtime_job *job)
{
    struct gantry_manager *m = c->platform->manager;
    const struct config_backend *b = connector_backend(c);
    struct arena *arena = &job->arena;
    char name[64];
    int code = workload_name(c, name);
    if (code < 0)
        return code;
    struct gantry_spec *s = &r->spec;
    *s = (struct gantry_spec){
        .size = sizeof *s,
        .pull_policy = b->pull_policy,
        .id = arena_dup_text(arena, c->id),
        .name = arena_dup_text(arena, name),
        .hash = arena_dup_text(arena, c->hash),
        .image = full_image(c, arena),
        .platform = arena_dup_text(arena, image_platform(c)),
        .label_stride = sizeof(struct gantry_pair),
        .settings = copy_settings(
            config_workload_settings(m->config, c->platform->backend->index, c->id, c->name),
            arena),
        .stop_grace_ms = (uint32_t)b->stop_timeout_ms,
        .pull_stall_ms = (uint32_t)b->pull_stall_timeout_ms,
        .start_timeout_ms = (uint32_t)b->start_timeout_ms,
    };
    if (!s->id || !s->name || !s->hash || !s->image || !s->settings ||
        (image_platform(c) && !s->platform))
        return GANTRY_E_NOMEM;
    s->pull_pause_ms = (uint32_t)pause_left_ms(m, s->image, clock_mono_ms());
    code = copy_registry(r, config_registry_for(m->config, s->image), arena);
    if (code < 0)
        return code;
    return workload_labels(c, arena, &s->labels, &s->label_count);
}

int
workload_prepare(struct connector *c, struct runtime_job *job)
{
    struct recipe *r = arena_alloc(&job->arena, sizeof *r);
    if (!r)
        return GANTRY_E_NOMEM;
    crypto_ring_free(c->ring);
    r->ring = c->ring = crypto_ring_share(c->platform->manager->ring);
    r->id = arena_dup_text(&job->arena, c->id);
    int code = fill_spec(r, c, job);
    if (code == 0)
        code = copy_entries(r, c, &job->arena);
    if (code < 0)
        return code;
    add_own_variables(r, c, &job->arena);
    code = add_ca_file(r, c, &job->arena, &job->error);
    if (code < 0)
        return code;
    job->prepare = prepare;
    job->prepare_done = recipe_wipe;
    job->prepare_context = r;
    return 0;
}
