/* json_model.c - the names that objects at one place of a text had. */
#include "json_model.h"

/* More kinds of objects than this are not told apart at one place: a text must not make searching
 * them dear. */
enum { MODELS_MAX = 8 };

struct json_place *
json_place_of(struct arena *a, struct json_model *model, size_t member)
{
    if (!model->members)
        model->members = arena_alloc_array(a, model->keys->len, sizeof *model->members);
    return model->members ? &model->members[member] : NULL;
}

struct json_model *
json_model_with(const struct json_place *place, const struct json_model *model, size_t member,
                struct str name)
{
    for (struct json_model *other = place->first; other; other = other->next) {
        if (other == model || other->keys->len <= member ||
            !str_eq(other->keys->names[member], name))
            continue;
        size_t same = 0;
        while (same < member && str_eq(other->keys->names[same], model->keys->names[same]))
            same++;
        if (same == member)
            return other;
    }
    return NULL;
}

int
json_model_learn(struct arena *a, struct json_place *place, struct value_keys *keys)
{
    struct json_model **last = &place->first, *model;
    for (size_t count = 1; *last && count < MODELS_MAX; count++)
        last = &(*last)->next;
    model = *last; /* the one that was learnt first makes room */
    *last = NULL;
    if (!model)
        model = arena_alloc_small(a, sizeof *model);
    if (!model)
        return GANTRY_E_NOMEM;
    *model = (struct json_model){keys, NULL, place->first};
    place->first = model;
    return 0;
}
