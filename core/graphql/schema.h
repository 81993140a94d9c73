/* schema.h - schemas: built from the schema language, checked, and what documents are validated against.
 *
 * A schema keeps the document that it was made of; types and fields point into it. */
#ifndef GRAPHQL_SCHEMA_H
#define GRAPHQL_SCHEMA_H

#include "graphql_internal.h"

struct gql_named {
    struct str name;
    void *value;
};

/* name -> pointer, in the order in which they came.  All zero but for the seed: empty. */
struct gql_names {
    struct gql_named *all;
    size_t len, room;
    uint32_t *index;
    uint64_t seed[2];
};
void *gql_names_find(const struct gql_names *n, struct str name);
/* Set a name's value.  name, value: kept.  False when memory ran out. */
MUST_CHECK bool gql_names_set(struct gql_names *n, struct arena *a, struct str name,
                              const void *value);

/* A mistake: where, and in which words.  In the order in which they were found. */
struct gql_problem {
    struct gql_problem *next;
    size_t at;
    const char *message;
};

/* What was found wrong.  Lives in an arena that is the caller's. */
struct gql_problems {
    struct arena *arena;
    struct gql_problem *first, **tail;
    size_t count, max; /* at max, looking on ends */
    bool nomem;
};
void gql_problems_init(struct gql_problems *p, struct arena *arena, size_t max);
void gql_problem_add(struct gql_problems *p, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Why a text was refused, without the place that its message begins with. */
void gql_problem_add_parse(struct gql_problems *p, size_t at, const struct gantry_error *err);
/* Of the names in the table the one that is nearest; NULL: none is near.  Borrowed from the arena. */
const char *gql_nearest(struct gql_problems *p, struct str word, const struct gql_names *names);
/* The same as "; did you mean 'x'?", or "". */
const char *gql_did_you_mean(struct gql_problems *p, struct str word,
                             const struct gql_names *names);

/* A type, with all that its extensions add. */
struct gql_schema_type {
    enum gql_kind kind;
    struct str name;
    const struct gql_system *definition;
    bool is_built_in;
    struct gql_names members;    /* name -> struct gql_member */
    struct gql_names interfaces; /* name -> struct gql_name; of a union: its members */
    struct gql_names
        possible; /* interface: name -> the struct gql_schema_type that implements it */
    struct gql_list *extensions; /* the struct gql_system that extend it, the definition first */
    unsigned mark;               /* for walks */
};

struct gql_list {
    struct gql_list *next;
    const struct gql_system *system;
};

/* The document of a specification that the schema links. */
struct gql_linked {
    struct gql_linked *next;
    struct gql_document *document;
};

struct gql_schema {
    struct arena arena;
    struct gql_document *document, *prelude;
    struct gql_linked *linked;
    struct gql_names types;              /* name -> struct gql_schema_type */
    struct gql_names directives;         /* name -> struct gql_system */
    const struct gql_system *definition; /* of the schema; NULL: by the names of the types */
    const struct gql_member *roots[3];   /* as written; NULL: by name */
    const struct gql_schema_type *root_types[3];
    struct gql_type *root_refs[3];
    uint64_t seed[2];
};

/* Parse, build and check.  Mistakes go to problems, whose count says whether there were any; then *out is
 * untouched.  text: borrowed.  *out: owned, gql_schema_free().  Returns 0, GANTRY_E_INVALID (mistakes) or
 * GANTRY_E_NOMEM. */
MUST_CHECK int gql_schema_new(struct str text, const struct gql_limits *limits,
                              struct gql_problems *problems, struct gql_schema **out,
                              struct gantry_error **err);
/* The same, but mistakes leave a schema, for those who look on: a type may be named that is not there, and of two
 * equal names the first counts.  Returns 0 (problems->count says whether there are mistakes), GANTRY_E_INVALID (the
 * text does not parse) or GANTRY_E_NOMEM. */
MUST_CHECK int gql_schema_new_as_is(struct str text, const struct gql_limits *limits,
                                    struct gql_problems *problems, struct gql_schema **out,
                                    struct gantry_error **err);
void gql_schema_free(struct gql_schema *schema); /* taken; may be NULL */

/* Validate a document (section 5).  Mistakes go to problems.  Returns 0, also with mistakes, or
 * GANTRY_E_NOMEM. */
MUST_CHECK int gql_validate(const struct gql_schema *schema, const struct gql_document *doc,
                            struct gql_problems *problems);

/* The normal form of either language, comments kept. */
MUST_CHECK int gql_format(const struct gql_document *doc, struct buf *out);

/* The parts of gql_schema_new. */
void gql_check_systems(struct gql_schema *schema, struct gql_problems *problems);
void gql_check_types(struct gql_schema *schema, struct gql_problems *problems);
void gql_check_roots(struct gql_schema *schema, struct gql_problems *problems);
void gql_check_implements(struct gql_schema *schema, const struct gql_schema_type *type,
                          struct gql_problems *problems);
void gql_check_input_cycles(struct gql_schema *schema, struct gql_problems *problems);
/* Add what the linked specifications define, under the names that the schema has for it. */
MUST_CHECK bool gql_schema_link(struct gql_schema *schema);
/* Add definitions that are not the author's.  doc: kept. */
MUST_CHECK bool gql_schema_add(struct gql_schema *schema, const struct gql_document *doc);
MUST_CHECK bool gql_schema_build(struct gql_schema *schema);

struct gql_schema_type *gql_type_find(const struct gql_schema *schema, struct str name);
/* The innermost type of a reference, or NULL; type may be NULL. */
struct gql_schema_type *gql_type_of(const struct gql_schema *schema, const struct gql_type *type);
struct str gql_type_name(const struct gql_type *type); /* the innermost */
/* Is it that of queries, of mutations or of subscriptions? */
bool gql_is_root_type(const struct gql_schema *schema, const struct gql_schema_type *type);
bool gql_kind_is_input(enum gql_kind kind);
bool gql_kind_is_composite(enum gql_kind kind);
bool gql_kind_is_leaf(enum gql_kind kind);
static inline bool
gql_is_required(const struct gql_member *m)
{
    return m->type->required && !m->default_value;
}
bool gql_type_eq(const struct gql_type *a, const struct gql_type *b);
/* May a value of type a stand where b is wanted? */
bool gql_type_is_sub(const struct gql_schema *schema, const struct gql_type *a,
                     const struct gql_type *b);
bool gql_type_is_possible(const struct gql_schema_type *abstract,
                          const struct gql_schema_type *type);
bool gql_types_overlap(const struct gql_schema_type *a, const struct gql_schema_type *b);
/* "[Int!]!", in the arena; "" when memory ran out. */
const char *gql_type_text(struct arena *a, const struct gql_type *type);

#endif
