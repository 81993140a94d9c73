/* reads.h - what a mapping reads of its variables and of its input.
 *
 *   `$args.filter { from to }`  reads  $args: filter: from, to
 *   `$batch->map({ i: @.id })`  reads  $batch as a whole: what follows a method is not known
 *   `a: $this.b.c  d`           reads  $this: b: c;  and of `$`: d
 *
 * Braces bind `$` to what stands before them, so what is read inside them is a member of that.  What is read deeper
 * than MAPPING_DEPTH_MAX names is left out. */
#ifndef CONNECT_READS_H
#define CONNECT_READS_H

#include "mapping.h"

struct mapping_member {
    struct mapping_member *next;
    struct str name;
    struct mapping_range range;     /* of the name, in the mapping */
    struct mapping_member *members; /* NULL: the member as a whole, or what is behind a method */
};

struct mapping_read {
    struct mapping_read *next;
    struct str variable;        /* with its "$"; "$" alone: the input (`@` at the top too) */
    struct mapping_range range; /* of the variable, or of the first key that is read of the input */
    struct mapping_member *members; /* NULL: the variable as a whole */
};

/* Each read on its own, in the order of the text; nothing is merged.  *out: in the arena.
 * False when memory ran out. */
MUST_CHECK bool mapping_reads(const struct mapping *m, struct arena *a, struct mapping_read **out);

#endif
