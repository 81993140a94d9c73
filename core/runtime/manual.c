/* manual.c - a plugin's manual, made from its table, so that it cannot differ from what is checked.
 */
#include "runtime_internal.h"

#include "buf.h"

#include <gantry/host.h>

#include <string.h>

#define MANUAL_MAX ((size_t)4 << 20)

static const char *
type_word(uint32_t type)
{
    static const char *const words[] = {
        [GANTRY_TYPE_STRING] = "text",
        [GANTRY_TYPE_BOOL] = "yes or no",
        [GANTRY_TYPE_INTEGER] = "integer",
        [GANTRY_TYPE_NUMBER] = "number",
        [GANTRY_TYPE_DURATION] = "duration, such as 10s or 500ms",
        [GANTRY_TYPE_SIZE] = "size, such as 64MiB",
        [GANTRY_TYPE_PATH] = "path",
        [GANTRY_TYPE_SECRET] = "secret: the text, file:PATH or env:NAME",
        [GANTRY_TYPE_CHOICE] = "one of",
        [GANTRY_TYPE_LIST] = "list, such as a, b",
        [GANTRY_TYPE_MAP] = "list of KEY=VALUE",
    };
    return type < ARRAY_LENGTH(words) && words[type] ? words[type] : "of an unknown type";
}

static void
print_setting(struct buf *b, const struct gantry_setting *s)
{
    buf_add_fmt(b, "\n  %s", s->key);
    if (s->fallback)
        buf_add_fmt(b, " = %s", s->fallback);
    buf_add_fmt(b, "\n      %s", type_word(s->type));
    for (size_t i = 0; s->type == GANTRY_TYPE_CHOICE && s->choices && s->choices[i]; i++)
        buf_add_fmt(b, "%s %s", i ? "," : "", s->choices[i]);
    if (s->flags & GANTRY_SETTING_REQUIRED)
        buf_add_text(b, "; required");
    if (s->environment)
        buf_add_fmt(b, "; else from the environment: %s", s->environment);
    if (s->help)
        buf_add_fmt(b, "\n      %s", s->help);
    buf_add_char(b, '\n');
}

static void
print_settings(struct buf *b, const struct gantry_plugin *t, uint32_t scope, const char *title)
{
    bool any = false;
    for (uint32_t i = 0; t->settings && i < t->setting_count; i++) {
        const struct gantry_setting *theirs =
            GANTRY_AT(struct gantry_setting, t->settings, t->setting_stride, i);
        struct gantry_setting s = {0};
        memcpy(&s, theirs, MIN(MIN(theirs->size, t->setting_stride), sizeof s));
        if (s.scope != scope || !s.key)
            continue;
        if (!any)
            buf_add_fmt(b, "\n%s\n", title);
        any = true;
        print_setting(b, &s);
    }
}

static void
print_head(struct buf *b, const struct gantry_plugin *t)
{
    static const char *const threads[] = {"one call at a time",
                                          "one call at a time for each workload",
                                          "any number of calls at a time"};
    buf_add_fmt(b, "%s - %s\n\n", t->name, t->summary ? t->summary : "no summary");
    buf_add_fmt(b, "version     %s\n", t->version ? t->version : "not given");
    buf_add_fmt(b, "plugin ABI  %u.%u\n", t->abi_major, t->abi_minor);
    buf_add_fmt(b, "threads     %s\n",
                t->threads < ARRAY_LENGTH(threads) ? threads[t->threads] : "unknown");
    buf_add_fmt(b, "operations  start, stop, remove, logs, inspect, list%s%s%s%s\n",
                t->watch ? ", watch" : "", t->pull ? ", pull" : "", t->probe ? ", probe" : "",
                t->remove_image ? ", remove_image" : "");
}

char *
gantry_plugin_manual(const struct gantry_plugin *plugin)
{
    struct gantry_plugin t = {0};
    memcpy(&t, plugin, MIN(plugin->size, sizeof t));
    AUTO_BUF struct buf b = BUF_INIT(MANUAL_MAX);
    print_head(&b, &t);
    print_settings(&b, &t, GANTRY_SCOPE_BACKEND, "Settings, in [backend NAME]:");
    print_settings(
        &b, &t, GANTRY_SCOPE_WORKLOAD,
        "Settings of each workload, in [backend NAME] for all, in [connector NAME] for one:");
    if (!t.setting_count)
        buf_add_text(&b, "\nIt has no settings.\n");
    return buf_take(&b);
}
