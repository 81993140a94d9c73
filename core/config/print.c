/* print.c - every effective value with its origin; secrets masked. */
#include "config_internal.h"

#include "buf.h"
#include "err.h"
#include "notation.h"

#define MASK "****"

static void
print_items(struct config *config, struct buf *b, const struct typed *typed)
{
    for (uint32_t i = 0; i < typed->value.item_count; i++) {
        const char *item = typed->value.items[i];
        if (typed->flags & SETTING_SECRET_LIST && !secret_is_reference(item))
            item = MASK;
        const char *shown = text_without_user(config, item);
        buf_add_fmt(b, "%s%s", i == 0 ? "" : ", ", shown ? shown : "");
    }
}

static void
print_value(struct config *config, struct buf *b, const struct typed *typed)
{
    switch (typed->type) {
    case GANTRY_TYPE_BOOL:
        buf_add_text(b, typed->value.number ? "yes" : "no");
        break;
    case GANTRY_TYPE_INTEGER:
        buf_add_fmt(b, "%lld", (long long)typed->value.number);
        break;
    case GANTRY_TYPE_DURATION:
        value_print_duration(b, typed->value.number);
        break;
    case GANTRY_TYPE_SIZE:
        value_print_size(b, typed->value.number);
        break;
    case GANTRY_TYPE_SECRET:
        buf_add_text(b, MASK);
        break;
    case GANTRY_TYPE_LIST:
    case GANTRY_TYPE_MAP:
        print_items(config, b, typed);
        break;
    default:
        buf_add_text(b, text_without_user(config, typed->value.text));
        break;
    }
}

static void
print_origin(const struct config *config, struct buf *b, const struct typed *typed)
{
    switch (typed->origin.kind) {
    case ORIGIN_DEFAULT:
        buf_add_text(b, "default");
        break;
    case ORIGIN_FILE:
        buf_add_fmt(b, "%s:%u", config->file, (unsigned)typed->origin.line);
        break;
    case ORIGIN_VARIABLE:
    case ORIGIN_FOREIGN:
        /* A section of the environment has its NAME from there, without a variable of its own. */
        if (text_eq(typed->origin.variable, "environment"))
            buf_add_text(b, "environment");
        else
            buf_add_fmt(b, "environment %s", typed->origin.variable);
        break;
    case ORIGIN_PROGRAM:
        buf_add_text(b, "program");
        break;
    case ORIGIN_MADE:
        buf_add_text(b, "made from this machine and the folder");
        break;
    }
    if (typed->note)
        buf_add_fmt(b, ", from %s", typed->note);
    if (typed->restart)
        buf_add_text(b, "; a change takes a restart");
}

/* A key may have been checked against several plugins: the first is printed. */
static bool
is_first(const struct section *section, const struct typed *typed)
{
    return typed_find(section, typed->key) == typed;
}

static void
print_section(struct config *config, struct buf *b, const struct section *section)
{
    for (const struct typed *typed = section->values; typed; typed = typed->next) {
        if (!is_first(section, typed))
            continue;
        size_t start = b->len;
        buf_add_fmt(b, "[%s] %s = ", section->title, typed->key);
        print_value(config, b, typed);
        buf_add_text(b, "   # ");
        print_origin(config, b, typed);
        for (size_t i = start; !buf_failed(b) && i < b->len; i++)
            if ((unsigned char)b->ptr[i] < 0x20 || b->ptr[i] == 0x7f)
                b->ptr[i] = ' ';
        buf_add_char(b, '\n');
    }
}

int
config_print(const struct config *config, char **out, struct gantry_error **err)
{
    static const enum section_kind order[] = {SECTION_MANAGER, SECTION_LOG,      SECTION_PLATFORM,
                                              SECTION_BACKEND, SECTION_REGISTRY, SECTION_CONNECTOR};
    AUTO_BUF struct buf b = BUF_INIT(4 * CONFIG_MAX_FILE);
    /* Texts on the way to the output are made in a scratch arena, so that config stays as it is. */
    struct config scratch = *config;
    arena_init(&scratch.arena, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(order); i++)
        for (const struct section *s = config->sections; s; s = s->next)
            if (s->kind == order[i])
                print_section(&scratch, &b, s);
    if (config->registry_prefix)
        buf_add_fmt(&b, "images without a registry come from %s   # environment %s\n",
                    config->registry_prefix, config->registry_prefix_variable);
    arena_clear(&scratch.arena);
    int failed = scratch.failed && !config->failed ? GANTRY_E_NOMEM : buf_failed(&b);
    char *text = failed ? NULL : buf_take(&b);
    if (!text && failed == GANTRY_E_INVALID)
        return err_set(err, GANTRY_E_INVALID, "the settings are too long to print; shorten them");
    if (!text)
        return err_nomem(err);
    *out = text;
    return 0;
}
