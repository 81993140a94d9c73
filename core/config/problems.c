/* problems.c - what is wrong with a configuration, collected in the order of the file. */
#include "config_internal.h"

#include "buf.h"
#include "err.h"

#define RANK_NO_LINE     (UINT64_C(1) << 32)
#define RANK_ENVIRONMENT (UINT64_C(1) << 33)
#define RANK_PROGRAM     (UINT64_C(1) << 34)
#define QUOTE_MAX        60
#define PROBLEMS_MAX     500 /* a file with more is no settings file */

static uint64_t
rank_of(const struct config *config, const struct origin *origin)
{
    if (origin->kind == ORIGIN_PROGRAM)
        return RANK_PROGRAM;
    if (origin->kind == ORIGIN_VARIABLE || origin->kind == ORIGIN_FOREIGN || !config->file)
        return RANK_ENVIRONMENT;
    return origin->line > 0 ? origin->line : RANK_NO_LINE;
}

static void
print_place(const struct config *config, struct buf *b, const struct origin *origin)
{
    if (origin->kind == ORIGIN_VARIABLE || origin->kind == ORIGIN_FOREIGN)
        buf_add_text(b, origin->variable);
    else if (origin->kind == ORIGIN_PROGRAM)
        buf_add_text(b, "program");
    else if (!config->file)
        buf_add_text(b, "environment");
    else if (origin->line > 0)
        buf_add_fmt(b, "%s:%u", config->file, (unsigned)origin->line);
    else
        buf_add_text(b, config->file);
}

PRINTF_LIKE(5, 0)
static const char *
print_problem(struct config *config, const struct origin *origin, const char *section,
              const char *key, const char *fmt, va_list args)
{
    AUTO_BUF struct buf b = BUF_INIT((size_t)1 << 16);
    AUTO_BUF struct buf text = BUF_INIT((size_t)1 << 16);
    print_place(config, &b, origin);
    buf_add_text(&b, ": ");
    if (section)
        buf_add_fmt(&b, key ? "[%s] " : "[%s]: ", section);
    if (key)
        buf_add_fmt(&b, "%s: ", key);
    buf_add_vfmt(&text, fmt, args);
    buf_add(&b, buf_view(&text));
    if (buf_failed(&b) || buf_failed(&text))
        return NULL;
    for (size_t i = 0; i < b.len; i++)
        if ((unsigned char)b.ptr[i] < 0x20 || b.ptr[i] == 0x7f)
            b.ptr[i] = ' ';
    return config_dup(config, buf_view(&b));
}

/* One section may be checked against several plugins: what is the same is told once. */
static bool
is_told(const struct problem *problems, size_t count, struct problem added)
{
    for (size_t i = 0; i < count; i++)
        if (problems[i].rank == added.rank && text_eq(problems[i].text, added.text))
            return true;
    return false;
}

/* Keep the order; among equals, the older first, but variables by name, as their order is chance.
 */
static void
insert(struct problem *problems, size_t count, struct problem added)
{
    size_t at = count;
    bool by_name = added.rank == RANK_ENVIRONMENT;
    while (at > 0 && (problems[at - 1].rank > added.rank ||
                      (by_name && problems[at - 1].rank == added.rank &&
                       strcmp(problems[at - 1].text, added.text) > 0))) {
        problems[at] = problems[at - 1];
        at--;
    }
    problems[at] = added;
}

void
problem_add(struct config *config, const struct origin *origin, const char *section,
            const char *key, const char *fmt, ...)
{
    if (config->problems.len > PROBLEMS_MAX)
        return;
    va_list args;
    va_start(args, fmt);
    const char *text = print_problem(config, origin, section, key, fmt, args);
    va_end(args);
    uint64_t rank = rank_of(config, origin);
    if (config->problems.len == PROBLEMS_MAX) {
        rank = UINT64_MAX;
        text = config_fmt(config, "%s: more than %d problems; correct these first",
                          config->file ? config->file : "environment", PROBLEMS_MAX);
    }
    struct problem added = {rank, text};
    if (text && is_told(config->problems.ptr, config->problems.len, added))
        return;
    struct problem *room = NULL;
    if (text)
        room = vec_push(&config->problems);
    if (!room)
        config->failed = true;
    else
        insert(config->problems.ptr, config->problems.len - 1, added);
}

void
warning_add(struct config *config, const struct origin *origin, const char *section,
            const char *key, const char *fmt, ...)
{
    if (config->warnings.len >= PROBLEMS_MAX)
        return;
    va_list args;
    va_start(args, fmt);
    const char *text = print_problem(config, origin, section, key, fmt, args);
    va_end(args);
    struct problem added = {rank_of(config, origin), text};
    if (text && is_told(config->warnings.ptr, config->warnings.len, added))
        return;
    struct problem *room = NULL;
    if (text)
        room = vec_push(&config->warnings);
    if (!room)
        config->failed = true;
    else
        insert(config->warnings.ptr, config->warnings.len - 1, added);
}

struct origin
section_origin(const struct section *section)
{
    if (section->from_program)
        return (struct origin){ORIGIN_PROGRAM, 0, NULL};
    if (section->from_environment)
        return (struct origin){ORIGIN_VARIABLE, 0, "environment"};
    return (struct origin){ORIGIN_FILE, section->line, NULL};
}

const char *
text_without_user(struct config *config, const char *text)
{
    const char *scheme = strstr(text, "://");
    if (!scheme)
        return text;
    size_t authority = strcspn(scheme + 3, "/?#");
    const char *at = memrchr(scheme + 3, '@', authority);
    if (!at)
        return text;
    return config_fmt(config, "%.*s****%s", (int)(scheme + 3 - text), text, at);
}

const char *
problem_quote(struct config *config, const char *text)
{
    const char *shown = text_without_user(config, text);
    size_t len = shown ? strlen(shown) : 0;
    if (len <= QUOTE_MAX)
        return shown ? shown : "";
    size_t cut = QUOTE_MAX;
    while (cut > 0 && ((unsigned char)shown[cut] & 0xc0) == 0x80)
        cut--;
    shown = config_fmt(config, "%.*s...", (int)cut, shown);
    return shown ? shown : "";
}

size_t
config_problem_count(const struct config *config)
{
    return config->problems.len;
}

const char *
config_problem(const struct config *config, size_t i)
{
    return config->problems.ptr[i].text;
}

int
config_judge(const struct config *config, struct gantry_error **err)
{
    size_t n = config_problem_count(config);
    if (n == 0)
        return 0;
    if (!err)
        return GANTRY_E_INVALID;
    struct gantry_error **slot = err;
    for (size_t i = 0; i < n; i++) {
        (void)err_set(slot, GANTRY_E_INVALID, "%s", config_problem(config, i));
        if ((*slot)->code == GANTRY_E_NOMEM)
            break; /* a static object: nothing can hang on it */
        slot = &(*slot)->cause;
    }
    return GANTRY_E_INVALID;
}

size_t
config_warning_count(const struct config *config)
{
    return config->warnings.len;
}

const char *
config_warning(const struct config *config, size_t i)
{
    return config->warnings.ptr[i].text;
}

int
config_add_problem(struct config *config, const char *title, const char *key, const char *text)
{
    struct origin origin = {ORIGIN_FILE, 0, NULL};
    for (struct section *section = config->sections; section; section = section->next) {
        if (!text_eq(section->title, title))
            continue;
        struct entry *entry = key ? entry_find(section, key) : NULL;
        struct typed *typed = key ? typed_find(section, key) : NULL;
        origin = entry ? entry->origin : section_origin(section);
        if (!entry && typed && typed->origin.kind == ORIGIN_FOREIGN)
            origin = typed->origin;
        break;
    }
    problem_add(config, &origin, title, key, "%s", text);
    return config->failed ? GANTRY_E_NOMEM : 0;
}
