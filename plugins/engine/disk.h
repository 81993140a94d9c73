/* disk.h - is there room for an image where the engine keeps them?
 *
 * Looked at only where that is this machine's own disk: the engine listens on a unix socket and says the
 * host name of this machine.  Elsewhere nobody knows, and nothing is refused. */
#ifndef ENGINE_DISK_H
#define ENGINE_DISK_H

#include "engine.h"

/* The row of a plugin's table of settings, and taking its value over. */
#define ENGINE_MIN_FREE_SPACE                                                                      \
    {                                                                                              \
        .size = sizeof(struct gantry_setting), .type = GANTRY_TYPE_SIZE,                           \
        .scope = GANTRY_SCOPE_BACKEND, .key = "min_free_space", .fallback = "512MiB",              \
        .help = "room that has to be left on the engine's disk before a pull begins; 0B: any"      \
    }
void engine_disk_settings(struct engine *engine, const struct gantry_settings *settings);

/* 0: there is, or nobody knows; else GANTRY_E_UNAVAILABLE. */
int engine_disk_check(struct engine_task *task, const char *image);

#endif
