/* typed.c - an entry becomes a value of its type, or a problem that says what to write. */
#include "config_internal.h"

#include "notation.h"

#define PEM_BEGIN "-----BEGIN "

/* What is being read, for messages. */
struct reading {
    struct config *config;
    struct section *section;
    const struct entry *entry;
    const struct rule *rule;
    struct typed *typed;
};

#define FAIL(r, ...)                                                                               \
    (problem_add((r)->config, &(r)->entry->origin, (r)->section->title, (r)->rule->key,            \
                 __VA_ARGS__),                                                                     \
     false)

/* Words of features that are not built yet: refused, but known. */
static const struct {
    const char *key, *word;
} later[] = {{"kind", "connect"}, {"kind", "openaev"}, {"isolation", "process"}};

const char *
path_absolute(struct config *config, const char *text, const struct origin *origin)
{
    if (*text == '/')
        return text;
    /* Another program's variable knows nothing of our settings file, nor does the program itself. */
    bool stranger = origin->kind == ORIGIN_FOREIGN || origin->kind == ORIGIN_PROGRAM;
    const char *base = stranger ? config->working : config->folder;
    while (strncmp(text, "./", 2) == 0)
        text += 2;
    return config_fmt(config, text_eq(base, "/") ? "%s%s" : "%s/%s", base, text);
}

struct typed *
typed_find(const struct section *section, const char *key)
{
    for (struct typed *t = section->values; t; t = t->next)
        if (text_eq(t->key, key))
            return t;
    return NULL;
}

static bool
read_bool(struct reading *r, const char *text)
{
    bool value;
    if (!value_parse_bool(str_of(text), r->entry->origin.kind == ORIGIN_FOREIGN, &value))
        return FAIL(r, "'%s' is neither yes nor no; write yes or no",
                    problem_quote(r->config, text));
    r->typed->value.number = value;
    return true;
}

static bool
has_limits(const struct rule *rule)
{
    return rule->min != 0 || rule->max != 0;
}

static bool
check_range(struct reading *r, const char *text, void (*print)(struct buf *, int64_t))
{
    const struct rule *rule = r->rule;
    int64_t value = r->typed->value.number;
    if (!has_limits(rule) || (value >= rule->min && value <= rule->max))
        return true;
    AUTO_BUF struct buf min = BUF_INIT(64), max = BUF_INIT(64);
    print(&min, rule->min);
    print(&max, rule->max);
    r->config->failed = r->config->failed || buf_failed(&min) || buf_failed(&max);
    return FAIL(r, "%s is out of range; write %s to %s", problem_quote(r->config, text),
                buf_text(&min), buf_text(&max));
}

static void
print_integer(struct buf *b, int64_t value)
{
    buf_add_fmt(b, "%lld", (long long)value);
}

static bool
read_integer(struct reading *r, const char *text)
{
    if (!str_to_int64(str_of(text), &r->typed->value.number)) {
        if (!has_limits(r->rule))
            return FAIL(r, "'%s' is no whole number; write one such as 8",
                        problem_quote(r->config, text));
        return FAIL(r, "'%s' is no whole number; write %lld to %lld",
                    problem_quote(r->config, text), (long long)r->rule->min,
                    (long long)r->rule->max);
    }
    return check_range(r, text, print_integer);
}

static bool
is_bare_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool
read_duration(struct reading *r, const char *text)
{
    char guess[64];
    if (value_parse_duration(str_of(text), &r->typed->value.number))
        return check_range(r, text, value_print_duration);
    const char *quoted = problem_quote(r->config, text);
    bool guessed = value_guess_duration(str_of(text), r->rule->unit ? r->rule->unit : "s", guess,
                                        sizeof guess);
    if (guessed && is_bare_number(text))
        return FAIL(r, "'%s' has no unit; write %s if that is meant", quoted, guess);
    if (guessed)
        return FAIL(r, "'%s' is no duration; write %s", quoted, guess);
    return FAIL(r, "'%s' is no duration; write one such as 500ms, 10s, 5m, 2h or 1h30m", quoted);
}

static bool
read_size(struct reading *r, const char *text)
{
    char guess[64];
    if (value_parse_size(str_of(text), r->entry->origin.kind == ORIGIN_FOREIGN,
                         &r->typed->value.number))
        return check_range(r, text, value_print_size);
    const char *quoted = problem_quote(r->config, text);
    bool guessed = value_guess_size(str_of(text), guess, sizeof guess);
    if (guessed && is_bare_number(text))
        return FAIL(r, "'%s' has no unit; write %s if that is meant", quoted, guess);
    if (guessed)
        return FAIL(r, "'%s' is no size; write %s", quoted, guess);
    return FAIL(r, "'%s' is no size; write one such as 512KiB, 64MiB, 1GiB or 10MB", quoted);
}

/* "one, two or three", for a message. */
static const char *
list_choices(struct config *config, const char *const *choices, size_t n)
{
    AUTO_BUF struct buf list = BUF_INIT(4096);
    for (size_t i = 0; i < n; i++)
        buf_add_fmt(&list, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", choices[i]);
    config->failed = config->failed || buf_failed(&list) == GANTRY_E_NOMEM;
    const char *text = config_dup(config, buf_view(&list));
    return text ? text : "";
}

static bool
read_choice(struct reading *r, const char *text)
{
    const char *const *choices = r->rule->choices;
    size_t n = 0;
    for (; choices && choices[n]; n++) {
        bool same = r->entry->origin.kind == ORIGIN_FOREIGN
                        ? str_eq_nocase(str_of(text), str_of(choices[n]))
                        : text_eq(text, choices[n]);
        if (same) {
            r->typed->value.text = choices[n];
            return true;
        }
    }
    const char *list = list_choices(r->config, choices, n);
    for (size_t i = 0; i < ARRAY_LENGTH(later); i++)
        if (text_eq(later[i].key, r->rule->key) && text_eq(later[i].word, text))
            return FAIL(r, "'%s' is not available in this version; write %s", text, list);
    const char *near = strlen(text) <= DOCUMENT_MAX_NAME ? text_nearest(text, choices, n) : NULL;
    if (near)
        return FAIL(r, "'%s' is not known; write %s (did you mean '%s'?)",
                    problem_quote(r->config, text), list, near);
    return FAIL(r, "'%s' is not known; write %s", problem_quote(r->config, text), list);
}

static bool
read_url(struct reading *r, const char *text)
{
    const char *host = strncmp(text, "http://", 7) == 0    ? text + 7
                       : strncmp(text, "https://", 8) == 0 ? text + 8
                                                           : NULL;
    if (!host)
        return FAIL(r, "'%s' is no address; write http:// or https:// and the host",
                    problem_quote(r->config, text));
    size_t authority = strcspn(host, "/?#");
    if (memchr(host, '@', authority))
        return FAIL(r, "the address holds a user or password; remove what stands before '@'");
    if (authority == 0 || *host == ':' || strpbrk(host, " \t\"<>\\^`{|}?#"))
        return FAIL(r, "'%s' is no address; write it as https://HOST/PATH",
                    problem_quote(r->config, text));
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '/')
        length--;
    r->typed->value.text = config_dup(r->config, (struct str){text, length});
    return r->typed->value.text != NULL;
}

static bool
read_path(struct reading *r, const char *text)
{
    const char *absolute = path_absolute(r->config, text, &r->entry->origin);
    if (absolute && (strncmp(text, "~/", 2) == 0 || text_eq(text, "~")))
        warning_add(r->config, &r->entry->origin, r->section->title, r->rule->key,
                    "'~' is not the home folder here: this is '%s'; write the whole path",
                    absolute);
    r->typed->value.text = absolute;
    return absolute != NULL;
}

/* A PEM text may be written over indented lines; it is the only value that holds line breaks. */
static const char *
join_pem(struct reading *r)
{
    size_t size = 1;
    for (const struct piece *p = r->entry->pieces; p; p = p->next)
        size += strlen(p->text) + 1;
    AUTO_SECRET struct secret joined = {NULL, 0};
    char *text = malloc(size);
    if (!text) {
        r->config->failed = true;
        return NULL;
    }
    size_t at = 0;
    for (const struct piece *p = r->entry->pieces; p; p = p->next) {
        size_t length = strlen(p->text);
        memcpy(text + at, p->text, length);
        at += length;
        text[at++] = '\n';
    }
    text[at] = '\0';
    secret_adopt(&joined, text, at);
    const struct secret *held = config_hold(r->config, secret_bytes(&joined));
    return held ? secret_bytes(held).ptr : NULL;
}

static bool
read_secret(struct reading *r, const char *text)
{
    if (r->entry->pieces->next && !(text = join_pem(r)))
        return false;
    r->typed->secret = secret_resolve(r->config, r->section, r->entry, text, &r->typed->note);
    if (!r->typed->secret)
        return false;
    r->typed->value.text = secret_bytes(r->typed->secret).ptr;
    return true;
}

static bool
read_scalar(struct reading *r, const char *text)
{
    switch (r->rule->type) {
    case GANTRY_TYPE_BOOL:
        return read_bool(r, text);
    case GANTRY_TYPE_INTEGER:
        return read_integer(r, text);
    case GANTRY_TYPE_DURATION:
        return read_duration(r, text);
    case GANTRY_TYPE_SIZE:
        return read_size(r, text);
    case GANTRY_TYPE_CHOICE:
        return read_choice(r, text);
    case GANTRY_TYPE_PATH:
        return read_path(r, text);
    case GANTRY_TYPE_SECRET:
        return read_secret(r, text);
    case GANTRY_TYPE_NUMBER:
        r->typed->value.text = text;
        return value_is_number(str_of(text)) ||
               FAIL(r, "'%s' is no number; write one such as 2 or 0.5",
                    problem_quote(r->config, text));
    case GANTRY_TYPE_STRING:
        r->typed->value.text = text;
        return r->rule->flags & SETTING_URL ? read_url(r, text) : true;
    default:
        return FAIL(r, "its type is unknown to this version; use a plugin that was made for it");
    }
}

/* Values that take one line: given once, not continued. */
static bool
check_single(struct reading *r)
{
    const struct piece *first = r->entry->pieces;
    bool pem = r->rule->type == GANTRY_TYPE_SECRET &&
               strncmp(first->text, PEM_BEGIN, sizeof PEM_BEGIN - 1) == 0;
    bool single = true;
    for (const struct piece *p = first->next; p; p = p->next) {
        struct origin origin = r->entry->origin;
        origin.line = p->line;
        if (p->indented && pem)
            continue;
        single = false;
        if (origin.kind != ORIGIN_FILE)
            return FAIL(r, "takes one value, and has several; give one");
        problem_add(r->config, &origin, r->section->title, r->rule->key,
                    p->indented
                        ? "this indented line would continue the value of line %u, which takes "
                          "one line; remove the blanks before it"
                        : "is given twice, first in line %u; remove one of them",
                    (unsigned)first->line);
    }
    return single;
}

static bool
read_single(struct reading *r)
{
    if (!check_single(r))
        return false;
    const char *text = r->entry->pieces->text;
    if (r->rule->type != GANTRY_TYPE_SECRET) {
        struct str trimmed = str_trim(str_of(text));
        if (trimmed.len != strlen(text))
            text = config_dup(r->config, trimmed);
        if (!text)
            return false;
    }
    bool may_be_empty = r->rule->type == GANTRY_TYPE_STRING &&
                        !(r->rule->flags & (SETTING_NOT_EMPTY | SETTING_URL));
    if (!*text && !may_be_empty)
        return FAIL(r, "is empty; give it a value, or remove it");
    return read_scalar(r, text);
}

static struct typed *
read_entry(struct config *config, struct section *section, const struct entry *entry,
           const struct rule *rule)
{
    struct typed *typed = config_alloc(config, sizeof *typed);
    if (!typed || !entry->pieces)
        return NULL; /* without a line: its problem was told */
    typed->key = rule->key;
    typed->type = rule->type;
    typed->flags = rule->flags;
    typed->restart = rule->restart;
    typed->origin = entry->origin;
    typed->value.size = (uint32_t)sizeof typed->value;
    typed->value.given = entry->origin.kind != ORIGIN_DEFAULT;
    typed->value.key = rule->key;
    typed->value.text = "";
    struct reading r = {config, section, entry, rule, typed};
    bool is_list = rule->type == GANTRY_TYPE_LIST || rule->type == GANTRY_TYPE_MAP;
    return (is_list ? typed_read_items(config, section, entry, rule, typed) : read_single(&r))
               ? typed
               : NULL;
}

static struct typed *
keep(struct section *section, struct typed *typed)
{
    if (!typed)
        return NULL;
    if (section->last_value)
        section->last_value->next = typed;
    else
        section->values = typed;
    section->last_value = typed;
    return typed;
}

struct typed *
typed_from_entry(struct config *config, struct section *section, struct entry *entry,
                 const struct rule *rule)
{
    entry->used = true;
    return keep(section, read_entry(config, section, entry, rule));
}

struct typed *
typed_from_text(struct config *config, struct section *section, const char *text,
                struct origin origin, const struct rule *rule)
{
    struct piece piece = {.text = text};
    struct entry entry = {.key = rule->key, .origin = origin, .pieces = &piece, .last = &piece};
    entry.literal = origin.kind == ORIGIN_FOREIGN; /* only Gantry's own have references */
    return keep(section, read_entry(config, section, &entry, rule));
}
