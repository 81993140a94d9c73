/* request.h - the HTTP request that a connector makes: a pure function of the connector and its variables.
 *
 *   request_build()                    request.c           the whole, the body, the variables of each place
 *      |-- url_build()                 url.c               base, paths, queries
 *      |-- headers_build()             headers.c
 *      |-- form_print()                form.c
 *      `-- template_render()           template_render.c   texts with holes
 *
 * What is made lives in the arena.  A request that cannot be built is GANTRY_E_INVALID with the reason
 * alone; request_build() puts in front of it whose it is, and where in the schema that stands. */
#ifndef CONNECT_REQUEST_H
#define CONNECT_REQUEST_H

#include "connectors.h"

/* Bytes.  What is longer cannot be built; a header is left out. */
enum {
    REQUEST_URL_MAX = 64 * 1024,
    REQUEST_HEADER_MAX = 64 * 1024,
    REQUEST_BODY_MAX = 64 * 1024 * 1024
};

/* Which variables there are; each scope has those of the one before it. */
enum request_scope { SCOPE_BASE, SCOPE_SOURCE, SCOPE_CONNECTOR, SCOPE_COUNT };

/* A text of the schema that something is made of. */
struct request_spot {
    enum request_scope scope;
    const char *name;                /* "connect.url"; static */
    struct str header;               /* of the header's name; STR_NONE: it is no header */
    const struct gql_value *written; /* may be NULL */
};

struct request_header {
    struct request_header *next;
    struct str name, value;
};

/* What may not be as it was meant, in a request that is built nevertheless. */
struct request_note {
    struct request_note *next;
    struct request_spot spot;
    struct mapping_range range;            /* of the spot's text */
    const struct mapping_problem *problem; /* NULL: `message` tells */
    struct str message;
};

struct connect_request {
    enum connect_method method;
    struct str url;
    struct request_header *headers; /* in the order of the wire */
    struct str body;                /* NUL-terminated; empty: there is none to send */
    struct request_note *notes;
};

struct request_input {
    const struct mapping_variable *variables; /* $request.headers holds what `from` takes */
    size_t variable_count;
    struct str base_url; /* instead of the source's; ptr NULL: the source's */
};

struct request_builder {
    const struct connect_schema *schema;
    const struct connector *connector;
    struct arena *arena;
    bool has_response;                  /* $status and $response are there */
    struct mapping_variable *variables; /* those of the first scope first */
    size_t variable_counts[SCOPE_COUNT];
    struct request_spot spot; /* what is being made, */
    struct mapping_range at;  /* and the part of it, for messages */
    struct request_note **next_note;
    struct gantry_error **err;
};

/* input, connector: borrowed; their texts are kept by what is made.  The connector has `http`.
 * Returns 0, GANTRY_E_INVALID (the message begins with CONNECTOR_REQUEST_INVALID) or GANTRY_E_NOMEM. */
MUST_CHECK int request_build(const struct connect_schema *schema, const struct connector *connector,
                             const struct request_input *input, struct arena *a,
                             struct connect_request *out, struct gantry_error **err);
const char *request_method_word(enum connect_method method); /* "GET"; static */

/* ---- what the files above share --------------------------------------------------------------------- */

/* Order the variables by scope, and add those that are empty when nobody gives them. */
MUST_CHECK int request_bind(struct request_builder *b, const struct request_input *input);
/* Evaluate at b->spot.  offset: where the mapping begins in the spot's text.  *out: NULL when it gives nothing. */
MUST_CHECK int request_eval(struct request_builder *b, const struct mapping *m, size_t offset,
                            struct value *dollar, struct value **out);
/* Say why it cannot be built.  Returns GANTRY_E_INVALID. */
int request_refuse(struct request_builder *b, struct mapping_range at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Tell something of b->spot. */
MUST_CHECK int request_tell(struct request_builder *b, struct mapping_range at, const char *fmt,
                            ...) PRINTF_LIKE(3, 4);
/* Copy what was built into the arena, NUL-terminated. */
MUST_CHECK int request_keep(struct request_builder *b, const struct buf *text, struct str *out);

enum template_style {
    TEMPLATE_URL, /* percent-encoded by position */
    TEMPLATE_RAW  /* as it is */
};

struct rendering {
    struct buf text;
    struct buf origin; /* a byte for each of text: 'h' when it came from a hole, else 't' */
    const struct template_piece *bad; /* a hole that gave an array or object; text ends before it */
    const char *bad_kind;             /* "an array"; static */
};
#define RENDERING_INIT(max)                                                                        \
    {                                                                                              \
        BUF_INIT(max), BUF_INIT(max), NULL, NULL                                                   \
    }
void rendering_clear(struct rendering *r);
#define AUTO_RENDERING AUTO(rendering_clear)

/* Render at b->spot.  The failure of r->text is the caller's to look at.
 * Returns 0, GANTRY_E_INVALID (an evaluation reached a limit) or GANTRY_E_NOMEM. */
MUST_CHECK int template_render(struct request_builder *b, const struct template *t,
                               enum template_style style, struct rendering *r);
/* Append text that its author wrote: only what cannot stand in a URI is encoded. */
void url_add_literal(struct buf *out, struct str text);

MUST_CHECK int url_build(struct request_builder *b, struct str base_url, struct str *out);
MUST_CHECK int headers_build(struct request_builder *b, struct request_header **out);
/* The value that is sent under a name, whatever its case; ptr NULL: none. */
struct str headers_find(const struct request_header *headers, struct str name);

/* Append an object as a form.  Returns 0, or GANTRY_E_INVALID: it takes too much work, or is nested too deep. */
MUST_CHECK int form_print(const struct value *object, struct buf *out);

#endif
