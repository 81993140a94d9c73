/* log_file.h - the log of a workload: files log.1, log.2, ... in its folder, written by the shim, read by
 * the plugin.
 *
 * The number only grows; the oldest files go when there are too many.  A line of the program is a line of
 * the file:
 *     1795276800123456789 o text of the line
 * that is Unix time in ns, o or e for stdout or stderr, the text as it was written.  Lines are written
 * whole, so a place in a file is where a line begins, and a cursor is just that: NUMBER:OFFSET. */
#ifndef PROCESS_LOG_FILE_H
#define PROCESS_LOG_FILE_H

#include "text.h"

#include <gantry/plugin.h>
#include <sys/types.h>

/* What is longer is written as several lines. */
#define LOG_LINE_MAX (2u << 20)

/* ---- writing ---------------------------------------------------------------------------------- */

struct log_writer {
    int folder, fd; /* -1: could not be opened, lines are dropped until the next one */
    uint64_t number, size;
    uint64_t max_size, max_files;
};

void log_writer_open(struct log_writer *writer, int folder, uint64_t max_size, uint64_t max_files);
void log_writer_add(struct log_writer *writer, char stream, int64_t time_ns, const char *text,
                    size_t size);
void log_writer_close(struct log_writer *writer);

/* One output of a program, cut into lines. */
struct log_lines {
    char *data;
    size_t size, capacity;
    char stream; /* o or e */
};

/* data: what came.  Out of memory: the line is cut. */
void log_lines_feed(struct log_lines *lines, struct log_writer *writer, int64_t time_ns,
                    const char *data, size_t size);
/* It ended: what is left is a line too. */
void log_lines_end(struct log_lines *lines, struct log_writer *writer, int64_t time_ns);

/* ---- reading ---------------------------------------------------------------------------------- */

/* The numbers of the files, smallest first.  *out: owned, free().  0, or a negative errno. */
int log_numbers(int folder, uint64_t **out, size_t *count);

struct log_line {
    int64_t time_ns;
    uint64_t number, offset, next; /* file; where its text begins; where the next line does */
    size_t size;                   /* of the text */
    char stream;
};

/* The lines after a cursor; or, without one, the last ones that the limits allow.  When more is there than
 * fits, the oldest are left out.  each's non-zero result ends it, and is returned.  text: size bytes, or
 * less where limits->max_line_bytes cuts; borrowed.
 * 0; a negative errno; -EINVAL: not a cursor of ours. */
int log_read(int folder, const char *cursor, const struct gantry_log_limits *limits,
             int (*each)(void *context, const struct log_line *line, const char *text, size_t size),
             void *context);

#endif
