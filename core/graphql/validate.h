/* validate.h - validating documents: one walk, at each node of which the rules are asked in their order.
 *
 * validate.c walks and knows the types; validate_*.c have the rules, by subject. */
#ifndef GRAPHQL_VALIDATE_H
#define GRAPHQL_VALIDATE_H

#include "schema.h"

/* What the walk stops at, and what a rule is then given. */
enum gql_node {
    GQL_NODE_DOCUMENT,  /* NULL */
    GQL_NODE_OPERATION, /* struct gql_definition */
    GQL_NODE_FRAGMENT,  /* struct gql_definition */
    GQL_NODE_VARIABLE,  /* struct gql_variable: its definition */
    GQL_NODE_TYPE,      /* struct gql_type: a name, in a variable's type or a type condition */
    GQL_NODE_SET,       /* struct gql_set */
    GQL_NODE_FIELD,     /* struct gql_selection, as the next two */
    GQL_NODE_SPREAD,
    GQL_NODE_INLINE,
    GQL_NODE_DIRECTIVES,   /* struct gql_directive: the first of a list, which may be NULL */
    GQL_NODE_DIRECTIVE,    /* struct gql_directive */
    GQL_NODE_ARGUMENT,     /* struct gql_argument */
    GQL_NODE_VALUE,        /* struct gql_value */
    GQL_NODE_OBJECT_FIELD, /* struct gql_argument */
};

struct gql_set {
    const struct gql_selection *first;
    size_t at;
};

/* A variable in a value, and what is wanted there. */
struct gql_use {
    struct gql_use *next;
    const struct gql_value *value;
    const struct gql_type *type; /* NULL: unknown */
    bool has_default;            /* the place has one */
    bool in_one_of;              /* it is a field of a @oneOf input type */
};

struct gql_spread {
    struct gql_spread *next;
    const struct gql_selection *selection;
    struct gql_facts *to; /* NULL: there is no such fragment */
};

/* The fragments that an operation uses, directly or not, each once. */
struct gql_reached {
    struct gql_facts **all; /* NULL: not yet looked for */
    size_t count;
};

/* What is known of an operation or a fragment before the rules are asked. */
struct gql_facts {
    struct gql_facts *next;
    const struct gql_definition *definition;
    struct gql_use *uses, **uses_tail;
    struct gql_spread *spreads;
    size_t mark; /* the number of the walk that came here last */
    size_t path; /* in search of circles: 1 + its place on the path; 0: none */
    bool searched;
    struct gql_reached reached;
};

struct gql_check;
struct gql_rule {
    enum gql_node node;
    bool at_end; /* of the node, when all below it was seen */
    void (*check)(struct gql_check *c, const void *node);
};

struct gql_check {
    const struct gql_schema *schema;
    const struct gql_document *doc;
    struct gql_problems *problems;
    struct arena *arena;
    const struct gql_rule *rules;
    size_t rule_count;
    size_t steps; /* left: what is not linear takes them */
    size_t walks; /* numbers for gql_facts.mark */
    bool nomem;
    struct gql_facts *all;
    struct gql_names fragments;  /* name -> struct gql_facts */
    struct gql_names operations; /* name -> struct gql_definition */
    struct gql_names told;       /* names of fragments that there are twice */
    size_t operation_count;
    struct gql_names variables; /* of this operation: name -> struct gql_variable */
    struct gql_merge *merge;
    struct gql_facts **stack; /* of gql_check_reach */
    /* where the walk is; NULL: not known, or not in such a place */
    struct gql_facts *facts;
    const struct gql_type *type, *input, *parent_input;
    const struct gql_schema_type *parent; /* composite */
    const struct gql_member *field, *argument;
    const struct gql_system *directive;
    const struct gql_directive *directive_node;
    const char *place;       /* of directives: "FIELD" */
    bool has_default;        /* the place of this value */
    struct gql_names object; /* the fields of the object value so far */
};

extern const struct gql_rule gql_rules[];
extern const size_t gql_rule_count;

/* False when the budget is used up; that is a problem, told once. */
bool gql_check_step(struct gql_check *c, size_t steps);
void *gql_check_alloc(struct gql_check *c, size_t size);
/* Set a name; false when it was there before, whose value is then in *old (may be NULL). */
bool gql_check_name(struct gql_check *c, struct gql_names *names, struct str name,
                    const void *value, const void **old);
struct gql_names gql_check_names(const struct gql_check *c);
struct gql_reached gql_check_reach(struct gql_check *c, struct gql_facts *from);
/* A field of a composite type, __typename and its like included. */
const struct gql_member *gql_field_find(const struct gql_schema *schema,
                                        const struct gql_schema_type *parent, struct str name);
const struct gql_member *gql_argument_find(const struct gql_member *first, struct str name);
bool gql_is_one_of(const struct gql_schema_type *type);

#define GQL_RULE(name) void gql_rule_##name(struct gql_check *c, const void *node)
GQL_RULE(executable);
GQL_RULE(operation_name);
GQL_RULE(lone_anonymous);
GQL_RULE(subscription);
GQL_RULE(type_known);
GQL_RULE(inline_type);
GQL_RULE(fragment_type);
GQL_RULE(variable_type);
GQL_RULE(leaf);
GQL_RULE(field_known);
GQL_RULE(fragment_name);
GQL_RULE(spread_known);
GQL_RULE(fragments_used);
GQL_RULE(inline_possible);
GQL_RULE(spread_possible);
GQL_RULE(fragment_circle);
GQL_RULE(variable_names);
GQL_RULE(variables_defined);
GQL_RULE(variables_used);
GQL_RULE(variables_fit);
GQL_RULE(directive_known);
GQL_RULE(directive_once);
GQL_RULE(directive_arguments);
GQL_RULE(argument_known);
GQL_RULE(field_arguments_once);
GQL_RULE(directive_arguments_once);
GQL_RULE(value);
GQL_RULE(object_field);
GQL_RULE(field_required);
GQL_RULE(directive_required);
GQL_RULE(merge);
GQL_RULE(input_field_once);

#endif
