/* configuration.c - keeps what a platform gave as a connector's configuration until a workload is made of it.
 *
 * That may be thousands at once, between which nothing else should come to lie: they share blocks, each of which goes
 * back to the system when the last of its configurations was dropped.
 *
 *   block  [holders|kept|entries|texts|kept|entries|texts|......free]
 *                     ▲ connector.configuration                              */
#include "manager_internal.h"

#include "secret.h"

#include <stddef.h>

#define BLOCK_BYTES ((size_t)256 * 1024)

struct configuration_block {
    size_t holders; /* configurations, and the platform while it adds some */
    size_t size, used;
    max_align_t data[];
};

struct kept {
    struct platform_configuration configuration; /* first: what connectors point to */
    struct configuration_block *block;
};

static void
release(struct configuration_block *block)
{
    if (block && --block->holders == 0)
        free(block);
}

void
configurations_taken(struct platform_side *p)
{
    release(TAKE(p->configurations));
}

/* Room in the block that the platform fills, or in a new one. */
static struct kept *
make_room(struct platform_side *p, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    size = (size + align - 1) / align * align;
    struct configuration_block *block = p->configurations;
    if (!block || block->size - block->used < size) {
        size_t room = MAX(size, BLOCK_BYTES);
        block = malloc(sizeof *block + room);
        if (!block)
            return NULL;
        *block = (struct configuration_block){.holders = 1, .size = room};
        configurations_taken(p);
        p->configurations = block;
    }
    struct kept *kept = (void *)((char *)block->data + block->used);
    block->used += size;
    block->holders++;
    kept->block = block;
    return kept;
}

void
connector_drop_configuration(struct connector *c)
{
    if (!c->configuration)
        return;
    for (size_t i = 0; i < c->configuration->entry_count; i++) {
        const char *value = c->configuration->entries[i].value;
        if (value)
            secret_wipe((void *)(uintptr_t)value, strlen(value));
    }
    release(((struct kept *)(void *)c->configuration)->block);
    c->configuration = NULL;
}

int
connector_keep_configuration(struct connector *c, const struct platform_configuration *from)
{
    connector_drop_configuration(c);
    size_t size = sizeof(struct kept) + from->entry_count * sizeof *from->entries +
                  text_size(from->hash) + text_size(from->image);
    for (size_t i = 0; i < from->entry_count; i++) /* all of it is in memory already */
        size += text_size(from->entries[i].key) + text_size(from->entries[i].value);
    struct kept *kept = make_room(c->platform, size);
    if (!kept)
        return GANTRY_E_NOMEM;
    struct platform_entry *entries = (struct platform_entry *)(kept + 1);
    char *texts = (char *)(entries + from->entry_count);
    for (size_t i = 0; i < from->entry_count; i++) {
        entries[i] = from->entries[i];
        entries[i].key = text_place(&texts, from->entries[i].key);
        entries[i].value = text_place(&texts, from->entries[i].value);
    }
    kept->configuration = (struct platform_configuration){
        .id = c->id,
        .hash = text_place(&texts, from->hash),
        .image = text_place(&texts, from->image),
        .entries = entries,
        .entry_count = from->entry_count,
    };
    c->configuration = &kept->configuration;
    return 0;
}
