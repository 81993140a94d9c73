/* workloads.c - what the kit runs: connectors of its own managers, and the specs of them. */
#include "conformance_internal.h"

#include "random.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STOP_GRACE_MS 2000 /* well within the time of a call: who replaces counts it in */

void
kit_make_manager(char manager[40])
{
    uint64_t a = random_u64(), b = random_u64();
    snprintf(manager, 40, "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-8%03" PRIx64 "-%012" PRIx64,
             a >> 32, (a >> 16) & 0xffff, a & 0xfff, b >> 52, b & UINT64_C(0xffffffffffff));
}

const char *
kit_other_manager(struct kit *kit)
{
    char manager[40];
    kit_make_manager(manager);
    return arena_dup_text(&kit->arena, manager);
}

struct kit_connector *
kit_connector(struct kit *kit)
{
    struct kit_connector *c = arena_alloc(&kit->arena, sizeof *c);
    unsigned n = ++kit->made;
    if (!c) {
        (void)kit_broken(kit, "the kit ran out of memory");
        return NULL;
    }
    *c = (struct kit_connector){
        .id = arena_fmt(&kit->arena, "%.24s%012x", kit->manager, n),
        .name = arena_fmt(&kit->arena, "kit-%.8s-%u", kit->manager, n),
        .manager = kit->manager,
        .image = kit->given.image,
    };
    if (c->id && c->name && kit_change(kit, c) == KIT_OK)
        return c;
    (void)kit_broken(kit, "the kit ran out of memory");
    return NULL;
}

int
kit_change(struct kit *kit, struct kit_connector *connector)
{
    connector->hash = arena_fmt(&kit->arena, "%016" PRIx64, random_u64());
    return connector->hash ? KIT_OK : kit_broken(kit, "the kit ran out of memory");
}

/* What is listed and removed when the promise has ended. */
static bool
remember_manager(struct kit *kit, const char *manager)
{
    vec_each (&kit->managers, known)
        if (text_eq(*known, manager))
            return true;
    const char **slot = vec_push(&kit->managers);
    if (slot)
        *slot = manager;
    return slot != NULL;
}

static bool
add_labels(struct kit *kit, const struct kit_connector *c, struct gantry_spec *spec)
{
    const struct gantry_pair labels[] = {
        {GANTRY_LABEL_MANAGER, c->manager}, {GANTRY_LABEL_CONNECTOR, c->id},
        {GANTRY_LABEL_PLATFORM, "local"},   {GANTRY_LABEL_NAMED, "kit"},
        {GANTRY_LABEL_HASH, c->hash},
    };
    struct gantry_pair *copy = arena_alloc(&kit->arena, sizeof labels);
    if (!copy)
        return false;
    memcpy(copy, labels, sizeof labels);
    spec->labels = copy;
    spec->label_count = ARRAY_LENGTH(labels) - (c->without_hash_label ? 1 : 0); /* the last one */
    return true;
}

static bool
add_environment(struct kit *kit, const struct kit_connector *c, struct gantry_spec *spec)
{
    size_t n = c->environment_count;
    struct gantry_variable *all = arena_alloc_array(&kit->arena, n + 2, sizeof *all);
    if (!all)
        return false;
    if (n)
        memcpy(all, c->environment, n * sizeof *all);
    all[n++] = (struct gantry_variable){GANTRY_HASH_VARIABLE, c->hash, 0, 0};
    all[n++] = (struct gantry_variable){"GANTRY_KIT", c->program ? c->program : "wait", 0, 0};
    spec->environment = all;
    spec->environment_count = (uint32_t)n;
    return true;
}

const struct gantry_spec *
kit_spec(struct kit *kit, const struct kit_connector *c)
{
    struct gantry_spec *spec = arena_alloc(&kit->arena, sizeof *spec);
    if (!spec || !remember_manager(kit, c->manager))
        return NULL;
    *spec = (struct gantry_spec){
        .size = sizeof *spec,
        .pull_policy = c->pull_policy,
        .id = c->id,
        .name = c->name,
        .hash = c->hash,
        .image = c->image,
        .pull_pause_ms = c->pull_pause_ms,
        .registry = c->registry,
        .files = c->files,
        .file_count = c->file_count,
        .label_stride = sizeof(struct gantry_pair),
        .environment_stride = sizeof(struct gantry_variable),
        .file_stride = sizeof(struct gantry_file),
        .stop_grace_ms = STOP_GRACE_MS,
    };
    bool whole = add_labels(kit, c, spec) && add_environment(kit, c, spec);
    return whole && kit_source_complete(kit->source, spec, &kit->arena) ? spec : NULL;
}

const char *
kit_label(const struct gantry_status *status, const char *key)
{
    for (uint32_t i = 0; i < status->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, status->labels, status->label_stride, i);
        if (text_eq(label->key, key))
            return label->value;
    }
    return NULL;
}

const char *
kit_state_word(uint32_t state)
{
#define WORD_(name, value, word) word,
    static const char *const words[] = {GANTRY_STATES(WORD_)};
#undef WORD_
    return state < ARRAY_LENGTH(words) ? words[state] : "a state that is none";
}
