/* gantry_plugin_run.h - what `gantry plugin run` makes of its command line, and how it shows what a plugin emits. */
#ifndef GANTRY_PLUGIN_RUN_H
#define GANTRY_PLUGIN_RUN_H

#include "gantry_tool.h"

#include <gantry/host.h>

/* One call.  Arrays and texts: run_clear(). */
struct run {
    const struct tool_command *self;
    const char *plugin, *handle;
    const char **folders;
    int is_verbose;
    struct gantry_session_options session;
    struct gantry_request request;
    struct gantry_ref ref;
    struct gantry_spec spec;
    struct gantry_image image;
    struct gantry_log_limits limits;
    struct gantry_pair *labels; /* as given; then those that start() adds */
    uint32_t label_count;
    struct gantry_variable *environment;
    uint32_t variable_count;
    char **texts; /* what the two have parts of */
    size_t text_count;
};

/* Read the command line.  Returns an exit code, having said what is wrong.  run: run_clear() in any case. */
int run_parse(struct run *run, const struct tool_command *self, int argc, char **argv);
void run_clear(struct run *run); /* wipes secrets */

/* One JSON object a line on standard output.  As gantry_request.emitted; context: none. */
int run_show(void *context, uint32_t kind, const void *item);

#endif
