/* entity_keys.h - what federation's directives say of the types of a schema: @key, @external. */
#ifndef CONNECT_ENTITY_KEYS_H
#define CONNECT_ENTITY_KEYS_H

#include "field_set.h"

/* The names of the directives, as the schema calls them. */
struct federation_names {
    struct str key, external;
};

/* A @key of an object type that is resolvable. */
struct entity_key {
    struct entity_key *next;
    const struct gql_schema_type *type;
    const struct gql_directive *directive;
    struct field_set fields;
};

/* False when memory ran out. */
MUST_CHECK bool federation_names(const struct connect_schema *s, struct arena *a,
                                 struct federation_names *out);
/* Those of all types, in the order of the text.  A key whose fields cannot be read, or are none of its type, is left
 * out, and told to p, which may be NULL.  *out: in the arena.  False when memory ran out. */
MUST_CHECK bool entity_keys(const struct connect_schema *s, const struct federation_names *names,
                            struct arena *a, struct connect_problems *p, struct entity_key **out);

bool has_directive(const struct gql_directive *first, struct str name);
/* The same of a type and its extensions. */
bool type_has_directive(const struct gql_schema_type *type, struct str name);

#endif
