/* plugin_folder.c - where the bundled plugins are: found from where this library is, so that a
 * build folder and any installation prefix work without a setting. */
#include "runtime_internal.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Something in this library, for dladdr(). */
static const char here = 0;

char *
runtime_bundled_folder(void)
{
    static const char *const places[] = {
        "gantry/plugins", /* below the library's folder, when installed */
        "../plugins",     /* beside it, in a build */
    };
    Dl_info info;
    char library[PATH_MAX];
    if (!dladdr(&here, &info) || !info.dli_fname)
        return NULL;
    /* For a program that holds this code itself the name is how it was called. */
    const char *name = strchr(info.dli_fname, '/') ? info.dli_fname : "/proc/self/exe";
    if (!realpath(name, library))
        return NULL;
    char *slash = strrchr(library, '/');
    *slash = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        char path[PATH_MAX + 32], real[PATH_MAX];
        struct stat st;
        int n = snprintf(path, sizeof path, "%s/%s", library, places[i]);
        if (n > 0 && (size_t)n < sizeof path && realpath(path, real) && stat(real, &st) == 0 &&
            S_ISDIR(st.st_mode))
            return text_dup(real);
    }
    return NULL;
}
