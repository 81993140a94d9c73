/* Reading the log.  See log_file.h.
 *
 * Two passes: the first finds where the lines begin and keeps the places of the newest that fit; the
 * second reads their texts.  So a read needs little memory, whatever the limits. */
#include "log_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CUT               " [cut]"
#define CUT_SIZE          (sizeof CUT - 1)
#define DEFAULT_LINES     1000u
#define DEFAULT_BYTES     (UINT64_C(1) << 20)
#define DEFAULT_LINE_SIZE (1u << 16)
#define LINES_MAX         100000u
#define BLOCK             65536

/* ---- files ------------------------------------------------------------------------------------ */

static bool
parse_number(const char **at, uint64_t *out)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *out = strtoull(*at, &end, 10);
    *at = end;
    return errno == 0;
}

static bool
number_of(const char *name, uint64_t *number)
{
    if (strncmp(name, "log.", 4) != 0)
        return false;
    name += 4;
    return parse_number(&name, number) && !*name;
}

static int
compare(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

int
log_numbers(int folder, uint64_t **out, size_t *count)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (!entries) {
        int rc = -errno;
        if (fd >= 0)
            close(fd);
        return rc;
    }
    uint64_t *numbers = NULL, number;
    size_t used = 0, room = 0;
    int rc = 0;
    const struct dirent *entry;
    while (rc == 0 && (errno = 0, entry = readdir(entries))) {
        if (!number_of(entry->d_name, &number))
            continue;
        if (used == room) {
            room = room ? room * 2 : 8;
            uint64_t *more = realloc(numbers, room * sizeof *more);
            if (!more) {
                rc = -ENOMEM;
                break;
            }
            numbers = more;
        }
        numbers[used++] = number;
    }
    if (rc == 0)
        rc = -errno;
    closedir(entries);
    if (rc < 0) {
        free(numbers);
        return rc;
    }
    if (used)
        qsort(numbers, used, sizeof *numbers, compare);
    *out = numbers;
    *count = used;
    return 0;
}

/* ---- the newest lines that fit ----------------------------------------------------------------- */

struct reader {
    int folder;
    struct gantry_log_limits limits;
    struct log_line *ring; /* limits.max_lines slots */
    size_t room, first, count;
    uint64_t bytes;
};

static size_t
shown_size(const struct reader *reader, const struct log_line *line)
{
    return line->size < reader->limits.max_line_bytes ? line->size : reader->limits.max_line_bytes;
}

static void
drop_first(struct reader *reader)
{
    reader->bytes -= shown_size(reader, &reader->ring[reader->first]);
    reader->first = (reader->first + 1) % reader->room;
    reader->count--;
}

/* The ring grows with what is there, and not with what is allowed. */
static int
grow(struct reader *reader)
{
    size_t room = reader->room ? reader->room * 2 : 64;
    if (room > reader->limits.max_lines)
        room = reader->limits.max_lines;
    struct log_line *ring = malloc(room * sizeof *ring);
    if (!ring)
        return -ENOMEM;
    for (size_t i = 0; i < reader->count; i++)
        ring[i] = reader->ring[(reader->first + i) % reader->room];
    free(reader->ring);
    reader->ring = ring;
    reader->room = room;
    reader->first = 0;
    return 0;
}

static int
keep(struct reader *reader, const struct log_line *line)
{
    size_t size = shown_size(reader, line);
    while (reader->count && (reader->count == reader->limits.max_lines ||
                             reader->bytes + size > reader->limits.max_bytes))
        drop_first(reader);
    if (reader->count == reader->room && grow(reader) < 0)
        return -ENOMEM;
    reader->ring[(reader->first + reader->count++) % reader->room] = *line;
    reader->bytes += size;
    return 0;
}

/* From the beginning of a line to its text; false: no line of ours, which is left out. */
static bool
parse_head(const char *text, size_t size, struct log_line *line)
{
    int64_t time_ns = 0;
    size_t i = 0;
    for (; i < size && text[i] >= '0' && text[i] <= '9'; i++)
        if (__builtin_mul_overflow(time_ns, 10, &time_ns) ||
            __builtin_add_overflow(time_ns, text[i] - '0', &time_ns))
            return false;
    if (i == 0 || i + 3 > size || text[i] != ' ' || (text[i + 1] != 'o' && text[i + 1] != 'e') ||
        text[i + 2] != ' ')
        return false;
    line->time_ns = time_ns;
    line->stream = text[i + 1];
    line->offset += i + 3;
    line->size = 0;
    return true;
}

/* The lines of one file from an offset on; what has no line end yet is left for the next time. */
static int
scan(struct reader *reader, int fd, uint64_t number, uint64_t offset)
{
    char *block = malloc(BLOCK);
    uint64_t begin = offset; /* of the line that is being read */
    char head[40];
    size_t have = 0;
    int rc = block ? 0 : -ENOMEM;
    for (ssize_t got; rc == 0; offset += (uint64_t)got) {
        got = pread(fd, block, BLOCK, (off_t)offset);
        if (got <= 0) {
            rc = got < 0 && errno != EINTR ? -errno : 0;
            if (got == 0 || rc < 0)
                break;
            got = 0;
        }
        for (const char *at = block, *end = block + got; rc == 0 && at < end;) {
            const char *newline = memchr(at, '\n', (size_t)(end - at));
            size_t part = (size_t)((newline ? newline : end) - at);
            size_t copy = part < sizeof head - have ? part : sizeof head - have;
            memcpy(head + have, at, copy);
            have += copy;
            at += part + (newline != NULL);
            if (!newline)
                continue;
            uint64_t next = offset + (uint64_t)(at - block);
            struct log_line line = {.number = number, .offset = begin, .next = next};
            if (parse_head(head, have, &line)) {
                line.size = (size_t)(next - 1 - line.offset);
                rc = keep(reader, &line);
            }
            begin = next;
            have = 0;
        }
    }
    free(block);
    return rc;
}

static int
open_number(int folder, uint64_t number)
{
    char name[40];
    snprintf(name, sizeof name, "log.%llu", (unsigned long long)number);
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

static int
scan_all(struct reader *reader, uint64_t number, uint64_t offset)
{
    uint64_t *numbers = NULL;
    size_t count = 0;
    int rc = log_numbers(reader->folder, &numbers, &count);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (numbers[i] < number)
            continue;
        int fd = open_number(reader->folder, numbers[i]);
        if (fd == -ENOENT)
            continue; /* it was the oldest, and went meanwhile */
        rc = fd < 0 ? fd : scan(reader, fd, numbers[i], numbers[i] == number ? offset : 0);
        if (fd >= 0)
            close(fd);
    }
    free(numbers);
    return rc;
}

/* ---- handing over ------------------------------------------------------------------------------ */

/* How much of a cut line is kept, so that it does not end inside a character. */
static size_t
cut_size(const char *text, size_t max)
{
    size_t size = max > CUT_SIZE ? max - CUT_SIZE : 0;
    for (int i = 0; i < 3 && size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80; i++)
        size--;
    return size;
}

static int
tell(const struct reader *reader, int fd, const struct log_line *line, char *text,
     int (*each)(void *, const struct log_line *, const char *, size_t), void *context)
{
    size_t size = shown_size(reader, line), max = reader->limits.max_line_bytes, have = 0;
    while (have < size) {
        ssize_t got = pread(fd, text + have, size - have, (off_t)(line->offset + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        have += (size_t)got;
    }
    if (line->size > max && size) {
        size_t kept = cut_size(text, size), mark = size - kept < CUT_SIZE ? size - kept : CUT_SIZE;
        memcpy(text + kept, CUT, mark);
        size = kept + mark;
    }
    return each(context, line, text, size);
}

static int
tell_all(const struct reader *reader,
         int (*each)(void *, const struct log_line *, const char *, size_t), void *context)
{
    char *text = malloc((size_t)reader->limits.max_line_bytes + 1);
    uint64_t number = 0;
    int fd = -1, rc = text ? 0 : -ENOMEM;
    for (size_t i = 0; rc == 0 && i < reader->count; i++) {
        const struct log_line *line = &reader->ring[(reader->first + i) % reader->room];
        if (line->number != number) {
            if (fd >= 0)
                close(fd);
            number = line->number;
            fd = open_number(reader->folder, number);
        }
        if (fd >= 0)
            rc = tell(reader, fd, line, text, each, context);
        else if (fd != -ENOENT) /* that file has gone between the passes */
            rc = fd;
    }
    if (fd >= 0)
        close(fd);
    free(text);
    return rc;
}

int
log_read(int folder, const char *cursor, const struct gantry_log_limits *limits,
         int (*each)(void *, const struct log_line *, const char *, size_t), void *context)
{
    struct reader reader = {.folder = folder, .limits = *limits};
    struct gantry_log_limits *own = &reader.limits;
    uint64_t number = 0, offset = 0;
    if (cursor && (!parse_number(&cursor, &number) || *cursor++ != ':' ||
                   !parse_number(&cursor, &offset) || *cursor || offset > INT64_MAX))
        return -EINVAL;
    if (own->max_lines == 0)
        own->max_lines = DEFAULT_LINES;
    if (own->max_lines > LINES_MAX)
        own->max_lines = LINES_MAX;
    if (own->max_bytes == 0)
        own->max_bytes = DEFAULT_BYTES;
    if (own->max_line_bytes == 0)
        own->max_line_bytes = DEFAULT_LINE_SIZE;
    if (own->max_line_bytes > LOG_LINE_MAX)
        own->max_line_bytes = LOG_LINE_MAX;
    if (own->max_line_bytes > own->max_bytes)
        own->max_line_bytes = (uint32_t)own->max_bytes;
    int rc = scan_all(&reader, number, offset);
    if (rc == 0)
        rc = tell_all(&reader, each, context);
    free(reader.ring);
    return rc;
}
