/* local.c - kind local: a folder of INI files, one a connector.
 *
 * Deleting a file is an operator's word: its connector is gone.  A file that cannot be read is not
 * a deleted one: its connector stays listed with its problem, under the id that the file last had.
 */
#include "err.h"
#include "platform_internal.h"

#include <stdio.h>

struct local {
    struct local_watch watch;
    struct map ids;               /* file's name -> its connector's id, owned */
    struct map reported;          /* id -> its status, as a number */
    char digest[CRYPTO_HEX_SIZE]; /* of the last listing that was handed out; "": none */
};

static int
local_new(struct platform *p, const struct platform_context *context,
          const struct config_platform *settings, struct gantry_error **err)
{
    (void)context;
    (void)settings;
    struct local *l = calloc(1, sizeof *l);
    if (!l)
        return err_nomem(err);
    map_init(&l->ids);
    map_init(&l->reported);
    local_watch_open(&l->watch, p);
    p->own = l;
    return 0;
}

static void
local_free(struct platform *p)
{
    struct local *l = p->own;
    if (!l)
        return;
    map_each (&l->ids, it)
        free(it->value);
    map_clear(&l->ids);
    map_clear(&l->reported);
    local_watch_close(&l->watch);
    free(l);
    p->own = NULL;
}

struct listing_walk {
    struct local *local;
    struct listing_builder builder;
    struct buf canon; /* all that the listing says, to recognise it */
};

static int
remember_id(struct local *l, const char *name, const char *id, struct gantry_error **err)
{
    const char *known = map_find(&l->ids, str_of(name));
    if (text_eq(known, id))
        return 0;
    char *copy = text_dup(id);
    void *old = NULL;
    if (!copy || map_set(&l->ids, str_of(name), copy, &old) < 0) {
        free(copy);
        return err_nomem(err);
    }
    free(old);
    return 0;
}

static enum platform_status
reported_status(const struct local *l, const char *id)
{
    return (enum platform_status)(uintptr_t)map_find(&l->reported, str_of(id));
}

static int
list_file(void *context, const char *name, const struct config_connector *from, const char *problem,
          struct gantry_error **err)
{
    struct listing_walk *walk = context;
    struct arena *arena = &walk->builder.listing->arena;
    struct platform_connector c = {.image = "", .hash = ""};
    char hash[LOCAL_HASH_SIZE] = "";
    if (from) {
        int code = local_hash(from, hash, err);
        if (code == 0)
            code = remember_id(walk->local, name, from->id, err);
        if (code < 0)
            return code;
        c.id = arena_dup_text(arena, from->id);
        c.name = arena_dup_text(arena, from->name);
        c.image = arena_dup_text(arena, from->image ? from->image : "");
        c.hash = arena_dup_text(arena, hash);
        c.wish = from->wanted ? PLATFORM_WISH_STARTING : PLATFORM_WISH_STOPPING;
        c.wish_text = from->wanted ? "starting" : "stopping";
    } else {
        const char *id = map_find(&walk->local->ids, str_of(name));
        if (!id) /* it may be that of a workload that runs */
            listing_doubt(&walk->builder,
                          "the file '%.80s.ini' cannot be read, so its connector's id is not known",
                          name);
        c.id = arena_dup_text(arena, id ? id : name);
        c.name = arena_dup_text(arena, name);
        c.problem = arena_dup_text(arena, problem);
    }
    if (!c.id || !c.name || !c.image || !c.hash || (problem && !c.problem))
        return err_nomem(err);
    c.known = reported_status(walk->local, c.id);
    listing_canon(&walk->canon, &c);
    return listing_add(&walk->builder, &c, err);
}

static int
read_listing(struct platform *p, struct call *call, struct gantry_error **err)
{
    struct local *l = p->own;
    struct listing_walk walk = {.local = l};
    char digest[CRYPTO_HEX_SIZE] = "";
    buf_init(&walk.canon, SIZE_MAX / 2);
    int code = listing_begin(&walk.builder, err);
    if (code == 0)
        code = local_walk(p->path, p->environment, list_file, &walk, err);
    if (code == 0 && buf_failed(&walk.canon))
        code = err_nomem(err);
    if (code == 0 && (code = crypto_sha256_hex(buf_view(&walk.canon), digest)) < 0)
        code = err_set(err, code, "SHA-256 failed");
    buf_clear(&walk.canon);
    call->unchanged = code == 0 && strcmp(digest, l->digest) == 0;
    if (code == 0 && !call->unchanged) {
        code = listing_end(&walk.builder, &call->listing, err);
        (void)snprintf(l->digest, sizeof l->digest, "%s", digest);
    }
    listing_abandon(&walk.builder);
    return code;
}

static void
local_list(struct platform *p, struct call *call)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct local *l = p->own;
    local_watch_renew(&l->watch, p);         /* first: see local_watch.c */
    (void)local_watch_changed(&l->watch, p); /* what has happened so far is about to be read */
    int code = read_listing(p, call, &err);
    if (code < 0)
        call_fail(call, code, &err);
    call_end_later(call);
}

static void
local_forget(struct platform *p)
{
    ((struct local *)p->own)->digest[0] = '\0';
}

struct configure_walk {
    const struct local *local;
    struct configurations_builder builder;
};

static int
configure_file(void *context, const char *name, const struct config_connector *from,
               const char *problem, struct gantry_error **err)
{
    struct configure_walk *walk = context;
    struct configurations_builder *b = &walk->builder;
    struct arena *arena = &b->configurations->arena;
    char hash[LOCAL_HASH_SIZE] = "";
    if (!from) {
        const char *known = map_find(&walk->local->ids, str_of(name));
        const char *id = arena_dup_text(arena, known ? known : name);
        const char *text = arena_dup_text(arena, problem);
        return id && text ? configurations_add_unusable(b, id, text, err) : err_nomem(err);
    }
    int code = local_hash(from, hash, err);
    return code < 0 ? code : configurations_add_connector(b, from, hash, err);
}

static void
local_configure(struct platform *p, struct call *call)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct configure_walk walk = {.local = p->own};
    int code = configurations_begin(&walk.builder, &err);
    if (code == 0)
        code = local_walk(p->path, p->environment, configure_file, &walk, &err);
    if (code == 0)
        code = configurations_end(&walk.builder, &call->configurations, &err);
    if (code < 0)
        call_fail(call, code, &err);
    configurations_abandon(&walk.builder);
    call_end_later(call);
}

static void
local_ping(struct platform *p, struct call *call)
{
    (void)p; /* nobody has to know this manager */
    call_end_later(call);
}

/* Nobody reads it; the status is remembered, so that the listing has it as a platform's would. */
static void
local_report(struct platform *p, const struct platform_report *report, struct call *call)
{
    struct local *l = p->own;
    if (report->status != PLATFORM_STATUS_NONE &&
        map_set(&l->reported, str_of(report->id), (void *)(uintptr_t)report->status, NULL) < 0) {
        AUTO_ERR struct gantry_error *err = NULL;
        call_fail(call, err_nomem(&err), &err);
    }
    call_end_later(call);
}

static int
local_fd(const struct platform *p)
{
    return ((const struct local *)p->own)->watch.fd;
}

static bool
local_changed(struct platform *p)
{
    return local_watch_changed(&((struct local *)p->own)->watch, p);
}

const struct platform_kind platform_kind_local = {
    .label = "local",
    .new = local_new,
    .free = local_free,
    .ping = local_ping,
    .list = local_list,
    .forget = local_forget,
    .configure = local_configure,
    .report = local_report,
    .fd = local_fd,
    .changed = local_changed,
};
