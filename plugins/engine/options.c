/* The value of an option that is in force, and the written forms of some.  See options.h. */
#include "options.h"

#include "settings.h"

#include <stdlib.h>
#include <string.h>

const char *const option_secrets_choices[] = {"environment", "files", NULL};
const char *const option_restart_choices[] = {"unless-stopped", "always", "on-failure", "no", NULL};
const char *const option_condition_choices[] = {"any", "on-failure", "none", NULL};

/* ---- hardened -------------------------------------------------------------------------------------- */

static const char *const all[] = {"ALL"};
static const char *const in_memory[] = {"/tmp", "/run"};

#define SAFE_NUMBER(k, n)                                                                          \
    {                                                                                              \
        .size = sizeof(struct gantry_value), .key = (k), .text = "", .number = (n)                 \
    }
#define SAFE_LIST(k, list)                                                                         \
    {                                                                                              \
        .size = sizeof(struct gantry_value), .key = (k), .text = "", .items = (list),              \
        .item_count = sizeof(list) / sizeof((list)[0])                                             \
    }
/* A program needs somewhere to write: a read-only root comes with folders in memory. */
static const struct gantry_value safe[] = {
    SAFE_NUMBER("no_new_privileges", 1), SAFE_LIST("cap_drop", all), SAFE_NUMBER("read_only", 1),
    SAFE_LIST("tmpfs", in_memory),       SAFE_NUMBER("init", 1),     SAFE_NUMBER("pids_limit", 256),
};

static const struct gantry_value *
safe_value(const char *key)
{
    for (size_t i = 0; i < sizeof safe / sizeof safe[0]; i++)
        if (strcmp(safe[i].key, key) == 0)
            return &safe[i];
    return NULL;
}

const struct gantry_value *
option_find(const struct gantry_settings *settings, const char *key)
{
    const struct gantry_value *value = settings_find(settings, key);
    if (value && value->given)
        return value;
    const struct gantry_value *hardened = settings_find(settings, "hardened");
    const struct gantry_value *instead = hardened && hardened->number ? safe_value(key) : NULL;
    return instead ? instead : value;
}

const char *
option_text(const struct gantry_settings *settings, const char *key)
{
    const struct gantry_value *value = option_find(settings, key);
    return value && value->text && value->text[0] ? value->text : NULL;
}

bool
option_is_on(const struct gantry_settings *settings, const char *key)
{
    const struct gantry_value *value = option_find(settings, key);
    return value && value->number != 0;
}

const struct gantry_value *
option_items(const struct gantry_settings *settings, const char *key)
{
    const struct gantry_value *value = option_find(settings, key);
    return value && value->item_count > 0 ? value : NULL;
}

/* ---- written forms --------------------------------------------------------------------------------- */

bool
option_parse_pair(const char *item, char *key, size_t size, const char **value)
{
    size_t length = strcspn(item, "=");
    if (length == 0 || length >= size || item[length] != '=')
        return false;
    memcpy(key, item, length);
    key[length] = '\0';
    *value = item + length + 1;
    return true;
}

bool
option_parse_ulimit(const char *item, struct option_ulimit *ulimit)
{
    const char *number;
    char *end;
    if (!option_parse_pair(item, ulimit->name, sizeof ulimit->name, &number))
        return false;
    ulimit->soft = ulimit->hard = strtoll(number, &end, 10);
    if (end == number)
        return false;
    if (*end == ':') {
        number = end + 1;
        ulimit->hard = strtoll(number, &end, 10);
        if (end == number)
            return false;
    }
    return *end == '\0' && ulimit->soft >= -1 && ulimit->hard >= -1 &&
           (ulimit->hard == -1 || (ulimit->soft != -1 && ulimit->soft <= ulimit->hard));
}

/* Without the rounding of a floating-point number. */
bool
option_parse_cpus(const char *text, long long *nano)
{
    long long value = 0, scale = 1000000000;
    bool fraction = false, digits = false;
    for (; *text; text++) {
        if (*text == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (*text < '0' || *text > '9' || value > 100000000000000000LL)
            return false;
        digits = true;
        if (fraction && scale == 1)
            continue;
        value = value * 10 + (*text - '0');
        if (fraction)
            scale /= 10;
    }
    if (!digits || value > INT64_MAX / scale)
        return false;
    *nano = value * scale;
    return *nano > 0;
}

/* Absolute, and without parts that lead elsewhere? */
static bool
is_plain_path(const char *path)
{
    if (path[0] != '/')
        return false;
    for (const char *part = path; part; part = strchr(part + 1, '/')) {
        size_t length = strcspn(part + 1, "/");
        if ((length == 1 && part[1] == '.') || (length == 2 && part[1] == '.' && part[2] == '.'))
            return false;
    }
    return true;
}

static bool
is_volume_name(const char *name)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    size_t length = strlen(name);
    return length > 1 && strspn(name, plain) == length && strcspn(name, "_.-") > 0;
}

bool
option_parse_volume(const char *item, struct option_volume *volume)
{
    size_t source = strcspn(item, ":");
    const char *target = item + source + (item[source] == ':');
    size_t size = strcspn(target, ":");
    const char *mode = target + size;
    if (source >= sizeof volume->source || size >= sizeof volume->target)
        return false;
    memcpy(volume->source, item, source);
    volume->source[source] = '\0';
    memcpy(volume->target, target, size);
    volume->target[size] = '\0';
    volume->is_folder = item[0] == '/';
    volume->read_only = strcmp(mode, ":ro") == 0;
    return (volume->read_only || mode[0] == '\0' || strcmp(mode, ":rw") == 0) &&
           (volume->is_folder ? is_plain_path(volume->source) : is_volume_name(volume->source)) &&
           is_plain_path(volume->target) && volume->target[1];
}

bool
option_parse_tmpfs(const char *item, char *path, size_t size, const char **options)
{
    size_t length = strcspn(item, ":");
    if (length >= size)
        return false;
    memcpy(path, item, length);
    path[length] = '\0';
    *options = item + length + (item[length] == ':');
    return is_plain_path(path) && path[1] && !strpbrk(*options, " :");
}

/* ---- printed --------------------------------------------------------------------------------------- */

void
option_print_list(struct text *json, const struct gantry_value *value)
{
    text_add_char(json, '[');
    for (uint32_t i = 0; i < value->item_count; i++) {
        text_add(json, i ? "," : "");
        text_add_json(json, value->items[i]);
    }
    text_add_char(json, ']');
}

void
option_print_map(struct text *json, const struct gantry_value *value)
{
    bool first = true;
    text_add_char(json, '{');
    for (uint32_t i = 0; i < value->item_count; i++) {
        char key[256];
        const char *text;
        if (!option_parse_pair(value->items[i], key, sizeof key, &text))
            continue; /* options_check() has refused it */
        text_add(json, first ? "" : ",");
        text_add_json(json, key);
        text_add_char(json, ':');
        text_add_json(json, text);
        first = false;
    }
    text_add_char(json, '}');
}

bool
option_write(struct text *json, const struct gantry_settings *settings,
             const struct option_member *option)
{
    const struct gantry_value *value = option_find(settings, option->key);
    bool is_items = option->shape == OPTION_LIST || option->shape == OPTION_MAP;
    if (!value || (is_items && value->item_count == 0) ||
        (option->shape == OPTION_TEXT && !value->text[0]))
        return false;
    text_addf(json, ",\"%s\":", option->member);
    switch (option->shape) {
    case OPTION_TEXT:
        text_add_json(json, value->text);
        break;
    case OPTION_LIST:
        option_print_list(json, value);
        break;
    case OPTION_BOOL:
        text_add(json, value->number ? "true" : "false");
        break;
    case OPTION_INTEGER:
        text_addf(json, "%lld", (long long)value->number);
        break;
    case OPTION_MAP:
        option_print_map(json, value);
        break;
    }
    return true;
}
