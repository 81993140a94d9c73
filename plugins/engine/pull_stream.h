/* pull_stream.h - the engine's progress lines while it pulls: how far it is, and whether it failed.
 *
 * The answer to a pull is 200 before the first layer is there; what goes wrong later stands inside
 * the stream.  Only a stream without an error object that ended cleanly means success. */
#ifndef ENGINE_PULL_STREAM_H
#define ENGINE_PULL_STREAM_H

#include "text.h"

#include <stdint.h>

#define PULL_LAYERS_MAX 256

struct pull_layer {
    char id[24];
    uint64_t done, total;
};

struct pull_stream {
    struct text line; /* what came of the current line */
    struct pull_layer layers[PULL_LAYERS_MAX];
    size_t layer_count;
    uint64_t done, total; /* bytes over all layers */
    bool moved;           /* done or total changed since the caller looked */
    char error[500];      /* "" while nothing failed */
};

void pull_stream_init(struct pull_stream *stream);
/* 0, or GANTRY_E_NOMEM when a line is longer than any engine's. */
int pull_stream_feed(struct pull_stream *stream, const char *data, size_t size);
/* The stream ended: a last line without its end counts. */
void pull_stream_finish(struct pull_stream *stream);
void pull_stream_clear(struct pull_stream *stream);

#endif
