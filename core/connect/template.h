/* template.h - texts with holes: "/cranes/{$args.id}/log".  A hole is a mapping; its result becomes text.
 *
 * Parsed once, rendered often; never changed again. */
#ifndef CONNECT_TEMPLATE_H
#define CONNECT_TEMPLATE_H

#include "mapping.h"

struct template_piece {
    struct template_piece *next;
    struct str text;            /* literal; STR_NONE: a hole */
    struct mapping *hole;       /* NULL: literal */
    struct mapping_range range; /* of the template; a hole: what stands between its braces */
};

struct template
{
    struct arena arena;
    struct str text;
    struct template_piece *pieces;
};

/* Parse a text, which is copied.  Tab, line feed, form feed and carriage return outside holes are left out.
 * *where: may be NULL; set when the text is refused: where.  *out: owned, template_free(); untouched on failure.
 * Returns 0, GANTRY_E_INVALID (a hole has no end, or is no mapping) or GANTRY_E_NOMEM. */
MUST_CHECK int template_parse(struct str text, enum mapping_version version, struct template **out,
                              struct mapping_range *where, struct gantry_error **err);
void template_free(struct template *t); /* t: may be NULL */

#endif
