/* graphql.h - the GraphQL language (October 2021): executable documents are read, looked at, edited
 * and printed.  No input or output, and no word of any schema's.
 *
 * A document owns all of its memory, names included; what it returns is borrowed and valid until it
 * is freed.  It may be read by several threads, and edited by one that is alone. */
#ifndef GRAPHQL_GRAPHQL_H
#define GRAPHQL_GRAPHQL_H

#include "buf.h"
#include "compiler.h"
#include "str.h"

#include <gantry/types.h>
#include <stdbool.h>

struct gql_document;

/* What a document may cost.  0 means the default; depth is cut at GQL_DEPTH_MAX. */
struct gql_limits {
    size_t max_bytes;  /* of the text; default 1 MiB */
    size_t max_tokens; /* default 32768 */
    size_t max_depth;  /* of selection sets, values and types, one inside another; default 64 */
};
#define GQL_DEPTH_MAX 256

enum gql_operation_kind { GQL_QUERY, GQL_MUTATION, GQL_SUBSCRIPTION };

/* Parse an executable document: operations and fragments, at least one.  It is not validated
 * against a schema, nor are names checked for being unique. text: borrowed, UTF-8.  limits: may be
 * NULL.  *out: owned, gql_document_free(); untouched on failure. Returns 0, GANTRY_E_INVALID (the
 * message has line and column, counted in characters from 1) or GANTRY_E_NOMEM. */
MUST_CHECK int gql_parse(struct str text, const struct gql_limits *limits,
                         struct gql_document **out, struct gantry_error **err);
void gql_document_free(struct gql_document *doc); /* doc: taken; may be NULL */

static inline void
gql_auto_free_(struct gql_document **doc)
{
    gql_document_free(*doc);
}
#define AUTO_GQL_DOCUMENT AUTO(gql_auto_free_)

/* compact: on one line, without a blank too many.  pretty: indented by two, a line a selection, for
 * people. Comments are not kept.  Printed text parses to the same document again. */
enum gql_style { GQL_COMPACT, GQL_PRETTY };
/* Appends to out; returns 0 or out's failure (GANTRY_E_NOMEM, GANTRY_E_INVALID at its maximum). */
MUST_CHECK int gql_print(const struct gql_document *doc, enum gql_style style, struct buf *out);

/* Operations, numbered from 0 in the order of the text; operation < gql_operation_count(). */
size_t gql_operation_count(const struct gql_document *doc);
enum gql_operation_kind gql_operation_kind(const struct gql_document *doc, size_t operation);
const char *gql_operation_kind_word(enum gql_operation_kind kind); /* "query"...; static */
/* The name; STR_NONE for an anonymous operation. */
struct str gql_operation_name(const struct gql_document *doc, size_t operation);

/* The names (not the aliases) of an operation's root fields, in the order of the text and each as
 * often as it stands there: first its own, those inside inline fragments included, then those of
 * the fragments that it spreads, each fragment once. names: filled up to max; may be NULL when max
 * is 0.  *count: how many there are, which may be more. Returns 0 or GANTRY_E_NOMEM. */
MUST_CHECK int gql_root_fields(const struct gql_document *doc, size_t operation, struct str *names,
                               size_t max, size_t *count);

/* Is a field of that name selected anywhere? */
bool gql_has_field(const struct gql_document *doc, struct str name);

/* Remove every selection of a field by its name, with all that is under it, wherever it stands.
 * Where nothing else would be left between the braces, which the language forbids, it stays and
 * counts as kept. Variables and fragments that nothing uses any more stay, too. Returns how many
 * selections were removed.  *kept: may be NULL. */
size_t gql_remove_field(struct gql_document *doc, struct str name, size_t *kept);

#endif
