/* gantry_connect.h - what the commands `gantry connect ...` share. */
#ifndef GANTRY_CONNECT_TOOL_H
#define GANTRY_CONNECT_TOOL_H

#include "gantry_tool.h"

#include <gantry/connect.h>

/* A text that was read whole, or given.  Freed by tool_text_free(). */
struct tool_text {
    char *ptr;
    size_t size;
    const char *name; /* of the file, for messages; "the selection", "standard input" */
};

/* --spec, --var, --format and the rest, as the commands take them. */
struct tool_connect_options {
    uint32_t version; /* of connect: 2, 3, 4; 0: not given */
    struct gantry_mapping_variable *variables;
    uint32_t variable_count;
    int with_problems, with_time, json;
    const char *selection; /* the first argument; NULL: none */
    const char *input;     /* the second one; NULL: none */
};

/* Parse the command line.  Returns TOOL_OK or another exit code, having said why.
 * options->variables: freed by the caller, names by tool_connect_free(). */
int tool_connect_options(const struct tool_command *self, int argc, char **argv,
                         struct tool_connect_options *options);
void tool_connect_free(struct tool_connect_options *options);

/* Read a file (NULL or "-": standard input), or take the text of an argument that may be @FILE. */
int tool_read(const struct tool_command *self, const char *path, struct tool_text *out);
int tool_read_selection(const struct tool_command *self, const char *argument,
                        struct tool_text *out);
void tool_text_free(struct tool_text *text);

/* Parse a selection; on failure says why, with the line and a caret below the place. */
int tool_parse_selection(const struct tool_command *self, const struct tool_text *text,
                         uint32_t version, struct gantry_mapping **out);

#endif
