/* promise_settings.c - the settings that a plugin declares, and what open() makes of their values. */
#include "conformance_internal.h"

#include "notation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VALUES_MAX 256

/* ---- what the table says -------------------------------------------------------------------------- */

static bool
is_choice(const struct gantry_setting *s, const char *text)
{
    for (const char *const *choice = s->choices; choice && *choice; choice++)
        if (text_eq(*choice, text))
            return true;
    return false;
}

static bool
suits(const struct gantry_setting *s, const char *text)
{
    bool flag;
    int64_t number;
    switch (s->type) {
    case GANTRY_TYPE_BOOL:
        return value_parse_bool(str_of(text), false, &flag);
    case GANTRY_TYPE_INTEGER:
        return str_to_int64(str_of(text), &number);
    case GANTRY_TYPE_NUMBER:
        return value_is_number(str_of(text));
    case GANTRY_TYPE_DURATION:
        return value_parse_duration(str_of(text), &number);
    case GANTRY_TYPE_SIZE:
        return value_parse_size(str_of(text), false, &number);
    case GANTRY_TYPE_CHOICE:
        return is_choice(s, text);
    default:
        return true;
    }
}

int
kit_try_settings_defaults_are_of_their_type(struct kit *kit)
{
    for (uint32_t i = 0; i < kit->table->setting_count; i++) {
        const struct gantry_setting *s = &kit->table->settings[i];
        if (s->fallback && !suits(s, s->fallback))
            return kit_broken(kit, "the default of '%s' is '%s', which is no value of its type",
                              s->key, s->fallback);
        if (s->fallback && (s->flags & GANTRY_SETTING_REQUIRED))
            return kit_broken(kit, "'%s' is required, and has a default", s->key);
    }
    return KIT_OK;
}

/* ---- what open() makes of values ------------------------------------------------------------------ */

/* The kit's own values with one of them changed. */
struct variant {
    struct gantry_settings settings;
    struct gantry_value values[VALUES_MAX];
};

static const struct gantry_setting *
setting_of(const struct kit *kit, const char *key)
{
    for (uint32_t i = 0; i < kit->table->setting_count; i++)
        if (text_eq(kit->table->settings[i].key, key))
            return &kit->table->settings[i];
    return NULL;
}

/* without: leave out what is optional and has no default.  false: there are too many. */
static bool
make_variant(const struct kit *kit, struct variant *v, bool without)
{
    v->settings = *kit->settings;
    v->settings.values = v->values;
    v->settings.stride = sizeof v->values[0];
    v->settings.count = 0;
    for (uint32_t i = 0; i < kit->settings->count && i < VALUES_MAX; i++) {
        const struct gantry_value *from =
            GANTRY_AT(struct gantry_value, kit->settings->values, kit->settings->stride, i);
        const struct gantry_setting *s = setting_of(kit, from->key);
        if (!without || !s || s->fallback || (s->flags & GANTRY_SETTING_REQUIRED))
            v->values[v->settings.count++] = *from;
    }
    return kit->settings->count < VALUES_MAX;
}

static struct gantry_value *
value_in(struct variant *v, const char *key)
{
    struct gantry_value *at = v->values;
    while (at < v->values + v->settings.count && !text_eq(at->key, key))
        at++;
    if (at == v->values + v->settings.count)
        v->settings.count++;
    *at = (struct gantry_value){.size = sizeof *at, .given = 1, .key = key, .text = ""};
    return at;
}

/* Success, or a reason that names the setting; key: NULL: any reason. */
static int
expect_open(struct kit *kit, const struct variant *v, const char *key, const char *shown)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct runtime_backend *backend = NULL;
    int rc = kit_open(kit, &v->settings, NULL, &backend, &err);
    runtime_close(backend);
    if (rc == 0)
        return KIT_OK;
    if (rc != GANTRY_E_INVALID && rc != GANTRY_E_UNSUPPORTED)
        return kit_broken(kit,
                          "open() with %s = %s failed with '%s', and has to with 'invalid': %s",
                          key, shown, gantry_code_name(rc), err_text(err));
    if (strstr(err_text(err), "gives no reason") || (key && !strstr(err_text(err), key)))
        return kit_broken(kit,
                          "open() with %s = %s failed, and the reason does not name the "
                          "setting: %s",
                          key, shown, err_text(err));
    return KIT_OK;
}

int
kit_try_settings_optional_ones_may_be_absent(struct kit *kit)
{
    struct variant *v = arena_alloc(&kit->arena, sizeof *v);
    if (!v || !make_variant(kit, v, true))
        return kit_broken(kit, "the kit ran out of memory");
    return expect_open(kit, v, NULL, "nothing");
}

static const int64_t odd_numbers[] = {0, 1, -1, 86400000, INT64_MAX, INT64_MIN};
static const char *const odd_texts[] = {"",        " ",          "%s%n%d", "\xc3\xa4\xe2\x82\xac",
                                        "a/../..", "\"'\\$(x)`", "://",    "0x7fffffffffffffff"};
static const char *const odd_paths[] = {"/", "/nowhere/at/all", "/dev/null", "/proc/self/mem"};
static const char *const odd_decimals[] = {"0", "0.000001", "99999999999999999999", "3.75"};
static const char *const odd_items[] = {"", "=", "a=b=c", "\xc3\xa4", "a", "a=", "/nowhere"};

static int
try_texts(struct kit *kit, struct variant *v, const char *key, const char *const *texts, size_t n)
{
    struct gantry_value *value = value_in(v, key);
    for (size_t i = 0; i < n; i++) {
        value->text = texts[i];
        KIT_CHECK(expect_open(kit, v, key, texts[i]));
    }
    return KIT_OK;
}

/* The host lets in no negative duration or size, and of a boolean nothing but 0 and 1. */
static int
try_numbers(struct kit *kit, struct variant *v, const struct gantry_setting *s)
{
    struct gantry_value *value = value_in(v, s->key);
    char shown[32];
    for (size_t i = 0; i < ARRAY_LENGTH(odd_numbers); i++) {
        value->number = odd_numbers[i];
        if (s->type != GANTRY_TYPE_INTEGER && value->number < 0)
            continue;
        if (s->type == GANTRY_TYPE_BOOL && value->number > 1)
            continue;
        snprintf(shown, sizeof shown, "%" PRId64, value->number);
        KIT_CHECK(expect_open(kit, v, s->key, shown));
    }
    return KIT_OK;
}

static int
try_items(struct kit *kit, struct variant *v, const struct gantry_setting *s)
{
    struct gantry_value *value = value_in(v, s->key);
    KIT_CHECK(expect_open(kit, v, s->key, "nothing"));
    for (size_t i = 0; i < ARRAY_LENGTH(odd_items); i++) {
        if (s->type == GANTRY_TYPE_MAP && !strchr(odd_items[i], '='))
            continue;
        value->items = &odd_items[i];
        value->item_count = 1;
        KIT_CHECK(expect_open(kit, v, s->key, odd_items[i]));
    }
    return KIT_OK;
}

static int
try_odd_values(struct kit *kit, struct variant *v, const struct gantry_setting *s)
{
    size_t choices = 0;
    switch (s->type) {
    case GANTRY_TYPE_BOOL:
    case GANTRY_TYPE_INTEGER:
    case GANTRY_TYPE_DURATION:
    case GANTRY_TYPE_SIZE:
        return try_numbers(kit, v, s);
    case GANTRY_TYPE_NUMBER:
        return try_texts(kit, v, s->key, odd_decimals, ARRAY_LENGTH(odd_decimals));
    case GANTRY_TYPE_PATH:
        return try_texts(kit, v, s->key, odd_paths, ARRAY_LENGTH(odd_paths));
    case GANTRY_TYPE_CHOICE:
        while (s->choices[choices])
            choices++;
        return try_texts(kit, v, s->key, s->choices, choices);
    case GANTRY_TYPE_LIST:
    case GANTRY_TYPE_MAP:
        return try_items(kit, v, s);
    default:
        return try_texts(kit, v, s->key, odd_texts, ARRAY_LENGTH(odd_texts));
    }
}

int
kit_try_settings_odd_values_work_or_are_invalid(struct kit *kit)
{
    struct variant *v = arena_alloc(&kit->arena, sizeof *v);
    if (kit->table->setting_count == 0)
        return kit_not_offered(kit, "the plugin has no settings");
    for (uint32_t i = 0; v && i < kit->table->setting_count; i++) {
        if (!make_variant(kit, v, false))
            return kit_not_offered(kit, "there are too many settings");
        KIT_CHECK(try_odd_values(kit, v, &kit->table->settings[i]));
    }
    return v ? KIT_OK : kit_broken(kit, "the kit ran out of memory");
}
