/* shape.h - the static shape of a mapping: what it surely gives, whatever the response is.
 *
 *   `id: $args.id  dock { gate }`   an object: id, of the argument's type; dock, an object: gate, unknown
 *
 * Of a response nothing is known; of variables what the schema says.  In connect v0.2 nothing is inferred about what
 * a method gives, from v0.3 on it is.  A wrong shape is never said: where more than the limits would
 * have to be looked at, the shape is unknown. */
#ifndef CONNECT_SHAPE_H
#define CONNECT_SHAPE_H

#include "mapping_tree.h"
#include "schema.h"

enum shape_kind {
    SHAPE_UNKNOWN, /* anything, or nothing at all */
    SHAPE_NULL,
    SHAPE_BOOLEAN,
    SHAPE_NUMBER,
    SHAPE_STRING,
    SHAPE_SCALAR, /* one of a custom scalar, or of ID: nothing below it is known to exist */
    SHAPE_ARRAY,
    SHAPE_OBJECT,
    SHAPE_ONE_OF, /* two or more choices, none of which is one of several itself */
};

struct shape {
    enum shape_kind kind;
    bool nullable;     /* the schema says that it may be null */
    bool is_braces;    /* object: made by braces behind a path or an alias, or by a list of items */
    bool is_arguments; /* object: the arguments of a field */
    bool is_headers;   /* object: names are compared without case */
    bool is_open;      /* object: it may have any other member too */
    struct str
        variable; /* what it comes from, with its "$"; STR_NONE: the response, or the mapping */
    struct str literal;                 /* string: which; STR_NONE: not known */
    const struct shape *element;        /* array: of each; object: of members that are not named */
    struct shape_member *members;       /* object; a name that comes twice has both values merged */
    const struct gql_schema_type *type; /* object: it has the fields of this type too */
    const struct gql_member *arguments; /* object: and these */
    struct shape_choice *choices;
};

struct shape_member {
    struct shape_member *next;
    struct str name;
    struct mapping_range range; /* of the name, in the mapping */
    const struct shape *shape;
    const struct mapping_node *node; /* what gives the value; NULL: nothing that is written */
};

struct shape_choice {
    struct shape_choice *next;
    const struct shape *shape;
};

enum shape_finding_kind {
    SHAPE_NO_VARIABLE,   /* node: what names it */
    SHAPE_NO_INPUT,      /* `$` or a key of it is read, and there is no response */
    SHAPE_NO_MEMBER,     /* of holder */
    SHAPE_THROUGH_UNION, /* a member of holder, which is a union */
    SHAPE_NO_METHOD,
    /* what fails nothing: */
    SHAPE_NEWER_METHOD,
    SHAPE_EMPTY_PARENTHESES,
    SHAPE_UPPER_CASE_HEADER,
    SHAPE_MERGED_KEY,
    SHAPE_NULLABLE_INLINE, /* name: the variable */
};

static inline bool
shape_finding_is_note(enum shape_finding_kind kind)
{
    return kind >= SHAPE_NEWER_METHOD;
}

struct shape_finding {
    enum shape_finding_kind kind;
    struct mapping_range range;
    struct str name; /* of the variable, key, member, or method */
    const struct shape *holder;
    const struct mapping_node *node;
    enum mapping_version since; /* newer method: where it came */
};

struct shape_variable {
    struct str name; /* with its "$" */
    const struct shape *shape;
};

/* What a mapping is looked at with.  Everything is made in the arena. */
struct shape_walk {
    const struct gql_schema *graphql;
    struct arena *arena;
    enum mapping_version version;
    const struct shape_variable *variables;
    size_t variable_count;
    const struct shape *input; /* `$`; NULL: there is no response */
    void (*found)(void *context, const struct shape_finding *finding); /* may be NULL */
    void *context;
    /* Of the walk itself. */
    struct str text;
    size_t made;   /* shapes and members */
    size_t looked; /* members, on the way to others */
    bool nomem;
};

/* Never NULL; unknown when memory ran out, and w->nomem says it. */
const struct shape *shape_of_mapping(struct shape_walk *w, const struct mapping *m);

/* More would have had to be looked at than the limits allow: what was said is not all. */
bool shape_is_unfinished(const struct shape_walk *w);

/* ---- shapes ---------------------------------------------------------------------------------------- */

extern const struct shape shape_unknown;

/* A new shape, to be filled; NULL when memory or the budget ran out. */
struct shape *shape_new(struct shape_walk *w, enum shape_kind kind, struct str variable);
struct shape_member *shape_new_member(struct shape_walk *w); /* the same */
const struct shape *shape_array(struct shape_walk *w, const struct shape *element);
/* What a GraphQL type has, input or output.  type: may be NULL. */
const struct shape *shape_of_type(struct shape_walk *w, const struct gql_type *type,
                                  struct str variable);
/* One of both; equal scalars are one. */
const struct shape *shape_either(struct shape_walk *w, const struct shape *a,
                                 const struct shape *b);

/* What is left of a shape when null is passed over; of null nothing is known then. */
const struct shape *shape_without_null(struct shape_walk *w, const struct shape *shape);

enum shape_lookup { SHAPE_FOUND, SHAPE_ABSENT, SHAPE_IN_UNION };
/* The member of a shape, of each element of an array.  *out: set when it is found. */
enum shape_lookup shape_find(struct shape_walk *w, const struct shape *shape, struct str name,
                             const struct shape **out);

/* Do all choices of a shape satisfy this? */
bool shape_all(const struct shape *shape, bool (*is)(const struct shape *shape));

/* ---- shared by shape_*.c ---------------------------------------------------------------------------- */

/* A name that `->as` has bound. */
struct shape_bound {
    const struct shape_bound *outer;
    struct str name;
    const struct shape *shape;
};

struct shape_scope {
    const struct shape *dollar, *at; /* NULL: there is no response */
    const struct shape_bound *bound;
};

const struct shape *shape_of_node(struct shape_walk *w, const struct mapping_node *node,
                                  const struct shape_scope *scope);
/* Braces behind input, or a literal object. */
const struct shape *shape_of_braces(struct shape_walk *w, const struct mapping_list *list,
                                    const struct shape *input, const struct shape_bound *bound);
const struct shape *shape_of_items(struct shape_walk *w, const struct mapping_list *list,
                                   const struct shape_scope *scope, bool is_braces,
                                   struct str variable);
/* scope: of the path; `as` binds there. */
const struct shape *shape_of_method(struct shape_walk *w, const struct mapping_step *step,
                                    const struct shape *input, struct shape_scope *scope);
void shape_found(struct shape_walk *w, const struct shape_finding *finding);
/* Where a name stands, with its quotes. */
struct mapping_range shape_name_range(const struct shape_walk *w, struct str name,
                                      struct mapping_range otherwise);

#endif
