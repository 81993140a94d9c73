/* custom.c - kind custom: the program itself says what should run, and is told how it is
 * (gantry/platform.h).
 *
 * Listing and configurations come in one answer.  The latter are kept, their values wiped when the next
 * answer takes their place, and configure() answers from them. */
#include "err.h"
#include "platform_internal.h"

#include <stdio.h>

/* One connector of the last good answer. */
struct kept_connector {
    struct config_connector connector;
    const char *hash;
    const char *problem; /* NULL: it can be used */
};

struct kept {
    struct arena arena;
    VEC(struct kept_connector) items;
};

struct custom {
    struct gantry_platform program; /* what it does not know is zero */
    struct kept *kept;              /* NULL: there was no good answer yet */
    struct map reported;            /* id -> its status, as a number */
    char digest[CRYPTO_HEX_SIZE];   /* of the last listing that was handed out; "": none */
};

/* One answer of list(), while it is made. */
struct gantry_listing {
    const struct custom *custom;
    struct listing_builder builder;
    struct kept *kept;
    struct buf canon; /* all that it says, to recognise it */
    bool failed;      /* whatever list() returns */
    int code;         /* of error: of gantry_listing_fail(), else of the last thing refused */
    struct gantry_error *error;
};

static void
kept_free(struct kept *kept)
{
    if (!kept)
        return;
    vec_each (&kept->items, item)
        connector_wipe(&item->connector);
    vec_clear(&kept->items);
    arena_clear(&kept->arena);
    free(kept);
}

static int
custom_new(struct platform *p, const struct platform_context *context,
           const struct config_platform *settings, struct gantry_error **err)
{
    const struct gantry_platform *given = context->custom;
    (void)settings;
    if (!given)
        return err_set(err, GANTRY_E_INVALID,
                       "the program provides no platform of this name; let it add one, or remove "
                       "the section");
    struct custom *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(err);
    p->own = c;
    memcpy(&c->program, given, MIN(given->size, sizeof c->program));
    map_init(&c->reported);
    if (!c->program.list)
        return err_set(err, GANTRY_E_INVALID,
                       "the program's platform has no list function; give it one");
    return 0;
}

static void
custom_free(struct platform *p)
{
    struct custom *c = p->own;
    if (!c)
        return;
    kept_free(c->kept);
    map_clear(&c->reported);
    free(c);
    p->own = NULL;
}

/* ---- what the program says */

static bool
is_utf8(const char *text)
{
    struct str s = str_of(text);
    return str_utf8_valid_length(s) == s.len;
}

static int
no_memory(struct gantry_listing *listing)
{
    listing->failed = true;
    listing->code = err_nomem(&listing->error);
    return listing->code;
}

/* What is wrong with a variable; NULL: nothing. */
static const char *
variable_problem(struct arena *arena, const struct gantry_variable *v, const struct map *seen)
{
    if (!v->key || !*v->key || strchr(v->key, '=') || !is_utf8(v->key))
        return "a variable of its environment has no good name; write it in UTF-8, without '='";
    bool good = v->value && is_utf8(v->value);
    if (good && !map_find(seen, str_of(v->key)))
        return NULL;
    const char *text = arena_fmt(arena,
                                 good ? "its variable '%s' is given twice; give it once"
                                      : "its variable '%s' has no value in UTF-8; give it one",
                                 v->key);
    return text ? text : "one of its variables is given twice, or has no value in UTF-8";
}

/* Copy the variables; *problem: what is wrong with them.  False: memory ran out. */
static bool
keep_environment(struct arena *arena, const struct gantry_desired *from,
                 struct config_connector *out, const char **problem)
{
    AUTO_MAP struct map seen;
    map_init(&seen);
    uint32_t stride = from->environment_stride;
    if (from->environment_count == 0)
        return true;
    if (!from->environment ||
        stride < offsetof(struct gantry_variable, value) + sizeof(const char *)) {
        *problem = "its environment has a count, and no array or no stride";
        return true;
    }
    struct config_connector_entry *entries =
        arena_alloc_array(arena, from->environment_count, sizeof *entries);
    out->entries = entries;
    for (uint32_t i = 0; entries && i < from->environment_count; i++) {
        struct gantry_variable v = {0};
        memcpy(&v, GANTRY_AT(struct gantry_variable, from->environment, stride, i),
               MIN(stride, sizeof v));
        if ((*problem = variable_problem(arena, &v, &seen)))
            return true;
        struct config_connector_entry *entry = &entries[out->entry_count++];
        *entry = (struct config_connector_entry){arena_dup_text(arena, v.key),
                                                 arena_dup_text(arena, v.value), v.secret != 0};
        if (!entry->key || !entry->value || map_set(&seen, str_of(v.key), &seen, NULL) < 0)
            return false;
    }
    return entries != NULL;
}

/* Copy what the program says of one connector; what is wrong with it becomes its problem. */
static int
keep_connector(struct gantry_listing *listing, const struct gantry_desired *from,
               struct kept_connector *out, struct gantry_error **err)
{
    struct arena *arena = &listing->kept->arena;
    const char *problem = NULL;
    char hash[LOCAL_HASH_SIZE] = "";
    if ((from->name && !is_utf8(from->name)) || (from->image && !is_utf8(from->image)) ||
        (from->hash && !is_utf8(from->hash)))
        problem = "its name, image or hash is not UTF-8";
    struct config_connector *c = &out->connector;
    bool plain = !problem;
    c->id = arena_dup_text(arena, from->id);
    c->name = arena_dup_text(arena, plain && from->name && *from->name ? from->name : from->id);
    c->image = arena_dup_text(arena, plain && from->image ? from->image : "");
    c->wanted = from->run != 0;
    if (!c->id || !c->name || !c->image || (plain && !keep_environment(arena, from, c, &problem)))
        return err_nomem(err);
    bool given = from->hash && *from->hash;
    int code = given || problem ? 0 : local_hash(c, hash, err);
    if (code < 0)
        return code;
    out->hash = problem ? "" : arena_dup_text(arena, given ? from->hash : hash);
    out->problem = problem;
    return out->hash ? 0 : err_nomem(err);
}

static int
list_connector(struct gantry_listing *listing, const struct kept_connector *kept,
               struct gantry_error **err)
{
    struct arena *arena = &listing->builder.listing->arena;
    const struct config_connector *from = &kept->connector;
    struct platform_connector c = {
        .id = arena_dup_text(arena, from->id),
        .name = arena_dup_text(arena, from->name),
        .image = arena_dup_text(arena, from->image),
        .hash = arena_dup_text(arena, kept->hash),
        .problem = arena_dup_text(arena, kept->problem),
        .known =
            (enum platform_status)(uintptr_t)map_find(&listing->custom->reported, str_of(from->id)),
    };
    if (!c.id || !c.name || !c.image || !c.hash || (kept->problem && !c.problem))
        return err_nomem(err);
    if (!kept->problem) {
        c.wish = from->wanted ? PLATFORM_WISH_STARTING : PLATFORM_WISH_STOPPING;
        c.wish_text = from->wanted ? "starting" : "stopping";
    }
    listing_canon(&listing->canon, &c);
    return listing_add(&listing->builder, &c, err);
}

static int
refuse(struct gantry_listing *listing)
{
    listing_doubt(&listing->builder, "the program lists a connector without an id in UTF-8");
    buf_add_text(&listing->canon, "?\n");
    if (listing->failed)
        return GANTRY_E_INVALID;
    listing->code = err_set(&listing->error, GANTRY_E_INVALID,
                            "the program lists a connector without an id in UTF-8; give it one");
    return listing->code;
}

int
gantry_listing_add(struct gantry_listing *listing, const struct gantry_desired *desired)
{
    struct gantry_desired d = {0};
    struct gantry_error *err = NULL;
    memcpy(&d, desired, MIN(desired->size, sizeof d));
    if (!d.id || !*d.id || !is_utf8(d.id))
        return refuse(listing);
    struct kept_connector *kept = vec_push(&listing->kept->items);
    if (!kept)
        return no_memory(listing);
    int code = keep_connector(listing, &d, kept, &err);
    if (code == 0)
        code = list_connector(listing, kept, &err);
    if (code == GANTRY_E_NOMEM)
        code = no_memory(listing);
    else if (code < 0)
        code = gantry_listing_fail(listing, code, err_text(err));
    err_clear(&err);
    return code;
}

int
gantry_listing_fail(struct gantry_listing *listing, int code, const char *text)
{
    if (code == 0 || !err_is_code(code))
        code = GANTRY_E_INTERNAL;
    listing->failed = true;
    listing->code = err_set(&listing->error, code, "%s",
                            is_utf8(text) ? text : "the program's reason is not UTF-8");
    return code;
}

/* ---- what the manager asks */

/* How list() went.  What it does not know is no sign that nothing should run (S1). */
static int
judge(struct gantry_listing *listing, int returned, struct gantry_error **err)
{
    int code = returned;
    if (listing->failed || (returned < 0 && returned == listing->code)) {
        code = listing->code;
        err_move(err, &listing->error);
    } else if (!err_is_code(returned)) {
        return err_set(err, GANTRY_E_INTERNAL,
                       "the program's list function returned %d, which is no GANTRY_E_* code",
                       returned);
    } else if (returned < 0) {
        (void)err_set(err, code, "the program's list function failed: %s", gantry_code_name(code));
    } else if (buf_failed(&listing->canon)) {
        return err_nomem(err);
    }
    if (code == GANTRY_E_NOT_FOUND)
        return err_wrap(err, GANTRY_E_UNAVAILABLE, "nothing is known");
    return code;
}

static int
read_listing(struct platform *p, struct gantry_listing *listing, struct call *call,
             struct gantry_error **err)
{
    struct custom *c = p->own;
    char digest[CRYPTO_HEX_SIZE] = "";
    int code = listing_begin(&listing->builder, err);
    if (code < 0)
        return code;
    if (!(listing->kept = calloc(1, sizeof *listing->kept)))
        return err_nomem(err);
    arena_init(&listing->kept->arena, 0);
    code = judge(listing, c->program.list(c->program.context, listing), err);
    if (code == 0 && (code = crypto_sha256_hex(buf_view(&listing->canon), digest)) < 0)
        code = err_set(err, code, "SHA-256 failed");
    if (code < 0)
        return code;
    map_each (&c->reported, it) /* a program may list new ids for ever */
        if (!map_find(&listing->builder.seen, str_of(it->key)))
            (void)map_take(&c->reported, str_of(it->key));
    kept_free(c->kept);
    c->kept = TAKE(listing->kept);
    call->unchanged = strcmp(digest, c->digest) == 0;
    if (call->unchanged)
        return 0;
    (void)snprintf(c->digest, sizeof c->digest, "%s", digest);
    return listing_end(&listing->builder, &call->listing, err);
}

static void
custom_list(struct platform *p, struct call *call)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct gantry_listing listing = {.custom = p->own};
    buf_init(&listing.canon, SIZE_MAX / 2);
    int code = read_listing(p, &listing, call, &err);
    if (code < 0)
        call_fail(call, code, &err);
    listing_abandon(&listing.builder);
    kept_free(listing.kept);
    buf_clear(&listing.canon);
    err_clear(&listing.error);
    call_end_later(call);
}

static void
custom_forget(struct platform *p)
{
    ((struct custom *)p->own)->digest[0] = '\0';
}

static int
answer_configurations(const struct kept *kept, struct configurations_builder *b,
                      struct gantry_error **err)
{
    struct arena *arena = &b->configurations->arena;
    vec_each (&kept->items, item) {
        int code = 0;
        if (item->problem) {
            const char *id = arena_dup_text(arena, item->connector.id);
            const char *text = arena_dup_text(arena, item->problem);
            code = id && text ? configurations_add_unusable(b, id, text, err) : err_nomem(err);
        } else {
            code = configurations_add_connector(b, &item->connector, item->hash, err);
        }
        if (code < 0)
            return code;
    }
    return 0;
}

static void
custom_configure(struct platform *p, struct call *call)
{
    AUTO_ERR struct gantry_error *err = NULL;
    const struct custom *c = p->own;
    struct configurations_builder builder = {0};
    int code = c->kept ? configurations_begin(&builder, &err)
                       : err_set(&err, GANTRY_E_UNAVAILABLE,
                                 "the program has not said yet what should run");
    if (code == 0 && c->kept)
        code = answer_configurations(c->kept, &builder, &err);
    if (code == 0)
        code = configurations_end(&builder, &call->configurations, &err);
    if (code < 0)
        call_fail(call, code, &err);
    configurations_abandon(&builder);
    call_end_later(call);
}

static void
custom_ping(struct platform *p, struct call *call)
{
    (void)p; /* the program knows its manager */
    call_end_later(call);
}

/* Lines as a platform takes them; NULL: memory ran out. */
static const char *const *
clean_lines(struct arena *arena, const struct platform_report *report)
{
    AUTO_BUF struct buf line = BUF_INIT(LOG_LINE_MAX_BYTES);
    const char **lines = arena_alloc_array(arena, report->log_count + 1, sizeof *lines);
    for (size_t i = 0; lines && i < report->log_count; i++) {
        buf_reset(&line);
        log_line_clean(&line, report->logs[i]);
        lines[i] = arena_dup(arena, buf_view(&line));
        if (!lines[i] || buf_failed(&line))
            return NULL;
    }
    return lines;
}

static int
tell(const struct custom *c, const struct platform_report *from, struct gantry_error **err)
{
    AUTO_ARENA struct arena arena;
    arena_init(&arena, 0);
    struct gantry_report report = {
        .size = sizeof report,
        .id = from->id,
        .status = from->status == PLATFORM_STATUS_STARTED   ? GANTRY_REPORT_STARTED
                  : from->status == PLATFORM_STATUS_STOPPED ? GANTRY_REPORT_STOPPED
                                                            : GANTRY_REPORT_NOTHING,
    };
    if (from->health) {
        report.has_health = 1;
        report.in_reboot_loop = from->health->in_reboot_loop;
        report.started_ms = MAX(from->health->started_ms, 0);
        report.restarts = (uint32_t)MAX(from->health->restart_count, 0);
    }
    if (from->logs) {
        report.log_count = (uint32_t)from->log_count;
        if (!(report.logs = clean_lines(&arena, from)))
            return err_nomem(err);
    }
    int code = c->program.report(c->program.context, &report);
    if (!err_is_code(code))
        return err_set(err, GANTRY_E_INTERNAL,
                       "the program's report function returned %d, which is no GANTRY_E_* code",
                       code);
    return code < 0 ? err_set(err, code, "the program's report function failed: %s",
                              gantry_code_name(code))
                    : 0;
}

static void
custom_report(struct platform *p, const struct platform_report *report, struct call *call)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct custom *c = p->own;
    int code = c->program.report ? tell(c, report, &err) : 0;
    if (code == 0 && report->status != PLATFORM_STATUS_NONE &&
        map_set(&c->reported, str_of(report->id), (void *)(uintptr_t)report->status, NULL) < 0)
        code = err_nomem(&err);
    if (code < 0)
        call_fail(call, code, &err);
    call_end_later(call);
}

const struct platform_kind platform_kind_custom = {
    .label = "custom",
    .new = custom_new,
    .free = custom_free,
    .ping = custom_ping,
    .list = custom_list,
    .forget = custom_forget,
    .configure = custom_configure,
    .report = custom_report,
};
