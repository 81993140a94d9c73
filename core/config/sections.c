/* sections.c - the tree of what was written: sections and their entries, before any type is known.
 */
#include "config_internal.h"

struct kind_row {
    const char *word;
    enum section_kind kind;
    bool named;
    const char *name_word; /* what NAME is, for messages */
    const char *example;
};

static const struct kind_row kinds[] = {
    {"manager", SECTION_MANAGER, false, NULL, NULL},
    {"log", SECTION_LOG, false, NULL, NULL},
    {"platform", SECTION_PLATFORM, true, "NAME", "opencti"},
    {"backend", SECTION_BACKEND, true, "NAME", "docker"},
    {"registry", SECTION_REGISTRY, true, "HOST", "registry.example.org"},
    {"connector", SECTION_CONNECTOR, true, "NAME", "mitre"},
};

/* Sections of features that are not built yet: refused, never ignored. */
static const char *const later[] = {"http", "control"};

static void
unknown_kind(struct config *config, const struct origin *origin, const char *title,
             const char *word)
{
    const char *words[ARRAY_LENGTH(kinds)];
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        words[i] = kinds[i].word;
    const char *near = text_nearest(word, words, ARRAY_LENGTH(words));
    if (near)
        problem_add(config, origin, title, NULL, "unknown section; did you mean [%s%s]?", near,
                    strchr(title, ' ') ? strchr(title, ' ') : "");
    else
        problem_add(
            config, origin, title, NULL,
            "unknown section; write manager, log, platform NAME, backend NAME, registry HOST or "
            "connector NAME");
}

/* The names of platforms and backends are words of labels and of other keys' values. */
static bool
name_is_plain(const char *name)
{
    for (; *name; name++)
        if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
              (*name >= '0' && *name <= '9') || strchr("_.-", *name)))
            return false;
    return true;
}

static bool
check_name(struct config *config, const struct origin *origin, const char *title,
           const struct kind_row *row, const char *name)
{
    if (!row->named && *name)
        problem_add(config, origin, title, NULL, "takes no name; write [%s]", row->word);
    else if (row->named && !*name)
        problem_add(config, origin, title, NULL, "needs a name; write [%s %s], such as [%s %s]",
                    row->word, row->name_word, row->word, row->example);
    else if ((row->kind == SECTION_PLATFORM || row->kind == SECTION_BACKEND) &&
             !name_is_plain(name))
        problem_add(config, origin, title, NULL,
                    "'%s' is no name; write letters, digits, '_', '.' and '-'",
                    problem_quote(config, name));
    else if (row->kind == SECTION_REGISTRY && strpbrk(name, " /@"))
        problem_add(config, origin, title, NULL,
                    "'%s' is no registry; write its host, and its port if it has one, such as "
                    "registry.example.org:5000",
                    problem_quote(config, name));
    else
        return true;
    return false;
}

bool
section_recognise(struct config *config, const struct origin *origin, const char *title,
                  enum section_kind *kind, const char **name)
{
    struct str rest, first = str_cut(str_of(title), ' ', &rest);
    const char *word = config_dup(config, first);
    const char *named = config_dup(config, rest.ptr ? rest : STR(""));
    if (!word || !named)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(later); i++) {
        if (!text_eq(word, later[i]))
            continue;
        problem_add(config, origin, title, NULL, "is not available in this version; remove it");
        return false;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (!text_eq(word, kinds[i].word))
            continue;
        *kind = kinds[i].kind;
        *name = named;
        return check_name(config, origin, title, &kinds[i], named);
    }
    if (text_eq(word, config->own_section) && !*named) {
        *kind = SECTION_OWN;
        *name = named;
        return true;
    }
    unknown_kind(config, origin, title, word);
    return false;
}

struct section *
section_find(const struct config *config, enum section_kind kind, const char *name)
{
    for (struct section *s = config->sections; s; s = s->next)
        if (s->kind == kind && text_eq(s->name, name))
            return s;
    return NULL;
}

struct section *
section_at(const struct config *config, enum section_kind kind, size_t index)
{
    for (struct section *s = config->sections; s; s = s->next)
        if (s->kind == kind && s->index == index)
            return s;
    return NULL;
}

size_t
section_count(const struct config *config, enum section_kind kind)
{
    size_t n = 0;
    for (struct section *s = config->sections; s; s = s->next)
        n += s->kind == kind;
    return n;
}

struct section *
section_add(struct config *config, enum section_kind kind, const char *name)
{
    const char *word = kind == SECTION_OWN ? config->own_section : kinds[0].word;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (kinds[i].kind == kind)
            word = kinds[i].word;
    struct section *section = config_alloc(config, sizeof *section);
    const char *title = config_fmt(config, *name ? "%s %s" : "%s", word, name);
    if (!section || !title)
        return NULL;
    section->kind = kind;
    section->title = title;
    section->name = name;
    section->index = section_count(config, kind);
    if (config->last_section)
        config->last_section->next = section;
    else
        config->sections = section;
    config->last_section = section;
    return section;
}

struct entry *
entry_find(const struct section *section, const char *key)
{
    for (struct entry *e = section->entries; e; e = e->next)
        if (text_eq(e->key, key))
            return e;
    return NULL;
}

static struct entry *
entry_add(struct config *config, struct section *section, const char *key, struct origin origin)
{
    struct entry *entry = config_alloc(config, sizeof *entry);
    if (!entry)
        return NULL;
    entry->key = key;
    entry->origin = origin;
    if (section->last)
        section->last->next = entry;
    else
        section->entries = entry;
    section->last = entry;
    return entry;
}

void
entry_add_piece(struct config *config, struct entry *entry, const char *text)
{
    struct piece *piece = config_alloc(config, sizeof *piece);
    if (!piece)
        return;
    piece->text = text;
    if (entry->last)
        entry->last->next = piece;
    else
        entry->pieces = piece;
    entry->last = piece;
}

struct entry *
entry_set(struct config *config, struct section *section, const char *key, const char *text,
          struct origin origin)
{
    struct entry *entry = entry_find(section, key);
    if (!entry)
        entry = entry_add(config, section, key, origin);
    if (!entry)
        return NULL;
    entry->origin = origin;
    entry->pieces = entry->last = NULL;
    if (text)
        entry_add_piece(config, entry, text);
    return entry;
}

/* A key that comes again adds its lines; whether that is allowed is for its type to say. */
static void
add_key(struct config *config, struct section *section, const struct document_key *key)
{
    struct entry *entry = entry_find(section, key->name);
    if (!entry)
        entry =
            entry_add(config, section, key->name, (struct origin){ORIGIN_FILE, key->line, NULL});
    if (!entry)
        return;
    if (entry->last)
        entry->last->next = key->pieces;
    else
        entry->pieces = key->pieces;
    entry->last = key->last;
}

void
sections_from_document(struct config *config, const struct document *document)
{
    for (const struct document_problem *p = document->problems; p; p = p->next) {
        struct origin origin = {ORIGIN_FILE, p->line, NULL};
        problem_add(config, &origin, p->section, p->key, "%s", p->text);
    }
    for (const struct document_section *d = document->sections; d; d = d->next) {
        struct origin origin = {ORIGIN_FILE, d->line, NULL};
        enum section_kind kind;
        const char *name;
        if (!section_recognise(config, &origin, d->title, &kind, &name))
            continue;
        struct section *section = section_find(config, kind, name);
        if (!section)
            section = section_add(config, kind, name);
        if (!section)
            return;
        if (section->line == 0)
            section->line = d->line;
        for (const struct document_key *key = d->keys; key; key = key->next)
            add_key(config, section, key);
    }
}
