/* gantry_help.c - gantry help [COMMAND] */
#include "gantry_tool.h"

#include <stdio.h>
#include <string.h>

static void
show_all(void)
{
    printf("gantry - look at what the connector manager Gantry works with\n\n");
    for (size_t i = 0; i < tool_command_count; i++)
        printf("  gantry %-15s  %s\n", tool_commands[i].name, tool_commands[i].summary);
    printf("\n'gantry help COMMAND' says more of one.  The manager itself is gantryd.\n"
           "Exit codes: 0 it worked, 1 it failed, 2 the command line or the input was wrong.\n");
}

int
tool_help(const struct tool_command *self, int argc, char **argv)
{
    if (argc < 2) {
        show_all();
        return TOOL_OK;
    }
    int words;
    const struct tool_command *command = tool_find(argc - 1, argv + 1, &words);
    if (!command || words != argc - 1)
        return tool_usage(self, "there is no command", argv[1]);
    printf("gantry %s%s%s\n\n%s%s", command->name, command->arguments[0] ? " " : "",
           command->arguments, command->summary, command->details[0] ? ".\n\n" : ".\n");
    printf("%s", command->details);
    return TOOL_OK;
}
