/* json_model.h - what objects alike are read by: those that stood at one place of a text before tell
 * which names come next, and share them.
 *
 *   place of `results[]` -> model {id, name, owner} -> model {id, name, note, owner} -> NULL
 *                                            |
 *                                            place of `results[].owner` -> model {login}
 */
#ifndef VALUE_JSON_MODEL_H
#define VALUE_JSON_MODEL_H

#include "value_internal.h"

struct json_model;
/* The models of one place; {0} at first. */
struct json_place {
    struct json_model *first;
};

struct json_model {
    struct value_keys *keys;
    struct json_place *members; /* the places in it; NULL until one is needed */
    struct json_model *next;
};

/* The place of a member; its elements' place, if it is an array.  NULL: no memory. */
struct json_place *json_place_of(struct arena *a, struct json_model *model, size_t member);
/* Of the models of a place one that has the same first names as model, and then this one; or NULL. */
struct json_model *json_model_with(const struct json_place *place, const struct json_model *model,
                                   size_t member, struct str name);
/* Objects at this place may have these names too.  Returns 0 or GANTRY_E_NOMEM. */
MUST_CHECK int json_model_learn(struct arena *a, struct json_place *place, struct value_keys *keys);

#endif
