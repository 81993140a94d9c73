/* endpoint.h - the settings that say where the engine is, as a struct engine. */
#ifndef DOCKER_ENDPOINT_H
#define DOCKER_ENDPOINT_H

#include "engine.h"

/* engine: zeroed; filled, and endpoint_clear() frees what it got, also after a failure.
 * Returns 0, or GANTRY_E_INVALID or GANTRY_E_NOMEM with problem filled: which setting, what, what
 * to do. */
int endpoint_read(const struct gantry_settings *settings, struct engine *engine, char *problem,
                  size_t problem_size);
void endpoint_clear(struct engine *engine);

#endif
