/* outputs.h - what a connector provides: the static keys of its selection.
 *
 *   `id  dock { gate }  $.crew { boss: name }`   gives   id; dock: gate; boss
 *
 * An array is what its elements are.  Before connect v0.4 only braces say what is in an object; from then on whatever
 * the static shape of the selection tells, and there may be several forms: one for each `__typename`. */
#ifndef CONNECT_OUTPUTS_H
#define CONNECT_OUTPUTS_H

#include "connectors.h"

struct output_form;

struct output {
    struct output *next;
    struct str name;            /* may come more than once in a form: the values are merged */
    struct mapping_range range; /* of the name, in the selection */
    bool from_variable;         /* computed from a variable, not from the response */
    struct output_form *forms;  /* of its value; NULL: it is no object, or not known */
};

/* One way in which an object may look. */
struct output_form {
    struct output_form *next;
    struct str type_name; /* a literal `__typename`; STR_NONE: none */
    bool is_open;         /* it may have other keys, which are not known */
    struct output *outputs;
};

struct outputs {
    struct output_form *forms;
    bool is_never_object; /* surely neither an object nor an array of some */
};

/* c: not broken.  *out: in the arena.  False when memory ran out. */
MUST_CHECK bool connector_outputs(const struct connect_schema *s, const struct connector *c,
                                  struct arena *a, struct outputs *out);

#endif
