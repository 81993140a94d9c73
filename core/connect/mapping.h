/* mapping.h - the mapping language of connectors schemas (JSONSelection): parsed once, evaluated
 * many times, printed in its normal form.
 *
 *   text --mapping_parse()--> struct mapping --mapping_apply()--> value, problems
 *                                  `---------mapping_print()----> text, comments kept
 *
 * A parsed mapping is never changed again: several threads may evaluate one.  The rules are those of
 * the specification of Apollo Connectors. */
#ifndef CONNECT_MAPPING_H
#define CONNECT_MAPPING_H

#include "arena.h"
#include "buf.h"
#include "value.h"

#include <gantry/connect.h>

struct mapping;

/* The connect versions: the minor number. */
enum mapping_version { MAPPING_V2 = 2, MAPPING_V3 = 3, MAPPING_V4 = 4 };

/* Bytes of a mapping's text; depth of what is in it. */
enum { MAPPING_TEXT_MAX = 1024 * 1024, MAPPING_DEPTH_MAX = 200 };

/* Bytes of the text, from start up to, not including, end. */
struct mapping_range {
    size_t start, end;
};

/* Parse a text, which is copied.  version: enum mapping_version.
 * *where: may be NULL; set when the text is refused: where it could not go on.
 * *out: owned, mapping_free(); untouched on failure.
 * Returns 0, GANTRY_E_INVALID or GANTRY_E_NOMEM. */
MUST_CHECK int mapping_parse(struct str text, enum mapping_version version, struct mapping **out,
                             struct mapping_range *where, struct gantry_error **err);
void mapping_free(struct mapping *m); /* m: may be NULL */

struct str mapping_text(const struct mapping *m);

/* Append the normal form: an item a line, comments kept.  Its parse is the same mapping.
 * Returns 0 or out's failure. */
MUST_CHECK int mapping_print(const struct mapping *m, struct buf *out);
/* Do two mappings say the same, wherever their parts stand in the texts? */
bool mapping_equal(const struct mapping *a, const struct mapping *b);

/* What the mapping is evaluated with. */
struct mapping_variable {
    struct str name; /* with its "$" */
    struct value *value;
};

/* What an evaluation may cost; 0: the default. */
struct mapping_limits {
    uint64_t max_steps;  /* values made or looked at; default 100 million */
    size_t max_bytes;    /* of memory; default 1 GiB */
    size_t max_problems; /* that are kept; default 10,000 */
};

/* One step of the way from the input to a value. */
struct mapping_segment {
    struct str key; /* a key, a variable with "$", a method with "->"; ptr NULL: an index */
    size_t index;
};

/* Why something is not there.  All in the arena of the evaluation. */
struct mapping_problem {
    enum gantry_mapping_problem_kind kind;
    struct str message;
    struct mapping_segment *path;
    size_t path_length;
    struct mapping_range range; /* of the mapping */
    uint64_t hash;              /* of path and message */
};

/* Told after each step, when somebody wants to know (`explain`).  input: NULL at the head of a
 * path.  output: NULL when there is none. */
struct mapping_trace {
    void (*step)(void *context, size_t depth, struct mapping_range range, const struct value *input,
                 const struct value *output);
    void *context;
};

struct mapping_input {
    struct value *data; /* `$` and `@` */
    const struct mapping_variable *variables;
    size_t variable_count;
    const struct mapping_limits *limits; /* may be NULL */
    const struct mapping_trace *trace;   /* may be NULL */
    bool without_problems;               /* nobody will look at them */
};

struct mapping_result {
    struct value *data; /* NULL: MISSING, which is not null; shares values with the input */
    struct mapping_problem *problems;
    size_t problem_count;
    size_t problems_dropped; /* beyond max_problems */
};

/* a: gets what is made.  The texts of m and the values of input are kept by the result.
 * Returns 0, GANTRY_E_INVALID when a limit was reached, or GANTRY_E_NOMEM. */
MUST_CHECK int mapping_apply(const struct mapping *m, const struct mapping_input *input,
                             struct arena *a, struct mapping_result *out,
                             struct gantry_error **err);

#endif
