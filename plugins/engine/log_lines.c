/* The lines to hand over.  See log_lines.h. */
#include "log_lines.h"
#include "log_decode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUT               " [cut]"
#define CUT_SIZE          (sizeof CUT - 1)
#define DEFAULT_LINES     1000u
#define DEFAULT_BYTES     (UINT64_C(1) << 20)
#define DEFAULT_LINE_SIZE (1u << 16)
#define LINES_MAX         100000u

/* How far a cursor looks back: longer than a line can wait between its stamp and the log, but not
 * for more lines than that when they come in floods.  On a busy machine a line waits for some ten
 * milliseconds, in which the other stream may have written thousands. */
#define SECOND_NS       INT64_C(1000000000)
#define LOOK_BACK_NS    SECOND_NS
#define LOOK_BACK_LINES 16384u

/* ---- cursors
 * -------------------------------------------------------------------------------------- */

static bool
take_number(const char **at, char end_char, int64_t *out)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *out = strtoll(*at, &end, 10);
    if (errno || *end != end_char)
        return false;
    *at = end + 1;
    return true;
}

bool
log_cursor_parse(const char *text, struct log_cursor *cursor)
{
    int64_t newest, back, count;
    if (!take_number(&text, '-', &newest) || !take_number(&text, '+', &back) ||
        !take_number(&text, '\0', &count) || back > newest || count > UINT32_MAX)
        return false;
    *cursor = (struct log_cursor){newest, newest - back, (uint32_t)count};
    return true;
}

void
log_cursor_print(const struct log_cursor *cursor, char *text)
{
    snprintf(text, LOG_CURSOR_TEXT, "%lld-%lld+%u", (long long)cursor->newest_ns,
             (long long)(cursor->newest_ns - cursor->from_ns), cursor->count);
}

/* ---- lines
 * ---------------------------------------------------------------------------------------- */

void
log_lines_init(struct log_lines *lines, const struct gantry_log_limits *limits,
               const struct log_cursor *start)
{
    *lines = (struct log_lines){.limits = *limits, .start = *start, .to_skip = start->count};
    struct gantry_log_limits *own = &lines->limits;
    if (own->max_lines == 0)
        own->max_lines = DEFAULT_LINES;
    if (own->max_lines > LINES_MAX)
        own->max_lines = LINES_MAX;
    if (own->max_bytes == 0)
        own->max_bytes = DEFAULT_BYTES;
    if (own->max_line_bytes == 0)
        own->max_line_bytes = DEFAULT_LINE_SIZE;
    /* A line that never fits would never be passed. */
    if (own->max_line_bytes > own->max_bytes)
        own->max_line_bytes = (uint32_t)own->max_bytes;
}

uint64_t
log_lines_pieces(const struct log_lines *lines)
{
    return (uint64_t)lines->limits.max_lines + lines->start.count +
           lines->limits.max_bytes / LOG_PIECE_SIZE + 2;
}

void
log_lines_add_since(const struct log_lines *lines, struct text *path)
{
    int64_t from_ns = lines->start.from_ns;
    if (from_ns)
        text_addf(path, "&since=%lld.%09lld", (long long)(from_ns / SECOND_NS),
                  (long long)(from_ns % SECOND_NS));
}

void
log_lines_drop_first(struct log_lines *lines)
{
    if (!lines->count)
        return;
    struct log_held *held = &lines->ring[lines->first];
    lines->bytes -= held->size;
    free(held->text);
    held->text = NULL;
    lines->first = (lines->first + 1) % lines->limits.max_lines;
    lines->count--;
}

/* How much of a cut line is kept, so that it does not end inside a character. */
static size_t
cut_size(const struct text *text, size_t max)
{
    size_t size = max > CUT_SIZE ? max - CUT_SIZE : 0;
    if (size > text->size)
        size = text->size;
    for (int i = 0; i < 3 && size > 0 && size < text->size && (text->data[size] & 0xC0) == 0x80;
         i++)
        size--;
    return size;
}

static int
hold(struct log_lines *lines, uint32_t stream, const struct text *text, uint64_t size,
     int64_t time_ns)
{
    size_t max = lines->limits.max_line_bytes;
    bool cut = size > max;
    size_t kept = cut ? cut_size(text, max) : text->size;
    size_t mark = !cut ? 0 : max < CUT_SIZE ? max : CUT_SIZE;
    char *copy = malloc(kept + mark + 1);
    if (!copy)
        return GANTRY_E_NOMEM;
    if (kept)
        memcpy(copy, text->data, kept);
    memcpy(copy + kept, CUT, mark);
    copy[kept + mark] = '\0';
    while (lines->count == lines->limits.max_lines ||
           (lines->count && lines->bytes + kept + mark > lines->limits.max_bytes))
        log_lines_drop_first(lines);
    size_t slot = (lines->first + lines->count) % lines->limits.max_lines;
    lines->ring[slot] = (struct log_held){copy, kept + mark, time_ns, stream, lines->seen - 1};
    lines->count++;
    lines->bytes += kept + mark;
    return 0;
}

static bool
note_time(struct log_lines *lines, int64_t time_ns)
{
    if (lines->seen == lines->times_size) {
        size_t size = lines->times_size ? lines->times_size * 2 : 256;
        int64_t *times = realloc(lines->times, size * sizeof *times);
        if (!times)
            return false;
        lines->times = times;
        lines->times_size = size;
    }
    lines->times[lines->seen++] = time_ns;
    return true;
}

int
log_lines_add(struct log_lines *lines, uint32_t stream, const struct text *text, uint64_t size,
              int64_t time_ns)
{
    if (!note_time(lines, time_ns))
        return GANTRY_E_NOMEM;
    /* What is newer than all that were there is new, also when the log was rotated and some of
     * those that were there are not any more. */
    if (lines->to_skip && time_ns <= lines->start.newest_ns) {
        lines->to_skip--;
        return 0;
    }
    if (!lines->ring) {
        lines->ring = calloc(lines->limits.max_lines, sizeof *lines->ring);
        if (!lines->ring)
            return GANTRY_E_NOMEM;
    }
    return hold(lines, stream, text, size, time_ns);
}

/* ---- handing over
 * --------------------------------------------------------------------------------- */

/* Walks along the lines of a read and knows the cursor after each. */
struct walk {
    const int64_t *times;
    size_t low; /* lines before it are older than now.from_ns */
    struct log_cursor now;
};

static void
move_from(struct walk *walk, int64_t from_ns, size_t index)
{
    walk->now.from_ns = from_ns;
    walk->now.count = 0;
    while (walk->low < index && walk->times[walk->low] < from_ns)
        walk->low++;
    for (size_t i = walk->low; i <= index; i++)
        walk->now.count += walk->times[i] >= from_ns;
}

static void
step(struct walk *walk, size_t index)
{
    int64_t time_ns = walk->times[index];
    struct log_cursor *now = &walk->now;
    if (time_ns > now->newest_ns)
        now->newest_ns = time_ns;
    now->count += time_ns >= now->from_ns;
    /* In steps, so that not every line makes it count anew. */
    if (now->newest_ns - now->from_ns > LOOK_BACK_NS + LOOK_BACK_NS / 4)
        move_from(walk, now->newest_ns - LOOK_BACK_NS, index);
    if (now->count >= LOOK_BACK_LINES * 2 && walk->times[index - LOOK_BACK_LINES] > now->from_ns)
        move_from(walk, walk->times[index - LOOK_BACK_LINES], index);
}

static int
emit_line(const struct log_held *held, const struct log_cursor *after,
          const struct gantry_host *host, struct gantry_call *call)
{
    char cursor[LOG_CURSOR_TEXT];
    log_cursor_print(after, cursor);
    const struct gantry_line line = {
        .size = sizeof line,
        .stream = held->stream,
        .text = held->text,
        .text_size = held->size,
        .time_ns = held->time_ns,
        .cursor = cursor,
    };
    return gantry_emit_line(host, call, &line);
}

int
log_lines_emit(const struct log_lines *lines, bool cut_off, const struct gantry_host *host,
               struct gantry_call *call)
{
    struct walk walk = {.times = lines->times, .now = lines->start};
    walk.now.count = 0; /* they came again, and are counted again */
    /* The lines in front that did not come would come, uncounted, if they were asked for. */
    if (cut_off && lines->seen && lines->times[0] > walk.now.from_ns)
        walk.now.from_ns = lines->times[0];
    int code = 0;
    size_t next = 0;
    for (size_t i = 0; code == 0 && next < lines->count; i++) {
        const struct log_held *held = &lines->ring[(lines->first + next) % lines->limits.max_lines];
        step(&walk, i);
        if (held->index != i)
            continue;
        code = emit_line(held, &walk.now, host, call);
        next++;
    }
    return code;
}

void
log_lines_clear(struct log_lines *lines)
{
    while (lines->count)
        log_lines_drop_first(lines);
    free(lines->ring);
    free(lines->times);
    lines->ring = NULL;
    lines->times = NULL;
}
