/* print.h - what print.c and format.c share: the parts that stand on one line. */
#ifndef GRAPHQL_PRINT_H
#define GRAPHQL_PRINT_H

#include "graphql_internal.h"

struct gql_printer {
    struct buf *out;
    size_t start; /* what is in out before is not ours */
    bool pretty;
};

void gql_print_value(const struct gql_printer *p, const struct gql_value *value, size_t depth);
/* The text on lines of its own; gql_is_block_printable() has seen that it means the same. */
void gql_print_block_string(const struct gql_printer *p, struct str text, size_t depth);
void gql_print_arguments(const struct gql_printer *p, const struct gql_argument *arguments,
                         size_t depth);
void gql_print_directives(const struct gql_printer *p, const struct gql_directive *directives,
                          size_t depth);
void gql_print_type(const struct gql_printer *p, const struct gql_type *type);
void gql_print_variables(const struct gql_printer *p, const struct gql_variable *variables);

#endif
