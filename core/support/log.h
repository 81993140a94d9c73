/* log.h - structured log: an event is a constant phrase, what varies is a typed field.
 *
 *   log_info(log, "workload started", F_STR("connector", id), F_MS("took", ms));
 *
 * error: a person must act.  warn: degraded, and it heals by itself.  info: a state changed.
 * debug: the rest.  Once a change of state, not once a cycle.  Lines reach a sink, which may be
 * called from any thread, one at a time. */
#ifndef SUPPORT_LOG_H
#define SUPPORT_LOG_H

#include "compiler.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_LEVELS(X)               X(ERROR, "error") X(WARN, "warn") X(INFO, "info") X(DEBUG, "debug")
#define LOG_LEVEL_ENUM_(name, word) LOG_##name,
enum log_level { LOG_LEVELS(LOG_LEVEL_ENUM_) LOG_LEVELS_COUNT };
#undef LOG_LEVEL_ENUM_

enum log_format { LOG_TEXT, LOG_JSON };

enum log_field_kind { LOG_FIELD_END, LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_MS, LOG_FIELD_BOOL };

struct log_field {
    const char *name; /* static */
    enum log_field_kind kind;
    const char *text; /* may be NULL: the field is left out */
    int64_t number;
};

#define F_STR(name, value)  ((struct log_field){(name), LOG_FIELD_STR, (value), 0})
#define F_INT(name, value)  ((struct log_field){(name), LOG_FIELD_INT, NULL, (int64_t)(value)})
#define F_MS(name, value)   ((struct log_field){(name), LOG_FIELD_MS, NULL, (int64_t)(value)})
#define F_BOOL(name, value) ((struct log_field){(name), LOG_FIELD_BOOL, NULL, (value)})

/* Where finished lines go.  line: borrowed, without newline. */
struct log_sink {
    void (*write)(void *context, enum log_level level, const char *line, size_t length);
    void *context; /* kept by the log */
};

struct log {
    /* These two may change while others write. */
    _Atomic enum log_level level; /* what is above it in LOG_LEVELS, and itself, is written */
    _Atomic enum log_format format;
    struct log_sink sink; /* write may be NULL: nothing is written */
    pthread_mutex_t lock; /* one line at a time */
};

void log_init(struct log *log, enum log_level level, enum log_format format, struct log_sink sink);
void log_clear(struct log *log);

#define F_END ((struct log_field){NULL, LOG_FIELD_END, NULL, 0})

/* Write one event.  log: may be NULL: nothing.  After event come struct log_field values, the last
 * F_END; use the macros below, which add it. */
void log_write(struct log *log, enum log_level level, const char *event, ...);

static inline bool
log_enabled(const struct log *log, enum log_level level)
{
    return log && log->sink.write && level <= log->level;
}

#define LOG_AT_(log, level, ...)                                                                   \
    do {                                                                                           \
        if (log_enabled((log), (level)))                                                           \
            log_write((log), (level), __VA_ARGS__, F_END);                                         \
    } while (0)
#define log_error(log, ...) LOG_AT_(log, LOG_ERROR, __VA_ARGS__)
#define log_warn(log, ...)  LOG_AT_(log, LOG_WARN, __VA_ARGS__)
#define log_info(log, ...)  LOG_AT_(log, LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) LOG_AT_(log, LOG_DEBUG, __VA_ARGS__)

#endif
