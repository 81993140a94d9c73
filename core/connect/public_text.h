/* public_text.h - what the functions of gantry/connect.h share: JSON in, paths out. */
#ifndef CONNECT_PUBLIC_TEXT_H
#define CONNECT_PUBLIC_TEXT_H

#include "mapping.h"

#define PUBLIC_JSON_BYTES (UINT64_C(64) * 1024 * 1024)

static inline size_t
size_of(uint64_t size)
{
    return (size_t)MIN(size, (uint64_t)SIZE_MAX);
}

/* json: kept by *out.  what: what it is, for messages. */
MUST_CHECK int public_read_json(struct arena *a, const char *json, uint64_t size, uint64_t max,
                                const char *what, struct value **out, struct gantry_error **err);
/* One more has room behind them. */
MUST_CHECK int public_read_variables(struct arena *a, const struct gantry_mapping_variable *all,
                                     uint32_t count, uint32_t stride, uint64_t max,
                                     struct mapping_variable **out, struct gantry_error **err);
/* The way to a value as a JSON array, in the arena; NULL when memory ran out. */
const char *public_path(struct arena *a, const struct mapping_problem *problem);

#endif
