/* tar.h - an archive of a spec's files, as the engine takes it. */
#ifndef ENGINE_TAR_H
#define ENGINE_TAR_H

#include "text.h"

#include <gantry/plugin.h>

struct tar_owner {
    uint32_t user, group; /* 2097151 at most */
};

/* Adds one regular file.  name: relative to where the archive is unpacked, without "." and ".." parts. */
void tar_add_file(struct text *archive, const struct gantry_file *file, const char *name,
                  const struct tar_owner *owner);
void tar_finish(struct text *archive);
/* Is it a path that an archive may hold? */
bool tar_path_is_good(const char *path);

#endif
