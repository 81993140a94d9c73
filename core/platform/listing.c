/* listing.c - builds listings and configurations, of any kind of platform; keeps their ids unique.
 */
#include "err.h"
#include "platform_internal.h"

#include <stdarg.h>

/* The index of an id is kept in a map as a pointer: index + 1, as NULL means that it is not there.
 */
static void *
mark(size_t index)
{
    return (void *)(uintptr_t)(index + 1);
}

static size_t
index_of(const void *value)
{
    return (size_t)(uintptr_t)value - 1;
}

void
platform_listing_free(struct platform_listing *listing)
{
    if (!listing)
        return;
    arena_clear(&listing->arena);
    free(listing->connectors);
    free(listing);
}

int
listing_begin(struct listing_builder *b, struct gantry_error **err)
{
    *b = (struct listing_builder){.listing = calloc(1, sizeof *b->listing)};
    map_init_borrowing(&b->seen); /* ids live in the arena */
    if (!b->listing)
        return err_nomem(err);
    arena_init(&b->listing->arena, 0);
    b->listing->complete = true;
    return 0;
}

void
listing_abandon(struct listing_builder *b)
{
    platform_listing_free(b->listing);
    vec_clear(&b->items);
    map_clear(&b->seen);
    b->listing = NULL;
}

void
listing_doubt(struct listing_builder *b, const char *fmt, ...)
{
    b->listing->complete = false;
    if (b->listing->doubt)
        return; /* the first is enough to begin with */
    AUTO_BUF struct buf text = BUF_INIT(1024);
    va_list args;
    va_start(args, fmt);
    buf_add_vfmt(&text, fmt, args);
    va_end(args);
    const char *copy = arena_dup(&b->listing->arena, buf_view(&text));
    b->listing->doubt = copy ? copy : "part of it could not be understood";
}

int
listing_add(struct listing_builder *b, const struct platform_connector *connector,
            struct gantry_error **err)
{
    struct str id = str_of(connector->id);
    const void *there = map_find(&b->seen, id);
    if (there) {
        struct platform_connector *first = &b->items.ptr[index_of(there)];
        first->problem = "its id is listed more than once; one of them must go";
        listing_doubt(b, "the id '%.80s' is listed more than once", connector->id);
        return 0;
    }
    if (map_set(&b->seen, id, mark(b->items.len), NULL) < 0)
        return err_nomem(err);
    struct platform_connector *slot = vec_push(&b->items);
    if (!slot)
        return err_nomem(err);
    *slot = *connector;
    return 0;
}

void
listing_canon(struct buf *canon, const struct platform_connector *c)
{
    const char *const texts[] = {c->id, c->name, c->image, c->hash, c->problem};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        buf_add_fmt(canon, "%zu:", str_of(texts[i]).len);
        buf_add_text(canon, texts[i]);
    }
    buf_add_fmt(canon, "%d\n", c->wish);
}

int
listing_end(struct listing_builder *b, struct platform_listing **out, struct gantry_error **err)
{
    (void)err;
    b->listing->connectors = b->items.ptr;
    b->listing->count = b->items.len;
    map_clear(&b->seen);
    *out = b->listing;
    *b = (struct listing_builder){0};
    return 0;
}

void
configuration_wipe(const struct platform_configuration *item)
{
    for (size_t i = 0; i < item->entry_count; i++) {
        const char *value = item->entries[i].value;
        if (value)
            secret_wipe((char *)(uintptr_t)value, strlen(value)); /* of our own arena */
    }
}

void
platform_configurations_free(struct platform_configurations *configurations)
{
    if (!configurations)
        return;
    for (size_t i = 0; i < configurations->count; i++)
        configuration_wipe(&configurations->items[i]);
    arena_clear(&configurations->arena);
    free(configurations->items);
    free(configurations->unusable);
    free(configurations);
}

int
configurations_begin(struct configurations_builder *b, struct gantry_error **err)
{
    *b = (struct configurations_builder){.configurations = calloc(1, sizeof *b->configurations)};
    map_init_borrowing(&b->seen); /* ids live in the arena */
    if (!b->configurations)
        return err_nomem(err);
    arena_init(&b->configurations->arena, 0);
    return 0;
}

void
configurations_abandon(struct configurations_builder *b)
{
    vec_each (&b->items, item)
        configuration_wipe(item);
    platform_configurations_free(b->configurations);
    vec_clear(&b->items);
    vec_clear(&b->unusable);
    map_clear(&b->seen);
    b->configurations = NULL;
}

/* One that was taken for good before is not used either, and one reason an id is enough. */
int
configurations_add_unusable(struct configurations_builder *b, const char *id, const char *text,
                            struct gantry_error **err)
{
    static const char ruled_out = 0; /* stands in the map for an index */
    const void *there = map_find(&b->seen, str_of(id));
    if (there == &ruled_out)
        return 0;
    if (there)
        b->items.ptr[index_of(there)].id = NULL;
    if (map_set(&b->seen, str_of(id), (void *)(uintptr_t)&ruled_out, NULL) < 0)
        return err_nomem(err);
    struct platform_unusable *slot = vec_push(&b->unusable);
    if (!slot)
        return err_nomem(err);
    *slot = (struct platform_unusable){id, text};
    return 0;
}

int
configurations_add(struct configurations_builder *b, const struct platform_configuration *item,
                   struct gantry_error **err)
{
    if (map_find(&b->seen, str_of(item->id))) {
        /* Which of the two is right cannot be known: neither is used. */
        configuration_wipe(item);
        return configurations_add_unusable(b, item->id, "its id is listed more than once", err);
    }
    if (map_set(&b->seen, str_of(item->id), mark(b->items.len), NULL) < 0)
        return err_nomem(err);
    struct platform_configuration *slot = vec_push(&b->items);
    if (!slot)
        return err_nomem(err);
    *slot = *item;
    return 0;
}

int
configurations_add_connector(struct configurations_builder *b, const struct config_connector *from,
                             const char *hash, struct gantry_error **err)
{
    struct arena *arena = &b->configurations->arena;
    struct platform_entry *entries =
        arena_alloc_array(arena, from->entry_count + 1, sizeof *entries);
    struct platform_configuration c = {
        .id = arena_dup_text(arena, from->id),
        .hash = arena_dup_text(arena, hash),
        .image = arena_dup_text(arena, from->image ? from->image : ""),
        .entries = entries,
    };
    bool copied = entries && c.id && c.hash && c.image;
    while (copied && c.entry_count < from->entry_count) {
        const struct config_connector_entry *entry = &from->entries[c.entry_count];
        struct platform_entry *made = &entries[c.entry_count++];
        *made = (struct platform_entry){arena_dup_text(arena, entry->key),
                                        arena_dup_text(arena, entry->value), PLATFORM_SEALED_NO,
                                        entry->secret};
        copied = made->key && made->value;
    }
    if (copied)
        return configurations_add(b, &c, err);
    if (entries)
        configuration_wipe(&c);
    return err_nomem(err);
}

int
configurations_end(struct configurations_builder *b, struct platform_configurations **out,
                   struct gantry_error **err)
{
    (void)err;
    size_t kept = 0;
    for (size_t i = 0; i < b->items.len; i++) {
        if (b->items.ptr[i].id)
            b->items.ptr[kept++] = b->items.ptr[i];
        else
            configuration_wipe(&b->items.ptr[i]);
    }
    b->configurations->items = b->items.ptr;
    b->configurations->count = kept;
    b->configurations->unusable = b->unusable.ptr;
    b->configurations->unusable_count = b->unusable.len;
    map_clear(&b->seen);
    *out = b->configurations;
    *b = (struct configurations_builder){0};
    return 0;
}
