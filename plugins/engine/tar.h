/* tar.h - an archive of a spec's files, as the engine takes it. */
#ifndef ENGINE_TAR_H
#define ENGINE_TAR_H

#include "text.h"

#include <gantry/plugin.h>

/* Adds one regular file, owned by root.  path: absolute, without "." and ".." parts. */
void tar_add_file(struct text *archive, const struct gantry_file *file);
void tar_finish(struct text *archive);
/* Is it a path that an archive may hold? */
bool tar_path_is_good(const char *path);

#endif
