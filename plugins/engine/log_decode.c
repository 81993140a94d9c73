/* The engine's log stream -> lines.  See log_decode.h. */
#include "log_decode.h"

#include "times.h"

#include <gantry/plugin.h>
#include <string.h>

void
log_decode_init(struct log_decode *decode, size_t max_line_bytes, log_line_fn *on_line,
                void *context)
{
    *decode = (struct log_decode){.on_line = on_line, .context = context};
    for (int i = 0; i < 2; i++)
        decode->lines[i].text = TEXT(max_line_bytes);
}

void
log_decode_clear(struct log_decode *decode)
{
    for (int i = 0; i < 2; i++)
        text_clear(&decode->lines[i].text);
}

/* ---- lines
 * ---------------------------------------------------------------------------------------- */

static int
end_line(struct log_decode *decode, struct log_piece_line *line)
{
    if (!line->open)
        return 0;
    line->open = false;
    /* A terminal turns each line end into two bytes; the program wrote one. */
    if (decode->mode == LOG_RAW && line->size && line->size == line->text.size &&
        line->text.data[line->text.size - 1] == '\r') {
        line->text.data[--line->text.size] = '\0';
        line->size--;
    }
    uint32_t stream = line == &decode->lines[1] ? GANTRY_STREAM_STDERR : GANTRY_STREAM_STDOUT;
    int code = decode->on_line(decode->context, stream, &line->text, line->size, line->time_ns);
    text_reset(&line->text);
    return code;
}

/* Podman tells whole seconds. */
#define PODMAN_JOIN_NS INT64_C(1000000000)

/* Does a piece of this time continue the line that is open? */
static bool
continues(const struct log_decode *decode, const struct log_piece_line *line, int64_t time_ns)
{
    if (decode->podman)
        return time_ns - line->time_ns <= PODMAN_JOIN_NS;
    return line->piece_size >= LOG_PIECE_SIZE && line->time_ns == time_ns;
}

/* A piece begins, at this time: of the line that is open, or of a new one. */
static int
begin_piece(struct log_decode *decode, int64_t time_ns)
{
    struct log_piece_line *line = &decode->lines[decode->current];
    if (line->open && continues(decode, line, time_ns)) {
        line->piece_size = 0;
        /* By its last piece: a read that begins inside the line finds a line of the same time. */
        line->time_ns = time_ns;
        return 0;
    }
    int code = end_line(decode, line);
    line->open = true;
    line->size = 0;
    line->piece_size = 0;
    line->time_ns = time_ns;
    text_reset(&line->text);
    return code;
}

static int
add_content(struct log_decode *decode, const char *data, size_t size)
{
    struct log_piece_line *line = &decode->lines[decode->current];
    if (!line->open) { /* text without a time in front, or after a line end inside a piece */
        int code = begin_piece(decode, line->time_ns);
        if (code < 0)
            return code;
    }
    size_t room = line->text.max - line->text.size;
    text_add_bytes(&line->text, data, size < room ? size : room);
    line->size += size;
    line->piece_size += size;
    return line->text.failed ? GANTRY_E_NOMEM : 0;
}

/* ---- times
 * ---------------------------------------------------------------------------------------- */

static void
expect_stamp(struct log_decode *decode)
{
    decode->in_stamp = true;
    decode->stamp_size = 0;
    decode->pieces++;
}

/* The bytes in front turned out to be a time, or else they are the program's own. */
static int
end_stamp(struct log_decode *decode, bool blank)
{
    int64_t time_ns;
    decode->in_stamp = false;
    if (blank && time_parse(decode->stamp, decode->stamp_size, &time_ns))
        return begin_piece(decode, time_ns);
    int code = add_content(decode, decode->stamp, decode->stamp_size);
    return code == 0 && blank ? add_content(decode, " ", 1) : code;
}

/* Takes one byte of a time.  *taken: false when the byte belongs to what follows. */
static int
feed_stamp(struct log_decode *decode, char c, bool *taken)
{
    *taken = true;
    if (c == ' ')
        return end_stamp(decode, true);
    if (c != '\n' && decode->stamp_size < LOG_STAMP_MAX) {
        decode->stamp[decode->stamp_size++] = c;
        return 0;
    }
    *taken = false;
    return end_stamp(decode, false);
}

/* ---- pieces
 * --------------------------------------------------------------------------------------- */

/* Bytes of pieces: of one frame, or of the whole stream where there are no frames. */
static int
feed_piece(struct log_decode *decode, const char *data, size_t size)
{
    int code = 0;
    while (code == 0 && size) {
        if (decode->in_stamp) {
            bool taken;
            code = feed_stamp(decode, *data, &taken);
            data += taken;
            size -= taken;
            continue;
        }
        struct log_piece_line *line = &decode->lines[decode->current];
        const char *end = memchr(data, '\n', size);
        size_t part = end ? (size_t)(end - data) : size;
        bool raw = decode->mode == LOG_RAW;
        /* Without frames only its size tells where a piece of a long line ends. */
        uint64_t room = LOG_PIECE_SIZE - (line->open ? line->piece_size % LOG_PIECE_SIZE : 0);
        bool full = raw && part >= room;
        if (full)
            part = (size_t)room;
        code = add_content(decode, data, part);
        data += part;
        size -= part;
        if (code == 0 && !full && end) {
            code = end_line(decode, line);
            data++;
            size--;
        }
        if (raw && (full || end))
            expect_stamp(decode);
    }
    return code;
}

/* ---- frames
 * --------------------------------------------------------------------------------------- */

static int
end_frame(struct log_decode *decode)
{
    decode->mode = LOG_FRAME_HEAD;
    decode->head_size = 0;
    bool bare = decode->in_stamp && decode->stamp_size; /* text without a time in front */
    decode->in_stamp = bare;
    return bare ? end_stamp(decode, false) : 0;
}

static int
feed_head(struct log_decode *decode, unsigned char c)
{
    decode->head[decode->head_size++] = c;
    if (decode->head_size < sizeof decode->head)
        return 0;
    const unsigned char *head = decode->head;
    if (head[0] > 2 || head[1] || head[2] || head[3])
        return GANTRY_E_INTERNAL;
    decode->current = head[0] == 2;
    decode->frame_left =
        (uint64_t)head[4] << 24 | (uint64_t)head[5] << 16 | (uint64_t)head[6] << 8 | head[7];
    decode->mode = LOG_FRAME_BODY;
    expect_stamp(decode);
    return decode->frame_left ? 0 : end_frame(decode);
}

int
log_decode_feed(struct log_decode *decode, const void *bytes, size_t size)
{
    const char *data = bytes;
    int code = 0;
    if (size && decode->mode == LOG_FIRST_BYTE) {
        decode->mode = (unsigned char)*data <= 2 ? LOG_FRAME_HEAD : LOG_RAW;
        if (decode->mode == LOG_RAW)
            expect_stamp(decode);
    }
    if (decode->mode == LOG_RAW)
        return feed_piece(decode, data, size);
    while (code == 0 && size) {
        size_t part = 1;
        if (decode->mode == LOG_FRAME_HEAD) {
            code = feed_head(decode, (unsigned char)*data);
        } else {
            part = size < decode->frame_left ? size : (size_t)decode->frame_left;
            code = feed_piece(decode, data, part);
            decode->frame_left -= part;
            if (code == 0 && decode->frame_left == 0)
                code = end_frame(decode);
        }
        data += part;
        size -= part;
    }
    return code;
}

int
log_decode_finish(struct log_decode *decode)
{
    int code = decode->in_stamp && decode->stamp_size ? end_stamp(decode, false) : 0;
    for (int i = 0; code == 0 && i < 2; i++) {
        struct log_piece_line *line = &decode->lines[i];
        /* A full piece without a line end is the beginning of a line that goes on: it comes whole
         * later. */
        bool goes_on = line->piece_size > 0 && line->piece_size % LOG_PIECE_SIZE == 0;
        if (decode->podman)
            goes_on = decode->now_ns && decode->now_ns - line->time_ns <= 2 * PODMAN_JOIN_NS;
        if (line->open && !goes_on)
            code = end_line(decode, line);
    }
    return code;
}
