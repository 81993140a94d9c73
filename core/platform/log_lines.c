/* log_lines.c - log lines as a platform takes them: valid UTF-8 without control characters, and not
 * much.
 *
 * The platform stores what it gets without a limit, and shows it in a web page. */
#include "platform_internal.h"

enum { ESCAPE = 0x1b, BELL = 0x07 };

/* How long the escape sequence at s is (ECMA-48, 5.4 and 5.6; OSC and the like end at BEL or ESC
 * \). */
static size_t
escape_length(struct str s)
{
    if (s.len < 2)
        return 1;
    size_t i = 2;
    if (s.ptr[1] == '[') {
        while (i < s.len && s.ptr[i] >= 0x20 && s.ptr[i] <= 0x3f)
            i++;
        return i < s.len && s.ptr[i] >= 0x40 && s.ptr[i] <= 0x7e ? i + 1 : i;
    }
    if (strchr("]PX^_", s.ptr[1])) {
        while (i < s.len && s.ptr[i] != BELL && s.ptr[i] != ESCAPE)
            i++;
        if (i < s.len && s.ptr[i] == ESCAPE && i + 1 < s.len && s.ptr[i + 1] == '\\')
            i++;
        return MIN(i + 1, s.len);
    }
    /* charset selections and other sequences of three bytes have an intermediate byte */
    return s.ptr[1] >= 0x20 && s.ptr[1] <= 0x2f ? MIN((size_t)3, s.len) : 2;
}

/* The length of the UTF-8 character at s, or 0 when there is none. */
static size_t
character_length(struct str s)
{
    unsigned char c = (unsigned char)s.ptr[0];
    size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    return len <= s.len && str_utf8_valid_length((struct str){s.ptr, len}) == len ? len : 0;
}

static bool
is_control(const char *character, size_t len)
{
    unsigned char c = (unsigned char)character[0];
    if (len == 1)
        return c < 0x20 || c == 0x7f;
    return len == 2 && c == 0xc2 && (unsigned char)character[1] < 0xa0; /* C1 */
}

void
log_line_clean(struct buf *out, const char *text)
{
    struct str s = str_of(text);
    size_t start = out->len;
    while (s.len > 0 && !buf_failed(out)) {
        size_t len = s.ptr[0] == ESCAPE ? 0 : character_length(s);
        size_t step = len;
        struct str add = {s.ptr, len};
        if (s.ptr[0] == ESCAPE) {
            step = escape_length(s);
            add = STR_NONE;
        } else if (len == 0) {
            step = 1;
            add = STR("\xef\xbf\xbd"); /* U+FFFD */
        } else if (s.ptr[0] == '\t') {
            add = STR(" ");
        } else if (is_control(s.ptr, len)) {
            add = STR_NONE;
        }
        if (out->len - start + add.len > LOG_LINE_MAX_BYTES)
            return;
        buf_add(out, add);
        s.ptr += step;
        s.len -= step;
    }
}

void
log_lines_add_json(struct buf *out, const char *const *lines, size_t count)
{
    AUTO_BUF struct buf line = BUF_INIT(LOG_LINE_MAX_BYTES);
    size_t first = count, total = 0;
    /* From the newest backwards: how many fit. */
    while (first > 0) {
        buf_reset(&line);
        log_line_clean(&line, lines[first - 1]);
        total += line.len + 1; /* the platform joins them by a newline */
        if (total > LOG_LINES_MAX_BYTES)
            break;
        first--;
    }
    buf_add_char(out, '[');
    for (size_t i = first; i < count; i++) {
        buf_reset(&line);
        log_line_clean(&line, lines[i]);
        if (i > first)
            buf_add_char(out, ',');
        buf_add_json(out, buf_view(&line));
    }
    buf_add_char(out, ']');
    if (buf_failed(&line) == GANTRY_E_NOMEM)
        out->failed = GANTRY_E_NOMEM;
}
