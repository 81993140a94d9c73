/* manager_new.c - a manager before it is opened, and at its end: what it was given. */
#include "manager_internal.h"

#include "buf.h"
#include "err.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int
copy_environment(struct gantry_manager *m, char *const *from, struct gantry_error **err)
{
    size_t n = 0;
    while (from && from[n])
        n++;
    m->given.environment = calloc(n + 1, sizeof *m->given.environment);
    for (size_t i = 0; m->given.environment && i < n; i++) {
        if (!(m->given.environment[i] = text_dup(from[i])))
            return err_nomem(err);
    }
    return m->given.environment ? 0 : err_nomem(err);
}

/* The text of the settings may hold what is secret. */
static void
wipe_text(const char *text)
{
    if (text)
        secret_wipe((void *)(uintptr_t)text, strlen(text));
    free((void *)(uintptr_t)text);
}

static void
assignment_clear(struct gantry_assignment *a)
{
    free((void *)(uintptr_t)a->section);
    free((void *)(uintptr_t)a->key);
    wipe_text(a->value);
}

static int
copy_assignments(struct gantry_manager *m, const struct gantry_options *o,
                 struct gantry_error **err)
{
    for (uint32_t i = 0; i < o->assignment_count; i++) {
        const struct gantry_assignment *from =
            GANTRY_AT(struct gantry_assignment, o->assignments, o->assignment_stride, i);
        if (manager_assign(m, from->section, from->key, from->value) < 0)
            return err_nomem(err);
    }
    return 0;
}

int
manager_assign(struct gantry_manager *m, const char *section, const char *key, const char *value)
{
    struct gantry_assignment *to = vec_push(&m->given.assignments);
    if (!to)
        return GANTRY_E_NOMEM;
    *to = (struct gantry_assignment){text_dup(section), text_dup(key), text_dup(value)};
    if (to->section && to->key && to->value)
        return 0;
    assignment_clear(to);
    m->given.assignments.len--; /* half an assignment would be read as a wrong one */
    return GANTRY_E_NOMEM;
}

static int
copy_options(struct gantry_manager *m, const struct gantry_options *o, struct gantry_error **err)
{
    m->given.path = text_dup(o->path);
    m->given.text = text_dup(o->text);
    if ((o->path && !m->given.path) || (o->text && !m->given.text))
        return err_nomem(err);
    m->given.event = o->event;
    m->given.event_context = o->event_context;
    int code = copy_environment(m, o->environment, err);
    return code < 0 ? code : copy_assignments(m, o, err);
}

static void
given_clear(struct manager_given *g)
{
    free(g->path);
    wipe_text(g->text);
    vec_each (&g->assignments, a)
        assignment_clear(a);
    vec_clear(&g->assignments);
    for (size_t i = 0; g->environment && g->environment[i]; i++)
        wipe_text(g->environment[i]);
    free(g->environment);
    vec_each (&g->plugins, plugin)
        runtime_plugin_free(*plugin);
    vec_clear(&g->plugins);
    vec_each (&g->platforms, platform)
        free((void *)(uintptr_t)platform->name);
    vec_clear(&g->platforms);
}

static void
write_to_callback(void *context, enum log_level level, const char *line, size_t length)
{
    const struct manager_given *g = context;
    g->log(g->log_context, (int)level, line, length);
}

void
manager_log_begin(struct gantry_manager *m)
{
    struct log_sink sink = {0};
    if (m->given.log)
        sink = (struct log_sink){write_to_callback, &m->given};
    log_init(&m->log, LOG_INFO, LOG_TEXT, sink);
}

/* One descriptor stands for all that can wake the loop. */
int
manager_wait_for(struct gantry_manager *m, int fd, struct gantry_error **err)
{
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(m->wait_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return err_set(err, GANTRY_E_UNAVAILABLE, "epoll: a descriptor cannot be waited for");
    return 0;
}

static void
lock_init(pthread_mutex_t *lock)
{
    /* Recursive: the embedder's callbacks, which the loop calls, may ask for a picture. */
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

int
gantry_manager_new(const struct gantry_options *given, struct gantry_manager **out,
                   struct gantry_error **err)
{
    struct gantry_options o = {0};
    memcpy(&o, given, MIN(given->size, sizeof o));
    struct gantry_manager *m = calloc(1, sizeof *m);
    if (!m)
        return err_nomem(err);
    lock_init(&m->lock);
    m->lock_fd = -1;
    m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    m->wait_fd = epoll_create1(EPOLL_CLOEXEC);
    m->given.log = o.log; /* before the log begins, which takes its lines there */
    m->given.log_context = o.log_context;
    manager_log_begin(m);
    int code = 0;
    if (m->wake_fd < 0 || m->wait_fd < 0)
        code = err_set(err, GANTRY_E_UNAVAILABLE,
                       "the manager cannot be made: no more file descriptors");
    if (code == 0)
        code = manager_wait_for(m, m->wake_fd, err);
    if (code == 0)
        code = copy_options(m, &o, err);
    if (code < 0) {
        gantry_manager_free(m);
        return code;
    }
    *out = m;
    return 0;
}

int
gantry_manager_add_plugin(struct gantry_manager *m, const struct gantry_plugin *plugin,
                          struct gantry_error **err)
{
    if (m->open)
        return err_set(err, GANTRY_E_CONFLICT,
                       "a plugin can be added before the manager is opened only");
    struct runtime_plugin *taken = NULL;
    int code = runtime_plugin_adopt(plugin, &taken, err);
    if (code < 0)
        return code;
    const char *name = runtime_plugin_table(taken)->name;
    struct runtime_plugin **slot = NULL;
    if (manager_added_plugin(m, name))
        code = err_set(err, GANTRY_E_CONFLICT, "plugin '%s' was added before", name);
    else if (!(slot = vec_push(&m->given.plugins)))
        code = err_nomem(err);
    if (slot)
        *slot = taken;
    else
        runtime_plugin_free(taken);
    return code;
}

struct runtime_plugin *
manager_added_plugin(const struct gantry_manager *m, const char *name)
{
    for (size_t i = 0; i < m->given.plugins.len; i++) {
        struct runtime_plugin *plugin = m->given.plugins.ptr[i];
        if (text_eq(runtime_plugin_table(plugin)->name, name))
            return plugin;
    }
    return NULL;
}

const struct gantry_platform *
manager_added_platform(const struct gantry_manager *m, const char *name)
{
    for (size_t i = 0; i < m->given.platforms.len; i++) {
        if (text_eq(m->given.platforms.ptr[i].name, name))
            return &m->given.platforms.ptr[i];
    }
    return NULL;
}

static int
check_platform(const struct gantry_manager *m, const struct gantry_platform *p,
               struct gantry_error **err)
{
    if (m->open)
        return err_set(err, GANTRY_E_CONFLICT,
                       "a platform can be added before the manager is opened only");
    if (!p->name || !p->name[0])
        return err_set(err, GANTRY_E_INVALID, "the platform has no name; give it one");
    if (!p->list)
        return err_set(err, GANTRY_E_INVALID, "platform '%s' has no list(); give it one", p->name);
    if (manager_added_platform(m, p->name))
        return err_set(err, GANTRY_E_CONFLICT, "platform '%s' was added before", p->name);
    return 0;
}

int
gantry_manager_add_platform(struct gantry_manager *m, const struct gantry_platform *given,
                            struct gantry_error **err)
{
    struct gantry_platform copy = {0};
    memcpy(&copy, given, MIN(given->size, sizeof copy));
    int code = check_platform(m, &copy, err);
    if (code < 0)
        return code;
    /* It has a section, by this alone where the settings have none. */
    AUTO_BUF struct buf section = BUF_INIT(1024);
    buf_add_fmt(&section, "platform %s", copy.name);
    struct gantry_platform *slot = NULL;
    if (buf_failed(&section) || !(copy.name = text_dup(copy.name)))
        return err_nomem(err);
    if (manager_assign(m, buf_text(&section), "kind", "custom") < 0 ||
        !(slot = vec_push(&m->given.platforms))) {
        free((void *)(uintptr_t)copy.name);
        return err_nomem(err);
    }
    *slot = copy;
    return 0;
}

void
gantry_manager_free(struct gantry_manager *m)
{
    if (!m)
        return;
    manager_close(m);
    given_clear(&m->given);
    gantry_snapshot_free(m->snapshot);
    pthread_mutex_destroy(&m->lock);
    if (m->wake_fd >= 0)
        close(m->wake_fd);
    if (m->wait_fd >= 0)
        close(m->wait_fd);
    log_clear(&m->log);
    free(m);
}
