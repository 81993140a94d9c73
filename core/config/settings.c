/* settings.c - the table of the core's keys, and what is printed from it. */
#include "config_internal.h"

#include "buf.h"
#include "err.h"

static const char *const config_choices_level[] = {"error", "warn", "info", "debug", NULL};
static const char *const config_choices_format[] = {"auto", "text", "json", NULL};
static const char *const config_choices_kind[] = {"opencti", "local", "custom", NULL};
static const char *const config_choices_isolation[] = {"none", NULL};
static const char *const config_choices_pull[] = {"if-not-present", "always", "never", NULL};

#define REQUIRED            SETTING_REQUIRED
#define NOT_EMPTY           SETTING_NOT_EMPTY
#define URL                 SETTING_URL
#define SECRET_LIST         SETTING_SECRET_LIST
#define PATH_LIST           SETTING_PATH_LIST
#define FIELD(type, member) offsetof(struct type, member)
#define NO_FIELD            SIZE_MAX
#define LIVE                false
#define RESTART             true
#define SETTING(group, key, type, change, fallback, unit, flags, min, max, choices, field,         \
                example, help)                                                                     \
    {GROUP_##group, GANTRY_TYPE_##type,                                                            \
     flags,         key,                                                                           \
     fallback,      unit,                                                                          \
     min,           max,                                                                           \
     choices,       field,                                                                         \
     change,        example,                                                                       \
     help},
const struct setting settings_table[] = {
#include "settings.def"
};
#undef SETTING
const size_t settings_count = ARRAY_LENGTH(settings_table);

/* How each group's section is headed in the example file; GROUP_PLATFORM, GROUP_OPENCTI and
 * GROUP_REPORTS share one. */
static const struct {
    const char *section;
    const char *header;
    const char *about;
} groups[GROUP_COUNT] = {
    [GROUP_MANAGER] = {"manager", "[manager]", "Identity, key, pace and limits."},
    [GROUP_LOG] = {"log", "[log]", "What is written about what happens."},
    [GROUP_PLATFORM] = {"platform NAME", "[platform opencti]",
                        "A platform that says which connectors should run. One section each."},
    [GROUP_OPENCTI] = {"platform NAME", NULL, NULL},
    [GROUP_REPORTS] = {"platform NAME", NULL, NULL},
    [GROUP_LOCAL] = {"platform NAME", "#[platform local]",
                     "A platform that is a folder of files, one a connector."},
    [GROUP_BACKEND] =
        {"backend NAME", "[backend docker]",
         "What runs the connectors. Further keys are the plugin's: 'gantry plugin info "
         "NAME' lists them."},
    [GROUP_REGISTRY] = {"registry HOST", "#[registry registry.example.org]",
                        "Credentials for images of one registry; Docker Hub is docker.io."},
    [GROUP_CONNECTOR] =
        {"connector NAME", "#[connector mitre]",
         "What is different for one connector, named by its name or id. Also takes the "
         "plugin's settings for workloads."},
};

const struct setting *
setting_find(unsigned wanted, const char *key)
{
    for (size_t i = 0; i < settings_count; i++)
        if ((GROUP_BIT(settings_table[i].group) & wanted) && text_eq(settings_table[i].key, key))
            return &settings_table[i];
    return NULL;
}

const char *
setting_nearest(unsigned wanted, const char *key)
{
    const char *keys[ARRAY_LENGTH(settings_table)];
    size_t n = 0;
    for (size_t i = 0; i < settings_count; i++)
        if (GROUP_BIT(settings_table[i].group) & wanted)
            keys[n++] = settings_table[i].key;
    return text_nearest(key, keys, n);
}

const char *
setting_type_word(uint32_t type)
{
    static const char *const words[] = {
        [GANTRY_TYPE_STRING] = "text",
        [GANTRY_TYPE_BOOL] = "bool",
        [GANTRY_TYPE_INTEGER] = "whole number",
        [GANTRY_TYPE_NUMBER] = "number",
        [GANTRY_TYPE_DURATION] = "duration",
        [GANTRY_TYPE_SIZE] = "size",
        [GANTRY_TYPE_PATH] = "path",
        [GANTRY_TYPE_SECRET] = "secret",
        [GANTRY_TYPE_CHOICE] = "choice",
        [GANTRY_TYPE_LIST] = "list",
        [GANTRY_TYPE_MAP] = "map",
    };
    return type < ARRAY_LENGTH(words) && words[type] ? words[type] : "unknown";
}

const char *
setting_section(enum setting_group group)
{
    return groups[group].section;
}

const char *
setting_kinds(enum setting_group group)
{
    static const char *const kinds[GROUP_COUNT] = {
        [GROUP_OPENCTI] = "opencti",
        [GROUP_REPORTS] = "opencti or custom",
        [GROUP_LOCAL] = "local",
    };
    return kinds[group];
}

size_t
config_setting_count(void)
{
    return settings_count;
}

struct config_setting
config_setting(size_t i)
{
    const struct setting *row = &settings_table[i];
    return (struct config_setting){
        .section = groups[row->group].section,
        .kind = setting_kinds(row->group),
        .key = row->key,
        .type = setting_type_word(row->type),
        .fallback = row->fallback,
        .example = row->example,
        .choices = row->choices,
        .required = (row->flags & SETTING_REQUIRED) != 0,
        .restart = row->restart,
        .secret = row->type == GANTRY_TYPE_SECRET || (row->flags & SETTING_SECRET_LIST),
        .help = row->help,
    };
}

/* A comment, broken at 78 columns. */
static void
print_comment(struct buf *b, const char *text)
{
    size_t column = 0;
    struct str rest = str_of(text);
    while (rest.ptr) {
        struct str word = str_cut(rest, ' ', &rest);
        if (column == 0 || column + 1 + word.len > 78) {
            buf_add_text(b, column == 0 ? "#" : "\n#");
            column = 1;
        }
        buf_add_char(b, ' ');
        buf_add(b, word);
        column += 1 + word.len;
    }
    buf_add_char(b, '\n');
}

static void
print_help(struct buf *b, const struct setting *row)
{
    AUTO_BUF struct buf text = BUF_INIT(4096);
    buf_add_fmt(&text, row->restart ? "%s A change takes a restart." : "%s", row->help);
    print_comment(b, buf_text(&text));
    if (buf_failed(&text))
        b->failed = buf_failed(&text);
}

/* What the smallest useful file has is written out; all else is a comment with its default. */
static bool
is_in_smallest_file(const struct setting *row)
{
    return (row->flags & SETTING_REQUIRED && row->group != GROUP_LOCAL) ||
           (row->group == GROUP_MANAGER && (text_eq(row->key, "id") || text_eq(row->key, "key")));
}

int
config_print_example(char **out, struct gantry_error **err)
{
    AUTO_BUF struct buf b = BUF_INIT((size_t)1 << 20);
    print_comment(
        &b,
        "Settings of Gantry, with their defaults. Durations carry a unit (500ms, 10s, 5m, "
        "1h30m), sizes too (64KiB, 10MiB); a list is a, b, or a line each, indented. A secret "
        "is written as file:PATH, env:NAME, or itself. A comment stands on a line of its own. A "
        "reload takes changes over, but where it says that a change takes a restart.");
    enum setting_group group = GROUP_COUNT;
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *row = &settings_table[i];
        if (row->group != group && groups[row->group].header) {
            buf_add_char(&b, '\n');
            print_comment(&b, groups[row->group].about);
            buf_add_fmt(&b, "%s\n", groups[row->group].header);
        }
        group = row->group;
        print_help(&b, row);
        buf_add_fmt(&b, "%s%s = %s\n", is_in_smallest_file(row) ? "" : "#", row->key,
                    row->fallback  ? row->fallback
                    : row->example ? row->example
                                   : "");
    }
    int failed = buf_failed(&b);
    char *text = failed ? NULL : buf_take(&b);
    if (!text)
        return failed && failed != GANTRY_E_NOMEM
                   ? err_set(err, GANTRY_E_INTERNAL, "the example file is too long")
                   : err_nomem(err);
    *out = text;
    return 0;
}
