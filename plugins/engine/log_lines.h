/* log_lines.h - which lines of a log are handed over: those after a cursor, the newest that fit.
 *
 * The engine gives every line from a time on, in the order of its log.  That order is not quite the
 * order of the times: stdout and stderr are stamped first and written afterwards, each by itself,
 * so a line may be written behind one of a later time.  So a cursor looks back a little: it has the
 * time from which to ask again, and how many lines from that time on were there already; as many
 * are left out next time.
 *
 *     log     10.0 o   10.2 o   10.1 e | 10.3 o          cursor: newest 10.2, from 9.2, 3 lines
 *
 * It names a time and no place in a file, and so it survives the rotation of the log. */
#ifndef ENGINE_LOG_LINES_H
#define ENGINE_LOG_LINES_H

#include "text.h"

#include <gantry/plugin.h>

struct log_cursor {
    int64_t newest_ns; /* of all lines so far; 0: there were none */
    int64_t from_ns;   /* ask again from here */
    uint32_t count;    /* lines from there on that were there already */
};

#define LOG_CURSOR_TEXT 64
/* false: not a cursor of ours. */
bool log_cursor_parse(const char *text, struct log_cursor *cursor);
void log_cursor_print(const struct log_cursor *cursor, char *text); /* LOG_CURSOR_TEXT bytes */

struct log_held {
    char *text;
    uint64_t size;
    int64_t time_ns;
    uint32_t stream;
    size_t index; /* among all lines of this read */
};

struct log_lines {
    struct gantry_log_limits limits;
    struct log_cursor start;
    uint32_t to_skip;
    int64_t *times; /* of all lines of this read, handed over or not */
    size_t seen, times_size;
    struct log_held *ring; /* max_lines slots, made with the first line */
    size_t first, count;
    uint64_t bytes;
};

/* limits: zero means a sensible maximum. */
void log_lines_init(struct log_lines *lines, const struct gantry_log_limits *limits,
                    const struct log_cursor *start);
/* How many stored pieces to ask for, so that the engine does not read (and send) its whole log to find the newest
 * lines: those wanted, those that come again, further pieces of long lines, and one more line, whose beginning may
 * be missing. */
uint64_t log_lines_pieces(const struct log_lines *lines);
/* Appends "&since=TIME" to the path of a request; nothing without a cursor. */
void log_lines_add_since(const struct log_lines *lines, struct text *path);
int log_lines_add(struct log_lines *lines, uint32_t stream, const struct text *text, uint64_t size,
                  int64_t time_ns);
void log_lines_drop_first(struct log_lines *lines); /* when there is one */
/* cut_off: the engine had more lines in front of the first one. */
int log_lines_emit(const struct log_lines *lines, bool cut_off, const struct gantry_host *host,
                   struct gantry_call *call);
void log_lines_clear(struct log_lines *lines);

#endif
