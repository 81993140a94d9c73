/* gantry/graphql.h - the GraphQL language (October 2021), without a server: schemas are checked, documents are
 * validated against them, both are printed in a normal form.  Texts go in, texts and problems come out.
 * Link with -lgantry-connect. */
#ifndef GANTRY_GRAPHQL_H
#define GANTRY_GRAPHQL_H

#include <gantry/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A mistake in a text.  Line and column count from 1, columns in characters. */
struct gantry_graphql_problem {
    uint32_t size; /* sizeof(struct gantry_graphql_problem) as the library knows it */
    uint32_t line;
    uint32_t column;
    uint32_t reserved;   /* 0 */
    const char *message; /* one line; borrowed */
};

/* Is called with each problem, in the order in which they were found, before the function that finds them
 * returns, in its thread.  At most 1,000 are told.  context: as it was given. */
struct gantry_graphql_listener {
    uint32_t size; /* sizeof(struct gantry_graphql_listener) */
    uint32_t reserved;
    void (*on_problem)(void *context, const struct gantry_graphql_problem *problem);
    void *context;
};

/* A schema that was checked.  Never changed again. */
struct gantry_graphql_schema;

/* Read a schema (SDL, with its extensions) and check it by the rules of the type system.
 * text: borrowed, UTF-8, text_size bytes of it, at most 16 MiB.  listener: borrowed, may be NULL.
 * *out: owned, gantry_graphql_schema_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_INVALID (there were problems) or GANTRY_E_NOMEM.   [any] */
GANTRY_API GANTRY_MUST_CHECK int
gantry_graphql_schema_new(const char *text, uint64_t text_size,
                          const struct gantry_graphql_listener *listener,
                          struct gantry_graphql_schema **out, struct gantry_error **err);

/* Free a schema.
 * schema: taken; may be NULL.   [any] */
GANTRY_API void gantry_graphql_schema_free(struct gantry_graphql_schema *schema);

/* Validate an executable document: all rules of section 5 of the specification.
 * schema: borrowed.  text: borrowed, UTF-8, text_size bytes of it, at most 1 MiB.
 * listener: borrowed, may be NULL.  err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0 (it is valid), GANTRY_E_INVALID (there were problems) or GANTRY_E_NOMEM.   [any] */
GANTRY_API GANTRY_MUST_CHECK int
gantry_graphql_validate(const struct gantry_graphql_schema *schema, const char *text,
                        uint64_t text_size, const struct gantry_graphql_listener *listener,
                        struct gantry_error **err);

/* Print a schema or a document in its normal form, comments kept.  Printed again it is the same text.
 * text: borrowed, UTF-8, text_size bytes of it, at most 16 MiB.  listener: borrowed, may be NULL.
 * *out: owned, gantry_text_free(); untouched on failure.  err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_INVALID (it does not parse) or GANTRY_E_NOMEM.   [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_graphql_fmt(const char *text, uint64_t text_size,
                                                    const struct gantry_graphql_listener *listener,
                                                    char **out, struct gantry_error **err);

#ifdef __cplusplus
}
#endif
#endif
