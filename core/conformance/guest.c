/* guest.c - a table of operations that hands each call on to the real plugin, with copies of all that comes in. */
#include "guest.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

#define MORE_BYTES   48 /* of fields that a plugin of today does not know */
#define MORE_PATTERN 0xa5
#define UNKNOWN_FLAG (1U << 30)

/* The host's table of such a backend: how it is opened stands behind the fields that a plugin knows. */
struct guest_host {
    struct gantry_host host;
    unsigned char unknown[MORE_BYTES];
    const struct gantry_plugin *real;
    enum kit_guest_kind kind;
};

/* What the real plugin sees as its host lives in the backend; this is what the calls get as self. */
struct guest {
    const struct gantry_plugin *real;
    enum kit_guest_kind kind;
    void *self; /* the real plugin's */
    pthread_mutex_t lock;
    struct block *gone; /* what calls have been given; nothing can be read there until close() */
};

/* One thing that was passed in. */
struct block {
    struct block *next;
    void *map;
    size_t map_size;
};

/* All that one call has been given. */
struct visit {
    struct guest *guest;
    enum kit_guest_kind kind;
    struct block *blocks;
    bool failed; /* memory ran out */
};

/* ---- copies --------------------------------------------------------------------------------------- */

/* Memory whose last byte is the last one that may be read. */
static void *
pass(struct visit *v, const void *from, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size + page - 1) / page * page;
    struct block *block = from ? calloc(1, sizeof *block) : NULL;
    if (!from)
        return NULL;
    void *map =
        block ? mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
              : MAP_FAILED;
    if (map == MAP_FAILED) {
        free(block);
        v->failed = true;
        return NULL;
    }
    *block = (struct block){v->blocks, map, room + page};
    v->blocks = block;
    (void)mprotect((char *)map + room, page, PROT_NONE);
    char *to = (char *)map + room - size;
    memcpy(to, from, size);
    return to;
}

static const char *
pass_text(struct visit *v, const char *text)
{
    return text ? pass(v, text, strlen(text) + 1) : NULL;
}

static uint32_t
longer(const struct visit *v, size_t size)
{
    return (uint32_t)(size + (v->kind == KIT_GUEST_LONGER ? MORE_BYTES : 0));
}

/* A struct that begins with its size. */
static void *
pass_struct(struct visit *v, const void *from, size_t size)
{
    unsigned char copy[512];
    uint32_t bytes = longer(v, size);
    assert(bytes <= sizeof copy);
    if (!from)
        return NULL;
    memset(copy, MORE_PATTERN, sizeof copy);
    memcpy(copy, from, size);
    memcpy(copy, &bytes, sizeof bytes);
    return pass(v, copy, bytes);
}

/* An array whose elements are as far apart as in such a host. */
static void *
pass_array(struct visit *v, const void *from, uint32_t count, uint32_t stride, size_t size)
{
    uint32_t step = longer(v, size);
    unsigned char *copy = count ? malloc((size_t)count * step) : NULL;
    if (!copy) {
        v->failed = v->failed || count;
        return NULL;
    }
    memset(copy, MORE_PATTERN, (size_t)count * step);
    for (uint32_t i = 0; i < count; i++)
        memcpy(copy + (size_t)i * step, (const char *)from + (size_t)i * stride, size);
    void *to = pass(v, copy, (size_t)count * step);
    free(copy);
    return to;
}

/* Element i of an array that pass_array() made. */
#define COPIED(v, type, array, i)                                                                  \
    ((type *)(void *)((char *)(void *)(array) + (size_t)longer((v), sizeof(type)) * (i)))

static struct gantry_pair *
pass_pairs(struct visit *v, const struct gantry_pair *from, uint32_t count, uint32_t stride)
{
    struct gantry_pair *to = pass_array(v, from, count, stride, sizeof *from);
    for (uint32_t i = 0; to && i < count; i++) {
        struct gantry_pair *pair = COPIED(v, struct gantry_pair, to, i);
        pair->key = pass_text(v, pair->key);
        pair->value = pass_text(v, pair->value);
    }
    return to;
}

static const char *const *
pass_items(struct visit *v, const char *const *items, uint32_t count)
{
    const char **to = count ? pass(v, items, count * sizeof *items) : NULL;
    for (uint32_t i = 0; to && i < count; i++)
        to[i] = pass_text(v, to[i]);
    return to;
}

static struct gantry_settings *
pass_settings(struct visit *v, const struct gantry_settings *from)
{
    struct gantry_settings *to = pass_struct(v, from, sizeof *from);
    if (!to)
        return NULL;
    struct gantry_value *values =
        pass_array(v, from->values, from->count, from->stride, sizeof *values);
    for (uint32_t i = 0; values && i < from->count; i++) {
        struct gantry_value *value = COPIED(v, struct gantry_value, values, i);
        value->size = longer(v, sizeof *value);
        value->key = pass_text(v, value->key);
        value->text = pass_text(v, value->text);
        value->items = pass_items(v, value->items, value->item_count);
    }
    to->values = values;
    to->stride = longer(v, sizeof *values);
    to->section = pass_text(v, from->section);
    return to;
}

static const struct gantry_ref *
pass_ref(struct visit *v, const struct gantry_ref *from)
{
    struct gantry_ref *to = pass_struct(v, from, sizeof *from);
    if (!to)
        return NULL;
    to->reserved = longer(v, sizeof *to) - (uint32_t)sizeof *to; /* not zero in a newer host */
    to->handle = pass_text(v, from->handle);
    to->id = pass_text(v, from->id);
    to->name = pass_text(v, from->name);
    return to;
}

static const struct gantry_registry *
pass_registry(struct visit *v, const struct gantry_registry *from)
{
    struct gantry_registry *to = pass_struct(v, from, sizeof *from);
    if (!to)
        return NULL;
    to->host = pass_text(v, from->host);
    to->username = pass_text(v, from->username);
    to->password = pass_text(v, from->password);
    return to;
}

static void
pass_arrays(struct visit *v, struct gantry_spec *to, const struct gantry_spec *from)
{
    struct gantry_variable *variables = pass_array(v, from->environment, from->environment_count,
                                                   from->environment_stride, sizeof *variables);
    struct gantry_file *files =
        pass_array(v, from->files, from->file_count, from->file_stride, sizeof *files);
    for (uint32_t i = 0; variables && i < from->environment_count; i++) {
        struct gantry_variable *variable = COPIED(v, struct gantry_variable, variables, i);
        variable->key = pass_text(v, variable->key);
        variable->value = pass_text(v, variable->value);
    }
    for (uint32_t i = 0; files && i < from->file_count; i++) {
        struct gantry_file *file = COPIED(v, struct gantry_file, files, i);
        file->path = pass_text(v, file->path);
        file->bytes = file->bytes_size ? pass(v, file->bytes, (size_t)file->bytes_size) : NULL;
    }
    to->environment = variables;
    to->environment_stride = longer(v, sizeof *variables);
    to->files = files;
    to->file_stride = longer(v, sizeof *files);
    to->labels = pass_pairs(v, from->labels, from->label_count, from->label_stride);
    to->label_stride = longer(v, sizeof *to->labels);
}

static const struct gantry_spec *
pass_spec(struct visit *v, const struct gantry_spec *from)
{
    struct gantry_spec *to = pass_struct(v, from, sizeof *from);
    if (!to)
        return NULL;
    to->id = pass_text(v, from->id);
    to->name = pass_text(v, from->name);
    to->hash = pass_text(v, from->hash);
    to->image = pass_text(v, from->image);
    to->platform = pass_text(v, from->platform);
    to->registry = pass_registry(v, from->registry);
    to->settings = pass_settings(v, from->settings);
    pass_arrays(v, to, from);
    return to;
}

/* ---- the operations ------------------------------------------------------------------------------- */

static struct visit
visit_of(struct guest *g)
{
    return (struct visit){.guest = g, .kind = g->kind};
}

/* Take all of it away: whoever has kept a pointer reads where nothing is.  It stays mapped, so that nothing else
 * comes to lie there. */
static int
leave(struct visit *v, int code)
{
    struct guest *g = v->guest;
    struct block *last = NULL;
    for (struct block *block = v->blocks; block; block = block->next) {
        (void)mprotect(block->map, block->map_size, PROT_NONE);
        last = block;
    }
    pthread_mutex_lock(&g->lock);
    if (last) {
        last->next = g->gone;
        g->gone = v->blocks;
    }
    pthread_mutex_unlock(&g->lock);
    return code;
}

static void
guest_free(struct guest *g)
{
    for (struct block *block = g->gone, *next; block; block = next) {
        next = block->next;
        (void)munmap(block->map, block->map_size);
        free(block);
    }
    pthread_mutex_destroy(&g->lock);
    free(g);
}

static int
guest_open(struct gantry_call *call, const struct gantry_host *host,
           const struct gantry_settings *settings, void **self)
{
    const struct guest_host *how = (const struct guest_host *)(const void *)host;
    struct guest *g = calloc(1, sizeof *g);
    if (!g || pthread_mutex_init(&g->lock, NULL)) {
        free(g);
        return GANTRY_E_NOMEM;
    }
    g->real = how->real;
    g->kind = how->kind;
    struct visit v = visit_of(g);
    const struct gantry_settings *copy = pass_settings(&v, settings);
    int code = leave(&v, v.failed ? GANTRY_E_NOMEM : g->real->open(call, host, copy, &g->self));
    if (code == 0)
        *self = g;
    else
        guest_free(g);
    return code;
}

static void
guest_close(void *self)
{
    struct guest *g = self;
    g->real->close(g->self);
    guest_free(g);
}

static int
guest_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
            const struct gantry_spec *spec, uint32_t flags)
{
    struct guest *g = self;
    struct visit v = visit_of(g);
    const struct gantry_ref *ref = pass_ref(&v, existing);
    const struct gantry_spec *copy = pass_spec(&v, spec);
    if (v.kind == KIT_GUEST_LONGER)
        flags |= UNKNOWN_FLAG;
    return leave(&v, v.failed ? GANTRY_E_NOMEM : g->real->start(g->self, call, ref, copy, flags));
}

static int
guest_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    struct guest *g = self;
    struct visit v = visit_of(g);
    const struct gantry_ref *copy = pass_ref(&v, ref);
    return leave(&v, copy ? g->real->stop(g->self, call, copy, grace_ms) : GANTRY_E_NOMEM);
}

static int
guest_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct guest *g = self;
    struct visit v = visit_of(g);
    const struct gantry_ref *copy = pass_ref(&v, ref);
    return leave(&v, copy ? g->real->remove(g->self, call, copy) : GANTRY_E_NOMEM);
}

static int
guest_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
           const struct gantry_log_limits *limits)
{
    struct guest *g = self;
    struct visit v = visit_of(g);
    const struct gantry_ref *copy = pass_ref(&v, ref);
    const struct gantry_log_limits *most = pass_struct(&v, limits, sizeof *limits);
    const char *from = pass_text(&v, cursor);
    return leave(&v, v.failed ? GANTRY_E_NOMEM : g->real->logs(g->self, call, copy, from, most));
}

static int
guest_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct guest *g = self;
    struct visit v = visit_of(g);
    const struct gantry_ref *copy = pass_ref(&v, ref);
    return leave(&v, copy ? g->real->inspect(g->self, call, copy) : GANTRY_E_NOMEM);
}

static int
guest_list(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
           uint32_t stride)
{
    struct guest *g = self;
    struct visit v = visit_of(g);
    const struct gantry_pair *copy = pass_pairs(&v, labels, count, stride);
    uint32_t step = longer(&v, sizeof *labels);
    return leave(&v, v.failed ? GANTRY_E_NOMEM : g->real->list(g->self, call, copy, count, step));
}

static int
guest_watch(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
            uint32_t stride)
{
    struct guest *g = self;
    struct visit v = visit_of(g);
    const struct gantry_pair *copy = pass_pairs(&v, labels, count, stride);
    uint32_t step = longer(&v, sizeof *labels);
    return leave(&v, v.failed ? GANTRY_E_NOMEM : g->real->watch(g->self, call, copy, count, step));
}

static int
guest_pull(void *self, struct gantry_call *call, const struct gantry_spec *spec)
{
    struct guest *g = self;
    struct visit v = visit_of(g);
    const struct gantry_spec *copy = pass_spec(&v, spec);
    return leave(&v, v.failed ? GANTRY_E_NOMEM : g->real->pull(g->self, call, copy));
}

static int
guest_probe(void *self, struct gantry_call *call)
{
    const struct guest *g = self;
    return g->real->probe(g->self, call);
}

/* ---- opening -------------------------------------------------------------------------------------- */

/* The real plugin's table with these operations in the place of its own. */
static struct gantry_plugin
guest_table(const struct gantry_plugin *real)
{
    struct gantry_plugin table = *real;
    table.open = guest_open;
    table.close = guest_close;
    table.start = guest_start;
    table.stop = guest_stop;
    table.remove = guest_remove;
    table.logs = guest_logs;
    table.inspect = guest_inspect;
    table.list = guest_list;
    table.watch = real->watch ? guest_watch : NULL;
    table.pull = real->pull ? guest_pull : NULL;
    table.probe = real->probe ? guest_probe : NULL;
    table.remove_image = NULL;
    return table;
}

static int
open_guest(struct kit *kit, enum kit_guest_kind kind)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct guest_host host = {.host = kit_host_functions, .real = kit->table, .kind = kind};
    memset(host.unknown, MORE_PATTERN, sizeof host.unknown);
    host.host.size = sizeof host;
    if (kind == KIT_GUEST_LONGER) {
        host.host.abi_minor += 9;
        host.host.version = "99.0.0";
    }
    return kit_open(kit, NULL, &host.host, &kit->backend, &err) == 0
               ? KIT_OK
               : kit_broken(kit, "the plugin cannot be opened: %s", err_text(err));
}

int
kit_as_guest(struct kit *kit, enum kit_guest_kind kind, int (*body)(struct kit *kit))
{
    const struct runtime_plugin *plugin = kit->plugin;
    struct runtime_backend *backend = kit->backend;
    struct runtime_plugin *guest = NULL;
    const struct gantry_plugin table = guest_table(kit->table);
    if (runtime_plugin_adopt(&table, &guest, NULL) < 0)
        return kit_broken(kit, "the kit ran out of memory");
    kit->plugin = guest;
    int came = open_guest(kit, kind);
    kit->plugin = plugin;
    if (came == KIT_OK) {
        came = body(kit);
        runtime_close(kit->backend);
    }
    kit->backend = backend;
    if (!kit->hung)
        runtime_plugin_free(guest);
    return came;
}
