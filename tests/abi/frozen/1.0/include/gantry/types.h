/* gantry/types.h - what the other public headers share: result codes, the error object, the version.
 *
 * Every function of Gantry that can fail returns an int: 0 for success, else one of the negative codes
 * below.  The code says what the caller should do; the error object, where there is one, has the sentence
 * for a person.
 *
 * Five words tell who owns what a pointer points to, here and in every other header:
 *   borrowed  valid during the call only
 *   owned     the caller frees it, by the function that is named
 *   taken     the callee frees it, on failure too
 *   kept      must outlive the object that is named
 *   static    is there for ever
 * A pointer is never NULL unless its comment says "may be NULL".
 *
 * Thread words: [any] any thread, at any time, several at once; [loop] the thread that runs the manager;
 * [worker] one of the manager's worker threads; [watch] a plugin's watching thread; [signal] also safe in
 * a signal handler. */
#ifndef GANTRY_TYPES_H
#define GANTRY_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GANTRY_VERSION_MAJOR  0
#define GANTRY_VERSION_MINOR  1
#define GANTRY_VERSION_PATCH  0
#define GANTRY_VERSION_STRING "0.1.0"

#if defined(__GNUC__) || defined(__clang__)
#define GANTRY_API             __attribute__((visibility("default")))
#define GANTRY_MUST_CHECK      __attribute__((warn_unused_result))
#define GANTRY_PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))
#else
#define GANTRY_API
#define GANTRY_MUST_CHECK
#define GANTRY_PRINTF(fmt, va)
#endif

/* The result codes.  They are part of the plugin ABI: never renumbered, never reused.
 *   name, value, word, what the caller should do */
#define GANTRY_CODES(X)                                                                            \
    X(OK, 0, "ok", "nothing: it worked")                                                           \
    X(INVALID, -1, "invalid", "correct the input: repeating the call will fail again")             \
    X(NOMEM, -2, "out of memory", "free memory, then repeat")                                      \
    X(NOT_FOUND, -3, "not found", "what was named is surely not there: this is no failure to ask") \
    X(UNAVAILABLE, -4, "unavailable", "repeat later, with back-off: nothing is known")             \
    X(DENIED, -5, "denied", "correct credentials or rights")                                       \
    X(IMAGE_MISSING, -6, "image missing", "correct the image reference, or publish the image")     \
    X(CONFLICT, -7, "conflict", "something else holds the name or the resource")                   \
    X(TIMEOUT, -8, "timed out", "repeat later: nothing is known about the outcome")                \
    X(CANCELLED, -9, "cancelled", "nothing: the caller asked for it")                              \
    X(UNSUPPORTED, -10, "unsupported", "do without: the other side cannot do this")                \
    X(INTERNAL, -11, "internal", "report a defect")

#define GANTRY_CODE_ENUM_(name, value, word, action) GANTRY_E_##name = (value),
enum gantry_code { GANTRY_CODES(GANTRY_CODE_ENUM_) };
#undef GANTRY_CODE_ENUM_

/* An error: what failed, on what, and what to do, in one line without newline, secret or address.
 * Read only.  It begins with its size, and carries its own release function, so that one made by any
 * library or version can be freed by every other. */
struct gantry_error {
    uint32_t size; /* sizeof(struct gantry_error) as its maker knew it */
    int32_t code;  /* enum gantry_code, negative */
    void (*release)(struct gantry_error *self); /* static; frees self and its causes */
    const char *message;                        /* UTF-8, kept by the error */
    struct gantry_error *cause;                 /* kept by the error; may be NULL */
};

/* Free an error.
 * err: taken; may be NULL.  [any] */
GANTRY_API void gantry_error_free(struct gantry_error *err);

/* The short name of a result code, such as "timed out"; "unknown" for any other number.
 * Returns static text.  [any & signal] */
GANTRY_API const char *gantry_code_name(int code);

/* What a caller should do about a result code, as one phrase.
 * Returns static text.  [any & signal] */
GANTRY_API const char *gantry_code_action(int code);

/* Free a text that a function of Gantry made.
 * text: taken; may be NULL.  [any] */
GANTRY_API void gantry_text_free(char *text);

/* The version of the library that runs, such as "0.1.0".
 * Returns static text.  [any & signal] */
GANTRY_API const char *gantry_version(void);

#ifdef __cplusplus
}
#endif
#endif
