/* folder_extension.c - gantry.folder/1: a folder of the backend's own. */
#include "runtime_internal.h"

static const char *
folder_path(const struct gantry_host *host)
{
    return runtime_backend_of(host)->folder;
}

static const struct gantry_folder folder_functions = {
    .size = sizeof(struct gantry_folder),
    .path = folder_path,
};

const void *
folder_extension(void)
{
    return &folder_functions;
}
