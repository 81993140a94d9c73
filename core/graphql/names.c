/* names.c - a table from names to pointers that lives in an arena, and so needs no freeing: a schema has one
 * for each type.  Small ones are looked through, larger ones are hashed with the seed of their owner. */
#include "schema.h"

#include "map.h"

enum { SMALL = 8 };

static bool
grow(struct gql_names *n, struct arena *a)
{
    size_t room = n->room ? n->room * 2 : SMALL;
    struct gql_named *all = arena_alloc_array(a, room, sizeof *all);
    uint32_t *index = room > SMALL ? arena_alloc_array(a, room * 2, sizeof *index) : NULL;
    if (!all || (room > SMALL && !index) || room > UINT32_MAX / 4)
        return false;
    if (n->len)
        memcpy(all, n->all, n->len * sizeof *all);
    n->all = all;
    n->index = index;
    n->room = room;
    for (size_t i = 0; index && i < n->len; i++) {
        size_t at = (size_t)map_hash(n->seed, all[i].name) % (room * 2);
        while (index[at])
            at = (at + 1) % (room * 2);
        index[at] = (uint32_t)i + 1;
    }
    return true;
}

static struct gql_named *
find(const struct gql_names *n, struct str name)
{
    for (size_t i = 0; !n->index && i < n->len; i++)
        if (str_eq(n->all[i].name, name))
            return &n->all[i];
    if (!n->index)
        return NULL;
    size_t at = (size_t)map_hash(n->seed, name) % (n->room * 2);
    for (; n->index[at]; at = (at + 1) % (n->room * 2))
        if (str_eq(n->all[n->index[at] - 1].name, name))
            return &n->all[n->index[at] - 1];
    return NULL;
}

void *
gql_names_find(const struct gql_names *n, struct str name)
{
    const struct gql_named *found = find(n, name);
    return found ? found->value : NULL;
}

bool
gql_names_set(struct gql_names *n, struct arena *a, struct str name, const void *value)
{
    struct gql_named *found = find(n, name);
    if (!found) {
        if (n->len == n->room && !grow(n, a))
            return false;
        found = &n->all[n->len++];
        found->name = name;
        size_t at = n->index ? (size_t)map_hash(n->seed, name) % (n->room * 2) : 0;
        while (n->index && n->index[at])
            at = (at + 1) % (n->room * 2);
        if (n->index)
            n->index[at] = (uint32_t)n->len;
    }
    found->value = (void *)(uintptr_t)value;
    return true;
}
