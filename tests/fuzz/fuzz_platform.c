/* rooms: platform */
/* fuzz_platform.c - any bytes are refused, or are a listing and configurations that hold what
 * platform.h promises: ids that are there and unique, texts that are there, a reason for every
 * doubt. */
#include "err.h"
#include "fuzz.h"
#include "platform_internal.h"

static void
check_listing(const struct platform_listing *l)
{
    AUTO_MAP struct map seen;
    map_init(&seen);
    must(l->complete == (l->doubt == NULL));
    for (size_t i = 0; i < l->count; i++) {
        const struct platform_connector *c = &l->connectors[i];
        must(c->id && *c->id && c->name && *c->name && c->image && c->hash);
        must(*c->hash || c->problem);
        must(c->wish == PLATFORM_WISH_UNKNOWN || c->wish_text);
        must(!map_find(&seen, str_of(c->id)));
        must(map_set(&seen, str_of(c->id), (void *)(uintptr_t)c, NULL) == 0);
    }
}

static void
check_configurations(const struct platform_configurations *all)
{
    AUTO_MAP struct map seen;
    map_init(&seen);
    for (size_t i = 0; i < all->count; i++) {
        const struct platform_configuration *c = &all->items[i];
        must(c->id && *c->id && c->hash && *c->hash && c->image);
        must(!map_find(&seen, str_of(c->id)));
        must(map_set(&seen, str_of(c->id), (void *)(uintptr_t)c, NULL) == 0);
        for (size_t k = 0; k < c->entry_count; k++)
            must(c->entries[k].key && *c->entries[k].key && !strchr(c->entries[k].key, '='));
    }
    for (size_t i = 0; i < all->unusable_count; i++) {
        must(all->unusable[i].id && all->unusable[i].text);
        must(!map_find(&seen, str_of(all->unusable[i].id)));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct platform_listing *listing = NULL;
    struct platform_configurations *configurations = NULL;
    char *body = str_dup((struct str){(const char *)data, size});
    must(body != NULL);
    int rc = opencti_read_body(body, size, &listing, &configurations, &err);
    must((rc == 0) == (configurations != NULL));
    must((rc == 0) == (err == NULL));
    if (listing)
        check_listing(listing);
    if (configurations)
        check_configurations(configurations);
    platform_listing_free(listing);
    platform_configurations_free(configurations);
    free(body);
    return 0;
}
