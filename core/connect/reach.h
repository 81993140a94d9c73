/* reach.h - what can be had of an object: the fields that the selections which give it have, and, as long as their keys
 * are among what is there, those of the connectors on its fields, on its type, and of the entity connectors that return
 * it. */
#ifndef CONNECT_REACH_H
#define CONNECT_REACH_H

#include "connector_key.h"
#include "outputs.h"

/* What a connector gives somewhere: its selection, or a part of it. */
struct reach_source {
    struct reach_source *next;
    const struct connector *connector;
    const struct output_form *forms; /* NULL: no object, or not known */
};

/* A connector that may be asked about objects of a type. */
struct reach_candidate {
    struct reach_candidate *next;
    const struct connector *connector;
    const struct output_form *forms; /* of its selection */
};

/* A field of an object. */
struct reach_field {
    const struct gql_member *field;
    bool is_given;
    struct reach_source *sources;
    struct reach_candidate *waiting; /* for it, or for more of what is in it */
};

/* What is common to all objects of a schema. */
struct reach {
    const struct connect_schema *schema;
    struct arena *arena;
    struct arena *scratch;       /* of what is known of one object */
    struct str external;         /* the directive of fields that somebody else gives */
    struct gql_names candidates; /* type name -> struct reach_candidate */
    size_t steps;                /* that were made; there is a budget */
    bool nomem;
};

/* An object: which fields it has, and which connectors may be asked next. */
struct reach_object {
    struct reach *reach;
    const struct gql_schema_type *type;
    size_t depth;            /* of objects whose fields are in a key of another */
    struct gql_names fields; /* name -> struct reach_field, given or not */
    struct reach_candidate *ready;
};

void reach_init_names(const struct reach *r, struct gql_names *names);
bool reach_is_over(const struct reach *r); /* out of memory, or of the budget */
void *reach_make(struct reach *r, struct arena *a, size_t size);
/* False: it was there, or memory ran out. */
bool reach_add_source(struct reach *r, struct arena *a, struct reach_source **list,
                      const struct connector *c, const struct output_form *forms);
void reach_add_candidate(struct reach *r, const struct gql_schema_type *type,
                         const struct connector *c, const struct output_form *forms);
/* Is a form one of objects of this type? */
bool reach_is_of(const struct output_form *form, const struct gql_schema_type *type);
/* Is a field given? */
bool reach_has(const struct reach_object *object, struct str name);

/* Find what can be had of an object that these give.  object: its reach, type and depth are set; what is found is in
 * the scratch arena.  False when reach_is_over(): then not all was found. */
bool reach_close(struct reach_object *object, const struct reach_source *sources);

#endif
