/* Progress lines of a pull.  See pull_stream.h. */
#include "pull_stream.h"

#include "json.h"

#include <string.h>

void
pull_stream_init(struct pull_stream *stream)
{
    *stream = (struct pull_stream){.line = TEXT(1 << 20)};
}

void
pull_stream_clear(struct pull_stream *stream)
{
    text_clear(&stream->line);
}

static struct pull_layer *
find_layer(struct pull_stream *stream, const char *id)
{
    for (size_t i = 0; i < stream->layer_count; i++)
        if (strncmp(stream->layers[i].id, id, sizeof stream->layers[i].id - 1) == 0)
            return &stream->layers[i];
    if (stream->layer_count == PULL_LAYERS_MAX)
        return NULL; /* its progress is not shown, nothing else */
    struct pull_layer *layer = &stream->layers[stream->layer_count++];
    *layer = (struct pull_layer){0};
    strncpy(layer->id, id, sizeof layer->id - 1);
    return layer;
}

static void
note_progress(struct pull_stream *stream, const cJSON *line)
{
    const char *id = json_text(line, "id"), *status = json_text(line, "status");
    if (!id || !status)
        return;
    bool complete =
        strcmp(status, "Download complete") == 0 || strcmp(status, "Pull complete") == 0;
    if (!complete && strcmp(status, "Downloading") != 0)
        return;
    struct pull_layer *layer = find_layer(stream, id);
    if (!layer)
        return;
    int64_t current = json_integer(line, "progressDetail.current");
    int64_t total = json_integer(line, "progressDetail.total");
    uint64_t done = complete ? layer->total : current > 0 ? (uint64_t)current : 0;
    uint64_t all = !complete && total > 0 ? (uint64_t)total : layer->total;
    if (done != layer->done || all != layer->total) {
        stream->done += done - layer->done;
        stream->total += all - layer->total;
        layer->done = done;
        layer->total = all;
        stream->moved = true;
    }
}

static void
read_line(struct pull_stream *stream)
{
    AUTO_JSON line = json_parse(&stream->line);
    text_reset(&stream->line);
    const char *error = json_text(line, "errorDetail.message");
    if (!error)
        error = json_text(line, "error");
    if (error && !stream->error[0])
        text_one_line(stream->error, sizeof stream->error, error[0] ? error : "no reason given");
    note_progress(stream, line);
}

int
pull_stream_feed(struct pull_stream *stream, const char *data, size_t size)
{
    while (size) {
        const char *end = memchr(data, '\n', size);
        size_t part = end ? (size_t)(end - data) : size;
        text_add_bytes(&stream->line, data, part);
        if (stream->line.failed)
            return GANTRY_E_NOMEM;
        if (!end)
            return 0;
        read_line(stream);
        data = end + 1;
        size -= part + 1;
    }
    return 0;
}

void
pull_stream_finish(struct pull_stream *stream)
{
    if (stream->line.size)
        read_line(stream);
}
