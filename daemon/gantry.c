/* gantry.c - the command-line tool: its table of commands, and the way to each. */
#include "gantry_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct tool_command tool_commands[] = {
    {"events", "[--config FILE] [-n N] [--connector WHICH] [--follow] [--json]",
     "show what the manager has done, and why",
     "Reads the log of events in the state folder of the settings in FILE; without it the\n"
     "environment alone says where that is.  Times are UTC, as in the manager's log.\n"
     "  -c, --config FILE  the settings of the manager\n"
     "  -n N               the newest N events, 50 when it is left out; 0: all\n"
     "  --connector WHICH  of the connector with this id or name alone\n"
     "  -f, --follow       go on with what happens, until SIGINT\n"
     "  --json             one JSON object a line\n",
     tool_events},
    {"help", "[COMMAND]", "show what there is, or what a command does", "", tool_help},
    {"keygen", "FILE", "make the manager's key",
     "Writes an RSA key of 4096 bits to FILE (PKCS#8, PEM, mode 0600), and never over an\n"
     "existing file.  The manager registers its public half; secrets are sealed for it.\n",
     tool_keygen},
    {"plugin info", "[--path DIR]... NAME", "show a plugin's manual",
     "NAME is that of gantry-NAME.so, or the path of a file.  Looks in each DIR, then in the\n"
     "folder of the bundled plugins.\n"
     "  --path DIR     look here first; may be given again\n",
     tool_plugin_info},
    {"plugin list", "[--path DIR]... [--verbose]", "show all plugins, and why one is refused",
     "Looks in each DIR, then in the folder of the bundled plugins, in this order.  A name\n"
     "that an earlier folder has is shadowed: the first one is used.\n"
     "  --path DIR     look here first; may be given again\n"
     "  -v, --verbose  say where it looked, and more of each plugin\n",
     tool_plugin_list},
    {"version", "", "show the version", "", tool_version},
};
const size_t tool_command_count = sizeof tool_commands / sizeof tool_commands[0];

const struct tool_command *
tool_find(int argc, char **argv, int *words)
{
    for (size_t i = 0; i < tool_command_count; i++) {
        const char *name = tool_commands[i].name;
        const char *second = strchr(name, ' ');
        size_t first_length = second ? (size_t)(second - name) : strlen(name);
        *words = second ? 2 : 1;
        if (argc >= *words && strlen(argv[0]) == first_length &&
            strncmp(argv[0], name, first_length) == 0 && (!second || !strcmp(argv[1], second + 1)))
            return &tool_commands[i];
    }
    return NULL;
}

int
tool_usage(const struct tool_command *command, const char *what, const char *argument)
{
    fprintf(stderr, "gantry %s: %s%s%s%s; 'gantry help %s' shows how\n", command->name, what,
            argument ? " '" : "", argument ? argument : "", argument ? "'" : "", command->name);
    return TOOL_USAGE;
}

int
tool_failed(const struct tool_command *command, int code, struct gantry_error *error)
{
    fprintf(stderr, "gantry %s: %s\n", command->name,
            error ? error->message : gantry_code_name(code));
    gantry_error_free(error);
    return code == GANTRY_E_INVALID ? TOOL_USAGE : TOOL_FAILED;
}

/* What was printed must have arrived: a full disk is a failure. */
static int
finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "gantry: cannot write to standard output\n");
    return TOOL_FAILED;
}

static int
unknown_command(const char *word)
{
    /* The first word of a command of two is no command, but it is not unknown either. */
    for (size_t i = 0; i < tool_command_count; i++) {
        size_t length = strlen(word);
        if (strncmp(tool_commands[i].name, word, length) == 0 &&
            tool_commands[i].name[length] == ' ') {
            fprintf(stderr, "gantry: '%s' needs a second word; 'gantry help' shows which\n", word);
            return TOOL_USAGE;
        }
    }
    fprintf(stderr, "gantry: there is no command '%s'; 'gantry help' shows what there is\n", word);
    return TOOL_USAGE;
}

static int
is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int
main(int argc, char **argv)
{
    char help[] = "help", version[] = "version";
    if (argc < 2) {
        fprintf(stderr, "gantry: a command is missing; 'gantry help' shows what there is\n");
        return TOOL_USAGE;
    }
    if (is_help(argv[1]))
        argv[1] = help;
    else if (strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    int words;
    const struct tool_command *command = tool_find(argc - 1, argv + 1, &words);
    if (!command)
        return unknown_command(argv[1]);
    for (int i = 1 + words; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i])) {
            argv[0] = help;
            return finish(tool_help(command, words + 1, argv));
        }
    return finish(command->run(command, argc - words, argv + words));
}
