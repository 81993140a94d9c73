/* template_render.c - what the pieces of a template become.  Beside each byte stands whether it
 * came from a hole: a path segment that did must not be a dot segment. */
#include "err.h"
#include "mapping_eval.h"
#include "request.h"

void
rendering_clear(struct rendering *r)
{
    buf_clear(&r->text);
    buf_clear(&r->origin);
}

void
url_add_literal(struct buf *out, struct str text)
{
    static const char kept[] = "-._~:/?#[]@!$&'()*+,;=%";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (is_plain || (c && strchr(kept, c)))
            buf_add_char(out, c);
        else
            buf_add_fmt(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static int
add_hole(struct request_builder *b, const struct template_piece *piece, enum template_style style,
         struct rendering *r)
{
    AUTO_BUF struct buf text = BUF_INIT(r->text.max);
    struct value *value = NULL, *null = value_new_null(b->arena);
    if (!null)
        return err_nomem(b->err);
    int rc = request_eval(b, piece->hole, piece->range.start, null, &value);
    if (rc < 0 || !value)
        return rc;
    if (!add_scalar_text(value, &text)) {
        r->bad = piece;
        r->bad_kind = kind_words(value);
        return 0;
    }
    if (buf_failed(&text))
        r->text.failed = buf_failed(&text);
    else if (style == TEMPLATE_URL)
        buf_add_url(&r->text, buf_view(&text));
    else
        buf_add(&r->text, buf_view(&text));
    return 0;
}

int
template_render(struct request_builder *b, const struct template *t, enum template_style style,
                struct rendering *r)
{
    int rc = 0;
    for (const struct template_piece *piece = t->pieces; piece && rc == 0 && !r->bad;
         piece = piece->next) {
        b->at = piece->range;
        if (piece->hole)
            rc = add_hole(b, piece, style, r);
        else if (style == TEMPLATE_URL)
            url_add_literal(&r->text, piece->text);
        else
            buf_add(&r->text, piece->text);
        if (buf_failed(&r->text))
            break;
        while (r->origin.len < r->text.len && !buf_failed(&r->origin))
            buf_add_char(&r->origin, piece->hole ? 'h' : 't');
    }
    return rc == 0 && buf_failed(&r->origin) == GANTRY_E_NOMEM ? err_nomem(b->err) : rc;
}
