/* json_print.c - values as JSON text. */
#include "value_internal.h"

/* Small pieces are put together here, and appended as one. */
enum { STAGE_SIZE = 4096, NUMBER_MAX = 24, WRITE_SIZE = 64 * 1024 };

struct printer {
    struct buf *out;
    const struct value_writer *to; /* NULL: all stays in out */
    int rc;                        /* what writing said */
    enum value_style style;
    size_t staged;
    char stage[STAGE_SIZE];
};

static void
flush(struct printer *p)
{
    buf_add_bytes(p->out, p->stage, p->staged);
    p->staged = 0;
}

/* Give away what there is, when it is enough to be worth it. */
static void
drain(struct printer *p, size_t enough)
{
    if (!p->to || p->out->len < enough || p->rc < 0 || buf_failed(p->out))
        return;
    p->rc = p->to->write(p->to->context, p->out->ptr, p->out->len);
    buf_reset(p->out);
}

static void
make_room(struct printer *p)
{
    flush(p);
    drain(p, WRITE_SIZE);
}

static void
add_bytes(struct printer *p, const char *bytes, size_t n)
{
    if (n > STAGE_SIZE - p->staged)
        make_room(p);
    if (n > STAGE_SIZE) {
        buf_add_bytes(p->out, bytes, n);
        return;
    }
    if (n)
        memcpy(p->stage + p->staged, bytes, n);
    p->staged += n;
}

static void
add_char(struct printer *p, char c)
{
    if (p->staged == STAGE_SIZE)
        make_room(p);
    p->stage[p->staged++] = c;
}

/* How many bytes of a string are printed as they are; they are copied to where there is room. */
static size_t
copy_plain(char *to, struct str s)
{
    size_t at = 0, plain = 8;
    for (; s.len - at >= 8; at += 8) {
        memcpy(to + at, s.ptr + at, 8);
        plain = json_plain_of_eight(s.ptr + at);
        if (plain < 8)
            return at + plain;
    }
    for (; at < s.len; at++) {
        unsigned char c = (unsigned char)s.ptr[at];
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
            break;
        to[at] = s.ptr[at];
    }
    return at;
}

/* A string of a value is UTF-8; only some of its characters are not printed as they are. */
static void
add_string(struct printer *p, struct str s)
{
    if (s.len + 2 > STAGE_SIZE - p->staged)
        make_room(p);
    if (s.len + 2 <= STAGE_SIZE) {
        char *to = p->stage + p->staged;
        if (copy_plain(to + 1, s) == s.len) {
            to[0] = to[s.len + 1] = '"';
            p->staged += s.len + 2;
            return;
        }
    }
    flush(p);
    buf_add_json(p->out, s);
}

static void
add_line_break(struct printer *p, size_t depth)
{
    if (p->style != VALUE_INDENTED)
        return;
    add_char(p, '\n');
    for (size_t i = 0; i < depth; i++)
        add_bytes(p, "  ", 2);
}

static void
add_integer(struct printer *p, int64_t integer)
{
    char digits[NUMBER_MAX];
    size_t at = sizeof digits;
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (integer < 0)
        digits[--at] = '-';
    add_bytes(p, digits + at, sizeof digits - at);
}

static int print_at(struct printer *p, const struct value *v, size_t depth);

static int
print_container(struct printer *p, const struct value *v, size_t depth)
{
    bool object = v->kind == VALUE_OBJECT;
    size_t count = value_count(v);
    if (depth >= VALUE_DEPTH_MAX)
        return GANTRY_E_INVALID;
    add_char(p, object ? '{' : '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            add_char(p, ',');
        add_line_break(p, depth + 1);
        if (object) {
            add_string(p, value_keys(v)->names[i]);
            add_bytes(p, ": ", p->style == VALUE_INDENTED ? 2 : 1);
        }
        int rc = print_at(p, value_item(v, i), depth + 1);
        if (rc < 0)
            return rc;
    }
    if (count > 0)
        add_line_break(p, depth);
    add_char(p, object ? '}' : ']');
    return 0;
}

static int
print_at(struct printer *p, const struct value *v, size_t depth)
{
    switch (value_kind(v)) {
    case VALUE_NULL:
        add_bytes(p, "null", 4);
        break;
    case VALUE_BOOL:
        add_bytes(p, v->truth ? "true" : "false", v->truth ? 4 : 5);
        break;
    case VALUE_INT:
        add_integer(p, v->integer);
        break;
    case VALUE_NUMBER:
        if (p->style == VALUE_NORMAL) {
            flush(p);
            value_add_number(v, p->out);
        } else {
            add_bytes(p, v->text, v->len);
        }
        break;
    case VALUE_STRING:
        add_string(p, value_text(v));
        break;
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        return print_container(p, v, depth);
    }
    return p->rc < 0 ? p->rc : buf_failed(p->out);
}

static int
print_whole(const struct value *v, enum value_style style, const struct value_writer *to,
            struct buf *out)
{
    struct printer p;
    p.out = out;
    p.to = to;
    p.rc = 0;
    p.style = style;
    p.staged = 0;
    int rc = print_at(&p, v, 0);
    flush(&p);
    if (rc == 0)
        drain(&p, 1);
    return rc < 0 ? rc : p.rc < 0 ? p.rc : buf_failed(out);
}

int
value_print(const struct value *v, enum value_style style, struct buf *out)
{
    return print_whole(v, style, NULL, out);
}

int
value_write(const struct value *v, enum value_style style, const struct value_writer *to)
{
    AUTO_BUF struct buf out = BUF_INIT(SIZE_MAX / 4);
    return print_whole(v, style, to, &out);
}
