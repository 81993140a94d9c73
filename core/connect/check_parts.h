/* check_parts.h - what the checks of sources and connectors share: URLs and headers. */
#ifndef CONNECT_CHECK_PARTS_H
#define CONNECT_CHECK_PARTS_H

#include "connectors.h"

/* What is checked, and whose messages are told. */
struct check_part {
    const struct connect_schema *schema;
    struct connect_problems *problems;
    struct str who; /* "Query.crane[0]" */
};

/* check_urls.c */
void check_base_url(const struct check_part *c, const struct template_slot *url);
void check_connect_url(const struct check_part *c, const struct template_slot *url,
                       bool has_source);
/* check_headers.c */
void check_headers(const struct check_part *c, const struct connect_header *first);
/* Holes without a mapping in them.  what: how a message calls the template. */
void check_holes(const struct check_part *c, const struct template_slot *slot,
                 enum connect_code code, const char *what);
/* check_requests.c: is there a directive that is none, which was told, and that seems to be the one of this name? */
bool check_is_misspelt(const struct connect_schema *s, struct connect_problems *p, struct str name);

#endif
