/* template.c - a text with holes becomes pieces: literals without the line ends and tabs that lay
 * it out, and mappings.  What the pieces become is template_render.c's. */
#include "template.h"

#include "err.h"

enum { TEMPLATE_TEXT_MAX = MAPPING_TEXT_MAX };

struct reader {
    struct template *template;
    struct template_piece **next;
    enum mapping_version version;
    struct mapping_range *where; /* may be NULL */
    struct gantry_error **err;
};

static int
refused(const struct reader *r, struct mapping_range at, const char *what)
{
    size_t line, column;
    str_position(r->template->text, at.start, &line, &column);
    if (r->where)
        *r->where = at;
    return err_set(r->err, GANTRY_E_INVALID, "template, line %zu, column %zu: %s", line, column,
                   what);
}

static struct template_piece *
add_piece(struct reader *r, struct mapping_range range)
{
    struct template_piece *piece = arena_alloc(&r->template->arena, sizeof *piece);
    if (!piece)
        return NULL;
    piece->range = range;
    *r->next = piece;
    r->next = &piece->next;
    return piece;
}

static int
add_literal(struct reader *r, struct mapping_range range)
{
    size_t len = 0;
    char *text = arena_alloc(&r->template->arena, range.end - range.start + 1);
    if (!text)
        return err_nomem(r->err);
    for (size_t i = range.start; i < range.end; i++)
        if (!strchr("\t\n\f\r", r->template->text.ptr[i]) || !r->template->text.ptr[i])
            text[len++] = r->template->text.ptr[i];
    struct template_piece *piece = len ? add_piece(r, range) : NULL;
    if (len && !piece)
        return err_nomem(r->err);
    if (piece)
        piece->text = (struct str){text, len};
    return 0;
}

static int
add_hole(struct reader *r, struct mapping_range range)
{
    struct mapping_range where = {0, 0};
    struct mapping *mapping = NULL;
    struct str text = {r->template->text.ptr + range.start, range.end - range.start};
    int rc = mapping_parse(text, r->version, &mapping, &where, r->err);
    if (rc == GANTRY_E_INVALID) {
        size_t line, column;
        str_position(r->template->text, range.start, &line, &column);
        if (r->where)
            *r->where = (struct mapping_range){range.start + where.start, range.start + where.end};
        return err_wrap(r->err, rc, "in the hole that begins at line %zu, column %zu", line,
                        column);
    }
    if (rc < 0)
        return rc;
    struct template_piece *piece = add_piece(r, range);
    if (!piece) {
        mapping_free(mapping);
        return err_nomem(r->err);
    }
    piece->hole = mapping;
    return 0;
}

/* Where the string that begins at `at` ends: behind its closing quote, or at the end of the text. */
static size_t
string_end(struct str text, size_t at)
{
    char quote = text.ptr[at++];
    while (at < text.len && text.ptr[at] != quote)
        at += text.ptr[at] == '\\' ? 2 : 1;
    return at < text.len ? at + 1 : text.len;
}

/* The brace that balances the one before `at`, or the text's length.  Braces in strings do not count; those
 * in a comment do, as everywhere, but a quote in one begins no string. */
static size_t
hole_end(struct str text, size_t at)
{
    size_t depth = 1;
    bool in_comment = false;
    while (at < text.len) {
        char c = text.ptr[at];
        if (!in_comment && (c == '"' || c == '\'')) {
            at = string_end(text, at);
            continue;
        }
        in_comment = c == '#' || (in_comment && c != '\n');
        depth += c == '{';
        depth -= c == '}';
        if (depth == 0)
            return at;
        at++;
    }
    return text.len;
}

static int
read_pieces(struct reader *r)
{
    struct str text = r->template->text;
    int rc = 0;
    for (size_t at = 0; at < text.len && rc == 0;) {
        const char *open = memchr(text.ptr + at, '{', text.len - at);
        size_t end = open ? (size_t)(open - text.ptr) : text.len;
        if (end > at)
            rc = add_literal(r, (struct mapping_range){at, end});
        at = end;
        if (rc < 0 || !open)
            continue;
        end = hole_end(text, at + 1);
        if (end == text.len)
            return refused(r, (struct mapping_range){at, text.len},
                           "this '{' opens a hole that has no end; write a '}' behind its mapping");
        rc = add_hole(r, (struct mapping_range){at + 1, end});
        at = end + 1;
    }
    return rc;
}

int
template_parse(struct str text, enum mapping_version version, struct template **out,
               struct mapping_range *where, struct gantry_error **err)
{
    if (text.len > TEMPLATE_TEXT_MAX) {
        if (where)
            *where = (struct mapping_range){0, 0};
        return err_set(err, GANTRY_E_INVALID, "template: it is longer than %d bytes",
                       (int)TEMPLATE_TEXT_MAX);
    }
    struct template *t = calloc(1, sizeof *t);
    if (!t)
        return err_nomem(err);
    arena_init(&t->arena, 0);
    struct reader r = {t, &t->pieces, version, where, err};
    t->text = (struct str){arena_dup(&t->arena, text), text.len};
    int rc = t->text.ptr ? read_pieces(&r) : err_nomem(err);
    if (rc < 0)
        template_free(t);
    else
        *out = t;
    return rc;
}

void
template_free(struct template *t)
{
    if (!t)
        return;
    for (struct template_piece *piece = t->pieces; piece; piece = piece->next)
        mapping_free(piece->hole);
    arena_clear(&t->arena);
    free(t);
}
