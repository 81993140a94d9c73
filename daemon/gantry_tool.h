/* gantry_tool.h - what the commands of `gantry` share.
 *
 * A command is one row of the table in gantry.c and one file here.  Exit codes: 0 it worked, 1 it
 * failed, 2 the command line or the input was wrong.  Errors are one line on standard error. */
#ifndef GANTRY_TOOL_H
#define GANTRY_TOOL_H

#include <gantry/types.h>

#include <stddef.h>

#define TOOL_OK     0
#define TOOL_FAILED 1
#define TOOL_USAGE  2

struct tool_command {
    const char *name;      /* one word or two */
    const char *arguments; /* as the help shows them */
    const char *summary;   /* one line */
    const char *details;   /* what the help says besides; ends in a newline */
    /* argv[0] is the command's last word. */
    int (*run)(const struct tool_command *self, int argc, char **argv);
};

extern const struct tool_command tool_commands[];
extern const size_t tool_command_count;

/* The command that argv begins with, and how many words it took; NULL: none. */
const struct tool_command *tool_find(int argc, char **argv, int *words);

/* Say what is wrong with the command line, and where the help is.  Returns TOOL_USAGE. */
int tool_usage(const struct tool_command *command, const char *what, const char *argument);
/* Say why it failed.  error: taken, may be NULL.  Returns the exit code for it. */
int tool_failed(const struct tool_command *command, int code, struct gantry_error *error);
/* Say that it failed by errno.  Returns TOOL_FAILED. */
int tool_failed_errno(const struct tool_command *command, const char *what, const char *path);

/* --path DIR, given any number of times, and what else the plugin commands take. */
struct tool_plugin_options {
    const char **folders; /* freed by the caller */
    size_t folder_count;
    int verbose;
    const char *name; /* the one argument; NULL: none */
};

/* What gantry_plugin_load() takes for what was typed: gantry-x.so is that file in this folder.  Owned, free();
 * NULL when memory ran out. */
char *tool_plugin_path(const char *typed);

int tool_connect_check(const struct tool_command *self, int argc, char **argv);
int tool_connect_explain(const struct tool_command *self, int argc, char **argv);
int tool_connect_fmt(const struct tool_command *self, int argc, char **argv);
int tool_connect_map(const struct tool_command *self, int argc, char **argv);
int tool_connect_request(const struct tool_command *self, int argc, char **argv);
int tool_events(const struct tool_command *self, int argc, char **argv);
int tool_graphql_fmt(const struct tool_command *self, int argc, char **argv);
int tool_graphql_validate(const struct tool_command *self, int argc, char **argv);
int tool_help(const struct tool_command *self, int argc, char **argv);
int tool_keygen(const struct tool_command *self, int argc, char **argv);
int tool_plugin_info(const struct tool_command *self, int argc, char **argv);
int tool_plugin_list(const struct tool_command *self, int argc, char **argv);
int tool_plugin_new(const struct tool_command *self, int argc, char **argv);
int tool_plugin_run(const struct tool_command *self, int argc, char **argv);
int tool_plugin_test(const struct tool_command *self, int argc, char **argv);
int tool_version(const struct tool_command *self, int argc, char **argv);

/* Parse the options of the plugin commands.  Returns 0 or TOOL_USAGE or TOOL_FAILED, having said
 * why. */
int tool_plugin_options(const struct tool_command *self, int argc, char **argv,
                        struct tool_plugin_options *options);

#endif
