/* field_set.h - names of fields in names of fields: what `@key(fields: "id dock { gate }")` says, and what a connector
 * reads of a representation.  A field stands once in its set, in the order of first appearance. */
#ifndef CONNECT_FIELD_SET_H
#define CONNECT_FIELD_SET_H

#include "connectors.h"

struct field_set {
    struct gql_names fields; /* name -> struct set_field */
};

struct set_field {
    struct str name;
    const struct gql_value
        *written; /* the string that names it first, and where in what it means */
    struct mapping_range range;
    struct field_set below; /* empty: a leaf */
};

void field_set_init(struct field_set *set, const struct connect_schema *s);
/* The field of this name, found or made; borrowed from the arena.  NULL when memory ran out. */
struct set_field *field_set_add(struct field_set *set, const struct connect_schema *s,
                                struct arena *a, struct str name);
const struct set_field *field_set_find(const struct field_set *set, struct str name);
static inline const struct set_field *
field_set_at(const struct field_set *set, size_t i) /* i < set->fields.len */
{
    return set->fields.all[i].value;
}
/* Is each field of `narrow` in `wide`, and what is below it in what is below that? */
bool field_set_covers(const struct field_set *wide, const struct field_set *narrow);

/* The first field that `type` does not have, or that has fields below it though it is no object, or none though it
 * is one; NULL: the set is right.  *owner: of which type it is asked. */
const struct set_field *field_set_fault(const struct connect_schema *s, const struct field_set *set,
                                        const struct gql_schema_type *type,
                                        const struct gql_schema_type **owner);

/* Read the string of a directive.  *where: set when it is refused.  *out: its fields are in the arena.
 * Returns 0, GANTRY_E_INVALID or GANTRY_E_NOMEM. */
MUST_CHECK int field_set_parse(const struct connect_schema *s, const struct gql_value *string,
                               struct arena *a, struct field_set *out, struct mapping_range *where);

#endif
