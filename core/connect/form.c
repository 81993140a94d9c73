/* form.c - an object as application/x-www-form-urlencoded: `t[0]=p&t[1][q]=true`. */
#include "mapping_eval.h"
#include "request.h"

enum {
    FORM_NAME_MAX = 64 * 1024,
    FORM_STEPS_MAX = 10 * 1000 * 1000 /* values; an empty array costs time, and no text */
};

struct form {
    struct buf *out;
    struct buf name; /* of the value that is looked at, not encoded */
    size_t depth, steps;
};

static void
add_encoded(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (is_plain || (c && strchr("*-._", c)))
            buf_add_char(out, c);
        else if (c == ' ')
            buf_add_char(out, '+');
        else
            buf_add_fmt(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static void
add_scalar(struct form *f, const struct value *v)
{
    AUTO_BUF struct buf text = BUF_INIT(f->out->max);
    add_scalar_text(v, &text);
    if (f->out->len)
        buf_add_char(f->out, '&');
    add_encoded(f->out, buf_view(&f->name));
    buf_add_char(f->out, '=');
    add_encoded(f->out, buf_view(&text));
    if (buf_failed(&text) && !f->out->failed)
        f->out->failed = buf_failed(&text);
}

static bool
add_value(struct form *f, const struct value *v)
{
    enum value_kind kind = value_kind(v);
    if (++f->steps > FORM_STEPS_MAX || f->depth >= VALUE_DEPTH_MAX)
        return false;
    if (kind != VALUE_ARRAY && kind != VALUE_OBJECT) {
        add_scalar(f, v);
        return true;
    }
    size_t before = f->name.len;
    bool is_top = f->depth++ == 0, fits = true;
    for (size_t i = 0; i < value_count(v) && fits && !buf_failed(f->out); i++) {
        if (!is_top)
            buf_add_char(&f->name, '[');
        if (kind == VALUE_ARRAY)
            buf_add_fmt(&f->name, "%zu", i);
        else
            buf_add(&f->name, value_key_at(v, i));
        if (!is_top)
            buf_add_char(&f->name, ']');
        fits = !buf_failed(&f->name) && add_value(f, value_at(v, i));
        if (!buf_failed(&f->name))
            buf_truncate(&f->name, before);
    }
    f->depth--;
    return fits;
}

int
form_print(const struct value *object, struct buf *out)
{
    struct form f = {.out = out};
    buf_init(&f.name, FORM_NAME_MAX);
    bool fits = add_value(&f, object);
    if (buf_failed(&f.name) == GANTRY_E_NOMEM)
        out->failed = GANTRY_E_NOMEM;
    buf_clear(&f.name);
    return fits || buf_failed(out) ? 0 : GANTRY_E_INVALID;
}
