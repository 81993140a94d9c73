/* format.h - what format.c and format_lines.c share. */
#ifndef GRAPHQL_FORMAT_H
#define GRAPHQL_FORMAT_H

#include "print.h"

struct format {
    struct gql_printer p;
    struct str text;
    const struct gql_comment *pending;
    bool opened;     /* a block has just begun: no empty line here */
    bool want_blank; /* a definition begins: an empty line in any case */
};

/* A new line for what stands at this place of the source, and the comments before it.  An empty line stays. */
void format_line(struct format *f, size_t depth, size_t at);
/* The same without an empty line: it belongs to the line before. */
void format_next_line(struct format *f, size_t depth, size_t at);
void format_open(struct format *f, const char *bracket);
/* On a line of its own.  at: its place in the source. */
void format_shut(struct format *f, size_t depth, size_t at, const char *bracket);

/* Is there room on this line for what was printed from mark on? */
bool format_fits(const struct format *f, size_t mark);
/* Does a comment stand before this place of the source that is still to be printed? */
bool format_has_comment(const struct format *f, size_t at);

/* What is written behind a field, a type, a fragment: on its line, or each on one of its own.  depth: of that line. */
void format_arguments(struct format *f, const struct gql_argument *first, size_t depth);
void format_directives(struct format *f, const struct gql_directive *first, size_t depth);
/* depth: of the line on which it begins. */
void format_value(struct format *f, const struct gql_value *value, size_t depth);

#endif
