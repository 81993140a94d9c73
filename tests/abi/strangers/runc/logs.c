/* logs.c - the lines of a workload: two files, one a stream.  A cursor is "OUT:ERR", the bytes of each that were
 * read.  The common order of what one run has written is not known: standard output comes first. */
#include "runc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct stream {
    uint32_t kind;
    const char *bytes; /* mapped; NULL when the file is empty */
    size_t size;
    size_t read; /* as the cursor says */
};

/* What one run has written to one stream. */
struct part {
    struct stream *stream;
    size_t from, end;
};

struct log {
    struct stream out, err;
    struct part *parts; /* two for each run, oldest first */
    size_t part_count;
};

static int
map_stream(struct step *step, const struct bundle *bundle, const char *file, struct stream *stream)
{
    char path[PATH_MAX];
    struct stat about;
    int fd = open(bundle_path(bundle, file, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &about) != 0) {
        if (fd >= 0)
            close(fd);
        return FAIL(step, GANTRY_E_UNAVAILABLE, "log '%s' cannot be read: error %d", path, errno);
    }
    stream->size = (size_t)about.st_size;
    if (stream->size > 0) {
        void *bytes = mmap(NULL, stream->size, PROT_READ, MAP_PRIVATE, fd, 0);
        stream->bytes = bytes == MAP_FAILED ? NULL : bytes;
    }
    close(fd);
    if (stream->size > 0 && !stream->bytes)
        return FAIL(step, GANTRY_E_NOMEM, "log '%s' does not fit into memory", path);
    return 0;
}

/* A part from what the cursor says on.  A last line without its end counts when no more can come. */
static void
add_part(struct log *log, struct stream *stream, size_t begin, size_t end, bool ended)
{
    end = end < stream->size ? end : stream->size;
    while (!ended && end > begin && stream->bytes[end - 1] != '\n')
        end--;
    begin = begin > stream->read ? begin : stream->read;
    log->parts[log->part_count++] =
        (struct part){.stream = stream, .from = begin < end ? begin : end, .end = end};
}

/* The file marks has the sizes of both files at the start of each run. */
static int
divide(struct step *step, const struct bundle *bundle, struct log *log, bool ended)
{
    char path[PATH_MAX];
    char *marks = file_read(bundle_path(bundle, "marks", path));
    size_t runs = 0;
    if (!marks && errno != ENOENT)
        return FAIL(step, GANTRY_E_UNAVAILABLE, "file '%s' cannot be read: error %d", path, errno);
    for (const char *at = marks; at && *at; at++)
        runs += *at == '\n';
    log->parts = calloc(2 * runs + 1, sizeof *log->parts);
    if (!log->parts) {
        free(marks);
        return FAIL(step, GANTRY_E_NOMEM, "out of memory");
    }
    char *at = marks;
    size_t out = runs ? strtoull(at, &at, 10) : 0, err = runs ? strtoull(at, &at, 10) : 0;
    for (size_t i = 1; i <= runs; i++) {
        bool last = i == runs;
        size_t next_out = last ? SIZE_MAX : strtoull(at, &at, 10);
        size_t next_err = last ? SIZE_MAX : strtoull(at, &at, 10);
        add_part(log, &log->out, out, next_out, !last || ended);
        add_part(log, &log->err, err, next_err, !last || ended);
        out = next_out;
        err = next_err;
    }
    free(marks);
    return 0;
}

/* Leave out the oldest lines, so that what is left keeps to the limits. */
static void
limit(struct part *part, uint64_t *lines, uint64_t *bytes, const struct gantry_log_limits *limits)
{
    const char *text = part->stream->bytes;
    size_t at = part->end;
    while (at > part->from) {
        size_t end = text[at - 1] == '\n' ? at - 1 : at;
        size_t begin = end;
        while (begin > part->from && text[begin - 1] != '\n')
            begin--;
        uint64_t size = end - begin < limits->max_line_bytes ? end - begin : limits->max_line_bytes;
        if (*lines == 0 || size > *bytes) {
            *lines = 0; /* so that no older part has any */
            break;
        }
        --*lines;
        *bytes -= size;
        at = begin;
    }
    part->from = at;
}

static int
emit_line(struct step *step, const struct stream *stream, size_t begin, size_t end,
          const char *cursor, const struct gantry_log_limits *limits)
{
    static const char mark[] = " [cut]";
    struct gantry_line line = {
        .size = sizeof line,
        .stream = stream->kind,
        .text = stream->bytes + begin,
        .text_size = end - begin,
        .cursor = cursor,
    };
    if (line.text_size <= limits->max_line_bytes)
        return gantry_emit_line(step->runc->host, step->call, &line);
    char *cut = malloc(limits->max_line_bytes + sizeof mark);
    if (!cut)
        return FAIL(step, GANTRY_E_NOMEM, "out of memory");
    memcpy(cut, line.text, limits->max_line_bytes);
    memcpy(cut + limits->max_line_bytes, mark, sizeof mark);
    line.text = cut;
    line.text_size = limits->max_line_bytes + sizeof mark - 1;
    int rc = gantry_emit_line(step->runc->host, step->call, &line);
    free(cut);
    return rc;
}

static int
emit_part(struct step *step, struct log *log, const struct part *part,
          const struct gantry_log_limits *limits)
{
    struct stream *stream = part->stream;
    int rc = 0;
    for (size_t at = part->from; at < part->end && rc == 0; at = stream->read) {
        char cursor[48];
        const char *newline = memchr(stream->bytes + at, '\n', part->end - at);
        size_t end = newline ? (size_t)(newline - stream->bytes) : part->end;
        stream->read = newline ? end + 1 : end;
        snprintf(cursor, sizeof cursor, "%zu:%zu", log->out.read, log->err.read);
        rc = emit_line(step, stream, at, end, cursor, limits);
    }
    return rc;
}

int
logs_emit(struct step *step, const struct bundle *bundle, const char *cursor,
          const struct gantry_log_limits *limits)
{
    struct log log = {.out.kind = GANTRY_STREAM_STDOUT, .err.kind = GANTRY_STREAM_STDERR};
    char *rest = NULL;
    struct gantry_log_limits most = {
        .max_lines = limits->max_lines ? limits->max_lines : UINT32_MAX,
        .max_bytes = limits->max_bytes ? limits->max_bytes : UINT64_MAX,
        .max_line_bytes = limits->max_line_bytes ? limits->max_line_bytes : UINT32_MAX - 16,
    };
    uint64_t lines = most.max_lines, bytes = most.max_bytes;
    log.out.read = cursor ? strtoull(cursor, &rest, 10) : 0;
    log.err.read = rest && *rest == ':' ? strtoull(rest + 1, NULL, 10) : 0;
    bool ended = bundle_has(bundle, "exit"); /* before the files are read: then they are complete */
    int rc = map_stream(step, bundle, "stdout", &log.out);
    if (rc == 0)
        rc = map_stream(step, bundle, "stderr", &log.err);
    if (rc == 0)
        rc = divide(step, bundle, &log, ended);
    for (size_t i = log.part_count; i > 0; i--)
        limit(&log.parts[i - 1], &lines, &bytes, &most);
    for (size_t i = 0; i < log.part_count && rc == 0; i++)
        rc = emit_part(step, &log, &log.parts[i], &most);
    free(log.parts);
    if (log.out.bytes)
        munmap((void *)(uintptr_t)log.out.bytes, log.out.size);
    if (log.err.bytes)
        munmap((void *)(uintptr_t)log.err.bytes, log.err.size);
    return rc;
}
