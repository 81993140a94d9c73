/* fuzz_events.c - any bytes are refused, or are events; and which of the two, and which events, does not
 * depend on the pieces in which they arrive. */
#include "event_stream.h"
#include "fuzz.h"

#include <string.h>

struct seen {
    size_t count, sum; /* a number that stands for what was seen */
};

static int
note(void *context, const struct engine_event *event)
{
    struct seen *seen = context;
    must(event->action && event->container && event->time_ns >= 0);
    seen->count++;
    seen->sum =
        seen->sum * 31 + strlen(event->action) + strlen(event->container) + (size_t)event->time_ns;
    return 0;
}

static int
read_in_pieces(const char *data, size_t size, size_t piece, struct seen *seen)
{
    struct event_stream stream;
    int code = 0;
    event_stream_init(&stream, note, seen);
    for (size_t at = 0; code == 0 && at < size; at += piece)
        code = event_stream_feed(&stream, data + at, size - at < piece ? size - at : piece);
    if (code == 0)
        code = event_stream_finish(&stream);
    must((code < 0) == (stream.problem[0] != '\0'));
    event_stream_clear(&stream);
    return code;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole = {0}, pieces = {0};
    const char *text = (const char *)data;
    int code = read_in_pieces(text, size, size ? size : 1, &whole);
    must(read_in_pieces(text, size, 1 + size / 7, &pieces) == code);
    must(whole.count == pieces.count && whole.sum == pieces.sum);
    return 0;
}
