/* log.c - structured log: one line an event, as text for people or as JSON for machines. */
#include "log.h"

#include "buf.h"
#include "clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { VALUE_MAX = 8 * 1024, LINE_MAX_BYTES = 64 * 1024 };

static const char *
level_word(enum log_level level)
{
#define WORD_(name, word)                                                                          \
    case LOG_##name:                                                                               \
        return word;
    switch (level) {
        LOG_LEVELS(WORD_)
    case LOG_LEVELS_COUNT:
        break;
    }
#undef WORD_
    return "unknown";
}

void
log_init(struct log *log, enum log_level level, enum log_format format, struct log_sink sink)
{
    atomic_init(&log->level, level);
    atomic_init(&log->format, format);
    log->sink = sink;
    pthread_mutex_init(&log->lock, NULL);
}

void
log_clear(struct log *log)
{
    pthread_mutex_destroy(&log->lock);
    log->sink = (struct log_sink){NULL, NULL};
}

/* A value that could be mistaken for the line's own structure is quoted. */
static bool
needs_quotes(struct str s)
{
    if (s.len == 0 || str_utf8_valid_length(s) != s.len)
        return true;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c <= 0x20 || c == '"' || c == '\\' || c == '=' || c == 0x7f)
            return true;
    }
    return false;
}

static struct str
shortened(const char *text)
{
    struct str s = {text, strnlen(text, VALUE_MAX + 1)};
    if (s.len > VALUE_MAX) {
        s.len = VALUE_MAX;
        while (s.len && ((unsigned char)text[s.len] & 0xc0) == 0x80)
            s.len--;
    }
    return s;
}

static void
add_text_field(struct buf *line, const struct log_field *field)
{
    buf_add_fmt(line, " %s=", field->name);
    switch (field->kind) {
    case LOG_FIELD_STR: {
        struct str value = shortened(field->text);
        if (needs_quotes(value))
            buf_add_json(line, value);
        else
            buf_add(line, value);
        break;
    }
    case LOG_FIELD_INT:
        buf_add_fmt(line, "%" PRId64, field->number);
        break;
    case LOG_FIELD_MS:
        buf_add_fmt(line, "%" PRId64 "ms", field->number);
        break;
    case LOG_FIELD_BOOL:
        buf_add_text(line, field->number ? "true" : "false");
        break;
    case LOG_FIELD_END:
        break;
    }
}

static void
add_json_field(struct buf *line, const struct log_field *field)
{
    buf_add_fmt(line, ",\"%s%s\":", field->name, field->kind == LOG_FIELD_MS ? "_ms" : "");
    switch (field->kind) {
    case LOG_FIELD_STR:
        buf_add_json(line, shortened(field->text));
        break;
    case LOG_FIELD_INT:
    case LOG_FIELD_MS:
        buf_add_fmt(line, "%" PRId64, field->number);
        break;
    case LOG_FIELD_BOOL:
        buf_add_text(line, field->number ? "true" : "false");
        break;
    case LOG_FIELD_END:
        break;
    }
}

static void
build_line(struct buf *line, enum log_format format, const char *time, enum log_level level,
           const char *event, va_list args)
{
    bool json = format == LOG_JSON;
    if (json) {
        buf_add_fmt(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", time, level_word(level));
        buf_add_json(line, str_of(event));
    } else {
        buf_add_fmt(line, "%s %-5s %s", time, level_word(level), event);
    }
    for (;;) {
        struct log_field field = va_arg(args, struct log_field);
        if (field.kind == LOG_FIELD_END)
            break;
        if (field.kind == LOG_FIELD_STR && !field.text)
            continue;
        if (json)
            add_json_field(line, &field);
        else
            add_text_field(line, &field);
    }
    if (json)
        buf_add_char(line, '}');
}

void
log_write(struct log *log, enum log_level level, const char *event, ...)
{
    if (!log_enabled(log, level))
        return;
    char time[CLOCK_RFC3339_SIZE];
    clock_rfc3339(clock_wall_ms(), time);
    AUTO_BUF struct buf line = BUF_INIT(LINE_MAX_BYTES);
    va_list args;
    va_start(args, event);
    enum log_format format = log->format;
    build_line(&line, format, time, level, event, args);
    va_end(args);
    struct str whole = buf_view(&line);
    char plain[256];
    if (buf_failed(&line)) { /* half a line of JSON helps nobody: the event alone, without memory */
        const char *shape = format == LOG_JSON
                                ? "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%.100s\","
                                  "\"fields_lost\":true}"
                                : "%s %-5s %.100s fields_lost=true";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(plain, sizeof plain, shape, time, level_word(level), event);
#pragma GCC diagnostic pop
        whole = str_of(plain);
    }
    pthread_mutex_lock(&log->lock);
    log->sink.write(log->sink.context, level, whole.ptr, whole.len);
    pthread_mutex_unlock(&log->lock);
}
