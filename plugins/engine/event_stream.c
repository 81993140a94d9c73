/* The engine's events out of a stream of bytes.  See event_stream.h. */
#include "event_stream.h"

#include <stdio.h>
#include <string.h>

void
event_stream_init(struct event_stream *stream,
                  int (*on_event)(void *context, const struct engine_event *event), void *context)
{
    *stream = (struct event_stream){
        .object = TEXT(EVENT_SIZE_MAX), .on_event = on_event, .context = context};
}

void
event_stream_clear(struct event_stream *stream)
{
    text_clear(&stream->object);
}

static int
broken(struct event_stream *stream, const char *what)
{
    text_one_line(stream->problem, sizeof stream->problem, what);
    return GANTRY_E_UNAVAILABLE;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Follow one byte into or out of strings, braces and brackets. */
static void
track(struct event_stream *stream, char c)
{
    if (stream->in_string) {
        bool escapes = c == '\\' && !stream->escaped;
        if (c == '"' && !stream->escaped)
            stream->in_string = false;
        stream->escaped = escapes;
    } else if (c == '"') {
        stream->in_string = true;
    } else if (c == '{' || c == '[') {
        stream->depth++;
    } else if (c == '}' || c == ']') {
        stream->depth--;
    }
}

static const char *
skip_blanks(const char *at)
{
    while (is_blank(*at))
        at++;
    return at;
}

/* The digits behind a key; 0 when they are none, or too many. */
static int64_t
digits(const char *at)
{
    int64_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value))
            return 0;
    return value;
}

/* Times exceed what a double holds exactly, so cJSON rounds them: the digits are read from the text.
 * Of the object itself, not of one inside it, and never inside a string. */
static int64_t
exact_time(const struct text *object)
{
    static const char key[] = "\"timeNano\"";
    const char *text = text_cstr(object);
    struct event_stream at = {0};
    for (size_t i = 0; i < object->size; i++) {
        if (at.depth == 1 && !at.in_string && strncmp(text + i, key, sizeof key - 1) == 0) {
            const char *colon = skip_blanks(text + i + sizeof key - 1);
            if (*colon == ':')
                return digits(skip_blanks(colon + 1));
        }
        track(&at, text[i]);
    }
    return 0;
}

static int
read_object(struct event_stream *stream)
{
    const struct text *object = &stream->object;
    AUTO_JSON json = cJSON_ParseWithLength(text_cstr(object), object->size);
    if (!cJSON_IsObject(json))
        return broken(stream, "an event is not JSON");
    const char *action = json_text(json, "Action");
    const char *message = json_text(json, "message");
    if (!action && message) { /* podman's, after the status was sent */
        char text[300];
        snprintf(text, sizeof text, "the engine says: %.250s", message);
        return broken(stream, text);
    }
    const char *type = json_text(json, "Type");
    const char *container = json_text(json, "Actor.ID");
    bool also = type && stream->also && strcmp(type, stream->also) == 0;
    if (!action || (type && strcmp(type, "container") != 0 && !also))
        return 0;
    struct engine_event event = {
        .action = action,
        .container = container ? container : "",
        .attributes = json_at(json, "Actor.Attributes"),
        .time_ns = exact_time(object),
    };
    return stream->on_event(stream->context, &event);
}

/* How many bytes belong to the current object. */
static size_t
take_part(struct event_stream *stream, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        track(stream, data[i]);
        if (stream->depth == 0)
            return i + 1;
    }
    return size;
}

int
event_stream_feed(struct event_stream *stream, const char *data, size_t size)
{
    while (size) {
        if (stream->depth == 0 && is_blank(*data)) {
            data++;
            size--;
            continue;
        }
        if (stream->depth == 0 && *data != '{')
            return broken(stream, "an event is not JSON");
        size_t part = take_part(stream, data, size);
        text_add_bytes(&stream->object, data, part);
        if (stream->object.failed)
            return broken(stream, "an event is too large");
        data += part;
        size -= part;
        if (stream->depth > 0)
            return 0;
        int code = read_object(stream);
        text_reset(&stream->object);
        if (code < 0)
            return code;
    }
    return 0;
}

int
event_stream_finish(struct event_stream *stream)
{
    return stream->depth > 0 ? broken(stream, "it ended in the middle of an event") : 0;
}

bool
event_changes_something(const char *action)
{
    static const char *const actions[] = {
        "create", "start",  "restart", "die",    "stop",   "pause", "unpause",
        "oom",    "rename", "destroy", "update", "remove", "died", /* the last two are podman's */
    };
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(action, actions[i]) == 0)
            return true;
    return strncmp(action, "health_status", strlen("health_status")) == 0;
}
