/* gantry_version.c - gantry version */
#include "gantry_tool.h"

#include <gantry/plugin.h>

#include <inttypes.h>
#include <stdio.h>

int
tool_version(const struct tool_command *self, int argc, char **argv)
{
    if (argc > 1)
        return tool_usage(self, "it takes no argument", argv[1]);
    printf("gantry %s, plugin ABI %" PRIu32 ".%" PRIu32 "\n", gantry_version(), GANTRY_ABI_MAJOR,
           GANTRY_ABI_MINOR);
    return TOOL_OK;
}
