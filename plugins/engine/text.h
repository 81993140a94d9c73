/* text.h - growing text for the engine plugins: requests, replies, log lines.
 *
 * A text has a maximum, given at birth, and remembers its first failure (no memory, or too long): a
 * hundred appends need one look at `failed` at the end.  It is always NUL-terminated once something
 * was added.  A secret text is wiped whenever its memory is given back, also when it grows. */
#ifndef ENGINE_TEXT_H
#define ENGINE_TEXT_H

#include <gantry/types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data;  /* may be NULL while nothing was added */
    size_t size; /* without the NUL */
    size_t capacity;
    size_t max;
    bool failed;
    bool secret;
};

#define TEXT(max_bytes)        ((struct text){.max = (max_bytes)})
#define TEXT_SECRET(max_bytes) ((struct text){.max = (max_bytes), .secret = true})
#define AUTO_TEXT              __attribute__((cleanup(text_clear))) struct text

void text_add_bytes(struct text *text, const void *bytes, size_t size);
void text_add(struct text *text, const char *string);
void text_add_char(struct text *text, char c);
GANTRY_PRINTF(2, 3) void text_addf(struct text *text, const char *format, ...);

/* A JSON string with its quotes. */
void text_add_json(struct text *text, const char *string);
/* Percent-encoded for a path segment or a query value. */
void text_add_url(struct text *text, const char *string);
/* Base64 with the URL alphabet and padding. */
void text_add_base64url(struct text *text, const void *bytes, size_t size);

const char *text_cstr(const struct text *text); /* "" when empty; borrowed */
void text_reset(struct text *text);             /* empty again, memory and failure kept */
void text_clear(struct text *text);             /* frees; may be used again */

/* Is this text well-formed UTF-8? */
bool text_is_utf8(const char *string);
/* Copies source into target[size] for a message: one line, cut where it does not fit. */
void text_one_line(char *target, size_t size, const char *source);

#endif
