/* json_print.c - values as JSON text. */
#include "value_internal.h"

#include <inttypes.h>

struct printer {
    struct buf *out;
    enum value_style style;
};

static void
add_line_break(const struct printer *p, size_t depth)
{
    if (p->style == VALUE_COMPACT)
        return;
    buf_add_char(p->out, '\n');
    for (size_t i = 0; i < depth; i++)
        buf_add_text(p->out, "  ");
}

static int print_at(const struct printer *p, const struct value *v, size_t depth);

static int
print_container(const struct printer *p, const struct value *v, size_t depth)
{
    bool object = v->kind == VALUE_OBJECT;
    size_t count = value_count(v);
    if (depth >= VALUE_DEPTH_MAX)
        return GANTRY_E_INVALID;
    buf_add_char(p->out, object ? '{' : '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(p->out, ',');
        add_line_break(p, depth + 1);
        if (object) {
            buf_add_json(p->out, value_key_at(v, i));
            buf_add_text(p->out, p->style == VALUE_COMPACT ? ":" : ": ");
        }
        int rc = print_at(p, value_at(v, i), depth + 1);
        if (rc < 0)
            return rc;
    }
    if (count > 0)
        add_line_break(p, depth);
    buf_add_char(p->out, object ? '}' : ']');
    return 0;
}

static int
print_at(const struct printer *p, const struct value *v, size_t depth)
{
    switch (v->kind) {
    case VALUE_NULL:
        buf_add_text(p->out, "null");
        break;
    case VALUE_BOOL:
        buf_add_text(p->out, v->truth ? "true" : "false");
        break;
    case VALUE_INT:
        buf_add_fmt(p->out, "%" PRId64, v->integer);
        break;
    case VALUE_NUMBER:
        buf_add(p->out, v->text);
        break;
    case VALUE_STRING:
        buf_add_json(p->out, v->text);
        break;
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        return print_container(p, v, depth);
    }
    return buf_failed(p->out);
}

int
value_print(const struct value *v, enum value_style style, struct buf *out)
{
    const struct printer p = {out, style};
    int rc = print_at(&p, v, 0);
    return rc < 0 ? rc : buf_failed(out);
}
