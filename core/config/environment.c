/* environment.c - GANTRY__SECTION__KEY: what stands in the environment wins over the file. */
#include "config_internal.h"

#define PREFIX "GANTRY__"

static char
form(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - ('a' - 'A'));
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
}

const char *
environment_form(struct config *config, const char *title)
{
    size_t n = strlen(title);
    char *text = config_alloc(config, n + 1);
    for (size_t i = 0; text && i < n; i++)
        text[i] = form(title[i]);
    return text;
}

bool
environment_same(const char *a, const char *b)
{
    while (*a && form(*a) == form(*b)) {
        a++;
        b++;
    }
    return !*a && !*b;
}

static const char *
lower(struct config *config, struct str s)
{
    char *text = config_alloc(config, s.len + 1);
    for (size_t i = 0; text && i < s.len; i++)
        text[i] = s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? (char)(s.ptr[i] + ('a' - 'A')) : s.ptr[i];
    return text;
}

/* Where "__" separates section and key: the last place, as no key holds it. */
static size_t
separator(struct str s)
{
    for (size_t i = s.len; i-- > 1;)
        if (s.ptr[i] == '_' && s.ptr[i - 1] == '_')
            return i - 1;
    return s.len;
}

/* The section of the file that a name's beginning stands for.  Two of them: a problem. */
static struct section *
find_section(struct config *config, const struct origin *origin, struct str name, bool *ambiguous)
{
    struct section *found = NULL;
    *ambiguous = false;
    for (struct section *s = config->sections; s; s = s->next) {
        const char *text = environment_form(config, s->title);
        if (!text || !str_eq(name, str_of(text)))
            continue;
        if (found) {
            problem_add(config, origin, NULL, NULL,
                        "may mean [%s] or [%s]; rename one of them, or set the key in the file",
                        found->title, s->title);
            *ambiguous = true;
            return NULL;
        }
        found = s;
    }
    return found;
}

/* A section that stands in the environment alone. */
static struct section *
make_section(struct config *config, const struct origin *origin, struct str name)
{
    struct str rest, first = str_cut(name, '_', &rest);
    const char *word = lower(config, first);
    const char *named = lower(config, rest);
    if (!word || !named)
        return NULL;
    const char *title = config_fmt(config, *named ? "%s %s" : "%s", word, named);
    enum section_kind kind;
    if (!title || !section_recognise(config, origin, title, &kind, &named))
        return NULL;
    struct section *section = section_add(config, kind, named);
    if (section)
        section->from_environment = true;
    return section;
}

static const char *
find_key(struct config *config, const struct section *section, struct str key)
{
    const char *text = lower(config, key);
    for (const struct entry *e = section->entries; text && e; e = e->next)
        if (environment_same(e->key, text))
            return e->key;
    return text;
}

static void
apply(struct config *config, const char *variable, struct str name, const char *value)
{
    struct origin origin = {ORIGIN_VARIABLE, 0, variable};
    size_t at = separator(name);
    struct str section_name = {name.ptr, at};
    struct str key_name =
        at < name.len ? (struct str){name.ptr + at + 2, name.len - at - 2} : STR_NONE;
    if (section_name.len == 0 || key_name.len == 0 || name.len > (size_t)2 * DOCUMENT_MAX_NAME) {
        problem_add(config, &origin, NULL, NULL,
                    "names no key; write GANTRY__SECTION__KEY, such as GANTRY__MANAGER__ID");
        return;
    }
    bool ambiguous;
    struct section *section = find_section(config, &origin, section_name, &ambiguous);
    if (!section && !ambiguous)
        section = make_section(config, &origin, section_name);
    if (!section)
        return;
    const char *key = find_key(config, section, key_name);
    struct entry *entry = key ? entry_find(section, key) : NULL;
    if (entry && entry->origin.kind == ORIGIN_VARIABLE)
        return; /* the variable twice: the first counts, as for getenv() */
    size_t length = strlen(value);
    if (str_utf8_valid_length((struct str){value, length}) != length) {
        problem_add(config, &origin, section->title, key, "is not UTF-8; write it as UTF-8");
        return;
    }
    const struct secret *held = config_hold(config, str_of(value));
    if (key && held)
        entry_set(config, section, key, secret_bytes(held).ptr, origin);
}

void
environment_apply(struct config *config)
{
    for (char *const *it = config->environment; it && *it; it++) {
        struct str rest, name = str_cut(str_of(*it), '=', &rest);
        if (!rest.ptr || !str_starts_with(name, STR(PREFIX)))
            continue;
        const char *variable = config_dup(config, name);
        if (!variable)
            return;
        struct str words = str_of(variable + sizeof PREFIX - 1);
        apply(config, variable, words, rest.ptr);
    }
}
