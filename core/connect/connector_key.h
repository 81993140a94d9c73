/* connector_key.h - what a connector is asked with: of which kind it is, and which fields of the object,
 * or arguments, its request and its selection read.
 *
 *   type Crane @connect(http: {GET: "/cranes/{$this.id}"}, ...)      CONNECTOR_TYPE, $this: id
 *   crane(id: ID!): Crane @connect(..., entity: true)                CONNECTOR_ENTITY, $args: id
 *   log: [Entry] @connect(http: {GET: "/log/{$this.dock.gate}"})     CONNECTOR_FIELD, $this: dock { gate } */
#ifndef CONNECT_CONNECTOR_KEY_H
#define CONNECT_CONNECTOR_KEY_H

#include "field_set.h"

enum connector_kind {
    CONNECTOR_ROOT,   /* a field of Query or Mutation */
    CONNECTOR_ENTITY, /* the same, and it answers for representations too */
    CONNECTOR_FIELD,  /* a field of another type */
    CONNECTOR_TYPE,   /* on a type, an object a request */
    CONNECTOR_BATCH,  /* on a type, many objects a request */
};

/* Where something stands: a range in what a string means. */
struct written_range {
    const struct gql_value *written; /* NULL: nowhere */
    struct mapping_range range;
};

struct connector_key {
    enum connector_kind kind;
    struct str variable;     /* that the key is read of; STR_NONE: a root connector has none */
    struct field_set fields; /* without __typename */
    struct written_range
        first; /* the first read of the variable, in the request or the selection */
    struct written_range whole;       /* the first read of it as a whole there */
    struct written_range first_this;  /* the first $this, */
    struct written_range first_batch; /* and the first $batch, anywhere in the connector */
};

/* *out: what it holds is in the arena.  False when memory ran out. */
MUST_CHECK bool connector_key(const struct connect_schema *s, const struct connector *c,
                              struct arena *a, struct connector_key *out);
/* The type whose objects it is asked about; NULL: none. */
const struct gql_schema_type *connector_key_type(const struct connector *c,
                                                 const struct connector_key *key);

#endif
