/* program.c - settings that the program makes: they win over environment and file. */
#include "config_internal.h"

static bool
is_name(const char *text)
{
    size_t length = text ? strlen(text) : 0;
    return length > 0 && length <= DOCUMENT_MAX_NAME &&
           str_utf8_valid_length((struct str){text, length}) == length;
}

/* The section of an assignment; NULL: there is none, and why was told. */
static struct section *
section_of(struct config *config, const struct gantry_assignment *a, bool make)
{
    struct origin origin = {ORIGIN_PROGRAM, 0, NULL};
    enum section_kind kind;
    const char *name;
    if (!is_name(a->section) || !is_name(a->key)) {
        problem_add(config, &origin, NULL, NULL,
                    "assignment %zu names no section, or no key; write both, such as 'manager' and "
                    "'id'",
                    (size_t)(a - config->assignments) + 1);
        return NULL;
    }
    if (!section_recognise(config, &origin, a->section, &kind, &name))
        return NULL;
    struct section *section = section_find(config, kind, name);
    if (section || !make)
        return section;
    section = section_add(config, kind, name);
    if (section)
        section->from_program = true;
    return section;
}

void
program_make_sections(struct config *config)
{
    for (size_t i = 0; i < config->assignment_count; i++)
        (void)section_of(config, &config->assignments[i], true);
}

void
program_apply(struct config *config)
{
    struct origin origin = {ORIGIN_PROGRAM, 0, NULL};
    for (size_t i = 0; i < config->assignment_count; i++) {
        const struct gantry_assignment *a = &config->assignments[i];
        struct section *section = section_of(config, a, false);
        if (!section)
            continue; /* told before: the same is told once */
        const char *key = config_dup(config, str_of(a->key));
        struct str value = str_of(a->value);
        if (!a->value || str_utf8_valid_length(value) != value.len) {
            problem_add(config, &origin, section->title, key,
                        a->value ? "is not UTF-8; write it as UTF-8" : "has no value; give it one");
            continue;
        }
        const struct secret *held = config_hold(config, value);
        struct entry *entry = key ? entry_find(section, key) : NULL;
        if (!key || !held)
            return;
        if (entry && entry->origin.kind == ORIGIN_PROGRAM)
            entry_add_piece(config, entry, secret_bytes(held).ptr);
        else
            entry_set(config, section, key, secret_bytes(held).ptr, origin);
    }
}
