/* buf.h - text being built: grows up to a maximum that it is given at birth.
 *
 * It remembers its first failure (too long, or out of memory), after which appending does nothing;
 * so ten appends need one check at the end, buf_failed().  The content is always NUL-terminated for
 * C's sake; the NUL is not counted.  A struct buf on the stack is declared `AUTO_BUF struct buf b =
 * BUF_INIT(max);` */
#ifndef SUPPORT_BUF_H
#define SUPPORT_BUF_H

#include "compiler.h"
#include "str.h"

#include <stdarg.h>

struct buf {
    char *ptr;   /* NULL while nothing was appended */
    size_t len;  /* bytes, without the NUL */
    size_t size; /* bytes allocated */
    size_t max;  /* len never passes it */
    int failed;  /* 0, GANTRY_E_NOMEM, or GANTRY_E_INVALID when max was reached */
};

#define BUF_INIT(maximum)                                                                          \
    {                                                                                              \
        NULL, 0, 0, (maximum), 0                                                                   \
    }

void buf_init(struct buf *b, size_t max);
void buf_clear(struct buf *b); /* frees the memory; usable again with the same maximum */
void buf_wipe(struct buf *b);  /* as buf_clear, and overwrites the content first */
void buf_reset(struct buf *b); /* empties it, keeps the memory, forgets a failure */
#define AUTO_BUF AUTO(buf_clear)

void buf_expect(struct buf *b, size_t n); /* a hint: so much will be appended */
void buf_add(struct buf *b, struct str s);
void buf_add_text(struct buf *b, const char *text); /* text: may be NULL: nothing */
void buf_add_bytes(struct buf *b, const void *bytes, size_t n);
void buf_add_char(struct buf *b, char c);
void buf_add_fmt(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_add_vfmt(struct buf *b, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
void buf_add_json(struct buf *b, struct str s); /* as a JSON string, quotes included */
void buf_add_url(struct buf *b, struct str s);  /* percent-encoded but for RFC 3986's unreserved */
void buf_remove_front(struct buf *b, size_t n); /* n <= len */
void buf_truncate(struct buf *b, size_t len);   /* len <= b->len */

static inline int
buf_failed(const struct buf *b)
{
    return b->failed;
}

static inline struct str
buf_view(const struct buf *b)
{
    return (struct str){b->ptr, b->len};
}

const char *
buf_text(const struct buf *b); /* NUL-terminated, "" when empty; borrowed until the next change */
char *buf_take(struct buf *b); /* owned, free(); "" allocated when empty; NULL after a failure */

#endif
