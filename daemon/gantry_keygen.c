/* gantry_keygen.c - gantry keygen FILE */
#include "gantry_tool.h"

#include <gantry/gantry.h>

#include <stdio.h>
#include <string.h>

int
tool_keygen(const struct tool_command *self, int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
    if (first == 1 && argc > 1 && argv[1][0] == '-')
        return tool_usage(self, "unknown option", argv[1]);
    if (argc <= first || argv[first][0] == '\0')
        return tool_usage(self, "the FILE to write is missing", NULL);
    if (argc > first + 1)
        return tool_usage(self, "one argument too many", argv[first + 1]);
    struct gantry_error *error = NULL;
    int rc = gantry_keygen(argv[first], &error);
    if (rc < 0)
        return tool_failed(self, rc, error);
    printf("wrote '%s': an RSA key of 4096 bits, for its owner alone to read\n", argv[first]);
    return TOOL_OK;
}
