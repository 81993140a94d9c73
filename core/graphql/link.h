/* link.h - @link: which specifications a schema uses, and by which names it calls what they define.
 *
 * "https://specs.apollo.dev/connect/v0.2" is the specification `connect` of version 0.2.  What it defines is called
 * `connect__source`, and the directive that bears its name `connect`; `as` renames the first part, and what is
 * imported is called as the import says. */
#ifndef GRAPHQL_LINK_H
#define GRAPHQL_LINK_H

#include "graphql_internal.h"

struct gql_link_import {
    struct gql_link_import *next;
    size_t at;
    struct str name, as; /* without '@' */
    bool is_directive;
};

struct gql_link {
    struct gql_link *next;
    const struct gql_directive *directive;
    struct str url, name; /* name: of the specification; STR_NONE: the URL names none */
    struct str as;        /* what it is called here */
    uint32_t major, minor;
    bool has_version;
    struct gql_link_import *imports;
};

/* The links of a document, in the order of the text.  *out: in the arena.  False when memory ran out. */
MUST_CHECK bool gql_links(struct arena *a, const struct gql_document *doc, struct gql_link **out);
/* What an element of a specification is called here ("source" -> "connect__source").  Without link (NULL) it is
 * its own name.  *out: in the arena, or a view.  False when memory ran out. */
MUST_CHECK bool gql_link_name(struct arena *a, const struct gql_link *link, struct str element,
                              bool is_directive, struct str *out);

#endif
