/* buf.c - text being built. */
#include "buf.h"

#include "secret.h"

#include <gantry/types.h>
#include <stdio.h>

enum { FIRST_SIZE = 64 };

void
buf_init(struct buf *b, size_t max)
{
    *b = (struct buf)BUF_INIT(max);
}

void
buf_clear(struct buf *b)
{
    free(b->ptr);
    buf_init(b, b->max);
}

void
buf_wipe(struct buf *b)
{
    secret_wipe(b->ptr, b->size);
    buf_clear(b);
}

void
buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = 0;
    if (b->ptr)
        b->ptr[0] = '\0';
}

/* Make room for n bytes more and the NUL.  False after a failure, this one or an earlier one. */
static bool
reserve(struct buf *b, size_t n)
{
    if (b->failed)
        return false;
    if (n > b->max - b->len) {
        b->failed = GANTRY_E_INVALID;
        return false;
    }
    size_t needed;
    if (!size_add(b->len + n, 1, &needed)) {
        b->failed = GANTRY_E_NOMEM;
        return false;
    }
    if (needed <= b->size)
        return true;
    size_t size;
    if (!size_mul(b->size ? b->size : FIRST_SIZE / 2, 2, &size) || size < needed)
        size = needed;
    char *grown = malloc(size);
    if (!grown) {
        b->failed = GANTRY_E_NOMEM;
        return false;
    }
    if (b->len)
        memcpy(grown, b->ptr, b->len);
    grown[b->len] = '\0';
    /* Not realloc: it would leave copies of what buf_wipe promises to overwrite. */
    secret_wipe(b->ptr, b->len);
    free(b->ptr);
    b->ptr = grown;
    b->size = size;
    return true;
}

void
buf_expect(struct buf *b, size_t n)
{
    if (b->failed)
        return;
    (void)reserve(b, MIN(n, b->max - b->len));
    b->failed = 0; /* it has not been appended yet */
}

void
buf_add_bytes(struct buf *b, const void *bytes, size_t n)
{
    if (n == 0 || !reserve(b, n))
        return;
    memcpy(b->ptr + b->len, bytes, n);
    b->len += n;
    b->ptr[b->len] = '\0';
}

void
buf_add(struct buf *b, struct str s)
{
    buf_add_bytes(b, s.ptr, s.len);
}

void
buf_add_text(struct buf *b, const char *text)
{
    if (text)
        buf_add_bytes(b, text, strlen(text));
}

void
buf_add_char(struct buf *b, char c)
{
    buf_add_bytes(b, &c, 1);
}

void
buf_add_fmt(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_add_vfmt(b, fmt, args);
    va_end(args);
}

void
buf_add_vfmt(struct buf *b, const char *fmt, va_list args)
{
    if (b->failed)
        return;
    va_list again;
    va_copy(again, args);
    size_t room = b->size - b->len; /* 0 without memory; else the NUL's place is in it */
    int n = vsnprintf(room ? b->ptr + b->len : NULL, room, fmt, args);
    if (n < 0) {
        b->failed = GANTRY_E_INVALID;
    } else if ((size_t)n >= room || (size_t)n > b->max - b->len) {
        if (room)
            b->ptr[b->len] = '\0';
        if (reserve(b, (size_t)n)) {
            vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, again);
            b->len += (size_t)n;
        }
    } else {
        b->len += (size_t)n;
    }
    va_end(again);
}

static const char *
short_escape(unsigned char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

static void
add_escaped(struct buf *b, struct str s)
{
    size_t plain = 0; /* where the run that needs no escape begins */
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        const char *escape = short_escape(c);
        if (!escape && c >= 0x20 && c != 0x7f)
            continue;
        buf_add_bytes(b, s.ptr + plain, i - plain);
        plain = i + 1;
        if (escape)
            buf_add_text(b, escape);
        else
            buf_add_fmt(b, "\\u%04x", c);
    }
    if (s.len > plain)
        buf_add_bytes(b, s.ptr + plain, s.len - plain);
}

void
buf_add_json(struct buf *b, struct str s)
{
    buf_add_char(b, '"');
    for (;;) {
        struct str good = {s.ptr, str_utf8_valid_length(s)};
        add_escaped(b, good);
        if (good.len == s.len)
            break;
        buf_add_text(b, "\xef\xbf\xbd"); /* U+FFFD for each byte that is not UTF-8 */
        s.ptr += good.len + 1;
        s.len -= good.len + 1;
    }
    buf_add_char(b, '"');
}

void
buf_add_url(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (unreserved)
            buf_add_char(b, (char)c);
        else
            buf_add_fmt(b, "%%%02X", c);
    }
}

void
buf_remove_front(struct buf *b, size_t n)
{
    if (n == 0)
        return;
    b->len -= n;
    memmove(b->ptr, b->ptr + n, b->len);
    b->ptr[b->len] = '\0';
}

void
buf_truncate(struct buf *b, size_t len)
{
    if (len == b->len)
        return;
    b->len = len;
    b->ptr[len] = '\0';
}

const char *
buf_text(const struct buf *b)
{
    return b->ptr ? b->ptr : "";
}

char *
buf_take(struct buf *b)
{
    if (b->failed)
        return NULL;
    char *text = b->ptr ? b->ptr : calloc(1, 1);
    buf_init(b, b->max);
    return text;
}
