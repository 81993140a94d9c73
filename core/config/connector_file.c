/* connector_file.c - a file of the local platform: NAME.ini, one connector. */
#include "config_internal.h"

#include "buf.h"
#include "err.h"

#define TEXT_MAX ((size_t)64 << 10)

struct reading {
    const char *path;
    char *const *environment;
    struct arena *arena;
    struct config_connector *out;
    struct config_connector_entry *entries;
    size_t count;
    const char *requested;
    struct buf problems;
    bool failed;
};

static void problem(struct reading *r, uint32_t line, const char *section, const char *key,
                    const char *fmt, ...) PRINTF_LIKE(5, 6);

static void
problem(struct reading *r, uint32_t line, const char *section, const char *key, const char *fmt,
        ...)
{
    if (r->problems.len > TEXT_MAX / 2)
        return; /* the error's text ends long before */
    va_list args;
    va_start(args, fmt);
    buf_add_fmt(&r->problems, "%s%s", r->problems.len > 0 ? "; " : "", r->path);
    if (line > 0)
        buf_add_fmt(&r->problems, ":%u", (unsigned)line);
    buf_add_text(&r->problems, ": ");
    if (section)
        buf_add_fmt(&r->problems, key ? "[%s] %s: " : "[%s]: ", section, key);
    buf_add_vfmt(&r->problems, fmt, args);
    va_end(args);
}

/* NAME of FOLDER/NAME.ini. */
static const char *
name_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str name = str_of(slash ? slash + 1 : path);
    if (str_ends_with(name, STR(".ini")))
        name.len -= 4;
    return arena_dup(arena, name);
}

static bool
is_plain(const char *text, size_t max)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7f)
            return false;
    return length > 0 && length <= max;
}

/* The one line of a value, or NULL, having told why. */
static const char *
single(struct reading *r, const struct document_section *section, const struct document_key *key)
{
    const struct piece *second = key->pieces->next;
    if (!second)
        return key->pieces->text;
    problem(
        r, second->line, section->title, key->name,
        "this indented line would continue the value of line %u, which takes one line; remove the "
        "blanks before it",
        (unsigned)key->line);
    return NULL;
}

/* Was the key given before, in this section or in another of its title? */
static bool
is_repeated(const struct document *document, const struct document_key *key, const char *title)
{
    for (const struct document_section *s = document->sections; s; s = s->next)
        for (const struct document_key *k = s->keys; text_eq(s->title, title) && k; k = k->next) {
            if (k == key)
                return false;
            if (text_eq(k->name, key->name))
                return true;
        }
    return false;
}

static void
read_connector_key(struct reading *r, const struct document_section *section,
                   const struct document_key *key)
{
    static const char *const keys[] = {"image", "requested", "id"};
    const char *value = single(r, section, key);
    const char *near = text_nearest(key->name, keys, ARRAY_LENGTH(keys));
    if (!value)
        return;
    if (text_eq(key->name, "image")) {
        r->out->image = value;
        if (!is_plain(value, 1024))
            problem(r, key->line, section->title, key->name,
                    "is no image; write it without blanks, such as opencti/connector-mitre:6.8.0");
    } else if (text_eq(key->name, "id")) {
        r->out->id = value;
        if (!is_plain(value, DOCUMENT_MAX_NAME))
            problem(r, key->line, section->title, key->name,
                    "must be 1 to 255 printable ASCII characters without blanks");
    } else if (text_eq(key->name, "requested")) {
        r->requested = value;
        if (!text_eq(value, "starting") && !text_eq(value, "stopping"))
            problem(r, key->line, section->title, key->name,
                    "is not known; write starting or stopping");
    } else if (near) {
        problem(r, key->line, section->title, key->name, "unknown key; did you mean '%s'?", near);
    } else {
        problem(r, key->line, section->title, key->name,
                "unknown key; variables belong into [environment]");
    }
}

static void
add_entry(struct reading *r, const struct document_section *section, const struct document_key *key,
          const char *value, bool secret)
{
    for (size_t i = 0; i < r->count; i++) {
        if (!text_eq(r->entries[i].key, key->name))
            continue;
        problem(r, key->line, section->title, key->name, "is given twice; remove one of them");
        return;
    }
    r->entries[r->count++] = (struct config_connector_entry){key->name, value, secret};
}

/* A reference's file is relative to the folder of this one. */
static const char *
reference_path(struct reading *r, const char *text)
{
    const char *slash = strrchr(r->path, '/');
    if (*text == '/' || !slash)
        return text;
    const char *path = arena_fmt(r->arena, "%.*s/%s", (int)(slash - r->path), r->path, text);
    r->failed = r->failed || !path;
    return path;
}

static const char *
read_reference(struct reading *r, const struct document_section *section,
               const struct document_key *key, const char *text)
{
    bool is_file = strncmp(text, "file:", 5) == 0;
    if (!secret_is_reference(text) || !strchr(text, ':')[1]) {
        problem(r, key->line, section->title, key->name,
                "must be file:PATH or env:NAME; a value itself belongs into [environment]");
        return NULL;
    }
    const char *path = is_file ? reference_path(r, text + 5) : NULL;
    if (is_file && !path)
        return NULL;
    AUTO_SECRET struct secret secret = {NULL, 0};
    AUTO_ERR struct gantry_error *error = NULL;
    int rc = secret_read(path, is_file ? NULL : text + 4, r->environment, &secret, &error);
    if (rc == GANTRY_E_NOMEM) {
        r->failed = true;
    } else if (rc < 0) {
        problem(r, key->line, section->title, key->name, "%s", err_text(error));
    } else {
        const char *value = arena_dup(r->arena, secret_bytes(&secret));
        r->failed = r->failed || !value;
        return value;
    }
    return NULL;
}

static void
read_variable(struct reading *r, const struct document_section *section,
              const struct document_key *key)
{
    bool literal = text_eq(section->title, "environment");
    if (key->separator == ':') {
        problem(r, key->line, section->title, key->name,
                "':' cannot stand in a name or after it; write NAME = VALUE");
        return;
    }
    if (strpbrk(key->name, " \t")) {
        problem(r, key->line, section->title, key->name,
                "a name holds no blanks; write NAME = VALUE");
        return;
    }
    const char *value = key->pieces->text;
    if (key->pieces->next) {
        problem(r, key->pieces->next->line, section->title, key->name,
                "a value takes one line; put this one into a file, and write '%s = file:PATH' into "
                "[environment_from]",
                key->name);
        return;
    }
    if (!literal)
        value = read_reference(r, section, key, value);
    if (value)
        add_entry(r, section, key, value, !literal);
}

static void
read_problems(struct reading *r, const struct document *document)
{
    for (const struct document_problem *p = document->problems; p; p = p->next)
        problem(r, p->line, p->section, p->key, "%s",
                p->comment
                    ? "' ;' would begin a comment and cut the value; put a comment on a line of "
                      "its own, and such a value into a file for [environment_from]"
                    : p->text);
}

static void
read_section(struct reading *r, const struct document *document,
             const struct document_section *section)
{
    static const char *const titles[] = {"connector", "environment", "environment_from"};
    const char *near = text_nearest(section->title, titles, ARRAY_LENGTH(titles));
    bool is_connector = text_eq(section->title, "connector");
    if (!is_connector && !text_eq(section->title, "environment") &&
        !text_eq(section->title, "environment_from")) {
        if (near)
            problem(r, section->line, section->title, NULL, "unknown section; did you mean [%s]?",
                    near);
        else
            problem(r, section->line, section->title, NULL,
                    "unknown section; write [connector], [environment] or [environment_from]");
        return;
    }
    for (const struct document_key *key = section->keys; key; key = key->next) {
        if (!is_connector)
            read_variable(r, section, key);
        else if (is_repeated(document, key, section->title))
            problem(r, key->line, section->title, key->name, "is given twice; remove one of them");
        else
            read_connector_key(r, section, key);
    }
}

static int
read_document(struct reading *r, const struct document *document, struct gantry_error **err)
{
    size_t keys = 1;
    for (const struct document_section *s = document->sections; s; s = s->next)
        for (const struct document_key *key = s->keys; key; key = key->next)
            keys++;
    r->entries = arena_alloc_array(r->arena, keys, sizeof *r->entries);
    r->out->name = name_of(r->arena, r->path);
    r->out->id = r->out->name;
    if (!r->entries || !r->out->name)
        return err_nomem(err);
    read_problems(r, document);
    for (const struct document_section *s = document->sections; s; s = s->next)
        read_section(r, document, s);
    if (!r->out->image && r->problems.len == 0)
        problem(r, 0, "connector", "image", "is missing; add 'image = NAME:TAG'");
    if (r->out->id == r->out->name && !is_plain(r->out->name, DOCUMENT_MAX_NAME))
        problem(r, 0, "connector", "id",
                "is missing, and the file's name is none; add 'id = ID' without blanks");
    if (r->failed || r->problems.failed == GANTRY_E_NOMEM)
        return err_nomem(err);
    if (r->problems.len > 0)
        return err_set(err, GANTRY_E_INVALID, "%s", buf_text(&r->problems));
    r->out->wanted = !text_eq(r->requested, "stopping");
    r->out->entries = r->entries;
    r->out->entry_count = r->count;
    return 0;
}

int
config_read_connector(const char *path, struct str text, char *const *environment,
                      struct arena *arena, struct config_connector *out, struct gantry_error **err)
{
    struct config_connector made = {0};
    struct document document;
    char *copy = arena_dup(arena, text);
    if (!copy)
        return err_nomem(err);
    if (text.len > CONFIG_MAX_FILE)
        return err_set(err, GANTRY_E_INVALID, "%s: is larger than 4 MiB; shorten it", path);
    int rc = document_read(copy, text.len, arena, &document);
    if (rc < 0)
        return rc == GANTRY_E_NOMEM
                   ? err_nomem(err)
                   : err_set(err, rc, "%s: inih does not agree with its reader", path);
    struct reading r = {.path = path, .environment = environment, .arena = arena, .out = &made};
    buf_init(&r.problems, 2 * TEXT_MAX);
    rc = read_document(&r, &document, err);
    buf_clear(&r.problems);
    if (rc == 0)
        *out = made;
    return rc;
}
