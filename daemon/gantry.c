/* gantry.c - the command-line tool: its table of commands, and the way to each. */
#include "gantry_tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct tool_command tool_commands[] = {
    {"connect check", "[--format FORMAT] [--] FILE...", "check connectors schemas",
     "Checks each FILE, a GraphQL schema with @source and @connect; '-' is standard input.\n"
     "Exit codes: 0 no errors (warnings and notes fail nothing), 1 errors, 2 a file cannot be\n"
     "read.\n"
     "  --format FORMAT  text or json\n",
     tool_connect_check},
    {"connect explain", "[--spec VERSION] [--var NAME=JSON]... [--] SELECTION [INPUT]",
     "show what each step of a mapping was given, and gave",
     "Maps as 'gantry connect map' does, and prints a line for each step of the selection:\n"
     "its text, what it was given, and what it gave; then the result and its problems.\n"
     "  --spec VERSION   of connect: 0.2 (which it is without this), 0.3 or 0.4\n"
     "  --var NAME=JSON  a variable, such as '$args={\"id\":1}'; may be given again\n",
     tool_connect_explain},
    {"connect fmt", "[--spec VERSION] [--] [SELECTION]", "print the normal form of a mapping",
     "SELECTION is a text, or @FILE; without it standard input is read.  Comments are kept.\n"
     "  --spec VERSION   of connect: 0.2 (which it is without this), 0.3 or 0.4\n",
     tool_connect_fmt},
    {"connect map",
     "[--spec VERSION] [--var NAME=JSON]... [--problems] [--time] [--] SELECTION [INPUT]",
     "apply a mapping to JSON",
     "SELECTION is a text, or @FILE; INPUT is a file, without it standard input is read.\n"
     "Prints the result as JSON, and nothing when the mapping gives nothing.\n"
     "  --spec VERSION   of connect: 0.2 (which it is without this), 0.3 or 0.4\n"
     "  --var NAME=JSON  a variable, such as '$args={\"id\":1}'; may be given again\n"
     "  --problems       print an object with the result as \"data\", and \"problems\"\n"
     "  --time           say on standard error how fast it was read, mapped and printed\n",
     tool_connect_map},
    {"connect request", "[--format FORMAT] [--var NAME=JSON]... [--] FILE COORDINATE",
     "show the request that a connector would send",
     "FILE is a connectors schema, - is standard input.  COORDINATE is a connector's, such as\n"
     "'Query.crane[0]', or its id.  Nothing is sent.  Exit codes: 0 it was built, 1 it cannot\n"
     "be built, 2 the schema cannot be used, or has no such connector.\n"
     "  --format FORMAT  text or json\n"
     "  --var NAME=JSON  a variable, such as '$args={\"id\":1}'; may be given again\n",
     tool_connect_request},
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
    {"graphql fmt", "[--] [FILE]", "print the normal form of a GraphQL schema or document",
     "Reads FILE, or standard input.  Comments are kept.\n", tool_graphql_fmt},
    {"graphql validate", "[--format FORMAT] --schema SDL [--] DOCUMENT...",
     "validate GraphQL documents against a schema",
     "Checks the schema first, then each document.  Exit codes: 0 all are valid, 1 some are not,\n"
     "2 a file cannot be read, or the schema is not valid.\n"
     "  --schema SDL     the file of the schema\n"
     "  --format FORMAT  text or json\n",
     tool_graphql_validate},
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
    {"plugin new", "[--lang c|c++] NAME", "write a plugin to begin with",
     "Makes the folder NAME with a plugin that works, in memory alone; it says how to build it\n"
     "and how to test it.  Nothing that exists is changed.\n"
     "  --lang LANGUAGE  c, which is the default, or c++\n",
     tool_plugin_new},
    {"plugin run", "[OPTION]... FILE OPERATION [HANDLE]", "call a plugin by hand, once",
     "FILE is a plugin's file or NAME.  OPERATION is inspect, list, logs, probe, pull, remove,\n"
     "remove_image, start, stop or watch.  HANDLE is that of a workload; with one, start\n"
     "starts it again, with --image it makes a new one, with both it replaces.  What the\n"
     "plugin emits are lines of JSON.  SIGINT cancels the call; it is how a watch ends.\n"
     "  -c, --config FILE    settings with a [backend NAME] for it\n"
     "  -v, --verbose        what passes between host and plugin, on standard error\n"
     "  --path DIR           look here for NAME first; may be given again\n"
     "  --image REFERENCE    start, pull, remove_image: the image\n"
     "  --digest DIGEST      remove_image: sha256:...\n"
     "  --name NAME          start: of the workload; example\n"
     "  --id ID              start: of the connector; the name\n"
     "  --hash HASH          start: of its configuration; 1\n"
     "  --label KEY=VALUE    start: one more; list, watch: what bears it; may be given again\n"
     "  --env KEY=VALUE      start: a variable; may be given again\n"
     "  --secret-env KEY=REF start: a secret one; REF is file:PATH or env:NAME\n"
     "  --pull POLICY        start, pull: always, never or if-not-present\n"
     "  --once               start: the runtime must not start it again by itself\n"
     "  --cursor CURSOR      logs: the lines behind it\n"
     "  --lines N            logs: at most so many; 1000\n"
     "  --grace SECONDS      stop, start: between the polite and the hard stop; 10\n"
     "  --timeout SECONDS    the call's deadline; 0, none, is the default\n",
     tool_plugin_run},
    {"plugin test", "[OPTION]... FILE", "try what a plugin promises, and show a table",
     "FILE is a plugin's file or NAME.  Each promise of plugin.h is tried in a process of its\n"
     "own, with workloads that are removed again.  Exit codes: 0 none failed, 1 some failed,\n"
     "2 the plugin or its settings cannot be used.\n"
     "  -c, --config FILE  settings with a [backend NAME] for it, and with [kit]\n"
     "  --only PROMISE     this one, or all of a group; may be given again\n"
     "  --list             show the promises, and try none; no FILE is needed\n"
     "  --format FORMAT    text or json\n"
     "  -j, --jobs N       so many at a time; without it as many as there are processors, at\n"
     "                     most 4\n"
     "  --path DIR         look here for NAME first; may be given again\n"
     "  -v, --verbose      what passes between host and plugin, on standard error\n",
     tool_plugin_test},
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

int
tool_failed_errno(const struct tool_command *command, const char *what, const char *path)
{
    char why[128];
    fprintf(stderr, "gantry %s: %s '%s': %s\n", command->name, what, path,
            strerror_r(errno, why, sizeof why));
    return TOOL_FAILED;
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
