/* log_decode.h - the engine's log stream taken apart into lines.
 *
 * Without a terminal the stream is frames: 8 bytes of head (stream, 0 0 0, length), then one stored
 * piece, which begins with its time.  With one it is the pieces alone, their lines ended by CR LF.
 * The first byte tells which: a frame begins with 0, 1 or 2, a time with a digit, so nobody has to
 * ask the engine.
 *
 *     01 00 00 00 00 00 00 25 "2026-11-21T09:28:14.696919364Z short\n"
 *
 * A line of more than 16 KiB is stored in pieces of 16,384 bytes, each with the same time in front;
 * only the last ends in a line end.  A shorter piece without a line end is the last words of a run.
 */
#ifndef ENGINE_LOG_DECODE_H
#define ENGINE_LOG_DECODE_H

#include "text.h"

#include <stdint.h>

#define LOG_STAMP_MAX  40
#define LOG_PIECE_SIZE 16384

struct log_piece_line { /* a line that is being put together, one for each stream */
    struct text text;   /* up to max_line_bytes of it */
    uint64_t size;      /* of the whole line so far */
    uint64_t piece_size;
    int64_t time_ns; /* of its first piece */
    bool open;
};

/* What the caller gets: a line without its end.  size: what it really had; text holds at most
 * max_line_bytes of it. */
typedef int log_line_fn(void *context, uint32_t stream, const struct text *text, uint64_t size,
                        int64_t time_ns);

struct log_decode {
    log_line_fn *on_line;
    void *context;
    struct log_piece_line lines[2]; /* stdout, stderr */
    enum { LOG_FIRST_BYTE, LOG_FRAME_HEAD, LOG_FRAME_BODY, LOG_RAW } mode;
    unsigned char head[8];
    size_t head_size;
    uint64_t frame_left;
    int current; /* index of lines */
    char stamp[LOG_STAMP_MAX];
    size_t stamp_size;
    bool in_stamp;
    uint64_t pieces; /* begun so far */
    /* Podman's pieces: of any size, without times that would tell which belong together.  One without a line
     * end is continued by the next of its stream that was written at most a second later. */
    bool podman;
    int64_t now_ns; /* with it: when the engine answered; 0: not known */
};

void log_decode_init(struct log_decode *decode, size_t max_line_bytes, log_line_fn *on_line,
                     void *context);
/* 0, what on_line returned, or GANTRY_E_INTERNAL when it is no log stream, or GANTRY_E_NOMEM. */
int log_decode_feed(struct log_decode *decode, const void *data, size_t size);
/* The stream ended: a last line without its end is handed over, unless more of it is to come. */
int log_decode_finish(struct log_decode *decode);
void log_decode_clear(struct log_decode *decode);

#endif
