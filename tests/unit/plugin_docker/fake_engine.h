/* fake_engine.h - a host whose HTTP client answers from a script, for tests without any engine. */
#ifndef FAKE_ENGINE_H
#define FAKE_ENGINE_H

#include "engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

#define LOG_CURSOR_SIZE 64

struct fake_answer {
    const char *request; /* what must be asked: "GET /v1.41/containers/x/json" */
    uint32_t status;     /* 0: no answer, but the code */
    const char *body;
    int code;
    const char *date; /* its header; may be NULL */
};

struct fake_event {
    uint32_t kind;
    char handle[72], id[72];
};

struct fake_engine {
    struct gantry_host host;
    struct gantry_http http;
    struct engine engine;
    struct engine_task task;
    char said[1000]; /* the text of the last failure, as the host got it */
    struct gantry_line lines[64];
    char texts[64][64], cursors[64][LOG_CURSOR_SIZE];
    size_t line_count;
    uint32_t last_state;
    size_t status_count;
    struct fake_event events[64];
    size_t event_count;
    int emit_code; /* what emitting an event returns */
    bool
        cancel_at_end; /* the call is cancelled when all answers were asked for; pauses are short */
};
/* answers: given in this order; asking more, or something else, fails the test. */
void fake_begin(struct fake_engine *fake, const struct fake_answer *answers, size_t count);
void fake_end(struct fake_engine *fake); /* all answers were asked for */

#endif
