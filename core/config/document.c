/* document.c - see document.h.
 *
 * How inih is used: the reader finds the parts of each line and keeps the real text; inih is handed
 * short tokens in its place ("[s]", "k=v", " v"), so that no limit of its own is ever reached, and
 * its handler joins the parts.  Comments and blank lines do not reach it. */
#include "document.h"

#include "str.h"

#include <gantry/types.h>
#include <ini.h>
#include <stdio.h>

#define PEM_BEGIN "-----BEGIN "
#define PEM_END   "-----END "

struct reading {
    struct arena *arena;
    struct document *out;
    struct document_section *section; /* NULL before the first, and after a broken header */
    struct document_section *last_section;
    struct document_problem *last_problem;
    struct document_key *key;     /* the last key, which an indented line continues; may be NULL */
    struct document_key *new_key; /* read, not yet joined */
    struct piece *new_piece;
    char *next; /* the text from here on is unread */
    char *end;
    uint32_t line;
    size_t key_count;
    bool
        section_broken; /* its lines are passed over: they would be blamed for the header's fault */
    bool key_broken;    /* so are the indented lines below a broken key */
    bool in_pem;        /* unindented lines of a PEM text: passed over up to its end */
    bool failed;        /* memory ran out */
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void
problem(struct reading *r, const char *key, const char *text)
{
    struct document_problem *p = arena_alloc(r->arena, sizeof *p);
    if (!p) {
        r->failed = true;
        return;
    }
    p->line = r->line;
    p->section = r->section ? r->section->title : NULL;
    p->key = key;
    p->text = text;
    if (r->last_problem)
        r->last_problem->next = p;
    else
        r->out->problems = p;
    r->last_problem = p;
}

/* Why a line cannot be read at all, or NULL. */
static const char *
line_defect(struct str line)
{
    if (str_utf8_valid_length(line) != line.len)
        return "the line is not UTF-8; save the file as UTF-8";
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return "the line holds a control character; remove it";
    }
    return NULL;
}

/* The offset of a ';' that begins a comment, because a blank stands before it, or the length. */
static size_t
comment_start(struct str s)
{
    for (size_t i = 1; i < s.len; i++)
        if (s.ptr[i] == ';' && is_blank(s.ptr[i - 1]))
            return i;
    return s.len;
}

/* "  platform   opencti " becomes "platform opencti", in place. */
static size_t
join_blanks(char *text, size_t len)
{
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        if (!is_blank(text[i]))
            text[out++] = text[i];
        else if (out > 0 && !is_blank(text[out - 1]))
            text[out++] = ' ';
    }
    return out > 0 && text[out - 1] == ' ' ? out - 1 : out;
}

static bool
read_section(struct reading *r, char *text, size_t len)
{
    r->section = NULL;
    r->key = NULL;
    r->key_broken = false;
    r->section_broken = true;
    char *close = memchr(text, ']', len);
    if (!close) {
        problem(r, NULL, "'[' is not closed; write [NAME]");
        return false;
    }
    struct str behind = str_trim((struct str){close + 1, len - (size_t)(close + 1 - text)});
    if (behind.len > 0 && behind.ptr[0] != ';' && behind.ptr[0] != '#') {
        problem(r, NULL, "text stands behind ']'; put it on a line of its own");
        return false;
    }
    size_t name_len = join_blanks(text + 1, (size_t)(close - text - 1));
    if (name_len == 0 || name_len > DOCUMENT_MAX_NAME) {
        problem(r, NULL,
                name_len == 0 ? "the section has no name; write [NAME]"
                              : "the section's name is longer than 255 bytes; shorten it");
        return false;
    }
    text[1 + name_len] = '\0';
    struct document_section *section = arena_alloc(r->arena, sizeof *section);
    if (!section) {
        r->failed = true;
        return false;
    }
    section->title = text + 1;
    section->line = r->line;
    if (r->last_section)
        r->last_section->next = section;
    else
        r->out->sections = section;
    r->last_section = r->section = section;
    r->section_broken = false;
    return true;
}

static bool
new_piece(struct reading *r, struct str value, bool indented)
{
    struct piece *piece = arena_alloc(r->arena, sizeof *piece);
    if (!piece) {
        r->failed = true;
        return false;
    }
    /* The value ends before a line's end or the text's, so the byte behind it is free for the NUL.
     */
    char *text = (char *)(uintptr_t)value.ptr;
    text[value.len] = '\0';
    piece->text = text;
    piece->line = r->line;
    piece->indented = indented;
    r->new_piece = piece;
    return true;
}

/* Lines of a PEM text that were not indented are told once, and never quoted: they are a key. */
static void
begin_pem(struct reading *r, struct str line)
{
    r->in_pem = memmem(line.ptr, line.len, PEM_END, sizeof PEM_END - 1) == NULL;
    problem(r, r->key->name,
            "the lines of a PEM text must be indented; indent them, or write file:PATH");
}

static bool
pem_is_open(const struct document_key *key)
{
    return key && key->pieces && strncmp(key->pieces->text, PEM_BEGIN, sizeof PEM_BEGIN - 1) == 0 &&
           !strstr(key->last->text, PEM_END);
}

static bool
read_key(struct reading *r, char *text, size_t len)
{
    size_t at = 0, limit = comment_start((struct str){text, len});
    while (at < limit && text[at] != '=' && text[at] != ':')
        at++;
    struct str name = str_trim((struct str){text, at});
    r->key_broken = true;
    if (at == limit) {
        problem(r, NULL, "the line has no '='; write KEY = VALUE, or begin a comment with '#'");
        return false;
    }
    if (name.len == 0 || name.len > DOCUMENT_MAX_NAME) {
        problem(r, NULL,
                name.len == 0 ? "no key stands before the separator; write KEY = VALUE"
                              : "the key is longer than 255 bytes; shorten it");
        return false;
    }
    if (!r->section) {
        problem(r, NULL, "the line stands before the first section; write [NAME] above it");
        return false;
    }
    if (++r->key_count > DOCUMENT_MAX_KEYS) {
        problem(r, NULL, "the file has more than 10000 keys; what follows was not read");
        r->next = r->end;
        return false;
    }
    char separator = text[at];
    text[name.len] = '\0';
    struct str raw = {text + at + 1, len - at - 1};
    if (comment_start(raw) != raw.len) {
        problem(r, text,
                "' ;' would begin a comment and cut the value; put a comment on a line of its own, "
                "and such a value into a file: write file:PATH");
        if (r->last_problem)
            r->last_problem->comment = true;
        return false;
    }
    struct document_key *key = arena_alloc(r->arena, sizeof *key);
    struct str value = str_trim(raw);
    if (!key || !new_piece(r, value.len > 0 ? value : (struct str){raw.ptr, 0}, false)) {
        r->failed = true;
        return false;
    }
    key->name = text;
    key->line = r->line;
    key->separator = separator;
    r->new_key = key;
    r->key_broken = false;
    return true;
}

/* Cut the next line off, without its end.  False at the text's end. */
static bool
next_line(struct reading *r, struct str *line)
{
    if (r->next >= r->end)
        return false;
    size_t left = (size_t)(r->end - r->next);
    char *newline = memchr(r->next, '\n', left);
    size_t len = newline ? (size_t)(newline - r->next) : left;
    *line = (struct str){r->next, len};
    if (line->len > 0 && line->ptr[line->len - 1] == '\r')
        line->len--;
    r->next += newline ? len + 1 : len;
    r->line++;
    return true;
}

/* What inih is to see of a line, or NULL when it is to see nothing. */
static const char *
read_line(struct reading *r, struct str line)
{
    const char *defect = line_defect(line);
    struct str trimmed = str_trim(line);
    if (defect) {
        if (!r->section_broken)
            problem(r, NULL, defect);
        r->key_broken = true;
        return NULL;
    }
    if (r->in_pem && line.len > 0 && line.ptr[0] != '[') {
        r->in_pem = memmem(line.ptr, line.len, PEM_END, sizeof PEM_END - 1) == NULL;
        return NULL;
    }
    r->in_pem = r->in_pem && trimmed.len == 0;
    if (trimmed.len == 0 || trimmed.ptr[0] == ';' || trimmed.ptr[0] == '#')
        return NULL;
    bool indented = trimmed.ptr != line.ptr;
    char *text = (char *)(uintptr_t)trimmed.ptr;
    if (indented && (r->key || r->key_broken) && !r->section_broken) {
        if (r->key_broken || !new_piece(r, trimmed, true))
            return NULL;
        return " v\n";
    }
    if (trimmed.ptr[0] == '[')
        return read_section(r, text, trimmed.len) ? "[s]\n" : NULL;
    if (r->section_broken)
        return NULL;
    if (pem_is_open(r->key)) {
        begin_pem(r, line);
        r->key = NULL;
        r->key_broken = true;
        return NULL;
    }
    return read_key(r, text, trimmed.len) ? "k=v\n" : NULL;
}

static char *
reader(char *line, int size, void *stream)
{
    struct reading *r = stream;
    struct str raw;
    while (!r->failed && next_line(r, &raw)) {
        const char *token = read_line(r, raw);
        if (!token)
            continue;
        int n = snprintf(line, (size_t)size, "%s", token);
        return n > 0 && n < size ? line : NULL;
    }
    return NULL;
}

/* inih has recognised what the reader set aside. */
static int
handler(void *user, const char *section, const char *name, const char *value)
{
    struct reading *r = user;
    if (!text_eq(section, "s") || !text_eq(name, "k") || !text_eq(value, "v") || !r->new_piece)
        return 0;
    if (r->new_key) {
        if (r->section->last)
            r->section->last->next = r->new_key;
        else
            r->section->keys = r->new_key;
        r->section->last = r->key = r->new_key;
        r->new_key = NULL;
    }
    if (!r->key)
        return 0;
    if (r->key->last)
        r->key->last->next = r->new_piece;
    else
        r->key->pieces = r->new_piece;
    r->key->last = r->new_piece;
    r->new_piece = NULL;
    return 1;
}

int
document_read(char *text, size_t size, struct arena *arena, struct document *out)
{
    *out = (struct document){NULL, NULL};
    struct reading r = {.arena = arena, .out = out, .next = text, .end = text + size};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        r.next += 3;
    int rc = ini_parse_stream(reader, &r, handler, &r);
    if (r.failed)
        return GANTRY_E_NOMEM;
    return rc == 0 ? 0 : GANTRY_E_INTERNAL;
}
