/* public_request.h - what requests and calls of gantry/connect.h share. */
#ifndef CONNECT_PUBLIC_REQUEST_H
#define CONNECT_PUBLIC_REQUEST_H

#include "public_schema.h"
#include "public_text.h"
#include "request.h"

/* What a caller gave, read. */
struct given {
    const struct connector *connector;
    struct request_input input;
};

/* Everything lives in the arena, or is the caller's.
 * Returns 0, GANTRY_E_NOT_FOUND, GANTRY_E_INVALID or GANTRY_E_NOMEM. */
MUST_CHECK int public_given(const struct gantry_connect_schema *schema, const char *which,
                            const struct gantry_connect_input *theirs, struct arena *a,
                            struct given *out, struct gantry_error **err);
/* {"headers": {"name in lower case": ["value", ...]}}.  What is no UTF-8 is left out. */
MUST_CHECK int public_read_headers(struct arena *a, const struct gantry_connect_header *headers,
                                   uint32_t count, uint32_t stride, struct value **out,
                                   struct gantry_error **err);
/* Copies of all, in the arena. */
MUST_CHECK int public_show_request(const struct gantry_connect_schema *schema,
                                   const struct connect_request *request, struct arena *a,
                                   struct gantry_connect_request *out, struct gantry_error **err);
MUST_CHECK int public_show_notes(const struct gantry_connect_schema *schema,
                                 const struct request_note *notes, struct arena *a,
                                 const struct gantry_connect_note **out, uint32_t *count,
                                 struct gantry_error **err);

#endif
