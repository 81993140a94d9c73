/* reader.h - from the values of directives to structures: what connectors_read.c and http_read.c share.
 *
 * What is wrong is told as it is read.  A value that was told is as if it were not there. */
#ifndef CONNECT_READER_H
#define CONNECT_READER_H

#include "connectors.h"

struct reader {
    struct connect_schema *schema;
    struct connect_problems *problems;
    const struct gql_directive *directive;
    struct str who; /* "Query.crane[0]", for messages */
};

enum reader_kind { READ_STRING, READ_OBJECT, READ_BOOLEAN, READ_INT, READ_LIST_OR_OBJECT };

void reader_tell(struct reader *r, enum connect_code code, struct connect_place place,
                 const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The place of the directive's name, with '@'. */
struct connect_place reader_place(const struct reader *r);

/* The value of a key, which is told unless it is of its kind.  NULL: it is not there, null, or was told. */
const struct gql_value *reader_find(struct reader *r, const struct gql_argument *first,
                                    const char *key, enum reader_kind kind);
/* The same of an argument of the directive that must be there. */
const struct gql_value *reader_require(struct reader *r, const char *name, enum reader_kind kind);
/* Is there a value of a key, of whatever kind? */
bool reader_has(const struct gql_argument *first, const char *key);
/* Does the directive have arguments that it cannot have?  They were told before. */
bool reader_has_unknown(const struct reader *r);
/* Tell keys that nobody reads.  keys: ends in NULL.  what: "'http'".
 * Returns whether there is one: it may be what is missing, which is not told then. */
bool reader_check_keys(struct reader *r, const struct gql_value *object, const char *what,
                       const char *const *keys);

/* Read a mapping, a template.  what: how a message calls it.  code: when it is refused. */
void reader_mapping(struct reader *r, const struct gql_value *string, const char *what,
                    enum connect_code code, struct mapping_slot *out);
void reader_template(struct reader *r, const struct gql_value *string, const char *what,
                     enum connect_code code, struct template_slot *out);

/* http_read.c: `http` of either directive, `errors`, `isSuccess`. */
void reader_http(struct reader *r, const struct gql_value *http, bool is_source,
                 struct connect_http *out);
void reader_errors(struct reader *r, struct connect_errors *out, struct mapping_slot *is_success);

/* connectors_read.c: all of the schema. */
void read_sources(struct connect_schema *s, struct connect_problems *p);
void read_connectors(struct connect_schema *s, struct connect_problems *p);

#endif
