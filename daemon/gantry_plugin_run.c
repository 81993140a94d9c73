/* gantry_plugin_run.c - gantry plugin run FILE OPERATION: one call of a plugin, as a manager would make it. */
#include "gantry_plugin_run.h"

#include <signal.h>
#include <stdio.h>

static void
trace(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

/* SIGINT and SIGTERM ask the call to end, as a manager does; the plugin is closed afterwards.  A watch has no
 * other end. */
static struct gantry_session *interruptible;

static void
on_interrupt(int number)
{
    (void)number;
    gantry_session_cancel(interruptible);
}

static int
say_failure(const struct tool_command *self, const char *operation, int code,
            struct gantry_error *error)
{
    fprintf(stderr, "gantry %s: %s: %s%s%s\n", self->name, operation, gantry_code_name(code),
            error ? ": " : "", error ? error->message : "");
    gantry_error_free(error);
    return TOOL_FAILED;
}

static int
call(const struct run *run, struct gantry_session *session)
{
    struct sigaction on = {.sa_handler = on_interrupt};
    struct sigaction off = {.sa_handler = SIG_DFL};
    struct gantry_error *error = NULL;
    interruptible = session;
    sigaction(SIGINT, &on, NULL);
    sigaction(SIGTERM, &on, NULL);
    int rc = gantry_session_call(session, &run->request, &error);
    sigaction(SIGINT, &off, NULL);
    sigaction(SIGTERM, &off, NULL);
    return rc < 0 ? say_failure(run->self, run->request.operation, rc, error) : TOOL_OK;
}

int
tool_plugin_run(const struct tool_command *self, int argc, char **argv)
{
    struct run run;
    struct gantry_session *session = NULL;
    struct gantry_error *error = NULL;
    int status = run_parse(&run, self, argc, argv);
    if (status == TOOL_OK) {
        run.session.trace = run.is_verbose ? trace : NULL;
        run.request.emitted = run_show;
        int rc = gantry_session_open(&run.session, &session, &error);
        if (rc < 0) {
            tool_failed(self, rc, error);
            status = TOOL_USAGE; /* the plugin, or its settings, cannot be used */
        }
    }
    if (session)
        status = call(&run, session);
    gantry_session_free(session);
    run_clear(&run);
    return status;
}
