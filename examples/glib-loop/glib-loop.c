/* glib-loop.c - a manager inside GLib's main loop, as a GSource: as GTK programs and many daemons have it.
 *
 *     cc -o glib-loop glib-loop.c $(pkg-config --cflags --libs gantry glib-2.0)
 *     ./glib-loop gantry.ini
 *
 * It prints what happens to each connector, and ends by Ctrl-C. */
#include <gantry/gantry.h>

#include <glib-unix.h>
#include <glib.h>

extern char **environ;

/* The manager as a source of events: one descriptor, and a time by which to look again. */
struct manager_source {
    GSource source;
    struct gantry_manager *manager;
    GMainLoop *loop;
    gpointer tag;
};

static gboolean
prepare(GSource *source, gint *timeout_ms)
{
    *timeout_ms = gantry_manager_timeout_ms(((struct manager_source *)source)->manager);
    return *timeout_ms == 0;
}

static gboolean
check(GSource *source)
{
    struct manager_source *s = (struct manager_source *)source;
    return g_source_query_unix_fd(source, s->tag) != 0 ||
           gantry_manager_timeout_ms(s->manager) == 0;
}

static gboolean
dispatch(GSource *source, GSourceFunc callback, gpointer user_data)
{
    struct manager_source *s = (struct manager_source *)source;
    (void)callback, (void)user_data;
    if (gantry_manager_step(s->manager))
        return G_SOURCE_CONTINUE;
    g_main_loop_quit(s->loop);
    return G_SOURCE_REMOVE;
}

static GSourceFuncs functions = {.prepare = prepare, .check = check, .dispatch = dispatch};

static void
print_event(void *context, const struct gantry_manager_event *event)
{
    (void)context;
    g_print("%s %s: %s %s -> %s %s\n", event->kind, event->name, event->action, event->from,
            event->to, event->cause);
}

static gboolean
on_signal(gpointer manager)
{
    gantry_manager_stop(manager);
    return G_SOURCE_CONTINUE;
}

static int
run(struct gantry_manager *manager, struct gantry_error **err)
{
    int code = gantry_manager_begin(manager, GANTRY_RUN_DAEMON, err);
    if (code < 0)
        return code;
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    struct manager_source *s = (void *)g_source_new(&functions, sizeof *s);
    s->manager = manager;
    s->loop = loop;
    s->tag = g_source_add_unix_fd(&s->source, gantry_manager_fd(manager), G_IO_IN);
    g_source_attach(&s->source, NULL);
    g_unix_signal_add(SIGINT, on_signal, manager);
    g_unix_signal_add(SIGTERM, on_signal, manager);
    g_main_loop_run(loop);
    g_source_unref(&s->source);
    g_main_loop_unref(loop);
    return gantry_manager_end(manager, err);
}

int
main(int argc, char **argv)
{
    struct gantry_options options = {.size = sizeof options,
                                     .path = argc > 1 ? argv[1] : NULL,
                                     .environment = environ,
                                     .event = print_event};
    struct gantry_manager *manager = NULL;
    struct gantry_error *err = NULL;
    int code = gantry_manager_new(&options, &manager, &err);
    if (code == 0)
        code = run(manager, &err);
    for (const struct gantry_error *e = err; e; e = e->cause)
        g_printerr("%s\n", e->message);
    gantry_error_free(err);
    gantry_manager_free(manager);
    return code < 0;
}
