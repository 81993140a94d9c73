/* Writing the log: lines into files that are exchanged when they are full.  See log_file.h.
 *
 * A disk that is full costs lines, never the program: it is not held up and not ended. */
#include "log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHUNK      4096
#define KEPT_BYTES ((size_t)65536) /* more is not kept for the next line */

static void
name_of(char *name, size_t size, uint64_t number)
{
    snprintf(name, size, "log.%llu", (unsigned long long)number);
}

static void
remove_old(struct log_writer *writer)
{
    uint64_t *numbers;
    size_t count;
    if (log_numbers(writer->folder, &numbers, &count) < 0)
        return;
    for (size_t i = 0; i + writer->max_files < count; i++) {
        char name[40];
        name_of(name, sizeof name, numbers[i]);
        unlinkat(writer->folder, name, 0);
    }
    free(numbers);
}

static void
open_file(struct log_writer *writer, int flags)
{
    char name[40];
    struct stat about;
    name_of(name, sizeof name, writer->number);
    writer->fd = openat(writer->folder, name,
                        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    writer->size = writer->fd >= 0 && fstat(writer->fd, &about) == 0 ? (uint64_t)about.st_size : 0;
}

static void
next_file(struct log_writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    writer->number++;
    open_file(writer, O_EXCL);
    remove_old(writer);
}

void
log_writer_open(struct log_writer *writer, int folder, uint64_t max_size, uint64_t max_files)
{
    uint64_t *numbers = NULL;
    size_t count = 0;
    *writer = (struct log_writer){.folder = folder, .fd = -1, .number = 1};
    writer->max_size = max_size ? max_size : 1;
    writer->max_files = max_files ? max_files : 1;
    if (log_numbers(folder, &numbers, &count) == 0 && count)
        writer->number = numbers[count - 1];
    free(numbers);
    open_file(writer, 0);
    /* The last writer may have been killed in the middle of a line. */
    if (writer->fd >= 0 && writer->size && write(writer->fd, "\n", 1) == 1)
        writer->size++;
    remove_old(writer);
}

void
log_writer_add(struct log_writer *writer, char stream, int64_t time_ns, const char *text,
               size_t size)
{
    char head[40], end = '\n';
    int length = snprintf(head, sizeof head, "%lld %c ", (long long)time_ns, stream);
    size_t whole = (size_t)length + size + 1;
    if (writer->fd < 0 || (writer->size && writer->size + whole > writer->max_size))
        next_file(writer);
    struct iovec parts[] = {{head, (size_t)length}, {(char *)(uintptr_t)text, size}, {&end, 1}};
    ssize_t wrote = writer->fd < 0 ? -1 : writev(writer->fd, parts, 3);
    if (wrote == (ssize_t)whole)
        writer->size += whole;
    else if (wrote > 0 && ftruncate(writer->fd, (off_t)writer->size) < 0)
        next_file(writer); /* half a line stays at the end of that file, and is not read */
}

void
log_writer_close(struct log_writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    writer->fd = -1;
}

/* ---- lines ------------------------------------------------------------------------------------ */

static void
flush(struct log_lines *lines, struct log_writer *writer, int64_t time_ns)
{
    log_writer_add(writer, lines->stream, time_ns, lines->data ? lines->data : "", lines->size);
    lines->size = 0;
    if (lines->capacity > KEPT_BYTES) {
        free(lines->data);
        lines->data = NULL;
        lines->capacity = 0;
    }
}

static bool
reserve(struct log_lines *lines, size_t more)
{
    size_t needed = lines->size + more, capacity = lines->capacity ? lines->capacity : CHUNK;
    if (needed <= lines->capacity)
        return true;
    while (capacity < needed)
        capacity *= 2;
    char *data = realloc(lines->data, capacity);
    if (!data)
        return false;
    lines->data = data;
    lines->capacity = capacity;
    return true;
}

static void
add_piece(struct log_lines *lines, struct log_writer *writer, int64_t time_ns, const char *data,
          size_t size)
{
    while (size) {
        size_t room = LOG_LINE_MAX - lines->size, part = size < room ? size : room;
        if (part && reserve(lines, part)) {
            memcpy(lines->data + lines->size, data, part);
            lines->size += part;
        }
        data += part;
        size -= part;
        if (size)
            flush(lines, writer, time_ns);
    }
}

void
log_lines_feed(struct log_lines *lines, struct log_writer *writer, int64_t time_ns,
               const char *data, size_t size)
{
    while (size) {
        const char *newline = memchr(data, '\n', size);
        size_t part = newline ? (size_t)(newline - data) : size;
        add_piece(lines, writer, time_ns, data, part);
        if (newline)
            flush(lines, writer, time_ns);
        part += newline != NULL;
        data += part;
        size -= part;
    }
}

void
log_lines_end(struct log_lines *lines, struct log_writer *writer, int64_t time_ns)
{
    if (lines->size)
        flush(lines, writer, time_ns);
    free(lines->data);
    lines->data = NULL;
    lines->capacity = 0;
}
