/* response.h - what a response becomes: the data of the connector, or an error of GraphQL.
 *
 *   status, headers, bytes --decode--> body --isSuccess--> selection -> data
 *                             |                  `-------> errors.message, errors.extensions -> error
 *                             `-> error */
#ifndef CONNECT_RESPONSE_H
#define CONNECT_RESPONSE_H

#include "request.h"

enum { RESPONSE_BODY_MAX = 32 * 1024 * 1024 };

/* Why there is no data. */
#define RESPONSE_FETCH       "CONNECTOR_FETCH"
#define RESPONSE_INVALID     "CONNECTOR_RESPONSE_INVALID"
#define RESPONSE_UNREACHABLE "HTTP_CLIENT_ERROR"
#define RESPONSE_TIMEOUT     "GATEWAY_TIMEOUT"
#define RESPONSE_UNBUILT     "CONNECTOR_REQUEST_INVALID"

struct response {
    uint32_t status;       /* 0: no request was made (a connector without `http`) */
    struct value *headers; /* of $response: {"headers": {...}} */
    struct str body;
};

struct outcome {
    struct value *data;  /* never NULL */
    struct value *error; /* {"message", "extensions"}; NULL: there is none */
    struct request_note *notes;
};

struct response_context {
    const struct connect_schema *schema;
    const struct connector *connector;
    const struct request_input *input; /* what the request was made of */
    struct str service;                /* the schema's name, in errors */
    struct arena *arena;
};

/* All that is given is kept by the outcome.  Returns 0 or GANTRY_E_NOMEM. */
MUST_CHECK int response_map(const struct response_context *c, const struct response *response,
                            struct outcome *out, struct gantry_error **err);
/* An outcome without response, or with one that could not be read: status 0 is left out. */
MUST_CHECK int response_fail(const struct response_context *c, const char *code, uint32_t status,
                             struct str message, struct outcome *out, struct gantry_error **err);
/* What the bytes mean, whatever the status.  Returns 0, GANTRY_E_INVALID or GANTRY_E_NOMEM. */
MUST_CHECK int response_decode(const struct response *response, struct arena *a, struct value **out,
                               struct gantry_error **err);

#endif
