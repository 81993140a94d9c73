/* event_stream.h - the engine's events out of the bytes that arrive: JSON objects one behind another, cut
 * anywhere by the network.
 *
 * What is no JSON ends the stream: whoever follows it cannot know what else was lost. */
#ifndef ENGINE_EVENT_STREAM_H
#define ENGINE_EVENT_STREAM_H

#include "json.h"
#include "text.h"

/* The largest object that is read; Docker's own are a few kilobytes, most of it labels. */
#define EVENT_SIZE_MAX ((size_t)4 << 20)

struct engine_event {
    const char *action;      /* "die", "health_status: healthy" */
    const char *container;   /* id of that, of whatever type it is; "" when the event has none */
    const cJSON *attributes; /* labels among them; may be NULL */
    int64_t time_ns;         /* Unix time, exact; 0: not told */
};

struct event_stream {
    struct text object; /* what came of the current one */
    int depth;          /* of braces and brackets */
    const char
        *also; /* events of this type are handed over too, beside those of containers; or NULL */
    bool in_string, escaped;
    /* A non-zero code ends the stream with it.  event: borrowed. */
    int (*on_event)(void *context, const struct engine_event *event);
    void *context;
    char problem[400]; /* what is wrong with the stream; "" while nothing is */
};

void event_stream_init(struct event_stream *stream,
                       int (*on_event)(void *context, const struct engine_event *event),
                       void *context);
/* 0, what on_event returned, or GANTRY_E_UNAVAILABLE with the problem. */
int event_stream_feed(struct event_stream *stream, const char *data, size_t size);
/* The stream has ended well: not in the middle of an object, or GANTRY_E_UNAVAILABLE. */
int event_stream_finish(struct event_stream *stream);
void event_stream_clear(struct event_stream *stream);

/* May inspect() say something else after this action than before?  A signal (kill) changes nothing by itself: die
 * follows, or not. */
bool event_changes_something(const char *action);

#endif
